"""How many unseen studies without effect it would take to change a conclusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from trabecula.synthesis.arguments import (
    ESTIMATE,
    LEVEL,
    FloatArray,
    IntArray,
    Interval,
    one_number,
    require_option,
)
from trabecula.synthesis.distributions import two_sided_p
from trabecula.synthesis.pairwise.random_effects import random_effects
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.small_study.refusal import require_studies
from trabecula.synthesis.studies import Studies, over_studies
from trabecula.synthesis.text import decimals, number

Approach = Literal["rosenthal", "orwin", "rosenberg", "general"]
"""*rosenthal*: until the added z-values no longer reach `alpha` one-sided; *orwin*: until the
common-effect mean has shrunk to `target`; *rosenberg*: until the common-effect test no longer
reaches `alpha` two-sided; *general*: the same, or `target`, in the random-effects model."""

ONE_SIDED = Interval("(0, 0.5)")
"""Thresholds of a one-sided p-value in the direction of the mean: it never exceeds a half."""

MOST = 10_000_000
"""Largest number looked for with *general*; more is reported as infinite."""

CLEAR = np.sqrt(np.finfo(np.float64).eps)
"""A number this near an integer is that integer: the rest is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class FailSafeN(Result):
    """The fail-safe number of each data set.

    ``n`` is a whole number, or infinite where no number of studies is enough. ``p_value`` is
    that of the studies at hand (one-sided for *rosenthal*, NaN for *orwin*), ``estimate`` their
    mean (NaN for *rosenthal*), ``target`` the mean to shrink to (NaN where `alpha` decides).
    """

    approach: Approach
    alpha: float
    k: IntArray
    n: FloatArray
    estimate: FloatArray
    p_value: FloatArray
    target: FloatArray

    def summary(self) -> str:
        """Return the number in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        title = f"Fail-safe N ({self.approach.capitalize()}, {self.k:.0f} studies)"
        if np.isnan(self.target):
            change = f"bring p above {self.alpha:g}"
        else:
            places = decimals(abs(float(self.estimate)) / 10)
            change = f"bring the mean to {number(float(self.target), places)}"
        if np.isinf(self.n):
            most = f", {MOST:,} included," if self.approach == "general" else ""
            text = f"no number of further studies without any effect{most} would {change}"
        elif self.n == 0:
            text = f"no further study is needed to {change}, the studies at hand do"
        else:
            studies = "study" if self.n == 1 else "studies"
            text = f"{self.n:.0f} further {studies} without any effect would {change}"
        return (
            f"{title}: {text}. The number assumes that unseen studies show no effect on average "
            "and says nothing about whether there are any."
        )


def fail_safe_n(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    approach: Approach = "rosenthal",
    alpha: float = 0.05,
    target: float | None = None,
    minimum_studies: int = 2,
) -> FailSafeN:
    """Return the number of studies without effect that would overturn the pooled result.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    approach
        What is overturned, and how the studies are pooled.
    alpha
        Threshold of the p-value, for *rosenthal* below 0.5; not used with a target.
    target
        The mean that would no longer matter, for *orwin* (where none means half the mean) and
        *general* (where none means that `alpha` decides). Its sign is that of the mean.
    minimum_studies
        Fewest studies; at least 2, since one study is not pooled. No more are asked for because
        nothing is estimated from the differences between studies.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.

    Notes
    -----
    Rosenthal (1979), Psychol Bull 86:638-641; Orwin (1983), J Educ Stat 8:157-159; Rosenberg
    (2005), Evolution 59:464-468. *general* adds n studies with estimate 0 and the harmonic mean
    variance; the between-study variance grows with the two groups' distance (as in metafor).

    Examples
    --------
    >>> fail_safe_n([0.4, 0.6, 0.5], [0.04, 0.05, 0.02]).n
    array(22.)
    """
    require_option("approach", approach, get_args(Approach))
    alpha = one_number("alpha", alpha, ONE_SIDED if approach == "rosenthal" else LEVEL)
    studies = Studies.read(estimate, variance)
    require_studies(studies.k, minimum_studies, 2, "one study is not pooled")
    if target is not None:
        if approach in {"rosenthal", "rosenberg"}:
            raise ValueError(f"target belongs to orwin and general, approach is {approach!r}")
        target = one_number("target", target, ESTIMATE)
    values = _values(approach, studies, alpha, target)
    return FailSafeN(approach=approach, alpha=alpha, **shaped(values, studies.shape))


Values = dict[str, Any]


def _values(approach: Approach, studies: Studies, alpha: float, target: float | None) -> Values:
    if approach == "rosenthal":
        values = _rosenthal(studies, alpha)
    elif approach == "orwin":
        values = _orwin(studies, target)
    elif approach == "rosenberg":
        values = _rosenberg(studies, alpha)
    else:
        values = _general(studies, alpha, target)
    return values | {"k": studies.k.astype(np.int64)}


def _rosenthal(studies: Studies, alpha: float) -> Values:
    z = (studies.origin[:, None] + studies.estimate) / np.sqrt(studies.variance)
    pooled = np.abs(over_studies(studies.present * z)) / np.sqrt(studies.k)
    n = studies.k * ((pooled / special.ndtri(alpha)) ** 2 - 1)
    nothing = np.full_like(n, np.nan)
    p = special.ndtr(-pooled)
    return {"n": _whole(n), "estimate": nothing, "p_value": p, "target": nothing}


def _orwin(studies: Studies, target: float | None) -> Values:
    mean = _mean(studies)
    goal = _goal(mean, target)
    with np.errstate(divide="ignore", invalid="ignore"):
        n = np.where(mean == goal, 0.0, studies.k * (mean - goal) / goal)
    return {"n": _whole(n), "estimate": mean, "p_value": np.full_like(n, np.nan), "target": goal}


def _rosenberg(studies: Studies, alpha: float) -> Values:
    mean = _mean(studies)
    total = studies.weighted(np.zeros_like(studies.k)).total
    needed = (total * mean / special.ndtri(alpha / 2)) ** 2 - total
    p = two_sided_p(mean * np.sqrt(total), np.full_like(total, np.inf))
    n = needed * _typical(studies)
    return {"n": _whole(n), "estimate": mean, "p_value": p, "target": np.full_like(n, np.nan)}


def _general(studies: Studies, alpha: float, target: float | None) -> Values:
    values = np.where(studies.present > 0, studies.origin[:, None] + studies.estimate, np.nan)
    fit = random_effects(values, studies.variance, method="REML", test="z")
    mean, tau2, p = (np.ravel(a) for a in (fit.estimate, fit.tau2, fit.p_value))
    if target is None:
        goal = np.full_like(studies.k, np.nan)
        already = p >= alpha
        n = _first(lambda n: _diluted(studies, mean, tau2, n)[1] >= alpha, studies.k)
    else:
        goal = _goal(mean, target)
        already = np.abs(mean) <= np.abs(goal)
        n = _first(lambda n: np.abs(_diluted(studies, mean, tau2, n)[0]) <= np.abs(goal), studies.k)
    n = np.where(already, 0.0, n)
    return {"n": n, "estimate": mean, "p_value": p, "target": goal}


def _diluted(
    studies: Studies, mean: FloatArray, tau2: FloatArray, n: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and p-value after `n` studies with estimate 0 and typical variance joined."""
    all_of_them = studies.k + n
    shifted = studies.k * mean / all_of_them
    between = studies.k * (mean - shifted) ** 2 + n * shifted**2
    within = (studies.k - 1 + np.maximum(n - 1, 0)) * tau2
    spread = (within + between) / (all_of_them - 1)
    sums = studies.weighted(spread)
    total = sums.total + n / (_typical(studies) + spread)
    pooled = sums.total * (studies.origin + sums.mean) / total
    return pooled, two_sided_p(pooled * np.sqrt(total), np.full_like(total, np.inf))


def _first(enough: Callable[[FloatArray], NDArray[np.bool_]], k: FloatArray) -> FloatArray:
    """Return the smallest number that is enough, by bisection; infinite if `MOST` is not."""
    low, high = np.zeros_like(k), np.full_like(k, MOST)
    reached = enough(high)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        yes = enough(middle)
        low, high = np.where(yes, low, middle), np.where(yes, middle, high)
    return np.where(reached, high, np.inf)


def _mean(studies: Studies) -> FloatArray:
    return studies.origin + studies.weighted(np.zeros_like(studies.k)).mean


def _typical(studies: Studies) -> FloatArray:
    return studies.k / studies.weighted(np.zeros_like(studies.k)).total


def _goal(mean: FloatArray, target: float | None) -> FloatArray:
    return mean / 2 if target is None else np.sign(mean) * abs(target)


def _whole(n: FloatArray) -> FloatArray:
    """Return the next whole number, at least 0."""
    nearest = np.round(n)
    clear = np.isinf(n) | (np.abs(n - np.where(np.isinf(n), 0.0, nearest)) < CLEAR)
    return np.maximum(np.where(clear, nearest, np.ceil(n)), 0.0)
