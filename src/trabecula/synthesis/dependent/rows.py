"""Dependent estimates as given: read, checked, and brought to a common unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import ESTIMATE, FloatArray, IntArray, numbers, require
from trabecula.synthesis.dependent.sampling import BlockCovariance, Sampling
from trabecula.synthesis.studies import others

COLLINEAR = 1e-9
"""A column of the design is a combination of the others if less than this share of it is left
without them."""


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """Columns of known values, one a coefficient, with names.

    ``basis`` has orthonormal columns that span those of ``values``: ``values = basis @ inv(turn)``,
    so that coefficients are ``turn`` times those of the basis. Rows without a value are zero.
    """

    names: tuple[str, ...]
    values: FloatArray
    basis: FloatArray
    turn: FloatArray
    missing: NDArray[np.bool_]

    @classmethod
    def of(cls, names: Sequence[str], values: FloatArray) -> Self:
        """Return the design of columns `values` (rows, coefficients); NaN where one is missing.

        Raises
        ------
        ValueError
            If a column is a combination of those before it.
        """
        missing: NDArray[np.bool_] = np.asarray(np.isnan(values).any(axis=1))
        filled = np.where(missing[:, None], 0.0, values)
        size = np.linalg.norm(filled, axis=0)
        basis, triangle = np.linalg.qr(filled / np.where(size > 0, size, 1.0))
        left = np.abs(np.diagonal(triangle))
        if len(left) < len(names) or (left < COLLINEAR).any():
            at = len(left) if len(left) < len(names) else int(np.flatnonzero(left < COLLINEAR)[0])
            raise ValueError(
                f"moderators are collinear: {names[at]!r} is a combination of "
                f"{', '.join(names[:at]) or 'nothing'}; leave it out"
            )
        turn = np.linalg.inv(triangle) / size[:, None]
        return cls(tuple(names), filled, basis, turn, missing)


def with_moderators(
    base: FloatArray,
    base_names: Sequence[str],
    moderators: ArrayLike | None,
    names: Sequence[str] | None,
) -> Design:
    """Return the design of `base` columns and `moderators` (rows,) or (rows, moderators)."""
    rows = len(base)
    if moderators is None:
        if names:
            raise ValueError(f"names has {len(names)} names, but there are no moderators")
        return Design.of(base_names, base)
    columns = numbers("moderators", moderators)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or len(columns) != rows:
        raise ValueError(f"moderators must have {rows} rows, got shape {columns.shape}")
    require("moderators", columns, ESTIMATE, missing=True)
    given = [f"x{i + 1}" for i in range(columns.shape[1])] if names is None else names
    if len(given) != columns.shape[1]:
        raise ValueError(
            f"names must have one name a moderator, {columns.shape[1]}; got {len(given)}"
        )
    return Design.of([*base_names, *given], np.concatenate([base, columns], axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Estimates of many data sets over the same rows, with design and sampling covariance.

    ``estimate`` and ``present`` are (data sets, rows). Estimates are in units of ``unit``, one a
    data set, the standard deviation of a typical estimate; sampling covariances are as given.
    ``shape`` is the shape in which the data sets came.
    """

    estimate: FloatArray
    present: FloatArray
    design: Design
    sampling: Sampling
    unit: FloatArray
    shape: tuple[int, ...]

    @classmethod
    def read(
        cls, estimate: ArrayLike, variance: ArrayLike | BlockCovariance, design: Design
    ) -> Self:
        """Return the rows of `estimate` (..., rows); NaN in either array marks a missing row.

        Raises
        ------
        ValueError
            If an argument is out of range, or a data set has no more rows than coefficients.
        """
        values = row_axis(estimate)
        sampling, shape = Sampling.read(variance, values.shape)
        rows = values.shape[-1]
        table = np.broadcast_to(values, (*shape, rows)).reshape(-1, rows)
        there = ~(np.isnan(table) | np.isnan(sampling.variance) | design.missing)
        _require_enough(there, design)
        table, present = np.where(there, table, 0.0), there.astype(np.float64)
        unit = _unit(table, np.where(there, sampling.variance, 1.0), present)
        return cls(table / unit[:, None], present, design, sampling, unit, shape)

    @property
    def k(self) -> FloatArray:
        """The number of rows that are there, one a data set."""
        value: FloatArray = self.present.sum(axis=1)
        return value

    def take(self, which: IntArray, shape: tuple[int, ...]) -> Rows:
        """Return the data sets `which`, in the shape `shape`."""
        return Rows(
            self.estimate[which],
            self.present[which],
            self.design,
            self.sampling.take(which),
            self.unit[which],
            shape,
        )


def row_axis(estimate: ArrayLike) -> FloatArray:
    """Return `estimate` as an array whose last axis are rows; `ValueError` if it has none."""
    values = numbers("estimate", estimate)
    if values.ndim == 0 or 0 in values.shape:
        raise ValueError(f"estimate must have rows along its last axis, got shape {values.shape}")
    require("estimate", values, ESTIMATE, missing=True)
    return values


def _require_enough(there: NDArray[np.bool_], design: Design) -> None:
    p = len(design.names)
    gram = np.einsum("rn,ni,nj->rij", there.astype(float), design.basis, design.basis)
    few = there.sum(axis=1) <= p
    lost = np.linalg.eigvalsh(gram)[:, 0] < COLLINEAR
    if few.any() or lost.any():
        at = int(np.flatnonzero(few | lost)[0])
        where = f" in data set {at}" if len(there) > 1 else ""
        raise ValueError(
            f"{int(there[at].sum())} estimates{where} cannot carry {p} coefficients and a "
            f"variance ({', '.join(design.names)}): more estimates or fewer coefficients are needed"
        )


def _unit(estimate: FloatArray, variance: FloatArray, present: FloatArray) -> FloatArray:
    """Return the square root of typical sampling variance plus DerSimonian-Laird variance."""
    weight = present / variance
    total = weight.sum(axis=1)
    scale = (weight * others(weight)).sum(axis=1) / total
    mean = (weight * estimate).sum(axis=1) / total
    q = (weight * (estimate - mean[:, None]) ** 2).sum(axis=1)
    df = np.maximum(present.sum(axis=1) - 1, 1)
    value: FloatArray = np.sqrt(np.maximum(q, df) / scale)
    return value
