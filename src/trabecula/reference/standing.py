"""Where a regimen stands: the badge of its evidence, also for those nobody tests."""

from __future__ import annotations

from dataclasses import replace

from trabecula import format as shown
from trabecula.records import Regimen
from trabecula.reference import labels
from trabecula.reference.catalog import Catalog


def standing(catalog: Catalog, regimen: Regimen) -> labels.Basis:
    """Return what kind of evidence of this disease a regimen rests on.

    What the others are compared with, and what nobody named, rests on nothing itself.
    """
    none = labels.GRADES["none"]
    if regimen.id == catalog.protocol.reference_regimen:
        return replace(
            none,
            short="The comparator of this reference",
            long="Other treatments are compared with it: it stands for the course without them.",
        )
    if regimen.id in catalog.protocol.control_regimens:
        return replace(
            none,
            short="A comparator, not a treatment",
            long="Other treatments are compared with it; it counts as no active treatment.",
        )
    if regimen.role != "active":
        return replace(none, short="Not a treatment", long="It stands for what is not told.")
    grade = labels.basis(catalog.review.base(regimen.id))
    elsewhere = len(catalog.review.base(regimen.id, "all").studies)
    if grade.grade == "none" and elsewhere:
        count = shown.plural(elsewhere, "study", "studies")
        return replace(
            grade,
            short="No study of this disease",
            long=f"No study of this disease is recorded; {count} of other diseases "
            f"{'is' if elsewhere == 1 else 'are'}.",
        )
    return grade
