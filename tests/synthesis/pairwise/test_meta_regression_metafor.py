"""Meta-regressions against metafor: every design and estimator of the golden file."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from tests.synthesis.pairwise.bcg import ALLOCATION, LATITUDE, LEVELS, YEAR, V, Y
from tests.synthesis.reference import METHODS, load
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.location_scale import location_scale
from trabecula.synthesis.pairwise.meta_regression import MetaRegressionFit, meta_regression
from trabecula.synthesis.pairwise.moderators import Design

GOLDEN: dict[str, dict[str, Any]] = load("metafor_metareg.json")["fits"]

FIRST = 1 - ALLOCATION.sum(axis=1, keepdims=True)
DESIGNS: dict[str, tuple[np.ndarray, bool]] = {
    "ablat": (LATITUDE[:, None], True),
    "ablat_year": (np.column_stack([LATITUDE, YEAR]), True),
    "alloc": (ALLOCATION, True),
    "alloc_ablat": (np.column_stack([ALLOCATION, LATITUDE]), True),
    "interaction": (np.column_stack([LATITUDE, YEAR, LATITUDE * YEAR]), True),
    "noint_alloc": (np.column_stack([FIRST, ALLOCATION]), False),
}
"""Moderators of each golden design, and whether it has an intercept."""

ESTIMATORS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")

RTOL = 2e-9
"""Worst seen: 1.3e-9, a p-value beside raw years. Both sides solve the same equations to the end;
the reference forms its projection matrix by subtraction, which costs digits where columns are
long (a year is 2,000), and its `uniroot` stops 1e-11 short. Ours are exact, see below."""

RTOL_INTERACTION = 2e-8
"""For latitude times year, a column as long as 90,000: worst seen 1.3e-8 (lower limit of τ²)."""

ZERO = 1e-9
"""For what is 0 on one side: the reference stops at a variance of 4e-13 where the maximum is at 0
(I² 7e-10 %), and rounds covariances of 0 to 3e-17."""

VIF_RTOL = 2e-6
"""The reference's `vif` comes from a fit with its default stopping rule, see below."""

LOCATION_SCALE_RTOL = 1e-7
"""The reference climbs with `nlminb`, which stops where the likelihood is flat to its last digit:
half the digits of the coefficients remain. Worst seen: 5.4e-8."""

FITS = [(design, method) for design in DESIGNS for method in ESTIMATORS]


def fit_of(design: str, method: str) -> MetaRegressionFit:
    """Return our fit of a golden case."""
    columns, intercept = DESIGNS[design]
    return meta_regression(
        Y,
        V,
        columns,
        intercept=intercept,
        method=METHODS[method],  # type: ignore[arg-type]
        test="z",
    )


def differences(pairs: dict[str, tuple[Any, Any]], rtol: float) -> dict[str, tuple[Any, Any]]:
    """Return the pairs that differ by more than `rtol`; what is 0 on one side by `ZERO`."""
    wrong = {}
    for name, (ours, theirs) in pairs.items():
        a, b = np.asarray(ours, float), np.asarray(np.nan if theirs is None else theirs, float)
        zero = (np.abs(a) < ZERO) & (np.abs(b) < ZERO) & (not name.endswith("p_value"))
        same = a.shape == b.shape and (zero | np.isclose(a, b, rtol, 0, equal_nan=True)).all()
        if not same:
            wrong[name] = (ours, theirs)
    return wrong


def all_pairs(fit: MetaRegressionFit, theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return every value of our fit beside that of the reference."""
    names = {
        "k": "k", "se": "se", "statistic": "zval", "p_value": "pval", "ci_low": "ci_lb",
        "ci_high": "ci_ub", "tau2": "tau2", "tau2_se": "se_tau2", "i2": "I2", "h2": "H2",
        "r2": "R2", "qe": "QE", "qe_p_value": "QEp", "qm": "QM", "qm_p_value": "QMp",
        "variance_scale": "s2w",
    }  # fmt: skip
    pairs = {ours: (getattr(fit, ours), theirs[key]) for ours, key in names.items()}
    pairs["p"] = (len(fit.names), theirs["p"])
    pairs["coefficients"] = (fit.coefficients, list(theirs["b"].values()))
    pairs["covariance"] = (fit.covariance, theirs["vcov"]["values"])
    pairs["df"] = (fit.df, np.inf if theirs["ddf"] is None else theirs["ddf"])
    pairs["qm_df"] = (fit.qm_df, theirs["QMdf"][0])
    criteria = {"log_likelihood": "ll", "deviance": "dev", "aic": "AIC", "bic": "BIC"}
    criteria["aicc"] = "AICc"
    for ours, block in ((fit.ml, "ML"), (fit.reml, "REML")):
        for name, key in criteria.items():
            pairs[f"{block} {name}"] = (getattr(ours, name), theirs["fit_stats"][block][key])
    for ours, their in (("tau2", "tau^2"), ("i2", "I^2(%)"), ("h2", "H^2")):
        for side, bound in (("low", "lb"), ("high", "ub")):
            limit = theirs["confint"][bound][their] if "confint" in theirs else None
            pairs[f"{ours}_ci_{side}"] = (getattr(fit, f"{ours}_ci_{side}"), limit)
    return pairs


def test_the_grid_is_complete() -> None:
    """Every key of the golden file is one of the fits below, or the location-scale model."""
    assert set(GOLDEN) == {f"{d}_{m}_z" for d, m in FITS} | {"location_scale_year"}
    assert len(GOLDEN) == 55


def test_every_quantity_of_the_reference_is_compared() -> None:
    """No entry of a golden fit is passed over in silence."""
    compared = {"method", "test", "k", "p", "b", "se", "zval", "pval", "ci_lb", "ci_ub", "ddf"}
    compared |= {"vcov", "tau2", "se_tau2", "I2", "H2", "R2", "QE", "QEp", "QM", "QMp", "QMdf"}
    compared |= {"s2w", "fit_stats", "confint", "predict_at", "vif_ablat_year", "model_matrix"}
    found = {key for name, fit in GOLDEN.items() if name != "location_scale_year" for key in fit}

    assert found == compared
    assert set(GOLDEN["location_scale_year"]) == {"b", "se", "alpha", "se_alpha", "ll"}


@pytest.mark.parametrize(("design", "method"), FITS)
def test_fit_agrees_with_metafor(design: str, method: str) -> None:
    """Coefficients, tests, heterogeneity with its intervals, R² and criteria are metafor's."""
    theirs = GOLDEN[f"{design}_{method}_z"]
    rtol = RTOL_INTERACTION if design == "interaction" else RTOL

    assert (theirs["method"], theirs["test"]) == (method, "z")
    assert differences(all_pairs(fit_of(design, method), theirs), rtol) == {}


def test_predictions_agree_with_metafor() -> None:
    """Means and prediction intervals at three latitudes are those of `predict`."""
    theirs = GOLDEN["ablat_REML_z"]["predict_at"]
    ours = fit_of("ablat", "REML").predict(theirs["ablat"])
    names = {"estimate": "pred", "se": "se", "ci_low": "ci_lb", "ci_high": "ci_ub"}
    names |= {"pi_low": "pi_lb", "pi_high": "pi_ub"}

    assert set(theirs) == {"ablat", *names.values()}
    assert differences({a: (getattr(ours, a), theirs[b]) for a, b in names.items()}, RTOL) == {}


def test_the_model_matrix_is_that_of_metafor() -> None:
    """A column of ones, then the moderator."""
    theirs = GOLDEN["ablat_REML_z"]["model_matrix"]["values"]

    assert Design.read(Y, V, LATITUDE).matrix[0].tolist() == theirs


def test_coefficient_names_follow_the_levels() -> None:
    """Treatment coding leaves the level out that sorts first, as R does."""
    assert [f"alloc{level}" for level in LEVELS] == list(GOLDEN["alloc_DL_z"]["b"])[1:]


def test_variance_inflation_agrees_with_metafor_and_with_its_stopping_rule() -> None:
    """Fisher scoring from the Hedges estimate stopped at 1e-5 gives the reference's very digits."""
    theirs = GOLDEN["ablat_REML_z"]["vif_ablat_year"]
    ours = fit_of("ablat_year", "REML").vif

    np.testing.assert_allclose(ours, list(theirs.values()), rtol=VIF_RTOL)
    design = Design.read(Y, V, np.column_stack([LATITUDE, YEAR]))
    tau2 = fit_of("ablat_year", "HE").tau2.reshape(1)
    change = 1.0
    while change > 1e-5:
        fit = design.projection(tau2)
        step = (-fit.q_slope - fit.sum_p) / fit.sum_pp
        tau2, change = tau2 + step, abs(float(step[0]))
    inverse = design.projection(tau2).inverse[0]
    covariance = (inverse @ inverse.T)[1:, 1:]
    stopped = np.diagonal(np.linalg.inv(covariance)) * np.diagonal(covariance)
    np.testing.assert_allclose(stopped, list(theirs.values()), rtol=1e-10)


def exact_q(columns: np.ndarray, tau2: Fraction) -> Fraction:
    """Return the weighted residual sum of squares in rational arithmetic."""
    table = np.column_stack([columns, Y]).tolist()
    rows = [[Fraction(value) for value in row] for row in table]
    weights = [1 / (Fraction(v) + tau2) for v in V]
    size = len(rows[0])
    sums = [
        [sum(w * r[i] * r[j] for w, r in zip(weights, rows, strict=True)) for j in range(size)]
        for i in range(size)
    ]
    for pivot in range(size - 1):
        for i in range(pivot + 1, size):
            share = sums[i][pivot] / sums[pivot][pivot]
            sums[i] = [a - share * b for a, b in zip(sums[i], sums[pivot], strict=True)]
    return sums[-1][-1]


@pytest.mark.parametrize("design", ["ablat_year", "interaction"])
def test_where_digits_differ_ours_are_exact(design: str) -> None:
    """In rational arithmetic our QE and Q-profile limits are right to 1e-13."""
    columns = np.column_stack([np.ones(len(Y)), DESIGNS[design][0]])
    fit = fit_of(design, "DL")
    exact = exact_q(columns, Fraction(0))

    assert abs(float(Fraction(float(fit.qe)) / exact - 1)) < 1e-13
    assert abs(float(Fraction(GOLDEN[f"{design}_DL_z"]["QE"]) / exact - 1)) > 1e-11
    for limit, tail in ((fit.tau2_ci_low, 0.975), (fit.tau2_ci_high, 0.025)):
        target = float(chi2_quantile(tail, np.array([13.0 - columns.shape[1]]))[0])
        assert abs(float(exact_q(columns, Fraction(float(limit)))) / target - 1) < 1e-13


def test_location_scale_model_agrees_with_metafor() -> None:
    """Location and scale coefficients, standard errors and likelihood are metafor's."""
    theirs = GOLDEN["location_scale_year"]
    fit = location_scale(Y, V, LATITUDE, YEAR, test="z")
    pairs = {
        "b": (fit.coefficients, list(theirs["b"].values())),
        "se": (fit.se, theirs["se"]),
        "alpha": (fit.scale_coefficients, list(theirs["alpha"].values())),
        "se_alpha": (fit.scale_se, theirs["se_alpha"]),
    }

    assert differences(pairs, LOCATION_SCALE_RTOL) == {}
    assert fit.likelihood.log_likelihood == pytest.approx(theirs["ll"], rel=1e-12)
    assert fit.likelihood.log_likelihood >= theirs["ll"] - 1e-14
