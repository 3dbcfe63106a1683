"""Rothman, Greenland and Lash (2008), Modern Epidemiology, 3rd ed., chapter 15: stratification.

Mantel-Haenszel estimates with 90 % limits of Tables 15-1, 15-2 and 15-5, and the likelihood
estimates beside them, as the tests of metafor hold them (``rothman2008``), to the digits that
they ask it to print.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.counts import (
    BinomialNormalTwoArmsFit,
    MantelHaenszelFit,
    binomial_normal_two_arms,
    mantel_haenszel,
    mantel_haenszel_rates,
)

TOLBUTAMIDE = ([8, 22], [106, 98], [5, 16], [120, 85])
"""Table 15-1: deaths with tolbutamide and with placebo, below 55 years and above."""

SMOKING = (
    [32, 104, 206, 186, 102],
    [52407, 43248, 28612, 12663, 5317],
    [2, 12, 28, 28, 31],
    [18790, 10673, 5710, 2585, 1462],
)
"""Table 15-2: coronary deaths and years of smokers and others, five ages."""

SPERMICIDE = ([3, 1], [12, 4], [104, 5], [1163, 91])
"""Table 15-5: Down syndrome among users of spermicide and others, mothers below 35 and above."""


def ratio(fit: MantelHaenszelFit | BinomialNormalTwoArmsFit) -> np.ndarray:
    """Return a ratio with its limits."""
    return np.exp([fit.estimate, fit.ci_low, fit.ci_high])


def test_risk_difference_of_table_15_1() -> None:
    """The chapter prints the upper limit 0.0874 as 0.088 and Q of 0.0017 as 0.001."""
    fit = mantel_haenszel(*TOLBUTAMIDE, measure="RD", level=0.9)

    assert misprints("0.035 -0.018 0.087", fit.estimate, fit.ci_low, fit.ci_high) == []
    assert misprints("0.002 0.967", fit.q, fit.q_p_value) == []


def test_ratios_of_table_15_1() -> None:
    """Risk ratio and odds ratio, with the tests of homogeneity and of association."""
    risk = mantel_haenszel(*TOLBUTAMIDE, measure="RR", level=0.9)
    odds = mantel_haenszel(*TOLBUTAMIDE, measure="OR", correct=False, level=0.9)

    assert misprints("1.33 0.87 2.03", ratio(risk)) == []
    assert misprints("0.447 0.504", risk.q, risk.q_p_value) == []
    assert misprints("1.40 0.84 2.34", ratio(odds)) == []
    assert misprints("0.347 0.556", odds.q, odds.q_p_value) == []
    assert misprints("1.191 0.275", odds.cmh, odds.cmh_p_value) == []
    assert misprints("0.349 0.555", odds.tarone, odds.tarone_p_value) == []


def test_rates_of_table_15_2() -> None:
    """Rate difference (per 10,000 years) and rate ratio, and the test of association."""
    difference = mantel_haenszel_rates(*SMOKING, measure="IRD", level=0.9)
    rate = mantel_haenszel_rates(*SMOKING, measure="IRR", level=0.9)
    plain = mantel_haenszel_rates(*SMOKING, measure="IRR", correct=False, level=0.9)
    limits = (difference.estimate, difference.ci_low, difference.ci_high)

    assert misprints("11.44 6.35 16.53", 1e4 * np.array(limits)) == []
    assert misprints("1.42 1.19 1.70", ratio(rate)) == []
    assert misprints("26.88 10.41 0.034", difference.q, rate.q, rate.q_p_value) == []
    assert misprints("10.70 0.001 11.02", rate.cmh, rate.cmh_p_value, plain.cmh) == []


def test_odds_ratio_of_table_15_5() -> None:
    """Odds ratio with the tests of homogeneity and of association."""
    fit = mantel_haenszel(*SPERMICIDE, measure="OR", correct=False, level=0.9)

    assert misprints("3.78 1.43 10.00", ratio(fit)) == []
    assert misprints("0.138 0.711", fit.q, fit.q_p_value) == []
    assert misprints("5.81 0.016", fit.cmh, fit.cmh_p_value) == []
    assert misprints("0.139 0.709", fit.tarone, fit.tarone_p_value) == []


@pytest.mark.parametrize(
    ("model", "printed", "homogeneity"),
    [
        ("unconditional-fixed", "3.79 1.43 10.03", "0.137 0.711 0.132 0.716"),
        ("conditional-exact", "3.76 1.43 9.93", "0.123 0.726 0.119 0.730"),
    ],
)
def test_maximum_likelihood_of_table_15_5(model: str, printed: str, homogeneity: str) -> None:
    """Unconditional and conditional odds ratio, each with Wald and likelihood-ratio tests."""
    fit = binomial_normal_two_arms(
        *SPERMICIDE,
        model=model,  # type: ignore[arg-type]
        method="common",
        test="z",
        level=0.9,
    )
    q = (fit.q_wald, fit.q_wald_p_value, fit.q_lrt, fit.q_lrt_p_value)

    assert misprints(printed, ratio(fit)) == []
    assert misprints(homogeneity, *q) == []


def test_maximum_likelihood_of_table_15_2() -> None:
    """The rate ratio given the deaths of each age: the binomial share of the smokers."""
    fit = binomial_normal_two_arms(
        *SMOKING, model="conditional-approximate", method="common", test="z", level=0.9
    )

    assert misprints("1.43 1.19 1.70", ratio(fit)) == []
    q = (fit.q_wald, fit.q_wald_p_value, fit.q_lrt, fit.q_lrt_p_value)
    assert misprints("10.20 0.037 12.13 0.016", *q) == []
