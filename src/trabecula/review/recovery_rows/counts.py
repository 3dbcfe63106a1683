"""Patients recovered by a week, each counted once.

Counts of the same patients are chained: a later one of complete recovery on the one before, a
lesser recovery on complete recovery by the same week (else on the last before it). A lesser
recovery never comes before complete recovery in a chain, as the model cannot tell who of the
former will go on to the latter.

A count without a week is taken at the typical length of follow-up; where that is not told, as
complete recovery in the end, whenever. Where times to recovery of the same patients are told
and the count says that all recovered, it says only that: when, the times say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from math import inf, sqrt

from trabecula.effects.estimate import RowRef, Step
from trabecula.effects.sizes import Size
from trabecula.effects.wording import number
from trabecula.records import Result, Study
from trabecula.records.recovery_protocol import RecoveryOutcome
from trabecula.review.recovery_rows.draft import (
    Z95,
    Draft,
    Found,
    imputed,
    place_of_clock,
    place_of_kind,
    when,
    worst,
)
from trabecula.review.recovery_rows.series import by_arm, open_rows
from trabecula.review.recovery_rows.sources import Row, Sources, rows_of, typical

NEAREST = 1.0
"""Percentage points by which a printed percentage may miss the nearest whole number of patients
(cut off instead of rounded, or rounded to the next five or ten); more is another denominator."""


TOLD_BY_TIMES = "told-by-times"
"""The rule of a step by which a count says only that all recovered, and not when."""


@dataclass(frozen=True, slots=True)
class Tally:
    """A count of one arm: `week` in the model (infinite: in the end), `clock` of the record."""

    ref: RowRef
    row: Result
    complete: bool
    week: float
    clock: str
    events: int
    size: Size
    steps: tuple[Step, ...]

    @property
    def n(self) -> int:
        """Patients or lesions looked at."""
        return self.size.n or 0

    @property
    def clock_place(self) -> int:
        """Where the clock stands among those of the model; best told first."""
        return place_of_clock(self.clock)


@dataclass(frozen=True, slots=True)
class Link:
    """A tally with the one before it in its chain, if any."""

    tally: Tally
    previous: Tally | None


def counts(sources: Sources, study: Study, outcome: RecoveryOutcome, found: Found) -> None:
    """Add what the count rows of a study show; times must have been added before."""
    wanted = tuple(name for name in (outcome.complete, outcome.partial) if name)
    rows = open_rows(study, rows_of(study, wanted), found)
    for arm, arm_rows in by_arm(rows).items():
        longest = _longest_time(study, outcome, arm, found.drafts)
        tallies = list(_tallies(sources, study, outcome, arm_rows, longest, found))
        for link in _chained(_alike(_one_each(tallies, found), found), found):
            found.drafts.append(_draft(study, outcome, link))


def _longest_time(
    study: Study, outcome: RecoveryOutcome, arm: str, drafts: Iterable[Draft]
) -> float | None:
    """Return the longest time to recovery that enters for an arm, infinite if not told."""
    for draft in drafts:
        if draft.kind == "time" and draft.arms == (arm,) and draft.outcome == outcome.id:
            limits = study.results[draft.rows[0].index].range
            return inf if limits is None else float(limits[1])
    return None


# --- reading ------------------------------------------------------------------------------


def _tallies(
    sources: Sources,
    study: Study,
    outcome: RecoveryOutcome,
    rows: list[Row],
    longest: float | None,
    found: Found,
) -> Iterator[Tally]:
    for ref, row in rows:
        read = _events(sources, study, ref, row)
        if read is None:
            known = sources.unusable.get(ref)
            reason = (known.reason, known.text) if known else ("no-count", "no count is given")
            found.omit(ref, *reason)
            continue
        events, steps = read
        size = sources.size(study, row)
        tally = Tally(
            ref, row, row.outcome == outcome.complete, inf, row.clock, events, size, steps
        )
        tally = _timed(study, tally, longest)
        if tally.week == inf and not tally.complete:
            text = (
                "the source gives no time, and a lesser recovery at some time or other says little"
            )
            found.omit(ref, "untimed", text)
        elif tally.week <= 0:
            found.omit(ref, "untimed", f"week {tally.week:g}, not after the start")
        else:
            yield tally


def _events(
    sources: Sources, study: Study, ref: RowRef, row: Result
) -> tuple[int, tuple[Step, ...]] | None:
    """Return the number recovered: as in the estimate, else the nearest to the percentage."""
    estimate = sources.estimate(ref, "PR")
    if estimate is not None and estimate.events is not None:
        return estimate.events, estimate.steps
    size = sources.size(study, row)
    if row.events is not None or row.percent is None or row.n is None or not size.n:
        return None
    percent, n = float(row.percent), size.n
    nearest = round(percent / 100 * n)
    if abs(100 * nearest / n - percent) > NEAREST:
        return None
    text = (
        f"{nearest} of {n} is nearest to {number(row.percent)} %, to which no whole number rounds"
    )
    return nearest, (*size.steps, Step("events-nearest", text, "imputed"))


def _timed(study: Study, tally: Tally, longest: float | None) -> Tally:
    """Return a tally with the week at which it stands in the model."""
    week = None if tally.row.week is None else float(tally.row.week)
    everyone = tally.complete and tally.events == tally.n
    if everyone and longest is not None and (week is None or longest == inf or week >= longest):
        text = "that all recovered enters here, and when by the times"
        return _at(tally, inf, Step(TOLD_BY_TIMES, text, "computed"))
    if week is not None:
        return replace(tally, week=week)
    follow_up = typical(study.population.follow_up_weeks)
    if follow_up is not None:
        text = f"no week given; taken at week {follow_up:.3g}, the typical follow-up"
        return _at(tally, follow_up, Step("week-of-follow-up", text, "imputed"))
    return _at(tally, inf, Step("in-the-end", "no week given; read as in the end", "imputed"))


def _at(tally: Tally, week: float, step: Step) -> Tally:
    return replace(tally, week=week, steps=(*tally.steps, step))


# --- choosing and chaining ----------------------------------------------------------------


def _one_each(tallies: list[Tally], found: Found) -> list[Tally]:
    """Return tallies of one group of patients, one a kind, week and clock.

    The whole arm before a subgroup, patients before lesions, more patients before fewer.
    """
    if not tallies:
        return []

    def rank(tally: Tally) -> tuple[bool, int, bool, int]:
        part = tally.row.subgroup is not None
        return part, -tally.n if part else 0, tally.row.unit != "patients", -tally.n

    kept: dict[tuple[bool, float, str], Tally] = {}
    best = min(tallies, key=rank)
    for tally in sorted(tallies, key=rank):
        same = (tally.row.subgroup, tally.row.unit) == (best.row.subgroup, best.row.unit)
        key = tally.complete, tally.week, tally.clock
        if same and key not in kept:
            kept[key] = tally
        else:
            text = "the same patients are counted in another row, as a whole or more completely"
            found.omit(tally.ref, "better-row", text)
    return sorted(kept.values(), key=lambda t: t.ref.index)


def _alike(tallies: list[Tally], found: Found) -> Iterator[Tally]:
    """Yield tallies of the most patients on the clock told best, so that all can be chained."""
    most = max((t.n for t in tallies), default=0)
    whole = [t for t in tallies if t.n == most]
    clocks = [t.clock for t in sorted(whole, key=lambda t: t.clock_place) if t.week < inf]
    for tally in tallies:
        if tally.n != most:
            text = f"of {tally.n}, who are among the {most} of whom another row tells"
            found.omit(tally.ref, "other-n", text)
        elif tally.week == inf and clocks:
            yield replace(tally, clock=clocks[0])
        elif clocks and place_of_clock(clocks[0]) != tally.clock_place:
            text = "the same patients are counted on a clock that is told better"
            found.omit(tally.ref, "other-clock", text)
        else:
            yield tally


def _chained(tallies: Iterable[Tally], found: Found) -> Iterator[Link]:
    """Yield each tally with the one before it."""
    done: list[Tally] = []
    for tally in sorted(tallies, key=lambda t: (t.week, not t.complete, t.ref.index)):
        before = _previous(tally, done)
        if before is not None and before.events == before.n:
            text = f"all had recovered already ({before.events} of {before.n})"
            found.omit(tally.ref, "all-recovered-before", text)
        elif before is not None and before.events > tally.events:
            text = (
                f"{tally.events} of {tally.n}, fewer than the {before.events} who had recovered "
                f"at {_said_week(before)}: a relapse or another reading, which the model lacks"
            )
            found.omit(tally.ref, "falling-count", text)
        else:
            done.append(tally)
            yield Link(tally, before)


def _previous(tally: Tally, done: list[Tally]) -> Tally | None:
    """Return the last tally that has counted some of these patients already."""
    fitting = [other for other in done if other.complete or not tally.complete]
    return max(fitting, key=lambda t: (t.week, t.complete), default=None)


# --- together -----------------------------------------------------------------------------


def _draft(study: Study, outcome: RecoveryOutcome, link: Link) -> Draft:
    tally, before = link.tally, link.previous
    effective = tally.size.effective or tally.n
    low, high = wilson(tally.events / tally.n, effective)
    return Draft(
        study=study.id,
        arms=(tally.row.arm,),
        outcome=outcome.id,
        kind="complete" if tally.complete else "partial",
        week=None if tally.row.week is None else float(tally.row.week),
        clock=tally.clock,
        n=tally.n,
        value=tally.events / tally.n,
        low=low,
        high=high,
        text=_text(outcome, link) + imputed(tally.steps),
        basis=worst(tally.steps),
        rows=(tally.ref,),
        columns={
            "kind": place_of_kind("complete" if tally.complete else "partial"),
            "clock": place_of_clock(tally.clock),
            "week": tally.week,
            "events": tally.events,
            "n": tally.n,
            "design_effect": tally.n / effective,
            "previous_kind": place_of_kind(
                "complete" if before is None or before.complete else "partial"
            ),
            "previous_week": 0.0 if before is None else before.week,
            "previous_events": 0 if before is None else before.events,
        },
    )


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return Wilson's 95 % limits of a share of `n` (Wilson 1927, J Am Stat Assoc 22:209)."""
    z2 = Z95**2 / n
    middle, half = share + z2 / 2, Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))


def _said_week(tally: Tally) -> str:
    return "some time" if tally.week == inf else when(tally.week, tally.clock)


def _text(outcome: RecoveryOutcome, link: Link) -> str:
    tally, before = link.tally, link.previous
    what = outcome.recovered if tally.complete else "better, in part or wholly"
    at = "in the end" if tally.week == inf else f"by {_said_week(tally)}"
    text = f"{outcome.name}, {what}: {tally.events} of {tally.n} {tally.row.unit} {at}"
    if any(step.rule == TOLD_BY_TIMES for step in tally.steps):
        text += " (when, the times of these patients say)"
    if before is not None:
        as_what = "wholly" if before.complete else "in part"
        text += f", {before.events} of them {as_what} by {_said_week(before)} and counted there"
    return text
