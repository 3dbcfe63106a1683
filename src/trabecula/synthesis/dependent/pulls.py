"""How much each cluster pulls at the coefficients, and how well their spread is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.dependent.working import WorkingModel

ROUNDING = 64 * np.finfo(np.float64).eps
"""A residual below this share of the largest estimate of its data set is rounding, and none."""

VANISHING = 1e-10
"""Part of a cluster's residual covariance, relative to the largest, that counts as none: a
coefficient that one cluster alone carries leaves it no residual in that direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Pulls:
    r"""Linear combinations of a cluster's residuals that move the coefficients, in data units.

    ``meat`` (data sets, coefficients, coefficients) is the sum of their squares: the robust
    covariance. With the pull :math:`h_{is}` of cluster i at coefficient s, its working covariance
    :math:`\Phi_i` and the inverse information :math:`B'B`, ``own`` (data sets, clusters,
    coefficients, coefficients) are :math:`h_{is}' \Phi_i h_{it}` and ``through`` (data sets,
    clusters, basis, coefficients) :math:`B X_i' h_{is}`: under the working model the pulls i, j
    have covariance :math:`\delta_{ij} own_{ist} - through_{is}' through_{jt}`.
    """

    meat: FloatArray
    own: FloatArray
    through: FloatArray

    @classmethod
    def of(cls, working: WorkingModel, code: IntArray, *, adjusted: bool) -> Pulls:
        """Return the pulls of the clusters `code`, `adjusted` for the fit having followed them."""
        likelihood = working.likelihood(code)
        mean = likelihood.mean(working.natural)
        root = np.linalg.inv(np.linalg.cholesky(mean.information))
        lever = np.swapaxes(root, 1, 2) @ root @ working.rows.design.turn.T
        residuals = likelihood.residuals(working.basis_coefficients)
        least = ROUNDING * np.abs(working.rows.estimate).max(axis=1)[:, None, None]
        residuals = [np.where(np.abs(r) <= least, 0.0, r) for r in residuals]
        parts = zip(likelihood.buckets, mean.precisions, residuals, strict=True)
        pulls, own, through = [], [], []
        for bucket, precision, residual in parts:
            x, covariance = bucket.masked_design, bucket.covariance(working.natural)
            pull = precision @ x @ lever[:, None]
            if adjusted:
                fitted = x @ np.swapaxes(root, 1, 2)[:, None]
                pull = _adjustment(covariance, fitted) @ pull
            pulls.append(np.einsum("rcis,rci->rcs", pull, residual))
            own.append(np.swapaxes(pull, 2, 3) @ covariance @ pull)
            through.append(root[:, None] @ np.swapaxes(x, 2, 3) @ pull)
        every = np.concatenate(pulls, axis=1)
        meat = np.swapaxes(every, 1, 2) @ every
        return cls(meat, np.concatenate(own, axis=1), np.concatenate(through, axis=1))

    def degrees_of_freedom(self, which: Sequence[int]) -> FloatArray:
        """Return those of a Wishart matrix that varies as the robust covariance of `which`.

        For one coefficient these are Satterthwaite's. Tipton and Pustejovsky (2015), J Educ
        Behav Stat 40:604-634, who call the test HTZ.
        """
        at = np.asarray(which)
        own, through = self.own[:, :, at[:, None], at], self.through[..., at]
        expected = (own - np.swapaxes(through, 2, 3) @ through).sum(axis=1)
        unit = _inverse_root(expected)[:, None]
        own, through = unit @ own @ unit, through @ unit
        shared = np.swapaxes(through, 2, 3) @ through
        a, d = (np.diagonal(m, axis1=2, axis2=3) for m in (own, shared))
        total = np.einsum("rcs,rct->r", a, a) - 2 * np.einsum("rcs,rct->r", a, d)
        total += (own**2 - 2 * own * shared).sum(axis=(1, 2, 3))
        cross = np.einsum("rcbs,rcdt->rstbd", through, through)
        total += np.einsum("rtsbd,rstdb->r", cross, cross)
        total += np.einsum("rtsbd,rtsdb->r", cross, cross)
        value: FloatArray = len(at) * (len(at) + 1) / total
        return value


def _adjustment(covariance: FloatArray, fitted: FloatArray) -> FloatArray:
    """Return the matrices that give adjusted residuals the working covariance.

    With the Cholesky factor D'D of the covariance they are D' (D (covariance - fitted fitted')
    D')^(-1/2) D: Bell and McCaffrey's, as Pustejovsky and Tipton (2018) generalise them.
    """
    upper = np.swapaxes(np.linalg.cholesky(covariance), 2, 3)
    lower = np.swapaxes(upper, 2, 3)
    left = covariance - fitted @ np.swapaxes(fitted, 2, 3)
    return lower @ _inverse_root(upper @ left @ lower) @ upper


def _inverse_root(matrix: FloatArray) -> FloatArray:
    """Return the symmetric inverse square root, zero where the matrix is."""
    size, axes = np.linalg.eigh((matrix + np.swapaxes(matrix, -1, -2)) / 2)
    there = size > VANISHING * size[..., -1:]
    inverse = np.where(there, 1 / np.sqrt(np.where(there, size, 1.0)), 0.0)
    found: FloatArray = (axes * inverse[..., None, :]) @ np.swapaxes(axes, -1, -2)
    return found
