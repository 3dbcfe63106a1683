"""The interval of Henmi and Copas: common-effect weights, random-effects uncertainty."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level
from trabecula.synthesis.pairwise.fitted import study_data
from trabecula.synthesis.pairwise.random_effects import random_effects
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.roots import descending_root
from trabecula.synthesis.text import decimals, interval, number, percent

REACH = 9.0
"""How far the normal distribution is followed; beyond there is 1e-19 of it."""

PANELS = 16
NODES = 16
"""Panels and Gauss-Legendre nodes of each: exact to 1e-12 for up to a thousand studies, among
whom Q varies least and the integrand turns most sharply."""

BLOCK = 2_000
"""Data sets handled at once (half a million nodes, 4 MB an array)."""


@dataclass(frozen=True, slots=True, eq=False)
class HenmiCopas(Result):
    """A pooled estimate with common-effect weights and an interval that allows for differences.

    ``tau2`` is the DerSimonian-Laird between-study variance, ``multiplier`` what the standard
    error is multiplied by (1.96 without heterogeneity and many studies).
    """

    level: float
    k: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    multiplier: FloatArray
    tau2: FloatArray

    def summary(self) -> str:
        """Return the result as a paper prints it; digits follow the standard error."""
        self.require_one()
        places = decimals(float(self.se))
        limits = interval(float(self.ci_low), float(self.ci_high), places)
        return (
            f"Henmi–Copas interval of {self.k} studies: {number(float(self.estimate), places)} "
            f"({percent(self.level)} CI {limits})."
        )


def henmi_copas(estimate: ArrayLike, variance: ArrayLike, *, level: float = 0.95) -> HenmiCopas:
    """Return the common-effect estimate with the interval of Henmi and Copas.

    It is less moved by small studies that are published for their results: they keep the small
    weight of a common-effect analysis, and the interval allows for heterogeneity all the same.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study. At least two studies.
    level
        Confidence level.

    Notes
    -----
    Henmi and Copas (2010), Stat Med 29:2969-2983: the distribution of the estimate over its
    standard error, with the conditional distribution of Q taken as gamma.
    """
    (y, v), _ = study_data(estimate, variance, None, "DL")
    level = confidence_level(level)
    common = random_effects(y, v, method="common", test="z")
    tau2 = random_effects(y, v, method="DL", test="z").tau2
    weight = np.where(np.isnan(y), 0.0, 1 / v).reshape(-1, y.shape[-1])
    total, k = weight.sum(axis=1), common.k.reshape(-1)
    spread = Spread.of(weight / total[:, None], tau2.reshape(-1) * total, k)
    root = np.sqrt(spread.variance)
    multiplier = root * _quantile(spread, (1 - level) / 2)
    mean, se = common.estimate.reshape(-1), root / np.sqrt(total)
    values = {
        "k": k,
        "estimate": mean,
        "se": se,
        "ci_low": mean - multiplier * se,
        "ci_high": mean + multiplier * se,
        "multiplier": multiplier,
        "tau2": tau2.reshape(-1),
    }
    return HenmiCopas(level=level, **shaped(values, common.shape))


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """How Q varies with R, the estimate over its common-effect standard error.

    ``w2`` to ``w4`` are sums of powers of the weights, which sum to 1, ``tau2`` is in units of
    the common-effect variance, and ``variance`` is that of R. One entry a data set.
    """

    df: FloatArray
    tau2: FloatArray
    w2: FloatArray
    w3: FloatArray
    w4: FloatArray
    variance: FloatArray

    @classmethod
    def of(cls, weight: FloatArray, tau2: FloatArray, k: IntArray) -> Spread:
        """Return the spread for weights (data sets, studies) that sum to 1."""
        powers: list[FloatArray] = [(weight**power).sum(axis=1) for power in (2, 3, 4)]
        w2, w3, w4 = powers
        return cls(np.asarray(k - 1, dtype=np.float64), tau2, w2, w3, w4, 1 + tau2 * w2)

    def rows(self, part: slice) -> Spread:
        """Return the data sets of `part`."""
        return Spread(
            self.df[part],
            self.tau2[part],
            self.w2[part],
            self.w3[part],
            self.w4[part],
            self.variance[part],
        )

    def gamma(self, r: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return shape and rate of the gamma distribution of Q, where R is `r` of its deviations.

        The conditional mean and variance of Q given R are those of Henmi and Copas (2010).
        """
        t, w2, w3, w4 = (x[:, None] for x in (self.tau2, self.w2, self.w3, self.w4))
        df, variance = self.df[:, None], self.variance[:, None]
        skew, off = w3 - w2**2, (r**2 - 1) / variance
        mean = df + t * (1 - w2) + t**2 * off * skew
        spread = 2 * df + 4 * t * (1 - w2) + 2 * t**2 * (w2 - 2 * w3 + w2**2)
        spread = spread + 4 * t**2 * off * (skew + t * (w4 - 2 * w2 * w3 + w2**3))
        spread = spread + 2 * t**4 * (1 - 2 * r**2) / variance**2 * skew**2
        spread = np.maximum(spread, np.finfo(np.float64).eps * mean**2)
        return mean**2 / spread, mean / spread


def _quantile(spread: Spread, tail: float) -> FloatArray:
    """Return the upper quantiles of R over its estimated scale, in its standard deviations."""
    parts = range(0, len(spread.df), BLOCK)
    return np.concatenate([_root(spread.rows(slice(i, i + BLOCK)), tail) for i in parts])


def _root(spread: Spread, tail: float) -> FloatArray:
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    share = (np.arange(PANELS)[:, None] + (nodes + 1) / 2).ravel() / PANELS
    weight = np.tile(weights / (2 * PANELS), PANELS)
    bend = (1 / spread.w2 - 1)[:, None]

    def excess(x: FloatArray) -> tuple[FloatArray, FloatArray]:
        x = x[:, None]
        r = x + (REACH - x) * share
        density = np.exp(-(r**2) / 2) / np.sqrt(2 * np.pi) * weight * (REACH - x)
        shape, rate = spread.gamma(r)
        z = rate * (bend * ((r / x) ** 2 - 1) + spread.df[:, None])
        peak = np.exp((shape - 1) * np.log(z) - z - special.gammaln(shape))
        inside = (special.gammainc(shape, z) * density).sum(axis=1)
        slope = -(peak * rate * 2 * bend * r**2 / x**3 * density).sum(axis=1)
        edge, edge_rate = spread.gamma(x)
        start = special.gammainc(edge, edge_rate * spread.df[:, None])[:, 0]
        slope -= start * np.exp(-(x[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi)
        return inside - tail, slope

    high = np.full(len(spread.df), -float(special.ndtri(tail)))
    return descending_root(excess, np.zeros_like(high), high, 0.9 * high, 1.0)
