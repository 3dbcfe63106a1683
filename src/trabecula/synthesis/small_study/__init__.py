"""Tests and models for studies whose chance of being seen depends on their result."""

from trabecula.synthesis.small_study.counts_regression import regression_test_of_counts
from trabecula.synthesis.small_study.excess_significance import (
    ExcessSignificanceTest,
    excess_significance_test,
)
from trabecula.synthesis.small_study.fail_safe_n import FailSafeN, fail_safe_n
from trabecula.synthesis.small_study.pet_peese import PetPeese, pet_peese
from trabecula.synthesis.small_study.rank_correlation import (
    RankCorrelationTest,
    rank_correlation_test,
)
from trabecula.synthesis.small_study.refusal import SimilarStandardErrors, TooFewStudies
from trabecula.synthesis.small_study.regression_test import RegressionTest, regression_test
from trabecula.synthesis.small_study.selection_model import SelectionModelFit, selection_model
from trabecula.synthesis.small_study.trim_and_fill import TrimAndFill, trim_and_fill

__all__ = [
    "ExcessSignificanceTest",
    "FailSafeN",
    "PetPeese",
    "RankCorrelationTest",
    "RegressionTest",
    "SelectionModelFit",
    "SimilarStandardErrors",
    "TooFewStudies",
    "TrimAndFill",
    "excess_significance_test",
    "fail_safe_n",
    "pet_peese",
    "rank_correlation_test",
    "regression_test",
    "regression_test_of_counts",
    "selection_model",
    "trim_and_fill",
]
