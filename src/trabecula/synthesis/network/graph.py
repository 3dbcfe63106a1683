"""The graph of a network: treatments joined by comparisons, and its weighted least squares.

A weight a comparison makes the Laplacian matrix of the graph; its inverse with one treatment
grounded holds all variances, as resistances of an electrical network (Rücker 2012, Res Synth
Methods 3:312-324). Everything is as small as the number of treatments, whatever the number of
studies.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self, cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.independent_rows import IndependentRows

DIGITS = 1e-9
"""Smallest variance of a comparison, relative to those it is the difference of. Below it fewer
than seven of sixteen digits would be left."""


class DisconnectedNetwork(ValueError):  # noqa: N818 (named for what is found)
    """Some treatments are linked by no chain of comparisons: nothing can compare them.

    ``parts`` holds the treatments of each connected part.
    """

    def __init__(self, parts: tuple[tuple[str, ...], ...]) -> None:
        self.parts = parts
        lines = [f"- {', '.join(map(repr, part))}" for part in parts]
        super().__init__(
            f"the network falls into {len(parts)} parts that no study links:\n"
            + "\n".join(lines)
            + "\nfit each of evidence.parts; nothing compares treatments of different parts"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Weighted least squares of a network, all with leading axes (..., data sets).

    ``weight`` and ``residual`` (rows) belong to the independent rows; ``effect`` (treatments)
    and ``inverse`` (treatments, treatments) are counted from the grounded treatment; ``q`` is
    the weighted sum of squared residuals.
    """

    weight: FloatArray
    effect: FloatArray
    inverse: FloatArray
    residual: FloatArray
    q: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """The comparisons of connected evidence: ``pairs`` (comparisons, 2) of treatments.

    ``ground`` is the treatment whose effect is set to 0 while solving; results do not depend
    on it. ``order`` (contrasts,) sorts contrasts by comparison, ``starts`` (comparisons,) is
    where each begins; ``design`` (studies,) is that of each study. ``shape`` are the leading
    axes in which the data sets came.
    """

    rows: IndependentRows
    pairs: IntArray
    pair: IntArray
    order: IntArray
    starts: IntArray
    design: IntArray
    treatments: int
    ground: int
    estimate: FloatArray
    shape: tuple[int, ...]

    @classmethod
    def of(cls, evidence: NetworkEvidence) -> Self:
        """Return the graph; `DisconnectedNetwork` where it falls into parts."""
        parts = evidence.parts
        if len(parts) > 1:
            raise DisconnectedNetwork(tuple(part.treatments for part in parts))
        ends = np.concatenate([evidence.first, evidence.second])
        pairs, pair = evidence.pairs, evidence.pair
        order = np.argsort(pair, kind="stable")
        return cls(
            rows=evidence.independent_rows(),
            pairs=pairs,
            pair=pair,
            order=order,
            starts=np.searchsorted(pair[order], np.arange(len(pairs))),
            design=evidence.design,
            treatments=len(evidence.treatments),
            ground=int(np.bincount(ends).argmax()),
            estimate=evidence.estimate.reshape(-1, evidence.estimate.shape[-1]),
            shape=evidence.shape,
        )

    @property
    def parameters(self) -> int:
        """The number of free treatment effects."""
        return self.treatments - 1

    @property
    def observations(self) -> int:
        """The number of independent rows: arms less one, over all studies."""
        return len(self.rows.study)

    @property
    def df(self) -> int:
        """The degrees of freedom left for heterogeneity and incoherence."""
        return self.observations - self.parameters

    def sets(self, part: slice) -> Self:
        """Return the graph of some of the data sets."""
        return replace(self, rows=self.rows.sets(part), estimate=self.estimate[part])

    def by_pair(self, contrasts: FloatArray) -> FloatArray:
        """Return the sums (..., comparisons) of values (..., contrasts)."""
        return np.add.reduceat(contrasts[..., self.order], self.starts, axis=-1)

    def laplacian(self, weight: FloatArray) -> FloatArray:
        """Return the Laplacian (..., treatments, treatments) of weights (..., rows)."""
        return laplacian(
            self.pairs, self.by_pair(self.rows.contrast_weights(weight)), self.treatments
        )

    def solve(self, tau2: FloatArray) -> Solution:
        """Return the fit with weights ``1 / (variance + tau2)``, for `tau2` (..., data sets).

        Raises
        ------
        ArithmeticError
            If the variances are so far apart that double precision cannot hold the result.
        """
        weight = 1 / (self.rows.variance + tau2[..., None])
        of_contrasts = self.rows.contrast_weights(weight)
        inverse = self.grounded_inverse(
            laplacian(self.pairs, self.by_pair(of_contrasts), self.treatments)
        )
        effect = np.zeros(inverse.shape[:-1])
        first, second = self.pairs[self.pair].T
        for _ in range(2):  # the second round removes what rounding left of the first
            rest = self.estimate - (effect[..., first] - effect[..., second])
            flow = self.by_pair(of_contrasts * rest)
            effect = effect + (inverse @ self.divergence(flow)[..., None])[..., 0]
        residual = self.rows.estimate - self.rows.fitted(effect)
        return Solution(weight, effect, inverse, residual, (weight * residual**2).sum(axis=-1))

    def divergence(self, flow: FloatArray) -> FloatArray:
        """Return what flows out of each treatment (..., treatments) by flows (..., comparisons)."""
        incidence = np.zeros((len(self.pairs), self.treatments))
        edge = np.arange(len(self.pairs))
        incidence[edge, self.pairs[:, 0]], incidence[edge, self.pairs[:, 1]] = 1.0, -1.0
        return flow @ incidence

    def grounded_inverse(self, matrix: FloatArray) -> FloatArray:
        """Return the inverse of Laplacians with the row and column of the ground left out (0)."""
        kept = np.flatnonzero(np.arange(self.treatments) != self.ground)
        inverse = np.zeros_like(matrix)
        try:
            part = np.linalg.inv(matrix[..., kept[:, None], kept])
        except np.linalg.LinAlgError as error:
            raise _too_far_apart() from error
        inverse[..., kept[:, None], kept] = (part + np.swapaxes(part, -1, -2)) / 2
        return inverse

    def log_determinant(self, matrix: FloatArray) -> FloatArray:
        """Return the logarithms of the determinants of grounded Laplacians."""
        kept = np.flatnonzero(np.arange(self.treatments) != self.ground)
        sign, value = np.linalg.slogdet(matrix[..., kept[:, None], kept])
        if (sign <= 0).any():
            raise _too_far_apart()
        return cast(FloatArray, value)


def laplacian(pairs: IntArray, weight: FloatArray, treatments: int) -> FloatArray:
    """Return the Laplacian (..., treatments, treatments) of weights (..., comparisons)."""
    matrix = np.zeros((*weight.shape[:-1], treatments, treatments))
    matrix[..., pairs[:, 0], pairs[:, 1]] = -weight
    matrix[..., pairs[:, 1], pairs[:, 0]] = -weight
    diagonal = np.arange(treatments)
    matrix[..., diagonal, diagonal] = -matrix.sum(axis=-1)
    return matrix


def resistance(inverse: FloatArray) -> FloatArray:
    """Return the variances (..., treatments, treatments) of differences between effects.

    Raises
    ------
    ArithmeticError
        If a variance is lost in the rounding of those it is the difference of.
    """
    own = np.diagonal(inverse, axis1=-2, axis2=-1)
    total = own[..., :, None] + own[..., None, :]
    difference = total - 2 * inverse
    diagonal = np.arange(inverse.shape[-1])
    difference[..., diagonal, diagonal] = 0.0
    lost = ~(difference > DIGITS * total)
    lost[..., diagonal, diagonal] = False
    if lost.any():
        raise _too_far_apart()
    return difference


def differences(effect: FloatArray) -> FloatArray:
    """Return the matrix of row minus column effects."""
    return effect[..., :, None] - effect[..., None, :]


def _too_far_apart() -> ArithmeticError:
    return ArithmeticError(
        "the variances of the contrasts are too far apart for double precision: "
        "check the smallest and the largest, or fit the studies without them"
    )
