"""The topic: everything that is particular to one disease, as data.

A topic is a folder: ``topic.yaml`` (`TopicFile`), ``sources.yaml``, ``regimens/*.yaml``,
``diagnosis.yaml``, ``reviews.yaml`` and ``studies/*.yaml``. Another self-limited disease is
another folder.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from trabecula.records.assumption import AssumedCorrelation, AssumedScale, AssumedShare
from trabecula.records.base import Better, Fact, Figure, Identifier, Record, Text
from trabecula.records.recovery_protocol import RecoveryProtocol

SOURCE_KEY = re.compile(r"^[A-Za-z0-9][A-Za-z0-9-]*\Z")
"""How a source is called: the key is its anchor on the page of sources, and so kept plain."""


class Source(Record):
    """A publication or page that a fact rests on; ``study`` is its study record, if any."""

    text: Text
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    pmid: Annotated[int, Field(gt=0)] | None = None
    pmcid: Annotated[str, Field(pattern=r"^PMC\d+$")] | None = None
    url: Annotated[str, Field(pattern=r"^https?://\S+$")] | None = None
    study: Identifier | None = None


class Name(Record):
    """A name of the disease, with its abbreviation and spelling variants."""

    term: Text
    abbreviations: tuple[Text, ...] = ()
    spellings: tuple[Text, ...] = ()
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    note: Text | None = None
    source: tuple[str, ...] = ()
    judgement: bool = False


class Code(Record):
    """A code of the disease (or of its nearest heading) in a terminology."""

    system: Text
    code: Text
    display: Text
    note: Text | None = None
    source: tuple[str, ...] = ()


class Stratum(Record):
    """A level of directness; the first stratum of a topic is the primary one."""

    id: Identifier
    name: Text
    description: Text


class Condition(Record):
    """A diagnosis that studies report on, and how directly it speaks to the topic."""

    id: Identifier
    name: Text
    stratum: Identifier


class Site(Record):
    """A part of the body; ``several`` marks the one that stands for more than one part."""

    id: Identifier
    name: Text
    several: bool = False


class Outcome(Record):
    """What is measured.

    ``kind``: *score* (a value on an instrument), *count* (patients with an event) or *time*
    (weeks to an event). ``better`` tells whether more (score points, events, weeks) is good.
    ``implies`` names count outcomes that every patient with this one also has, so that counts
    nest; ``excludes`` names outcomes that no patient can have at the same time. A
    ``cumulative`` count never falls with time. ``any_event`` lists the event names that mean any
    event of the outcome; every other event name is a question of its own. ``priority`` is
    GRADE's rating of importance for patients; ``plain`` is the name a patient would understand.
    """

    id: Identifier
    name: Text
    plain: Text
    kind: Literal["score", "count", "time"]
    better: Better
    family: Identifier | None = None
    priority: Literal["critical", "important", "limited"]
    harm: bool = False
    implies: tuple[Identifier, ...] = ()
    excludes: tuple[Identifier, ...] = ()
    cumulative: bool = False
    any_event: tuple[Text, ...] = ()
    description: Text | None = None


class MinimalImportantDifference(Record):
    """The smallest difference that patients notice, and in whom that was found."""

    value: Figure
    population: Text
    source: tuple[str, ...] = ()
    judgement: bool = False


def _not_zero(value: Decimal) -> Decimal:
    if value == 0:
        raise ValueError("a factor of 0 makes all values one; expected another number")
    return value


class Rescale(Record):
    """Brings an instrument to another's scale: ``multiply * value + add``."""

    to: Identifier
    multiply: Annotated[Figure, AfterValidator(_not_zero)]
    add: Figure = Decimal(0)


class Instrument(Record):
    """A way to measure a score, with every spelling that occurs in the records.

    ``lowest``/``highest`` bound what one patient can score (``None``: unbounded or not
    known); ``step`` is the smallest difference between two patients' scores (``None``:
    continuous), which is what GRIM needs. ``common`` brings it to the scale on which it is
    pooled. ``candidates`` is for a spelling that leaves the scale open (no range): the
    first candidate whose range holds all of a study's values is taken, and said so.
    ``domain`` names what is measured; instruments of one outcome and domain may be
    pooled after standardisation.
    """

    id: Identifier
    name: Text
    spellings: Annotated[tuple[Text, ...], Field(min_length=1)]
    domain: Text
    lowest: Figure | None = None
    highest: Figure | None = None
    better: Better | None = None
    unit: Text | None = None
    step: Annotated[Figure, Field(gt=0)] | None = None
    common: Rescale | None = None
    candidates: tuple[Identifier, ...] = ()
    mid: MinimalImportantDifference | None = None
    note: Text | None = None
    source: tuple[str, ...] = ()
    judgement: bool = False


class Window(Record):
    """A time of interest and the weeks (both included) that are counted to it."""

    id: Identifier
    name: Text
    week: Figure
    first: Figure
    last: Figure


class Assumptions(Record):
    """What the analysis takes for granted.

    ``baseline_correlation``: of a score before and after, for the SD of a change (too low
    widens, too high narrows every before-after interval). ``lesion_correlation``: intraclass
    correlation of lesions of one patient, for the design effect of rows that count lesions.
    ``heterogeneity_scale``: of the half-normal prior of how much studies of a network differ, in
    SDs of patients or as a log ratio (too low: intervals too narrow; too high: too wide).
    """

    baseline_correlation: AssumedCorrelation
    lesion_correlation: AssumedShare
    heterogeneity_scale: AssumedScale


class Question(Record):
    """One outcome the review asks about; its measures follow from the outcome's kind."""

    outcome: Identifier
    title: Text
    windows: tuple[Identifier, ...] = ()


class Protocol(Record):
    """What the review asks, fixed before results are seen.

    ``reference_regimen`` is what every regimen is compared with (waiting, in a disease that
    heals by itself); ``control_regimens`` are the regimens that count as no active treatment.
    ``recovery`` is what the recovery model needs; without it none is fitted.
    """

    version: Text
    reference_regimen: Identifier
    control_regimens: tuple[Identifier, ...]
    windows: Annotated[tuple[Window, ...], Field(min_length=1)]
    questions: Annotated[tuple[Question, ...], Field(min_length=1)]
    assumptions: Assumptions
    recovery: RecoveryProtocol | None = None


class HistoryEntry(Fact):
    """A dated step in what was known of the disease."""

    year: Annotated[int, Field(ge=1800, le=2100)]


class Cause(Record):
    """An idea of what causes the disease, and how well it is supported."""

    id: Identifier
    name: Text
    support: Literal["controlled", "prevalence", "mechanism", "case-reports", "opinion"]
    speaks_for: tuple[Fact, ...] = ()
    speaks_against: tuple[Fact, ...] = ()


class Disease(Record):
    """The disease in prose, each sentence with its basis."""

    definition: tuple[Fact, ...]
    presentation: tuple[Fact, ...]
    course: tuple[Fact, ...]
    history: tuple[HistoryEntry, ...]
    causes: tuple[Cause, ...]
    controversies: tuple[Fact, ...] = ()


class Circumstance(Record):
    """A fact about a patient that changes what may be given (pregnancy, low kidney function)."""

    id: Identifier
    name: Text


class Searched(Record):
    """How far the evidence reaches."""

    until: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    description: Text


class TopicFile(Record):
    """The content of ``topic.yaml``."""

    id: Identifier
    name: Text
    abbreviation: Text
    summary: tuple[Fact, ...]
    searched: Searched
    names: Annotated[tuple[Name, ...], Field(min_length=1)]
    codes: tuple[Code, ...] = ()
    strata: Annotated[tuple[Stratum, ...], Field(min_length=1)]
    conditions: Annotated[tuple[Condition, ...], Field(min_length=1)]
    sites: Annotated[tuple[Site, ...], Field(min_length=1)]
    outcomes: Annotated[tuple[Outcome, ...], Field(min_length=1)]
    instruments: tuple[Instrument, ...] = ()
    circumstances: tuple[Circumstance, ...] = ()
    protocol: Protocol
    disease: Disease
