"""Draws points over time on an axis that gives the first months their room."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trabecula.plots.style import INK, MARK, MUTED, PAPER, POOLED, RULE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDE, NARROW = (7.6, 4.3), (3.7, 4.6)
"""Inches: for pages wide enough, and for small screens."""

TICKS = (0, 1, 4, 13, 26, 52, 78, 104, 156, 208, 260, 312, 416, 520)
"""Weeks that may be marked; a mark too near to the one before is left out."""

TICK_ROOM = 0.3
"""Inches between marked weeks."""

STYLES = ((POOLED, "o"), (INK, "s"), (MARK, "^"))
"""Colour and marker of each group: shape as well as colour tells them apart."""

SIZES = (5, 10, 20, 50, 100, 200, 500)
"""Patients that the legend of sizes may show."""

BESIDE = 0.12
"""Inches from a point to the next that has the same week and value."""


@dataclass(frozen=True, slots=True)
class Arm:
    """The points of one arm: weeks, values and patients; ``group`` counts into `STYLES`."""

    group: int
    weeks: tuple[float, ...]
    values: tuple[float, ...]
    n: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Course:
    """All that a course plot shows; ``percent`` for shares of patients."""

    arms: tuple[Arm, ...]
    groups: tuple[str, str, str]
    unit: str
    percent: bool

    @property
    def last(self) -> float:
        """The last week at which an arm was seen."""
        return max(arm.weeks[-1] for arm in self.arms)

    def drawing(self) -> Drawing:
        """Return the plot for pages wide enough."""
        return _drawn(self, *WIDE)

    def narrow_drawing(self) -> Drawing:
        """Return the plot for small screens."""
        return _drawn(self, *NARROW)


def place(week: float) -> float:
    """Return where a week stands: square roots bring years near without squeezing months."""
    return math.sqrt(week)


def marks(last: float, plot: float) -> list[int]:
    """Return the weeks to mark on `plot` inches that reach to the week `last`."""
    inch = plot / (place(last) or 1.0)
    chosen: list[int] = []
    for week in (w for w in TICKS if w <= last):
        if not chosen or (place(week) - place(chosen[-1])) * inch >= TICK_ROOM:
            chosen.append(week)
    return chosen


def size_marks(counts: list[int]) -> list[int]:
    """Return up to three numbers of patients that explain the sizes of the markers."""
    top = next((i for i, n in enumerate(SIZES) if n >= max(counts)), len(SIZES) - 1)
    bottom = max((i for i, n in enumerate(SIZES) if n <= min(counts)), default=0)
    middle = (top + bottom) // 2
    return [SIZES[i] for i in sorted({bottom, middle, top})]


def _drawn(course: Course, width: float, height: float) -> Drawing:
    small = width < WIDE[0]
    head = 0.85 if small else 0.4
    left, foot, right = 0.62, 0.55, 0.15
    plot = width - left - right
    figure = drawing(width, height)
    box = (left / width, foot / height, plot / width, (height - foot - head) / height)
    axes = figure.add_axes(box)
    _frame(axes, course, plot)
    step = BESIDE * place(course.last) / plot
    aside = beside(course)
    for i, arm in sorted(enumerate(course.arms), key=lambda item: -item[1].group):
        _draw_arm(axes, arm, [step * aside[i, k] for k in range(len(arm.weeks))])
    _legends(axes, course, small)
    return figure


def beside(course: Course) -> dict[tuple[int, int], float]:
    """Return by arm and point how many places it stands aside, so that each point is seen."""
    together: dict[tuple[float, float], list[tuple[int, int]]] = defaultdict(list)
    for i, arm in enumerate(course.arms):
        for k, (week, value) in enumerate(zip(arm.weeks, arm.values, strict=True)):
            together[week, round(value)].append((i, k))
    return {
        key: j - (len(members) - 1) / 2
        for members in together.values()
        for j, key in enumerate(members)
    }


def _area(n: int) -> float:
    return 14.0 + 1.3 * n


def _draw_arm(axes: Axes, arm: Arm, aside: list[float]) -> None:
    colour, marker = STYLES[arm.group]
    places = [place(week) + x for week, x in zip(arm.weeks, aside, strict=True)]
    axes.plot(places, arm.values, color=colour, linewidth=0.9, alpha=0.55, clip_on=False)
    axes.scatter(
        places, arm.values, s=[_area(n) for n in arm.n], color=colour, marker=marker,
        alpha=0.9, linewidths=0.5, edgecolors=PAPER, clip_on=False, zorder=3,
    )  # fmt: skip


def _legends(axes: Axes, course: Course, small: bool) -> None:
    """Explain shapes and colours above the plot on the left, sizes on the right."""
    groups = sorted({arm.group for arm in course.arms})
    shapes = [axes.scatter([], [], s=34, color=STYLES[g][0], marker=STYLES[g][1]) for g in groups]
    sizes = size_marks([n for arm in course.arms for n in arm.n if n])
    circles = [axes.scatter([], [], s=_area(n), facecolors="none", edgecolors=MUTED) for n in sizes]
    look: dict[str, Any] = {
        "frameon": False, "borderpad": 0.1, "handletextpad": 0.2, "columnspacing": 1.0,
        "borderaxespad": 0.2,
    }  # fmt: skip
    shift = (-0.12, 1.1) if small else (0.0, 1.0)
    first = axes.legend(
        shapes, [course.groups[g] for g in groups], loc="lower left", bbox_to_anchor=shift,
        ncols=1 if small else 3, **look,
    )  # fmt: skip
    axes.add_artist(first)
    corner = (-0.12, 1.0) if small else (1.0, 1.0)
    axes.legend(
        circles, [f"n = {n}" for n in sizes], loc="lower left" if small else "lower right",
        bbox_to_anchor=corner, ncols=len(sizes), **look,
    )  # fmt: skip


def _frame(axes: Axes, course: Course, plot: float) -> None:
    axes.set_facecolor("none")
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    end = place(course.last)
    axes.set_xlim(-0.02 * end, 1.02 * end)
    weeks = marks(course.last, plot)
    axes.set_xticks([place(w) for w in weeks], [str(w) for w in weeks])
    axes.tick_params(color=RULE, labelcolor=MUTED)
    axes.set_xlabel("weeks since treatment began (square-root scale)")
    axes.set_ylabel(f"{course.unit}, %" if course.percent else course.unit)
    highest = max(value for arm in course.arms for value in arm.values)
    axes.set_ylim(*((-3, 103) if course.percent else (0, 1.06 * highest)))
