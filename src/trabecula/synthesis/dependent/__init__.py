"""Models for estimates that share patients, studies or research groups."""

from trabecula.synthesis.dependent.cluster_robust import RobustFit, cluster_robust
from trabecula.synthesis.dependent.linear import CoefficientPrediction
from trabecula.synthesis.dependent.multilevel import MultilevelFit, multilevel
from trabecula.synthesis.dependent.multivariate import MultivariateFit, multivariate
from trabecula.synthesis.dependent.sampling import BlockCovariance, impute_covariance
from trabecula.synthesis.dependent.working import WorkingModel, inverse_variance_model

__all__ = [
    "BlockCovariance",
    "CoefficientPrediction",
    "MultilevelFit",
    "MultivariateFit",
    "RobustFit",
    "WorkingModel",
    "cluster_robust",
    "impute_covariance",
    "inverse_variance_model",
    "multilevel",
    "multivariate",
]
