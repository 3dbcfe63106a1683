"""Proof that a likelihood has no second maximum over the between-study variance, or the search.

The score has the sign of ``h - g²``, where ``g = q2^(-1/2)``, and ``h`` is 1 over the trace of
the projection (restricted likelihood) or over the sum of the weights (full likelihood). Both
are power means of numbers linear in the variance, and so concave: between two points each lies
above its chord, and everywhere below its tangents. A few inequalities then tell that the score
keeps its sign between two points, or falls there. ``docs/synthesis/pairwise.md`` has the proof.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.pairwise.power_sums import Column, Columns, Curves, Number, Sums, Table
from trabecula.synthesis.roots import descending_root

Flags = NDArray[np.bool_]

DEPTH = 4
"""How often an interval is halved before the proof is given up and the whole range searched."""

GRID = 16
"""Points at which the search begins; it halves intervals until all is known, so that this is
a matter of speed only."""

NARROW = 1e-9
"""Intervals are not halved below this relative width: two maxima that close are one."""


class Point(NamedTuple):
    """Both concave functions of the between-study variance and their slopes, at one place."""

    tau2: Number
    g: Number
    g_slope: Number
    h: Number
    h_slope: Number


def point_at(tau2: Number, sums: Sums, curves: Curves, *, restricted: bool) -> Point:
    """Return the concave functions where `sums` and `curves` were taken."""
    root = sums.q2**0.5
    trace, square = (curves.p1, curves.p2) if restricted else (sums.s1, sums.s2)
    return Point(tau2, 1 / root, curves.q3 / (sums.q2 * root), 1 / trace, square / (trace * trace))


def is_highest(
    table: Table, tau2: Number, sums: Sums, curves: Curves, *, restricted: bool
) -> Number:
    """Return whether `tau2`, a root of the score or 0, is proven to be the only maximum."""
    if isinstance(table.data, Column):
        return _is_highest_of_one(table, table.data, tau2, sums, curves, restricted)
    with np.errstate(divide="ignore", invalid="ignore"):  # data sets without any spread
        return _is_highest_of_many(table, table.data, tau2, sums, curves, restricted)


def settled(left: Point, right: Point) -> Number:
    """Return whether the score is known to have no zero between two points, but at a root there."""
    width = right.tau2 - left.tau2
    start, end = left.g * left.g - left.h, right.g * right.g - right.h
    ahead, back = left.g + left.g_slope * width, right.g - right.g_slope * width
    positive = ((ahead * ahead < right.h) & (start < 0)) | ((back * back < left.h) & (end <= 0))
    chord = (right.g - left.g) / width
    other = left.g * left.g - (right.h - right.h_slope * width)
    negative = _stays_above(start, left.g, chord, left.h_slope, width) | _stays_above(
        other, left.g, chord, right.h_slope, width
    )
    return positive | negative | (falls(left, right) & (start * end >= 0))


def falls(left: Point, right: Point) -> Number:
    """Return whether the score is known to change its sign at most once, from above to below."""
    return 2 * left.g * right.g_slope > left.h_slope


def rises(left: Point, right: Point) -> Number:
    """Return whether the score is known to change its sign at most once, from below to above."""
    return 2 * right.g * left.g_slope < right.h_slope


def settled_beyond(left: Point, slope: Number) -> Number:
    """Return whether the score is known to be negative everywhere beyond a point.

    `slope` is that of ``g`` at infinity, and so less than that of any chord.
    """
    start = left.g * left.g - left.h
    first = 2 * left.g * slope - left.h_slope
    return ((start >= 0) & (first > 0)) | (
        (start > 0) & (first * first < 4 * slope * slope * start)
    )


def _stays_above(start: Number, g: Number, chord: Number, slope: Number, width: Number) -> Number:
    """Return whether ``(g + chord x)²`` minus a line is positive for x in (0, `width`].

    At 0 the difference is `start`; `slope` is that of the line.
    """
    first, bend = 2 * g * chord - slope, chord * chord
    end = start + first * width + bend * width * width
    low = (first + 2 * bend * width < 0) | (first * first < 4 * bend * start)
    return ((start >= 0) & (first > 0)) | ((start > 0) & (end > 0) & low)


def _is_highest_of_one(
    table: Table, data: Column, tau2: float, sums: Sums, curves: Curves, restricted: bool
) -> bool:
    if table.zero.q2 == 0:
        return tau2 == 0
    slope, typical = table.total_spread**-0.5, table.df / table.zero_curves.p1
    zero = point_at(0.0, table.zero, table.zero_curves, restricted=restricted)

    def at(place: float) -> Point:
        return point_at(place, *data.curves(place), restricted=restricted)

    def between(left: Point, right: Point, depth: int) -> bool:
        if settled(left, right):
            return True
        middle = at(_middle(left.tau2, right.tau2, data.first)) if depth else left
        return depth > 0 and between(left, middle, depth - 1) and between(middle, right, depth - 1)

    def beyond(left: Point, depth: int) -> bool:
        if settled_beyond(left, slope):
            return True
        middle = at(2 * left.tau2 + typical) if depth else left
        return depth > 0 and between(left, middle, depth - 1) and beyond(middle, depth - 1)

    if tau2 == 0:
        return bool(zero.g * zero.g >= zero.h and beyond(zero, DEPTH))
    found = point_at(tau2, sums, curves, restricted=restricted)
    found = found._replace(h=found.g * found.g)
    falling = zero.g * zero.g < zero.h
    return bool(falling and between(zero, found, DEPTH) and beyond(found, DEPTH))


def _is_highest_of_many(
    table: Table, data: Columns, tau2: FloatArray, sums: Sums, curves: Curves, restricted: bool
) -> Flags:
    slope, typical = 1 / np.sqrt(table.total_spread), table.df / table.zero_curves.p1
    zero = np.array(
        point_at(np.zeros_like(tau2), table.zero, table.zero_curves, restricted=restricted)
    )
    found = np.array(point_at(tau2, sums, curves, restricted=restricted))
    inside, flat = tau2 > 0, table.zero.q2 == 0
    found[3, inside] = found[1, inside] ** 2
    start = zero[1] ** 2 - zero[3]
    proven: Flags = np.where(inside, start < 0, (tau2 == 0) & ((start >= 0) | flat))
    tails = np.flatnonzero(proven & ~flat)
    cells = np.flatnonzero(proven & inside & ~flat)
    left, right, last = zero[:, cells], found[:, cells], found[:, tails]
    for depth in range(DEPTH + 1):
        open_cells = np.flatnonzero(~settled(Point(*left), Point(*right)))
        open_tails = np.flatnonzero(~settled_beyond(Point(*last), slope[tails]))
        cells, left, right = cells[open_cells], left[:, open_cells], right[:, open_cells]
        tails, last = tails[open_tails], last[:, open_tails]
        rows = np.concatenate([cells, tails])
        if not len(rows) or depth == DEPTH:
            break
        places = np.concatenate(
            [_middle(left[0], right[0], data.first[cells]), 2 * last[0] + typical[tails]]
        )
        new = np.array(point_at(places, *data.take(rows).curves(places), restricted=restricted))
        middle, farther = new[:, : len(cells)], new[:, len(cells) :]
        left = np.concatenate([left, middle, last], axis=1)
        right = np.concatenate([middle, right, farther], axis=1)
        cells, last = np.concatenate([cells, cells, tails]), farther
    proven[rows] = False
    return proven


def _middle(low: Number, high: Number, smallest: Number) -> Number:
    """Return the place halfway on a logarithmic scale that begins at minus `smallest`."""
    return ((low + smallest) * (high + smallest)) ** 0.5 - smallest


def highest(data: Columns, *, restricted: bool) -> FloatArray:
    """Return the between-study variance of highest (restricted) likelihood, however many maxima.

    The highest of all places where the score passes zero, and of 0 itself.
    """
    rows, places = turning_points(data, restricted=restricted)
    every = np.arange(len(data.first))
    rows = np.concatenate([every, rows])
    places = np.concatenate([np.zeros(len(every)), places])
    there = data.take(rows)
    sums = there.sums(places)
    depth = there.log_variance(places) + sums.q1
    if restricted:
        depth = depth + np.log(sums.s1)
    order = np.lexsort([depth, rows])
    best: FloatArray = places[order[np.searchsorted(rows[order], every)]]
    return best


def turning_points(data: Columns, *, restricted: bool) -> tuple[IntArray, FloatArray]:
    """Return every place where the score passes zero, and the data set of each.

    The score is negative beyond ``spread² / 2`` (half that for the full likelihood). Up to
    there intervals are halved until each is known to hold one such place, or none.
    """
    rows, low, high, sign = _brackets(data, restricted)
    there = data.take(rows)

    def score(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        sums, curves = there.curves(tau2)
        trace, square = (curves.p1, curves.p2) if restricted else (sums.s1, sums.s2)
        return sign * (sums.q2 - trace), sign * (square - 2 * curves.q3)

    return rows, descending_root(score, low, high, low, there.first)


def _brackets(
    data: Columns, restricted: bool
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Return data set, ends and sign at the beginning of the intervals where the score passes 0."""

    def at(rows: IntArray, places: FloatArray) -> FloatArray:
        sums, curves = data.take(rows).curves(places)
        return np.array(point_at(places, sums, curves, restricted=restricted))

    estimates = data.moments[0]
    spread = np.maximum(estimates.max(axis=0), 0.0) - np.minimum(estimates.min(axis=0), 0.0)
    reach = np.maximum(spread**2 / (2 if restricted else 4), data.first)
    every = np.arange(len(reach))
    share = np.linspace(0.0, 1.0, GRID)[:, None]
    grid = data.first * ((1 + reach / data.first) ** share - 1)
    points = np.stack([at(every, places) for places in grid], axis=1)
    rows = np.tile(every, GRID - 1)
    left, right = points[:, :-1].reshape(5, -1), points[:, 1:].reshape(5, -1)
    found = []
    while len(rows):
        one, other = Point(*left), Point(*right)
        start, end = one.g**2 - one.h, other.g**2 - other.h
        smallest = data.first[rows]
        done = settled(one, other) | falls(one, other) | rises(one, other)
        done |= other.tau2 - one.tau2 <= NARROW * (one.tau2 + smallest)
        passes = done & ((start < 0) != (end < 0))
        sign = np.where(start < 0, 1.0, -1.0)
        found.append(np.array([rows, one.tau2, other.tau2, sign])[:, passes])
        rows, left, right = rows[~done], left[:, ~done], right[:, ~done]
        middle = at(rows, _middle(left[0], right[0], data.first[rows]))
        left, right = np.concatenate([left, middle], 1), np.concatenate([middle, right], 1)
        rows = np.tile(rows, 2)
    which, low, high, sign = np.concatenate(found, axis=1)
    return which.astype(np.int64), low, high, sign
