"""Pages that show what the topic tells in words: disease, diagnosis, risk factors, course."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trabecula import format as shown
from trabecula.audit.checks import diagnosis as diagnosis_check
from trabecula.records.diagnosis import Accuracy, Diagnosis, Measured, RiskFactor, RiskFigure
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog
from trabecula.reference.pages.figures import figures_for
from trabecula.reference.printed import p_printed, printed
from trabecula.reference.render import Page
from trabecula.reference.results import lines


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the pages of the disease, its diagnosis, risk factors and natural course."""
    yield _disease(catalog)
    yield _diagnosis(catalog)
    yield _risk_factors(catalog)
    yield _course(catalog)


def _disease(catalog: Catalog) -> Page:
    file = catalog.file
    return Page(
        path=links.DISEASE,
        template="disease.html",
        title="The disease",
        summary=f"{file.name}: definition, names, history, causes, controversies",
        section="disease",
        view={
            "disease": file.disease,
            "names": file.names,
            "spellings": sum(len(n.spellings) + len(n.abbreviations) for n in file.names),
            "codes": file.codes,
            "history": sorted(file.disease.history, key=lambda entry: entry.year),
        },
        keywords=tuple(
            word
            for name in file.names
            for word in (name.term, *name.abbreviations, *name.spellings)
        ),
    )


def _diagnosis(catalog: Catalog) -> Page:
    diagnosis = catalog.topic.diagnosis
    return Page(
        path=links.DIAGNOSIS,
        template="diagnosis.html",
        title="Diagnosis and differential",
        summary="Red flags, what else it may be, the definition in use, imaging, test accuracy",
        section="diagnosis",
        view={
            "diagnosis": diagnosis,
            "alternatives": {a.id: a for a in diagnosis.differential},
            "accuracy": [
                (caption, [_accuracy(row) for row in rows])
                for caption, rows in _tables(diagnosis)
                if rows
            ],
            "findings": catalog.findings.get(diagnosis_check.SUBJECT, []),
        },
        keywords=("red flags", "criteria", "imaging"),
    )


def _tables(diagnosis: Diagnosis) -> Iterator[tuple[str, list[Accuracy]]]:
    rows = [row for a in diagnosis.differential for row in a.accuracy]
    yield "Accuracy in patients like these", [r for r in rows if r.about_the_topic]
    yield (
        "Accuracy elsewhere: other sites, other patients or another question",
        [r for r in rows if not r.about_the_topic],
    )


def _accuracy(row: Accuracy) -> dict[str, Any]:
    measured = {name: _measured(row, name, m) for name, m in row.measures()}
    size = [shown.plural(row.n, "examined", "examined")] if row.n is not None else []
    if row.studies:
        size.append(shown.plural(row.studies, "study", "studies"))
    return {
        "row": row,
        "size": ", ".join(size),
        "cells": [(labels.ACCURACY[name], measured.get(name)) for name in ACCURACY_COLUMNS],
        "others": [(labels.ACCURACY[n], m) for n, m in measured.items() if n in OTHER_MEASURES],
    }


ACCURACY_COLUMNS = ("sensitivity", "specificity", "lr_positive", "lr_negative")
"""Measures with a column of their own."""

OTHER_MEASURES = ("auc", "dor")
"""Measures that stand together in the last column."""


def _measured(row: Accuracy, name: str, measured: Measured) -> dict[str, str]:
    """Return a figure with its interval and counts: shares in percent, areas from 0 to 1."""
    shift, unit = 0, ""
    if name in ("sensitivity", "specificity"):
        shift, unit = (0 if row.in_percent(name) else 2), f"{shown.NARROW}%"
    elif row.in_percent(name):
        shift = -2
    value, *limits = (shown.number(x.scaleb(shift)) for x in (measured.value, *(measured.ci or ())))
    interval = f"95 % CI {limits[0]} to {limits[1]}" if limits else ""
    whole = measured.events is not None and measured.n is not None
    return {
        "value": f"{value}{unit}{'†' if measured.derived else ''}",
        "interval": f"{interval}{'†' if measured.ci_derived and interval else ''}",
        "counts": f"{measured.events} of {measured.n}" if whole else "",
    }


def _factor(factor: RiskFactor) -> dict[str, Any]:
    return {
        "factor": factor,
        "facts": [{"fact": f, "figures": "; ".join(_figures(f))} for f in factor.facts],
    }


def _figures(fact: RiskFigure) -> Iterator[str]:
    share = "" if fact.percent is None else f"{shown.number(fact.percent)}{shown.NARROW}%"
    if fact.events is not None and fact.n is not None:
        yield f"{fact.events} of {fact.n}{f' ({share})' if share else ''}"
    elif share:
        yield share
    elif fact.n is not None:
        yield shown.plural(fact.n, "patient")
    if fact.mean is not None:
        spread = f" (SD {shown.number(fact.sd)})" if fact.sd is not None else ""
        yield f"mean {shown.number(fact.mean)}{spread} {fact.unit or ''}".rstrip()
    if fact.odds_ratio is not None:
        interval = f" (95 % CI {printed(fact.ci)})" if fact.ci else ""
        yield f"odds ratio {shown.number(fact.odds_ratio)}{interval}"
    if fact.p:
        yield p_printed(fact.p)
    if fact.comparator:
        yield f"against {fact.comparator}"


def _risk_factors(catalog: Catalog) -> Page:
    factors = catalog.topic.diagnosis.risk_factors
    grades: list[dict[str, Any]] = [
        {
            "id": grade,
            "title": title,
            "note": note,
            "factors": [_factor(f) for f in factors if f.grade == grade],
        }
        for grade, (title, note) in labels.RISK_GRADES.items()
    ]
    return Page(
        path=links.RISK_FACTORS,
        template="risk.html",
        title="Risk factors",
        summary="What may bring the disease about, by how well it is supported",
        section="disease",
        view={
            "grades": [g for g in grades if g["factors"]],
            "cohorts": catalog.topic.diagnosis.cohorts,
            "cohort_names": {c.id: c.name for c in catalog.topic.diagnosis.cohorts},
        },
        keywords=tuple(f.name for f in factors),
    )


def _course(catalog: Catalog) -> Page:
    controls = set(catalog.protocol.control_regimens)
    groups = [
        {
            "regimen": regimen,
            "base": catalog.review.base(regimen.id, "all"),
            "lines": lines(
                catalog,
                [
                    s
                    for s in catalog.by_regimen.get(regimen.id, [])
                    if s.kind != "comparison" and s.treatment == regimen.id
                ],
            ),
        }
        for regimen in catalog.regimens
        if regimen.role != "active" or regimen.id in controls
    ]
    return Page(
        path=links.COURSE,
        template="course.html",
        title="Natural course",
        summary="What happens without a treatment that is meant to shorten the disease",
        section="course",
        view={
            "groups": groups,
            "facts_of_course": (*catalog.file.disease.course, *catalog.topic.diagnosis.time_course),
            "figures": figures_for(catalog, links.COURSE),
        },
        keywords=("natural history", "prognosis", "time course"),
    )
