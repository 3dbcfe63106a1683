"""Names beside the observations of a course, where nothing is in the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trabecula.plots.course_marks import Box, Room, touch
from trabecula.plots.lettering import width
from trabecula.plots.style import INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NAMES, LETTERS = 9, 0.15
"""Names, at most, and the inches that their letters are high."""

BESIDE, STROKE, STRIDE = 0.03, 0.04, 0.05
"""Inches from a mark to its name, from the middle of a line to its edge, and between the places
at which curves are looked up."""

PATCH: dict[str, Any] = {
    "boxstyle": "square,pad=0.05", "facecolor": PAPER, "edgecolor": "none", "alpha": 0.7,
}  # fmt: skip
"""Paper beneath a name that stands on a line."""


def name_observations(axes: Axes, room: Room, weeks: Sequence[float]) -> None:
    """Write names beside marks at `weeks`, of the largest studies where nothing is in the way.

    Where there are few names, those left may stand on a line, on paper of their own.
    """
    marks, lines = _drawn(room, weeks)
    named = _named(room, weeks, [*marks, *lines], {})
    patched: dict[str, Box] = {}
    if len({o.name for o in room.picture.seen() if o.group != "own"}) <= MOST_NAMES:
        patched = _named(room, weeks, marks, named)
    for name, box in (named | patched).items():
        axes.text(
            room.week(box[0]), (box[1] + box[3]) / 2 / room.high * room.picture.top, name,
            va="center", color=INK, fontsize=8, zorder=6, bbox=None if name in named else PATCH,
        )  # fmt: skip


def _named(
    room: Room, weeks: Sequence[float], obstacles: Sequence[Box], before: Mapping[str, Box]
) -> dict[str, Box]:
    """Return where names stand that are not in `before` and touch neither those nor obstacles."""
    seen, taken, named = room.picture.seen(), [*obstacles, *before.values()], dict(before)
    for i in sorted(range(len(seen)), key=lambda i: -(seen[i].n or 0)):
        name = seen[i].name
        if name in named or len(named) == MOST_NAMES or seen[i].group == "own":
            continue
        for box in _around(room.mark(seen[i], room.x(weeks[i])), width(name)):
            inside = box[0] >= 0 and box[1] >= 0 and box[2] <= room.across and box[3] <= room.high
            if inside and not any(touch(box, other) for other in taken):
                taken.append(box)
                named[name] = box
                break
    return named


def _around(mark: Box, long: float) -> Iterator[Box]:
    """Yield where a name may stand: beside its mark, above and beneath it, and at its corners."""
    x, y = (mark[0] + mark[2]) / 2, (mark[1] + mark[3]) / 2
    right, left = mark[2] + BESIDE, mark[0] - BESIDE - long
    over, under = mark[3] + BESIDE, mark[1] - BESIDE - LETTERS
    beside, middle = y - LETTERS / 2, x - long / 2
    corners = [(right, over), (right, under), (left, over), (left, under)]
    for a, b in ((right, beside), (left, beside), (middle, over), (middle, under), *corners):
        yield a, b, a + long, b + LETTERS


def _drawn(room: Room, weeks: Sequence[float]) -> tuple[list[Box], list[Box]]:
    """Return the boxes of what names leave free: marks, then whiskers and curves."""
    marks, lines = [], []
    for o, week in zip(room.picture.seen(), weeks, strict=True):
        x, y = room.x(week), room.y(o.value)
        marks.append(room.mark(o, x))
        if not math.isnan(o.low):
            lines.append((x - STROKE / 2, room.y(o.low), x + STROKE / 2, room.y(o.high)))
        if o.weeks is not None:
            first, last = map(room.x, o.weeks)
            lines.append((first, y - STROKE / 2, last, y + STROKE / 2))
    for k in range(round(room.across / STRIDE) + 1):
        for curve in room.picture.curves:
            x, y = k * STRIDE, room.y(curve.at(room.week(k * STRIDE))[0])
            lines.append((x - STROKE, y - STROKE, x + STROKE, y + STROKE))
    return marks, lines
