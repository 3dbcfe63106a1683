"""Pooled proportions: logistic regression with a random intercept for each study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

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
from trabecula.synthesis.counts.observed import heterogeneity, observed_studies, wald_spread
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
from trabecula.synthesis.distributions import critical_value
from trabecula.synthesis.quadrature import RANDOM_INTERCEPT, Marginal
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.studies import Weighted
from trabecula.synthesis.text import number, p_value, percent

BinomialMethod = Literal["ML", "common"]
"""*ML*: logits vary between studies, maximum likelihood; *common*: one proportion for all."""

BinomialTest = Literal["z", "t"]
"""*z*: normal; *t*: t with k - 1 degrees of freedom."""

NODES = 7
"""Nodes of the quadrature, as in metafor's ``rma.glmm``. Too few where studies are small and
differ much: with 7 the between-study variance of six studies of 3 to 20 patients came out 1.3 %
too small (``docs/synthesis/counts.md``); 41 are exact to all digits that matter."""

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
        self.require_one()
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
    nodes = number_of_nodes(nodes)
    x, size, shape = study_table(("events", "n"), *counts(events, n, missing=True))
    data = Binomial.of(np.nan_to_num(x)[None], np.nan_to_num(size)[None])
    k = (data.n[0] > 0).sum(axis=1).astype(np.float64)
    total = crude_total(data, level)
    status = status_of(data, common=method == "common")

    def highest(part: Binomial, flat: dict[str, FloatArray]) -> dict[str, FloatArray]:
        return flat if method == "common" else _highest(part, flat, nodes)

    values = estimated(data, total, status, "tau2", highest, len(TAUS) * nodes)
    values["aic"] = 2 * (1 if method == "common" else 2) - 2 * values["log_likelihood"]
    df = np.where((test == "t") & (k > 1), np.maximum(k - 1, 1.0), np.inf)
    values |= intervals(values, total, status, df, level)
    values |= _predicted(values, np.where(method == "ML", df, 0.0), level)
    values |= _heterogeneity(data, total, values["tau2"])
    values |= total | {"k": k.astype(np.int64), "q_df": (k - 1).astype(np.int64)}
    return BinomialNormalFit(
        method=method,
        test=test,
        level=level,
        nodes=nodes,
        status=frozen(status.reshape(shape)),
        **shaped(values, shape),
    )


def number_of_nodes(nodes: int) -> int:
    """Return `nodes`; `ValueError` unless it is a whole number within bounds."""
    if not (isinstance(nodes, int) and 1 <= nodes <= MOST_NODES):
        raise ValueError(f"nodes must be a whole number in [1, {MOST_NODES}], got {nodes!r}")
    return nodes


def _highest(data: Binomial, flat: dict[str, FloatArray], nodes: int) -> dict[str, FloatArray]:
    """Return the fit with random logits, or `flat` where no between-study variance is better."""
    likelihood = Marginal.of(data, RANDOM_INTERCEPT, nodes)
    weight = (data.n > 0) / (1 / data.weight + TAUS[:, None, None] ** 2)
    means = Weighted.of(data.observed, weight).mean
    taus = np.broadcast_to(TAUS[:, None], means.shape)
    top, ended = ascend(likelihood, best_start(likelihood, np.stack([means, taus])[..., None]))
    return higher(top, ended, flat, "tau2", top.place[1, :, 0] ** 2)


def _predicted(
    values: dict[str, FloatArray], df: FloatArray, level: float
) -> dict[str, FloatArray]:
    with np.errstate(invalid="ignore"):
        half = critical_value(level, df) * np.sqrt(values["se"] ** 2 + values["tau2"])
        low, high = values["estimate"] - half, values["estimate"] + half
    back = {"proportion_pi_low": special.expit(low), "proportion_pi_high": special.expit(high)}
    return {"pi_low": low, "pi_high": high} | back


def _heterogeneity(
    data: Binomial, total: dict[str, FloatArray], tau2: FloatArray
) -> dict[str, FloatArray]:
    events, rest = total["total_events"], total["total_n"] - total["total_events"]
    same = special.xlogy(events, events / (events + rest))
    same += special.xlogy(rest, rest / (events + rest))
    x, others = data.events[0], data.n[0] - data.events[0]
    inner = (x > 0) & (others > 0)
    usable_x, usable_others = np.where(inner, x, 1.0), np.where(inner, others, 1.0)
    wald = wald_spread(np.log(usable_x / usable_others), 1 / usable_x + 1 / usable_others, inner)
    added = np.where(inner, 0.0, 0.5)
    x, others = x + added, others + added
    studies = observed_studies(np.log(x / others), 1 / x + 1 / others, data.n[0] > 0)
    return heterogeneity(studies, tau2, 2 * (data.saturated() - same), wald, studies.k)


def _describe(fit: BinomialNormalFit) -> str:
    return describe_unpooled(fit) or " ".join(_sentences(fit, percent(fit.level)))


def _sentences(fit: BinomialNormalFit, sure: str) -> list[str]:
    model = "Binomial-normal model" if fit.method == "ML" else "Common proportion"
    limits = fit.proportion_ci_low, fit.proportion_ci_high
    places = places_of(*limits)
    first = (
        f"{model}, {fit.k:.0f} studies: {percentage(fit.proportion, places)} "
        f"({sure} CI {modelled(*limits, places)})."
    )
    spread = f" τ² = {spread_text(fit.tau2)} on the logit scale," if fit.method == "ML" else ""
    second = (
        f"Heterogeneity:{spread} likelihood-ratio χ²({fit.q_df:.0f}) = "
        f"{number(float(fit.q_lrt), 2)}, {p_value(float(fit.q_lrt_p_value))}."
    )
    if not np.isfinite(fit.pi_low):
        return [first, second]
    new = modelled(fit.proportion_pi_low, fit.proportion_pi_high, places)
    return [first, second, f"{sure} prediction interval {new}."]
