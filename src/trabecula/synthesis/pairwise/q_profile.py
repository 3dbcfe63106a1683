"""The Q-profile interval of the between-study variance, and what it means as I² and H²."""

from __future__ import annotations

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.newton import newton
from trabecula.synthesis.pairwise.power_sums import (
    Column,
    Columns,
    Number,
    Sums,
    Table,
    divide,
    greater,
)
from trabecula.synthesis.studies import Studies

STEPS = 200
"""Most steps of a search; 3 to 6 are usual, and none can overshoot."""


def tau2_at_q(table: Table, target: Number, *known: tuple[Number, Sums]) -> Number:
    """Return the between-study variance at which the generalised Q equals `target`.

    0 where Q does not reach `target`. ``1 / Q`` is a concave function of the variance: its
    tangents lie above it, so that Newton's method climbs to the root without ever passing it.
    `known` are sums at other variances, whose tangents give a closer start.
    """
    start = greater(_tangent(table.zero, target), 0.0)
    for place, sums in known:
        start = greater(start, place + _tangent(sums, target))
    if isinstance(table.data, Column):
        return newton(table.data, start, target, _step, STEPS) if table.zero.q1 > target else 0.0
    tau2 = np.zeros_like(table.k)
    rows = np.flatnonzero(table.zero.q1 > target)
    if len(rows):
        data = table.data if len(rows) == len(tau2) else table.data.take(rows)
        tau2[rows] = newton(data, start[rows], target[rows], _step, STEPS)
    return tau2


def _tangent(sums: Sums, target: Number) -> Number:
    return divide(sums.q1 * (sums.q1 - target), target * sums.q2)


def _step(data: Column | Columns, tau2: Number, target: Number) -> Number:
    return _tangent(data.sums(tau2), target)


def q_profile(table: Table, level: float, *known: tuple[Number, Sums]) -> tuple[Number, Number]:
    """Return the limits of the Q-profile interval of the between-study variance.

    Viechtbauer (2007), Stat Med 26:37-52. At the limits the generalised Q equals the upper
    and lower chi-square quantile. Both limits are 0 where even no variance at all makes Q too
    small. `known` are sums at other variances.
    """
    tail = (1 - level) / 2
    low = tau2_at_q(table, chi2_quantile(1 - tail, table.df), *known)
    high = tau2_at_q(table, chi2_quantile(tail, table.df), *known)
    return low, high


def typical_variance(studies: Studies) -> FloatArray:
    """Return the typical sampling variance of each data set; NaN for a single study.

    Higgins and Thompson (2002), Stat Med 21:1539-1558, equation 9.
    """
    several = studies.k > 1
    fixed = studies.weighted(np.zeros_like(studies.k))
    return np.where(several, studies.df / np.where(several, fixed.sum_p, 1.0), np.nan)


def i2_of(tau2: Number, typical: Number) -> Number:
    """Return the percentage of variance that is between studies."""
    return 100 * tau2 / (tau2 + typical)


def h2_of(tau2: Number, typical: Number) -> Number:
    """Return total variance over sampling variance."""
    return tau2 / typical + 1
