r"""Covariances of true effects as smooth functions of parameters without bounds.

Natural parameters :math:`t` are variances and covariances. Each structure writes them as a
function of parameters :math:`\theta` that may take any value and reach every admissible
covariance, those on the boundary too: there the gradient by :math:`\theta` vanishes, and a climb
in :math:`\theta` converges as fast as elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray

CORNER = 0.3
"""Fourth root of a variance that is hardly any, in units of a typical estimate."""


class Structure(Protocol):
    """Natural parameters as a function of parameters without bounds, one row a data set."""

    @property
    def index(self) -> IntArray:
        """Which natural parameter is the covariance of two outcomes; -1 for none."""
        ...

    @property
    def size(self) -> int:
        """The number of parameters."""
        ...

    @property
    def roots(self) -> IntArray:
        """Which parameters are standard deviations, or roots of them, of their own."""
        ...

    @property
    def power(self) -> int:
        """The power of such a parameter that is a variance."""
        ...

    def natural(self, theta: FloatArray) -> FloatArray:
        """Return the natural parameters."""
        ...

    def jacobian(self, theta: FloatArray) -> FloatArray:
        """Return their derivatives (data sets, natural parameters, parameters)."""
        ...

    def bend(self, theta: FloatArray, slope: FloatArray) -> FloatArray:
        """Return their second derivatives, weighted by `slope` and summed."""
        ...

    def start(self, tau2: FloatArray, correlation: float) -> FloatArray:
        """Return parameters that give equal variances `tau2` and about this correlation."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Quadratic:
    r"""Natural parameters :math:`t_a = \theta' Q_a \theta`: sums of squares and Cholesky factors.

    ``forms`` holds the symmetric matrices Q_a, ``unit`` gives the parameters of unit variances
    with a correlation.
    """

    index: IntArray
    roots: IntArray
    forms: FloatArray
    unit: Callable[[float], FloatArray]

    @property
    def power(self) -> int:
        """The power of a standard deviation that is a variance."""
        return 2

    @classmethod
    def independent(cls, size: int) -> Self:
        """Return so many variances, each the square of its parameter."""
        forms = np.zeros((size, size, size))
        forms[range(size), range(size), range(size)] = 1.0
        return cls(
            np.diag(np.arange(size) + 1) - 1, np.arange(size), forms, lambda _: np.ones(size)
        )

    @classmethod
    def identity(cls, outcomes: int) -> Self:
        """Return one variance for all outcomes."""
        index = np.where(np.eye(outcomes, dtype=bool), 0, -1)
        return cls(index, np.arange(1), np.ones((1, 1, 1)), lambda _: np.ones(1))

    @classmethod
    def cholesky(cls, outcomes: int) -> Self:
        """Return any covariance matrix, as the product of a lower triangle and its transpose."""
        row, column = np.tril_indices(outcomes)
        index = np.zeros((outcomes, outcomes), dtype=np.int64)
        index[row, column] = index[column, row] = np.arange(len(row))
        met = column[:, None] == column
        forms = np.zeros((len(row),) * 3)
        for a, (i, j) in enumerate(zip(row, column, strict=True)):
            pair = np.outer(row == i, row == j) * met.astype(np.float64)
            forms[a] = (pair + pair.T) / 2

        def unit(correlation: float) -> FloatArray:
            shape: FloatArray = correlation + (1 - correlation) * np.eye(outcomes)
            return np.asarray(np.linalg.cholesky(shape)[row, column], dtype=np.float64)

        return cls(index, np.flatnonzero(row == column), forms, unit)

    @classmethod
    def compound_symmetry(cls, outcomes: int) -> Self:
        """Return one variance and one covariance, by the eigenvalues of their matrix."""
        index = np.where(np.eye(outcomes, dtype=bool), 0, 1)
        apart, together = np.diag([1.0, 0.0]), np.diag([0.0, 1.0])
        variance = ((outcomes - 1) * apart + together) / outcomes

        def unit(correlation: float) -> FloatArray:
            return np.sqrt([1 - correlation, 1 + (outcomes - 1) * correlation])

        forms = np.stack([variance, (together - apart) / outcomes])
        return cls(index, np.arange(2), forms, unit)

    @property
    def size(self) -> int:
        """The number of parameters."""
        return int(self.forms.shape[-1])

    def natural(self, theta: FloatArray) -> FloatArray:
        """Return the natural parameters."""
        value: FloatArray = np.einsum("rm,amn,rn->ra", theta, self.forms, theta)
        return value

    def jacobian(self, theta: FloatArray) -> FloatArray:
        """Return their derivatives (data sets, natural parameters, parameters)."""
        value: FloatArray = 2 * np.einsum("amn,rn->ram", self.forms, theta)
        return value

    def bend(self, theta: FloatArray, slope: FloatArray) -> FloatArray:
        """Return their second derivatives, weighted by `slope` and summed."""
        del theta
        value: FloatArray = 2 * np.einsum("ra,amn->rmn", slope, self.forms)
        return value

    def start(self, tau2: FloatArray, correlation: float) -> FloatArray:
        """Return parameters that give equal variances `tau2` and about this correlation."""
        value: FloatArray = np.sqrt(tau2)[:, None] * self.unit(correlation)
        return value


@dataclass(frozen=True, slots=True, eq=False)
class EqualCorrelation:
    """A variance for each outcome and one correlation between any two.

    Standard deviations are squares of parameters; the correlation runs between its lowest
    admissible value and 1 as the squared sine of the last parameter.
    """

    outcomes: int

    @property
    def index(self) -> IntArray:
        """Which natural parameter is the covariance of two outcomes."""
        return Quadratic.cholesky(self.outcomes).index

    @property
    def size(self) -> int:
        """The number of parameters."""
        return self.outcomes + 1

    @property
    def roots(self) -> IntArray:
        """Which parameters are roots of standard deviations."""
        return np.arange(self.outcomes)

    @property
    def power(self) -> int:
        """The power of such a root that is a variance."""
        return 4

    @property
    def lowest(self) -> float:
        """The lowest correlation that all pairs of outcomes can have at once."""
        return -1.0 / (self.outcomes - 1)

    def natural(self, theta: FloatArray) -> FloatArray:
        """Return the natural parameters."""
        row, column, apart = self._pairs()
        sd = theta[:, :-1] ** 2
        rho = np.where(apart, self._correlation(theta)[:, None], 1.0)
        value: FloatArray = sd[:, row] * sd[:, column] * rho
        return value

    def jacobian(self, theta: FloatArray) -> FloatArray:
        """Return their derivatives (data sets, natural parameters, parameters)."""
        row, column, apart = self._pairs()
        root, angle = theta[:, :-1], theta[:, -1]
        sd, rho = root**2, np.where(apart, self._correlation(theta)[:, None], 1.0)
        found = np.zeros((len(theta), len(row), self.size))
        every = np.arange(len(row))
        for own, other in ((row, column), (column, row)):
            found[:, every, own] += 2 * root[:, own] * sd[:, other] * rho
        turn = (1 - self.lowest) * np.sin(2 * angle)
        found[:, :, -1] = sd[:, row] * sd[:, column] * np.where(apart, turn[:, None], 0.0)
        return found

    def bend(self, theta: FloatArray, slope: FloatArray) -> FloatArray:
        """Return their second derivatives, weighted by `slope` and summed."""
        row, column, apart = self._pairs()
        root, angle = theta[:, :-1], theta[:, -1]
        sd, rho = root**2, np.where(apart, self._correlation(theta)[:, None], 1.0)
        turn = np.where(apart, ((1 - self.lowest) * np.sin(2 * angle))[:, None], 0.0)
        turn2 = np.where(apart, (2 * (1 - self.lowest) * np.cos(2 * angle))[:, None], 0.0)
        found = np.zeros((len(theta), self.size, self.size))
        for a, (i, j) in enumerate(zip(row, column, strict=True)):
            g = slope[:, a]
            found[:, -1, -1] += g * sd[:, i] * sd[:, j] * turn2[:, a]
            for own, other in ((i, j), (j, i)):
                found[:, own, own] += g * 2 * sd[:, other] * rho[:, a]
                mixed = g * 2 * root[:, own] * sd[:, other] * turn[:, a]
                found[:, own, -1] += mixed
                found[:, -1, own] += mixed
                found[:, own, other] += g * 4 * root[:, own] * root[:, other] * rho[:, a]
        return found

    def start(self, tau2: FloatArray, correlation: float) -> FloatArray:
        """Return parameters that give equal variances `tau2` and about this correlation."""
        share = np.clip((correlation - self.lowest) / (1 - self.lowest), 0.05, 0.95)
        angle = np.full((len(tau2), 1), np.arcsin(np.sqrt(share)))
        root = np.repeat(tau2[:, None] ** 0.25, self.outcomes, axis=1)
        return np.concatenate([root, angle], axis=1)

    def corners(self, sets: int) -> list[FloatArray]:
        """Return parameters that give each outcome in turn hardly any variance.

        One correlation for all pairs lets the likelihood have a maximum of its own near each.
        """
        every = [self.start(np.ones(sets), correlation) for correlation in (0.0, 0.8)]
        few = np.where(np.eye(self.outcomes, self.size) > 0, CORNER, 1.0)
        return [start * shrink for start in every for shrink in few]

    def _pairs(self) -> tuple[IntArray, IntArray, IntArray]:
        row, column = np.tril_indices(self.outcomes)
        return row, column, row != column

    def _correlation(self, theta: FloatArray) -> FloatArray:
        value: FloatArray = self.lowest + (1 - self.lowest) * np.sin(theta[:, -1]) ** 2
        return value
