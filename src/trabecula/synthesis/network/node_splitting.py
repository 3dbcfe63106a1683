"""Direct against indirect evidence, each from studies of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.network.direct_evidence import EvidenceSplit, direct_and_indirect
from trabecula.synthesis.network.evidence import NetworkEvidence, connected_parts
from trabecula.synthesis.network.graph import Graph, Solution, resistance
from trabecula.synthesis.network.network_heterogeneity import NetworkMethod, between_study_variance
from trabecula.synthesis.network.normal_inference import normal_inference
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

Separation = Literal["split", "direct-only", "indirect-only", "inseparable"]
"""*split*: both kinds of evidence stand side by side; *direct-only*, *indirect-only*: there is
but one; *inseparable*: what is indirect comes from studies that also compare the two directly."""

REASONS: dict[Separation, str] = {
    "split": "direct and indirect evidence from studies of their own",
    "direct-only": "no other chain of comparisons links the two",
    "indirect-only": "no study compares the two",
    "inseparable": "every other chain of comparisons needs a study that also compares the two",
}

PARTS = ("estimate", "se", "ci_low", "ci_high", "p_value")

ALL_DIRECT = 1e-9
"""An estimate whose variance is that of the direct evidence but for this share is direct only."""


@dataclass(frozen=True, slots=True, eq=False)
class NodeSplit(Result):
    """Direct and indirect estimates of comparisons: arrays (..., comparisons), first minus second.

    ``tau2`` (...) is the between-study variance of the whole network, ``tau2_without``
    (..., comparisons) that of the studies which do not compare the two, NaN where these leave no
    degree of freedom for it: they are then taken to have none. ``studies`` counts those
    that do; ``proportion`` is the share of the network estimate that is direct. ``difference`` is
    the direct minus the indirect estimate. What a comparison has no evidence for
    is NaN, and ``separation`` tells which kind there is; where it is *indirect-only* the indirect
    estimate is that of the network.
    """

    method: NetworkMethod
    level: float
    first: tuple[str, ...]
    second: tuple[str, ...]
    separation: tuple[Separation, ...]
    tau2: FloatArray
    tau2_without: FloatArray
    studies: IntArray
    proportion: FloatArray
    direct_estimate: FloatArray
    direct_se: FloatArray
    direct_ci_low: FloatArray
    direct_ci_high: FloatArray
    direct_p_value: FloatArray
    indirect_estimate: FloatArray
    indirect_se: FloatArray
    indirect_ci_low: FloatArray
    indirect_ci_high: FloatArray
    indirect_p_value: FloatArray
    network_estimate: FloatArray
    network_se: FloatArray
    network_ci_low: FloatArray
    network_ci_high: FloatArray
    network_p_value: FloatArray
    difference: FloatArray
    difference_se: FloatArray
    difference_ci_low: FloatArray
    difference_ci_high: FloatArray
    difference_statistic: FloatArray
    difference_p_value: FloatArray

    def summary(self) -> str:
        """Return which comparisons could be split, and where the two sides are furthest apart.

        `ValueError` for the results of several data sets: describe one, ``split[i].summary()``.
        """
        self.require_one()
        return " ".join(_sentences(self))

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a comparison, with the reason where it could not be split."""
        self.require_one("a table")
        named = {"first", "second", "separation", "method", "level", "tau2"}
        records: list[dict[str, Json]] = []
        tables = {n: v for n, v in self.to_dict().items() if n not in named}
        for i, separation in enumerate(self.separation):
            record: dict[str, Json] = {"first": self.first[i], "second": self.second[i]}
            record |= {"separation": separation, "reason": REASONS[separation]}
            record |= {n: v[i] for n, v in tables.items() if isinstance(v, list)}
            records.append(record)
        return records


def node_splitting(
    evidence: NetworkEvidence,
    *,
    comparisons: Sequence[tuple[str, str]] | None = None,
    method: NetworkMethod = "REML",
    level: float = 0.95,
) -> NodeSplit:
    """Return direct and indirect estimates from different studies, and whether they agree.

    For each comparison all studies that hold both treatments are set aside, the rest is
    analysed anew with a heterogeneity of its own, and its estimate is compared with the direct one
    (SIDDE, separate indirect from direct design evidence).

    Parameters
    ----------
    evidence
        Studies that link all treatments; leading axes are data sets.
    comparisons
        Pairs of treatments, first minus second; all pairs where none are named.
    method
        How the between-study variance is estimated, in the whole network and without the
        studies of each comparison. Direct estimates use that of the whole network.
    level
        Confidence level of all intervals, which are normal.

    Raises
    ------
    DisconnectedNetwork
        If nothing links some treatments, naming the parts.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Efthimiou et al. (2019), Stat Med 38:2992-3012, section on SIDDE; Dias et al. (2010), Stat Med
    29:932-944, on splitting. The tests of different comparisons use the same studies: they are
    not independent, and one in twenty is expected below 0.05.

    Examples
    --------
    >>> trials = ["A", "B", "C"], ["x", "x", "y"], ["y", "z", "z"]
    >>> evidence = NetworkEvidence.from_contrasts(*trials, [-0.4, -0.9, -0.2], [0.04, 0.05, 0.03])
    >>> split = node_splitting(evidence, comparisons=[("x", "y")], method="common")
    >>> [round(float(x[0]), 2) for x in (split.direct_estimate, split.indirect_estimate)]
    [-0.4, -0.7]
    """
    require_option("method", method, get_args(NetworkMethod))
    level = confidence_level(level)
    pairs = _pairs(evidence, comparisons)
    graph = Graph.of(evidence)
    tau2 = between_study_variance(graph, method)[0]
    known = np.nan_to_num(tau2).reshape(evidence.shape)
    whole = _turned(direct_and_indirect(evidence, tau2=known, level=level), pairs, graph)
    studies, proportion = whole["studies"][0], whole["proportion"]
    estimate, variance, without = _indirect(evidence, pairs, studies, method, len(tau2))
    separation = _separation(studies, proportion, variance)
    alone = studies == 0
    estimate[:, alone] = whole["network_estimate"][:, alone]
    variance[:, alone] = whole["network_se"][:, alone] ** 2
    values = whole | {"tau2": tau2, "tau2_without": without}
    for name, value in normal_inference(estimate, np.sqrt(variance), level).items():
        values |= {f"indirect_{name}": value} if name in PARTS else {}
    difference = whole["direct_estimate"] - estimate
    spread = np.sqrt(whole["direct_se"] ** 2 + variance)
    for name, value in normal_inference(difference, spread, level).items():
        values["difference" if name == "estimate" else f"difference_{name}"] = value
    return NodeSplit(
        method=method,
        level=level,
        first=tuple(evidence.treatments[i] for i in pairs[:, 0]),
        second=tuple(evidence.treatments[i] for i in pairs[:, 1]),
        separation=separation,
        **shaped(values, evidence.shape),
    )


def _turned(split: EvidenceSplit, pairs: IntArray, graph: Graph) -> dict[str, FloatArray]:
    """Return direct and network estimates (data sets, comparisons) of `pairs`, first minus second.

    The limits of an interval change places where a pair is turned round.
    """
    low, high = pairs.min(axis=1), pairs.max(axis=1)
    place = low * graph.treatments - low * (low + 1) // 2 + high - low - 1
    turned = pairs[:, 0] > pairs[:, 1]
    count = len(split.first)
    names = [f"{side}_{part}" for side in ("direct", "network") for part in PARTS]
    table = {
        name: np.reshape(getattr(split, name), (-1, count))[:, place]
        for name in ("studies", "proportion", *names)
    }
    for side in ("direct", "network"):
        estimate, least, most = (table[f"{side}_{n}"] for n in ("estimate", "ci_low", "ci_high"))
        table[f"{side}_estimate"] = np.where(turned, -estimate, estimate)
        table[f"{side}_ci_low"] = np.where(turned, -most, least)
        table[f"{side}_ci_high"] = np.where(turned, -least, most)
    return table


def _indirect(
    evidence: NetworkEvidence, pairs: IntArray, studies: IntArray, method: NetworkMethod, sets: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return estimate, variance and tau2 (data sets, comparisons) without the direct studies."""
    found = np.full((3, sets, len(pairs)), np.nan)
    refits: dict[bytes, tuple[NetworkEvidence, Solution, FloatArray]] = {}
    for index in np.flatnonzero(studies > 0):
        low, high = sorted(int(i) for i in pairs[index])
        of_pair = (evidence.first == low) & (evidence.second == high)
        rest = np.ones(len(evidence.studies), dtype=bool)
        rest[evidence.study[of_pair]] = False
        linking = _linking(evidence, rest, low, high)
        if not linking.any():
            continue
        key = linking.tobytes()
        if key not in refits:
            refits[key] = _refit(evidence.subset(linking), method)
        part, at, tau2 = refits[key]
        one, other = (part.treatments.index(evidence.treatments[i]) for i in pairs[index])
        estimate = at.effect[:, one] - at.effect[:, other]
        found[:, :, index] = estimate, resistance(at.inverse)[:, one, other], tau2
    return found[0], found[1], found[2]


def _refit(
    part: NetworkEvidence, method: NetworkMethod
) -> tuple[NetworkEvidence, Solution, FloatArray]:
    graph = Graph.of(part)
    tau2 = between_study_variance(graph, method)[0]
    return part, graph.solve(np.nan_to_num(tau2)), tau2


def _linking(
    evidence: NetworkEvidence, studies: NDArray[np.bool_], one: int, other: int
) -> NDArray[np.bool_]:
    """Return which of `studies` (a mask) form the part that links two treatments; none if none."""
    rows = studies[evidence.study]
    edges = np.stack([evidence.first[rows], evidence.second[rows]], axis=1)
    label = connected_parts(len(evidence.treatments), edges)
    part = np.zeros_like(studies)
    if label[one] == label[other]:
        part[evidence.study[rows & (label[evidence.first] == label[one])]] = True
    return part


def _separation(
    studies: IntArray, proportion: FloatArray, indirect: FloatArray
) -> tuple[Separation, ...]:
    found: list[Separation] = []
    for index, count in enumerate(studies):
        if count == 0:
            found.append("indirect-only")
        elif np.isfinite(indirect[:, index]).all():
            found.append("split")
        else:
            alone = (proportion[:, index] > 1 - ALL_DIRECT).all()
            found.append("direct-only" if alone else "inseparable")
    return tuple(found)


def _pairs(evidence: NetworkEvidence, comparisons: Sequence[tuple[str, str]] | None) -> IntArray:
    if comparisons is None:
        return np.stack(np.triu_indices(len(evidence.treatments), 1), axis=1).astype(np.int64)
    pairs = []
    for pair in comparisons:
        if isinstance(pair, str) or len(pair) != 2 or pair[0] == pair[1]:
            raise ValueError(f"comparisons must be pairs of different treatments, got {pair!r}")
        for name in pair:
            require_option("comparisons", name, evidence.treatments)
        pairs.append([evidence.treatments.index(name) for name in pair])
    if not pairs:
        raise ValueError("comparisons must name at least one pair; leave it out for all pairs")
    return np.array(pairs, dtype=np.int64)


def _sentences(split: NodeSplit) -> list[str]:
    whole = len(split.separation)
    counts = {kind: split.separation.count(kind) for kind in get_args(Separation)}
    told = [
        f"Node splitting: {counts['split']} of {whole} comparisons have direct and indirect "
        "evidence from different studies."
    ]
    told += [
        f"{counts[kind]} {kind.replace('-', ' ')}: {REASONS[kind]}."
        for kind in ("direct-only", "indirect-only", "inseparable")
        if counts[kind]
    ]
    if not counts["split"]:
        return [*told, "Agreement of direct and indirect evidence cannot be tested."]
    most = int(np.nanargmin(split.difference_p_value))
    places = decimals(float(split.difference_se[most]))
    limits = interval(
        float(split.difference_ci_low[most]), float(split.difference_ci_high[most]), places
    )
    p = split.difference_p_value
    bare = int((np.isfinite(p) & np.isnan(split.tau2_without)).sum())
    told.append(
        f"The two differ most, for their precision, in {split.first[most]} versus "
        f"{split.second[most]}: direct {number(float(split.direct_estimate[most]), places)}, "
        f"indirect {number(float(split.indirect_estimate[most]), places)}, difference "
        f"{number(float(split.difference[most]), places)} ({percent(split.level)} CI {limits}; "
        f"{p_value(float(p[most]))}). p < 0.05 in {int((p < 0.05).sum())} of {counts['split']}; "
        "these tests share studies and are not adjusted for their number."
    )
    if bare:
        told.append(
            f"In {bare} of {counts['split']} the indirect studies leave no degree of freedom to "
            "estimate heterogeneity, which is taken as none there: p may be too small."
        )
    return told
