"""Rows of intervals for small screens: the words of a row stand above its interval."""

from __future__ import annotations

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
from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.style import INK, MUTED, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH = 3.7
"""Inches; on a screen of 390 pixels its letters are 11 to 12 pixels high."""

EDGE = 0.2
"""Inches left free at both sides, so that marks and words at the ends of the axis are whole."""

TEXT, BAR, HEADING = 0.17, 0.23, 0.3
"""Inches of a line of words, of an interval, and of a heading."""

TOP, FOOT, SIDE_LINE = 0.3, 0.55, 0.2
"""Inches above a panel for its marks, beneath it for its axis, and for whom its sides name."""


def block(row: Row, terse: bool) -> float:
    """Return the inches of a row with its words."""
    if row.look == "heading":
        return HEADING
    lines = 1 + name_of(row).count("\n") + (bool(row.cells) and not terse and _needs_two(row))
    return TEXT * lines + (STRIP if row.look == "strip" else BAR) + 0.04


def name_of(row: Row) -> str:
    """Return the name of a row, in two lines where one does not do."""
    return wrapped(row.name, WIDTH - 0.1, row.look == "main")


def _needs_two(row: Row) -> bool:
    """Whether name and cells do not fit one line."""
    if any(row.cells[1:]):
        return True
    return width(row.name, row.look == "main") + width(row.cells[0], True) > WIDTH - 0.3


def draw_narrow(picture: IntervalRows) -> Drawing:
    """Return the drawing: one block a row, panels under each other, marks above and beneath."""
    depth = [sum(block(row, picture.terse) for row in panel.rows) for panel in picture.panels]
    feet = [FOOT + SIDE_LINE * (panel.sides is not None) for panel in picture.panels]
    height = TOP * len(depth) + sum(depth) + sum(feet)
    figure = drawing(WIDTH, height)
    page = inches(figure)
    top = height
    for panel, high, below in zip(picture.panels, depth, feet, strict=True):
        top -= TOP
        box = (EDGE / WIDTH, (top - high) / height, 1 - 2 * EDGE / WIDTH, high / height)
        axes = figure.add_axes(box)
        across = WIDTH - 2 * EDGE
        draw_axis(axes, panel, across, high)
        axes.tick_params(axis="x", labeltop=True)
        draw_band(axes, panel, high)
        _blocks(axes, page, picture, panel, top)
        if panel.sides is not None:
            _sides(page, side_words(panel.sides, across), top - high - FOOT + 0.06)
        top -= high + below
    return figure


def _blocks(axes: Axes, page: Axes, picture: IntervalRows, panel: Panel, top: float) -> None:
    down = 0.0
    for row in panel.rows:
        high = block(row, picture.terse)
        _words(page, row, picture, top - down)
        if row.look != "heading":
            bar = STRIP if row.look == "strip" else BAR
            draw_lines(axes, panel, down + high - bar - 0.02, down + high - 0.02)
            draw_row(axes, panel, row, down + high - bar / 2 - 0.02, WIDTH - 2 * EDGE)
        down += high


def _words(page: Axes, row: Row, picture: IntervalRows, top: float) -> None:
    """Write name and cells of a row downwards from `top`."""
    if row.look == "heading":
        name = shortened(row.name, WIDTH - 0.1, bold=True)
        page.text(0.0, top - 0.19, name, va="center", color=MUTED, fontweight="bold")
        return
    y, weight = top - TEXT / 2 - 0.02, "bold" if row.look == "main" else "normal"
    told = bool(row.cells) and not picture.terse
    apart = told and _needs_two(row)
    for line in name_of(row).split("\n"):
        page.text(0.0, y, line, va="center", color=INK, fontweight=weight)
        y -= TEXT
    y += TEXT * (not apart)
    if not told:
        return
    page.text(WIDTH, y, row.cells[0], va="center", ha="right", color=INK, fontweight=weight)
    pairs = zip(picture.heads[2:], row.cells[1:], strict=False)
    rest = "; ".join(f"{head}: {cell}" for head, cell in pairs if cell)
    room = WIDTH - width(row.cells[0], True) - 0.1
    page.text(0.0, y, shortened(rest, room), va="center", color=MUTED)


def _sides(page: Axes, words: tuple[str, str], y: float) -> None:
    page.text(EDGE, y, words[0], va="top", color=INK)
    page.text(WIDTH - EDGE, y, words[1], va="top", ha="right", color=INK)
