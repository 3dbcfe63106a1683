"""What the studies of each design say together, before designs are held against each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.graph import Graph, Solution
from trabecula.synthesis.network.independent_rows import RowBlock
from trabecula.synthesis.network.study_groups import helmert


@dataclass(frozen=True, slots=True, eq=False)
class DesignBlock:
    """The designs of one number of arms, in orthonormal contrasts between their arms.

    ``designs`` (group,) are indices into ``evidence.designs``, ``treatments`` (group, arms) their
    treatments. With leading axes of data sets: ``precision`` (group, arms - 1, arms - 1) and
    ``mean`` (group, arms - 1) of the pooled effects, ``q`` (group,) the spread of the studies
    about them, ``trace`` (group,) that of the projection onto that spread. ``studies`` (group,)
    counts them.
    """

    designs: IntArray
    treatments: IntArray
    studies: IntArray
    precision: FloatArray
    mean: FloatArray
    q: FloatArray
    trace: FloatArray

    @property
    def arms(self) -> int:
        """The number of arms."""
        return int(self.treatments.shape[1])

    @property
    def df(self) -> IntArray:
        """The degrees of freedom within each design (group,)."""
        return (self.studies - 1) * (self.arms - 1)

    def residual(self, at: Solution) -> FloatArray:
        """Return pooled minus network effects (..., group, arms - 1)."""
        of_arms = at.effect[..., self.treatments]
        return self.mean - of_arms @ helmert(self.arms).T

    def covariance(self, inverse: FloatArray, place: int) -> FloatArray:
        """Return the covariance (..., arms - 1, arms - 1) that `inverse` gives one design."""
        basis, arms = helmert(self.arms), self.treatments[place]
        return basis @ inverse[..., arms[:, None], arms] @ basis.T


@dataclass(frozen=True, slots=True, eq=False)
class DesignEstimates:
    """The pooled effects of all designs for one between-study variance a data set."""

    blocks: tuple[DesignBlock, ...]

    @classmethod
    def of(cls, graph: Graph, tau2: FloatArray) -> Self:
        """Return the estimates of the designs at `tau2` (data sets,)."""
        weight = 1 / (graph.rows.variance + tau2[..., None])
        blocks = [
            _block(block, graph.design[block.group.studies], weight, graph.rows.estimate)
            for block in graph.rows.blocks
        ]
        return cls(tuple(blocks))

    @property
    def q_within(self) -> FloatArray:
        """The spread of studies about their design, summed over designs (data sets,)."""
        return cast(FloatArray, sum(block.q.sum(axis=-1) for block in self.blocks))

    @property
    def df_within(self) -> int:
        """Its degrees of freedom."""
        return int(sum(block.df.sum() for block in self.blocks))

    @property
    def trace_within(self) -> FloatArray:
        """The trace of the projection onto that spread (data sets,)."""
        return cast(FloatArray, sum(block.trace.sum(axis=-1) for block in self.blocks))

    def q_between(self, at: Solution) -> FloatArray:
        """Return the spread of the designs about the network (data sets,)."""
        parts = [_form(block.residual(at), block.precision) for block in self.blocks]
        return cast(FloatArray, sum(part.sum(axis=-1) for part in parts))


def within_design_variance(estimates: DesignEstimates) -> FloatArray:
    """Return the DerSimonian-Laird between-study variance (data sets,) within designs.

    The designs have effects of their own (full design-by-treatment interaction), so that
    incoherence does not count as heterogeneity. 0 where no design has two studies. `estimates`
    must be those without heterogeneity.
    """
    if estimates.df_within == 0:
        return np.zeros_like(estimates.q_within)
    moment = (estimates.q_within - estimates.df_within) / estimates.trace_within
    return np.maximum(moment, 0.0)


def _block(
    block: RowBlock, design: IntArray, weight: FloatArray, estimate: FloatArray
) -> DesignBlock:
    order = np.argsort(design, kind="stable")
    designs, start = np.unique(design[order], return_index=True)
    place = np.searchsorted(designs, design)

    def by_design(values: FloatArray, axis: int) -> FloatArray:
        return np.add.reduceat(values.take(order, axis=axis), start, axis=axis)

    w, y = weight[..., block.rows], estimate[..., block.rows]
    c = block.coefficient @ helmert(block.group.arms).T
    weighted = np.swapaxes(c, -1, -2) * w[..., None, :]
    precision = by_design(weighted @ c, -3)
    covariance = np.linalg.inv(precision)
    mean = (covariance @ by_design(weighted @ y[..., None], -3))[..., 0]
    residual = y - (c @ mean[..., place, :, None])[..., 0]
    leverage = ((c @ covariance[..., place, :, :]) * c).sum(axis=-1)
    return DesignBlock(
        designs=designs,
        treatments=block.group.treatments[order][start],
        studies=np.bincount(place),
        precision=precision,
        mean=mean,
        q=by_design((w * residual**2).sum(axis=-1), -1),
        trace=by_design((w - w**2 * leverage).sum(axis=-1), -1),
    )


def _form(vector: FloatArray, matrix: FloatArray) -> FloatArray:
    return cast(FloatArray, ((matrix @ vector[..., None])[..., 0] * vector).sum(axis=-1))
