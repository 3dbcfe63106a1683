"""Where the evidence for each comparison comes from: which comparisons, how far, which studies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.design_estimates import DesignEstimates
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph, Solution, resistance
from trabecula.synthesis.network.independent_rows import RowBlock
from trabecula.synthesis.network.preset import preset_tau2
from trabecula.synthesis.network.study_groups import helmert
from trabecula.synthesis.result import Json, Result, frozen, shaped

IRREPLACEABLE = 1e-9
"""A share of information that the other studies add to a study's own below which they add none:
rounding leaves about 1e-13."""

SPARSE = 0.1
"""Such a share below which it is found from the other studies, not as what is left of 1."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkMeasures(Result):
    """How the evidence of each comparison flows through the network (..., comparisons).

    ``first`` and ``second`` name the treatments of each comparison, ``direct_first`` and
    ``direct_second`` those of the comparisons with direct evidence. ``hat`` (..., comparisons,
    direct comparisons) holds the coefficients by which direct comparisons, pooled with the
    weights of the network, enter each network estimate. ``mean_path_length`` is how many direct
    comparisons are chained on average; above 2 a comparison deserves caution.
    ``minimal_parallelism`` is the inverse of the largest share that passes one design.
    """

    first: tuple[str, ...]
    second: tuple[str, ...]
    direct_first: tuple[str, ...]
    direct_second: tuple[str, ...]
    tau2: FloatArray
    hat: FloatArray
    mean_path_length: FloatArray
    minimal_parallelism: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a comparison, for one data set."""
        self.require_one("a table")
        columns = zip(
            self.first,
            self.second,
            self.mean_path_length.tolist(),
            self.minimal_parallelism.tolist(),
            strict=True,
        )
        names = ("first", "second", "mean_path_length", "minimal_parallelism")
        return [dict(zip(names, column, strict=True)) for column in columns]


@dataclass(frozen=True, slots=True, eq=False)
class StudyImportance(Result):
    """How much precision each comparison loses without each study.

    ``importance`` (..., studies, comparisons) is the share of the precision (inverse variance) of
    a network estimate that goes with the study: 0 none, 1 all, where nothing else links both
    treatments. Shares of several studies do not add up to 1.
    """

    studies: tuple[str, ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    tau2: FloatArray
    importance: FloatArray


def network_measures(evidence: NetworkEvidence, *, tau2: ArrayLike = 0.0) -> NetworkMeasures:
    """Return how direct evidence is combined in each network estimate.

    Parameters
    ----------
    evidence
        Contrasts or arms of studies that link all treatments; leading axes are data sets.
    tau2
        The between-study variance (...), such as ``fit.tau2``; 0 is the common model.

    Raises
    ------
    DisconnectedNetwork, ValueError, ArithmeticError
        As `network_meta_analysis`.

    Notes
    -----
    Davies et al. (2022), Stat Med 41:2091-2114, for the hat matrix; König, Krahn and
    Binder (2013), Stat Med 32:5414-5429, for path length and parallelism. What passes a
    multi-arm design is half the sum of what enters and leaves its arms.
    """
    graph = Graph.of(evidence)
    known = preset_tau2(graph, tau2)
    at = graph.solve(known)
    first, second = np.triu_indices(graph.treatments, 1)
    potential = at.inverse[:, first] - at.inverse[:, second]
    one, other = graph.pairs.T
    weight = graph.by_pair(graph.rows.contrast_weights(at.weight))
    hat = (potential[..., one] - potential[..., other]) * weight[:, None, :]
    passing = _passing(DesignEstimates.of(graph, known), potential)
    values = {
        "tau2": known,
        "hat": hat,
        "mean_path_length": passing.sum(axis=-1),
        "minimal_parallelism": 1 / passing.max(axis=-1),
    }
    names = evidence.treatments
    return NetworkMeasures(
        first=tuple(names[i] for i in first),
        second=tuple(names[i] for i in second),
        direct_first=tuple(names[i] for i in one),
        direct_second=tuple(names[i] for i in other),
        **shaped(values, evidence.shape),
    )


def study_importance(evidence: NetworkEvidence, *, tau2: ArrayLike = 0.0) -> StudyImportance:
    """Return the share of the precision of each comparison that depends on each study.

    Parameters
    ----------
    evidence
        Contrasts or arms of studies that link all treatments; leading axes are data sets.
    tau2
        The between-study variance (...), such as ``fit.tau2``, kept when a study is left out.

    Raises
    ------
    DisconnectedNetwork, ValueError, ArithmeticError
        As `network_meta_analysis`.

    Notes
    -----
    Rücker et al. (2020), BMC Med Res Methodol 20:190. Studies are left out exactly, by deletion
    formulas, not by giving them a large variance.
    """
    graph = Graph.of(evidence)
    known = preset_tau2(graph, tau2)
    at = graph.solve(known)
    first, second = np.triu_indices(graph.treatments, 1)
    variance = resistance(at.inverse)[:, first, second]
    importance = np.zeros((len(known), len(evidence.studies), len(first)))
    for block in graph.rows.blocks:
        importance[:, block.group.studies] = _importance(
            graph, block, at, (first, second), variance
        )
    return StudyImportance(
        studies=evidence.studies,
        first=tuple(evidence.treatments[i] for i in first),
        second=tuple(evidence.treatments[i] for i in second),
        **shaped({"tau2": known, "importance": frozen(importance)}, evidence.shape),
    )


def _passing(estimates: DesignEstimates, potential: FloatArray) -> FloatArray:
    """Return what passes each design (data sets, comparisons, designs)."""
    parts = []
    for block in estimates.blocks:
        basis = helmert(block.arms)
        laplacian = basis.T @ block.precision @ basis
        of_arms = potential[..., block.treatments]
        flow = (laplacian[:, None] @ of_arms[..., None])[..., 0]
        parts.append(np.abs(flow).sum(axis=-1) / 2)
    return np.concatenate(parts, axis=-1)


def _importance(
    graph: Graph,
    block: RowBlock,
    at: Solution,
    compared: tuple[IntArray, IntArray],
    variance: FloatArray,
) -> FloatArray:
    """Return the importance (data sets, group, comparisons) of the studies of a block.

    With the rows of a study scaled to unit variance, its covariance with each comparison is
    ``u`` and its residual covariance ``1 - C``; leaving it out adds ``u' (1 - C)^-1 u``. Where
    that matrix has no inverse in the direction of ``u``, the comparison is lost.
    """
    root = np.sqrt(at.weight[:, block.rows])[..., None]
    of_arms = at.inverse[:, block.group.treatments]
    of_rows = root * (block.coefficient @ of_arms)
    arms = np.broadcast_to(
        block.group.treatments[:, None, :], (*of_rows.shape[1:3], block.group.arms)
    )
    own = np.take_along_axis(of_rows, np.broadcast_to(arms, (len(of_rows), *arms.shape)), axis=-1)
    shared = own @ np.swapaxes(root * block.coefficient, -1, -2)
    free, directions = np.linalg.eigh(np.eye(block.group.arms - 1) - shared)
    for study in np.flatnonzero((free < SPARSE).any(axis=(0, -1))):
        own = np.maximum(1 - free[:, study], 1 - SPARSE)
        left = _left_by_others(graph, at, block.rows[study], directions[:, study])
        free[:, study] = np.where(free[:, study] < SPARSE, left / own, free[:, study])
    first, second = compared
    covariance = np.swapaxes(directions, -1, -2) @ (of_rows[..., first] - of_rows[..., second])
    lost = free[..., None] < IRREPLACEABLE
    added = np.where(lost, 0.0, covariance**2 / np.where(lost, 1.0, free[..., None])).sum(axis=-2)
    gone = (lost & (covariance**2 > IRREPLACEABLE * variance[:, None, None, :])).any(axis=-2)
    return np.where(gone, 1.0, added / (variance[:, None, :] + added))


def _left_by_others(
    graph: Graph, at: Solution, rows: IntArray, directions: FloatArray
) -> FloatArray:
    """Return h (1 - h) for the eigenvalues h of a study's hat matrix (data sets, arms - 1).

    The hat matrix of the network is its own square: it is the sum of squares of what the other
    rows receive of the `directions`. Nothing cancels where h is about 1.
    """
    root = np.sqrt(at.weight)
    load = np.zeros((directions.shape[-1], *root.shape))
    load[..., rows] = np.moveaxis(directions, -1, 0)
    moved = at.inverse @ graph.rows.adjoint(root * load)[..., None]
    received = (root * graph.rows.fitted(moved[..., 0])) ** 2
    received[..., rows] = 0.0
    product: FloatArray = received.sum(axis=-1).T
    return product
