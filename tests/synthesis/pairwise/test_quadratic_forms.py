"""The distribution of weighted sums of chi-squares, against tables, closed forms and a rival."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from trabecula.synthesis.pairwise.quadratic_forms import weighted_chi2_below


def ruben(value: float, weight: np.ndarray, terms: int = 4000) -> float:
    """Return the same probability by the series of Ruben (1962) in chi-square distributions."""
    least = weight.min()
    powers = (1 - least / weight) ** np.arange(1, terms)[:, None]
    pull = powers.sum(axis=1) / 2
    share = np.zeros(terms)
    share[0] = np.sqrt(np.prod(least / weight))
    for m in range(1, terms):
        share[m] = pull[:m][::-1] @ share[:m] / m
    half = len(weight) / 2 + np.arange(terms)
    assert share.sum() == pytest.approx(1, abs=1e-11)
    return float(share @ special.gammainc(half, value / least / 2))


@pytest.mark.parametrize(
    ("degrees", "points"),
    [
        ((1, 1, 1), {0.1: 0.9458, 0.7: 0.5064, 2.0: 0.1240}),
        ((2, 2, 2), {2.0: 0.3998, 6.0: 0.0161}),
        ((6, 4, 2), {1.0: 0.9973, 5.0: 0.4353, 12.0: 0.0088}),
    ],
)
def test_published_probabilities_are_met(
    degrees: tuple[int, int, int], points: dict[float, float]
) -> None:
    """Imhof (1961), Biometrika 48:419-426, table 1: forms with weights 0.6, 0.3 and 0.1."""
    weight = np.repeat([0.6, 0.3, 0.1], degrees)

    for value, above in points.items():
        assert float(1 - weighted_chi2_below(np.array(value), weight)) == pytest.approx(
            above, abs=5e-5
        )


@pytest.mark.parametrize("terms", [1, 2, 3, 19, 99, 5000])
@pytest.mark.parametrize("unit", [1e-30, 1.0, 1e30])
def test_equal_weights_give_chi_square(terms: int, unit: float) -> None:
    """From one term to five thousand, in any unit, from one in a million on either side."""
    share = np.array([1e-6, 0.001, 0.025, 0.5, 0.975, 0.999, 1 - 1e-6])
    value = 2 * special.gammaincinv(terms / 2, share) * unit
    below = weighted_chi2_below(value, np.full((7, terms), unit))

    np.testing.assert_allclose(below, share, atol=1e-13)


@pytest.mark.parametrize(
    "weight", [[1, 0.5, 0.1], [5, 4, 3, 2, 1], [1, 1e-3, 1e-6], [1, 1e-12], [1e12, 1.0, 1e-12]]
)
def test_pairs_of_weights_give_sums_of_exponentials(weight: list[float]) -> None:
    """Where each weight comes twice the distribution has a closed form, however far apart."""
    rates = np.array(weight)
    value = 2 * rates.sum() * np.array([0.001, 0.05, 0.3, 1.0, 2.0, 5.0])
    shares = [np.prod([a / (a - b) for b in rates if b != a]) for a in rates]
    above = sum(c * np.exp(-value / (2 * a)) for a, c in zip(rates, shares, strict=True))
    below = weighted_chi2_below(value, np.tile(np.repeat(rates, 2), (6, 1)))

    np.testing.assert_allclose(below, 1 - above, atol=1e-13)


def test_a_series_gives_the_same() -> None:
    """Ruben's series, which converges where weights differ no more than a hundred-fold."""
    rng = np.random.default_rng(7)
    weight = 10 ** rng.uniform(-1, 1, (8, 7))
    value = weight.sum(axis=1) * rng.uniform(0.2, 2.5, 8)
    theirs = [ruben(v, w) for v, w in zip(value, weight, strict=True)]

    np.testing.assert_allclose(weighted_chi2_below(value, weight), theirs, atol=1e-12)


def test_nothing_is_left_of_zero_and_nothing_beyond_reason() -> None:
    """Far out on either side the probability is 0 or 1, without a warning."""
    weight = np.array([3.0, 1.0, 0.5])
    ends = weighted_chi2_below(np.array([1e-12, 1e6, 1e100]), np.tile(weight, (3, 1)))

    np.testing.assert_allclose(ends, [0, 1, 1], atol=1e-15)
