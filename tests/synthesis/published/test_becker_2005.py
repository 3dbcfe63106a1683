"""Becker (2005), chapter 7 of Rothstein, Sutton and Borenstein, Publication Bias in Meta-Analysis.

Fail-safe numbers of three data sets as the tests of metafor hold them (``fsn``), with their
notes on what the chapter prints; the number is the next whole one, the chapter rounds.
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import columns
from trabecula.synthesis.small_study import fail_safe_n
from trabecula.synthesis.small_study.fail_safe_n import Approach

Data = tuple[np.ndarray, np.ndarray]


def expectancy() -> Data:
    """Return 19 experiments on teacher expectancy."""
    y, v = columns("metadat_raudenbush1985", "yi", "vi")
    return y, v


def smoking() -> Data:
    """Return 37 studies of passive smoking and lung cancer."""
    y, v = columns("metafor_hackshaw1998_or", "yi", "vi")
    return y, v


def interviews() -> Data:
    """Return 160 correlations between interviews and performance, by Fisher's transformation."""
    n, r = columns("metadat_mcdaniel1994", "ni", "ri")
    return np.arctanh(r), 1 / (n - 3)


def number(data: Data, approach: Approach, target: float | None = None) -> int:
    """Return a fail-safe number."""
    return int(fail_safe_n(*data, approach=approach, target=target).n)


def unweighted(data: Data) -> Data:
    """Return the data with one variance for all, which makes the mean unweighted."""
    return data[0], np.ones_like(data[0])


def test_rosenthal() -> None:
    """26, 393 and 50,364; the chapter has 23, 398 and 51,226 from t tests and rounded values."""
    assert number(expectancy(), "rosenthal") == 26
    assert number(smoking(), "rosenthal") == 393
    assert number(interviews(), "rosenthal") == 50364


def test_orwin_with_the_unweighted_mean() -> None:
    """44, 186 and 129 studies bring the mean to 0.05, 0.049 and 0.15."""
    assert number(unweighted(expectancy()), "orwin", 0.05) == 44
    assert number(unweighted(smoking()), "orwin", 0.049) == 186
    assert number(unweighted(interviews()), "orwin", 0.15) == 129


def test_orwin_with_the_weighted_mean() -> None:
    """4, 104 and 65; the chapter rounds the last two to 103 and 64."""
    assert number(expectancy(), "orwin", 0.05) == 4
    assert number(smoking(), "orwin", 0.049) == 104
    assert number(interviews(), "orwin", 0.15) == 65


def test_rosenberg() -> None:
    """0, 202 and 45,528: the common-effect p-value of the first data set exceeds 0.05 already."""
    assert number(expectancy(), "rosenberg") == 0
    assert number(smoking(), "rosenberg") == 202
    assert number(interviews(), "rosenberg") == 45528
