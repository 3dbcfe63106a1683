"""The normal-normal hierarchical model, solved for every value of the heterogeneity."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.bayes.priors import HeterogeneityPrior

LOG_TWO_PI = math.log(2 * math.pi)

COLLINEAR = 1e-10
"""Smallest share, of the largest, of a singular value of the scaled design that still tells
coefficients apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Coordinates of the coefficients in which studies and priors are about independent.

    They are ``there @ coefficients``, with ``there`` triangular and ``back`` its inverse;
    ``design`` (studies, coefficients) and ``root`` (coefficients, coefficients), the root of the
    prior precision, are those of the new coordinates.
    """

    there: FloatArray
    back: FloatArray
    design: FloatArray
    root: FloatArray

    @classmethod
    def of(cls, design: FloatArray, variance: FloatArray, precision: FloatArray) -> Frame:
        """Return the coordinates by an orthogonal decomposition, the same for one coefficient."""
        count = design.shape[1]
        root = np.diag(np.sqrt(precision))
        if count == 1:
            return cls(np.eye(1), np.eye(1), design, root)
        sd = np.sqrt(variance + np.median(variance))[:, None]
        rows, there = np.linalg.qr(np.vstack([design / sd, root]))
        return cls(there, np.linalg.inv(there), sd * rows[: len(design)], rows[len(design) :])


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """What follows for given values of the heterogeneity, one row each (values,).

    ``log_likelihood`` with the coefficients integrated out; ``height``, the logarithm of
    likelihood and coefficient prior at their ``mean``, up to a constant; ``weight``
    (values, studies), the inverse total variances. The coefficients are normal: those of the
    `frame` with ``center`` (values, coefficients) and ``spread``
    (values, coefficients, coefficients), which keep their digits where moderators are nearly
    collinear.
    """

    frame: Frame
    center: FloatArray
    spread: FloatArray
    log_likelihood: FloatArray
    height: FloatArray
    weight: FloatArray

    @property
    def mean(self) -> FloatArray:
        """The means of the coefficients (values, coefficients)."""
        return self.center @ self.frame.back.T

    @property
    def covariance(self) -> FloatArray:
        """The covariances of the coefficients (values, coefficients, coefficients)."""
        return self.frame.back @ self.spread @ self.frame.back.T

    def expected(self, design: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance (values, rows) of ``design`` (rows, coefficients) times them."""
        rows = np.linalg.solve(self.frame.there.T, design.T).T
        variance = np.einsum("rp,npq,rq->nr", rows, self.spread, rows)
        return self.center @ rows.T, variance


@dataclass(frozen=True, slots=True, eq=False)
class HierarchicalModel:
    """Studies, design, and priors.

    ``estimate``, ``variance`` (studies,); ``design`` (studies, coefficients); ``center`` and
    ``precision`` (coefficients,) of the normal priors of the coefficients, precision 0 where a
    prior is flat; ``prior`` of the heterogeneity. ``origin`` is what was taken off the estimates
    (and the prior's center) of a model that has nothing but a mean; all that follows counts
    from there.
    """

    estimate: FloatArray
    variance: FloatArray
    design: FloatArray
    center: FloatArray
    precision: FloatArray
    prior: HeterogeneityPrior
    origin: float = 0.0

    @property
    def rank(self) -> int:
        """How many coefficients studies and priors tell apart."""
        return _rank(np.vstack([self._rows, np.diag(np.sqrt(self.precision))]))

    @property
    def determined(self) -> bool:
        """Whether the studies alone determine the coefficients."""
        return bool(_rank(self._rows) == self.design.shape[1])

    @property
    def _rows(self) -> FloatArray:
        return np.asarray(self.design / np.sqrt(self.variance)[:, None])

    def conditional(self, tau: FloatArray) -> Conditional:
        """Return what follows for each of `tau` (values,)."""
        frame = Frame.of(self.design, self.variance, self.precision)
        weight = 1 / (self.variance + tau[:, None] ** 2)
        weighted = weight[:, None, :] * frame.design.T
        information = weighted @ frame.design + frame.root.T @ frame.root
        spread, log_det = _inverse(information)
        pull = np.sqrt(self.precision) * self.center
        target = weighted @ self.estimate + pull @ frame.root
        center = (spread @ target[..., None])[..., 0]
        q = (weight * (self.estimate - center @ frame.design.T) ** 2).sum(axis=1)
        q = q + ((center @ frame.root.T - pull) ** 2).sum(axis=1)
        height = (np.log(weight).sum(axis=1) - q) / 2
        flat = int((self.precision == 0).sum())
        constant = np.log(self.precision[self.precision > 0]).sum()
        constant -= (len(self.estimate) - flat) * LOG_TWO_PI
        log_det = log_det + 2 * np.log(np.abs(np.diag(frame.there))).sum()
        likelihood = height + (constant - log_det) / 2
        return Conditional(frame, center, spread, likelihood, height, weight)

    def log_likelihood(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the likelihood of `tau`, coefficients integrated out."""
        return self.conditional(tau).log_likelihood

    def log_posterior(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of prior times likelihood of `tau`."""
        return self.prior.log_density(tau) + self.log_likelihood(tau)

    def log_joint_likelihood(self, coefficients: FloatArray, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the likelihood of pairs (values, coefficients), (values,)."""
        total = self.variance + tau[:, None] ** 2
        residual = self.estimate - coefficients @ self.design.T
        terms = np.log(total) + residual**2 / total
        return -(len(self.estimate) * LOG_TWO_PI + np.asarray(terms.sum(axis=1))) / 2

    def shrinkage(self, tau: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how far each study's effect is drawn to its expectation (values, studies).

        And the rest to 1, which would have no digits as a difference where a study says next to
        nothing.
        """
        square = tau[:, None] ** 2
        total = self.variance + square
        return self.variance / total, square / total

    def effects(self, tau: FloatArray, given: Conditional) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance (values, studies) of the studies' true effects."""
        pull, own = self.shrinkage(tau)
        expected, spread = given.expected(self.design)
        mean = pull * expected + own * self.estimate
        return mean, own * self.variance + pull**2 * spread


def _rank(rows: FloatArray) -> int:
    """Return the rank of a matrix whose columns may differ in size."""
    size = np.sqrt((rows**2).sum(axis=0))
    values = np.linalg.svd(rows / np.where(size > 0, size, 1.0), compute_uv=False)
    return int((values > COLLINEAR * values.max(initial=0.0)).sum())


def _inverse(information: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return inverse matrices and the logarithms of the determinants of `information`.

    Brought to unit diagonals first, since flat and normal priors leave coefficients of very
    different precision as the heterogeneity grows.
    """
    if information.shape[-1] == 1:
        return 1 / information, np.log(information[:, 0, 0])
    size = np.sqrt(np.diagonal(information, axis1=1, axis2=2))
    both = size[:, :, None] * size[:, None, :]
    scaled = np.asarray(information / both)
    spread = np.linalg.slogdet(scaled)[1] + 2 * np.log(size).sum(axis=1)
    return np.asarray(np.linalg.inv(scaled) / both), spread
