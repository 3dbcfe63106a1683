r"""One data set in the coordinates in which the covariance of its residuals is diagonal.

With an orthonormal basis :math:`K` of the residual space (:math:`K'X = 0`) and
:math:`K'VK = T \Lambda T'` the residuals :math:`z = T'K'y` are independent with variances
:math:`\lambda_j + \tau^2`. Their sums are those of the projection: :math:`y'Py = \sum z_j^2 /
(\lambda_j + \tau^2)`, :math:`tr P = \sum 1 / (\lambda_j + \tau^2)`, at a tenth of the cost of a
factorisation for each value of :math:`\tau^2` (as for mixed models: Kang et al. 2008, Genetics
178:1709-1723).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.pairwise.falling_root import falling_root_of_one

MOST_STUDIES = 60
"""More studies, whose diagonal form takes the cube of their number, are factorised instead."""

WIDEST = 1e6
"""Ratio of sampling variances beyond which the small ones would lose digits to the large."""

TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Variances of the diagonal residuals without tau2, their squares, sampling variances."""

    values: FloatArray
    squares: FloatArray
    variance: FloatArray

    @classmethod
    def of(cls, matrix: FloatArray, estimate: FloatArray, variance: FloatArray) -> Self | None:
        """Return the spectrum of studies with their design; None where it is slow or inexact."""
        if len(variance) > MOST_STUDIES or variance.max() > WIDEST * variance.min():
            return None
        rest = np.linalg.qr(matrix, mode="complete")[0][:, matrix.shape[1] :]
        _, size, turned = np.linalg.svd(np.sqrt(variance)[:, None] * rest, full_matrices=False)
        return cls(size**2, (turned @ (estimate @ rest)) ** 2, variance)

    def at_q(self, target: float, highest: float, scale: float) -> float:
        """Return the between-study variance up to `highest` at which :math:`y'Py` is `target`."""

        def excess(tau2: float) -> tuple[float, float]:
            weight = 1 / (self.values + tau2)
            part = self.squares * weight
            q = max(float(part.sum()), TINY)
            return 1 / target - 1 / q, -float(part @ weight) / q / q

        return falling_root_of_one(excess, 0.0, highest, 0.0, scale)

    def maximum(self, grid: FloatArray, scale: float, *, restricted: bool) -> float:
        """Return the between-study variance of highest (restricted) likelihood, from a grid."""
        best = int(self._heights(grid, restricted).argmax())
        low, start = float(grid[max(best - 1, 0)]), float(grid[best])
        high = float(grid[min(best + 1, len(grid) - 1)])
        return falling_root_of_one(
            lambda tau2: self._score(tau2, restricted), low, high, start, scale
        )

    def _score(self, tau2: float, restricted: bool) -> tuple[float, float]:
        """Return twice the slope of the log-likelihood, and the slope of that."""
        weight = 1 / (self.values + tau2)
        trace = weight if restricted else 1 / (self.variance + tau2)
        pulled = self.squares * weight
        square = weight * weight
        slope = float(trace @ trace) - 2 * float(pulled @ square)
        return float(pulled @ weight) - float(trace.sum()), slope

    def _heights(self, tau2: FloatArray, restricted: bool) -> FloatArray:
        """Return the log-likelihood, up to a constant and twice, at several `tau2`."""
        total = self.values + tau2[:, None]
        spread = total if restricted else self.variance + tau2[:, None]
        height: FloatArray = -np.log(spread).sum(axis=1) - (self.squares / total).sum(axis=1)
        return height
