"""Rubin (1981), J Educ Stat 6:377-401: coaching for a scholastic test in eight schools.

Figures as "An introduction to meta-analysis using the bayesmeta package" (Röver, vignette of the
package) prints them: a half-Cauchy prior with scale 25 for the heterogeneity, N(0, 50²) for the
mean.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.published.printed import columns
from trabecula.synthesis.bayes import HalfCauchy, bayesian_random_effects

Y, SE = columns("bayesmeta_Rubin1981", "y", "sigma")
FIT = bayesian_random_effects(Y, SE**2, tau_prior=HalfCauchy(25.0), mean_prior=(0.0, 50.0))

GRID = 0.003
"""Share of a standard deviation by which the printed figures may be off: the package replaces
the posterior by a finite mixture, at its default accuracy (divergence 0.01, tail 1e-4)."""


def test_maximum_likelihood_and_a_posteriori_estimates() -> None:
    """Joint and marginal maxima of the mean, with a heterogeneity of 0 at each."""
    ours = [FIT.ml_mean, FIT.marginal_ml_mean, FIT.map_mean, FIT.mean.mode]

    assert ours == pytest.approx([7.870546, 7.998270, 7.816294, 7.929503], abs=GRID * 5)
    assert [FIT.ml_tau, FIT.marginal_ml_tau, FIT.map_tau, FIT.tau.mode] == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("parameter", "printed"),
    [
        ("tau", [4.758539, 5.884511, 4.869904, 0.0, 15.165894]),
        ("mean", [7.962961, 7.985729, 4.995762, -1.823353, 17.824562]),
    ],
)
def test_marginal_posterior_summary(parameter: str, printed: list[float]) -> None:
    """Median, mean, standard deviation and shortest 95 % interval."""
    law = getattr(FIT, parameter)
    ours = [law.median, law.mean, law.sd, law.shortest_low, law.shortest_high]

    assert np.allclose(ours, printed, rtol=0, atol=GRID * float(law.sd))
