"""A network as independent rows: multi-arm studies rotated until their errors are uncorrelated.

With arm variances :math:`v` the contrasts of a study have the covariance of its centered arms,
:math:`P diag(v) P`, with eigenvalues :math:`s / 2` and eigenvectors :math:`z / sqrt(2)`. Random
effects add tau2 to every contrast, tau2 / 2 to every arm, hence tau2 to every :math:`s`: the
rows :math:`z' y` are independent with variances :math:`s + tau2` whatever tau2 is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.study_groups import StudyGroup, helmert


@dataclass(frozen=True, slots=True, eq=False)
class RowBlock:
    """The rows of a group of studies: ``coefficient`` (data sets, group, arms - 1, arms).

    ``rows`` (group, arms - 1) are their positions. ``product`` (data sets, group, pairs,
    arms - 1) is minus the product of the coefficients of both arms of a contrast. Where all
    data sets have the same variances, the axis of data sets has length 1.
    """

    group: StudyGroup
    rows: IntArray
    coefficient: FloatArray
    product: FloatArray

    def sets(self, part: slice) -> Self:
        """Return the rows of some of the data sets."""
        if len(self.coefficient) == 1:
            return self
        return replace(self, coefficient=self.coefficient[part], product=self.product[part])


@dataclass(frozen=True, slots=True, eq=False)
class IndependentRows:
    """Independent combinations of arms: ``estimate`` and ``variance`` (data sets, rows).

    Under random effects the variances are ``variance + tau2``. ``study`` (rows,) is the study
    of each row; the rows of studies with fewer arms come first.
    """

    estimate: FloatArray
    variance: FloatArray
    study: IntArray
    blocks: tuple[RowBlock, ...]
    treatments: int
    contrasts: int

    @classmethod
    def of(
        cls,
        groups: tuple[StudyGroup, ...],
        estimate: FloatArray,
        variance: FloatArray,
        treatments: int,
    ) -> Self:
        """Return the rows of contrasts (..., contrasts); data sets become one axis."""
        contrasts = estimate.shape[-1]
        y, v = estimate.reshape(-1, contrasts), variance.reshape(-1, contrasts)
        if (v == v[:1]).all():
            v = v[:1]
        values, spreads, studies, blocks, start = [], [], [], [], 0
        for group in groups:
            block, spread, value = _rotated(group, y, v, start)
            start += block.rows.size
            blocks.append(block)
            values.append(value.reshape(len(y), -1))
            spreads.append(np.broadcast_to(spread.reshape(len(v), -1), (len(y), block.rows.size)))
            studies.append(np.repeat(group.studies, group.arms - 1))
        return cls(
            estimate=np.concatenate(values, axis=1),
            variance=np.concatenate(spreads, axis=1),
            study=np.concatenate(studies),
            blocks=tuple(blocks),
            treatments=treatments,
            contrasts=contrasts,
        )

    def sets(self, part: slice) -> Self:
        """Return the rows of some of the data sets."""
        return replace(
            self,
            estimate=self.estimate[part],
            variance=self.variance[part],
            blocks=tuple(block.sets(part) for block in self.blocks),
        )

    def contrast_weights(self, weight: FloatArray) -> FloatArray:
        """Return the Laplacian weights (..., contrasts) of weights (..., rows).

        The quadratic form of the Laplacian with these weights is the sum over rows of weight
        times squared row. `weight` may have further axes before that of the data sets.
        """
        out = np.empty((*weight.shape[:-1], self.contrasts))
        for block in self.blocks:
            of_rows = weight[..., block.rows]
            out[..., block.group.contrasts] = (
                of_rows
                if block.group.arms == 2
                else (block.product * of_rows[..., None, :]).sum(axis=-1)
            )
        return out

    def row_variance(self, contrast: FloatArray) -> FloatArray:
        """Return the variances (..., rows) of the rows of effects whose contrasts have these.

        `contrast` (..., contrasts) are variances of differences between treatment effects.
        """
        out = np.empty((*contrast.shape[:-1], len(self.study)))
        for block in self.blocks:
            of_pairs = contrast[..., block.group.contrasts]
            out[..., block.rows] = (
                of_pairs
                if block.group.arms == 2
                else (block.product * of_pairs[..., :, None]).sum(axis=-2)
            )
        return out

    def fitted(self, effect: FloatArray) -> FloatArray:
        """Return the rows (..., rows) that treatment effects (..., treatments) imply."""
        out = np.empty((*effect.shape[:-1], len(self.study)))
        for block in self.blocks:
            of_arms = effect[..., block.group.treatments]
            out[..., block.rows] = (
                of_arms[..., :1] - of_arms[..., 1:]
                if block.group.arms == 2
                else (block.coefficient * of_arms[..., None, :]).sum(axis=-1)
            )
        return out

    def adjoint(self, values: FloatArray) -> FloatArray:
        """Return the sums (..., treatments) of values (..., rows) times their combinations."""
        total = np.zeros((self.treatments, *values.shape[:-1]))
        for block in self.blocks:
            of_arms = (block.coefficient * values[..., block.rows][..., None]).sum(axis=-2)
            flat = of_arms.reshape(*of_arms.shape[:-2], -1)
            np.add.at(total, block.group.treatments.ravel(), np.moveaxis(flat, -1, 0))
        return np.moveaxis(total, 0, -1)

    def design_matrix(self) -> FloatArray:
        """Return the rows as combinations of treatments (data sets or 1, rows, treatments)."""
        sets = max(len(block.coefficient) for block in self.blocks)
        matrix = np.zeros((sets, len(self.study), self.treatments))
        for block in self.blocks:
            place = (slice(None), block.rows[:, :, None], block.group.treatments[:, None, :])
            matrix[place] = block.coefficient
        return matrix


def _rotated(
    group: StudyGroup, estimate: FloatArray, variance: FloatArray, start: int
) -> tuple[RowBlock, FloatArray, FloatArray]:
    """Return the block of a group, and the variances and estimates of its rows."""
    size = (len(group.studies), group.arms - 1)
    rows = np.arange(start, start + size[0] * size[1]).reshape(size)
    if group.arms == 2:
        coefficient = np.broadcast_to(np.array([1.0, -1.0]), (1, size[0], 1, 2))
        block = RowBlock(group, rows, coefficient, np.ones((1, size[0], 1, 1)))
        return block, variance[:, group.contrasts], estimate[:, group.contrasts]
    half, vectors = np.linalg.eigh(group.arm_covariance(variance))
    coefficient = np.sqrt(2) * np.swapaxes(vectors, -1, -2) @ helmert(group.arms)
    one, other = group.pairs
    product = -np.swapaxes(coefficient[..., one] * coefficient[..., other], -1, -2)
    value = (coefficient * group.arm_means(estimate)[..., None, :]).sum(axis=-1)
    return RowBlock(group, rows, coefficient, product), 2 * half, value
