"""The studies of many data sets, and their inverse-variance weighted sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    ESTIMATE,
    LARGEST,
    VARIANCE,
    FloatArray,
    numbers,
    require,
    study_table,
)


def over_studies(values: FloatArray) -> FloatArray:
    """Return the sum over the last axis, the studies."""
    return cast(FloatArray, values.sum(axis=-1))


def others(values: FloatArray) -> FloatArray:
    """Return, for each study, the sum over all other studies of non-negative `values`.

    The largest is left out by adding the rest, not by subtracting it from the sum.
    """
    largest = np.arange(values.shape[-1]) == values.argmax(axis=-1)[..., None]
    rest = over_studies(np.where(largest, 0.0, values))
    total = over_studies(values)
    return np.where(largest, rest[..., None], total[..., None] - values)


def extremes(values: FloatArray) -> tuple[float, float]:
    """Return the least and the largest of `values`, NaN if any is.

    By their places, since NumPy's reductions take four times as long to begin.
    """
    return float(values.item(values.argmin())), float(values.item(values.argmax()))


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """Sums over studies with given weights, one a data set.

    With weights :math:`w` the projection is :math:`P = W - W 1 1' W / (1' W 1)`. Sums are
    arranged so that nothing cancels when one study outweighs all others.
    """

    weight: FloatArray
    total: FloatArray
    mean: FloatArray
    residual: FloatArray

    @classmethod
    def of(cls, estimate: FloatArray, weight: FloatArray) -> Self:
        """Return the sums for `estimate` and `weight`, tables (..., studies)."""
        total = over_studies(weight)
        mean = over_studies(weight * estimate) / total
        return cls(weight, total, mean, estimate - mean[..., None])

    @property
    def q(self) -> FloatArray:
        """The weighted sum of squares about the weighted mean."""
        return over_studies(self.weight * self.residual**2)

    @property
    def sum_p(self) -> FloatArray:
        """The trace of the projection."""
        return self.trace_with(np.ones_like(self.weight))

    def trace_with(self, diagonal: FloatArray) -> FloatArray:
        """Return the trace of the projection times a diagonal matrix."""
        return over_studies(self.weight * diagonal * others(self.weight)) / self.total


@dataclass(frozen=True, slots=True, eq=False)
class Studies:
    """Estimates and sampling variances, tables (data sets, studies).

    Estimates are counted from ``origin``, that of the most precise study, so that its distance
    from a mean which it dominates keeps its digits. ``present`` is 1 where a study is there and
    0 where it is missing; missing studies hold harmless numbers and never carry weight. ``k``
    counts the studies of each data set. ``shape`` is the shape in which the data sets came.
    """

    origin: FloatArray
    estimate: FloatArray
    variance: FloatArray
    present: FloatArray
    k: FloatArray
    shape: tuple[int, ...]

    @classmethod
    def read(cls, estimate: ArrayLike, variance: ArrayLike) -> Self:
        """Return the studies in two arrays (..., studies), NaN for a missing one.

        Raises
        ------
        ValueError
            Naming the argument and the value, if they are not numbers in range, do not
            broadcast, or leave a data set without a study.
        """
        values, spreads = numbers("estimate", estimate), numbers("variance", variance)
        if values.shape == spreads.shape and _plain(values, spreads):
            return cls._complete(values, spreads)
        require("estimate", values, ESTIMATE, missing=True)
        hint = ": a study without sampling error cannot be weighed, leave it out or correct it"
        require("variance", spreads, VARIANCE, missing=True, hint=hint)
        y, v, shape = study_table(("estimate", "variance"), values, spreads)
        there = ~np.isnan(y)
        most_precise = np.where(there, v, np.inf).argmin(axis=1)
        origin = y[np.arange(len(y)), most_precise]
        return cls(
            origin=origin,
            estimate=np.where(there, y - origin[:, None], 0.0),
            variance=np.where(there, v, 1.0),
            present=there.astype(np.float64),
            k=there.sum(axis=1).astype(np.float64),
            shape=shape,
        )

    @classmethod
    def _complete(cls, values: FloatArray, spreads: FloatArray) -> Self:
        """Return the studies in two arrays that hold numbers in range alone."""
        size = values.shape[-1]
        y, v = values.reshape(-1, size), spreads.reshape(-1, size)
        origin = y.take(v.argmin(axis=1) + np.arange(0, y.size, size))
        k, present = np.empty(len(y)), np.empty(y.shape)
        k.fill(size)
        present.fill(1.0)
        return cls(origin, y - origin[:, None], v, present, k, values.shape[:-1])

    @property
    def ragged(self) -> bool:
        """Whether any study is missing."""
        least, _ = extremes(self.k)
        return bool(least < self.estimate.shape[1])

    @property
    def df(self) -> FloatArray:
        """Degrees of freedom ``k - 1``; 1 for a lone study, whose results are set aside later."""
        return np.maximum(self.k - 1, 1.0)

    @property
    def smallest_variance(self) -> FloatArray:
        """The smallest sampling variance of each data set."""
        return cast(FloatArray, np.where(self.present > 0, self.variance, np.inf).min(axis=1))

    def weighted(self, tau2: FloatArray) -> Weighted:
        """Return the sums with weights ``1 / (variance + tau2)``, for `tau2` (..., data sets)."""
        return Weighted.of(self.estimate, self.present / (self.variance + tau2[..., None]))

    def take(self, index: slice | NDArray[Any]) -> Studies:
        """Return the data sets at `index`."""
        return Studies(
            self.origin[index],
            self.estimate[index],
            self.variance[index],
            self.present[index],
            self.k[index],
            self.shape,
        )


def _plain(values: FloatArray, spreads: FloatArray) -> bool:
    """Return whether there are studies, and each has numbers in range: nothing left to check."""
    if not values.size or not values.ndim:
        return False
    low, high = extremes(values)
    least, most = extremes(spreads)
    return low >= -LARGEST and high <= LARGEST and least >= 1 / LARGEST and most <= LARGEST
