"""The page of a network: question, graph, every pair, ranks, and what must hold for them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from trabecula import format as shown
from trabecula.format import uncapital
from trabecula.reference import links
from trabecula.reference.catalog import Catalog
from trabecula.reference.contributors import design
from trabecula.reference.figures.network_plans import no_difference, undecided
from trabecula.reference.render import Page
from trabecula.reference.results import TIMINGS, measure_name
from trabecula.review.network_model import NetworkComparison, NetworkSynthesis

FEWEST_FOR_SMALL_STUDY_EFFECTS = 10
"""Sterne et al. (2011), BMJ 343:d4002: with fewer studies the tests cannot tell chance from
asymmetry."""


@dataclass(frozen=True, slots=True)
class NetworkLine:
    """A network as lists show it."""

    path: str
    title: str
    treatments: int
    studies: int
    n: int
    scope: str
    undecided: int
    pairs: int


@dataclass(frozen=True, slots=True)
class PairRow:
    """Two treatments on the evidence of the network; ``direct`` are links to studies."""

    pair: str
    value: str
    prediction: str
    tells: str
    direct: tuple[tuple[str, str], ...]
    otherwise: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study of a network, with what could make its patients unlike those of the others."""

    name: str
    path: str
    arms: str
    design: str
    patients: str
    conditions: str
    sites: str
    week: str
    basis: str


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the page of every network."""
    for network in catalog.review.networks:
        title = question(catalog, network)
        yield Page(
            path=links.network(network.id),
            template="network.html",
            title=title,
            summary=title,
            section="treatments",
            kind="Network",
            view=_view(catalog, network),
            data=network,
        )


def question(catalog: Catalog, network: NetworkSynthesis) -> str:
    """Return the question that a network answers, in words."""
    names = [catalog.treatment(t) for t in network.treatments]
    first, rest = names[0], [uncapital(name) for name in names[1:]]
    outcome = uncapital(catalog.outcomes[network.outcome])
    scale = catalog.instruments[network.instrument] if network.instrument else ""
    if scale.lower().startswith(outcome.lower()):
        outcome, scale = uncapital(scale), ""
    told = f"{outcome}, {scale}" if scale else outcome
    return f"{shown.joined([first, *rest])}: {told}, {uncapital(when(catalog, network))}"


def when(catalog: Catalog, network: NetworkSynthesis) -> str:
    """Return the time a network speaks of."""
    if network.window is not None:
        return catalog.windows[network.window]
    return TIMINGS[network.timing]


def network_lines(catalog: Catalog, treatments: Collection[str] | None = None) -> list[NetworkLine]:
    """Return the networks that hold one of `treatments` (all if not given) as lines."""
    return [
        NetworkLine(
            path=links.network(network.id),
            title=question(catalog, network),
            treatments=len(network.treatments),
            studies=len(network.studies),
            n=network.n,
            scope=network.scope,
            undecided=len(undecided(network)),
            pairs=len(network.comparisons),
        )
        for network in catalog.review.networks
        if treatments is None or set(treatments) & set(network.treatments)
    ]


def _view(catalog: Catalog, network: NetworkSynthesis) -> dict[str, Any]:
    parts = ("graph", "league", "ranks")
    figures = {part: catalog.figures.get(f"{network.id}--{part}") for part in parts}
    tau = [shown.number(value, 2) for value in network.tau]
    return {
        "network": network,
        "when": when(catalog, network),
        "strangers": not any(catalog.strata[s] == catalog.primary for s in network.studies),
        "better": catalog.topic.outcome(network.outcome).better,
        "pairs": [_pair(catalog, network, c) for c in network.comparisons],
        "studies": [_study(catalog, network, study) for study in network.studies],
        "completed": [catalog.study_names[s] for s in network.completed],
        "omissions": [
            (catalog.study_names[o.estimate.study], links.row(o.estimate.rows[0]), o.text)
            for o in network.omissions
        ],
        "tau": f"{tau[0]} (95\u202f% credible interval {tau[1]} to {tau[2]})",
        "measure": _measured(network),
        "incoherence": _incoherence(network),
        "small_studies": _small_studies(network),
        "assumed": catalog.protocol.assumptions.heterogeneity_scale,
        "pictures": figures,
    }


def _measured(network: NetworkSynthesis) -> str:
    """Return measure and unit of the results."""
    unit = shown.UNITS[network.scale]
    return measure_name(network.measure) + (f" in {unit}" if unit else "")


def _pair(catalog: Catalog, network: NetworkSynthesis, c: NetworkComparison) -> PairRow:
    null, scale = no_difference(network), network.scale
    first, second = catalog.treatment(c.treatment), uncapital(catalog.treatment(c.comparator))
    sd = "" if scale == "ratio" else " SD"
    new = shown.shown(c.value, c.pi_low, c.pi_high, scale, null)
    return PairRow(
        pair=f"{first} against {second}",
        value=_text(c.value, c.low, c.high, scale, null),
        prediction=f"{new.low} to {new.high}",
        tells=_tells(catalog, network, c),
        direct=tuple((catalog.study_names[s], links.study(s)) for s in c.direct),
        otherwise=tuple(
            f"scale {shown.number(s.assumed)}{sd}: {_text(s.value, s.low, s.high, scale, null)}"
            for s in network.sensitivity
            if (s.treatment, s.comparator) == (c.treatment, c.comparator)
        ),
    )


def _text(value: float, low: float, high: float, scale: str, null: float) -> str:
    """Return value and interval without the name of the interval, which the heading bears."""
    text = shown.shown(value, low, high, scale, null)
    return f"{text.value} ({text.low} to {text.high})"


def _tells(catalog: Catalog, network: NetworkSynthesis, c: NetworkComparison) -> str:
    null = no_difference(network)
    if c.low <= null <= c.high:
        return "cannot be told apart"
    above = c.low > null
    first = above == (catalog.topic.outcome(network.outcome).better == "higher")
    side = c.treatment if first else c.comparator
    return f"better with {uncapital(catalog.treatment(side))}"


def _study(catalog: Catalog, network: NetworkSynthesis, study_id: str) -> StudyRow:
    study = catalog.topic.studies[study_id]
    mine = [c.estimate for c in network.contributions if c.estimate.study == study_id]
    arms = dict.fromkeys(a for e in mine for a in (e.arm, e.comparator_arm or ""))
    weeks = sorted({e.week for e in mine if e.week is not None})
    imputed = any(e.basis == "imputed" for e in mine)
    patients = study.population.patients
    return StudyRow(
        name=catalog.study_names[study_id],
        path=links.study(study_id),
        arms=", ".join(catalog.arm_names[study_id][a] for a in arms),
        design=design(study),
        patients="not stated" if patients is None else shown.count(patients),
        conditions=", ".join(catalog.conditions[c] for c in study.population.conditions),
        sites=", ".join(catalog.sites[s] for s in study.population.sites) or "not stated",
        week=", ".join(shown.number(w) for w in weeks) or "not stated",
        basis="imputed" if imputed else "printed or computed",
    )


def _incoherence(network: NetworkSynthesis) -> str:
    if network.q is None or network.q_p is None:
        return (
            "Cannot be tested: no pair is known from two designs that could disagree. That direct "
            "and indirect evidence agree is an assumption here."
        )
    return (
        f"Between designs Q = {shown.number(network.q, 2)}, df = {network.q_df}, "
        f"{shown.p_value(network.q_p)}, heterogeneity set aside. So few studies "
        "hardly ever show disagreement by such a test: a large p does not say that they agree."
    )


def _small_studies(network: NetworkSynthesis) -> str:
    k = len(network.studies)
    if k >= FEWEST_FOR_SMALL_STUDY_EFFECTS:
        return "Not looked at in networks."
    return (
        f"Not looked at: that needs {FEWEST_FOR_SMALL_STUDY_EFFECTS} studies, "
        f"here are {k} (Sterne 2011)."
    )
