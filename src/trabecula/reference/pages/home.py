"""The home page: the answer first, and nothing beyond what comparisons show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trabecula import format as shown
from trabecula.reference import links
from trabecula.reference.catalog import Catalog
from trabecula.reference.highlights import (
    Designs,
    base_rows,
    certainty,
    count_of_treatments,
    designs_of,
    known_comparisons,
    messages,
    printed_comparisons,
    unknowns,
)
from trabecula.reference.pages.figures import figures_for
from trabecula.reference.render import Page


@dataclass(frozen=True, slots=True)
class Tile:
    """A number and its label."""

    label: str
    value: str
    path: str


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bar of studies; places in percent of its length."""

    name: str
    label: str
    count: int
    share: str
    start: float
    width: float


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the home page."""
    yield Page(
        path=links.HOME,
        template="home.html",
        title=catalog.file.name,
        summary=f"{catalog.file.name}: what is known of its treatment, what is not, and how sure",
        section="home",
        view=_view(catalog),
        keywords=tuple(name.term for name in catalog.file.names),
    )


def _view(catalog: Catalog) -> dict[str, Any]:
    designs = designs_of(catalog)
    rows = base_rows(catalog)
    known, printed = known_comparisons(catalog), printed_comparisons(catalog)
    return {
        "messages": list(messages(catalog, rows, known, printed)),
        "tiles": list(_tiles(catalog, designs)),
        "bar": list(_bar(designs)),
        "rest": _rest(designs),
        "primary": catalog.file.strata[0],
        "known": known,
        "printed": printed,
        "rows": rows,
        "count": count_of_treatments(rows),
        "certainty": certainty(catalog),
        "unknown": list(unknowns(catalog, rows, known, printed)),
        "figures": figures_for(catalog, links.HOME),
    }


def _tiles(catalog: Catalog, designs: Designs) -> Iterator[Tile]:
    yield Tile("studies recorded", shown.count(len(catalog.studies)), links.STUDIES)
    yield Tile("of this disease", shown.count(designs.total), links.STUDIES)
    yield Tile("patients in these", shown.count(designs.patients), links.STUDIES)
    yield Tile("randomised among these", shown.count(designs.randomised), links.STUDIES)
    errors = sum(f.severity == "error" for f in catalog.review.findings)
    yield Tile("places where printed figures cannot all be true", shown.count(errors), links.AUDIT)


def _bar(designs: Designs) -> Iterator[Part]:
    start = 0.0
    for name, label, count in (
        ("randomised", "Randomised", designs.randomised),
        ("compared", "Compared, not randomised", designs.compared),
        ("uncontrolled", "No control group", designs.uncontrolled),
    ):
        width = round(100 * count / designs.total, 3) if designs.total else 0.0
        share = shown.percent(count, designs.total)
        yield Part(name, label, count, share, round(start, 3), width)
        start += width


def _rest(designs: Designs) -> str:
    if not designs.total:
        return "No study of this disease is recorded."
    share = shown.percent(designs.uncontrolled, designs.total)
    return (
        f"{share} of the studies of this disease are uncontrolled: whatever they report "
        "mixes the treatment with time."
    )
