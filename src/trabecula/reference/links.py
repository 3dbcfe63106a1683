"""Where every page lies: the only place that knows an address.

Addresses are relative to the root of the site; `relative` turns them into what a page at some
depth must write, so that the site works from a folder on a disk.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from trabecula.effects.estimate import RowRef

HOME = "index.html"
DISEASE = "disease.html"
COMPARE = "compare.html"
COURSE = "natural-course.html"
DIAGNOSIS = "diagnosis.html"
RISK_FACTORS = "risk-factors.html"
STUDIES = "studies/index.html"
SYNTHESES = "syntheses/index.html"
AUDIT = "audit.html"
EVIDENCE = "evidence-use.html"
METHODS = "methods.html"
PUBLISHED = "published-reviews.html"
SOURCES = "sources.html"
GLOSSARY = "glossary.html"
ABOUT = "about.html"
SEARCH = "search.html"
INDEX = "a-z.html"

RECOVERY = "recovery.html"
FASTER = "faster-than-waiting.html"
RECOVERY_MODEL = "recovery-model.html"
RECOVERY_PAGES = (RECOVERY, FASTER, RECOVERY_MODEL)
"""Pages that exist only where the protocol asks for the recovery model."""

REVIEW_JSON = "review.json"
REVIEW_SCHEMA = "review.schema.json"
RECORDS_CSV = "records.csv"
ESTIMATES_CSV = "estimates.csv"
RESULTS_CSV = "results.csv"
RECOVERY_CSV = "recovery.csv"

STYLE = "assets/style.css"
PRINT_STYLE = "assets/print.css"
TABLE_SCRIPT = "assets/tables.js"
SEARCH_SCRIPT = "assets/search.js"
SEARCH_DATA = "assets/search-data.js"


def regimen(regimen_id: str) -> str:
    """Return the page of a regimen."""
    return f"regimens/{regimen_id}.html"


def study(study_id: str) -> str:
    """Return the page of a study."""
    return f"studies/{study_id}.html"


def row(ref: RowRef) -> str:
    """Return the place of a printed row on its study's page."""
    return f"{study(ref.study)}#{row_anchor(ref.section, ref.index)}"


def row_anchor(section: str, index: int) -> str:
    """Return the anchor of a printed row on its study's page."""
    return f"{section}-{index}"


def synthesis(synthesis_id: str) -> str:
    """Return the page of a synthesis."""
    return f"syntheses/{synthesis_id}.html"


def network(network_id: str) -> str:
    """Return the page of a network."""
    return f"networks/{network_id}.html"


def finding(subject_page: str, finding_id: str) -> str:
    """Return the place of an audit finding on the page of its subject."""
    return f"{subject_page}#{anchor('audit', finding_id)}"


def published(review_id: str) -> str:
    """Return the place of a published review."""
    return f"{PUBLISHED}#{anchor('review', review_id)}"


def source(key: str) -> str:
    """Return the place of a source in the bibliography."""
    return f"{SOURCES}#{anchor('source', key)}"


def term(term_id: str) -> str:
    """Return the definition of a glossary term."""
    return f"{GLOSSARY}#{anchor('term', term_id)}"


def figure_file(figure_id: str, kind: str) -> str:
    """Return the file in which a figure (``svg``) or its data (``csv``) can be downloaded."""
    return f"figures/{figure_id}.{kind}"


def json_beside(page: str) -> str:
    """Return the JSON file that carries what a page shows."""
    return page.removesuffix(".html") + ".json"


def anchor(prefix: str, key: str) -> str:
    """Return an anchor made of ASCII letters, digits and hyphens.

    Keys that differ only in other characters would collide; ids of records never do.
    """
    return f"{prefix}-{re.sub(r'[^A-Za-z0-9]+', '-', key).strip('-')}"


def doi(value: str) -> str:
    """Return the resolver address of a DOI."""
    return f"https://doi.org/{quote(value, safe='/:;()._-')}"


def pubmed(pmid: int) -> str:
    """Return the PubMed address of a record."""
    return f"https://pubmed.ncbi.nlm.nih.gov/{pmid}/"


def pmc(pmcid: str) -> str:
    """Return the PubMed Central address of a full text."""
    return f"https://pmc.ncbi.nlm.nih.gov/articles/{pmcid}/"


def relative(path: str, page: str) -> str:
    """Return how `page` must write the address `path`, both from the root of the site."""
    return "../" * page.count("/") + path
