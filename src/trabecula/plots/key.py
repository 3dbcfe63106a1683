"""Keys: what marks, lines and tones mean, in rows above a plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.plots.lettering import shortened, width
from trabecula.plots.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

SWATCH, GAP, APART = 0.28, 0.07, 0.2
"""Inches of a sample, from it to its words, and to the next sample."""

LINE = 0.2
"""Inches of a row of the key."""

Swatch = Callable[["Axes", float, float], None]
"""Draws a sample at the left end ``x`` and middle ``y`` of its place, on axes in inches."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample and what it means."""

    text: str
    swatch: Swatch
    wide: float = SWATCH

    @property
    def room(self) -> float:
        """Inches of the sample and its words."""
        return self.wide + GAP + width(self.text)


def flowed(entries: Sequence[Entry], across: float) -> list[list[Entry]]:
    """Return the entries in rows of at most `across` inches, in their order."""
    rows: list[list[Entry]] = []
    taken = 0.0
    for entry in entries:
        if not rows or taken + APART + entry.room > across:
            rows.append([entry])
            taken = entry.room
        else:
            rows[-1].append(entry)
            taken += APART + entry.room
    return rows


def draw_key(figure: Drawing, rows: Sequence[Sequence[Entry]], left: float, top: float) -> None:
    """Draw rows of a key from `left` and downwards from `top`, in inches from the lower left."""
    axes = inches(figure)
    across = figure.get_figwidth()
    for i, row in enumerate(rows):
        x, y = left, top - LINE * (i + 0.5)
        for entry in row:
            entry.swatch(axes, x, y)
            start = x + entry.wide + GAP
            axes.text(start, y, shortened(entry.text, across - start), va="center", color=INK)
            x += entry.room + APART


def inches(figure: Drawing) -> Axes:
    """Return axes over the whole of `figure`, one unit an inch, that show nothing themselves."""
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0, figure.get_figwidth())
    axes.set_ylim(0, figure.get_figheight())
    axes.set_axis_off()
    return axes
