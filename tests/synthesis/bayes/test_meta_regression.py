"""Bayesian meta-regression: what it must agree with, and what it refuses."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from trabecula.synthesis.bayes import (
    HalfCauchy,
    HalfNormal,
    LogNormal,
    bayesian_meta_regression,
    bayesian_random_effects,
)
from trabecula.synthesis.bayes.posterior import SUMMARY

Y = np.array([-0.9, -0.2, -0.5, 0.4, 0.6, 0.3])
V = np.array([0.11, 0.06, 0.08, 0.2, 0.05, 0.1])
X = np.array([0.0, 1.0, 1.5, 2.0, 3.5, 4.0])


@pytest.mark.parametrize("mean_prior", [None, (0.2, 1.5)])
def test_without_moderators_it_is_the_meta_analysis(mean_prior: Any) -> None:
    """A column of ones gives the random-effects posterior."""
    plain = bayesian_random_effects(Y, V, tau_prior=HalfCauchy(0.5), mean_prior=mean_prior)
    fit = bayesian_meta_regression(
        Y,
        V,
        np.empty((6, 0)),
        tau_prior=HalfCauchy(0.5),
        coefficient_prior=None if mean_prior is None else [mean_prior],
    )
    pairs = (
        (fit.coefficients[0], plain.mean),
        (fit.tau, plain.tau),
        (fit.effects, plain.effects),
        (fit.predicted([1.0]), plain.prediction),
    )
    for ours, theirs in pairs:
        for name in SUMMARY:
            np.testing.assert_allclose(getattr(ours, name), getattr(theirs, name), atol=1e-7)
    np.testing.assert_allclose(fit.ml_tau, plain.ml_tau, atol=1e-7)
    np.testing.assert_allclose(fit.map_coefficients, [plain.map_mean], atol=1e-7)
    np.testing.assert_allclose(fit.log_marginal_likelihood, plain.log_marginal_likelihood)
    np.testing.assert_allclose(fit.probability_positive, [plain.probability_positive], rtol=1e-9)


@pytest.mark.parametrize("prior", [None, [(0.0, 1.0), (0.1, 0.4)], [None, (0.1, 0.4)]])
def test_the_slope_is_the_integral_it_stands_for(prior: Any) -> None:
    """Adaptive integration of the generalised least-squares formulas gives the same."""
    fit = bayesian_meta_regression(Y, V, X, tau_prior=HalfNormal(0.5), coefficient_prior=prior)
    design = np.column_stack([np.ones(6), X])
    entries = [None, None] if prior is None else prior
    center = np.array([0.0 if e is None else e[0] for e in entries])
    precision = np.diag([0.0 if e is None else e[1] ** -2 for e in entries])

    def given(tau: float) -> tuple[float, np.ndarray, np.ndarray]:
        weight = np.diag(1 / (V + tau**2))
        information = design.T @ weight @ design + precision
        covariance = np.linalg.inv(information)
        mean = covariance @ (design.T @ weight @ Y + precision @ center)
        residual, off = Y - design @ mean, mean - center
        q = residual @ weight @ residual + off @ precision @ off
        log = math.log(np.linalg.det(weight)) - math.log(np.linalg.det(information)) - q
        return math.exp(log / 2 - (tau / 0.5) ** 2 / 2), mean, covariance

    def below(x: float, row: np.ndarray, new: bool) -> float:
        def integrand(tau: float) -> float:
            density, mean, covariance = given(tau)
            sd = math.sqrt(row @ covariance @ row + new * tau**2)
            return float(density * stats.norm.cdf(x, row @ mean, sd))

        return quad(integrand, 0, 6, epsabs=0, epsrel=1e-10, points=[0.2, 1])[0]

    mass = quad(lambda tau: given(tau)[0], 0, 6, epsabs=0, epsrel=1e-10, points=[0.2, 1])[0]
    point = np.array([1.0, 2.5])
    for x in (-0.2, 0.3):
        expected = [
            below(x, np.array([0.0, 1.0]), False),
            below(x, point, False),
            below(x, point, True),
        ]
        ours = [fit.coefficients[1].cdf(x), fit.expected(point).cdf(x), fit.predicted(point).cdf(x)]
        np.testing.assert_allclose(ours, np.array(expected) / mass, rtol=1e-8)


def test_other_units_and_other_coding() -> None:
    """Moderators in other units change only their own coefficient; another coding, no fit."""
    one = bayesian_meta_regression(Y, V, X, tau_prior=HalfNormal(0.5))
    other = bayesian_meta_regression(Y, V, 1000 * X, tau_prior=HalfNormal(0.5))
    means = bayesian_meta_regression(
        Y, V, np.column_stack([X > 1.7, X <= 1.7]), tau_prior=HalfNormal(0.5), intercept=False
    )
    group = bayesian_meta_regression(Y, V, X > 1.7, tau_prior=HalfNormal(0.5))

    np.testing.assert_allclose(1000 * other.coefficients.median[1], one.coefficients.median[1])
    np.testing.assert_allclose(other.tau.median, one.tau.median, rtol=1e-9)
    np.testing.assert_allclose(means.tau.median, group.tau.median, rtol=1e-9)
    np.testing.assert_allclose(
        group.expected([[1, 1], [1, 0]]).median, means.coefficients.median, rtol=1e-8
    )


def test_nearly_collinear_moderators() -> None:
    """The cube of an uncentered year: digits are lost once, not squared in normal equations.

    The coefficient of the highest power does not depend on where years are counted from.
    """
    year = np.arange(12.0)
    y, v = np.sin(year), 0.3
    near, far = (
        bayesian_meta_regression(
            y, v, (year + start)[:, None] ** [1, 2, 3], tau_prior=HalfNormal(1)
        )
        for start in (-5.5, 2000)
    )
    points = (year[[0, 7]][:, None] + np.array([-5.5, 2000]))[..., None] ** [0, 1, 2, 3]

    assert far.error < 1e-7
    np.testing.assert_allclose(far.tau.median, near.tau.median, rtol=1e-6)
    np.testing.assert_allclose(far.coefficients.ci_low[3], near.coefficients.ci_low[3], rtol=1e-5)
    np.testing.assert_allclose(
        far.predicted(points[:, 1]).ci_high, near.predicted(points[:, 0]).ci_high, rtol=1e-5
    )


def test_evidence_beyond_double_precision_is_infinite() -> None:
    """A prior of vast heterogeneity against twenty equal studies: no warning, no NaN."""
    fit = bayesian_meta_regression(
        np.zeros(20),
        0.01,
        np.arange(20),
        tau_prior=LogNormal(50, 0.1),
        coefficient_prior=[(0, 1), (0, 1)],
    )

    assert fit.bayes_factor_zero_tau == np.inf


def test_the_evidence_is_that_of_correlated_studies() -> None:
    """With proper priors the studies are jointly normal, given the heterogeneity."""
    design, prior = np.column_stack([np.ones(6), X]), [(0.2, 1.0), (0.1, 0.4)]
    fit = bayesian_meta_regression(Y, V, X, tau_prior=HalfNormal(0.5), coefficient_prior=prior)
    center, sd = np.array(prior).T

    def likelihood(tau: float) -> float:
        covariance = np.diag(V + tau**2) + (design * sd**2) @ design.T
        return float(stats.multivariate_normal.pdf(Y, design @ center, covariance))

    evidence = quad(
        lambda tau: likelihood(tau) * stats.halfnorm.pdf(tau, scale=0.5),
        0,
        6,
        epsabs=0,
        epsrel=1e-9,
    )[0]

    np.testing.assert_allclose(fit.log_marginal_likelihood, math.log(evidence), rtol=1e-8)
    np.testing.assert_allclose(fit.bayes_factor_zero_tau, likelihood(0) / evidence, rtol=1e-8)


def test_missing_moments_are_said() -> None:
    """As many studies as coefficients: the tail of the prior is all there is."""
    fit = bayesian_meta_regression(Y[:2], V[:2], X[:2], tau_prior=HalfCauchy(0.5))

    assert "The posteriors of τ and a new study's effect have no mean;" in fit.summary()
    with pytest.raises(ValueError, match="estimate and variance must broadcast"):
        bayesian_meta_regression(Y, V[:2], X, tau_prior=HalfCauchy(0.5))


def test_missing_studies_and_words() -> None:
    """A missing estimate is left out; the summary names each coefficient."""
    y = np.append(Y, np.nan)
    fit = bayesian_meta_regression(
        y, np.append(V, 1.0), np.append(X, np.nan), tau_prior=LogNormal(-1, 1), names=["dose"]
    )
    text = fit.summary()

    assert fit.k == 6
    assert fit.names == ("intercept", "dose")
    assert "meta-regression of 6 studies (log-normal (location -1, spread 1) of" in text
    assert "dose: 0.3" in text
    assert "probability > 0 0.99" in text
    assert "intercept: −0.7" in text
    assert "probability < 0 0.9" in text
    json.dumps(fit.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("moderators", "options", "wrong"),
    [
        (np.ones(6), {}, "6 studies tell only 1 of 2 coefficients apart"),
        (np.eye(6), {}, "6 studies tell only 6 of 7 coefficients apart"),
        (X, {"names": ["a", "b"]}, "names must name 1 moderators"),
        (np.where(X > 3, np.nan, X), {}, "leave studies without a moderator out"),
        (X[:3], {}, r"must be of one data set"),
        (X, {"coefficient_prior": [None]}, "one entry for each of intercept, moderator 1; got 1"),
        (X, {"coefficient_prior": [None, (0, -1)]}, "deviation of coefficient_prior must lie"),
        (X, {"tau_prior": "overall-jeffreys"}, "use 'jeffreys'"),
        (X, {"interval": "hpd"}, "interval must be one of"),
        (X, {"names": ["intercept"]}, "names must differ from each other"),
        (X, {"coefficient_prior": [None, (0,)]}, r"a mean and a standard deviation, got \(0,\)"),
        (np.empty((6, 0)), {"intercept": False}, "a model needs an intercept or a moderator"),
    ],
)
def test_bad_arguments(moderators: np.ndarray, options: dict[str, Any], wrong: str) -> None:
    """The message names what was found, what is needed and what to do."""
    with pytest.raises(ValueError, match=wrong):
        bayesian_meta_regression(Y, V, moderators, **{"tau_prior": HalfNormal(1), **options})


def test_a_prior_tells_collinear_coefficients_apart() -> None:
    """More coefficients than studies: normal priors make the posterior proper."""
    fit = bayesian_meta_regression(
        Y, V, np.eye(6), tau_prior=HalfNormal(0.5), coefficient_prior=[None] + 6 * [(0, 1)]
    )

    assert np.isfinite(fit.coefficients.sd).all()
    with pytest.raises(ValueError, match="moderators must have one value for each of intercept"):
        fit.expected([1.0, 2.0])
