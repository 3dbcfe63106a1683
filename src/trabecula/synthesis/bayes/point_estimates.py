"""Where likelihood and posterior are highest, and how they compare with points of interest."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.bayes.heterogeneity_grid import (
    HeterogeneityGrid,
    ImproperPosteriorError,
    heterogeneity_grid,
)
from trabecula.synthesis.bayes.heterogeneity_law import highest
from trabecula.synthesis.bayes.hierarchical_model import LOG_TWO_PI, HierarchicalModel
from trabecula.synthesis.bayes.normal_mixture import NormalMixture

CANDIDATES = 128
"""Values of the heterogeneity, evenly spaced in its logarithm, around which maxima are found."""


def scale_of(model: HierarchicalModel) -> float:
    """Return a heterogeneity between that which the prior and that which the studies suggest."""
    return math.sqrt(model.prior.scale * math.sqrt(float(np.median(model.variance))))


def grid_of(model: HierarchicalModel) -> HeterogeneityGrid:
    """Return the posterior of the heterogeneity."""
    return heterogeneity_grid(model.log_posterior, scale_of(model), upper=model.prior.upper)


def exp_or_inf(logarithm: float) -> float:
    """Return the exponential, infinity beyond double precision."""
    with np.errstate(over="ignore"):
        return float(np.exp(logarithm))


def joint_maxima(model: HierarchicalModel) -> dict[str, FloatArray]:
    """Return the joint maximum-likelihood and maximum-a-posteriori estimates.

    ``ml_coefficients``, ``ml_tau``, ``map_coefficients``, ``map_tau``, and
    ``marginal_ml_tau``, where the likelihood is highest with the coefficients integrated out.
    The first two are NaN where the studies alone do not determine the coefficients.
    """
    at = _candidates(model)
    inside = np.append(at[at < model.prior.upper], min(at[-1], model.prior.upper))
    ml, coefficients = np.array([np.nan]), np.full(model.design.shape[1], np.nan)
    if model.determined:
        flat = replace(model, precision=np.zeros_like(model.precision))
        ml = np.array([highest(lambda tau: flat.conditional(tau).height, at)[0]])
        coefficients = flat.conditional(ml).mean[0]
    marginal = np.array([highest(model.log_likelihood, at)[0]])

    def log_density(tau: FloatArray) -> FloatArray:
        return model.prior.log_density(tau) + model.conditional(tau).height

    top = np.array([highest(log_density, inside)[0]])
    return {
        "ml_coefficients": coefficients,
        "ml_tau": ml[0],
        "map_coefficients": model.conditional(top).mean[0],
        "map_tau": top[0],
        "marginal_ml_tau": marginal[0],
    }


def log_likelihood_of_mean(model: HierarchicalModel, mean: float) -> float:
    """Return the log-likelihood of a mean, the heterogeneity integrated out over its prior."""
    return _likelihood_grid(model, mean).log_evidence


def most_likely_mean(model: HierarchicalModel, start: float) -> tuple[float, float]:
    """Return the mean with the highest likelihood, and the logarithm of that likelihood.

    The heterogeneity is integrated out. As a function of the mean the likelihood is a mixture of
    normal densities, those that the mean has under a flat prior. Where that leaves no proper
    posterior, their weights are worked out at `start`.
    """
    flat = replace(model, precision=np.zeros_like(model.precision))
    try:
        grid, at_start = grid_of(flat), False
    except ImproperPosteriorError:
        grid, at_start = _likelihood_grid(model, start), True
    given = flat.conditional(grid.tau)
    center, sd = given.mean[:, 0], np.sqrt(given.covariance[:, 0, 0])
    with np.errstate(divide="ignore"):
        log_weight = np.log(grid.weight)
    if at_start:
        log_weight = log_weight + np.log(sd) + ((start - center) / sd) ** 2 / 2 + LOG_TWO_PI / 2
    mass = float(np.logaddexp.reduce(log_weight))
    mixture = NormalMixture(np.exp(log_weight - mass), center[None], sd[None]).pruned()
    inner = mixture.quantile(np.array([[0.025, 0.975]]))
    best = mixture.mode(mixture.look(inner))
    density = float(mixture.density(best[:, None])[0, 0])
    return float(best[0]), grid.log_evidence + mass + math.log(density)


def _likelihood_grid(model: HierarchicalModel, mean: float) -> HeterogeneityGrid:
    def log_density(tau: FloatArray) -> FloatArray:
        at = np.full((len(tau), 1), mean)
        return model.prior.log_density(tau) + model.log_joint_likelihood(at, tau)

    return heterogeneity_grid(log_density, scale_of(model), upper=model.prior.upper)


def _candidates(model: HierarchicalModel) -> FloatArray:
    """Return values of the heterogeneity between none to speak of and the widest to be."""
    low = math.sqrt(min(float(model.variance.min()), model.prior.scale**2))
    spread = float(np.ptp(model.estimate)) + math.sqrt(float(model.variance.max()))
    conflict = float(np.abs(model.center[model.precision > 0]).max(initial=0.0))
    wide = 10 * max(spread + conflict, model.prior.scale, low)
    return np.geomspace(low * 1e-4, wide, CANDIDATES)
