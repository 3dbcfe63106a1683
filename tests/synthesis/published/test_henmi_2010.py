"""Henmi and Copas (2010), Stat Med 29:2969-2983: acupoint stimulation against nausea.

Sixteen trials of Lee and Done (2004). Figures of page 2978 as the tests of metafor hold them
(``henmi2010``).
"""

from __future__ import annotations

from tests.synthesis.published.printed import columns, log_odds_ratios, misprints
from trabecula.synthesis.pairwise import henmi_copas, random_effects

Y, V = log_odds_ratios(*columns("metadat_lee2004", "ai", "n1i", "ci", "n2i"))


def test_dersimonian_laird() -> None:
    """Page 2978: heterogeneity, mean and limits."""
    fit = random_effects(Y, V, method="DL", test="z")
    ours = (fit.tau2, fit.estimate, fit.ci_low, fit.ci_high)

    assert misprints("0.3325 -0.6787 -1.0664 -0.2911", *ours) == []


def test_henmi_copas() -> None:
    """Page 2978: the common-effect mean, with limits that allow for heterogeneity."""
    fit = henmi_copas(Y, V)

    assert misprints("-0.5145 -0.9994 -0.0295", fit.estimate, fit.ci_low, fit.ci_high) == []
