"""The design of a meta-regression: estimates, variances and moderators, checked together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    ESTIMATE,
    VARIANCE,
    FloatArray,
    numbers,
    require,
    same_shape,
    study_table,
)
from trabecula.synthesis.pairwise.labels import distinct_labels
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.pairwise.spectrum import Spectrum
from trabecula.synthesis.studies import over_studies

INTERCEPT = "intercept"
"""Name of the column of ones."""

COLLINEAR = 1e-10
"""Sine of the angle between a column and the others below which it counts as their combination:
of sixteen digits fewer than six would be left in its coefficient."""

ROUNDING = 16 * np.finfo(np.float64).eps
"""A residual below this, relative to what it was subtracted from, is rounding and counts as 0;
so are all where each is below it relative to the largest number."""


@dataclass(frozen=True, eq=False)
class Design:
    """Studies and moderators, tables (data sets, studies) and (data sets or 1, studies, columns).

    Estimates are counted from the common-effect fit, whose coefficients are ``origin``: residuals
    keep their digits however large the estimates. ``present`` is 1 where a study is there and 0
    where it is missing; missing studies hold harmless numbers and empty rows. ``spans`` tells
    where the columns can form a constant, so that the model contains the intercept-only one.
    """

    estimate: FloatArray
    variance: FloatArray
    present: FloatArray
    matrix: FloatArray
    origin: FloatArray
    k: FloatArray
    spans: NDArray[np.bool_]
    names: tuple[str, ...]
    intercept: bool
    shape: tuple[int, ...]

    @classmethod
    def read(
        cls,
        estimate: ArrayLike,
        variance: ArrayLike,
        moderators: ArrayLike | None,
        names: Sequence[str] | None = None,
        *,
        intercept: bool = True,
        argument: str = "moderators",
    ) -> Self:
        """Return the design of arrays (..., studies) and (..., studies, columns).

        Raises
        ------
        ValueError
            Naming the argument, the column and the data set, and what to do: for numbers out
            of range, shapes that do not fit, moderators that are missing, constant or
            collinear, and more coefficients than studies can carry.
        """
        values, spreads = numbers("estimate", estimate), numbers("variance", variance)
        require("estimate", values, ESTIMATE, missing=True)
        hint = ": a study without sampling error cannot be weighed, leave it out or correct it"
        require("variance", spreads, VARIANCE, missing=True, hint=hint)
        own = same_shape(("estimate", "variance"), values, spreads)
        columns = _columns(moderators, own, argument)
        labels = _labels(names, columns.shape[-1], argument)
        try:
            shape = np.broadcast_shapes(own[:-1], columns.shape[:-2])
        except ValueError as error:
            raise ValueError(
                f"the data sets of estimate and {argument} must broadcast, "
                f"got shapes {own} and {columns.shape}"
            ) from error
        y, v, shape = study_table(
            ("estimate", "variance"), np.broadcast_to(values, shape + own[-1:]), spreads
        )
        present = ~np.isnan(y)
        sets = 1 if columns.ndim == 2 else len(y)
        if sets > 1:
            columns = np.broadcast_to(columns, shape + columns.shape[-2:])
        matrix = columns.reshape((sets, *columns.shape[-2:]))
        _complete(matrix, present, labels, argument)
        if intercept:
            labels = (INTERCEPT, *labels)
            matrix = np.concatenate([np.ones((*matrix.shape[:-1], 1)), matrix], axis=-1)
        if not labels:
            raise ValueError(f"a model without intercept needs {argument}, got no column")
        if not present.all():
            matrix = np.where(present[..., None], matrix, 0.0)
        _enough(present.sum(axis=1), labels, shape)
        spans = _independent(matrix, labels, shape, argument)
        return cls._centered(y, v, present, matrix, spans, labels, intercept, shape)

    @classmethod
    def _centered(
        cls,
        y: FloatArray,
        v: FloatArray,
        there: NDArray[np.bool_],
        matrix: FloatArray,
        spans: NDArray[np.bool_],
        names: tuple[str, ...],
        intercept: bool,
        shape: tuple[int, ...],
    ) -> Self:
        present = there.astype(np.float64)
        estimate, variance = np.where(there, y, 0.0), np.where(there, v, 1.0)
        fit = Projection.of(matrix, estimate, present / variance)
        origin = (fit.inverse @ fit.coordinates[..., None])[..., 0]
        parts = matrix * origin[:, None, :]
        rest = estimate - parts.sum(axis=-1)
        size = np.abs(estimate) + np.abs(parts).sum(axis=-1)
        furthest = np.abs(rest).max(axis=-1, keepdims=True)
        exact = furthest <= ROUNDING * size.max(axis=-1, keepdims=True)
        return cls(
            estimate=np.where((np.abs(rest) <= ROUNDING * size) | exact, 0.0, rest),
            variance=variance,
            present=present,
            matrix=matrix,
            origin=origin,
            k=over_studies(present),
            spans=np.broadcast_to(spans, len(y)),
            names=names,
            intercept=intercept,
            shape=shape,
        )

    @property
    def p(self) -> int:
        """The number of columns."""
        return len(self.names)

    @property
    def df(self) -> FloatArray:
        """Residual degrees of freedom, at least 1."""
        return self.k - self.p

    @property
    def smallest_variance(self) -> FloatArray:
        """The smallest sampling variance of each data set."""
        return cast(FloatArray, np.where(self.present > 0, self.variance, np.inf).min(axis=-1))

    @property
    def tested(self) -> tuple[int, ...]:
        """The columns of the omnibus test: all but the intercept, or it where it is alone."""
        return tuple(range(int(self.intercept and self.p > 1), self.p))

    def projection(self, tau2: FloatArray) -> Projection:
        """Return the fit with weights ``1 / (variance + tau2)``, `tau2` (..., data sets)."""
        weight = self.present / (self.variance + tau2[..., None])
        return Projection.of(self.matrix, self.estimate, weight)

    @cached_property
    def fixed(self) -> Projection:
        """The fit without between-study variance."""
        return self.projection(np.zeros_like(self.k))

    @cached_property
    def unweighted(self) -> Projection:
        """The fit with equal weights."""
        return Projection.of(self.matrix, self.estimate, self.present)

    @cached_property
    def spectrum(self) -> Spectrum | None:
        """The residuals in diagonal form, for one data set that has all its studies."""
        if len(self.k) > 1 or not self.present.all():
            return None
        return Spectrum.of(self.matrix[0], self.estimate[0], self.variance[0])

    @property
    def values(self) -> FloatArray:
        """The estimates as they were given; 0 where a study is missing."""
        return cast(
            FloatArray, self.estimate + (self.matrix * self.origin[:, None, :]).sum(axis=-1)
        )

    def without_moderators(self) -> Self:
        """Return the same studies with a column of ones alone."""
        there, spans = self.present > 0, np.ones(1, dtype=bool)
        return self._centered(
            self.values,
            self.variance,
            there,
            self.present[..., None],
            spans,
            (INTERCEPT,),
            True,
            self.shape,
        )

    def only(self, index: int) -> Design:
        """Return one data set, without its missing studies."""
        there = self.present[index] > 0
        matrix = self.matrix[0 if len(self.matrix) == 1 else index][there]
        return Design(
            self.estimate[[index]][:, there],
            self.variance[[index]][:, there],
            self.present[[index]][:, there],
            matrix[None],
            self.origin[[index]],
            self.k[[index]],
            self.spans[[index]],
            self.names,
            self.intercept,
            (),
        )

    def rearranged(self, estimate: FloatArray, variance: FloatArray) -> Self:
        """Return the same moderators beside other studies, tables (data sets, studies)."""
        there = np.ones(estimate.shape, dtype=bool)
        shape = (len(estimate),)
        spans, names, intercept = self.spans[:1], self.names, self.intercept
        return self._centered(
            estimate, variance, there, self.matrix, spans, names, intercept, shape
        )

    def rows(self, part: slice | NDArray[np.intp]) -> Design:
        """Return the data sets of `part`."""
        if not isinstance(part, slice) and np.array_equal(part, np.arange(len(self.k))):
            return self
        return Design(
            self.estimate[part],
            self.variance[part],
            self.present[part],
            self.matrix if len(self.matrix) == 1 else self.matrix[part],
            self.origin[part],
            self.k[part],
            self.spans[part],
            self.names,
            self.intercept,
            self.shape,
        )


def categorical(
    values: Sequence[Hashable], reference: Hashable | None = None
) -> tuple[FloatArray, tuple[str, ...]]:
    """Return indicator columns (studies, levels - 1) for a categorical moderator, and their names.

    Treatment coding: each coefficient is the difference of a level from `reference`, by default
    the level that sorts first. Levels are sorted by their text.

    Raises
    ------
    ValueError
        If a value is missing (None, NaN), there are fewer than two levels, two of them have the
        same text, or `reference` is none of them.

    Examples
    --------
    >>> columns, names = categorical(["open", "blind", "open"])
    >>> columns.tolist(), names
    ([[1.0], [0.0], [1.0]], ('open',))
    """
    levels = distinct_labels("values", values)
    if len(levels) < 2:
        raise ValueError(f"a categorical moderator needs two levels or more, got {levels!r}")
    base = levels[0] if reference is None else reference
    if base not in levels:
        raise ValueError(f"reference must be one of {levels!r}, got {reference!r}")
    others = [level for level in levels if level != base]
    columns = np.array([[float(value == level) for level in others] for value in values])
    return columns, tuple(str(level) for level in others)


def prediction_rows(
    moderators: ArrayLike, names: tuple[str, ...], intercept: bool, axes: int
) -> FloatArray:
    """Return rows (..., rows, columns) of a design for values of the moderators.

    Without a second axis the values are one row, or a column of rows where the model has one
    moderator. `ValueError` for missing values and for the wrong number of columns.
    """
    values = numbers("moderators", moderators)
    require("moderators", values, ESTIMATE)
    columns = len(names) - intercept
    if values.ndim < 2:
        values = values.reshape(-1, 1) if columns == 1 else values.reshape(1, -1)
    if values.shape[-1] != columns or values.ndim - 2 > axes:
        raise ValueError(
            f"moderators must have shape (rows, {columns}) with a column for each of "
            f"{', '.join(names[int(intercept) :])}; got shape {np.shape(moderators)}"
        )
    if not intercept:
        return values
    return np.concatenate([np.ones((*values.shape[:-1], 1)), values], axis=-1)


def _columns(moderators: ArrayLike | None, own: tuple[int, ...], argument: str) -> FloatArray:
    studies = own[-1] if own else 0
    if moderators is None:
        return np.empty((studies, 0))
    columns = numbers(argument, moderators)
    require(argument, columns, ESTIMATE, missing=True)
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim < 2 or columns.shape[-2] != studies:
        raise ValueError(
            f"{argument} must have shape (..., studies, columns), here (..., {studies}, columns); "
            f"got shape {np.shape(moderators)}"
        )
    return columns


def _labels(names: Sequence[str] | None, columns: int, argument: str) -> tuple[str, ...]:
    if names is None:
        return tuple(f"x{i + 1}" for i in range(columns))
    labels = (names,) if isinstance(names, str) else tuple(str(name) for name in names)
    if len(labels) != columns or len({INTERCEPT, *labels}) != columns + 1:
        raise ValueError(
            f"names must hold a name for each column of {argument} ({columns}), all different and "
            f"none {INTERCEPT!r}; got {labels!r}"
        )
    return labels


def _complete(
    matrix: FloatArray, present: NDArray[np.bool_], names: tuple[str, ...], argument: str
) -> None:
    gaps = np.isnan(matrix) & present[..., None]
    if gaps.any():
        lacking = [name for i, name in enumerate(names) if gaps[..., i].any()]
        studies = sorted({int(i) for i in np.nonzero(gaps.any(axis=-1))[-1]})
        raise ValueError(
            f"{argument} lack values (NaN) in {', '.join(lacking)} for the studies at "
            f"{studies}: leave these studies out (NaN as their estimate), or the column"
        )


def _enough(k: NDArray[np.int_], names: tuple[str, ...], shape: tuple[int, ...]) -> None:
    short = k <= len(names)
    if short.any():
        raise ValueError(
            f"{int(k[short][0])} studies{_where(short, shape)} cannot carry {len(names)} "
            f"coefficients ({', '.join(names)}): at least {len(names) + 1} are needed, "
            "use fewer moderators"
        )


def _independent(
    matrix: FloatArray, names: tuple[str, ...], shape: tuple[int, ...], argument: str
) -> NDArray[np.bool_]:
    """Return where the columns form a constant; `ValueError` unless they are independent."""
    length = np.sqrt((matrix**2).sum(axis=-2, keepdims=True))
    scaled = matrix / np.where(length > 0, length, 1.0)
    basis, triangle = np.linalg.qr(scaled)
    size = np.abs(np.diagonal(triangle, axis1=-2, axis2=-1))
    for column, name in enumerate(names):
        dependent = size[:, column] <= COLLINEAR
        if dependent.any():
            where = int(dependent.argmax())
            reason = _combination(triangle[where], column, names)
            place = _where(dependent, shape) if len(matrix) > 1 else ""
            raise ValueError(f"{argument}: column {name}{place} {reason}; leave it out")
    there = np.any(matrix != 0, axis=-1).astype(np.float64)
    inner = (np.swapaxes(basis, -1, -2) @ there[..., None])[..., 0]
    rest = there - (basis @ inner[..., None])[..., 0]
    near: NDArray[np.bool_] = (rest**2).sum(axis=-1) <= COLLINEAR**2 * there.sum(axis=-1)
    return near


def _combination(triangle: FloatArray, column: int, names: tuple[str, ...]) -> str:
    if column == 0 or not triangle[:, column].any():
        return "is 0 for every study"
    share = np.linalg.solve(triangle[:column, :column], triangle[:column, column])
    parts = [names[i] for i in range(column) if abs(share[i]) > np.sqrt(COLLINEAR)]
    if parts == [INTERCEPT]:
        return "is constant, which the intercept already covers"
    return f"is a linear combination of {', '.join(parts)}"


def _where(wrong: NDArray[np.bool_], shape: tuple[int, ...]) -> str:
    if not shape:
        return ""
    index = [int(i) for i in np.unravel_index(int(wrong.argmax()), shape)]
    return f" in data set {index[0] if len(index) == 1 else tuple(index)}"
