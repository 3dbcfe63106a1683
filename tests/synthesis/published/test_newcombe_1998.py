"""Newcombe (1998), Stat Med 17:857-872, Table I: intervals of a single proportion."""

from __future__ import annotations

import pytest

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.counts import clopper_pearson, wilson

TABLE_1 = {
    (81, 263): ("0.2553 0.3662", "0.2527 0.3676"),
    (15, 148): ("0.0624 0.1605", "0.0578 0.1617"),
    (0, 20): ("0.0000 0.1611", "0.0000 0.1684"),
    (1, 29): ("0.0061 0.1718", "0.0009 0.1776"),
}


@pytest.mark.parametrize(("events", "n"), TABLE_1)
def test_score_and_exact_intervals(events: int, n: int) -> None:
    """Methods 3 (score) and 5 (Clopper-Pearson)."""
    score, exact = TABLE_1[events, n]

    assert misprints(score, *wilson(events, n)) == []
    assert misprints(exact, *clopper_pearson(events, n)) == []
