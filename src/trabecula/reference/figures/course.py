"""What was observed over time: every arm's mean, or share, at every week it was reported.

No line is fitted and nothing is pooled: the reader sees waiting and treatment on one axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trabecula.effects.estimate import Estimate
from trabecula.format import NARROW, alone, count, joined, number, plural, sentence, uncapital
from trabecula.plots import Plot
from trabecula.records import Outcome
from trabecula.reference.catalog import Catalog
from trabecula.reference.figures.course_plot import Arm, Course
from trabecula.reference.labels import BASES
from trabecula.review.treatments import treatment_of

MEASURES = {"score": "MN", "count": "PR"}
"""What is shown of an outcome, by its kind; times to recovery have no course."""

FEWEST_ARMS = 3
"""Fewer arms than this make a table: two lines side by side would be read as a comparison."""

WORTH_A_RANGE = 3
"""Arms at one week from which on their range is told in the title."""

ACTIVE = "active treatment"

Series = dict[tuple[str, str], list[Estimate]]
"""Estimates by study and arm, in the order of their weeks."""


@dataclass(frozen=True, slots=True)
class Observed:
    """The courses of one outcome on one instrument, and how many values could not be placed.

    ``groups`` names what the arms were given: none active, not told, active.
    """

    outcome: Outcome
    instrument: str | None
    series: Series
    groups: tuple[str, str, str]
    placeless: int

    @property
    def scale(self) -> float:
        """What values are multiplied with: shares are shown in percent."""
        return 100.0 if self.outcome.kind == "count" else 1.0


def course_plans(catalog: Catalog) -> Iterator[Plot]:
    """Yield one plan for each outcome that is asked about at certain times, where arms allow.

    Only the primary stratum is shown.
    Scores are shown on their common instrument as means (measure MN), counts as shares (PR).
    An arm that was seen before treatment alone has no course.
    Ids are ``course-<outcome>`` and, for scores, ``course-<outcome>-<instrument>``.
    """
    primary = _primary(catalog)
    for question in (q for q in catalog.protocol.questions if q.windows):
        outcome = catalog.topic.outcome(question.outcome)
        measure = MEASURES.get(outcome.kind)
        points = [e for e in primary if e.outcome == outcome.id and e.measure == measure]
        for instrument in dict.fromkeys(e.instrument for e in points):
            if outcome.kind != "count" and instrument is None:
                continue
            mine = [e for e in points if e.instrument == instrument]
            placed = [e for e in mine if e.week is not None and e.clock == "treatment"]
            series = _series(placed)
            if len(series) >= FEWEST_ARMS:
                groups = _group_names(catalog, series)
                placeless = len(mine) - len(placed)
                yield _plan(catalog, Observed(outcome, instrument, series, groups, placeless))


def _primary(catalog: Catalog) -> list[Estimate]:
    return [
        e
        for e in catalog.review.effects.estimates
        if e.subgroup is None
        and e.comparator_arm is None
        and catalog.strata[e.study] == catalog.primary
    ]


def _series(estimates: Iterable[Estimate]) -> Series:
    series: Series = {}
    for estimate in sorted(estimates, key=lambda e: (e.study, e.arm, _week(e))):
        series.setdefault((estimate.study, estimate.arm), []).append(estimate)
    return {arm: points for arm, points in series.items() if any(_week(e) > 0 for e in points)}


def _week(estimate: Estimate) -> float:
    assert estimate.week is not None
    return estimate.week


def _group(catalog: Catalog, estimate: Estimate) -> int:
    """Return 0 for the reference or a control, 1 for a treatment not told, 2 for any other."""
    roles = {catalog.topic.regimens[r].role for r in estimate.regimens}
    if roles <= {"reference", "control"}:
        return 0
    return 1 if "unspecified" in roles else 2


def _group_names(catalog: Catalog, series: Series) -> tuple[str, str, str]:
    """Name the groups after the regimens that the arms of `series` were given."""
    given = [points[0] for points in series.values()]

    def names(group: int) -> str:
        ids = {r for e in given if _group(catalog, e) == group for r in e.regimens}
        found = [r.name for r in catalog.regimens if r.id in ids and r.role != "active"]
        return joined([uncapital(name) for name in found], "or")

    return names(0), names(1), ACTIVE


def _plan(catalog: Catalog, seen: Observed) -> Plot:
    arms = tuple(_arm(catalog, seen, points) for points in seen.series.values())
    instrument = seen.instrument
    unit = f"mean, {catalog.instruments[instrument]}" if instrument else "share of patients"
    last = max(arm.weeks[-1] for arm in arms)
    return Plot(
        id=f"course-{seen.outcome.id}" + (f"-{instrument}" if instrument else ""),
        title=_title(seen, arms),
        alt=f"Points of {plural(len(arms), 'arm')} by week since treatment began, joined within "
        f"an arm, up to week {last:g}. The table lists every point.",
        columns=("Study", "Treatment", "Week", sentence(unit), "n", "Basis"),
        rows=tuple(_row(catalog, seen, e) for points in seen.series.values() for e in points),
        note=_note(seen),
        picture=Course(arms, seen.groups, unit, percent=seen.outcome.kind == "count"),
    )


def _title(seen: Observed, arms: tuple[Arm, ...]) -> str:
    """Return what was found at the week at which most arms were seen, else what is asked."""
    at: dict[float, list[Arm]] = {}
    for arm in arms:
        for week in {w for w in arm.weeks if w > 0}:
            at.setdefault(week, []).append(arm)
    week, members = max(at.items(), key=lambda item: (len(item[1]), -item[0]))
    if len(members) < WORTH_A_RANGE:
        return f"{seen.outcome.name} over time: {_counted(seen, arms)}"
    values = sorted(arm.values[arm.weeks.index(week)] for arm in members)
    low, high = (number(v, 0 if seen.scale > 1 else 1) for v in (values[0], values[-1]))
    unit = f"{NARROW}% of patients" if seen.scale > 1 else " points"
    found = f"{low}{unit}" if low == high else f"{low} to {high}{unit}"
    return f"{seen.outcome.name} at week {week:g}: {found} in {_counted(seen, members)}"


def _counted(seen: Observed, arms: Iterable[Arm]) -> str:
    """Return how many arms there are, and how many of each group."""
    groups = [arm.group for arm in arms]
    by_group = [f"{groups.count(i)} on {name}" for i, name in enumerate(seen.groups) if i in groups]
    if len(by_group) == 1:
        of_all = "" if len(groups) == 1 else "all "
        return f"{plural(len(groups), 'arm')}, {of_all}on {seen.groups[groups[0]]}"
    return f"{plural(len(groups), 'arm')} ({', '.join(by_group)})"


def _note(seen: Observed) -> str:
    text = (
        "Points as reported, joined within an arm; points that coincide stand side by side. "
        "Nothing is pooled and no line is fitted; arms differ in patients, so the distance "
        "between them is not an effect. Studies of this disease."
    )
    if not seen.placeless:
        return text
    values = plural(seen.placeless, "value")
    return f"{text} Not shown: {values} without a week since treatment began."


def _arm(catalog: Catalog, seen: Observed, points: list[Estimate]) -> Arm:
    return Arm(
        group=_group(catalog, points[0]),
        weeks=tuple(_week(e) for e in points),
        values=tuple(seen.scale * e.value for e in points),
        n=tuple(e.n or 0 for e in points),
    )


def _row(catalog: Catalog, seen: Observed, e: Estimate) -> tuple[str, ...]:
    return (
        catalog.study_names[e.study],
        catalog.treatment(treatment_of(e.regimens)),
        number(_week(e)),
        f"{e.events}/{e.n}" if seen.outcome.kind == "count" else alone(e.value, e.se),
        "–" if e.n is None else count(e.n),
        BASES[e.basis],
    )
