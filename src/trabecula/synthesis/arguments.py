"""Arguments checked in one place: the rule that was broken is printed as it is declared."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LARGEST = 1e30
"""Largest magnitude of an estimate, and of a variance or its inverse.

The information of a restricted likelihood takes fourth powers of inverse variances, its slope
third powers times squared estimates: within this limit neither leaves double precision.
"""


@dataclass(frozen=True, slots=True)
class Interval:
    """The values an argument may take, written as in ``[0, 1)``."""

    text: str

    def contains(self, values: FloatArray) -> NDArray[np.bool_]:
        """Return where `values` lie inside; NaN never does."""
        low, high = _bounds(self.text)
        above = values >= low if self.text[0] == "[" else values > low
        below = values <= high if self.text[-1] == "]" else values < high
        return above & below

    def __str__(self) -> str:
        return self.text


@cache
def _bounds(text: str) -> tuple[float, float]:
    low, high = (float(bound) for bound in text[1:-1].split(","))
    return low, high


LEVEL = Interval("(0, 1)")
VARIANCE = Interval(f"[{1 / LARGEST:g}, {LARGEST:g}]")
ESTIMATE = Interval(f"[{-LARGEST:g}, {LARGEST:g}]")
COUNT = Interval(f"[0, {LARGEST:g}]")
SIZE = Interval(f"(0, {LARGEST:g}]")


def numbers(name: str, values: ArrayLike) -> FloatArray:
    """Return `values` as an array of floats; `ValueError` if they are no numbers."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be numbers, got {values!r}") from error


def require(
    name: str, values: FloatArray, interval: Interval, *, missing: bool = False, hint: str = ""
) -> None:
    """Raise `ValueError` with the first of `values` outside `interval`.

    NaN passes where `missing` is true. `hint` says what to do about it.
    """
    wrong = ~interval.contains(values)
    if missing:
        wrong &= ~np.isnan(values)
    if wrong.any():
        raise ValueError(f"{name} must lie in {interval}, got {_first(values, wrong)}{hint}")


def one_number(name: str, value: ArrayLike, interval: Interval) -> float:
    """Return `value` as a float; `ValueError` unless it is one number in `interval`."""
    values = numbers(name, value)
    if values.ndim:
        raise ValueError(f"{name} must be one number, got {value!r}")
    require(name, values, interval)
    return float(values)


def require_option(name: str, value: str, options: Collection[str]) -> None:
    """Raise `ValueError` unless `value` is one of `options`."""
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}; got {value!r}")


def confidence_level(level: float) -> float:
    """Return `level` as a float; `ValueError` unless it lies in (0, 1)."""
    if isinstance(level, float) and 0.0 < level < 1.0:
        return level
    value = numbers("level", level)
    if value.ndim:
        raise ValueError(f"level must be one number, got {level!r}")
    hint = "; 95 % is written 0.95" if value >= 1 else ""
    require("level", value, LEVEL, hint=hint)
    return float(value)


def same_shape(names: tuple[str, str], first: FloatArray, second: FloatArray) -> tuple[int, ...]:
    """Return the shape to which two arrays broadcast; `ValueError` naming both if to none."""
    try:
        return np.broadcast_shapes(first.shape, second.shape)
    except ValueError as error:
        raise ValueError(
            f"{names[0]} and {names[1]} must broadcast, got shapes {first.shape} and {second.shape}"
        ) from error


def study_table(
    names: tuple[str, str], first: FloatArray, second: FloatArray
) -> tuple[FloatArray, FloatArray, tuple[int, ...]]:
    """Return two arrays as tables (data sets, studies), and the shape of the data sets.

    A study is missing where either is NaN, and then both are. `ValueError` if there is no
    axis of studies or a data set has no study.
    """
    shape = same_shape(names, first, second)
    if not shape or 0 in shape:
        raise ValueError(
            f"{names[0]} must have studies along its last axis, at least one; got shape {shape}"
        )
    missing = np.isnan(first) | np.isnan(second)
    empty = np.asarray(missing.all(axis=-1))
    if empty.any():
        where = "" if empty.ndim == 0 else f" in data set {_index(empty)}"
        raise ValueError(f"{names[0]} and {names[1]} hold no study{where}: all are missing (NaN)")
    table = (-1, shape[-1])
    left = np.where(missing, np.nan, first).reshape(table)
    right = np.where(missing, np.nan, second).reshape(table)
    return left, right, shape[:-1]


def _first(values: FloatArray, wrong: NDArray[np.bool_]) -> str:
    where = "" if values.ndim == 0 else f" at index {_index(wrong)}"
    return f"{float(values[wrong][0])!r}{where}"


def _index(wrong: NDArray[np.bool_]) -> str:
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    return str(index[0]) if len(index) == 1 else str(index)
