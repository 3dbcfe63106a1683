"""The rank correlation test for funnel plot asymmetry."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.distributions import two_sided_p
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.small_study.refusal import (
    ASYMMETRY,
    MINIMUM_STUDIES,
    NOT_BIAS,
    require_spread,
    require_studies,
)
from trabecula.synthesis.studies import Studies, others, over_studies
from trabecula.synthesis.text import number, p_value

LARGEST_EXACT = 200
"""Most studies for which the distribution of Kendall's score is counted; beyond, the normal
approximation is good to more than three digits of the p-value."""


@dataclass(frozen=True, slots=True, eq=False)
class RankCorrelationTest(Result):
    """Kendall's tau between standardised estimates and variances, and its two-sided p-value.

    ``score`` is the number of concordant less that of discordant pairs of studies. ``exact`` is
    true where the p-value comes from the distribution of the score: without ties. Otherwise it is
    normal, with the variance corrected for ties and no correction for continuity. ``p_value`` and
    ``tau`` are NaN where all standardised estimates or all variances are tied.
    """

    k: IntArray
    tau: FloatArray
    score: FloatArray
    p_value: FloatArray
    exact: NDArray[np.bool_]

    def summary(self) -> str:
        """Return the test in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        how = "exact" if self.exact else "normal approximation, ties corrected"
        return (
            f"Rank correlation test for funnel plot asymmetry ({self.k:.0f} studies): Kendall's "
            f"tau {number(float(self.tau), 2)}, {p_value(float(self.p_value))} ({how}). {NOT_BIAS}"
        )


def rank_correlation_test(
    estimate: ArrayLike, variance: ArrayLike, *, minimum_studies: int = MINIMUM_STUDIES
) -> RankCorrelationTest:
    """Return Begg and Mazumdar's rank correlation of standardised estimates with variances.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    minimum_studies
        Fewest studies with which the test is made; at least 3.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.
    SimilarStandardErrors
        If all studies of a data set are about equally precise.

    Notes
    -----
    Begg and Mazumdar (1994), Biometrics 50:1088-1101: estimates are standardised by
    :math:`(y - m) / sqrt(v - 1 / sum(1 / v))`, m the common-effect mean. The test has little power:
    a large p-value with fewer than 25 studies says next to nothing.

    Examples
    --------
    >>> se = [0.1, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.45, 0.5]
    >>> test = rank_correlation_test([0.1, 0.1, 0.2, 0.3, 0.2, 0.5, 0.4, 0.9, 0.6, 0.8],
    ...                              [s * s for s in se])
    >>> f"{test.tau:.2f}, p = {test.p_value:.4f}"
    '0.78, p = 0.0009'
    """
    studies = Studies.read(estimate, variance)
    require_studies(studies.k, minimum_studies, 3, ASYMMETRY)
    require_spread(studies.variance, studies.present)
    standard = _standardised(studies)
    values, exact = _kendall(standard, studies.variance, studies.present, studies.k)
    parts = {"k": studies.k.astype(np.int64), **values}
    return RankCorrelationTest(
        **shaped(parts, studies.shape), exact=frozen(exact.reshape(studies.shape))
    )


def _standardised(studies: Studies) -> FloatArray:
    """Return residuals over their standard errors, which do not cancel for a dominant study."""
    sums = studies.weighted(np.zeros_like(studies.k))
    # v - 1 / sum(w) without the subtraction
    own = studies.variance * others(sums.weight) / sums.total[:, None]
    return np.where(studies.present > 0, sums.residual / np.sqrt(own), 0.0)


def _kendall(
    x: FloatArray, y: FloatArray, present: FloatArray, k: FloatArray
) -> tuple[dict[str, FloatArray], NDArray[np.bool_]]:
    pair = np.triu(present[:, :, None] * present[:, None, :], 1)
    by_x = np.sign(x[:, :, None] - x[:, None, :])
    by_y = np.sign(y[:, :, None] - y[:, None, :])
    score = (pair * by_x * by_y).sum(axis=(1, 2))
    told_x, told_y = (pair * by_x**2).sum(axis=(1, 2)), (pair * by_y**2).sum(axis=(1, 2))
    with np.errstate(invalid="ignore"):
        tau = score / np.sqrt(told_x * told_y)
    pairs = k * (k - 1) / 2
    exact = (told_x == pairs) & (told_y == pairs) & (k <= LARGEST_EXACT)
    p = _normal_p(score, _ties(by_x, present), _ties(by_y, present), k)
    for row in np.flatnonzero(exact):
        p[row] = _exact_p(float(score[row]), int(k[row]))
    return {"tau": tau, "score": score, "p_value": np.where(np.isnan(tau), np.nan, p)}, exact


def _ties(sign: FloatArray, present: FloatArray) -> FloatArray:
    """Return, for each study that is there, how many share its value, itself included."""
    shared = (sign == 0) * present[:, :, None] * present[:, None, :]
    ties: FloatArray = shared.sum(axis=2)
    return ties


def _normal_p(score: FloatArray, x: FloatArray, y: FloatArray, k: FloatArray) -> FloatArray:
    """Return the p-value of a normal score whose variance knows the ties (Kendall 1970).

    A group of t tied studies counts t times here, so that sums over groups are sums over studies
    of the summand divided by t.
    """

    def groups(t: FloatArray, summand: FloatArray) -> FloatArray:
        return over_studies(summand / np.maximum(t, 1.0))

    variance = k * (k - 1) * (2 * k + 5)
    for t in (x, y):
        variance = variance - groups(t, t * (t - 1) * (2 * t + 5))
    pairs = [groups(t, t * (t - 1)) for t in (x, y)]
    triples = [groups(t, t * (t - 1) * (t - 2)) for t in (x, y)]
    variance = (
        variance / 18
        + pairs[0] * pairs[1] / (2 * k * (k - 1))
        + triples[0] * triples[1] / (9 * k * (k - 1) * (k - 2))
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        return two_sided_p(score / np.sqrt(variance), np.full_like(k, np.inf))


def _exact_p(score: float, k: int) -> float:
    """Return the probability of a score as far from 0, were all orders equally likely."""
    below = _discordant(k)
    discordant = round((k * (k - 1) / 2 - abs(score)) / 2)
    return min(1.0, 2 * float(below[: discordant + 1].sum()))


@lru_cache(maxsize=64)
def _discordant(k: int) -> FloatArray:
    """Return the probabilities of 0, 1, ... discordant pairs in a random order of `k` studies.

    The study placed last is discordant with 0 to n - 1 of those before, each as likely.
    """
    chance = np.ones(1)
    for n in range(2, k + 1):
        chance = np.convolve(chance, np.full(n, 1 / n))
    chance.flags.writeable = False
    return chance
