"""Which rows of an arm are read where several tell of the same patients."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trabecula.records import Result, Study
from trabecula.review.recovery_rows.draft import Found
from trabecula.review.recovery_rows.sources import Row, Sources

ASIDE = "set-aside"
CROSSOVER = "crossover"


def open_rows(study: Study, rows: Iterable[Row], found: Found) -> list[Row]:
    """Return the rows that are not set aside, of a study whose arms are different people."""
    kept: list[Row] = []
    for ref, row in rows:
        if row.set_aside is not None:
            found.omit(ref, ASIDE, row.set_aside)
        elif study.crossover:
            text = "crossover: every patient is in each arm, so that arms are no separate groups"
            found.omit(ref, CROSSOVER, text)
        else:
            kept.append((ref, row))
    return kept


def by_arm(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return rows by arm, in order."""
    groups: dict[str, list[Row]] = {}
    for ref, row in rows:
        groups.setdefault(row.arm, []).append((ref, row))
    return groups


def best_series(
    sources: Sources,
    study: Study,
    rows: list[Row],
    found: Found,
    instrument: Callable[[Result], int],
) -> list[Row]:
    """Return of an arm's rows those of one group of patients, measured in one way.

    The whole arm before a subgroup, and of these the largest; patients before lesions; the
    instrument preferred; then what is recorded first. The others are left out.
    """
    if not rows:
        return []

    def key(row: Result) -> tuple[str, str | None, str | None, str]:
        return row.outcome, row.instrument, row.subgroup, row.unit

    def rank(row: Result) -> tuple[bool, int, bool, int]:
        part = row.subgroup is not None
        size = sources.size(study, row).n or 0
        return part, -size if part else 0, row.unit != "patients", instrument(row)

    best = key(min((row for _, row in rows), key=rank))
    for ref, row in rows:
        if key(row) != best:
            found.omit(ref, "better-row", _why_not(best, row))
    return [(ref, row) for ref, row in rows if key(row) == best]


def _why_not(best: tuple[str, str | None, str | None, str], row: Result) -> str:
    _, instrument, subgroup, unit = best
    if row.subgroup is not None and subgroup != row.subgroup:
        kept = "the arm as a whole" if subgroup is None else f"the subgroup “{subgroup}”"
        return f"subgroup “{row.subgroup}”: {kept} is used"
    if row.unit != unit:
        return f"counts {row.unit}: the arm is also reported by {unit}"
    return f"on “{row.instrument}”: the same patients are reported on “{instrument}”"
