"""Models for one estimate a study, each study independent of the others."""

from trabecula.synthesis.pairwise.displays import Baujat, Funnel, Radial, baujat, funnel, radial
from trabecula.synthesis.pairwise.henmi_copas import HenmiCopas, henmi_copas
from trabecula.synthesis.pairwise.influence import Influence, influence
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.pairwise.location_scale import LocationScaleFit, location_scale
from trabecula.synthesis.pairwise.meta_regression import (
    MetaRegressionFit,
    RegressionPrediction,
    meta_regression,
)
from trabecula.synthesis.pairwise.moderators import categorical
from trabecula.synthesis.pairwise.permutation import PermutationTest, permutation_test
from trabecula.synthesis.pairwise.random_effects import RandomEffectsFit, random_effects
from trabecula.synthesis.pairwise.residuals import (
    Shrinkage,
    StandardisedResiduals,
    shrinkage,
    standardised_residuals,
)
from trabecula.synthesis.pairwise.subgroups import SubgroupsFit, subgroups
from trabecula.synthesis.pairwise.subsets import Gosh, cumulative, gosh, leave_one_out

__all__ = [
    "Baujat",
    "Criteria",
    "Funnel",
    "Gosh",
    "HenmiCopas",
    "Influence",
    "LocationScaleFit",
    "MetaRegressionFit",
    "PermutationTest",
    "Radial",
    "RandomEffectsFit",
    "RegressionPrediction",
    "Shrinkage",
    "StandardisedResiduals",
    "SubgroupsFit",
    "baujat",
    "categorical",
    "cumulative",
    "funnel",
    "gosh",
    "henmi_copas",
    "influence",
    "leave_one_out",
    "location_scale",
    "meta_regression",
    "permutation_test",
    "radial",
    "random_effects",
    "shrinkage",
    "standardised_residuals",
    "subgroups",
]
