"""Regression and rank tests of funnel plots: against other code, invariances, size, refusals."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from trabecula.synthesis.small_study import (
    SimilarStandardErrors,
    TooFewStudies,
    pet_peese,
    rank_correlation_test,
    regression_test,
    regression_test_of_counts,
    trim_and_fill,
)

SE = np.array([0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5])
Y = np.array([0.1, 0.12, 0.08, 0.2, 0.05, 0.4, 0.5, 0.6, 0.8, 1.1])
N = np.array([400, 280, 180, 100, 85, 64, 45, 40, 25, 16])


def least_squares(y: Any, x: Any, weight: Any) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and standard errors of weighted least squares, from the normal equations."""
    design = np.stack([np.ones(len(y)), np.asarray(x, dtype=float)], axis=1)
    inverse = np.linalg.inv(design.T @ (np.asarray(weight)[:, None] * design))
    beta = inverse @ design.T @ (weight * np.asarray(y))
    dispersion = (weight * (y - design @ beta) ** 2).sum() / (len(y) - 2)
    return beta, np.sqrt(dispersion * np.diag(inverse))


@pytest.mark.parametrize(
    ("predictor", "x"),
    [
        ("standard-error", SE),
        ("variance", SE**2),
        ("sample-size", N),
        ("inverse-sample-size", 1 / N),
        ("square-root-sample-size", N**0.5),
        ("inverse-square-root-sample-size", N**-0.5),
    ],
)
def test_regression_tests_are_weighted_least_squares(predictor: Any, x: np.ndarray) -> None:
    """Slope, intercept and their errors are those of the normal equations."""
    fit = regression_test(Y, SE**2, predictor=predictor, sample_size=N)
    beta, se = least_squares(Y, x, SE**-2)
    p = 2 * stats.t.sf(abs(beta[1] / se[1]), 8)

    np.testing.assert_allclose([fit.intercept, fit.slope], beta, rtol=1e-9)
    np.testing.assert_allclose([fit.intercept_se, fit.slope_se], se, rtol=1e-9)
    assert fit.p_value == pytest.approx(p, rel=1e-9)


def test_eggers_test_is_the_intercept_of_the_radial_plot() -> None:
    """The slope on the standard error is the intercept of y / se on 1 / se without weights."""
    beta, se = least_squares(Y / SE, 1 / SE, np.ones(10))
    fit = regression_test(Y, SE**2)

    np.testing.assert_allclose([fit.slope, fit.slope_se], [beta[0], se[0]], rtol=1e-10)
    np.testing.assert_allclose([fit.limit_estimate, fit.intercept_se], [beta[1], se[1]], rtol=1e-10)


TABLES = (
    np.array([15, 3, 22, 9, 1, 30, 12, 5, 18, 7]),
    np.array([120, 40, 200, 90, 25, 310, 100, 60, 150, 80]),
    np.array([20, 6, 25, 18, 4, 33, 21, 9, 19, 0]),
    np.array([118, 42, 190, 95, 25, 305, 104, 55, 160, 78]),
)


def test_tests_from_counts_follow_their_definitions() -> None:
    """Peters, Harbord and Deeks regress what their papers say on what they say, so weighted."""
    a, n1, c, n2 = (t.astype(float) for t in TABLES)
    events, total = a + c, n1 + n2
    more = np.where(c == 0, 0.5, 0.0)
    log_odds = np.log((a + more) * (n2 - c + more) / ((n1 - a + more) * (c + more)))
    score = a - events * n1 / total
    spread = n1 * n2 * events * (total - events) / (total**2 * (total - 1))
    effective = 4 * n1 * n2 / total
    expected = {
        "peters": least_squares(log_odds, 1 / total, 1 / (1 / events + 1 / (total - events))),
        "harbord": least_squares(score / spread, spread**-0.5, spread),
        "deeks": least_squares(log_odds, effective**-0.5, effective),
    }
    for variant, (beta, se) in expected.items():
        fit = regression_test_of_counts(*TABLES, variant=variant)  # type: ignore[arg-type]
        np.testing.assert_allclose([fit.intercept, fit.slope], beta, rtol=1e-9)
        np.testing.assert_allclose([fit.intercept_se, fit.slope_se], se, rtol=1e-9)
        assert fit.limit_estimate == fit.intercept
        assert variant.capitalize() in fit.summary()


def test_studies_that_say_nothing_about_an_odds_ratio_are_left_out() -> None:
    """A study without any event, or with events in everyone, changes nothing."""
    more = [
        np.append(t, extra)
        for t, extra in zip(TABLES, ([0, 30], [50, 30], [0, 30], [50, 30]), strict=True)
    ]
    for variant in ("peters", "harbord", "deeks"):
        plain = regression_test_of_counts(*TABLES, variant=variant)  # type: ignore[arg-type]
        same = regression_test_of_counts(*more, variant=variant)  # type: ignore[arg-type]
        assert json.dumps(plain.to_dict()) == json.dumps(same.to_dict())


def test_impossible_counts_are_named() -> None:
    """More events than people, and shapes that do not fit, are errors."""
    with pytest.raises(ValueError, match="events_1 must not exceed total_1"):
        regression_test_of_counts([5] * 10, [4] * 10, [1] * 10, [4] * 10)
    with pytest.raises(ValueError, match=r"must broadcast, got shapes \(10,\), \(10,\), \(3,\)"):
        regression_test_of_counts([1] * 10, [4] * 10, [1] * 3, [4] * 10)


def test_rank_correlation_is_kendalls() -> None:
    """Tau and p-value are SciPy's: exact without ties, normal and corrected with them."""
    rng = np.random.default_rng(2)
    for k, tied in ((10, False), (37, False), (60, False), (12, True), (30, True)):
        v = rng.uniform(0.01, 0.5, k)
        y = rng.normal(0, np.sqrt(v))
        if tied:
            v = np.round(v, 1) + 0.05
            y[1], v[1] = y[0], v[0]
        mean, total = (y / v).sum() / (1 / v).sum(), (1 / v).sum()
        star = (y - mean) / np.sqrt(v - 1 / total)
        if tied:
            star[1] = star[0]
        test = rank_correlation_test(y, v)
        theirs = stats.kendalltau(star, v, method="asymptotic" if tied else "exact")
        assert test.exact != tied
        assert test.tau == pytest.approx(theirs.statistic, rel=1e-12)
        assert test.p_value == pytest.approx(theirs.pvalue, rel=1e-9)


def test_groups_of_tied_studies_enter_the_variance_of_the_score() -> None:
    """Three and four studies that are alike tie in both rankings: as in `scipy.stats`."""
    y = np.array([0.5] * 3 + [0.1] * 4 + [0.3, 0.2, 0.9, 0.4])
    v = np.array([0.2] * 3 + [0.05] * 4 + [0.1, 0.3, 0.25, 0.15])
    w = 1 / v
    standard = (y - (w * y).sum() / w.sum()) / np.sqrt(v - 1 / w.sum())
    theirs = stats.kendalltau(standard.round(12), v, method="asymptotic")

    test = rank_correlation_test(y, v)
    assert not test.exact
    np.testing.assert_allclose([test.tau, test.p_value], theirs, rtol=1e-10)


def test_sizes_are_compared_as_standard_errors() -> None:
    """Groups a third larger have standard errors 15 % smaller: enough for a test from counts."""
    n = np.linspace(300, 400, 10).round()
    test = regression_test_of_counts(n // 5, n, n // 4, n, variant="deeks")
    assert test.k == 10
    n = np.linspace(340, 400, 10).round()
    with pytest.raises(SimilarStandardErrors, match=r"the largest standard error is 1\.08 times"):
        regression_test_of_counts(n // 5, n, n // 4, n, variant="deeks")


def test_a_dominant_study_keeps_its_rank() -> None:
    """With one variance 1e-16 of the others, v - 1 / sum(1 / v) does not cancel to 0."""
    v = np.append(SE**2, 1e-18)
    y = np.append(Y, 0.1 + 1e-10)
    test = rank_correlation_test(y, v)

    assert np.isfinite(test.tau)
    assert test.exact


CALLS: dict[str, Any] = {
    "regression": regression_test,
    "rank": rank_correlation_test,
    "pet-peese": pet_peese,
    "trim-and-fill": trim_and_fill,
    "random-effects": lambda y, v, **o: regression_test(y, v, model="random-effects", **o),
}


@pytest.mark.parametrize("name", CALLS)
def test_fewer_than_ten_studies_are_refused(name: str) -> None:
    """The refusal says how many there are, how many are needed, and why; it can be overruled."""
    call = CALLS[name]
    with pytest.raises(TooFewStudies, match=r"9 studies, 10 are needed: .*Sterne") as refusal:
        call(Y[:9], SE[:9] ** 2)
    with pytest.raises(ValueError, match="minimum_studies must be at least 3, got 2"):
        call(Y[:9], SE[:9] ** 2, minimum_studies=2)
    with pytest.raises(TooFewStudies, match="1 study, 3 are needed"):
        call(Y[:1], SE[:1] ** 2, minimum_studies=3)

    assert (refusal.value.k, refusal.value.needed) == (9, 10)
    assert call(Y[:4], SE[:4] ** 2, minimum_studies=3).k == 4


@pytest.mark.parametrize("name", ["regression", "rank", "pet-peese", "random-effects"])
def test_similar_standard_errors_are_refused(name: str) -> None:
    """Where the largest standard error is within a tenth of the smallest nothing is tested."""
    with pytest.raises(
        SimilarStandardErrors, match=r"1.05 times the smallest, 1.1 times"
    ) as refusal:
        CALLS[name](Y, np.linspace(1, 1.05, 10) ** 2)

    assert refusal.value.ratio == pytest.approx(1.05)
    with pytest.raises(SimilarStandardErrors):
        regression_test(Y, SE**2, predictor="sample-size", sample_size=[50] * 10)


@pytest.mark.parametrize("name", CALLS)
def test_data_sets_broadcast(name: str) -> None:
    """A table of data sets of different sizes gives what each gives alone."""
    call = CALLS[name]
    rng = np.random.default_rng(3)
    y = Y + rng.normal(0, 0.1, (3, 2, 10))
    v = np.broadcast_to(SE**2, y.shape).copy()
    y[1, 0, 4], v[2, 1, 7] = np.nan, np.nan
    many = call(y, v, minimum_studies=9)

    assert many.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        kept = ~np.isnan(y[i, j]) & ~np.isnan(v[i, j])
        alone = call(y[i, j, kept], v[i, j, kept], minimum_studies=9)
        for field, value in alone.to_dict().items():
            if isinstance(value, float) and not field.endswith("_p_value"):
                assert many[i, j].to_dict()[field] == pytest.approx(value, rel=1e-7, abs=1e-9), (
                    field
                )
        assert many[i, j].k == alone.k


def test_shift_and_scale_of_the_estimates() -> None:
    """A constant shifts the limit estimate alone; a unit scales estimates, never the test."""
    plain = regression_test(Y, SE**2)
    shifted = regression_test(Y + 1e6, SE**2)
    scaled = regression_test(1e-3 * Y, (1e-3 * SE) ** 2)

    assert shifted.p_value == pytest.approx(float(plain.p_value), rel=1e-7)
    assert shifted.limit_estimate - 1e6 == pytest.approx(float(plain.limit_estimate), abs=1e-9)
    assert scaled.p_value == pytest.approx(float(plain.p_value), rel=1e-10)
    assert rank_correlation_test(Y + 5, SE**2).score == rank_correlation_test(Y, SE**2).score


@pytest.mark.parametrize("ratio", [1e-6, 1e6])
def test_huge_and_tiny_variances_give_finite_tests(ratio: float) -> None:
    """Standard errors over twelve orders of magnitude leave no NaN."""
    v = (SE * np.where(np.arange(10) % 2, ratio, 1.0)) ** 2
    for name in ("regression", "rank", "pet-peese", "trim-and-fill"):
        assert len(CALLS[name](Y, v).summary()) > 100
    fit = regression_test(Y, v)
    assert np.isfinite([fit.slope, fit.slope_se, fit.p_value, fit.limit_estimate]).all()


def test_estimates_on_a_line_are_not_tested() -> None:
    """Where all estimates are equal the slope is 0 without error: no test, and it is said."""
    fit = regression_test(np.full(10, 0.3), SE**2)

    assert fit.slope == 0
    assert np.isnan(fit.p_value)
    assert "lie on the line exactly" in fit.summary()


@pytest.mark.parametrize(
    "options", [{}, {"model": "random-effects", "test": "knapp-hartung"}], ids=["line", "meta"]
)
def test_a_slope_without_residual_is_not_tested(options: dict[str, Any]) -> None:
    """On a line with a slope rounding is no standard error: no test, and PET decides nothing."""
    fit = regression_test(0.1 + 2 * SE, SE**2, **options)

    np.testing.assert_allclose([fit.slope, fit.limit_estimate], [2, 0.1], rtol=1e-12)
    assert fit.slope_se == 0
    assert np.isnan([fit.statistic, fit.p_value]).all()
    assert "p < 0.001" not in fit.summary()
    chosen = pet_peese(0.1 + 2 * SE, SE**2, **options)
    assert not chosen.uses_peese
    assert "lies on the line exactly and cannot be tested" in chosen.summary()


def test_tied_estimates_have_no_rank_correlation() -> None:
    """Where all standardised estimates are tied, tau is NaN and the summary says so."""
    test = rank_correlation_test(np.full(10, 0.3), SE**2)

    assert np.isnan([test.tau, test.p_value]).all()
    assert "not estimable" in test.summary()


def test_pet_decides_between_pet_and_peese() -> None:
    """PEESE is used where the PET estimate differs from 0 on the side of the mean, else PET.

    That of the steep data is -0.17 with p 0.06, though every estimate is above 0.
    """
    flat = pet_peese(0.8 + 0.05 * np.sin(np.arange(10)), SE**2)
    steep = pet_peese(Y, SE**2)

    assert flat.uses_peese
    assert flat.estimate == flat.peese.limit_estimate
    assert not steep.uses_peese
    assert (steep.estimate, steep.se) == (steep.pet.limit_estimate, steep.pet.intercept_se)
    assert "by PEESE" in flat.summary()
    assert "by PET," in steep.summary()
    assert steep.pet_p_value < 0.1
    assert "the other sign than the mean" in steep.summary()
    assert not pet_peese(0.8 + 0.05 * np.sin(np.arange(10)), SE**2, threshold=1e-12).uses_peese


@pytest.mark.parametrize("name", ["regression", "rank", "pet-peese", "trim-and-fill"])
def test_summaries_do_not_call_asymmetry_bias(name: str) -> None:
    """Every summary says that asymmetry is not publication bias, and none is said of many."""
    text = CALLS[name](Y, SE**2).summary()

    assert "Asymmetry is not publication bias" in text
    assert "significant" not in text
    with pytest.raises(ValueError, match=r"this fit holds \(2,\)"):
        CALLS[name](np.stack([Y, Y]), SE**2).summary()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "ols"}, "model must be one of weighted-regression"),
        ({"predictor": "size"}, "predictor must be one of standard-error"),
        ({"predictor": "sample-size"}, "sample_size must be given for this predictor"),
        ({"predictor": "sample-size", "sample_size": [0] * 10}, r"sample_size must lie in \(0"),
        ({"level": 2}, "level must lie in"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], message: str) -> None:
    """The message names the argument and what is allowed."""
    with pytest.raises(ValueError, match=message):
        regression_test(Y, SE**2, **options)


def test_a_study_without_a_size_is_missing() -> None:
    """Where the predictor is a size, a study needs one."""
    sizes = N.astype(float)
    sizes[3] = np.nan
    kept = np.arange(10) != 3
    fit = regression_test(Y, SE**2, predictor="sample-size", sample_size=sizes, minimum_studies=9)
    alone = regression_test(
        Y[kept], SE[kept] ** 2, predictor="sample-size", sample_size=N[kept], minimum_studies=9
    )

    assert fit.k == 9
    assert fit.p_value == pytest.approx(float(alone.p_value), rel=1e-10)


def test_tests_keep_their_level_without_bias() -> None:
    """Of 20,000 symmetric data sets of 15 studies 5 % have p below 0.05, with one true effect.

    Four standard errors of a share of 5 % are 0.6 points. The rank test is discrete and, the
    center being estimated, a little below its level.
    """
    rng = np.random.default_rng(7)
    se = rng.uniform(0.1, 0.6, (20_000, 15))
    y = 0.3 + rng.normal(0, se)
    egger = regression_test(y, se**2)
    rank = rank_correlation_test(y[:4000], se[:4000] ** 2)

    assert abs((egger.p_value < 0.05).mean() - 0.05) < 0.006
    assert 0.02 < (rank.p_value < 0.05).mean() < 0.06
    low, high = egger.limit_ci_low, egger.limit_ci_high
    assert abs(((low < 0.3) & (high > 0.3)).mean() - 0.95) < 0.006
