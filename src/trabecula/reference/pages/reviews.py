"""The page of published reviews: what they printed beside what this reference finds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trabecula import format as shown
from trabecula.records.published_reviews import PooledResult, PublishedReview
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog
from trabecula.reference.printed import p_printed, printed
from trabecula.reference.render import Page
from trabecula.reference.results import ResultLine, lines
from trabecula.review.treatments import treatment_of


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the page of published reviews."""
    reviews = catalog.topic.reviews
    yield Page(
        path=links.PUBLISHED,
        template="published.html",
        title="Published reviews and guidelines",
        summary="What others pooled and concluded, beside this reference, and audited",
        section="studies",
        view={"reviews": reviews, "items": [_item(catalog, r) for r in reviews.reviews]},
        keywords=tuple(r.name for r in reviews.reviews),
    )


def _item(catalog: Catalog, review: PublishedReview) -> dict[str, Any]:
    stratum = next(s.name for s in catalog.file.strata if s.id == review.stratum)
    return {
        "record": review,
        "kind": labels.REVIEW_KINDS[review.kind],
        "stratum": stratum,
        "results": [_result(catalog, r) for r in review.results if _tells_something(r)],
        "findings": _findings(catalog, review),
    }


def _findings(catalog: Catalog, review: PublishedReview) -> Sequence[object]:
    """Return the findings on a review, under its id or that of one of its results."""
    subjects = (review.id, *(result.id for result in review.results))
    return [finding for s in subjects for finding in catalog.findings.get(s, [])]


def _result(catalog: Catalog, result: PooledResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "outcome": shown.sentence(result.outcome),
        "treatment": _treatment(catalog, result),
        "printed": "; ".join(_printed(result)) or "no figure",
        "note": result.note,
        "ours": _counterparts(catalog, result),
    }


def _tells_something(result: PooledResult) -> bool:
    """Return whether a result prints more than how many studies there were."""
    return result.note is not None or any(_figures(result))


def _treatment(catalog: Catalog, result: PooledResult) -> str:
    names = ", ".join(catalog.topic.regimens[r].name for r in result.regimens) or "not stated"
    return f"{names} against {result.comparator}" if result.comparator else names


def _printed(result: PooledResult) -> Iterator[str]:
    yield from _figures(result)
    if result.studies is not None:
        yield shown.plural(result.studies, "study", "studies")


def _figures(result: PooledResult) -> Iterator[str]:
    if result.estimate is not None:
        measure = result.measure_printed or labels.REVIEW_MEASURES[result.measure]
        unit = f" {result.unit}" if result.unit else ""
        yield f"{measure} {shown.number(result.estimate)}{unit}".strip()
    if result.ci is not None:
        yield f"95 % CI {printed(result.ci)}"
    if result.p is not None:
        yield p_printed(result.p)
    if result.before is not None and result.after is not None:
        yield f"{shown.number(result.before)} before, {shown.number(result.after)} after"
    if result.events is not None and result.n is not None:
        yield f"{result.events} of {result.n}"
    if result.percent is not None:
        yield f"{shown.number(result.percent)} %"
    for item in result.breakdowns:
        parts = ", ".join(f"{part.name} {part.count}" for part in item.parts)
        yield f"of {item.whole} {item.of}: {parts}"


COUNTERPARTS: Mapping[str, frozenset[str]] = {
    "md": frozenset({"MD"}),
    "smd": frozenset({"SMD"}),
    "or": frozenset({"OR"}),
    "rr": frozenset({"RR"}),
    "before-after": frozenset({"MC"}),
    "proportion": frozenset({"PR", "PLO", "PAS", "PFT"}),
    "count": frozenset({"PR", "PLO", "PAS", "PFT"}),
}
"""The measures of this reference that say the same as a review's."""

IN_POINTS = frozenset({"MD", "MC"})
"""Measures that mean something on one instrument alone."""


def _counterparts(catalog: Catalog, result: PooledResult) -> list[ResultLine]:
    """Return this reference's results on the same treatment, outcome, measure and instrument."""
    measures = COUNTERPARTS.get(result.measure, frozenset())
    if result.topic_outcome is None or not result.regimens:
        return []
    instruments = _instruments(catalog, result)
    alone = {treatment_of([r]) for r in result.regimens}
    found = [
        s
        for r in result.regimens
        for s in catalog.by_regimen.get(r, [])
        if s.outcome == result.topic_outcome
        and s.treatment in alone
        and s.measure in measures
        and (s.kind == "comparison") == (result.comparator is not None)
        and (s.measure not in IN_POINTS or s.instrument in instruments)
    ]
    return lines(catalog, found)


def _instruments(catalog: Catalog, result: PooledResult) -> set[str]:
    """Return the scales, and those they are pooled on, that a result's outcome or unit names."""
    text = f" {result.outcome} {result.unit or ''} ".lower()
    by_id = {i.id: i for i in catalog.file.instruments}
    named = {
        i.id
        for i in by_id.values()
        if any(
            re.search(rf"(?<!\w){re.escape(w.lower())}(?!\w)", text) for w in (i.name, *i.spellings)
        )
    }
    found = named | {c for i in named for c in by_id[i].candidates}
    top = re.search(r"of (\d+)\b", result.unit or "")
    fits = {i for i in found if top is None or by_id[i].highest in (None, int(top[1]))}
    return fits | {common.to for i in fits if (common := by_id[i].common) is not None}
