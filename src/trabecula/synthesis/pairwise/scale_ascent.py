r"""The highest point of the likelihood of a location-scale model.

The between-study variances are :math:`\tau_i^2 = \exp(z_i'\alpha)`. The columns of :math:`Z` are
first made orthonormal (times :math:`\sqrt k`): a unit step then means about a unit change of the
logarithm of a variance, whatever the scale of the moderators.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.pairwise.falling_root import Rows
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.pairwise.regression_heterogeneity import log_likelihood

LEVELS = 8
"""Levels of the variances at which the likelihood is looked at before the climb."""

SLOPES = (-2.0, -0.7, 0.7, 2.0)
"""Slopes in each orthonormal column that are looked at, beside none."""

CLIMBS = 3
"""Best starting points that are climbed from: likelihoods can have several maxima."""

STEPS = 200
"""Most steps of a climb; 5 to 10 are usual, 50 where a variance runs off to 0."""

LONGEST = 2.0
"""Longest step: farther off the local parabola says nothing."""

PRECISION = 1e-8
"""A climb ends after a step shorter than this: the error that remains is its square."""

PROMISE = 1e-13
"""Or after a step that promises to raise the log-likelihood by less than this, relative."""

FLAT = 1e-5
"""Curvature below which the likelihood has no maximum but flattens out: the logarithm of a
variance would be uncertain by more than 300."""

LOWEST, HIGHEST = -80.0, 80.0
"""Bounds of the logarithm of a variance relative to the sampling variances: past them nothing
changes any more."""


@dataclass(frozen=True, slots=True, eq=False)
class ScalePeak:
    """Scale coefficients at the maximum, their covariance, variances, and where there is one."""

    coefficients: FloatArray
    covariance: FloatArray
    tau2: FloatArray
    converged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class _Surface:
    """Height, slope and curvature of the log-likelihood, and the variances, one a climb."""

    height: FloatArray
    slope: FloatArray
    curvature: FloatArray


def climb(location: Design, scale: Design, *, restricted: bool) -> ScalePeak:
    """Return the maximum of the (restricted) likelihood over the scale coefficients.

    Newton's method from the best of many places; where the surface is no dome it is curved
    down, and a step that does not rise is halved.
    """
    sets, studies = location.estimate.shape
    matrix = np.broadcast_to(scale.matrix, (sets, studies, scale.p))
    basis, triangle = np.linalg.qr(matrix)
    size = np.sqrt(scale.k)[:, None, None]
    basis, triangle = basis * size, triangle / size
    start = _starts(location, basis, restricted)
    data_set = np.repeat(np.arange(sets), start.shape[1])
    place = _ascend(location, basis, start.reshape(-1, scale.p), data_set, restricted)
    rows = np.arange(sets)
    heights = _height(location, basis, place, data_set, restricted).reshape(sets, -1)
    best = place.reshape(sets, -1, scale.p)[rows, heights.argmax(axis=1)]
    surface = _look(location, basis, best, rows, restricted)
    converged = np.linalg.eigvalsh(surface.curvature)[:, -1] < -FLAT
    inverse = np.linalg.inv(triangle)
    dome = np.where(converged[:, None, None], surface.curvature, -np.eye(scale.p))
    spread = inverse @ np.linalg.inv(-dome) @ np.swapaxes(inverse, -1, -2)
    return ScalePeak(
        coefficients=np.where(converged[:, None], (inverse @ best[..., None])[..., 0], np.nan),
        covariance=np.where(converged[:, None, None], spread, np.nan),
        tau2=_variances(location, basis, best, rows),
        converged=converged,
    )


def _variances(location: Design, basis: FloatArray, place: FloatArray, rows: Rows) -> FloatArray:
    """Return the between-study variances (climbs, studies) at `place`."""
    power = (basis[rows] @ place[..., None])[..., 0]
    middle = np.log(location.smallest_variance[rows])[:, None]
    return np.exp(np.clip(power, middle + LOWEST, middle + HIGHEST))


def _height(
    location: Design, basis: FloatArray, place: FloatArray, rows: Rows, restricted: bool
) -> FloatArray:
    part = location.rows(rows)
    total = part.variance + _variances(location, basis, place, rows)
    fit = Projection.of(part.matrix, part.estimate, part.present / total)
    return log_likelihood(part, fit, total, restricted=restricted)


def _look(
    location: Design, basis: FloatArray, place: FloatArray, rows: Rows, restricted: bool
) -> _Surface:
    r"""Return the surface at `place`.

    With :math:`D_a = diag(\tau_i^2 z_{ia})` the slope is :math:`-[tr(PD_a) - y'PD_aPy]/2`,
    and the curvature follows from :math:`\partial P = -P\,\partial V\,P`; for the full
    likelihood the traces are those of :math:`W` in place of :math:`P`.
    """
    part, columns = location.rows(rows), basis[rows]
    tau2 = part.present * _variances(location, basis, place, rows)
    total = part.variance + tau2
    fit = Projection.of(part.matrix, part.estimate, part.present / total)
    matrix, pulled = _matrix(fit), fit.root * fit.residual
    diagonal = np.diagonal(matrix, axis1=-2, axis2=-1) if restricted else fit.weight
    traces = matrix**2 if restricted else fit.weight[..., None] ** 2 * np.eye(tau2.shape[-1])
    first = tau2 * (diagonal - pulled**2)
    second = 2 * pulled[..., :, None] * matrix * pulled[..., None, :] - traces
    second = tau2[..., :, None] * second * tau2[..., None, :]
    second += first[..., None] * np.eye(tau2.shape[-1])
    turned = np.swapaxes(columns, -1, -2)
    return _Surface(
        height=log_likelihood(part, fit, total, restricted=restricted),
        slope=-(turned @ first[..., None])[..., 0] / 2,
        curvature=-(turned @ second @ columns) / 2,
    )


def _matrix(fit: Projection) -> FloatArray:
    """Return P, (..., studies, studies)."""
    inner = -fit.basis @ np.swapaxes(fit.basis, -1, -2)
    index = np.arange(inner.shape[-1])
    inner[..., index, index] = fit.rest
    return fit.root[..., :, None] * inner * fit.root[..., None, :]


def _starts(location: Design, basis: FloatArray, restricted: bool) -> FloatArray:
    """Return the best places (data sets, climbs, columns) of a coarse look.

    Levels of the variances from a hundredth of the smallest sampling variance to the spread of
    the estimates, each with no slope and with a few slopes in one column.
    """
    sets, _, columns = basis.shape
    low = np.log(location.smallest_variance / 100)
    high = np.log(np.maximum(location.unweighted.q, location.smallest_variance))
    levels = low + np.linspace(0, 1, LEVELS)[:, None] * (high - low)
    even = np.linalg.pinv(basis).sum(axis=-1)
    tilts = [np.zeros(columns)]
    tilts += [slope * unit for unit in np.eye(columns) for slope in SLOPES]
    places = levels[:, None, :, None] * even + np.array(tilts)[:, None, :]
    places = np.moveaxis(places.reshape(-1, sets, columns), 1, 0)
    rows = np.repeat(np.arange(sets), places.shape[1])
    heights = _height(location, basis, places.reshape(-1, columns), rows, restricted)
    order = np.argsort(-heights.reshape(sets, -1), axis=1)[:, :CLIMBS]
    return np.take_along_axis(places, order[..., None], axis=1)


def _ascend(
    location: Design, basis: FloatArray, place: FloatArray, data_set: Rows, restricted: bool
) -> FloatArray:
    """Return where each climb from `place` ends."""
    place = place.copy()
    surface = _look(location, basis, place, data_set, restricted)
    rows, share = np.arange(len(place)), np.ones(len(place))
    for _ in range(STEPS):
        full = _step(surface)
        step = share[:, None] * full
        trial = _look(location, basis, place[rows] + step, data_set[rows], restricted)
        size = 1 + np.abs(surface.height)
        rises = trial.height >= surface.height - PROMISE * size
        promise = np.abs((surface.slope * full).sum(axis=-1))
        ends = (np.sqrt((step**2).sum(axis=-1)) <= PRECISION) | (promise <= PROMISE * size)
        place[rows[rises]] += step[rises]
        surface = _chosen(rises, trial, surface)
        share = np.where(rises, 1.0, share / 2)
        going = ~ends
        if not going.any():
            return place
        rows, share = rows[going], share[going]
        surface = _Surface(surface.height[going], surface.slope[going], surface.curvature[going])
    raise ArithmeticError(
        f"the likelihood of {len(rows)} location-scale models has no maximum that {STEPS} steps "
        "find: use fewer scale moderators, or meta_regression"
    )


def _chosen(rises: NDArray[np.bool_], new: _Surface, old: _Surface) -> _Surface:
    return _Surface(
        np.where(rises, new.height, old.height),
        np.where(rises[:, None], new.slope, old.slope),
        np.where(rises[:, None, None], new.curvature, old.curvature),
    )


def _step(surface: _Surface) -> FloatArray:
    """Return Newton's step with every curvature taken as downward, no longer than `LONGEST`."""
    curved, axes = np.linalg.eigh(surface.curvature)
    size = np.maximum(np.abs(curved), 1e-12)
    inward = (np.swapaxes(axes, -1, -2) @ surface.slope[..., None])[..., 0] / size
    step = (axes @ inward[..., None])[..., 0]
    length = np.sqrt((step**2).sum(axis=-1, keepdims=True))
    return cast(FloatArray, step * (LONGEST / np.maximum(length, LONGEST)))
