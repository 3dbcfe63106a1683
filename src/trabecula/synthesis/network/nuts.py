"""The posterior of a binomial network, and draws from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.network.binomial_arms import BinomialArms
from trabecula.synthesis.sampling.nuts import draw
from trabecula.synthesis.sampling.settings import Settings

STARTS = 0.5
"""Standard deviation of the starting points around a crude guess: farther apart than the
posterior is wide, so that R-hat would notice chains that stay where they began."""


@dataclass(frozen=True, slots=True)
class Priors:
    """Standard deviations of normal priors, and the scale of the half-normal one of tau."""

    baseline: float
    effect: float
    tau: float


@dataclass(frozen=True, slots=True, eq=False)
class Chains:
    """Draws (chains, draws, ...): ``effect`` against the reference, ``tau`` and ``logit``."""

    parameters: FloatArray
    effect: FloatArray
    tau: FloatArray
    logit: FloatArray
    divergences: int


def sample(arms: BinomialArms, reference: int, priors: Priors, settings: Settings) -> Chains:
    """Return draws from the posterior; the same `settings` give the same draws.

    Raises
    ------
    ImportError
        If JAX or NumPyro is not installed, with the command that installs them.
    """
    basis = np.delete(arms.effects, reference, axis=1)
    shared = {
        "events": arms.events,
        "n": arms.n,
        "study": arms.study,
        "effects": basis,
        "deviations": arms.deviations,
        "prior": np.array([priors.baseline, priors.effect, priors.tau]),
    }
    start = {name: value[None] for name, value in _starts(arms, basis, settings).items()}
    found = draw(_potential, start, settings, shared=shared)
    drawn = {name: value[0] for name, value in found.parameters.items()}
    tau = np.exp(drawn["log_tau"])
    logit = drawn["baseline"][..., arms.study] + drawn["effect"] @ basis.T
    logit = logit + tau[..., None] * (drawn["deviation"] @ arms.deviations.T)
    effect = np.insert(drawn["effect"], reference, 0.0, axis=-1)
    return Chains(found.flat()[0], effect, tau, logit, int(found.divergences[0]))


def _potential(at: Mapping[str, Any], data: Mapping[str, Any], _: Any) -> Any:
    """Return minus the logarithm of the posterior, a function for JAX."""
    import jax
    import jax.numpy as jnp

    baseline_sd, effect_sd, tau_scale = data["prior"]
    tau = jnp.exp(at["log_tau"])
    logit = at["baseline"][data["study"]] + data["effects"] @ at["effect"]
    logit = logit + tau * (data["deviations"] @ at["deviation"])
    likelihood = (data["events"] * logit - data["n"] * jax.nn.softplus(logit)).sum()
    squares = (at["baseline"] ** 2).sum() / baseline_sd**2
    squares = squares + (at["effect"] ** 2).sum() / effect_sd**2
    squares = squares + (at["deviation"] ** 2).sum() + tau**2 / tau_scale**2
    return squares / 2 - at["log_tau"] - likelihood


def _starts(arms: BinomialArms, basis: FloatArray, settings: Settings) -> dict[str, FloatArray]:
    """Return scattered starting points (chains, ...) around the crude logits of first arms."""
    random = np.random.default_rng(settings.seed)
    crude = np.log((arms.events + 0.5) / (arms.n - arms.events + 0.5))
    first = np.searchsorted(arms.study, np.arange(len(arms.studies)))
    center = {
        "baseline": crude[first],
        "effect": np.zeros(basis.shape[1]),
        "deviation": np.zeros(arms.deviations.shape[1]),
        "log_tau": np.array(np.log(0.3)),
    }
    return {
        name: value + STARTS * random.standard_normal((settings.chains, *value.shape))
        for name, value in center.items()
    }
