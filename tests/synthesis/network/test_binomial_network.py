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
    NotConverged,
    binomial_network,
)
from trabecula.synthesis.network.convergence import (
    bulk_sample_size,
    split_r_hat,
    tail_sample_size,
)
from trabecula.synthesis.network.graph import DisconnectedNetwork
from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis

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
    return binomial_network(*smoking(), tau_prior=HalfNormal(5.0), small_values="undesirable")


PUBLISHED = {"B": (0.50, 0.40), "C": (0.83, 0.24), "D": (1.08, 0.42)}
"""Posterior mean and standard deviation against A (no intervention) as the manual of multinma
prints them (`nma`, example on smoking cessation, after NICE DSU TSD 4), tau 0.82 (0.18)."""

MONTE_CARLO = 0.035
"""Four standard errors of a difference between two means of about 1,500 effective draws with a
standard deviation of 0.25, rounding to two decimals included; wider spreads have more of it."""


def test_the_smoking_network_is_that_of_the_published_analysis() -> None:
    """Log odds ratios, their spread, heterogeneity and deviance within Monte-Carlo error."""
    found = fit()
    for treatment, (mean, sd) in PUBLISHED.items():
        row, column = found.treatments.index(treatment), found.treatments.index("A")
        assert float(found.mean[row, column]) == pytest.approx(mean, abs=MONTE_CARLO * 2 * sd / 0.4)
        assert float(found.sd[row, column]) == pytest.approx(sd, abs=0.035)
    assert float(found.tau_mean) == pytest.approx(0.82, abs=0.03)
    assert float(found.tau_sd) == pytest.approx(0.18, abs=0.02)
    assert int(found.arms) == 50
    assert float(found.deviance) == pytest.approx(54, abs=1.5)


def test_it_agrees_loosely_with_normal_approximations() -> None:
    """The posterior of log odds ratios by quadrature and the REML fit lie within half a spread."""
    found = fit()
    network = evidence("smokingcessation")
    quadrature = bayesian_network(network, tau_prior=HalfNormal(5.0))
    reml = network_meta_analysis(network)
    for row, (first, second) in enumerate(zip(quadrature.first, quadrature.second, strict=True)):
        i, j = found.treatments.index(first), found.treatments.index(second)
        spread = float(found.sd[i, j])
        assert abs(float(found.mean[i, j] - quadrature.comparison.mean[row])) < spread / 2
        assert abs(float(found.mean[i, j] - reml.estimate[i, j])) < spread / 2
        assert spread == pytest.approx(float(quadrature.comparison.sd[row]), rel=0.25)


def test_the_same_seed_gives_the_same_bytes() -> None:
    """A second fit of the same arms repeats every draw; JAX is left in single precision."""
    import jax

    again = binomial_network(*smoking(), tau_prior=HalfNormal(5.0), small_values="undesirable")

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


def made_up_counts(studies: int, seed: int) -> Arms:
    """Return arms of a loop of three treatments and studies of all, log odds 0, −0.7 and 0.5."""
    random = np.random.default_rng(seed)
    arms: Arms = ([], [], [], [])
    effect = {"a": 0.0, "b": -0.7, "c": 0.5}
    designs = ["ab", "ac", "bc", "abc"]
    for study in range(studies):
        base = random.normal(-1, 0.5)
        for treatment in designs[study % 4]:
            deviation = 0.3 / np.sqrt(2) * random.standard_normal()
            logit = base + effect[treatment] + deviation
            arms[0].append(f"s{study}")
            arms[1].append(treatment)
            arms[2].append(int(random.binomial(400, 1 / (1 + np.exp(-logit)))))
            arms[3].append(400)
    return arms


def test_known_effects_are_recovered() -> None:
    """60 simulated studies: truth lies within two posterior standard deviations, tau too."""
    found = binomial_network(
        *made_up_counts(60, 20190501), tau_prior=HalfNormal(1.0), reference="a", warmup=600
    )
    for treatment, truth in (("b", -0.7), ("c", 0.5)):
        row = found.treatments.index(treatment)
        assert abs(float(found.mean[row, 0]) - truth) < 2 * float(found.sd[row, 0])
        assert float(found.sd[row, 0]) < 0.12
    assert abs(float(found.tau_mean) - 0.3) < 2 * float(found.tau_sd)
    assert "Treatments are not ranked" in found.summary()
    assert np.isnan(found.sucra).all()


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
    assert "4 chains of 1000 draws by NUTS" in found.summary()
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
        ({"tau_prior": HalfCauchy(1.0)}, "tau_prior must be a HalfNormal"),
        ({"reference": "z"}, "reference must be one of a, b"),
        ({"chains": 1}, "chains must be at least 2, got 1"),
        ({"target_accept": 1.0}, r"target_accept must lie in \(0, 1\)"),
        ({"effect_prior_sd": -1.0}, "effect_prior_sd must lie in"),
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


def test_without_the_sampler_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The command is in the message."""

    def nothing(name: str, *rest: Any) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(nuts.importlib, "import_module", nothing)
    with pytest.raises(ImportError, match=r"pip install 'trabecula\[bayes\]'"):
        binomial_network(list("11"), list("ab"), [1, 2], [9, 9], tau_prior=HalfNormal(1.0))


def test_importing_the_library_loads_no_sampler() -> None:
    """JAX and NumPyro are loaded by the first fit."""
    code = (
        "import sys, trabecula.synthesis.network.binomial_network\n"
        "print([m for m in ('jax', 'numpyro', 'scipy.stats') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"
