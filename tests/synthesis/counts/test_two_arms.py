"""How the two-arm mixed models behave: edges, batches, symmetries, errors, words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tests.synthesis.counts.data import two_arms, without_double_zero
from trabecula.synthesis.counts import binomial_normal, binomial_normal_two_arms, mantel_haenszel
from trabecula.synthesis.counts.binomial import Binomial
from trabecula.synthesis.counts.pooled_text import ratio_interval
from trabecula.synthesis.counts.tables import Tables
from trabecula.synthesis.counts.two_arms import MODELS
from trabecula.synthesis.quadrature import Marginal

ALL = tuple(MODELS)
NUMBERS = ("estimate", "se", "tau2", "sigma2", "q_lrt", "q_wald", "pi_high", "log_likelihood", "i2")


def simulated(
    sets: int, k: int, seed: int, effect: float = -0.5, tau: float = 0.6
) -> tuple[np.ndarray, ...]:
    """Return counts of small trials whose levels and effects differ."""
    rng = np.random.default_rng(seed)
    n_1, n_2 = rng.integers(8, 60, (2, sets, k)).astype(float)
    level, own = rng.normal(-1.2, 0.6, (sets, k)), rng.normal(effect, tau, (sets, k))
    a = rng.binomial(n_1.astype(int), special.expit(level + own / 2)).astype(float)
    c = rng.binomial(n_2.astype(int), special.expit(level - own / 2)).astype(float)
    return a, n_1, c, n_2


@pytest.mark.parametrize("model", ALL)
def test_the_maximum_is_a_maximum(model: Any) -> None:
    """No point of a mesh of effects and taus is likelier, levels and their spread at their best.

    What is not on the mesh is left where it is at the maximum, which cannot help the mesh.
    """
    counts = simulated(1, 5, seed=2)
    fit = binomial_normal_two_arms(*counts, model=model)[0]
    likelihood = MODELS[model](Tables.read(*counts), 7)
    marginal = Marginal.of(likelihood.kernel, likelihood.model, 7)
    effects, taus = (
        x.reshape(-1, 1) for x in np.meshgrid(np.linspace(-3, 3, 41), [0.1, 0.5, 2, 6])
    )
    heights = marginal(likelihood.starts(effects, taus)).value.sum(axis=-1)

    assert fit.status == "fitted"
    assert heights.max() + likelihood.constant[0] <= fit.log_likelihood + 1e-9


@pytest.mark.parametrize("model", ALL)
def test_slopes_are_those_of_the_quadrature(model: Any) -> None:
    """The derivatives by every parameter equal differences of heights, in two dimensions too."""
    counts = simulated(2, 3, seed=5)
    likelihood = MODELS[model](Tables.read(*counts), 3)
    for nodes in (1, 3, 6):
        marginal = Marginal.of(likelihood.kernel, likelihood.model, nodes)
        place = likelihood.starts(np.array([-0.4, 0.9]), np.array([0.7, -1.3]))
        slope = marginal(place).slope
        for i in range(len(place)):
            step = np.zeros_like(place)
            step[i] = 1e-5
            difference = marginal(place + step).value - marginal(place - step).value
            np.testing.assert_allclose(slope[i], difference / 2e-5, atol=2e-7)


def test_two_dimensional_quadrature_equals_direct_integration() -> None:
    """With many nodes the likelihood is the double integral, done by brute force on a mesh."""
    counts = (np.array([2.0]), np.array([9.0]), np.array([0.0]), np.array([7.0]))
    effect, tau, level, sigma = 0.8, 1.5, -0.6, 0.9
    u, step = np.linspace(-9, 9, 901, retstep=True)
    spread, own = level + sigma * u[:, None], effect + tau * u[None]
    p_1, p_2 = special.expit(spread + own / 2), special.expit(spread - own / 2)
    density = np.exp(-(u[:, None] ** 2 + u**2) / 2) / (2 * np.pi)
    expected = np.log((p_1**2 * (1 - p_1) ** 7 * (1 - p_2) ** 7 * density).sum() * step**2)
    likelihood = MODELS["unconditional-random"](Tables.read(*counts), 60)
    place = np.array([effect, tau, level, sigma]).reshape(4, 1, 1)
    marginal = Marginal.of(likelihood.kernel, likelihood.model, 60)

    assert float(marginal(place).value.item()) == pytest.approx(expected, abs=1e-10)


@pytest.mark.parametrize("model", ALL)
def test_many_data_sets_are_fitted_as_each_alone(model: Any) -> None:
    """One call for a table of data sets, ragged and without an estimate among them."""
    counts = [x.reshape(3, 2, 6) for x in simulated(6, 6, seed=8)]
    counts[0][0, 1, 4:] = np.nan
    counts[0][1, 0] = 0
    counts[0][2, 1, :2], counts[2][2, 1, :2] = 0, 0
    fit = binomial_normal_two_arms(*counts, model=model)

    assert fit.shape == (3, 2)
    assert fit.status[1, 0] == "zero"
    assert fit.k.tolist() == [[6, 4], [6, 6], [6, 6]]
    for i in np.ndindex(3, 2):
        alone = binomial_normal_two_arms(*(x[i] for x in counts), model=model)
        for name in NUMBERS:
            np.testing.assert_allclose(
                getattr(fit, name)[i], getattr(alone, name), rtol=2e-7, atol=1e-9, err_msg=name
            )


@pytest.mark.parametrize("model", ALL)
def test_exchanging_arms_turns_the_sign(model: Any) -> None:
    """Neither arm is special: that is why the random effect is split evenly."""
    a, n_1, c, n_2 = simulated(1, 6, seed=8)
    fit = binomial_normal_two_arms(a, n_1, c, n_2, model=model)[0]
    turned = binomial_normal_two_arms(c, n_2, a, n_1, model=model)[0]

    assert fit.estimate == pytest.approx(-float(turned.estimate), rel=1e-6)
    assert fit.se == pytest.approx(float(turned.se), rel=1e-6)
    assert fit.tau2 == pytest.approx(float(turned.tau2), rel=1e-6)
    assert fit.q_wald == pytest.approx(float(turned.q_wald), rel=1e-6) or model.endswith("random")


def test_counting_the_other_event_turns_all_but_the_approximation() -> None:
    """The share of the events is not symmetric in event and no event; the others are."""
    a, n_1, c, n_2 = simulated(1, 6, seed=8)
    for model in ALL:
        fit = binomial_normal_two_arms(a, n_1, c, n_2, model=model)[0]  # type: ignore[arg-type]
        other = binomial_normal_two_arms(n_1 - a, n_1, n_2 - c, n_2, model=model)[0]  # type: ignore[arg-type]
        same = abs(float(fit.estimate + other.estimate)) < 1e-6
        assert same is (model != "conditional-approximate")


@pytest.mark.parametrize("model", ALL)
def test_equal_studies_have_no_heterogeneity(model: Any) -> None:
    """At zero variance the fit is that of one odds ratio, digit by digit."""
    counts = ([3, 6, 9], [20, 40, 60], [6, 12, 18], [20, 40, 60])
    fit, common = (
        binomial_normal_two_arms(*counts, model=model, method=m)  # type: ignore[arg-type]
        for m in ("ML", "common")
    )

    assert fit.tau2 == 0
    if model.endswith(("fixed", "approximate")):  # own levels, or none: each study fits exactly
        assert float(fit.q_lrt) == pytest.approx(0, abs=1e-10)
        assert float(fit.q_lrt_p_value) == pytest.approx(1)
    assert (fit.estimate, fit.se, fit.log_likelihood) == (
        common.estimate,
        common.se,
        common.log_likelihood,
    )
    assert fit.aic == pytest.approx(float(common.aic) + 2)
    assert (fit.pi_low, fit.pi_high) == (fit.ci_low, fit.ci_high)
    assert np.isnan(common.pi_low)
    assert common.summary().split(": ")[0].endswith("common effect")


def test_the_common_odds_ratio_of_one_table_is_the_plain_one() -> None:
    """One study: unconditional models give a d / (b c) and Woolf's variance, nothing more."""
    for model in ("unconditional-fixed", "unconditional-random"):
        fit = binomial_normal_two_arms([12], [40], [20], [50], model=model)  # type: ignore[arg-type]
        assert fit.status == "one-study"
        assert np.exp(fit.estimate) == pytest.approx(12 * 30 / (28 * 20), rel=1e-12)
        assert fit.se**2 == pytest.approx(1 / 12 + 1 / 28 + 1 / 20 + 1 / 30, rel=1e-12)
        assert np.isnan([fit.tau2, fit.i2, fit.q_lrt, fit.q_lrt_p_value, fit.pi_low]).all()
        assert fit.summary().startswith("One informative study, nothing pooled: odds ratio 0.64 ")


@pytest.mark.parametrize("model", ALL)
def test_more_events_than_patients_in_an_arm(model: Any) -> None:
    """Where nearly all have the event the levels are as sure as where hardly any has."""
    a, n_1, c, n_2 = (np.array(x, dtype=float) for x in ([81, 50], [95, 54], [97, 34], [99, 39]))
    fit = binomial_normal_two_arms(a[:1], n_1[:1], c[:1], n_2[:1], model=model)
    both = binomial_normal_two_arms(a, n_1, c, n_2, model=model)
    other = binomial_normal_two_arms(n_1 - a, n_1, n_2 - c, n_2, model=model)

    assert (fit.status, both.status) == ("one-study", "fitted")
    if not model.endswith("approximate"):
        assert fit.estimate == pytest.approx(np.log(81 * 2 / (14 * 97)), rel=0.02)
        assert both.estimate == pytest.approx(-float(other.estimate), abs=1e-8)


EDGES = [
    ([0, 0, 0], [10, 12, 9], [1, 2, 0], [10, 10, 10], "zero"),
    ([4, 2, 0], [10, 12, 9], [0, 0, 0], [10, 10, 10], "infinite"),
    ([10, 12, 9], [10, 12, 9], [4, 5, 1], [10, 10, 10], "infinite"),
    ([0, 0], [5, 6], [0, 0], [7, 8], "no-information"),
    ([5, 6], [5, 6], [7, 8], [7, 8], "no-information"),
]


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize(("a", "n_1", "c", "n_2", "status"), EDGES)
def test_data_without_an_estimate_say_why(
    model: Any, a: list[int], n_1: list[int], c: list[int], n_2: list[int], status: str
) -> None:
    """All zero in one arm, all events in one arm, nothing at all: a status, no number, words."""
    fit = binomial_normal_two_arms(a, n_1, c, n_2, model=model)
    if model == "conditional-approximate" and a == n_1 and status == "infinite":
        assert fit.status == "fitted"
        return

    assert fit.status == status
    assert np.isnan([fit.se, fit.ci_low, fit.ci_high, fit.p_value, fit.tau2, fit.q_lrt]).all()
    assert json.loads(json.dumps(fit.to_dict()))["estimate"] is None
    assert fit.summary().startswith(f"{fit.k} studies (")


def test_opposite_extremes_are_not_pooled() -> None:
    """Each study alone would put the odds ratio at 0 or at infinity: tau has no bound."""
    counts = ([0, 5], [10, 10], [3, 0], [10, 10])
    for model in ALL:
        fit = binomial_normal_two_arms(*counts, model=model)  # type: ignore[arg-type]
        common = binomial_normal_two_arms(*counts, model=model, method="common")  # type: ignore[arg-type]
        assert common.status == "fitted"
        if model != "unconditional-random":
            assert fit.status == "all-or-none"
            assert "differences between studies have no bound" in fit.summary()


def test_one_patient_an_arm() -> None:
    """Matched pairs: every model gives an answer or says why not."""
    counts = ([1, 1, 1, 0, 1, 0], [1] * 6, [0, 1, 0, 1, 0, 0], [1] * 6)
    for model in ALL:
        common = binomial_normal_two_arms(*counts, model=model, method="common")  # type: ignore[arg-type]
        assert common.status == "fitted"
        assert binomial_normal_two_arms(*counts, model=model).summary().endswith(".")  # type: ignore[arg-type]
    exact = binomial_normal_two_arms(*counts, model="conditional-exact", method="common")

    assert np.exp(exact.estimate) == pytest.approx(3, rel=1e-10)


@pytest.mark.parametrize("model", ALL)
def test_a_million_patients(model: Any) -> None:
    """Large studies: all models agree with each other and with the normal approximation."""
    a, c = np.array([1000.0, 2400, 900, 3100]), np.array([1500.0, 2500, 1300, 3000])
    fit = binomial_normal_two_arms(a, 1e6, c, 1e6, model=model, test="z")
    reference = binomial_normal_two_arms(a, 1e6, c, 1e6, test="z")

    assert fit.status == "fitted"
    assert fit.estimate == pytest.approx(float(reference.estimate), abs=1e-3)
    assert fit.se == pytest.approx(float(reference.se), rel=2e-3)
    assert fit.tau2 == pytest.approx(float(reference.tau2), rel=5e-3)


def test_double_zero_studies_count_where_levels_are_random() -> None:
    """They change the random-level model a little, and no other."""
    with_it = two_arms("nielweise2007")
    without = without_double_zero(with_it)
    for model in ALL:
        fit, other = (binomial_normal_two_arms(*x, model=model) for x in (with_it, without))  # type: ignore[arg-type]
        assert (fit.k, fit.k_double_zero, other.k, other.k_double_zero) == (18, 1, 17, 0)
        moved = abs(float(fit.estimate / other.estimate) - 1)
        assert moved > 1e-3 if model == "unconditional-random" else moved < 1e-9
        assert fit.q_df == (17 if model == "unconditional-random" else 16)
    assert "1 study with no event, or nothing but events, in both arms counts in the model" in (
        binomial_normal_two_arms(*with_it, model="unconditional-random").summary()
    )


def test_stijnen_2010_catheters() -> None:
    """Stijnen, Hamza and Özdemir (2010): the exact model on 18 catheter trials, with more nodes.

    More nodes change the third digit of the variance: the trials have few events.
    """
    few, many = (
        binomial_normal_two_arms(
            *two_arms("nielweise2007"), model="conditional-exact", test="z", nodes=nodes
        )
        for nodes in (7, 41)
    )

    assert np.round([many.estimate, many.se, many.tau2], 3).tolist() == [-1.353, 0.351, 0.693]
    assert few.tau2 == pytest.approx(float(many.tau2), rel=1e-4)


def test_the_exact_model_is_the_approximate_one_for_rare_events() -> None:
    """With a thousand times as many patients the share of the events is all that is known."""
    a, n_1, c, n_2 = two_arms("nielweise2007")
    exact, approximate = (
        binomial_normal_two_arms(a, 1000 * n_1, c, 1000 * n_2, model=m)  # type: ignore[arg-type]
        for m in ("conditional-exact", "conditional-approximate")
    )

    for name in ("estimate", "se", "tau2", "q_lrt", "q_wald"):
        ours, theirs = (float(getattr(fit, name)) for fit in (exact, approximate))
        assert ours == pytest.approx(theirs, rel=2e-3)


def test_a_study_level_kernel_is_the_one_arm_model() -> None:
    """The approximate conditional model without offset is the pooled proportion of events."""
    x, n = np.array([3.0, 5, 9, 2]), np.array([9.0, 14, 12, 11])
    one = binomial_normal(x, n)
    two = binomial_normal_two_arms(x, 500, n - x, 500, model="conditional-approximate")

    assert two.estimate == pytest.approx(float(one.estimate), rel=1e-8)
    assert two.tau2 == pytest.approx(float(one.tau2), rel=1e-6, abs=1e-12)


TABLE = st.tuples(st.integers(1, 30), st.integers(1, 30)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)


@settings(max_examples=25, deadline=None)
@given(st.lists(TABLE, min_size=1, max_size=5))
def test_any_tables_give_a_result_that_can_be_told(tables: list[tuple[int, ...]]) -> None:
    """Every set of tables yields a status, a summary and plain JSON, estimates inside limits."""
    counts = tuple(np.array(x, dtype=float) for x in zip(*tables, strict=True))
    for model in ALL:
        fit = binomial_normal_two_arms(*counts, model=model, nodes=3)  # type: ignore[arg-type]
        json.dumps(fit.to_dict(), allow_nan=False)
        assert fit.summary().endswith(".")
        if fit.status == "fitted":
            assert fit.se > 0
            assert fit.tau2 >= 0
            assert fit.ci_low < fit.estimate < fit.ci_high


def test_coverage_and_bias() -> None:
    """In 150 data sets of eight small trials t intervals hold the mean effect, none is lost."""
    counts = simulated(150, 8, seed=12)
    for model in ("unconditional-fixed", "conditional-approximate"):
        fit = binomial_normal_two_arms(*counts, model=model)  # type: ignore[arg-type]
        fitted = fit.status == "fitted"
        held = ((fit.ci_low < -0.5) & (fit.ci_high > -0.5))[fitted]
        assert fitted.mean() > 0.98
        assert held.mean() > 0.87
    exact = binomial_normal_two_arms(*counts, model="unconditional-fixed")
    closed = mantel_haenszel(*counts)

    assert abs(float(exact.estimate.mean()) + 0.5) < 0.08
    assert ((closed.ci_low < -0.5) & (closed.ci_high > -0.5)).mean() < 0.93


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events_1": [11, 2]}, r"events_1 must lie in \[0, n_1\], got 11 of 10"),
        ({"model": "exact"}, "model must be one of unconditional-fixed, unconditional-random, "),
        ({"method": "REML"}, "method must be one of ML, common; got 'REML'"),
        ({"test": "knapp-hartung"}, "test must be one of z, t"),
        ({"nodes": 0}, r"nodes must be a whole number in \[1, 200\], got 0"),
        ({"events_1": [2.5, 3]}, "conditional-exact needs whole numbers of patients, got 2.5"),
        ({"events_1": [2e7, 3], "n_1": 9e7}, "at most 10,000,000 events a study, got 2e.07"),
    ],
)
def test_wrong_arguments_are_named_with_their_value(
    arguments: dict[str, Any], message: str
) -> None:
    """Each error says which argument, what was given and what is allowed."""
    good: dict[str, Any] = {"events_1": [3, 4], "n_1": [10, 10], "events_2": [1, 2]}
    good |= {"n_2": [10, 10], "model": "conditional-exact"}

    with pytest.raises(ValueError, match=message):
        binomial_normal_two_arms(**good | arguments)


def test_the_binomial_kernel_takes_missing_arms_for_nothing() -> None:
    """An arm of no patients has likelihood 1 everywhere and no slope."""
    kernel = Binomial.of(np.zeros((1, 1, 2)), np.zeros((1, 1, 2)))

    assert all((part == 0).all() for part in kernel.derivatives(np.array([[[-3.0, 40]]]), 3))
    assert kernel.constant.tolist() == [0.0]
    assert kernel.saturated().tolist() == [0.0]


def test_summary_reads_as_a_paper() -> None:
    """Model, ratio, heterogeneity, prediction interval."""
    assert binomial_normal_two_arms(*two_arms("bcg")).summary() == (
        "13 studies (logistic mixed model, study levels fixed), random effects: odds ratio 0.475 "
        "(95 % CI 0.324 to 0.696; t(12) = −4.24, p = 0.001). Heterogeneity: τ² = 0.29, "
        "likelihood-ratio χ²(12) = 176.95, p < 0.001. 95 % prediction interval 0.14 to 1.65."
    )
    with pytest.raises(ValueError, match=r"this fit holds \(2,\): use fit\[i\]"):
        binomial_normal_two_arms([[1, 2], [2, 3]], 10, [[3, 4], [5, 6]], 10).summary()


def test_a_maximum_far_from_equal_effects_is_found() -> None:
    """Levels start where the studies' own effects put them, however large the studies are.

    A sum over 40,001 points finds -17.797 at tau = 6.5, a valley at tau = 0.5, and -19.377, a lower
    peak, at tau = 0.
    """
    counts = [1, 1e5], [1e6, 2e5], [1, 1], [2, 2]
    fit = binomial_normal_two_arms(*counts, nodes=41)

    assert fit.status == "fitted"
    assert 4 < np.sqrt(fit.tau2) < 9
    assert float(fit.log_likelihood) == pytest.approx(-17.79, abs=0.02)


def test_double_zero_studies_count_only_where_a_model_was_fitted() -> None:
    """Nothing counts in a model that does not exist."""
    for events in ([0, 0, 0], [3, 0, 0]):
        counts = events, [9, 9, 9], [0, 0, 0] if not any(events) else [4, 0, 0], [9, 9, 9]
        fit = binomial_normal_two_arms(*counts, model="unconditional-random")
        assert fit.status in ("no-information", "one-study")
        assert "part in the model" in fit.summary()


def test_limits_and_small_variances_keep_digits_that_mean_something() -> None:
    """A limit of 859 has no decimals, and a variance that is not 0 does not look like 0."""
    rare = binomial_normal_two_arms(
        [3, 1, 0], [1e6] * 3, [1, 0, 2], [1e6] * 3, model="conditional-exact"
    )
    large = binomial_normal_two_arms([300_000, 310_000], [1e6] * 2, [290_000, 330_000], [1e6] * 2)

    assert rare.summary().endswith("prediction interval below 0.01 to 859.")
    assert "τ² = 0.0049," in large.summary()
    assert ratio_interval(0.004, 53.21, 1) == "below 0.1 to 53.2"
