"""Viechtbauer (2010), J Stat Softw 36(3):1-48: the BCG vaccine against tuberculosis.

Thirteen trials of Colditz et al. (1994), JAMA 271:698-702.
"""

from __future__ import annotations

from tests.synthesis.counts.data import two_arms
from tests.synthesis.published.printed import log_risk_ratios, misprints
from trabecula.synthesis.pairwise import random_effects


def test_random_effects_of_section_3() -> None:
    """Mean, heterogeneity, and the Q-profile intervals, as the paper prints them."""
    fit = random_effects(*log_risk_ratios(*two_arms("bcg")), test="z")

    mean = (fit.estimate, fit.se, fit.statistic, fit.ci_low, fit.ci_high)
    assert misprints("-0.7145 0.1798 -3.9744 -1.0669 -0.3622", *mean) == []
    assert misprints("0.3132 0.1664 92.22 12.86", fit.tau2, fit.tau2_se, fit.i2, fit.h2) == []
    assert misprints("152.2330 12", fit.q, fit.q_df) == []
    assert misprints("0.1197 1.1115", fit.tau2_ci_low, fit.tau2_ci_high) == []
    assert misprints("81.92 97.68", fit.i2_ci_low, fit.i2_ci_high) == []
    assert misprints("5.53 43.07", fit.h2_ci_low, fit.h2_ci_high) == []
