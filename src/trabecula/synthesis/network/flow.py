"""The evidence for each comparison as a flow from one treatment to the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph, laplacian

NO_FLOW = 1e-12
"""Share of the evidence below which a flow is rounding: double precision leaves about 1e-15 where
there is none, and a direction must not be read into that."""


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceFlow:
    """One unit of evidence flowing from ``source`` to ``sink`` of each comparison.

    The row of the hat matrix that belongs to a comparison is a flow: what enters a treatment
    leaves it, except at both ends (König, Krahn and Binder 2013, Stat Med 32:5414-5429).
    ``edges`` (edges, 2) are the comparisons with direct evidence; ``flow`` (comparisons, edges)
    is positive from the first treatment of an edge to the second, which then has the lower
    ``potential`` (comparisons, treatments): nothing flows in circles.
    """

    source: IntArray
    sink: IntArray
    edges: IntArray
    potential: FloatArray
    flow: FloatArray

    @classmethod
    def of(cls, graph: Graph, weight: FloatArray, comparisons: IntArray) -> Self:
        """Return the flows of `comparisons` (comparisons, 2) with `weight` (edges,)."""
        inverse = graph.grounded_inverse(laplacian(graph.pairs, weight, graph.treatments))
        source, sink = comparisons.T
        one, other = graph.pairs.T
        potential = inverse[source] - inverse[sink]
        flow = (potential[:, one] - potential[:, other]) * weight
        flow[np.abs(flow) <= NO_FLOW] = 0.0
        return cls(source, sink, graph.pairs, potential, flow)

    @property
    def treatments(self) -> int:
        """The number of treatments."""
        return int(self.potential.shape[1])

    def rows(self, index: IntArray | slice) -> EvidenceFlow:
        """Return the flows of some comparisons."""
        return EvidenceFlow(
            self.source[index],
            self.sink[index],
            self.edges,
            self.potential[index],
            self.flow[index],
        )


def edge_weights(evidence: NetworkEvidence, graph: Graph, contrast: FloatArray) -> FloatArray:
    """Return the weights (data sets, edges) of comparisons with weights (data sets, contrasts).

    Raises
    ------
    ValueError
        If one is not positive: evidence would then flow both ways.
    """
    weight = graph.by_pair(contrast)
    wrong = np.argwhere(weight <= 0)
    if len(wrong):
        one, other = (evidence.treatments[i] for i in graph.pairs[wrong[0, -1]])
        raise ValueError(
            "contributions need direct comparisons with positive weights; that of "
            f"{one} with {other} is {weight[tuple(wrong[0])]:.3g}, because arms of a study of "
            "several arms are strongly correlated: check its variances"
        )
    return weight
