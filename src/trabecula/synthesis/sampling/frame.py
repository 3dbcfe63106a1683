"""Coordinates in which a posterior looks like a standard normal one: where it peaks, how wide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.sampling.nuts import Potential, Sizes, load, sizes_of, unravelled

STEP = 1e-4
"""Half the distance of the slopes from whose difference curvature is taken."""

FLATTEST = 0.2
"""Smallest curvature: a prior alone has 1, so that less is a skewed part of the density, along
which a normal approximation would reach too far."""

CAUTION = 50
"""Draws without correlation that are added to those of a pilot."""

MOST_STEPS = 500
"""Steps of the search for the peak; it need not be reached, only approached."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The ``center`` (parameters,) and the ``scale`` (parameters, parameters), lower triangular.

    A parameter is center + scale @ standard deviates.
    """

    center: FloatArray
    scale: FloatArray


def frame_of(
    potential: Potential,
    start: Mapping[str, FloatArray],
    *,
    held: Mapping[str, float],
    shared: Any = (),
    each: Any = (),
) -> Frame:
    """Return the frame of one posterior, from its peak and its curvature there.

    Parameters
    ----------
    potential, shared, each
        As in `draw`, of one data set.
    start
        One starting point, by name of parameter.
    held
        Parameters that stay where they start, with their scale. Standard deviations of a
        hierarchy belong here: the joint peak lies where they vanish, far from where the mass is.
    """
    from scipy import optimize

    jax = load("jax")
    sizes = sizes_of(start, axes=0)
    flat = np.concatenate([np.ravel(value) for value in start.values()])
    widths = [np.full(np.size(value), held.get(name, np.nan)) for name, value in start.items()]
    fixed = np.concatenate(widths)
    free = np.isnan(fixed)
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        program = _slope(potential, sizes)

        def slope(at: FloatArray) -> tuple[float, FloatArray]:
            flat[free] = at
            value, gradient = program(flat, shared, each)
            return float(value), np.asarray(gradient)[free]

        found = optimize.minimize(
            slope, flat[free], jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS}
        )
        peak = cast(FloatArray, found.x)
        steps = STEP * np.eye(len(peak))
        rows = [(slope(peak + s)[1] - slope(peak - s)[1]) / (2 * STEP) for s in steps]
    flat[free], curvature = peak, np.array(rows)
    values, vectors = np.linalg.eigh((curvature + curvature.T) / 2)
    spread = (vectors / np.maximum(values, FLATTEST)) @ vectors.T
    scale = np.diag(np.where(free, 0.0, fixed))
    scale[np.ix_(free, free)] = np.linalg.cholesky((spread + spread.T) / 2)
    return Frame(flat, scale)


def frame_from(draws: FloatArray) -> Frame:
    """Return the frame of draws (draws, parameters): their mean, and their covariance.

    Covariances are drawn towards none, as by `CAUTION` draws without any, so that the scale has
    full rank.
    """
    covariance = np.cov(draws.T)
    weight = len(draws) / (len(draws) + CAUTION)
    careful = weight * covariance + (1 - weight) * np.diag(np.diag(covariance))
    return Frame(draws.mean(axis=0), cast(FloatArray, np.linalg.cholesky(careful)))


@cache
def _slope(potential: Potential, sizes: Sizes) -> Any:
    jax = load("jax")

    def value(flat: Any, shared: Any, each: Any) -> Any:
        return potential(unravelled(flat, sizes), shared, each)

    return jax.jit(jax.value_and_grad(value))
