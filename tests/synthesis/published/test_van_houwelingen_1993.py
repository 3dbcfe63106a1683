"""Van Houwelingen, Zwinderman and Stijnen (1993), Stat Med 12:2273-2284: gastric bleeding.

Histamine antagonists against persistent bleeding (Collins and Langman 1985). Figures of pages
2275 and 2277 as the tests of metafor hold them (``vanhouwelingen1993``).
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import columns, misprints
from trabecula.synthesis.counts import BinomialNormalTwoArmsFit, binomial_normal_two_arms


def conditional(method: str) -> BinomialNormalTwoArmsFit:
    """Return the odds ratio of control against treatment, given the events of each trial."""
    table = columns("metadat_collins1985a", "xci", "nci", "xti", "nti")
    seen = np.isfinite(table).all(axis=0)
    arms = [column[seen] for column in table]
    return binomial_normal_two_arms(*arms, model="conditional-exact", method=method, test="z")  # type: ignore[arg-type]


def test_common_effect() -> None:
    """Page 2275; the paper prints the upper limit as 0.31."""
    fit = conditional("common")

    assert misprints("0.122 0.100 -0.074 0.317", *wald(fit)) == []
    assert misprints("-53.679", fit.log_likelihood) == []


def test_random_effects() -> None:
    """Page 2277 is quoted with 0.175 (-0.092 to 0.441) and a log-likelihood of -52.989.

    That is the integral over the random effects taken coarsely: with 200 nodes it has its
    maximum at 0.1744 (-0.0929 to 0.4417), -52.990.
    """
    fit = conditional("ML")

    assert misprints("0.174 0.136 -0.093 0.442", *wald(fit)) == []
    assert misprints("-52.990 0.119", fit.log_likelihood, fit.tau2) == []


def wald(fit: BinomialNormalTwoArmsFit) -> tuple[np.ndarray, ...]:
    """Return the log odds ratio, its standard error and limits."""
    return fit.estimate, fit.se, fit.ci_low, fit.ci_high
