"""The Q-profile interval of the between-study variance, and what it means as I² and H²."""

from __future__ import annotations

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.roots import descending_root
from trabecula.synthesis.studies import Studies

TINY = np.finfo(np.float64).tiny


def tau2_at_q(studies: Studies, target: FloatArray) -> FloatArray:
    """Return the between-study variance at which the generalised Q equals `target`.

    0 where Q does not reach `target`. Q falls with the variance, and its inverse is nearly a
    straight line: Newton's method on ``1 / Q`` needs few steps. Since
    ``Q <= k spread² / (4 (v_min + tau2))``, the root is bracketed.
    """
    smallest = studies.smallest_variance
    bound = studies.k * (studies.spread**2 / (4 * target)) - smallest
    reached = studies.weighted(np.zeros_like(target)).q > target

    def excess(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        sums = studies.weighted(tau2)
        q = np.maximum(sums.q, TINY)
        with np.errstate(over="ignore"):
            return 1 / target - 1 / q, sums.q_slope / q / q

    low = np.zeros_like(target)
    high = np.where(reached, np.maximum(bound, 0.0), 0.0)
    return descending_root(excess, low, high, low, smallest)


def q_profile(studies: Studies, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the limits of the Q-profile interval of the between-study variance.

    Viechtbauer (2007), Stat Med 26:37-52. At the limits the generalised Q equals the upper
    and lower chi-square quantile. Both limits are 0 where even no variance at all makes Q too
    small; NaN for a single study.
    """
    tail = (1 - level) / 2
    low = tau2_at_q(studies, chi2_quantile(1 - tail, studies.df))
    high = tau2_at_q(studies, chi2_quantile(tail, studies.df))
    several = studies.k > 1
    return np.where(several, low, np.nan), np.where(several, high, np.nan)


def typical_variance(studies: Studies) -> FloatArray:
    """Return the typical sampling variance of each data set; NaN for a single study.

    Higgins and Thompson (2002), Stat Med 21:1539-1558, equation 9.
    """
    several = studies.k > 1
    fixed = studies.weighted(np.zeros_like(studies.k))
    return np.where(several, studies.df / np.where(several, fixed.sum_p, 1.0), np.nan)


def i2_of(tau2: FloatArray, typical: FloatArray) -> FloatArray:
    """Return the percentage of variance that is between studies."""
    return 100 * tau2 / (tau2 + typical)


def h2_of(tau2: FloatArray, typical: FloatArray) -> FloatArray:
    """Return total variance over sampling variance."""
    return tau2 / typical + 1
