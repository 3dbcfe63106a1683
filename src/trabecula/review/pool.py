"""From contributions to a pooled result, and from the pooling scale to the one that is shown."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence

from scipy.special import stdtrit

from trabecula.effects.estimate import Estimate
from trabecula.review.model import Contribution, Pooled
from trabecula.synthesis import (
    SimilarStandardErrors,
    TooFewStudies,
    binomial_normal,
    clopper_pearson,
    random_effects,
    regression_test,
)

NORMAL_95 = 1.959963984540054
"""Half-width of a 95 % normal interval in standard errors."""

FEWEST_TO_POOL = 3
"""Two studies stand side by side. Between two, the variance between studies cannot be told, and
an honest interval spans nearly every value: Gonnermann, Framke, Großhennig and Koch (2015),
Stat Med 34:2476-2480, "No solution yet for combining two independent studies in the presence
of heterogeneity"."""

TOO_FEW = {
    1: "one study: nothing to pool",
    2: "two studies: too few to tell how much studies differ, so they stand side by side",
}

RANDOM_EFFECTS = (
    "Random-effects model, inverse-variance weights; between-study variance by restricted "
    "maximum likelihood; interval by Knapp and Hartung, t with {df} df."
)

BINOMIAL_NORMAL = (
    "Binomial-normal model (logistic regression with a random intercept), maximum likelihood: "
    "the share in a typical study (the median over studies); "
    "interval from t with {df} df; no continuity correction, so studies with no event or events "
    "alone count as they are."
)

AT_THE_BOUNDARY = (
    "All studies together have no event, or nothing but events, so no model can be fitted: "
    "the crude share with its exact (Clopper-Pearson) interval, as if from one study."
)

MOST_TAU2 = 10.0
"""Between-study variance of logits beyond which there is no common share: around one half, the
middle 95 % of studies would run from 0.2 to 99.8 %. It arises where some studies have next to
all events and others none, and the likelihood is then so flat that no digit of it is sure."""

TOO_DIFFERENT = "the studies differ too widely for one common share"

NO_FUNNEL_OF_SHARES = (
    "Not tested: the standard error of a share follows from the share itself, so that a funnel "
    "plot of shares is lopsided by itself."
)

ALL_OR_NONE = "each study has all events or none, so the studies contradict each other"

EXACT_NODES = 41
"""Quadrature nodes; metafor's 7 leave the between-study variance of small studies up to a few
percent too small, 41 are exact to every digit shown."""

LOGARITHMIC = frozenset({"RR", "OR"})
"""Measures that are logarithms, shown as ratios."""

LARGEST_LOG = math.log(sys.float_info.max)
"""Logarithm of the largest number."""

T_DISTRIBUTED = frozenset({"MN", "MC", "MD"})
"""Means, whose standard error is itself estimated from n patients: a normal interval around five
of them would be a third too short."""

LOG_MEANS = frozenset({"MN"})
"""Means of times are pooled as logarithms (metafor's MNLN, delta method), so that no limit lies
below zero."""

Pooling = tuple[Pooled | None, tuple[float | None, ...], str | None]
"""The pooled result, each contribution's weight in percent (of a proportion: its share of the
patients), and why nothing was pooled."""


def contribution(estimate: Estimate, weight: float | None) -> Contribution:
    """Return an estimate with its 95 % interval on the display scale.

    Proportions have the exact (Clopper-Pearson) interval, lesions on their effective number;
    means a t interval with as many degrees of freedom as their n leaves; all else a normal
    interval. Each on the scale on which it is pooled.
    """
    if estimate.measure == "PR":
        exact = clopper_pearson(*effective_counts(estimate))
        low, high = float(exact.low), float(exact.high)
        return Contribution(estimate, estimate.value, low, high, weight)
    value, se = for_pooling(estimate)
    shown = shown_value(estimate.measure)
    half = _quantile(estimate) * se
    return Contribution(estimate, shown(value), shown(value - half), shown(value + half), weight)


def pool(measure: str, estimates: Sequence[Estimate]) -> Pooling:
    """Return the pooled result of `estimates`, which share `measure` and an instrument."""
    if len(estimates) < FEWEST_TO_POOL:
        return None, (None,) * len(estimates), TOO_FEW[len(estimates)]
    if measure == "PR":
        return _pool_proportions(estimates)
    return _pool_values(measure, estimates)


def effective_counts(estimate: Estimate) -> tuple[float, float]:
    """Return events and n of a proportion, shrunk to the effective number of lesions."""
    assert estimate.events is not None
    assert estimate.n is not None
    n = float(estimate.n) if estimate.effective_n is None else estimate.effective_n
    return estimate.events * n / estimate.n, n


def shown_value(measure: str) -> Callable[[float], float]:
    """Return the function from the pooling scale of `measure` to the one that is shown."""
    if measure == "RD":
        return lambda difference: 100 * difference
    return _exp if measure in LOGARITHMIC | LOG_MEANS else float


def _exp(value: float) -> float:
    """Return e to `value`; infinity where a limit is beyond every number."""
    return math.exp(value) if value < LARGEST_LOG else math.inf


def _quantile(estimate: Estimate) -> float:
    """Return how many standard errors the 95 % interval of an estimate reaches to each side."""
    size = estimate.effective_n or estimate.n
    df = 0.0 if size is None else size - (2 if estimate.comparator_arm else 1)
    if estimate.measure not in T_DISTRIBUTED or df <= 0:
        return NORMAL_95
    return float(stdtrit(df, 0.975))


def for_pooling(estimate: Estimate) -> tuple[float, float]:
    """Return value and standard error on the scale on which the measure is pooled."""
    if estimate.measure in LOG_MEANS:
        return math.log(estimate.value), estimate.se / estimate.value
    return estimate.value, estimate.se


def _pool_values(measure: str, estimates: Sequence[Estimate]) -> Pooling:
    values, errors = zip(*map(for_pooling, estimates), strict=True)
    fit = random_effects(values, [se**2 for se in errors])
    shown = shown_value(measure)
    pooled = Pooled(
        value=shown(float(fit.estimate)),
        low=shown(float(fit.ci_low)),
        high=shown(float(fit.ci_high)),
        pi_low=shown(float(fit.pi_low)),
        pi_high=shown(float(fit.pi_high)),
        tau2=float(fit.tau2),
        i2=float(fit.i2),
        i2_low=_finite(float(fit.i2_ci_low)),
        i2_high=_finite(float(fit.i2_ci_high)),
        q=float(fit.q),
        q_df=int(fit.q_df),
        q_p=float(fit.q_p_value),
        method=RANDOM_EFFECTS.format(df=len(estimates) - 1),
        small_studies=small_study_effects(values, errors),
    )
    return pooled, tuple(float(w) for w in fit.weights), None


def small_study_effects(values: Sequence[float], errors: Sequence[float]) -> str:
    """Return what the regression test for funnel plot asymmetry finds, or why it was not done."""
    try:
        return regression_test(values, [se**2 for se in errors]).summary()
    except TooFewStudies as refusal:
        return f"Not tested: {refusal.k} studies, {refusal.needed} are needed: {refusal.reason}."
    except SimilarStandardErrors:
        return "Not tested: the studies are all about equally precise."


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _pool_proportions(estimates: Sequence[Estimate]) -> Pooling:
    events, n = zip(*map(effective_counts, estimates), strict=True)
    fit = binomial_normal(events, n, nodes=EXACT_NODES)
    shares = tuple(100 * size / sum(n) for size in n)
    status = str(fit.status)
    if status == "all-or-none":
        return None, (None,) * len(n), ALL_OR_NONE
    fitted = status == "fitted"
    if fitted and float(fit.tau2) > MOST_TAU2:
        return None, (None,) * len(n), TOO_DIFFERENT
    pooled = Pooled(
        value=float(fit.proportion),
        low=float(fit.proportion_ci_low),
        high=float(fit.proportion_ci_high),
        pi_low=float(fit.proportion_pi_low) if fitted else None,
        pi_high=float(fit.proportion_pi_high) if fitted else None,
        tau2=_finite(float(fit.tau2)),
        i2=_finite(float(fit.i2)),
        i2_low=None,
        i2_high=None,
        q=_finite(float(fit.q_lrt)),
        q_df=int(fit.q_df),
        q_p=_finite(float(fit.q_lrt_p_value)),
        method=BINOMIAL_NORMAL.format(df=len(n) - 1) if fitted else AT_THE_BOUNDARY,
        small_studies=NO_FUNNEL_OF_SHARES,
    )
    return pooled, shares, None
