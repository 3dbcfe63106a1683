"""Newton's method for one equation in the between-study variance, for each of many data sets."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.pairwise.power_sums import Column, Columns, Number

Step = Callable[[Column | Columns, Number, Number], Number]
"""Newton's step for some data, a between-study variance and a target; NaN where there is none."""

SHORT = 1e-8
"""A search ends with a step shorter than this, relative to the root counted from minus the
smallest variance. Each step squares the error: what remains is of the size of rounding."""

CROWD = 0.75
"""Data sets that have ended are put aside once fewer than this share still search."""


def newton(data: Column | Columns, start: Number, target: Number, step: Step, most: int) -> Number:
    """Return where the steps from `start` end, never below 0; NaN where `most` are not enough."""
    if isinstance(data, Column):
        return _of_one(data, start, target, step, most)
    return _of_many(data, start, target, step, most)


def _of_one(data: Column, start: float, target: Number, step: Step, most: int) -> float:
    tau2 = start
    for _ in range(most):
        moved: float = max(tau2 + step(data, tau2, target), 0.0)
        if abs(moved - tau2) <= SHORT * (moved + data.first):
            return moved
        tau2 = moved
    return math.nan


def _of_many(
    data: Columns, start: FloatArray, target: FloatArray, step: Step, most: int
) -> FloatArray:
    ended = np.full(len(start), np.nan)
    rows, tau2 = np.arange(len(start)), start
    over: NDArray[np.bool_] = np.zeros(len(start), dtype=bool)
    for _ in range(most):
        moved = np.maximum(tau2 + step(data, tau2, target), 0.0)
        over |= np.abs(moved - tau2) <= SHORT * (moved + data.first)
        tau2 = moved
        if len(over) - np.count_nonzero(over) <= CROWD * len(over):
            ended[rows[over]] = tau2[over]
            rest = np.flatnonzero(~over)
            if not len(rest):
                return ended
            data, rows, tau2, target = data.take(rest), rows[rest], tau2[rest], target[rest]
            over = np.zeros(len(rest), dtype=bool)
    ended[rows[over]] = tau2[over]
    return ended
