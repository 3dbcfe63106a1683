"""Patients per arm, power and assurance: published figures, simulated trials, inverses, edges."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from trabecula.synthesis.recovery.best_week import BestWeek, best_week
from trabecula.synthesis.recovery.trial_design import (
    assurance,
    patients_for_width,
    patients_per_arm,
    power_of_trial,
    width_of_interval,
)

WEEKS = np.arange(1.0, 53.0)
NATURAL, TREATED = 1 - np.exp(-WEEKS / 20), 1 - np.exp(-WEEKS / 12)

SHARES = np.linspace(0.05, 0.9, 9)


def test_published_sizes() -> None:
    """Known sizes for shares and for scores.

    0.6 against 0.7 at 80 %: 356 an arm, 376 with the correction (tables of Fleiss, Levin and Paik
    2003). Manual of R's ``power.prop.test``: power 0.740 with 50 an arm for 0.5 against 0.75, and
    76.7 for 90 %; of ``power.t.test``: 22.02 for a standardised difference of 1 at 90 %, power
    0.869 with 20, exact, of which the normal formula is 0.05 patients and 0.001 short.
    """
    assert patients_per_arm(0.6, 0.7) == 376
    assert patients_per_arm(0.6, 0.7, continuity=False) == 356
    uncorrected = power_of_trial(0.5, 0.75, [50, 76.7], continuity=False)
    assert uncorrected == pytest.approx([0.7401659, 0.9], abs=1e-4)
    assert patients_per_arm(0.5, 0.75, power=0.9, continuity=False) == 77
    assert patients_per_arm(5, 4, sd=1, power=0.9) == 22
    assert power_of_trial(5, 4, [20, 22.02110], sd=1) == pytest.approx([0.8689528, 0.9], abs=1e-3)


def test_sizes_are_those_of_statsmodels() -> None:
    """``samplesize_proportions_2indep_onetail`` of statsmodels 0.15.0: where power is reached."""
    cases = [
        (0.6, 0.7, 0.8, 0.05, 355.94281271162583),
        (0.1, 0.3, 0.9, 0.05, 81.96203814460259),
        (0.25, 0.4, 0.8, 0.01, 226.29474107395401),
        (0.5, 0.75, 0.9, 0.05, 76.70692845177747),
    ]
    for natural, treated, power, alpha, n in cases:
        options: dict[str, Any] = {"alpha": alpha, "continuity": False}
        reached = power_of_trial(natural, treated, n, **options)
        assert reached == pytest.approx(power, rel=1e-12)
        assert patients_per_arm(natural, treated, power=power, **options) == np.ceil(n)


def test_correction_is_that_of_fleiss() -> None:
    """``n / 4 (1 + sqrt(1 + 4 / (n d)))²`` of the uncorrected n (their formula for equal arms)."""
    z_alpha, z_beta = stats.norm.isf(0.025), stats.norm.isf(0.2)
    natural, treated = np.meshgrid(SHARES, SHARES + 0.05)
    d, mean = np.abs(treated - natural), (natural + treated) / 2
    spread = np.sqrt(natural * (1 - natural) + treated * (1 - treated))
    n = ((z_alpha * np.sqrt(2 * mean * (1 - mean)) + z_beta * spread) / d) ** 2

    corrected = n / 4 * (1 + np.sqrt(1 + 4 / (n * d))) ** 2
    assert patients_per_arm(natural, treated).tolist() == np.ceil(corrected).tolist()


@pytest.mark.parametrize("continuity", [True, False])
@pytest.mark.parametrize(("natural", "treated"), [(0.6, 0.7), (0.3, 0.6), (0.5, 0.8)])
def test_trials_of_that_size_have_the_power(
    natural: float, treated: float, continuity: bool
) -> None:
    """100,000 simulated trials, tested by chi-square with and without Yates's correction.

    Three Monte Carlo standard errors are 0.004, the rest of the margins the normal approximation
    and the steps of a discrete test.
    """
    n = int(patients_per_arm(natural, treated, continuity=continuity))
    random = np.random.default_rng(20030905)
    first, second = (random.binomial(n, p, 100_000) / n for p in (natural, treated))
    mean = (first + second) / 2
    excess = np.maximum(np.abs(second - first) - continuity / n, 0)
    z = excess / np.sqrt(2 * mean * (1 - mean) / n)

    assert 0.79 < np.mean(z > stats.norm.isf(0.025)) < 0.83


@pytest.mark.parametrize(("natural", "treated"), [(0.6, 0.7), (0.3, 0.6), (0.1, 0.4)])
def test_the_default_is_enough_for_fishers_exact_test(natural: float, treated: float) -> None:
    """Its power, summed over all tables, is 80 % or a little more."""
    n = int(patients_per_arm(natural, treated))
    count = np.arange(n + 1)
    chance = np.outer(stats.binom.pmf(count, n, natural), stats.binom.pmf(count, n, treated))
    both = count[:, None] + count
    upper = stats.hypergeom.sf(count - 1, 2 * n, both, n)
    shown = upper <= 0.025

    assert 0.795 < chance[shown].sum() < 0.835


def test_scores_are_within_a_patient_of_the_exact_number() -> None:
    """Noncentral t, for standardised differences of 0.1 to 3."""

    def short(n: float, difference: float, power: float) -> float:
        df = 2 * n - 2
        t = stats.t.isf(0.025, df)
        return float(stats.nct.sf(t, df, difference * np.sqrt(n / 2)) - power)

    for difference in (0.1, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0):
        for power in (0.5, 0.8, 0.9, 0.95):
            exact = np.ceil(optimize.brentq(short, 2, 1e5, args=(difference, power)))
            ours = float(patients_per_arm(50, 50 - 10 * difference, sd=10, power=power))
            assert 0 <= exact - ours <= 1


@pytest.mark.parametrize("dropout", [0.0, 0.15])
@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("options", [{}, {"continuity": False}, {"sd": 0.4}])
def test_power_is_the_inverse(options: dict[str, Any], power: float, dropout: float) -> None:
    """With the patients asked for the power is reached, with one fewer it is not."""
    natural, treated = SHARES[:, None], SHARES[None, :] + 0.05
    n = patients_per_arm(natural, treated, power=power, dropout=dropout, **options)
    clear = np.isfinite(n) & (n > 2)

    reached = power_of_trial(natural, treated, np.where(clear, n, 9), dropout=dropout, **options)
    missed = power_of_trial(natural, treated, np.where(clear, n - 1, 9), dropout=dropout, **options)
    assert (reached[clear] >= power).all()
    assert (missed[clear] < power).all()
    assert clear.sum() > 60


def test_shares_recovered_or_not_need_the_same() -> None:
    """Nor does it matter which arm comes first."""
    forth = patients_per_arm(SHARES, SHARES + 0.1)

    assert forth.tolist() == patients_per_arm(1 - SHARES, 0.9 - SHARES).tolist()
    assert forth.tolist() == patients_per_arm(SHARES + 0.1, SHARES).tolist()


def test_dropout_is_made_up_for() -> None:
    """A fifth lost: the patients told of are those of a trial without loss."""
    assert patients_per_arm(0.6, 0.7, dropout=0.2) == np.ceil(375.67 / 0.8)
    assert power_of_trial(0.6, 0.7, 500, dropout=0.2) == power_of_trial(0.6, 0.7, 400)
    assert width_of_interval(0.6, 0.7, 500, dropout=0.2) == width_of_interval(0.6, 0.7, 400)


def test_assurance_without_doubt_is_power() -> None:
    """Draws that are all alike; and half of either gives the mean."""
    sizes = np.array([50.0, 376.0])
    same = assurance(np.full(100, 0.6), 0.7, sizes)
    mixed = assurance(0.6, [0.7, 0.8], sizes)

    assert same == pytest.approx(power_of_trial(0.6, 0.7, sizes), rel=1e-13)
    powers = [power_of_trial(0.6, treated, sizes) for treated in (0.7, 0.8)]
    assert mixed == pytest.approx(np.mean(powers, axis=0), rel=1e-13)


def test_assurance_has_a_closed_form_for_normal_draws() -> None:
    """Of a mean: ``Φ((m - z s) / sqrt(s² + v))`` with a normal posterior (m, v), s of the trial.

    O'Hagan, Stevens and Campbell (2005); 20,000 evenly spread draws; scores, where lower is better.
    """
    sd, n, mean, variance = 2.0, 60, 0.8, 0.5**2
    draws = mean + np.sqrt(variance) * stats.norm.ppf(np.arange(0.5, 20_000) / 20_000)
    z = stats.norm.isf(0.025)
    error = sd * np.sqrt(2 / (n - z**2 / 4))
    exact = stats.norm.cdf((mean - z * error) / np.sqrt(error**2 + variance))

    ours = assurance(5.0, 5 - draws, n, sd=sd, better="lower")
    assert float(ours) == pytest.approx(exact, abs=1e-5)


def test_assurance_is_the_share_of_trials_that_show_it() -> None:
    """200,000 simulated trials, the shares of each drawn from the posterior; margin as for power.

    Trials that show harm do not count.
    """
    random = np.random.default_rng(20050401)
    natural, treated = random.beta(30, 20, 200_000), random.beta(28, 12, 200_000)
    n = 150
    first, second = random.binomial(n, natural) / n, random.binomial(n, treated) / n
    mean = (first + second) / 2
    z = (second - first - 1 / n) / np.sqrt(2 * mean * (1 - mean) / n)

    ours = float(assurance(natural, treated, n))
    assert np.mean(z > stats.norm.isf(0.025)) == pytest.approx(ours, abs=0.01)
    assert ours < float(power_of_trial(0.6, 0.7, n)) + 0.1


def test_assurance_ends_at_the_probability_that_treatment_is_better() -> None:
    """However large the trial."""
    treated = np.concatenate([np.full(30, 0.5), np.full(70, 0.75)])

    assert float(assurance(0.6, treated, 1e9)) == pytest.approx(0.7, abs=1e-12)
    assert float(assurance(0.6, treated, 1e9, better="lower")) == pytest.approx(0.3, abs=1e-12)


def test_width_of_an_interval() -> None:
    """Wald's: 2 × 1.96 sqrt(0.24 + 0.21) / sqrt(n); of scores 2 × 1.96 sd sqrt(2 / n)."""
    z = stats.norm.isf(0.025)

    assert float(width_of_interval(0.6, 0.7, 100)) == pytest.approx(2 * z * np.sqrt(0.45) / 10)
    assert float(width_of_interval(7, 3, 50, sd=2)) == pytest.approx(2 * z * 2 * np.sqrt(2 / 50))
    wide = stats.norm.isf(0.005) / z
    ratio = width_of_interval(0.6, 0.7, 9, level=0.99) / width_of_interval(0.6, 0.7, 9)
    assert float(ratio) == pytest.approx(wide)


@pytest.mark.parametrize("options", [{}, {"dropout": 0.1}, {"sd": 0.5}, {"level": 0.9}])
def test_patients_for_a_width_are_the_inverse(options: dict[str, Any]) -> None:
    """With them the interval is narrow enough, with one fewer it is not."""
    widths = np.array([0.05, 0.1, 0.2])
    n = patients_for_width(0.3, SHARES[:, None], widths, **options)

    assert (width_of_interval(0.3, SHARES[:, None], n, **options) <= widths).all()
    assert (width_of_interval(0.3, SHARES[:, None], n - 1, **options) > widths).all()


def test_best_week_is_that_of_fewest_patients() -> None:
    """Found among all weeks; neither the earliest nor the latest."""
    best = best_week(WEEKS, NATURAL, TREATED)
    needed = patients_per_arm(NATURAL, TREATED)

    assert float(best.patients) == needed.min()
    assert float(best.week) == WEEKS[needed.argmin()]
    assert 10 < float(best.week) < 30
    assert float(best.natural) == NATURAL[needed.argmin()]
    assert best.summary() == (
        f"A trial needs fewest patients at week {best.week:g}: {needed.min():.0f} per arm, "
        f"expecting {float(best.natural):.3g} without and {float(best.treated):.3g} with treatment."
    )
    assert best.to_dict()["assurance"] is None


def test_best_week_plans_for_the_mean_of_draws() -> None:
    """And says how likely that trial is to show the difference."""
    rate = np.exp(0.5 + 0.25 * stats.norm.ppf(np.arange(0.5, 200) / 200))[:, None]
    treated = 1 - np.exp(-WEEKS / 20 * rate)
    best = best_week(WEEKS, NATURAL[None], treated, dropout=0.1)
    planned = best_week(WEEKS, NATURAL, treated.mean(axis=0), dropout=0.1)
    at = int(np.flatnonzero(float(best.week) == WEEKS)[0])

    assert [float(best.week), float(best.patients)] == [planned.week, planned.patients]
    chance = assurance(NATURAL[at], treated[:, at], best.patients, dropout=0.1)
    assert float(best.assurance) == pytest.approx(float(chance), rel=1e-12)
    assert 0.6 < float(best.assurance) < 0.8
    percent = round(100 * float(best.assurance))
    assert best.summary().endswith(f"it shows that with probability {percent} %.")


def test_best_week_of_scores() -> None:
    """Where lower is better; the standard deviation may differ between weeks."""
    natural, treated = 7 - 5 * NATURAL, 7 - 5 * TREATED
    draws = np.stack([treated - 0.1, treated + 0.1])
    sd = 2 + WEEKS / 50
    best = best_week(WEEKS, natural, draws, sd=sd, better="lower")
    needed = patients_per_arm(natural, treated, sd=sd)

    assert float(best.patients) == needed.min()
    wrong = best_week(WEEKS, natural, draws, sd=sd)
    assert np.isinf(wrong.patients)
    assert np.isnan(wrong.week)
    assert wrong.summary() == "No week shows a difference that a trial could settle."
    json.dumps(wrong.to_dict(), allow_nan=False)


def test_broadcasting_is_a_loop() -> None:
    """Leading axes are data sets, for every function."""
    random = np.random.default_rng(7)
    natural, treated = (random.uniform(0.1, 0.9, (3, 2, 40, 5)) for _ in range(2))
    best = best_week(np.arange(5), natural, treated)
    draws = [np.moveaxis(v, -2, -1) for v in (natural, treated)]
    sizes = random.uniform(20, 200, (3, 2, 5))
    chance = assurance(*draws, sizes, dropout=[0, 0, 0, 0.1, 0.1])

    assert best.shape == (3, 2)
    for i in np.ndindex(3, 2):
        alone: BestWeek = best_week(np.arange(5), natural[i], treated[i])
        assert best[i].to_dict() == alone.to_dict()
        for j in range(5):
            part = assurance(draws[0][i][j], draws[1][i][j], sizes[i][j], dropout=0.1 * (j > 2))
            assert float(part) == pytest.approx(chance[i][j], rel=1e-13)
    assert patients_per_arm(SHARES[:, None], SHARES, power=[[[0.8]], [[0.9]]]).shape == (2, 9, 9)


def test_no_difference_takes_infinitely_many() -> None:
    """And its power is half of alpha, or none where nothing varies; certainty needs few."""
    assert np.isinf(patients_per_arm([0.0, 0.5, 1.0], [0.0, 0.5, 1.0])).all()
    assert np.isinf(patients_per_arm(5, 5, sd=1))
    none = power_of_trial([0.0, 0.5, 1.0], [0.0, 0.5, 1.0], 100, continuity=False)
    assert none == pytest.approx([0, 0.025, 0])
    assert power_of_trial([0.0, 0.0], [1.0, 1.0], [2, 20]).tolist() == [0, 1]
    assert patients_per_arm(0, 1) == 4
    assert patients_per_arm(0, 1e9, sd=1e-9) == 2
    assert patients_for_width([0, 0, 1], [0, 1, 1], 0.1).tolist() == [2, 2, 2]


def test_tiny_and_huge_differences_have_an_answer() -> None:
    """No warning, no NaN."""
    tiny = patients_per_arm(0.5, 0.5 + np.array([1e-15, 1e-8, 1e-4]))
    assert (np.diff(tiny) < 0).all()
    assert np.isfinite(tiny).all()
    scores = patients_per_arm(0, [1e-30, 1e-12, 1.0, 1e12, 1e30], sd=[[1e-30], [1.0], [1e30]])
    assert not np.isnan(scores).any()
    powers = power_of_trial(0, [1e-12, 1.0, 1e12], [[1e-6], [1.0], [1e12]], sd=1e-3)
    assert ((powers >= 0) & (powers <= 1)).all()


REFUSED: list[tuple[Any, tuple[Any, ...], dict[str, Any], str]] = [
    (patients_per_arm, (0.5, 1.2), {}, r"treated must lie in \[0, 1\], got 1.2"),
    (patients_per_arm, (float("nan"), 0.2), {}, "natural must lie in"),
    (patients_per_arm, (0.5, 0.6), {"power": 0.05}, "power must exceed alpha, which is 0.05"),
    (patients_per_arm, (0.5, 0.6), {"power": 80}, r"power must lie in \(0, 1\), got 80"),
    (patients_per_arm, (0.5, 0.6), {"alpha": 0}, r"alpha must lie in \(0, 1\)"),
    (patients_per_arm, (0.5, 0.6), {"alpha": [0.1]}, "alpha must be one number"),
    (patients_per_arm, (0.5, 0.6), {"dropout": 1}, r"dropout must lie in \[0, 1\), got 1.0"),
    (patients_per_arm, (5, 6), {"sd": 0}, r"sd must lie in \(0"),
    (patients_per_arm, ([0.5, 0.6], [0.1, 0.2, 0.3]), {}, "natural and treated must broadcast"),
    (power_of_trial, (0.5, 0.6, 0), {}, r"n must lie in \(0"),
    (assurance, (0.5, 0.6, 10), {}, "must have draws along the last axis"),
    (assurance, ([], [], 10), {}, "must have draws along the last axis"),
    (assurance, ([0.5], [0.6], 10), {"better": "more"}, "better must be one of higher, lower"),
    (width_of_interval, (0.5, 0.6, 10), {"level": 95}, "95 % is written 0.95"),
    (patients_for_width, (0.5, 0.6, 0), {}, r"width must lie in \(0"),
    (best_week, ([1, 2], [0.5], [0.6]), {}, r"weeks as their last axis.*shapes \(1,\) and \(1,\)"),
    (best_week, ([1], [0.5], [0.6]), {"better": "up"}, "better must be one of"),
    (best_week, (1, 0.5, 0.6), {}, "weeks as their last axis"),
]


@pytest.mark.parametrize(("function", "arguments", "options", "reason"), REFUSED)
def test_what_is_refused(
    function: Any, arguments: tuple[Any, ...], options: dict[str, Any], reason: str
) -> None:
    """Each refusal names the argument, its value and what is allowed."""
    with pytest.raises(ValueError, match=reason):
        function(*arguments, **options)
