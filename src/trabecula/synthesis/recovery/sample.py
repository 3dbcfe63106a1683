"""Draws from the posterior of the recovery model, for one or many variants at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.recovery.course import Form
from trabecula.synthesis.recovery.evidence import TABLES, RecoveryEvidence
from trabecula.synthesis.recovery.layout import HALF_NORMAL, assumed, layout
from trabecula.synthesis.recovery.priors import RecoveryPriors
from trabecula.synthesis.recovery.simulate import simulated
from trabecula.synthesis.sampling.frame import frame_from, frame_of
from trabecula.synthesis.sampling.nuts import Draws, draw, load
from trabecula.synthesis.sampling.settings import Settings

PILOT_SEED = 19930301
"""The pilot, from whose draws the sampler learns the shape of the posterior, draws others."""

PILOT_CHAINS = 4

TRAJECTORY = 2.5
"""Length of trajectories: a bit more than the quarter circle (1.57) that carries a standard normal
variable to an independent value, because some directions are wider than their frame says."""

HALF_NORMAL_SD = 0.5
"""Scale of the logarithm of a half-normal deviate in the coordinates of the sampler."""


@dataclass(frozen=True, slots=True)
class Variant:
    """Priors, and which studies count (None: all)."""

    priors: RecoveryPriors
    use: tuple[bool, ...] | None = None


def sample(
    evidence: RecoveryEvidence,
    variants: Sequence[Variant],
    form: Form,
    settings: Settings,
    *,
    exchangeable: bool = True,
) -> tuple[Draws, list[dict[str, FloatArray]]]:
    """Return the draws of all variants, and for each what the parameters mean.

    Meanings are arrays (chains, draws, ...) by name, see `density.quantities`.
    """
    laid = layout(evidence, variants[0].priors, exchangeable=exchangeable)
    tables = [_each(v, evidence) for v in variants]
    potential = _potential(form)
    frame = frame_of(
        potential,
        _center(laid.sizes),
        held=dict.fromkeys(HALF_NORMAL, HALF_NORMAL_SD),
        shared=laid.shared,
        each=tables[0],
    )
    shared = laid.shared
    first = replace(settings, chains=PILOT_CHAINS, seed=PILOT_SEED)
    pilot = draw(
        potential,
        _starts(laid.sizes, 1, first),
        first,
        shared=shared,
        each=_stacked(tables[:1]),
        center=frame.center,
        scale=frame.scale,
        trajectory=TRAJECTORY,
    )
    frame = frame_from(pilot.flat()[0].reshape(-1, len(frame.center)))
    each = _stacked(tables)
    drawn = draw(
        potential,
        _starts(laid.sizes, len(variants), settings),
        settings,
        shared=shared,
        each=each,
        center=frame.center,
        scale=frame.scale,
        trajectory=TRAJECTORY,
    )
    means = [
        _meanings(
            {name: value[i] for name, value in drawn.parameters.items()},
            laid.shared,
            {name: value[i] for name, value in each["prior"].items()},
        )
        for i in range(len(variants))
    ]
    return drawn, means


@cache
def _potential(form: Form) -> Any:
    """Return the density of a form; the same object each time, so that it is compiled once."""
    load("numpyro.infer")
    from trabecula.synthesis.recovery.density import potential

    return partial(potential, form)


def _each(variant: Variant, evidence: RecoveryEvidence) -> dict[str, Any]:
    use = variant.use or (True,) * len(evidence.studies)
    return {
        "prior": assumed(variant.priors, evidence),
        "use": np.asarray(use, dtype=np.float64),
    }


def _stacked(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one table whose arrays have a leading axis of tables."""
    first = tables[0]
    return {
        name: _stacked([t[name] for t in tables])
        if isinstance(value, Mapping)
        else np.stack([t[name] for t in tables])
        for name, value in first.items()
    }


def _center(sizes: Mapping[str, tuple[int, ...]]) -> dict[str, FloatArray]:
    """Return the point from which the peak of the density is sought: the middle of the prior."""
    return {
        name: np.full(size, np.log(0.5) if name in HALF_NORMAL else 0.0)
        for name, size in sizes.items()
    }


def _starts(
    sizes: Mapping[str, tuple[int, ...]], variants: int, settings: Settings
) -> dict[str, FloatArray]:
    """Return scattered starting points (variants, chains, ...), the same for every variant."""
    random = np.random.default_rng(settings.seed)
    shape = (settings.chains,)
    return {
        name: np.repeat(random.standard_normal((1, *shape, *size)), variants, axis=0)
        for name, size in sizes.items()
    }


def _meanings(
    parameters: Mapping[str, FloatArray], shared: Any, prior: Mapping[str, Any]
) -> dict[str, FloatArray]:
    jax = load("jax")
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        found = _meaning()(dict(parameters), shared, prior)
        return {name: np.asarray(value) for name, value in found.items()}


@cache
def _meaning() -> Any:
    from trabecula.synthesis.recovery.density import quantities

    jax = load("jax")
    each = jax.vmap(jax.vmap(quantities, (0, None, None)), (0, None, None))
    return jax.jit(each)


def log_likelihoods(
    evidence: RecoveryEvidence,
    variant: Variant,
    form: Form,
    drawn: Draws,
    place: int,
    *,
    exchangeable: bool,
) -> FloatArray:
    """Return the log-likelihood of every row under each draw of one variant (draws, rows)."""
    jax = load("jax")
    laid = layout(evidence, variant.priors, exchangeable=exchangeable)
    at = _in_a_row(drawn, place)
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        found = _rows(form)(at, laid.shared, assumed(variant.priors, evidence))
        return np.concatenate([np.asarray(found[name]) for name in TABLES], axis=1)


def _in_a_row(drawn: Draws, place: int) -> dict[str, FloatArray]:
    """Return the parameters of one variant (draws, ...), all chains one after the other."""
    return {
        name: value[place].reshape(value.shape[1] * value.shape[2], *value.shape[3:])
        for name, value in drawn.parameters.items()
    }


@cache
def _rows(form: Form) -> Any:
    from trabecula.synthesis.recovery.density import log_likelihood

    jax = load("jax")
    return jax.jit(jax.vmap(partial(log_likelihood, form), (0, None, None)))


def replicates(
    evidence: RecoveryEvidence, variant: Variant, form: Form, drawn: Draws, place: int, count: int
) -> FloatArray:
    """Return new data of every row (count, rows), each from another draw, as `observed` has them.

    Where natural courses are one for all there is nothing to draw from: no replicates.
    """
    random = np.random.default_rng(count)
    flat = _in_a_row(drawn, place)
    rows = len(observed(evidence))
    if not flat["study"].shape[1]:
        return np.empty((0, rows))
    chosen = np.linspace(0, len(flat["study"]) - 1, max(count, 1)).astype(int)[:count]
    priors, found = variant.priors, []
    for i in chosen:
        at = {name: values[i] for name, values in flat.items()}
        found.append(observed(simulated(evidence, priors, form, at, random)))
    return np.array(found).reshape(count, rows)


def observed(evidence: RecoveryEvidence) -> FloatArray:
    """Return what is seen in every row, by table.

    Shares of the baseline left, shares recovered, weeks (the middle of a range); tests are NaN.
    """
    scores, counts, times = evidence.scores, evidence.counts, evidence.times
    upper = np.where(np.isnan(times.upper), times.value, times.upper)
    return np.concatenate(
        [
            scores.mean / scores.baseline,
            counts.events / counts.n,
            (times.value + upper) / 2,
            np.full(len(evidence.tests.first), np.nan),
        ]
    )
