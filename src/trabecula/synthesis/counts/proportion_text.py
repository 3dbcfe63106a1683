"""Proportions in words, in percent."""

from __future__ import annotations

from typing import Any

import numpy as np

from trabecula.synthesis.text import decimals, percent


def describe_unpooled(fit: Any) -> str:
    """Return the text of a result without a fitted model, empty where there is one."""
    status = str(fit.status)
    if status == "fitted":
        return ""
    limits = fit.total_ci_low, fit.total_ci_high
    places = places_of(*limits)
    crude = (
        f"{fit.total_events:.10g} of {fit.total_n:.10g} "
        f"({percentage(fit.total_events / fit.total_n, places)}, exact {percent(fit.level)} CI "
        f"{percentages(*limits, places)})"
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


def places_of(low: Any, high: Any) -> int:
    """Return the decimals of percentages whose interval has these limits: none from 4 % width on.

    A quarter of the interval stands for the standard error; one digit of it is enough.
    """
    return max(decimals(100 * float(high - low) / 4) - 1, 0)


def modelled(low: Any, high: Any, places: int) -> str:
    """Return limits from a model, which never are 0 or 1 but for rounding."""
    within = np.clip([float(low), float(high)], 1e-9, 1 - 1e-9)
    return percentages(within[0], within[1], places)


def percentage(proportion: Any, places: int) -> str:
    """Return a proportion in percent that does not pretend to be 0 or 100."""
    value = 100 * float(proportion)
    if value in (0, 100):
        return f"{value:.0f} %"
    close = 10.0**-places
    if value < close:
        return f"less than {close:.{places}f} %"
    return f"{'more than ' if value > 100 - close else ''}{min(value, 100 - close):.{places}f} %"


def percentages(low: Any, high: Any, places: int) -> str:
    """Return ``2 % to 30 %``."""
    return f"{percentage(low, places)} to {percentage(high, places)}"
