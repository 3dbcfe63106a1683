"""Jackson, Turner, Rhodes and Viechtbauer (2014), BMC Med Res Methodol 14:103.

Intervals of the residual between-study variance of two meta-regressions, examples 1 and 2, as
the tests of metafor hold them (``jackson2014``).
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.pairwise import meta_regression

ONE = (
    [
        0.0267, 0.8242, 0.3930, 2.4405, 2.1401, 1.2528, 2.4849, 0.3087,
        1.4246, 0.1823, 1.1378, 1.2321, 2.0695, 4.0237, 1.4383, 1.6021,
    ],
    [
        0.1285, 0.0315, 0.0931, 2.0967, 1.0539, 0.1602, 1.0235, 0.0218,
        0.5277, 0.0556, 0.3304, 0.1721, 0.4901, 2.0200, 0.3399, 0.1830,
    ],
    [0] * 10 + [1] * 6,
)  # fmt: skip

TWO = (
    [
        0.54, 0.4, 0.64, 0.365, 0.835, 0.02, 0.12, 0.085, 1.18, 0.08,
        0.18, 0.325, 0.06, 0.715, 0.065, 0.245, 0.24, 0.06, 0.19,
    ],
    [
        0.0176, 0.019, 0.0906, 0.0861, 0.0063, 0.0126, 0.0126, 0.0041, 0.0759, 0.0126,
        0.0104, 0.0242, 0.0026, 0.2629, 0.0169, 0.0156, 0.0481, 0.0084, 0.0044,
    ],
    [
        1986, 1987, 1988, 1988, 1998, 1999, 2000, 2000, 2000, 2001,
        2001, 2001, 2002, 2002, 2002, 2002, 2003, 2003, 2003,
    ],
)  # fmt: skip


def test_q_profile_intervals() -> None:
    """The interval whose ends solve the Paule-Mandel equation (weights with τ²)."""
    one, two = (meta_regression(*data, method="PM") for data in (ONE, TWO))

    assert misprints("0.0023 1.4871", one.tau2_ci_low, one.tau2_ci_high) == []
    assert misprints("0.0178 0.1564", two.tau2_ci_low, two.tau2_ci_high) == []


def test_intervals_on_the_log_scale() -> None:
    """The approximate interval from the REML estimate and its standard error."""
    for data, printed in ((ONE, "0.0110 0.6330"), (TWO, "0.0163 0.1108")):
        fit = meta_regression(*data, method="REML")
        half = 1.96 * fit.tau2_se / fit.tau2

        assert misprints(printed, fit.tau2 * np.exp(-half), fit.tau2 * np.exp(half)) == []
