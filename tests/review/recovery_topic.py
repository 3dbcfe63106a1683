"""A topic made for tests of the recovery rows: a score, two counts and a time of a sore toe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from tests.effects.make import FILE, outcome, study, topic
from trabecula.effects import derive_estimates
from trabecula.records import Arm, Outcome, Population, Regimen, Result, Site, Stratum, Study, Topic
from trabecula.records.assumption import AssumedScale
from trabecula.records.recovery_protocol import (
    AssumedWeeks,
    RecoveryOutcome,
    RecoveryPriors,
    RecoveryProtocol,
)
from trabecula.records.topic import Condition
from trabecula.review.model import Scope
from trabecula.review.recovery_evidence import RecoveryInput, recovery_input

D = Decimal
STATED: dict[str, Any] = {"reason": "a guess", "judgement": True}
OUTCOMES: tuple[Outcome, ...] = (
    outcome("pain", "score", "lower"),
    outcome("healed", "count", "higher").model_copy(update={"implies": ("better",)}),
    outcome("better", "count", "higher"),
    outcome("weeks-to-heal", "time", "lower"),
    outcome("walking", "score", "higher"),
)

PRIORS = RecoveryPriors.model_validate(
    {"median_weeks": ({"outcome": "toe", "value": 18, **STATED},)}
    | {
        name: {"value": D("0.5"), **STATED}
        for name in RecoveryPriors.model_fields
        if name != "median_weeks"
    }
)

RECOVERY = RecoveryProtocol(
    outcomes=(
        RecoveryOutcome(
            id="toe",
            name="Toe",
            recovered="well",
            complete="healed",
            partial="better",
            score=("pain", "walking"),
            time="weeks-to-heal",
            instrument="ten",
            baseline=AssumedScale(value=D(7), **STATED),
        ),
    ),
    start_week=AssumedWeeks(value=D(8), **STATED),
    weeks=(D(4), D(8)),
    test_week=AssumedWeeks(value=D(13), **STATED),
    priors=PRIORS,
)

REGIMENS = {
    "drug": "class",
    "rival": "class",
    "class": None,
    "knife": None,
    "waiting": None,
    "placebo": None,
}
"""Regimens with their classes."""

SITES = (
    Site(id="toe", name="Toe"),
    Site(id="heel", name="Heel"),
    Site(id="many", name="Many", several=True),
)


def recovery_topic(*studies: Study) -> Topic:
    """Return a topic of these studies, with a recovery section and two strata."""
    protocol = FILE.protocol.model_copy(update={"recovery": RECOVERY})
    file = FILE.model_copy(
        update={
            "protocol": protocol,
            "outcomes": OUTCOMES,
            "sites": SITES,
            "strata": (*FILE.strata, Stratum(id="far", name="f", description="f")),
            "conditions": (*FILE.conditions, Condition(id="gout", name="gout", stratum="far")),
        }
    )
    made: Any = Regimen.model_construct
    roles = {"waiting": "reference", "placebo": "control"}
    regimens = {
        name: made(id=name, parent=parent, role=roles.get(name, "active"))
        for name, parent in REGIMENS.items()
    }
    return replace(topic(*studies), file=file, regimens=regimens)


def read(*studies: Study, scope: Scope = "all", interactions: bool = False) -> RecoveryInput:
    """Return the recovery evidence of these studies."""
    made = recovery_topic(*studies)
    return recovery_input(made, derive_estimates(made), scope, interactions=interactions)


def score(**given: Any) -> Result:
    """Return a row of 16 treated patients' pain on ``ten`` at week 4."""
    return _row({"outcome": "pain", "instrument": "ten", "n": 16, "week": D(4)} | given)


def count(events: int | None = None, **given: Any) -> Result:
    """Return a row of so many healed of 16 treated at week 4."""
    figures = {} if events is None else {"events": events}
    return _row({"outcome": "healed", "n": 16, "week": D(4)} | figures | given)


def time(**given: Any) -> Result:
    """Return a row of weeks until 16 treated had healed."""
    return _row({"outcome": "weeks-to-heal", "n": 16} | given)


def _row(given: Mapping[str, Any]) -> Result:
    defaults: dict[str, Any] = {"arm": "drug", "location": "table 1", "extractors": 2}
    return Result(**(defaults | dict(given)))


SINGLE = (Arm(id="drug", regimens=("drug",), patients=16),)
"""The one arm of a study without comparison."""


def alone(*rows: Result, **given: Any) -> Study:
    """Return a study of 16 treated patients without comparison."""
    people = {"population": Population(conditions=("toe",), patients=16)}
    return study(*rows, arms=SINGLE, design="single-arm", **(people | given))


def lenders() -> list[Study]:
    """Return three studies that print SDs of 1, 2 and 3 at half of a baseline of 8."""
    return [
        alone(
            score(week=D(0), mean=D(8), sd=D(2)),
            score(mean=D(4), sd=D(sd)),
            identifier=f"lender-{sd}",
        )
        for sd in (1, 2, 3)
    ]


def rules(made: RecoveryInput, study_id: str = "doe-2020") -> dict[str, str]:
    """Return the rule of every row of a study that does not enter."""
    return {
        f"{o.row.section}[{o.row.index}]": o.rule for o in made.omissions if o.row.study == study_id
    }
