"""The posterior with everything linear integrated out, and draws of what was integrated out.

Given the parameters of the curve and the heterogeneity, the means are normal and linear in all
else: baselines, courses, deviations of studies, effects. Those are integrated exactly (Lindley
and Smith 1972, J R Stat Soc B 34:1-41), study by study, so that few dimensions are left to
sample and the widths of the others, which differ by orders of magnitude, do not matter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.time_course.curves import Curve
from trabecula.synthesis.time_course.evidence import TimeCourseEvidence

CHUNK = 250
"""Values of hyperparameters that are handled together: a few megabytes."""

DIGITS = 1e13
"""Largest information of an arm in units of that of the priors: beyond it fewer than three of
sixteen digits of what the means do not tell would be left."""


@dataclass(frozen=True, slots=True)
class TimeCoursePriors:
    """Standard deviations of normal priors about 0, and scales of half-normal ones."""

    baseline: float
    effect: float
    parameter: float
    tau: float


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """Draws (draws, ...) of what is linear.

    ``effect`` (draws, coefficients, treatments but the reference); ``study`` (draws, studies,
    1 + coefficients), the baseline and the course of the first arm; ``residual_deviance``
    (draws,).
    """

    effect: FloatArray
    study: FloatArray
    residual_deviance: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """The normal equations at values (values, ...) of the hyperparameters, factored.

    An arm has p = 1 + coefficients (baseline first), a study q unknowns of its own: the p of its
    first arm, and deviations. ``regressors`` (values, studies, arms, times, p) lead to means,
    ``design`` (values, studies, arms, p, q) from what a study has to its arms. ``local_root``
    (values, studies, q, q) and ``root`` are Cholesky factors of the precisions of what a study
    has given the effects, and of the effects; ``local`` and ``right`` are what stands beside
    them, divided by them. ``log_likelihood`` (values,) is up to a constant.
    """

    regressors: FloatArray
    design: FloatArray
    local_root: FloatArray
    local: FloatArray
    root: FloatArray
    right: FloatArray
    log_likelihood: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class CollapsedPosterior:
    """The posterior of curve parameters and heterogeneities, all else integrated out.

    ``random`` says which coefficients deviate between studies. Values are taken as logarithms of
    curve parameters and as heterogeneities of either sign, even in which the density is smooth:
    no tail of it stretches out where a heterogeneity may be none.
    """

    evidence: TimeCourseEvidence
    curve: Curve
    random: tuple[int, ...]
    priors: TimeCoursePriors

    @property
    def dimensions(self) -> int:
        """How many hyperparameters there are: those of the curve, then heterogeneities."""
        return len(self.curve.parameters) + len(self.random)

    def log_density(self, values: FloatArray) -> FloatArray:
        """Return the log posterior (values,) of `values` (values, dimensions), up to a constant.

        Those are logarithms of curve parameters, and heterogeneities, whose sign does not count.
        """
        likelihood = np.concatenate([s.log_likelihood for _, s in self._systems(values)])
        return likelihood + self.log_prior(values)

    def log_prior(self, values: FloatArray) -> FloatArray:
        """Return the log density (values,) of half-normal priors at `values`."""
        parameters = len(self.curve.parameters)
        share = values[:, :parameters] - np.log(self.priors.parameter)
        with np.errstate(over="ignore"):
            squares = np.exp(2 * share).sum(axis=1)
        squares += ((values[:, parameters:] / self.priors.tau) ** 2).sum(axis=1)
        constant = 0.5 * self.dimensions * np.log(2 / np.pi)
        constant -= (self.dimensions - parameters) * np.log(self.priors.tau)
        density: FloatArray = share.sum(axis=1) - squares / 2 + constant
        return density

    def draw_prior(self, shape: tuple[int, ...], random: np.random.Generator) -> FloatArray:
        """Return draws (*shape, dimensions) from the half-normal priors."""
        parameters = len(self.curve.parameters)
        values = np.abs(random.standard_normal((*shape, self.dimensions)))
        values[..., :parameters] = np.log(self.priors.parameter * values[..., :parameters])
        values[..., parameters:] *= self.priors.tau
        return values

    def draw(self, values: FloatArray, seed: int) -> Coefficients:
        """Return one draw of what is linear for each of `values` (draws, dimensions)."""
        random = np.random.default_rng([seed, 1])
        parts = [*self._drawn(values, random)]
        return Coefficients(*(np.concatenate(part) for part in zip(*parts, strict=True)))

    def _systems(self, values: FloatArray) -> Iterator[tuple[int, System]]:
        """Yield systems of chunks of values, and of how many; equal values need one system."""
        parameters = len(self.curve.parameters)
        for begin in range(0, len(values), CHUNK):
            chunk = values[begin : begin + CHUNK]
            used = chunk if self.dimensions else chunk[:1]
            yield len(chunk), self._system(np.exp(used[:, :parameters]), used[:, parameters:])

    def _system(self, parameter: FloatArray, tau: FloatArray) -> System:
        """Return the normal equations at `parameter` (values, parameters) and `tau`."""
        evidence = self.evidence
        functions = self.curve.functions(evidence.time, parameter[:, None, None, None])
        functions = np.broadcast_to(functions, (len(parameter), *functions.shape[-4:]))
        regressors = np.concatenate([np.ones_like(functions[..., :1]), functions], axis=-1)
        weighted = _turned(regressors) @ evidence.weight
        information = weighted @ regressors
        score = (weighted @ evidence.y[..., None])[..., 0]
        design = self._design(tau)
        local_root, local = self._local(information, score, design)
        root, right, explained = self._global(information, score, local)
        diagonals = np.log(np.diagonal(local_root, axis1=-2, axis2=-1)).sum(axis=(-2, -1))
        diagonals = diagonals + np.log(np.diagonal(root, axis1=-2, axis2=-1)).sum(axis=-1)
        return System(regressors, design, local_root, local, root, right, explained / 2 - diagonals)

    def _design(self, tau: FloatArray) -> FloatArray:
        """Return how baseline and coefficients of arms follow from what a study has."""
        deviations = self.evidence.deviations
        size = 1 + len(self.curve.coefficients)
        one = np.eye(size)
        lead = (len(tau), *deviations.shape[:2])
        blocks = [np.broadcast_to(one, (*lead, size, size))]
        for i, coefficient in enumerate(self.random):
            row = one[1 + coefficient][:, None]
            blocks.append(tau[:, i, None, None, None, None] * deviations[:, :, None, :] * row)
        return np.concatenate(blocks, axis=-1)

    def _local(
        self, information: FloatArray, score: FloatArray, design: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the factor of each study's own precision, and what stands beside it."""
        size = information.shape[-1]
        precision = np.ones(design.shape[-1])
        precision[:size] = self.priors.baseline**-2
        weighted = information @ design
        own = (_turned(design) @ weighted).sum(axis=2) + np.diag(precision)
        beside = _turned(weighted[..., 1:, :].reshape(*weighted.shape[:2], -1, len(precision)))
        scored = (_turned(design) @ score[..., None]).sum(axis=2)
        local_root = np.linalg.cholesky(own)
        return local_root, np.linalg.solve(local_root, np.concatenate([beside, scored], axis=-1))

    def _global(
        self, information: FloatArray, score: FloatArray, local: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the factor of the effects' precision, what stands beside it, and their fit."""
        effects = self.evidence.effects
        studies, arms, treatments = effects.shape
        size = information.shape[-1] - 1
        lost = _turned(local) @ local
        kept = -lost[..., :-1, :-1].reshape(-1, studies, arms, size, arms, size)
        each = np.arange(arms)
        kept[:, :, each, :, each] += np.moveaxis(information[..., 1:, 1:], 2, 0)
        beside = score[..., 1:] - lost[..., :-1, -1].reshape(-1, studies, arms, size)
        wide = effects.reshape(-1, treatments).T
        total = np.empty((len(kept), size, treatments, size, treatments))
        for i in range(size):
            for j in range(size):
                columns = kept[:, :, :, i, :, j] @ effects
                total[:, i, :, j] = wide @ columns.reshape(-1, studies * arms, treatments)
        total = total.reshape(-1, size * treatments, size * treatments)
        scored = _turned(wide @ beside.reshape(-1, studies * arms, size))
        root = np.linalg.cholesky(total + self.priors.effect**-2 * np.eye(total.shape[-1]))
        right = np.linalg.solve(root, scored.reshape(len(total), -1, 1))[..., 0]
        explained = lost[..., -1, -1].sum(axis=-1) + (right**2).sum(axis=-1)
        return cast(FloatArray, root), right, explained

    def _drawn(
        self, values: FloatArray, random: np.random.Generator
    ) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
        """Yield chunks of effects, courses of first arms, and residual deviances."""
        evidence, size = self.evidence, len(self.curve.coefficients)
        for many, found in self._systems(values):
            noise = random.standard_normal((many, found.right.shape[-1]))
            effect = _back(found.root, found.right + noise).reshape(many, size, -1)
            of_arms = np.einsum("nct,sat->nsac", effect, evidence.effects)
            noise = random.standard_normal((many, *found.local.shape[1:3]))
            beside = found.local[..., :-1] @ of_arms.reshape(*of_arms.shape[:2], -1, 1)
            own = _back(found.local_root, found.local[..., -1] - beside[..., 0] + noise)
            course = (found.design @ own[:, :, None, :, None])[..., 0]
            course[..., 1:] += of_arms
            residual = evidence.y - (found.regressors @ course[..., None])[..., 0]
            weighted = (evidence.weight @ residual[..., None])[..., 0]
            yield effect, own[..., : size + 1], (residual * weighted).sum(axis=(1, 2, 3))

    def require_digits(self, parameter: FloatArray) -> None:
        """Raise `ValueError` where means are so exact beside the priors that no digit is left."""
        functions = self.curve.functions(self.evidence.time, parameter)
        squares = 1 + (functions**2).sum(axis=-1)
        weight = np.diagonal(self.evidence.weight, axis1=-2, axis2=-1)
        widest = max(self.priors.baseline, self.priors.effect)
        most = float((weight * squares).sum(axis=-1).max()) * widest**2
        if most > DIGITS:
            raise ValueError(
                f"an arm tells {most:.1g} times as much as the priors, more than double precision "
                f"holds ({DIGITS:g}): give baseline_prior_sd and effect_prior_sd, the larger of "
                f"which is {widest:g}, values of the scale of y and its slopes"
            )


def _turned(matrices: FloatArray) -> FloatArray:
    return np.swapaxes(matrices, -1, -2)


def _back(root: FloatArray, right: FloatArray) -> FloatArray:
    """Return what solves ``root.T x = right``."""
    return cast(FloatArray, np.linalg.solve(_turned(root), right[..., None])[..., 0])
