"""Estimators of the residual between-study variance, beside any number of columns.

The formulas are those of the intercept-only model with the projection of the design in place
of that of the mean; they stand, with their sources, in ``docs/synthesis/meta-regression.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.falling_root import Rows, falling_root
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.studies import over_studies

Method = Literal[
    "common", "DL", "HE", "HS", "HS-corrected", "SJ", "ML", "REML", "EB", "PM", "PM-median"
]
"""The estimators of `random_effects`, each with its form for several columns."""

GRID = 32
"""Points at which the likelihood is looked at before the search for its maximum begins; with
too few a local maximum could be taken for the global one."""

BLOCK = 200_000
"""Most numbers held at once in one array: 1.6 MB, so that a few of them stay in the cache. With
more of them a fit takes twice as long."""

TINY = np.finfo(np.float64).tiny


def between_study_variance(design: Design, method: Method) -> FloatArray:
    """Return the residual between-study variance, at least 0, of each data set."""
    if method == "common":
        return np.zeros_like(design.k)
    return np.maximum(_in_blocks(ESTIMATORS[method], design), 0.0)


def standard_error(design: Design, tau2: FloatArray, method: Method) -> FloatArray:
    """Return the standard error of the between-study variance; NaN for *common*."""
    if method == "common":
        return np.full_like(design.k, np.nan)
    if method in ("EB", "PM", "PM-median"):
        weight = design.present / (design.variance + tau2[:, None])
        return np.sqrt(2 * design.k**2 / design.df) / over_studies(weight)
    if method == "ML":
        weight = design.present / (design.variance + tau2[:, None])
        return np.sqrt(2 / over_studies(weight**2))
    return _in_blocks(_QUADRATIC[method], design, tau2)


def q_profile(design: Design, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the limits of the Q-profile interval of the residual between-study variance.

    Viechtbauer (2007), Stat Med 26:37-52; Jackson, Turner, Rhodes and Viechtbauer (2014),
    BMC Med Res Methodol 14:103, for meta-regression.
    """
    tail = (1 - level) / 2
    targets = np.stack([chi2_quantile(end, design.df) for end in (1 - tail, tail)], axis=-1)
    limits = _in_blocks(tau2_at_q, design, targets)
    return limits[:, 0], limits[:, 1]


def tau2_at_q(design: Design, targets: FloatArray) -> FloatArray:
    """Return the between-study variances at which :math:`y'Py` equals `targets`.

    `targets` is a table (data sets, targets). 0 where it does not reach the target. The
    eigenvalues of the covariance within the residual space are at least ``v_min + tau2``, so
    that ``y'Py <= RSS / (v_min + tau2)`` with the unweighted residual sum of squares: the root
    is bracketed. Its inverse is nearly a straight line, which Newton's method follows.
    """
    widest = design.unweighted.q[:, None] / targets - design.smallest_variance[:, None]
    reached = design.fixed.q[:, None] > targets
    highest = np.where(reached, np.maximum(widest, 0.0), 0.0)
    scale = _scale(design)
    one = design.spectrum
    if one is not None:
        ends = zip(targets[0].tolist(), highest[0].tolist(), strict=True)
        return np.array([[one.at_q(target, high, float(scale[0])) for target, high in ends]])
    size, target = targets.shape[1], targets.ravel()

    def excess(tau2: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        fit = design.rows(rows // size).projection(tau2)
        q = np.maximum(fit.q, TINY)
        with np.errstate(over="ignore"):
            return 1 / target[rows] - 1 / q, fit.q_slope / q / q

    low = np.zeros_like(target)
    roots = falling_root(excess, low, highest.ravel(), low, np.repeat(scale, size))
    return roots.reshape(targets.shape)


def maximise(design: Design, *, restricted: bool) -> FloatArray:
    """Return the between-study variance of highest (restricted) likelihood, at least 0.

    The score is negative beyond ``RSS - v_min`` with the unweighted residual sum of squares;
    the highest point of a grid up to there is refined by Newton's method within its neighbours.
    """
    smallest = design.smallest_variance
    reach = np.maximum(design.unweighted.q, smallest)
    share = np.linspace(0.0, 1.0, GRID)
    grid = smallest[:, None] * (reach / smallest)[:, None] ** share - smallest[:, None]
    grid[:, 0] = 0.0
    scale = _scale(design)
    if design.spectrum is not None:
        found = design.spectrum.maximum(grid[0], float(scale[0]), restricted=restricted)
        return np.array([found])
    best = _heights(design, grid, restricted).argmax(axis=1)
    row = np.arange(len(best))

    def score(tau2: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
        return _score(design.rows(rows).projection(tau2), restricted)

    low = grid[row, np.maximum(best - 1, 0)]
    high = grid[row, np.minimum(best + 1, GRID - 1)]
    start = grid[row, best]
    return falling_root(score, low, high, start, scale)


def log_likelihood(
    design: Design, fit: Projection, total: FloatArray, *, restricted: bool
) -> FloatArray:
    """Return the (restricted) log-likelihood of `fit`, with total variances (..., studies).

    The restricted one is that of the residuals from any orthonormal basis: it holds the
    determinant of :math:`X'X`, and does not depend on the scale of a moderator.
    """
    twice = over_studies(design.present * np.log(total)) + fit.q
    free = design.k
    if restricted:
        twice = twice + fit.log_determinant - design.unweighted.log_determinant
        free = design.df
    height: FloatArray = -(twice + free * np.log(2 * np.pi)) / 2
    return height


def _score(fit: Projection, restricted: bool) -> tuple[FloatArray, FloatArray]:
    """Return twice the derivative of the log-likelihood by the variance, and its slope."""
    if restricted:
        return -fit.q_slope - fit.sum_p, fit.sum_pp - 2 * fit.q_curvature
    weight = fit.weight
    trace, trace_squared = over_studies(weight), over_studies(weight**2)
    return -fit.q_slope - trace, trace_squared - 2 * fit.q_curvature


def _heights(design: Design, grid: FloatArray, restricted: bool) -> FloatArray:
    """Return the log-likelihood, up to a constant, at each point of `grid` (data sets, points).

    All products of columns, with the estimates as the last, are summed over studies by one
    matrix product a data set, in the basis of the common-effect fit; sweeping out the columns
    leaves the determinant and Q.
    """
    start = design.fixed
    columns = np.concatenate([start.basis, start.residual[..., None]], axis=-1)
    first, second = np.triu_indices(design.p + 1)
    products = columns[..., first] * columns[..., second]
    variance = design.variance[:, None, :]
    ratio = variance / (variance + grid[..., None])
    sums = np.ascontiguousarray(np.moveaxis(ratio @ products, -1, 0))
    at = {pair: sums[i] for i, pair in enumerate(zip(first.tolist(), second.tolist(), strict=True))}
    twice = over_studies(np.log(ratio) * design.present[:, None, :])
    for c in range(design.p):
        for i in range(c + 1, design.p + 1):
            share = at[c, i] / at[c, c]
            for j in range(i, design.p + 1):
                at[i, j] -= share * at[c, j]
        if restricted:
            twice -= np.log(at[c, c])
    return cast(FloatArray, twice - at[design.p, design.p])


def _scale(design: Design) -> FloatArray:
    """Return the harmonic mean of the variances: below its rounding nothing has digits."""
    return design.k / over_studies(design.present / design.variance)


def _in_blocks(
    function: Callable[..., FloatArray], design: Design, *more: FloatArray
) -> FloatArray:
    """Return ``function(design, *more)``, so many data sets at once as memory allows."""
    sets, studies = design.estimate.shape
    step = max(1, BLOCK // (studies * max(GRID, studies, (design.p + 1) ** 2)))
    if step >= sets:
        return function(design, *more)
    parts = [slice(start, start + step) for start in range(0, sets, step)]
    return np.concatenate([function(design.rows(s), *(m[s] for m in more)) for s in parts])


def _dersimonian_laird(design: Design) -> FloatArray:
    fit = design.fixed
    return (fit.q - design.df) / fit.sum_p


def _dersimonian_laird_se(design: Design, tau2: FloatArray) -> FloatArray:
    fit = design.fixed
    return _moment_se(design, fit, tau2) / fit.sum_p


def _moment_se(design: Design, fit: Projection, tau2: FloatArray) -> FloatArray:
    """Return the standard deviation of :math:`y'Py` with weights ``1 / variance``."""
    spread = 4 * tau2 * fit.sum_p + 2 * tau2**2 * fit.pairs(fit.weight, fit.weight)
    return np.sqrt(2 * design.df + spread)


def _hedges(design: Design) -> FloatArray:
    fit = design.unweighted
    return (fit.q - over_studies(design.present * design.variance * fit.rest)) / design.df


def _hedges_se(design: Design, tau2: FloatArray) -> FloatArray:
    fit, variance = design.unweighted, design.present * design.variance
    spread = 2 * fit.pairs(variance, variance) + 4 * tau2 * over_studies(variance * fit.rest)
    return np.sqrt(spread + 2 * tau2**2 * design.df) / design.df


def _hunter_schmidt(design: Design) -> FloatArray:
    fit = design.fixed
    return (fit.q - design.k) / over_studies(fit.weight)


def _hunter_schmidt_se(design: Design, tau2: FloatArray) -> FloatArray:
    fit = design.fixed
    return _moment_se(design, fit, tau2) / over_studies(fit.weight)


def _hunter_schmidt_corrected(design: Design) -> FloatArray:
    fit = design.fixed
    return (design.k / design.df * fit.q - design.k) / over_studies(fit.weight)


def _hunter_schmidt_corrected_se(design: Design, tau2: FloatArray) -> FloatArray:
    return design.k / design.df * _hunter_schmidt_se(design, tau2)


def _sidik_jonkman_start(design: Design) -> FloatArray:
    return design.without_moderators().unweighted.q / design.k


def _sidik_jonkman(design: Design) -> FloatArray:
    start = _sidik_jonkman_start(design)
    return start * design.projection(start).q / design.df


def _sidik_jonkman_se(design: Design, tau2: FloatArray) -> FloatArray:
    start = _sidik_jonkman_start(design)
    fit = design.projection(start)
    w, wv = fit.weight, fit.weight * design.variance
    spread = 2 * fit.pairs(wv, wv) + 4 * tau2 * fit.pairs(w, wv)
    spread += 2 * tau2**2 * fit.pairs(w, w)
    return start * np.sqrt(spread) / design.df


def _restricted_likelihood_se(design: Design, tau2: FloatArray) -> FloatArray:
    fit = design.projection(tau2)
    return cast(FloatArray, np.sqrt(2 / fit.pairs(fit.weight, fit.weight)))


def _paule_mandel(design: Design) -> FloatArray:
    return tau2_at_q(design, design.df[:, None])[:, 0]


def _paule_mandel_median(design: Design) -> FloatArray:
    return tau2_at_q(design, chi2_quantile(0.5, design.df)[:, None])[:, 0]


ESTIMATORS: dict[str, Callable[[Design], FloatArray]] = {
    "DL": _dersimonian_laird,
    "HE": _hedges,
    "HS": _hunter_schmidt,
    "HS-corrected": _hunter_schmidt_corrected,
    "SJ": _sidik_jonkman,
    "ML": lambda design: maximise(design, restricted=False),
    "REML": lambda design: maximise(design, restricted=True),
    "EB": _paule_mandel,
    "PM": _paule_mandel,
    "PM-median": _paule_mandel_median,
}
"""Every estimator of the residual between-study variance by its name."""

_QUADRATIC: dict[str, Callable[[Design, FloatArray], FloatArray]] = {
    "DL": _dersimonian_laird_se,
    "HE": _hedges_se,
    "HS": _hunter_schmidt_se,
    "HS-corrected": _hunter_schmidt_corrected_se,
    "SJ": _sidik_jonkman_se,
    "REML": _restricted_likelihood_se,
}
