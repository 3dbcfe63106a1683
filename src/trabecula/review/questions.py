"""Runs the protocol's questions over the estimates.

What is pooled, by kind of outcome (measure names as in metafor):

============  ===========================  =========================================
kind          one group of patients        treatment against comparator
============  ===========================  =========================================
score         MC, mean change              MD; SMD where the instruments differ
count         PR, proportion               RR; RD where no ratio exists (no event)
time          MN, mean weeks               MD in weeks
============  ===========================  =========================================

A drug class is answered like a treatment, from the arms given one of its agents alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import NamedTuple

from trabecula.effects.estimate import Estimate
from trabecula.records import Outcome, Question, Topic
from trabecula.review.evidence_base import SCOPES, in_scope
from trabecula.review.model import Kind, Omission, Scale, Scope, Synthesis
from trabecula.review.pool import contribution, pool
from trabecula.review.select import Slot, other_clock, select
from trabecula.review.treatments import agents_of, treatment_of

SINGLE: Mapping[str, tuple[Kind, str]] = {
    "score": ("before-after", "MC"),
    "count": ("proportion", "PR"),
    "time": ("time", "MN"),
}
"""Kind of synthesis and measure for one group of patients, by kind of outcome."""

COMPARED: Mapping[str, str] = {"score": "MD", "count": "RR", "time": "MD"}
"""Measure of a comparison, by kind of outcome."""

SCALES: Mapping[str, Scale] = {
    "SMD": "sd",
    "PR": "proportion",
    "RR": "ratio",
    "RD": "percentage-points",
}
"""How measures are shown; means are in points or, for times, in weeks."""


class Group(NamedTuple):
    """What estimates have in common that may be pooled together.

    ``event`` names one kind of event; ``None`` counts any event of the outcome.
    """

    treatment: str
    comparator: str | None
    instrument: str | None
    event: str | None


def synthesise(topic: Topic, estimates: Iterable[Estimate]) -> tuple[Synthesis, ...]:
    """Return the answer to every question of the protocol for which there is an estimate.

    The scope ``all`` is answered only where it adds a study to the primary one, and a drug
    class only where more than one of its agents was studied.
    """
    estimates = _with_classes(topic, tuple(estimates))
    answers = [
        synthesis
        for question in topic.file.protocol.questions
        for synthesis in _answers(topic, question, estimates)
    ]
    return tuple(_without_repeats(topic, answers))


def unplaced(
    topic: Topic, estimates: Iterable[Estimate], syntheses: Iterable[Synthesis]
) -> tuple[Omission, ...]:
    """Return estimates of asked outcomes that no synthesis takes or omits, with the reason."""
    placed = {
        e.rows
        for s in syntheses
        for e in (*(c.estimate for c in s.contributions), *(o.estimate for o in s.omissions))
    }
    asked = {q.outcome for q in topic.file.protocol.questions}

    def is_asked(e: Estimate) -> bool:
        kind = topic.outcome(e.outcome).kind
        measure = COMPARED[kind] if e.comparator_arm else SINGLE[kind][1]
        return e.outcome in asked and e.measure == measure

    left = (e for e in estimates if is_asked(e) and e.rows not in placed)
    outside = ("outside", "its time is outside every window that is asked about")
    return tuple(Omission(e, *(other_clock(e) or outside)) for e in left)


def _with_classes(topic: Topic, estimates: tuple[Estimate, ...]) -> tuple[Estimate, ...]:
    """Add each estimate of an agent once more as one of its drug class, on either side."""
    class_of = {agent: parent for parent, agents in agents_of(topic).items() for agent in agents}

    def names(regimens: tuple[str, ...]) -> list[tuple[str, ...]]:
        lifted = tuple(class_of.get(r, r) for r in regimens) if len(regimens) == 1 else regimens
        return list(dict.fromkeys((regimens, lifted)))

    return tuple(
        replace(estimate, regimens=regimens, comparator=comparator)
        for estimate in estimates
        for regimens in names(estimate.regimens)
        for comparator in names(estimate.comparator)
        if regimens != comparator
    )


def _without_repeats(topic: Topic, answers: list[Synthesis]) -> Iterator[Synthesis]:
    """Leave out what a drug class repeats of its only studied agent."""
    classes = agents_of(topic)

    def answer(s: Synthesis) -> tuple[object, ...]:
        places = tuple((c.estimate.study, c.estimate.arm, c.estimate.week) for c in s.contributions)
        return s.outcome, s.event, s.measure, s.instrument, s.window, s.scope, places

    def of_class(s: Synthesis) -> int:
        return (s.treatment in classes) + (s.comparator in classes)

    named_best: dict[tuple[object, ...], int] = {}
    for s in answers:
        named_best[answer(s)] = min(of_class(s), named_best.get(answer(s), 2))
    yield from (s for s in answers if of_class(s) == named_best[answer(s)])


def slots_of(topic: Topic, question: Question) -> tuple[Slot, ...]:
    """Return the times a question is asked for.

    Where it asks for windows, what sources report without a week is answered apart.
    """
    if question.windows:
        windows = (Slot("window", topic.window(w)) for w in question.windows)
        return (*windows, Slot("untimed"))
    return (Slot("duration" if topic.outcome(question.outcome).kind == "time" else "latest"),)


def _answers(
    topic: Topic, question: Question, estimates: Iterable[Estimate]
) -> Iterator[Synthesis]:
    outcome = topic.outcome(question.outcome)
    relevant = [e for e in estimates if e.outcome == outcome.id]
    for slot in slots_of(topic, question):
        seen: dict[tuple[Group, str], tuple[str, ...]] = {}
        for scope in SCOPES:
            mine = [e for e in relevant if in_scope(topic, topic.studies[e.study], scope)]
            for synthesis in _of_scope(outcome, mine, slot, scope):
                s = synthesis
                key = Group(s.treatment, s.comparator, s.instrument, s.event), s.measure
                if seen.get(key) != synthesis.studies:
                    seen[key] = synthesis.studies
                    yield synthesis


def _of_scope(
    outcome: Outcome, estimates: list[Estimate], slot: Slot, scope: Scope
) -> Iterator[Synthesis]:
    kind, measure = SINGLE[outcome.kind]
    for group, members in _groups(outcome, (e for e in estimates if e.measure == measure)):
        yield from _synthesis(outcome, kind, measure, group, members, slot, scope)
    for group, members in _comparisons(outcome, estimates):
        measure = members[0].measure
        yield from _synthesis(outcome, "comparison", measure, group, members, slot, scope)


def _groups(
    outcome: Outcome, estimates: Iterable[Estimate]
) -> Iterator[tuple[Group, list[Estimate]]]:
    """Group estimates that may be pooled together, in a stable order."""
    groups: dict[Group, list[Estimate]] = {}
    for estimate in estimates:
        group = Group(
            treatment=treatment_of(estimate.regimens),
            comparator=treatment_of(estimate.comparator) if estimate.comparator else None,
            instrument=estimate.instrument,
            event=None if estimate.event_name in outcome.any_event else estimate.event_name,
        )
        groups.setdefault(group, []).append(estimate)
    yield from sorted(groups.items(), key=lambda item: tuple(part or "" for part in item[0]))


def _comparisons(
    outcome: Outcome, estimates: list[Estimate]
) -> Iterator[tuple[Group, list[Estimate]]]:
    """Yield comparisons on each instrument, and standardised ones where instruments differ."""
    measure = COMPARED[outcome.kind]
    compared = [e for e in estimates if e.measure == measure and e.comparator]
    yield from _groups(outcome, compared)
    have_ratio = {e.rows for e in compared}
    yield from _groups(
        outcome, (e for e in estimates if e.measure == "RD" and e.rows not in have_ratio)
    )
    pairs: dict[Group, list[Estimate]] = {}
    for group, members in _groups(outcome, (e for e in estimates if e.measure == "SMD")):
        pairs.setdefault(group._replace(instrument=None), []).extend(members)
    for pair, members in pairs.items():
        if len({e.instrument for e in members}) > 1:
            yield pair, members


def _synthesis(
    outcome: Outcome,
    kind: Kind,
    measure: str,
    group: Group,
    members: list[Estimate],
    slot: Slot,
    scope: Scope,
) -> Iterator[Synthesis]:
    """Yield the synthesis of one question, or nothing where no estimate falls in the slot."""
    chosen, omissions = select(members, slot)
    if not chosen:
        return
    pooled, weights, why_not = pool(measure, chosen)
    contributions = tuple(contribution(e, w) for e, w in zip(chosen, weights, strict=True))
    at = slot.window.id if slot.window else None
    yield Synthesis(
        id=identifier(group, outcome.id, measure, at or slot.timing, scope),
        kind=kind,
        treatment=group.treatment,
        comparator=group.comparator,
        outcome=outcome.id,
        measure=measure,
        instrument=group.instrument,
        event=group.event,
        timing=slot.timing,
        window=at,
        scope=scope,
        scale=scale_of(outcome, measure),
        contributions=contributions,
        omissions=omissions,
        pooled=pooled,
        not_pooled=why_not,
        n=sum(e.n or 0 for e in chosen),
    )


def identifier(group: Group, outcome: str, measure: str, at: str, scope: Scope) -> str:
    """Return a name that is safe in an address: ``drug-a--score--mc--scale--26w--primary``."""
    event = _slug(group.event) if group.event else None
    parts = (
        group.treatment,
        group.comparator,
        outcome,
        event,
        measure,
        group.instrument,
        at,
        scope,
    )
    return "--".join(part.replace("+", "-with-") for part in parts if part).lower()


def _slug(text: str) -> str:
    """Return `text` in plain letters, with a check sum where that loses anything."""
    plain = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if plain.replace("-", " ") == text.lower():
        return plain
    return f"{plain}-{hashlib.sha256(text.encode()).hexdigest()[:6]}".lstrip("-")


def scale_of(outcome: Outcome, measure: str) -> Scale:
    """Return the scale on which results of `outcome` by `measure` are shown."""
    if measure in SCALES:
        return SCALES[measure]
    return "points" if outcome.kind == "score" else "weeks"
