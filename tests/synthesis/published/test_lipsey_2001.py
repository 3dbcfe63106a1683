"""Lipsey and Wilson (2001), Practical Meta-Analysis, chapter 7: ten programmes for delinquents.

Figures of Exhibits 7.3, 7.4, 7.6 and 7.7 as the tests of metafor hold them (``lipsey2001``),
with its notes on the last digit.
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.pairwise import (
    MetaRegressionFit,
    meta_regression,
    random_effects,
    subgroups,
)

Y = [-0.33, 0.32, 0.39, 0.31, 0.17, 0.64, -0.33, 0.15, -0.02, 0.00]
V = [0.084, 0.035, 0.017, 0.034, 0.072, 0.117, 0.102, 0.093, 0.012, 0.067]
RANDOMISED = [0, 0, 0, 0, 0, 0, 1, 1, 1, 1]
INTENSITY = [7, 3, 7, 5, 7, 7, 4, 4, 5, 6]


def test_common_effect_of_exhibit_7_3() -> None:
    """Page 133: mean, its test and limits, and the homogeneity test."""
    fit = random_effects(Y, V, method="common", test="z")
    ours = (fit.estimate, fit.se, fit.statistic, fit.p_value, fit.ci_low, fit.ci_high)

    assert misprints("0.1549 0.0609 2.5450 0.0109 0.0356 0.2742", *ours) == []
    assert misprints("14.7640 9 0.0976", fit.q, fit.q_df, fit.q_p_value) == []


def test_random_effects_of_exhibit_7_3() -> None:
    """Page 133: the same with the DerSimonian-Laird heterogeneity."""
    fit = random_effects(Y, V, method="DL", test="z")
    ours = (fit.estimate, fit.se, fit.statistic, fit.p_value, fit.ci_low, fit.ci_high)

    assert misprints("0.1534 0.0858 1.7893 0.0736 -0.0146 0.3215", *ours) == []
    assert misprints("0.025955", fit.tau2) == []


def test_analysis_of_variance_of_exhibit_7_4() -> None:
    """Page 138 prints 7.0738, 7.6902 and 6.4383 for what is 7.0739, 7.6901 and 6.4382."""
    fit = subgroups(Y, V, RANDOMISED, method="common", test="z")
    groups = np.stack([fit.estimate, fit.se, fit.ci_low, fit.ci_high], axis=1)

    assert misprints("0.2984 0.0813 0.1390 0.4578", groups[0]) == []
    assert misprints("-0.0277 0.0917 -0.2075 0.1521", groups[1]) == []
    assert misprints("7.0739 0.0078", fit.between.statistic, fit.between.p_value) == []
    assert misprints("7.6901", fit.q.sum()) == []
    assert misprints("6.4382 0.2659 1.2519 0.7406", np.stack([fit.q, fit.q_p_value], axis=1)) == []


def test_regression_of_exhibit_7_6() -> None:
    """Page 141; the exhibit prints 7.6833 and 0.3613 for what is 7.6832 and 0.3614."""
    fit = regression("common")

    assert misprints("0.3223 -0.3298 -0.0041 0.2998 0.1304 0.0493", *estimates(fit)) == []
    assert misprints("1.0752 -2.5286 -0.0829 0.2823 0.0115 0.9339", *statistics(fit)) == []
    assert misprints("-0.2652 -0.5854 -0.1007 0.9099 -0.0742 0.0925", *limits(fit)) == []
    assert misprints("7.0807 0.0290 7.6832 0.3614", fit.qm, fit.qm_p_value, *residual(fit)) == []


def test_regression_of_exhibit_7_7() -> None:
    """Page 141; the exhibit prints 5.5709 for what is 5.5711."""
    fit = regression("DL")

    assert misprints("0.3311 -0.3269 -0.0068 0.3198 0.1439 0.0528", *estimates(fit)) == []
    assert misprints("1.0351 -2.2712 -0.1292 0.3006 0.0231 0.8972", *statistics(fit)) == []
    assert misprints("-0.2958 -0.6090 -0.1103 0.9579 -0.0448 0.0967", *limits(fit)) == []
    assert misprints("5.5711 0.0617 0.00488", fit.qm, fit.qm_p_value, fit.tau2) == []


def regression(method: str) -> MetaRegressionFit:
    """Return the regression on randomisation and intensity."""
    moderators = np.stack([RANDOMISED, INTENSITY], axis=1)
    return meta_regression(Y, V, moderators, method=method, test="z")  # type: ignore[arg-type]


def estimates(fit: MetaRegressionFit) -> tuple[np.ndarray, ...]:
    """Return coefficients and standard errors."""
    return fit.coefficients, fit.se


def statistics(fit: MetaRegressionFit) -> tuple[np.ndarray, ...]:
    """Return statistics and p-values."""
    return fit.statistic, fit.p_value


def limits(fit: MetaRegressionFit) -> tuple[np.ndarray, ...]:
    """Return confidence limits."""
    return fit.ci_low, fit.ci_high


def residual(fit: MetaRegressionFit) -> tuple[np.ndarray, ...]:
    """Return the residual heterogeneity and its p-value."""
    return fit.qe, fit.qe_p_value
