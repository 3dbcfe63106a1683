"""Points on two axes, with lines and shaded areas behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.plots.lettering import shortened, width
from trabecula.plots.style import INK, MARK, MUTED, POOLED, RULE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDE, NARROW = (7.6, 4.6), (3.7, 3.7)
"""Inches: for pages wide enough, and for small screens."""

MARGINS = (0.75, 0.6, 0.15, 0.15)
"""Inches left, below, right and above the axes."""

LABEL_HEIGHT = 0.16
"""Inches that a label takes upwards; one that would touch a former is left out."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line between two points; ``strong`` lines are results, others help the eye."""

    start: Point
    end: Point
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Scatter:
    """All that the plot shows.

    ``labels`` stand beside the points (empty: none). ``areas`` are polygons, the first the
    faintest. ``view`` is left, right, bottom and top of the axes; bottom above top turns them.
    ``ticks`` of the horizontal axis are given with their words, or left to the drawing.
    """

    points: tuple[Point, ...]
    labels: tuple[str, ...]
    lines: tuple[Line, ...]
    areas: tuple[tuple[Point, ...], ...]
    view: tuple[float, float, float, float]
    across: str
    upward: str
    ticks: tuple[tuple[float, str], ...] = ()

    def drawing(self) -> Drawing:
        """Return the plot for pages wide enough."""
        return self._drawn(*WIDE)

    def narrow_drawing(self) -> Drawing:
        """Return the plot for small screens."""
        return self._drawn(*NARROW)

    def _drawn(self, width: float, height: float) -> Drawing:
        left, below, right, above = MARGINS
        figure = drawing(width, height)
        room = width - left - right, height - below - above
        axes = figure.add_axes((left / width, below / height, room[0] / width, room[1] / height))
        self._frame(axes)
        for polygon in self.areas:
            axes.fill(*zip(*polygon, strict=True), facecolor=RULE, alpha=0.32, linewidth=0)
        for line in self.lines:
            xs, ys = zip(line.start, line.end, strict=True)
            colour, style = (POOLED, "solid") if line.strong else (MUTED, "dashed")
            axes.plot(xs, ys, color=colour, linestyle=style, linewidth=1.0)
        xs, ys = zip(*self.points, strict=True)
        axes.scatter(xs, ys, s=22, color=MARK, zorder=3, linewidths=0, clip_on=False)
        for index in self._legible(room) if self.labels else ():
            point = self.points[index]
            share = (point[0] - self.view[0]) / (self.view[1] - self.view[0])
            side = "right" if share > 0.5 else "left"
            text = shortened(self.labels[index], room[0] * max(share, 1 - share))
            axes.annotate(
                text, point, (-4 if side == "right" else 4, 3), textcoords="offset points",
                color=INK, fontsize=7.5, ha=side,
            )  # fmt: skip
        return figure

    def _frame(self, axes: Axes) -> None:
        axes.set_xlim(self.view[0], self.view[1])
        axes.set_ylim(self.view[2], self.view[3])
        axes.set_facecolor("none")
        for side in ("right", "top"):
            axes.spines[side].set_visible(False)
        axes.tick_params(labelcolor=MUTED, color=RULE)
        if self.ticks:
            places, words = zip(*self.ticks, strict=True)
            axes.set_xticks(places, words)
        axes.set_xlabel(self.across)
        axes.set_ylabel(self.upward)

    def _legible(self, room: tuple[float, float]) -> list[int]:
        """Return which points bear a label: outermost first, none that touches a former."""
        points, view = self.points, self.view
        wide, high = abs(view[1] - view[0]) / room[0], abs(view[3] - view[2]) / room[1]
        middle = sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)
        longest = min(max(width(label) for label in self.labels), room[0] / 2)

        def labels_apart(point: Point, other: Point) -> float:
            across, up = abs(point[0] - other[0]) / wide, abs(point[1] - other[1]) / high
            return max(across / longest, up / LABEL_HEIGHT)

        kept: list[int] = []
        for i in sorted(range(len(points)), key=lambda i: -labels_apart(points[i], middle)):
            if all(labels_apart(points[i], points[j]) >= 1 for j in kept):
                kept.append(i)
        return kept
