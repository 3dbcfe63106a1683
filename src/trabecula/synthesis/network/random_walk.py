r"""How long a random walk along the evidence is, and what each comparison contributes to it.

A walker goes from source to sink and leaves each treatment along its flows, in proportion to
them. An edge contributes the sum over all paths through it of probability over length (Davies,
Papakonstantinou, Nikolakopoulou, Rücker and Galla 2022). Paths are too many to list, but their
lengths are not: let :math:`F_i(x)` and :math:`G_j(x)` be the generating functions of the number
of steps from the source to :math:`i` (for walks that pass there) and from :math:`j` to the sink.
A path of length :math:`l` through the edge has :math:`l - 1` other steps, and
:math:`1/l = \int_0^1 x^{l-1} dx`, so that the edge with flow :math:`q_{ij}` contributes

.. math:: q_{ij} \int_0^1 F_i(x)\, G_j(x)\, dx .

Both are found by one substitution in the order of the potentials. The integrand is a polynomial:
Gauss-Legendre quadrature with enough nodes is exact.
"""

from __future__ import annotations

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.flow import EvidenceFlow

CHUNK = 2_000_000
"""Numbers held at a time in the matrices of flows of several comparisons (16 MB)."""

NEGLIGIBLE = 1e-16
"""Probability of walks that may be longer than the quadrature integrates exactly."""

BASES = 2.0 ** np.arange(0.5, 5.5, 0.5)
"""Arguments at which the generating function of the length bounds its upper tail (Chernoff)."""

LARGEST_POWER = 1e300
"""No power of these may exceed it."""


def random_walk_shares(flow: EvidenceFlow) -> FloatArray:
    """Return the share (comparisons, edges) of each edge in each comparison; rows sum to 1."""
    size = max(1, CHUNK // flow.treatments**2)
    starts = range(0, len(flow.source), size)
    parts = [_shares(flow.rows(slice(start, start + size))) for start in starts]
    return np.concatenate(parts)


def _shares(flow: EvidenceFlow) -> FloatArray:
    rank = _rank(flow.potential)
    row = np.arange(len(flow.source))
    matrix, upper, lower = _ordered(flow, rank)
    through = matrix.sum(axis=2)
    through[row, rank[row, flow.sink]] = 1.0
    through = np.where(through > 0, through, 1.0)
    into = np.ascontiguousarray((matrix / through[:, None, :]).swapaxes(1, 2))
    out_of = np.ascontiguousarray((matrix / through[:, :, None])[:, ::-1, ::-1])
    start, end = rank[row, flow.source], rank[row, flow.sink]
    bases = BASES[np.log(BASES) * flow.treatments < np.log(LARGEST_POWER)]
    nodes = _nodes_needed(_steps(into, start, bases)[row, end], bases, flow.treatments)
    x, weight = np.polynomial.legendre.leggauss(nodes)
    x, weight = (x + 1) / 2, weight / 2
    ahead = _steps(into, start, x) * weight
    behind = _steps(out_of, flow.treatments - 1 - end, x)[:, ::-1]
    shares = matrix * (ahead @ behind.swapaxes(1, 2))
    return np.where(flow.flow != 0, shares[row[:, None], upper, lower], 0.0)


def _rank(potential: FloatArray) -> IntArray:
    """Return the place of each treatment in the order in which evidence flows."""
    order = np.argsort(-potential, axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.arange(potential.shape[1])[None, :], axis=1)
    return rank


def _ordered(flow: EvidenceFlow, rank: IntArray) -> tuple[FloatArray, IntArray, IntArray]:
    """Return the flows as upper triangular matrices, and the place of each edge in them."""
    count, size = rank.shape
    one, other = rank[:, flow.edges[:, 0]], rank[:, flow.edges[:, 1]]
    upper, lower = np.minimum(one, other), np.maximum(one, other)
    matrix = np.zeros((count, size, size))
    matrix[np.arange(count)[:, None], upper, lower] = np.abs(flow.flow)
    return matrix, upper, lower


def _steps(into: FloatArray, start: IntArray, x: FloatArray) -> FloatArray:
    """Return the generating functions (comparisons, treatments, x) of steps since `start`.

    Row i of `into` holds the probabilities that the walker came to i from each earlier place.
    """
    count, size, _ = into.shape
    steps = np.zeros((count, size, len(x)))
    steps[np.arange(count), start] = 1.0
    for place in range(1, size):
        steps[:, place] += x * (into[:, place, None, :place] @ steps[:, :place])[:, 0]
    return steps


def _nodes_needed(length: FloatArray, bases: FloatArray, treatments: int) -> int:
    """Return how many nodes integrate all lengths but those that hardly occur.

    `length` (comparisons, bases) is the generating function of the length at `bases`. The rule
    with K nodes is exact for lengths up to 2 K, and never wrong by more than the integral; no
    path is longer than the number of treatments less one.
    """
    always = max(1, treatments // 2)
    if not len(bases):
        return always
    steps = np.log(length / NEGLIGIBLE) / np.log(bases)
    return min(always, max(1, int(np.ceil(steps.min(axis=1).max() / 2))))
