"""How one answer moves: its rate ratio under each variant of the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from trabecula.format import plural
from trabecula.plots.interval_rows import IntervalRows, Panel, Row
from trabecula.plots.plot import Plot
from trabecula.plots.rate_ratio_plot import intervals, ratio, under_headings

MOST_ROWS = 12
"""Variants of a kind beyond which they make a strip of dots, with the extremes as rows."""


def sensitivity_plot(
    primary: tuple[float, float, float],
    median: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    names: Sequence[str],
    kinds: Sequence[str],
    axis: str = "rate ratio (log scale)",
    sides: tuple[str, str] = ("slower", "faster"),
    identifier: str = "sensitivity",
) -> Plot:
    """Return one rate ratio under all variants, in the order given.

    Parameters
    ----------
    primary
        Median and 95 % limits of the primary analysis.
    median, low, high
        Arrays (variants,): the same under each variant.
    names
        How each variant is called, in the same order.
    kinds
        What each variant changes: the heading under which it stands. Variants of a kind follow
        each other; more than `MOST_ROWS` of them are drawn as a strip of medians, with the
        lowest and the highest as rows.
    axis
        What is measured.
    sides
        What a ratio below 1 and one above 1 mean.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If lengths differ, limits do not enclose their median, or a kind is torn apart.
    """
    values = intervals(median, low, high, names)
    base = intervals([primary[0]], [primary[1]], [primary[2]], ("Primary analysis",))
    rows = [_row(name, values, i) for i, name in enumerate(names)]
    grouped = under_headings(rows, kinds)
    first = replace(_row("Primary analysis", base, 0), look="main")
    picture = IntervalRows(
        (Panel((first, *_compact(grouped)), axis, "log", (1.0,), (first.low, first.high), sides),),
        ("", "Rate ratio (95 % CrI)"),
    )
    return Plot(
        id=identifier,
        title=_title(values, base, len(names)),
        alt=f"The primary result as a band, and one line for each of {len(names)} variants.",
        columns=("What is changed", "Variant", "Rate ratio (95 % CrI)"),
        rows=(
            ("–", first.name, *first.cells),
            *((kinds[i], row.name, *row.cells) for i, row in enumerate(rows)),
        ),
        note=(
            "Shaded: 95 % credible interval of the primary analysis. Line: that of a variant; "
            "ring: median. Dots: medians of variants too many for a row each; the table has all."
        ),
        picture=picture,
    )


def _row(name: str, values: Sequence[np.ndarray], i: int) -> Row:
    median, low, high = (float(x[i]) for x in values)
    return Row(name, "result", median, low, high, cells=(ratio(values, i),))


def _compact(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows; those of a kind with too many as a strip with its extremes."""
    starts = [i for i, row in enumerate(rows) if row.look == "heading"]
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        members = rows[start + 1 : end]
        yield rows[start]
        if len(members) <= MOST_ROWS:
            yield from members
            continue
        yield Row(f"{len(members)} variants", "strip", dots=tuple(row.value for row in members))
        lowest, highest = (f(members, key=lambda row: row.value) for f in (min, max))
        for word, row in (("Lowest", lowest), ("Highest", highest)):
            yield replace(row, name=f"{word}: {row.name}")


def _title(values: Sequence[np.ndarray], base: Sequence[np.ndarray], count: int) -> str:
    """Return the primary result, and between which values its median moves."""
    ends = [ratio(values, int(f(values[0]))).partition(" ")[0] for f in (np.argmin, np.argmax)]
    return f"{ratio(base, 0)}; {ends[0]} to {ends[1]} in {plural(count, 'variant')}"
