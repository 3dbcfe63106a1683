"""A matrix of cells, each tinted by a number; warm and cool tell its sign.

Tints are see-through, so that they are read on light and dark pages alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.plots.lettering import listed, width, wrapped
from trabecula.plots.style import INK, MARK, MUTED, POOLED, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH, NARROW = 9.6, 3.7
"""Inches of the drawing, and of that for small screens, which shows tints and numbers of rows."""

LABEL = 1.9
"""Most inches that the names of rows take before they are broken into lines."""

LINE, MARGIN = 0.15, 0.12
"""Inches of a line of words in a cell, and around them; a cell holds two lines or more."""

LARGEST_CELL = 1.9
"""Inches beyond which a cell is not drawn wider, however few there are."""

SMALLEST_CELL = 0.62
"""Inches below which no words fit a cell: rows and columns are then numbered."""

NAME, LEAST_NUMBERED, EACH = 0.19, 0.21, 5
"""Inches of a line of names, and of a cell beneath which but every fifth number is written."""

STRONGEST = 0.6
"""Opacity of the strongest tint: letters on it stay readable."""

SMALLEST_MARK = 0.02
"""Share of a full cell below which its inner square is not drawn."""


@dataclass(frozen=True, slots=True)
class HeatMap:
    """All that the map shows.

    ``tints`` are between -1 (coolest) and 1 (warmest), ``None`` leaves a cell empty; ``texts``
    stand in the cells; ``marks`` are the shares of a full cell that inner squares take (empty:
    no squares). Where rows and columns are the same, ``names`` may stand on the diagonal.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    tints: tuple[tuple[float | None, ...], ...]
    texts: tuple[tuple[str, ...], ...]
    marks: tuple[tuple[float, ...], ...] = ()

    def drawing(self) -> Drawing:
        """Return the map with its names and texts, or numbered where cells are too small."""
        names = [wrapped(name, LABEL, lines=2) for name in self.rows]
        left = max(width(part, True) for name in names for part in name.split("\n")) + 0.12
        cell = min((WIDTH - left) / len(self.columns), LARGEST_CELL)
        if cell < SMALLEST_CELL:
            return self._numbered(WIDTH)
        upright = any(width(word) > cell for name in self.columns for word in name.split(" "))
        heads = [wrapped(n, LABEL if upright else cell - 0.14, lines=2) for n in self.columns]
        lines = max(head.count("\n") + 1 for head in heads)
        longest = max(width(part, True) for head in heads for part in head.split("\n"))
        top = 0.12 + (longest if upright else 0.16 * lines)
        texts = [[_fitted(text, cell - 0.08) for text in line] for line in self.texts]
        most = max(text.count("\n") + 1 for line in texts for text in line)
        row = MARGIN + LINE * max(most, 2)
        height = top + row * len(self.rows) + 0.05
        figure = drawing(WIDTH, height)
        box = (left / WIDTH, 0.05 / height, cell * len(self.columns) / WIDTH,
               row * len(self.rows) / height)  # fmt: skip
        axes = self._tinted(figure, box)
        for y, name in enumerate(names):
            axes.text(-0.08 / cell, y + 0.5, name, ha="right", va="center", color=INK)
        for x, head in enumerate(heads):
            axes.text(
                x + 0.5, -0.08 / row, head, ha="center", va="bottom", color=INK,
                rotation=90 if upright else 0,
            )  # fmt: skip
        for y, line in enumerate(texts):
            for x, text in enumerate(line):
                axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", color=INK)
        return figure

    def narrow_drawing(self) -> Drawing:
        """Return the tints alone, with rows and columns numbered and named beneath."""
        return self._numbered(NARROW)

    def _numbered(self, across: float) -> Drawing:
        labels = tuple(dict.fromkeys((*self.rows, *self.columns)))
        blocks, lines = listed(labels, across)
        side = min((across - 0.45) / len(self.columns), 0.5)
        grid = side * len(self.rows)
        height = 0.3 + grid + 0.2 + NAME * lines
        figure = drawing(across, height)
        box = (0.35 / across, 1 - (0.3 + grid) / height, side * len(self.columns) / across,
               grid / height)  # fmt: skip
        axes = self._tinted(figure, box)
        gap = 0.08 / side
        step = 1 if side >= LEAST_NUMBERED else EACH
        for y, name in enumerate(self.rows):
            if (number := labels.index(name) + 1) % step == 0 or not y:
                axes.text(-gap, y + 0.5, str(number), ha="right", va="center")
        for x, name in enumerate(self.columns):
            if (number := labels.index(name) + 1) % step == 0 or not x:
                axes.text(x + 0.5, -gap, str(number), ha="center", va="bottom")
        for i, block in enumerate(blocks):
            figure.text(
                0.1 / across + i / len(blocks), (height - 0.45 - grid) / height, block, va="top",
                color=INK, linespacing=1.35,
            )  # fmt: skip
        return figure

    def _tinted(self, figure: Drawing, box: tuple[float, float, float, float]) -> Axes:
        axes = figure.add_axes(box)
        axes.set_xlim(0, len(self.columns))
        axes.set_ylim(len(self.rows), 0)
        axes.set_axis_off()
        for y, line in enumerate(self.tints):
            for x, tint in enumerate(line):
                if tint is not None:
                    _rectangle(axes, x, y, 1.0, POOLED if tint > 0 else MARK, STRONGEST * abs(tint))
        for y, shares in enumerate(self.marks):
            for x, share in enumerate(shares):
                if share >= SMALLEST_MARK:
                    _rectangle(axes, x, y, min(share, 1.0) ** 0.5, MUTED, 0.45)
        return axes


def _fitted(text: str, room: float) -> str:
    """Return `text` with each of its lines broken where it is wider than `room` inches."""
    return "\n".join(wrapped(part, room) for part in text.split("\n"))


def _rectangle(axes: Axes, x: int, y: int, side: float, colour: str, strength: float) -> None:
    from matplotlib.patches import Rectangle

    corner = (x + 0.5 - 0.48 * side, y + 0.5 - 0.47 * side)
    axes.add_patch(
        Rectangle(corner, 0.96 * side, 0.94 * side, facecolor=colour, alpha=strength, linewidth=0)
    )
