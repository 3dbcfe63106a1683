"""Pooled proportions: logistic regression with a random intercept for each study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

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
from trabecula.synthesis.ascent import ascend, common
from trabecula.synthesis.counts.binomial_intervals import clopper_pearson, counts
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.pairwise.q_profile import h2_of, i2_of, typical_variance
from trabecula.synthesis.quadrature import MarginalBinomial
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.studies import Studies, Weighted, over_studies
from trabecula.synthesis.text import number, p_value, percent

BinomialMethod = Literal["ML", "common"]
"""*ML*: logits vary between studies, maximum likelihood; *common*: one proportion for all."""

BinomialTest = Literal["z", "t"]
"""*z*: normal; *t*: t with k - 1 degrees of freedom."""

Status = Literal["fitted", "one-study", "no-events", "all-events", "all-or-none"]
"""*fitted*: the model was fitted. *one-study*: nothing to pool, the study's own proportion with its
exact interval. *no-events*, *all-events*: the estimate lies on the boundary 0 or 1; interval exact
for the total count, which takes the studies for one. *all-or-none*: each study has all events or
none, some this, some that; the likelihood then rises without end as the studies are taken to differ
more, and there is no estimate but the total count."""

NODES = 7
"""Nodes of the quadrature, as in metafor's ``rma.glmm``. Too few where studies are small and
differ much: with 7 the between-study variance of six studies of 3 to 20 patients came out 1.3 %
too small (``docs/synthesis/counts.md``); 41 are exact to all digits that matter."""

CLOSE = 1.0
"""Percentages nearer to 0 or 100 than this are not printed as if they were 0 or 100."""

MOST_NODES = 200
"""With more, the outermost weights of the rule fall below the smallest double."""


@dataclass(frozen=True, slots=True, eq=False)
class BinomialNormalFit(Result):
    """A pooled proportion with its uncertainty and the heterogeneity behind it.

    ``estimate``, ``se``, ``ci_*``, ``pi_*``, ``tau2`` are on the logit scale; ``proportion`` and
    its limits are back-transformed (the proportion of a typical study: the median over
    studies, not their mean). ``status`` says whether the model could be fitted; where it
    could not, what does not exist is NaN, or infinite on the logit scale.
    ``total_*`` is the crude proportion of all patients with its exact interval, which takes
    the studies for one. ``q_lrt`` and ``q_wald`` test whether the studies share one
    proportion; the second leaves out studies without or with nothing but events.
    ``log_likelihood`` is marginal and includes the binomial coefficients.
    """

    method: BinomialMethod
    test: BinomialTest
    level: float
    nodes: int
    k: IntArray
    status: NDArray[np.str_]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    tau2: FloatArray
    i2: FloatArray
    h2: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    proportion: FloatArray
    proportion_ci_low: FloatArray
    proportion_ci_high: FloatArray
    proportion_pi_low: FloatArray
    proportion_pi_high: FloatArray
    q_df: IntArray
    q_lrt: FloatArray
    q_lrt_p_value: FloatArray
    q_wald: FloatArray
    q_wald_p_value: FloatArray
    log_likelihood: FloatArray
    aic: FloatArray
    total_events: FloatArray
    total_n: FloatArray
    total_ci_low: FloatArray
    total_ci_high: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print, in percent.

        Says where nothing was pooled, and why. `ValueError` for the results of several data
        sets: describe one, ``fit[i].summary()``.
        """
        if self.shape != ():
            raise ValueError(
                f"a summary describes one data set, this fit holds {self.shape}: use fit[i]"
            )
        return _describe(self)


def binomial_normal(
    events: ArrayLike,
    n: ArrayLike,
    *,
    method: BinomialMethod = "ML",
    test: BinomialTest = "t",
    level: float = 0.95,
    nodes: int = NODES,
) -> BinomialNormalFit:
    """Return the pooled proportion of each data set.

    The counts enter as they are, no continuity correction: studies without events, or with
    nothing else, count for what they are worth.

    Parameters
    ----------
    events, n
        Arrays (..., studies) that broadcast, ``0 <= events <= n``; effective sample sizes
        need not be whole. NaN marks a missing study.
    method
        *common* assumes that all studies share one proportion; its interval is too short
        where they do not.
    test
        *t* widens the intervals for few studies; *z* is what most programs print.
    level
        Confidence level of all intervals.
    nodes
        Nodes of the quadrature for each study, 1 (Laplace approximation) to 200.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.
    ArithmeticError
        If the search for the maximum does not end.

    Notes
    -----
    Stijnen, Hamza and Özdemir (2010), Stat Med 29:3046-3067; Hamza, van Houwelingen and
    Stijnen (2008), J Clin Epidemiol 61:41-51, on why the transformed proportions of small
    studies should not be pooled as if they were normal. Standard errors are from the observed
    information of mean and tau together.

    Examples
    --------
    >>> fit = binomial_normal([4, 9, 3, 20], [10, 12, 9, 31])
    >>> f"{fit.proportion:.2f} ({fit.proportion_ci_low:.2f} to {fit.proportion_ci_high:.2f})"
    '0.57 (0.32 to 0.79)'
    """
    require_option("method", method, get_args(BinomialMethod))
    require_option("test", test, get_args(BinomialTest))
    level = confidence_level(level)
    if not (isinstance(nodes, int) and 1 <= nodes <= MOST_NODES):
        raise ValueError(f"nodes must be a whole number in [1, {MOST_NODES}], got {nodes!r}")
    x, size, shape = study_table(("events", "n"), *counts(events, n, missing=True))
    likelihood = _likelihood(x, size, nodes)
    k = likelihood.present.sum(axis=1)
    total = _total(likelihood, level)
    status = _status(likelihood, method)
    values = _estimated(likelihood, total, status, method)
    df = np.where((test == "t") & (k > 1), np.maximum(k - 1, 1.0), np.inf)
    values |= _intervals(values, total, status, df, level)
    values |= _predicted(values, np.where(method == "ML", df, 0.0), level)
    values |= _heterogeneity(likelihood, total, values["tau2"])
    values |= total | {"k": k.astype(np.int64), "q_df": (k - 1).astype(np.int64)}
    return BinomialNormalFit(
        method=method,
        test=test,
        level=level,
        nodes=nodes,
        status=frozen(status.reshape(shape)),
        **shaped(values, shape),
    )


def _likelihood(events: FloatArray, n: FloatArray, nodes: int) -> MarginalBinomial:
    there = ~np.isnan(n)
    x, size = np.where(there, events, 0.5), np.where(there, n, 1.0)
    return MarginalBinomial.of(x, size, there.astype(np.float64), nodes)


def _total(likelihood: MarginalBinomial, level: float) -> dict[str, FloatArray]:
    events = over_studies(likelihood.present * likelihood.events)
    n = over_studies(likelihood.present * likelihood.n)
    low, high = clopper_pearson(events, n, level=level)
    return {"total_events": events, "total_n": n, "total_ci_low": low, "total_ci_high": high}


def _status(likelihood: MarginalBinomial, method: BinomialMethod) -> NDArray[np.str_]:
    x, n, there = likelihood.events, likelihood.n, likelihood.present > 0
    mixed = (there & (x > 0) & (x < n)).any(axis=1)
    conditions = {
        "one-study": there.sum(axis=1) == 1,
        "no-events": (there & (x > 0)).sum(axis=1) == 0,
        "all-events": (there & (x < n)).sum(axis=1) == 0,
        "all-or-none": ~mixed & (method == "ML"),
    }
    return np.select(list(conditions.values()), list(conditions), "fitted")


def _estimated(
    likelihood: MarginalBinomial,
    total: dict[str, FloatArray],
    status: NDArray[np.str_],
    method: BinomialMethod,
) -> dict[str, FloatArray]:
    """Estimates where the model can be fitted; elsewhere the total proportion, if any."""
    events, rest = total["total_events"], total["total_n"] - total["total_events"]
    nothing = np.full(len(status), np.nan)
    with np.errstate(divide="ignore"):
        crude, crude_se = np.log(events) - np.log(rest), np.sqrt(1 / events + 1 / rest)
    values = {
        "estimate": np.where(status == "all-or-none", np.nan, crude),
        "se": np.where((status == "one-study") & np.isfinite(crude), crude_se, np.nan),
        "tau2": nothing.copy(),
        "log_likelihood": nothing.copy(),
        "aic": nothing.copy(),
    }
    rows = np.flatnonzero(status == "fitted")
    if len(rows):
        chosen = likelihood.rows(rows)
        peak = ascend(chosen) if method == "ML" else common(chosen)
        height = peak.height + chosen.constant
        values["estimate"][rows], values["se"][rows] = peak.mean, peak.se
        values["tau2"][rows], values["log_likelihood"][rows] = peak.tau**2, height
        values["aic"][rows] = 2 * (2 if method == "ML" else 1) - 2 * height
    return values


def _intervals(
    values: dict[str, FloatArray],
    total: dict[str, FloatArray],
    status: NDArray[np.str_],
    df: FloatArray,
    level: float,
) -> dict[str, FloatArray]:
    """Confidence limits: from the model where it was fitted, else exact (or none)."""
    estimate, fitted = values["estimate"], status == "fitted"
    with np.errstate(invalid="ignore"):
        statistic = np.where(fitted, estimate / values["se"], np.nan)
        half = critical_value(level, df) * values["se"]
        low, high = np.where(fitted, estimate - half, 0.0), np.where(fitted, estimate + half, 0.0)
    exact = {
        side: np.where(status == "all-or-none", np.nan, total[f"total_ci_{side}"])
        for side in ("low", "high")
    }
    return {
        "statistic": statistic,
        "df": df,
        "p_value": two_sided_p(statistic, df),
        "proportion": special.expit(estimate),
        "ci_low": np.where(fitted, low, special.logit(exact["low"])),
        "ci_high": np.where(fitted, high, special.logit(exact["high"])),
        "proportion_ci_low": np.where(fitted, special.expit(low), exact["low"]),
        "proportion_ci_high": np.where(fitted, special.expit(high), exact["high"]),
    }


def _predicted(
    values: dict[str, FloatArray], df: FloatArray, level: float
) -> dict[str, FloatArray]:
    with np.errstate(invalid="ignore"):
        half = critical_value(level, df) * np.sqrt(values["se"] ** 2 + values["tau2"])
        low, high = values["estimate"] - half, values["estimate"] + half
    back = {"proportion_pi_low": special.expit(low), "proportion_pi_high": special.expit(high)}
    return {"pi_low": low, "pi_high": high} | back


def _heterogeneity(
    likelihood: MarginalBinomial, total: dict[str, FloatArray], tau2: FloatArray
) -> dict[str, FloatArray]:
    events, rest = total["total_events"], total["total_n"] - total["total_events"]
    same = special.xlogy(events, events / (events + rest))
    same += special.xlogy(rest, rest / (events + rest))
    likelihood_ratio = np.maximum(2 * (likelihood.saturated() - same), 0.0)
    wald = _wald(likelihood)
    studies = _logits(likelihood)
    several = studies.k > 1
    typical = typical_variance(studies)
    return {
        "i2": i2_of(tau2, typical),
        "h2": h2_of(tau2, typical),
        "q_lrt": likelihood_ratio,
        "q_lrt_p_value": np.where(several, chi2_upper_tail(likelihood_ratio, studies.df), np.nan),
        "q_wald": wald,
        "q_wald_p_value": np.where(several, chi2_upper_tail(wald, studies.df), np.nan),
    }


def _wald(likelihood: MarginalBinomial) -> FloatArray:
    """Return the weighted spread of the logits of studies that have events and others."""
    x, rest = likelihood.events, likelihood.n - likelihood.events
    inner = (likelihood.present > 0) & (x > 0) & (rest > 0)
    usable_x, usable_rest = np.where(inner, x, 1.0), np.where(inner, rest, 1.0)
    weight = np.where(inner, 1 / (1 / usable_x + 1 / usable_rest), 0.0)
    weight[~inner.any(axis=1)] = 1.0
    q = Weighted.of(np.log(usable_x / usable_rest), weight).q
    return np.where(inner.any(axis=1), q, 0.0)


def _logits(likelihood: MarginalBinomial) -> Studies:
    """Return observed logits and variances, half an event of each kind added at the boundary."""
    x, rest = likelihood.events, likelihood.n - likelihood.events
    added = np.where((x > 0) & (rest > 0), 0.0, 0.5)
    x, rest = x + added, rest + added
    k = likelihood.present.sum(axis=1)
    logits = np.log(x / rest)
    return Studies(0 * k, logits, 1 / x + 1 / rest, likelihood.present, k, k.shape)


def _describe(fit: BinomialNormalFit) -> str:
    sure = percent(fit.level)
    crude = (
        f"{fit.total_events:.10g} of {fit.total_n:.10g} "
        f"({_percentage(fit.total_events / fit.total_n)}, exact {sure} CI "
        f"{_percentages(fit.total_ci_low, fit.total_ci_high)})"
    )
    status = str(fit.status)
    if status == "one-study":
        return f"One study, nothing pooled: {crude}."
    if status == "all-or-none":
        return (
            f"Not pooled: each of {fit.k:.0f} studies has all events or none, so that the "
            f"differences between studies have no bound. All together {crude}, which takes "
            "the studies for one."
        )
    if status != "fitted":
        kind = "no event" if status == "no-events" else "nothing but events"
        return (
            f"{fit.k:.0f} studies with {kind}: {crude}. The interval takes the studies for "
            "one; how they differ cannot be estimated."
        )
    return " ".join(_sentences(fit, sure))


def _sentences(fit: BinomialNormalFit, sure: str) -> list[str]:
    model = "Binomial-normal model" if fit.method == "ML" else "Common proportion"
    first = (
        f"{model}, {fit.k:.0f} studies: {_percentage(fit.proportion)} "
        f"({sure} CI {_modelled(fit.proportion_ci_low, fit.proportion_ci_high)})."
    )
    spread = f" τ² = {number(float(fit.tau2), 2)} on the logit scale," if fit.method == "ML" else ""
    second = (
        f"Heterogeneity:{spread} likelihood-ratio χ²({fit.q_df:.0f}) = "
        f"{number(float(fit.q_lrt), 2)}, {p_value(float(fit.q_lrt_p_value))}."
    )
    if not np.isfinite(fit.pi_low):
        return [first, second]
    limits = _modelled(fit.proportion_pi_low, fit.proportion_pi_high)
    return [first, second, f"{sure} prediction interval {limits}."]


def _modelled(low: Any, high: Any) -> str:
    """Return limits from a logit, which never are 0 or 1 but for rounding."""
    within = np.clip([float(low), float(high)], 1e-9, 1 - 1e-9)
    return _percentages(within[0], within[1])


def _percentage(proportion: Any) -> str:
    value = 100 * float(proportion)
    if 0 < value < CLOSE:
        return f"less than {CLOSE:.0f} %"
    return f"more than {100 - CLOSE:.0f} %" if 100 - CLOSE < value < 100 else f"{value:.0f} %"


def _percentages(low: Any, high: Any) -> str:
    return f"{_percentage(low)} to {_percentage(high)}"
