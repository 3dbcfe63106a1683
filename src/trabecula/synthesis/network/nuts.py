"""Draws from the posterior of a binomial network by the No-U-Turn sampler of NumPyro.

Hoffman and Gelman (2014), J Mach Learn Res 15:1593-1623; Phan, Pradhan and Jankowiak (2019),
arXiv:1912.11554. JAX and NumPyro are loaded when the first fit is asked for, never before.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.network.binomial_arms import BinomialArms

INSTALL = "pip install 'trabecula[bayes]'"

STARTS = 0.5
"""Standard deviation of the starting points around a crude guess: farther apart than the
posterior is wide, so that R-hat would notice chains that stay where they began."""


@dataclass(frozen=True, slots=True)
class Priors:
    """Standard deviations of normal priors, and the scale of the half-normal one of tau."""

    baseline: float
    effect: float
    tau: float


@dataclass(frozen=True, slots=True)
class Settings:
    """How to sample."""

    chains: int
    draws: int
    warmup: int
    target_accept: float
    seed: int


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
    jax, infer = _load("jax"), _load("numpyro.infer")
    basis = np.delete(arms.effects, reference, axis=1)
    with jax.enable_x64(True), jax.default_device(jax.devices("cpu")[0]):
        kernel = infer.NUTS(
            potential_fn=_potential(arms, basis, priors, jax),
            target_accept_prob=settings.target_accept,
        )
        mcmc = infer.MCMC(
            kernel,
            num_warmup=settings.warmup,
            num_samples=settings.draws,
            num_chains=settings.chains,
            chain_method="vectorized",
            progress_bar=False,
        )
        start = {n: jax.numpy.asarray(v) for n, v in _starts(arms, basis, settings).items()}
        key = jax.random.PRNGKey(settings.seed)
        mcmc.run(key, init_params=start, extra_fields=("diverging",))
        drawn = {n: np.asarray(v) for n, v in mcmc.get_samples(group_by_chain=True).items()}
        divergences = int(np.asarray(mcmc.get_extra_fields()["diverging"]).sum())
    tau = np.exp(drawn["log_tau"])
    logit = drawn["baseline"][..., arms.study] + drawn["effect"] @ basis.T
    logit = logit + tau[..., None] * (drawn["deviation"] @ arms.deviations.T)
    names = ("baseline", "effect", "deviation")
    parameters = np.concatenate([*(drawn[n] for n in names), drawn["log_tau"][..., None]], axis=-1)
    effect = np.insert(drawn["effect"], reference, 0.0, axis=-1)
    return Chains(parameters, effect, tau, logit, divergences)


def _potential(arms: BinomialArms, basis: FloatArray, priors: Priors, jax: Any) -> Any:
    """Return minus the logarithm of the posterior as a function of the parameters."""
    jnp = jax.numpy
    events, n, study = jnp.asarray(arms.events), jnp.asarray(arms.n), jnp.asarray(arms.study)
    effects, deviations = jnp.asarray(basis), jnp.asarray(arms.deviations)

    def potential(at: dict[str, Any]) -> Any:
        tau = jnp.exp(at["log_tau"])
        logit = at["baseline"][study] + effects @ at["effect"]
        logit = logit + tau * (deviations @ at["deviation"])
        likelihood = (events * logit - n * jax.nn.softplus(logit)).sum()
        squares = (at["baseline"] ** 2).sum() / priors.baseline**2
        squares = squares + (at["effect"] ** 2).sum() / priors.effect**2
        squares = squares + (at["deviation"] ** 2).sum() + tau**2 / priors.tau**2
        return squares / 2 - at["log_tau"] - likelihood

    return potential


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


def _load(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(
            f"the sampler needs {name.split('.')[0]}, which is not installed; install it with: "
            f"{INSTALL}"
        ) from error
