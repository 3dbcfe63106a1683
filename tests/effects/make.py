"""Topics made for tests: two scores, a count, a time, and instruments of every sort."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from trabecula.effects import EffectTable, Estimate, RowRef, derive_estimates
from trabecula.records import (
    Arm,
    Citation,
    Condition,
    Contrast,
    Instrument,
    Outcome,
    Population,
    Protocol,
    Question,
    Result,
    Site,
    Stratum,
    Study,
    Topic,
    TopicFile,
    Window,
)
from trabecula.records.assumption import AssumedCorrelation, AssumedScale, AssumedShare
from trabecula.records.topic import (
    Assumptions,
    Disease,
    Name,
    Rescale,
    Searched,
)

D = Decimal


def outcome(identifier: str, kind: Any, better: Any) -> Outcome:
    """Return an outcome of a kind."""
    return Outcome(
        id=identifier,
        name=identifier.title(),
        plain=identifier,
        kind=kind,
        better=better,
        priority="critical",
    )


def instrument(identifier: str, **given: Any) -> Instrument:
    """Return an instrument spelled by its id, 0 to 10, lower better, unless told otherwise."""
    defaults: dict[str, Any] = {
        "id": identifier,
        "name": identifier,
        "spellings": (identifier,),
        "domain": "x",
        "lowest": D(0),
        "highest": D(10),
        "better": "lower",
        "judgement": True,
    }
    return Instrument(**(defaults | given))


INSTRUMENTS = (
    instrument("ten"),
    instrument("hundred", highest=D(100), common=Rescale(to="ten", multiply=D("0.1"))),
    instrument("open", highest=None, candidates=("ten", "hundred")),
    instrument(
        "turned",
        highest=D(100),
        better="higher",
        common=Rescale(to="ten", multiply=D("-0.1"), add=D(10)),
    ),
    instrument("up", highest=D(100), better="higher"),
    instrument("vague", highest=None),
    instrument("vague-up", highest=None, better="higher"),
)

PROTOCOL = Protocol(
    version="1",
    reference_regimen="waiting",
    control_regimens=("waiting", "placebo"),
    windows=(Window(id="w", name="w", week=D(4), first=D(1), last=D(8)),),
    questions=(Question(outcome="pain", title="Pain"),),
    assumptions=Assumptions(
        baseline_correlation=AssumedCorrelation(value=D("0.5"), reason="usual", judgement=True),
        lesion_correlation=AssumedShare(value=D("0.5"), reason="usual", judgement=True),
        heterogeneity_scale=AssumedScale(value=D("0.5"), reason="usual", judgement=True),
    ),
)

FILE = TopicFile(
    id="toe",
    name="Sore toe",
    abbreviation="ST",
    summary=(),
    searched=Searched(until="2026-01-01", description="all"),
    names=(Name(term="sore toe", judgement=True),),
    strata=(Stratum(id="direct", name="d", description="d"),),
    conditions=(Condition(id="toe", name="toe", stratum="direct"),),
    sites=(Site(id="toe", name="toe"),),
    outcomes=(
        outcome("pain", "score", "lower"),
        outcome("walking", "score", "higher"),
        outcome("healed", "count", "higher"),
        outcome("weeks-to-walk", "time", "lower"),
    ),
    instruments=INSTRUMENTS,
    protocol=PROTOCOL,
    disease=Disease(definition=(), presentation=(), course=(), history=(), causes=()),
)


def row(**given: Any) -> Result:
    """Return a row of 16 treated patients' pain on ``ten`` at week 4, with `given` figures."""
    defaults: dict[str, Any] = {
        "outcome": "pain",
        "arm": "drug",
        "week": D(4),
        "n": 16,
        "location": "table 1",
        "extractors": 2,
    }
    if given.get("outcome", "pain") in ("pain", "walking"):
        defaults["instrument"] = "ten"
    return Result(**(defaults | given))


def contrast(**given: Any) -> Contrast:
    """Return a contrast of drug against waiting in pain at week 4."""
    defaults: dict[str, Any] = {
        "outcome": "pain",
        "instrument": "ten",
        "arms": ("drug", "waiting"),
        "week": D(4),
        "location": "table 2",
    }
    return Contrast(**(defaults | given))


ARMS = (
    Arm(id="drug", regimens=("drug",), patients=16, lesions=24),
    Arm(id="waiting", regimens=("waiting",), patients=16, lesions=16),
)


def study(
    *results: Result,
    identifier: str = "doe-2020",
    contrasts: tuple[Contrast, ...] = (),
    arms: tuple[Arm, ...] = ARMS,
    **given: Any,
) -> Study:
    """Return a study of two arms with these rows."""
    defaults: dict[str, Any] = {
        "id": identifier,
        "citation": Citation(authors=("Doe J",), title="T"),
        "read_in": "full-text",
        "design": "rct",
        "population": Population(conditions=("toe",)),
        "arms": arms,
        "results": results,
        "contrasts": contrasts,
    }
    return Study(**(defaults | given))


def topic(*studies: Study) -> Topic:
    """Return a topic of these studies, without all that effects do not read."""
    return Topic(
        root=Path(),
        file=FILE,
        sources={},
        regimens={},
        diagnosis=cast("Any", None),
        reviews=cast("Any", None),
        studies={s.id: s for s in studies},
        digest="",
        documents={},
    )


def derived(*studies: Study) -> EffectTable:
    """Return the effects of these studies."""
    return derive_estimates(topic(*studies))


def estimates(table: EffectTable, measure: str, study_id: str = "doe-2020") -> list[Estimate]:
    """Return the estimates of a study in one measure."""
    return [e for e in table.estimates if e.measure == measure and e.study == study_id]


def only(table: EffectTable, measure: str, study_id: str = "doe-2020") -> Estimate:
    """Return the only estimate of a study in one measure."""
    (found,) = estimates(table, measure, study_id)
    return found


def reasons(table: EffectTable) -> dict[str, str]:
    """Return the reason of every unusable row, by section and number."""
    return {f"{u.row.section}[{u.row.index}]": u.reason for u in table.unusable}


def rules(estimate: Estimate) -> list[str]:
    """Return the rules of the steps of an estimate."""
    return [step.rule for step in estimate.steps]


def lenders(
    instrument_id: str = "ten", sds: tuple[str, ...] = ("1.0", "2.0", "3.0")
) -> list[Study]:
    """Return studies that print SDs at week 4 and, half as large, before treatment."""
    return [
        study(
            row(instrument=instrument_id, mean=D(5), sd=D(sd)),
            row(instrument=instrument_id, mean=D(7), sd=D(sd) / 2, week=D(0)),
            identifier=f"lender-{number}",
        )
        for number, sd in enumerate(sds)
    ]


def ref(index: int, section: Any = "results", study_id: str = "doe-2020") -> RowRef:
    """Return the reference to a row."""
    return RowRef(study_id, section, index)
