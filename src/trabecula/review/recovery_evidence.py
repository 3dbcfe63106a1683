"""From the records of a topic to the evidence of the recovery model; every row is accounted for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from trabecula.effects.derive import EffectTable
from trabecula.effects.estimate import RowRef
from trabecula.records import Topic
from trabecula.records.recovery_protocol import RecoveryOutcome, RecoveryProtocol
from trabecula.review.evidence_base import in_scope
from trabecula.review.model import Scope
from trabecula.review.recovery_model import EvidenceKind, RecoveryOmission, RecoveryRow
from trabecula.review.recovery_rows.cohorts import one_study_a_cohort
from trabecula.review.recovery_rows.contrasts import contrasts, overall_tests
from trabecula.review.recovery_rows.counts import counts
from trabecula.review.recovery_rows.draft import Draft, Found, read_clock
from trabecula.review.recovery_rows.frame import Frame, frame_of
from trabecula.review.recovery_rows.scores import scores
from trabecula.review.recovery_rows.sources import Sources, sources_of
from trabecula.review.recovery_rows.times import times
from trabecula.review.treatments import treatment_of
from trabecula.synthesis.recovery.evidence import (
    TABLES,
    Counts,
    RecoveryEvidence,
    Scores,
    Tests,
    Times,
    recovery_evidence,
)
from trabecula.synthesis.recovery.priors import RecoveryPriors

TableName = Literal["scores", "counts", "times", "tests"]

TABLE_OF: dict[EvidenceKind, TableName] = {
    "score": "scores",
    "complete": "counts",
    "partial": "counts",
    "time": "times",
    "test": "tests",
}
"""The table in which each kind of evidence stands."""

COLUMNS = {"scores": Scores, "counts": Counts, "times": Times, "tests": Tests}


@dataclass(frozen=True)
class RecoveryInput:
    """The evidence, what each of its rows says, and what does not enter.

    ``rows`` stand by table, in the order of its entries; ``arms`` are (study, arm) in the order
    of ``evidence.arm_study``. Every result, contrast and overall test of an outcome that shows
    recovery stands in ``rows`` or, once or more, in ``omissions``, never in both.
    """

    evidence: RecoveryEvidence
    rows: tuple[RecoveryRow, ...]
    omissions: tuple[RecoveryOmission, ...]
    arms: tuple[tuple[str, str], ...]


def recovery_input(
    topic: Topic, effects: EffectTable, scope: Scope, *, interactions: bool = False
) -> RecoveryInput:
    """Return the evidence of the recovery model in a scope.

    Parameters
    ----------
    topic, effects
        The records and the estimates derived from them.
    scope
        *primary*: studies of the first stratum; *all*: every stratum, the others with a
        moderator each.
    interactions
        Whether combined regimens have an effect beyond the sum of their own.

    Raises
    ------
    ValueError
        The protocol of the topic has no section ``recovery``.
    """
    protocol = _protocol(topic)
    sources = sources_of(topic, protocol, effects)
    drafts: list[Draft] = []
    omissions: list[RecoveryOmission] = []
    for outcome in protocol.outcomes:
        founds = [
            _read(sources, study.id, outcome)
            for study in topic.studies.values()
            if in_scope(topic, study, scope)
        ]
        omissions += one_study_a_cohort(topic, founds)
        drafts += [draft for found in founds for draft in found.drafts]
        omissions += [omission for found in founds for omission in found.omissions]
    frame = frame_of(topic, drafts, scope, interactions=interactions)
    ordered = [d for table in TABLES for d in drafts if TABLE_OF[d.kind] == table]
    used = {ref for draft in drafts for ref in draft.rows}
    return RecoveryInput(
        evidence=_evidence(topic, protocol, frame, ordered),
        rows=tuple(_rows(topic, ordered)),
        omissions=tuple(sorted((o for o in omissions if o.row not in used), key=_place)),
        arms=frame.arms,
    )


def recovery_priors(topic: Topic, scope: Scope) -> RecoveryPriors:  # noqa: ARG001
    """Return the priors that the protocol states; they are the same in every scope."""
    stated = _protocol(topic).priors
    values = {
        field.name: float(getattr(stated, field.name).value)
        for field in fields(RecoveryPriors)
        if field.name != "median_weeks"
    }
    medians = tuple(float(median.value) for median in stated.median_weeks)
    return RecoveryPriors(median_weeks=medians, **values)


def _protocol(topic: Topic) -> RecoveryProtocol:
    protocol = topic.file.protocol.recovery
    if protocol is None:
        raise ValueError("the protocol has no section recovery, which the recovery model needs")
    return protocol


def _read(sources: Sources, study_id: str, outcome: RecoveryOutcome) -> Found:
    """Return what a study shows of one outcome; counts need the times, contrasts both."""
    study, found = sources.topic.studies[study_id], Found(study_id, outcome.id)
    scores(sources, study, outcome, found)
    times(sources, study, outcome, found)
    counts(sources, study, outcome, found)
    contrasts(sources, study, outcome, found)
    overall_tests(study, outcome, found)
    return found


def _place(omission: RecoveryOmission) -> tuple[str, str, int, str]:
    row: RowRef = omission.row
    return row.study, row.section, row.index, omission.rule


def _rows(topic: Topic, drafts: Sequence[Draft]) -> Iterable[RecoveryRow]:
    places = dict.fromkeys(TABLES, 0)
    for draft in drafts:
        table = TABLE_OF[draft.kind]
        yield RecoveryRow(
            study=draft.study,
            arms=draft.arms,
            treatment=treatment_of(topic.studies[draft.study].arm(draft.arms[0]).regimens),
            outcome=draft.outcome,
            kind=draft.kind,
            week=draft.week,
            clock=draft.clock,
            n=draft.n,
            value=draft.value,
            low=draft.low,
            high=draft.high,
            text=draft.text + _reading(topic, draft),
            basis=draft.basis,
            rows=draft.rows,
            table=table,
            place=places[table],
        )
        places[table] += 1


def is_treated(topic: Topic, study: str, arm: str) -> bool:
    """Return whether an arm had a treatment that is told."""
    regimens = topic.studies[study].arm(arm).regimens
    return any(topic.regimens[regimen].role == "active" for regimen in regimens)


def _reading(topic: Topic, draft: Draft) -> str:
    """Return how weeks on a clock that is not told are read, as the end of a sentence."""
    if draft.clock != "not-stated":
        return ""
    if is_treated(topic, draft.study, draft.arms[0]):
        return "; read as from treatment"
    return "; read as from onset, as in reports of the natural course"


def _evidence(
    topic: Topic, protocol: RecoveryProtocol, frame: Frame, drafts: Sequence[Draft]
) -> RecoveryEvidence:
    arms = {key: place for place, key in enumerate(frame.arms)}
    outcomes = tuple(outcome.id for outcome in protocol.outcomes)
    treated = {place for key, place in arms.items() if is_treated(topic, *key)}
    tables: dict[str, dict[str, list[float]]] = {
        name: {field.name: [] for field in fields(COLUMNS[name])} for name in TABLES
    }
    for draft in drafts:
        columns = tables[TABLE_OF[draft.kind]]
        own = [arms[draft.study, arm] for arm in draft.arms]
        named = dict(
            zip(("first", "second") if draft.kind == "test" else ("arm",), own, strict=True)
        )
        row = {**draft.columns, **named, "outcome": outcomes.index(draft.outcome)}
        if "clock" in row:
            row["clock"] = read_clock(int(row["clock"]), treated=own[0] in treated)
        for name, values in columns.items():
            values.append(row[name])
    return recovery_evidence(
        studies=frame.studies,
        outcomes=outcomes,
        effects=frame.effects,
        effect_class=frame.effect_class,
        arm_study=frame.arm_study,
        design=frame.design,
        uncontrolled=frame.uncontrolled,
        unblinded=frame.unblinded,
        moderator_names=frame.moderator_names,
        moderators=frame.moderators,
        delay=frame.delay,
        **tables,
    )
