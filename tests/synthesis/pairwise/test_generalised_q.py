"""The generalised Q: its distribution, the intervals from it, and its weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.synthesis.pairwise.test_quadratic_forms import ruben
from trabecula.synthesis import random_effects
from trabecula.synthesis.pairwise.generalised_q import GeneralisedQ
from trabecula.synthesis.pairwise.quadratic_forms import weighted_chi2_below
from trabecula.synthesis.studies import Studies

Y = np.array([-0.889, -1.585, -1.348, -1.442, -0.218, -0.786, -1.621])
V = np.array([0.326, 0.195, 0.415, 0.020, 0.051, 0.007, 0.223])


def terms(weight: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Return the weights of the chi-squares: eigenvalues of the quadratic form."""
    projection = np.diag(weight) - np.outer(weight, weight) / weight.sum()
    root = np.sqrt(total)
    return np.linalg.eigvalsh(root[:, None] * projection * root)[1:]


def test_distribution_needs_no_eigenvalues() -> None:
    """The determinant gives the probability that the eigenvalues give; so does its slope."""
    rng = np.random.default_rng(3)
    weight = 10 ** rng.uniform(-2, 2, (20, 9))
    studies = Studies.read(rng.normal(size=(20, 9)), 10 ** rng.uniform(-2, 1, (20, 9)))
    statistic = GeneralisedQ.of(studies, weight)
    tau2 = rng.uniform(0, 2, 20)
    below, slope = statistic.below(tau2)
    eigenvalues = np.array(
        [terms(w, v + t) for w, v, t in zip(weight, studies.variance, tau2, strict=True)]
    )
    near = [statistic.below(tau2 + step)[0] for step in (1e-5, -1e-5)]

    np.testing.assert_allclose(below, weighted_chi2_below(statistic.q, eigenvalues), atol=1e-13)
    np.testing.assert_allclose(slope, (near[0] - near[1]) / 2e-5, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("level", [0.8, 0.95, 0.999])
def test_limits_solve_their_equations(level: float) -> None:
    """At each limit Q has its tail probability, by a series in the eigenvalues."""
    fit = random_effects(Y, V, method="GENQ", level=level)
    q = float(fit.q)

    for limit, below in (
        (fit.tau2_ci_low, (1 + level) / 2),
        (fit.tau2_ci_high, (1 - level) / 2),
    ):
        assert ruben(q, terms(1 / V, V + limit)) == pytest.approx(below, abs=1e-10)


def test_median_unbiased_estimate_has_half_the_probability_below() -> None:
    """The estimate lies where Q is as likely smaller as larger."""
    tau2 = float(random_effects(Y, V, method="GENQ-median").tau2)

    assert ruben(float(random_effects(Y, V).q), terms(1 / V, V + tau2)) == pytest.approx(
        0.5, abs=1e-9
    )


@pytest.mark.parametrize(("method", "weights"), [("DL", 1 / V), ("HE", np.full(7, 3.0))])
def test_moment_estimators_are_special_cases(method: Any, weights: np.ndarray) -> None:
    """Inverse variances give DerSimonian-Laird, equal weights Hedges, with their errors."""
    special_case = random_effects(Y, V, method=method)
    fit = random_effects(Y, V, method="GENQ", weights=weights)

    assert float(fit.tau2) == pytest.approx(float(special_case.tau2), rel=1e-12)
    assert float(fit.tau2_se) == pytest.approx(float(special_case.tau2_se), rel=1e-12)


def test_given_weights_weigh_the_mean() -> None:
    """Equal weights give the plain mean, with the standard error that has under the model."""
    fit = random_effects(Y, V, method="GENQ", weights=np.ones(7), test="z")
    tau2 = float(fit.tau2)

    assert float(fit.estimate) == pytest.approx(Y.mean(), rel=1e-13)
    assert float(fit.se) == pytest.approx(np.sqrt((V + tau2).sum()) / 7, rel=1e-13)
    np.testing.assert_allclose(fit.weights, 100 / 7, rtol=1e-13)
    assert float(fit.ml.log_likelihood) == pytest.approx(
        -0.5 * (np.log(2 * np.pi * (V + tau2)) + (Y - Y.mean()) ** 2 / (V + tau2)).sum(), rel=1e-12
    )


def test_only_the_ratio_of_weights_matters() -> None:
    """Weights a million times as large change nothing."""
    one = random_effects(Y, V, method="GENQ", weights=np.sqrt(1 / V))
    other = random_effects(Y, V, method="GENQ", weights=1e6 * np.sqrt(1 / V))

    for name in ("estimate", "se", "tau2", "tau2_se", "tau2_ci_low", "tau2_ci_high"):
        assert float(getattr(other, name)) == pytest.approx(float(getattr(one, name)), rel=1e-9)


def test_weights_broadcast_and_leave_missing_studies_out() -> None:
    """One row of weights serves many data sets; a missing study needs none."""
    y = np.stack([Y, np.where(np.arange(7) == 2, np.nan, Y)])
    weights = np.where(np.arange(7) == 2, 5.0, 1.0)
    fit = random_effects(y, V, method="GENQ", weights=weights)
    short = random_effects(np.delete(Y, 2), np.delete(V, 2), method="GENQ", weights=np.ones(6))

    assert float(fit[1].tau2_ci_high) == pytest.approx(float(short.tau2_ci_high), rel=1e-9)
    assert float(fit[1].estimate) == pytest.approx(float(short.estimate), rel=1e-12)
    assert np.isnan(fit.weights[1, 2])
    assert float(fit[0].weights[2]) == pytest.approx(100 * 5 / 11)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"method": "REML", "weights": np.ones(7)},
            "weights are for methods GENQ, GENQ-median, got method 'REML'",
        ),
        ({"weights": [1.0, 2.0]}, r"weights must broadcast to shape \(7,\), got shape \(2,\)"),
        ({"weights": np.zeros(7)}, r"weights must lie in \(0, 1e\+30\], got 0.0"),
        ({"weights": np.full(7, np.nan)}, r"weights must lie in .* got nan"),
    ],
)
def test_wrong_weights_are_named(arguments: dict[str, Any], message: str) -> None:
    """Each error says what is wrong with the weights."""
    with pytest.raises(ValueError, match=message):
        random_effects(Y, V, **{"method": "GENQ"} | arguments)


def test_interval_holds_its_level_with_few_studies() -> None:
    """The interval is exact: 95 % of 1,000 data sets within three standard errors (0.7 % each)."""
    rng = np.random.default_rng(20264)
    variance = rng.uniform(0.05, 0.3, (1000, 5))
    fit = random_effects(rng.normal(0.5, np.sqrt(variance + 0.2)), variance, method="GENQ")
    held = np.mean((fit.tau2_ci_low <= 0.2) & (fit.tau2_ci_high >= 0.2))

    assert held == pytest.approx(0.95, abs=0.021)


def test_median_is_as_often_too_small_as_too_large() -> None:
    """Of 1,000 estimates half lie below the truth, within three standard errors (1.6 % each)."""
    rng = np.random.default_rng(20265)
    variance = rng.uniform(0.05, 0.3, (1000, 5))
    y = rng.normal(0.5, np.sqrt(variance + 0.5))
    fit = random_effects(y, variance, method="GENQ-median")

    assert np.mean(fit.tau2 < 0.5) == pytest.approx(0.5, abs=0.048)


def test_interval_of_two_studies_has_a_closed_form() -> None:
    """With two studies Q is a multiple of one chi-square."""
    y, v = np.array([0.0, 3.0]), np.array([0.2, 0.5])
    fit = random_effects(y, v, method="GENQ")
    quantile = 2 * special.gammaincinv(0.5, [0.975, 0.025])

    np.testing.assert_allclose(
        [fit.tau2_ci_low, fit.tau2_ci_high], (9 / quantile - v.sum()) / 2, rtol=1e-9
    )
