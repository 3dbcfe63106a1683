"""What a synthesis rests on: in whom, how, when, how many, and what both arms had beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from trabecula import format as shown
from trabecula.effects.estimate import Estimate, RowRef
from trabecula.format import uncapital
from trabecula.records import Arm, Study
from trabecula.reference import labels
from trabecula.reference.catalog import Catalog
from trabecula.review.evidence_base import RANDOMISED
from trabecula.review.model import Synthesis

MOST_WEEKS = 3
"""So many weeks are named one by one; of more the first and the last."""

MOST_VALUES = 4
"""So many values that are not pooled are named; of more the least and the greatest."""


@dataclass(frozen=True, slots=True)
class Backing:
    """What a result rests on, in words; empty where there is nothing to say.

    ``whom`` names conditions and sites, ``design`` the designs of comparisons; ``size`` says
    what was counted and what is not known of it; ``counts`` are events of patients a side;
    ``beside`` is what both arms were given beside the treatment.
    """

    whom: str
    design: str
    weeks: str
    size: str
    counts: str
    beside: str


def backing(catalog: Catalog, synthesis: Synthesis) -> Backing:
    """Return what a synthesis rests on."""
    studies = [catalog.topic.studies[s] for s in synthesis.studies]
    compared = synthesis.comparator is not None
    return Backing(
        whom=whom(catalog, studies),
        design="; ".join(dict.fromkeys(design(s) for s in studies)) if compared else "",
        weeks="" if synthesis.timing == "duration" else _weeks(synthesis),
        size=size(synthesis),
        counts=_counts(catalog, synthesis),
        beside=_beside(catalog, synthesis),
    )


def whom(catalog: Catalog, studies: Iterable[Study]) -> str:
    """Return the conditions and sites of studies."""
    studies = list(studies)
    conditions = dict.fromkeys(c for s in studies for c in s.population.conditions)
    sites = dict.fromkeys(s for study in studies for s in study.population.sites)
    where = ", ".join(uncapital(catalog.sites[s]) for s in sites) or "site not stated"
    first, *rest = (catalog.conditions[c] for c in conditions)
    return f"{'; '.join([first, *map(uncapital, rest)])} ({where})"


def design(study: Study) -> str:
    """Return the design of a comparison: how arms came about, blinding, kind of control."""
    blinding = study.blinding or "blinding not stated"
    control = f", control: {labels.CONTROLS[study.control]}" if study.control else ""
    name = labels.DESIGNS[study.design]
    chance = "" if study.design in RANDOMISED else ", not randomised"
    return f"{name}{chance}, {blinding}{control}"


def week_name(week: float | None) -> str:
    """Return ``week 26``, or that it is not stated."""
    return "week not stated" if week is None else f"week {shown.number(week)}"


def _weeks(synthesis: Synthesis) -> str:
    """Return the weeks that really contribute."""
    found = {c.estimate.week for c in synthesis.contributions}
    known = sorted(w for w in found if w is not None)
    named = [shown.number(w) for w in known]
    if not named:
        return week_name(None)
    if len(named) > MOST_WEEKS:
        text = f"weeks {named[0]} to {named[-1]}"
    else:
        text = f"{'week' if len(named) == 1 else 'weeks'} {shown.joined(named)}"
    return text if None not in found else f"{text}, or not stated"


def size(synthesis: Synthesis) -> str:
    """Return n, what was counted, and in how many contributions it is not stated."""
    estimates = [c.estimate for c in synthesis.contributions]
    unknown = sum(e.n is None for e in estimates)
    units = sorted({e.unit for e in estimates}, reverse=True)
    unit = "" if units == ["patients"] else f" {shown.joined(units)}"
    if unknown == len(estimates):
        return "n not stated"
    more = f" + not stated in {unknown}" if unknown else ""
    return f"n = {shown.count(synthesis.n)}{unit}{more}"


def of_arm(
    catalog: Catalog, rows: Iterable[RowRef], arm: str | None, measure: str
) -> list[Estimate]:
    """Return the estimates of one arm alone that stand on any of `rows`."""
    return [
        e
        for row in rows
        for e in catalog.estimates_by_row.get(row, [])
        if e.measure == measure and e.arm == arm and e.comparator_arm is None
    ]


def _counts(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return events of patients, ``13/20 v 19/20``, one study after another."""
    found = [counts_of(catalog, c.estimate) for c in synthesis.contributions]
    return "; ".join(found) if all(found) and len(found) <= MOST_VALUES else ""


def counts_of(catalog: Catalog, estimate: Estimate) -> str:
    """Return the events of an estimate of counts; empty of any other."""
    if estimate.comparator_arm is None:
        return "" if estimate.events is None else f"{estimate.events}/{estimate.n}"
    if estimate.measure not in {"RR", "OR", "RD"}:
        return ""
    arms = (estimate.arm, estimate.comparator_arm)
    sides = [of_arm(catalog, estimate.rows, arm, "PR") for arm in arms]
    return " v ".join(f"{e[0].events}/{e[0].n}" for e in sides) if all(sides) else ""


def values_apart(synthesis: Synthesis) -> str:
    """Return the values of studies that stand side by side; empty where there is one result."""
    if synthesis.central is not None:
        return ""
    texts = [shown.shown(c.value, c.low, c.high, synthesis.scale) for c in synthesis.contributions]
    if len(texts) <= MOST_VALUES:
        return f"{shown.joined([t.value for t in texts])} {texts[0].unit}".strip()
    values = sorted(zip([c.value for c in synthesis.contributions], texts, strict=True), key=_first)
    low, high = values[0][1].value, values[-1][1].value
    return f"from {low} to {high} {texts[0].unit}".strip()


def _first(pair: tuple[float, shown.Shown]) -> float:
    return pair[0]


# --- what both arms had -------------------------------------------------------------------


def _beside(catalog: Catalog, synthesis: Synthesis) -> str:
    if synthesis.comparator is None:
        return ""
    found: dict[str, list[str]] = {}
    for study, arms in _pairs(catalog, synthesis):
        found.setdefault(beside(catalog, *arms), []).append(study)
    if len(found) == 1:
        return next(iter(found))
    told = [
        f"{care} ({', '.join(catalog.study_names[s] for s in studies)})"
        for care, studies in found.items()
        if care
    ]
    return "; ".join(told)


def _pairs(catalog: Catalog, synthesis: Synthesis) -> Iterable[tuple[str, tuple[Arm, Arm]]]:
    for item in synthesis.contributions:
        study = catalog.topic.studies[item.estimate.study]
        assert item.estimate.comparator_arm is not None
        yield study.id, (study.arm(item.estimate.arm), study.arm(item.estimate.comparator_arm))


def beside(catalog: Catalog, one: Arm, other: Arm) -> str:
    """Return ``added to: X, in both arms`` where two arms had the same care beside them."""
    both = [care for care in one.cointerventions if care in other.cointerventions]
    if not both:
        return ""
    return f"added to: {shown.joined([_care(catalog, c) for c in both])}, in both arms"


def _care(catalog: Catalog, text: str) -> str:
    """Return a cointervention in words: names of regimens in full, no hyphens of an id."""
    first, space, rest = text.partition(" ")
    if first in catalog.topic.regimens:
        return f"{uncapital(catalog.topic.regimens[first].name)}{space}{rest}"
    return re.sub(r"(?<=[a-z])-(?=[a-z0-9])", " ", first) + space + rest
