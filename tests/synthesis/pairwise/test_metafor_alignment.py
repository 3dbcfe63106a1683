"""Pooled estimates against metafor: every data set, estimator and test of the golden file."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.reference import (
    ITERATED_RTOL,
    METHODS,
    RTOL,
    SEARCH_LIMIT,
    TESTS,
    disagreements,
    fit_pairs,
    load,
)
from trabecula.synthesis import RandomEffectsFit, random_effects
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.studies import Studies

DATASETS: dict[str, dict[str, Any]] = load("metafor_uni.json")["datasets"]

FITS = [
    (dataset, method, test)
    for dataset, content in DATASETS.items()
    for method, test in (key.split("_") for key in content["fits"])
]

LATER = {
    "confint_HT": "test-based interval of Higgins and Thompson",
    "tau2_default_control": "metafor's own loose stopping rule, kept to show how loose",
}
"""Entries of the golden fits that nothing here covers, and what they are."""


def fit_of(dataset: str, method: str, test: str, **options: Any) -> RandomEffectsFit:
    """Return our fit of a golden case, options in metafor's letters."""
    content = DATASETS[dataset]
    return random_effects(
        content["yi"],
        content["vi"],
        method=METHODS[method],  # type: ignore[arg-type]
        test=TESTS[test],  # type: ignore[arg-type]
        **options,
    )


def rtol(method: str) -> float:
    """Return the tolerance for a method of the reference."""
    return ITERATED_RTOL if method == "DLIT" else RTOL


def test_the_grid_is_complete() -> None:
    """Every data set of the golden file has every method with every test, and all are compared."""
    grid = {f"{m}_{t}" for m in METHODS for t in TESTS}

    assert len(DATASETS) == 6
    assert all(set(content["fits"]) == grid for content in DATASETS.values())
    assert len(FITS) == 6 * len(METHODS) * len(TESTS)


def test_every_key_of_the_golden_fits_is_covered_or_named() -> None:
    """No quantity of the reference is passed over in silence."""
    covered = {"method", "test", "p", "R2", "QM", "QMp", "QMdf", "s2w"}  # settings, or moderators
    covered |= {"b", "se", "zval", "pval", "ci_lb", "ci_ub", "ddf", "tau2", "se_tau2", "k"}
    covered |= {"I2", "H2", "QE", "QEp", "fit_stats", "predict", "confint"}
    covered |= {"predict_default", "predict_t", "predict_Riley", "confint_PL"}
    found = {key for d in DATASETS.values() for fit in d["fits"].values() for key in fit}

    assert found == covered | set(LATER)


@pytest.mark.parametrize(("dataset", "method", "test"), FITS)
def test_fit_agrees_with_metafor(dataset: str, method: str, test: str) -> None:
    """Estimate, test, heterogeneity, prediction interval and fit criteria are metafor's."""
    theirs = DATASETS[dataset]["fits"][f"{method}_{test}"]
    fit = fit_of(dataset, method, test)

    assert disagreements(fit_pairs(fit, theirs), rtol(method)) == {}


def limits(fit: RandomEffectsFit, theirs: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return lower and upper limits of τ², I² and H² beside those of the reference."""
    names = {"tau2": "tau^2", "i2": "I^2(%)", "h2": "H^2"}
    low = {n: (getattr(fit, f"{n}_ci_low"), theirs["lb"][their]) for n, their in names.items()}
    high = {n: (getattr(fit, f"{n}_ci_high"), theirs["ub"][their]) for n, their in names.items()}
    return low, high


GENERALISED = ("GENQ", "GENQM")


@pytest.mark.parametrize(
    ("dataset", "method", "test"),
    [
        case
        for case in FITS
        if case[1] not in GENERALISED
        and "confint" in DATASETS[case[0]]["fits"][f"{case[1]}_{case[2]}"]
    ],
)
def test_q_profile_interval_agrees_with_metafor(dataset: str, method: str, test: str) -> None:
    """Limits of τ², I² and H² are metafor's; where its search ends at 100, ours lie beyond."""
    theirs = DATASETS[dataset]["fits"][f"{method}_{test}"]["confint"]
    fit = fit_of(dataset, method, test)
    low, high = limits(fit, theirs)

    assert disagreements(low) == {}
    if theirs["ub"]["tau^2"] == SEARCH_LIMIT:
        assert fit.tau2_ci_high > SEARCH_LIMIT
    else:
        assert disagreements(high) == {}


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("method", GENERALISED)
def test_generalised_q_interval_agrees_with_metafor(dataset: str, method: str) -> None:
    """Limits of τ² are metafor's as closely as its search for them, which stops within 1.2e-4.

    Ours solve the equation to the end, as `test_generalised_q` shows by a series.
    """
    theirs = DATASETS[dataset]["fits"][f"{method}_z"]["confint"]
    fit = fit_of(dataset, method, "z")
    reached = np.finfo(float).eps ** 0.25

    assert fit.tau2_interval == "generalised-q"
    assert fit.tau2_ci_low == pytest.approx(theirs["lb"]["tau^2"], abs=reached)
    if theirs["ub"]["tau^2"] == SEARCH_LIMIT:
        assert fit.tau2_ci_high > SEARCH_LIMIT
    else:
        assert fit.tau2_ci_high == pytest.approx(theirs["ub"]["tau^2"], abs=reached)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("method", ["ML", "REML"])
def test_profile_likelihood_interval_agrees_with_metafor(dataset: str, method: str) -> None:
    """Limits of τ², I² and H² are metafor's."""
    theirs = DATASETS[dataset]["fits"][f"{method}_z"]["confint_PL"]
    low, high = limits(fit_of(dataset, method, "z", tau2_interval="profile-likelihood"), theirs)

    assert disagreements(low | {f"{n} high": pair for n, pair in high.items()}) == {}


@pytest.mark.parametrize("dataset", DATASETS)
def test_q_profile_limits_solve_their_equations(dataset: str) -> None:
    """At a positive limit the generalised Q equals its chi-square quantile."""
    fit = fit_of(dataset, "REML", "z")
    studies = Studies.read(DATASETS[dataset]["yi"], DATASETS[dataset]["vi"])
    for limit, probability in ((fit.tau2_ci_low, 0.975), (fit.tau2_ci_high, 0.025)):
        q = studies.weighted(np.atleast_1d(limit)).q
        target = chi2_quantile(probability, studies.df)
        if limit > 0:
            np.testing.assert_allclose(q, target, rtol=1e-12)
        else:
            assert q <= target


@pytest.mark.parametrize(("key", "prediction"), [("predict_t", "t"), ("predict_Riley", "higgins")])
@pytest.mark.parametrize(
    ("dataset", "method", "test"),
    [c for c in FITS if "predict_t" in DATASETS[c[0]]["fits"][f"{c[1]}_{c[2]}"]],
)
def test_other_prediction_intervals_agree_with_metafor(
    dataset: str, method: str, test: str, key: str, prediction: str
) -> None:
    """Prediction intervals with k - 1 and k - 2 df are metafor's; below 1 df there is none.

    For two studies metafor uses 1 df where k - 2 is 0.
    """
    theirs = DATASETS[dataset]["fits"][f"{method}_{test}"][key]
    fit = fit_of(dataset, method, test, prediction=prediction)
    pairs = {
        s: (getattr(fit, f"pi_{s}"), theirs[t]) for s, t in (("low", "pi_lb"), ("high", "pi_ub"))
    }
    if prediction == "higgins" and fit.k == 2:
        assert np.isnan(fit.pi_low)
        assert np.isnan(fit.pi_high)
    else:
        assert disagreements(pairs) == {}


def test_our_reml_is_nearer_to_the_maximum_than_the_default_of_metafor() -> None:
    """The default stopping rule of metafor leaves τ² off in the seventh digit; ours does not."""
    theirs = DATASETS["bcg_rr"]["fits"]["REML_z"]
    ours = float(fit_of("bcg_rr", "REML", "z").tau2)

    assert abs(ours / theirs["tau2"] - 1) < 1e-13
    assert abs(theirs["tau2_default_control"] / theirs["tau2"] - 1) > 1e-7


PROPORTIONS: dict[str, dict[str, Any]] = load("metafor_proportions.json")["fits"]


def test_the_grid_of_transformed_proportions_is_complete() -> None:
    """Six transformations, four methods, two tests."""
    measures, methods = ("PR", "PLN", "PLO", "PRZ", "PAS", "PFT"), ("EE", "DL", "REML", "PM")
    grid = {f"pritz1997_{m}_{e}_{t}" for m in measures for e in methods for t in ("z", "knha")}

    assert set(PROPORTIONS) == grid


@pytest.mark.parametrize("key", PROPORTIONS)
def test_pooled_transformed_proportions_agree_with_metafor(key: str) -> None:
    """Transformed proportions pool as any estimate does."""
    theirs = PROPORTIONS[key]
    fit = random_effects(
        theirs["yi"],
        theirs["vi"],
        method=METHODS[theirs["method"]],  # type: ignore[arg-type]
        test=TESTS[theirs["test"]],  # type: ignore[arg-type]
    )

    assert disagreements(fit_pairs(fit, theirs)) == {}
