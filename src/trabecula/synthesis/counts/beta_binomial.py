"""Pooled proportions where the proportion itself has a beta distribution between studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from trabecula.synthesis.arguments import (
    FloatArray,
    IntArray,
    confidence_level,
    require_option,
    study_table,
)
from trabecula.synthesis.ascent import TAUS, ascend, best_start
from trabecula.synthesis.counts.binomial import Binomial
from trabecula.synthesis.counts.binomial_intervals import counts
from trabecula.synthesis.counts.binomial_normal import BinomialTest
from trabecula.synthesis.counts.dispersion import BetaBinomial
from trabecula.synthesis.counts.one_proportion import (
    crude_total,
    estimated,
    higher,
    intervals,
    status_of,
)
from trabecula.synthesis.counts.pooled_text import spread_text
from trabecula.synthesis.counts.proportion_text import (
    describe_unpooled,
    modelled,
    percentage,
    places_of,
)
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.studies import over_studies
from trabecula.synthesis.text import percent


@dataclass(frozen=True, slots=True, eq=False)
class BetaBinomialFit(Result):
    """The mean of the studies' proportions and how much these differ.

    ``estimate``, ``se``, ``ci_*`` are the logit of the mean proportion; ``proportion`` and its
    limits are back-transformed: the mean over studies, not the median. ``rho`` is the correlation
    of two patients of one study, 0 where studies do not differ; ``proportion_pi_*`` are the
    quantiles of the fitted beta distribution. ``status``, ``total_*`` and ``log_likelihood`` are as
    in a `BinomialNormalFit`.
    """

    test: BinomialTest
    level: float
    k: IntArray
    status: NDArray[np.str_]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    rho: FloatArray
    proportion: FloatArray
    proportion_ci_low: FloatArray
    proportion_ci_high: FloatArray
    proportion_pi_low: FloatArray
    proportion_pi_high: FloatArray
    log_likelihood: FloatArray
    aic: FloatArray
    total_events: FloatArray
    total_n: FloatArray
    total_ci_low: FloatArray
    total_ci_high: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print, in percent.

        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return describe_unpooled(self) or _fitted(self)


def beta_binomial(
    events: ArrayLike, n: ArrayLike, *, test: BinomialTest = "t", level: float = 0.95
) -> BetaBinomialFit:
    """Return the mean proportion of each data set, studies differing by a beta distribution.

    No continuity correction and no quadrature: the likelihood has a closed form.

    Parameters
    ----------
    events, n
        Arrays (..., studies) that broadcast, ``0 <= events <= n``; effective sample sizes
        need not be whole. NaN marks a missing study.
    test
        *t* widens the intervals for few studies; *z* is normal.
    level
        Confidence level of all intervals.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.
    ArithmeticError
        If the search for the maximum does not end.

    Notes
    -----
    Skellam (1948), J R Stat Soc B 10:257-261; Kuss (2015), Stat Med 34:1097-1116, on its use
    in meta-analysis. Where all studies have all events or none the likelihood has no maximum
    with ``rho`` below 1.

    Examples
    --------
    >>> fit = beta_binomial([4, 9, 3, 20], [10, 12, 9, 31])
    >>> f"{fit.proportion:.2f} ({fit.proportion_ci_low:.2f} to {fit.proportion_ci_high:.2f})"
    '0.57 (0.32 to 0.80)'
    """
    require_option("test", test, get_args(BinomialTest))
    level = confidence_level(level)
    x, size, shape = study_table(("events", "n"), *counts(events, n, missing=True))
    data = Binomial.of(np.nan_to_num(x)[None], np.nan_to_num(size)[None])
    k = (data.n[0] > 0).sum(axis=1)
    total, status = crude_total(data, level), status_of(data, common=False)
    values = estimated(data, total, status, "rho", _highest, 10.0 * len(TAUS))
    values["aic"] = 4 - 2 * values["log_likelihood"]
    df = np.where((test == "t") & (k > 1), np.maximum(k - 1.0, 1.0), np.inf)
    values |= intervals(values, total, status, df, level) | total | {"k": k}
    for side, tail in (("low", (1 - level) / 2), ("high", (1 + level) / 2)):
        values[f"proportion_pi_{side}"] = _quantile(values, tail)
    return BetaBinomialFit(
        test=test, level=level, status=frozen(status.reshape(shape)), **shaped(values, shape)
    )


def _highest(data: Binomial, flat: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """Return the fit with beta distributed proportions, or `flat` where that is no likelier.

    The climb is over the logit of the mean and the root of ``rho / (1 - rho)``, in which the
    likelihood is even: no bound is needed.
    """
    likelihood = BetaBinomial(data.events[0], data.n[0])
    shares = (data.events[0] + 0.5) / (data.n[0] + 1)
    present = data.n[0] > 0
    mean = special.logit(over_studies(present * shares) / present.sum(axis=1))
    taus = np.broadcast_to(TAUS[:, None], (len(TAUS), len(mean)))
    means = np.broadcast_to(mean, taus.shape)
    top, ended = ascend(likelihood, best_start(likelihood, np.stack([means, taus])[..., None]))
    odds = top.place[1, :, 0] ** 2
    return higher(top, ended, flat, "rho", odds / (1 + odds))


def _quantile(values: dict[str, FloatArray], tail: float) -> FloatArray:
    """Return a quantile of the studies' proportions, NaN where no model was fitted."""
    mean, rho = values["proportion"], values["rho"]
    varies = rho > 0
    total = np.where(varies, 1 / np.where(varies, rho, 0.5) - 1, 1.0)
    middle = np.where(varies, mean, 0.5)
    quantile = special.betaincinv(middle * total, (1 - middle) * total, tail)
    return np.where(varies, quantile, np.where(rho == 0, mean, np.nan))


def _fitted(fit: BetaBinomialFit) -> str:
    sure = percent(fit.level)
    limits = fit.proportion_ci_low, fit.proportion_ci_high
    places = places_of(*limits)
    spread = modelled(fit.proportion_pi_low, fit.proportion_pi_high, places)
    first = (
        f"Beta-binomial model, {fit.k:.0f} studies: mean proportion "
        f"{percentage(fit.proportion, places)} ({sure} CI {modelled(*limits, places)})."
    )
    if fit.rho == 0:
        return f"{first} The studies do not differ by more than chance (ρ = 0)."
    between = spread.replace(" to ", " and ")
    return (
        f"{first} Correlation within studies ρ = {spread_text(fit.rho, 3)}; {sure} of the "
        f"studies' proportions lie between {between}, if the model holds."
    )
