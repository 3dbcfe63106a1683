"""Sampling of posteriors, and whether the draws can be trusted."""

from trabecula.synthesis.sampling.convergence import NotConverged
from trabecula.synthesis.sampling.elpd_comparison import ElpdComparison, compare_elpd
from trabecula.synthesis.sampling.psis import PsisLoo, SmoothedWeights, pareto_smooth, psis_loo

__all__ = [
    "ElpdComparison",
    "NotConverged",
    "PsisLoo",
    "SmoothedWeights",
    "compare_elpd",
    "pareto_smooth",
    "psis_loo",
]
