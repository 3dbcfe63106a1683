"""All treatments side by side: what was studied, what was compared, what one group showed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trabecula.records import Regimen
from trabecula.reference import links
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.pages.figures import figures_for
from trabecula.reference.pages.networks import network_lines
from trabecula.reference.render import Page
from trabecula.reference.results import ResultLine, comparisons_first, lines
from trabecula.reference.unquantified import unquantified
from trabecula.review.model import Synthesis
from trabecula.review.treatments import regimens_of


@dataclass(frozen=True, slots=True)
class Studied:
    """A regimen and its studies with a usable number: of the primary stratum, and of all."""

    name: str
    path: str
    primary: int
    everything: int


@dataclass(frozen=True, slots=True)
class Asked:
    """An outcome: which regimens were compared on it, which were seen in one group alone."""

    name: str
    compared: tuple[Studied, ...]
    single: tuple[Studied, ...]
    neither: int


@dataclass(frozen=True, slots=True)
class SingleRow:
    """A treatment and its results in one group of patients."""

    name: str
    path: str
    lines: tuple[ResultLine, ...]


@dataclass(frozen=True, slots=True)
class Single:
    """An outcome and what one group showed of it, treatment by treatment."""

    name: str
    harm: bool
    rows: tuple[SingleRow, ...]


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the comparison of treatments."""
    syntheses = catalog.review.syntheses
    compared = comparisons_first(lines(catalog, [s for s in syntheses if s.kind == "comparison"]))
    primary = [ln for ln in compared if ln.scope == "primary"]
    single = [s for s in syntheses if s.kind != "comparison"]
    yield Page(
        path=links.COMPARE,
        template="compare.html",
        title="Compare treatments",
        summary="All treatments by all outcomes: what each rests on and what was found",
        section="treatments",
        view={
            "asked": [_asked(catalog, outcome) for outcome in _outcomes(catalog, syntheses)],
            "compared": primary,
            "elsewhere": [ln for ln in compared if ln.scope != "primary"],
            "with_primary": _with_primary(catalog),
            "printed": unquantified(catalog),
            "single": [_single(catalog, o, single) for o in _outcomes(catalog, single)],
            "networks": network_lines(catalog),
            "figures": figures_for(catalog, links.COMPARE),
        },
        keywords=("treatments", "therapy", "effectiveness"),
    )


def _with_primary(catalog: Catalog) -> bool:
    """Return whether a comparison over all strata also holds a study of the primary one."""
    return any(
        catalog.strata[study] == catalog.primary
        for s in catalog.review.syntheses
        if s.kind == "comparison" and s.scope != "primary"
        for study in s.studies
    )


def _outcomes(catalog: Catalog, syntheses: Iterable[Synthesis]) -> list[str]:
    """Return the outcomes that have a result, in the order in which the protocol asks."""
    present = {s.outcome for s in syntheses}
    asked = dict.fromkeys(q.outcome for q in catalog.protocol.questions)
    return [outcome for outcome in asked if outcome in present]


def _asked(catalog: Catalog, outcome: str) -> Asked:
    compared, single, neither = [], [], 0
    for regimen in catalog.regimens:
        if regimen.role != "active":
            continue
        mine = [s for s in catalog.by_regimen.get(regimen.id, []) if s.outcome == outcome]
        found = _studied(regimen, [s for s in mine if s.kind == "comparison"])
        alone = _studied(regimen, [s for s in mine if s.kind != "comparison"])
        compared += [found] if found.everything else []
        single += [alone] if alone.everything else []
        neither += not mine
    name = catalog.outcomes[outcome]
    return Asked(name, _most_first(compared), _most_first(single), neither)


def _studied(regimen: Regimen, syntheses: list[Synthesis]) -> Studied:
    everything = {study for s in syntheses for study in s.studies}
    primary = {study for s in syntheses if s.scope == "primary" for study in s.studies}
    return Studied(regimen.name, links.regimen(regimen.id), len(primary), len(everything))


def _most_first(found: list[Studied]) -> tuple[Studied, ...]:
    return tuple(sorted(found, key=lambda s: (-s.primary, -s.everything)))


def _single(catalog: Catalog, outcome: str, syntheses: Iterable[Synthesis]) -> Single:
    mine = _narrowest([s for s in syntheses if s.outcome == outcome])
    groups = grouped(mine, lambda s: s.treatment)
    treatments = sorted(groups, key=lambda t: (_order(catalog, t), len(regimens_of(t)), t))
    return Single(
        catalog.outcomes[outcome],
        catalog.topic.outcome(outcome).harm,
        tuple(
            SingleRow(
                catalog.treatment(t),
                links.regimen(_lead_regimen(catalog, t)),
                tuple(lines(catalog, groups[t])),
            )
            for t in treatments
        ),
    )


def _narrowest(syntheses: list[Synthesis]) -> list[Synthesis]:
    """Keep of each question the primary answer; that of all strata where there is none."""

    def question(s: Synthesis) -> tuple[str | None, ...]:
        return s.treatment, s.event, s.measure, s.instrument, s.window, s.timing

    primary = {question(s) for s in syntheses if s.scope == "primary"}
    return [s for s in syntheses if s.scope == "primary" or question(s) not in primary]


def _lead_regimen(catalog: Catalog, treatment: str) -> str:
    """Return the regimen whose page tells most of a treatment: its first active one."""
    parts = regimens_of(treatment)
    active = [r for r in parts if catalog.topic.regimens[r].role == "active"]
    return (active or list(parts))[0]


def _order(catalog: Catalog, treatment: str) -> int:
    return catalog.topic.regimens[_lead_regimen(catalog, treatment)].order
