"""Data sets and likelihoods that several tests of counts look at."""

from __future__ import annotations

import csv

import numpy as np

from tests.synthesis.reference import GOLDEN
from trabecula.synthesis.counts.binomial import Binomial
from trabecula.synthesis.quadrature import RANDOM_INTERCEPT, Height, Marginal

Counts = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _columns(name: str, *columns: str) -> list[np.ndarray]:
    with (GOLDEN / f"metafor_{name}.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[column]) for row in rows]) for column in columns]


def two_arms(name: str) -> Counts:
    """Return events and sizes of both arms: BCG vaccine, or impregnated catheters."""
    if name == "bcg":
        a, b, c, d = _columns("bcg_counts", "tpos", "tneg", "cpos", "cneg")
        return a, a + b, c, c + d
    a, n_1, c, n_2 = _columns(name, "ai", "n1i", "ci", "n2i")
    return a, n_1, c, n_2


def one_arm(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return events and sizes of a data set of proportions."""
    x, n = _columns(name, "xi", "ni")
    return x, n


def without_double_zero(counts: Counts) -> Counts:
    """Return the studies that have an event, and somebody without, in one arm at least."""
    a, n_1, c, n_2 = counts
    kept = (a + c > 0) & (a + c < n_1 + n_2)
    return a[kept], n_1[kept], c[kept], n_2[kept]


class OneArm:
    """The marginal likelihood of proportions, without coefficients."""

    def __init__(self, x: np.ndarray, n: np.ndarray, nodes: int) -> None:
        self.kernel = Binomial.of(np.atleast_2d(x)[None], np.atleast_2d(n)[None])
        self.marginal = Marginal.of(self.kernel, RANDOM_INTERCEPT, nodes)

    def height(self, mean: float | np.ndarray, tau: float | np.ndarray) -> np.ndarray:
        """Return the log-likelihood of each data set."""
        return self.at(mean, tau).value.sum(axis=-1)

    def at(self, mean: float | np.ndarray, tau: float | np.ndarray) -> Height:
        """Return heights and slopes study by study."""
        return self.marginal(np.stack(np.broadcast_arrays(mean, tau)).reshape(2, -1, 1))
