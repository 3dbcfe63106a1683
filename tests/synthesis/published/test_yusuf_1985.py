"""Yusuf, Peto, Lewis, Collins and Sleight (1985), Prog Cardiovasc Dis 27:335-371: beta-blockers.

Deaths in the 21 trials of Table 6, three of them without any. The odds ratio as the tests of
metafor hold it (``yusuf1985``).
"""

from __future__ import annotations

import numpy as np

from tests.synthesis.published.printed import columns, misprints
from trabecula.synthesis.counts import peto


def test_peto_odds_ratio() -> None:
    """The odds ratio and its limits; trials without deaths have no part."""
    fit = peto(*columns("metadat_yusuf1985", "ai", "n1i", "ci", "n2i"))

    assert misprints("0.93 0.74 1.18", *np.exp([fit.estimate, fit.ci_low, fit.ci_high])) == []
    assert (int(fit.k), int(fit.k_double_zero)) == (21, 3)
