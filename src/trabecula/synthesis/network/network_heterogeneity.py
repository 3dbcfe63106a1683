"""The between-study variance of a network: one for all comparisons, by several estimators.

On the independent rows of a network random effects add tau2 to every variance, so that each
estimator is that of a meta-regression of independent estimates on the treatments.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.network.graph import Graph, Solution, resistance
from trabecula.synthesis.roots import descending_root

NetworkMethod = Literal["common", "DL", "ML", "REML"]
"""*common*: no heterogeneity, one true effect a comparison; DL: generalised DerSimonian-Laird
moment estimator (Jackson, White and Riley 2012, Stat Med 31:3805-3820); ML, REML: (restricted)
maximum likelihood."""

GRID = 32
"""Points at which the likelihood is looked at before the search for its maximum begins.

As in pairwise meta-analysis it may have several maxima; the highest is found if it is higher than
its neighbours on the grid."""

BLOCK = 100_000
"""Most numbers in one matrix of a block of data sets, or of the grid: 0.8 MB stay in cache."""

HEAVY = 0.9
"""Leverage above which the residual share of a row is found by projecting it: ``1 - leverage``
would lose a digit there, and all of them where one study outweighs the rest."""

NOISE = 64 * np.finfo(np.float64).eps
"""A difference of two sums below this share of them is rounding: a search must not follow it.
The between-study variance is then exact to this share of a total variance."""

LOG_2PI = math.log(2 * math.pi)


def between_study_variance(graph: Graph, method: NetworkMethod) -> tuple[FloatArray, FloatArray]:
    """Return the between-study variance (data sets,) and its standard error by `method`.

    Both are NaN where no degree of freedom is left; *common* is 0 with no standard error.
    """
    sets = len(graph.rows.estimate)
    nothing = np.full(sets, np.nan)
    if method == "common":
        return np.zeros(sets), nothing
    if graph.df == 0:
        return nothing, nothing
    estimators = {
        "DL": _dersimonian_laird,
        "ML": lambda part: _maximum(part, restricted=False),
        "REML": lambda part: _maximum(part, restricted=True),
    }
    return _in_blocks(graph, estimators[method])


def q_profile(graph: Graph, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the Q-profile limits (data sets,) of the between-study variance.

    Viechtbauer (2007), Stat Med 26:37-52, with the generalised Q of the network: exact under the
    model. Both limits are 0 where Q is too small even without heterogeneity, and NaN where no
    degree of freedom is left.
    """
    if graph.df == 0:
        nothing = np.full(len(graph.rows.estimate), np.nan)
        return nothing, nothing
    tail = (1 - level) / 2
    return _in_blocks(graph, lambda part: (_tau2_at_q(part, 1 - tail), _tau2_at_q(part, tail)))


def log_likelihood(graph: Graph, tau2: FloatArray, *, restricted: bool) -> FloatArray:
    """Return the (restricted) log-likelihood at `tau2` (..., data sets), effects maximised over.

    Of the contrasts with one arm of each study, whichever it is: that of a multi-arm study of
    ``a`` arms has the constant ``log(a / 2 ** (a - 1))`` beside its rows.
    """
    at = graph.solve(tau2)
    twice = np.log(graph.rows.variance + tau2[..., None]).sum(axis=-1) + at.q + _arm_constant(graph)
    if restricted:
        twice = twice + graph.log_determinant(graph.laplacian(at.weight)) + graph.df * LOG_2PI
    else:
        twice = twice + graph.observations * LOG_2PI
    return cast(FloatArray, -twice / 2)


def maximise(graph: Graph, *, restricted: bool) -> FloatArray:
    """Return the between-study variance (data sets,) of highest (restricted) likelihood.

    The highest point of a grid is refined by Newton's method within its neighbours. The score
    is negative beyond `_reach`, so that the grid holds every maximum.
    """
    smallest = graph.rows.variance.min(axis=-1)
    reach = np.maximum(_reach(graph, restricted), smallest)
    share = np.linspace(0.0, 1.0, GRID)[:, None]
    grid = smallest * ((reach / smallest) ** share) - smallest
    grid[0] = 0.0
    height = _heights(graph, grid, restricted)
    best = height.argmax(axis=0)
    column = np.arange(grid.shape[1])

    def score(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        return _score(graph, graph.solve(tau2), restricted)

    start = grid[best, column]
    low = grid[np.maximum(best - 1, 0), column]
    high = grid[np.minimum(best + 1, GRID - 1), column]
    high = np.where((start == 0) & (score(np.zeros_like(start))[0] <= 0), 0.0, high)
    return descending_root(score, low, high, start, smallest)


def _in_blocks(
    graph: Graph, function: Callable[[Graph], tuple[FloatArray, FloatArray]]
) -> tuple[FloatArray, FloatArray]:
    """Return both results of `function` for all data sets, computed block by block."""
    size = max(1, BLOCK // max(graph.treatments**2, graph.observations))
    starts = range(0, len(graph.rows.estimate), size)
    parts = [function(graph.sets(slice(start, start + size))) for start in starts]
    first, second = zip(*parts, strict=True)
    return np.concatenate(first), np.concatenate(second)


def _maximum(graph: Graph, *, restricted: bool) -> tuple[FloatArray, FloatArray]:
    tau2 = maximise(graph, restricted=restricted)
    at = graph.solve(tau2)
    information = traces(graph, at)[1] if restricted else (at.weight**2).sum(axis=-1)
    return tau2, np.sqrt(2 / information)


def _dersimonian_laird(graph: Graph) -> tuple[FloatArray, FloatArray]:
    at = graph.solve(np.zeros(len(graph.rows.estimate)))
    trace, squared = traces(graph, at)
    tau2 = np.maximum((at.q - graph.df) / trace, 0.0)
    spread = graph.df + 2 * tau2 * trace + tau2**2 * squared
    return tau2, np.sqrt(2 * spread) / trace


def _heights(graph: Graph, grid: FloatArray, restricted: bool) -> FloatArray:
    size = grid.shape[1] * max(graph.treatments**2, graph.observations)
    step = max(1, BLOCK // size)
    parts = [
        log_likelihood(graph, grid[start : start + step], restricted=restricted)
        for start in range(0, len(grid), step)
    ]
    return np.concatenate(parts)


def _reach(graph: Graph, restricted: bool) -> FloatArray:
    """Return the sum of tau2 and the smallest variance beyond which the score is negative.

    With residuals of any fixed fit, S their sum of squares, the score is below
    ``S / (tau2 + v_min)**2 - n / (tau2 + v_max)``, n being the rows, less the parameters for the
    restricted likelihood.
    """
    at = graph.solve(np.zeros(len(graph.rows.estimate)))
    squares = (at.residual**2).sum(axis=-1)
    count = graph.df if restricted else graph.observations
    spread = np.ptp(graph.rows.variance, axis=-1)
    half = squares / (2 * count)
    return cast(FloatArray, half + np.sqrt(half) * np.sqrt(half + 2 * spread))


def _score(graph: Graph, at: Solution, restricted: bool) -> tuple[FloatArray, FloatArray]:
    """Twice the derivative of the log-likelihood by the variance, and its slope."""
    pull = at.weight * at.residual
    again = _project(graph, at, pull)
    if restricted:
        trace, squared = traces(graph, at)
    else:
        trace, squared = at.weight.sum(axis=-1), (at.weight**2).sum(axis=-1)
    value = _difference((pull**2).sum(axis=-1), trace)
    return value, squared - 2 * (pull * again).sum(axis=-1)


def _difference(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return left minus right, 0 where that is rounding."""
    value = left - right
    return np.where(np.abs(value) <= NOISE * (left + right), 0.0, value)


def _project(graph: Graph, at: Solution, rows: FloatArray) -> FloatArray:
    """Return the projection ``P rows``, ``P = W - W X (X'WX)^-1 X'W``."""
    adjoint = graph.rows.adjoint(at.weight * rows)
    fitted = graph.rows.fitted((at.inverse @ adjoint[..., None])[..., 0])
    return at.weight * (rows - fitted)


def traces(graph: Graph, at: Solution) -> tuple[FloatArray, FloatArray]:
    r"""Return the traces of the projection and of its square, nothing cancelling.

    With :math:`P = W^{1/2} M W^{1/2}` they are :math:`\sum w_i m_{ii}` and :math:`\sum w_i w_j
    m_{ij}^2`. The pairs of light rows are summed by matrices of treatments; the rows of M that
    belong to heavy ones are found by projecting twice, as M is its own square.
    """
    first, second = graph.pairs[graph.pair].T
    variance = resistance(at.inverse)[..., first, second]
    leverage = at.weight * graph.rows.row_variance(variance)
    heavy = np.flatnonzero((leverage > HEAVY).any(axis=0))
    light = at.weight.copy()
    light[:, heavy] = 0.0
    inner = at.inverse @ graph.laplacian(light**2)
    trace = (light * (1 - leverage)).sum(axis=-1)
    squared = (light**2 * (1 - 2 * leverage)).sum(axis=-1)
    squared += _inner(inner, np.swapaxes(inner, -1, -2))
    if not heavy.size:
        return trace, squared
    root = np.sqrt(at.weight)
    part = np.zeros((heavy.size, *root.shape))
    part[np.arange(heavy.size), :, heavy] = 1.0
    for _ in range(2):  # the second round removes what rounding left of the first
        moved = at.inverse @ graph.rows.adjoint(root * part)[..., None]
        part = part - root * graph.rows.fitted(moved[..., 0])
    own = at.weight[:, heavy].T
    counted = np.where(np.isin(np.arange(root.shape[-1]), heavy), 1.0, 2.0) * at.weight
    trace += (own * part[np.arange(heavy.size), :, heavy]).sum(axis=0)
    squared += (own * (counted * part**2).sum(axis=-1)).sum(axis=0)
    return trace, squared


def _inner(left: FloatArray, right: FloatArray) -> FloatArray:
    return cast(FloatArray, (left * right).sum(axis=(-2, -1)))


def _tau2_at_q(graph: Graph, probability: float) -> FloatArray:
    """Return where the generalised Q equals its chi-square quantile; 0 where it is less at 0."""
    zero = np.zeros(len(graph.rows.estimate))
    target = chi2_quantile(probability, np.full_like(zero, graph.df))
    smallest = graph.rows.variance.min(axis=-1)
    at = graph.solve(zero)
    bound = (at.residual**2).sum(axis=-1) / target - smallest

    def excess(tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        here = graph.solve(tau2)
        q = np.maximum(here.q, np.finfo(np.float64).tiny)
        slope = -((here.weight * here.residual) ** 2).sum(axis=-1)
        with np.errstate(over="ignore"):
            return _difference(1 / target, 1 / q), slope / q / q

    high = np.where(at.q > target, np.maximum(bound, 0.0), 0.0)
    return descending_root(excess, zero, high, zero, smallest)


def _arm_constant(graph: Graph) -> float:
    return sum(
        len(block.group.studies) * math.log(block.group.arms / 2 ** (block.group.arms - 1))
        for block in graph.rows.blocks
    )
