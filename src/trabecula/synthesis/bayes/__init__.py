"""Exact posteriors by quadrature: no sampling, the same digits every time."""

from trabecula.synthesis.bayes.empirical_priors import empirical_prior, empirical_prior_table
from trabecula.synthesis.bayes.heterogeneity_grid import (
    HeterogeneityGrid,
    ImproperPosteriorError,
    heterogeneity_grid,
)
from trabecula.synthesis.bayes.meta_regression import (
    BayesianRegressionFit,
    bayesian_meta_regression,
)
from trabecula.synthesis.bayes.posterior import Posterior
from trabecula.synthesis.bayes.priors import (
    DensityPrior,
    Exponential,
    HalfCauchy,
    HalfLogistic,
    HalfNormal,
    HalfT,
    HeterogeneityPrior,
    InverseChi,
    LogNormal,
    LogT,
    Lomax,
    Rayleigh,
    Uniform,
)
from trabecula.synthesis.bayes.random_effects import BayesianFit, bayesian_random_effects
from trabecula.synthesis.bayes.reference_priors import ReferencePrior

__all__ = [
    "BayesianFit",
    "BayesianRegressionFit",
    "DensityPrior",
    "Exponential",
    "HalfCauchy",
    "HalfLogistic",
    "HalfNormal",
    "HalfT",
    "HeterogeneityGrid",
    "HeterogeneityPrior",
    "ImproperPosteriorError",
    "InverseChi",
    "LogNormal",
    "LogT",
    "Lomax",
    "Posterior",
    "Rayleigh",
    "ReferencePrior",
    "Uniform",
    "bayesian_meta_regression",
    "bayesian_random_effects",
    "empirical_prior",
    "empirical_prior_table",
    "heterogeneity_grid",
]
