"""One study of each cohort, for each recovery outcome."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from trabecula.records import Topic
from trabecula.review.recovery_model import RecoveryOmission
from trabecula.review.recovery_rows.draft import Draft, Found


def one_study_a_cohort(topic: Topic, founds: Sequence[Found]) -> list[RecoveryOmission]:
    """Drop drafts of studies that may share patients with a better one; return what is dropped.

    `founds` are those of one outcome. The most direct stratum first, so that all evidence of the
    primary scope stays in the wider one; then the most patients, as everywhere in the review.
    """
    order = {stratum.id: place for place, stratum in enumerate(topic.file.strata)}
    dropped: list[RecoveryOmission] = []
    cohorts: dict[str, list[Found]] = {}
    for found in founds:
        if found.drafts:
            cohorts.setdefault(topic.studies[found.study].cohort_or_id, []).append(found)

    def rank(found: Found) -> tuple[int, int, str]:
        stratum = topic.stratum_of(topic.studies[found.study]).id
        return order[stratum], -_patients(found.drafts), found.study

    for cohort, members in cohorts.items():
        best, *others = sorted(members, key=rank)
        for other in others:
            text = f"may share patients with {best.study} (cohort {cohort}), which is used"
            refs = dict.fromkeys(ref for draft in other.drafts for ref in draft.rows)
            dropped += [RecoveryOmission(ref, other.outcome, "shared-cohort", text) for ref in refs]
            other.drafts.clear()
    return dropped


def _patients(drafts: Iterable[Draft]) -> int:
    """Return the patients of all arms, of each arm its largest row."""
    arms: dict[tuple[str, ...], int] = {}
    for draft in drafts:
        arms[draft.arms] = max(draft.n or 0, arms.get(draft.arms, 0))
    single = {arm for key in arms if len(key) == 1 for arm in key}
    return sum(n for key, n in arms.items() if len(key) == 1 or not single & set(key))
