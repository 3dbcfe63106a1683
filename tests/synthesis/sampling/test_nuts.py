"""The sampler draws from what it is told to: normal posteriors, known exactly."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from trabecula.synthesis.sampling.frame import CAUTION, frame_from, frame_of
from trabecula.synthesis.sampling.nuts import draw, unravelled
from trabecula.synthesis.sampling.settings import Settings

SETTINGS = Settings(chains=4, draws=1000, warmup=400, seed=7)

MEAN = np.array([1.0, -2.0, 0.5])
COVARIANCE = np.array([[1.0, 0.6, 0.0], [0.6, 2.0, -0.3], [0.0, -0.3, 0.25]])


def normal(at: Any, shared: Any, each: Any) -> Any:
    """Return minus the logarithm of a normal density about ``each`` with precision ``shared``."""
    import jax.numpy as jnp

    apart = jnp.concatenate([at["a"][None], at["b"]]) - each
    return apart @ shared @ apart / 2


def starts(sets: int) -> dict[str, np.ndarray]:
    """Return scattered starting points: one number, and two."""
    random = np.random.default_rng(3)
    return {
        "a": random.standard_normal((sets, SETTINGS.chains)),
        "b": random.standard_normal((sets, SETTINGS.chains, 2)),
    }


@pytest.mark.parametrize("trajectory", [None, 2.5])
def test_draws_have_the_mean_and_covariance_of_the_posterior(trajectory: float | None) -> None:
    """No-U-Turn and fixed trajectories, for two data sets at once that differ as their means.

    0.15 of a standard deviation are four standard errors of the mean of 700 effective draws.
    """
    each = np.stack([MEAN, MEAN + np.array([5.0, 0.0, -1.0])])
    found = draw(
        normal,
        starts(2),
        SETTINGS,
        shared=np.linalg.inv(COVARIANCE),
        each=each,
        trajectory=trajectory,
    )
    table = found.flat().reshape(2, -1, 3)

    assert found.parameters["b"].shape == (2, 4, 1000, 2)
    assert found.divergences.tolist() == [0, 0]
    np.testing.assert_allclose(found.parameters["a"][0].ravel(), table[0, :, 0])
    for draws, mean in zip(table, each, strict=True):
        scaled = (draws.mean(axis=0) - mean) / np.sqrt(np.diag(COVARIANCE))
        np.testing.assert_allclose(scaled, 0, atol=0.15)
        np.testing.assert_allclose(np.cov(draws.T), COVARIANCE, atol=0.25)


def test_coordinates_change_nothing_but_the_speed() -> None:
    """Given center and scale, draws are those of the posterior in its own units."""
    shared = np.linalg.inv(COVARIANCE)
    scale = np.linalg.cholesky(COVARIANCE)
    found = draw(
        normal,
        starts(1),
        SETTINGS,
        shared=shared,
        each=MEAN[None],
        center=MEAN,
        scale=scale,
        trajectory=1.6,
    )
    draws = found.flat().reshape(-1, 3)
    deviates = np.linalg.solve(scale, (draws - MEAN).T).T

    np.testing.assert_allclose(deviates.mean(axis=0), 0, atol=0.1)
    np.testing.assert_allclose(np.cov(deviates.T), np.eye(3), atol=0.12)


def test_the_same_settings_give_the_same_draws() -> None:
    """To the last bit; another seed gives others. JAX is left in single precision."""
    import jax

    arguments: dict[str, Any] = {"shared": np.linalg.inv(COVARIANCE), "each": MEAN[None]}
    first, again = (draw(normal, starts(1), SETTINGS, **arguments) for _ in range(2))
    other = draw(normal, starts(1), Settings(draws=1000, warmup=400, seed=8), **arguments)

    assert first.flat().tobytes() == again.flat().tobytes()
    assert first.flat().tobytes() != other.flat().tobytes()
    assert jax.numpy.ones(1).dtype == np.float32


def test_the_frame_of_a_normal_posterior_is_its_mean_and_covariance() -> None:
    """Peak and curvature are exact; a parameter that is held stays, with its scale."""
    start = {"a": np.zeros(()), "b": np.ones(2)}
    shared = np.linalg.inv(COVARIANCE)
    found = frame_of(normal, start, held={}, shared=shared, each=MEAN)
    held = frame_of(normal, start, held={"a": 0.3}, shared=shared, each=MEAN)

    np.testing.assert_allclose(found.center, MEAN, atol=1e-4)
    np.testing.assert_allclose(found.scale @ found.scale.T, COVARIANCE, atol=1e-5)
    np.testing.assert_allclose(np.triu(found.scale, 1), 0)
    given = np.linalg.inv(shared[1:, 1:])
    assert held.center[0] == 0
    np.testing.assert_allclose(held.scale[0], [0.3, 0, 0])
    np.testing.assert_allclose(held.scale[1:, 1:] @ held.scale[1:, 1:].T, given, atol=1e-5)
    np.testing.assert_allclose(held.center[1:], MEAN[1:] - given @ shared[1:, 0] * -1.0, atol=1e-4)


def test_the_frame_of_draws_is_their_mean_and_a_careful_covariance() -> None:
    """Correlations shrink as by fifty draws without any, so that few draws have full rank."""
    random = np.random.default_rng(1)
    many = random.multivariate_normal(MEAN, COVARIANCE, 100_000)
    few = random.standard_normal((10, 30))

    np.testing.assert_allclose(frame_from(many).center, MEAN, atol=0.02)
    spread = frame_from(many).scale
    np.testing.assert_allclose(spread @ spread.T, COVARIANCE, atol=0.03)
    scale = frame_from(few).scale
    careful, plain = scale @ scale.T, np.cov(few.T)
    np.testing.assert_allclose(np.diag(careful), np.diag(plain))
    np.testing.assert_allclose(careful[0, 1], plain[0, 1] * 10 / (10 + CAUTION))


def test_rows_of_numbers_are_parameters_by_name() -> None:
    """Numbers, vectors and matrices stand one after the other; leading axes stay."""
    found = unravelled(np.arange(14.0).reshape(2, 7), (("a", ()), ("b", (2,)), ("c", (2, 2))))

    assert found["a"].tolist() == [0, 7]
    assert found["b"].tolist() == [[1, 2], [8, 9]]
    assert found["c"][1].tolist() == [[10, 11], [12, 13]]


def test_without_the_sampler_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The package that is missing is named with the command."""
    monkeypatch.setitem(sys.modules, "numpyro.infer", None)
    words = r"needs numpyro, which is not installed.*pip install 'trabecula\[bayes\]'"
    with pytest.raises(ImportError, match=words):
        draw(normal, starts(1), SETTINGS)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chains": 1}, "chains must be at least 2, got 1"),
        ({"draws": 99}, "draws must be at least 100, got 99"),
        ({"warmup": 1.5}, "warmup must be a whole number, got 1.5"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"target_accept": 1.0}, r"target_accept must lie in \(0, 1\)"),
    ],
)
def test_settings_out_of_range_are_refused(change: dict[str, Any], words: str) -> None:
    """Each error names the setting, its value and what is allowed."""
    with pytest.raises(ValueError, match=words):
        Settings(**change)
