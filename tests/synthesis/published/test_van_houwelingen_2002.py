"""Van Houwelingen, Arends and Stijnen (2002), Stat Med 21:589-624: the BCG vaccine.

Figures of pages 596-613 as the tests of metafor hold them (``vanhouwelingen2002``).
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.counts.data import two_arms
from tests.synthesis.dependent.data import tuberculosis
from tests.synthesis.published.printed import columns, log_odds_ratios, misprints
from trabecula.synthesis.dependent import MultivariateFit, multivariate
from trabecula.synthesis.pairwise import meta_regression, random_effects

Y, V = log_odds_ratios(*two_arms("bcg"))


def test_common_effect() -> None:
    """Page 596 prints the odds ratio 0.647 (0.595 to 0.703); the upper limit is 0.7024."""
    fit = random_effects(Y, V, method="common", test="z")

    assert misprints("0.647 0.595 0.702", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []


def test_random_effects() -> None:
    """Page 597, by maximum likelihood; page 599: 95 % of the true effects, the mean known."""
    fit = random_effects(Y, V, method="ML", test="z", tau2_interval="profile-likelihood")
    wide = 1.959964 * np.sqrt(fit.tau2)

    assert misprints("0.476 0.336 0.675", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []
    assert misprints("0.302 0.12 0.89", fit.tau2, fit.tau2_ci_low, fit.tau2_ci_high) == []
    assert misprints("-1.820 0.336", fit.estimate - wide, fit.estimate + wide) == []


def test_regression_on_latitude() -> None:
    """Pages 608-609: latitude explains nearly all heterogeneity."""
    fit = meta_regression(Y, V, columns("metafor_bcg_counts", "ablat")[0], method="ML", test="z")

    assert misprints("0.371 -0.033 0.106 0.003", fit.coefficients, fit.se) == []
    assert misprints("0.004 98.7", fit.tau2, fit.r2) == []


def test_both_arms() -> None:
    """Pages 604-605: log odds of both arms, their difference, and the odds ratio it means."""
    fit = bivariate()
    control, difference, change = against_control(fit)

    assert fit.names == ("control", "vaccinated")
    assert misprints("-4.096 -4.834", fit.coefficients) == []
    assert misprints("2.407 1.431 0.947", fit.tau2, fit.rho[0, 1]) == []
    assert misprints("-4.096 0.435", control, fit.se[0]) == []
    assert misprints("-0.738 0.180", difference, change) == []
    ratio = np.exp(difference + 1.959964 * change * np.array([0, -1, 1]))
    assert misprints("0.478 0.336 0.680", ratio) == []
    spread = fit.tau2.sum() - 2 * fit.rho[0, 1] * np.sqrt(fit.tau2.prod())
    assert misprints("0.324", spread) == []


def test_both_arms_and_latitude() -> None:
    """Pages 612-613: the correlation of true log odds reaches 1, and the summary says so."""
    data = tuberculosis()
    vaccinated = data.outcome == "vaccinated"
    slopes = [np.where(arm, data.moderator, 0) for arm in (~vaccinated, vaccinated)]
    fit = bivariate(np.stack(slopes, axis=1))

    assert misprints("-4.117 -4.826 0.072 0.039", fit.coefficients) == []
    assert misprints("0.306 0.313 0.022 0.022", fit.se) == []
    assert misprints("1.18 1.23 1.000", fit.tau2, fit.rho[0, 1]) == []
    assert misprints("-0.708 -0.033", *np.diff(fit.coefficients)[::2]) == []
    assert fit.settled
    assert "at its limit" in fit.summary()


def bivariate(slopes: np.ndarray | None = None) -> MultivariateFit:
    """Return the maximum-likelihood fit of the log odds of both arms."""
    data = tuberculosis()
    names = None if slopes is None else ["latitude (control)", "latitude (vaccinated)"]
    return multivariate(
        data.estimate,
        data.covariance,
        data.study,
        data.outcome,
        moderators=slopes,
        names=names,
        method="ML",
        test="z",
    )


def against_control(fit: MultivariateFit) -> tuple[float, float, float]:
    """Return the mean of the controls, the difference of the vaccinated, its standard error."""
    contrast = np.array([-1.0, 1.0])
    variance = contrast @ fit.covariance @ contrast
    return fit.coefficients[0], float(contrast @ fit.coefficients), float(np.sqrt(variance))
