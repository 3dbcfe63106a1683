"""Profile-likelihood intervals of independent variances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import LARGEST, FloatArray, IntArray
from trabecula.synthesis.dependent.climb import Hill, Peak, climb
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.roots import descending_root

LEAST = 0.1
"""Where the other standard deviations begin at least: at zero a climb would not see that it
could rise."""

COARSE = 1e3
"""Limits are exact to about 1e-12 of a typical variance: the likelihood has no more digits."""


@dataclass(slots=True, eq=False)
class Descent:
    """The profile likelihood on the way from its top to a limit, one row a limit.

    At distance u the variance ``parameter`` is held at ``top + side * u`` and the others are
    climbed from where they last were.
    """

    hill: Hill
    theta: FloatArray
    parameter: IntArray
    top: FloatArray
    side: FloatArray
    floor: FloatArray

    def __call__(self, distance: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the height above the floor at `distance`, and its slope."""
        rows = np.arange(len(distance))
        start = np.where(np.abs(self.theta) < LEAST, LEAST, self.theta)
        held = np.sqrt(np.maximum(self.top + self.side * distance, 0.0))
        start[rows, self.parameter] = held
        peak = climb(self.hill, start)
        self.theta = peak.theta
        at = self.hill.likelihood.surface(peak.natural, restricted=self.hill.restricted)
        return at.value - self.floor, self.side * at.slope[rows, self.parameter]


def profile_intervals(hill: Hill, peak: Peak, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the limits (data sets, variances) at which twice the fall reaches chi-square(1).

    The lower limit is 0 where the likelihood does not fall so far on the way to 0.
    """
    sets, q = peak.natural.shape
    fall = float(chi2_quantile(level, np.array(1.0))) / 2
    row = np.repeat(np.arange(sets), 2 * q)
    parameter = np.tile(np.repeat(np.arange(q), 2), sets)
    top = peak.natural[row, parameter]
    descent = Descent(
        hill=replace(hill.take(row), held=parameter),
        theta=peak.theta[row],
        parameter=parameter,
        top=top,
        side=np.tile([-1.0, 1.0], sets * q),
        floor=peak.height[row] - fall,
    )
    far, reached = _beyond(descent, top)
    low = np.where(reached, 0.0, far)
    distance = descending_root(descent, low, far, (low + far) / 2, COARSE)
    limits = (top + descent.side * distance).reshape(sets, q, 2)
    return np.maximum(limits[..., 0], 0.0), limits[..., 1]


def _beyond(
    descent: Callable[[FloatArray], tuple[FloatArray, FloatArray]], top: FloatArray
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return distances where the profile lies below the floor, and whether it does there.

    Downward the search ends at a variance of zero.
    """
    upward = np.arange(len(top)) % 2 == 1
    far = np.where(upward, np.maximum(2 * top, 1.0), top)
    while True:
        height, _ = descent(far)
        short = upward & (height > 0)
        if not short.any():
            return far, height <= 0
        if far.max() > LARGEST:
            raise ArithmeticError(
                "the likelihood does not fall as a variance grows: there are too few groups to "
                "give it an upper limit"
            )
        far = np.where(short, 4 * far, far)
