"""Known sampling covariances, one block a cluster, and how to guess them from variances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    VARIANCE,
    FloatArray,
    IntArray,
    numbers,
    require,
    same_shape,
)
from trabecula.synthesis.dependent.partition import codes_of, connected
from trabecula.synthesis.result import frozen

SYMMETRY = 1e-10
"""Largest relative difference between the two halves of a covariance matrix."""

Labels = Sequence[Any] | NDArray[Any]
"""One label a row: text or numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class BlockCovariance:
    """A covariance matrix of independent clusters, kept as one block a cluster.

    ``rows`` holds the row numbers of each cluster, ``blocks`` its covariances in that order.
    Each row belongs to one cluster.
    """

    rows: tuple[IntArray, ...]
    blocks: tuple[FloatArray, ...]

    @classmethod
    def of(cls, matrix: ArrayLike) -> Self:
        """Return the blocks of a covariance matrix (rows, rows): what zeros keep apart."""
        dense = numbers("covariance", matrix)
        if dense.ndim != 2 or dense.shape[0] != dense.shape[1] or not len(dense):
            raise ValueError(f"covariance must be a square matrix, got shape {dense.shape}")
        cluster = connected(len(dense), [np.argwhere(np.triu(dense != 0, 1))])
        rows = rows_of(cluster)
        return cls(rows, tuple(frozen(dense[np.ix_(r, r)]) for r in rows))

    @property
    def size(self) -> int:
        """The number of rows."""
        return sum(len(r) for r in self.rows)

    @property
    def variance(self) -> FloatArray:
        """The diagonal: one variance a row."""
        diagonal = np.empty(self.size)
        for rows, block in zip(self.rows, self.blocks, strict=True):
            diagonal[rows] = np.diagonal(block)
        return diagonal

    def dense(self) -> FloatArray:
        """Return the whole matrix (rows, rows)."""
        matrix = np.zeros((self.size, self.size))
        for rows, block in zip(self.rows, self.blocks, strict=True):
            matrix[np.ix_(rows, rows)] = block
        return matrix


def impute_covariance(
    variance: ArrayLike,
    cluster: Labels,
    correlation: float,
    *,
    time: ArrayLike | None = None,
) -> BlockCovariance:
    """Return sampling covariances under an assumed correlation within each cluster.

    Parameters
    ----------
    variance
        Sampling variances (rows,); NaN for a missing row.
    cluster
        One label a row: rows of one label come from the same patients.
    correlation
        Correlation of two sampling errors of a cluster, or, with `time`, of two that lie one
        unit of time apart. It is a guess: repeat the analysis with others.
    time
        Time of each row. Given, two errors are correlated by `correlation` raised to their
        distance in time (first-order autoregression).

    Raises
    ------
    ValueError
        If the correlation is impossible for the largest cluster, or two rows of a cluster have
        one time.

    Notes
    -----
    Hedges, Tipton and Johnson (2010), Res Synth Methods 1:39-65, for the use of a guessed
    correlation together with cluster-robust standard errors.

    Examples
    --------
    >>> impute_covariance([0.04, 0.09, 0.01], ["a", "a", "b"], 0.5).dense().round(3).tolist()
    [[0.04, 0.03, 0.0], [0.03, 0.09, 0.0], [0.0, 0.0, 0.01]]
    """
    spread = numbers("variance", variance)
    require("variance", spread, VARIANCE, missing=True)
    if spread.ndim != 1 or not len(spread):
        raise ValueError(f"variance must have one axis, the rows, got shape {spread.shape}")
    names, code = codes_of("cluster", cluster, len(spread))
    rows = rows_of(code)
    times = None if time is None else _times(time, spread, code, names)
    _require_possible(float(correlation), max(len(r) for r in rows), times is not None)
    blocks = []
    for r in rows:
        sd = np.sqrt(spread[r])
        power = 1.0 if times is None else np.abs(times[r][:, None] - times[r])
        shape = np.broadcast_to(np.power(float(correlation), power), (len(r), len(r))).copy()
        np.fill_diagonal(shape, 1.0)
        blocks.append(frozen(shape * sd[:, None] * sd))
    return BlockCovariance(rows, tuple(blocks))


def rows_of(code: IntArray) -> tuple[IntArray, ...]:
    """Return the row numbers of each cluster, for codes 0, 1, ..."""
    order = np.argsort(code, kind="stable")
    return tuple(np.split(order, np.cumsum(np.bincount(code))[:-1]))


def _times(
    time: ArrayLike, spread: FloatArray, code: IntArray, names: tuple[str, ...]
) -> FloatArray:
    times = numbers("time", time)
    if times.shape != spread.shape or not np.isfinite(times).all():
        raise ValueError(f"time must hold one finite number a row, {len(spread)} in all")
    pairs = np.stack([code.astype(float), times], axis=1)
    values, counts = np.unique(pairs, axis=0, return_counts=True)
    if (counts > 1).any():
        group, at = values[counts > 1][0]
        raise ValueError(
            f"cluster {names[int(group)]} has several rows at time {at:g}: their sampling errors "
            "would be one and the same; pool them first or give no time"
        )
    return times


def _require_possible(correlation: float, largest: int, timed: bool) -> None:
    lowest = 0.0 if timed else -1.0 / max(largest - 1, 1)
    above = correlation >= lowest if timed else correlation > lowest
    if not (above and correlation < 1):
        bracket = "[" if timed else "("
        raise ValueError(
            f"correlation must lie in {bracket}{lowest:.4g}, 1) for clusters of up to {largest} "
            f"rows, got {correlation!r}"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """Sampling covariances of many data sets over the same rows.

    ``variance`` is (data sets, rows); ``matrix`` (data sets or 1, rows, rows) or ``blocks``
    hold the covariances where rows are dependent. ``links`` are pairs of dependent rows.
    """

    variance: FloatArray
    matrix: FloatArray | None
    blocks: BlockCovariance | None
    links: IntArray

    @classmethod
    def read(
        cls, covariance: ArrayLike | BlockCovariance, estimates: tuple[int, ...]
    ) -> tuple[Self, tuple[int, ...]]:
        """Return the covariances of estimates of this shape, and the shape of the data sets.

        A last axis of rows holds variances, two last axes of rows a covariance matrix.
        """
        rows = estimates[-1]
        if isinstance(covariance, BlockCovariance):
            return cls._of_blocks(covariance, estimates), estimates[:-1]
        values = numbers("variance", covariance)
        square = values.shape[-2:] == (rows, rows) and values.ndim > len(estimates)
        own = (rows, rows) if square else (rows,)
        if values.shape[-1:] != (rows,):
            raise ValueError(
                f"variance must have {rows} values along its last axis, got shape {values.shape}"
            )
        shape = same_shape(
            ("estimate", "variance"),
            np.empty(estimates[:-1]),
            values[..., 0, 0] if square else values[..., 0],
        )
        table = np.broadcast_to(values, (*shape, *own)).reshape(-1, *own)
        if square:
            return cls._of_matrices(table), shape
        require("variance", values, VARIANCE, missing=True, hint=": leave it out or correct it")
        return cls(table, None, None, np.empty((0, 2), dtype=np.int64)), shape

    @classmethod
    def _of_blocks(cls, blocks: BlockCovariance, estimates: tuple[int, ...]) -> Self:
        rows = estimates[-1]
        every = np.sort(np.concatenate(blocks.rows))
        if not np.array_equal(every, np.arange(rows)):
            raise ValueError(f"variance must cover each of the {rows} rows once, not {len(every)}")
        require("variance", blocks.variance, VARIANCE, missing=True)
        for block in blocks.blocks:
            _require_covariances(block[None])
        links = np.concatenate([np.stack([r[:-1], r[1:]], axis=1) for r in blocks.rows])
        variance = np.broadcast_to(blocks.variance, estimates).reshape(-1, rows)
        return cls(variance, None, blocks, links)

    @classmethod
    def _of_matrices(cls, matrix: FloatArray) -> Self:
        variance = np.diagonal(matrix, axis1=1, axis2=2)
        require("variance", variance, VARIANCE, missing=True)
        _require_covariances(matrix)
        links = np.argwhere(np.triu((np.nan_to_num(matrix) != 0).any(axis=0), 1))
        return cls(variance, matrix, None, links)

    def take(self, which: IntArray) -> Sampling:
        """Return the covariances of the data sets `which`."""
        matrix = None if self.matrix is None else self.matrix[which]
        return replace(self, variance=self.variance[which], matrix=matrix)

    def gather(self, rows: IntArray) -> FloatArray:
        """Return the covariances (data sets or 1, clusters, n, n) within `rows` (clusters, n)."""
        if self.matrix is not None:
            return self.matrix[:, rows[:, :, None], rows[:, None, :]]
        size = rows.shape[1]
        if self.blocks is None:
            return self.variance[:, rows][..., None] * np.eye(size)
        return self._from_blocks(self.blocks, rows)[None]

    def _from_blocks(self, blocks: BlockCovariance, rows: IntArray) -> FloatArray:
        cluster = np.empty(blocks.size, dtype=np.int64)
        place = np.empty(blocks.size, dtype=np.int64)
        for number, r in enumerate(blocks.rows):
            cluster[r], place[r] = number, np.arange(len(r))
        found = np.zeros((*rows.shape, rows.shape[1]))
        for c, row in enumerate(rows):
            for number in np.unique(cluster[row]):
                here = np.flatnonzero(cluster[row] == number)
                at = place[row[here]]
                found[c][np.ix_(here, here)] = blocks.blocks[number][np.ix_(at, at)]
        return found


def _require_covariances(matrix: FloatArray) -> None:
    """Raise `ValueError` unless rows with a variance have one finite covariance a pair."""
    there = ~np.isnan(np.diagonal(matrix, axis1=1, axis2=2))
    wrong = ~np.isfinite(matrix) & there[:, :, None] & there[:, None, :]
    if wrong.any():
        value = float(matrix[wrong][0])
        raise ValueError(
            f"variance must hold a finite covariance for each pair of rows, got {value}: write 0 "
            "where errors are independent, or assume a correlation (`impute_covariance`)"
        )
    sd = np.sqrt(np.nan_to_num(np.diagonal(matrix, axis1=1, axis2=2), nan=1.0))
    shape = np.nan_to_num(matrix) / sd[:, :, None] / sd[:, None, :]
    if (np.abs(shape - np.swapaxes(shape, 1, 2)) > SYMMETRY).any():
        raise ValueError("variance must be symmetric: its two halves differ")
