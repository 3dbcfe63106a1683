"""What a fitted model of dependent estimates says about every pair of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import COUNT, FloatArray, IntArray, numbers, require, same_shape
from trabecula.synthesis.dependent.marginal import Component, Marginal
from trabecula.synthesis.dependent.rows import Rows, row_axis, with_moderators
from trabecula.synthesis.pairwise.moderators import INTERCEPT


@dataclass(frozen=True, slots=True, eq=False)
class WorkingModel:
    """The model that a fit stands for, as robust standard errors and predictions need it.

    ``rows`` are the data, ``components`` and ``natural`` the covariance of true effects in units
    of the data set, ``basis_coefficients`` the coefficients of the orthonormal basis in those
    units.
    """

    rows: Rows
    components: tuple[Component, ...]
    natural: FloatArray
    basis_coefficients: FloatArray

    @property
    def working(self) -> WorkingModel:
        """The model itself: it can stand where a fit is asked for."""
        return self

    def likelihood(self, cluster: IntArray) -> Marginal:
        """Return the likelihood summed over `cluster`, codes of the rows."""
        return Marginal.of(self.rows, self.components, cluster)

    def take(self, index: Any) -> WorkingModel:
        """Return the model of the data sets at `index` of the leading axes."""
        which = np.arange(len(self.natural)).reshape(self.rows.shape)[index]
        flat = np.atleast_1d(which).ravel()
        return WorkingModel(
            self.rows.take(flat, np.shape(which)),
            self.components,
            self.natural[flat],
            self.basis_coefficients[flat],
        )


def inverse_variance_model(
    estimate: ArrayLike,
    variance: ArrayLike,
    tau2: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> WorkingModel:
    """Return the working model of independent rows with weights ``1 / (variance + tau2)``.

    It brings `cluster_robust` to results of `random_effects` and `meta_regression`: pass their
    data and their ``tau2``, and the coefficients are theirs.

    Parameters
    ----------
    estimate, variance
        Arrays (..., rows); NaN marks a missing row.
    tau2
        Between-study variance, one number or one a data set.
    moderators, names
        Known values (rows, moderators) and what they are called; an intercept stands before.

    Raises
    ------
    ValueError
        If an argument is out of range or the moderators are collinear.
    """
    count = row_axis(estimate).shape[-1]
    design = with_moderators(np.ones((count, 1)), [INTERCEPT], moderators, names)
    rows = Rows.read(estimate, variance, design)
    spread = numbers("tau2", tau2)
    require("tau2", spread, COUNT)
    each = np.arange(count)
    alone = Component(each, np.zeros_like(each), np.zeros((1, 1), dtype=np.int64))
    if same_shape(("estimate", "tau2"), np.empty(rows.shape), spread) != rows.shape:
        raise ValueError(
            f"tau2 must be one number or one a data set {rows.shape}, got shape {spread.shape}"
        )
    natural = (np.broadcast_to(spread, rows.shape).reshape(-1) / rows.unit**2)[:, None]
    mean = Marginal.of(rows, (alone,)).mean(natural)
    return WorkingModel(rows, (alone,), natural, mean.coefficients)
