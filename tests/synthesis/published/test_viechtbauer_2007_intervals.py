"""Viechtbauer (2007), Stat Med 26:37-52: intervals of the heterogeneity.

Pre-eclampsia in nine trials of diuretics (Collins, Yusuf and Peto 1985, BMJ 290:17-23). Figures
of Table II, page 44, as the tests of metafor hold them (``viechtbauer2007a``).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import columns, log_odds_ratios, misprints
from trabecula.synthesis.pairwise import random_effects
from trabecula.synthesis.pairwise.heterogeneity import Method


def trials() -> tuple[np.ndarray, np.ndarray]:
    """Return the log odds ratios and their variances."""
    table = columns("metadat_collins1985b", "pre_xti", "pre_nti", "pre_xci", "pre_nci")
    return log_odds_ratios(*table)


def test_estimators_of_table_2() -> None:
    """The between-study variance by four methods."""
    y, v = trials()
    methods: tuple[Method, ...] = ("DL", "ML", "REML", "SJ")
    tau2 = [random_effects(y, v, method=method).tau2 for method in methods]

    assert misprints("0.230 0.239 0.301 0.456", *tau2) == []


def test_q_profile_interval_of_table_2() -> None:
    """The Q-profile interval, the proposal of the paper."""
    fit = random_effects(*trials(), method="DL")

    assert misprints("0.072 2.203", fit.tau2_ci_low, fit.tau2_ci_high) == []


@pytest.mark.parametrize(("method", "printed"), [("ML", "0.027 1.131"), ("REML", "0.043 1.475")])
def test_profile_likelihood_intervals_of_table_2(method: Method, printed: str) -> None:
    """The intervals from the likelihood and the restricted likelihood."""
    y, v = trials()
    fit = random_effects(y, v, method=method, tau2_interval="profile-likelihood")

    assert misprints(printed, fit.tau2_ci_low, fit.tau2_ci_high) == []


@pytest.mark.parametrize(("method", "printed"), [("ML", "-0.101 0.578"), ("REML", "-0.131 0.732")])
def test_wald_intervals_of_table_2(method: Method, printed: str) -> None:
    """The Wald-type intervals: 1.96 standard errors on either side, below 0 as well."""
    fit = random_effects(*trials(), method=method)
    half = 1.96 * fit.tau2_se

    assert misprints(printed, fit.tau2 - half, fit.tau2 + half) == []
