"""A pooled odds ratio from a mixed model in words."""

from __future__ import annotations

import math
from typing import Any

from trabecula.synthesis.counts.pooled_text import (
    effect_text,
    exponential,
    ratio_interval,
    spread_text,
    studies,
)
from trabecula.synthesis.text import number, p_value, percent

MODEL_TEXT = {
    "unconditional-fixed": "logistic mixed model, study levels fixed",
    "unconditional-random": "logistic mixed model, study levels random",
    "conditional-exact": "hypergeometric-normal model",
    "conditional-approximate": "conditional binomial-normal model",
}

REASONS = {
    "zero": "the odds ratio is estimated as 0, every informative study pointing there, without an "
    "interval",
    "infinite": "the odds ratio has no upper bound, every informative study pointing there; no "
    "interval",
    "no-information": "no study has both events and others, so that there is no odds ratio",
    "all-or-none": "not pooled: each study alone would put the odds ratio at 0 or at infinity, so "
    "that the differences between studies have no bound",
    "not-converged": "not pooled: the search for the maximum of the likelihood did not end; fewer "
    "parameters (a conditional model, or a common effect) may be fitted",
}


def describe_two_arms(fit: Any) -> str:
    """Return the sentences of a two-arm mixed model; `ValueError` for several data sets."""
    fit.require_one()
    head = f"{studies(fit.k).capitalize()} ({MODEL_TEXT[fit.model]})"
    if str(fit.status) in REASONS:
        return " ".join([f"{head}: {REASONS[str(fit.status)]}.", *_double_zero(fit)])
    if fit.status == "one-study":
        first = f"One informative study, nothing pooled: {effect_text(fit, 'OR')})."
        return " ".join([first, *_double_zero(fit)])
    letter = f"t({fit.df:.0f})" if math.isfinite(fit.df) else "z"
    test = f"{letter} = {number(float(fit.statistic), 2)}, {p_value(float(fit.p_value))}"
    how = "common effect" if fit.method == "common" else "random effects"
    sentences = [
        f"{head}, {how}: {effect_text(fit, 'OR')}; {test}).",
        *_double_zero(fit),
        _heterogeneity(fit),
    ]
    if math.isfinite(fit.pi_low):
        low, high = exponential(float(fit.pi_low)), exponential(float(fit.pi_high))
        sentences.append(
            f"{percent(fit.level)} prediction interval {ratio_interval(low, high, 2)}."
        )
    return " ".join(sentences)


def _double_zero(fit: Any) -> list[str]:
    if fit.k_double_zero == 0:
        return []
    one = fit.k_double_zero == 1
    verb = "has" if one else "have"
    if fit.model == "unconditional-random" and fit.status == "fitted":
        part = f"{'counts' if one else 'count'} in the model"
    else:
        part = f"{verb} no part in the model"
    count = studies(fit.k_double_zero).capitalize()
    return [f"{count} with no event, or nothing but events, in both arms {part}."]


def _heterogeneity(fit: Any) -> str:
    spread = f" τ² = {spread_text(fit.tau2)}," if fit.method == "ML" else ""
    ratio = f"χ²({fit.q_df:.0f}) = {number(float(fit.q_lrt), 2)}"
    return f"Heterogeneity:{spread} likelihood-ratio {ratio}, {p_value(float(fit.q_lrt_p_value))}."
