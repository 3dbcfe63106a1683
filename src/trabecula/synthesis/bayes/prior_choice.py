"""From what a caller names as prior to a prior for the studies at hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import cast, get_args

from trabecula.synthesis.arguments import (
    ESTIMATE,
    FloatArray,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.bayes.heterogeneity_grid import ImproperPosteriorError, heterogeneity_grid
from trabecula.synthesis.bayes.priors import SCALE, DensityPrior, HeterogeneityPrior
from trabecula.synthesis.bayes.reference_priors import (
    ReferenceName,
    ReferencePrior,
    harmonic_mean,
)

TauPrior = HeterogeneityPrior | ReferenceName | Callable[[FloatArray], FloatArray]
"""A prior object, the name of a prior that the standard errors define, or a density function."""


def prior_for(tau_prior: TauPrior, variance: FloatArray) -> HeterogeneityPrior:
    """Return the prior for studies with these sampling variances (studies,).

    A density function is scaled to integrate to 1; one that cannot be is improper.

    Raises
    ------
    ValueError
        If it is neither prior nor name nor density, or needs more studies.
    """
    if isinstance(tau_prior, str):
        return _named(tau_prior, variance)
    made = not isinstance(tau_prior, type)
    if made and isinstance(tau_prior, HeterogeneityPrior):
        return tau_prior
    if not (made and callable(tau_prior)):
        names = ", ".join(get_args(ReferenceName))
        raise ValueError(
            "tau_prior must be a prior such as HalfNormal(0.5), a density function or one of "
            f"{names}; got {tau_prior!r}"
        )
    prior = DensityPrior(tau_prior, math.sqrt(harmonic_mean(variance)))
    try:
        mass = heterogeneity_grid(prior.log_density, prior.scale).log_evidence
    except ImproperPosteriorError:
        return prior
    return replace(prior, log_constant=mass, proper=True)


def normal_prior(name: str, values: tuple[float, float] | None) -> tuple[float, float]:
    """Return mean and precision of a normal prior; precision 0 for `None`, a flat one.

    `ValueError` with the `name` of the argument if `values` are no mean and standard deviation.
    """
    if values is None:
        return 0.0, 0.0
    pair = numbers(name, values)
    if pair.shape != (2,):
        raise ValueError(f"{name} must be a mean and a standard deviation, got {values!r}")
    require(f"the mean of {name}", pair[0], ESTIMATE)
    require(f"the standard deviation of {name}", pair[1], SCALE)
    return float(pair[0]), float(pair[1]) ** -2


def _named(name: str, variance: FloatArray) -> HeterogeneityPrior:
    require_option("tau_prior", name, get_args(ReferenceName))
    prior = ReferencePrior(cast(ReferenceName, name), variance)
    if name == "i2" and len(variance) == 1:
        raise ValueError(
            "tau_prior 'i2' is defined by the spread of weights and needs two studies, got one; "
            "use 'uniform-shrinkage', which is much the same, or a prior with a scale"
        )
    if name != "conventional":
        return prior
    mass = heterogeneity_grid(prior.log_density, prior.scale).log_evidence
    return replace(prior, log_constant=mass)
