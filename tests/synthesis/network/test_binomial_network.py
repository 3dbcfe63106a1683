"""Counts in a network: a published analysis, known effects recovered, chains that are checked."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import evidence
from tests.synthesis.reference import GOLDEN
from trabecula.synthesis.bayes.priors import HalfCauchy, HalfNormal
from trabecula.synthesis.network import nuts
from trabecula.synthesis.network.bayesian_network import bayesian_network
from trabecula.synthesis.network.binomial_arms import BinomialArms
from trabecula.synthesis.network.binomial_network import (
    BinomialNetworkFit,
    binomial_network,
)
from trabecula.synthesis.network.graph import DisconnectedNetwork
from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis
from trabecula.synthesis.sampling import NotConverged, convergence
from trabecula.synthesis.sampling.convergence import (
    bulk_sample_size,
    split_r_hat,
    tail_sample_size,
)

Arms = tuple[list[str], list[str], list[int], list[int]]


@pytest.fixture(scope="module", autouse=True)
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep compiled programs, so that the second fit of the same arms takes half the time."""
    import jax

    names = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in names}
    jax.config.update(names[0], str(tmp_path_factory.mktemp("compiled")))
    jax.config.update(names[1], 0.0)
    yield
    for name, value in before.items():
        jax.config.update(name, value)


def smoking() -> Arms:
    """Return the arms of 24 trials of smoking cessation (Hasselblad 1998)."""
    arms: Arms = ([], [], [], [])
    with (Path(GOLDEN) / "netmeta_smokingcessation.csv").open(encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file)):
            for arm in "123":
                if row[f"treat{arm}"]:
                    arms[0].append(str(number + 1))
                    arms[1].append(row[f"treat{arm}"])
                    arms[2].append(int(row[f"event{arm}"]))
                    arms[3].append(int(row[f"n{arm}"]))
    return arms


@cache
def fit() -> BinomialNetworkFit:
    """Return the published analysis: half-normal heterogeneity, effects as good as flat."""
    return binomial_network(*smoking(), **ANALYSIS)


ANALYSIS: dict[str, Any] = {
    "tau_prior": HalfNormal(5.0),
    "small_values": "undesirable",
    "reference": "C",
    "draws": 600,
    "warmup": 300,
}
"""Few draws, and a reference that is not the first treatment: results do not depend on it."""

PUBLISHED = {"B": (0.50, 0.40), "C": (0.83, 0.24), "D": (1.08, 0.42)}
"""Posterior mean and standard deviation against A (no intervention) as the manual of multinma
prints them (`nma`, example on smoking cessation, after NICE DSU TSD 4), tau 0.82 (0.18)."""

MONTE_CARLO = 0.15
"""Standard deviations of the posterior: four standard errors of the mean of 900 effective draws and
the rounding of the published figures."""


def test_the_smoking_network_is_that_of_the_published_analysis() -> None:
    """Log odds ratios, their spread, heterogeneity and deviance within Monte-Carlo error."""
    found = fit()
    for treatment, (mean, sd) in PUBLISHED.items():
        row, column = found.treatments.index(treatment), found.treatments.index("A")
        assert float(found.mean[row, column]) == pytest.approx(mean, abs=MONTE_CARLO * sd)
        assert float(found.sd[row, column]) == pytest.approx(sd, abs=0.045)
    assert float(found.tau_mean) == pytest.approx(0.82, abs=0.03)
    assert float(found.tau_sd) == pytest.approx(0.18, abs=0.02)
    assert int(found.arms) == 50
    assert float(found.deviance) == pytest.approx(54, abs=1.5)


def test_it_agrees_loosely_with_normal_approximations() -> None:
    """The posterior by quadrature lies within half a spread, the REML fit within 0.6 of one."""
    found = fit()
    network = evidence("smokingcessation")
    quadrature = bayesian_network(network, tau_prior=HalfNormal(5.0))
    reml = network_meta_analysis(network)
    for row, (first, second) in enumerate(zip(quadrature.first, quadrature.second, strict=True)):
        i, j = found.treatments.index(first), found.treatments.index(second)
        spread = float(found.sd[i, j])
        assert abs(float(found.mean[i, j] - quadrature.comparison.mean[row])) < spread / 2
        assert abs(float(found.mean[i, j] - reml.estimate[i, j])) < 0.6 * spread
        assert spread == pytest.approx(float(quadrature.comparison.sd[row]), rel=0.25)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A second fit of the same arms repeats every draw; JAX is left in single precision."""
    import jax

    again = binomial_network(*smoking(), **ANALYSIS)

    assert again.effect_samples.tobytes() == fit().effect_samples.tobytes()
    assert again.tau_samples.tobytes() == fit().tau_samples.tobytes()
    assert again.to_dict() == fit().to_dict()
    assert jax.numpy.ones(1).dtype == np.float32


@pytest.mark.parametrize(
    ("shift", "divergences", "advice"),
    [
        (1.0, 0, r"largest R-hat 1\.\d+ .* raise draws and warmup"),
        (0.0, 3, r"3 divergent transitions \(none\); raise target_accept"),
    ],
)
def test_chains_that_fail_a_check_are_an_error(
    monkeypatch: pytest.MonkeyPatch, shift: float, divergences: int, advice: str
) -> None:
    """A chain of its own, or a divergence: the figures and what to do, no result."""
    drawn = np.random.default_rng(1).standard_normal((4, 1000, 3))
    drawn[0] += shift
    chains = nuts.Chains(drawn, drawn[..., :2], np.exp(drawn[..., 2]), drawn[..., :2], divergences)
    module = sys.modules[binomial_network.__module__]
    monkeypatch.setattr(module, "sample", lambda *rest: chains)
    with pytest.raises(NotConverged, match=advice) as caught:
        binomial_network(list("11"), list("ab"), [1, 2], [9, 9], tau_prior=HalfNormal(1.0))

    assert caught.value.divergences == divergences
    assert (caught.value.r_hat > 1.01) == (shift > 0)


def test_the_sampled_density_is_the_posterior() -> None:
    """At any point it is priors times likelihood, written out with scipy, but for a constant.

    Contrasts of a study are normal about differences of effects, variance tau² and covariance
    tau² / 2; the density of log tau has its Jacobian; one study has three arms.
    """
    import jax
    from scipy import stats

    arms = BinomialArms.read(
        list("1112233"), list("abcacbc"), [3, 0, 9, 2, 5, 7, 7], [20, 9, 30, 15, 25, 40, 7]
    )
    priors, reference = nuts.Priors(baseline=3.0, effect=2.0, tau=0.7), 1
    basis = np.delete(arms.effects, reference, axis=1)
    random = np.random.default_rng(5)
    gaps = []
    with jax.enable_x64(True):
        data = {
            "events": arms.events,
            "n": arms.n,
            "study": arms.study,
            "effects": basis,
            "deviations": arms.deviations,
            "prior": (priors.baseline, priors.effect, priors.tau),
        }
        for _ in range(8):
            baseline, effect = random.normal(-1, 1, 3), random.normal(0, 1, 2)
            deviation, tau = random.normal(0, 1, 4), float(np.exp(random.normal(-1, 1)))
            d = np.insert(effect, reference, 0.0)
            known = stats.norm.logpdf(baseline, 0, 3).sum() + stats.norm.logpdf(effect, 0, 2).sum()
            known += stats.halfnorm.logpdf(tau, scale=0.7) + np.log(tau)
            step = 0
            for study, chosen in enumerate(([0, 1, 2], [3, 4], [5, 6])):
                contrasts = len(chosen) - 1
                spread = tau**2 * (np.eye(contrasts) + 1) / 2
                mean = d[arms.treatment[chosen[1:]]] - d[arms.treatment[chosen[0]]]
                part = deviation[step : step + contrasts]
                delta = mean + np.linalg.cholesky(spread) @ part
                step += contrasts
                known += stats.multivariate_normal.logpdf(delta, mean, spread)
                known += np.linalg.slogdet(spread)[1] / 2
                logit = baseline[study] + np.insert(delta, 0, 0.0)
                p = 1 / (1 + np.exp(-logit))
                known += stats.binom.logpmf(arms.events[chosen], arms.n[chosen], p).sum()
            at = {"baseline": baseline, "effect": effect, "deviation": deviation}
            gaps.append(known + float(nuts._potential(at | {"log_tau": np.log(tau)}, data, ())))

    np.testing.assert_allclose(gaps, gaps[0], atol=1e-10)


def test_few_draws_in_the_tails_alone_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits of intervals rest on the tails, however well the middle is known."""
    drawn = np.random.default_rng(1).standard_normal((4, 1000, 3))
    chains = nuts.Chains(drawn, drawn[..., :2], np.exp(drawn[..., 2]), drawn[..., :2], 0)
    module = sys.modules[binomial_network.__module__]
    monkeypatch.setattr(module, "sample", lambda *rest: chains)
    few = lambda draws: np.array([999.0, 399.0])  # noqa: E731
    monkeypatch.setattr(convergence, "tail_sample_size", few)
    with pytest.raises(NotConverged, match=r"399 tail \(at least 400\)"):
        binomial_network(list("11"), list("ab"), [1, 2], [9, 9], tau_prior=HalfNormal(1.0))


def test_the_residual_deviance_is_that_of_binomial_probabilities() -> None:
    """Twice the log-likelihood ratio to the observed shares; arms without events count."""
    from scipy import stats

    arms = BinomialArms.read(list("1122"), list("abab"), [0, 3, 9, 5], [7, 8, 9, 11])
    logit = np.array([-1.0, 0.5, 2.0, 0.0])
    heights = [
        stats.binom.logpmf(arms.events, arms.n, p).sum()
        for p in (arms.events / arms.n, 1 / (1 + np.exp(-logit)))
    ]

    assert float(arms.residual_deviance(logit)) == pytest.approx(2 * (heights[0] - heights[1]))


def test_without_a_wish_nothing_is_ranked(monkeypatch: pytest.MonkeyPatch) -> None:
    """SUCRA and rank probabilities are NaN, and the summary says why."""
    drawn = np.random.default_rng(1).standard_normal((4, 1000, 3))
    chains = nuts.Chains(drawn, drawn[..., :2], np.exp(drawn[..., 2]), drawn[..., :2], 0)
    monkeypatch.setattr(sys.modules[binomial_network.__module__], "sample", lambda *rest: chains)
    found = binomial_network(list("11"), list("ab"), [1, 2], [9, 9], tau_prior=HalfNormal(1.0))

    assert not found.prediction_low.diagonal().any()
    assert not found.prediction_high.diagonal().any()
    assert "Treatments are not ranked" in found.summary()
    assert np.isnan(found.sucra).all()
    assert np.isnan(found.rank_probability).all()


def test_results_describe_themselves() -> None:
    """Matrices are antisymmetric, ranks sum to 1, the summary tells how the chains fared."""
    found = fit()

    np.testing.assert_allclose(found.mean, -found.mean.T, atol=1e-12)
    np.testing.assert_allclose(found.ci_low, -found.ci_high.T, atol=1e-12)
    np.testing.assert_allclose(found.rank_probability.sum(axis=1), 1)
    np.testing.assert_allclose(found.sucra.mean(), 0.5)
    assert (found.prediction_high - found.prediction_low >= found.ci_high - found.ci_low).all()
    assert found.treatments[int(found.sucra.argmax())] == "D"
    assert len(found.rows()) == 6
    assert "4 chains of 600 draws by NUTS" in found.summary()
    assert "effect_samples" not in found.to_dict()


def test_r_hat_and_sample_sizes_tell_good_chains_from_bad() -> None:
    """Independent draws: 1 and all of them. Shifted or sticky chains: more, and far fewer."""
    random = np.random.default_rng(1)
    good = random.standard_normal((4, 1000, 3))
    bad = good.copy()
    bad[0, :, 0] += 1
    bad[0, :, 1] *= 4
    for i in range(1, 1000):
        bad[:, i, 2] = 0.95 * bad[:, i - 1, 2] + np.sqrt(1 - 0.95**2) * good[:, i, 2]

    assert (split_r_hat(good) < 1.005).all()
    np.testing.assert_allclose(bulk_sample_size(good), 4000, rtol=0.1)
    np.testing.assert_allclose(tail_sample_size(good), 4000, rtol=0.15)
    assert (split_r_hat(bad)[:2] > 1.05).all()
    np.testing.assert_allclose(bulk_sample_size(bad)[2], 4000 * 0.05 / 1.95, rtol=0.35)
    assert np.isnan(split_r_hat(np.zeros((4, 100, 1)))).all()


def test_diagnostics_are_those_of_numpyro() -> None:
    """Ranks of split chains, made normal, have the R-hat and sample size that NumPyro computes."""
    from numpyro.diagnostics import effective_sample_size, gelman_rubin

    draws = np.random.default_rng(0).standard_normal((4, 500, 4))
    for i in range(1, 500):
        draws[:, i] += np.array([0, 0.5, 0.95, -0.4]) * draws[:, i - 1]
    draws[:2, :, 0] *= 3
    halves = np.concatenate([draws[:, :250], draws[:, 250:]])
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    plain, spread = (normal_ranks(x) for x in (halves, folded))
    hats = [np.asarray(gelman_rubin(x)) for x in (plain, spread)]
    tails = [
        np.asarray(effective_sample_size((halves <= q).astype(float)))
        for q in np.quantile(halves, (0.05, 0.95), axis=(0, 1))
    ]

    np.testing.assert_allclose(split_r_hat(draws), np.maximum(*hats), rtol=1e-10)
    assert hats[1][0] > 1.1 > hats[0][0]
    np.testing.assert_allclose(bulk_sample_size(draws), effective_sample_size(plain), rtol=1e-10)
    np.testing.assert_allclose(tail_sample_size(draws), np.minimum(*tails), rtol=1e-10)


def normal_ranks(draws: np.ndarray) -> np.ndarray:
    """Return Blom's normal scores of all draws of each parameter."""
    from scipy import special, stats

    flat = draws.reshape(-1, draws.shape[-1])
    scores = special.ndtri((stats.rankdata(flat, axis=0) - 0.375) / (len(flat) + 0.25))
    return np.asarray(scores).reshape(draws.shape)


def test_deviations_of_a_study_correlate_by_one_half() -> None:
    """Contrasts with the first arm have variance 1 and correlation 1/2, other studies none."""
    arms = BinomialArms.read(["1"] * 4 + ["2"] * 2, list("abcdab"), [1] * 6, [9] * 6)
    spread = arms.deviations @ arms.deviations.T

    np.testing.assert_allclose(spread[1:4, 1:4], (np.eye(3) + 1) / 2, atol=1e-14)
    np.testing.assert_allclose(spread[[0, 4]], 0)
    assert spread[5, 5] == pytest.approx(1)
    assert spread[5, 1:4].tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events": [9, 2, 1, 1]}, "events must not exceed n, got 9 of 8"),
        ({"events": [0.5, 2, 1, 1]}, "events must be whole numbers, got 0.5"),
        ({"study": ["1", "1", "2", "3"]}, "one arm only: 2, 3"),
        ({"treatment": ["a", "a", "a", "b"]}, "two arms of the same treatment: 1"),
        ({"n": [8, 8]}, "must have one entry an arm"),
        ({"study": [], "treatment": [], "events": [], "n": []}, "at least one study, got none"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"draws": 500.5}, "draws must be a whole number, got 500.5"),
        ({"tau_prior": HalfCauchy(1.0)}, "tau_prior must be a HalfNormal"),
        ({"reference": "z"}, "reference must be one of a, b"),
        ({"chains": 1}, "chains must be at least 2, got 1"),
        ({"target_accept": 1.0}, r"target_accept must lie in \(0, 1\)"),
        ({"effect_prior_sd": -1.0}, "effect_prior_sd must lie in"),
        ({"effect_prior_sd": [1.0, 2.0]}, "effect_prior_sd must be one number"),
        ({"treatment": [7, 8, 7, 8], "reference": "9"}, "reference must be one of 7, 8"),
        ({"small_values": "good"}, "small_values must be one of"),
    ],
)
def test_arguments_out_of_range_are_refused(change: dict[str, Any], words: str) -> None:
    """Each error names what was found and what is allowed, before anything is compiled."""
    arguments: dict[str, Any] = {
        "study": list("1122"),
        "treatment": list("abab"),
        "events": [1, 2, 1, 1],
        "n": [8, 8, 8, 8],
        "tau_prior": HalfNormal(1.0),
    }
    with pytest.raises(ValueError, match=words):
        binomial_network(**arguments | change)


def test_parts_that_nothing_links_are_refused() -> None:
    """The error holds the parts."""
    with pytest.raises(DisconnectedNetwork) as caught:
        binomial_network(
            list("1122"), list("abcd"), [1, 2, 3, 4], [9] * 4, tau_prior=HalfNormal(1.0)
        )

    assert caught.value.parts == (("a", "b"), ("c", "d"))


@pytest.mark.parametrize(("missing", "named"), [("jax", "jax"), ("numpyro.infer", "numpyro")])
def test_without_the_sampler_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, missing: str, named: str
) -> None:
    """Either package may be missing; it is named with the command."""
    monkeypatch.setitem(sys.modules, missing, None)
    words = rf"needs {named}, which is not installed.*pip install 'trabecula\[bayes\]'"
    with pytest.raises(ImportError, match=words):
        binomial_network(list("11"), list("ab"), [1, 2], [9, 9], tau_prior=HalfNormal(1.0))


def test_importing_the_library_loads_no_sampler() -> None:
    """JAX and NumPyro are loaded by the first fit."""
    code = (
        "import sys, trabecula.synthesis.network.binomial_network\n"
        "print([m for m in ('jax', 'numpyro', 'scipy.stats') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
