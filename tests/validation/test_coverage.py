"""The committed simulation is what the program gives, and what the manual prints."""

from __future__ import annotations

import math

import pytest

from validation import coverage

REPLICATES = 400
"""Fewer than the table has, so that the test takes a second."""


def test_the_page_shows_the_table() -> None:
    """The chapter of the manual is written from the committed table."""
    assert coverage.PAGE.read_text(encoding="utf-8") == coverage.page(coverage.read())


def test_the_grid_is_complete() -> None:
    """Each method has each number of studies with each variance between them."""
    found = {(c.method, c.k, c.tau2) for c in coverage.read() if c.quantity == "mean"}
    names = [m.name for m in coverage.METHODS]

    assert found == {(m, k, t) for m in names for k in coverage.STUDIES for t in coverage.TAU2}


CELLS = (coverage.cells, coverage.funnel_cells, coverage.network_cells)


@pytest.mark.parametrize("k", [3, 10])
@pytest.mark.parametrize("tau2", [0.0, 0.15])
def test_other_data_sets_give_the_same_coverage(k: int, tau2: float) -> None:
    """With another seed each coverage lies within five standard errors of the table's."""
    committed = {(c.quantity, c.method, c.k, c.tau2): c.coverage for c in coverage.read()}
    for cell in (c for fill in CELLS for c in fill(k, tau2, replicates=REPLICATES, seed=1)):
        expected = committed[cell.quantity, cell.method, cell.k, cell.tau2] / 100
        se = math.sqrt(max(expected * (1 - expected), 0.005) / REPLICATES)

        assert cell.coverage / 100 == pytest.approx(expected, abs=5 * se), cell


def test_the_default_keeps_its_level() -> None:
    """Knapp and Hartung's interval holds the mean in 93 to 97 % wherever studies differ."""
    mine = [
        c.coverage
        for c in coverage.read()
        if c.quantity == "mean" and c.method == coverage.DEFAULT.name and c.tau2 > 0
    ]

    assert all(93 <= c <= 97 for c in mine), mine
