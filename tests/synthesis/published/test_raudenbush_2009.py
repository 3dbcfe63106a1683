"""Raudenbush (2009), Handbook of Research Synthesis and Meta-Analysis, 2nd ed., chapter 16.

Nineteen experiments on teacher expectancy. Figures of pages 301, 302 and 309 as the tests of
metafor hold them (``raudenbush2009``), with its notes on misprints.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import columns, misprints
from trabecula.synthesis.dependent import cluster_robust, inverse_variance_model
from trabecula.synthesis.pairwise import meta_regression, random_effects, shrinkage

WEEKS, Y, V = columns("metadat_raudenbush1985", "weeks", "yi", "vi")
CONTACT = np.minimum(WEEKS, 3)
"""Weeks of contact between teacher and pupil before the experiment, 3 or more as 3."""


def test_common_effect_of_table_16_2() -> None:
    """Page 302 prints the statistic 1.655 as 1.65."""
    fit = random_effects(Y, V, method="common", test="z")

    assert misprints("0.060 35.83 1.655", fit.estimate, fit.q, fit.statistic) == []


def test_random_effects_of_table_16_2() -> None:
    """Page 301 prints the mean 0.0837 as 0.083; the last two are the range of shrunken effects."""
    fit = random_effects(Y, V, test="z")
    shrunken = shrinkage(Y, V).estimate

    assert misprints("0.084 1.62 0.019", fit.estimate, fit.statistic, fit.tau2) == []
    assert misprints("-0.03 0.25", shrunken.min(), shrunken.max()) == []


def test_weeks_of_contact_of_table_16_2() -> None:
    """Contact explains all heterogeneity; page 301 prints the least shrunken effect as -0.07."""
    fit = meta_regression(Y, V, CONTACT, test="z")
    shrunken = shrinkage(Y, V, moderators=CONTACT).estimate

    assert misprints("0.407 -0.157 4.68 -4.39", fit.coefficients, fit.statistic) == []
    assert misprints("0.000 16.57", fit.tau2, fit.qe) == []
    assert misprints("-0.06 0.41", shrunken.min(), shrunken.max()) == []


TABLE_16_3 = {
    ("common", "z"): "0.000 0.060 0.036 1.655 -0.011 0.132",
    ("ML", "z"): "0.013 0.078 0.047 1.637 -0.015 0.171",
    ("REML", "z"): "0.019 0.084 0.052 1.621 -0.018 0.185",
    ("DL", "z"): "0.026 0.089 0.056 1.601 -0.020 0.199",
    ("HE", "z"): "0.080 0.114 0.079 1.443 -0.041 0.270",
    ("common", "knapp-hartung"): "0.000 0.060 0.051 1.173 -0.048 0.168",
    ("ML", "knapp-hartung"): "0.013 0.078 0.059 1.311 -0.047 0.202",
    ("REML", "knapp-hartung"): "0.019 0.084 0.062 1.359 -0.046 0.213",
    ("DL", "knapp-hartung"): "0.026 0.089 0.064 1.405 -0.044 0.223",
    ("HE", "knapp-hartung"): "0.080 0.114 0.071 1.608 -0.035 0.264",
}


@pytest.mark.parametrize(("method", "test"), TABLE_16_3)
def test_conventional_and_knapp_hartung_of_table_16_3(method: str, test: str) -> None:
    """Page 309: τ², mean, standard error, statistic and limits by five methods, two tests."""
    fit = random_effects(Y, V, method=method, test=test)  # type: ignore[arg-type]
    ours = (fit.tau2, fit.estimate, fit.se, fit.statistic, fit.ci_low, fit.ci_high)

    assert misprints(TABLE_16_3[method, test], *ours) == []


HUBER_WHITE = {
    "common": "0.060 0.040 1.515 -0.023 0.144",
    "ML": "0.078 0.047 1.637 -0.022 0.178",
    "REML": "0.084 0.050 1.676 -0.021 0.189",
    "DL": "0.089 0.052 1.710 -0.020 0.199",
    "HE": "0.114 0.062 1.850 -0.015 0.244",
}


@pytest.mark.parametrize("method", HUBER_WHITE)
def test_huber_white_of_table_16_3(method: str) -> None:
    """Page 309: mean, robust standard error, statistic and limits by five methods."""
    tau2 = random_effects(Y, V, method=method).tau2  # type: ignore[arg-type]
    robust = cluster_robust(inverse_variance_model(Y, V, tau2), range(19), correction="CR0")
    ours = (robust.coefficients, robust.se, robust.statistic, robust.ci_low, robust.ci_high)

    assert misprints(HUBER_WHITE[method], *ours) == []
