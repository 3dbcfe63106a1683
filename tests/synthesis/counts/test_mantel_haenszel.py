"""How Mantel-Haenszel and Peto estimates behave: empty cells, edges, batches, errors, words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.synthesis.counts.data import two_arms
from trabecula.synthesis.counts import mantel_haenszel, mantel_haenszel_rates, peto

MEASURES = ("OR", "RR", "RD")
TABLE = st.tuples(st.integers(1, 60), st.integers(1, 60)).flatmap(
    lambda n: st.tuples(st.integers(0, n[0]), st.just(n[0]), st.integers(0, n[1]), st.just(n[1]))
)


def same(left: Any, right: Any, rtol: float = 1e-10) -> None:
    """Assert that the numbers of two results agree, but for the weights."""
    for name, value in left.to_dict().items():
        if name != "weights" and not isinstance(value, str):
            mine, other = getattr(left, name), getattr(right, name)
            np.testing.assert_allclose(mine, other, rtol=rtol, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("measure", MEASURES)
def test_one_study_gives_its_own_effect(measure: Any) -> None:
    """A lone table gives the plain ratio or difference; nothing is said of heterogeneity."""
    fit = mantel_haenszel([12], [40], [20], [50], measure=measure)
    own = {"OR": 12 * 30 / (28 * 20), "RR": 12 * 50 / (40 * 20), "RD": 12 / 40 - 20 / 50}[measure]
    value = float(fit.estimate) if measure == "RD" else np.exp(float(fit.estimate))

    assert value == pytest.approx(own, rel=1e-13)
    assert np.isnan([fit.q, fit.i2, fit.q_p_value, fit.tarone, fit.tarone_p_value]).all()
    assert fit.weights.tolist() == [100.0]
    assert fit.summary().startswith("Mantel-Haenszel estimate of 1 study: ")


def test_the_variance_of_a_lone_table_is_that_of_woolf() -> None:
    """Robins, Breslow and Greenland's variance is 1/a + 1/b + 1/c + 1/d for one table."""
    fit = mantel_haenszel([12], [40], [20], [50])

    assert fit.se**2 == pytest.approx(1 / 12 + 1 / 28 + 1 / 20 + 1 / 30, rel=1e-13)


def test_double_zero_studies_dilute_the_risk_difference_alone() -> None:
    """Ratios do not change by a study without events; the difference is drawn to none."""
    counts = ([3, 5], [40, 60], [6, 9], [42, 55])
    more = ([3, 5, 0], [40, 60, 90], [6, 9, 0], [42, 55, 80])
    for measure in ("OR", "RR"):
        plain, diluted = (mantel_haenszel(*x, measure=measure) for x in (counts, more))
        assert diluted.estimate == pytest.approx(float(plain.estimate), rel=1e-13)
        assert diluted.se == pytest.approx(float(plain.se), rel=1e-13)
        assert diluted.weights[2] == 0
        assert diluted.k_double_zero == 1
    plain, diluted = (mantel_haenszel(*x, measure="RD") for x in (counts, more))

    assert abs(diluted.estimate) < abs(plain.estimate)
    assert diluted.weights[2] > 40
    assert diluted.q_df == 1
    assert "counts as no difference, with weight by size" in diluted.summary()
    assert peto(*more).estimate == pytest.approx(float(peto(*counts).estimate), rel=1e-13)


@pytest.mark.parametrize("measure", ["OR", "RR"])
@pytest.mark.parametrize(
    ("events_1", "events_2", "status", "words"),
    [
        ([0, 0], [3, 4], "zero", "is 0: arm 1 has no event"),
        ([3, 4], [0, 0], "infinite", "has no upper bound"),
        ([0, 0], [0, 0], "undefined", "so that there is no"),
    ],
)
def test_ratios_without_a_number_say_so(
    measure: Any, events_1: list[int], events_2: list[int], status: str, words: str
) -> None:
    """Where one arm never has the event there is a direction and no interval."""
    fit = mantel_haenszel(events_1, [10, 20], events_2, [10, 20], measure=measure)

    assert fit.status == status
    assert float(fit.estimate) == {"zero": -np.inf, "infinite": np.inf}.get(status) or (
        status == "undefined" and np.isnan(fit.estimate)
    )
    assert np.isnan([fit.se, fit.ci_low, fit.ci_high, fit.p_value, fit.q]).all()
    assert words in fit.summary()
    assert np.isfinite(fit.cmh) == (status != "undefined")


@pytest.mark.parametrize(
    ("events_1", "events_2", "status", "words"),
    [
        ([3, 0], [10, 5], "zero", "is 0: arm 1 has no event (or arm 2 nothing but events)"),
        ([10, 20], [3, 0], "infinite", "arm 2 has no event (or arm 1 nothing but events)"),
    ],
)
def test_nothing_but_events_in_an_arm_ends_an_odds_ratio(
    events_1: list[int], events_2: list[int], status: str, words: str
) -> None:
    """Either emptiness drives an odds ratio to its end, and the summary claims neither alone."""
    fit = mantel_haenszel(events_1, [10, 20], events_2, [10, 20])

    assert fit.status == status
    assert words in fit.summary()


def test_what_is_lacking_is_named_by_measure() -> None:
    """Odds need events and others, risks and rates events."""
    none = ([0, 0], [10, 20], [0, 0], [10, 20])

    assert "no study has both events and others" in mantel_haenszel(*none).summary()
    assert "no study has an event" in mantel_haenszel(*none, measure="RR").summary()
    assert "no study has an event" in mantel_haenszel_rates(*none).summary()


@pytest.mark.parametrize("measure", MEASURES)
def test_events_in_all_patients_leave_no_variance(measure: Any) -> None:
    """Where everybody has the event the risk ratio is 1 and its interval would have no width."""
    fit = mantel_haenszel([5, 8], [5, 8], [6, 9], [6, 9], measure=measure)

    assert fit.status == ("undefined" if measure == "OR" else "no-variance")
    assert np.isnan([fit.se, fit.ci_low]).all()
    assert ("without an interval" in fit.summary()) == (measure != "OR")


def test_the_risk_difference_of_opposite_arms_has_no_variance() -> None:
    """All against none: the difference is 1, and the counts cannot tell how sure it is."""
    fit = mantel_haenszel([7], [7], [0], [9], measure="RD")

    assert fit.status == "no-variance"
    assert fit.estimate == pytest.approx(1)
    assert "without an interval" in fit.summary()


def test_the_continuity_correction_never_passes_no_effect() -> None:
    """A distance below half a patient counts as none (metafor squares what is left of it)."""
    with_it, without = (
        mantel_haenszel([5, 5], [20, 20], [5, 5], [20, 21], correct=c) for c in (True, False)
    )

    assert with_it.cmh == 0
    assert without.cmh > 0


def test_many_data_sets_are_pooled_as_each_alone() -> None:
    """One call for a table of data sets, ragged and degenerate ones among them."""
    rng = np.random.default_rng(4)
    n = rng.integers(5, 40, (3, 2, 6)).astype(float)
    a, c = rng.binomial(n.astype(int), 0.2), rng.binomial(n.astype(int), 0.3)
    a, c = a.astype(float), c.astype(float)
    a[0, 1, 4:] = np.nan
    a[2, 0] = 0
    for measure in MEASURES:
        fit = mantel_haenszel(a, n, c, n, measure=measure)
        assert fit.shape == (3, 2)
        for i in np.ndindex(3, 2):
            same(fit[i], mantel_haenszel(a[i], n[i], c[i], n[i], measure=measure))
    fit = peto(a, n, c, n)
    for i in np.ndindex(3, 2):
        same(fit[i], peto(a[i], n[i], c[i], n[i]))


@settings(max_examples=40, deadline=None)
@given(st.lists(TABLE, min_size=1, max_size=6))
def test_symmetries(tables: list[tuple[int, int, int, int]]) -> None:
    """Order does not matter; exchanging arms turns the sign; both results can be told."""
    a, n_1, c, n_2 = (np.array(x, dtype=float) for x in zip(*tables, strict=True))
    for measure in MEASURES:
        fit = mantel_haenszel(a, n_1, c, n_2, measure=measure)
        same(fit, mantel_haenszel(a[::-1], n_1[::-1], c[::-1], n_2[::-1], measure=measure), 1e-8)
        turned = mantel_haenszel(c, n_2, a, n_1, measure=measure)
        np.testing.assert_allclose(fit.estimate, -turned.estimate, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(fit.se, turned.se, rtol=1e-8)
        np.testing.assert_allclose(fit.tarone, turned.tarone, rtol=1e-6, atol=1e-9)
        json.dumps(fit.to_dict(), allow_nan=False)
        assert fit.summary().endswith(".")
    one_step, turned_step = peto(a, n_1, c, n_2), peto(c, n_2, a, n_1)
    np.testing.assert_allclose(one_step.estimate, -turned_step.estimate, rtol=1e-9, atol=1e-12)
    assert one_step.summary().endswith(".")


def test_counting_the_other_event_turns_odds_ratio_and_difference() -> None:
    """OR, RD and Peto's OR are symmetric in event and no event; RR is not."""
    a, n_1, c, n_2 = two_arms("bcg")
    for measure, turned in (("OR", True), ("RD", True), ("RR", False)):
        fit, other = (
            mantel_haenszel(*x, measure=measure)  # type: ignore[arg-type]
            for x in ((a, n_1, c, n_2), (n_1 - a, n_1, n_2 - c, n_2))
        )
        assert (abs(float(fit.estimate + other.estimate)) < 1e-12) is turned
        assert fit.cmh == pytest.approx(float(other.cmh), rel=1e-10)


def test_large_and_small_studies_stand_together() -> None:
    """A million patients and one patient an arm: nothing overflows, the small one hardly counts."""
    fit = mantel_haenszel([1000, 1], [10**6, 1], [2000, 0], [10**6, 1])
    alone = mantel_haenszel([1000], [10**6], [2000], [10**6])

    assert fit.estimate == pytest.approx(float(alone.estimate), abs=2e-3)
    assert np.isfinite([fit.se, fit.q, fit.tarone, fit.breslow_day]).all()


def test_tarone_and_score_test_at_equal_odds() -> None:
    """Where all odds ratios are equal the homogeneity statistics are 0, at no effect too."""
    for events in ([10, 20], [5, 10]):
        fit = mantel_haenszel(events, [20, 40], [10, 20], [20, 40])
        assert fit.breslow_day == pytest.approx(0, abs=1e-12)
        assert fit.tarone == pytest.approx(0, abs=1e-12)
        assert fit.tarone_p_value == pytest.approx(1)


def test_rates_of_one_study() -> None:
    """For one study ratio, difference and variances are the plain ones."""
    ratio = mantel_haenszel_rates([10], [200], [25], [250])
    difference = mantel_haenszel_rates([10], [200], [25], [250], measure="IRD")

    assert np.exp(ratio.estimate) == pytest.approx(0.5, rel=1e-13)
    assert ratio.se**2 == pytest.approx(1 / 10 + 1 / 25, rel=1e-13)
    assert difference.estimate == pytest.approx(-0.05, rel=1e-13)
    assert difference.se**2 == pytest.approx(10 / 200**2 + 25 / 250**2, rel=1e-13)
    assert ratio.cmh == difference.cmh
    assert "incidence rate ratio 0.50" in ratio.summary()


def test_rates_are_the_limit_of_rare_risks() -> None:
    """With huge denominators risk ratio and rate ratio are one, and so are their variances."""
    x_1, x_2, t = np.array([3, 7, 0]), np.array([9, 12, 4]), np.array([120, 310, 80])
    rate = mantel_haenszel_rates(x_1, t, x_2, t[::-1], correct=False)
    risk = mantel_haenszel(x_1, 1e9 * t, x_2, 1e9 * t[::-1], measure="RR", correct=False)

    for name in ("estimate", "se", "q", "cmh"):
        assert getattr(rate, name) == pytest.approx(float(getattr(risk, name)), rel=1e-6)


def test_rates_without_events() -> None:
    """A study without events bears on the difference, not on the ratio; nothing at all is said."""
    ratio, difference = (
        mantel_haenszel_rates([3, 0], [100, 50], [6, 0], [90, 60], measure=m)  # type: ignore[arg-type]
        for m in ("IRR", "IRD")
    )
    nothing = mantel_haenszel_rates([0], [100], [0], [90], measure="IRD")

    assert ratio.weights[1] == 0
    assert difference.weights[1] > 20
    assert "no event in either arm and does not bear" in ratio.summary()
    assert nothing.status == "no-variance"
    assert np.isnan(nothing.cmh)


def test_coverage_of_sparse_tables() -> None:
    """In 2,000 data sets of ten sparse trials with one odds ratio 95 % intervals hold it."""
    rng = np.random.default_rng(20)
    level, effect = rng.normal(-3, 0.5, (2000, 10)), -0.7
    n_1, n_2 = rng.integers(20, 80, (2, 2000, 10))
    a = rng.binomial(n_1, 1 / (1 + np.exp(-level - effect)))
    c = rng.binomial(n_2, 1 / (1 + np.exp(-level)))
    fit = mantel_haenszel(a, n_1, c, n_2)
    usable = fit.status == "estimated"
    held = (fit.ci_low < effect) & (fit.ci_high > effect)

    assert usable.mean() > 0.99
    assert 0.93 < held[usable].mean() < 0.98
    assert abs((fit.p_value[usable] < 1).mean() - 1) < 1e-3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"events_1": [11, 2]}, r"events_1 must lie in \[0, n_1\], got 11 of 10"),
        ({"events_2": [-1, 2]}, r"events_2 must lie in \[0, .*\], got -1.0 at index 0"),
        ({"n_2": [0, 10]}, r"n_2 must lie in \(0, .*\], got 0.0 at index 0"),
        ({"events_1": [1, 2, 3]}, r"events_1 and n_1 must broadcast"),
        ({"events_1": [1, 2, 3], "n_1": 9}, r"events_1 and events_2 must broadcast"),
        ({"events_1": [np.nan, np.nan]}, "events_1 and events_2 hold no study"),
        ({"measure": "HR"}, "measure must be one of OR, RR, RD; got 'HR'"),
        ({"level": 95}, r"level must lie in \(0, 1\), got 95.0; 95 % is written 0.95"),
    ],
)
def test_wrong_arguments_are_named_with_their_value(
    arguments: dict[str, Any], message: str
) -> None:
    """Each error says which argument, what was given and what is allowed."""
    good: dict[str, Any] = {"events_1": [3, 4], "n_1": [10, 10], "events_2": [1, 2]}

    with pytest.raises(ValueError, match=message):
        mantel_haenszel(**good | {"n_2": [10, 10]} | arguments)


def test_more_errors() -> None:
    """Half a patient an arm, negative time, several data sets in one summary are refused."""
    with pytest.raises(ValueError, match=r"n_1 \+ n_2 must be more than 1"):
        peto([0.2], [0.5], [0.1], [0.5])
    with pytest.raises(ValueError, match=r"time_2 must lie in \(0, .*\], got -3.0 at index 0"):
        mantel_haenszel_rates([1], [5], [1], [-3])
    with pytest.raises(ValueError, match=r"this fit holds \(2,\): use fit\[i\]"):
        peto([[1, 2], [2, 3]], 10, [[3, 4], [5, 6]], 10).summary()


def test_summaries_read_as_a_paper() -> None:
    """Ratios as ratios, digits after the standard error."""
    assert mantel_haenszel(*two_arms("nielweise2007")).summary() == (
        "Mantel-Haenszel meta-analysis of 18 studies: odds ratio 0.299 (95 % CI 0.193 to 0.462; "
        "z = −5.43, p < 0.001). 1 study has no event, or nothing but events, in both arms and "
        "does not bear on the estimate. Cochran-Mantel-Haenszel test: χ²(1) = 32.21, p < 0.001. "
        "Heterogeneity: Q(16) = 16.86, p = 0.39, I² = 5 %; Breslow-Day test with Tarone's "
        "correction χ²(16) = 25.68, p = 0.059."
    )
    assert (
        peto([0, 0], [5, 5], [0, 0], [5, 5])
        .summary()
        .startswith(
            "Peto meta-analysis of 2 studies: no study has both events and others to compare"
        )
    )
