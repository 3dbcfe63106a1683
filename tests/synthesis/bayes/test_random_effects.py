"""Bayesian random-effects meta-analysis: exactness, invariances, calibration, edges, words."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import legendre
from scipy import stats
from scipy.integrate import quad

from trabecula.synthesis.bayes import (
    BayesianFit,
    HalfCauchy,
    HalfNormal,
    ImproperPosteriorError,
    LogNormal,
    LogT,
    Posterior,
    Uniform,
    bayesian_random_effects,
    heterogeneity_grid,
)
from trabecula.synthesis.bayes.normal_mixture import NormalMixture
from trabecula.synthesis.bayes.point_estimates import most_likely_mean
from trabecula.synthesis.bayes.posterior import SUMMARY

SCHOOLS = np.array([28.39, 7.94, -2.75, 6.82, -0.64, 0.63, 18.01, 12.16])
SCHOOLS_SE = np.array([14.9, 10.2, 16.3, 11.0, 9.4, 11.4, 10.4, 17.6])
"""Coaching in eight schools (Rubin 1981, J Educ Stat 6:377-401)."""

Y, V = np.array([-0.82, -0.21, -0.47, 0.35]), np.array([0.11, 0.06, 0.08, 0.2])

PRIORS: list[Any] = [HalfNormal(0.5), HalfCauchy(0.5), LogNormal(-1, 1), "dumouchel", "i2"]


def values_of(fit: BayesianFit) -> dict[str, np.ndarray]:
    """Return every number of a fit."""
    found: dict[str, np.ndarray] = {}
    for field in fields(fit):
        value = getattr(fit, field.name)
        if isinstance(value, Posterior):
            found |= {f"{field.name} {n}": getattr(value, n) for n in SUMMARY}
        elif isinstance(value, np.ndarray) and value.dtype != object:
            found[field.name] = value
    return found


def test_gelman_et_al_2013_eight_schools() -> None:
    """Gelman et al. (2013), Bayesian Data Analysis, table 5.3: 200 draws, rounded.

    The margin is three Monte Carlo standard errors of their quartiles, and the rounding.
    """
    printed = {
        0.25: [7, 3, 2, 4, 1, 2, 7, 3],
        0.5: [10, 8, 7, 8, 5, 6, 10, 8],
        0.75: [16, 12, 11, 11, 10, 10, 15, 13],
    }
    fit = bayesian_random_effects(
        [28, 8, -3, 7, -1, 1, 18, 12],
        np.array([15, 10, 16, 11, 9, 11, 10, 18]) ** 2,
        tau_prior="uniform",
    )
    for p, quantiles in printed.items():
        density = fit.effects.density(fit.effects.quantile(p)).diagonal()
        error = np.sqrt(p * (1 - p) / 200) / density

        assert (np.abs(fit.effects.quantile(p) - quantiles) < 3 * error + 0.5).all()


@pytest.mark.parametrize("prior", PRIORS[:3], ids=str)
@pytest.mark.parametrize("mean_prior", [None, (0.3, 0.8)])
def test_distributions_are_the_integrals_they_stand_for(prior: Any, mean_prior: Any) -> None:
    """Adaptive integration of the textbook formulas, one point at a time, gives the same."""
    fit = bayesian_random_effects(Y, V, tau_prior=prior, mean_prior=mean_prior)
    center, precision = (0.0, 0.0) if mean_prior is None else (0.3, 0.8**-2)

    def given(tau: float) -> tuple[float, float, float]:
        w = 1 / (V + tau**2)
        total = w.sum() + precision
        mean = ((w * Y).sum() + precision * center) / total
        q = (w * (Y - mean) ** 2).sum() + precision * (mean - center) ** 2
        density = math.exp(float(prior.log_density(np.array(tau))) - q / 2)
        return density * math.sqrt(w.prod() / total), mean, 1 / total

    def expectation(function: Any) -> float:
        def integrand(tau: float) -> float:
            density, mean, variance = given(tau)
            return float(density * function(tau, mean, variance))

        ends = ((0, 0.2), (0.2, 1), (1, 5), (5, np.inf))
        return sum(quad(integrand, *e, epsabs=0, epsrel=1e-11)[0] for e in ends)

    mass = expectation(lambda *_: 1.0)

    def study(tau: float, mean: float, variance: float) -> tuple[float, float]:
        pull = V[1] / (V[1] + tau**2)
        own = (1 - pull) * V[1] + pull**2 * variance
        return pull * mean + (1 - pull) * Y[1], math.sqrt(own)

    def below(x: float) -> list[float]:
        normal = stats.norm
        return [
            expectation(lambda t, m, v: normal.cdf(x, m, math.sqrt(v))),
            expectation(lambda t, m, v: normal.cdf(x, m, math.sqrt(v + t**2))),
            expectation(lambda t, m, v: normal.cdf(x, *study(t, m, v))),
            expectation(lambda t, m, v: normal.pdf(x, m, math.sqrt(v))),
        ]

    for x in (-1.3, 0.2):
        ours = [fit.mean.cdf(x), fit.prediction.cdf(x), fit.effects[1].cdf(x), fit.mean.density(x)]
        np.testing.assert_allclose(ours, np.array(below(x)) / mass, rtol=1e-9)


@pytest.mark.parametrize("prior", PRIORS, ids=str)
@pytest.mark.parametrize("k", [2, 4])
def test_refinement_changes_nothing(prior: Any, k: int) -> None:
    """Three quarters of the nodes, or a ten-thousandth of the tolerance: the same quantiles."""
    fit = bayesian_random_effects(Y[:k], V[:k], tau_prior=prior)
    solution = fit.solution.item()
    model, grid = solution.model, solution.grid
    nodes, weights = legendre.leggauss(12)
    half = np.diff(grid.edge) / 2
    coarse = np.exp((grid.edge[:-1] + half)[:, None] + half[:, None] * nodes).ravel()
    share = (np.maximum(legendre.legval(nodes, grid.series), 0) * weights).ravel()
    fine = heterogeneity_grid(model.log_posterior, 1.0, tolerance=1e-12)
    p = np.array([0.025, 0.25, 0.5, 0.975])
    exact = np.stack([fit.mean.quantile(p), fit.prediction.quantile(p)])
    for tau, weight in ((coarse, share / share.sum()), (fine.tau, fine.weight)):
        given = model.conditional(tau)
        variance = np.stack([given.covariance[:, 0, 0], given.covariance[:, 0, 0] + tau**2])
        center = np.broadcast_to(given.mean[:, 0] + model.origin, variance.shape)
        mixture = NormalMixture(weight, center, np.sqrt(variance))
        quantiles = mixture.quantile(np.broadcast_to(p, (2, 4)))

        np.testing.assert_allclose(quantiles, exact, rtol=0, atol=1e-9 * np.ptp(exact))
    np.testing.assert_allclose(fine.quantile(p), fit.tau.quantile(p), rtol=1e-8)
    assert fit.error < 1e-7


@pytest.mark.parametrize("prior", PRIORS, ids=str)
def test_intervals_hold_their_level_and_are_the_shortest(prior: Any) -> None:
    """Each interval holds 95 %; ends of the shortest are equally high; modes are stationary."""
    fit = bayesian_random_effects(Y, V, tau_prior=prior, mean_prior=(0, 2))
    for posterior in (fit.mean, fit.prediction, fit.tau, fit.effects[2]):
        low, high = posterior.shortest_low, posterior.shortest_high
        held = posterior.cdf([low, high, posterior.central_low, posterior.central_high])
        around = posterior.mode + np.array([-1e-3, 0, 1e-3]) * (high - low)
        heights = posterior.density(np.maximum(around, 0) if posterior is fit.tau else around)
        left, right = posterior.density([low, high])

        np.testing.assert_allclose(np.diff(held)[[0, 2]], 0.95, atol=1e-7)
        assert high - low <= posterior.central_high - posterior.central_low
        assert heights[1] >= heights.max() * (1 - 1e-12)
        assert low == 0 or abs(left / right - 1) < 1e-6


@pytest.mark.parametrize("prior", [LogT(0.5, 1.3, 5), LogT(-1.72, 1.295, 5)], ids=str)
def test_one_study_with_a_prior_that_has_no_moments(prior: LogT) -> None:
    """The heterogeneity keeps its prior; the mean's law is that of a normal scale mixture.

    Its quantiles are found although the average spread of its components is beyond 1e100.
    """
    y, v = 0.3, 0.04
    fit = bayesian_random_effects([y], [v], tau_prior=prior)
    z = np.linspace(-40, 40, 40001)
    share = stats.t(5).pdf(z)
    sd = np.sqrt(v + np.exp(2 * np.clip(prior.location + prior.spread * z, -300, 300)))
    at = [0.025, 0.25, 0.4, 0.5, 0.975]
    below = [
        (share * stats.norm.cdf((x - y) / sd)).sum() / share.sum() for x in fit.mean.quantile(at)
    ]

    np.testing.assert_allclose(below, at, atol=2e-6)
    np.testing.assert_allclose(fit.mean.mode, y, atol=1e-6)
    np.testing.assert_allclose(fit.tau.median, math.exp(prior.location), rtol=1e-8)


def test_likelihood_and_prior_of_the_heterogeneity_at_odds() -> None:
    """Conflicting studies and a prior that denies all heterogeneity: the precise study decides."""
    fit = bayesian_random_effects(
        [0, 1], [1e-12, 1e-6], tau_prior=HalfNormal(1e-9), mean_prior=(0, 1)
    )
    none, top = (stats.norm.logpdf([0, 1], mean, [1e-6, 1e-3]).sum() for mean in (0, 1 / (1 + 1e6)))

    np.testing.assert_allclose(fit.marginal_ml_mean, 1 / (1 + 1e6), rtol=1e-4)
    np.testing.assert_allclose(fit.minimum_bayes_factor_zero_mean, math.exp(none - top), rtol=1e-4)


def test_the_effect_of_a_study_that_says_nothing_is_that_of_a_new_one() -> None:
    """With a variance of 1e12 the rest of its shrinkage is 1e-20, and still counts."""
    y, v = [0.0, 1e-5, 2e-5], [1e-10, 1e-10, 1e12]
    fit = bayesian_random_effects(y, v, tau_prior=HalfNormal(1e-4))

    for name in SUMMARY:
        one, other = getattr(fit.effects[2], name), getattr(fit.prediction, name)
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_a_spike_at_zero_beside_a_hump_of_the_heterogeneity() -> None:
    """The density has no bound at 0, where next to no mass lies: no interval is shorter."""
    fit = bayesian_random_effects(
        [-3.774562179744937, -0.8899390879320214],
        [0.2558855531291425, 9.714044861087146],
        tau_prior=LogT(9.93, 1.3, 5),
        mean_prior=(11.1, 0.087),
    )
    p = np.linspace(0, 0.05, 2002)[:-1]
    shortest = (fit.tau.quantile(p + 0.95) - fit.tau.quantile(p)).min()

    assert fit.tau.mode == 0
    assert fit.tau.shortest_low > 0
    assert fit.tau.shortest_high - fit.tau.shortest_low <= shortest


def test_the_most_likely_mean_under_an_improper_prior_of_the_heterogeneity() -> None:
    """Two studies and a flat tau: the likelihood of each mean is finite, their integral not."""
    fit = bayesian_random_effects(Y[:2], V[:2], tau_prior="uniform", mean_prior=(0, 1))

    def likelihood(mean: float) -> float:
        def joint(tau: float) -> float:
            return float(stats.norm.pdf(Y[:2], mean, np.sqrt(V[:2] + tau**2)).prod())

        return quad(joint, 0, 1, epsrel=1e-11)[0] + quad(joint, 1, np.inf, epsrel=1e-11)[0]

    best, top = most_likely_mean(fit.solution.item().model, 0.0)
    near = [likelihood(float(fit.marginal_ml_mean) + step) for step in (-0.01, 0, 0.01)]

    assert near[1] == max(near)
    np.testing.assert_allclose(top, math.log(near[1]), atol=1e-8)
    assert math.isfinite(best)


def test_a_probability_is_never_below_zero() -> None:
    """Weights add up to one but for rounding, and rounding is not passed on."""
    fit = bayesian_random_effects(
        [76.12313064397148, -0.04518933758821047, -0.01486407622621467, 0.0004705662642894603],
        [2.3189218369806532, 0.08120532108251914, 0.22934731937701522, 0.025242077263871857],
        tau_prior="jeffreys",
        mean_prior=(-24.552085372606257, 0.42041728826537167),
    )

    assert 0 <= fit.probability_positive < 1e-12


def test_the_shortest_interval_of_two_humps() -> None:
    """With two modes every interval is compared: the one about the higher hump wins."""
    mixture = NormalMixture(
        np.array([0.97, 0.03]), np.array([[0.0, 9.0], [0.0, 0.0]]), np.ones((2, 2))
    )
    central = mixture.quantile(np.broadcast_to([0.025, 0.975], (2, 2)))
    look = mixture.look(central)
    ends = mixture.shortest(0.95, central, look)

    assert look.has_valleys.tolist() == [True, False]
    np.testing.assert_allclose(mixture.mode(look), 0, atol=1e-9)
    np.testing.assert_allclose(np.diff(mixture.cdf(ends))[:, 0], 0.95, atol=1e-12)
    np.testing.assert_allclose(ends[1], [-1.959964, 1.959964], atol=1e-6)
    assert ends[0, 1] < 3
    assert central[0, 1] > 7


def test_equal_ends_are_not_enough_where_there_are_two_humps() -> None:
    """Newton's method ends on an interval across both humps; half of it suffices."""
    mixture = NormalMixture(
        np.array([0.39, 0.2, 0.41]),
        np.array([[-0.31, -4.76, -3.62]]),
        np.array([[0.37, 0.75, 0.56]]),
    )
    central = mixture.quantile(np.array([[0.25, 0.75]]))
    low, high = mixture.shortest(0.5, central, mixture.look(central))[0]

    left, right = mixture.density(np.array([[low, high]]))[0]

    assert high - low == pytest.approx(2.19, abs=0.05)
    assert left == pytest.approx(right, rel=1e-6)
    assert high < -2


def test_a_narrow_spike_on_a_wide_hump_is_the_mode() -> None:
    """A component a million times narrower than the rest is found."""
    weight = np.array([1e-3, 0.999])
    mixture = NormalMixture(weight, np.array([[0.3, 0.0]]), np.array([[1e-6, 1.0]]))
    inner = mixture.quantile(np.array([[0.025, 0.975]]))

    np.testing.assert_allclose(mixture.mode(mixture.look(inner)), 0.3, atol=1e-9)


def test_a_certain_heterogeneity_gives_the_classical_normal_results() -> None:
    """A prior that leaves tau no choice: inverse-variance weights at that tau."""
    tau = 0.4
    fit = bayesian_random_effects(Y, V, tau_prior=LogNormal(math.log(tau), 1e-6))
    weight = 1 / (V + tau**2)
    mean, sd = (weight * Y).sum() / weight.sum(), weight.sum() ** -0.5

    np.testing.assert_allclose([fit.mean.mean, fit.mean.sd], [mean, sd], rtol=1e-6)
    np.testing.assert_allclose(fit.weights, 100 * weight / weight.sum(), rtol=1e-6)
    np.testing.assert_allclose(fit.mean.ci_low, mean - 1.959963984540054 * sd, rtol=1e-6)
    np.testing.assert_allclose(fit.prediction.sd, math.hypot(sd, tau), rtol=1e-6)


@settings(max_examples=15, deadline=None)
@given(
    order=st.permutations(range(4)),
    scale=st.floats(-4, 4).map(lambda e: 10**e),
    shift=st.floats(-100, 100),
    sign=st.sampled_from([-1.0, 1.0]),
)
def test_order_scale_shift_and_sign(
    order: list[int], scale: float, shift: float, sign: float
) -> None:
    """The result moves with the data: reordered, in other units, from another origin, mirrored."""
    index = np.array(order)
    before = bayesian_random_effects(Y, V, tau_prior=HalfNormal(0.5), mean_prior=(0.2, 2))
    after = bayesian_random_effects(
        sign * scale * (Y[index] + shift),
        scale**2 * V[index],
        tau_prior=HalfNormal(0.5 * scale),
        mean_prior=(sign * scale * (0.2 + shift), 2 * scale),
    )
    for name in ("mean", "prediction"):
        one, other = getattr(before, name), getattr(after, name)
        moved = np.array([other.ci_low, other.ci_high]) * sign / scale - shift
        np.testing.assert_allclose(np.sort(moved), [one.ci_low, one.ci_high], atol=1e-7)
    np.testing.assert_allclose(after.tau.median, scale * before.tau.median, rtol=1e-8)
    np.testing.assert_allclose(after.weights, before.weights[index], rtol=1e-8)
    np.testing.assert_allclose(
        after.effects.median / scale * sign - shift, before.effects.median[index], atol=1e-7
    )
    np.testing.assert_allclose(
        after.log_marginal_likelihood,
        before.log_marginal_likelihood - 4 * math.log(scale),
        atol=1e-8,
    )
    np.testing.assert_allclose(after.bayes_factor_zero_tau, before.bayes_factor_zero_tau, rtol=1e-8)


def test_many_data_sets_are_one_call() -> None:
    """Leading axes, with missing studies: each data set is what it is alone."""
    y = np.stack([Y, 2 * Y, np.where(np.arange(4) < 2, Y, np.nan)])[:, None] + np.zeros((3, 2, 1))
    fits = bayesian_random_effects(y, V, tau_prior=HalfCauchy(0.5), mean_prior=(0, 2))
    for i in np.ndindex(3, 2):
        there = ~np.isnan(y[i])
        alone = bayesian_random_effects(
            y[i][there], V[there], tau_prior=HalfCauchy(0.5), mean_prior=(0, 2)
        )
        parts = values_of(fits[i])
        for name, value in values_of(alone).items():
            part = parts[name]
            if name == "effect_weights":
                part = part[np.ix_(there, there)]
            elif part.shape:
                assert np.isnan(part[~there]).all()
                part = part[there]
            np.testing.assert_array_equal(part, value)
    assert fits.shape == (3, 2)
    assert fits.effects.quantile([0.1, 0.5, 0.9]).shape == (3, 2, 4, 3)
    assert fits.joint_density(0.1, [0.2, 0.3]).shape == (3, 2, 2)
    assert np.isnan(fits.effects.credible_interval(0.5)[0][2, 0, 3])
    with pytest.raises(ValueError, match=r"a summary describes one data set, .* use fit\[i\]"):
        fits.summary()
    with pytest.raises(ValueError, match="a table describes one data set"):
        fits.rows()


def test_joint_density_has_the_marginals() -> None:
    """Integrated over the heterogeneity it is the density of the mean, and the other way round."""
    fit = bayesian_random_effects(Y, V, tau_prior=HalfNormal(0.5))
    tau, mean = np.linspace(0, 4, 4001), np.linspace(-6, 6, 4001)
    over_tau = np.trapezoid(fit.joint_density(-0.3, tau), tau)
    over_mean = np.trapezoid(fit.joint_density(mean, 0.4), mean)

    np.testing.assert_allclose(over_tau, fit.mean.density(-0.3), rtol=1e-5)
    np.testing.assert_allclose(over_mean, fit.tau.density(0.4), rtol=1e-9)


def test_bayes_factors_are_ratios_of_marginal_likelihoods() -> None:
    """Savage-Dickey: posterior over prior density at the point, where the prior is nested."""
    fit = bayesian_random_effects(Y, V, tau_prior=HalfNormal(0.5), mean_prior=(0.2, 0.7))
    mean = fit.mean.density(0.0) / stats.norm.pdf(0.0, 0.2, 0.7)
    tau = fit.tau.density(0.0) / stats.halfnorm.pdf(0.0, scale=0.5)

    np.testing.assert_allclose(fit.bayes_factor_zero_mean, mean, rtol=1e-9)
    np.testing.assert_allclose(fit.bayes_factor_zero_tau, tau, rtol=1e-9)
    assert fit.minimum_bayes_factor_zero_mean <= fit.bayes_factor_zero_mean
    assert fit.minimum_bayes_factor_zero_tau <= fit.bayes_factor_zero_tau


def test_shares_add_up() -> None:
    """Weights of the studies and of the prior make 100 %, in the mean and in each effect."""
    flat = bayesian_random_effects(Y, V, tau_prior=HalfNormal(0.5))
    informed = bayesian_random_effects(Y, V, tau_prior=HalfNormal(0.5), mean_prior=(0, 0.5))

    np.testing.assert_allclose(flat.weights.sum(), 100)
    np.testing.assert_allclose(flat.effect_weights.sum(axis=1), 100)
    np.testing.assert_allclose(flat.effect_weights @ Y / 100, flat.effects.mean, rtol=1e-12)
    np.testing.assert_allclose(informed.weights.sum() + informed.mean_prior_weight, 100)
    np.testing.assert_allclose(informed.weights @ Y / 100, informed.mean.mean, rtol=1e-12)
    for k in range(1, 9):
        few = bayesian_random_effects(SCHOOLS[:k], SCHOOLS_SE[:k] ** 2, tau_prior=HalfNormal(9))
        assert few.mean_prior_weight == 0
    assert (flat.effect_weights.diagonal() > flat.weights).all()


@pytest.mark.parametrize("mean_prior", [None, (0.0, 1.0)])
def test_simulation_based_calibration(mean_prior: tuple[float, float] | None) -> None:
    """Drawn from the priors, truth lies below each posterior quantile as often as it should.

    Cook, Gelman and Rubin (2006), J Comput Graph Stat 15:675-692. With a flat prior of the mean
    any mean may be the truth, since the posterior moves with it.
    """
    rng = np.random.default_rng(20)
    sets, k = 60, 5
    tau = np.abs(rng.normal(0, 0.5, sets))
    mean = rng.normal(0, 1, sets) if mean_prior else np.full(sets, 3.0)
    theta = rng.normal(mean[:, None], tau[:, None], (sets, k + 1))
    v = rng.uniform(0.02, 0.4, (sets, k))
    y = rng.normal(theta[:, :k], np.sqrt(v))
    fit = bayesian_random_effects(y, v, tau_prior=HalfNormal(0.5), mean_prior=mean_prior)
    pairs = (
        (fit.tau, tau),
        (fit.mean, mean),
        (fit.prediction, theta[:, k]),
        (fit.effects[:, 2], theta[:, 2]),
    )
    for posterior, truth in pairs:
        ranks = [float(posterior[i].cdf(x)) for i, x in enumerate(truth)]
        assert stats.kstest(ranks, "uniform").pvalue > 0.01


EXTREMES: dict[str, tuple[Any, Any]] = {
    "variances from 1e-12 to 1e12": ([1, 2, 3], [1e-12, 1, 1e12]),
    "all equal": ([0, 0, 0, 0], [1, 1, 1, 1]),
    "two precise studies apart": ([1e6, 1e6 + 1], [1e-12, 1e-12]),
    "tiny numbers": ([0, 1e-8, 2e-8], [1e-18] * 3),
    "huge numbers": ([1e15, 2e15, 0], [1e30] * 3),
    "one outlier of fifty-one": (np.append(np.zeros(50), 100), np.ones(51)),
    "one study": ([0.4], [0.1]),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("prior", [*PRIORS[:4], Uniform(3), LogT(-1.7, 1.3, 5)], ids=str)
def test_extreme_data(name: str, prior: Any) -> None:
    """No warning, no NaN but those that are documented, every interval in its order."""
    y, v = EXTREMES[name]
    fit = bayesian_random_effects(y, v, tau_prior=prior, mean_prior=(0, 4))
    absent = {n for n, value in values_of(fit).items() if np.isnan(value).any()}
    allowed = {"prediction mean"} | ({"i2", "i2_ci_low", "i2_ci_high"} if len(y) == 1 else set())

    assert absent <= allowed
    for posterior in (fit.mean, fit.tau, fit.prediction, fit.effects):
        for kind in ("central", "shortest"):
            low, high = getattr(posterior, f"{kind}_low"), getattr(posterior, f"{kind}_high")
            assert (low <= posterior.median).all()
            assert (posterior.median <= high).all()
    assert fit.summary()
    json.dumps(fit.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("k", "prior", "mean_prior"),
    [
        (1, "uniform", None),
        (2, "uniform", None),
        (1, "jeffreys", None),
        (1, "uniform", (0, 1)),
        (2, lambda tau: 1 / tau, None),
    ],
)
def test_improper_posteriors_are_refused(k: int, prior: Any, mean_prior: Any) -> None:
    """A flat tau needs three studies (Gelman 2006, Bayesian Anal 1:515-533), 1/tau none serve."""
    with pytest.raises(ImproperPosteriorError, match="improper: it keeps infinite mass"):
        bayesian_random_effects(Y[:k], V[:k], tau_prior=prior, mean_prior=mean_prior)


def test_three_studies_make_a_flat_prior_proper() -> None:
    """And with two, a normal prior of the mean does; moments follow the power of the tail."""
    three = bayesian_random_effects(Y[:3], V[:3], tau_prior="uniform")
    two = bayesian_random_effects(Y[:2], V[:2], tau_prior="uniform", mean_prior=(0, 1))

    assert three.tau.mean == two.tau.mean == np.inf
    assert np.isnan(three.mean.mean)
    assert np.isfinite([two.mean.mean, two.mean.sd, three.tau.median]).all()
    assert np.isnan(three.log_marginal_likelihood)


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"mean_prior": (0, 1e-200)}, r"of mean_prior must lie in \[1e-30, 1e\+30\]"),
        ({"mean_prior": (1,)}, "mean_prior must be a mean and a standard deviation"),
        ({"mean_prior": (0, 0)}, "standard deviation of mean_prior must lie in"),
        ({"mean_prior": (math.nan, 1)}, "the mean of mean_prior must lie in"),
        ({"level": 95}, "95 % is written 0.95"),
        ({"interval": "hpd"}, "interval must be one of shortest, central; got 'hpd'"),
        ({"tau_prior": "flat"}, "tau_prior must be one of"),
    ],
)
def test_bad_arguments(options: dict[str, Any], wrong: str) -> None:
    """The message names the argument, the value and what is allowed."""
    with pytest.raises(ValueError, match=wrong):
        bayesian_random_effects(Y, V, **{"tau_prior": HalfNormal(1), **options})


def test_bad_questions_to_a_posterior() -> None:
    """A probability is a probability, a heterogeneity not negative."""
    fit = bayesian_random_effects(Y, V, tau_prior=HalfNormal(1))
    with pytest.raises(ValueError, match=r"probability must lie in \[0, 1\], got 1.2"):
        fit.mean.quantile(1.2)
    with pytest.raises(ValueError, match="tau must lie in"):
        fit.conditional_mean(-1)
    with pytest.raises(ValueError, match="x must lie in"):
        fit.mean.density(math.nan)
    for posterior in (fit.mean, fit.tau):
        with pytest.raises(ValueError, match="x must lie in"):
            posterior.cdf(math.nan)
        np.testing.assert_array_equal(posterior.cdf([-math.inf, math.inf]), [0, 1])
    with pytest.raises(ValueError, match="mean must lie in"):
        fit.joint_density(math.nan, 0.1)
    assert fit.mean.quantile([0, 1]).tolist() == [-np.inf, np.inf]
    assert fit.tau.quantile([0, 1]).tolist() == [0, np.inf]
    assert fit.tau.density(-1.0) == 0
    assert fit.tau.cdf(-1.0) == 0


def test_other_levels_and_intervals() -> None:
    """``ci_low`` follows ``interval``; any other interval can be had from the posterior."""
    central = bayesian_random_effects(
        Y, V, tau_prior=HalfNormal(0.5), level=0.8, interval="central"
    )
    wide = bayesian_random_effects(Y, V, tau_prior=HalfNormal(0.5))
    for name in ("mean", "tau"):
        one, other = getattr(central, name), getattr(wide, name)
        for kind in ("central", "shortest"):
            low, high = other.credible_interval(0.8, kind)
            np.testing.assert_allclose(low, getattr(one, f"{kind}_low"), rtol=1e-7, atol=1e-12)
            np.testing.assert_allclose(high, getattr(one, f"{kind}_high"), rtol=1e-7)
    assert (central.mean.ci_low, wide.mean.ci_low) == (
        central.mean.central_low,
        wide.mean.shortest_low,
    )


def test_the_summary_says_what_a_paper_would() -> None:
    """Medians with credible intervals, probability of direction, priors, Bayes factors."""
    fit = bayesian_random_effects(
        SCHOOLS, SCHOOLS_SE**2, tau_prior=HalfNormal(10), mean_prior=(0, 80)
    )

    assert fit.summary() == (
        "Bayesian random-effects meta-analysis of 8 studies (normal prior of the mean (0, sd 80), "
        "half-normal (scale 10) of the heterogeneity): posterior median 8.0 (95 % credible "
        "interval −1.3 to 17.3); probability of a mean > 0: 0.956. Heterogeneity: τ = 4.0 (95 % "
        "credible interval 0.0 to 12.1), I² = 10 % (95 % central interval 0 to 58 %). True effect "
        "of a new study: 8.0 (95 % credible interval −7.7 to 23.9). Bayes factors in favor of a "
        "zero mean 3.8, of no heterogeneity 1.7."
    )


def test_the_summary_says_where_the_quadrature_failed() -> None:
    """An error that three digits would show is told; that of the usual fit is not."""
    fit = bayesian_random_effects(Y, V, tau_prior=HalfNormal(1))

    assert "quadrature" not in fit.summary()
    assert (
        replace(fit, error=np.array(0.02))
        .summary()
        .endswith("did not resolve the posterior of τ: probabilities may be off by 0.02.")
    )


@pytest.mark.parametrize(
    ("y", "prior", "mean_prior", "said"),
    [
        ([0.4], HalfNormal(1), None, "With one study nothing but the prior tells of"),
        (
            [0.4, 0.1],
            HalfCauchy(1),
            None,
            "of the mean, τ and a new study's effect have no variance",
        ),
        ([0.4, 0.1], "berger-deely", None, "effect have no mean; quantiles say what is known"),
        ([0.4], HalfCauchy(1), (0, 1), "posteriors of τ and a new study's effect have no variance"),
        ([9, 9.1], HalfNormal(1), (9, 0.1), "in favor of a zero mean below 0.001, of no"),
        ([0, 0.1], HalfNormal(1), (0, 1e6), "in favor of a zero mean above 1000, of no"),
        ([0, 0.1], HalfNormal(1), (0, 20), "in favor of a zero mean 56, of no"),
        ([0.4, 0.1], "jeffreys", (0, 1), "Bayes factors are not defined with an improper prior"),
        ([-9, -9.1, -9.2], HalfNormal(1), None, "probability of a mean < 0: above 0.999"),
    ],
)
def test_the_summary_says_what_is_missing(
    y: list[float], prior: Any, mean_prior: Any, said: str
) -> None:
    """What cannot be estimated is said."""
    fit = bayesian_random_effects(y, 0.1, tau_prior=prior, mean_prior=mean_prior)

    assert said in fit.summary()


def test_rows_draw_a_forest_plot() -> None:
    """One record a study that is there, then mean and prediction."""
    y = np.array([0.4, np.nan, 0.1])
    fit = bayesian_random_effects(y, 0.1, tau_prior=HalfNormal(1))
    rows = fit.rows()

    assert [row["kind"] for row in rows] == ["study", "study", "mean", "prediction"]
    assert [row.get("study") for row in rows] == [0, 2, None, None]
    assert [row.get("estimate") for row in rows[:2]] == pytest.approx([0.4, 0.1])
    assert rows[2]["ci_low"] == float(fit.mean.ci_low)
    json.dumps(rows, allow_nan=False)
