"""Answers of a recovery model, made by hand: plausible, but of no data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from trabecula.effects.estimate import RowRef
from trabecula.records.assumption import AssumedScale
from trabecula.records.recovery_protocol import (
    AssumedWeeks,
    RecoveryOutcome,
    RecoveryPriors,
    RecoveryProtocol,
)
from trabecula.review import Review
from trabecula.review.recovery_model import (
    Check,
    Contribution,
    Course,
    Credible,
    Diagnostics,
    ModelComparison,
    NaturalCourse,
    RecoveryOmission,
    RecoveryRow,
    RecoverySynthesis,
    RegimenRecovery,
    TrialPlan,
    Variant,
)

STATED: dict[str, Any] = {"reason": "a guess", "judgement": True}
WEEKS = tuple(float(w) for w in range(0, 105, 2))
MEDIANS = {"toe": 10.0, "swelling": 18.0}
NEVER = 0.05

D = Decimal
PROTOCOL = RecoveryProtocol(
    outcomes=(
        RecoveryOutcome(
            id="toe", name="Toe pain", recovered="free of pain", complete="healed",
            score=("pain",), instrument="vas-10",
            baseline=AssumedScale(value=D(7), **STATED),
        ),
        RecoveryOutcome(id="swelling", name="Swelling", recovered="toe thin", complete="improved"),
    ),
    start_week=AssumedWeeks(value=D(8), **STATED),
    weeks=(D(4), D(8)),
    test_week=AssumedWeeks(value=D(13), **STATED),
    priors=RecoveryPriors.model_validate(
        {"median_weeks": tuple({"outcome": o, "value": 10, **STATED} for o in MEDIANS)}
        | {
            name: {"value": D("0.5"), "sensitivity": (D("0.2"),), **STATED}
            for name in RecoveryPriors.model_fields
            if name != "median_weeks"
        }
    ),
)  # fmt: skip


def with_recovery(review: Review, recovery: RecoverySynthesis | None = None) -> Review:
    """Return a review of toes with answers of the model on them, and a protocol that asks."""
    file = review.topic.file
    protocol = file.protocol.model_copy(update={"recovery": PROTOCOL})
    topic = replace(review.topic, file=file.model_copy(update={"protocol": protocol}))
    answers = toes() if recovery is None else recovery
    return replace(review, topic=topic, recovery=answers)


def toes(word: str = "plain") -> RecoverySynthesis:
    """Return answers on two outcomes: one sure, one not, one on a regimen nobody studied."""
    rows = (
        row("doe-2020", "toe", "complete", 4.0, 0.6, table="counts", treatment="bathing"),
        row("roe-2021", "toe", "complete", 12.0, 0.4, clock="onset", table="counts"),
        row("roe-2021", "toe", "score", 4.0, 0.5, treatment="bathing"),
        row("doe-2020", "swelling", "time", None, 16.0, table="times"),
        row("doe-2020", "toe", "test", 4.0, None, table="tests", treatment="bathing"),
    )
    rows = tuple(replace(r, text=f"{r.text} {word}") for r in rows)
    made = (
        regimen("bathing", "toe", 1.6, 1.1, 2.3, ("doe-2020", "roe-2021"), score=True, word=word),
        regimen("sand", "toe", 1.05, 0.5, 2.2, (), score=True, word=word),
        regimen("bathing", "swelling", 1.02, 0.8, 1.3, ("doe-2020",), word=word),
    )
    return synthesis(
        ("toe", "swelling"), made, rows, ("doe-2020", "roe-2021"), "vas-10",
        groups=(f"Left toe {word}", "Right toe"),
        omissions=(
            RecoveryOmission(RowRef("doe-2020", "results", 0), "toe", "shared-cohort", word),
        ),
    )  # fmt: skip


def synthesis(
    outcomes: Sequence[str],
    regimens: Sequence[RegimenRecovery],
    rows: Sequence[RecoveryRow],
    studies: Sequence[str],
    instrument: str,
    *,
    groups: Sequence[str] = (),
    omissions: Sequence[RecoveryOmission] = (),
) -> RecoverySynthesis:
    """Return all answers, with a natural course an outcome and a check a row with a value."""
    return RecoverySynthesis(
        outcomes=tuple(outcomes),
        natural=tuple(natural(o, studies, groups) for o in outcomes),
        regimens=tuple(regimens),
        rows=tuple(rows),
        omissions=tuple(omissions),
        checks=tuple(
            Check(r, r.value, around(r.value * 0.9, 1.3), 0.3) for r in rows if r.value is not None
        ),
        comparisons=(
            ModelComparison("weibull", "Weibull", True, -80.1, 0.0, 0.0, 1),
            ModelComparison("lognormal", "log-normal", False, -81.4, -1.3, 1.1, 2),
        ),
        diagnostics=Diagnostics(1.003, 2400.0, 1900.0, 0, 4, 4000),
        start_week=8.0,
        baseline=7.0,
        instrument=instrument,
        studies=tuple(studies),
    )


def around(value: float, factor: float) -> Credible:
    """Return a value with limits by a factor; shares stay below 1."""
    high = value * factor
    return Credible(value, value / factor, min(high, 1.0) if value <= 1 else high)


def course(median: float, spread: float = 1.25, *, new: bool = False) -> Course:
    """Return the share recovered by week, half at `median` but for those who never do."""

    def shares(middle: float) -> tuple[float, ...]:
        return tuple((1 - NEVER) * (1 - math.exp(-math.log(2) * w / middle)) for w in WEEKS)

    return Course(
        WEEKS, shares(median), shares(median * spread), shares(median / spread),
        shares(median * 2) if new else (), shares(median / 2) if new else (),
    )  # fmt: skip


def falling(median: float) -> Course:
    """Return a score that falls from 7 points, halved at `median`."""
    lines = (
        tuple(7 * math.exp(-math.log(2) * w / m) for w in WEEKS)
        for m in (median, median / 1.25, median * 1.25)
    )
    return Course(WEEKS, *lines)


def natural(outcome: str, studies: Sequence[str], groups: Sequence[str] = ()) -> NaturalCourse:
    """Return a natural course that was observed for half a year."""
    median = MEDIANS.get(outcome, 14.0)
    return NaturalCourse(
        outcome=outcome,
        recovered=course(median, new=True),
        median_weeks=around(median, 1.4),
        new_study=around(median, 2.5),
        never=Credible(NEVER, 0.012, 0.13),
        last_week=26.0,
        studies=tuple(studies),
        groups=tuple((name, 3, around(median * 1.1, 1.6), around(0.9, 1.5)) for name in groups),
    )


def regimen(
    name: str,
    outcome: str,
    median: float,
    low: float,
    high: float,
    studies: Sequence[str],
    *,
    score: bool = False,
    word: str = "plain",
) -> RegimenRecovery:
    """Return the answer on a regimen that divides times by its rate ratio."""
    rate, wait = Credible(median, low, high), MEDIANS.get(outcome, 14.0)
    half, treated = wait * 0.7, wait / median
    saved = Credible(wait - treated, wait - wait / low, wait - wait / high)
    return RegimenRecovery(
        regimen=name, outcome=outcome, rate_ratio=rate,
        p_faster=0.99 if low > 1 else 0.6, p_quarter_faster=0.9 if low > 1 else 0.25,
        studies=tuple(studies), comparative_studies=tuple(studies[:1]), patients=20 * len(studies),
        contribution=Contribution(0.4, 0.3, 0.2, 0.1) if studies else Contribution(0.8, 0.2, 0, 0),
        recovered=course(treated), recovered_naturally=course(wait),
        score=falling(half / median) if score else None,
        score_naturally=falling(half) if score else None,
        score_difference=((4.0, Credible(-0.8, -1.9, 0.3)),) if score else (),
        weeks_to_half=around(half / median, 1.4) if score else None,
        weeks_to_half_naturally=around(half, 1.3) if score else None,
        weeks_saved_to_half=Credible(1.2, -0.4, 3.1) if score else None,
        weeks_to_recovery=around(treated, 1.5), weeks_to_recovery_naturally=around(wait, 1.4),
        weeks_saved=saved, last_week=20.0 if studies else None,
        variants=(
            Variant("wide", f"Wider prior {word}", "prior", Credible(median, low / 1.2, high)),
            Variant("less", "Without doe-2020", "study", Credible(median / 1.1, low / 1.3, high)),
            Variant("comparative", "Only comparative", "evidence", rate),
        ),
        trial=TrialPlan(
            outcome, f"share free of pain {word}", 12.0, median, 0.5, 0.66, 0.8,
            153 if low > 1 else None, 2000,
        ),
        words=f"we cannot tell {word}" if low < 1 else f"probably faster {word}",
    )  # fmt: skip


def row(
    study: str,
    outcome: str,
    kind: Any,
    week: float | None,
    value: float | None,
    *,
    clock: str = "treatment",
    treatment: str = "waiting",
    table: Any = "scores",
) -> RecoveryRow:
    """Return a row of twenty patients that comes from the second result of its study."""
    low, high = (None, None) if value is None else (value * 0.7, min(value * 1.3, 1.0))
    if kind == "time" and value is not None:
        high = value * 1.3
    return RecoveryRow(
        study=study, arms=("bath",), treatment=treatment, outcome=outcome, kind=kind, week=week,
        clock=clock, n=20, value=value, low=low, high=high, text=f"{kind} of {value}",
        basis="computed", rows=(RowRef(study, "results", 1),), table=table, place=0,
    )  # fmt: skip
