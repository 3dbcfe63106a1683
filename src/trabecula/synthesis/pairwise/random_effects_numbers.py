"""The numbers of a random-effects fit: one formula for one data set and for many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.pairwise.heterogeneity import Between, Method, between_study_variance
from trabecula.synthesis.pairwise.likelihood import criteria, height_of, saturated
from trabecula.synthesis.pairwise.power_sums import Number, Sums, Table, divide, greater
from trabecula.synthesis.pairwise.profile_likelihood import profile_likelihood
from trabecula.synthesis.pairwise.q_profile import h2_of, i2_of, q_profile
from trabecula.synthesis.pairwise.quadratic_forms import NODES
from trabecula.synthesis.studies import Studies, extremes

Test = Literal["z", "t", "knapp-hartung", "knapp-hartung-conservative"]
"""*z*: normal; *t*: t with k - 1 degrees of freedom; *knapp-hartung*: t and a variance scaled by
the observed weighted spread; *knapp-hartung-conservative*: the same, never scaled down."""

Prediction = Literal["as-test", "t", "higgins"]
"""Distribution of the prediction interval. *as-test*: that of the test; *t*: t with k - 1 degrees
of freedom; *higgins*: t with k - 2 (Higgins, Thompson and Spiegelhalter 2009)."""

Tau2Interval = Literal["as-method", "q-profile", "profile-likelihood", "generalised-q"]
"""Interval of the between-study variance. *as-method*: *generalised-q* for the methods of that
name, else *q-profile*; *profile-likelihood* for ML and REML."""


BLOCK = 2**18
"""Studies in the data sets that are fitted at once: bounds the memory, not the speed."""


class Model(NamedTuple):
    """What to fit, and how to say how sure one is."""

    method: Method
    test: Test
    prediction: Prediction
    level: float
    tau2_interval: Tau2Interval


def numbers_of(
    studies: Studies, model: Model, given: FloatArray | None, names: Sequence[str]
) -> dict[str, Any]:
    """Return the numbers of a result by name, those of the criteria after ``ml_`` and ``reml_``.

    One data set gives floats, several give arrays. `given` are the weights of the generalised
    Q. Single studies are passed through: what they have no number for, among `names`, is NaN.
    """
    if extremes(studies.k)[0] > 1:
        return _fit(studies, model, given)
    several = studies.k > 1
    lone = studies.take(~several)
    se = np.sqrt(lone.smallest_variance)
    half = se * special.ndtri((1 + model.level) / 2)
    passed: dict[str, Any] = {
        "estimate": lone.origin,
        "se": se,
        "ci_low": lone.origin - half,
        "ci_high": lone.origin + half,
        "statistic": lone.origin / se,
        "df": np.inf,
        "p_value": two_sided_p(lone.origin / se, np.full_like(se, np.inf)),
        "q": 0.0,
        "weights": np.where(lone.present > 0, 100.0, np.nan),
    }
    part = None if given is None else given[several]
    fitted = _fit(studies.take(several), model, part) if several.any() else {}
    values = {name: np.full_like(studies.k, np.nan) for name in names}
    values["weights"] = np.full_like(studies.estimate, np.nan)
    for found, rows in ((passed, ~several), (fitted, several)):
        for name, numbers_found in found.items():
            values[name][rows] = numbers_found
    return values | {"k": studies.k.astype(np.int64), "q_df": studies.k.astype(np.int64) - 1}


def _fit(studies: Studies, model: Model, given: FloatArray | None) -> dict[str, Any]:
    """Return the numbers of the result for data sets of two or more studies, block by block."""
    block = BLOCK // NODES if given is not None else BLOCK
    step = max(block // studies.estimate.shape[1], 1)
    if len(studies.k) <= step:
        return _values(Table.of(studies), model, given)
    parts = []
    for start in range(0, len(studies.k), step):
        part = slice(start, start + step)
        weights = None if given is None else given[part]
        parts.append(_values(Table.of(studies.take(part)), model, weights))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _values(table: Table, model: Model, given: FloatArray | None) -> dict[str, Any]:
    between = between_study_variance(table, model.method, given)
    mean = _weighted_mean(table, between)
    values = _pooled(table, between.sums, mean, model)
    values |= _heterogeneity(table, between, model)
    values |= _predicted(table, values, between.tau2, model)
    values |= _criteria(table, between, mean, 1 if model.method == "common" else 2)
    return values | {"weights": mean.share}


class _Mean(NamedTuple):
    """A weighted mean counted as the estimates are, its variance, and each study's share of it.

    ``misfit`` is by how much the weighted sum of squares about it exceeds the smallest possible.
    """

    value: Number
    variance: Number
    share: FloatArray
    misfit: Number


def _weighted_mean(table: Table, between: Between) -> _Mean:
    studies, sums, generalised = table.studies, between.sums, between.generalised
    if generalised is None:
        share = table.rows(100 / sums.s1) / (studies.variance + table.rows(between.tau2))
        mean = _Mean(sums.mean, 1 / sums.s1, share, 0.0)
    else:
        value = table.number(generalised.mean)
        variance = table.number(generalised.mean_variance(np.atleast_1d(between.tau2)))
        share = 100 * generalised.weight / generalised.total[:, None]
        mean = _Mean(value, variance, share, sums.s1 * (value - sums.mean) ** 2)
    if table.ragged:
        mean.share[studies.present == 0] = np.nan
    return mean


def _pooled(table: Table, sums: Sums, mean: _Mean, model: Model) -> dict[str, Number]:
    df = table.df if model.test != "z" else table.df + np.inf
    scale = 1.0
    if model.test.startswith("knapp-hartung"):
        scale = sums.q1 / table.df
    if model.test == "knapp-hartung-conservative":
        scale = greater(scale, 1.0)
    estimate = table.origin + mean.value
    se = (scale * mean.variance) ** 0.5
    half = critical_value(model.level, df) * se
    statistic = divide(estimate, se)
    return {
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "statistic": statistic,
        "df": df,
        "p_value": two_sided_p(statistic, df),
    }


def _heterogeneity(table: Table, between: Between, model: Model) -> dict[str, Number]:
    tau2, q, df = between.tau2, table.zero.q1, table.df
    typical = df / table.zero_curves.p1
    if model.method == "common":
        low = high = np.nan * q
        h2 = q / df
        i2 = greater(100 * (1 - divide(1.0, h2)), 0.0)
    else:
        low, high = _tau2_limits(table, between, model)
        i2, h2 = i2_of(tau2, typical), h2_of(tau2, typical)
    return {
        "k": _whole(table.k),
        "q": q,
        "q_df": _whole(df),
        "q_p_value": chi2_upper_tail(q, df),
        "tau2": tau2,
        "tau2_se": between.se,
        "tau2_ci_low": low,
        "tau2_ci_high": high,
        "i2": i2,
        "i2_ci_low": i2_of(low, typical),
        "i2_ci_high": i2_of(high, typical),
        "h2": h2,
        "h2_ci_low": h2_of(low, typical),
        "h2_ci_high": h2_of(high, typical),
    }


def _tau2_limits(table: Table, between: Between, model: Model) -> tuple[Number, Number]:
    if model.tau2_interval == "profile-likelihood" and between.place is not None:
        restricted = model.method == "REML"
        return profile_likelihood(table, between.place, model.level, restricted=restricted)
    if model.tau2_interval == "generalised-q" and between.generalised is not None:
        low, high = between.generalised.tau2_limits(model.level)
        return table.number(low), table.number(high)
    return q_profile(table, model.level, (between.tau2, between.sums))


def _predicted(
    table: Table, pooled: dict[str, Number], tau2: Number, model: Model
) -> dict[str, Number]:
    df = {"as-test": pooled["df"], "t": table.df, "higgins": table.df - 1}[model.prediction]
    if model.method == "common":
        df = 0 * table.k
    half = critical_value(model.level, df) * (pooled["se"] ** 2 + tau2) ** 0.5
    return {"pi_low": pooled["estimate"] - half, "pi_high": pooled["estimate"] + half}


def _criteria(table: Table, between: Between, mean: _Mean, parameters: int) -> dict[str, Number]:
    logs = table.data.log_variance(between.tau2)
    values: dict[str, Number] = {}
    for name, restricted in (("ml", False), ("reml", True)):
        height = height_of(table.k, between.sums, logs, restricted=restricted) - mean.misfit / 2
        top = 0.0 if restricted else saturated(table)
        found = criteria(table.k, height, top, restricted=restricted, parameters=parameters)
        values |= {f"{name}_{n}": value for n, value in found.items()}
    return values


def _whole(values: Number) -> Any:
    return int(values) if isinstance(values, float) else values.astype(np.int64)
