"""Courses over weeks: what is expected, how surely, and what studies saw.

A line is the median, its band where it lies with 95 % probability; a fainter band is where a new
study or a patient is expected. Beyond the last week of any observation lines are dashed and bands
fade: nothing was seen there. Marks are observations, their whiskers 95 % intervals; a horizontal
whisker joins the weeks that one figure stands for. Shape as well as color tells groups apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trabecula.format import NARROW, count, number, plural, shown
from trabecula.plots.plot import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

Group = Literal["untreated", "not told", "treated", "own"]
"""Of whom a course or an observation is; *own*: of the patient a forecast is made for."""

GROUPS: dict[Group, str] = {
    "untreated": "untreated",
    "not told": "treatment not told",
    "treated": "treated",
    "own": "own values",
}
"""How groups are called if nothing else is said."""

Unit = Literal["share", "points"]
"""*share*: 0 to 1, shown in percent; *points*: of a score, as they are."""

WEEKS = (0, 2, 4, 8, 12, 16, 20, 26, 39, 52, 78, 104, 156, 208, 260, 312, 416, 520)
"""Weeks that may be marked and that the table tells; a mark too near to another is left out."""

HALF_A_YEAR, TOLD = 26, 3
"""The week that the title tells, if it is known of all curves, and of how many it does."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A course: its median and 95 % limits at ``weeks``, which increase.

    ``new_low`` and ``new_high`` bound the fainter band (empty: none). Later than ``last_week`` is
    extrapolated (None: nothing is). `ValueError` if tuples are not of one length.
    """

    name: str
    weeks: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    new_low: tuple[float, ...] = ()
    new_high: tuple[float, ...] = ()
    last_week: float | None = None
    group: Group = "untreated"

    def __post_init__(self) -> None:
        size = len(self.weeks)
        bands = (self.value, self.low, self.high)
        if size < 2 or any(len(x) != size for x in bands):
            raise ValueError(
                f"{self.name}: a value and its limits are needed at each of {size} weeks"
            )
        if any(len(x) not in (0, size) for x in (self.new_low, self.new_high)):
            raise ValueError(f"{self.name}: the fainter band needs limits at all weeks or at none")
        if any(b <= a for a, b in zip(self.weeks, self.weeks[1:], strict=False)):
            raise ValueError(f"{self.name}: weeks must increase")

    @property
    def known_until(self) -> float:
        """The last week of the course that is not extrapolated."""
        last = self.weeks[-1] if self.last_week is None else self.last_week
        return min(max(last, self.weeks[0]), self.weeks[-1])

    def at(self, week: float) -> tuple[float, ...]:
        """Return median and limits at `week`, and those of the fainter band if there is one."""
        lines = (self.value, self.low, self.high, self.new_low, self.new_high)
        return tuple(_between(week, self.weeks, line) for line in lines if line)


@dataclass(frozen=True, slots=True)
class Observation:
    """What was seen at a week: a value with its 95 % limits (NaN: not known) in ``n`` patients.

    ``weeks`` are the first and last week that the value stands for, where it is of a range.
    """

    name: str
    week: float
    value: float
    low: float = math.nan
    high: float = math.nan
    n: int | None = None
    group: Group = "untreated"
    weeks: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class CourseCurves:
    """All that the picture shows; observations later than ``last`` are left to the table."""

    curves: tuple[Curve, ...]
    observations: tuple[Observation, ...]
    unit: Unit
    axis: str
    clock: str
    top: float
    new: str
    groups: tuple[tuple[Group, str], ...]

    @property
    def first(self) -> float:
        """The first week of anything, 0 at the latest, where the axis begins."""
        starts = [*(c.weeks[0] for c in self.curves), *(o.week for o in self.observations)]
        return min(0.0, *starts)

    @property
    def last(self) -> float:
        """The last week of any curve, where the axis ends."""
        return max(curve.weeks[-1] for curve in self.curves)

    def seen(self) -> tuple[Observation, ...]:
        """Return the observations on the axis."""
        return tuple(o for o in self.observations if o.week <= self.last)

    def drawing(self) -> Drawing:
        """Return the plot with names beside the curves."""
        from trabecula.plots.course_drawing import draw_wide

        return draw_wide(self)

    def narrow_drawing(self) -> Drawing:
        """Return the plot with names above it."""
        from trabecula.plots.course_drawing import draw_narrow

        return draw_narrow(self)


def course_curves(
    curves: Sequence[Curve],
    observations: Sequence[Observation] = (),
    *,
    unit: Unit = "share",
    axis: str = "share recovered",
    clock: str = "weeks from onset",
    top: float | None = None,
    new: str = "a new study",
    groups: dict[Group, str] | None = None,
    identifier: str = "course",
) -> Plot:
    """Return courses over weeks with what was observed.

    Parameters
    ----------
    curves
        The courses; the axis ends at the last week of any. The title tells the first three.
    observations
        What studies, or the patient, saw; later ones than the axis stand in the table alone.
    unit
        What values are.
    axis, clock
        What is measured, and from when weeks count.
    top
        Where the axis of points ends; at the highest value if not given. Shares end at 100 %.
    new
        Of whom the fainter band is.
    groups
        How groups are called, by group; the others keep the words of `GROUPS`.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If there is no curve, or a share is not between 0 and 1.
    """
    if not curves:
        raise ValueError("a plot of courses needs a curve")
    picture = CourseCurves(
        curves=tuple(curves),
        observations=tuple(observations),
        unit=unit,
        axis=axis,
        clock=clock,
        top=1.0 if unit == "share" else top or _highest(curves, observations),
        new=new,
        groups=tuple((GROUPS | (groups or {})).items()),
    )
    if unit == "share" and not all(0 <= x <= 1 for x in _values(curves, observations)):
        raise ValueError("shares must lie between 0 and 1")
    return Plot(
        id=identifier,
        title=_title(curves, unit),
        alt=f"{plural(len(curves), 'curve')} with 95 % bands by {clock}"
        + (f", and {plural(len(observations), 'observation')}." if observations else ".")
        + " The table lists the values.",
        columns=("What", "Week", _head(axis), f"95 % of {new}", "n", "Kind"),
        rows=(
            *(row for curve in curves for row in _curve_rows(curve, unit, picture.last)),
            *(_row(o, unit, dict(picture.groups)[o.group]) for o in observations),
        ),
        note=_note(picture),
        picture=picture,
    )


def _between(week: float, weeks: Sequence[float], line: Sequence[float]) -> float:
    import numpy as np

    return float(np.interp(week, weeks, line))


def _values(curves: Sequence[Curve], observations: Sequence[Observation]) -> Iterator[float]:
    """Yield every value that is drawn."""
    for c in curves:
        yield from (*c.value, *c.low, *c.high, *c.new_low, *c.new_high)
    for o in observations:
        yield from (x for x in (o.value, o.low, o.high) if not math.isnan(x))


def _highest(curves: Sequence[Curve], observations: Sequence[Observation]) -> float:
    return 1.04 * max(_values(curves, observations))


def _head(axis: str) -> str:
    return f"{axis[:1].upper()}{axis[1:]} (95 % interval)"


def _title(curves: Sequence[Curve], unit: Unit) -> str:
    """Return the values of the first curves at half a year, or at the last week known of all."""
    start, end = max(c.weeks[0] for c in curves), min(c.known_until for c in curves)
    inside = [w for w in WEEKS if start <= w <= end]
    week = HALF_A_YEAR if HALF_A_YEAR in inside else max(inside, default=start)
    told = [f"{c.name} {_interval(c.at(week)[:3], unit)}" for c in curves[:TOLD]]
    return f"Week {week:g}: {'; '.join(told)}"


def _interval(values: Sequence[float], unit: Unit) -> str:
    """Return a value with its limits; without limits alone, in as few digits as are safe."""
    sign = f"{NARROW}%" if unit == "share" else ""
    value, low, high = values
    if math.isnan(low) or math.isnan(high):
        return f"{number(100 * value, 0) if sign else number(value, 1)}{sign}"
    text = shown(value, low, high, "proportion" if sign else "points")
    return f"{text.value}{sign} ({text.low} to {text.high})"


def _curve_rows(curve: Curve, unit: Unit, last: float) -> Iterator[tuple[str, ...]]:
    """Yield what the table tells of a curve: its values at the weeks that may be marked."""
    for week in (w for w in WEEKS if curve.weeks[0] <= w <= min(curve.weeks[-1], last)):
        value, low, high, *new = curve.at(week)
        kind = "estimated" if week <= curve.known_until else "extrapolated"
        wide = "–"
        if new:
            text = shown(value, new[0], new[1], "proportion" if unit == "share" else "points")
            wide = f"{text.low} to {text.high}"
        yield curve.name, str(week), _interval((value, low, high), unit), wide, "–", kind


def _row(o: Observation, unit: Unit, group: str) -> tuple[str, ...]:
    week = number(o.week) if o.weeks is None else f"{o.weeks[0]:g} to {o.weeks[1]:g}"
    n = "–" if o.n is None else count(o.n)
    return o.name, week, _interval((o.value, o.low, o.high), unit), "–", n, f"observed, {group}"


def _note(picture: CourseCurves) -> str:
    parts = ["Line: median; band: 95 % credible interval."]
    if any(c.new_low for c in picture.curves):
        parts.append(f"Faint band: where 95 % of {picture.new} would lie.")
    if any(c.known_until < c.weeks[-1] for c in picture.curves):
        parts.append("Dashed: later than any observation, so extrapolated.")
    seen = picture.seen()
    if seen:
        parts.append(
            "Marks: observed, with 95 % intervals"
            + (", larger for more patients" if any(o.n for o in seen) else "")
            + "; marks that coincide stand side by side."
        )
    if any(o.weeks for o in seen):
        parts.append("A horizontal line joins the weeks that one value stands for.")
    if hidden := len(picture.observations) - len(seen):
        parts.append(f"Later than the axis, in the table alone: {plural(hidden, 'observation')}.")
    return " ".join(parts)
