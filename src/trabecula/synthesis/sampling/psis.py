"""How well a model predicts what it has not seen: leave-one-out from the draws of one fit.

Importance weights turn the draws given all points into draws given all but one. Their largest
are noise; Pareto smoothing replaces them by the expected order statistics of a generalised
Pareto distribution, whose shape says whether the result can be relied on. Vehtari, Simpson,
Gelman, Yao and Gabry (2024), J Mach Learn Res 25(72):1-58; Vehtari, Gelman and Gabry (2017),
Stat Comput 27:1413-1432.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from trabecula.synthesis.arguments import (
    ESTIMATE,
    SIZE,
    FloatArray,
    IntArray,
    Interval,
    numbers,
    one_number,
    require,
)
from trabecula.synthesis.result import Result, frozen
from trabecula.synthesis.text import decimals, number

FEWEST_DRAWS = 25
"""Fewest draws: a fifth of them, the tail, is then the five that a fit needs."""

FEWEST_EXCEEDING = 5
"""Fewest draws above the threshold to which a tail is fitted (Vehtari et al. 2024). With fewer
nothing is known of it: the weights stay as they are, with a shape of infinity."""

HIGHEST_K = 0.7
"""Shape above which even very many draws do not give a usable mean (the same source)."""

PRIOR_K, PRIOR_WEIGHT = 0.5, 10
"""The shape that a fit is drawn towards, and the number of draws it is worth (the same source,
appendix G): it steadies short tails, and moves those of 200 draws by a twentieth."""

PRIOR_SCALE = 3
"""Divisor in the grid of Zhang and Stephens (2009); they advise 3."""

LOG_WEIGHT = Interval("[-inf, 1e+30]")
"""A draw may have no weight at all, but none that is infinite."""

LEAST = 1e-300
"""Weight, the largest being 1, that counts as nothing: it keeps quotients within range."""

BLOCK = 1 << 17
"""Numbers that are smoothed at a time: a megabyte stays in the second-level cache."""


class SmoothedWeights(NamedTuple):
    """Logarithms of the smoothed weights, and the shape k̂ of the tail of the raw ones."""

    log_weights: FloatArray
    k_hat: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PsisLoo(Result):
    """The expected log predictive density of left-out points, and how far to rely on it.

    ``elpd`` sums ``pointwise`` (..., points), ``elpd_se`` is its standard error (NaN with one
    point). ``p_loo`` is the effective number of parameters: how much better the points are
    predicted by a fit that has seen them. ``k_hat`` (..., points) is the shape of the tail of each
    point's weights: infinite where the tail is too short to know it, minus infinity where the
    largest weights are all alike. ``unreliable`` counts the points where it exceeds ``limit``,
    which depends on the number of ``draws``. Missing points are NaN and do not count.
    """

    draws: int
    limit: float
    points: IntArray
    elpd: FloatArray
    elpd_se: FloatArray
    p_loo: FloatArray
    unreliable: IntArray
    pointwise: FloatArray
    k_hat: FloatArray

    def summary(self) -> str:
        """Return the result in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        places = decimals(float(self.elpd_se))
        one = self.points == 1
        error = "SE not estimable" if one else f"SE {number(float(self.elpd_se), places)}"
        return (
            f"Expected log predictive density, leave-one-out ({self.points:.0f} "
            f"point{'' if one else 's'}, {self.draws:,} draws): "
            f"{number(float(self.elpd), places)} ({error}), effective number of parameters "
            f"{number(float(self.p_loo), 1)}. {self._trust()}"
        )

    def _trust(self) -> str:
        largest = number(float(np.nanmax(self.k_hat)), 2)
        limit = number(self.limit, 2)
        if not self.unreliable:
            return f"The largest Pareto k̂ is {largest}, within the limit of {limit}."
        return (
            f"The Pareto k̂ of {self.unreliable:.0f} of {self.points:.0f} points exceeds {limit} "
            f"(largest {largest}): the sum is not to be relied on; refit without each of them."
        )


def pareto_smooth(log_weights: ArrayLike, *, relative_efficiency: float = 1.0) -> SmoothedWeights:
    """Return importance weights with a smoothed tail, normalised to sum to 1, and its shape.

    Parameters
    ----------
    log_weights
        Arrays (draws,) or (..., draws, points): logarithms of the ratios of target to proposal,
        up to a constant; minus infinity for a draw without weight.
    relative_efficiency
        Effective number of independent draws over the number of draws. Draws that depend on each
        other have a longer tail fitted.

    Returns
    -------
    SmoothedWeights
        ``log_weights`` as given, ``k_hat`` without the axis of draws. Infinite (and the weights
        raw) where fewer than five draws exceed the threshold; minus infinity where the largest
        weights are all alike. Above 0.7, or ``1 - 1 / log10(draws)`` if that is less, weighted
        means are not to be relied on.

    Raises
    ------
    ValueError
        With fewer than 25 draws, a weight that is NaN or infinite, or no weight at all.

    Notes
    -----
    The tail is the largest :math:`min(S / 5, 3 sqrt(S / r))` of S weights; the generalised Pareto
    distribution is fitted as in Zhang and Stephens (2009), Technometrics 51:316-325, its shape
    drawn towards 0.5 with the weight of ten draws; no smoothed weight exceeds the largest raw one.

    Examples
    --------
    >>> log_weights = -0.4 * np.log(np.arange(0.5, 1000) / 1000)
    >>> f"{pareto_smooth(log_weights).k_hat:.2f}"
    '0.41'
    """
    values = numbers("log_weights", log_weights)
    require("log_weights", values, LOG_WEIGHT)
    efficiency = one_number("relative_efficiency", relative_efficiency, SIZE)
    table = values[:, None] if values.ndim == 1 else values
    rows, shape = _rows("log_weights", table)
    if np.isneginf(rows).all(axis=1).any():
        raise ValueError("log_weights must hold a weight above 0, got -inf for every draw")
    smoothed, k_hat = _smoothed(rows, efficiency)
    smoothed = np.moveaxis(smoothed.reshape(*shape, -1), -1, -2).reshape(values.shape)
    return SmoothedWeights(frozen(smoothed), frozen(k_hat.reshape(shape[: values.ndim - 1])))


def psis_loo(log_likelihood: ArrayLike, *, relative_efficiency: float = 1.0) -> PsisLoo:
    """Return the leave-one-out expected log predictive density of each data set.

    Parameters
    ----------
    log_likelihood
        Array (..., draws, points): the log density of each point under each draw from the
        posterior given all points. Chains are joined along the draws beforehand; where a study
        is to be left out as a whole, it is the point, and its log densities are summed. NaN in
        all draws marks a missing point.
    relative_efficiency
        As for `pareto_smooth`.

    Raises
    ------
    ValueError
        With fewer than 25 draws, no point, or a value that is not finite.

    Notes
    -----
    Standard errors take the points for independent, and their variance with the divisor n - 1.

    Examples
    --------
    >>> mean = np.sqrt(1 / 5) * special.ndtri(np.arange(0.5, 1000) / 1000)
    >>> y = np.array([-1.1, -0.4, 0.0, 0.3, 1.2])
    >>> loo = psis_loo(-0.5 * (y - mean[:, None]) ** 2 - 0.5 * np.log(2 * np.pi))
    >>> f"{loo.elpd:.2f} (SE {loo.elpd_se:.2f}), {loo.p_loo:.2f} parameters"
    '-6.96 (SE 0.96), 0.70 parameters'
    """
    values = numbers("log_likelihood", log_likelihood)
    if values.ndim < 2:
        raise ValueError(
            f"log_likelihood must have axes (..., draws, points), got shape {values.shape}"
        )
    efficiency = one_number("relative_efficiency", relative_efficiency, SIZE)
    rows, shape = _rows("log_likelihood", values)
    present = ~np.isnan(rows).all(axis=1)
    if not present.reshape(shape).any(axis=-1).all():
        raise ValueError("log_likelihood holds a data set without points: all are missing (NaN)")
    require("log_likelihood", rows[present], ESTIMATE)
    pointwise, seen, k_hat = (np.full(len(rows), np.nan) for _ in range(3))
    smoothed, k_hat[present] = _smoothed(-rows[present], efficiency)
    pointwise[present] = _log_sum(smoothed + rows[present])
    seen[present] = _log_sum(rows[present]) - math.log(rows.shape[1])
    return _loo(pointwise.reshape(shape), seen.reshape(shape), k_hat.reshape(shape), rows.shape[1])


def _rows(name: str, values: FloatArray) -> tuple[FloatArray, tuple[int, ...]]:
    """Return a row of draws for each point, and the shape of the points with leading axes."""
    if values.ndim < 2 or values.size == 0 or values.shape[-2] < FEWEST_DRAWS:
        raise ValueError(
            f"{name} must have points, and at least {FEWEST_DRAWS} draws before them, got shape "
            f"{values.shape}: with fewer the tail of the weights is unknown"
        )
    points_first = np.moveaxis(values, -2, -1)
    return points_first.reshape(-1, values.shape[-2]), points_first.shape[:-1]


def _loo(pointwise: FloatArray, seen: FloatArray, k_hat: FloatArray, draws: int) -> PsisLoo:
    limit = min(1 - 1 / math.log10(draws), HIGHEST_K)
    elpd = np.nansum(pointwise, axis=-1)
    return PsisLoo(
        draws=draws,
        limit=limit,
        points=frozen((~np.isnan(pointwise)).sum(axis=-1)),
        elpd=frozen(elpd),
        elpd_se=frozen(se_of_sum(pointwise)),
        p_loo=frozen(np.nansum(seen, axis=-1) - elpd),
        unreliable=frozen((k_hat > limit).sum(axis=-1)),
        pointwise=frozen(pointwise),
        k_hat=frozen(k_hat),
    )


def se_of_sum(values: FloatArray) -> FloatArray:
    """Return the standard error of the sum over the last axis, NaN for a single value."""
    n = (~np.isnan(values)).sum(axis=-1)
    mean = np.nansum(values, axis=-1) / n
    squares = np.nansum((values - mean[..., None]) ** 2, axis=-1)
    return np.sqrt(np.where(n > 1, squares * n / np.maximum(n - 1, 1), np.nan))


def _log_sum(x: FloatArray) -> FloatArray:
    """Return the logarithms of the sums of the exponentials of rows."""
    highest = x.max(axis=1, keepdims=True)
    total: FloatArray = highest[:, 0] + np.log(np.exp(x - highest).sum(axis=1))
    return total


def _smoothed(log_weights: FloatArray, efficiency: float) -> tuple[FloatArray, FloatArray]:
    """Return the smoothed weights of rows of draws, normalised, and the shapes of their tails."""
    draws = log_weights.shape[1]
    tail = math.ceil(min(draws / 5, 3 * math.sqrt(draws / efficiency)))
    x = log_weights - log_weights.max(axis=1, keepdims=True)
    k_hat = np.empty(len(x))
    step = max(1, BLOCK // draws)
    for start in range(0, len(x), step):
        block = slice(start, start + step)
        k_hat[block] = _smooth_tails(x[block], tail)
    x -= _log_sum(x)[:, None]
    return x, k_hat


def _smooth_tails(x: FloatArray, tail: int) -> FloatArray:
    """Smooth the largest of rows of log weights, at most 0, in place; return their shapes."""
    rest = x.shape[1] - tail - 1
    top = np.argpartition(x, rest, axis=1)[:, rest:]
    rank = np.take_along_axis(x, top, axis=1).argsort(axis=1, kind="stable")
    top = np.take_along_axis(top, rank, axis=1)
    highest = np.take_along_axis(x, top, axis=1)
    threshold = np.maximum(highest[:, :1], math.log(LEAST))
    exceeding = (highest > threshold).sum(axis=1)
    k_hat = np.where(exceeding > 0, np.inf, -np.inf)
    for n in np.unique(exceeding[exceeding >= FEWEST_EXCEEDING]):
        rows = np.flatnonzero(exceeding == n)
        smoothed, k_hat[rows] = _order_statistics(highest[rows, -n:], threshold[rows])
        x[rows[:, None], top[rows, -n:]] = smoothed
    return k_hat


def _order_statistics(
    log_weights: FloatArray, threshold: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the logarithms expected of ascending weights above a threshold, and their shapes."""
    base = np.exp(threshold)
    excess = np.maximum(base * np.expm1(log_weights - threshold), LEAST)
    k_hat, scale = _generalised_pareto(excess)
    n = log_weights.shape[1]
    odds = np.arange(0.5, n) / np.arange(n - 0.5, 0, -1)
    with np.errstate(over="ignore"):
        quantiles = base + scale[:, None] * special.boxcox1p(odds, k_hat[:, None])
    return np.minimum(np.log(quantiles), 0.0), k_hat


def _generalised_pareto(excess: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return shape and scale of the generalised Pareto distribution of ascending rows.

    The posterior mean of ``theta = -shape / scale`` over a grid (Zhang and Stephens 2009), their
    prior centered by the first quartile.
    """
    n = excess.shape[1]
    size = 30 + math.isqrt(n)
    grid = (1 - np.sqrt(size / np.arange(0.5, size))) / PRIOR_SCALE
    quartile = excess[:, int(n / 4 + 0.5) - 1]
    thetas = 1 / excess[:, -1] + grid[:, None] / quartile
    fits = [_shape_and_scale(excess, theta) for theta in thetas]
    log_likelihood = np.stack([-n * (np.log(scale) + shape + 1) for shape, scale in fits])
    theta = (special.softmax(log_likelihood, axis=0) * thetas).sum(axis=0)
    shape, scale = _shape_and_scale(excess, theta)
    return (n * shape + PRIOR_WEIGHT * PRIOR_K) / (n + PRIOR_WEIGHT), scale


def _shape_and_scale(excess: FloatArray, theta: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return what maximises the likelihood of rows given theta; exponential where it is 0."""
    shape = np.log1p(-theta[:, None] * excess).mean(axis=1)
    mean = excess.mean(axis=1)
    return shape, np.divide(-shape, theta, out=mean, where=theta != 0)
