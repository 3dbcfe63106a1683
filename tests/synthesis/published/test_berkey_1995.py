"""Berkey, Hoaglin, Mosteller and Colditz (1995), Stat Med 14:395-411: BCG vaccine and latitude.

Figures of page 408 as the tests of metafor hold them (``berkey1995``), with its notes on rounding.
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.counts.data import two_arms
from tests.synthesis.published.printed import columns, log_risk_ratios, misprints
from trabecula.synthesis.pairwise import meta_regression, random_effects

LATITUDE = columns("metafor_bcg_counts", "ablat")[0] - 33.46


def trials() -> tuple[np.ndarray, np.ndarray]:
    """Return log risk ratios with variances from the mean odds of all trials, as in the paper."""
    a, n_1, c, n_2 = two_arms("bcg")
    smoothed = np.mean((n_1 - a) / a) / n_1 + np.mean((n_2 - c) / c) / n_2
    return log_risk_ratios(a, n_1, c, n_2)[0], smoothed


def test_random_effects() -> None:
    """Mean, standard error and empirical Bayes heterogeneity."""
    fit = random_effects(*trials(), method="EB", test="z")

    assert misprints("-0.5429 0.1842 0.268", fit.estimate, fit.se, fit.tau2) == []


def test_regression_on_latitude_with_random_effects() -> None:
    """The article prints the intercept -0.63032 as -0.6304; 41 % of the heterogeneity goes."""
    fit = meta_regression(*trials(), LATITUDE, method="EB", test="z")
    ratios = np.exp(fit.predict([0, 42 - 33.46]).estimate)

    assert misprints("-0.6303 -0.0268 0.1591 0.0110", fit.coefficients, fit.se) == []
    assert misprints("0.157 41", fit.tau2, fit.r2) == []
    assert misprints("0.53 0.42", ratios) == []


def test_regression_on_latitude_with_a_common_effect() -> None:
    """The article prints -0.5950 for the intercept and 0.0039 for the slope's standard error."""
    fit = meta_regression(*trials(), LATITUDE, method="common", test="z")
    ratios = np.exp(fit.predict([0, 42 - 33.46]).estimate)

    assert misprints("-0.5949 -0.0282 0.0696 0.0040", fit.coefficients, fit.se) == []
    assert misprints("0.55 0.43", ratios) == []
