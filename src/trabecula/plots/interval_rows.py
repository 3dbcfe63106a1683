"""Rows of intervals on one axis, with words beside them: what several displays have in common.

A row is a line from its lower to its upper limit, thicker where an inner interval is known, with
its median as a small ring: the eye meets the uncertainty first. Rows stand under headings, and
panels, each with an axis of its own, under each other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trabecula.format import NARROW, number
from trabecula.plots.lettering import width
from trabecula.plots.ratio_scale import ratio_marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

REACH = 2.0
"""A limit further than this many spreads of the medians and observations beyond them is cut, so
that one imprecise row does not squeeze all others into a line."""

BETWEEN = 0.08
"""Inches between the words of two marks of an axis, at least."""

FEWEST = 3
"""Marks of a logarithmic axis below which it is marked in equal steps."""

Look = Literal["heading", "result", "main", "within", "outside", "strip"]
"""How a row is drawn: as a heading; a result; the result all others are held against; an
expectation with what was observed inside or outside it; a strip of dots without an interval."""

Scale = Literal["log", "share", "linear"]
"""*log*: ratios and times on a logarithmic axis; *share*: 0 to 1, marked in percent."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its interval, what stands beside it, and ``dots``, further values on its line."""

    name: str
    look: Look = "heading"
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    inner: tuple[float, float] | None = None
    dots: tuple[float, ...] = ()
    cells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """Rows on one axis.

    ``lines`` are values marked behind all rows, the first strongly. ``band`` is an interval
    shaded behind all rows, and ``sides`` name what lies to the left and to the right.
    """

    rows: tuple[Row, ...]
    axis: str
    scale: Scale
    lines: tuple[float, ...] = ()
    band: tuple[float, float] | None = None
    sides: tuple[str, str] | None = None

    def view(self) -> tuple[float, float]:
        """Return the part of the axis shown: all medians and dots in view, extreme limits cut."""
        if self.scale == "share":
            return 0.0, 1.0
        forward, back = (math.log, math.exp) if self.scale == "log" else (float, float)
        shown = [r for r in self.rows if r.look != "heading"]
        points = [forward(x) for r in shown for x in (r.value, *r.dots) if not math.isnan(x)]
        points += [forward(x) for x in (*self.lines, *(self.band or ()))]
        least = 0.0 if self.scale == "log" else -math.inf
        pairs = [
            (forward(r.low), forward(r.high))
            for r in shown
            if least < r.low and math.isfinite(r.low) and math.isfinite(r.high)
        ]
        limits = [x for pair in pairs for x in pair]
        widths = sorted(b - a for a, b in pairs)
        typical = widths[(len(widths) - 1) // 2] if widths else 0.0
        spread = max(max(points) - min(points), typical, 1e-9)
        low = max(min([*limits, *points]), min(points) - REACH * spread)
        high = min(max([*limits, *points]), max(points) + REACH * spread)
        margin = 0.04 * (high - low)
        return back(low - margin), back(high + margin)

    def ticks(self, across: float) -> list[tuple[float, str]]:
        """Return the marks of the axis with their words; none touches another on `across` inches.

        Marks of `lines` go before round ones.
        """
        low, high = self.view()
        forward = math.log if self.scale == "log" else float
        inch = across / (forward(high) - forward(low))
        kept: list[tuple[float, str]] = []
        for value in (*self.lines, *self._round(low, high)):
            text = self._word(value)
            if all(
                abs(forward(value) - forward(x)) * inch >= (width(text) + width(t)) / 2 + BETWEEN
                for x, t in kept
            ):
                kept.append((value, text))
        return sorted(kept)

    def _round(self, low: float, high: float) -> list[float]:
        if self.scale == "share":
            return [0.0, 0.25, 0.5, 0.75, 1.0]
        if self.scale == "log" and len(marks := ratio_marks(low, high)) >= FEWEST:
            return marks
        from matplotlib.ticker import MaxNLocator

        places = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        return [float(x) for x in places if low <= x <= high]

    def _word(self, value: float) -> str:
        if self.scale == "share":
            return f"{round(100 * value)}{NARROW}%"
        return number(round(value, 10))


@dataclass(frozen=True, slots=True)
class IntervalRows:
    """All that the picture shows.

    ``heads`` stand above names and cells. On small screens cells are written above the bars, or,
    where the picture is ``terse``, left to the table.
    """

    panels: tuple[Panel, ...]
    heads: tuple[str, ...]
    terse: bool = False

    def drawing(self) -> Drawing:
        """Return the picture as a table: names, intervals and cells side by side."""
        from trabecula.plots.interval_wide import draw_wide

        return draw_wide(self)

    def narrow_drawing(self) -> Drawing:
        """Return the picture with the words of a row above its interval."""
        from trabecula.plots.interval_narrow import draw_narrow

        return draw_narrow(self)
