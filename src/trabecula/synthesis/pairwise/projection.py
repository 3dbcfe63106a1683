"""Weighted least squares with p columns, and the sums that a between-study variance needs.

With weights :math:`w`, design :math:`X` and :math:`W^{1/2} X = U R` the projection is
:math:`P = W^{1/2} (I - U U') W^{1/2}`; all sums follow from :math:`U` and from the residual
:math:`e = (I - U U') W^{1/2} y`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.studies import over_studies

HEAVY = 0.9
"""Leverage above which a study's own share in the residual is found from the other studies:
``1 - leverage`` would lose a digit there, and all of them where one study outweighs the rest."""


STIFF = 1e4
"""Ratio of root weights beyond which studies are put in the order of their weights: reflections
that begin with a light study would round the others to the digits of the heavy ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """Weighted least squares, tables (..., studies) and (..., studies, columns).

    ``root`` are the square roots of the weights, ``basis`` and ``triangle`` the factors of the
    weighted design, ``leverage`` the hat values, ``rest`` one minus them without cancellation,
    ``residual`` the weighted residuals, ``coordinates`` the coefficients times the triangle.
    """

    root: FloatArray
    basis: FloatArray
    triangle: FloatArray
    leverage: FloatArray
    rest: FloatArray
    residual: FloatArray
    coordinates: FloatArray

    @classmethod
    def of(cls, matrix: FloatArray, estimate: FloatArray, weight: FloatArray) -> Self:
        """Return the fit of `estimate` on the columns of `matrix` with `weight`."""
        root = np.sqrt(weight)
        basis, triangle = _factors(root[..., None] * matrix, root)
        target = root * estimate
        coordinates = _times(np.swapaxes(basis, -1, -2), target)
        residual = target - _times(basis, coordinates)
        leverage = (basis**2).sum(axis=-1)
        rest = np.maximum(1 - leverage, 0.0)
        heavy = np.nonzero(leverage > HEAVY)
        if heavy[0].size:
            _mend(basis, leverage, rest, residual, heavy)
        return cls(root, basis, triangle, leverage, rest, residual, coordinates)

    @property
    def weight(self) -> FloatArray:
        """The weights."""
        return self.root**2

    @property
    def q(self) -> FloatArray:
        """The weighted residual sum of squares :math:`y'Py`."""
        return over_studies(self.residual**2)

    @property
    def q_slope(self) -> FloatArray:
        """The derivative of `q` by the between-study variance, :math:`-y'PPy`."""
        return -over_studies((self.root * self.residual) ** 2)

    @property
    def q_curvature(self) -> FloatArray:
        """Half the second derivative of `q` by the between-study variance, :math:`y'PPPy`."""
        pulled = self.weight * self.residual
        inner = _times(np.swapaxes(self.basis, -1, -2), pulled)
        return over_studies((pulled - _times(self.basis, inner)) ** 2)

    @property
    def sum_p(self) -> FloatArray:
        """The trace of :math:`P`."""
        return over_studies(self.weight * self.rest)

    @property
    def sum_pp(self) -> FloatArray:
        """The trace of :math:`PP`, by p x p matrices: fast, exact unless a study outweighs all."""
        weight = self.weight
        inner = np.swapaxes(self.basis, -1, -2) @ (weight[..., None] * self.basis)
        whole = over_studies(weight**2 * (1 - 2 * self.leverage))
        return cast(FloatArray, whole + (inner**2).sum(axis=(-1, -2)))

    @property
    def log_determinant(self) -> FloatArray:
        """The logarithm of the determinant of :math:`X'WX`."""
        diagonal = np.diagonal(self.triangle, axis1=-2, axis2=-1)
        return cast(FloatArray, 2 * np.log(np.abs(diagonal)).sum(axis=-1))

    @property
    def inverse(self) -> FloatArray:
        """The inverse of the triangle; its product with its transpose is the covariance."""
        return cast(FloatArray, np.linalg.inv(self.triangle))

    def pairs(self, left: FloatArray, right: FloatArray) -> FloatArray:
        r"""Return :math:`\sum_{ij} l_i m_{ij}^2 r_j` with :math:`M = I - UU'`, nothing cancelling.

        The trace of :math:`P A P B` for diagonal A and B, with `left` and `right` the products
        of their diagonals and the weights.
        """
        squared = (self.basis @ np.swapaxes(self.basis, -1, -2)) ** 2
        diagonal = np.arange(squared.shape[-1])
        squared[..., diagonal, diagonal] = self.rest**2
        return over_studies(left * _times(squared, right))


def _times(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    return (matrix @ vector[..., None])[..., 0]


def _factors(weighted: FloatArray, root: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the orthogonal and the triangular factor of the weighted design."""
    light = np.where(root > 0, root, np.inf).min()
    if root.max() <= STIFF * light:
        basis, triangle = np.linalg.qr(weighted)
        return basis, triangle
    order = np.argsort(-root, axis=-1)[..., None]
    basis, triangle = np.linalg.qr(np.take_along_axis(weighted, order, axis=-2))
    return np.take_along_axis(basis, np.argsort(order, axis=-2), axis=-2), triangle


def _mend(
    basis: FloatArray,
    leverage: FloatArray,
    rest: FloatArray,
    residual: FloatArray,
    heavy: tuple[NDArray[np.intp], ...],
) -> None:
    r"""Find what is left of heavy studies from the others, in place.

    :math:`M = I - UU'` is its own square and annihilates :math:`U`: row i gives
    :math:`h_i (1 - h_i) = \sum_{j \ne i} (u_i'u_j)^2` and
    :math:`h_i e_i = -\sum_{j \ne i} u_i'u_j e_j`.
    """
    shared = _times(basis[heavy[:-1]], basis[heavy])
    shared[np.arange(len(shared)), heavy[-1]] = 0.0
    rest[heavy] = over_studies(shared**2) / leverage[heavy]
    residual[heavy] = -over_studies(shared * residual[heavy[:-1]]) / leverage[heavy]
