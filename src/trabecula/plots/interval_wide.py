"""Rows of intervals as a table with a plot in it, for pages wide enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.plots.interval_marks import (
    STRIP,
    draw_axis,
    draw_band,
    draw_lines,
    draw_row,
    side_words,
)
from trabecula.plots.interval_rows import IntervalRows, Panel, Row
from trabecula.plots.key import inches
from trabecula.plots.lettering import width, wrapped
from trabecula.plots.style import INK, MUTED, RULE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH = 9.6
"""Inches; shown across a page of 62 rem, where its letters are 13 pixels high."""

PLOT = 0.38
"""The least part of the width that is the plot's own; names are wrapped before it shrinks."""

ROW, TALL_ROW = 0.25, 0.36
"""Inches a row, with names in one line and where one takes two."""

HEAD, FOOT, SIDE_LINE = 0.34, 0.52, 0.2
"""Inches of the heads, beneath a panel for its axis, and for whom its sides name."""

GAP, EDGE, INDENT = 0.2, 0.04, 0.12
"""Inches between columns, at the edges of the picture, and of names under a heading."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where columns stand, in inches, and the names of each panel; cells end at their places."""

    names: tuple[tuple[str, ...], ...]
    left: float
    right: float
    cells: tuple[float, ...]


def layout(picture: IntervalRows) -> Layout:
    """Return where everything stands; the plot takes what the words leave, never below `PLOT`."""
    rows = [row for panel in picture.panels for row in panel.rows]
    columns = [
        max(width(head, True), *(width(r.cells[i]) for r in rows if r.cells))
        for i, head in enumerate(picture.heads[1:])
    ]
    taken = 2 * EDGE + 2 * GAP + sum(columns) + GAP * len(columns)
    room = WIDTH * (1 - PLOT) - taken - INDENT
    names = tuple(
        tuple(row.name if row.look == "heading" else wrapped(row.name, room) for row in panel.rows)
        for panel in picture.panels
    )
    widest = max(
        (width(part, row.look == "main") for panel, texts in zip(picture.panels, names, strict=True)
         for row, text in zip(panel.rows, texts, strict=True) if row.look != "heading"
         for part in text.split("\n")), default=0.0,
    )  # fmt: skip
    cells = [WIDTH - EDGE]
    for column in reversed(columns[1:]):
        cells.insert(0, cells[0] - column - GAP)
    right = cells[0] - columns[0] - 1.5 * GAP if columns else WIDTH - EDGE - GAP
    left = EDGE + INDENT + max(widest, width(picture.heads[0], True)) + GAP
    return Layout(names, left, right, tuple(cells) if columns else ())


def foot(panel: Panel) -> float:
    """Return the inches beneath a panel."""
    return FOOT + SIDE_LINE * (panel.sides is not None)


def row_height(row: Row, name: str) -> float:
    """Return the inches of a row with its name as it is broken into lines."""
    if row.look == "strip":
        return STRIP + 0.08
    return TALL_ROW if "\n" in name else ROW


def draw_wide(picture: IntervalRows) -> Drawing:
    """Return the drawing: names, intervals and cells side by side, panels under each other."""
    place = layout(picture)
    heights = [
        [row_height(row, name) for row, name in zip(panel.rows, names, strict=True)]
        for panel, names in zip(picture.panels, place.names, strict=True)
    ]
    height = HEAD + sum(map(sum, heights)) + sum(map(foot, picture.panels))
    figure = drawing(WIDTH, height)
    page = inches(figure)
    _heads(page, picture, place, height)
    top = height - HEAD
    for panel, names, highs in zip(picture.panels, place.names, heights, strict=True):
        depth, across = sum(highs), place.right - place.left
        box = (place.left / WIDTH, (top - depth) / height, across / WIDTH, depth / height)
        axes = figure.add_axes(box)
        draw_axis(axes, panel, across, depth)
        draw_band(axes, panel, depth)
        draw_lines(axes, panel, 0.0, depth)
        y = 0.0
        for row, name, high in zip(panel.rows, names, highs, strict=True):
            draw_row(axes, panel, row, y + high / 2, across)
            _words(page, row, name, top - y - high / 2, place)
            y += high
        _sides(page, panel, place, top - depth - FOOT + 0.05)
        top -= depth + foot(panel)
    return figure


def _heads(page: Axes, picture: IntervalRows, place: Layout, height: float) -> None:
    y = height - 0.14
    page.text(EDGE, y, picture.heads[0], va="center", color=INK, fontweight="bold")
    for head, x in zip(picture.heads[1:], place.cells, strict=True):
        page.text(x, y, head, va="center", ha="right", color=INK, fontweight="bold")
    page.plot([EDGE, WIDTH - EDGE], [height - HEAD + 0.04] * 2, color=RULE, linewidth=0.8)


def _words(page: Axes, row: Row, name: str, y: float, place: Layout) -> None:
    heading, main = row.look == "heading", row.look == "main"
    page.text(
        EDGE + INDENT * (not heading), y, name, va="center", color=MUTED if heading else INK,
        fontweight="bold" if heading or main else "normal", linespacing=1.15,
    )  # fmt: skip
    for cell, x in zip(row.cells, place.cells, strict=False):
        weight = "bold" if main else "normal"
        page.text(x, y, cell, va="center", ha="right", color=INK, fontweight=weight)


def _sides(page: Axes, panel: Panel, place: Layout, y: float) -> None:
    if panel.sides is None:
        return
    left, right = side_words(panel.sides, place.right - place.left)
    page.text(place.left, y, left, va="top", color=INK)
    page.text(place.right, y, right, va="top", ha="right", color=INK)
