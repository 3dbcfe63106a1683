"""Viechtbauer (2005), J Educ Behav Stat 30:261-293: seven estimators, two examples.

Figures of pages 271 and 272 as the tests of metafor hold them (``viechtbauer2005``).
"""

from __future__ import annotations

import pytest

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.pairwise import random_effects
from trabecula.synthesis.pairwise.heterogeneity import Method

ONE = (
    [-0.581, 0.530, 0.771, 1.031, 0.553, 0.295, 0.078, 0.573, -0.176, -0.232],
    [0.023, 0.052, 0.060, 0.115, 0.095, 0.203, 0.200, 0.211, 0.051, 0.040],
)

TWO = (
    [
        0.100, -0.162, -0.090, -0.049, -0.046, -0.010, -0.431, -0.261, 0.134,
        0.019, 0.175, 0.056, 0.045, 0.103, 0.121, -0.482, 0.290, 0.342,
    ],
    [
        0.016, 0.015, 0.050, 0.050, 0.032, 0.052, 0.036, 0.024, 0.034,
        0.033, 0.031, 0.034, 0.039, 0.167, 0.134, 0.096, 0.016, 0.035,
    ],
)  # fmt: skip

METHODS: tuple[Method, ...] = ("HS", "HE", "DL", "ML", "REML", "EB", "SJ")

PRINTED = {
    "page 271": (
        ONE,
        "0.228 0.148 0.277 0.197 0.223 0.192 0.199",
        "77.23 68.80 80.44 74.51 76.84 74.05 74.75",
        "4.39 3.21 5.11 3.92 4.32 3.85 3.96",
    ),
    "page 272": (
        TWO,
        "0.010 0.000 0.013 0.013 0.016 0.010 0.025",
        "22.93 0.00 27.53 28.45 32.02 23.72 42.67",
        "1.30 1.00 1.38 1.40 1.47 1.31 1.74",
    ),
}


@pytest.mark.parametrize("page", PRINTED)
def test_between_study_variance_by_seven_methods(page: str) -> None:
    """The between-study variance, I² and H² by each method."""
    data, tau2, i2, h2 = PRINTED[page]
    fits = [random_effects(*data, method=method) for method in METHODS]

    assert misprints(tau2, *[fit.tau2 for fit in fits]) == []
    assert misprints(i2, *[fit.i2 for fit in fits]) == []
    assert misprints(h2, *[fit.h2 for fit in fits]) == []
