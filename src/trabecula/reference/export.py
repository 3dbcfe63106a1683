"""The review as files: everything as JSON with its schema, and tables as CSV.

Exports carry every digit; figures printed by papers are text in JSON, because ``53.0`` and
``53`` are different evidence.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from io import StringIO
from typing import Any

from pydantic import TypeAdapter

from trabecula.audit.finding import Finding
from trabecula.effects.estimate import Estimate, RowRef, Unusable
from trabecula.records import Diagnosis, PublishedReviews, Regimen, Source, Study, TopicFile
from trabecula.reference.catalog import Catalog
from trabecula.review.model import EvidenceBase, Omission, Synthesis
from trabecula.review.network_model import Geometry, NetworkSynthesis
from trabecula.review.recovery_model import Credible, RecoverySynthesis, RegimenRecovery

FORMAT = 1
"""Version of the layout of ``review.json``; it grows when a reader of the former breaks."""

FORMULA = re.compile(r"^[=+\-@\t\r]")
"""Text that a spreadsheet would take for a formula."""

PLAIN_NUMBER = re.compile(r"^-?\d+(\.\d+)?(e[+-]?\d+)?$")


@dataclass(frozen=True, slots=True)
class TopicDocument:
    """The topic: every record as it was read, by id."""

    file: TopicFile
    sources: Mapping[str, Source]
    regimens: Mapping[str, Regimen]
    diagnosis: Diagnosis
    reviews: PublishedReviews
    studies: Mapping[str, Study]


@dataclass(frozen=True, slots=True)
class ReviewDocument:
    """Everything a reference is built from.

    ``format`` is the version of this layout, ``digest`` the SHA-256 of all evidence files.
    """

    format: int
    digest: str
    topic: TopicDocument
    estimates: tuple[Estimate, ...]
    unusable: tuple[Unusable, ...]
    findings: tuple[Finding, ...]
    syntheses: tuple[Synthesis, ...]
    unplaced: tuple[Omission, ...]
    bases: tuple[EvidenceBase, ...]
    networks: tuple[NetworkSynthesis, ...]
    geometries: tuple[Geometry, ...]
    recovery: RecoverySynthesis | None


@cache
def _adapter() -> TypeAdapter[ReviewDocument]:
    return TypeAdapter(ReviewDocument)


@cache
def _any() -> TypeAdapter[Any]:
    return TypeAdapter(Any)


def review_json(catalog: Catalog) -> str:
    """Return the whole review as JSON, in the layout of `review_schema`."""
    topic = catalog.topic
    document = ReviewDocument(
        format=FORMAT,
        digest=topic.digest,
        topic=TopicDocument(
            topic.file,
            topic.sources,
            topic.regimens,
            topic.diagnosis,
            topic.reviews,
            topic.studies,
        ),
        estimates=catalog.review.effects.estimates,
        unusable=catalog.review.effects.unusable,
        findings=catalog.review.findings,
        syntheses=catalog.review.syntheses,
        unplaced=catalog.review.unplaced,
        bases=catalog.review.bases,
        networks=catalog.review.networks,
        geometries=catalog.review.geometries,
        recovery=catalog.review.recovery,
    )
    return _adapter().dump_json(document, indent=1).decode() + "\n"


def review_schema() -> str:
    """Return the JSON Schema of ``review.json``."""
    schema = _adapter().json_schema(mode="serialization")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def to_json(data: Any) -> str:
    """Return what a page shows as JSON."""
    return _any().dump_json(data, indent=1).decode() + "\n"


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV; text that a spreadsheet would run as a formula gets an apostrophe."""
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, tuple):
        return _cell(" to ".join(map(str, value)))
    text = str(value)
    if FORMULA.match(text) and not PLAIN_NUMBER.match(text):
        return f"'{text}"
    return text


RECORD_COLUMNS = (
    "study", "section", "row", "stratum", "design", "outcome", "instrument", "arm", "regimens",
    "against", "week", "clock", "unit", "subgroup", "n", "events", "percent", "mean", "sd", "se",
    "ci", "median", "iqr", "range", "change", "change_sd", "change_ci", "change_percent",
    "difference", "p", "event_name", "location", "extractors",
)  # fmt: skip


def records_csv(catalog: Catalog) -> str:
    """Return every printed row of every study as CSV, figures as printed."""
    return table(RECORD_COLUMNS, _record_rows(catalog))


def _record_rows(catalog: Catalog) -> Iterator[list[Any]]:
    for study in catalog.topic.studies.values():
        regimens = {arm.id: "+".join(arm.regimens) for arm in study.arms}
        rows: list[tuple[RowRef, Any, tuple[str, ...]]] = [
            *((RowRef(study.id, "results", i), r, (r.arm,)) for i, r in enumerate(study.results)),
            *((RowRef(study.id, "contrasts", i), c, c.arms) for i, c in enumerate(study.contrasts)),
            *(
                (RowRef(study.id, "overall_tests", i), t, t.arms)
                for i, t in enumerate(study.overall_tests)
            ),
        ]
        for ref, row, (arm, *others) in rows:
            known = {
                "study": study.id,
                "section": ref.section,
                "row": ref.index,
                "stratum": catalog.strata[study.id],
                "design": study.design,
                "arm": arm,
                "regimens": regimens[arm],
                "against": "+".join(others),
            }
            yield [known.get(c, getattr(row, c, None)) for c in RECORD_COLUMNS]


ESTIMATE_COLUMNS = (
    "study", "cohort", "stratum", "outcome", "event_name", "measure", "instrument", "value", "se",
    "basis",
    "arm", "regimens", "comparator_arm", "comparator", "week", "clock", "unit", "subgroup", "n",
    "effective_n", "events", "baseline", "rows", "rules",
)  # fmt: skip


def estimates_csv(catalog: Catalog) -> str:
    """Return every estimate as CSV, with its basis, its rows and the rules that led to it."""
    return table(
        ESTIMATE_COLUMNS,
        (_estimate_row(catalog, e) for e in catalog.review.effects.estimates),
    )


def _estimate_row(catalog: Catalog, estimate: Estimate) -> list[Any]:
    known = {
        "stratum": catalog.strata[estimate.study],
        "regimens": "+".join(estimate.regimens),
        "comparator": "+".join(estimate.comparator),
        "rows": " ".join(map(str, estimate.rows)),
        "rules": " ".join(step.rule for step in estimate.steps),
    }
    return [known.get(c, getattr(estimate, c, None)) for c in ESTIMATE_COLUMNS]


RESULT_COLUMNS = (
    "id", "kind", "scope", "treatment", "comparator", "outcome", "measure", "instrument",
    "event", "timing", "window", "scale", "studies", "n", "value", "low", "high", "pooled",
    "pi_low", "pi_high", "tau2", "i2", "q", "q_df", "q_p", "not_pooled", "method",
)  # fmt: skip


def results_csv(catalog: Catalog) -> str:
    """Return every synthesis as CSV; a single study's result stands where none was pooled."""
    return table(RESULT_COLUMNS, (_result_row(s) for s in catalog.review.syntheses))


def _result_row(synthesis: Synthesis) -> list[Any]:
    value, low, high = synthesis.central or (None, None, None)
    known = {
        "studies": " ".join(synthesis.studies),
        "value": value,
        "low": low,
        "high": high,
        "pooled": "yes" if synthesis.pooled else "no",
    }
    return [
        known.get(c, getattr(synthesis, c, getattr(synthesis.pooled, c, None)))
        for c in RESULT_COLUMNS
    ]


INTERVALS = (
    "rate_ratio", "weeks_saved", "weeks_to_recovery", "weeks_to_recovery_naturally",
    "weeks_saved_to_half", "weeks_to_half", "weeks_to_half_naturally",
)  # fmt: skip
"""Answers with limits: each has three columns."""

RECOVERY_COLUMNS = (
    "regimen", "outcome", "p_faster", "p_quarter_faster",
    *(f"{name}{end}" for name in INTERVALS for end in ("", "_low", "_high")),
    "studies", "comparative_studies", "patients", "last_week",
    "from_prior", "from_borrowed", "from_single_arm", "from_comparative",
    "trial_measure", "trial_week", "trial_rate_ratio", "trial_natural", "trial_treated",
    "trial_power", "trial_patients_per_arm", "words",
)  # fmt: skip


def recovery_csv(recovery: RecoverySynthesis) -> str:
    """Return every answer of the recovery model as CSV, one line a regimen and outcome."""
    return table(RECOVERY_COLUMNS, map(_recovery_row, recovery.regimens))


def _recovery_row(answer: RegimenRecovery) -> list[Any]:
    parts = {"from": answer.contribution, "trial": answer.trial}
    known: dict[str, Any] = {
        "studies": " ".join(answer.studies),
        "comparative_studies": " ".join(answer.comparative_studies),
    }
    for name in INTERVALS:
        value: Credible | None = getattr(answer, name)
        known[name] = value and value.median
        known[f"{name}_low"], known[f"{name}_high"] = value and value.low, value and value.high
    for column in RECOVERY_COLUMNS:
        owner, _, name = column.partition("_")
        if owner in parts:
            known[column] = getattr(parts[owner], name)
    return [known.get(c, getattr(answer, c, None)) for c in RECOVERY_COLUMNS]
