"""A forest plot as a table with a plot in it, for pages wide enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.format import sentence
from trabecula.format import weight as weight_text
from trabecula.plots.forest import Forest
from trabecula.plots.forest_marks import draw_axis, draw_mark, side_words
from trabecula.plots.lettering import width, wrapped
from trabecula.plots.style import INK, MUTED, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH = 9.6
"""Inches; shown across a page of 62 rem, where its letters are 13 pixels high."""

PLOT = 0.42
"""The least part of the width that is the plot's own; names are wrapped before it shrinks."""

ROW, TALL_ROW = 0.27, 0.38
"""Inches a row, with names in one line and where one takes two."""

HEAD, FOOT, NOTE = 0.5, 0.55, 0.2
"""Inches above the first row, below the last for the axis, and for each note."""

SIDES = 0.36
"""Inches more beneath the axis where its sides favour somebody."""

GAP, EDGE = 0.16, 0.04
"""Inches between columns, and at the edges of the picture."""

ARM_HEAD = 1.05
"""Inches of the name of an arm above its counts; a longer one takes two lines."""

Write = Callable[[float, float, str, bool, str], None]
"""Writes text at a place (inches from the left) and row, bold or not, aligned left or right."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where columns stand, in inches: names from the left, the rest to their right edge."""

    names: tuple[str, ...]
    heads: tuple[str, ...]
    counts: tuple[float, ...]
    left: float
    right: float
    weight: float
    result: float
    row: float
    head: float


def draw_wide(forest: Forest) -> Drawing:
    """Return the drawing: names, counts, plot, weights and results side by side."""
    place = layout(forest)
    rows = len(place.names)
    foot = FOOT + SIDES * (forest.arms is not None) + NOTE * len(forest.notes)
    height = place.head + foot + place.row * rows
    figure = drawing(WIDTH, height)
    box = (place.left / WIDTH, foot / height, (place.right - place.left) / WIDTH,
           place.row * rows / height)  # fmt: skip
    axes = figure.add_axes(box)
    draw_axis(axes, forest, rows - 0.5)
    write = _writer(axes)
    _headings(write, forest, place)
    for y, line in enumerate(forest.all_lines()):
        draw_mark(axes, forest, line, y)
        bold = line is forest.pooled
        write(EDGE, y, place.names[y], bold, "left")
        for x, raw in zip(place.counts, line.raw, strict=False):
            write(x, y, raw, False, "right")
        if line.weight is not None:
            write(place.weight, y, weight_text(line.weight), False, "right")
        write(place.result, y, line.result, bold, "right")
    _foot(figure, axes, forest, place, foot)
    return figure


def layout(forest: Forest) -> Layout:
    """Return where everything stands; the plot takes what the words leave, never below `PLOT`."""
    lines = tuple(forest.all_lines())
    arms = (forest.arms or ("",)) if forest.counted else ()
    heads = tuple(wrapped(sentence(arm), ARM_HEAD, bold=True) for arm in arms)
    columns = [
        max(width(forest.counted, True), *(_widest(h) for h in heads[i : i + 1]),
            *(width(ln.raw[i]) for ln in lines if ln.raw))
        for i in range(len(heads))
    ]  # fmt: skip
    weighed = any(ln.weight is not None for ln in lines)
    weights = max(width("Weight", True), width("100.0 %")) + GAP if weighed else 0.0
    results = max(width("Result (95 % CI)", True), *(width(ln.result, True) for ln in lines))
    taken = 2 * EDGE + sum(columns) + GAP * (len(columns) + 3) + weights + results
    room = WIDTH - taken - PLOT * WIDTH
    names = tuple(wrapped(ln.name, room, bold=True) for ln in lines)
    x = EDGE + max(_widest(name) for name in names)
    counts = [x := x + GAP + column for column in columns]
    tall = any("\n" in name for name in names)
    right = WIDTH - EDGE - results - weights - 1.5 * GAP
    return Layout(
        names, heads, tuple(counts), left=x + 1.5 * GAP, right=right,
        weight=WIDTH - EDGE - results - GAP, result=WIDTH - EDGE,
        row=TALL_ROW if tall else ROW, head=HEAD + 0.17 * max(map(_breaks, heads), default=0),
    )  # fmt: skip


def _breaks(text: str) -> int:
    return text.count("\n")


def _widest(text: str) -> float:
    return max(width(part, True) for part in text.split("\n"))


def _writer(axes: Axes) -> Write:
    from matplotlib.transforms import blended_transform_factory

    assert axes.figure is not None
    place = blended_transform_factory(axes.figure.transFigure, axes.transData)

    def write(x: float, y: float, text: str, bold: bool, align: str) -> None:
        axes.text(
            x / WIDTH, y, text, transform=place, ha=align, va="center", color=INK,
            fontweight="bold" if bold else "normal", linespacing=1.15,
        )  # fmt: skip

    return write


def _headings(write: Write, forest: Forest, place: Layout) -> None:
    y = -0.5 - 0.13 / place.row
    write(EDGE, y, "Study", True, "left")
    for x, head in zip(place.counts, place.heads, strict=True):
        write(x, y, forest.counted, True, "right")
        if head:
            lines = head.count("\n") + 1
            write(x, y - (0.1 + 0.085 * lines) / place.row, head, True, "right")
    if forest.pooled is not None:
        write(place.weight, y, "Weight", True, "right")
    write(place.result, y, "Result (95 % CI)", True, "right")


def _foot(figure: Drawing, axes: Axes, forest: Forest, place: Layout, foot: float) -> None:
    height = figure.get_figheight()
    axes.set_xlabel(forest.axis, color=INK, labelpad=3)
    words = side_words(forest, place.right - place.left)
    if words is not None:
        y = (foot - FOOT) / height
        figure.text(place.left / WIDTH, y, words[0], ha="left", va="top", linespacing=1.15)
        figure.text(place.right / WIDTH, y, words[1], ha="right", va="top", linespacing=1.15)
    for i, note in enumerate(reversed(forest.notes)):
        figure.text(EDGE / WIDTH, (0.1 + NOTE * i) / height, note, va="center", color=MUTED)
