"""How much each direct comparison, or each study, contributes to every estimate of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, require_option
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.flow import EvidenceFlow, edge_weights
from trabecula.synthesis.network.graph import Graph
from trabecula.synthesis.network.preset import preset_tau2
from trabecula.synthesis.network.random_walk import random_walk_shares
from trabecula.synthesis.network.shortest_path import shortest_path_shares
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import number

Decomposition = Literal["random-walk", "shortest-path"]
"""*random-walk*: evidence spreads over all paths as it flows; *shortest-path*: the shortest path
takes all it can carry, then the next."""

ContributionBy = Literal["comparison", "study"]
"""What contributes: direct *comparison* or *study*."""


@dataclass(frozen=True, slots=True, eq=False)
class ContributionMatrix(Result):
    """What contributes to each estimate, in percent: rows of ``contribution`` sum to 100.

    ``contribution`` (..., comparisons, sources) has a row for each pair of treatments, named by
    ``first`` and ``second``, and a column for each of ``sources``: direct comparisons, written
    ``first:second``, or studies. ``tau2`` is the between-study variance of the model.
    """

    method: Decomposition
    by: ContributionBy
    first: tuple[str, ...]
    second: tuple[str, ...]
    sources: tuple[str, ...]
    tau2: FloatArray
    contribution: FloatArray

    def summary(self) -> str:
        """Return in words what the estimates rest on, on average.

        `ValueError` for the results of several data sets: describe one, ``matrix[i].summary()``.
        """
        self.require_one()
        mean = self.contribution.mean(axis=0)
        most = int(mean.argmax())
        what = "direct comparison" if self.by == "comparison" else "study"
        plural = "direct comparisons" if self.by == "comparison" else "studies"
        how = "random walk" if self.method == "random-walk" else "shortest paths first"
        low, high = self.contribution[:, most].min(), self.contribution[:, most].max()
        return (
            f"Contributions of {len(self.sources)} {plural} to {len(self.first)} estimates ({how}, "
            f"τ² = {float(self.tau2):.3g}): the {what} {self.sources[most]} contributes most, "
            f"{number(float(mean[most]), 0)} % on average "
            f"({number(float(low), 0)} to {number(float(high), 0)} %)."
        )

    def rows(self) -> list[dict[str, Json]]:
        """Return one record for each estimate and each source that contributes to it."""
        self.require_one("a table")
        return [
            {
                "first": self.first[row],
                "second": self.second[row],
                "source": self.sources[column],
                "contribution": float(self.contribution[row, column]),
            }
            for row, column in np.argwhere(self.contribution > 0)
        ]


def contribution_matrix(
    evidence: NetworkEvidence,
    *,
    tau2: ArrayLike = 0.0,
    method: Decomposition = "random-walk",
    by: ContributionBy = "comparison",
) -> ContributionMatrix:
    """Return what contributes how much to the estimate of every comparison.

    Parameters
    ----------
    evidence
        Studies that link all treatments; leading axes are data sets.
    tau2
        Between-study variance (...) of the model, mostly that of a fit; 0 is the common model.
    method
        How the flow of evidence is taken apart into paths. *random-walk* is one of a kind;
        *shortest-path* depends, where paths of equal length compete, on the order of names.
    by
        Whether direct comparisons contribute or studies; a study has the share of a direct
        comparison that its weight has there.

    Raises
    ------
    DisconnectedNetwork
        If nothing links some treatments, naming the parts.
    ValueError
        If an argument is out of range, or a direct comparison or study has a weight below zero.

    Notes
    -----
    Papakonstantinou et al. (2018), F1000Research 7:610, for shortest paths; Davies et al. (2022),
    Stat Med 41:2091-2114, for the random walk.

    Examples
    --------
    >>> trials = ["A", "B", "C"], ["x", "x", "y"], ["y", "z", "z"]
    >>> evidence = NetworkEvidence.from_contrasts(*trials, [-0.4, -0.9, -0.2], [0.04, 0.05, 0.03])
    >>> contribution_matrix(evidence).contribution[0].round(1).tolist()
    [66.7, 16.7, 16.7]
    """
    require_option("method", method, get_args(Decomposition))
    require_option("by", by, get_args(ContributionBy))
    graph, spread, contrast = contrast_weights(evidence, tau2)
    weight = edge_weights(evidence, graph, contrast)
    first, second = np.triu_indices(graph.treatments, 1)
    comparisons = np.stack([first, second], axis=1)
    shares = random_walk_shares if method == "random-walk" else shortest_path_shares
    matrix = np.stack([shares(EvidenceFlow.of(graph, each, comparisons)) for each in weight])
    if by == "study":
        matrix = matrix @ _of_studies(evidence, contrast / weight[:, graph.pair])
    names = [f"{evidence.treatments[i]}:{evidence.treatments[j]}" for i, j in graph.pairs]
    return ContributionMatrix(
        method=method,
        by=by,
        first=tuple(evidence.treatments[i] for i in first),
        second=tuple(evidence.treatments[i] for i in second),
        sources=tuple(names) if by == "comparison" else evidence.studies,
        **shaped({"tau2": spread, "contribution": 100 * matrix}, evidence.shape),
    )


def contrast_weights(
    evidence: NetworkEvidence, tau2: ArrayLike
) -> tuple[Graph, FloatArray, FloatArray]:
    """Return graph, between-study variances (data sets,) and weights (data sets, contrasts)."""
    graph = Graph.of(evidence)
    spread = preset_tau2(graph, tau2)
    return graph, spread, graph.rows.contrast_weights(1 / (graph.rows.variance + spread[:, None]))


def _of_studies(evidence: NetworkEvidence, share: FloatArray) -> FloatArray:
    """Return the share (data sets, edges, studies) of each study in direct comparisons.

    `share` (data sets, contrasts) is that of each contrast in its direct comparison.
    """
    negative = np.unique(evidence.study[(share < 0).any(axis=0)])
    if len(negative):
        raise ValueError(
            "by='study' needs contrasts with positive weights; those of "
            f"{', '.join(evidence.studies[i] for i in negative)} are not, because arms are "
            "strongly correlated: check the variances, or use by='comparison'"
        )
    matrix = np.zeros((len(share), len(evidence.pairs), len(evidence.studies)))
    matrix[:, evidence.pair, evidence.study] = share
    return matrix
