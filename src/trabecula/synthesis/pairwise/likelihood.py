"""The normal-normal likelihood, its highest point over the between-study variance, and criteria."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.pairwise.global_maximum import highest, is_highest
from trabecula.synthesis.pairwise.newton import newton
from trabecula.synthesis.pairwise.power_sums import (
    Column,
    Columns,
    Curves,
    Number,
    Sums,
    Table,
    greater,
    log,
)
from trabecula.synthesis.result import Result

LOG_2PI = math.log(2 * math.pi)

STEPS = 12
"""Most steps of the first search for the maximum; 3 to 5 are usual, and what has not ended then
is searched from end to end."""

EXACT = 1e-12
"""Longest step, relative to the root counted from minus the smallest variance, that Newton's
method may still propose where a first search has ended; otherwise the root is bracketed."""


@dataclass(frozen=True, slots=True, eq=False)
class Criteria(Result):
    """How well a model fits: log-likelihood and what follows from it.

    ``deviance`` is counted from the saturated model for the likelihood, and is minus twice
    the log-likelihood for the restricted one. NaN for a single study.
    """

    log_likelihood: FloatArray
    deviance: FloatArray
    aic: FloatArray
    bic: FloatArray
    aicc: FloatArray


class Place(NamedTuple):
    """A between-study variance, the sums there, and whether it is the only maximum for sure."""

    tau2: Number
    sums: Sums
    curves: Curves
    alone: Number


def height_of(k: Number, sums: Sums, log_variance: Number, *, restricted: bool) -> Number:
    """Return the (restricted) log-likelihood, the mean maximised over."""
    twice = log_variance + sums.q1
    if restricted:
        return -(twice + log(sums.s1 / k) + (k - 1) * LOG_2PI) / 2
    return -(twice + k * LOG_2PI) / 2


def log_likelihood(table: Table, tau2: Number, *, restricted: bool) -> Number:
    """Return the (restricted) log-likelihood at `tau2`, the mean maximised over."""
    data = table.data
    return height_of(table.k, data.sums(tau2), data.log_variance(tau2), restricted=restricted)


def maximise(table: Table, *, restricted: bool) -> Place:
    """Return where the (restricted) likelihood is highest, with the sums there.

    Newton's method from the DerSimonian-Laird estimate, on the trace of the projection (for the
    full likelihood the sum of the weights) over ``q2``: nearly a straight line, and one where
    all variances are equal. What it finds is kept if it is proven to be the only maximum;
    otherwise the whole range is searched.
    """
    step = partial(_step, restricted=restricted)
    start = greater((table.zero.q1 - table.df) / table.zero_curves.p1, 0.0)
    if isinstance(table.data, Column):
        return _of_one(table, table.data, newton(table.data, start, 1.0, step, STEPS), restricted)
    tau2 = newton(table.data, start, np.ones_like(start), step, STEPS)
    tau2[np.isnan(tau2)] = 0.0
    return _of_many(table, table.data, tau2, restricted)


def _of_one(table: Table, data: Column, tau2: float, restricted: bool) -> Place:
    tau2 = 0.0 if math.isnan(tau2) else tau2
    sums, curves = data.curves(tau2)
    if _exact(tau2, sums, curves, data.first, restricted) and is_highest(
        table, tau2, sums, curves, restricted=restricted
    ):
        return Place(tau2, sums, curves, alone=True)
    tau2 = float(highest(data.columns(), restricted=restricted)[0])
    return Place(tau2, *data.curves(tau2), alone=False)


def _of_many(table: Table, data: Columns, tau2: FloatArray, restricted: bool) -> Place:
    sums, curves = data.curves(tau2)
    alone = _exact(tau2, sums, curves, data.first, restricted)
    alone &= is_highest(table, tau2, sums, curves, restricted=restricted)
    rows = np.flatnonzero(~alone)
    if len(rows):
        there = data.take(rows)
        tau2[rows] = highest(there, restricted=restricted)
        for every, some in zip((sums, curves), there.curves(tau2[rows]), strict=True):
            for values, better in zip(every, some, strict=True):
                values[rows] = better
    return Place(tau2, sums, curves, alone)


def _step(data: Column | Columns, tau2: Number, target: Number, *, restricted: bool) -> Number:
    return _newton_step(*data.curves(tau2), target, restricted)


def _newton_step(sums: Sums, curves: Curves, target: Number, restricted: bool) -> Number:
    """Return the step to where the ratio of the trace and ``q2`` is `target`, 1 at a maximum."""
    trace, square = (curves.p1, curves.p2) if restricted else (sums.s1, sums.s2)
    bend = 2 * curves.q3 * trace - square * sums.q2
    rising = (
        (bend if bend > 0 else math.nan)
        if isinstance(bend, float)
        else np.where(bend > 0, bend, np.nan)
    )
    return sums.q2 * (target * sums.q2 - trace) / rising


def _exact(tau2: Number, sums: Sums, curves: Curves, first: Number, restricted: bool) -> Number:
    """Return whether another step would not move the place; it need be no root at 0."""
    step = _newton_step(sums, curves, 1.0, restricted)
    return (abs(step) <= EXACT * (tau2 + first)) | (tau2 == 0)


def criteria(
    k: Number, height: Number, saturated: Number, *, restricted: bool, parameters: int
) -> dict[str, Number]:
    """Return the fit criteria of a log-likelihood for a model with so many `parameters`."""
    observations = k - 1 if restricted else k
    counted = greater(observations, parameters + 2.0)
    return {
        "log_likelihood": height,
        "deviance": 2 * (saturated - height),
        "aic": 2 * parameters - 2 * height,
        "bic": parameters * log(observations) - 2 * height,
        "aicc": 2 * parameters * counted / (counted - parameters - 1) - 2 * height,
    }


def saturated(table: Table) -> Number:
    """Return the log-likelihood where each study has its own mean."""
    return -(table.k * LOG_2PI + table.data.log_variance(0.0)) / 2
