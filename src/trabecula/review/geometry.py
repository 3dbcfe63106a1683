"""Which treatments were ever compared with each other, and what nothing connects."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from trabecula.effects.estimate import Estimate
from trabecula.records import Study, Topic
from trabecula.review.evidence_base import SCOPES, in_scope
from trabecula.review.model import Scope
from trabecula.review.network_model import ComparedPair, Geometry
from trabecula.review.treatments import treatment_of


def geometries(topic: Topic, estimates: Iterable[Estimate]) -> tuple[Geometry, ...]:
    """Return the geometry of each scope."""
    numbered = {
        (e.study, frozenset((treatment_of(e.regimens), treatment_of(e.comparator))))
        for e in estimates
        if e.comparator
    }
    return tuple(_geometry(topic, numbered, scope) for scope in SCOPES)


def connected(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, ...], ...]:
    """Return the treatments that `pairs` connect, each part and the parts in order of name."""
    parts: list[set[str]] = []
    for pair in pairs:
        touched = [part for part in parts if part & set(pair)]
        parts = [part for part in parts if part not in touched]
        parts.append(set(pair).union(*touched))
    return tuple(sorted(tuple(sorted(part)) for part in parts))


def _geometry(topic: Topic, numbered: set[tuple[str, frozenset[str]]], scope: Scope) -> Geometry:
    found: dict[tuple[str, str], dict[str, bool]] = {}
    several: set[tuple[str, ...]] = set()
    studies = [s for s in topic.studies.values() if in_scope(topic, s, scope)]
    for study in studies:
        treatments = sorted({treatment_of(arm.regimens) for arm in study.arms})
        for pair in combinations(treatments, 2):
            key = (study.id, frozenset(pair))
            found.setdefault(pair, {})[study.id] = key in numbered
        if len(treatments) > 2:
            several.add(tuple(treatments))
    pairs = tuple(
        ComparedPair(*pair, tuple(by_study), tuple(s for s, usable in by_study.items() if usable))
        for pair, by_study in sorted(found.items())
    )
    parts = connected((p.treatment, p.comparator) for p in pairs)
    return Geometry(scope, pairs, _patients(studies, pairs), tuple(sorted(several)), parts)


def _patients(studies: list[Study], pairs: Iterable[ComparedPair]) -> dict[str, int]:
    """Return the patients of compared arms by treatment, of each cohort its largest study."""
    compared = {study for pair in pairs for study in pair.studies}
    treatments = {t for pair in pairs for t in (pair.treatment, pair.comparator)}
    largest: dict[tuple[str, str], int] = {}
    for study in studies:
        by_treatment: dict[str, int] = {}
        for arm in study.arms if study.id in compared else ():
            treatment = treatment_of(arm.regimens)
            by_treatment[treatment] = by_treatment.get(treatment, 0) + (arm.patients or 0)
        for treatment, count in by_treatment.items():
            key = (study.cohort_or_id, treatment)
            largest[key] = max(largest.get(key, 0), count)
    return {
        treatment: sum(n for (_, t), n in largest.items() if t == treatment)
        for treatment in sorted(treatments)
    }
