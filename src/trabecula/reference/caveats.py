"""What to know before trusting a number: what was imputed, how patients differed, what matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trabecula import format as shown
from trabecula.effects.estimate import Estimate
from trabecula.records.topic import MinimalImportantDifference
from trabecula.reference.catalog import Catalog
from trabecula.reference.contributors import of_arm
from trabecula.review.model import Synthesis

IMPUTED: Mapping[str, str] = {
    "se-from-p": "interval from p",
    "se-bound-from-p": "interval from p",
    "sd-from-p": "SD from p",
    "sd-bound-from-p": "SD from p",
    "sd-borrowed": "SD borrowed",
    "change-sd-borrowed": "SD borrowed",
    "sd-from-correlation": "SD of change assumed",
    "sd-largest": "largest possible SD",
    "sd-bounded": "largest possible SD",
    "sd-in-range": "SD fitted to the range",
    "mean-from-range": "mean from the range",
    "n-from-arm": "n of the arm",
    "design-effect": "likeness of one patient’s lesions assumed",
    "scale-chosen": "scale assumed",
}
"""What the rules of imputed steps put in place of a printed figure, in words."""


def imputed_words(synthesis: Synthesis) -> str:
    """Return what was imputed; empty where nothing was, *imputed* for unknown rules."""
    steps = [s for c in synthesis.contributions for s in c.estimate.steps if s.basis == "imputed"]
    return ", ".join(dict.fromkeys(IMPUTED.get(s.rule, "imputed") for s in steps))


def important(catalog: Catalog, synthesis: Synthesis) -> MinimalImportantDifference | None:
    """Return the smallest difference that patients notice, for comparisons in points alone.

    Beside a change in one group it would invite reading that change as an effect.
    """
    if synthesis.kind != "comparison" or synthesis.scale != "points":
        return None
    found = [i.mid for i in catalog.file.instruments if i.id == synthesis.instrument]
    return found[0] if found else None


def cautions(catalog: Catalog, synthesis: Synthesis) -> tuple[str, ...]:
    """Return what the values before treatment do to a comparison of scores, study by study."""
    if synthesis.comparator is None or synthesis.measure not in {"MD", "SMD"}:
        return ()
    if catalog.topic.outcome(synthesis.outcome).kind != "score":
        return ()
    alone = len(synthesis.contributions) == 1
    said: list[str] = []
    for item in synthesis.contributions:
        name = "" if alone else f" ({catalog.study_names[item.estimate.study]})"
        said.extend(f"{text}{name}" for text in _of_baseline(catalog, synthesis, item.estimate))
    return tuple(said)


def _of_baseline(catalog: Catalog, synthesis: Synthesis, estimate: Estimate) -> Iterator[str]:
    before = [_baseline(catalog, estimate, arm) for arm in (estimate.arm, estimate.comparator_arm)]
    one, other = before
    mid = important(catalog, synthesis)
    if one is not None and other is not None:
        text = f"before treatment {_points(one)} v {_points(other)}"
        if mid is not None and abs(one - other) > float(mid.value):
            yield f"groups differed before treatment by more than patients notice: {text[17:]}"
        elif _compares_values(catalog, estimate):
            yield f"values at that time compared, not changes; {text}"
    elif _compares_values(catalog, estimate):
        yield "values at that time compared, not changes; values before treatment not known"


def _points(value: float) -> str:
    return shown.number(round(value, 2))


def _baseline(catalog: Catalog, estimate: Estimate, arm: str | None) -> float | None:
    changes = of_arm(catalog, estimate.rows, arm, "MC")
    return changes[0].baseline if changes else None


def _compares_values(catalog: Catalog, estimate: Estimate) -> bool:
    """Return whether the difference is one of values at that time and not of changes.

    A printed difference does not tell: nothing is said of it.
    """
    rules = {step.rule for step in estimate.steps}
    if "values-compared" in rules or "changes-compared" in rules:
        return "values-compared" in rules
    if estimate.rows[0].section == "contrasts":
        return len(estimate.rows) > 1
    return not of_arm(catalog, estimate.rows, estimate.arm, "MC")
