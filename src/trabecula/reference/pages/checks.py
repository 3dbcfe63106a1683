"""What was checked and what could be used: audit overview and evidence use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from trabecula import format as shown
from trabecula.audit.finding import SEVERITIES, Finding
from trabecula.effects.estimate import TRUST, Unusable
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.pages.figures import figures_for
from trabecula.reference.render import Page
from trabecula.review.model import Omission

SEVERITY_NOTES = {
    "error": "The printed figures cannot all be true.",
    "suspicious": "The printed figures hold together only under an unusual reading.",
    "note": "Nothing is wrong by itself.",
}


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the audit overview and the page on the use of the evidence."""
    yield _audit(catalog)
    yield _evidence(catalog)


def _audit(catalog: Catalog) -> Page:
    findings = catalog.review.findings
    subjects = len({f.subject for f in findings})
    total = Counter(f.severity for f in findings)
    summary = (
        f"{shown.plural(total['error'], 'finding')} cannot be true as printed, "
        f"{total['suspicious']} hold only under an unusual reading, {total['note']} are worth "
        f"knowing, in {shown.plural(subjects, 'study or review', 'studies and reviews')}."
    )
    return Page(
        path=links.AUDIT,
        template="audit.html",
        title="Audit",
        summary=summary,
        section="studies",
        view={
            "summary": summary,
            "checks": list(_checks(findings)),
            "groups": [_group(catalog, s) for s in SEVERITIES if total[s]],
        },
        keywords=("errors", "GRIM", "data integrity", "plausibility"),
    )


def _checks(findings: tuple[Finding, ...]) -> Iterator[dict[str, Any]]:
    for name, members in sorted(grouped(findings, lambda f: f.check).items()):
        methods = dict.fromkeys(f"{f.method} ({f.source})" for f in members)
        yield {
            "name": name,
            "counts": {s: sum(f.severity == s for f in members) for s in SEVERITIES},
            "acknowledged": sum(f.acknowledged is not None for f in members),
            "method": next(iter(methods)),
        }


def _group(catalog: Catalog, severity: str) -> dict[str, Any]:
    members = [f for f in catalog.review.findings if f.severity == severity]
    by_subject = grouped(members, lambda f: f.subject)
    return {
        "id": f"severity-{severity}",
        "title": labels.SEVERITIES[severity],
        "note": SEVERITY_NOTES[severity],
        "total": len(members),
        "subjects": [_subject(catalog, subject, found) for subject, found in by_subject.items()],
    }


def _subject(catalog: Catalog, subject: str, findings: list[Finding]) -> dict[str, Any]:
    reviews = {r.id: r.name for r in catalog.topic.reviews.reviews}
    if subject in catalog.topic.studies:
        page, name = links.study(subject), catalog.study_names[subject]
    elif subject in reviews:
        page, name = links.published(subject), reviews[subject]
    else:
        page, name = links.DIAGNOSIS, shown.sentence(subject)
    return {
        "path": page,
        "name": name,
        "findings": [{"finding": f, "path": _place(page, f)} for f in findings],
    }


def _place(page: str, finding: Finding) -> str:
    """Return where a finding stands: on its own, or (published reviews) with its subject."""
    return page if page.startswith(links.PUBLISHED) else links.finding(page, finding.id)


def _evidence(catalog: Catalog) -> Page:
    effects = catalog.review.effects
    used = {row for e in effects.estimates for row in e.rows}
    rows = sum(
        len(s.results) + len(s.contrasts) + len(s.overall_tests)
        for s in catalog.topic.studies.values()
    )
    unusable = len({u.row for u in effects.unusable} - used)
    other = rows - len(used) - unusable
    summary = (
        f"Of {shown.plural(rows, 'printed row')}, {shown.count(len(used))} "
        f"({shown.percent(len(used), rows)}) support at least one estimate; "
        f"{shown.count(unusable)} yield none, with the reason below"
        + (f"; {shown.count(other)} serve as context alone." if other else ".")
    )
    return Page(
        path=links.EVIDENCE,
        template="evidence.html",
        title="Use of the evidence",
        summary=summary,
        section="studies",
        view={
            "summary": summary,
            "bases": _bases(catalog),
            "unplaced": [_unplaced(catalog, o) for o in catalog.review.unplaced],
            "reasons": _reasons(catalog),
            "figures": figures_for(catalog, links.EVIDENCE),
        },
        keywords=("unusable rows", "imputed", "missing data", "flow"),
    )


def _bases(catalog: Catalog) -> list[dict[str, Any]]:
    total = Counter(e.basis for e in catalog.review.effects.estimates)
    return [
        {
            "label": shown.sentence(labels.BASES[basis]),
            "count": total[basis],
            "share": shown.percent(total[basis], total.total()),
        }
        for basis in TRUST
    ]


def _reasons(catalog: Catalog) -> list[dict[str, Any]]:
    by_reason = grouped(catalog.review.effects.unusable, lambda u: u.reason)
    ordered = sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        {
            "reason": labels.REASONS.get(reason, reason.replace("-", " ")),
            "anchor": links.anchor("reason", reason),
            "studies": len({u.row.study for u in members}),
            "rows": [_unusable(catalog, u) for u in members],
        }
        for reason, members in ordered
    ]


def _unusable(catalog: Catalog, item: Unusable) -> dict[str, str]:
    return {
        "study": catalog.study_names[item.row.study],
        "path": links.row(item.row),
        "outcome": catalog.outcomes[item.outcome],
        "text": catalog.said(item.row.study, item.text),
    }


def _unplaced(catalog: Catalog, item: Omission) -> dict[str, str]:
    return {
        "study": catalog.study_names[item.estimate.study],
        "path": links.row(item.estimate.rows[0]),
        "outcome": catalog.outcomes[item.estimate.outcome],
        "text": catalog.said(item.estimate.study, item.text),
    }
