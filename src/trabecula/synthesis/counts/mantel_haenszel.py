"""The Mantel-Haenszel method: one effect from many tables, however sparse each is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.counts.homogeneity import homogeneity, no_homogeneity
from trabecula.synthesis.counts.pooled_text import describe_pooled
from trabecula.synthesis.counts.spread import spread_about
from trabecula.synthesis.counts.tables import Rates, Tables
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.result import Result, frozen, shaped
from trabecula.synthesis.studies import over_studies

RiskMeasure = Literal["OR", "RR", "RD"]
"""*OR*: odds ratio; *RR*: risk ratio; *RD*: risk difference."""

RateMeasure = Literal["IRR", "IRD"]
"""*IRR*: ratio, *IRD*: difference of incidence rates."""

PooledStatus = Literal["estimated", "zero", "infinite", "undefined", "no-variance"]
"""*estimated*: estimate with interval. *zero*, *infinite*: the ratio is 0 or has no bound, one arm
having no event (or, for odds, nothing but events) wherever it counts; no interval by this method.
*undefined*: no study tells anything about the ratio. *no-variance*: the estimate stands, but no
count varies that could tell how sure it is."""

CONTINUITY = 0.5
"""Yates' correction of the Cochran-Mantel-Haenszel test, half a patient."""


@dataclass(frozen=True, slots=True, eq=False)
class MantelHaenszelFit(Result):
    """A pooled effect of arm 1 against arm 2, and tests of no effect and of one effect.

    ``estimate``, ``se``, ``ci_*`` are on the log scale for the ratios. ``k`` counts all
    studies, ``k_double_zero`` those without events, or with nothing but events, in both arms.
    ``weights`` (..., studies) sum to 100. ``cmh`` is the Cochran-Mantel-Haenszel statistic
    (1 degree of freedom), which belongs to the tables and not to the measure. ``q``, ``i2``, ``h2``
    compare the studies' own, corrected estimates with the pooled one and leave double-zero
    studies out. ``breslow_day`` and ``tarone``, chi-square with ``homogeneity_df``, compare tables
    with a common odds ratio; NaN for other measures.
    """

    measure: RiskMeasure | RateMeasure
    correct: bool
    level: float
    k: IntArray
    k_double_zero: IntArray
    status: NDArray[np.str_]
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    weights: FloatArray
    cmh: FloatArray
    cmh_p_value: FloatArray
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray
    i2: FloatArray
    h2: FloatArray
    breslow_day: FloatArray
    breslow_day_p_value: FloatArray
    tarone: FloatArray
    tarone_p_value: FloatArray
    homogeneity_df: IntArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print, ratios as ratios.

        Says what became of double-zero studies, and where there is no estimate why.
        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        return describe_pooled(self, "Mantel-Haenszel")


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """The effect ``top / bottom`` and the numerator of its variance, and each study's weight."""

    top: FloatArray
    bottom: FloatArray
    spread: FloatArray
    weight: FloatArray


def mantel_haenszel(
    events_1: ArrayLike,
    n_1: ArrayLike,
    events_2: ArrayLike,
    n_2: ArrayLike,
    *,
    measure: RiskMeasure = "OR",
    correct: bool = True,
    level: float = 0.95,
) -> MantelHaenszelFit:
    """Return the pooled odds ratio, risk ratio or risk difference of arm 1 against arm 2.

    No count is corrected for the estimate. A study without events in both arms says nothing
    about a ratio and has no weight there; in a risk difference it counts with the weight of its
    size.

    Parameters
    ----------
    events_1, n_1, events_2, n_2
        Arrays (..., studies) that broadcast, ``0 <= events <= n``. NaN marks a missing study.
    measure
        What is pooled; ratios are pooled on the log scale.
    correct
        Whether the Cochran-Mantel-Haenszel test has its continuity correction.
    level
        Confidence level of the interval.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Mantel and Haenszel (1959), J Natl Cancer Inst 22:719-748. Variances: Robins, Breslow and
    Greenland (1986), Biometrics 42:311-323, of the log odds ratio; Greenland and Robins (1985),
    Biometrics 41:55-68, of the log risk ratio; Sato, Greenland and Robins (1989), Biometrics
    45:1323-1324, of the risk difference. All hold for many sparse tables and for few large ones.
    The method assumes one effect for all studies.

    Examples
    --------
    >>> fit = mantel_haenszel([1, 0, 4], [50, 40, 60], [5, 2, 9], [50, 40, 58])
    >>> f"{np.exp(fit.estimate):.2f} ({np.exp(fit.ci_low):.2f} to {np.exp(fit.ci_high):.2f})"
    '0.27 (0.10 to 0.78)'
    """
    require_option("measure", measure, get_args(RiskMeasure))
    level = confidence_level(level)
    tables = Tables.read(events_1, n_1, events_2, n_2)
    parts = {"OR": _odds_ratio, "RR": _risk_ratio, "RD": _risk_difference}[measure](tables)
    values = _pooled(parts, tables.present, level, ratio=measure != "RD")
    status = values.pop("status")
    used = tables.present & ~tables.double_zero
    values |= spread_about(values["estimate"], *_own_effects(tables, measure), used)
    values |= _association(tables, correct)
    usable = (measure == "OR") & (status == "estimated")
    values |= homogeneity(tables, values["estimate"], usable)
    return _fit(values, status, tables, measure, correct, level)


def mantel_haenszel_rates(
    events_1: ArrayLike,
    time_1: ArrayLike,
    events_2: ArrayLike,
    time_2: ArrayLike,
    *,
    measure: RateMeasure = "IRR",
    correct: bool = True,
    level: float = 0.95,
) -> MantelHaenszelFit:
    """Return the pooled ratio or difference of the incidence rates of arm 1 against arm 2.

    Parameters
    ----------
    events_1, time_1, events_2, time_2
        Arrays (..., studies) that broadcast: events and time at risk (in one unit for all).
        NaN marks a missing study.
    measure, correct, level
        As in `mantel_haenszel`.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Rothman, Greenland and Lash (2008), Modern Epidemiology, 3rd edition, chapter 15;
    variance of the log ratio: Greenland and Robins (1985), Biometrics 41:55-68.

    Examples
    --------
    >>> fit = mantel_haenszel_rates([3, 7], [120, 310], [9, 12], [130, 290])
    >>> f"{np.exp(fit.estimate):.2f}"
    '0.47'
    """
    require_option("measure", measure, get_args(RateMeasure))
    level = confidence_level(level)
    rates = Rates.read(events_1, time_1, events_2, time_2)
    parts = _rate_ratio(rates) if measure == "IRR" else _rate_difference(rates)
    values = _pooled(parts, rates.present, level, ratio=measure == "IRR")
    status = values.pop("status")
    used = rates.present & ~rates.double_zero
    values |= spread_about(values["estimate"], *_own_rates(rates, measure), used)
    share = rates.t_1 / (rates.t_1 + rates.t_2)
    x = rates.x_1 + rates.x_2
    excess, variance = over_studies(rates.x_1 - x * share), over_studies(x * share * (1 - share))
    values |= _chi_square(excess, variance, correct) | no_homogeneity(values["estimate"])
    return _fit(values, status, rates, measure, correct, level)


def _fit(
    values: dict[str, Any],
    status: NDArray[np.str_],
    data: Tables | Rates,
    measure: RiskMeasure | RateMeasure,
    correct: bool,
    level: float,
) -> MantelHaenszelFit:
    values["k"] = data.present.sum(axis=1)
    values["k_double_zero"] = data.double_zero.sum(axis=1)
    return MantelHaenszelFit(
        measure=measure,
        correct=bool(correct),
        level=level,
        status=frozen(status.reshape(data.shape)),
        **shaped(values, data.shape),
    )


def _odds_ratio(t: Tables) -> _Parts:
    """Robins, Breslow and Greenland (1986): the variance of the log odds ratio."""
    agree, differ = (t.a + t.d) / t.n, (t.b + t.c) / t.n
    r, s = t.a * (t.d / t.n), t.b * (t.c / t.n)
    top, bottom = over_studies(r), over_studies(s)
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = over_studies(agree * r) / top**2 + over_studies(differ * s) / bottom**2
        spread += over_studies(agree * s + differ * r) / (top * bottom)
    return _Parts(top, bottom, spread / 2, s)


def _risk_ratio(t: Tables) -> _Parts:
    """Greenland and Robins (1985): the variance of the log risk ratio."""
    first, second = t.n_1 / t.n, t.n_2 / t.n
    top, bottom = over_studies(t.a * second), over_studies(t.c * first)
    spread = over_studies(first * second * (t.a + t.c) - t.a * (t.c / t.n))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _Parts(top, bottom, spread / (top * bottom), t.c * first)


def _risk_difference(t: Tables) -> _Parts:
    """Sato, Greenland and Robins (1989): the variance of the risk difference."""
    first, second = t.n_1 / t.n, t.n_2 / t.n
    weight = t.n_1 * second
    bottom = over_studies(weight)
    top = over_studies(t.a * second - t.c * first)
    tilt = t.c * first**2 - t.a * second**2 + first * second * (t.n_2 - t.n_1) / 2
    level = over_studies(t.a * (t.d / t.n) + t.c * (t.b / t.n)) / 2
    return _Parts(top, bottom, (top / bottom * over_studies(tilt) + level) / bottom**2, weight)


def _rate_ratio(r: Rates) -> _Parts:
    first, second = r.t_1 / (r.t_1 + r.t_2), r.t_2 / (r.t_1 + r.t_2)
    top, bottom = over_studies(r.x_1 * second), over_studies(r.x_2 * first)
    spread = over_studies(first * second * (r.x_1 + r.x_2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return _Parts(top, bottom, spread / (top * bottom), r.x_2 * first)


def _rate_difference(r: Rates) -> _Parts:
    weight = r.present * r.t_1 * (r.t_2 / (r.t_1 + r.t_2))
    bottom = over_studies(weight)
    top = over_studies(weight * (r.x_1 / r.t_1 - r.x_2 / r.t_2))
    variance = r.x_1 / r.t_1**2 + r.x_2 / r.t_2**2
    return _Parts(top, bottom, over_studies(weight**2 * variance) / bottom**2, weight)


def _pooled(
    parts: _Parts, present: NDArray[np.bool_], level: float, *, ratio: bool
) -> dict[str, Any]:
    """Return estimate, test, interval and weights; ratios as logarithms."""
    top, bottom = parts.top, parts.bottom
    status = np.full(top.shape, "estimated", dtype="<U11")
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = np.log(top) - np.log(bottom) if ratio else top / bottom
        if ratio:
            status[(top == 0) & (bottom > 0)] = "zero"
            status[(top > 0) & (bottom == 0)] = "infinite"
            status[(top == 0) & (bottom == 0)] = "undefined"
        flat = ~(parts.spread > NO_VARIANCE * (1 + parts.spread) * (estimate**2 + 1e-300))
        status[(status == "estimated") & flat] = "no-variance"
        usable = status == "estimated"
        se = np.sqrt(np.where(usable, parts.spread, np.nan))
        statistic = estimate / se
        weights = 100 * parts.weight / over_studies(parts.weight)[:, None]
    half = critical_value(level, np.full(top.shape, np.inf)) * se
    return {
        "status": status,
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "statistic": statistic,
        "p_value": two_sided_p(statistic, np.full(top.shape, np.inf)),
        "weights": np.where(present, weights, np.nan),
    }


NO_VARIANCE = 1e-14
"""A variance below this share of the squared estimate is rounding, not variance."""


def _own_effects(t: Tables, measure: RiskMeasure) -> tuple[FloatArray, FloatArray]:
    """Return the effect of each study and its variance, cells corrected where one is empty."""
    a, b, c, d = t.corrected()
    n_1, n_2 = a + b, c + d
    n_1, n_2 = np.where(n_1 > 0, n_1, 1.0), np.where(n_2 > 0, n_2, 1.0)
    if measure == "OR":
        return np.log(a / b) - np.log(c / d), 1 / a + 1 / b + 1 / c + 1 / d
    if measure == "RR":
        return np.log(a / n_1) - np.log(c / n_2), 1 / a - 1 / n_1 + 1 / c - 1 / n_2
    return a / n_1 - c / n_2, a * b / n_1**3 + c * d / n_2**3


def _own_rates(r: Rates, measure: RateMeasure) -> tuple[FloatArray, FloatArray]:
    x_1, x_2 = r.corrected()
    if measure == "IRR":
        return np.log(x_1 / r.t_1) - np.log(x_2 / r.t_2), 1 / x_1 + 1 / x_2
    return x_1 / r.t_1 - x_2 / r.t_2, x_1 / r.t_1**2 + x_2 / r.t_2**2


def _association(t: Tables, correct: bool) -> dict[str, FloatArray]:
    """Return the Cochran-Mantel-Haenszel test: the margins are taken as fixed."""
    events = t.a + t.c
    first, second = t.n_1 / t.n, t.n_2 / t.n
    variance = first * second * events * ((t.b + t.d) / np.where(t.present, t.n - 1, 1.0))
    return _chi_square(over_studies(t.a - first * events), over_studies(variance), correct)


def _chi_square(excess: FloatArray, variance: FloatArray, correct: bool) -> dict[str, FloatArray]:
    distance = np.maximum(np.abs(excess) - (CONTINUITY if correct else 0.0), 0.0)
    usable = variance > 0
    statistic = np.where(usable, distance**2 / np.where(usable, variance, 1.0), np.nan)
    return {"cmh": statistic, "cmh_p_value": chi2_upper_tail(statistic, np.ones_like(statistic))}
