"""Mixtures of normal distributions: what a normal mean with uncertain spread is distributed as."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.roots import descending_root

ROOT_TWO_PI = math.sqrt(2 * math.pi)

NEGLIGIBLE = 1e-15
"""Weight below which a component is left out of distribution functions (never of moments)."""

SPREADS = 1e5
"""Length of a Newton step, in machine precisions of the components' harmonic mean spread, that is
the last: what remains is of the order of its square. (The ordinary mean can be as large as the
tail is heavy, and then all of the distribution would lie within one step.)"""

EVEN, CENTERS = 13, 8
"""Points of a look: so many evenly between the ends of the central interval, and the means of so
many components. Narrow peaks lie at the latter."""

ZOOMS, ZOOM = 1, 9
"""Rounds that narrow the bracket of a mode, each to a quarter, before Newton's method."""

LONGER, CLOSE = 1e-9, 1e-7
"""Relative lengths below which an interval is not longer, a Newton step the last."""

NEWTON = 40
"""Most steps to the ends of a shortest interval; six are the rule."""

WIDE, SEARCHES = 33, 8
"""Intervals compared in a round of the search for the shortest, each a sixteenth as wide as the
last, and rounds."""


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """Densities ``height`` at ordered points ``x`` (rows, points)."""

    x: FloatArray
    height: FloatArray

    @property
    def has_valleys(self) -> NDArray[np.bool_]:
        """Which rows fall and rise again."""
        step = np.diff(self.height)
        rounding = self.height.max(axis=1, keepdims=True) * LONGER
        falls = np.logical_or.accumulate(step < -rounding, axis=1)
        return np.asarray((falls & (step > rounding)).any(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class NormalMixture:
    """Mixtures with common weights: ``weight`` (components,), ``mean``, ``sd`` (rows, components).

    Points are given as (rows, points).
    """

    weight: FloatArray
    mean: FloatArray
    sd: FloatArray

    def pruned(self) -> NormalMixture:
        """Return the mixtures without components of negligible weight."""
        kept = self.weight > NEGLIGIBLE
        weight = self.weight[kept]
        return NormalMixture(weight / weight.sum(), self.mean[:, kept], self.sd[:, kept])

    def rows_at(self, which: NDArray[np.bool_]) -> NormalMixture:
        """Return the mixtures of some rows."""
        return NormalMixture(self.weight, self.mean[which], self.sd[which])

    @property
    def expectation(self) -> FloatArray:
        """The mean of each row."""
        return self.mean @ self.weight

    @property
    def variance(self) -> FloatArray:
        """The variance of each row."""
        apart = self.mean - self.expectation[:, None]
        return np.asarray((self.sd**2 + apart**2) @ self.weight)

    def cdf(self, x: FloatArray) -> FloatArray:
        """Return the distribution functions at points `x`."""
        return np.minimum(special.ndtr(self._z(x)) @ self.weight, 1.0)

    def density(self, x: FloatArray) -> FloatArray:
        """Return the densities at points `x`."""
        return _weighted(_bell(self._z(x)), self._height)

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Return the quantiles at `probability` (rows, points) in (0, 1).

        The quantile of a mixture lies between the smallest and the largest of its components'.
        """
        at = self.mean[:, None] + self.sd[:, None] * special.ndtri(probability)[..., None]
        height = self._height

        def short_of(x: FloatArray) -> tuple[FloatArray, FloatArray]:
            z = self._z(x)
            return probability - special.ndtr(z) @ self.weight, -_weighted(_bell(z), height)

        start = at @ self.weight
        return descending_root(short_of, at.min(axis=-1), at.max(axis=-1), start, self._scale)

    def look(self, inner: FloatArray) -> Look:
        """Return the densities at points within and about `inner` (rows, 2)."""
        even = inner[:, :1] + np.diff(inner) * np.linspace(0, 1, EVEN)
        shares = (np.arange(CENTERS) + 0.5) / CENTERS
        some = np.searchsorted(np.cumsum(self.weight), shares).clip(0, len(self.weight) - 1)
        x = np.sort(np.concatenate([even, self.mean[:, some], self.mean[:, :1]], axis=1))
        return Look(x, self.density(x))

    def mode(self, look: Look) -> FloatArray:
        """Return where each density is highest, near the highest point of `look`."""
        best, low, high = _around(look.x, look.height)
        for _ in range(ZOOMS):
            x = np.concatenate([low + (high - low) * np.linspace(0, 1, ZOOM), best], axis=1)
            x.sort(axis=1)
            best, low, high = _around(x, self.density(x))
        steep, curved = self._height / self.sd, self._height / self.sd**2

        def rise(x: FloatArray) -> tuple[FloatArray, FloatArray]:
            z = self._z(x)
            bell = _bell(z)
            return -_weighted(z * bell, steep), _weighted((z * z - 1) * bell, curved)

        return descending_root(rise, low, high, best, self._scale)[:, 0]

    def shortest(self, level: float, central: FloatArray, look: Look) -> FloatArray:
        """Return the shortest intervals (rows, 2) that hold `level`.

        `central` are the central ones. Both ends of the shortest have the same density: two
        equations for two ends, solved by Newton's method. Where that fails, or where the
        density has several modes as far as `look` tells, all intervals of that level are
        compared.
        """
        ends, solved = self._newton(level, central)
        longer = np.diff(ends) > np.diff(central) * (1 + LONGER)
        doubtful = ~solved | longer[:, 0] | look.has_valleys
        if doubtful.any():
            ends = ends.copy()
            ends[doubtful] = self.rows_at(doubtful)._searched(level)
        return ends

    def _newton(self, level: float, start: FloatArray) -> tuple[FloatArray, NDArray[np.bool_]]:
        """Return ends of equal density that hold `level`, and where they were found."""
        ends, small = start, np.zeros(len(start), dtype=bool)
        share, steep = self._height, self._height / self.sd
        for _ in range(NEWTON):
            z = self._z(ends)
            bell = _bell(z)
            mass = np.diff(special.ndtr(z) @ self.weight)[:, 0] - level
            height = _weighted(bell, share)
            with np.errstate(divide="ignore", invalid="ignore"):
                bend = -_weighted(z * bell, steep) / height
                uneven = np.log(height[:, 0] / height[:, 1])
                det = height[:, 0] * bend[:, 1] - height[:, 1] * bend[:, 0]
                left = (bend[:, 1] * mass + height[:, 1] * uneven) / det
                right = (bend[:, 0] * mass + height[:, 0] * uneven) / det
            limit = np.diff(ends) / 3
            step = np.clip(np.stack([left, right], axis=1), -limit, limit)
            ends = ends + step
            small = np.asarray((np.abs(step) <= CLOSE * limit).all(axis=1))
            if small.all():
                break
        return ends, small

    def _searched(self, level: float) -> FloatArray:
        """Return the shortest of all intervals, by zooming into the probability left out below."""
        low, high = np.zeros((len(self.mean), 1)), np.full((len(self.mean), 1), 1 - level)
        for _ in range(SEARCHES):
            p = low + (high - low) * np.linspace(0.5 / WIDE, 1 - 0.5 / WIDE, WIDE)
            ends = self.quantile(np.concatenate([p, p + level], axis=1))
            best = (ends[:, WIDE:] - ends[:, :WIDE]).argmin(axis=1)[:, None]
            low, high = (
                np.take_along_axis(p, (best + shift).clip(0, WIDE - 1), 1) for shift in (-1, 1)
            )
        chosen = [np.take_along_axis(ends, best + at, 1) for at in (0, WIDE)]
        return np.concatenate(chosen, axis=1)

    def _z(self, x: FloatArray) -> FloatArray:
        return (x[..., None] - self.mean[:, None]) / self.sd[:, None]

    @property
    def _height(self) -> FloatArray:
        return self.weight / self.sd / ROOT_TWO_PI

    @property
    def _scale(self) -> FloatArray:
        return SPREADS / ((1 / self.sd) @ self.weight)[:, None]


def _weighted(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the sums over components of values (rows, points, components)."""
    return np.asarray((values @ weight[..., None])[..., 0])


def _bell(z: FloatArray) -> FloatArray:
    return np.exp(z * z * -0.5)


def _around(x: FloatArray, height: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the highest point of each row and its neighbors (rows, 1)."""
    at = np.clip(height.argmax(axis=1), 1, x.shape[1] - 2)[:, None]
    best, low, high = (np.take_along_axis(x, at + shift, 1) for shift in (0, -1, 1))
    return best, low, high
