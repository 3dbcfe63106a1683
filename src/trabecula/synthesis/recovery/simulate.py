"""New data in the shape of the evidence: what the model would show, were it true.

Serves posterior predictive checks and simulation-based calibration. Every table is drawn from
exactly the distribution by which the density judges it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.recovery.course import Form, Survival
from trabecula.synthesis.recovery.evidence import (
    CLOCKS,
    STATISTICS,
    Counts,
    RecoveryEvidence,
    Scores,
    Tests,
    Times,
)
from trabecula.synthesis.recovery.layout import HALF_NORMAL, assumed, layout
from trabecula.synthesis.recovery.priors import RecoveryPriors
from trabecula.synthesis.sampling.nuts import load

MEAN, MEDIAN, RANGE = range(len(STATISTICS))


def draw_parameters(
    evidence: RecoveryEvidence, priors: RecoveryPriors, random: np.random.Generator
) -> dict[str, FloatArray]:
    """Return parameters drawn from their prior."""
    laid, at = layout(evidence, priors), {}
    for name, size in laid.sizes.items():
        deviate = random.standard_normal(size)
        at[name] = np.log(np.abs(deviate)) if name in HALF_NORMAL else deviate
    jax = load("jax")
    from trabecula.synthesis.recovery import density

    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        rates = density.drawn_rates(at, laid.shared, assumed(priors, evidence))
        return at | {name: np.asarray(value) for name, value in rates.items()}


def true_values(
    evidence: RecoveryEvidence, priors: RecoveryPriors, at: Mapping[str, FloatArray]
) -> dict[str, FloatArray]:
    """Return what the parameters `at` mean, by the names of `density.quantities`."""
    jax = load("jax")
    from trabecula.synthesis.recovery import density

    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        found = density.quantities(at, layout(evidence, priors).shared, assumed(priors, evidence))
        return {name: np.asarray(value) for name, value in found.items()}


def simulated(
    evidence: RecoveryEvidence,
    priors: RecoveryPriors,
    form: Form,
    at: Mapping[str, FloatArray],
    random: np.random.Generator,
) -> RecoveryEvidence:
    """Return the evidence with new data, drawn given the parameters `at`.

    Sizes, weeks, clocks, standard errors and what is missing stay as they are. Censored
    tests are censored at the same place.
    """
    found = _expected(evidence, priors, form, at, _levels(evidence.times, random))
    return replace(
        evidence,
        scores=_scores(evidence.scores, found["scores"], found["df"], random),
        counts=_counts(evidence.counts, found["counts"], random),
        times=_times(evidence.times, found, random),
        tests=_tests(evidence.tests, found["tests"], random),
    )


def _expected(
    evidence: RecoveryEvidence,
    priors: RecoveryPriors,
    form: Form,
    at: Mapping[str, FloatArray],
    levels: FloatArray,
) -> Any:
    jax = load("jax")
    laid = layout(evidence, priors)
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        found = _program(form)(dict(at), laid.shared, assumed(priors, evidence), levels)
        return jax.tree_util.tree_map(np.asarray, found)


@cache
def _program(form: Form) -> Any:
    """Return a function that gives what is expected of every row, from start and from onset."""
    jax = load("jax")
    from trabecula.synthesis.recovery import density

    def expected(at: Any, data: Any, prior: Any, levels: Any) -> Any:
        q = density.quantities(at, data, prior)
        courses = density.Courses(form, data, q)
        times = data["times"]
        log_rate = q["arm_log_rate"][times["arm"], times["outcome"]]
        survival = Survival(form, log_rate, q["spread"][times["outcome"]], density.JAX)
        first, last = jax.numpy.exp(survival.log_week(jax.numpy.log1p(-levels)))
        return {
            "scores": density.expected_scores(at, data, courses),
            "df": data["scores"]["df"],
            "counts": density.expected_counts(data, courses),
            "times": (first, last, q["delay"][data["study_of"]["times"]]),
            "means": density.expected_times(form, data, q),
            "tests": density.expected_tests(data, courses),
        }

    return jax.jit(expected)


def _levels(times: Times, random: np.random.Generator) -> FloatArray:
    """Return shares recovered at the first time told and at the last, (2, rows).

    Order statistics of uniform variables: the middle one, or the first and the last.
    """
    rank = (times.n + 1) / 2
    middle = random.beta(rank, times.n - rank + 1)
    first = random.beta(1.0, times.n)
    last = first + (1 - first) * random.beta(np.maximum(times.n - 1, 1.0), 1.0)
    return np.stack([np.where(times.statistic == MEDIAN, middle, first), last])


def _scores(table: Scores, found: Any, df: FloatArray, random: np.random.Generator) -> Scores:
    mean, scale = found
    return replace(table, mean=mean + scale * random.standard_t(df))


def _counts(table: Counts, found: Any, random: np.random.Generator) -> Counts:
    """Return new events; of chained counts the earlier are drawn first."""
    share = -np.expm1(found)
    key = (table.arm, table.outcome, table.kind, table.week)
    earlier = (table.arm, table.outcome, table.previous_kind, table.previous_week)
    places = {k: i for i, k in enumerate(zip(*key, strict=True))}
    events, before = np.full(len(share), np.nan), np.zeros(len(share))

    def events_of(row: int) -> float:
        if np.isnan(events[row]):
            if table.previous_week[row] > 0:
                before[row] = events_of(places[tuple(column[row] for column in earlier)])
            left = round(table.n[row] - before[row])
            events[row] = before[row] + random.binomial(max(left, 0), share[row])
        return float(events[row])

    for row in range(len(share)):
        events_of(row)
    return replace(table, events=events, previous_events=before)


def _times(table: Times, found: Any, random: np.random.Generator) -> Times:
    """Return new times; means are drawn as the density judges them, from a normal law."""
    first, last, delay = found["times"]
    onset = table.clock == CLOCKS.index("onset")
    value, upper = (np.where(onset, _from_onset(w, delay), w) for w in (first, last))
    value = np.where(table.statistic == MEAN, random.normal(*found["means"]), value)
    upper = np.where(table.statistic == RANGE, upper, np.nan)
    return replace(table, value=value, upper=upper)


def _from_onset(week: FloatArray, delay: FloatArray) -> FloatArray:
    """Return weeks since onset that the density reads as `week` since start (see `BLUR`)."""
    from trabecula.synthesis.recovery.density import BLUR

    scaled = week / BLUR
    return delay + BLUR * (scaled + np.log(-np.expm1(-scaled)))


def _tests(table: Tests, expected: FloatArray, random: np.random.Generator) -> Tests:
    """Return new tests, censored at the limit at which they were: within it, or beyond."""
    z = random.normal(expected)
    exact = table.lower == table.upper
    limits = np.where(np.isfinite(table.lower), np.abs(table.lower), np.abs(table.upper))
    known = np.where(table.either_sign, np.abs(z), z)
    lower = np.select([z > limits, z < -limits], [limits, -np.inf], -limits)
    upper = np.select([z > limits, z < -limits], [np.inf, -limits], limits)
    beyond = table.either_sign & (np.abs(z) > limits)
    lower, upper = np.where(beyond, limits, lower), np.where(beyond, np.inf, upper)
    return replace(table, lower=np.where(exact, known, lower), upper=np.where(exact, known, upper))
