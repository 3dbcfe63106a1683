"""Two-arm studies as counts: fourfold tables, and events over time at risk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    COUNT,
    SIZE,
    FloatArray,
    IntArray,
    numbers,
    require,
    same_shape,
    study_table,
)
from trabecula.synthesis.counts.binomial_intervals import counts

CORRECTION = 0.5
"""Added to every cell of a study with an empty cell, for its own estimate only: for Cochran's Q,
I² and H², never for a pooled estimate."""


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """Events a and c, others b and d, of arms 1 and 2: arrays (data sets, studies).

    ``present`` is false where a study is missing; its cells are 0. ``double_zero`` marks
    studies without events in both arms, or with nothing but events in both.
    """

    a: FloatArray
    b: FloatArray
    c: FloatArray
    d: FloatArray
    present: NDArray[np.bool_]
    shape: tuple[int, ...]

    @classmethod
    def read(cls, events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike) -> Self:
        """Return the tables in four arrays (..., studies); NaN in one of them: study missing.

        Raises
        ------
        ValueError
            Naming the argument and the value, if counts lie outside [0, n], arrays do not
            broadcast, or a data set is left without a study.
        """
        first = counts(events_1, n_1, missing=True, names=("events_1", "n_1"))
        second = counts(events_2, n_2, missing=True, names=("events_2", "n_2"))
        (a, size_1, c, size_2), present, shape = _joined((first, second), ("events_1", "events_2"))
        small = present & (size_1 + size_2 <= 1)
        if small.any():
            raise ValueError("n_1 + n_2 must be more than 1: one patient compares nothing")
        return cls(a, size_1 - a, c, size_2 - c, present, shape)

    def rows(self, index: IntArray) -> Tables:
        """Return the tables of the data sets at `index`."""
        return Tables(
            self.a[index],
            self.b[index],
            self.c[index],
            self.d[index],
            self.present[index],
            self.shape,
        )

    @property
    def n_1(self) -> FloatArray:
        """Patients in arm 1."""
        return self.a + self.b

    @property
    def n_2(self) -> FloatArray:
        """Patients in arm 2."""
        return self.c + self.d

    @property
    def n(self) -> FloatArray:
        """Patients in both arms, 1 for a missing study."""
        return np.where(self.present, self.a + self.b + self.c + self.d, 1.0)

    @property
    def double_zero(self) -> NDArray[np.bool_]:
        """Studies with no event, or nothing but events, in both arms."""
        same: NDArray[np.bool_] = (self.a + self.c == 0) | (self.b + self.d == 0)
        return same & self.present

    def corrected(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return the cells, `CORRECTION` added to all four where one is empty."""
        cells = (self.a, self.b, self.c, self.d)
        empty = np.any([cell == 0 for cell in cells], axis=0)
        a, b, c, d = (cell + CORRECTION * empty for cell in cells)
        return a, b, c, d


@dataclass(frozen=True, slots=True, eq=False)
class Rates:
    """Events and time at risk in arms 1 and 2: arrays (data sets, studies).

    ``present`` is false where a study is missing; its events are 0, its times 1.
    """

    x_1: FloatArray
    t_1: FloatArray
    x_2: FloatArray
    t_2: FloatArray
    present: NDArray[np.bool_]
    shape: tuple[int, ...]

    @classmethod
    def read(
        cls, events_1: ArrayLike, time_1: ArrayLike, events_2: ArrayLike, time_2: ArrayLike
    ) -> Self:
        """Return the rates in four arrays (..., studies); NaN in one of them: study missing.

        Raises
        ------
        ValueError
            Naming the argument and the value, if events are negative, times not positive,
            arrays do not broadcast, or a data set is left without a study.
        """
        first = _timed(("events_1", "time_1"), events_1, time_1)
        second = _timed(("events_2", "time_2"), events_2, time_2)
        (x_1, t_1, x_2, t_2), present, shape = _joined((first, second), ("events_1", "events_2"))
        t_1, t_2 = np.where(present, t_1, 1.0), np.where(present, t_2, 1.0)
        return cls(x_1, t_1, x_2, t_2, present, shape)

    @property
    def double_zero(self) -> NDArray[np.bool_]:
        """Studies with no event in both arms."""
        none: NDArray[np.bool_] = self.x_1 + self.x_2 == 0
        return none & self.present

    def corrected(self) -> tuple[FloatArray, FloatArray]:
        """Return the events, `CORRECTION` added to both where one of them is 0."""
        empty = CORRECTION * ((self.x_1 == 0) | (self.x_2 == 0))
        return self.x_1 + empty, self.x_2 + empty


def _timed(
    names: tuple[str, str], events: ArrayLike, time: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    x, t = numbers(names[0], events), numbers(names[1], time)
    require(names[0], x, COUNT, missing=True)
    require(names[1], t, SIZE, missing=True)
    same_shape(names, x, t)
    return x, t


def _joined(
    arms: tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]],
    names: tuple[str, str],
) -> tuple[list[FloatArray], NDArray[np.bool_], tuple[int, ...]]:
    """Return four tables (data sets, studies), 0 where missing, what is present, and the shape."""
    (x_1, n_1), (x_2, n_2) = arms
    missing = np.isnan(x_1 + n_1) | np.zeros(same_shape(names, x_1 + n_1, x_2 + n_2), dtype=bool)
    missing = missing | np.isnan(x_2 + n_2)
    columns: list[FloatArray] = []
    for x, n in arms:
        table = study_table(names, np.where(missing, np.nan, x), np.where(missing, np.nan, n))
        columns += [np.nan_to_num(table[0]), np.nan_to_num(table[1])]
        shape, present = table[2], ~np.isnan(table[0])
    return columns, present, shape
