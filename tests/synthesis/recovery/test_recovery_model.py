"""The recovery model as a whole: known courses are found again, and answers follow from them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.synthesis.recovery.made import COMPLETE, PARTIAL, START, columns
from trabecula.synthesis.recovery import (
    Patient,
    RecoveryEvidence,
    RecoveryFit,
    RecoveryPriors,
    Variant,
    recovered,
    recovery_evidence,
    recovery_model,
    recovery_models,
    score_left,
    weeks_to_recovery,
    weeks_to_score,
)
from trabecula.synthesis.recovery.course import SPREAD_OF_SHAPE_ONE
from trabecula.synthesis.sampling import NotConverged, convergence
from trabecula.synthesis.sampling.settings import Settings

STUDIES = 20
MEDIAN, SPREAD, NEVER, FLOOR = 18.0, 0.6, 0.04, 0.1
EFFECTS = (0.7, -0.5)
SOONER = (0.3, 0.5)
STUDY_SD = 0.15

PRIORS = RecoveryPriors(
    median_weeks=(25.0,), effect_sd=1.0, arm_sd=0.05, uncontrolled_optimism=0.05
)
SETTINGS = Settings(chains=2, draws=400, warmup=200, target_accept=0.8)
LEFT_OUT = 3


def left(log_rate: float, week: float) -> float:
    """Return the share still ill of a Weibull course, written out."""
    shape = SPREAD_OF_SHAPE_ONE["weibull"] / SPREAD
    return float(np.exp(-np.log(2) * (np.exp(log_rate) * week) ** shape))


def made() -> RecoveryEvidence:
    """Return 20 studies of 120 patients an arm, untreated against one of two treatments.

    Each counts complete and partial recovery at two weeks, and scores at one.
    """
    random = np.random.default_rng(17)
    arms, design, counts, scores = [], [], [], []
    for study in range(STUDIES):
        own = -np.log(MEDIAN) + STUDY_SD * random.standard_normal()
        for has in ((0, 0), (1, 0) if study % 2 else (0, 1)):
            arm = len(arms)
            arms.append(study)
            design.append(has)
            rate, before, week_before = own + np.dot(has, EFFECTS), 0, 0
            for week in (10.0, 26.0):
                share = (1 - NEVER) * (1 - left(rate, week))
                earlier = (1 - NEVER) * (1 - left(rate, week_before))
                new = random.binomial(120 - before, (share - earlier) / (1 - earlier))
                chain = (COMPLETE, week_before, before)
                counts.append((arm, 0, COMPLETE, START, week, before + new, 120, 1.0, *chain))
                before, week_before = before + new, week
            early = 1 - left(rate + SOONER[0], 26.0)
            late = (1 - NEVER) * (1 - left(rate, 26.0))
            new = random.binomial(120 - before, (early - late) / (1 - late))
            chain = (COMPLETE, 26.0, before)
            counts.append((arm, 0, PARTIAL, START, 26.0, before + new, 120, 1.0, *chain))
            mean = 7 * (FLOOR + (1 - FLOOR) * left(rate + SOONER[1], 12.0))
            drawn = random.normal(mean, 0.15)
            scores.append((arm, 0, START, 12.0, drawn, 0.15, 7.0, 0.0, 0.3, 0.0))
            mean = 7 * (FLOOR + (1 - FLOOR) * left(rate + SOONER[1], 60.0))
            drawn = random.normal(mean, 0.15)
            scores.append((arm, 0, START, 60.0, drawn, 0.15, 7.0, 0.0, 0.3, 0.0))
    return recovery_evidence(
        studies=tuple(f"s{i}" for i in range(STUDIES)),
        outcomes=("pain",),
        effects=("fast", "slow"),
        arm_study=arms,
        design=design,
        delay=[8.0] * STUDIES,
        counts=columns(
            "arm outcome kind clock week events n design_effect "
            "previous_kind previous_week previous_events",
            *counts,
        ),
        scores=columns(
            "arm outcome clock week mean se baseline baseline_se correlation se_log_sd", *scores
        ),
    )


def both(*, check: bool = False) -> list[RecoveryFit]:
    """Return the fit of all studies, and one without the fourth, sampled together."""
    variants = [Variant(PRIORS), Variant(PRIORS, tuple(s != LEFT_OUT for s in range(STUDIES)))]
    return recovery_models(made(), variants, settings=SETTINGS, check=check)


@pytest.fixture(scope="module")
def fits() -> list[RecoveryFit]:
    """Return both fits, unchecked: they have fewer draws than an answer needs."""
    return both()


@pytest.fixture(scope="module")
def fit(fits: list[RecoveryFit]) -> RecoveryFit:
    """Return the fit of all studies."""
    return fits[0]


def deviation(draws: np.ndarray, truth: float) -> float:
    """Return by how many posterior standard deviations the mean misses the truth."""
    return float(abs(draws.mean() - truth) / draws.std())


def test_known_courses_are_found_again(fit: RecoveryFit) -> None:
    """Each parameter within three posterior standard deviations, and these are narrow."""
    found = {
        "median": (fit.log_median[:, 0], np.log(MEDIAN), 0.08),
        "spread": (np.log(fit.spread[:, 0]), np.log(SPREAD), 0.1),
        "fast": (fit.effect[:, 0, 0], EFFECTS[0], 0.1),
        "slow": (fit.effect[:, 1, 0], EFFECTS[1], 0.1),
        "partial": (fit.sooner[:, 0, 0], SOONER[0], 0.1),
        "score": (fit.sooner[:, 1, 0], SOONER[1], 0.1),
        "never": (fit.never[:, 0], NEVER, 0.04),
        "floor": (fit.floor[:, 0], FLOOR, 0.02),
        "studies": (np.log(fit.study_sd[:, 0]), np.log(STUDY_SD), 0.4),
    }

    assert {
        n: deviation(draws, truth)
        for n, (draws, truth, _) in found.items()
        if deviation(draws, truth) > 3
    } == {}
    assert {
        n: float(draws.std()) for n, (draws, _, most) in found.items() if draws.std() > most
    } == {}


def test_a_lane_without_a_study_differs_as_its_data(fits: list[RecoveryFit]) -> None:
    """One study of twenty fewer moves effects by less than a standard deviation, and widens them.

    That its rows count for nothing, exactly, is a property of the density.
    """
    every, without = fits

    assert (int(every.studies), int(without.studies)) == (STUDIES, STUDIES - 1)
    for name in ("effect", "log_median", "spread", "floor", "sooner"):
        one, other = getattr(every, name), getattr(without, name)
        assert not np.array_equal(one, other)
        apart = (one.mean(axis=0) - other.mean(axis=0)) / one.std(axis=0)
        assert (np.abs(apart) < 1).all(), name
    fast = fits[0].effect[:, 0, 0], fits[1].effect[:, 0, 0]
    assert fast[1].std() > 0.97 * fast[0].std()


def test_the_same_seed_gives_the_same_bytes(fits: list[RecoveryFit]) -> None:
    """A second fit repeats every draw; as does its description."""
    again = both()

    for one, other in zip(fits, again, strict=True):
        assert one.effect.tobytes() == other.effect.tobytes()
        assert one.log_likelihood.tobytes() == other.log_likelihood.tobytes()
        assert one.to_dict() == other.to_dict()


def test_chains_that_have_not_settled_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """These draws are too few for an R-hat of 1.0001: no result, but figures and advice."""
    monkeypatch.setattr(convergence, "R_HAT", 1.0001)
    with pytest.raises(NotConverged, match=r"have not converged.*smaller prior scale") as caught:
        both(check=True)

    assert caught.value.r_hat > 1.0001


def test_an_unknown_form_is_refused() -> None:
    """The error names what is allowed."""
    with pytest.raises(ValueError, match="form must be one of weibull, log-normal, log-logistic"):
        recovery_model(made(), PRIORS, form="gamma")  # type: ignore[arg-type]


def test_results_describe_themselves(fit: RecoveryFit) -> None:
    """Rows hold rate ratios, the summary prints them, JSON takes the rest; draws stay out."""
    rows = fit.rows()

    assert [(r["effect"], r["outcome"]) for r in rows] == [("fast", "pain"), ("slow", "pain")]
    fast = np.exp(fit.effect[:, 0, 0])
    assert rows[0]["median"] == pytest.approx(np.median(fast), rel=1e-3)
    assert (rows[0]["ci_low"], rows[0]["ci_high"]) == pytest.approx(
        tuple(np.quantile(fast, [0.025, 0.975])), rel=1e-2
    )
    assert rows[0]["p_faster"] == 1.0
    assert rows[1]["p_faster"] == 0.0
    held = fit.to_dict()
    assert json.loads(json.dumps(held))["rows"] == rows
    assert "effect" not in held
    assert held["studies"] == STUDIES
    text = fit.summary()
    assert text.startswith("Recovery model (weibull) of 20 studies; 800 draws")
    assert "pain: half have recovered naturally after 1" in text
    assert f"fast, pain: rate ratio {np.median(fast):.2f}" in text
    assert fit.log_likelihood.shape == (800, 4 * STUDIES + 6 * STUDIES)


def test_courses_rise_to_those_who_recover_and_scores_fall_to_their_floor(
    fit: RecoveryFit,
) -> None:
    """Draw by draw; a faster treatment lies above all weeks, a slower one below."""
    weeks = np.arange(0, 301, 10.0)
    nature, fast, slow = (
        recovered(fit, Patient("pain", effects), weeks) for effects in ((), ("fast",), ("slow",))
    )
    scores = score_left(fit, Patient("pain"), weeks)

    assert (np.diff(nature, axis=1) >= 0).all()
    assert (nature[:, 0] == 0).all()
    np.testing.assert_allclose(fast[:, -1], 1 - fit.never[:, 0], atol=1e-6)
    assert (fast[:, 1:] >= nature[:, 1:]).all()
    assert (slow[:, 1:4] < nature[:, 1:4]).all()
    assert (np.diff(scores, axis=1) <= 0).all()
    np.testing.assert_allclose(scores[:, 0], 1)
    np.testing.assert_allclose(scores[:, -1], fit.floor[:, 0], atol=1e-6)
    partial = recovered(fit, Patient("pain"), weeks, kind=PARTIAL)
    assert (partial >= nature).all()


def test_weeks_to_a_share_are_the_inverse_of_the_course(fit: RecoveryFit) -> None:
    """At these weeks the share, of those who will, has recovered; half at exp(log median)."""
    patient = Patient("pain", ("fast",))
    for share in (0.1, 0.5, 0.9):
        weeks = weeks_to_recovery(fit, patient, share)
        for draw in (0, 300, 799):
            found = recovered(fit, patient, weeks[draw : draw + 1])[draw, 0]
            assert found == pytest.approx(share * (1 - fit.never[draw, 0]), rel=1e-9)
        scored = weeks_to_score(fit, patient, 1 - share)
        above = 1 - share > fit.floor[:, 0]
        assert np.isinf(scored[~above]).all()
        for draw in above.nonzero()[0][:3]:
            found = score_left(fit, patient, scored[draw : draw + 1])[draw, 0]
            assert found == pytest.approx(1 - share, rel=1e-9)
    np.testing.assert_allclose(
        weeks_to_recovery(fit, Patient("pain")), np.exp(fit.log_median[:, 0])
    )
    ratio = weeks_to_recovery(fit, Patient("pain")) / weeks_to_recovery(fit, patient)
    np.testing.assert_allclose(np.log(ratio), fit.effect[:, 0, 0])


def test_a_patient_differs_by_delay_and_by_study(fit: RecoveryFit) -> None:
    """The delay has a slope on the log rate, 0 at the typical; new studies scatter about it."""
    typical, late, new = (
        np.log(weeks_to_recovery(fit, p))
        for p in (
            Patient("pain", delay=8.0),
            Patient("pain", delay=16.0),
            Patient("pain", new_study=True),
        )
    )

    np.testing.assert_allclose(typical, fit.log_median[:, 0])
    np.testing.assert_allclose(typical - late, fit.delay_slope[:, 0] * np.log(2))
    apart = (new - typical) / fit.study_sd[:, 0]
    assert abs(apart.mean()) < 0.15
    assert apart.std() == pytest.approx(1, abs=0.1)
