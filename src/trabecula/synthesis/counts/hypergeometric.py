"""Fisher's noncentral hypergeometric distribution: one arm's events given those of both arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.quadrature import aligned

POINTS = 129
"""Values of the count that are summed over, at most.

The count is distributed as a sum of independent Bernoulli variables (its generating function has
real roots only), so that with standard deviation s a sum over every r-th value alone errs by at
most ``2 exp(-2 s² sin²(π/r))`` relative to the whole, less than 1e-15 for the r taken here.
"""

REACH = (10.0, 20.0)
"""The sum reaches ten standard deviations and twenty values beyond the mean on either side: what
lies farther has less than 1e-16 of the probability, also where the distribution is skewed."""

MOST_EVENTS = 10_000_000
"""Most events of a study; the table of coefficients of a study has as many entries."""


def fitted_cell(n_1: FloatArray, n_2: FloatArray, m: FloatArray, odds: FloatArray) -> FloatArray:
    """Return the expected events in arm 1 of tables with given margins and odds ratio.

    The root of ``a (n_2 - m + a) = odds (n_1 - a) (m - a)`` that lies within the table
    (Breslow and Day 1980, section 4.4), in forms that do not cancel.
    """
    linear = odds * (n_1 + m) + (n_2 - m)
    mixed = n_1 * n_2 + m * (n_1 + n_2 - m)
    root = np.sqrt((odds * (n_1 - m)) ** 2 + 2 * odds * mixed + (n_2 - m) ** 2)
    small = linear < 0  # odds are well below 1 where it is
    upper = 2 * odds * n_1 * m / np.where(small, 1.0, np.maximum(linear + root, 1e-300))
    cell = np.where(small, (linear - root) / np.where(small, 2 * (odds - 1), 1.0), upper)
    return np.clip(cell, np.maximum(m - n_2, 0.0), np.minimum(n_1, m))


def inverse_of_inverses(*cells: FloatArray) -> FloatArray:
    """Return ``1 / (1/a + 1/b + ...)``, 0 where a cell is empty."""
    empty = np.any([cell <= 0 for cell in cells], axis=0)
    total = np.sum([1 / np.where(cell > 0, cell, 1.0) for cell in cells], axis=0)
    return np.where(empty, 0.0, 1 / total)


@dataclass(frozen=True, slots=True, eq=False)
class Hypergeometric:
    """Events in arm 1 given the events of both arms; the linear predictor is the log odds ratio.

    Arrays (1, data sets, studies): ``a`` events in arm 1, ``m`` in both, ``low`` and ``high`` the
    least and the most that arm 1 can have. ``table`` (data sets, studies, values) holds the
    logarithms of the number of ways to each value from ``low`` on, relative to that of ``a``;
    the last entry is minus infinity.
    """

    a: FloatArray
    m: FloatArray
    n_1: FloatArray
    n_2: FloatArray
    low: FloatArray
    high: FloatArray
    table: FloatArray
    observed: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, a: FloatArray, n_1: FloatArray, c: FloatArray, n_2: FloatArray) -> Self:
        """Return the kernel of whole counts, tables (data sets, studies)."""
        m = a + c
        low, high = np.maximum(m - n_2, 0.0), np.minimum(n_1, m)
        cells = np.stack([a, n_1 - a, c, n_2 - c]) + 0.5
        observed = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
        weight = np.where(high > low, 1 / (1 / cells).sum(axis=0), 0.0)
        return cls(
            a[None],
            m[None],
            n_1[None],
            n_2[None],
            low[None],
            high[None],
            _ways(a, m, n_1, n_2, low, high),
            observed[None],
            weight[None],
        )

    def rows(self, index: IntArray) -> Hypergeometric:
        """Return the kernel of the data sets at `index`."""
        return Hypergeometric(
            self.a[:, index],
            self.m[:, index],
            self.n_1[:, index],
            self.n_2[:, index],
            self.low[:, index],
            self.high[:, index],
            self.table[index],
            self.observed[:, index],
            self.weight[:, index],
        )

    def derivatives(self, eta: FloatArray, order: int) -> list[FloatArray]:
        """Return the log-probabilities and their first derivatives: minus the cumulants."""
        shape = np.broadcast_shapes(eta.shape, aligned(self.a, eta).shape)
        eta = np.broadcast_to(eta, shape)
        from_a, ways, stride = self._window(eta)
        logs = ways + from_a * eta[..., None]
        top = logs.max(axis=-1, keepdims=True)
        share = np.exp(logs - top)
        total = share.sum(axis=-1)
        mean = np.einsum("...j,...j->...", share, from_a) / total
        parts = [-top[..., 0] - np.log(stride * total), -mean]
        if order > 1:
            centered = from_a - mean[..., None]
            share *= centered
            parts.append(-np.einsum("...j,...j->...", share, centered) / total)
            if order > 2:
                share *= centered
                parts.append(-np.einsum("...j,...j->...", share, centered) / total)
        return parts

    def _window(self, eta: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the values to be summed over, counted from a, their ways, and their distance."""
        length = self.table.shape[-1] - 1
        own = aligned(self.a - self.low, eta)[..., None]
        if length <= POINTS:
            ways = self.table[:, :, :length].reshape(
                (1,) * (eta.ndim - 2) + self.table.shape[:2] + (length,)
            )
            return np.arange(float(length)) - own, ways, np.ones(())
        n_1, n_2, m = (aligned(x, eta) for x in (self.n_1, self.n_2, self.m))
        a = fitted_cell(n_1, n_2, m, np.exp(np.clip(eta, -300, 300)))
        sd = np.sqrt(inverse_of_inverses(a, n_1 - a, m - a, n_2 - m + a))
        half = (POINTS - 1) // 2
        width = np.ceil((REACH[0] * sd + REACH[1]) / half)
        low, high = aligned(self.low, eta), aligned(self.high, eta)
        last = np.maximum(high - low - (POINTS - 1) * width, 0.0)
        first = np.clip(np.round(a - low) - half * width, 0.0, last)
        place = first[..., None] + width[..., None] * np.arange(float(POINTS))
        sets, studies = np.ogrid[: eta.shape[-2], : eta.shape[-1]]
        column = np.minimum(place, length).astype(np.int64)
        return place - own, self.table[sets[..., None], studies[..., None], column], width


def _ways(
    a: FloatArray,
    m: FloatArray,
    n_1: FloatArray,
    n_2: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> FloatArray:
    """Return the table of logarithms, summed up from ratios of neighbours."""
    steps = np.arange(float(high.max() - low.min() if high.size else 0))
    steps = steps[: int((high - low).max())] if high.size else steps
    value = low[..., None] + steps
    inside = value < high[..., None]
    value = np.where(inside, value, 0.0)
    many, few = (n_1[..., None] - value) * (m[..., None] - value), (value + 1)
    few = few * (n_2[..., None] - m[..., None] + value + 1)
    ratio = np.log(np.where(inside, many, 1.0)) - np.log(np.where(inside, few, 1.0))
    table = np.concatenate([np.zeros((*a.shape, 1)), np.cumsum(ratio, axis=-1)], axis=-1)
    mine = np.take_along_axis(table, (a - low).astype(np.int64)[..., None], axis=-1)
    outside = np.arange(table.shape[-1] + 1) > (high - low)[..., None]
    table = np.concatenate([table - mine, np.zeros_like(mine)], axis=-1)
    return np.where(outside, -np.inf, table)
