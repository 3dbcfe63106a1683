"""The normal-normal likelihood: its maximum over the between-study variance, and criteria."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.roots import descending_root
from trabecula.synthesis.studies import Studies, Weighted, over_studies

GRID = 32
"""Points at which the likelihood is looked at before the search for its maximum begins.

A likelihood can have several maxima; the highest is found if it is higher than its neighbours
on the grid. With too few points a local maximum could be taken for the global one.
"""

BLOCK = 2_000_000
"""Most numbers held at once while looking at the grid (16 MB an array)."""

LOG_2PI = math.log(2 * math.pi)


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


def log_likelihood(studies: Studies, tau2: FloatArray, *, restricted: bool) -> FloatArray:
    """Return the (restricted) log-likelihood at `tau2` (..., data sets), mean maximised over."""
    sums = studies.weighted(tau2)
    total = studies.variance + tau2[..., None]
    twice = over_studies(studies.present * np.log(total)) + sums.q
    if restricted:
        twice = twice + np.log(sums.total / studies.k) + (studies.k - 1) * LOG_2PI
    else:
        twice = twice + studies.k * LOG_2PI
    return -twice / 2


def maximise(studies: Studies, *, restricted: bool) -> FloatArray:
    """Return the between-study variance of highest (restricted) likelihood, at least 0.

    The highest point of a grid is refined by Newton's method within its neighbours. The score
    is negative beyond ``spread² / 2 - v_min`` (half that for the full likelihood), so that
    the grid reaches as far as any maximum can lie.
    """
    size = studies.estimate.shape[1]
    step = max(1, BLOCK // (GRID * size))
    blocks = range(0, len(studies.k), step)
    parts = [_maximise(studies.rows(start, start + step), restricted) for start in blocks]
    return np.concatenate(parts)


def _maximise(studies: Studies, restricted: bool) -> FloatArray:
    smallest = studies.smallest_variance
    reach = np.maximum(studies.spread**2 / (2 if restricted else 4), smallest)
    share = np.linspace(0.0, 1.0, GRID)[:, None]
    grid = smallest * ((reach / smallest) ** share) - smallest
    grid[0] = 0.0
    height = log_likelihood(studies, grid, restricted=restricted)
    best = height.argmax(axis=0)
    column = np.arange(grid.shape[1])

    def score(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        return _score(studies.weighted(tau2), restricted)

    low = grid[np.maximum(best - 1, 0), column]
    high = grid[np.minimum(best + 1, GRID - 1), column]
    start = grid[best, column]
    high = np.where((start == 0) & (score(start)[0] <= 0), 0.0, high)
    return descending_root(score, low, high, start, smallest)


def _score(sums: Weighted, restricted: bool) -> tuple[FloatArray, FloatArray]:
    """Twice the derivative of the log-likelihood by the variance, and its slope."""
    trace, trace_squared = (sums.sum_p, sums.sum_pp) if restricted else (sums.total, sums.power(2))
    return -sums.q_slope - trace, trace_squared - 2 * sums.q_curvature


def criteria(studies: Studies, tau2: FloatArray, *, restricted: bool, parameters: int) -> Criteria:
    """Return the fit criteria at `tau2` for a model with so many `parameters`."""
    several = studies.k > 1
    usable = np.where(several, tau2, 0.0)
    height = log_likelihood(studies, usable, restricted=restricted)
    observations = studies.k - 1 if restricted else studies.k
    saturated = 0.0 if restricted else _saturated(studies)
    counted = np.maximum(observations, parameters + 2)
    values = {
        "log_likelihood": height,
        "deviance": 2 * (saturated - height),
        "aic": 2 * parameters - 2 * height,
        "bic": parameters * np.log(np.maximum(observations, 1)) - 2 * height,
        "aicc": 2 * parameters * counted / (counted - parameters - 1) - 2 * height,
    }
    kept = {name: np.where(several, value, np.nan) for name, value in values.items()}
    return Criteria(**shaped(kept, studies.shape))


def _saturated(studies: Studies) -> FloatArray:
    logs = over_studies(studies.present * np.log(studies.variance))
    return -(studies.k * LOG_2PI + logs) / 2
