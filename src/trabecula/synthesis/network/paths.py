"""The paths along which evidence for one comparison flows."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, require_option
from trabecula.synthesis.network.contribution import Decomposition, contrast_weights
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.flow import EvidenceFlow, edge_weights
from trabecula.synthesis.network.shortest_path import shortest_path_shares
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.text import number

Path = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class EvidencePaths(Result):
    """The paths of one comparison, those that carry most first.

    ``paths`` are the treatments on the way from ``first`` to ``second``, ``contribution``
    (paths,) the evidence that flows along each, in percent; ``unlisted`` is what flows along
    others; ``direct`` what compares the two themselves, listed or not. ``tau2`` is the
    between-study variance of the model.
    """

    method: Decomposition
    first: str
    second: str
    tau2: FloatArray
    paths: tuple[tuple[str, ...], ...]
    contribution: FloatArray
    unlisted: FloatArray
    direct: FloatArray

    def summary(self) -> str:
        """Return the paths that carry most, in words."""
        listed = [
            f"{' – '.join(path)} {number(float(share), 0)} %"
            for path, share in islice(zip(self.paths, self.contribution, strict=True), 3)
        ]
        count = "1 path" if len(self.paths) == 1 else f"{len(self.paths)} paths"
        return (
            f"Evidence on {self.first} versus {self.second}: {number(float(self.direct), 0)} % "
            f"direct; {count} listed, {number(float(self.unlisted), 0)} % along others. "
            f"Most flows along {'; '.join(listed)}."
        )

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a path."""
        return [
            {"path": list(path), "contribution": float(share)}
            for path, share in zip(self.paths, self.contribution, strict=True)
        ]


def evidence_paths(
    evidence: NetworkEvidence,
    first: str,
    second: str,
    *,
    tau2: ArrayLike = 0.0,
    method: Decomposition = "random-walk",
    most: int = 100,
) -> EvidencePaths:
    """Return the paths along which evidence for `first` versus `second` flows.

    Parameters
    ----------
    evidence
        Studies that link all treatments; one data set.
    first, second
        The treatments compared.
    tau2
        Between-study variance of the model; 0 is the common model.
    method
        How the flow is taken apart, as in `contribution_matrix`. A random walk has many paths:
        mostly more than can be listed.
    most
        Most paths to list; the rest is told as a sum.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Examples
    --------
    >>> trials = ["A", "B", "C"], ["x", "x", "y"], ["y", "z", "z"]
    >>> evidence = NetworkEvidence.from_contrasts(*trials, [-0.4, -0.9, -0.2], [0.04, 0.05, 0.03])
    >>> evidence_paths(evidence, "x", "y").paths
    (('x', 'y'), ('x', 'z', 'y'))
    """
    require_option("method", method, get_args(Decomposition))
    for name, value in (("first", first), ("second", second)):
        require_option(name, value, evidence.treatments)
    if first == second:
        raise ValueError(f"first and second must differ, got {first!r} twice")
    if not isinstance(most, int) or most < 1:
        raise ValueError(f"most must be a whole number from 1 on, got {most!r}")
    if evidence.shape or np.ndim(tau2):
        raise ValueError("paths are those of one data set: give one data set and one tau2")
    graph, spread, contrast = contrast_weights(evidence, tau2)
    ends = np.array([[evidence.treatments.index(name) for name in (first, second)]])
    flow = EvidenceFlow.of(graph, edge_weights(evidence, graph, contrast)[0], ends)
    found = _walks(flow) if method == "random-walk" else _streams(flow)
    listed = list(islice(found, most))
    shares = 100 * np.array([share for share, _ in listed])
    return EvidencePaths(
        method=method,
        first=first,
        second=second,
        tau2=frozen(spread[0]),
        paths=tuple(tuple(evidence.treatments[i] for i in path) for _, path in listed),
        contribution=frozen(shares),
        unlisted=frozen(max(100 - float(shares.sum()), 0.0)),
        direct=frozen(100 * float(np.abs(flow.flow[0, _between(flow)]).sum())),
    )


def _between(flow: EvidenceFlow) -> NDArray[np.bool_]:
    """Return which edges, one or none, join source and sink."""
    ends = np.sort([flow.source[0], flow.sink[0]])
    joined: NDArray[np.bool_] = (np.sort(flow.edges, axis=1) == ends).all(axis=1)
    return joined


def _streams(flow: EvidenceFlow) -> Iterator[tuple[float, Path]]:
    """Return the paths of the shortest-path decomposition, those that carry most first."""
    found: list[tuple[float, Path]] = []

    def record(_: IntArray, carried: FloatArray, length: IntArray, path: IntArray) -> None:
        for share, steps, way in zip(carried, length, path, strict=True):
            found.append((float(share), tuple(int(i) for i in way[: steps + 1])))

    shortest_path_shares(flow, record)
    return iter(sorted(found, key=lambda pair: (-pair[0], len(pair[1]), pair[1])))


def _walks(flow: EvidenceFlow) -> Iterator[tuple[float, Path]]:
    """Yield the paths of the random walk, the most probable first.

    The beginning of a path waits with the probability of its best end, which is known.
    """
    matrix = np.zeros((flow.treatments, flow.treatments))
    one, other = flow.edges.T
    matrix[one, other], matrix[other, one] = np.maximum(flow.flow, 0), np.maximum(-flow.flow, 0)
    through = matrix.sum(axis=1, keepdims=True)
    chance = np.divide(matrix, through, out=np.zeros_like(matrix), where=through > 0)
    source, sink = int(flow.source[0]), int(flow.sink[0])
    best = np.zeros(flow.treatments)
    best[sink] = 1.0
    for place in np.argsort(flow.potential[0]):
        if place != sink:
            best[place] = (chance[place] * best).max()
    waiting: list[tuple[float, Path, float]] = [(-best[source], (source,), 1.0)]
    while waiting:
        _, path, reached = heapq.heappop(waiting)
        if path[-1] == sink:
            yield reached, path
            continue
        for step in np.flatnonzero(chance[path[-1]] * best):
            share = reached * float(chance[path[-1], step])
            heapq.heappush(waiting, (-share * best[step], (*path, int(step)), share))
