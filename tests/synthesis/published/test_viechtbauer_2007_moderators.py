"""Viechtbauer (2007), Z Psychol 215:104-121: St John's wort for depression.

Seventeen trials of Linde, Berner, Egger and Mulrow (2005), Br J Psychiatry 186:99-107. Figures
of pages 106-113 as the tests of metafor hold them (``viechtbauer2007b``), the article's own
where they note that it rounds otherwise.
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import columns, log_risk_ratios, misprints
from trabecula.synthesis.pairwise import meta_regression, random_effects


def trials() -> tuple[np.ndarray, np.ndarray]:
    """Return log response ratios and their variances."""
    return log_risk_ratios(*columns("metadat_linde2005", "ai", "n1i", "ci", "n2i"))


def moderators() -> np.ndarray:
    """Return dose (g, over the trial, minus 34), baseline score (minus 20), and their product."""
    baseline, weeks, dose = columns("metadat_linde2005", "baseline", "duration", "dosage")
    total = dose * 7 / 1000 * weeks - 34
    return np.stack([total, baseline - 20, total * (baseline - 20)], axis=1)


def test_common_effect() -> None:
    """Page 107; the article prints a ratio of 1.39 and Q of 55.54, which are 1.384 and 51.55."""
    fit = random_effects(*trials(), method="common", test="z")

    assert misprints("1.38 1.26 1.52", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []
    assert misprints("51.55", fit.q) == []


def test_random_effects() -> None:
    """Page 109; the article rounds the upper limit 1.886 to 1.90 and τ² 0.0903 to 0.091."""
    fit = random_effects(*trials(), method="DL", test="z")
    wide = 1.96 * np.sqrt(fit.tau2)

    assert misprints("1.57 1.31 1.89", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []
    assert misprints("0.090", fit.tau2) == []
    assert misprints("0.87 2.83", *np.exp([fit.estimate - wide, fit.estimate + wide])) == []


def test_dose_and_baseline_score() -> None:
    """Page 112 and Table II, page 113; the article prints R² as 48 %, it is 47.4 %."""
    fit = meta_regression(*trials(), moderators(), method="DL", test="z")
    at = fit.predict([[0, -7.5, 0], [0, 3.6, 0]])

    assert misprints("0.0475 47.4", fit.tau2, fit.r2) == []
    assert misprints("0.476 -0.006 -0.067 -0.002", fit.coefficients) == []
    assert misprints("0.088 0.010 0.035 0.003", fit.se) == []
    assert misprints("5.43 -0.58 -1.91 -0.46", fit.statistic) == []
    assert misprints("0.559 0.056 0.649", fit.p_value[1:]) == []
    limits = np.exp(np.stack([at.estimate, at.ci_low, at.ci_high], axis=1))
    assert misprints("2.67 1.46 4.88 1.26 0.99 1.61", limits) == []
