"""Roots of many falling functions whose values are costly: solved ones are not asked again."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray

Rows = NDArray[np.intp]

STEPS = 500
"""Most steps of a search; bisection of the widest bracket needs 400, Newton's method 4 to 6."""

NEWTON = 1e-8
"""A search ends after a step of Newton's shorter than this, relative: the error that remains is
of the order of its square. To go on would be to follow rounding."""

BISECTION = 4 * np.finfo(np.float64).eps
"""A search that bisects ends when its bracket is as short as this, relative."""


def falling_root(
    function: Callable[[FloatArray, Rows], tuple[FloatArray, FloatArray]],
    low: FloatArray,
    high: FloatArray,
    start: FloatArray,
    scale: FloatArray,
) -> FloatArray:
    """Return where each function passes from above to below zero, between `low` and `high`.

    Newton's steps, replaced by bisection where they leave the bracket or do not halve: every
    search ends. A function that is not above zero at `low` gives `low`.

    Parameters
    ----------
    function
        Returns values and slopes at points, for the functions of the given rows.
    low, high, start
        Brackets and where to begin in them, one a row.
    scale
        Length below whose rounding differences do not count.

    Raises
    ------
    ArithmeticError
        If a function returns NaN, or a search does not end.
    """
    root = start.copy()
    rows = np.nonzero(high > low)[0]
    root[high <= low] = low[high <= low]
    low, high, point, scale = low[rows], high[rows], start[rows], scale[rows]
    step = high - low
    for _ in range(STEPS):
        if not rows.size:
            return root
        value, slope = function(point, rows)
        if np.isnan(value).any():
            raise ArithmeticError(f"{int(np.isnan(value).sum())} equations have no value (NaN)")
        above = value > 0
        low, high = np.where(above, point, low), np.where(above, high, point)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = -value / slope
        good = (slope < 0) & (np.abs(newton) <= np.abs(step) / 2)
        good &= (point + newton >= low) & (point + newton <= high)
        step = np.where(value == 0, 0.0, np.where(good, newton, (low + high) / 2 - point))
        point = point + step
        root[rows] = point
        size = np.abs(point) + scale
        going = np.abs(step) > np.where(good, NEWTON, BISECTION) * size
        going &= high - low > BISECTION * size
        if not going.all():
            rows, low, high = rows[going], low[going], high[going]
            point, step, scale = point[going], step[going], scale[going]
    raise ArithmeticError(f"no root found in {STEPS} steps for {len(rows)} equations")


def falling_root_of_one(
    function: Callable[[float], tuple[float, float]],
    low: float,
    high: float,
    start: float,
    scale: float,
) -> float:
    """Return the root of one function as `falling_root` does, at a tenth of its overhead."""
    if high <= low:
        return low
    point, step = start, high - low
    for _ in range(STEPS):
        value, slope = function(point)
        if value != value:
            raise ArithmeticError("1 equation has no value (NaN)")
        low, high = (point, high) if value > 0 else (low, point)
        newton = -value / slope if slope < 0 else math.inf
        good = abs(newton) <= abs(step) / 2 and low <= point + newton <= high
        step = 0.0 if value == 0 else newton if good else (low + high) / 2 - point
        point += step
        size = abs(point) + scale
        if abs(step) <= (NEWTON if good else BISECTION) * size or high - low <= BISECTION * size:
            return point
    raise ArithmeticError(f"no root found in {STEPS} steps")
