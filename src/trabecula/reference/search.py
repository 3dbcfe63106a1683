"""What the search finds: one entry a page or term, folded so that spellings meet."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from trabecula.records import Regimen
from trabecula.records.regimen import Caution
from trabecula.reference import glossary, links
from trabecula.reference.catalog import Catalog
from trabecula.reference.render import Page

FOLDS = (("oe", "e"), ("ae", "e"), ("ou", "o"), ("is", "iz"))
"""Spellings that mean the same; ``search.js`` applies the same to what is typed."""

LIGATURES = (("œ", "oe"), ("æ", "ae"), ("ö", "oe"), ("ä", "ae"), ("ü", "ue"), ("ß", "ss"))
"""Letters that are also written as two; replaced before accents are dropped."""

JS_NAME = "TRABECULA_SEARCH"


WEIGHTS = {
    "Page": 10, "Treatment": 10, "Study": 4, "Differential diagnosis": 3, "Risk factor": 2,
}  # fmt: skip
"""What an entry of a kind is worth before a word is compared; glossary and names: nothing."""

BARE = frozenset({"Outcome", "Instrument", "Name"})
"""Kinds whose title alone never puts an entry first: a page tells more than a definition."""

LISTS = frozenset({links.PUBLISHED, links.RISK_FACTORS, links.GLOSSARY, links.HOME})
"""Pages that list what has a place of its own; that place comes first."""

ASKED: Mapping[str, tuple[str, ...]] = {
    links.COURSE: (
        "how long",
        "how long does it last",
        "duration",
        "spontaneous recovery",
        "without treatment",
    ),
    links.DIAGNOSIS: ("red flags", "differential diagnosis", "referral", "urgent"),
    links.COMPARE: ("best treatment", "what helps", "side by side"),
    links.RISK_FACTORS: ("why", "predisposition"),
    links.AUDIT: ("mistakes",),
    links.RECOVERY: ("half have recovered", "median time", "how soon"),
    links.FASTER: ("does treatment help", "what works", "fastest", "speed up"),
    links.RECOVERY_MODEL: ("assumptions", "bayesian model"),
}
"""What people ask for when they mean a page."""

OF_TREATMENT = ("dose", "dosage", "schedule", "side effects", "harms", "contraindications")
"""Words that lead, beside its name, to a treatment."""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be found.

    ``words`` are names that lead to it, each whole; ``text`` is what else is said there.
    """

    title: str
    kind: str
    path: str
    words: tuple[str, ...]
    text: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """What the entry is worth before a word is compared."""
        return 0 if self.path in LISTS else WEIGHTS.get(self.kind, 0)


def fold(text: str) -> str:
    """Return `text` in lower case, without accents and punctuation, spellings made alike.

    Hyphens and other marks become spaces, so ``long-term`` is found by ``long term``.
    """
    lower = text.lower()
    for letter, pair in LIGATURES:
        lower = lower.replace(letter, pair)
    plain = unicodedata.normalize("NFKD", lower)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"[^\w]+", " ", plain).strip()
    for spelling, common in FOLDS:
        plain = plain.replace(spelling, common)
    return plain


def entries(catalog: Catalog, pages: Iterable[Page]) -> list[Entry]:
    """Return an entry for every listed page, glossary term, alternative and risk factor."""
    return [
        *(_of_page(catalog, page) for page in pages if page.listed),
        *(Entry(t.name, "Term", links.term(t.id), ()) for t in glossary.TERMS),
        *_of_topic(catalog),
    ]


def _of_page(catalog: Catalog, page: Page) -> Entry:
    key = page.path.removesuffix(".html").rpartition("/")[2]
    names: tuple[str, ...] = page.keywords
    text: tuple[str, ...] = (page.summary,)
    if page.kind == "Treatment":
        regimen = catalog.topic.regimens[key]
        names, text = (*names, *_circle(catalog, regimen)), (*text, *_of_regimen(catalog, regimen))
    elif page.kind == "Study":
        names, text = (*names, *_arms(catalog, key)), (*text, *_patients(catalog, key))
    elif page.path == links.DIAGNOSIS:
        names, text = (*names, *_alternatives(catalog)), (*text, *_alarms(catalog))
    elif page.path in LISTS:
        names, text = (), (*text, *names)
    return Entry(page.title, page.kind, page.path, (*names, *ASKED.get(page.path, ())), text)


def _names(regimen: Regimen) -> tuple[str, ...]:
    short = (regimen.abbreviation,) if regimen.abbreviation else ()
    return (regimen.name, *short, *regimen.synonyms, *regimen.brands)


def _circle(catalog: Catalog, regimen: Regimen) -> Iterator[str]:
    """Yield the class of an agent and the circumstances in which a treatment is not free."""
    if regimen.parent:
        yield catalog.topic.regimens[regimen.parent].name
    for caution in regimen.cautions:
        if caution.level != "allowed":
            yield from (catalog.circumstances[caution.circumstance], _plainly(caution))


def _plainly(caution: Caution) -> str:
    """Return the id of a circumstance in words: its shortest name."""
    return caution.circumstance.replace("-", " ")


def _of_regimen(catalog: Catalog, regimen: Regimen) -> Iterator[str]:
    yield from OF_TREATMENT
    for agent in sorted(catalog.family(regimen.id) - {regimen.id}):
        yield from _names(catalog.topic.regimens[agent])
    for facts in (regimen.what, regimen.cautions, regimen.harms, regimen.monitoring):
        yield from (fact.text for fact in facts)
    yield from (harm.event for harm in regimen.harms)
    for protocol in regimen.protocols:
        yield from filter(None, (protocol.text, protocol.dose, protocol.route, protocol.schedule))


def _arms(catalog: Catalog, study_id: str) -> Iterator[str]:
    regimens = {r for arm in catalog.topic.studies[study_id].arms for r in arm.regimens}
    for regimen in sorted(regimens):
        yield from _names(catalog.topic.regimens[regimen])


def _patients(catalog: Catalog, study_id: str) -> Iterator[str]:
    population = catalog.topic.studies[study_id].population
    yield from (catalog.conditions[c] for c in population.conditions)
    yield from (catalog.sites[s] for s in population.sites)


def _alternatives(catalog: Catalog) -> Iterator[str]:
    yield from (item.name for item in catalog.topic.diagnosis.differential)


def _alarms(catalog: Catalog) -> Iterator[str]:
    for flag in catalog.topic.diagnosis.red_flags:
        yield from (flag.text.text, flag.action.text)


def _of_topic(catalog: Catalog) -> Iterator[Entry]:
    for outcome in catalog.file.outcomes:
        place = f"{links.GLOSSARY}#{links.anchor('outcome', outcome.id)}"
        yield Entry(outcome.name, "Outcome", place, (outcome.plain,))
    for instrument in catalog.file.instruments:
        place = f"{links.GLOSSARY}#{links.anchor('instrument', instrument.id)}"
        yield Entry(instrument.name, "Instrument", place, instrument.spellings)
    for item in catalog.topic.diagnosis.differential:
        place = f"{links.DIAGNOSIS}#{links.anchor('alternative', item.id)}"
        yield Entry(item.name, "Differential diagnosis", place, (item.plain,))
    for factor in catalog.topic.diagnosis.risk_factors:
        place = f"{links.RISK_FACTORS}#{links.anchor('factor', factor.id)}"
        yield Entry(factor.name, "Risk factor", place, ())
    for name in catalog.file.names:
        words = (*name.abbreviations, *name.spellings)
        yield Entry(name.term, "Name", f"{links.DISEASE}#names", words)


def script(found: list[Entry]) -> str:
    """Return the index as a script, so that it can be read from a folder on a disk.

    Each entry is [title, kind, path, weight, folded title, folded names, folded words]; names
    are set apart by ``|``, words stand once. ``<`` is escaped, so that no text can end the
    script element of a page that would carry it inline.
    """
    rows = [_entry_row(entry) for entry in found]
    data = json.dumps(rows, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"window.{JS_NAME} = {{\n  ligatures: {json.dumps(LIGATURES)},\n"
        f"  folds: {json.dumps(FOLDS)},\n  bare: {json.dumps(sorted(BARE))},\n"
        f"  entries: {data}\n}};\n"
    )


def _entry_row(entry: Entry) -> list[str | int]:
    names = dict.fromkeys(fold(word) for word in entry.words)
    known = set(" ".join((fold(entry.title), *names)).split())
    text = dict.fromkeys(w for w in fold(" ".join(entry.text)).split() if w not in known)
    return [
        entry.title, entry.kind, entry.path, entry.weight,
        fold(entry.title), "|".join(names), " ".join(text),
    ]  # fmt: skip
