"""How often the intervals hold the truth, by simulation; thresholds, not pinned values.

Each bound allows three Monte-Carlo standard errors around what was measured with ten times the
data sets, so that a seed cannot decide.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from trabecula.synthesis import binomial_normal, random_effects

SETS = 4000


def share(hits: np.ndarray) -> float:
    """Return the share of data sets whose interval holds the truth."""
    return float(np.mean(hits))


@pytest.mark.parametrize("tau2", [0.1, 0.3])
def test_knapp_hartung_holds_its_level_with_five_studies(tau2: float) -> None:
    """95 % intervals hold the mean in 94 to 96 % of data sets; normal ones in fewer than 93 %."""
    rng = np.random.default_rng(20261)
    variance = rng.uniform(0.05, 0.3, (SETS, 5))
    estimate = rng.normal(0.5, np.sqrt(variance + tau2))
    held = {}
    for test in ("knapp-hartung", "z"):
        fit = random_effects(estimate, variance, test=test)  # type: ignore[arg-type]
        held[test] = share((fit.ci_low <= 0.5) & (fit.ci_high >= 0.5))

    assert 0.94 - 0.01 < held["knapp-hartung"] < 0.96
    assert held["z"] < 0.93


def test_q_profile_holds_its_level_with_five_studies() -> None:
    """The Q-profile interval is exact: 95 % within three standard errors (0.35 % each)."""
    rng = np.random.default_rng(20262)
    variance = rng.uniform(0.05, 0.3, (SETS, 5))
    fit = random_effects(rng.normal(0.5, np.sqrt(variance + 0.2)), variance)

    assert share((fit.tau2_ci_low <= 0.2) & (fit.tau2_ci_high >= 0.2)) == pytest.approx(
        0.95, abs=0.0105
    )


def test_binomial_normal_with_t_holds_its_level_with_ten_studies() -> None:
    """The t interval holds the logit in 93 to 97 % of data sets, the normal one in fewer.

    This is why *t* is the default.
    """
    rng = np.random.default_rng(20263)
    n = rng.integers(5, 30, (600, 10))
    events = rng.binomial(n, special.expit(1.0 + 0.7 * rng.normal(size=n.shape)))
    held = {}
    for test in ("t", "z"):
        fit = binomial_normal(events, n, test=test)  # type: ignore[arg-type]
        held[test] = share((fit.ci_low <= 1.0) & (fit.ci_high >= 1.0))

    assert 0.945 - 0.027 < held["t"] < 0.945 + 0.027
    assert held["z"] < held["t"] - 0.02
