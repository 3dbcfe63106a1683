"""Draws from a posterior by the No-U-Turn sampler of NumPyro, many data sets at once.

Hoffman and Gelman (2014), J Mach Learn Res 15:1593-1623; Phan, Pradhan and Jankowiak (2019),
arXiv:1912.11554. JAX and NumPyro are loaded when the first fit is asked for, never before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.sampling.settings import Settings

INSTALL = "pip install 'trabecula[bayes]'"

DEEPEST = 8
"""Doublings of a trajectory at most: a chain that would need more than 255 steps a draw is tuned
badly, and is stopped from taking a thousand times as long as its neighbours."""

Potential = Callable[[Mapping[str, Any], Any, Any], Any]
"""Minus the logarithm of a posterior, of its parameters, the data that all data sets share, and
the data of one data set. A function at the top of a module: it is compiled once a shape."""


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """Draws of several data sets.

    ``parameters`` holds arrays (data sets, chains, draws, ...) by name; ``divergences`` and
    ``steps``, the mean number of steps a draw took, are (data sets,).
    """

    parameters: dict[str, FloatArray]
    divergences: IntArray
    steps: FloatArray

    def flat(self) -> FloatArray:
        """Return all parameters as one table (data sets, chains, draws, parameters)."""
        return np.concatenate(
            [v.reshape(*v.shape[:3], -1) for v in self.parameters.values()], axis=-1
        )


Sizes = tuple[tuple[str, tuple[int, ...]], ...]
"""Names and shapes of parameters, in the order in which they stand in one row."""


def sizes_of(start: Mapping[str, FloatArray], *, axes: int) -> Sizes:
    """Return names and shapes of parameters, without their leading `axes`."""
    return tuple((name, value.shape[axes:]) for name, value in start.items())


def unravelled(flat: Any, sizes: Sizes) -> dict[str, Any]:
    """Return parameters by name from rows of numbers (..., parameters)."""
    found, at = {}, 0
    for name, size in sizes:
        width = int(np.prod(size))
        found[name] = flat[..., at : at + width].reshape((*flat.shape[:-1], *size))
        at += width
    return found


def draw(
    potential: Potential,
    start: Mapping[str, FloatArray],
    settings: Settings,
    *,
    shared: Any = (),
    each: Any = (),
    center: FloatArray | None = None,
    scale: FloatArray | None = None,
    trajectory: float | None = None,
) -> Draws:
    """Return draws from one posterior or several that differ in data only.

    Parameters
    ----------
    potential
        Minus the logarithm of the density, up to a constant.
    start
        Starting points (data sets, chains, ...) by name of parameter; where a scale is given, in
        its units from the center.
    settings
        How to sample; the same settings give the same draws.
    shared, each
        Data handed to `potential`: arrays in tuples or mappings; those of `each` have a leading
        axis of data sets.
    center, scale
        Coordinates in which the posterior is about standard normal (see `frame_of`); short
        warm-up and short trajectories are then enough.
    trajectory
        Length of every trajectory, in these coordinates; by default each turns back where it
        would return (No-U-Turn). A fixed length costs less where a good one is known, above all
        for many data sets at once, which otherwise wait for the longest of all.

    Raises
    ------
    ImportError
        If JAX or NumPyro is not installed, with the command that installs them.
    """
    jax, _ = load("jax"), load("numpyro.infer")
    sets, chains = next(iter(start.values())).shape[:2]
    sizes = sizes_of(start, axes=2)
    flat = np.concatenate([v.reshape(sets, chains, -1) for v in start.values()], axis=-1)
    frame = () if scale is None else (center, scale)
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        keys = jax.random.split(jax.random.PRNGKey(settings.seed), (sets, chains))
        run = _compiled(
            potential,
            sizes,
            settings.warmup,
            settings.draws,
            settings.target_accept,
            trajectory,
        )
        drawn, diverging, steps = run(flat, keys, frame, shared, each)
        told = np.asarray(drawn)
        if center is not None and scale is not None:
            told = center + told @ scale.T
        return Draws(
            unravelled(told, sizes),
            np.asarray(diverging).sum(axis=(1, 2)),
            np.asarray(steps).mean(axis=(1, 2)),
        )


@cache
def _compiled(
    potential: Potential,
    sizes: Sizes,
    warmup: int,
    draws: int,
    target_accept: float,
    trajectory: float | None,
) -> Any:
    """Return a function of starts, keys, frame and data that samples all chains of all sets."""
    jax, hmc = load("jax"), load("numpyro.infer.hmc").hmc

    def density(frame: Any, shared: Any, each: Any) -> Any:
        def of(flat: Any) -> Any:
            at = frame[0] + frame[1] @ flat if frame else flat
            return potential(unravelled(at, sizes), shared, each)

        return of

    def chain(start: Any, key: Any, frame: Any, shared: Any, each: Any) -> Any:
        data = (frame, shared, each)
        begin, step = hmc(potential_fn_gen=density, algo="HMC" if trajectory else "NUTS")
        state = begin(
            start,
            warmup,
            rng_key=key,
            target_accept_prob=target_accept,
            trajectory_length=trajectory,
            max_tree_depth=DEEPEST,
            model_args=data,
        )

        def move(state: Any, _: None) -> Any:
            state = step(state, data)
            return state, (state.z, state.diverging, state.num_steps)

        _, told = jax.lax.scan(move, state, None, length=warmup + draws)
        return jax.tree_util.tree_map(lambda values: values[warmup:], told)

    chains = jax.vmap(chain, (0, 0, None, None, None))
    return jax.jit(jax.vmap(chains, (0, 0, None, None, 0)))


def load(name: str) -> Any:
    """Return the module `name` of the optional libraries; `ImportError` says how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"the sampler needs {name.split('.')[0]}, which is not installed; install it with: "
            f"{INSTALL}"
        ) from error
