"""Marginal likelihoods of studies whose linear predictors vary normally between studies.

A study has one or two arms (counts, or a conditional table). The linear predictor of arm a is
:math:`b_a + c_a' u`, with standard normal :math:`u` of one or two dimensions; :math:`b` and
:math:`c` are linear in the parameters. The integral over :math:`u` is done by adaptive
Gauss-Hermite quadrature: nodes are centered at the mode of the integrand and scaled by its
curvature there (Pinheiro and Bates 1995, J Comput Graph Stat 4:12-35).

Axes: arms, dimensions of u or parameters first; then nodes; then points; data sets and studies
are the last two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray

STEPS = 100
"""Most steps of the search for a mode; 3 to 6 are usual."""

CLOSE = 1e-8
"""The search ends after a step shorter than this: the error that remains is its square."""

SLACK = 1e-13
"""A fall of the integrand that rounding could feign, relative to its size."""


class Kernel(Protocol):
    """The log-likelihood of each arm of each study, concave in its linear predictor.

    ``observed`` and ``weight`` (arms, data sets, studies) are where it is highest and how sharp,
    roughly: from there the modes are searched.
    """

    @property
    def observed(self) -> FloatArray:
        """Where each arm's likelihood is highest, roughly."""

    @property
    def weight(self) -> FloatArray:
        """How sharply it falls from there: minus the second derivative, roughly."""

    def rows(self, index: IntArray) -> Self:
        """Return the kernel of the data sets at `index`."""

    def derivatives(self, eta: FloatArray, order: int) -> list[FloatArray]:
        """Return the values and the first `order` derivatives at `eta` (arms, ..., sets, studies).

        What does not depend on `eta` may be left out of the values.
        """


def aligned(values: FloatArray, eta: FloatArray) -> FloatArray:
    """Return `values` (arms, sets, studies) with the axes of `eta` in between."""
    if values.ndim == eta.ndim:
        return values
    between = (1,) * (eta.ndim - values.ndim)
    return values.reshape(values.shape[:1] + between + values.shape[1:])


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """How the parameters make linear predictors.

    ``center`` (arms, parameters) gives :math:`b`, ``spread`` (arms, dimensions, parameters)
    gives :math:`c`. Where ``own`` is true the last parameter is one for each study, the others
    are shared.
    """

    center: FloatArray
    spread: FloatArray
    own: bool = False


RANDOM_INTERCEPT = Model(center=np.array([[1.0, 0.0]]), spread=np.array([[[0.0, 1.0]]]))
"""One arm, ``mean + tau u``; the parameters are mean and tau."""


@dataclass(frozen=True, slots=True, eq=False)
class Height:
    """The log-likelihood (..., sets, studies) and its slopes (parameters, ..., sets, studies)."""

    value: FloatArray
    slope: FloatArray


class Likelihood(Protocol):
    """A log-likelihood of many data sets, study by study."""

    @property
    def own(self) -> bool:
        """Whether the last parameter is one for each study."""

    def rows(self, index: IntArray) -> Self:
        """Return the likelihood of the data sets at `index`."""

    def __call__(self, place: FloatArray) -> Height:
        """Return the heights at `place` (parameters, ..., sets, studies or 1)."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """The marginal likelihood of a kernel under a model, with a quadrature rule.

    ``nodes`` (dimensions, nodes) and ``log_weights`` (nodes,) are the rule.
    """

    kernel: Kernel
    model: Model
    nodes: FloatArray
    log_weights: FloatArray

    @classmethod
    def of(cls, kernel: Kernel, model: Model, nodes: int) -> Self:
        """Return the likelihood integrated with so many `nodes` in each dimension."""
        points, weights = np.polynomial.hermite.hermgauss(nodes)
        logs = np.log(weights) + points**2 - np.log(np.pi) / 2
        dimensions = model.spread.shape[1]
        grid = np.meshgrid(*[np.sqrt(2) * points] * dimensions, indexing="ij")
        total = np.stack(np.meshgrid(*[logs] * dimensions, indexing="ij")).sum(axis=0)
        return cls(kernel, model, np.stack([g.ravel() for g in grid]), total.ravel())

    @property
    def own(self) -> bool:
        """Whether the last parameter is one for each study."""
        return self.model.own

    def rows(self, index: IntArray) -> Marginal:
        """Return the likelihood of the data sets at `index`."""
        return Marginal(self.kernel.rows(index), self.model, self.nodes, self.log_weights)

    def __call__(self, place: FloatArray) -> Height:
        """Return the heights at `place` (parameters, ..., sets, studies or 1).

        A spread enters by its size: the height is the same for ``-tau``. The slopes are those of
        the quadrature, moving nodes included, so that they vanish where it is highest however
        few nodes there are.
        """
        b, c = _mix(self.model.center, place), _mix(self.model.spread, place)
        mode = self.modes(b, c)
        moves = _Moves.at(c, mode, self.kernel.derivatives(_eta(b, c, mode), 3))
        z = self.nodes.reshape(self.nodes.shape + (1,) * (mode.ndim - 1))
        u = mode[:, None] + np.einsum("de...,ej...->dj...", moves.root, z)
        value, slope = self.kernel.derivatives(_eta(b[:, None], c[:, :, None], u), 1)
        logs = value.sum(axis=0) - np.einsum("d...,d...->...", u, u) / 2
        logs += self.log_weights.reshape(z.shape[1:])
        top = logs.max(axis=0)
        share = np.exp(logs - top)
        total = share.sum(axis=0)
        height = moves.log_volume + top + np.log(total)
        share /= total
        return Height(height, self._slopes(moves, share, u, slope, z))

    def _slopes(
        self, moves: _Moves, share: FloatArray, u: FloatArray, slope: FloatArray, z: FloatArray
    ) -> FloatArray:
        """Return the derivatives of the quadrature by the parameters.

        `share` is the weight of each node in the integral, `slope` that of the kernel there.
        """
        center, spread = self.model.center, self.model.spread
        shift, stretch, volume = moves.by(center, spread)
        pull = np.einsum("ad...,aj...->dj...", moves.c, slope) - u
        moved = shift[:, :, None] + np.einsum("dep...,ej...->dpj...", stretch, z)
        inside = np.einsum("dj...,dpj...->pj...", pull, moved)
        inside += np.einsum("adp,aj...,dj...->pj...", spread, slope, u)
        inside += np.einsum("ap,aj...->pj...", center, slope)
        slopes: FloatArray = volume + np.einsum("j...,pj...->p...", share, inside)
        return slopes

    def modes(self, b: FloatArray, c: FloatArray) -> FloatArray:
        """Return where the integrands are highest: Newton's method, halved where it falls."""
        kernel = self.kernel
        weight = aligned(kernel.weight, b)
        pull = weight * (aligned(kernel.observed, b) - b)
        u = _solve(c, -weight, np.einsum("ad...,a...->d...", c, pull))
        height = np.full(u.shape[1:], -np.inf)
        step = np.zeros_like(u)
        for _ in range(STEPS):
            trial = u + step
            value, slope, curvature = kernel.derivatives(_eta(b, c, trial), 2)
            now = value.sum(axis=0) - (trial**2).sum(axis=0) / 2
            rises = now >= height - SLACK * (1 + np.abs(height))
            u = np.where(rises, trial, u)
            height = np.where(rises, now, height)
            newton = _solve(c, curvature, np.einsum("ad...,a...->d...", c, slope) - trial)
            step = np.where(rises, newton, step / 2)
            if (np.abs(step) <= CLOSE * (1 + np.abs(u))).all():
                return u + step
        raise ArithmeticError(f"the modes of some integrands were not found in {STEPS} steps")


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Modes and scales, and how they move with the parameters: implicit derivatives there.

    ``bend`` are the kernel's derivatives at the modes, ``inverse`` that of the precision and
    ``root`` its lower triangular root.
    """

    c: FloatArray
    mode: FloatArray
    bend: list[FloatArray]
    inverse: FloatArray
    root: FloatArray

    @classmethod
    def at(cls, c: FloatArray, mode: FloatArray, bend: list[FloatArray]) -> Self:
        """Return the moves of integrands with these modes."""
        return cls(c, mode, bend, *_scale(c, bend[2]))

    @property
    def log_volume(self) -> FloatArray:
        """The logarithm of the determinant of the root."""
        volume: FloatArray = np.log(np.einsum("dd...->d...", self.root)).sum(axis=0)
        return volume

    def by(
        self, center: FloatArray, spread: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the derivatives of mode, of root, and of `log_volume` by the parameters."""
        c, (_, slope, curvature, third) = self.c, self.bend
        eta = np.einsum("adp,d...->ap...", spread, self.mode)
        eta += center.reshape(center.shape + (1,) * (eta.ndim - 2))
        mixed = np.einsum("ad...,a...,ap...->dp...", c, curvature, eta)
        mixed += np.einsum("adp,a...->dp...", spread, slope)
        shift = np.einsum("de...,ep...->dp...", self.inverse, mixed)
        along = eta + np.einsum("ad...,dp...->ap...", c, shift)
        across = np.einsum("a...,adp,ae...->dep...", curvature, spread, c)
        turn = np.einsum("a...,ap...,ad...,ae...->dep...", third, along, c, c)
        turn += across + np.swapaxes(across, 0, 1)
        turned = np.einsum("ed...,efp...,fg...->dgp...", self.root, turn, self.root)
        volume = np.einsum("ddp...->p...", turned) / 2
        lower = np.tril(np.ones(turned.shape[:2])) - np.eye(len(turned)) / 2
        turned *= lower.reshape(lower.shape + (1,) * (turned.ndim - 2))
        return shift, np.einsum("de...,efp...->dfp...", self.root, turned), volume


def _mix(matrix: FloatArray, place: FloatArray) -> FloatArray:
    """Return linear combinations (arms, ...) of parameters."""
    mixed: FloatArray = matrix @ place.reshape(len(place), -1)
    return mixed.reshape(matrix.shape[:-1] + place.shape[1:])


def _eta(b: FloatArray, c: FloatArray, u: FloatArray) -> FloatArray:
    """Return the linear predictors of the arms."""
    eta: FloatArray = b + np.einsum("ad...,d...->a...", c, u)
    return eta


def _precision(c: FloatArray, curvature: FloatArray) -> FloatArray:
    """Return minus the second derivatives of the integrand by u, a symmetric matrix."""
    matrix: FloatArray = -np.einsum("ad...,ae...,a...->de...", c, c, curvature)
    for i in range(len(matrix)):
        matrix[i, i] += 1
    return matrix


def _inverse(matrix: FloatArray) -> FloatArray:
    """Return the inverse of symmetric matrices of order 1 or 2."""
    if len(matrix) == 1:
        return 1 / matrix
    (a, b), (_, d) = matrix
    inverse: FloatArray = np.stack([np.stack([d, -b]), np.stack([-b, a])]) / (a * d - b * b)
    return inverse


def _solve(c: FloatArray, curvature: FloatArray, right: FloatArray) -> FloatArray:
    solved: FloatArray = np.einsum("de...,e...->d...", _inverse(_precision(c, curvature)), right)
    return solved


def _scale(c: FloatArray, curvature: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the inverse of the precision and its lower triangular root."""
    precision = _precision(c, curvature)
    inverse = _inverse(precision)
    if len(inverse) == 1:
        return inverse, np.sqrt(inverse)
    first, last = np.sqrt(inverse[0, 0]), 1 / np.sqrt(precision[1, 1])
    root = np.stack([np.stack([first, 0 * first]), np.stack([inverse[1, 0] / first, last])])
    return inverse, root
