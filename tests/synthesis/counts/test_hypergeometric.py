"""The noncentral hypergeometric likelihood: exact for small tables, steady for large ones."""

from __future__ import annotations

import math
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from scipy.stats.contingency import odds_ratio

from trabecula.synthesis.counts.hypergeometric import Hypergeometric, fitted_cell
from trabecula.synthesis.roots import descending_root


def kernel(a: float, n_1: float, c: float, n_2: float) -> Hypergeometric:
    """Return the likelihood of one table."""
    return Hypergeometric.of(*(np.array([[float(x)]]) for x in (a, n_1, c, n_2)))


def at(table: tuple[int, int, int, int], eta: float) -> list[float]:
    """Return log-probability, slope, curvature and third derivative of one table."""
    return [float(x.item()) for x in kernel(*table).derivatives(np.array([[[eta]]]), 3)]


def exact(table: tuple[int, int, int, int], odds: Fraction) -> list[float]:
    """Return the same in rational arithmetic."""
    a, n_1, c, n_2 = table
    m = a + c
    values = range(max(0, m - n_2), min(n_1, m) + 1)
    ways = {x: comb(n_1, x) * comb(n_2, m - x) * odds**x for x in values}
    total = sum(ways.values())
    mean = sum(x * w for x, w in ways.items()) / total
    centered = [sum((x - mean) ** p * w for x, w in ways.items()) / total for p in (2, 3)]
    ratio = ways[a] / total
    log = math.log(ratio.numerator) - math.log(ratio.denominator)
    return [log, float(a - mean), float(-centered[0]), float(-centered[1])]


@pytest.mark.parametrize("odds", [Fraction(1, 20), Fraction(3, 5), Fraction(1), Fraction(40)])
@pytest.mark.parametrize(
    "table", [(3, 20, 5, 30), (0, 4, 2, 3), (30, 60, 25, 40), (4, 4, 1, 9), (7, 300, 2, 200)]
)
def test_small_tables_are_exact(table: tuple[int, int, int, int], odds: Fraction) -> None:
    """Probability and cumulants are those of rational arithmetic."""
    np.testing.assert_allclose(
        at(table, float(np.log(float(odds)))), exact(table, odds), rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize("odds", [Fraction(1, 3), Fraction(1), Fraction(5, 2)])
def test_large_tables_are_summed_over_every_few_values(odds: Fraction) -> None:
    """A support of 700 values, of which 129 at most are looked at, loses no digit."""
    table = (300, 900, 400, 1100)
    np.testing.assert_allclose(
        at(table, float(np.log(float(odds))))[1:], exact(table, odds)[1:], rtol=1e-9, atol=1e-7
    )


def test_a_batch_of_large_and_small_tables_is_each_alone() -> None:
    """The shared width of the table does not change a study."""
    small, large = (0, 8, 3, 9), (5000, 90_000, 4000, 80_000)
    both = Hypergeometric.of(
        *(np.array([[x, y]], dtype=float) for x, y in zip(small, large, strict=True))
    )
    together = np.stack(both.derivatives(np.full((1, 1, 2), -0.4), 3))[:, 0, 0]

    np.testing.assert_allclose(together[:, 0], at(small, -0.4), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(together[:, 1], at(large, -0.4), rtol=1e-10)


def test_slopes_are_those_of_the_log_probability() -> None:
    """Each derivative is the difference of the one below, with a million patients too."""
    table, h = (1200, 10**6, 2100, 10**6), 1e-4
    up, down, here = at(table, -0.5 + h), at(table, -0.5 - h), at(table, -0.5)
    for order in range(3):
        slope = (up[order] - down[order]) / (2 * h)
        assert here[order + 1] == pytest.approx(slope, rel=1e-5, abs=1e-3)


@pytest.mark.parametrize("table", [(3, 20, 5, 30), (12, 40, 20, 50), (1, 9, 6, 8)])
def test_the_conditional_estimate_is_that_of_scipy(table: tuple[int, int, int, int]) -> None:
    """Where the slope vanishes lies Fisher's conditional maximum likelihood odds ratio."""
    one = kernel(*table)

    def score(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        _, slope, curvature = one.derivatives(x[None, None], 2)
        return slope[0, 0], curvature[0, 0]

    root = descending_root(score, np.array([-30.0]), np.array([30.0]), np.zeros(1), 1.0)
    a, n_1, c, n_2 = table
    theirs = odds_ratio([[a, n_1 - a], [c, n_2 - c]], kind="conditional").statistic

    assert np.exp(root[0]) == pytest.approx(theirs, rel=1e-8)


def bisected(n_1: float, n_2: float, m: float, odds: float, low: float, high: float) -> float:
    """Return the cell in rational arithmetic."""
    first, last = Fraction(low), Fraction(high)
    sizes = [Fraction(x) for x in (n_1, n_2, m, odds)]
    for _ in range(110):
        a = (first + last) / 2
        above = a * (sizes[1] - sizes[2] + a) > sizes[3] * (sizes[0] - a) * (sizes[2] - a)
        first, last = (first, a) if above else (a, last)
    return float(first)


@pytest.mark.parametrize("odds", [1e-12, 1e-3, 0.3, 1.0, 1.0 + 1e-13, 7.0, 1e12])
def test_the_fitted_cell_has_its_odds_ratio(odds: float) -> None:
    """The quadratic is solved without cancellation, at and near an odds ratio of 1 too."""
    n_1 = np.array([40.0, 1e6, 3, 95, 20, 60])
    n_2 = np.array([50.0, 1e6, 90, 99, 40, 60])
    m = np.array([30.0, 900, 20, 178, 59, 60])
    a = fitted_cell(n_1, n_2, m, np.array(odds))

    cells = (n_1, n_2, m, a)
    for size_1, size_2, events, cell in zip(*cells, strict=True):
        left, right = max(events - size_2, 0.0), min(size_1, events)
        exact = bisected(size_1, size_2, events, odds, left, right)
        assert cell == pytest.approx(exact, rel=1e-13, abs=1e-13 * right)
    if odds == 1:
        np.testing.assert_allclose(a, n_1 * m / (n_1 + n_2), rtol=1e-14)
