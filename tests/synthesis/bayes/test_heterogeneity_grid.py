"""The quadrature over the heterogeneity: closed forms, jumps, spikes, heavy tails, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trabecula.synthesis.bayes import ImproperPosteriorError, heterogeneity_grid

P = np.array([0.001, 0.025, 0.25, 0.5, 0.75, 0.975, 0.999])


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1.0, 1e9])
def test_an_exponential_distribution(scale: float) -> None:
    """Mass, moments, distribution function and quantiles; the scale given may be off."""
    grid = heterogeneity_grid(lambda tau: -tau / scale, 20 * scale)
    x = scale * np.array([1e-6, 0.01, 1.0, 10.0])

    assert grid.log_evidence == pytest.approx(math.log(scale), abs=1e-12)
    np.testing.assert_allclose(grid.weight @ grid.tau, scale, rtol=1e-13)
    np.testing.assert_allclose(grid.weight @ grid.tau**2, 2 * scale**2, rtol=1e-13)
    np.testing.assert_allclose(grid.cdf(x), -np.expm1(-x / scale), atol=grid.error)
    np.testing.assert_allclose(grid.quantile(P), -scale * np.log1p(-P), rtol=1e-6)
    assert grid.tail > 1e6
    assert grid.error < 1e-7


@pytest.mark.parametrize("df", [0.5, 1.0, 2.0, 4.0])
def test_tails_that_fall_with_a_power(df: float) -> None:
    """Half-t: the power of the tail, the moments that exist, quantiles far out."""
    grid = heterogeneity_grid(lambda tau: stats.t.logpdf(tau, df), 1.0)

    assert grid.log_evidence == pytest.approx(-math.log(2), abs=1e-10)
    assert grid.tail == pytest.approx(df, abs=1e-6)
    assert [grid.has_moment(m) for m in (1, 2)] == [df > 1, df > 2]
    np.testing.assert_allclose(grid.quantile(P), stats.t.ppf((1 + P) / 2, df), rtol=1e-5)
    if df > 2:
        np.testing.assert_allclose(grid.weight @ grid.tau**2, df / (df - 2), rtol=1e-9)


def test_a_moment_that_hardly_exists_is_taken_not_to() -> None:
    """Rounding must not make a logarithmically diverging mean finite."""
    grid = heterogeneity_grid(lambda tau: stats.t.logpdf(tau, 1.03), 1.0)

    assert not grid.has_moment(1)


def test_the_rounding_of_a_large_logarithm_is_not_chased() -> None:
    """Far below zero a log-density has few digits: panels are not halved to find more."""
    grid = heterogeneity_grid(lambda tau: -1e10 - tau, 1.0)

    assert len(grid.tau) < 1000
    np.testing.assert_allclose(grid.quantile(P), -np.log1p(-P), rtol=1e-3)


def test_tails_that_fall_slower_than_any_power() -> None:
    """Log-t with 5 degrees of freedom keeps 1e-11 of its mass beyond 1e-280 and 1e120."""
    law = stats.t(5, loc=-1.7, scale=1.3)
    grid = heterogeneity_grid(lambda tau: law.logpdf(np.log(tau)) - np.log(tau), 1.0)

    assert abs(grid.log_evidence) < 1e-9
    np.testing.assert_allclose(grid.cdf(np.exp(law.ppf(P))), P, atol=1e-8)


def test_spikes_and_twins() -> None:
    """A spike far from the scale is found, and so are two modes, however narrow."""
    spike = heterogeneity_grid(lambda tau: -0.5 * ((np.log(tau) - 9.3) / 1e-5) ** 2, 1.0)

    def two(tau: np.ndarray) -> np.ndarray:
        parts = [-0.5 * ((np.log(tau) - at) / 1e-5) ** 2 for at in (-2.1, 2.1)]
        return np.asarray(np.logaddexp(*parts) - np.log(tau))

    twins = heterogeneity_grid(two, 1.0)

    assert spike.log_evidence == pytest.approx(9.3 + math.log(1e-5 * math.sqrt(2 * math.pi)))
    assert twins.cdf(np.array(1.0)) == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize("upper", [0.3, 3.0, 1e5])
def test_a_bounded_support(upper: float) -> None:
    """A density that jumps to 0 at the end of its support is integrated to the last digit."""
    grid = heterogeneity_grid(lambda tau: np.where(tau <= upper, 0.0, -np.inf), 1.0, upper=upper)

    assert grid.log_evidence == pytest.approx(math.log(upper), abs=1e-13)
    np.testing.assert_allclose(grid.quantile(P), P * upper, rtol=1e-9)


def test_a_jump_nobody_told_of() -> None:
    """A jump inside is closed in on by halving."""
    grid = heterogeneity_grid(lambda tau: np.where((tau > 1) & (tau < 2), 0.0, -np.inf), 1.0)

    assert grid.log_evidence == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(grid.quantile(np.array([0.25, 0.75])), [1.25, 1.75], rtol=1e-8)


@pytest.mark.parametrize(
    ("log_density", "end"),
    [
        (lambda tau: 0 * tau, "as the heterogeneity grows"),
        (lambda tau: -np.log(tau), "towards no heterogeneity"),
        (lambda tau: -1.5 * np.log(tau), "towards no heterogeneity"),
        (lambda tau: -np.log1p(tau), "as the heterogeneity grows"),
    ],
)
def test_no_finite_mass(log_density: object, end: str) -> None:
    """An improper distribution is refused, with the end at which it is."""
    with pytest.raises(ImproperPosteriorError, match=f"improper: it keeps infinite mass {end}"):
        heterogeneity_grid(log_density, 1.0)  # type: ignore[arg-type]


def test_mass_beyond_reach() -> None:
    """A log-Cauchy distribution is proper, but a 500th of it lies where no number does."""
    law = stats.cauchy()
    with pytest.raises(ImproperPosteriorError, match="beyond the reach of double precision"):
        heterogeneity_grid(lambda tau: law.logpdf(np.log(tau)) - np.log(tau), 1.0)


def test_a_function_too_rough_to_resolve_ends_and_says_so() -> None:
    """Halving stops at a bounded number of panels, and the error is not hidden."""
    grid = heterogeneity_grid(lambda tau: -tau + np.log1p(0.5 * np.sin(1e6 * tau)), 1.0)

    assert 1e-3 < grid.error < 1
    assert len(grid.tau) < 16 * 5000


def test_functions_that_are_no_density() -> None:
    """NaN, infinity and zero everywhere are errors that say so."""
    with pytest.raises(ValueError, match="has no value at"):
        heterogeneity_grid(lambda tau: np.where(tau > 1, np.nan, -tau), 1.0)
    with pytest.raises(ValueError, match="has no value at"):
        heterogeneity_grid(lambda tau: np.where(tau > 1, np.inf, -tau), 1.0)
    with pytest.raises(ValueError, match="is zero, or too small for double precision"):
        heterogeneity_grid(lambda tau: np.full_like(tau, -np.inf), 1.0)
    with pytest.raises(ValueError, match="too small for double precision"):
        heterogeneity_grid(lambda tau: -1e16 - tau, 1.0)


@settings(max_examples=40, deadline=None)
@given(
    shape=st.floats(0.3, 200),
    scale=st.floats(-6, 6).map(lambda e: 10**e),
    guess=st.floats(-3, 3).map(lambda e: 10**e),
)
def test_gamma_distributions(shape: float, scale: float, guess: float) -> None:
    """Any shape, any scale, any guess: mass, mean and median of a gamma distribution."""
    law = stats.gamma(shape, scale=scale)
    grid = heterogeneity_grid(law.logpdf, guess)

    assert abs(grid.log_evidence) < 1e-9
    np.testing.assert_allclose(grid.weight @ grid.tau, shape * scale, rtol=1e-9)
    np.testing.assert_allclose(grid.quantile(P), law.ppf(P), rtol=1e-6)
    np.testing.assert_allclose(grid.cdf(grid.quantile(P)), P, atol=1e-12)
