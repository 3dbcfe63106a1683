"""Bayesian network meta-analysis by quadrature: other exact routes to the same posterior."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.synthesis.network.golden import evidence
from tests.synthesis.network.networks import made_up
from trabecula.synthesis.bayes.heterogeneity_grid import ImproperPosteriorError
from trabecula.synthesis.bayes.priors import HalfNormal, LogNormal, Uniform
from trabecula.synthesis.bayes.random_effects import bayesian_random_effects
from trabecula.synthesis.network.bayesian_network import bayesian_network
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import DisconnectedNetwork
from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis

LOOP = (list("123"), list("xxy"), list("yzz"), [-0.4, -0.9, -0.2], [0.04, 0.05, 0.03])


def test_two_treatments_are_the_pairwise_analysis() -> None:
    """Mean, spread, limits, prediction, heterogeneity and evidence agree to rounding."""
    y, v = [-0.82, -0.21, -0.47, 0.1], [0.11, 0.06, 0.08, 0.2]
    network = NetworkEvidence.from_contrasts(list("1234"), ["x"] * 4, ["y"] * 4, y, v)
    ours = bayesian_network(network, tau_prior=HalfNormal(0.5), effect_prior_sd=2.0, reference="y")
    pairwise = bayesian_random_effects(
        y, v, tau_prior=HalfNormal(0.5), mean_prior=(0.0, 2.0), interval="central"
    )
    pairs = (
        (ours.comparison, pairwise.mean),
        (ours.prediction, pairwise.prediction),
        (ours.tau, pairwise.tau),
    )
    for name in ("mean", "median", "mode", "sd", "ci_low", "ci_high", "shortest_low"):
        for network_law, law in pairs:
            value = np.ravel(getattr(network_law, name))[0]
            assert float(value) == pytest.approx(float(getattr(law, name)), rel=1e-7, abs=1e-9)
    assert float(ours.log_marginal_likelihood) == pytest.approx(
        float(pairwise.log_marginal_likelihood), rel=1e-9
    )


def test_posterior_is_that_of_brute_force_integration() -> None:
    """Three treatments: sums over a grid of both effects and the heterogeneity give the same."""
    network = NetworkEvidence.from_contrasts(*LOOP)
    fit = bayesian_network(network, tau_prior=HalfNormal(0.5), effect_prior_sd=1.0, reference="z")
    node, weight = np.polynomial.legendre.leggauss(90)
    effect = 4.5 * node
    tau = 1.75 * (node + 1)
    x, y, t = effect[:, None, None], effect[None, :, None], tau[None, None, :]
    log = -(x**2 + y**2) / 2 - t**2 / 0.5
    for truth, value, variance in zip((x - y, x, y), LOOP[3], LOOP[4], strict=True):
        log = log - (value - truth) ** 2 / (2 * (variance + t**2)) - np.log(variance + t**2) / 2
    mass = np.exp(log - log.max()) * weight[:, None, None] * weight[:, None] * weight
    mass = mass / mass.sum()
    means = [float((mass * value).sum()) for value in (x - y, x + 0 * y, y + 0 * x)]
    squares = [float((mass * value**2).sum()) for value in (x - y, x + 0 * y, y + 0 * x)]

    np.testing.assert_allclose(fit.comparison.mean, means, rtol=1e-6)
    spread = np.sqrt(np.array(squares) - np.array(means) ** 2)
    np.testing.assert_allclose(fit.comparison.sd, spread, rtol=1e-6)
    assert float(fit.tau.mean) == pytest.approx(float((mass * t).sum()), rel=1e-6)
    predicted = (fit.prediction.sd**2 - fit.comparison.sd**2)[0]
    assert float(predicted) == pytest.approx(float((mass * t**2).sum()), rel=1e-5)


def test_given_heterogeneity_it_is_network_meta_analysis() -> None:
    """With a prior that holds tau at a value and flat effects the posterior is the estimate."""
    network = evidence("Senn2013")
    tau = 0.3
    narrow = bayesian_network(network, tau_prior=LogNormal(np.log(tau), 1e-5))
    fit = network_meta_analysis(network, tau2=tau**2)
    one, other = np.triu_indices(len(network.treatments), 1)

    np.testing.assert_allclose(narrow.comparison.mean, fit.estimate[one, other], atol=1e-5)
    np.testing.assert_allclose(narrow.comparison.sd, fit.se[one, other], rtol=1e-5)


def test_a_flat_prior_knows_no_reference() -> None:
    """All posteriors are the same whichever treatment is named; an informative prior differs."""
    network = evidence("parkinson")
    fits = [
        bayesian_network(network, tau_prior=HalfNormal(0.5), reference=name) for name in ("1", "4")
    ]
    np.testing.assert_allclose(fits[0].comparison.mean, fits[1].comparison.mean, rtol=1e-9)
    np.testing.assert_allclose(fits[0].prediction.ci_low, fits[1].prediction.ci_low, rtol=1e-8)
    held = [
        bayesian_network(network, tau_prior=HalfNormal(0.5), effect_prior_sd=0.5, reference=name)
        for name in ("1", "4")
    ]
    assert np.abs(held[0].comparison.mean - held[1].comparison.mean).max() > 0.01


@pytest.mark.parametrize("dataset", ["parkinson", "smokingcessation"])
def test_ranks_follow_from_the_joint_posterior(dataset: str) -> None:
    """Rank probabilities are doubly stochastic, and their mean ranks are those of SUCRA."""
    network = evidence(dataset)
    fit = bayesian_network(network, tau_prior=HalfNormal(0.5), small_values="desirable")
    size = len(network.treatments)

    np.testing.assert_allclose(fit.rank_probability.sum(axis=1), 1, atol=1e-10)
    np.testing.assert_allclose(fit.rank_probability.sum(axis=0), 1, atol=0.02)
    mean = fit.rank_probability @ np.arange(1, size + 1)
    np.testing.assert_allclose(mean, fit.mean_rank, atol=0.005)
    np.testing.assert_allclose(fit.sucra.mean(), 0.5, atol=1e-12)
    worst = bayesian_network(network, tau_prior=HalfNormal(0.5), small_values="undesirable")
    np.testing.assert_allclose(worst.sucra, 1 - fit.sucra, atol=1e-12)


def test_rank_probabilities_are_those_of_draws() -> None:
    """200,000 draws from tau and, given it, from the effects rank the treatments alike."""
    network = NetworkEvidence.from_contrasts(*LOOP)
    fit = bayesian_network(
        network, tau_prior=HalfNormal(0.5), small_values="desirable", reference="z"
    )
    random = np.random.default_rng(1)
    draws = 200_000
    tau = fit.tau.quantile(random.random(draws))
    rows = np.array([[1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    weight = 1 / (np.array(LOOP[4]) + tau[:, None] ** 2)
    information = np.einsum("nr,ri,rj->nij", weight, rows, rows)
    spread = np.linalg.inv(information)
    mean = np.einsum("nij,nr,rj,r->ni", spread, weight, rows, np.array(LOOP[3]))
    root = np.linalg.cholesky(spread)
    effect = mean + np.einsum("nij,nj->ni", root, random.standard_normal((draws, 2)))
    rank = np.argsort(np.argsort(np.column_stack([effect, np.zeros(draws)]), axis=1), axis=1)
    table = (rank[:, :, None] == np.arange(3)).mean(axis=0)

    np.testing.assert_allclose(fit.rank_probability, table, atol=0.006)
    below = (effect[:, 0] < effect[:, 1]).mean()
    assert float(fit.probability_below[0]) == pytest.approx(float(below), abs=0.005)


def test_intervals_hold_what_was_drawn_from_the_prior() -> None:
    """Truth drawn from the priors lies in 90 % intervals of 150 data sets 90 % of the time."""
    random = np.random.default_rng(20190501)
    network = made_up(4, 9, 1)
    rows = network.independent_rows()
    matrix = rows.design_matrix()[0]
    sets = 150
    effect = np.concatenate([np.zeros((sets, 1)), random.normal(size=(sets, 3))], axis=1)
    tau = np.abs(random.normal(scale=0.5, size=(sets, 1)))
    spread = np.sqrt(rows.variance + tau**2)
    value = effect @ matrix.T + spread * random.standard_normal((sets, len(rows.study)))
    inside = np.zeros((sets, 7), dtype=bool)
    for i in range(sets):
        one = _with_rows(network, matrix, value[i])
        fit = bayesian_network(
            one, tau_prior=HalfNormal(0.5), effect_prior_sd=1.0, reference="t000", level=0.9
        )
        first, second = np.triu_indices(4, 1)
        truth = np.append(effect[i, first] - effect[i, second], tau[i])
        low = np.append(fit.comparison.ci_low, fit.tau.ci_low)
        high = np.append(fit.comparison.ci_high, fit.tau.ci_high)
        inside[i] = (low < truth) & (truth < high)

    np.testing.assert_allclose(inside.mean(axis=0), 0.9, atol=0.08)
    assert inside.mean() == pytest.approx(0.9, abs=0.035)


def _with_rows(network: NetworkEvidence, matrix: np.ndarray, value: np.ndarray) -> NetworkEvidence:
    """Return the network with estimates whose independent rows are `value`."""
    estimate = np.zeros(len(network.study))
    rows = network.independent_rows()
    for study in range(len(network.studies)):
        own, contrasts = rows.study == study, network.study == study
        arms = np.linalg.lstsq(matrix[own], value[own], rcond=None)[0]
        estimate[contrasts] = arms[network.first[contrasts]] - arms[network.second[contrasts]]
    return NetworkEvidence(
        network.studies,
        network.treatments,
        network.study,
        network.first,
        network.second,
        estimate,
        network.variance,
        network.arms,
    )


def test_data_sets_on_one_design_are_one_call() -> None:
    """Leading axes give what a loop gives."""
    estimate = np.array([LOOP[3], [0.1, 0.2, 0.3]])
    many = NetworkEvidence.from_contrasts(*LOOP[:3], estimate, LOOP[4])
    fit = bayesian_network(many, tau_prior=HalfNormal(0.5))
    for i in range(2):
        one = bayesian_network(
            NetworkEvidence.from_contrasts(*LOOP[:3], estimate[i], LOOP[4]),
            tau_prior=HalfNormal(0.5),
        )
        np.testing.assert_allclose(fit[i].comparison.mean, one.comparison.mean, rtol=1e-10)
        np.testing.assert_allclose(fit[i].tau.median, one.tau.median, rtol=1e-8)
    with pytest.raises(ValueError, match=r"this fit holds \(2,\)"):
        fit.summary()


def test_results_describe_themselves() -> None:
    """The summary names priors; nothing is ranked unless it is said what is desirable."""
    network = NetworkEvidence.from_contrasts(*LOOP)
    fit = bayesian_network(network, tau_prior=HalfNormal(0.5), reference="z")

    assert fit.summary() == (
        "Bayesian network meta-analysis of 3 studies and 3 treatments (heterogeneity prior "
        "half-normal (scale 0.5), effects flat). Heterogeneity τ 0.23 (95 % CrI 0.01 to 0.92). "
        "x versus z: −0.79 (95 % CrI −1.53 to −0.06). y versus z: −0.28 (95 % CrI −1.02 to 0.43). "
        "Treatments are not ranked: small_values does not say what is desirable."
    )
    assert np.isnan(fit.sucra).all()
    assert fit.rows()[0]["first"] == "x"
    assert fit.to_dict()["log_marginal_likelihood"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"effect_prior_sd": 0.0}, "effect_prior_sd must lie in"),
        ({"reference": "q"}, "reference must be one of x, y, z"),
        ({"small_values": "good"}, "small_values must be one of desirable, undesirable"),
        ({"interval": "widest"}, "interval must be one of shortest, central"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: Any, words: str) -> None:
    """Each error names the argument and what is allowed."""
    with pytest.raises(ValueError, match=words):
        bayesian_network(
            NetworkEvidence.from_contrasts(*LOOP), tau_prior=HalfNormal(0.5), **arguments
        )


def test_posteriors_without_mass_are_refused() -> None:
    """A flat prior of tau without end needs more evidence than one loop has."""
    network = NetworkEvidence.from_contrasts(*LOOP)
    with pytest.raises(ImproperPosteriorError, match="improper"):
        bayesian_network(network, tau_prior=lambda tau: np.ones_like(tau))
    bounded = bayesian_network(network, tau_prior=Uniform(2.0))
    assert np.isfinite(bounded.comparison.sd).all()
    parts = NetworkEvidence.from_contrasts(list("12"), list("ac"), list("bd"), [0, 0], [1, 1])
    with pytest.raises(DisconnectedNetwork):
        bayesian_network(parts, tau_prior=HalfNormal(1.0))


def test_sucra_is_the_mean_probability_of_being_better() -> None:
    """Two treatments: SUCRA is the posterior probability of the smaller effect."""
    network = NetworkEvidence.from_contrasts(["1"], ["x"], ["y"], [-0.5], [0.1])
    fit = bayesian_network(network, tau_prior=HalfNormal(1e-6), small_values="desirable")

    np.testing.assert_allclose(fit.sucra[0], special.ndtr(0.5 / np.sqrt(0.1)), rtol=1e-8)
    np.testing.assert_allclose(fit.rank_probability[0, 0], fit.sucra[0], rtol=1e-8)


def test_comparisons_turned_towards_the_reference_have_limits_in_order() -> None:
    """Where the reference comes first, median and limits change sign and places."""
    network = made_up(4, 12, 1)
    fit = bayesian_network(network, tau_prior=HalfNormal(0.5), reference="t000")
    low, median, high = (getattr(fit.comparison, n)[0] for n in ("ci_low", "median", "ci_high"))
    told = f"t001 versus t000: {-median:.2f} (95 % CrI {-high:.2f} to {-low:.2f})."

    assert told.replace("-", "−") in fit.summary()


def test_an_improper_prior_of_either_kind_leaves_no_marginal_likelihood() -> None:
    """NaN unless the priors of effects and of heterogeneity both have a mass."""
    network = made_up(4, 12, 1)
    proper = bayesian_network(network, tau_prior=HalfNormal(0.5), effect_prior_sd=2.0)
    flat = bayesian_network(network, tau_prior=HalfNormal(0.5))
    endless = bayesian_network(network, tau_prior=np.ones_like, effect_prior_sd=2.0)

    assert np.isfinite(proper.log_marginal_likelihood)
    assert np.isnan([flat.log_marginal_likelihood, endless.log_marginal_likelihood]).all()
