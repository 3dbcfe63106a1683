"""Studies pooled or regressed on moderators, in one form for what is said of single studies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, numbers
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.meta_regression import meta_regression
from trabecula.synthesis.pairwise.moderators import INTERCEPT
from trabecula.synthesis.pairwise.random_effects import random_effects
from trabecula.synthesis.pairwise.random_effects_numbers import Test
from trabecula.synthesis.pairwise.regression_heterogeneity import Method as RegressionMethod
from trabecula.synthesis.pairwise.subsets import pair
from trabecula.synthesis.result import Json, Result

CARRIES = 1e-9
"""A study whose hat value is nearer than this to 1 determines its own fitted value."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model of studies: the same fields whether pooled or regressed on moderators.

    ``design`` is (..., studies, columns), ``scale`` what the test multiplies variances by.
    ``hat`` are the diagonal of the hat matrix, NaN for missing studies.
    """

    names: tuple[str, ...]
    k: IntArray
    design: FloatArray
    coefficients: FloatArray
    covariance: FloatArray
    scale: FloatArray
    df: FloatArray
    tau2: FloatArray
    q: FloatArray
    hat: FloatArray

    @classmethod
    def of(
        cls,
        data: tuple[FloatArray, FloatArray],
        moderators: FloatArray | None,
        names: Sequence[str] | None,
        method: Method,
        test: Test,
    ) -> Self:
        """Return the fit of estimates and variances `data`, with or without moderators."""
        estimate, variance = data
        if moderators is not None:
            return cls._regressed(data, moderators, names, method, test)
        fit = random_effects(estimate, variance, method=method, test=test)
        tau2 = np.nan_to_num(fit.tau2)  # that of a lone study is not known, and taken as none
        there = ~(np.isnan(estimate) | np.isnan(variance))
        total = np.where(there, 1 / (variance + tau2[..., None]), 0.0).sum(axis=-1)
        return cls(
            (INTERCEPT,),
            fit.k,
            np.ones((*estimate.shape, 1)),
            fit.estimate[..., None],
            fit.se[..., None, None] ** 2,
            fit.se**2 * total,
            fit.df,
            tau2,
            fit.q,
            fit.weights / 100,
        )

    @classmethod
    def _regressed(
        cls,
        data: tuple[FloatArray, FloatArray],
        moderators: FloatArray,
        names: Sequence[str] | None,
        method: Method,
        test: Test,
    ) -> Self:
        estimate, variance = data
        kind = cast(RegressionMethod, method)  # no *GENQ* comes this far
        fit = meta_regression(estimate, variance, moderators, names=names, method=kind, test=test)
        columns = np.broadcast_to(moderators, (*estimate.shape, moderators.shape[-1]))
        design = np.concatenate([np.ones((*estimate.shape, 1)), columns], axis=-1)
        return cls(
            fit.names,
            fit.k,
            design,
            fit.coefficients,
            fit.covariance,
            fit.variance_scale,
            fit.df,
            fit.tau2,
            fit.qe,
            fit.hat,
        )

    @property
    def expected(self) -> FloatArray:
        """The fitted values of the studies."""
        value: FloatArray = np.einsum("...ij,...j->...i", self.design, self.coefficients)
        return value


def study_data(
    estimate: ArrayLike, variance: ArrayLike, moderators: ArrayLike | None, method: Method
) -> tuple[tuple[FloatArray, FloatArray], FloatArray | None]:
    """Return estimates and variances in one shape, NaN in both where missing, and moderators.

    Raises
    ------
    ValueError
        If a data set has fewer than two studies, or *GENQ* is asked for: its weights are not
        the inverse variances.
    """
    if method.startswith("GENQ"):
        raise ValueError(
            f"method must weigh studies by their inverse variance, {method} does not: take PM, "
            "which solves the same equation with those weights"
        )
    y, v = pair(estimate, variance)
    missing = np.isnan(y) | np.isnan(v)
    data = (np.where(missing, np.nan, y), np.where(missing, np.nan, v))
    if moderators is None:
        return data, None
    columns = numbers("moderators", moderators)
    return data, columns[:, None] if columns.ndim == 1 else columns


def rows_of(result: Result, fields: Sequence[str]) -> list[dict[str, Json]]:
    """Return `fields` with the studies along their axis as one row a study.

    ``study`` counts from 0. `ValueError` for several data sets.
    """
    result.require_one()
    table = result.to_dict()
    columns = {name: cast(list[Json], table[name]) for name in fields}
    count = len(next(iter(columns.values())))
    return [{"study": i} | {name: columns[name][i] for name in columns} for i in range(count)]
