"""Peto's one-step odds ratio: observed minus expected events over their variance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level
from trabecula.synthesis.counts.mantel_haenszel import PooledStatus
from trabecula.synthesis.counts.pooled_text import describe_pooled
from trabecula.synthesis.counts.spread import described
from trabecula.synthesis.counts.tables import Tables
from trabecula.synthesis.distributions import critical_value, two_sided_p
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.studies import over_studies

POSSIBLE: tuple[PooledStatus, ...] = ("estimated", "undefined")
"""*undefined*: no study has both events and others, nothing can be compared."""


@dataclass(frozen=True, slots=True, eq=False)
class PetoFit(Result):
    """A pooled log odds ratio of arm 1 against arm 2 by Peto's method.

    ``k`` counts all studies, ``k_double_zero`` those without events, or with nothing but
    events, in both arms: they do not bear on the estimate. ``observed_minus_expected`` and
    ``information`` are the sums over studies whose ratio is the estimate. ``weights``
    (..., studies) sum to 100.
    """

    level: float
    k: IntArray
    k_double_zero: IntArray
    status: NDArray[np.str_]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    observed_minus_expected: FloatArray
    information: FloatArray
    weights: FloatArray
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray
    i2: FloatArray
    h2: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print, the odds ratio as a ratio.

        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        return describe_pooled(self, "Peto")


def peto(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    level: float = 0.95,
) -> PetoFit:
    """Return the pooled log odds ratio of arm 1 against arm 2, one step from no effect.

    Nothing is corrected. Good for rare events, arms of like size and effects not far from
    none; biased towards none where effects are large or arms very unequal.

    Parameters
    ----------
    events_1, n_1, events_2, n_2
        Arrays (..., studies) that broadcast, ``0 <= events <= n``. NaN marks a missing study.
    level
        Confidence level of the interval.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Yusuf, Peto, Lewis, Collins and Sleight (1985), Prog Cardiovasc Dis 27:335-371. Greenland and
    Salvan (1990), Stat Med 9:247-252, on its bias.

    Examples
    --------
    >>> fit = peto([1, 0, 4], [50, 40, 60], [5, 2, 9], [50, 40, 58])
    >>> f"{np.exp(fit.estimate):.2f} ({np.exp(fit.ci_low):.2f} to {np.exp(fit.ci_high):.2f})"
    '0.31 (0.13 to 0.76)'
    """
    level = confidence_level(level)
    t = Tables.read(events_1, n_1, events_2, n_2)
    events, first = t.a + t.c, t.n_1 / t.n
    excess = t.a - events * first
    spare = np.where(t.present, t.n - 1, 1.0)
    variance = events * ((t.b + t.d) / spare) * first * (t.n_2 / t.n)
    total, information = over_studies(excess), over_studies(variance)
    told = information > 0
    usable = np.where(told, information, np.nan)
    normal = np.full(total.shape, np.inf)
    estimate, se = total / usable, 1 / np.sqrt(usable)
    half = critical_value(level, normal) * se
    values = {
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "statistic": estimate / se,
        "p_value": two_sided_p(estimate / se, normal),
        "observed_minus_expected": total,
        "information": information,
        "weights": np.where(t.present, 100 * variance / usable[:, None], np.nan),
        "k": t.present.sum(axis=1),
        "k_double_zero": t.double_zero.sum(axis=1),
    }
    counted = variance > 0
    squares = over_studies(np.where(counted, excess**2 / np.where(counted, variance, 1.0), 0.0))
    values |= described(np.maximum(squares - total**2 / usable, 0.0), counted.sum(axis=1))
    status = np.where(told, *POSSIBLE)
    return PetoFit(level=level, status=frozen(status.reshape(t.shape)), **shaped(values, t.shape))
