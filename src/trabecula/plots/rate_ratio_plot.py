"""All rate ratios on one axis: intervals first, then how likely each is above 1 and 1.25."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from trabecula.format import NARROW, plural, shown
from trabecula.plots.interval_rows import IntervalRows, Panel, Row
from trabecula.plots.plot import Plot

QUARTER = 1.25
"""A rate a quarter higher, lightly marked: what many would call worth having."""

PROBABLE = 0.95
"""Probability from which on the title counts a ratio as above 1; no answer hangs on it."""

SURE = 0.99
"""Probabilities nearer to 0 or 1 than this are told as limits, not as certainty."""


def rate_ratio_plot(
    median: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    names: Sequence[str],
    p_above: ArrayLike,
    p_quarter: ArrayLike,
    inner: tuple[ArrayLike, ArrayLike] | None = None,
    groups: Sequence[str] | None = None,
    axis: str = "rate ratio (log scale)",
    sides: tuple[str, str] = ("slower", "faster"),
    identifier: str = "rate-ratios",
) -> Plot:
    """Return all rate ratios on one logarithmic axis, in the order given.

    Parameters
    ----------
    median, low, high
        Arrays (regimens,): posterior medians and 95 % limits of rate ratios, above zero.
    names
        How each regimen is called, in the same order.
    p_above, p_quarter
        Arrays (regimens,): the probabilities that a ratio is above 1, and above 1.25.
    inner
        Limits of a narrower interval (50 %), drawn thick; without it lines are alike throughout.
    groups
        The heading under which each regimen stands; regimens of a heading follow each other.
    axis
        What is measured.
    sides
        What a ratio below 1 and one above 1 mean.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If lengths differ, limits do not enclose their median, or a group is torn apart.
    """
    values, chances = intervals(median, low, high, names), (p_above, p_quarter)
    more, quarter = (_probabilities(p, len(names)) for p in chances)
    if inner is not None:
        nested = intervals(median, inner[0], inner[1], names)
        if (nested[1] < values[1]).any() or (nested[2] > values[2]).any():
            raise ValueError("inner limits must lie within the 95 % limits")
    rows = [
        Row(
            name=name,
            look="result",
            value=float(values[0][i]),
            low=float(values[1][i]),
            high=float(values[2][i]),
            inner=None if inner is None else (float(nested[1][i]), float(nested[2][i])),
            cells=(ratio(values, i), chance(more[i]), chance(quarter[i])),
        )
        for i, name in enumerate(names)
    ]
    grouped = under_headings(rows, groups)
    heads = ("", "Rate ratio (95 % CrI)", "P > 1", "P > 1.25")
    return Plot(
        id=identifier,
        title=_title(values[0], more),
        alt=f"One line for each of {len(rows)} on a logarithmic axis: its 95 % interval"
        + ("." if inner is None else ", thick its 50 % interval.")
        + " A solid line stands at 1, a dotted one at 1.25.",
        columns=("Group", "Name", *heads[1:]) if groups else ("Name", *heads[1:]),
        rows=tuple(
            ((groups[i], row.name) if groups else (row.name,)) + row.cells
            for i, row in enumerate(rows)
        ),
        note=(
            "Line: 95 % credible interval; ring: median"
            + ("" if inner is None else "; thick: 50 % interval")
            + "; dotted line: 1.25. P > 1: probability of being faster at all; P > 1.25: by at "
            "least a quarter. Where intervals overlap widely, their order says little."
        ),
        picture=IntervalRows((Panel(grouped, axis, "log", (1.0, QUARTER), sides=sides),), heads),
    )


def intervals(
    median: ArrayLike, low: ArrayLike, high: ArrayLike, names: Sequence[str]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return medians and limits of ratios as arrays; `ValueError` where they cannot be that."""
    values = tuple(np.asarray(x, dtype=np.float64) for x in (median, low, high))
    if not names or any(x.shape != (len(names),) for x in values):
        shapes = ", ".join(str(x.shape) for x in values)
        raise ValueError(f"one name a value is needed, got {len(names)} names for {shapes}")
    if not all((a <= b).all() for a, b in ((values[1], values[0]), (values[0], values[2]))):
        raise ValueError("limits must enclose their median")
    if not (values[1] > 0).all():
        raise ValueError("ratios and their limits must be above 0")
    return values[0], values[1], values[2]


def ratio(values: Sequence[np.ndarray], i: int) -> str:
    """Return the ratio at place `i` with its limits; what rounds to 1 keeps its side."""
    median, low, high = (float(x[i]) for x in values)
    text = shown(median, low, high, "ratio", null=1.0)
    return f"{text.value} ({text.low} to {text.high})"


def chance(p: float) -> str:
    """Return a probability in whole percent, near 0 and 1 as a limit."""
    if p > SURE:
        return f"> {100 * SURE:.0f}{NARROW}%"
    if p < 1 - SURE:
        return f"< {100 * (1 - SURE):.0f}{NARROW}%"
    return f"{100 * p:.0f}{NARROW}%"


def under_headings(rows: Sequence[Row], groups: Sequence[str] | None) -> tuple[Row, ...]:
    """Return the rows with a heading before each group; `ValueError` if a group is torn apart."""
    if groups is None:
        return tuple(rows)
    if len(groups) != len(rows):
        raise ValueError(f"one group a row is needed, got {len(groups)} for {len(rows)} rows")
    starts = [i for i in range(len(groups)) if not i or groups[i] != groups[i - 1]]
    if len(starts) != len(set(groups)):
        raise ValueError("rows of one group must follow each other")
    return tuple(
        row
        for i, member in enumerate(rows)
        for row in ((Row(groups[i]), member) if i in starts else (member,))
    )


def _title(median: np.ndarray, above: Sequence[float]) -> str:
    """Return how many ratios there are, between which medians, and how many are surely above 1."""
    ends = [shown(x, x, x, "ratio").value for x in (float(median.min()), float(median.max()))]
    probable = sum(p >= PROBABLE for p in above)
    return (
        f"{plural(len(above), 'rate ratio')} from {ends[0]} to {ends[1]}: "
        f"{probable or 'none'} above 1 with a probability of {100 * PROBABLE:g}{NARROW}% or more"
    )


def _probabilities(values: ArrayLike, size: int) -> list[float]:
    p = np.asarray(values, dtype=np.float64)
    if p.shape != (size,) or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"{size} probabilities between 0 and 1 are needed")
    return [float(x) for x in p]
