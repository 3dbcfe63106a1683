"""How `binomial_normal` and the single intervals behave: boundaries, batches, errors, words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from tests.synthesis.counts.data import OneArm
from trabecula.synthesis.counts import binomial_normal, clopper_pearson, rule_of_three, wilson

X = [16, 10, 4, 43, 10, 25, 13]
N = [17, 12, 8, 58, 10, 42, 14]


def random_counts(sets: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return events and sizes of data sets of small studies that differ."""
    rng = np.random.default_rng(seed)
    n = rng.integers(2, 25, (sets, k))
    p = special.expit(0.8 + 0.9 * rng.normal(size=(sets, k)))
    return rng.binomial(n, p).astype(float), n.astype(float)


@pytest.mark.parametrize(
    ("events", "n", "status", "low", "high"),
    [
        ([0, 0, 0], [5, 8, 2], "no-events", 0.0, 1 - 0.025 ** (1 / 15)),
        ([5, 8], [5, 8], "all-events", 0.025 ** (1 / 13), 1.0),
    ],
)
def test_data_on_the_boundary_have_the_exact_interval_of_the_total(
    events: list[int], n: list[int], status: str, low: float, high: float
) -> None:
    """Without any event, or with nothing but events, the estimate is 0 or 1 and says so."""
    fit = binomial_normal(events, n)

    assert fit.status == status
    assert fit.proportion == (0.0 if status == "no-events" else 1.0)
    assert np.isinf(fit.estimate)
    assert fit.proportion_ci_low == pytest.approx(low, rel=1e-12)
    assert fit.proportion_ci_high == pytest.approx(high, rel=1e-12)
    assert np.isnan(fit.tau2)
    assert np.isnan(fit.proportion_pi_high)
    assert "takes the studies for one" in fit.summary()


def test_studies_of_all_or_none_are_not_pooled() -> None:
    """Where each study has all events or none the likelihood has no maximum; the total remains."""
    fit = binomial_normal([0, 8], [5, 8])

    assert fit.status == "all-or-none"
    assert np.isnan(fit.proportion)
    assert np.isnan(fit.proportion_ci_low)
    assert (fit.total_events, fit.total_n) == (8, 13)
    assert fit.summary() == (
        "Not pooled: each of 2 studies has all events or none, so that the differences between "
        "studies have no bound. All together 8 of 13 (62 %, exact 95 % CI 32 % to 86 %), which "
        "takes the studies for one."
    )


def test_the_likelihood_of_all_or_none_rises_without_end() -> None:
    """The farther the studies are taken to differ, the likelier the data."""
    likelihood = OneArm(np.array([0.0, 8.0]), np.array([5.0, 8.0]), 41)
    heights = [float(likelihood.height(0.0, tau)[0]) for tau in (1, 4, 16, 64)]

    assert heights == sorted(heights)


def test_one_common_proportion_can_be_fitted_to_all_or_none() -> None:
    """The common model has an estimate there: the total."""
    fit = binomial_normal([0, 8], [5, 8], method="common")

    assert fit.status == "fitted"
    assert fit.proportion == pytest.approx(8 / 13)
    assert fit.tau2 == 0
    assert np.isnan(fit.pi_low)
    assert fit.summary().startswith("Common proportion, 2 studies: 62 % (95 % CI ")


@pytest.mark.parametrize("events", [0, 3, 8])
def test_one_study_has_its_own_exact_interval(events: int) -> None:
    """Nothing is pooled, and nothing is known of heterogeneity."""
    fit = binomial_normal([events], [8])
    low, high = clopper_pearson(events, 8)

    assert fit.status == "one-study"
    assert fit.proportion == pytest.approx(events / 8)
    assert (fit.proportion_ci_low, fit.proportion_ci_high) == (low, high)
    assert np.isnan([fit.tau2, fit.i2, fit.q_lrt_p_value, fit.pi_low, fit.p_value]).all()
    assert fit.summary().startswith(f"One study, nothing pooled: {events} of 8 (")


def test_homogeneous_studies_have_no_between_study_variance() -> None:
    """At zero variance the model is the common one, prediction and confidence interval agree."""
    x, n = [5, 10, 15, 20], [10, 20, 30, 40]
    fit, common = binomial_normal(x, n), binomial_normal(x, n, method="common")

    assert fit.tau2 == 0
    assert fit.estimate == common.estimate
    assert fit.se == common.se
    assert fit.log_likelihood == common.log_likelihood
    assert (fit.pi_low, fit.pi_high) == (fit.ci_low, fit.ci_high)
    assert fit.aic == common.aic + 2


def test_many_data_sets_are_fitted_as_each_alone() -> None:
    """One call for a table of data sets, boundaries among them, gives what single calls give."""
    x, n = random_counts(6, 5, seed=3)
    x[1], x[4] = 0, n[4]
    x[2] = np.where(np.arange(5) < 2, n[2], 0)
    fit = binomial_normal(x.reshape(3, 2, 5), n.reshape(3, 2, 5))

    assert fit.shape == (3, 2)
    assert fit.status.ravel().tolist() == [
        "fitted", "no-events", "all-or-none", "fitted", "all-events", "fitted"
    ]  # fmt: skip
    for i in range(6):
        one, alone = fit[i // 2, i % 2], binomial_normal(x[i], n[i])
        for name in ("estimate", "se", "tau2", "proportion_pi_high", "q_wald", "log_likelihood"):
            np.testing.assert_allclose(getattr(one, name), getattr(alone, name), rtol=1e-9)


def test_a_missing_study_is_as_if_it_were_not_there() -> None:
    """NaN in either array leaves the study out."""
    fit = binomial_normal([*X, 3, np.nan], [*N, np.nan, 5])
    alone = binomial_normal(X, N)

    assert fit.k == 7
    assert fit.estimate == pytest.approx(float(alone.estimate), rel=1e-10)
    assert fit.tau2 == pytest.approx(float(alone.tau2), rel=1e-9)
    assert fit.total_n == alone.total_n


def test_effective_sample_sizes_need_not_be_whole() -> None:
    """Counts shrunk by a hair give results moved by a hair."""
    whole = binomial_normal(X, N)
    shrunk = binomial_normal(0.999 * np.array(X), 0.999 * np.array(N))

    assert shrunk.estimate == pytest.approx(float(whole.estimate), abs=2e-3)
    assert shrunk.estimate != whole.estimate
    assert np.isfinite(shrunk.log_likelihood)


def test_counting_the_other_event_turns_the_result_round() -> None:
    """Events and the rest are symmetric."""
    fit, turned = binomial_normal(X, N), binomial_normal(np.array(N) - X, N)

    assert turned.estimate == pytest.approx(-float(fit.estimate), rel=1e-9)
    assert turned.tau2 == pytest.approx(float(fit.tau2), rel=1e-9)
    assert turned.proportion_pi_low == pytest.approx(1 - float(fit.proportion_pi_high), rel=1e-9)


@pytest.mark.parametrize("nodes", [1, 2, 7, 20])
@pytest.mark.parametrize(("mean", "tau"), [(0.3, 0.0), (1.7, 0.05), (1.7, 1.5), (-2.0, -6.0)])
def test_slopes_are_those_of_the_quadrature(mean: float, tau: float, nodes: int) -> None:
    """The derivatives include the moving nodes: they equal differences of the heights."""
    x, n = random_counts(1, 6, seed=9)
    likelihood = OneArm(x, n, nodes)

    def height(a: float, b: float) -> float:
        return float(likelihood.height(a, b)[0])

    slope, h = likelihood.at(mean, tau).slope.sum(axis=-1), 1e-5
    by_mean = (height(mean + h, tau) - height(mean - h, tau)) / (2 * h)
    by_tau = (height(mean, tau + h) - height(mean, tau - h)) / (2 * h)

    assert float(slope[0, 0]) == pytest.approx(by_mean, abs=1e-8)
    assert float(slope[1, 0]) == pytest.approx(by_tau, abs=1e-8)


def test_likelihood_is_maximised_globally() -> None:
    """No point of a mesh over mean and tau is likelier, in 100 data sets of 4 small studies."""
    x, n = random_counts(100, 4, seed=11)
    fit = binomial_normal(x, n)
    fitted = np.flatnonzero(fit.status == "fitted")
    likelihood = OneArm(x[fitted], n[fitted], 7)
    ones = np.ones(len(fitted))
    highest = np.full(len(fitted), -np.inf)
    for tau in np.append(0.0, np.geomspace(0.02, 30, 25)):
        for mean in np.linspace(-8, 8, 33):
            highest = np.maximum(highest, likelihood.height(mean * ones, tau * ones))

    assert len(fitted) > 80
    assert (highest <= fit.log_likelihood[fitted] - likelihood.kernel.constant + 1e-9).all()


def test_a_maximum_just_reaching_zero_variance_is_found() -> None:
    """Where the likelihood is flat at tau = 0 to third order, the climb still ends."""
    fit = binomial_normal([3, 6, 3, 4, 1, 8, 4, 8, 3, 8], [3, 6, 6, 5, 2, 9, 4, 9, 3, 9])

    assert fit.status == "fitted"
    assert fit.tau2 == pytest.approx(0, abs=1e-3)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
        min_size=1,
        max_size=8,
    )
)
def test_any_counts_give_a_result_that_can_be_told(table: list[tuple[int, int]]) -> None:
    """Every table of counts yields a status, a summary and plain JSON, estimates inside limits."""
    x, n = zip(*table, strict=True)
    fit = binomial_normal(x, n)
    json.dumps(fit.to_dict(), allow_nan=False)

    assert fit.summary().endswith(".")
    if fit.status != "all-or-none":
        assert 0 <= fit.proportion_ci_low <= fit.proportion <= fit.proportion_ci_high <= 1
    if fit.status == "fitted":
        assert fit.se > 0
        assert fit.tau2 >= 0


def test_summary_reads_as_a_paper() -> None:
    """Percentages near 0 and 100 are not rounded to them."""
    assert binomial_normal(X, N).summary() == (
        "Binomial-normal model, 7 studies: 82 % (95 % CI 59 % to 93 %). Heterogeneity: τ² = 0.76 "
        "on the logit scale, likelihood-ratio χ²(6) = 20.81, p = 0.002. 95 % prediction interval "
        "29 % to 98 %."
    )
    assert "more than 99 %" in binomial_normal([200, 0, 1], [200, 150, 10]).summary()
    assert "less than 1 %" in binomial_normal([200, 0, 1], [200, 150, 10]).summary()


def test_rare_events_are_printed_with_digits() -> None:
    """Percentages have the decimals of their interval, totals too; no event at all is 0 %."""
    rare = binomial_normal([3, 1, 2], [1e6, 1e6, 1e6], method="common", test="z")
    even = binomial_normal([3000, 3020], [10_000, 10_000], test="z")
    none = binomial_normal([0, 0], [1e6, 1e6])

    assert "studies: 0.00020 % (95 % CI 0.00009 % to 0.00045 %)" in rare.summary()
    assert "studies: 30.1 % (95 % CI 29.5 % to 30.7 %)" in even.summary()
    assert "0 of 2000000 (0 %, exact 95 % CI 0 % to 0.00018 %)" in none.summary()


def test_summary_describes_one_data_set_only() -> None:
    """Several fits are refused with the way out."""
    with pytest.raises(ValueError, match=r"this fit holds \(2,\): use fit\[i\]"):
        binomial_normal([X, X], N).summary()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events": [3, 11]}, r"events must lie in \[0, n\], got 11 of 10"),
        ({"events": [-1, 2]}, r"events must lie in \[0, .*\], got -1.0 at index 0"),
        ({"n": [0, 10]}, r"n must lie in \(0, .*\], got 0.0 at index 0"),
        ({"events": [1, 2, 3]}, r"events and n must broadcast, got shapes \(3,\) and \(2,\)"),
        ({"events": [np.nan, np.nan]}, "events and n hold no study"),
        ({"events": ["few", "many"]}, "events must be numbers"),
        ({"nodes": 0}, r"nodes must be a whole number in \[1, 200\], got 0"),
        ({"nodes": 7.5}, r"nodes must be a whole number in \[1, 200\], got 7.5"),
        ({"method": "REML"}, "method must be one of ML, common; got 'REML'"),
        ({"test": "knapp-hartung"}, "test must be one of z, t; got 'knapp-hartung'"),
        ({"level": 1.0}, r"level must lie in \(0, 1\), got 1.0"),
    ],
)
def test_wrong_arguments_are_named_with_their_value(
    arguments: dict[str, Any], message: str
) -> None:
    """Each error says which argument, what was given and what is allowed."""
    good: dict[str, Any] = {"events": [3, 4], "n": [10, 10]}

    with pytest.raises(ValueError, match=message):
        binomial_normal(**good | arguments)


def test_single_intervals_broadcast_and_refuse_missing_values() -> None:
    """Arrays in, arrays out; NaN is no count."""
    low, high = clopper_pearson([[0], [5]], [10, 20])

    assert low.shape == high.shape == (2, 2)
    assert low[0].tolist() == [0.0, 0.0]
    for interval in (clopper_pearson, wilson):
        with pytest.raises(ValueError, match=r"events must lie in .* got nan at index 1"):
            interval([1, np.nan], [5, 5])
    with pytest.raises(ValueError, match=r"n must lie in \(0, "):
        rule_of_three(0)
    assert rule_of_three([1, 3, 30]).tolist() == [1.0, 1.0, 0.1]


@pytest.mark.parametrize("n", [1, 7, 40])
def test_clopper_pearson_is_exact(n: int) -> None:
    """At each limit the tail that was left out has probability 2.5 %."""
    x = np.arange(n + 1)
    low, high = clopper_pearson(x, n)

    np.testing.assert_allclose(special.bdtrc(x[1:] - 1, n, low[1:]), 0.025, rtol=1e-10)
    np.testing.assert_allclose(special.bdtr(x[:-1], n, high[:-1]), 0.025, rtol=1e-10)
    np.testing.assert_allclose(low, 1 - high[::-1], atol=1e-12)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_wilson_limits_invert_the_score_test(n: int) -> None:
    """At each limit the score statistic equals the normal quantile."""
    x = np.arange(1, n)
    for limit in wilson(x, n):
        z = (x / n - limit) / np.sqrt(limit * (1 - limit) / n)
        np.testing.assert_allclose(np.abs(z), 1.959963984540054, rtol=1e-10)
    assert wilson(0, n).low == 0
    assert wilson(n, n).high == 1
