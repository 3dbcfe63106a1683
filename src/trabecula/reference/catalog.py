"""The review, looked up: every index a page needs, built once.

Pages never search through the whole review; what they need by name stands here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from trabecula import format as shown
from trabecula.audit.finding import SEVERITIES, Finding
from trabecula.effects.estimate import Estimate, RowRef, Unusable
from trabecula.records import Regimen, Source, Study
from trabecula.records.recovery_protocol import RecoveryOutcome
from trabecula.reference import links
from trabecula.reference.citation import name_of, name_of_source, told_apart
from trabecula.reference.printed import p_printed
from trabecula.review.model import Contribution, Omission, Review, Synthesis
from trabecula.review.treatments import agents_of, regimens_of

if TYPE_CHECKING:
    from trabecula.reference.figures.model import Figure

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

STUDY_ID = re.compile(r"\b[a-z]+(?:-[a-z]+)*-\d{4}[a-z]?\b")
"""What a study's id looks like in a sentence."""

ARM_IN_SENTENCE = (
    r"\b(?:the )?arm ({})\b",
    r"(?<![\w-])({})(?= against )",
    r"(?:(?<= against )|(?<=better with )|(?<=in favour of ))({})(?![\w-])",
)
"""Where the id of an arm may stand in a sentence."""

COHORT = re.compile(r" \(cohort [a-z0-9-]+\)")
"""The id of a cohort in a sentence that names the study anyway."""

VERDICT = re.compile(r"\bp (ns|significant)\b")

VERSION_LENGTH = 12
"""Characters of the topic's digest that name a version; a collision is out of reach."""


def grouped(items: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    """Return `items` in lists by `key`, both in the order in which they come."""
    groups: defaultdict[K, list[V]] = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return dict(groups)


@dataclass(frozen=True, slots=True)
class Cited:
    """A source as a fact names it; ``path`` is empty where nothing is known of it."""

    key: str
    name: str
    path: str


class Catalog:
    """Names and indexes of a review, and its figures."""

    def __init__(self, review: Review, figures: Mapping[str, Figure]) -> None:
        self.review = review
        self.topic = review.topic
        self.file = review.topic.file
        self.protocol = review.topic.file.protocol
        self.figures = figures

    @property
    def version(self) -> str:
        """The name of the evidence version: the start of the topic's digest."""
        return self.topic.digest[:VERSION_LENGTH]

    # Names -------------------------------------------------------------------------------

    @cached_property
    def outcomes(self) -> Mapping[str, str]:
        """Names of outcomes by id."""
        return {o.id: o.name for o in self.file.outcomes}

    @cached_property
    def conditions(self) -> Mapping[str, str]:
        """Names of conditions by id."""
        return {c.id: c.name for c in self.file.conditions}

    @cached_property
    def sites(self) -> Mapping[str, str]:
        """Names of sites by id."""
        return {s.id: s.name for s in self.file.sites}

    @cached_property
    def circumstances(self) -> Mapping[str, str]:
        """Names of patients' circumstances by id."""
        return {c.id: c.name for c in self.file.circumstances}

    @cached_property
    def instruments(self) -> Mapping[str, str]:
        """Names of instruments by id."""
        return {i.id: i.name for i in self.file.instruments}

    @cached_property
    def windows(self) -> Mapping[str, str]:
        """Names of time windows by id."""
        return {w.id: w.name for w in self.protocol.windows}

    @cached_property
    def recovery_outcomes(self) -> Mapping[str, RecoveryOutcome]:
        """What the recovery model calls recovery, by its id; empty where none is asked for."""
        asked = self.protocol.recovery
        return {} if asked is None else {o.id: o for o in asked.outcomes}

    def treatment(self, treatment: str) -> str:
        """Return a treatment in words; in a combination only the first keeps its capital."""
        first, *rest = (self.topic.regimens[r].name for r in regimens_of(treatment))
        return " plus ".join((first, *map(shown.uncapital, rest)))

    @cached_property
    def control_names(self) -> str:
        """The regimens that count as no active treatment, joined by *or*."""
        names = [self.topic.regimens[r].name for r in self.protocol.control_regimens]
        return shown.joined([shown.uncapital(n) for n in names], "or")

    @cached_property
    def study_names(self) -> Mapping[str, str]:
        """Short names of studies by id, each used once: where two agree, a letter follows."""
        return told_apart((s.id, study_name(s)) for s in self.topic.studies.values())

    @cached_property
    def source_names(self) -> Mapping[str, str]:
        """Short names of sources by key: the study's where there is one, else told apart."""
        sources = self.topic.sources
        mine = told_apart((k, name_of_source(s)) for k, s in sources.items() if not s.study)
        return {
            k: self.study_names.get(s.study, s.text) if s.study else mine[k]
            for k, s in sources.items()
        }

    @cached_property
    def sources(self) -> list[tuple[str, Source]]:
        """Keys and sources in the order of their names."""
        items = self.topic.sources.items()
        return sorted(items, key=lambda item: (self.source_names[item[0]].lower(), item[0]))

    def cited(self, keys: Iterable[str]) -> list[Cited]:
        """Return how facts name their sources, each study or publication once."""
        return list({c.path or c.name: c for c in map(self._cited, keys)}.values())

    def _cited(self, key: str) -> Cited:
        source = self.topic.sources.get(key)
        study = (source.study if source else key) or ""
        if study in self.study_names:
            return Cited(key, self.study_names[study], links.study(study))
        return Cited(key, self.source_names.get(key, key), links.source(key) if source else "")

    @cached_property
    def arm_names(self) -> Mapping[str, Mapping[str, str]]:
        """What the patients of each arm were given, by study and arm.

        Where several arms of a study had the same, the detail tells them apart.
        """
        return {s.id: dict(self._arms(s)) for s in self.topic.studies.values()}

    def _arms(self, study: Study) -> Iterator[tuple[str, str]]:
        alike = grouped(study.arms, lambda arm: arm.regimens)
        for arm in study.arms:
            name = self.treatment("+".join(arm.regimens))
            if len(alike[arm.regimens]) > 1:
                name = f"{name} ({arm.detail or f'group {study.arms.index(arm) + 1}'})"
            yield arm.id, name

    def said(self, study_id: str, text: str) -> str:
        """Return a sentence about a study with names in place of the ids it speaks of."""
        names = self.arm_names.get(study_id, {})
        ids = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
        for place in ARM_IN_SENTENCE if names else ():
            text = re.sub(place.format(ids), lambda found: shown.uncapital(names[found[1]]), text)
        text = COHORT.sub("", text)
        text = VERDICT.sub(lambda found: p_printed(found[1]), text)
        return STUDY_ID.sub(lambda found: self.study_names.get(found[0], found[0]), text)

    @cached_property
    def _words(self) -> Mapping[str, str]:
        """The proper writing of regimens and their synonyms, by id and by lower case."""
        written = {s.lower(): s for r in self.regimens for s in r.synonyms}
        return written | {r.id: shown.uncapital(r.name) for r in self.regimens}

    def beside(self, cointervention: str) -> str:
        """Return what an arm had beside its treatment in words, hyphens of ids dropped."""
        for known in sorted(self._words, key=len, reverse=True):
            if re.match(rf"{re.escape(known)}(?![a-z])", cointervention):
                rest = cointervention[len(known) :]
                return f"{self._words[known]}{_unhyphened(rest)}"
        return _unhyphened(cointervention)

    # Indexes -----------------------------------------------------------------------------

    @cached_property
    def regimens(self) -> tuple[Regimen, ...]:
        """All regimens in the order of the topic, then by name."""
        return tuple(sorted(self.topic.regimens.values(), key=lambda r: (r.order, r.name)))

    @cached_property
    def agents(self) -> Mapping[str, frozenset[str]]:
        """The regimens of each drug class, itself included."""
        return agents_of(self.topic)

    def family(self, regimen_id: str) -> frozenset[str]:
        """Return the regimen and, for a class, its agents."""
        return self.agents.get(regimen_id, frozenset({regimen_id}))

    @cached_property
    def strata(self) -> Mapping[str, str]:
        """The id of each study's stratum."""
        return {s.id: self.topic.stratum_of(s).id for s in self.topic.studies.values()}

    @cached_property
    def primary(self) -> str:
        """The id of the primary stratum."""
        return self.file.strata[0].id

    @cached_property
    def studies(self) -> tuple[Study, ...]:
        """All studies, the primary stratum first, then by name."""
        order = {stratum.id: i for i, stratum in enumerate(self.file.strata)}
        return tuple(
            sorted(
                self.topic.studies.values(),
                key=lambda s: (order[self.strata[s.id]], self.study_names[s.id].lower(), s.id),
            )
        )

    @cached_property
    def cohorts(self) -> Mapping[str, list[Study]]:
        """Studies that share, or may share, patients."""
        return grouped(self.studies, lambda s: s.cohort_or_id)

    @cached_property
    def findings(self) -> Mapping[str, list[Finding]]:
        """Audit findings by subject, gravest first."""
        by_rank = sorted(self.review.findings, key=lambda f: SEVERITIES.index(f.severity))
        return grouped(by_rank, lambda f: f.subject)

    @cached_property
    def estimates_by_row(self) -> Mapping[RowRef, list[Estimate]]:
        """Estimates under each row that they rest on."""
        pairs = [(row, e) for e in self.review.effects.estimates for row in e.rows]
        return {k: [e for _, e in v] for k, v in grouped(pairs, lambda pair: pair[0]).items()}

    @cached_property
    def estimates_by_study(self) -> Mapping[str, list[Estimate]]:
        """Estimates of each study."""
        return grouped(self.review.effects.estimates, lambda e: e.study)

    @cached_property
    def unusable_by_study(self) -> Mapping[str, list[Unusable]]:
        """Rows of each study that yield no estimate."""
        return grouped(self.review.effects.unusable, lambda u: u.row.study)

    @cached_property
    def unusable_by_row(self) -> Mapping[RowRef, Unusable]:
        """Rows that yield no estimate."""
        return {u.row: u for u in self.review.effects.unusable}

    @cached_property
    def by_regimen(self) -> Mapping[str, list[Synthesis]]:
        """Syntheses by each regimen their treatment or comparator contains."""
        pairs = [
            (regimen, s)
            for s in self.review.syntheses
            for regimen in dict.fromkeys(
                regimens_of(s.treatment) + (regimens_of(s.comparator) if s.comparator else ())
            )
        ]
        return {k: [s for _, s in v] for k, v in grouped(pairs, lambda pair: pair[0]).items()}

    @cached_property
    def contributions(self) -> Mapping[str, list[tuple[Synthesis, Contribution]]]:
        """What each study contributes to."""
        pairs = [(s, c) for s in self.review.syntheses for c in s.contributions]
        return grouped(pairs, lambda pair: pair[1].estimate.study)

    @cached_property
    def used(self) -> frozenset[Estimate]:
        """The estimates that contribute to a synthesis."""
        return frozenset(c.estimate for s in self.review.syntheses for c in s.contributions)

    @cached_property
    def omissions(self) -> Mapping[str, list[tuple[Synthesis, Omission]]]:
        """What each study was left out of."""
        pairs = [(s, o) for s in self.review.syntheses for o in s.omissions]
        return grouped(pairs, lambda pair: pair[1].estimate.study)


def study_name(study: Study) -> str:
    """Return ``Surname 2020``, with the letter of the id where there is one, or a short title."""
    letter = study.id[-1] if study.id[-2:-1].isdigit() and study.id[-1].isalpha() else ""
    return name_of(study.citation, letter)


def _unhyphened(text: str) -> str:
    return re.sub(r"(?<=[^\W\d])-|-(?=[^\W\d])", " ", text)
