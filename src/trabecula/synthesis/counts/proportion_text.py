"""Proportions in words, in percent."""

from __future__ import annotations

from typing import Any

import numpy as np

from trabecula.synthesis.text import percent

CLOSE = 1.0
"""Percentages nearer to 0 or 100 than this are not printed as if they were 0 or 100."""


def describe_unpooled(fit: Any) -> str:
    """Return the text of a result without a fitted model, empty where there is one."""
    status = str(fit.status)
    if status == "fitted":
        return ""
    crude = (
        f"{fit.total_events:.10g} of {fit.total_n:.10g} "
        f"({percentage(fit.total_events / fit.total_n)}, exact {percent(fit.level)} CI "
        f"{percentages(fit.total_ci_low, fit.total_ci_high)})"
    )
    if status == "one-study":
        return f"One study, nothing pooled: {crude}."
    if status == "all-or-none":
        return (
            f"Not pooled: each of {fit.k:.0f} studies has all events or none, so that the "
            f"differences between studies have no bound. All together {crude}, which takes "
            "the studies for one."
        )
    kind = "no event" if status == "no-events" else "nothing but events"
    return (
        f"{fit.k:.0f} studies with {kind}: {crude}. The interval takes the studies for "
        "one; how they differ cannot be estimated."
    )


def modelled(low: Any, high: Any) -> str:
    """Return limits from a model, which never are 0 or 1 but for rounding."""
    within = np.clip([float(low), float(high)], 1e-9, 1 - 1e-9)
    return percentages(within[0], within[1])


def percentage(proportion: Any) -> str:
    """Return a proportion as a whole percentage that does not pretend to be 0 or 100."""
    value = 100 * float(proportion)
    if 0 < value < CLOSE:
        return f"less than {CLOSE:.0f} %"
    return f"more than {100 - CLOSE:.0f} %" if 100 - CLOSE < value < 100 else f"{value:.0f} %"


def percentages(low: Any, high: Any) -> str:
    """Return ``2 % to 30 %``."""
    return f"{percentage(low)} to {percentage(high)}"
