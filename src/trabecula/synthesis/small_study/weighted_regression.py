"""A straight line through points with weights known up to a factor, for many data sets at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.pairwise.moderators import ROUNDING
from trabecula.synthesis.studies import Weighted, over_studies


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """Intercept and slope with standard errors, one a data set.

    ``dispersion`` is the weighted residual sum of squares over ``df = k - 2``; the standard errors
    are scaled by it: what varies beyond the weights varies in proportion to them. All are 0 where
    the points lie on the line but for rounding.
    """

    intercept: FloatArray
    intercept_se: FloatArray
    slope: FloatArray
    slope_se: FloatArray
    dispersion: FloatArray
    df: FloatArray

    @classmethod
    def through(cls, y: FloatArray, x: FloatArray, weight: FloatArray) -> Self:
        """Return the line through tables (data sets, studies); weight 0 where one is missing."""
        heights, places = Weighted.of(y, weight), Weighted.of(x, weight)
        spread = places.q
        slope = over_studies(weight * places.residual * heights.residual) / spread
        fitted = slope[:, None] * places.residual
        residual = heights.residual - fitted
        size = np.where(weight > 0, np.abs(y) + np.abs(heights.mean[:, None]) + np.abs(fitted), 0.0)
        furthest = np.where(weight > 0, np.abs(residual), 0.0).max(axis=1, keepdims=True)
        exact = furthest <= ROUNDING * size.max(axis=1, keepdims=True)
        residual = np.where(exact, 0.0, residual)
        df = over_studies((weight > 0).astype(np.float64)) - 2
        dispersion = over_studies(weight * residual**2) / df
        return cls(
            intercept=heights.mean - slope * places.mean,
            intercept_se=np.sqrt(dispersion * (1 / places.total + places.mean**2 / spread)),
            slope=slope,
            slope_se=np.sqrt(dispersion / spread),
            dispersion=dispersion,
            df=df,
        )
