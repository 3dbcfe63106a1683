"""Studies of equal arm number side by side, so that all of them are computed at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StudyGroup:
    """All studies with the same number of arms.

    ``studies`` (group,) are their indices, ``treatments`` (group, arms) their treatments in
    order, ``contrasts`` (group, pairs) the rows of their contrasts, in the order of
    ``numpy.triu_indices(arms, 1)``.
    """

    studies: IntArray
    treatments: IntArray
    contrasts: IntArray

    @property
    def arms(self) -> int:
        """The number of arms."""
        return int(self.treatments.shape[1])

    @property
    def pairs(self) -> tuple[IntArray, IntArray]:
        """The positions of the arms that each contrast of a study compares."""
        one, other = np.triu_indices(self.arms, 1)
        return one.astype(np.int64), other.astype(np.int64)

    def square(self, values: FloatArray, sign: float) -> FloatArray:
        """Return values of contrasts (..., contrasts) as matrices (..., group, arms, arms).

        The lower triangle is the upper one times `sign`.
        """
        one, other = self.pairs
        matrix = np.zeros((*values.shape[:-1], len(self.studies), self.arms, self.arms))
        matrix[..., one, other] = values[..., self.contrasts]
        matrix[..., other, one] = sign * values[..., self.contrasts]
        return matrix

    def arm_means(self, estimate: FloatArray) -> FloatArray:
        """Return the arms (..., group, arms), centered, that fit the contrasts best."""
        return cast(FloatArray, self.square(estimate, -1.0).mean(axis=-1))

    def arm_covariance(self, variance: FloatArray) -> FloatArray:
        """Return the covariance (..., group, arms - 1, arms - 1) of orthonormal arm contrasts."""
        basis = helmert(self.arms)
        return -basis @ self.square(variance, 1.0) @ basis.T / 2


def study_groups(arms: IntArray, first: IntArray, second: IntArray) -> tuple[StudyGroup, ...]:
    """Return the studies grouped by arm number, fewest arms first; rows sorted as in evidence."""
    pairs = arms * (arms - 1) // 2
    starts = np.cumsum(pairs) - pairs
    groups = []
    for size in np.unique(arms):
        studies = np.flatnonzero(arms == size)
        contrasts = starts[studies][:, None] + np.arange(size * (size - 1) // 2)
        row = contrasts[:, : size - 1]
        treatments = np.concatenate([first[row[:, :1]], second[row]], axis=1)
        groups.append(StudyGroup(studies, treatments, contrasts))
    return tuple(groups)


def helmert(arms: int) -> FloatArray:
    """Return an orthonormal basis (arms - 1, arms) of the contrasts between arms."""
    rows = []
    for i in range(1, arms):
        row = np.zeros(arms)
        row[:i], row[i] = 1.0, -float(i)
        rows.append(row / np.sqrt(i * (i + 1)))
    return np.array(rows)


def consistent(groups: tuple[StudyGroup, ...], estimate: FloatArray) -> FloatArray:
    """Return `estimate` (..., contrasts) with the contrasts of each study adding up."""
    adjusted = np.array(estimate)
    for group in groups:
        if group.arms > 2:
            means = group.arm_means(estimate)
            one, other = group.pairs
            adjusted[..., group.contrasts] = means[..., one] - means[..., other]
    return adjusted
