"""Pages about the reference itself: methods, glossary, sources, about, search, A-Z."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from trabecula import format as shown
from trabecula.format import uncapital
from trabecula.reference import glossary, labels, links
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.pages.figures import figures_for
from trabecula.reference.render import Page
from trabecula.reference.search import Entry

MINOR_WORDS = ("the ", "a ", "an ")
"""Words at the start of a title that the A-Z passes over."""


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield methods, glossary, sources, about and search."""
    yield _methods(catalog)
    yield _glossary(catalog)
    yield _simple(links.SOURCES, "sources.html", "Sources", "What the facts rest on")
    yield Page(
        path=links.ABOUT,
        template="about.html",
        title="About",
        summary="Version, citation, licence, accessibility",
        section="about",
        view={"reading": list(_reading(catalog))},
    )
    yield Page(
        path=links.SEARCH,
        template="search.html",
        title="Search",
        summary="Search the whole reference",
        section="search",
        view={},
        scripts=(links.SEARCH_DATA, links.SEARCH_SCRIPT),
        listed=False,
    )


def index(entries: list[Entry]) -> Page:
    """Return the A-Z of everything that can be searched."""
    ordered = sorted(entries, key=lambda e: (_sort_key(e.title), e.path))
    groups = grouped(ordered, lambda e: _letter(e.title))
    return Page(
        path=links.INDEX,
        template="index.html",
        title="A–Z",
        summary="Index of everything in this reference",
        section="search",
        view={
            "groups": [
                {"letter": letter, "anchor": links.anchor("letter", letter), "entries": members}
                for letter, members in groups.items()
            ]
        },
        listed=False,
    )


def _sort_key(title: str) -> str:
    text = title.lower()
    for word in MINOR_WORDS:
        text = text.removeprefix(word)
    return text


def _letter(title: str) -> str:
    first = _sort_key(title)[:1].upper()
    return first if "A" <= first <= "Z" else "0–9"


def _simple(path: str, template: str, title: str, summary: str) -> Page:
    return Page(path, template, title, summary, section="about", view={})


def _reading(catalog: Catalog) -> Iterator[str]:
    """Yield how the records were read, counted from them."""
    studies = catalog.topic.studies.values()
    total = len(studies)
    by_part: Counter[str] = Counter(s.read_in for s in studies)
    for part, label in labels.READ_IN.items():
        if by_part[part]:
            alone = " alone" if part == "abstract" else ""
            yield (
                f"Of {shown.plural(total, 'study', 'studies')}, {by_part[part]} "
                f"({shown.percent(by_part[part], total)}) were read in {label}{alone}."
            )
    rows = [row for s in studies for row in s.results]
    alike = sum(row.extractors > 1 for row in rows)
    if rows:
        yield (
            f"Of {shown.plural(len(rows), 'result row')}, {shown.count(alike)} "
            f"({shown.percent(alike, len(rows))}) were read alike by two people; the others by "
            "one, or settled in doubt."
        )


def _methods(catalog: Catalog) -> Page:
    protocol = catalog.protocol
    questions = [
        {
            "title": q.title,
            "outcome": catalog.outcomes[q.outcome],
            "priority": labels.PRIORITIES[catalog.topic.outcome(q.outcome).priority],
            "windows": ", ".join(catalog.windows[w] for w in q.windows) or "last follow-up",
        }
        for q in protocol.questions
    ]
    assumed = protocol.assumptions
    return Page(
        path=links.METHODS,
        template="methods.html",
        title="Methods",
        summary="From a paper to a number on a page",
        section="about",
        view={
            "protocol": protocol,
            "reading": list(_reading(catalog)),
            "questions": questions,
            "assumptions": [
                ("Correlation of a score before and after", assumed.baseline_correlation),
                ("Correlation of lesions of one patient", assumed.lesion_correlation),
                ("Scale of the differences between studies", assumed.heterogeneity_scale),
            ],
            "formulas": glossary.FORMULAS,
            "figures": figures_for(catalog, links.METHODS),
        },
        keywords=("protocol", "statistics", "formulas"),
    )


def _glossary(catalog: Catalog) -> Page:
    strata = grouped(catalog.file.conditions, lambda c: c.stratum)
    return Page(
        path=links.GLOSSARY,
        template="glossary.html",
        title="Glossary",
        summary="Terms, outcomes, diseases and instruments",
        section="about",
        view={
            "terms": glossary.TERMS,
            "conditions": {
                s.id: [uncapital(c.name) for c in strata.get(s.id, [])] for s in catalog.file.strata
            },
        },
        keywords=tuple(shown.sentence(t.name) for t in glossary.TERMS),
    )
