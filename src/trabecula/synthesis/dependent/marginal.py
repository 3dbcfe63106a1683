r"""The normal likelihood of dependent estimates, summed over independent clusters.

The estimates of a data set are normal about :math:`X\beta` with covariance
:math:`M(t) = V + \sum_j t_j K_j`: :math:`V` is known, each :math:`K_j` marks with ones the
pairs of rows that share a true effect, and the natural parameters :math:`t_j` are variances and
covariances of true effects. Rows of different clusters are independent; clusters of similar
size are padded to one size and handled together.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.dependent.partition import chain, connected
from trabecula.synthesis.dependent.rows import Rows
from trabecula.synthesis.dependent.sampling import rows_of

LOG_2PI = math.log(2 * math.pi)

WIDEST = 1.5
"""Clusters are padded to at most this many times their size. More would waste arithmetic, less
would make many small batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """True effects that rows of one group share: parameter ``index[a, b]`` for outcomes a, b.

    ``group`` and ``outcome`` are codes, one a row; -1 in ``index`` stands for no covariance.
    """

    group: IntArray
    outcome: IntArray
    index: IntArray

    @property
    def size(self) -> int:
        """The number of natural parameters."""
        return int(self.index.max()) + 1

    def indicators(self, rows: IntArray, real: NDArray[np.bool_]) -> FloatArray:
        """Return the matrices K_j (parameters, clusters, n, n) within `rows` (clusters, n)."""
        group, outcome = self.group[rows], self.outcome[rows]
        share = (group[:, :, None] == group[:, None, :]) & real[:, :, None] & real[:, None, :]
        index = np.where(share, self.index[outcome[:, :, None], outcome[:, None, :]], -1)
        marked = index == np.arange(self.size)[:, None, None, None]
        return np.asarray(marked, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Bucket:
    """Clusters padded to one size n.

    ``rows``, ``real`` are (clusters, n), ``design`` (clusters, n, coefficients), ``indicators``
    (parameters, clusters, n, n); by data set ``estimate``, ``present`` (data sets, clusters, n)
    and ``sampling`` (data sets, clusters, n, n), which is the identity where nothing is there.
    """

    rows: IntArray
    real: NDArray[np.bool_]
    design: FloatArray
    indicators: FloatArray
    estimate: FloatArray
    present: FloatArray
    sampling: FloatArray

    @classmethod
    def of(
        cls,
        rows: Sequence[IntArray],
        data: Rows,
        components: Sequence[Component],
    ) -> Self:
        """Return the clusters `rows` of `data`."""
        size = max(len(r) for r in rows)
        padded = np.stack([np.pad(r, (0, size - len(r)), mode="edge") for r in rows])
        real = np.arange(size) < np.array([len(r) for r in rows])[:, None]
        there = data.present[:, padded] * real
        pairs = there[..., :, None] * there[..., None, :] > 0
        known = data.sampling.gather(padded) / data.unit[:, None, None, None] ** 2
        return cls(
            padded,
            real,
            data.design.basis[padded] * real[..., None],
            np.concatenate([c.indicators(padded, real) for c in components]),
            data.estimate[:, padded] * there,
            there,
            np.where(pairs, known, np.eye(size)),
        )

    def take(self, which: IntArray) -> Bucket:
        """Return the bucket of the data sets `which`, in that order."""
        return Bucket(
            self.rows,
            self.real,
            self.design,
            self.indicators,
            self.estimate[which],
            self.present[which],
            self.sampling[which],
        )

    @property
    def masked_design(self) -> FloatArray:
        """The design with zeros for missing rows: (data sets, clusters, n, coefficients)."""
        return self.design * self.present[..., None]

    def covariance(self, natural: FloatArray) -> FloatArray:
        """Return the marginal covariances M(t) for `natural` (data sets, parameters)."""
        flat = self.indicators.reshape(len(self.indicators), -1)
        shared = (natural @ flat).reshape(len(natural), *self.indicators.shape[1:])
        pairs = self.present[..., :, None] * self.present[..., None, :]
        return self.sampling + shared * pairs

    def precision(self, natural: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the inverse covariances, zero for missing rows, and the log-determinants."""
        total = self.covariance(natural)
        sd = np.sqrt(np.diagonal(total, axis1=-2, axis2=-1))
        pairs = sd[..., :, None] * sd[..., None, :]
        correlation = total / pairs
        root = np.diagonal(np.linalg.cholesky(correlation), axis1=-2, axis2=-1)
        log_determinant = 2 * (np.log(root) + np.log(sd)).sum(axis=(1, 2))
        there = self.present[..., :, None] * self.present[..., None, :]
        return np.linalg.inv(correlation) / pairs * there, log_determinant


@dataclass(frozen=True, slots=True, eq=False)
class Mean:
    """Generalised least squares with known covariance, one a data set.

    ``information`` is :math:`X'M^{-1}X`; ``q`` the generalised sum of squares about the fit.
    """

    coefficients: FloatArray
    information: FloatArray
    log_determinant: FloatArray
    q: FloatArray
    precisions: tuple[FloatArray, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """The log-likelihood and its first and second derivatives by the natural parameters.

    ``information`` is the expectation of minus ``curvature``.
    """

    value: FloatArray
    slope: FloatArray
    curvature: FloatArray
    information: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """Estimates, design and covariance structure of many data sets, in buckets of clusters.

    ``k`` counts the rows of each data set, ``log_design`` is the log-determinant of X'X.
    """

    buckets: tuple[Bucket, ...]
    k: FloatArray
    log_design: FloatArray

    @classmethod
    def of(
        cls, data: Rows, components: Sequence[Component], cluster: IntArray | None = None
    ) -> Self:
        """Return the likelihood of `data`, summed over `cluster` or else the smallest clusters."""
        basis = data.design.basis
        if cluster is None:
            links = [data.sampling.links, *(chain(c.group) for c in components)]
            cluster = connected(len(basis), links)
        gram = np.einsum("rn,ni,nj->rij", data.present, basis, basis)
        buckets = tuple(Bucket.of(rows, data, components) for rows in _by_size(cluster))
        return cls(buckets, data.k, np.linalg.slogdet(gram)[1])

    @property
    def coefficients(self) -> int:
        """The number of coefficients."""
        return int(self.buckets[0].design.shape[-1])

    def take(self, which: IntArray) -> Marginal:
        """Return the likelihood of the data sets `which`, in that order."""
        buckets = tuple(b.take(which) for b in self.buckets)
        return Marginal(buckets, self.k[which], self.log_design[which])

    def mean(self, natural: FloatArray) -> Mean:
        """Return the coefficients of highest likelihood at `natural` (data sets, parameters)."""
        sets, p = len(natural), self.coefficients
        information, log_determinant = np.zeros((sets, p, p)), np.zeros(sets)
        precisions = []
        for bucket in self.buckets:
            precision, log_part = bucket.precision(natural)
            precisions.append(precision)
            log_determinant += log_part
            x = bucket.masked_design
            information += _gram(x, precision @ x)
        coefficients = np.zeros((sets, p))
        for _ in range(2):  # the second pass takes up what rounding left of the first
            coefficients += np.linalg.solve(
                information, self._score(coefficients, precisions)[..., None]
            )[..., 0]
        pulls = zip(self.buckets, precisions, self.residuals(coefficients), strict=True)
        q = sum((np.einsum("rci,rcij,rcj->r", r, w, r) for _, w, r in pulls), start=np.zeros(sets))
        return Mean(coefficients, information, log_determinant, q, tuple(precisions))

    def residuals(self, coefficients: FloatArray) -> list[FloatArray]:
        """Return estimates minus fitted values of each bucket, zero for missing rows."""
        return [
            b.estimate - np.einsum("rcip,rp->rci", b.masked_design, coefficients)
            for b in self.buckets
        ]

    def _score(self, coefficients: FloatArray, precisions: Sequence[FloatArray]) -> FloatArray:
        score = np.zeros_like(coefficients)
        parts = zip(self.buckets, precisions, self.residuals(coefficients), strict=True)
        for bucket, precision, residual in parts:
            score += np.einsum(
                "rcip,rci->rp",
                bucket.masked_design,
                np.einsum("rcij,rcj->rci", precision, residual),
            )
        return score

    def projection_trace(self, mean: Mean) -> FloatArray:
        """Return the trace of P = W - W X (X'WX)^-1 X'W at a fit."""
        trace, lost = np.zeros_like(self.k), np.zeros_like(mean.information)
        for bucket, w in zip(self.buckets, mean.precisions, strict=True):
            trace += np.einsum("rcii->r", w)
            wx = w @ bucket.masked_design
            lost += _gram(wx, wx)
        fitted = np.linalg.solve(mean.information, lost)
        return np.asarray(trace - np.trace(fitted, axis1=1, axis2=2), dtype=np.float64)

    def height(self, mean: Mean, *, restricted: bool) -> FloatArray:
        """Return the (restricted) log-likelihood of a fit."""
        twice = mean.log_determinant + mean.q + self.k * LOG_2PI
        if restricted:
            log_information = np.linalg.slogdet(mean.information)[1]
            twice += log_information - self.log_design - self.coefficients * LOG_2PI
        return -twice / 2

    def surface(self, natural: FloatArray, *, restricted: bool) -> Surface:
        """Return the (restricted) log-likelihood over `natural`, coefficients maximised over."""
        mean = self.mean(natural)
        sets, q = natural.shape
        p = self.coefficients
        trace, traces = np.zeros((sets, q)), np.zeros((sets, q, q))
        inner = np.zeros((sets, q, 1 + p, 1 + p))
        outer = np.zeros((sets, 1 + p, q, q))
        # Columns F of W X with F F' = W X (X'WX)^-1 X'W, so that P = W - F F'.
        root = np.linalg.inv(np.linalg.cholesky(mean.information))
        parts = zip(self.buckets, mean.precisions, self.residuals(mean.coefficients), strict=True)
        for bucket, w, residual in parts:
            x = bucket.masked_design @ np.swapaxes(root, 1, 2)[:, None]
            columns = w @ np.concatenate([residual[..., None], x], axis=-1)
            k_columns = bucket.indicators[None] @ columns[:, None]
            inner += _gram(np.broadcast_to(columns[:, None], k_columns.shape), k_columns)
            outer += _by_column(k_columns, w[:, None] @ k_columns)
            wk = w[:, None] @ bucket.indicators[None]
            trace += np.einsum("rqcii->rq", wk)
            flat = wk.reshape(sets, q, -1)
            traces += flat @ np.swapaxes(np.swapaxes(wk, -1, -2).reshape(sets, q, -1), 1, 2)
        pulled = outer[:, 0] - np.einsum("rqf,rsf->rqs", inner[..., 0, 1:], inner[..., 0, 1:])
        if restricted:
            within = inner[..., 1:, 1:]
            trace -= np.einsum("rqff->rq", within)
            traces += np.einsum("rqfg,rsfg->rqs", within, within) - 2 * outer[:, 1:].sum(axis=1)
        return Surface(
            self.height(mean, restricted=restricted),
            (inner[..., 0, 0] - trace) / 2,
            traces / 2 - pulled,
            traces / 2,
        )

    def with_equal_precision(self) -> Marginal:
        """Return the same rows with independent sampling errors of variance 1."""
        buckets = tuple(
            replace(b, sampling=np.zeros_like(b.sampling) + np.eye(b.sampling.shape[-1]))
            for b in self.buckets
        )
        return replace(self, buckets=buckets)


def _by_size(cluster: IntArray) -> list[list[IntArray]]:
    """Return the rows of clusters, clusters of similar size together."""
    ordered = sorted(rows_of(cluster), key=len)
    groups: list[list[IntArray]] = [[ordered[0]]]
    for rows in ordered[1:]:
        if len(rows) <= max(WIDEST * len(groups[-1][0]), 1):
            groups[-1].append(rows)
        else:
            groups.append([rows])
    return groups


def _gram(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return left' right (..., columns, columns), summed over clusters and rows."""
    rows = left.shape[-3] * left.shape[-2]
    flat_left = left.reshape(*left.shape[:-3], rows, left.shape[-1])
    flat_right = right.reshape(*right.shape[:-3], rows, right.shape[-1])
    product: FloatArray = np.swapaxes(flat_left, -1, -2) @ flat_right
    return product


def _by_column(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the products of parameters (sets, columns, q, q), summed over clusters and rows."""
    sets, q, _, _, columns = left.shape
    flat_left = np.moveaxis(left, -1, 1).reshape(sets, columns, q, -1)
    flat_right = np.moveaxis(right, -1, 1).reshape(sets, columns, q, -1)
    product: FloatArray = flat_left @ np.swapaxes(flat_right, -1, -2)
    return product
