"""What one proportion from several studies has in common whatever varies between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.ascent import GAIN, Surface, blocks
from trabecula.synthesis.counts.binomial import Binomial
from trabecula.synthesis.counts.binomial_intervals import clopper_pearson
from trabecula.synthesis.distributions import critical_value, two_sided_p
from trabecula.synthesis.studies import over_studies

ProportionStatus = Literal["fitted", "one-study", "no-events", "all-events", "all-or-none"]
"""*fitted*: the model was fitted. *one-study*: nothing to pool, the study's own proportion with its
exact interval. *no-events*, *all-events*: the estimate lies on the boundary 0 or 1; interval exact
for the total count, which takes the studies for one. *all-or-none*: each study has all events or
none, some this, some that; the likelihood then rises without end as the studies are taken to differ
more, and there is no estimate but the total count."""


def crude_total(data: Binomial, level: float) -> dict[str, FloatArray]:
    """Return the counts of all studies together and their exact interval."""
    events, n = over_studies(data.events[0]), over_studies(data.n[0])
    low, high = clopper_pearson(events, n, level=level)
    return {"total_events": events, "total_n": n, "total_ci_low": low, "total_ci_high": high}


def status_of(data: Binomial, *, common: bool) -> NDArray[np.str_]:
    """Return a `ProportionStatus` a data set; a common proportion can be fitted to all-or-none."""
    x, n = data.events[0], data.n[0]
    mixed = ((x > 0) & (x < n)).any(axis=1)
    conditions = {
        "one-study": (n > 0).sum(axis=1) == 1,
        "no-events": ~(x > 0).any(axis=1),
        "all-events": ~(x < n).any(axis=1),
        "all-or-none": ~mixed & (not common),
    }
    return np.select(list(conditions.values()), list(conditions), "fitted")


def estimated(
    data: Binomial,
    total: dict[str, FloatArray],
    status: NDArray[np.str_],
    spread: str,
    highest: Callable[[Binomial, dict[str, FloatArray]], dict[str, FloatArray]],
    numbers: float,
) -> dict[str, FloatArray]:
    """Return estimates where the model can be fitted; elsewhere the total proportion, if any.

    `highest` returns the fit to some data sets, given that of one proportion for all; `spread`
    is what it calls the measure of variation between studies. `numbers` a study are needed
    for it at once.
    """
    events, rest = total["total_events"], total["total_n"] - total["total_events"]
    nothing = np.full(len(status), np.nan)
    with np.errstate(divide="ignore"):
        crude, crude_se = np.log(events) - np.log(rest), np.sqrt(1 / events + 1 / rest)
    values = {
        "estimate": np.where(status == "all-or-none", np.nan, crude),
        "se": np.where((status == "one-study") & np.isfinite(crude), crude_se, np.nan),
        spread: nothing.copy(),
        "log_likelihood": nothing.copy(),
    }
    for rows in blocks(np.flatnonzero(status == "fitted"), numbers * data.n.shape[-1]):
        chosen = data.rows(rows)
        eta = np.broadcast_to(crude[rows, None], chosen.n.shape)
        height = over_studies(chosen.derivatives(eta, 1)[0][0])
        flat = {"estimate": crude[rows], "se": crude_se[rows], spread: 0 * height}
        for name, value in highest(chosen, flat | {"log_likelihood": height}).items():
            values[name][rows] = value
        values["log_likelihood"][rows] += chosen.constant
    return values


def higher(
    top: Surface,
    ended: NDArray[np.bool_],
    flat: dict[str, FloatArray],
    spread: str,
    value: FloatArray,
) -> dict[str, FloatArray]:
    """Return the fit at `top`, or `flat` where it is no higher; `value` is its `spread`.

    Raises
    ------
    ArithmeticError
        If a climb did not end on a dome.
    """
    better = top.height > flat["log_likelihood"] + GAIN * (1 + np.abs(flat["log_likelihood"]))
    variance = np.where(better, top.variance(), 1.0)
    lost = ~ended | np.isnan(variance)
    if lost.any():
        raise ArithmeticError(
            f"the likelihood of {lost.sum()} data sets has no maximum that was found: fit them "
            "with one proportion for all, or with other studies"
        )
    return {
        "estimate": np.where(better, top.place[0, :, 0], flat["estimate"]),
        "se": np.where(better, np.sqrt(variance), flat["se"]),
        spread: np.where(better, value, 0.0),
        "log_likelihood": np.where(better, top.height, flat["log_likelihood"]),
    }


def intervals(
    values: dict[str, FloatArray],
    total: dict[str, FloatArray],
    status: NDArray[np.str_],
    df: FloatArray,
    level: float,
) -> dict[str, FloatArray]:
    """Return test and limits: from the model where it was fitted, else exact (or none)."""
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
