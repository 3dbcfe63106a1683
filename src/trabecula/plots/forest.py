"""Forest plots, by the conventions that clinicians and statisticians know.

Squares are as large as the weight, lines are 95 % confidence intervals (an arrow head where
one leaves the picture), the diamond is the pooled result, the bar beneath it the 95 %
prediction interval. Ratios are on a log scale. Where nothing was pooled there is no diamond.
Sources: Cochrane Handbook 10.2.1; Lewis & Clarke 2001, BMJ 322:1479.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.format import NARROW, number
from trabecula.plots.ratio_scale import ratio_marks

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

REACH = 2.0
"""A confidence limit further than this many spreads of the estimates beyond them is cut, so
that one imprecise study does not squeeze all others into a line."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the plot: a study, the pooled result, or the prediction interval."""

    name: str
    raw: tuple[str, ...]
    result: str
    value: float
    low: float
    high: float
    weight: float | None = None
    imputed: bool = False

    @property
    def known(self) -> bool:
        """Whether there is a result to draw."""
        return not math.isnan(self.value)


@dataclass(frozen=True, slots=True)
class Forest:
    """All that a forest plot shows; see the module for what means what.

    ``arms`` names the two treatments of a comparison, ``counted`` what is printed of each arm
    (``n`` or ``events/n``; empty: nothing),
    ``null`` is the value of no difference, ``better`` tells whether
    ``lower`` or ``higher`` values are good for the patient, ``notes`` stand beneath.
    """

    lines: tuple[Line, ...]
    arms: tuple[str, str] | None
    counted: str
    pooled: Line | None
    prediction: Line | None
    log: bool
    percent: bool
    null: float | None
    axis: str
    better: str
    notes: tuple[str, ...]

    def all_lines(self) -> Iterator[Line]:
        """Yield the lines from top to bottom."""
        yield from self.lines
        if self.pooled is not None:
            yield self.pooled
        if self.prediction is not None:
            yield self.prediction

    def drawing(self) -> Drawing:
        """Return the plot as a table: names, counts, plot and results side by side."""
        from trabecula.plots.forest_wide import draw_wide

        return draw_wide(self)

    def narrow_drawing(self) -> Drawing:
        """Return the plot with the words of a line above its bar."""
        from trabecula.plots.forest_narrow import draw_narrow

        return draw_narrow(self)

    def sides(self) -> tuple[str, str] | None:
        """Return the names of the treatments that the left and the right side favour."""
        if self.arms is None:
            return None
        return self.arms if self.better == "lower" else (self.arms[1], self.arms[0])

    def view(self) -> tuple[float, float]:
        """Return the part of the axis shown: all estimates in view, extreme limits cut."""
        if self.percent:
            return 0.0, 1.0
        forward, back = (math.log, math.exp) if self.log else (float, float)
        lines = [ln for ln in self.all_lines() if ln.known and (not self.log or ln.low > 0)]
        points = [forward(ln.value) for ln in lines]
        points += [] if self.null is None else [forward(self.null)]
        limits = [forward(x) for ln in lines for x in (ln.low, ln.high) if math.isfinite(x)]
        widths = sorted(forward(ln.high) - forward(ln.low) for ln in self.lines if ln in lines)
        typical = widths[(len(widths) - 1) // 2] if widths else 0.0
        spread = max(max(points) - min(points), typical, 1e-9)
        low = max(min([*limits, *points]), min(points) - REACH * spread)
        high = min(max([*limits, *points]), max(points) + REACH * spread)
        margin = 0.05 * (high - low) or 1.0
        return back(low - margin), back(high + margin)


def ticks(forest: Forest) -> list[float]:
    """Return the values marked on the axis, five or so."""
    low, high = forest.view()
    if forest.percent:
        return [0.0, 0.25, 0.5, 0.75, 1.0]
    if forest.log:
        return ratio_marks(low, high)
    from matplotlib.ticker import MaxNLocator

    places = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(x) for x in places if low <= x <= high]


def tick_label(x: float, forest: Forest) -> str:
    """Return a value of the axis with the digits it needs."""
    return f"{round(100 * x)}{NARROW}%" if forest.percent else number(round(x, 10))
