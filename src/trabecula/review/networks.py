"""Network estimates where comparisons connect three treatments or more in two studies or more.

Few studies cannot tell how much they differ. A network is therefore answered by its exact
posterior with a half-normal prior of that difference, whose scale the protocol states and
varies (`Assumptions.heterogeneity_scale`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trabecula.effects.estimate import Estimate
from trabecula.records import Outcome, Question, Topic
from trabecula.review.evidence_base import SCOPES, in_scope
from trabecula.review.geometry import connected
from trabecula.review.model import Contribution, Omission, Scope
from trabecula.review.network_evidence import Star, completed_contrasts
from trabecula.review.network_model import (
    NetworkComparison,
    NetworkRank,
    NetworkSensitivity,
    NetworkSynthesis,
)
from trabecula.review.pool import contribution, shown_value
from trabecula.review.questions import COMPARED, Group, identifier, scale_of, slots_of
from trabecula.review.select import Slot, select
from trabecula.review.treatments import treatment_of
from trabecula.synthesis import (
    BayesianNetworkFit,
    HalfNormal,
    NetworkEvidence,
    Posterior,
    bayesian_network,
    network_meta_analysis,
)

FEWEST_TREATMENTS, FEWEST_STUDIES = 3, 2
"""Two treatments are a pairwise question, and one study is its own answer."""

LOG_RATIO = "RR"
"""The measure on whose own scale the prior is stated; means, in points or weeks, need the SD."""


@dataclass(frozen=True, slots=True)
class _Connected:
    """A part of a network: its contributions and its complete contrasts."""

    contributions: tuple[Contribution, ...]
    evidence: NetworkEvidence
    completed: tuple[str, ...]


def network_syntheses(topic: Topic, estimates: Iterable[Estimate]) -> tuple[NetworkSynthesis, ...]:
    """Return the answer of every network, in the order of the protocol's questions.

    The scope ``all`` is answered only where it adds a study to the primary one.
    """
    compared = [e for e in estimates if e.comparator]
    return tuple(
        synthesis
        for question in topic.file.protocol.questions
        for synthesis in _answers(topic, question, compared)
    )


def _answers(
    topic: Topic, question: Question, estimates: Iterable[Estimate]
) -> Iterator[NetworkSynthesis]:
    outcome = topic.outcome(question.outcome)
    measure = COMPARED[outcome.kind]
    relevant = [e for e in estimates if e.outcome == outcome.id and e.measure == measure]
    for slot in slots_of(topic, question):
        seen: set[tuple[str, ...]] = set()
        for scope in SCOPES:
            mine = [e for e in relevant if in_scope(topic, topic.studies[e.study], scope)]
            for instrument, event in sorted({_common(outcome, e) for e in mine}, key=str):
                alike = [e for e in mine if _common(outcome, e) == (instrument, event)]
                group = Group("", None, instrument, event)
                for synthesis in _networks(topic, outcome, group, alike, slot, scope):
                    if synthesis.studies not in seen:
                        seen.add(synthesis.studies)
                        yield synthesis


def _common(outcome: Outcome, estimate: Estimate) -> tuple[str | None, str | None]:
    event = None if estimate.event_name in outcome.any_event else estimate.event_name
    return estimate.instrument, event


def _pair(estimate: Estimate) -> tuple[str, str]:
    return treatment_of(estimate.regimens), treatment_of(estimate.comparator)


def _networks(
    topic: Topic,
    outcome: Outcome,
    group: Group,
    estimates: Sequence[Estimate],
    slot: Slot,
    scope: Scope,
) -> Iterator[NetworkSynthesis]:
    by_pair: dict[tuple[str, str], list[Estimate]] = defaultdict(list)
    for estimate in estimates:
        by_pair[_pair(estimate)].append(estimate)
    chosen: list[Estimate] = []
    omissions: list[Omission] = []
    for pair in sorted(by_pair):
        kept, left = select(by_pair[pair], slot)
        chosen += kept
        omissions += left
    chosen = list(_one_study_a_cohort(chosen, omissions))
    for joined in _joined(topic, chosen, omissions):
        unit = _unit(topic, joined)
        if unit is not None:
            treatments = set(joined.evidence.treatments)
            outside = [o for o in omissions if treatments & set(_pair(o.estimate))]
            yield _synthesis(topic, outcome, group, joined, unit, outside, slot, scope)


def _one_study_a_cohort(
    estimates: Sequence[Estimate], omissions: list[Omission]
) -> Iterator[Estimate]:
    """Yield of each cohort the estimates of the study with most comparisons, then patients."""
    worth: dict[tuple[str, str], tuple[int, int]] = {}
    for e in estimates:
        count, n = worth.get((e.cohort, e.study), (0, 0))
        worth[e.cohort, e.study] = count + 1, n + (e.n or 0)
    best: dict[str, str] = {}
    for (cohort, study), _ in sorted(worth.items(), key=lambda item: (item[1], item[0])):
        best[cohort] = study
    for e in estimates:
        if best[e.cohort] == e.study:
            yield e
        else:
            text = f"may share patients with {best[e.cohort]} (cohort {e.cohort}), which has more"
            omissions.append(Omission(e, "shared-cohort", text))


def _joined(
    topic: Topic, estimates: Sequence[Estimate], omissions: list[Omission]
) -> list[_Connected]:
    """Return what comparisons connect, multi-arm studies completed, where that is a network.

    What cannot be used is left out first, so that a part which falls apart without it is
    judged by what remains connected.
    """
    rows: list[tuple[str, str, str, float, float]] = []
    kept: list[Estimate] = []
    completed: list[str] = []
    for study in sorted({e.study for e in estimates}):
        mine = [e for e in estimates if e.study == study]
        arms = {a.id: a.patients for a in topic.studies[study].arms}
        contrasts, derived, left = completed_contrasts(mine, Star(arms))
        rows += [(study, *c) for c in contrasts]
        kept += [e for e in mine if all(e is not other for other, _ in left)]
        completed += [study] if derived else []
        omissions += [Omission(e, "no-covariance", text) for e, text in left]
    found = []
    for part in connected((first, second) for _, first, second, _, _ in rows):
        inside = [row for row in rows if row[1] in part]
        studies = {row[0] for row in inside}
        if len(part) >= FEWEST_TREATMENTS and len(studies) >= FEWEST_STUDIES:
            evidence = NetworkEvidence.from_contrasts(*zip(*inside, strict=True))
            parts = tuple(contribution(e, None) for e in kept if _pair(e)[0] in part)
            found.append(_Connected(parts, evidence, tuple(s for s in completed if s in studies)))
    return found


def _synthesis(
    topic: Topic,
    outcome: Outcome,
    group: Group,
    joined: _Connected,
    unit: float,
    omissions: Sequence[Omission],
    slot: Slot,
    scope: Scope,
) -> NetworkSynthesis:
    measure = joined.contributions[0].estimate.measure
    assumed = topic.file.protocol.assumptions.heterogeneity_scale
    controls = topic.file.protocol.control_regimens
    small: Literal["desirable", "undesirable"] = (
        "desirable" if outcome.better == "lower" else "undesirable"
    )

    def fit_with(scale: float) -> BayesianNetworkFit:
        prior = HalfNormal(scale * unit)
        return bayesian_network(joined.evidence, tau_prior=prior, small_values=small)

    def results_with(scale: float) -> Iterator[tuple[str, str, tuple[float, float, float]]]:
        other = fit_with(scale)
        return _results(other.comparison, other, controls)

    fit = fit_with(float(assumed.value))
    test = network_meta_analysis(joined.evidence, method="common")
    tested = bool(test.q_between_df > 0)
    show = shown_value(measure)
    at = slot.window.id if slot.window else None
    named = Group("network-" + "-".join(fit.treatments), None, group.instrument, group.event)
    return NetworkSynthesis(
        id=identifier(named, outcome.id, measure, at or slot.timing, scope),
        outcome=outcome.id,
        event=group.event,
        measure=measure,
        instrument=group.instrument,
        timing=slot.timing,
        window=at,
        scope=scope,
        scale=scale_of(outcome, measure),
        treatments=fit.treatments,
        contributions=joined.contributions,
        omissions=tuple(omissions),
        comparisons=tuple(_comparisons(fit, joined, measure, controls)),
        ranks=tuple(_ranks(fit)),
        tau=(float(fit.tau.median), float(fit.tau.ci_low), float(fit.tau.ci_high)),
        prior=_prior(float(assumed.value), unit, measure),
        q=float(test.q_between) if tested else None,
        q_df=int(test.q_between_df) if tested else None,
        q_p=float(test.q_between_p_value) if tested else None,
        completed=joined.completed,
        sensitivity=tuple(
            NetworkSensitivity(float(value), first, second, *map(show, limits))
            for value in assumed.sensitivity
            for first, second, limits in results_with(float(value))
        ),
        n=_patients(topic, joined),
    )


def _results(
    posterior: Posterior, fit: BayesianNetworkFit, controls: Collection[str]
) -> Iterator[tuple[str, str, tuple[float, float, float]]]:
    """Yield median and limits of every pair; what counts as no treatment stands second."""
    for i, (first, second) in enumerate(zip(fit.first, fit.second, strict=True)):
        value, low, high = (
            float(part[i]) for part in (posterior.median, posterior.ci_low, posterior.ci_high)
        )
        if first in controls and second not in controls:
            yield second, first, (-value, -high, -low)
        else:
            yield first, second, (value, low, high)


def _comparisons(
    fit: BayesianNetworkFit, joined: _Connected, measure: str, controls: Collection[str]
) -> Iterator[NetworkComparison]:
    show, evidence = shown_value(measure), joined.evidence
    rows = zip(evidence.study, evidence.first, evidence.second, strict=True)
    direct: dict[frozenset[str], list[str]] = defaultdict(list)
    for study, one, other in rows:
        pair = frozenset((evidence.treatments[one], evidence.treatments[other]))
        direct[pair].append(evidence.studies[study])
    now = _results(fit.comparison, fit, controls)
    new = _results(fit.prediction, fit, controls)
    for (first, second, limits), (_, _, predicted) in zip(now, new, strict=True):
        value, low, high = map(show, limits)
        pi = show(predicted[1]), show(predicted[2])
        studies = tuple(direct[frozenset((first, second))])
        yield NetworkComparison(first, second, value, low, high, *pi, studies)


def _ranks(fit: BayesianNetworkFit) -> Iterator[NetworkRank]:
    for i in np.argsort(-fit.sucra, kind="stable"):
        chances = tuple(float(p) for p in fit.rank_probability[i])
        yield NetworkRank(fit.treatments[i], float(fit.sucra[i]), float(fit.mean_rank[i]), chances)


def _unit(topic: Topic, joined: _Connected) -> float | None:
    """Return what the prior's scale counts in: 1 for ratios, the SD of patients for means.

    The SD is the median of those that the standard errors imply; None where no study says how
    many patients it compares.
    """
    if joined.contributions[0].estimate.measure == LOG_RATIO:
        return 1.0
    found = []
    for e in (c.estimate for c in joined.contributions):
        sizes = {a.id: a.patients for a in topic.studies[e.study].arms}
        n, other = sizes.get(e.arm), sizes.get(e.comparator_arm or "")
        if n and other:
            found.append(e.se / math.sqrt(1 / n + 1 / other))
    return float(np.median(found)) if found else None


def _prior(scale: float, unit: float, measure: str) -> str:
    """Return the prior in words, with its scale in SDs of patients where that is its unit."""
    if measure == LOG_RATIO:
        return f"half-normal with scale {scale:g}, on the log scale"
    return f"half-normal with scale {scale:g} SD of patients, here {scale * unit:.2g}"


def _patients(topic: Topic, joined: _Connected) -> int:
    """Return the patients of the arms that are compared, each once, also where arms cross over."""
    total = 0
    for study in dict.fromkeys(c.estimate.study for c in joined.contributions):
        mine = [c.estimate for c in joined.contributions if c.estimate.study == study]
        arms = {a for e in mine for a in (e.arm, e.comparator_arm)}
        known = [a.patients for a in topic.studies[study].arms if a.id in arms]
        every = topic.studies[study].population.patients
        if all(n is not None for n in known):
            count = sum(n for n in known if n is not None)
            total += count if every is None else min(count, every)
        else:
            total += every or 0
    return total
