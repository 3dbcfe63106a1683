"""Hanley and Lippman-Hand (1983), JAMA 249:1743-1745: if nothing goes wrong."""

from __future__ import annotations

import pytest

from tests.synthesis.published.printed import misprints
from trabecula.synthesis.counts import clopper_pearson, rule_of_three


@pytest.mark.parametrize(("n", "percent"), [(14, "21.4"), (167, "1.8")])
def test_zero_numerators(n: int, percent: str) -> None:
    """0 of 14 and 0 of 167: the rule of three lies a little above the exact one-sided limit."""
    exact = clopper_pearson(0, n, level=0.9).high

    assert misprints(percent, 100 * rule_of_three(n)) == []
    assert exact < rule_of_three(n) < exact * 7 / 6
    assert exact == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-12)
