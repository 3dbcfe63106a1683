"""Maximum likelihood for dependent estimates, and the tests and criteria that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.dependent.climb import STARTS, Hill, Peak, highest
from trabecula.synthesis.dependent.marginal import LOG_2PI, Component, Marginal, Mean
from trabecula.synthesis.dependent.rows import Rows
from trabecula.synthesis.dependent.structures import Structure
from trabecula.synthesis.dependent.working import WorkingModel
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.pairwise.moderators import INTERCEPT
from trabecula.synthesis.pairwise.wald import (
    omnibus_p,
    omnibus_statistic,
    ratio,
    standard_errors,
)
from trabecula.synthesis.result import shaped

LikelihoodMethod = Literal["REML", "ML"]
"""*REML*: restricted likelihood, nearly unbiased variances; *ML*: likelihood, comparable between
models with different moderators."""

CoefficientTest = Literal["t", "z"]
"""*t*: t and F distributions with degrees of freedom by `df`; *z*: normal and chi-square."""

DegreesOfFreedom = Literal["residual", "contain"]
"""*residual*: estimates minus coefficients; *contain*: for each coefficient the number of groups
of the smallest grouping within whose groups its column does not change, minus coefficients."""

BLOCK = 4_000_000
"""Most numbers of an array held at once (32 MB): data sets beyond are fitted in parts."""


@dataclass(frozen=True, slots=True)
class Options:
    """The choices of a fit."""

    method: LikelihoodMethod
    test: CoefficientTest
    df: DegreesOfFreedom
    level: float

    @classmethod
    def read(cls, method: Any, test: Any, df: Any, level: float) -> Self:
        """Return the choices; `ValueError` naming one that is not to be had."""
        require_option("method", method, get_args(LikelihoodMethod))
        require_option("test", test, get_args(CoefficientTest))
        require_option("df", df, get_args(DegreesOfFreedom))
        return cls(method, test, df, confidence_level(level))


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """Where a likelihood is highest, and the fits there and without any variance."""

    rows: Rows
    hill: Hill
    peak: Peak
    mean: Mean
    sampling: Mean


class Model(Protocol):
    """What distinguishes one model of dependent estimates from another."""

    @property
    def components(self) -> tuple[Component, ...]:
        """The true effects that rows share."""
        ...

    @property
    def structure(self) -> Structure:
        """Their covariance as a function of parameters."""
        ...

    @property
    def groups(self) -> Sequence[IntArray]:
        """The groupings that bound degrees of freedom."""
        ...

    def require_separable(self, information: FloatArray, k: FloatArray) -> None:
        """Raise `ValueError` if the layout, by its information, cannot separate the variances."""
        ...

    def starts(self, sets: int) -> list[FloatArray]:
        """Return places where a climb may begin."""
        ...

    def finish(self, found: Maximum, level: float) -> dict[str, Any]:
        """Return the fields that only this model has, one row a data set."""
        ...


def fit_fields(rows: Rows, model: Model, options: Options) -> dict[str, Any]:
    """Return the fields of a fit that depend on the data, with the leading axes of the data."""
    every = np.arange(len(rows.estimate))
    one = Marginal.of(rows.take(every[:1], (1,)), model.components)
    step = max(1, BLOCK // (STARTS * sum(b.indicators.size for b in one.buckets)))
    parts = [
        _fit(rows.take(every[i : i + step], (step,)), model, options)
        for i in range(0, len(every), step)
    ]
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    working = WorkingModel(
        rows, model.components, values.pop("natural"), values.pop("basis_coefficients")
    )
    fields: dict[str, Any] = {"working": working}
    for kind in ("ml", "reml"):
        own = {f.name: values.pop(f"{kind} {f.name}") for f in dataclass_fields(Criteria)}
        fields[kind] = Criteria(**shaped(own, rows.shape))
    return fields | shaped(values, rows.shape)


def _fit(rows: Rows, model: Model, options: Options) -> dict[str, Any]:
    likelihood = Marginal.of(rows, model.components)
    flat = np.zeros((len(rows.estimate), sum(c.size for c in model.components)))
    even = likelihood.with_equal_precision().surface(flat, restricted=True)
    model.require_separable(even.information, rows.k)
    sampling = _without_variance(likelihood, flat)
    hill = Hill(likelihood, model.structure, options.method == "REML")
    peak = highest(hill, model.starts(len(rows.estimate)))
    mean = likelihood.mean(peak.natural)
    df = degrees_of_freedom(rows, model.groups, options)
    parameters = len(rows.design.names) + model.structure.size
    return {
        "k": rows.k.astype(np.int64),
        "settled": peak.settled,
        "natural": peak.natural,
        "basis_coefficients": mean.coefficients,
        **linear_values(rows, mean, df, options),
        **residual_heterogeneity(rows, sampling),
        **fit_criteria(rows, likelihood, mean, sampling, parameters),
        **model.finish(Maximum(rows, hill, peak, mean, sampling), options.level),
    }


def _without_variance(likelihood: Marginal, flat: FloatArray) -> Mean:
    try:
        return likelihood.mean(flat)
    except np.linalg.LinAlgError as error:
        raise ValueError(
            "the sampling covariance is not positive definite: some estimate follows from others; "
            "leave it out, or assume a lower correlation"
        ) from error


def linear_values(rows: Rows, mean: Mean, df: FloatArray, options: Options) -> dict[str, Any]:
    """Return the fields of coefficients and their tests, one row a data set."""
    turn, unit = rows.design.turn, rows.unit
    coefficients = unit[:, None] * (mean.coefficients @ turn.T)
    covariance = unit[:, None, None] ** 2 * (turn @ np.linalg.inv(mean.information) @ turn.T)
    covariance = (covariance + np.swapaxes(covariance, 1, 2)) / 2
    return {
        "coefficients": coefficients,
        "covariance": covariance,
        **coefficient_tests(coefficients, covariance, df, options.level),
        **omnibus(rows.design.names, coefficients, covariance, df),
    }


def coefficient_tests(
    coefficients: FloatArray, covariance: FloatArray, df: FloatArray, level: float
) -> dict[str, FloatArray]:
    """Return standard errors, intervals and tests of single coefficients."""
    se = standard_errors(covariance)
    half = critical_value(level, df) * se
    statistic = ratio(coefficients, se)
    return {
        "se": se,
        "ci_low": coefficients - half,
        "ci_high": coefficients + half,
        "statistic": statistic,
        "df": df,
        "p_value": two_sided_p(statistic, df),
    }


def tested(names: Sequence[str]) -> list[int]:
    """Return which coefficients an omnibus test is about: all but an intercept, or that alone."""
    others = [i for i, name in enumerate(names) if i or name != INTERCEPT]
    return others or [0]


def omnibus(
    names: Sequence[str], coefficients: FloatArray, covariance: FloatArray, df: FloatArray
) -> dict[str, Any]:
    """Return the Wald test that all coefficients but an intercept are zero."""
    which = tested(names)
    rest = df[:, which].min(axis=1)
    statistic = omnibus_statistic(coefficients, covariance, which, rest)
    p = omnibus_p(statistic, len(which), np.maximum(rest, 1.0))
    return {
        "qm": statistic,
        "qm_df": np.full(len(statistic), len(which)),
        "qm_df_residual": rest,
        "qm_p_value": np.where(rest >= 1, p, np.nan),
    }


def degrees_of_freedom(rows: Rows, groups: Sequence[IntArray], options: Options) -> FloatArray:
    """Return the degrees of freedom (data sets, coefficients) of the tests."""
    shape = (len(rows.estimate), len(rows.design.names))
    if options.test == "z":
        return np.full(shape, np.inf)
    df = np.repeat(rows.k[:, None], shape[1], axis=1)
    if options.df == "contain":
        for group in groups:
            steady = _constant_within(rows.design.values, group)
            count = groups_present(rows, group)
            df = np.where(steady, np.minimum(df, count[:, None]), df)
    return df - shape[1]


def _constant_within(values: FloatArray, group: IntArray) -> FloatArray:
    """Return which columns do not change within any group."""
    low = np.full((group.max() + 1, values.shape[1]), np.inf)
    high = -low
    np.minimum.at(low, group, values)
    np.maximum.at(high, group, values)
    steady: FloatArray = (low == high).all(axis=0)
    return steady


def groups_present(rows: Rows, group: IntArray) -> IntArray:
    """Return how many groups have a row that is there, one number a data set."""
    first = np.concatenate([[0], np.cumsum(np.bincount(group))[:-1]])
    order = np.argsort(group, kind="stable")
    there = np.add.reduceat(rows.present[:, order], first, axis=1) > 0
    found: IntArray = there.sum(axis=1)
    return found


def fit_criteria(
    rows: Rows, likelihood: Marginal, mean: Mean, sampling: Mean, parameters: int
) -> dict[str, FloatArray]:
    """Return the criteria of likelihood and restricted likelihood, in the units of the data."""
    p = likelihood.coefficients
    log_unit, k = np.log(rows.unit), rows.k
    saturated = -(sampling.log_determinant + k * LOG_2PI) / 2 - k * log_unit
    found = {}
    for kind, restricted in (("ml", False), ("reml", True)):
        n = k - p if restricted else k
        height = likelihood.height(mean, restricted=restricted) - n * log_unit
        counted = np.maximum(n, parameters + 2)
        found[f"{kind} log_likelihood"] = height
        found[f"{kind} deviance"] = 2 * ((0.0 if restricted else saturated) - height)
        found[f"{kind} aic"] = 2 * parameters - 2 * height
        found[f"{kind} bic"] = parameters * np.log(n) - 2 * height
        correction = counted / (counted - parameters - 1)
        found[f"{kind} aicc"] = 2 * parameters * correction - 2 * height
    return found


def residual_heterogeneity(rows: Rows, sampling: Mean) -> dict[str, Any]:
    """Return the residual Q without variance of true effects, and its test."""
    df = rows.k - len(rows.design.names)
    return {
        "qe": sampling.q,
        "qe_df": df.astype(np.int64),
        "qe_p_value": chi2_upper_tail(sampling.q, df),
    }
