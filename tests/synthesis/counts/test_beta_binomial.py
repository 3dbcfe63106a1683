"""The beta-binomial model: its likelihood, its maximum, its edges."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.synthesis.counts.data import one_arm
from trabecula.synthesis.counts import beta_binomial, binomial_normal, clopper_pearson
from trabecula.synthesis.counts.dispersion import BetaBinomial


def height(x: np.ndarray, n: np.ndarray, logit: float, root: float) -> Any:
    """Return heights and slopes of one data set, study by study."""
    place = np.array([logit, root]).reshape(2, 1, 1)
    return BetaBinomial(x[None].astype(float), n[None].astype(float))(place)


def log_likelihood(x: np.ndarray, n: np.ndarray, logit: float, rho: float) -> float:
    """Return the log-likelihood by SciPy's distribution."""
    mean, total = 1 / (1 + np.exp(-logit)), (1 - rho) / rho
    return float(stats.betabinom.logpmf(x, n, mean * total, (1 - mean) * total).sum())


@pytest.mark.parametrize("dataset", ["pritz1997", "debruin2009", "smallprop"])
def test_the_maximum_is_a_maximum(dataset: str) -> None:
    """The log-likelihood is SciPy's there, and lower wherever else one looks."""
    x, n = one_arm(dataset)
    fit = beta_binomial(x, n)
    logit, rho, top = float(fit.estimate), float(fit.rho), float(fit.log_likelihood)

    assert log_likelihood(x, n, logit, rho) == pytest.approx(top, abs=1e-9)
    for step in (1e-2, -1e-2):
        for scale in (1.05, 1.0, 0.95):
            assert log_likelihood(x, n, logit + step, rho * scale) < top
        assert log_likelihood(x, n, logit, rho * (1 + step)) < top


def test_the_standard_error_is_the_observed_information() -> None:
    """The inverse of the curvatures by mean and dispersion, from differences of SciPy's heights."""
    x, n = one_arm("pritz1997")
    fit = beta_binomial(x, n)
    at, h = (float(fit.estimate), float(fit.rho)), (1e-3, 1e-4)

    def second(i: int, j: int) -> float:
        total = 0.0
        for s in (1, -1):
            for t in (1, -1):
                place = list(at)
                place[i] += s * h[i]
                place[j] += t * h[j]
                total += s * t * log_likelihood(x, n, *place)
        return total / (4 * h[i] * h[j])

    information = -np.array([[second(0, 0), second(0, 1)], [second(1, 0), second(1, 1)]])
    assert fit.se == pytest.approx(np.linalg.inv(information)[0, 0] ** 0.5, rel=1e-5)


@pytest.mark.parametrize("root", [1e-5, 1e-4, 1e-2, 0.2, -0.25, 1.0, 30.0])
def test_slopes_are_those_of_the_likelihood(root: float) -> None:
    """From hardly any dispersion to all or none, on both sides of the switch of formulas."""
    x, n = np.array([0, 3, 900, 17]), np.array([4, 3, 5000, 60])
    step = 1e-4 * max(abs(root), 0.01)
    slope = height(x, n, -0.7, root).slope[:, 0]
    by_logit = height(x, n, -0.7 + 1e-5, root).value - height(x, n, -0.7 - 1e-5, root).value
    by_root = height(x, n, -0.7, root + step).value - height(x, n, -0.7, root - step).value

    np.testing.assert_allclose(slope[0], by_logit[0] / 2e-5, rtol=1e-6, atol=1e-5)
    np.testing.assert_allclose(slope[1], by_root[0] / (2 * step), rtol=1e-3, atol=1e-4)


def test_without_dispersion_it_is_the_binomial() -> None:
    """Equal studies have no dispersion; the fit is that of one proportion for all."""
    fit = beta_binomial([5, 10, 15, 20], [10, 20, 30, 40])
    common = binomial_normal([5, 10, 15, 20], [10, 20, 30, 40], method="common")

    assert fit.rho == 0
    assert (fit.estimate, fit.se, fit.log_likelihood) == (
        common.estimate,
        common.se,
        common.log_likelihood,
    )
    assert fit.proportion_pi_low == fit.proportion_pi_high == fit.proportion
    assert fit.summary().endswith("The studies do not differ by more than chance (ρ = 0).")


def test_two_patients_a_study_have_a_closed_form() -> None:
    """With pairs the mean is the share of events, and rho the correlation within pairs."""
    x = np.repeat([0, 1, 2], [30, 20, 10])
    fit = beta_binomial(x, 2)
    p = x.mean() / 2

    assert fit.proportion == pytest.approx(p, rel=1e-9)
    assert fit.rho == pytest.approx(1 - (20 / 60) / (2 * p * (1 - p)), rel=1e-8)


@pytest.mark.parametrize(
    ("x", "n", "status"),
    [
        ([0, 0, 0], [5, 8, 2], "no-events"),
        ([5, 8], [5, 8], "all-events"),
        ([0, 8], [5, 8], "all-or-none"),
        ([3], [8], "one-study"),
    ],
)
def test_data_without_a_fit_say_why(x: list[int], n: list[int], status: str) -> None:
    """The crude total with its exact interval remains, and no number is invented."""
    fit = beta_binomial(x, n)

    assert fit.status == status
    assert np.isnan(fit.rho)
    assert np.isnan(fit.log_likelihood)
    assert (fit.total_ci_low, fit.total_ci_high) == clopper_pearson(sum(x), sum(n))
    assert fit.summary() == binomial_normal(x, n).summary()
    json.dumps(fit.to_dict(), allow_nan=False)


def test_large_studies_and_batches() -> None:
    """A million patients are no trouble, and data sets are fitted as each alone."""
    rng = np.random.default_rng(6)
    n = rng.integers(3, 50, (20, 7)).astype(float)
    x = rng.binomial(n.astype(int), rng.beta(2, 5, n.shape)).astype(float)
    x[3], n[4] = 0, 1e6
    x[4] = rng.binomial(10**6, rng.beta(20, 50, 7))
    n[5, 3:] = np.nan
    fit = beta_binomial(x, n)

    assert fit.status[3] == "no-events"
    assert fit.rho[4] == pytest.approx(1 / 71, rel=0.9)
    for i in range(20):
        alone = beta_binomial(x[i], n[i])
        for name in ("estimate", "se", "rho", "log_likelihood", "proportion_pi_high"):
            np.testing.assert_allclose(getattr(fit, name)[i], getattr(alone, name), rtol=1e-7)


def test_coverage() -> None:
    """In 400 data sets of ten small studies t intervals hold the mean proportion."""
    rng = np.random.default_rng(9)
    n = rng.integers(5, 40, (400, 10))
    fit = beta_binomial(rng.binomial(n, rng.beta(3, 9, n.shape)), n)
    held = (fit.proportion_ci_low < 0.25) & (fit.proportion_ci_high > 0.25)

    assert 0.90 < held.mean() < 0.98
    assert float(fit.rho.mean()) == pytest.approx(1 / 13, abs=0.02)


def test_errors_and_summary() -> None:
    """Arguments are named; the words say which mean and which spread."""
    with pytest.raises(ValueError, match=r"events must lie in \[0, n\], got 11 of 10"):
        beta_binomial([3, 11], 10)
    with pytest.raises(ValueError, match="test must be one of z, t"):
        beta_binomial([3, 4], 10, test="knapp-hartung")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"this fit holds \(2,\): use fit\[i\]"):
        beta_binomial([[3, 1], [2, 8]], 10).summary()
    assert beta_binomial(*one_arm("pritz1997")).summary() == (
        "Beta-binomial model, 14 studies: mean proportion 77 % (95 % CI 67 % to 85 %). "
        "Correlation within studies ρ = 0.091; 95 % of the studies' proportions lie between "
        "48 % and 96 %, if the model holds."
    )
