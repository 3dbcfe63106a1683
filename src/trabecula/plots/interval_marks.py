"""The marks of rows of intervals: axis, lines behind, intervals, dots."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from trabecula.plots.interval_rows import Panel, Row
from trabecula.plots.lettering import shortened
from trabecula.plots.style import INK, MARK, MUTED, PAPER, POOLED, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

THIN, THICK, EXPECTED, HAIR = 1.5, 4.6, 5.6, 0.8
"""Points of the line of an interval, of an inner interval, of an expected one, and of the line
in it that is seen where pale bars are not."""

STRIP = 0.6
"""Inches that a strip of dots is high."""

DOTS = (0.075, 0.065, 0.055, 0.048)
"""Inches that a dot of a strip may take; the largest is taken with which dots do not touch."""

SIDES = 0.02
"""Inches left free at each end of the words beneath an axis."""


def draw_axis(axes: Axes, panel: Panel, across: float, depth: float) -> None:
    """Prepare `axes` of `across` by `depth` inches: values across, inches down, marks beneath."""
    from matplotlib.ticker import NullFormatter, NullLocator

    if panel.scale == "log":
        axes.set_xscale("log")
    axes.set_xlim(*panel.view())
    axes.set_ylim(depth, 0.0)
    axes.set_yticks([])
    axes.set_facecolor("none")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    places, words = zip(*panel.ticks(across), strict=True)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticks(places, words)
    axes.tick_params(axis="x", labelcolor=MUTED, color=RULE)
    axes.set_xlabel(shortened(panel.axis, across), color=INK, labelpad=3)


def draw_band(axes: Axes, panel: Panel, depth: float) -> None:
    """Shade the band of a panel, `depth` inches downwards."""
    if panel.band is not None:
        ends = [0, depth]
        axes.fill_betweenx(ends, *panel.band, color=POOLED, alpha=0.13, linewidth=0, zorder=0)


def draw_lines(axes: Axes, panel: Panel, top: float, bottom: float) -> None:
    """Draw the lines of a panel from `top` to `bottom`, inches downwards."""
    for i, value in enumerate(panel.lines):
        axes.plot(
            [value] * 2, [top, bottom], color=MUTED, zorder=0.5, linewidth=0.8 if i else 0.9,
            linestyle=(0, (1, 2.5)) if i else "solid",
        )  # fmt: skip


def draw_row(axes: Axes, panel: Panel, row: Row, y: float, across: float) -> None:
    """Draw a row `y` inches downwards on axes of `across` inches."""
    if row.look == "strip":
        _strip(axes, panel, row, y, across)
    elif row.look in ("within", "outside"):
        _expected(axes, panel, row, y)
    elif row.look != "heading" and not math.isnan(row.value):
        colour = POOLED if row.look == "main" else MARK
        _line(axes, panel, (row.low, row.high), y, colour, THIN)
        if row.inner is not None:
            _line(axes, panel, row.inner, y, colour, THICK)
        axes.plot(
            [row.value], [y], marker="o", markersize=5.0, markerfacecolor=PAPER,
            markeredgecolor=colour, markeredgewidth=1.4, zorder=4, clip_on=False,
        )  # fmt: skip


def _expected(axes: Axes, panel: Panel, row: Row, y: float) -> None:
    for colour, thickness in ((RULE, EXPECTED), (MUTED, HAIR)):
        _line(axes, panel, (row.low, row.high), y, colour, thickness)
    if not math.isnan(row.value):
        axes.plot([row.value], [y], marker="|", markersize=7, color=MUTED, zorder=3)
    outside = row.look == "outside"
    axes.plot(
        row.dots, [y] * len(row.dots), linestyle="none", marker="D" if outside else "o",
        markersize=5.6 if outside else 4.6, markerfacecolor=PAPER if outside else MARK,
        markeredgecolor=POOLED if outside else MARK, markeredgewidth=1.6 if outside else 0.4,
        zorder=4, clip_on=False,
    )  # fmt: skip


def _line(
    axes: Axes, panel: Panel, ends: tuple[float, float], y: float, colour: str, thickness: float
) -> None:
    """Draw an interval, with an arrow head where it leaves the picture."""
    low, high = panel.view()
    left, right = max(ends[0], low), min(ends[1], high)
    axes.plot(
        [left, right], [y, y], color=colour, linewidth=thickness, solid_capstyle="butt", zorder=2,
        clip_on=False,
    )  # fmt: skip
    for cut, x, marker in ((ends[0] < low, left, "<"), (ends[1] > high, right, ">")):
        if cut:
            axes.plot([x], [y], marker=marker, color=colour, markersize=5.5, clip_on=False)


def _strip(axes: Axes, panel: Panel, row: Row, y: float, across: float) -> None:
    """Draw dots of one line; those that would touch stand above and beneath each other."""
    low, high = panel.view()
    forward = math.log if panel.scale == "log" else float
    inch = across / (forward(high) - forward(low))
    dot, levels = piled([forward(x) * inch for x in row.dots])
    ys = [y + dot * level for level in levels]
    axes.plot(
        row.dots, ys, linestyle="none", marker="o", markersize=66 * dot, markerfacecolor=MARK,
        markeredgecolor=PAPER, markeredgewidth=0.3, zorder=4, clip_on=False,
    )  # fmt: skip


def piled(places: Sequence[float]) -> tuple[float, list[int]]:
    """Return the inches of a dot, and for each place how many dots it lies above or beneath.

    Each takes the level nearest to the line on which it touches no dot. Where the smallest dots
    do not fit the height of a strip either, some touch.
    """
    order = sorted(range(len(places)), key=lambda i: places[i])
    levels = [0] * len(places)
    for dot in DOTS:
        most = int((STRIP / dot - 1) / 2)
        options = sorted(range(-most, most + 1), key=lambda level: (abs(level), level))
        last: dict[int, float] = {}
        fits = True
        for i in order:
            free = [k for k in options if places[i] - last.get(k, -math.inf) >= dot]
            fits = fits and bool(free)
            levels[i] = free[0] if free else 0
            last[levels[i]] = places[i]
        if fits:
            break
    return dot, levels


def side_words(sides: tuple[str, str], across: float) -> tuple[str, str]:
    """Return what stands left and right beneath an axis of `across` inches."""
    room = across / 2 - SIDES
    return shortened(f"← {sides[0]}", room), shortened(f"{sides[1]} →", room)
