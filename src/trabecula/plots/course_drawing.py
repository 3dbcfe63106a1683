"""Draws courses over weeks: bands, lines, marks, and the names of all three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trabecula.format import NARROW, number, sentence
from trabecula.plots.course_curves import WEEKS, CourseCurves, Curve, Group
from trabecula.plots.course_marks import (
    LOOKS,
    Room,
    aside,
    draw_observation,
    key_of_marks,
)
from trabecula.plots.course_names import name_observations
from trabecula.plots.key import LINE, Entry, draw_key, flowed
from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.style import INK, MUTED, PAPER, RULE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDE, NARROW_SIZE = (8.2, 3.7), (3.7, 2.9)
"""Inches across, and of the height of the axes, for pages wide enough and for small screens."""

LEFT, FOOT, RIGHT, EDGE = 0.62, 0.52, 0.16, 0.06
"""Inches left of the axes, beneath them, right of them without names, and at the edges."""

NAMES = 1.8
"""Most inches of names beside the curves."""

NAME_LINE, LEADER = 0.16, 0.1
"""Inches of a line of a name, and beyond which a name that gave way has a line to its curve."""

BEYOND = (0.09, 0.12, 0.22)
"""Inches right of the axes: where the line to a name ends, where names stand, and where they do
behind the mark of their curve."""

BETWEEN = 0.12
"""Inches between the words of two marked weeks."""

BAND, FAINT, FADED = 0.24, 0.1, 0.5
"""Opacity of a band, of a fainter one, and what is left of either where it is extrapolated."""

DASHES = (0, (3.5, 2.2))
"""Of lines that are extrapolated."""

CROWDED = 3
"""Curves from which on bands are fainter, since several lie on each other."""

RINGS = ("", "s", "v", "P", "X", "D", "*")
"""Hollow marks along the curves of a group, none on its first: colors alone are too few."""

EACH = 4
"""Hollow marks along a curve."""


def draw_wide(picture: CourseCurves) -> Drawing:
    """Return the drawing with names beside the curves where they end."""
    across, high = WIDE
    names = [wrapped(curve.name, NAMES, bold=True, lines=3) for curve in picture.curves]
    right = max(width(part, True) for name in names for part in name.split("\n")) + 0.34
    figure, axes = _framed(picture, across, high, right, [*_samples(picture), *_marks(picture)])
    room = Room(picture, across - LEFT - right, high)
    name_observations(axes, room, _filled(axes, room))
    sizes = [NAME_LINE * (name.count("\n") + 1) for name in names]
    ends = [room.y(curve.value[-1]) for curve in picture.curves]
    for curve, name, place in zip(picture.curves, names, apart(ends, sizes, high), strict=True):
        _named(axes, room, curve, name, place)
    return figure


def _named(axes: Axes, room: Room, curve: Curve, name: str, place: float) -> None:
    """Write the name of a curve `place` inches from the bottom, right of the axes."""
    x, end = room.x(curve.weeks[-1]), room.y(curve.value[-1])
    inch, crowded = (1 / room.across, 1 / room.high), len(room.picture.curves) >= CROWDED
    beyond: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    if abs(end - place) > LEADER:
        axes.plot(
            [x * inch[0], (x + BEYOND[0]) * inch[0]], [end * inch[1], place * inch[1]],
            color=MUTED, linewidth=0.6, **beyond,
        )  # fmt: skip
    if crowded:
        ring = _ring(room.picture, curve)
        axes.plot([1.0 + BEYOND[1] * inch[0]], [place * inch[1]], **beyond, **ring)
    axes.text(
        1.0 + BEYOND[2 if crowded else 1] * inch[0], place * inch[1], name, va="center",
        color=_colour(room.picture, curve), fontweight="bold", linespacing=1.05, **beyond,
    )  # fmt: skip


def draw_narrow(picture: CourseCurves) -> Drawing:
    """Return the drawing with names above it."""
    across, high = NARROW_SIZE
    key = [*_names(picture), *_samples(picture), *_marks(picture)]
    figure, axes = _framed(picture, across, high, RIGHT, key)
    _filled(axes, Room(picture, across - LEFT - RIGHT, high))
    return figure


def apart(wanted: Sequence[float], sizes: Sequence[float], top: float) -> list[float]:
    """Return places near those wanted at which things of `sizes` do not touch, none above `top`.

    Things keep their order; where there is no room, the lowest go below zero.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = list(wanted)
    floor = -float("inf")
    for i in order:
        places[i] = max(wanted[i], floor + sizes[i] / 2)
        floor = places[i] + sizes[i] / 2
    ceiling = top + sizes[order[-1]] / 2
    for i in reversed(order):
        places[i] = min(places[i], ceiling - sizes[i] / 2)
        ceiling = places[i] - sizes[i] / 2
    return places


def week_marks(first: float, last: float, across: float) -> list[int]:
    """Return the weeks to mark on `across` inches: the start, half years, then what finds room."""
    inch = across / (last - first)
    inside = [w for w in (*WEEKS, *(-w for w in WEEKS[1:])) if first <= w <= last]
    preferred = [w for w in (0, 26, 52, 104, 12, 4, 8, 78, 39, *inside) if w in inside]
    kept: list[int] = []
    for week in dict.fromkeys(preferred):
        if all(
            abs(week - k) * inch >= (width(str(week)) + width(str(k))) / 2 + BETWEEN for k in kept
        ):
            kept.append(week)
    return sorted(kept)


def _framed(
    picture: CourseCurves, across: float, high: float, right: float, key: Sequence[Entry]
) -> tuple[Drawing, Axes]:
    """Return a drawing with its key and its empty axes."""
    rows = flowed(key, across - 2 * EDGE)
    head = LINE * len(rows) + 0.36
    height = head + high + FOOT
    figure = drawing(across, height)
    draw_key(figure, rows, EDGE, height - 0.02)
    plot = across - LEFT - right
    axes = figure.add_axes((LEFT / across, FOOT / height, plot / across, high / height))
    axes.set_facecolor("none")
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    axes.set_xlim(picture.first, picture.last)
    axes.set_ylim(0, picture.top)
    weeks = week_marks(picture.first, picture.last, plot)
    axes.set_xticks(weeks, [number(w) for w in weeks])
    _upward(axes, picture)
    axes.tick_params(color=RULE, labelcolor=MUTED)
    axes.set_xlabel(shortened(picture.clock, plot))
    title = shortened(sentence(picture.axis), across - 2 * EDGE)
    figure.text(EDGE / across, (FOOT + high + 0.12) / height, title, color=INK)
    return figure, axes


def _upward(axes: Axes, picture: CourseCurves) -> None:
    """Mark the values, with faint lines across to read them by."""
    from matplotlib.ticker import MaxNLocator

    if picture.unit == "share":
        places = [0.0, 0.25, 0.5, 0.75, 1.0]
        axes.set_yticks(places, [f"{round(100 * y)}{NARROW}%" for y in places])
    else:
        found = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(0, picture.top)
        places = [float(y) for y in found if 0 <= y <= picture.top]
        axes.set_yticks(places, [number(y) for y in places])
    for y in places[1:]:
        axes.axhline(y, color=RULE, linewidth=0.6, alpha=0.7, zorder=0)


def _colour(picture: CourseCurves, curve: Curve) -> str:
    """Return the color of a curve: that of its group for the first of it, then ink, then grey."""
    alike = [c for c in picture.curves if c.group == curve.group]
    return (LOOKS[curve.group][0], INK, MUTED)[min(alike.index(curve), 2)]


def _filled(axes: Axes, room: Room) -> list[float]:
    """Draw bands, then marks, then lines; return the weeks at which marks are drawn."""
    picture = room.picture
    strength = min(1.0, CROWDED / len(picture.curves) / 1.5)
    for curve in picture.curves:
        _bands(axes, curve, _colour(picture, curve), strength)
    places = aside(room)
    for observation, week in zip(picture.seen(), places, strict=True):
        draw_observation(axes, observation, week)
    for curve in picture.curves:
        for weeks, known in _parts(curve):
            values = [curve.at(week)[0] for week in weeks]
            axes.plot(
                weeks, values, color=_colour(picture, curve), linewidth=2.0, zorder=4,
                linestyle="solid" if known else DASHES, solid_capstyle="butt", clip_on=False,
            )  # fmt: skip
        _rings(axes, picture, curve)
    return places


def _rings(axes: Axes, picture: CourseCurves, curve: Curve) -> None:
    """Draw the hollow marks of a curve, at other weeks than those of its neighbors."""
    place, size = picture.curves.index(curve), len(picture.curves)
    start, span = curve.weeks[0], curve.weeks[-1] - curve.weeks[0]
    weeks = [start + span * (k + (place + 1) / (size + 1)) / EACH for k in range(EACH)]
    axes.plot(weeks, [curve.at(week)[0] for week in weeks], **_ring(picture, curve))


def _ring(picture: CourseCurves, curve: Curve) -> dict[str, Any]:
    """Return the look of the hollow marks of a curve."""
    alike = [c for c in picture.curves if c.group == curve.group]
    return {
        "linestyle": "none", "marker": RINGS[alike.index(curve) % len(RINGS)], "markersize": 5.5,
        "markerfacecolor": PAPER, "markeredgecolor": _colour(picture, curve),
        "markeredgewidth": 1.1, "zorder": 4.5,
    }  # fmt: skip


def _parts(curve: Curve) -> list[tuple[list[float], bool]]:
    """Return the weeks that are known and those that are extrapolated, which meet."""
    end = curve.known_until
    known = [week for week in curve.weeks if week < end] + [end]
    later = [end] + [week for week in curve.weeks if week > end]
    return [(weeks, i == 0) for i, weeks in enumerate((known, later)) if len(weeks) > 1]


def _bands(axes: Axes, curve: Curve, colour: str, strong: float) -> None:
    for weeks, known in _parts(curve):
        at = [curve.at(week) for week in weeks]
        strength = strong if known else strong * FADED
        low, high = [v[1] for v in at], [v[2] for v in at]
        axes.fill_between(
            weeks, low, high, color=colour, alpha=BAND * strength, linewidth=0, zorder=1
        )
        for edge in (low, high):
            axes.plot(weeks, edge, color=colour, linewidth=0.7, alpha=0.6 * strength, zorder=1.1)
        if curve.new_low:
            low, high = [v[3] for v in at], [v[4] for v in at]
            axes.fill_between(
                weeks, low, high, color=colour, alpha=FAINT * strength, linewidth=0, zorder=0.8
            )
            for edge in (low, high):
                axes.plot(
                    weeks, edge, color=colour, linewidth=0.6, alpha=0.7 * strength, zorder=0.9,
                    linestyle=(0, (1, 1.6)),
                )  # fmt: skip


def _names(picture: CourseCurves) -> list[Entry]:
    """Return the entries that name the curves, for drawings without room beside them."""

    def line(curve: Curve) -> Any:
        def draw(axes: Axes, x: float, y: float) -> None:
            colour = _colour(picture, curve)
            axes.plot([x, x + 0.28], [y, y], color=colour, linewidth=2.0, solid_capstyle="butt")
            axes.plot([x + 0.14], [y], **_ring(picture, curve))

        return draw

    return [Entry(curve.name, line(curve)) for curve in picture.curves]


def _samples(picture: CourseCurves) -> list[Entry]:
    """Return the entries of bands and of dashed lines."""
    from matplotlib.patches import Rectangle

    colour = _colour(picture, picture.curves[0])

    def band(alpha: float) -> Any:
        def draw(axes: Axes, x: float, y: float) -> None:
            axes.add_patch(Rectangle((x, y - 0.06), 0.28, 0.12, color=colour, alpha=alpha, lw=0))

        return draw

    def dashes(axes: Axes, x: float, y: float) -> None:
        axes.plot([x, x + 0.28], [y, y], color=colour, linewidth=2.0, linestyle=DASHES)

    entries = [Entry("95 % interval", band(BAND + FAINT))]
    if any(curve.new_low for curve in picture.curves):
        entries.append(Entry(f"95 % of {picture.new}", band(FAINT + 0.03)))
    if any(curve.known_until < curve.weeks[-1] for curve in picture.curves):
        entries.append(Entry("extrapolated", dashes))
    return entries


def _marks(picture: CourseCurves) -> list[Entry]:
    shown: dict[Group, str] = dict(picture.groups)
    return key_of_marks(picture.seen(), shown)
