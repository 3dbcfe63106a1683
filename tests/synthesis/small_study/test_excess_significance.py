"""The test of excess significance: power, its three forms, and its level."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from scipy import stats

from trabecula.synthesis.small_study import TooFewStudies, excess_significance_test

SE = np.array([0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5])
Y = np.array([0.3, 0.22, 0.28, 0.5, 0.25, 0.4, 0.5, 0.6, 0.8, 1.1])


def test_power_is_the_chance_to_reach_the_threshold() -> None:
    """With one true effect it is the power of a z test, on each side or on both."""
    for alternative, expected in (
        ("greater", stats.norm.sf(1.959964 - 0.2 / SE)),
        ("less", stats.norm.cdf(-1.959964 - 0.2 / SE)),
    ):
        test = excess_significance_test(
            Y,
            SE**2,
            true_effect=0.2,
            method="common",
            alternative=alternative,  # type: ignore[arg-type]
            alpha=0.025,
        )
        np.testing.assert_allclose(test.power, expected, rtol=1e-6)
    both = excess_significance_test(Y, SE**2, true_effect=0.2, method="common")
    sides = stats.norm.sf(1.959964 - 0.2 / SE) + stats.norm.cdf(-1.959964 - 0.2 / SE)
    np.testing.assert_allclose(both.power, sides, rtol=1e-6)


def test_the_exact_test_counts_every_outcome() -> None:
    """Its p-value is the sum over all ways in which so many or more studies reach alpha."""
    test = excess_significance_test(Y, SE**2)
    total = 0.0
    for outcome in itertools.product((0, 1), repeat=10):
        if sum(outcome) >= test.observed:
            total += float(np.prod(np.where(outcome, test.power, 1 - test.power)))

    assert test.observed == (np.abs(Y / SE) >= 1.959964).sum()
    assert test.p_value == pytest.approx(total, rel=1e-12)


def test_the_other_forms_are_textbook_tests() -> None:
    """Binomial with the average power, chi-square without correction, both one-sided."""
    binomial = excess_significance_test(Y, SE**2, test="binomial")
    chi = excess_significance_test(Y, SE**2, test="chi-square")
    share = float(chi.expected) / 10
    z = (int(chi.observed) - float(chi.expected)) / np.sqrt(10 * share * (1 - share))

    expected = stats.binom.sf(int(binomial.observed) - 1, 10, share)
    assert binomial.p_value == pytest.approx(expected, rel=1e-10)
    assert chi.statistic == pytest.approx(z**2, rel=1e-12)
    assert chi.p_value == pytest.approx(stats.norm.sf(z), rel=1e-12)


@pytest.mark.parametrize("form", ["exact", "binomial", "chi-square"])
def test_no_study_at_all_is_no_excess(form: Any) -> None:
    """Where none reaches the threshold the p-value is 1, or nearly."""
    test = excess_significance_test(0.01 * Y, SE**2, test=form)

    assert test.observed == 0
    assert test.p_value > 0.5


def test_data_sets_broadcast() -> None:
    """A table of data sets with missing studies gives what each gives alone."""
    y = np.stack([Y, np.where(np.arange(10) == 3, np.nan, Y[::-1])])
    many = excess_significance_test(y, SE**2, minimum_studies=9)
    kept = ~np.isnan(y[1])
    alone = excess_significance_test(y[1, kept], SE[kept] ** 2, minimum_studies=9)

    assert many.shape == (2,)
    assert many[1].p_value == pytest.approx(float(alone.p_value), rel=1e-9)
    assert np.isnan(many.power[1, 3])
    assert "does not show that there was no selection" in many[1].summary()


def test_thresholds_and_effects_are_single_numbers() -> None:
    """Lists are named, not passed on."""
    with pytest.raises(ValueError, match="alpha must be one number"):
        excess_significance_test([0.1] * 10, [1] * 10, alpha=[0.1])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="true_effect must be one number"):
        excess_significance_test([0.1] * 10, [1] * 10, true_effect=[1])  # type: ignore[arg-type]


def test_too_few_studies_are_refused() -> None:
    """Nine studies are too few by default, and the reason is given."""
    with pytest.raises(TooFewStudies, match="one study on the other side of the threshold"):
        excess_significance_test(Y[:9], SE[:9] ** 2)


def test_the_exact_test_keeps_its_level_at_the_true_effect() -> None:
    """With the true effect given at most 5 % of 5,000 unselected data sets have p below 0.05."""
    rng = np.random.default_rng(4)
    se = rng.uniform(0.1, 0.5, (5000, 12))
    test = excess_significance_test(rng.normal(0.3, se), se**2, true_effect=0.3, method="common")

    assert 0.02 < (test.p_value < 0.05).mean() < 0.06
