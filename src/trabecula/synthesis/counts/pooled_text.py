"""Pooled effects of two arms in words."""

from __future__ import annotations

import math
from typing import Any

from trabecula.synthesis.text import decimals, interval, number, p_value, percent

NAMES = {
    "OR": "odds ratio",
    "RR": "risk ratio",
    "RD": "risk difference",
    "IRR": "incidence rate ratio",
    "IRD": "incidence rate difference",
}

RATIOS = ("OR", "RR", "IRR")

LARGEST_LOGARITHM = 709.0
"""Beyond it the exponential overflows."""

VAST = 10_000.0
"""Ratios above this are printed as such: their digits say nothing."""

LONG = 100.0
"""Limits of ratios from here on are printed without decimals."""


def effect_text(fit: Any, measure: str) -> str:
    """Return estimate and interval, ratios as ratios with the digits of their own size."""
    estimate, low, high = (float(x) for x in (fit.estimate, fit.ci_low, fit.ci_high))
    places = decimals(float(fit.se))
    if measure in RATIOS:
        estimate, low, high = exponential(estimate), exponential(low), exponential(high)
        places = decimals(estimate * float(fit.se))
        value, limits = ratio(estimate, places), ratio_interval(low, high, places)
    else:
        value, limits = number(estimate, places), interval(low, high, places)
    return f"{NAMES[measure]} {value} ({percent(fit.level)} CI {limits}"


def exponential(value: float) -> float:
    """Return the exponential, infinite where it is too large for a number."""
    return math.exp(value) if value < LARGEST_LOGARITHM else math.inf


def ratio(value: float, places: int) -> str:
    """Return a ratio with `places` decimals, or the bound beyond which it makes no difference."""
    if value > VAST:
        return f"above {VAST:,.0f}"
    least = 10.0**-places
    return number(value, places) if value >= least / 2 else f"below {least:.{places}f}"


def ratio_interval(low: float, high: float, places: int) -> str:
    """Return ``low to high`` for ratios; a limit of `LONG` or more has no decimals."""
    low_text, high_text = (ratio(x, 0 if x >= LONG else places) for x in (low, high))
    return f"{low_text} to {high_text}"


def spread_text(value: Any, least: int = 2) -> str:
    """Return a measure of heterogeneity: `least` decimals, or more so that only 0 looks like 0."""
    return number(float(value), max(least, decimals(float(value))))


def studies(count: Any) -> str:
    """Return ``1 study`` or ``5 studies``."""
    return "1 study" if count == 1 else f"{count:.0f} studies"


def describe_pooled(fit: Any, method: str) -> str:
    """Return the sentences of a Mantel-Haenszel or Peto result."""
    fit.require_one()
    measure = getattr(fit, "measure", "OR")
    head = f"{method} {'estimate' if fit.k == 1 else 'meta-analysis'} of {studies(fit.k)}"
    if fit.status != "estimated":
        sentences = [f"{head}: {_why(fit, measure)}"]
    else:
        z = f"z = {number(float(fit.statistic), 2)}, {p_value(float(fit.p_value))}"
        sentences = [f"{head}: {effect_text(fit, measure)}; {z})."]
    if fit.k_double_zero > 0:
        sentences.append(_double_zero(fit, measure))
    if hasattr(fit, "cmh") and math.isfinite(fit.cmh):
        p = p_value(float(fit.cmh_p_value))
        sentences.append(f"Cochran-Mantel-Haenszel test: χ²(1) = {number(float(fit.cmh), 2)}, {p}.")
    return " ".join(sentences + _heterogeneity(fit))


def _why(fit: Any, measure: str) -> str:
    name = NAMES[measure]
    if fit.status in ("zero", "infinite"):
        arm, other = ("1", "2") if fit.status == "zero" else ("2", "1")
        end = "is 0" if fit.status == "zero" else "has no upper bound"
        full = f" (or arm {other} nothing but events)" if measure == "OR" else ""
        return (
            f"the {name} {end}: arm {arm} has no event{full} in any study that counts; the method "
            "gives no interval."
        )
    if fit.status == "undefined":
        lacking = "both events and others to compare" if measure == "OR" else "an event to compare"
        return f"no study has {lacking}, so that there is no {name}."
    value = exponential(float(fit.estimate)) if measure in RATIOS else float(fit.estimate)
    return f"{name} {number(value, 2)}, without an interval: no count varies within an arm."


def _double_zero(fit: Any, measure: str) -> str:
    one = fit.k_double_zero == 1
    kind = "no event, or nothing but events, in both arms"
    if measure in ("IRR", "IRD"):
        kind = "no event in either arm"
    without = f"{'does' if one else 'do'} not bear on the estimate"
    effect = {
        "RR": f"{without} unless everybody had the event",
        "RD": f"{'counts' if one else 'count'} as no difference, with weight by size",
        "IRD": f"{'counts' if one else 'count'} as no difference, with weight by size",
    }.get(measure, without)
    count = studies(fit.k_double_zero).capitalize()
    return f"{count} {'has' if one else 'have'} {kind} and {effect}."


def _heterogeneity(fit: Any) -> list[str]:
    if not math.isfinite(fit.q):
        return []
    q = f"Q({fit.q_df:.0f}) = {number(float(fit.q), 2)}, {p_value(float(fit.q_p_value))}"
    sentence = f"Heterogeneity: {q}, I² = {fit.i2:.0f} %"
    if math.isfinite(getattr(fit, "tarone", math.nan)):
        p = p_value(float(fit.tarone_p_value))
        test = f"χ²({fit.homogeneity_df:.0f}) = {number(float(fit.tarone), 2)}, {p}"
        sentence += f"; Breslow-Day test with Tarone's correction {test}"
    return [sentence + "."]
