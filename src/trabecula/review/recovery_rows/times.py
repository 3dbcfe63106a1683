"""Weeks until complete recovery: a mean, a median or a range.

A mean is used before a median, and a median before a range alone; beside a mean, quartiles and
range give its standard error (Wan 2014), without them the model's own spread does.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import nan

from trabecula.effects.estimate import Estimate, RowRef, Step
from trabecula.effects.wording import interval, number
from trabecula.records import Result, Study
from trabecula.records.recovery_protocol import RecoveryOutcome
from trabecula.review.recovery_rows.draft import (
    Z95,
    Draft,
    Found,
    imputed,
    place_of_clock,
    worst,
)
from trabecula.review.recovery_rows.series import best_series, by_arm, open_rows
from trabecula.review.recovery_rows.sources import People, Row, Sources, rows_of
from trabecula.synthesis.recovery.evidence import STATISTICS

FEWEST_OF_RANGE = 2
"""The range of one patient is no range."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A statistic of times, with the words for it."""

    statistic: str
    value: float
    upper: float
    se: float
    text: str
    steps: tuple[Step, ...]


def times(sources: Sources, study: Study, outcome: RecoveryOutcome, found: Found) -> None:
    """Add what the time rows of a study show."""
    if outcome.time is None:
        return
    rows = open_rows(study, rows_of(study, (outcome.time,)), found)
    for arm_rows in by_arm(rows).values():
        chosen = best_series(sources, study, arm_rows, found, lambda _: 0)
        first, *rest = sorted(chosen, key=_trust)
        for ref, _ in rest:
            text = "the same patients' time is told on another clock"
            found.omit(ref, "better-row", text)
        _add(sources, study, outcome, first, found)


def _trust(item: Row) -> tuple[bool, int]:
    """Return the order in which rows on different clocks are preferred: told before not told."""
    ref, row = item
    return row.clock == "not-stated", ref.index


def _add(sources: Sources, study: Study, outcome: RecoveryOutcome, item: Row, found: Found) -> None:
    ref, row = item
    people = sources.people(study, row)
    if people is None:
        found.omit(ref, "no-n", "neither the row, the arm nor the study says how many patients")
        return
    figure = _figure(row, sources.estimate(ref, "MN"), people.effective)
    if figure is None:
        found.omit(ref, "no-mean", "no mean, median or range of two patients or more")
        return
    found.drafts.append(_draft(study, outcome, ref, figure, people))


def _figure(row: Result, estimate: Estimate | None, n: float) -> Figure | None:
    if row.mean is not None:
        se = nan if estimate is None else estimate.se
        steps = () if estimate is None else estimate.steps
        spread = "SE not given" if estimate is None else f"SE {number(se)}"
        text = f"mean {_weeks(row.mean)}, {spread}"
        return Figure("mean", float(row.mean), nan, se, text, steps)
    if row.median is not None:
        text = f"median {_weeks(row.median)}"
        return Figure("median", float(row.median), nan, nan, text, ())
    if row.range is None or n < FEWEST_OF_RANGE or row.range[0] == row.range[1]:
        return None
    low, high = map(float, row.range)
    return Figure(
        "range", low, high, nan, f"{interval(row.range)} weeks, the shortest and longest", ()
    )


def _weeks(value: Decimal) -> str:
    return f"{number(value)} week" + ("" if value == 1 else "s")


def _draft(
    study: Study,
    outcome: RecoveryOutcome,
    ref: RowRef,
    figure: Figure,
    people: People,
) -> Draft:
    row, steps = study.results[ref.index], (*figure.steps, *people.steps)
    mean = figure.statistic == "mean" and figure.se == figure.se
    half = Z95 * figure.se if mean else nan
    value = figure.value if figure.statistic != "range" else (figure.value + figure.upper) / 2
    since = {"treatment": "the start", "onset": "onset", "diagnosis": "the diagnosis"}
    clock = since.get(row.clock, "onset or the start, which is not told")
    return Draft(
        study=study.id,
        arms=(row.arm,),
        outcome=outcome.id,
        kind="time",
        week=None,
        clock=row.clock,
        n=people.count,
        value=value,
        low=value - half if mean else None,
        high=value + half if mean else None,
        text=(
            f"{outcome.name}, until {outcome.recovered}: {figure.text}, counted from {clock}, "
            f"n {people.count}{imputed(steps)}"
        ),
        basis=worst(steps),
        rows=(ref,),
        columns={
            "clock": place_of_clock(row.clock),
            "statistic": STATISTICS.index(figure.statistic),
            "value": figure.value,
            "upper": figure.upper,
            "n": people.effective,
        },
    )
