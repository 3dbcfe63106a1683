"""The posterior distribution of the heterogeneity."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.bayes.heterogeneity_grid import HeterogeneityGrid

ZOOM, ZOOM_ROUNDS = 25, 3
"""Points and rounds of the search for a mode, each a twelfth as wide as the last; a parabola does
the rest. More rounds would compare rounding errors."""

INTERVALS, NARROWINGS = 33, 3
"""Intervals of a level that are compared in a round, each round a sixteenth as wide as the one
before, and rounds after the first; a straight line does the rest."""

LEVEL = 1e-12
"""Intervals whose lengths differ by less, relatively, are equally short: the lowest is taken."""

ROUNDING = 1e-14
"""Logarithms this close, relatively, are equally high: a maximum is known to the root of that."""

ALMOST = 1 - 1e-9
"""Share of the probability outside an interval that may lie below it: less than all of it, so
that its upper end is finite."""


def highest(
    function: Callable[[FloatArray], FloatArray], candidates: FloatArray
) -> tuple[float, float]:
    """Return the heterogeneity, 0 among them, where `function` is highest, and its value there.

    `candidates` are positive and in order, close enough that no two modes lie between three of
    them. Where the function has no bound at 0, that is its mode.
    """
    points = np.concatenate([[0.0], candidates])
    with np.errstate(divide="ignore", over="ignore"):
        value = function(points)
    at_zero = float(value[0])
    for _ in range(ZOOM_ROUNDS):
        best = int(value.argmax())
        low, high = points[max(best - 1, 0)], points[min(best + 1, len(points) - 1)]
        points = np.linspace(low, high, ZOOM)
        value = function(points)
    at, top = _vertex(points, value)
    return (0.0, at_zero) if top <= at_zero + ROUNDING * max(1.0, abs(at_zero)) else (at, top)


def _vertex(points: FloatArray, value: FloatArray) -> tuple[float, float]:
    """Return the top of the parabola through the highest of evenly spaced points."""
    best = int(value.argmax())
    if not 0 < best < len(points) - 1:
        return float(points[best]), float(value[best])
    left, top, right = (float(v) for v in value[best - 1 : best + 2])
    bend = left - 2 * top + right
    shift = 0.5 * (left - right) / bend if math.isfinite(bend) and bend < 0 else 0.0
    step = float(points[1] - points[0])
    return float(points[best]) + shift * step, top - 0.25 * (left - right) * shift


@dataclass(frozen=True, slots=True, eq=False)
class HeterogeneityLaw:
    """A distribution on a grid, with the function ``log_density`` that the grid integrates."""

    grid: HeterogeneityGrid
    log_density: Callable[[FloatArray], FloatArray]

    @property
    def mean(self) -> float:
        """The mean; infinite where the tail is too heavy."""
        if not self.grid.has_moment(1):
            return float("inf")
        return float(self.grid.weight @ self.grid.tau)

    @property
    def sd(self) -> float:
        """The standard deviation; infinite where the tail is too heavy."""
        if not self.grid.has_moment(2):
            return float("inf")
        return float(np.sqrt(self.grid.weight @ (self.grid.tau - self.mean) ** 2))

    @property
    def mode(self) -> float:
        """Where the density is highest; 0 where it has no bound there."""
        end = np.exp(self.grid.edge[-1])
        return highest(self.log_density, np.append(self.grid.tau, end))[0]

    def cdf(self, x: FloatArray) -> FloatArray:
        """Return the probability of a heterogeneity up to `x`."""
        return self.grid.cdf(x)

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Return the quantiles at `probability`."""
        return self.grid.quantile(probability)

    def density(self, x: FloatArray) -> FloatArray:
        """Return the density at `x`, 0 below 0; infinite at 0 where it has no bound."""
        flat = np.maximum(x, 0.0).ravel()
        with np.errstate(divide="ignore", over="ignore"):
            value = np.exp(self.log_density(flat) - self.grid.log_evidence)
        return np.where(x >= 0, value.reshape(x.shape), 0.0)

    def shortest(self, level: float) -> tuple[float, float]:
        """Return the shortest interval that holds `level`.

        It starts at 0, or its ends have the same density.
        """
        below = np.linspace(0, (1 - level) * ALMOST, INTERVALS)
        ends = self.quantile(np.stack([below, below + level]))
        width = ends[1] - ends[0]
        at = int((width <= width.min() * (1 + LEVEL)).argmax())
        for _ in range(NARROWINGS):
            bracket = np.clip([at - 1, at + 1], 0, INTERVALS - 1)
            below = np.linspace(below[bracket[0]], below[bracket[1]], INTERVALS)
            ends = self.quantile(np.stack([below, below + level]))
            uneven = np.subtract(*self.density(ends))
            width = ends[1] - ends[0]
            equal = np.flatnonzero((uneven[:-1] < 0) & (uneven[1:] >= 0))
            if not len(equal):
                p = below[width.argmin()]
                break
            at = int(equal[width[equal].argmin()])
            share = uneven[at] / (uneven[at] - uneven[at + 1])
            p = below[at] + share * (below[at + 1] - below[at])
        low, high = self.quantile(np.array([p, p + level]))
        return float(low), float(high)
