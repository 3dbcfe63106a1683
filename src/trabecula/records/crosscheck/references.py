"""References between records: one table says which key names what, one walk checks them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Any, Final, get_args

from pydantic import BaseModel

from trabecula.records.base import Record
from trabecula.records.diagnosis import Cohort
from trabecula.records.parts import Parts
from trabecula.records.problems import Problem
from trabecula.records.published_reviews import PooledResult, PublishedReview, Trial
from trabecula.records.recovery_protocol import PriorMedian, RecoveryOutcome
from trabecula.records.regimen import Caution, Regimen
from trabecula.records.shape import nearest
from trabecula.records.study import Arm, Contrast, OverallTest, Population, Result
from trabecula.records.topic import (
    Condition,
    Instrument,
    Outcome,
    Protocol,
    Question,
    Rescale,
    Source,
)
from trabecula.records.yaml_source import Path

REFERENCES: Final[Mapping[type[Record], Mapping[str, str]]] = {
    Condition: {"stratum": "stratum"},
    Outcome: {"implies": "outcome", "excludes": "outcome"},
    Instrument: {"candidates": "instrument"},
    Rescale: {"to": "instrument"},
    Protocol: {"reference_regimen": "regimen", "control_regimens": "regimen"},
    Question: {"outcome": "outcome", "windows": "window"},
    RecoveryOutcome: {
        "complete": "outcome",
        "partial": "outcome",
        "score": "outcome",
        "time": "outcome",
        "instrument": "instrument",
    },
    PriorMedian: {"outcome": "recovery outcome"},
    Source: {"study": "study"},
    Regimen: {"parent": "regimen"},
    Caution: {"circumstance": "circumstance"},
    Cohort: {"study": "study"},
    Trial: {"study": "study"},
    PublishedReview: {"stratum": "stratum"},
    PooledResult: {"topic_outcome": "outcome", "regimens": "regimen"},
    Population: {"conditions": "condition", "sites": "site"},
    Arm: {"regimens": "regimen"},
    Result: {"outcome": "outcome", "instrument": "instrument spelling"},
    Contrast: {"outcome": "outcome", "instrument": "instrument spelling"},
    OverallTest: {"outcome": "outcome", "instrument": "instrument spelling"},
}
"""Keys that name something defined elsewhere; ``source`` does so in every record."""

DEFINED_IN: Final[Mapping[str, str]] = {
    "regimen": "regimens/",
    "study": "studies/",
    "source": "sources.yaml or studies/",
}
"""Where each kind of name is defined; ``topic.yaml`` where not said."""

MAX_LISTED: Final = 12
"""How many known names a message lists in full."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to look at in records of one class."""

    references: tuple[tuple[str, str], ...]
    nested: tuple[str, ...]


def check_references(parts: Parts) -> Iterator[Problem]:
    """Yield every name that nothing is called by."""
    known = _known(parts)
    for file, record, base in _records(parts):
        at = parts.at(file)
        for path, kind, word in _references(record, base):
            names = known.get(kind)
            if names is not None and word not in names:
                yield at(path, f"unknown {kind}", f'"{word}"', _remedy(kind, word, names))


def _records(parts: Parts) -> Iterator[tuple[str, Record, Path]]:
    singles = (
        ("topic.yaml", parts.file),
        ("diagnosis.yaml", parts.diagnosis),
        ("reviews.yaml", parts.reviews),
    )
    for file, record in singles:
        if record is not None:
            yield file, record, ()
    for key, source in (parts.sources or {}).items():
        yield "sources.yaml", source, (key,)
    for records in (parts.regimens, parts.studies):
        for file, item in records.items():
            yield file, item, ()


def _known(parts: Parts) -> dict[str, frozenset[str]]:
    """Return the names of each kind; kinds whose file cannot be read are left out.

    A record that does not fit its model is known by its file name all the same, so that one
    mistake is not reported once for every mention of the record.
    """
    known = {
        "regimen": _stems(parts, "regimens") | {r.id for r in parts.regimens.values()},
        "study": _stems(parts, "studies") | {s.id for s in parts.studies.values()},
    }
    if parts.sources is not None:
        known["source"] = frozenset(parts.documents["sources.yaml"].value) | known["study"]
    if (topic := parts.file) is not None:
        lists: Mapping[str, tuple[Any, ...]] = {
            "stratum": topic.strata,
            "condition": topic.conditions,
            "site": topic.sites,
            "outcome": topic.outcomes,
            "instrument": topic.instruments,
            "circumstance": topic.circumstances,
            "window": topic.protocol.windows,
        }
        known |= {kind: frozenset(item.id for item in items) for kind, items in lists.items()}
        recovery = topic.protocol.recovery
        outcomes = () if recovery is None else recovery.outcomes
        known["recovery outcome"] = frozenset(outcome.id for outcome in outcomes)
        spellings = (spelling for i in topic.instruments for spelling in i.spellings)
        known["instrument spelling"] = frozenset(spellings)
    return known


def _stems(parts: Parts, folder: str) -> frozenset[str]:
    paths = (PurePosixPath(file) for file in parts.documents)
    return frozenset(path.stem for path in paths if path.parent.name == folder)


def _references(record: BaseModel, path: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield (path, kind, name) of every reference in a record and in the records it holds."""
    plan = _plan(type(record))
    for field, kind in plan.references:
        value = getattr(record, field)
        if isinstance(value, str):
            yield (*path, field), kind, value
        elif value is not None:
            for position, word in enumerate(value):
                yield (*path, field, position), kind, word
    for field in plan.nested:
        value = getattr(record, field)
        if isinstance(value, BaseModel):
            yield from _references(value, (*path, field))
        elif value is not None:
            for position, item in enumerate(value):
                yield from _references(item, (*path, field, position))


@cache
def _plan(model: type[BaseModel]) -> _Plan:
    """Return which fields of a model are references and which hold records."""
    references: dict[str, str] = {}
    for table_model, fields in REFERENCES.items():
        if issubclass(model, table_model):
            references |= fields
    if "source" in model.model_fields:
        references["source"] = "source"
    nested = [n for n, f in model.model_fields.items() if _holds_records(f.annotation)]
    return _Plan(tuple(references.items()), tuple(nested))


def _holds_records(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return True
    return any(_holds_records(part) for part in get_args(annotation))


@cache
def _remedy(kind: str, word: str, names: frozenset[str]) -> str:
    """Return the name most like `word`, or where the names of its kind are."""
    near = nearest(word, sorted(names))
    if near is not None:
        return f'"{near}"'
    if 0 < len(names) <= MAX_LISTED:
        return "one of " + ", ".join(sorted(names))
    return f"a name defined in {DEFINED_IN.get(kind, 'topic.yaml')}"
