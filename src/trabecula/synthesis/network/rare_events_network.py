"""Networks of rare events: odds ratios without continuity corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    FloatArray,
    IntArray,
    confidence_level,
    require_option,
)
from trabecula.synthesis.network.arm_counts import ArmCounts
from trabecula.synthesis.network.decomposition import upper_tail
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph, differences, resistance
from trabecula.synthesis.network.normal_inference import normal_inference
from trabecula.synthesis.result import Result, frozen
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

RareEventsMethod = Literal["mantel-haenszel", "noncentral-hypergeometric"]
"""*mantel-haenszel*: designs pooled by Mantel-Haenszel, then combined by inverse variances;
*noncentral-hypergeometric*: the likelihood given the number of events of each study, in its
multinomial approximation for rare events."""

STEPS = 100
"""Most Newton steps of the likelihood; 5 to 8 are usual."""

PRECISION = 1e-13
"""The search ends when no log odds ratio moves by more than this."""

LONGEST = 2.0
"""Longest step of a log odds ratio: farther off the local parabola says nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class RareEventsNetworkFit(Result):
    """Log odds ratios of all treatments (treatments, treatments), row minus column.

    ``k`` studies with information. ``q``, ``q_df`` and ``q_p_value`` test the coherence of the
    designs, NaN where the method has no such test or there is nothing to test.
    ``dropped_studies`` had events in nobody or in everybody; ``dropped_arms`` names treatments
    with no events, or nothing else, in all studies of their design, and these studies.
    """

    method: RareEventsMethod
    level: float
    treatments: tuple[str, ...]
    reference: str
    dropped_studies: tuple[str, ...]
    dropped_arms: tuple[tuple[str, str], ...]
    k: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    p_value: FloatArray
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray

    def summary(self) -> str:
        """Return the odds ratios' logarithms against the reference, and what was left out."""
        column = self.treatments.index(self.reference)
        parts = []
        for row, name in enumerate(self.treatments):
            if row != column:
                places = decimals(float(self.se[row, column]))
                low, high = float(self.ci_low[row, column]), float(self.ci_high[row, column])
                value = number(float(self.estimate[row, column]), places)
                parts.append(f"{name} {value} ({interval(low, high, places)})")
        text = (
            f"Common-effect network meta-analysis of events in {self.k:.0f} studies "
            f"({self.method}, no continuity correction). Log odds ratios against {self.reference} "
            f"({percent(self.level)} CI): {'; '.join(parts)}."
        )
        if np.isfinite(self.q_p_value):
            q = number(float(self.q), 2)
            text += f" Incoherence: Q({self.q_df:.0f}) = {q}, {p_value(float(self.q_p_value))}."
        if self.dropped_studies:
            text += f" Without information, all or no events: {', '.join(self.dropped_studies)}."
        if self.dropped_arms:
            arms = "; ".join(f"{arm} in {where}" for arm, where in self.dropped_arms)
            text += f" Arms without information: {arms}."
        return text


def rare_events_network(
    study: Sequence[str],
    treatment: Sequence[str],
    events: ArrayLike,
    n: ArrayLike,
    *,
    method: RareEventsMethod = "mantel-haenszel",
    level: float = 0.95,
    reference: str | None = None,
) -> RareEventsNetworkFit:
    """Return log odds ratios between all treatments from counts, without continuity corrections.

    Parameters
    ----------
    study, treatment
        Names, one entry an arm.
    events, n
        Persons with an event and persons in each arm.
    method
        How designs are pooled. Both assume common effects.
    level
        Confidence level of the intervals, which are normal.
    reference
        The treatment against which the summary reports; the first in the alphabet if not given.

    Raises
    ------
    DisconnectedNetwork
        If the arms with information do not link all treatments, naming the parts.
    ValueError
        Naming every study at fault, or if no study has information.
    ArithmeticError
        If odds ratios are infinite: some treatment has events only where no other has.

    Notes
    -----
    Efthimiou et al. (2019), Stat Med 38:2992-3012; Stijnen, Hamza and Özdemir (2010), Stat Med
    29:3046-3067, for the conditional likelihood. A study in which nobody, or everybody, had an
    event says nothing about odds ratios and is left out, as are arms of which that is true in all
    studies of the same design.
    """
    require_option("method", method, get_args(RareEventsMethod))
    level = confidence_level(level)
    counts = ArmCounts.read(study, treatment, events, n)
    if reference is not None:
        require_option("reference", reference, counts.treatments)
    pool = _mantel_haenszel if method == "mantel-haenszel" else _conditional
    estimate, variance, q, df = pool(counts)
    compared = normal_inference(estimate, np.sqrt(variance), level)
    compared.pop("statistic")
    arrays = compared | {
        "k": len(np.unique(counts.study)),
        "q": q,
        "q_df": df,
        "q_p_value": upper_tail(np.array(q), df),
    }
    return RareEventsNetworkFit(
        method=method,
        level=level,
        treatments=counts.treatments,
        reference=reference or counts.treatments[0],
        dropped_studies=counts.dropped_studies,
        dropped_arms=counts.dropped_arms,
        **{name: frozen(value) for name, value in arrays.items()},
    )


def _mantel_haenszel(counts: ArmCounts) -> tuple[FloatArray, FloatArray, float, int]:
    """Return estimates, variances, and Q between designs with its degrees of freedom."""
    table: dict[str, list[Any]] = {n: [] for n in ("design", "first", "second", "y", "v")}
    of_arm = counts.design[counts.study]
    for design in np.unique(of_arm):
        rows = np.flatnonzero(of_arm == design)
        arms = np.unique(counts.treatment[rows])
        shape = (-1, len(arms))
        events, n = counts.events[rows].reshape(shape), counts.n[rows].reshape(shape)
        mean, covariance = _pooled_arms(events, n - events)
        own = np.diagonal(covariance)
        one, other = np.triu_indices(len(arms), 1)
        table["design"] += [str(design)] * len(one)
        table["first"] += [counts.treatments[arms[i]] for i in one]
        table["second"] += [counts.treatments[arms[i]] for i in other]
        table["y"].append(mean[one] - mean[other])
        table["v"].append(own[one] + own[other] - 2 * covariance[one, other])
    evidence = NetworkEvidence.from_contrasts(
        table["design"],
        table["first"],
        table["second"],
        np.concatenate(table["y"]),
        np.concatenate(table["v"]),
    )
    graph = Graph.of(evidence)
    at = graph.solve(np.zeros(1))
    return differences(at.effect)[0], resistance(at.inverse)[0], float(at.q[0]), graph.df


def _pooled_arms(events: FloatArray, others: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Mantel-Haenszel log odds of arms (arms,), up to a constant, and their covariance.

    From tables (studies, arms) of one design. The log odds ratios of all pairs of arms are made
    consistent by averaging; `pair` is their variance, `triple` (x, y, z) the covariance of those
    of x with y and of x with z.
    """
    size = events.shape[1]
    total = (events + others).sum(axis=1)[:, None, None]
    c = events[:, :, None] * others[:, None, :] / total
    d = (events[:, :, None] + others[:, None, :]) / total
    pooled = c.sum(axis=0)
    if not (pooled > 0).all():
        raise ArithmeticError(
            "a Mantel-Haenszel odds ratio is 0 or infinite: in some design no study has both "
            "events under one treatment and persons without an event under another; use the "
            "method noncentral-hypergeometric or a binomial model"
        )
    turned = np.swapaxes(c, 1, 2)
    back = np.swapaxes(d, 1, 2)
    pair = (c * d).sum(axis=0) / (2 * pooled**2) + (turned * back).sum(axis=0) / (2 * pooled.T**2)
    pair += (c * back + turned * d).sum(axis=0) / (2 * pooled * pooled.T)
    triple = _triples(events, others, pooled)
    x = np.arange(size)
    pair[x, x] = 0.0
    single = pair.sum(axis=1) + triple.sum(axis=(1, 2))
    covariance = triple.sum(axis=0) - triple.sum(axis=2) - triple.sum(axis=2).T - pair
    covariance[x, x] = single
    means = np.log(pooled / pooled.T).mean(axis=1)
    return means, covariance / size**2


def _triples(a: FloatArray, b: FloatArray, pooled: FloatArray) -> FloatArray:
    """Return the covariances (x, y, z) of log odds ratios that share x; 0 unless all differ."""
    n = a + b
    total = n.sum(axis=1, keepdims=True) ** 2
    both, one, other, none = (
        np.einsum("sx,sy,sz->xyz", left / total, middle, right)
        for left, middle, right in ((a, b, b), (n, b, a), (n, a, b), (b, a, a))
    )
    to, back = pooled[:, :, None], pooled.T[:, :, None]
    to_third, back_third = pooled[:, None, :], pooled.T[:, None, :]
    sums = both / (to * to_third) + one / (to * back_third)
    sums += other / (back * to_third) + none / (back * back_third)
    x, y, z = np.ogrid[: len(pooled), : len(pooled), : len(pooled)]
    return np.where((x != y) & (x != z) & (y != z), sums / 3, 0.0)


def _conditional(counts: ArmCounts) -> tuple[FloatArray, FloatArray, float, int]:
    """Return estimates and variances of highest likelihood given the events of each study."""
    size = len(counts.treatments)
    _, study = np.unique(counts.study, return_inverse=True)
    arms = np.zeros((study.max() + 1, size))
    arms[study, counts.treatment] = counts.n
    happened = np.zeros_like(arms)
    happened[study, counts.treatment] = counts.events
    total = happened.sum(axis=1)
    effect = np.zeros(size)
    for _ in range(STEPS):
        share = arms * np.exp(effect)
        share /= share.sum(axis=1, keepdims=True)
        score = (happened - total[:, None] * share).sum(axis=0)
        information = np.diag(total @ share) - (total[:, None] * share).T @ share
        inverse = np.zeros((size, size))
        inverse[1:, 1:] = np.linalg.inv(information[1:, 1:])
        step = inverse @ score
        effect = effect + step * min(1.0, LONGEST / max(float(np.abs(step).max()), LONGEST))
        if np.abs(step).max() < PRECISION * (1 + np.abs(effect).max()):
            return differences(effect), resistance(inverse), float("nan"), 0
    raise ArithmeticError(
        f"the likelihood has no maximum that {STEPS} steps find: some treatment has events only "
        "where no other has, or none where others have, so that its odds ratio is infinite"
    )
