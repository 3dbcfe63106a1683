"""The page of a regimen: when it does not apply, what it rests on, then how it is given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trabecula import format as shown
from trabecula.records import Regimen, Study
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog
from trabecula.reference.pages.networks import network_lines
from trabecula.reference.pages.recovery import regimen_section
from trabecula.reference.render import Page
from trabecula.reference.results import comparisons_first, lines
from trabecula.reference.standing import standing
from trabecula.reference.unquantified import unquantified
from trabecula.review.model import Synthesis
from trabecula.review.recovery_model import RegimenRecovery

STOPPING = frozenset({"contraindicated", "correct-first"})
"""Levels of caution that stand before everything else on a regimen's page."""


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study in a table."""

    id: str
    name: str
    design: str
    patients: str
    conditions: str
    stratum: str


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the page of every regimen."""
    for regimen in catalog.regimens:
        yield _regimen(catalog, regimen)


def study_row(catalog: Catalog, study: Study) -> StudyRow:
    """Return a study as tables show it."""
    patients = study.population.patients
    return StudyRow(
        id=study.id,
        name=catalog.study_names[study.id],
        design=labels.DESIGNS[study.design],
        patients="not stated" if patients is None else shown.count(patients),
        conditions=", ".join(catalog.conditions[c] for c in study.population.conditions),
        stratum=catalog.topic.stratum_of(study).name,
    )


def _regimen(catalog: Catalog, regimen: Regimen) -> Page:
    view = _regimen_view(catalog, regimen)
    return Page(
        path=links.regimen(regimen.id),
        template="regimen.html",
        title=regimen.name,
        summary=regimen.plain,
        section="treatments",
        kind="Treatment",
        view=view,
        keywords=(
            *regimen.synonyms,
            *regimen.brands,
            *([regimen.abbreviation] if regimen.abbreviation else ()),
        ),
        data={
            "regimen": regimen,
            "evidence": [view["primary"], view["everything"]],
            "syntheses": _syntheses(catalog, regimen),
            "recovery": _recovery(catalog, regimen),
        },
    )


def _regimen_view(catalog: Catalog, regimen: Regimen) -> dict[str, Any]:
    primary = catalog.review.base(regimen.id)
    mine = _syntheses(catalog, regimen)
    family = catalog.family(regimen.id)
    compared = [s for s in mine if s.kind == "comparison"]
    return {
        "regimen": regimen,
        "parent": catalog.topic.regimens[regimen.parent] if regimen.parent else None,
        "agents": [catalog.topic.regimens[agent] for agent in sorted(family - {regimen.id})],
        "grade": standing(catalog, regimen),
        "tested": regimen.role == "active",
        "primary": primary,
        "everything": catalog.review.base(regimen.id, "all"),
        "stops": [c for c in regimen.cautions if c.level in STOPPING],
        "others": [c for c in regimen.cautions if c.level not in STOPPING],
        "comparisons": comparisons_first(lines(catalog, compared, family)),
        "printed": unquantified(catalog, tuple(family)),
        "networks": network_lines(catalog, family),
        "recovery": regimen_section(catalog, regimen.id) if regimen.role == "active" else None,
        "single": lines(catalog, [s for s in mine if s.kind != "comparison"]),
        "figures": [
            catalog.figures[s.id]
            for s in compared
            if s.id in catalog.figures and s.pooled and len(s.contributions) > 1
        ],
        "studies": [study_row(catalog, s) for s in _studies(catalog, regimen)],
    }


def _syntheses(catalog: Catalog, regimen: Regimen) -> list[Synthesis]:
    """Return the answers on the regimen and, of a class, on its agents; each once."""
    members = [regimen.id, *sorted(catalog.family(regimen.id) - {regimen.id})]
    found = [s for member in members for s in catalog.by_regimen.get(member, [])]
    return list({s.id: s for s in found}.values())


def _recovery(catalog: Catalog, regimen: Regimen) -> list[RegimenRecovery]:
    """Return what the recovery model answers on the regimen, by outcome."""
    found = catalog.review.recovery
    return [] if found is None else [a for a in found.regimens if a.regimen == regimen.id]


def _studies(catalog: Catalog, regimen: Regimen) -> list[Study]:
    ids = set(catalog.review.base(regimen.id, "all").studies)
    return [study for study in catalog.studies if study.id in ids]
