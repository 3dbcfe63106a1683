"""Dias, Welton, Sutton and Ades (2011), NICE DSU Technical Support Document 2: Parkinson's disease.

Off-time with four dopamine agonists and placebo, seven trials, one of three arms. Figures
against placebo as the vignette "Mean off-time reduction in Parkinson's disease" of multinma
holds them. They come from Markov chains: they differ from the posterior by a chain's error.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import ArrayLike

from tests.synthesis.published.printed import misprints
from tests.synthesis.reference import GOLDEN
from trabecula.synthesis.bayes import Uniform
from trabecula.synthesis.network import NetworkEvidence, bayesian_network, network_meta_analysis


def trials() -> NetworkEvidence:
    """Return mean changes of the arms and their squared standard errors."""
    study, treatment, mean, variance = [], [], [], []
    with (GOLDEN / "netmeta_parkinson.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for arm in "123":
                if row[f"Treatment{arm}"]:
                    study.append(row["Study"])
                    treatment.append(row[f"Treatment{arm}"])
                    mean.append(float(row[f"y{arm}"]))
                    variance.append(float(row[f"sd{arm}"]) ** 2 / float(row[f"n{arm}"]))
    return NetworkEvidence.from_arms(study, treatment, mean, variance)


CHAIN = 0.05
"""Share of a standard deviation that a printed figure may be off besides its rounding: a 95 %
limit from 5,000 effective draws has a standard error of 0.038 of it, a mean less."""

COMMON = {
    "2": (-1.81, 0.33, -2.46, -1.16),
    "3": (-0.47, 0.49, -1.43, 0.49),
    "4": (-0.52, 0.48, -1.46, 0.43),
    "5": (-0.82, 0.52, -1.84, 0.22),
}
"""Mean, standard deviation and 95 % limits."""

RANDOM = {
    "2": (-1.85, 0.54, -2.91, -0.85),
    "3": (-0.50, 0.66, -1.78, 0.75),
    "4": (-0.53, 0.65, -1.77, 0.71),
    "5": (-0.83, 0.80, -2.35, 0.69),
}


def near(printed: Sequence[float], *ours: ArrayLike) -> bool:
    """Return whether ours lie as near to the printed figures as a chain of draws can tell."""
    values = np.array(ours, dtype=float)
    return bool((np.abs(values - printed) <= 0.005 + CHAIN * values[1]).all())


@pytest.mark.parametrize("treatment", COMMON)
def test_common_effects(treatment: str) -> None:
    """With flat priors the posterior of the common effects is the weighted mean."""
    fit = network_meta_analysis(trials(), method="common")
    at = fit.treatments.index(treatment), fit.treatments.index("1")

    assert near(COMMON[treatment], fit.estimate[at], fit.se[at], fit.ci_low[at], fit.ci_high[at])


def test_random_effects() -> None:
    """By quadrature, with the heterogeneity uniform between 0 and 5 as in the document."""
    fit = bayesian_network(trials(), tau_prior=Uniform(5.0), reference="1")
    for row, (first, second) in enumerate(zip(fit.first, fit.second, strict=True)):
        if first == "1":
            law = fit.comparison[row]
            ours = (-law.mean, law.sd, -law.ci_high, -law.ci_low)
            assert near(RANDOM[second], *ours), second


def test_heterogeneity() -> None:
    """Mean, standard deviation, median and 95 % limits, all digits of the document."""
    tau = bayesian_network(trials(), tau_prior=Uniform(5.0)).tau
    ours = (tau.mean, tau.sd, tau.median, tau.ci_low, tau.ci_high)

    assert misprints("0.40 0.43 0.28 0.01 1.55", *ours) == []
