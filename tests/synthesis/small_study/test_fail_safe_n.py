"""Fail-safe numbers: that so many studies do overturn the result and one less does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from trabecula.synthesis import random_effects
from trabecula.synthesis.small_study import TooFewStudies, fail_safe_n

SE = np.array([0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5])
Y = np.array([0.3, 0.22, 0.28, 0.5, 0.25, 0.4, 0.5, 0.6, 0.8, 1.1])


def test_so_many_null_results_overturn_rosenthals_test_and_one_less_does_not() -> None:
    """Stouffer's z with n further zeros crosses 1.645 at the fail-safe number."""
    fit = fail_safe_n(Y, SE**2)
    z = [(Y / SE).sum() / np.sqrt(10 + n) for n in (fit.n - 1, fit.n)]

    assert z[0] > stats.norm.isf(0.05) >= z[1]
    assert fit.p_value == pytest.approx(stats.norm.sf((Y / SE).sum() / np.sqrt(10)))


def test_so_many_null_results_bring_orwins_mean_to_the_target() -> None:
    """With k typical studies and n zeros the mean is at most the target, with one less above it."""
    fit = fail_safe_n(Y, SE**2, approach="orwin", target=0.05)
    mean = float(np.average(Y, weights=SE**-2))

    assert 10 * mean / (10 + fit.n) <= 0.05 < 10 * mean / (10 + fit.n - 1)
    assert fail_safe_n(-Y, SE**2, approach="orwin", target=0.05).target == -0.05
    assert fail_safe_n(Y, SE**2, approach="orwin").n == 10
    assert np.isinf(fail_safe_n(Y, SE**2, approach="orwin", target=0).n)
    assert "no number of" in fail_safe_n(Y, SE**2, approach="orwin", target=0).summary()


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_so_many_null_results_overturn_rosenbergs_test(factor: float) -> None:
    """The common-effect fit with n added zeros of typical variance crosses alpha there."""
    v = factor * SE**2
    fit = fail_safe_n(Y, v, approach="rosenberg")
    typical = 1 / np.mean(1 / v)
    p = []
    for n in (int(fit.n) - 1, int(fit.n)):
        more = np.append(Y, np.zeros(n)), np.append(v, np.full(n, typical))
        p.append(float(random_effects(*more, method="common", test="z").p_value))

    assert p[0] < 0.05 <= p[1]


def test_the_general_number_is_the_first_that_is_enough() -> None:
    """With a target or without, one study less leaves the result as it was."""
    by_p = fail_safe_n(Y, SE**2, approach="general")
    by_mean = fail_safe_n(Y, SE**2, approach="general", target=0.1)
    plain = random_effects(Y, SE**2, test="z")

    assert by_p.n > 0
    assert by_mean.n > 0
    assert by_p.estimate == pytest.approx(float(plain.estimate), rel=1e-12)
    assert by_p.p_value == pytest.approx(float(plain.p_value), rel=1e-9)
    assert fail_safe_n(Y, SE**2, approach="general", target=5).n == 0
    assert np.isinf(fail_safe_n(Y, SE**2, approach="general", target=0).n)


@pytest.mark.parametrize("approach", ["rosenthal", "rosenberg", "general"])
def test_what_does_not_reach_alpha_needs_no_further_study(approach: Any) -> None:
    """A result that is no result is overturned by 0 studies."""
    assert fail_safe_n([0.1, -0.1, 0.05], [0.1, 0.1, 0.1], approach=approach).n == 0


@pytest.mark.parametrize("approach", ["rosenthal", "orwin", "rosenberg", "general"])
def test_data_sets_broadcast(approach: Any) -> None:
    """A table of data sets with missing studies gives what each gives alone."""
    y = np.stack([Y, np.where(np.arange(10) == 3, np.nan, Y[::-1])])
    many = fail_safe_n(y, SE**2, approach=approach)
    alone = [
        fail_safe_n(row[~np.isnan(row)], SE[~np.isnan(row)] ** 2, approach=approach) for row in y
    ]

    assert many.shape == (2,)
    assert many.n.tolist() == [float(one.n) for one in alone]
    assert "says nothing about whether there are any" in many[0].summary()


def test_rounding_asks_for_no_further_study() -> None:
    """Ten studies of mean 0.4 need exactly 30 more for a mean of 0.1, whatever rounding adds."""
    fit = fail_safe_n([0.4] * 10, np.linspace(0.1, 0.2, 10), approach="orwin", target=0.1)

    assert fit.n == 30


def test_summaries_tell_none_from_no_number() -> None:
    """Where nothing is needed, and where nothing is enough, different sentences say so."""
    one = fail_safe_n([0.5, 0.5], [0.03, 0.06], approach="orwin", target=0.34)
    enough = fail_safe_n([0.1, -0.1], [1, 1])
    never = fail_safe_n(Y, SE**2, approach="orwin", target=0.0)

    assert one.n == 1
    assert "1 further study without any effect would bring the mean to" in one.summary()
    assert "no further study is needed to bring p above 0.05" in enough.summary()
    assert "no number of further studies without any effect would bring" in never.summary()


def test_bad_arguments_are_named() -> None:
    """The message names the argument; one study is refused."""
    with pytest.raises(ValueError, match="approach must be one of rosenthal"):
        fail_safe_n(Y, SE**2, approach="fisher")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="target belongs to orwin and general"):
        fail_safe_n(Y, SE**2, target=0.1)
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 1\)"):
        fail_safe_n(Y, SE**2, approach="rosenberg", alpha=5)
    with pytest.raises(ValueError, match=r"alpha must lie in \(0, 0.5\), got 0.5"):
        fail_safe_n(Y, SE**2, alpha=0.5)
    with pytest.raises(ValueError, match="target must be one number"):
        fail_safe_n(Y, SE**2, approach="orwin", target=[0.1, 0.2])  # type: ignore[arg-type]
    with pytest.raises(TooFewStudies, match="1 study, 2 are needed: one study is not pooled"):
        fail_safe_n([0.3], [0.1])
