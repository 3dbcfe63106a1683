"""Direct evidence beside indirect evidence, comparison by comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level
from trabecula.synthesis.distributions import two_sided_p
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph, resistance
from trabecula.synthesis.network.normal_inference import normal_inference
from trabecula.synthesis.network.preset import preset_tau2
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import number, p_value

ALL_DIRECT = np.finfo(np.float64).eps ** 0.5
"""A share of indirect evidence below this is rounding: there is no indirect estimate then."""

PARTS = ("estimate", "se", "ci_low", "ci_high", "p_value")


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceSplit(Result):
    """Direct, indirect and network estimates of all comparisons (..., comparisons).

    ``first`` and ``second`` name the treatments of each comparison; estimates are first minus
    second. ``studies`` counts the studies that compare them directly; ``proportion`` is the share
    of the network estimate that is direct, the variance of the network estimate over that of the
    direct one. Fields named ``direct_...`` are NaN where no study compares both treatments,
    ``indirect_...`` where nothing else does (or where, by correlated arms, the share exceeds 1),
    ``difference...`` (direct minus indirect) where either is.
    """

    level: float
    first: tuple[str, ...]
    second: tuple[str, ...]
    tau2: FloatArray
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
    difference_statistic: FloatArray
    difference_p_value: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a comparison, for one data set."""
        self.require_one("a table")
        table = self.to_dict()
        names = [n for n, v in table.items() if isinstance(v, list)]
        columns: list[Any] = [table[name] for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    def summary(self) -> str:
        """Return in sentences how much evidence is direct and where both kinds differ most."""
        self.require_one()
        direct, both = self.studies > 0, np.isfinite(self.difference)
        text = (
            f"Of {len(self.first)} comparisons {int(direct.sum())} have direct evidence and "
            f"{int(both.sum())} both direct and indirect evidence."
        )
        if not both.any():
            return f"{text} Direct and indirect evidence cannot be held against each other."
        i = int(np.nanargmin(self.difference_p_value))
        return (
            f"{text} They differ most for {self.first[i]} versus {self.second[i]} "
            f"(z = {number(float(self.difference_statistic[i]), 2)}, "
            f"{p_value(float(self.difference_p_value[i]))}, the smallest of {int(both.sum())})."
        )


def direct_and_indirect(
    evidence: NetworkEvidence, *, tau2: ArrayLike = 0.0, level: float = 0.95
) -> EvidenceSplit:
    """Return direct and indirect estimates of every comparison, and their difference.

    The direct estimate pools the contrasts of all studies that compare both treatments, each
    with its own variance plus `tau2`. The indirect one is what must be combined with it, by
    inverse variances, to give the network estimate (back-calculation). Intervals are normal.

    Parameters
    ----------
    evidence
        Contrasts or arms of studies that link all treatments; leading axes are data sets.
    tau2
        The between-study variance (...), such as ``fit.tau2``; 0 is the common model.
    level
        Confidence level of all intervals.

    Raises
    ------
    DisconnectedNetwork, ValueError, ArithmeticError
        As `network_meta_analysis`.

    Notes
    -----
    König, Krahn and Binder (2013), Stat Med 32:5414-5429, for the proportion; Dias et al. (2010),
    Stat Med 29:932-944, for back-calculation. In the direct estimate of a comparison made by a
    multi-arm study its other arms play no part, so that the difference is not a test of
    incoherence between independent sources there; node splitting is.
    """
    level = confidence_level(level)
    graph = Graph.of(evidence)
    known = preset_tau2(graph, tau2)
    at = graph.solve(known)
    first, second = np.triu_indices(graph.treatments, 1)
    network = at.effect[:, first] - at.effect[:, second]
    variance = resistance(at.inverse)[:, first, second]
    place = np.full((graph.treatments, graph.treatments), -1)
    place[first, second] = np.arange(len(first))
    direct_at = place[graph.pairs[:, 0], graph.pairs[:, 1]]
    direct, direct_variance = _pooled(evidence, graph, known)
    values: dict[str, Any] = {"tau2": known}
    studies = np.zeros((len(known), len(first)), dtype=np.int64)
    studies[:, direct_at] = np.bincount(graph.pair)
    share = np.zeros_like(network)
    share[:, direct_at] = variance[:, direct_at] / direct_variance
    values |= {"studies": studies, "proportion": share}
    spread = {name: np.full_like(network, np.nan) for name in ("estimate", "variance")}
    spread["estimate"][:, direct_at] = direct
    spread["variance"][:, direct_at] = direct_variance
    rest = np.where(1 - share > ALL_DIRECT, 1 - share, np.nan)
    indirect = (network - share * np.nan_to_num(spread["estimate"])) / rest
    values |= _inferred("direct", spread["estimate"], spread["variance"], level)
    values |= _inferred("indirect", indirect, variance / rest, level)
    values |= _inferred("network", network, variance, level)
    difference = spread["estimate"] - indirect
    se = np.sqrt(spread["variance"] + variance / rest)
    values |= {
        "difference": difference,
        "difference_se": se,
        "difference_statistic": difference / se,
        "difference_p_value": two_sided_p(difference / se, np.array(np.inf)),
    }
    return EvidenceSplit(
        level=level,
        first=tuple(evidence.treatments[i] for i in first),
        second=tuple(evidence.treatments[i] for i in second),
        **shaped(values, evidence.shape),
    )


def _pooled(
    evidence: NetworkEvidence, graph: Graph, tau2: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return direct estimates and variances (data sets, pairs), each contrast for itself."""
    variance = evidence.variance.reshape(len(tau2), -1)
    weight = 1 / (variance + tau2[:, None])
    total = graph.by_pair(weight)
    return graph.by_pair(weight * graph.estimate) / total, 1 / total


def _inferred(
    name: str, estimate: FloatArray, variance: FloatArray, level: float
) -> dict[str, FloatArray]:
    columns = normal_inference(estimate, np.sqrt(variance), level)
    return {f"{name}_{part}": columns[part] for part in PARTS}
