"""Observations on a course: their marks, where these stand, and their key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trabecula.plots.key import Entry
from trabecula.plots.style import INK, MARK, MUTED, PAPER, POOLED

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from trabecula.plots.course_curves import CourseCurves, Group, Observation

LOOKS: Mapping[Group, tuple[str, str]] = {
    "untreated": (POOLED, "o"),
    "not told": (INK, "s"),
    "treated": (MARK, "^"),
    "own": (INK, "D"),
}
"""Color and marker of each group: shape as well as color tells them apart."""

SIZES = (5, 10, 20, 50, 100, 200, 500)
"""Patients that the key of sizes may show."""

UNKNOWN = 24.0
"""Area in square points of a mark of unknown size."""

STEP, STEPS = 0.065, (1, -1, 2, -2)
"""Inches that marks which would coincide stand aside, and how many times, first to last choice."""

SLIT = 1e-9
"""Inches by which boxes at equal distances may touch, as their sums are rounded."""

Box = tuple[float, float, float, float]
"""Left, bottom, right and top of something drawn, in inches."""


def area(n: int | None) -> float:
    """Return the area of a mark in square points."""
    return UNKNOWN if n is None else 12.0 + 1.1 * min(n, SIZES[-1]) ** 0.92


def draw_observation(axes: Axes, seen: Observation, week: float) -> None:
    """Draw a mark at `week`, with whiskers where limits are known."""
    colour, marker = LOOKS[seen.group]
    if not math.isnan(seen.low):
        axes.plot(
            [week, week], [seen.low, seen.high], color=colour, linewidth=0.9, alpha=0.5,
            zorder=2.5, solid_capstyle="butt",
        )  # fmt: skip
    if seen.weeks is not None:
        left, right = axes.get_xlim()
        ends = [max(seen.weeks[0], left), min(seen.weeks[1], right)]
        axes.plot(
            ends, [seen.value] * 2, color=colour, linewidth=0.9, alpha=0.5, zorder=2.5,
            solid_capstyle="butt",
        )  # fmt: skip
    axes.scatter(
        [week], [seen.value], s=area(seen.n), color=colour, marker=marker, zorder=5,
        linewidths=0.6, edgecolors=PAPER, clip_on=False,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """Axes of ``across`` by ``high`` inches: where weeks and values stand on them."""

    picture: CourseCurves
    across: float
    high: float

    def x(self, week: float) -> float:
        """Return the inches of `week` from the left."""
        first, last = self.picture.first, self.picture.last
        return (week - first) / (last - first) * self.across

    def y(self, value: float) -> float:
        """Return the inches of `value` from the bottom."""
        return value / self.picture.top * self.high

    def week(self, x: float) -> float:
        """Return the week that stands `x` inches from the left."""
        first, last = self.picture.first, self.picture.last
        return first + x / self.across * (last - first)

    def mark(self, seen: Observation, x: float) -> Box:
        """Return the box of the mark of an observation drawn `x` inches from the left."""
        half, y = math.sqrt(area(seen.n)) / 144, self.y(seen.value)
        return x - half, y - half, x + half, y + half


def aside(room: Room) -> list[float]:
    """Return the week at which each observation is drawn: its own, or aside of a mark there.

    It stands aside where its whiskers would lie on others; where all is taken near by, only where
    its mark would.
    """
    taken: list[tuple[Box, Box]] = []
    for seen in room.picture.seen():
        own = room.x(seen.week)
        xs = [own, *(x for k in STEPS if 0 <= (x := own + STEP * k) <= room.across)]
        options = [(_whiskers(room, seen, x), room.mark(seen, x)) for x in xs]
        free = (
            option
            for part in (0, 1)
            for option in options
            if not any(touch(option[part], other[part]) for other in taken)
        )
        taken.append(next(free, options[0]))
    return [room.week((mark[0] + mark[2]) / 2) for _, mark in taken]


def _whiskers(room: Room, seen: Observation, x: float) -> Box:
    """Return the column that mark and whiskers take `x` inches from the left."""
    _, low, _, high = room.mark(seen, x)
    if not math.isnan(seen.low):
        low, high = min(low, room.y(seen.low)), max(high, room.y(seen.high))
    return x - STEP / 2, low, x + STEP / 2, high


def touch(a: Box, b: Box) -> bool:
    """Return whether two boxes share more than an edge."""
    return a[0] < b[2] - SLIT and b[0] < a[2] - SLIT and a[1] < b[3] and b[1] < a[3]


def key_of_marks(seen: Sequence[Observation], names: Mapping[Group, str]) -> list[Entry]:
    """Return the entries of the groups observed, then of up to three sizes of marks."""
    groups = [group for group in LOOKS if any(o.group == group for o in seen)]
    counts = [o.n for o in seen if o.n]
    entries = [Entry(names[g], _sample(*LOOKS[g], 34.0), 0.14) for g in groups]
    if len(set(counts)) > 1:
        sizes = size_marks(counts)
        entries.append(Entry(f"n = {', '.join(map(str, sizes))}", *_sizes(sizes)))
    return entries


def size_marks(counts: Sequence[int]) -> list[int]:
    """Return up to three numbers of patients that explain the sizes of the marks."""
    top = next((i for i, n in enumerate(SIZES) if n >= max(counts)), len(SIZES) - 1)
    bottom = max((i for i, n in enumerate(SIZES) if n <= min(counts)), default=0)
    return [SIZES[i] for i in sorted({bottom, (bottom + top) // 2, top})]


def _sample(colour: str, marker: str, size: float) -> Any:
    def draw(axes: Axes, x: float, y: float) -> None:
        axes.scatter([x + 0.08], [y], s=size, marker=marker, color=colour, linewidths=0.0)

    return draw


def _sizes(counts: Sequence[int]) -> tuple[Any, float]:
    """Return circles beside each other as large as marks of `counts`, and their inches."""
    wide = [math.sqrt(area(n)) / 72 + 0.05 for n in counts]

    def draw(axes: Axes, x: float, y: float) -> None:
        places = [x + sum(wide[:i]) + w / 2 for i, w in enumerate(wide)]
        axes.scatter(
            places, [y] * len(places), s=[area(n) for n in counts], facecolors="none",
            edgecolors=MUTED, linewidths=0.8,
        )  # fmt: skip

    return draw, sum(wide)
