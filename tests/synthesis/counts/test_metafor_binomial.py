"""The binomial-normal model against metafor's ``rma.glmm``, which calls lme4."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.synthesis.counts.data import OneArm, one_arm
from tests.synthesis.reference import agree, disagreements, load
from trabecula.synthesis.counts import BinomialNormalFit, binomial_normal

ONE_ARM = ("glmm_pritz1997", "glmm_debruin2009", "glmm_smallprop")

COUNTS: dict[str, dict[str, Any]] = load("metafor_counts.json")["fits"]
FITS = {key: fit for key, fit in COUNTS.items() if key.startswith(ONE_ARM)}

OPTIONS: dict[str, dict[str, Any]] = {
    "glmm_pritz1997_PLO": {},
    "glmm_debruin2009_PLO": {},
    "glmm_smallprop_PLO": {},
    "glmm_pritz1997_PLO_EE": {"method": "common"},
    "glmm_pritz1997_nAGQ1": {"nodes": 1},
}

ADAPTIVE = ["glmm_pritz1997_PLO", "glmm_debruin2009_PLO", "glmm_smallprop_PLO"]

OPTIMISER_RTOL = 7e-5
"""lme4 stops climbing while the log-likelihood still rises by some 1e-10; near a maximum that is
1e-5 in the parameters and their functions. Worst seen: 6.1e-5, a limit near zero."""

GLM_RTOL = 2e-6
"""``glm`` stops at a relative change of 1e-8 of the deviance. Worst seen: 1.4e-6."""


def counts(key: str) -> tuple[np.ndarray, np.ndarray]:
    """Return events and sizes of a golden case."""
    return one_arm(key.split("_")[1])


def fit_of(key: str) -> BinomialNormalFit:
    """Return our fit of a golden case with metafor's test."""
    return binomial_normal(*counts(key), test="z", **OPTIONS[key])


def pairs_of(fit: BinomialNormalFit, theirs: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return our values beside metafor's, the log-likelihood and the tests of Q apart."""
    names = {"estimate": "b", "se": "se", "statistic": "zval", "p_value": "pval"}
    names |= {"ci_low": "ci_lb", "ci_high": "ci_ub", "tau2": "tau2", "i2": "I2", "h2": "H2"}
    return {name: (getattr(fit, name), theirs[their]) for name, their in names.items()}


def test_every_golden_model_of_proportions_is_covered() -> None:
    """The golden file holds the five models tested here and no other."""
    assert set(FITS) == set(OPTIONS)


@pytest.mark.parametrize("key", ADAPTIVE)
def test_estimates_agree_with_lme4(key: str) -> None:
    """With 7 nodes the estimates are lme4's, as far as lme4 climbs."""
    assert disagreements(pairs_of(fit_of(key), FITS[key]), OPTIMISER_RTOL) == {}


@pytest.mark.parametrize("key", ADAPTIVE)
def test_the_maximum_lies_at_or_above_that_of_lme4(key: str) -> None:
    """lme4's estimates are never likelier than ours, and less so by at most 1e-8."""
    likelihood, theirs = OneArm(*counts(key), 7), FITS[key]
    height = likelihood.height(theirs["b"], theirs["tau2"] ** 0.5)
    gap = float((fit_of(key).log_likelihood - likelihood.kernel.constant - height)[0])

    assert 0 <= gap < 1e-8


def test_common_proportion_agrees_with_glm() -> None:
    """The fixed model is a logistic regression, closed in form here, iterated there."""
    key = "glmm_pritz1997_PLO_EE"
    fit, theirs = fit_of(key), FITS[key]

    assert disagreements(pairs_of(fit, theirs), GLM_RTOL) == {}
    assert agree(fit.log_likelihood, theirs["logLik"])


@pytest.mark.parametrize("key", FITS)
def test_tests_of_heterogeneity_agree_with_metafor(key: str) -> None:
    """The likelihood-ratio test is metafor's to rounding, the Wald test as far as ``glm`` goes.

    In the saturated model the logit of a study without events is infinite; ``glm`` stops on
    the way there and leaves a trace of such studies in the Wald statistic, 4e-7 of it here.
    """
    fit, theirs = fit_of(key), FITS[key]
    ratio = {
        n: (getattr(fit, n), theirs[t])
        for n, t in (("q_lrt", "QE_LRT"), ("q_lrt_p_value", "QEp_LRT"))
    }
    wald = {
        n: (getattr(fit, n), theirs[t])
        for n, t in (("q_wald", "QE_Wld"), ("q_wald_p_value", "QEp_Wld"))
    }

    assert disagreements(ratio, 1e-9) == {}
    assert disagreements(wald, 1e-6) == {}


def test_laplace_fit_of_lme4_stops_short_of_the_maximum() -> None:
    """With one node lme4 stops 1e-5 below the maximum of the Laplace likelihood, or less.

    Its mean is off by 3 thousandths of a standard error, its standard error by 1 %.
    """
    key = "glmm_pritz1997_nAGQ1"
    fit, theirs = fit_of(key), FITS[key]
    likelihood = OneArm(*counts(key), 1)
    height = likelihood.height(theirs["b"], theirs["tau2"] ** 0.5)
    gap = float((fit.log_likelihood - likelihood.kernel.constant - height)[0])

    assert 0 < gap < 1e-5
    assert disagreements(pairs_of(fit, theirs) | {"p_value": (0, 0)}, 1.1e-2) == {}


@pytest.mark.parametrize("key", ADAPTIVE)
def test_log_likelihood_of_metafor_is_conditional_on_the_modes(key: str) -> None:
    """What ``rma.glmm`` prints as logLik is the binomial one at the modes; ours is marginal."""
    theirs, likelihood = FITS[key], OneArm(*counts(key), 7)
    mean, tau = theirs["b"], theirs["tau2"] ** 0.5
    mode = likelihood.marginal.modes(np.full((1, 1, 1), mean), np.full((1, 1, 1, 1), tau))[0]
    conditional = likelihood.kernel.derivatives((mean + tau * mode)[None], 1)[0].sum(axis=(0, -1))
    conditional = conditional + likelihood.kernel.constant

    assert agree(conditional[0], theirs["logLik"], rtol=1e-9)
    assert fit_of(key).log_likelihood < theirs["logLik"] - 5


def test_more_nodes_converge_to_the_integral() -> None:
    """With 7 nodes τ² of small, different studies is 1.3 % off, with 41 less than 1e-6."""
    x, n = counts("glmm_smallprop_PLO")
    tau2 = {nodes: float(binomial_normal(x, n, nodes=nodes).tau2) for nodes in (7, 41, 200)}

    assert abs(tau2[7] / tau2[200] - 1) == pytest.approx(0.0129, abs=1e-4)
    assert abs(tau2[41] / tau2[200] - 1) < 1e-6


def test_quadrature_equals_direct_integration() -> None:
    """With many nodes the likelihood is the integral, done by brute force over a fine mesh."""
    x, n, mean, tau = np.array([0.0, 3, 9]), np.array([4.0, 3, 10]), 1.6, 2.5
    u, step = np.linspace(-12, 12, 40_001, retstep=True)
    p = special.expit(mean + tau * u)[:, None]
    density = np.exp(-(u**2) / 2)[:, None] / np.sqrt(2 * np.pi)
    expected = np.log((p**x * (1 - p) ** (n - x) * density).sum(axis=0) * step).sum()

    assert float(OneArm(x, n, 60).height(mean, tau)[0]) == pytest.approx(expected, abs=1e-9)
