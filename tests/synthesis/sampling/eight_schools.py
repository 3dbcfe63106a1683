"""Posteriors of the eight schools that are known exactly, and draws from them without chance.

Uniform numbers come from an additive recurrence (Roberts 2018), fractions of multiples of powers
of a root, so that they are the same with every library.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

Array = np.ndarray[Any, np.dtype[np.float64]]

Y = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SIGMA = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
"""Coaching in eight schools, rounded (Rubin 1981; Gelman et al. 2013, table 5.2)."""

MEAN_SD, TAU_SCALE = 5.0, 5.0
"""Priors of the hierarchical model: mean N(0, 5²), heterogeneity half-Cauchy(5)."""

TAU = TAU_SCALE * np.tan(np.pi / 2 * np.arange(0.5, 4000) / 4000)
"""Heterogeneities of equal probability under the prior."""


def uniform(draws: int, axes: int) -> Array:
    """Return numbers (draws, axes) that fill the unit cube evenly."""
    root = 2.0
    for _ in range(100):
        root = (1 + root) ** (1 / (axes + 1))
    steps = root ** -np.arange(1.0, axes + 1)
    return (0.5 + np.arange(1.0, draws + 1)[:, None] * steps) % 1.0


def normal_log_density(y: Array, mean: Array | float, variance: Array | float) -> Array:
    """Return the logarithm of the normal density."""
    return -0.5 * (np.log(2 * np.pi * variance) + (y - mean) ** 2 / variance)


def log_evidence(keep: Array) -> float:
    """Return the logarithm of the density of the schools to `keep` under the hierarchical model."""
    return float(special.logsumexp(_log_evidence_given_tau(keep)) - np.log(len(TAU)))


def hierarchical_elpd() -> Array:
    """Return the exact log density of each school given the other seven."""
    everyone = np.ones(8, dtype=bool)
    return np.array([log_evidence(everyone) - log_evidence(np.arange(8) != i) for i in range(8)])


def hierarchical_log_likelihood(draws: int) -> Array:
    """Return log densities (draws, schools) under draws from the hierarchical posterior."""
    u = uniform(draws, 10)
    weight = special.softmax(_log_evidence_given_tau(np.ones(8, dtype=bool)))
    tau = np.interp(u[:, 0], np.cumsum(weight) - weight / 2, TAU)[:, None]
    precision = 1 / (SIGMA**2 + tau**2)
    variance = 1 / (1 / MEAN_SD**2 + precision.sum(axis=1, keepdims=True))
    mean = variance * (precision * Y).sum(axis=1, keepdims=True)
    mean = mean + np.sqrt(variance) * special.ndtri(u[:, 1:2])
    shrink = tau**2 / (SIGMA**2 + tau**2)
    effect = mean + shrink * (Y - mean) + SIGMA * np.sqrt(shrink) * special.ndtri(u[:, 2:])
    return normal_log_density(Y, effect, SIGMA**2)


def pooled_elpd() -> Array:
    """Return the exact log density of each school given the others, all effects being one."""
    total, top = (SIGMA**-2.0).sum(), (Y / SIGMA**2).sum()
    others = total - SIGMA**-2.0
    return normal_log_density(Y, (top - Y / SIGMA**2) / others, SIGMA**2 + 1 / others)


def pooled_log_likelihood(draws: int) -> Array:
    """Return log densities (draws, schools) under draws of the one effect, its prior flat."""
    total = (SIGMA**-2.0).sum()
    mean = (Y / SIGMA**2).sum() / total
    effect = mean + special.ndtri(uniform(draws, 1)) / np.sqrt(total)
    return normal_log_density(Y, effect, SIGMA**2)


def _log_evidence_given_tau(keep: Array) -> Array:
    """Return the log density of some schools for each heterogeneity, the mean integrated out."""
    y, variance = Y[keep], SIGMA[keep] ** 2 + TAU[:, None] ** 2
    precision = 1 / variance
    total = 1 / MEAN_SD**2 + precision.sum(axis=1)
    mean = (precision * y).sum(axis=1) / total
    alone = normal_log_density(y, 0.0, variance).sum(axis=1)
    return alone + mean**2 * total / 2 - 0.5 * np.log(MEAN_SD**2 * total)
