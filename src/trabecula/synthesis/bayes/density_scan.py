"""Where a density of the heterogeneity has its mass, found without knowing anything of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray

LOWEST, HIGHEST = math.log(1e-280), math.log(1e120)
"""Reach of ``log tau``: squares of the heterogeneity stay within double precision."""

NEAR, NEAR_STEP, FAR_STEP = 16.0, 0.25, 6.0
"""Within `NEAR` of the scale given, modes a quarter apart are told from each other."""

NEGLIGIBLE = 45.0
"""Where the logarithm has fallen by this much (to 3e-20 of the highest) nothing counts."""

MODES = 4
"""So many of the highest points of a scan are climbed from."""

DEPTHS = (2.0, 8.0, 20.0)
"""How far the logarithm has fallen where the first panels meet, to save halvings."""

CLIMB, FLAT = 12, 0.03
"""Most rounds of the search for a mode, each an eighth as wide as the last, and the range of the
logarithm within which it ends."""

FLANK = 8.0
"""Panels about a narrow mode are so many times as wide as the next nearer ones."""

RESOLVED = 1e15
"""Logarithms of this size differ by no less than 0.1 in double precision: nothing is left of a
density."""

LEVEL = 1e-6
"""A slope below this at an end of the reach is none: there is no end to the mass."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The logarithm of the density of ``log tau``."""

    log_density: Callable[[FloatArray], FloatArray]

    def __call__(self, at: FloatArray) -> FloatArray:
        """Return the curve at `at`; `ValueError` where it is NaN or infinite."""
        with np.errstate(divide="ignore", over="ignore", under="ignore"):
            value = np.asarray(self.log_density(np.exp(at.ravel())), dtype=np.float64)
        if np.isnan(value).any() or np.isposinf(value).any():
            wrong = np.exp(at.ravel()[~(value < np.inf)][0])
            raise ValueError(f"the log-density of the heterogeneity has no value at {wrong:g}")
        return value.reshape(at.shape) + at


@dataclass(frozen=True, slots=True, eq=False)
class Mode:
    """A local maximum: where, how high, and a width within which the curve is level."""

    at: float
    top: float
    width: float


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A curve looked at from end to end.

    ``modes``, the highest first; ``rise`` and ``fall``, how steeply the curve rises at the lower
    end of the reach and falls at the upper (infinite where it is nothing there).
    """

    at: FloatArray
    value: FloatArray
    modes: tuple[Mode, ...]
    rise: float
    fall: float

    @classmethod
    def of(cls, curve: Curve, center: float, end: float) -> Scan:
        """Return the scan of `curve` up to `end`, closest around `center`."""
        near = np.arange(center - NEAR, center + NEAR + NEAR_STEP, NEAR_STEP)
        far = np.arange(LOWEST, HIGHEST, FAR_STEP)
        at = np.unique(np.concatenate([near, far, [LOWEST, end]]))
        at = at[(at >= LOWEST) & (at <= end)]
        value = curve(at)
        if not (value > -RESOLVED).any():
            raise ValueError(
                "the density of the heterogeneity is zero, or too small for double precision, "
                "wherever it was looked at: prior and studies exclude each other, or the scale of "
                "the prior is far from where its mass is"
            )
        padded = np.concatenate([[-np.inf], value, [-np.inf]])
        peaks = np.flatnonzero((value > padded[:-2]) & (value >= padded[2:]))
        highest = peaks[np.argsort(value[peaks])[::-1][:MODES]]
        last = len(at) - 1
        modes = [_climb(curve, at[max(i - 1, 0)], at[min(i + 1, last)]) for i in highest]
        return cls(
            at,
            value,
            tuple(sorted(modes, key=lambda mode: -mode.top)),
            _fall(value[1], value[0], at[1] - at[0]),
            _fall(value[-2], value[-1], at[-1] - at[-2]) if end == HIGHEST else math.inf,
        )

    @property
    def top(self) -> float:
        """The highest value."""
        return self.modes[0].top

    @property
    def left_out(self) -> tuple[float, float]:
        """The mass beyond the ends of the reach, in units of the density at the top."""
        ends = ((float(self.value[0]), self.rise), (float(self.value[-1]), self.fall))
        low, high = (_beyond(value - self.top, slope) for value, slope in ends)
        return low, high

    def breaks(self, tilt: float) -> FloatArray:
        """Return where the first panels meet, from end to end of what counts.

        What counts for the expectation of ``tau ** tilt`` is included.
        """
        tilted = self.value + tilt * (self.at - self.modes[0].at)
        deep = self.top - NEGLIGIBLE
        counts = np.flatnonzero(
            (self.value > deep) | (tilted > max(tilted.max(), self.top) - NEGLIGIBLE)
        )
        about = np.searchsorted(self.at, [mode.at for mode in self.modes if mode.top > deep])
        inside = np.concatenate([counts, about - 1, about])
        ends = np.clip([inside.min() - 1, inside.max() + 1], 0, len(self.at) - 1)
        sides = [np.flatnonzero(self.value > self.top - depth) for depth in DEPTHS]
        meet = np.concatenate([*(s[[0, -1]] for s in sides if len(s)), ends])
        places = np.concatenate([self.at[meet.astype(np.int64)], *map(_flanks, self.modes)])
        low, high = self.at[ends]
        return np.unique(places[(places >= low) & (places <= high)])


def _flanks(mode: Mode) -> FloatArray:
    """Return a mode and, if it is narrow, points on both sides at growing distances."""
    count = max(0, math.floor(math.log(NEAR_STEP / max(mode.width, 1e-15), FLANK)))
    distance = mode.width * FLANK ** np.arange(1, count + 1)
    return np.concatenate([mode.at - distance, [mode.at], mode.at + distance])


def _fall(inner: float, outer: float, distance: float) -> float:
    """Return how steeply a curve falls outwards; infinite where it is nothing at the end."""
    return math.inf if np.isneginf(outer) else float(inner - outer) / float(distance)


def _beyond(height: float, fall: float) -> float:
    """Return the mass beyond an end of a curve of this log-height that falls at this rate."""
    if height < -NEGLIGIBLE or fall == math.inf:
        return 0.0
    return math.exp(height) / fall if fall > LEVEL else math.inf


def _climb(curve: Curve, low: float, high: float) -> Mode:
    """Return the mode between two points.

    It need not be exact, since panels only meet there; a jump must be, so that no sliver of mass
    hides between the edge of a panel and its first node.
    """
    for _ in range(CLIMB):
        at = np.linspace(low, high, 17)
        value = curve(at)
        best = int(value.argmax())
        low, high = float(at[max(best - 1, 0)]), float(at[min(best + 1, 16)])
        if np.ptp(value) < FLAT:
            break
    return Mode(float(at[best]), float(value[best]), float(at[-1] - at[0]))
