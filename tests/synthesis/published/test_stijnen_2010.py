"""Stijnen, Hamza and Ozdemir (2010), Stat Med 29:3046-3067: catheters and blood infections.

Figures of Tables II, III, VII and VIII, pages 3050-3055, as the tests of metafor hold them
(``stijnen2010``), with its notes where the paper's last digit is another.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from tests.synthesis.counts.data import two_arms
from tests.synthesis.published.printed import columns, log_odds, log_odds_ratios, misprints
from trabecula.synthesis.counts import binomial_normal, binomial_normal_two_arms
from trabecula.synthesis.pairwise import random_effects

A, N_1, C, N_2 = two_arms("nielweise2007")
ARMS = {"impregnated": (A, N_1), "standard": (C, N_2)}


@pytest.mark.parametrize(
    ("arm", "printed", "proportion"),
    [
        ("standard", "-3.30 0.24 0.663", "0.036 0.023 0.055"),
        ("impregnated", "-4.26 0.26 0.393", "0.014 0.008 0.023"),
    ],
)
def test_normal_proportions_of_table_2(arm: str, printed: str, proportion: str) -> None:
    """The normal model; of the standard catheters the paper prints 0.035 (0.023 to 0.056)."""
    fit = random_effects(*log_odds(*ARMS[arm]), test="z")

    assert misprints(printed, fit.estimate, fit.se, fit.tau2) == []
    assert misprints(proportion, expit([fit.estimate, fit.ci_low, fit.ci_high])) == []


@pytest.mark.parametrize(
    ("arm", "printed", "proportion"),
    [
        ("standard", "-3.50 0.26 0.81", "0.029 0.018 0.048"),
        ("impregnated", "-4.81 0.36 0.83", "0.008 0.004 0.016"),
    ],
)
def test_binomial_proportions_of_table_2(arm: str, printed: str, proportion: str) -> None:
    """The binomial-normal model: fewer infections than by the normal one."""
    fit = binomial_normal(*ARMS[arm], test="z")
    limits = (fit.proportion, fit.proportion_ci_low, fit.proportion_ci_high)

    assert misprints(printed, fit.estimate, fit.se, fit.tau2) == []
    assert misprints(proportion, *limits) == []


def test_normal_odds_ratio_of_table_3() -> None:
    """Studies without any infection left out; the paper prints 0.244, and 0.62 as last limit."""
    seen = A + C > 0
    fit = random_effects(*log_odds_ratios(A[seen], N_1[seen], C[seen], N_2[seen]), test="z")

    assert misprints("-0.980 0.243 0.19", fit.estimate, fit.se, np.sqrt(fit.tau2)) == []
    assert misprints("0.38 0.23 0.60", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []


@pytest.mark.parametrize(
    ("model", "printed", "ratio"),
    [
        ("conditional-exact", "-1.353 0.351 0.83", "0.26 0.13 0.51"),
        ("conditional-approximate", "-1.303 0.339 0.78", "0.27 0.14 0.53"),
    ],
)
def test_conditional_odds_ratios_of_table_3(model: str, printed: str, ratio: str) -> None:
    """Exact and approximate likelihood; the paper prints the ratio 0.2585 as 0.25, τ as 0.77."""
    fit = binomial_normal_two_arms(A, N_1, C, N_2, model=model, test="z")  # type: ignore[arg-type]

    assert misprints(printed, fit.estimate, fit.se, np.sqrt(fit.tau2)) == []
    assert misprints(ratio, *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []


X_1, T_1, X_2, T_2 = columns("metadat_nielweise2008", "x1i", "t1i", "x2i", "t2i")
"""Infections and days with anti-infective and with standard catheters, nine studies."""


@pytest.mark.parametrize(
    ("events", "days", "printed", "rate"),
    [
        (X_2, T_2, "1.468 0.243 0.370", "4.34 2.70 6.98"),
        (X_1, T_1, "0.981 0.326 0.639", "2.67 1.41 5.05"),
    ],
)
def test_normal_rates_of_table_7(
    events: np.ndarray, days: np.ndarray, printed: str, rate: str
) -> None:
    """Rates per 1,000 days by the normal model; the paper prints the first limit as 6.99."""
    fit = random_effects(np.log(events / days * 1000), 1 / events, test="z")

    assert misprints(printed, fit.estimate, fit.se, fit.tau2) == []
    assert misprints(rate, *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []


def test_normal_rate_ratio_of_table_8() -> None:
    """The paper prints a standard error of 0.223 and 1.04 as upper limit."""
    fit = random_effects(np.log(X_1 / T_1 * T_2 / X_2), 1 / X_1 + 1 / X_2, test="z")

    assert misprints("-0.396 0.227 0.31", fit.estimate, fit.se, np.sqrt(fit.tau2)) == []
    assert misprints("0.67 0.43 1.05", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []


def test_conditional_rate_ratio_of_table_8() -> None:
    """Given the events of both arms the Poisson-normal model is a binomial share of the days."""
    fit = binomial_normal_two_arms(X_1, T_1, X_2, T_2, model="conditional-approximate", test="z")

    assert misprints("-0.476 0.238 0.35", fit.estimate, fit.se, np.sqrt(fit.tau2)) == []
    assert misprints("0.62 0.39 0.99", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []
