"""Normand (1999), Stat Med 18:321-359: lidocaine after infarction, and stays after stroke.

Figures of pages 330, 349 and 352 as the tests of metafor hold them (``normand1999``).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import columns, misprints
from trabecula.synthesis.pairwise import random_effects


def lidocaine() -> tuple[np.ndarray, np.ndarray]:
    """Return risk differences (percent) of six trials and their variances."""
    n_1, n_2, a, c = columns("metadat_hine1989", "n1i", "n2i", "ai", "ci")
    p, q = a / n_1, c / n_2
    return 100 * (p - q), 100**2 * (p * (1 - p) / n_1 + q * (1 - q) / n_2)


def stays() -> tuple[np.ndarray, np.ndarray]:
    """Return differences of mean days in nine trials, with the variance pooled over both arms."""
    names = ("n1i", "m1i", "sd1i", "n2i", "m2i", "sd2i")
    n_1, m_1, s_1, n_2, m_2, s_2 = columns("metadat_normand1999", *names)
    pooled = ((n_1 - 1) * s_1**2 + (n_2 - 1) * s_2**2) / (n_1 + n_2 - 2)
    return m_1 - m_2, pooled * (1 / n_1 + 1 / n_2)


def test_single_studies_of_table_3() -> None:
    """Page 330: risk differences, variances and limits of each trial."""
    y, v = lidocaine()
    alone = random_effects(y[:, None], v[:, None], test="z")

    assert misprints("2.8026 0.0000 1.9711 1.7961 3.5334 4.4031", alone.estimate) == []
    assert misprints("17.7575 37.5657 8.1323 10.8998 8.0114 6.1320", alone.se**2) == []
    assert misprints("-5.5 -12.0 -3.6 -4.7 -2.0 -0.5", alone.ci_low) == []
    assert misprints("11.1 12.0 7.6 8.3 9.1 9.3", alone.ci_high) == []


@pytest.mark.parametrize("method", ["common", "REML", "DL"])
def test_lidocaine_of_table_7(method: str) -> None:
    """Page 349: no heterogeneity by either method, hence one result by all three."""
    fit = random_effects(*lidocaine(), method=method, test="z")  # type: ignore[arg-type]

    assert misprints("2.94 0.4 5.5 0.000", fit.estimate, fit.ci_low, fit.ci_high, fit.tau2) == []


def test_single_studies_of_table_8() -> None:
    """Page 351: differences of means and variances of each trial."""
    y, v = stays()

    assert misprints("-20 -2 -55 -71 -4 1 11 -10 7", y) == []
    assert misprints("40.59 2.05 15.28 150.22 20.19 1.22 95.38 8.03 20.69", v) == []


@pytest.mark.parametrize(
    ("method", "printed"),
    [
        ("common", "-3.49 -5.03 -1.96 0.00"),
        ("DL", "-14.10 -24.45 -3.75 218.72"),
        ("REML", "-15.12 -32.67 2.43 685.20"),
    ],
)
def test_stays_of_table_9(method: str, printed: str) -> None:
    """Page 352: means, limits and heterogeneity, twice as wide by REML as by DerSimonian-Laird."""
    fit = random_effects(*stays(), method=method, test="z")  # type: ignore[arg-type]

    assert misprints(printed, fit.estimate, fit.ci_low, fit.ci_high, fit.tau2) == []
