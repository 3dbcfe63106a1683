"""A forest plot for small screens: the words of a line stand above its bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trabecula.format import uncapital
from trabecula.format import weight as weight_text
from trabecula.plots.forest import Forest, Line
from trabecula.plots.forest_marks import draw_axis, draw_mark, side_words
from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.style import INK, MUTED, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH = 3.7
"""Inches; on a screen of 390 pixels its letters are 11 to 12 pixels high."""

BLOCK = 0.72
"""Inches a line: two rows of words, then the bar."""

TEXT = 0.17
"""Inches a row of words."""

BAR = 0.27
"""Where the bar lies, in blocks beneath the middle of its block."""

EDGE = 0.2
"""Inches left free at both sides, so that marks and words at the ends of the axis are whole."""

FOOT, SIDES = 0.55, 0.36
"""Inches beneath the last bar for the axis, and for whom its sides favour."""


def draw_narrow(forest: Forest) -> Drawing:
    """Return the drawing: one block a line, the axis beneath all."""
    lines = list(forest.all_lines())
    notes = [row for note in forest.notes for row in _folded(note)]
    foot = FOOT + SIDES * (forest.arms is not None) + TEXT * len(notes)
    height = 0.1 + BLOCK * len(lines) + foot
    figure = drawing(WIDTH, height)
    axes = figure.add_axes(
        (EDGE / WIDTH, foot / height, 1 - 2 * EDGE / WIDTH, BLOCK * len(lines) / height)
    )
    draw_axis(axes, forest, len(lines) - 0.5)
    for y, line in enumerate(lines):
        _words(axes, forest, line, y)
        draw_mark(axes, forest, line, y + BAR, 0.2)
    axes.set_xlabel(shortened(forest.axis, WIDTH - 2 * EDGE), color=INK, labelpad=3)
    words = side_words(forest, WIDTH - 2 * EDGE)
    if words is not None:
        beneath = (foot - FOOT) / height
        figure.text(EDGE / WIDTH, beneath, words[0], va="top", linespacing=1.15)
        figure.text(1 - EDGE / WIDTH, beneath, words[1], va="top", ha="right", linespacing=1.15)
    for i, note in enumerate(reversed(notes)):
        figure.text(0.0, (0.09 + TEXT * i) / height, note, va="center", color=MUTED)
    return figure


def _words(axes: Axes, forest: Forest, line: Line, y: int) -> None:
    """Write name, counts, weight and result above the bar of `line`."""
    strong = line is forest.pooled
    room = WIDTH - width(line.result, strong) - 0.15
    _write(axes, y - 0.34, 0.0, shortened(line.name, WIDTH - 0.1, bold=True), bold=True)
    _write(axes, y - 0.08, 0.0, shortened(_counts(forest, line), room), colour=MUTED)
    _write(axes, y - 0.08, 1.0, line.result, bold=strong)


def _counts(forest: Forest, line: Line) -> str:
    if line is forest.pooled or not any(raw.strip("–") for raw in line.raw):
        return ""
    said = f"{uncapital(forest.counted)}: {' against '.join(line.raw)}"
    return said if line.weight is None else f"{said}; weight {weight_text(line.weight)}"


def _write(
    axes: Axes, y: float, x: float, text: str, *, bold: bool = False, colour: str = INK
) -> None:
    from matplotlib.transforms import blended_transform_factory

    assert axes.figure is not None
    axes.text(
        x, y, text, ha="right" if x else "left", va="center", color=colour,
        fontweight="bold" if bold else "normal",
        transform=blended_transform_factory(axes.figure.transFigure, axes.transData),
    )  # fmt: skip


def _folded(note: str) -> list[str]:
    return wrapped(note, WIDTH - 0.1, lines=6).split("\n")
