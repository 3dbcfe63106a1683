"""The page of a study: its record, what became of every row, and what the audit found.

Open on the page are the estimates that a synthesis uses; other measures of the same rows are
folded away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import exp, log1p
from typing import Any

from trabecula import format as shown
from trabecula.effects.estimate import Estimate, RowRef
from trabecula.format import uncapital
from trabecula.records import Contrast, OverallTest, Result, Study
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog
from trabecula.reference.citation import authors_of, reference_of, title_of, unknown_of
from trabecula.reference.printed import (
    Item,
    contrast_figures,
    figures_printed,
    p_printed,
    result_figures,
)
from trabecula.reference.render import Page
from trabecula.reference.results import question

BACK: Mapping[str, Callable[[float], float]] = {
    "RR": exp,
    "OR": exp,
    "PLO": lambda logit: exp(-log1p(exp(-logit))),
}
"""From the scale of a measure to a ratio or proportion a reader knows."""


@dataclass(frozen=True, slots=True)
class EstimateView:
    """An estimate under the first row it rests on."""

    measure: str
    value: str
    se: str
    basis: str
    about: str
    steps: tuple[str, ...]
    sources: tuple[str, ...]
    bases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where the estimates stand that rest on this row and on an earlier one."""

    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class RowView:
    """A printed row, and what became of it.

    ``used`` are the estimates that enter a synthesis, ``others`` further measures of the row.
    """

    anchor: str
    heading: str
    place: str
    figures: tuple[Item, ...]
    derived: bool
    note: str | None
    used: tuple[EstimateView, ...]
    others: tuple[EstimateView, ...]
    elsewhere: tuple[Elsewhere, ...]
    refused: str


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the page of every study."""
    for study in catalog.studies:
        name = catalog.study_names[study.id]
        yield Page(
            path=links.study(study.id),
            template="study.html",
            title=name,
            summary=study.citation.title,
            section="studies",
            kind="Study",
            view=_view(catalog, study, name),
            keywords=(study.citation.title, *study.citation.authors, study.id),
            data=_data(catalog, study),
        )


def _data(catalog: Catalog, study: Study) -> dict[str, Any]:
    return {
        "study": study,
        "stratum": catalog.strata[study.id],
        "estimates": catalog.estimates_by_study.get(study.id, []),
        "unusable": catalog.unusable_by_study.get(study.id, []),
        "findings": catalog.findings.get(study.id, []),
    }


def _view(catalog: Catalog, study: Study, name: str) -> dict[str, Any]:
    return {
        "study": study,
        "name": name,
        "authors": authors_of(study.citation),
        "title": title_of(study.citation),
        "reference": reference_of(study.citation),
        "unknown": shown.joined(list(unknown_of(study.citation))),
        "design": _design(catalog, study),
        "notes": study.notes and catalog.said(study.id, study.notes),
        "stratum": catalog.topic.stratum_of(study),
        "cointerventions": {
            a.id: [catalog.beside(c) for c in a.cointerventions] for a in study.arms
        },
        "conditions": [catalog.conditions[c] for c in study.population.conditions],
        "sites": [catalog.sites[s] for s in study.population.sites],
        "population": list(_population(study)),
        "mates": [
            {"id": s.id, "name": catalog.study_names[s.id]}
            for s in catalog.cohorts[study.cohort_or_id]
            if s.id != study.id
        ],
        "findings": catalog.findings.get(study.id, []),
        "several_arms": len(study.arms) > 1,
        "rows": [*_results(catalog, study), *_contrasts(catalog, study)],
        "tests": [
            {
                "anchor": f"overall_tests-{i}",
                "text": f"{_heading(catalog, row, _arms(catalog, study, row.arms))}: "
                f"{p_printed(row.p)}",
                "place": row.location,
            }
            for i, row in enumerate(study.overall_tests)
        ],
        "uses": [
            {
                "path": links.synthesis(s.id),
                "question": question(catalog, s),
                "kind": s.kind,
                "scope": s.scope,
                "weight": None if c.weight is None else shown.weight(c.weight),
            }
            for s, c in catalog.contributions.get(study.id, [])
        ],
        "left_out": [
            {
                "path": links.synthesis(s.id),
                "question": question(catalog, s),
                "scope": s.scope,
                "reason": catalog.said(study.id, o.text),
            }
            for s, o in catalog.omissions.get(study.id, [])
        ],
    }


def _population(study: Study) -> Iterator[Item]:
    population = study.population
    for label, value in (
        ("Patients", population.patients),
        ("Lesions", population.lesions),
        ("Women", population.women),
        ("Pregnant", population.pregnant),
    ):
        if value is not None:
            yield Item(label, shown.count(value))
    for label, summary in (
        ("Age (years)", population.age),
        ("Symptoms before (weeks)", population.symptom_weeks),
        ("Follow-up (weeks)", population.follow_up_weeks),
    ):
        if summary is not None:
            yield Item(label, figures_printed(summary))


def _design(catalog: Catalog, study: Study) -> str:
    """Return the design in a line; what all groups had stands beside their control."""
    parts = [labels.DESIGNS[study.design]]
    if study.crossover:
        parts.append("crossover")
    if study.blinding:
        parts.append(study.blinding)
    text = ", ".join(parts)
    if study.control is None:
        return text
    shared = [c for c in study.arms[0].cointerventions if _everywhere(study, c)]
    beside = shown.joined([catalog.beside(c) for c in shared])
    control = labels.CONTROLS[study.control]
    if not beside:
        return f"{text}; control: {control}"
    added = "no further treatment" if study.control == "no-treatment" else control
    return f"{text}; control: {added} (all groups had {beside})"


def _everywhere(study: Study, cointervention: str) -> bool:
    return all(cointervention in arm.cointerventions for arm in study.arms)


def _results(catalog: Catalog, study: Study) -> Iterator[RowView]:
    for index, row in enumerate(study.results):
        yield _row(
            catalog,
            RowRef(study.id, "results", index),
            heading=_heading(catalog, row, _arms(catalog, study, (row.arm,))),
            extra=f"; {_extractors(row.extractors)}",
            row=row,
            figures=tuple(result_figures(row)),
        )


def _contrasts(catalog: Catalog, study: Study) -> Iterator[RowView]:
    names = catalog.arm_names[study.id]
    for index, row in enumerate(study.contrasts):
        yield _row(
            catalog,
            RowRef(study.id, "contrasts", index),
            heading=_heading(catalog, row, _arms(catalog, study, row.arms, " against ")),
            extra="",
            row=row,
            figures=tuple(contrast_figures(row, names)),
        )


def _arms(catalog: Catalog, study: Study, arms: tuple[str, ...], join: str = ", ") -> str:
    """Return the treatments of arms; nothing where the study has one arm alone."""
    if len(study.arms) == 1:
        return ""
    return join.join(uncapital(catalog.arm_names[study.id][arm]) for arm in arms)


def _row(
    catalog: Catalog,
    ref: RowRef,
    heading: str,
    extra: str,
    row: Result | Contrast,
    figures: tuple[Item, ...],
) -> RowView:
    mine = catalog.estimates_by_row.get(ref, [])
    first = [e for e in mine if e.rows[0] == ref]
    return RowView(
        anchor=links.row_anchor(ref.section, ref.index),
        heading=heading,
        place=f"{row.location}{extra}",
        figures=figures,
        derived=any(item.derived for item in figures),
        note=row.note and catalog.said(ref.study, row.note),
        used=tuple(_estimate(catalog, e) for e in first if e in catalog.used),
        others=tuple(_estimate(catalog, e) for e in first if e not in catalog.used),
        elsewhere=tuple(dict.fromkeys(_elsewhere(e) for e in mine if e.rows[0] != ref)),
        refused=_refused(catalog, ref),
    )


def _elsewhere(estimate: Estimate) -> Elsewhere:
    first = estimate.rows[0]
    text = f"{labels.SECTIONS[first.section]} {first.index + 1}"
    return Elsewhere(text, links.row_anchor(first.section, first.index))


def _refused(catalog: Catalog, ref: RowRef) -> str:
    """Return why a row yields no estimate, empty where it does."""
    unusable = catalog.unusable_by_row.get(ref)
    if unusable is None:
        return ""
    kind = "Set aside" if unusable.reason == "set-aside" else "No estimate"
    return f"{kind}: {catalog.said(ref.study, unusable.text).rstrip('.')}."


def _heading(catalog: Catalog, row: Result | Contrast | OverallTest, arm: str) -> str:
    parts = [catalog.outcomes[row.outcome]]
    if isinstance(row, Result) and row.event_name:
        parts.append(row.event_name)
    if row.instrument:
        parts.append(row.instrument)
    if arm:
        parts.append(arm)
    if row.subgroup:
        parts.append(f"subgroup {row.subgroup}")
    if row.week is not None:
        clock = getattr(row, "clock", "treatment")
        before = row.week == 0 and clock == "treatment"
        parts.append("before treatment" if before else f"week {_week(row.week, clock)}")
    return ", ".join(parts)


CLOCKS: Mapping[str, str] = {
    "treatment": "",
    "onset": " from onset",
    "diagnosis": " from diagnosis",
    "not-stated": " (from when is not stated)",
}
"""What follows a week, by the clock it is counted on."""


def _week(week: Decimal | float, clock: str) -> str:
    return f"{shown.number(week)}{CLOCKS[clock]}"


def _extractors(count: int) -> str:
    return "read alike by two people" if count == 2 else "read by one person, or settled in doubt"


def _estimate(catalog: Catalog, estimate: Estimate) -> EstimateView:
    return EstimateView(
        measure=labels.MEASURES[estimate.measure],
        value=_value(estimate),
        se=shown.number(estimate.se, shown.decimals_for(estimate.se) + 1),
        basis=estimate.basis,
        about=", ".join(_about(catalog, estimate)),
        steps=tuple(catalog.said(estimate.study, step.text) for step in estimate.steps),
        sources=tuple(step.source or "" for step in estimate.steps),
        bases=tuple(step.basis for step in estimate.steps),
    )


def _value(estimate: Estimate) -> str:
    text = shown.alone(estimate.value, estimate.se)
    back = BACK.get(estimate.measure)
    if back is None:
        return text
    natural = back(estimate.value)
    return f"{text}, that is {shown.number(natural, 2)}"


def _about(catalog: Catalog, estimate: Estimate) -> Iterator[str]:
    outcome = catalog.outcomes[estimate.outcome]
    instrument = catalog.instruments.get(estimate.instrument or "", estimate.instrument or "")
    if not instrument.lower().startswith(outcome.lower()):
        yield outcome
    if estimate.event_name:
        yield estimate.event_name
    if instrument:
        yield instrument
    if len(catalog.topic.studies[estimate.study].arms) > 1:
        yield uncapital(_groups(catalog, estimate))
    if estimate.subgroup:
        yield f"subgroup {estimate.subgroup}"
    if estimate.week is not None:
        yield f"week {_week(estimate.week, estimate.clock)}"
    if estimate.events is not None and estimate.n is not None:
        yield f"{estimate.events} of {estimate.n} {estimate.unit}"
    elif estimate.n is not None:
        yield f"n = {estimate.n} {estimate.unit}"
    if estimate.effective_n is not None and estimate.n and estimate.effective_n != estimate.n:
        yield f"effective n = {shown.number(estimate.effective_n, 1)}"
    if estimate.baseline is not None:
        yield f"mean before {shown.number(estimate.baseline, 2)}"


def _groups(catalog: Catalog, estimate: Estimate) -> str:
    names = catalog.arm_names[estimate.study]
    if estimate.comparator_arm is None:
        return names[estimate.arm]
    return f"{names[estimate.arm]} against {uncapital(names[estimate.comparator_arm])}"
