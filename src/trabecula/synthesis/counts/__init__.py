"""Models on the counts themselves, without a continuity correction."""

from trabecula.synthesis.counts.beta_binomial import BetaBinomialFit, beta_binomial
from trabecula.synthesis.counts.binomial_intervals import (
    ProportionInterval,
    clopper_pearson,
    rule_of_three,
    wilson,
)
from trabecula.synthesis.counts.binomial_normal import BinomialNormalFit, binomial_normal
from trabecula.synthesis.counts.mantel_haenszel import (
    MantelHaenszelFit,
    mantel_haenszel,
    mantel_haenszel_rates,
)
from trabecula.synthesis.counts.peto import PetoFit, peto
from trabecula.synthesis.counts.two_arms import (
    BinomialNormalTwoArmsFit,
    binomial_normal_two_arms,
)

__all__ = [
    "BetaBinomialFit",
    "BinomialNormalFit",
    "BinomialNormalTwoArmsFit",
    "MantelHaenszelFit",
    "PetoFit",
    "ProportionInterval",
    "beta_binomial",
    "binomial_normal",
    "binomial_normal_two_arms",
    "clopper_pearson",
    "mantel_haenszel",
    "mantel_haenszel_rates",
    "peto",
    "rule_of_three",
    "wilson",
]
