"""The sums over studies from which every pairwise result is computed.

With weights :math:`w_i = 1 / (v_i + tau2)` and the projection :math:`P = W - W 1 1' W / 1' W 1`
everything follows from the quadratic forms :math:`q_r = y' P^r y` and the traces
:math:`p_r = tr P^r`, and these from sums of :math:`w^r`, :math:`w^r y`, :math:`w^r y^2`.

*Nothing cancels.* The most precise study stands apart, estimates are counted from its own, and
its weight ``first`` is never smaller than another: the differences below lose at most as many
digits as the number of studies has, however far one study outweighs all others.

*Written once, for one data set or many.* The formulas take numbers or arrays. `Columns` hands
them arrays, one entry a data set, with the studies along the first axis, so that a sum over
studies adds whole rows; `Column` hands them Python floats, because an operation on an array of
one entry costs ten times one on a float.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.studies import Studies

Number = Any
"""A float, or an array of floats with one entry a data set."""

CACHED = 16384
"""Numbers of a table that are worked on at once: a few such tables stay in the second cache."""

Powers = Any
"""For each power r of the weights the sums of w^r, w^r y, w^r y², over all studies but one."""


def log(value: Number) -> Number:
    """Return the natural logarithm."""
    return math.log(value) if isinstance(value, float) else np.log(value)


def greater(left: Number, right: Number) -> Number:
    """Return the greater of two numbers, NaN where either is."""
    return max(left, right) if isinstance(left, float) else np.maximum(left, right)


def divide(dividend: Number, divisor: Number) -> Number:
    """Return the quotient; division by zero gives an infinity or NaN, without a warning."""
    if isinstance(divisor, float) and divisor:
        return dividend / divisor
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(dividend, divisor)


class Sums(NamedTuple):
    """Sums at one between-study variance: ``s1``, ``s2`` of the weights and their squares.

    ``mean`` is the weighted mean, counted as the estimates are; ``q1``, ``q2`` are quadratic
    forms: Cochran's Q and minus its derivative by the between-study variance.
    """

    s1: Number
    s2: Number
    mean: Number
    q1: Number
    q2: Number


class Curves(NamedTuple):
    """What the likelihoods need beside `Sums`: ``q3`` and the traces ``p1``, ``p2``."""

    q3: Number
    p1: Number
    p2: Number


def sums_of(first: Number, powers: Powers) -> Sums:
    """Return the sums from the weight of the most precise study and the powers of the others."""
    (r1, t1, u1), (r2, t2, u2), *_ = powers
    s1 = first + r1
    s2 = first * first + r2
    mean = t1 / s1
    return Sums(s1, s2, mean, u1 - mean * t1, u2 - 2 * mean * t2 + mean * mean * s2)


def curves_of(first: Number, powers: Powers, sums: Sums) -> Curves:
    """Return the third quadratic form and the two traces, the first study apart in each."""
    (r1, _, _), (r2, t2, _), (r3, t3, u3) = powers
    s1, mean = sums.s1, sums.mean
    pull = -first * mean
    e1 = t2 - mean * r2
    e2 = u3 - 2 * mean * t3 + mean * mean * r3
    q3 = (first * (e2 - 2 * pull * e1 + r1 * pull * pull) + (r1 * e2 - e1 * e1)) / s1
    p1 = (2 * first * r1 + (r1 * r1 - r2)) / s1
    rest = r1 * r1 * r2 - 2 * r1 * r3 + r2 * r2
    p2 = (first * (first * (r1 * r1 + 3 * r2) + 2 * (r1 * r2 - r3)) + rest) / (s1 * s1)
    return Curves(q3, p1, p2)


class Columns(NamedTuple):
    """Studies of many data sets, one a column: what is summed.

    ``first`` is the variance of the most precise study of each; ``variance`` (studies, data
    sets) and ``moments`` (2, studies, data sets: y and y²) are those of the others. A missing
    study has infinite variance, and so no weight.
    """

    first: FloatArray
    variance: FloatArray
    moments: FloatArray

    def sums(self, tau2: FloatArray | float) -> Sums:
        """Return the sums at `tau2`."""
        return sums_of(1 / (self.first + tau2), self._powers(tau2, 2))

    def curves(self, tau2: FloatArray | float) -> tuple[Sums, Curves]:
        """Return sums and curves at `tau2`."""
        first, powers = 1 / (self.first + tau2), self._powers(tau2, 3)
        sums = sums_of(first, powers)
        return sums, curves_of(first, powers, sums)

    def log_variance(self, tau2: FloatArray | float) -> FloatArray:
        """Return the sum over studies of the logarithm of ``variance + tau2``."""
        total = self.variance + tau2
        present = np.isfinite(total)
        if not present.all():
            total = np.where(present, total, 1.0)
        logs: FloatArray = np.log(total).sum(axis=0) + np.log(self.first + tau2)
        return logs

    def take(self, rows: IntArray) -> Columns:
        """Return the data sets at `rows`."""
        return Columns(
            self.first[rows], self.variance.take(rows, axis=1), self.moments.take(rows, axis=2)
        )

    def _powers(self, tau2: FloatArray | float, count: int) -> Powers:
        studies, sets = self.variance.shape
        step = max(CACHED // max(studies, 1), 1)
        sums = np.empty((count, 3, sets))
        for part in (slice(start, start + step) for start in range(0, sets, step)):
            moments = self.moments[:, :, part]
            weight = self.variance[:, part] + (tau2 if isinstance(tau2, float) else tau2[part])
            np.reciprocal(weight, out=weight)
            power = weight
            for r in range(count):
                power = power * weight if r else weight
                power.sum(axis=0, out=sums[r, 0, part])
                np.einsum("kn,xkn->xn", power, moments, out=sums[r, 1:, part])
        return sums


class Column(NamedTuple):
    """Studies of one data set: what is summed, by one matrix product.

    ``first`` is the variance of the most precise study, ``variance`` that of the others, and
    ``moments`` (studies, 3) holds 1, y and y² of these. ``powers`` and ``power`` are a table and
    its rows to work in.
    """

    first: float
    variance: FloatArray
    moments: FloatArray
    powers: FloatArray
    power: tuple[FloatArray, FloatArray, FloatArray]

    @classmethod
    def of(cls, first: float, variance: FloatArray, moments: FloatArray) -> Column:
        """Return the data set with room to work in."""
        powers = np.empty((3, len(variance)))
        return cls(first, variance, moments, powers, (powers[0], powers[1], powers[2]))

    def sums(self, tau2: float) -> Sums:
        """Return the sums at `tau2`."""
        one, two, _ = self.power
        np.reciprocal(self.variance + tau2, one)
        np.multiply(one, one, two)
        return sums_of(1 / (self.first + tau2), self.powers[:2].dot(self.moments).tolist())

    def curves(self, tau2: float) -> tuple[Sums, Curves]:
        """Return sums and curves at `tau2`."""
        one, two, three = self.power
        np.reciprocal(self.variance + tau2, one)
        np.multiply(one, one, two)
        np.multiply(two, one, three)
        first, powers = 1 / (self.first + tau2), self.powers.dot(self.moments).tolist()
        sums = sums_of(first, powers)
        return sums, curves_of(first, powers, sums)

    def log_variance(self, tau2: float) -> float:
        """Return the sum over studies of the logarithm of ``variance + tau2``."""
        logs = np.log(self.variance + tau2)
        return float(logs.dot(self.moments[:, 0])) + math.log(self.first + tau2)

    def columns(self) -> Columns:
        """Return the data set as a table of one column."""
        return Columns(np.array([self.first]), self.variance[:, None], self.moments.T[1:, :, None])


class Table(NamedTuple):
    """Data sets of two or more studies each, with the sums that are needed more than once.

    ``ragged`` tells whether studies are missing; ``origin`` is the estimate from which those are
    counted. ``total_spread`` is the sum of squares about the plain mean; ``zero`` and
    ``zero_curves`` are the sums without between-study variance. The numbers are floats where
    ``data`` is a `Column`, arrays where it is `Columns`.
    """

    studies: Studies
    data: Column | Columns
    origin: Number
    ragged: bool
    k: Number
    df: Number
    total_spread: Number
    zero: Sums
    zero_curves: Curves

    @classmethod
    def of(cls, studies: Studies) -> Table:
        """Return `studies`, of which each data set has at least two, ready for sums."""
        one = len(studies.k) == 1
        data, total, plain, squares = _column(studies) if one else _columns(studies)
        k = total + 1
        zero, zero_curves = data.curves(0.0)
        return cls(
            studies=studies,
            data=data,
            origin=float(studies.origin[0]) if one else studies.origin,
            ragged=studies.ragged,
            k=k,
            df=total,
            total_spread=squares - plain * plain / k,
            zero=zero,
            zero_curves=zero_curves,
        )

    def rows(self, numbers: Number) -> Number:
        """Return numbers, one a data set, so that they broadcast against (data sets, studies)."""
        return numbers if isinstance(numbers, float) else numbers[:, None]

    def number(self, values: FloatArray) -> Number:
        """Return `values`, one a data set, as this table's formulas want them."""
        return float(values[0]) if isinstance(self.data, Column) else values


def _columns(studies: Studies) -> tuple[Columns, FloatArray, FloatArray, FloatArray]:
    """Return many data sets, and over all but the first study the number, sum and squares."""
    variance = studies.variance.copy()
    if studies.ragged:
        variance[studies.present == 0] = np.inf
    rows, place = np.arange(len(variance)), variance.argmin(axis=1)
    first = variance[rows, place]
    variance[rows, place] = variance[:, 0]
    moments = np.empty((2, variance.shape[1] - 1, len(variance)))
    moments[0] = studies.estimate.T[1:]
    moved = place > 0
    moments[0, place[moved] - 1, rows[moved]] = studies.estimate[moved, 0]
    np.multiply(moments[0], moments[0], out=moments[1])
    plain, squares = moments.sum(axis=1)
    columns = Columns(first, np.ascontiguousarray(variance.T[1:]), moments)
    return columns, studies.k - 1, plain, squares


def _column(studies: Studies) -> tuple[Column, float, float, float]:
    """Return one data set, and over all but the first study the number, sum and squares."""
    estimate, variance = studies.estimate[0], studies.variance[0].copy()
    if studies.ragged:
        present = studies.present[0] > 0
        estimate, variance = estimate[present], variance[present]
    place = variance.argmin()
    first = float(variance[place])
    variance[place] = variance[0]
    moments = np.ones((len(variance), 3))
    moments[:, 1] = estimate
    moments[place, 1] = estimate[0]
    moments = moments[1:]
    np.multiply(moments[:, 1], moments[:, 1], out=moments[:, 2])
    total, plain, squares = moments[:, 0].dot(moments).tolist()
    return Column.of(first, variance[1:], moments), total, plain, squares
