"""Builds the reference: pages, data and downloads, in a folder that appears whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trabecula.reference import export, links, search
from trabecula.reference.catalog import Catalog
from trabecula.reference.output import replaced
from trabecula.reference.pages import (
    about,
    checks,
    compare,
    home,
    networks,
    prose,
    recovery,
    reviews,
    studies,
    study,
    synthesis,
    treatments,
)
from trabecula.reference.render import Page, Renderer
from trabecula.review.model import Review

if TYPE_CHECKING:
    from trabecula.reference.figures.model import Figure

Progress = Callable[[str, int, int], None]
"""Called with what is being written, how many are done, and how many there are."""

KINDS = (
    home, prose, recovery, compare, networks, treatments, studies, study, synthesis, checks,
    reviews, about,
)  # fmt: skip
"""The modules that make pages, in the order of the site."""

ASSETS = (links.STYLE, links.TABLE_SCRIPT, links.SEARCH_SCRIPT)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build wrote: HTML pages, all files, and their bytes."""

    pages: int
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the navigation."""

    label: str
    path: str
    section: str


NAVIGATION = (
    Entry("Diagnosis", links.DIAGNOSIS, "diagnosis"),
    Entry("Treatments", links.COMPARE, "treatments"),
    Entry("Course", links.COURSE, "course"),
    Entry("Disease", links.DISEASE, "disease"),
    Entry("Studies", links.STUDIES, "studies"),
    Entry("About", links.ABOUT, "about"),
    Entry("Search", links.SEARCH, "search"),
)

MAP = (
    Entry("Home", links.HOME, "home"),
    *NAVIGATION[:4],
    Entry("Risk factors", links.RISK_FACTORS, "disease"),
    Entry("All results", links.SYNTHESES, "treatments"),
    Entry("All studies", links.STUDIES, "studies"),
    Entry("Published reviews", links.PUBLISHED, "studies"),
    Entry("Audit", links.AUDIT, "studies"),
    Entry("Use of the evidence", links.EVIDENCE, "studies"),
    Entry("Methods", links.METHODS, "about"),
    Entry("Glossary", links.GLOSSARY, "about"),
    Entry("Sources", links.SOURCES, "about"),
    Entry("A–Z", links.INDEX, "search"),
    Entry("About", links.ABOUT, "about"),
)


RECOVERY = Entry("Recovery", links.RECOVERY, "recovery")
"""Stands in the navigation where the protocol asks for the recovery model."""

RECOVERY_MAP = (
    RECOVERY,
    Entry("Faster than waiting", links.FASTER, "recovery"),
    Entry("Recovery model", links.RECOVERY_MODEL, "recovery"),
)


def build_site(
    review: Review,
    figures: Mapping[str, Figure],
    out: Path,
    *,
    progress: Progress | None = None,
) -> BuildReport:
    """Write the reference to the folder `out` and return what was written.

    The site is complete before `out` changes; a former build is then replaced by it. The same
    review and figures give the same bytes.

    Raises
    ------
    BuildRefused
        `out` is neither free, nor empty, nor a former build.
    """
    catalog = Catalog(review, figures)
    pages = list(chain.from_iterable(module.pages(catalog) for module in KINDS))
    found = search.entries(catalog, pages)
    pages.append(about.index(found))
    renderer = Renderer(shared(catalog))
    written = total = 0
    with replaced(out) as folder:
        for path, text in chain(
            _page_files(renderer, pages, progress),
            _figure_files(catalog),
            _data_files(catalog),
            _asset_files(catalog, found),
        ):
            written += 1
            total += _write(folder / path, text)
    return BuildReport(len(pages), written, total)


def shared(catalog: Catalog) -> dict[str, Any]:
    """Return what every template may use beside its own view."""
    asked = () if catalog.review.recovery is None else RECOVERY_MAP
    return {
        "catalog": catalog,
        "site": {
            "name": catalog.file.name,
            "abbreviation": catalog.file.abbreviation,
            "searched": catalog.file.searched.until,
            "version": catalog.version,
            "navigation": (*NAVIGATION[:2], *asked[:1], *NAVIGATION[2:]),
            "map": (*MAP[:3], *asked, *MAP[3:]),
        },
    }


def _page_files(
    renderer: Renderer, pages: list[Page], progress: Progress | None
) -> Iterator[tuple[str, str]]:
    for done, page in enumerate(pages, start=1):
        yield page.path, renderer.html(page)
        if page.data is not None:
            yield links.json_beside(page.path), export.to_json(page.data)
        if progress is not None:
            progress("pages", done, len(pages))


def _figure_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    for figure in catalog.figures.values():
        yield links.figure_file(figure.plot.id, "svg"), figure.picture.download
        yield (
            links.figure_file(figure.plot.id, "csv"),
            export.table(figure.plot.columns, figure.plot.rows),
        )


def _data_files(catalog: Catalog) -> Iterator[tuple[str, str]]:
    yield links.REVIEW_JSON, export.review_json(catalog)
    yield links.REVIEW_SCHEMA, export.review_schema()
    yield links.RECORDS_CSV, export.records_csv(catalog)
    yield links.ESTIMATES_CSV, export.estimates_csv(catalog)
    yield links.RESULTS_CSV, export.results_csv(catalog)
    if catalog.review.recovery is not None:
        yield links.RECOVERY_CSV, export.recovery_csv(catalog.review.recovery)


def _asset_files(catalog: Catalog, found: list[search.Entry]) -> Iterator[tuple[str, str]]:
    package = files("trabecula.reference")
    for asset in ASSETS:
        yield asset, package.joinpath(asset).read_text(encoding="utf-8")
    yield links.PRINT_STYLE, print_style(catalog)
    yield links.SEARCH_DATA, search.script(found)


def print_style(catalog: Catalog) -> str:
    """Return the running heads of printed pages: name, search date, version, notice."""
    name = css_string(f"{catalog.file.name}: treatment reference")
    version = css_string(
        f"Literature searched to {catalog.file.searched.until} · version {catalog.version}"
    )
    notice = css_string("For clinicians’ own judgement")
    small = "font: 8pt sans-serif; color: #444"
    return (
        "@page {\n"
        "  margin: 20mm 16mm;\n"
        f"  @top-left {{ content: {name}; {small} }}\n"
        f"  @top-right {{ content: {version}; {small} }}\n"
        f"  @bottom-left {{ content: {notice}; {small} }}\n"
        f'  @bottom-right {{ content: counter(page) " / " counter(pages); {small} }}\n'
        "}\n"
    )


def css_string(text: str) -> str:
    """Return `text` as a CSS string in which everything but letters and digits is escaped."""
    safe = (c if c.isascii() and c.isalnum() else f"\\{ord(c):x} " for c in text)
    return f'"{"".join(safe)}"'


def _write(path: Path, text: str) -> int:
    data = text.encode("utf-8")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return len(data)
