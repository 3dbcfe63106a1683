"""The test of excess significance: more small p-values than the power of the studies allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from trabecula.synthesis.arguments import (
    ESTIMATE,
    LEVEL,
    FloatArray,
    IntArray,
    one_number,
    require_option,
)
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.random_effects import random_effects
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.small_study.refusal import MINIMUM_STUDIES, require_studies
from trabecula.synthesis.small_study.selection_weights import Alternative
from trabecula.synthesis.studies import Studies, over_studies
from trabecula.synthesis.text import number, p_value

ExcessTest = Literal["exact", "chi-square", "binomial"]
"""*exact*: studies differ in power (Poisson-binomial); *chi-square*: without continuity
correction; *binomial*: every study has the average power."""

REASON = "with fewer, one study on the other side of the threshold decides the test"


@dataclass(frozen=True, slots=True, eq=False)
class ExcessSignificanceTest(Result):
    """Observed and expected numbers of studies whose own test reaches ``alpha``.

    ``power`` (last axis: studies, NaN for missing ones) is each study's chance to reach it were the
    true effects normal about ``true_effect`` with variance ``tau2``. ``p_value`` is one-sided, for
    more than expected. ``statistic`` is NaN unless the test is *chi-square*.
    """

    test: ExcessTest
    alternative: Alternative
    alpha: float
    k: IntArray
    observed: IntArray
    expected: FloatArray
    ratio: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    true_effect: FloatArray
    tau2: FloatArray
    power: FloatArray

    def summary(self) -> str:
        """Return the test in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        return (
            f"Test of excess significance ({self.test}): {self.observed:.0f} of {self.k:.0f} "
            f"studies reach p ≤ {self.alpha:g}, {number(float(self.expected), 1)} are expected "
            f"from their power, {p_value(float(self.p_value))} (one-sided). An excess can come "
            "from selective reporting, from heterogeneity that the model misses or from chance. No "
            "excess does not show that there was no selection."
        )


def excess_significance_test(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    true_effect: float | None = None,
    method: Method = "REML",
    test: ExcessTest = "exact",
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
    minimum_studies: int = MINIMUM_STUDIES,
) -> ExcessSignificanceTest:
    """Return whether more studies reach ``alpha`` than their power lets expect.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    true_effect
        The mean of the true effects; by default the pooled estimate, which selection has inflated,
        and with it the expected number: the test then errs towards finding nothing.
    method
        How the between-study variance is estimated; *common* assumes there is none.
    test
        How the p-value is formed. *exact* holds its level whatever the powers.
    alternative
        The test that the studies themselves are thought to have made.
    alpha
        Its threshold.
    minimum_studies
        Fewest studies; at least 2.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.

    Notes
    -----
    Ioannidis and Trikalinos (2007), Clin Trials 4:245-253. Power over the distribution of true
    effects has a closed form: an estimate is normal with variance :math:`v + tau2`.

    Examples
    --------
    >>> y, v = [0.5, 0.6, 0.7, 0.1, 0.8, 0.5, 0.6, 0.9, 0.55, 0.65], [0.05] * 10
    >>> test = excess_significance_test(y, v)
    >>> f"{test.observed} observed, {test.expected:.1f} expected, p = {test.p_value:.2f}"
    '9 observed, 7.5 expected, p = 0.25'
    """
    require_option("test", test, get_args(ExcessTest))
    require_option("alternative", alternative, get_args(Alternative))
    alpha = one_number("alpha", alpha, LEVEL)
    studies = Studies.read(estimate, variance)
    require_studies(studies.k, minimum_studies, 2, REASON)
    values = np.where(studies.present > 0, studies.origin[:, None] + studies.estimate, np.nan)
    fit = random_effects(values, studies.variance, method=method, test="z")
    mean, tau2 = np.ravel(fit.estimate), np.ravel(fit.tau2)
    if true_effect is not None:
        mean = np.full_like(mean, one_number("true_effect", true_effect, ESTIMATE))
    power, reached = _power(studies, mean, tau2, alternative, alpha)
    observed, expected = over_studies(studies.present * reached), over_studies(power)
    statistic, p = _tested(test, power, observed, expected, studies.k)
    parts = {
        "k": studies.k.astype(np.int64),
        "observed": observed.astype(np.int64),
        "expected": expected,
        "ratio": observed / expected,
        "statistic": statistic,
        "p_value": p,
        "true_effect": mean,
        "tau2": tau2,
        "power": np.where(studies.present > 0, power, np.nan),
    }
    return ExcessSignificanceTest(
        test=test, alternative=alternative, alpha=alpha, **shaped(parts, studies.shape)
    )


def _power(
    studies: Studies, mean: FloatArray, tau2: FloatArray, alternative: Alternative, alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Return the chance of each study to reach `alpha`, 0 for missing ones, and which did."""
    se, sd = np.sqrt(studies.variance), np.sqrt(studies.variance + tau2[:, None])
    z = (studies.origin[:, None] + studies.estimate) / se
    sides = 2 if alternative == "two-sided" else 1
    limit = float(-special.ndtri(alpha / sides))
    above = special.ndtr((mean[:, None] - limit * se) / sd)
    below = special.ndtr((-mean[:, None] - limit * se) / sd)
    if alternative == "greater":
        power, reached = above, z >= limit
    elif alternative == "less":
        power, reached = below, -z >= limit
    else:
        power, reached = above + below, np.abs(z) >= limit
    return studies.present * power, reached.astype(np.float64)


def _tested(
    test: ExcessTest, power: FloatArray, observed: FloatArray, expected: FloatArray, k: FloatArray
) -> tuple[FloatArray, FloatArray]:
    nothing = np.full_like(k, np.nan)
    if test == "chi-square":
        spread = expected * (1 - expected / k)
        with np.errstate(divide="ignore", invalid="ignore"):
            z = np.where(observed == expected, 0.0, (observed - expected) / np.sqrt(spread))
        return z**2, special.ndtr(-z)
    if test == "binomial":
        least = np.maximum(observed, 1.0)
        tail = special.betainc(least, k - least + 1, expected / k)
        return nothing, np.where(observed > 0, tail, 1.0)
    chance = _distribution(power)
    beyond = np.arange(chance.shape[1]) >= observed[:, None]
    return nothing, np.minimum((chance * beyond).sum(axis=1), 1.0)


def _distribution(power: FloatArray) -> FloatArray:
    """Return the chances of 0, 1, ... studies that reach the threshold, study by study."""
    sets, k = power.shape
    chance = np.zeros((sets, k + 1))
    chance[:, 0] = 1
    for study in range(k):
        own = power[:, study, None]
        chance[:, 1:] = chance[:, 1:] * (1 - own) + chance[:, :-1] * own
        chance[:, 0] *= 1 - own[:, 0]
    return chance
