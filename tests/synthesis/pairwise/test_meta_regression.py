"""Meta-regression: published analyses, algebra, what is refused, what is said."""

from __future__ import annotations

import json
import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthesis.pairwise.bcg import ALLOCATION, LATITUDE, YEAR, V, Y, column
from trabecula.synthesis import random_effects
from trabecula.synthesis.pairwise.falling_root import falling_root, falling_root_of_one
from trabecula.synthesis.pairwise.meta_regression import meta_regression
from trabecula.synthesis.pairwise.moderators import Design, categorical
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.pairwise.regression_heterogeneity import (
    Method,
    between_study_variance,
    log_likelihood,
)
from trabecula.synthesis.pairwise.wald import Test as Kind

METHODS = get_args(Method)
TESTS = get_args(Kind)
X = np.column_stack([LATITUDE, YEAR])


def test_berkey_1995_bcg_vaccine_by_latitude() -> None:
    """Berkey et al. (1995), Stat Med 14:395-411, page 408, with their smoothed variances.

    The article prints -0.6304 and -0.5950 for the two intercepts and 0.0039 for the second
    standard error, one in the last digit from what the trials give.
    """
    a, b, c, d = (column(name) for name in ("tpos", "tneg", "cpos", "cneg"))
    smoothed = (b / a).sum() / (13 * (a + b)) + (d / c).sum() / (13 * (c + d))
    alone = random_effects(Y, smoothed, method="EB", test="z")
    assert np.round([alone.estimate, alone.se], 4).tolist() == [-0.5429, 0.1842]
    assert round(float(alone.tau2), 3) == 0.268

    fit = meta_regression(Y, smoothed, LATITUDE - 33.46, method="EB", test="z")
    assert np.round(fit.coefficients, 4).tolist() == [-0.6303, -0.0268]
    assert np.round(fit.se, 4).tolist() == [0.1591, 0.0110]
    assert (round(float(fit.tau2), 3), round(float(fit.r2))) == (0.157, 41)
    assert np.round(np.exp(fit.predict([0, 42 - 33.46]).estimate), 2).tolist() == [0.53, 0.42]

    fixed = meta_regression(Y, smoothed, LATITUDE - 33.46, method="common", test="z")
    assert np.round(fixed.coefficients, 4).tolist() == [-0.5949, -0.0282]
    assert np.round(fixed.se, 4).tolist() == [0.0696, 0.0040]
    assert np.round(np.exp(fixed.predict([0, 42 - 33.46]).estimate), 2).tolist() == [0.55, 0.43]


def test_van_houwelingen_2002_bcg_vaccine_by_latitude() -> None:
    """Van Houwelingen et al. (2002), Stat Med 21:589-624, pages 608-609: log odds ratios, ML."""
    a, b, c, d = (column(name) for name in ("tpos", "tneg", "cpos", "cneg"))
    y, v = np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d
    fit = meta_regression(y, v, LATITUDE, method="ML", test="z")

    assert np.round(fit.coefficients, 3).tolist() == [0.371, -0.033]
    assert np.round(fit.se, 3).tolist() == [0.106, 0.003]
    assert (round(float(fit.tau2), 3), round(float(fit.r2), 1)) == (0.004, 98.7)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("variance", [V, np.where(V.min() == V, 1e-9, V)], ids=["bcg", "heavy"])
def test_the_intercept_alone_is_the_random_effects_model(
    method: Method, test: Kind, variance: np.ndarray
) -> None:
    """With no moderator every field is that of `random_effects`, also where one study is heavy."""
    one = random_effects(Y, variance, method=method, test=test)
    fit = meta_regression(Y, variance, None, method=method, test=test)
    pairs = [(getattr(fit, n)[0], getattr(one, n)) for n in ("se", "p_value", "ci_low", "ci_high")]
    pairs += [(fit.coefficients[0], one.estimate), (fit.qe, one.q), (fit.hat * 100, one.weights)]
    same = ("tau2", "tau2_se", "tau2_ci_low", "tau2_ci_high", "i2", "h2", "i2_ci_high", "df", "k")
    pairs += [(getattr(fit, n), getattr(one, n)) for n in same]
    for block in ("ml", "reml"):
        for field in ("log_likelihood", "deviance", "aic", "bic", "aicc"):
            ours, theirs = getattr(fit, block), getattr(one, block)
            pairs.append((getattr(ours, field), getattr(theirs, field)))

    for ours, theirs in pairs:
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)
    assert np.isnan(fit.r2)


@pytest.mark.parametrize("method", METHODS)
def test_data_sets_in_one_call_are_those_one_by_one(method: Method) -> None:
    """Broadcasting, missing studies and moderators of its own for each data set change nothing."""
    rng = np.random.default_rng(1)
    y = rng.normal(size=(2, 3, 12))
    y[0, 1, :4], y[1, 2, 5] = np.nan, np.nan
    x = rng.normal(size=(3, 12, 2))
    x[1, 2, 0] = np.nan  # of a missing study in one data set only
    x[1, 2, 0] = 0.3
    v = rng.uniform(0.01, 1, size=12)
    fit = meta_regression(y, v, x, method=method)

    assert (fit.shape, fit.coefficients.shape, fit.hat.shape) == ((2, 3), (2, 3, 3), (2, 3, 12))
    for index in np.ndindex(2, 3):
        there = ~np.isnan(y[index])
        alone = meta_regression(y[index][there], v[there], x[index[1]][there], method=method)
        for name, value in alone.to_dict().items():
            if name not in ("hat", "ml", "reml") and isinstance(getattr(alone, name), np.ndarray):
                got = getattr(fit[index], name)
                np.testing.assert_allclose(got, getattr(alone, name), rtol=1e-9, atol=1e-12)
                assert value is not None or np.isnan(getattr(alone, name))
        np.testing.assert_allclose(fit[index].hat[there], alone.hat, rtol=1e-9)
        assert np.isnan(fit[index].hat[~there]).all()
        np.testing.assert_allclose(fit[index].reml.aic, alone.reml.aic, rtol=1e-11)


def test_a_moderator_may_be_missing_where_its_study_is() -> None:
    """NaN among the moderators of a missing study is no gap."""
    x = np.where(np.arange(13) == 3, np.nan, LATITUDE)
    y = np.where(np.arange(13) == 3, np.nan, Y)
    there = np.arange(13) != 3

    fit = meta_regression(y, V, x)
    alone = meta_regression(Y[there], V[there], LATITUDE[there])
    np.testing.assert_allclose(fit.coefficients, alone.coefficients, rtol=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    k=st.integers(5, 25),
    scale=st.floats(1e-6, 1e6),
    shift=st.floats(-100, 100),
    method=st.sampled_from(METHODS),
)
def test_invariances(seed: int, k: int, scale: float, shift: float, method: Method) -> None:
    """Order, shift and scale of estimates and moderators do what algebra says."""
    rng = np.random.default_rng(seed)
    y, v, x = rng.normal(size=k), rng.uniform(0.05, 1, k), rng.normal(size=(k, 2))
    fit = meta_regression(y, v, x, method=method)
    order = rng.permutation(k)
    shuffled = meta_regression(y[order], v[order], x[order], method=method)
    moved = meta_regression(y + shift, v, scale * x + shift * scale, method=method)
    scaled = meta_regression(scale * y, scale**2 * v, x, method=method)

    np.testing.assert_allclose(shuffled.coefficients, fit.coefficients, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(moved.coefficients[1:] * scale, fit.coefficients[1:], rtol=1e-5)
    np.testing.assert_allclose(moved.tau2, fit.tau2, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(moved.qm, fit.qm, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(moved.reml.aic, fit.reml.aic, rtol=1e-7, atol=1e-7)
    np.testing.assert_allclose(scaled.coefficients, scale * fit.coefficients, rtol=1e-7)
    np.testing.assert_allclose(scaled.tau2, scale**2 * fit.tau2, rtol=1e-7, atol=1e-9 * scale**2)
    np.testing.assert_allclose([scaled.r2, scaled.i2], [fit.r2, fit.i2], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("method", ["ML", "REML", "PM", "PM-median"])
def test_one_data_set_is_solved_as_many_are(method: Method) -> None:
    """The diagonal form of a single data set and the factorisations of a batch agree to rounding.

    A batch of one data set and its double goes the other way.
    """
    rng = np.random.default_rng(8)
    for k in (4, 13, 40):
        y, v, x = rng.normal(size=k), rng.uniform(0.02, 0.5, k), rng.normal(size=(k, 2))
        one = meta_regression(y, v, x, method=method)
        both = meta_regression(np.stack([y, y]), v, x, method=method)
        assert Design.read(y, v, x).spectrum is not None
        for name in ("tau2", "tau2_ci_low", "tau2_ci_high", "r2", "qm"):
            ours, theirs = getattr(one, name), getattr(both, name)[1]
            np.testing.assert_allclose(ours, theirs, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("restricted", [False, True])
def test_the_maximum_is_global(restricted: bool) -> None:
    """No point of a fine grid is higher, also where the likelihood has two maxima."""
    rng = np.random.default_rng(3)
    y = np.concatenate([rng.normal(size=(300, 4)) * 0.01, rng.normal(size=(300, 5)) * 3], axis=1)
    v = np.concatenate([np.full((300, 4), 1e-4), rng.uniform(2, 20, size=(300, 5))], axis=1)
    design = Design.read(y, v, np.arange(9.0) % 4)
    tau2 = between_study_variance(design, "REML" if restricted else "ML")

    def height(at: np.ndarray) -> np.ndarray:
        total = design.variance + at[:, None]
        fit = Projection.of(design.matrix, design.estimate, design.present / total)
        return log_likelihood(design, fit, total, restricted=restricted)

    grid = np.concatenate([[0.0], np.geomspace(1e-7, 1e3, 400)])
    heights = np.array([height(np.full(300, at)) for at in grid])
    inner = heights[1:-1]
    peaks = ((inner > heights[:-2]) & (inner > heights[2:])).sum(axis=0)
    assert (peaks + (heights[0] > heights[1]) > 1).any()
    assert (height(tau2) >= heights.max(axis=0) - 1e-9).all()


def test_indicators_of_all_levels_are_the_same_model_as_intercept_and_differences() -> None:
    """Without an intercept the coefficients are the level means; fit, R² and τ² do not change."""
    first = 1 - ALLOCATION.sum(axis=1, keepdims=True)
    levels = np.column_stack([first, ALLOCATION])
    coded = meta_regression(Y, V, ALLOCATION)
    cells = meta_regression(Y, V, levels, intercept=False)

    means = coded.coefficients[0] + np.array([0, *coded.coefficients[1:]])
    np.testing.assert_allclose(cells.coefficients, means, rtol=1e-12)
    for name in ("tau2", "r2", "i2", "qe"):
        np.testing.assert_allclose(getattr(cells, name), getattr(coded, name), rtol=1e-12)
    assert (int(coded.qm_df), int(cells.qm_df)) == (2, 3)


def test_r2_is_unknown_for_a_model_without_a_constant() -> None:
    """A regression through the origin does not contain the model without moderators."""
    assert np.isnan(meta_regression(Y, V, LATITUDE, intercept=False).r2)
    assert np.isnan(meta_regression(Y, V, X, intercept=False).r2)


def test_the_omnibus_test_of_one_coefficient_is_its_own_test() -> None:
    """F with one degree of freedom is t squared; names and positions mean the same."""
    fit = meta_regression(Y, V, X, names=["latitude", "year"])
    one = fit.omnibus(["latitude"])

    assert one.columns == ("latitude",)
    assert one.statistic == pytest.approx(fit.statistic[1] ** 2, rel=1e-12)
    assert one.p_value == pytest.approx(fit.p_value[1], rel=1e-10)
    assert fit.omnibus("latitude").statistic == one.statistic
    both = fit.omnibus([1, 2])
    assert (both.statistic, both.p_value) == (fit.qm, fit.qm_p_value)
    assert both.summary() == "F(2, 10) = 4.96, p = 0.032"
    assert meta_regression(Y, V, X, test="z").omnibus([1, 2]).summary().startswith("χ²(2) = ")


def test_inflation_is_that_of_two_correlated_columns() -> None:
    """With two moderators both factors are 1 / (1 - r²); with one it is 1."""
    fit = meta_regression(Y, V, X)
    r = fit.covariance[1, 2] / (fit.se[1] * fit.se[2])

    np.testing.assert_allclose(fit.vif, 1 / (1 - r**2), rtol=1e-10)
    np.testing.assert_allclose(meta_regression(Y, V, LATITUDE).vif, [1], rtol=1e-12)
    assert np.isnan(meta_regression(X[:, 0], V, X).vif).all()


def test_predictions_at_the_studies_are_fitted_values() -> None:
    """The mean at a row is the intercept of the moderators counted from there."""
    fit = meta_regression(Y, V, X)
    at = fit.predict(X)
    centered = meta_regression(Y, V, X - X[4])

    np.testing.assert_allclose(at.estimate[4], centered.coefficients[0], rtol=1e-9)
    np.testing.assert_allclose(at.se[4], centered.se[0], rtol=1e-9)
    np.testing.assert_allclose(at.ci_low[4], centered.ci_low[0], rtol=1e-9)
    assert (at.pi_low < at.ci_low).all()
    assert np.isnan(meta_regression(Y, V, X, method="common").predict(X).pi_low).all()
    many = meta_regression(np.stack([Y, Y + 1]), V, X).predict(X)
    np.testing.assert_allclose(many.estimate[1], at.estimate + 1, rtol=1e-8)


def test_hat_values_sum_to_the_number_of_coefficients() -> None:
    """So leverages do in every weighted regression."""
    assert meta_regression(Y, V, X).hat.sum() == pytest.approx(3, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e6, 1e12])
def test_extreme_variances_give_answers(method: Method, size: float) -> None:
    """Tiny and huge variances, alone and beside others, give finite numbers for everything."""
    for v in (V * size, np.where(np.arange(13) % 5 == 0, size, V)):
        fit = meta_regression(Y, v, X, method=method)
        fields = ["coefficients", "se", "p_value", "tau2", "i2", "qe", "qm", "r2"]
        fields += [] if method == "common" else ["tau2_se", "tau2_ci_low", "tau2_ci_high"]
        assert all(np.isfinite(getattr(fit, field)).all() for field in fields)


def test_a_heavy_study_does_not_blur_the_others() -> None:
    """With one variance of 1e-24 the fit is that on the other studies, counted from the heavy one.

    Through a fixed point the model with an intercept is that without, one study fewer.
    """
    v = np.where(np.arange(13) == 6, 1e-24, V)
    others = np.arange(13) != 6
    fit = meta_regression(Y, v, LATITUDE, method="common", test="z")
    through = meta_regression(
        (Y - Y[6])[others], V[others], (LATITUDE - LATITUDE[6])[others],
        intercept=False, method="common", test="z",
    )  # fmt: skip

    np.testing.assert_allclose(fit.coefficients[1], through.coefficients[0], rtol=1e-9)
    np.testing.assert_allclose([fit.se[1], fit.qe], [through.se[0], through.qe], rtol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("test", TESTS)
def test_estimates_on_a_line_leave_nothing_to_test(method: Method, test: Kind) -> None:
    """No residual: no heterogeneity, and Knapp-Hartung intervals without width, which is said."""
    for y in (np.full(6, 0.3), 0.1 + 2 * np.arange(6.0)):
        fit = meta_regression(y, [0.1] * 6, np.arange(6.0), method=method, test=test)
        assert (fit.tau2, fit.qe) == (0, 0)
        if test == "knapp-hartung":
            assert (fit.se == 0).all()
            assert np.isnan(fit.statistic).all()
            assert np.isnan(fit.qm_p_value)
            assert "no coefficient can be tested" in fit.summary()
        else:
            assert np.isfinite(fit.p_value).all()


@pytest.mark.parametrize("method", METHODS)
def test_one_study_more_than_coefficients_is_enough(method: Method) -> None:
    """With one residual degree of freedom all that is documented is there."""
    fit = meta_regression(Y[:3], V[:3], LATITUDE[:3], method=method)

    assert (int(fit.qe_df), float(fit.df)) == (1, 1)
    assert np.isfinite(fit.ci_low).all()
    assert "exploratory" in fit.summary()


@pytest.mark.parametrize(
    ("moderators", "options", "message"),
    [
        (np.column_stack([LATITUDE, 3 - LATITUDE]), {}, "x2 is a linear combination of inte"),
        (np.column_stack([LATITUDE, LATITUDE]), {"names": ["a", "b"]}, "b is a linear comb"),
        (np.ones(13), {"names": ["dose"]}, "column dose is constant, which the intercept already"),
        (np.zeros((13, 1)), {}, "column x1 is 0 for every study; leave it out"),
        (np.eye(13)[:, :12], {}, "13 studies cannot carry 13 coefficients"),
        (np.where(LATITUDE == 13, np.nan, LATITUDE), {"names": ["lat"]}, r"NaN\) in lat for"),
        (np.ones((12, 1)), {}, r"here \(..., 13, columns\); got shape \(12, 1\)"),
        (LATITUDE, {"names": ["a", "b"]}, "names must hold a name for each column"),
        (LATITUDE, {"names": ["intercept"]}, "none 'intercept'"),
        (None, {"intercept": False}, "a model without intercept needs moderators"),
        (np.full(13, np.inf), {}, "moderators must lie in"),
        (["a"] * 13, {}, "moderators must be numbers"),
        (np.ones((2, 13, 1)), {}, r"column x1 in data set 0 is constant"),
        (LATITUDE, {"method": "GENQ"}, "method must be one of common, DL"),
        (LATITUDE, {"test": "wald"}, "test must be one of z, t"),
        (LATITUDE, {"level": 95}, "level must lie in"),
    ],
)  # fmt: skip
def test_bad_moderators_are_named_with_what_to_do(
    moderators: object, options: dict[str, object], message: str
) -> None:
    """An error says which column is wrong, and why."""
    with pytest.raises(ValueError, match=message):
        meta_regression(Y, V, moderators, **options)  # type: ignore[arg-type]


def test_bad_data_sets_are_named() -> None:
    """Too few studies, or a moderator constant among those present, are told with their place."""
    y = np.stack([Y, np.where(np.arange(13) < 11, np.nan, Y)])
    with pytest.raises(ValueError, match="2 studies in data set 1 cannot carry 2 coefficients"):
        meta_regression(y, V, LATITUDE)
    y = np.stack([Y, np.where(LATITUDE == 13, Y, np.nan)])
    x = np.column_stack([LATITUDE, YEAR])
    with pytest.raises(ValueError, match="2 studies in data set 1"):
        meta_regression(y, V, x)
    y = np.stack([Y, np.where(np.isin(np.arange(13), [4, 7, 11, 12]), Y, np.nan)])
    early = np.where(np.arange(13) < 4, 0.0, 1.0)
    with pytest.raises(ValueError, match="column x1 in data set 1 is constant"):
        meta_regression(y, V, early)
    with pytest.raises(ValueError, match="data sets of estimate and moderators must broadcast"):
        meta_regression(y, V, np.ones((3, 13, 1)))


def test_questions_a_fit_cannot_answer_are_refused() -> None:
    """Unknown columns, rows of the wrong length, several data sets at once."""
    fit = meta_regression(Y, V, X, names=["latitude", "year"])
    for wrong in (["height"], [], [1, "latitude"], [3]):
        with pytest.raises(ValueError, match="columns must be different ones of"):
            fit.omnibus(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"\(rows, 2\) with a column for each of latitude, year"):
        fit.predict([[1, 2, 3]])
    with pytest.raises(ValueError, match="moderators must lie in"):
        fit.predict([[1, np.nan]])
    with pytest.raises(ValueError, match="has no variance inflation factors"):
        _ = meta_regression(Y, V, None).vif
    many = meta_regression(np.stack([Y, Y]), V, X)
    for ask in (many.summary, many.rows):
        with pytest.raises(ValueError, match="describes one data set"):
            ask()


def test_summary_is_text_for_a_paper() -> None:
    """Coefficients with intervals and tests, the omnibus test, what heterogeneity is left."""
    fit = meta_regression(Y, V, LATITUDE, names=["latitude"])

    assert fit.summary() == (
        "Mixed-effects meta-regression of 13 studies (REML, Knapp–Hartung intervals). "
        "intercept: 0.25 (95 % CI −0.37 to 0.88; t(11) = 0.89, p = 0.39). "
        "latitude: −0.0291 (95 % CI −0.0472 to −0.0111; t(11) = −3.55, p = 0.005). "
        "All moderators together: F(1, 11) = 12.59, p = 0.005. "
        "Residual heterogeneity: QE(11) = 30.73, p = 0.001, I² = 68 %, τ² = 0.076 "
        "(95 % CI 0.017 to 0.785). The moderators account for R² = 76 % of the heterogeneity "
        "there is without them."
    )
    assert "exploratory" in meta_regression(Y, V, X).summary()
    common = meta_regression(Y, V, LATITUDE, method="common", test="z").summary()
    assert common.startswith("Common-effect meta-regression of 13 studies (normal intervals).")
    assert "τ²" not in common


def test_results_are_tables_and_json() -> None:
    """One record a coefficient; every field survives JSON."""
    fit = meta_regression(Y, V, LATITUDE, names=["latitude"])
    rows = fit.rows()

    assert [row["name"] for row in rows] == ["intercept", "latitude"]
    assert rows[1]["coefficients"] == fit.coefficients[1]
    assert json.loads(json.dumps(fit.to_dict()))["tau2"] == float(fit.tau2)
    assert fit.likelihood is fit.reml
    assert meta_regression(Y, V, LATITUDE, method="ML").likelihood.deviance > 0
    with pytest.raises(ValueError, match="read-only"):
        fit.coefficients[0] = 1


def test_categorical_moderators_are_coded_against_a_reference() -> None:
    """Each column marks one level; the reference has none."""
    columns, names = categorical(["b", "a", "c", "b"], reference="b")

    assert names == ("a", "c")
    assert columns.tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]
    with pytest.raises(ValueError, match="two levels or more"):
        categorical(["a", "a"])
    with pytest.raises(ValueError, match="reference must be one of"):
        categorical(["a", "b"], reference="z")


def test_the_knapp_hartung_omnibus_test_keeps_its_level() -> None:
    """Of data sets of ten studies without association it rejects hardly more than 5 %, z twice.

    With 40,000 data sets the rates at 5 % are 0.055 (REML), 0.106 (REML, z), and 0.048 where the
    between-study variance is known and F is exact; 4,000 must lie within three standard errors.
    """
    rng = np.random.default_rng(11)
    v = rng.uniform(0.05, 0.3, size=(4000, 10))
    y = rng.normal(scale=np.sqrt(0.2 + v))
    x = np.column_stack([np.arange(10.0), np.arange(10.0) % 3])
    fits = [
        meta_regression(y, v, x),
        meta_regression(y, v, x, test="z"),
        meta_regression(y, 0.2 + v, x, method="common"),
    ]

    for fit, rate in zip(fits, (0.055, 0.106, 0.05), strict=True):
        found = float((fit.qm_p_value < 0.05).mean())
        assert abs(found - rate) < 3 * np.sqrt(rate * (1 - rate) / 4000)


def test_falling_root_bisects_where_newton_fails() -> None:
    """Flat ends and kinks are bisected; what cannot be solved is an error, not a silent NaN."""
    center = np.array([0.3, 5.0, 9.999])
    low, high, scale = np.zeros(3), np.full(3, 10.0), np.ones(3)

    def kink(x: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.sign(center[rows] - x), np.zeros_like(x)

    np.testing.assert_allclose(falling_root(kink, low, high, low, scale), center, rtol=1e-12)
    below = falling_root(lambda x, rows: (-1 - x, -1 - 0 * x), low, high, low, scale)
    np.testing.assert_allclose(below, 0, atol=1e-14)
    with pytest.raises(ArithmeticError, match="3 equations have no value"):
        falling_root(lambda x, rows: (x * np.nan, x), low, high, low, scale)


def test_falling_root_of_one_ends_where_newton_goes_to_and_fro() -> None:
    """Newton's steps of a root function change sides for ever; those that do not halve are cut."""

    def function(x: float) -> tuple[float, float]:
        size = abs(x - 1)
        return -math.copysign(math.sqrt(size), x - 1), -0.5 / math.sqrt(size) if size else -1e300

    assert falling_root_of_one(function, -10.0, 10.0, 5.0, 1.0) == pytest.approx(1, abs=1e-12)
