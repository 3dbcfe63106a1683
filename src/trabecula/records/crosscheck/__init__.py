"""What is wrong between records: references that lead nowhere, counts that cannot be.

references   every name that one record uses of another
study        a study in itself: its arms, rows, counts
between      studies against each other: cohorts, publications entered twice
vocabulary   the topic's own definitions: ids, hierarchies, windows, instruments
recovery     what the recovery model is to read

What a *paper* printed wrong is no problem here but a finding of `trabecula.audit`.
"""

from __future__ import annotations

from collections.abc import Iterator

from trabecula.records.crosscheck.between import check_between
from trabecula.records.crosscheck.recovery import check_recovery
from trabecula.records.crosscheck.references import check_references
from trabecula.records.crosscheck.study import check_study
from trabecula.records.crosscheck.vocabulary import check_vocabulary
from trabecula.records.parts import Parts
from trabecula.records.problems import Problem

__all__ = ["cross_check"]


def cross_check(parts: Parts) -> Iterator[Problem]:
    """Yield every problem that shows only when records are held against each other."""
    yield from check_references(parts)
    yield from check_vocabulary(parts)
    yield from check_between(parts)
    if parts.file is not None:
        yield from check_recovery(parts.file, parts.at("topic.yaml"))
    kinds = {outcome.id: outcome.kind for outcome in parts.file.outcomes} if parts.file else {}
    for file, study in parts.studies.items():
        yield from check_study(study, kinds, parts.at(file))
