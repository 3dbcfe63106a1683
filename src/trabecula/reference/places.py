"""What an audit finding rests on, in words that lead to the place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trabecula.audit.finding import Finding
from trabecula.format import sentence
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog

ROW = re.compile(r"^(?P<section>[a-z_]+)\[(?P<index>\d+)\](?:\.(?P<field>[a-z_]+))?$")
ON_PAGE = frozenset({"results", "contrasts", "overall_tests"})
"""The sections of a study record whose rows have a place on the study's page."""


@dataclass(frozen=True, slots=True)
class Place:
    """Words and where they lead; ``path`` is empty where there is nothing to lead to."""

    text: str
    path: str = ""


def places(catalog: Catalog, finding: Finding) -> list[Place]:
    """Return each place that a finding rests on, once."""
    return list(dict.fromkeys(_place(catalog, finding, where) for where in finding.where))


def message(catalog: Catalog, finding: Finding) -> str:
    """Return what a finding says, with names in place of the ids of groups and studies."""
    return catalog.said(finding.subject, finding.message)


def _place(catalog: Catalog, finding: Finding, where: str) -> Place:
    row = ROW.match(where)
    if row:
        return _row(catalog, finding.subject, row)
    head, _, rest = where.partition(".")
    if head.startswith("studies/"):
        study = head.removeprefix("studies/")
        return Place(catalog.study_names.get(study, study), links.study(study))
    if head == "reviews":
        return _of_review(catalog, rest)
    if head in ("accuracy", "risk_factors", "cohorts", "base_rates"):
        return _of_diagnosis(catalog, head, rest.split("."))
    return Place(labels.FIELDS.get(rest, _words(where)))


def _row(catalog: Catalog, study: str, row: re.Match[str]) -> Place:
    section, index, field = row["section"], int(row["index"]), row["field"]
    text = f"{labels.SECTIONS.get(section, _words(section))} {index + 1}"
    if field:
        text += f", {labels.FIELDS.get(field, _words(field))}"
    known = section in ON_PAGE and study in catalog.topic.studies
    return Place(text, f"{links.study(study)}#{links.row_anchor(section, index)}" if known else "")


def _of_review(catalog: Catalog, rest: str) -> Place:
    review_id, _, part = rest.partition(".")
    for review in catalog.topic.reviews.reviews:
        if review.id == review_id:
            outcomes = {result.id: result.outcome for result in review.results}
            first = part.split(".")[0]
            what = outcomes.get(first, labels.FIELDS.get(first, ""))
            name = f"{review.name}{f', {what.lower()}' if what else ''}"
            return Place(name, links.published(review.id))
    return Place(_words(rest))


def _of_diagnosis(catalog: Catalog, head: str, keys: list[str]) -> Place:
    diagnosis = catalog.topic.diagnosis
    names = {
        "accuracy": {r.id: r.test for a in diagnosis.differential for r in a.accuracy},
        "risk_factors": {r.id: r.name for r in diagnosis.risk_factors},
        "cohorts": {c.id: c.name for c in diagnosis.cohorts},
        "base_rates": {b.id: b.population for b in diagnosis.base_rates},
    }[head]
    name = names.get(keys[0], _words(keys[0]))
    of = labels.ACCURACY.get(keys[1], "") if head == "accuracy" and len(keys) > 1 else ""
    page = links.DIAGNOSIS if head in ("accuracy", "base_rates") else links.RISK_FACTORS
    anchor = {"accuracy": "accuracy", "base_rates": "rates"}.get(head)
    place = f"{page}#{anchor}" if anchor else page
    return Place(f"{sentence(name)}{f', {of}' if of else ''}", place)


def _words(key: str) -> str:
    return re.sub(r"[_.\[\]/-]+", " ", key).strip()
