"""Dias, Welton, Sutton and Ades (2011), NICE DSU Technical Support Document 2: Parkinson's disease.

Off-time with four dopamine agonists and placebo, seven trials, one of three arms. Figures
against placebo as the vignette "Mean off-time reduction in Parkinson's disease" of multinma
holds them. They come from Markov chains: they differ from the posterior by a chain's error.
"""

from __future__ import annotations

import csv

import numpy as np
import pytest

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


COMMON = {
    "2": "-1.81 0.33 -2.46 -1.16",
    "3": "-0.47 0.49 -1.43 0.49",
    "4": "-0.52 0.48 -1.46 0.43",
    "5": "-0.82 0.52 -1.84 0.22",
}


@pytest.mark.parametrize("treatment", COMMON)
def test_common_effects(treatment: str) -> None:
    """Mean, standard deviation and limits: with flat priors the posterior is the weighted mean."""
    fit = network_meta_analysis(trials(), method="common")
    at = fit.treatments.index(treatment), fit.treatments.index("1")
    ours = (fit.estimate[at], fit.se[at], fit.ci_low[at], fit.ci_high[at])

    assert misprints(COMMON[treatment], *ours) == []
