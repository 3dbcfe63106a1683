"""Evidence synthesis on arrays: NumPy in, frozen results out; no record, no file, no plot."""

from trabecula.synthesis.counts.binomial_intervals import (
    ProportionInterval,
    clopper_pearson,
    rule_of_three,
    wilson,
)
from trabecula.synthesis.counts.binomial_normal import BinomialNormalFit, binomial_normal
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.pairwise.random_effects import RandomEffectsFit, random_effects

__all__ = [
    "BinomialNormalFit",
    "Criteria",
    "ProportionInterval",
    "RandomEffectsFit",
    "binomial_normal",
    "clopper_pearson",
    "random_effects",
    "rule_of_three",
    "wilson",
]
