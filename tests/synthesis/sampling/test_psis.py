"""Pareto-smoothed importance sampling and leave-one-out: reference, exact answers, edges, words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tests.synthesis.reference import load
from tests.synthesis.sampling import eight_schools as schools
from tests.synthesis.sampling import tails
from trabecula.synthesis.sampling.elpd_comparison import compare_elpd
from trabecula.synthesis.sampling.psis import PsisLoo, pareto_smooth, psis_loo

GOLDEN = load("psis.json")

RTOL = 1e-11
"""The same algorithm, but for the order of sums. Worst seen: 3e-14."""

WEIGHTS = {
    "tails 2000": (tails.log_weights(2000), 1.0),
    "tails 100": (tails.log_weights(100), 1.0),
    "tails 25": (tails.log_weights(25), 1.0),
    "tails 500, efficiency 0.2": (tails.log_weights(500), 0.2),
    "tails 500, efficiency 2": (tails.log_weights(500), 2.0),
    "ties 1000": (np.round(tails.log_weights(1000), 1), 1.0),
}

POOLED, HIERARCHICAL = (
    schools.pooled_log_likelihood(1000),
    schools.hierarchical_log_likelihood(1000),
)
LIKELIHOODS = {
    "pooled": (POOLED, 1.0),
    "hierarchical": (HIERARCHICAL, 1.0),
    "hierarchical, efficiency 0.5": (HIERARCHICAL, 0.5),
}


def test_every_case_of_the_reference_is_compared() -> None:
    """No case is left out."""
    assert set(GOLDEN["psislw"]) == set(WEIGHTS)
    assert set(GOLDEN["loo"]) == set(LIKELIHOODS)
    assert set(GOLDEN["compare"]) == {"pooled", "hierarchical"}
    assert all(set(v) == {"k", "largest", "sum_of_squares"} for v in GOLDEN["psislw"].values())


@pytest.mark.parametrize("case", WEIGHTS)
def test_weights_are_those_of_arviz(case: str) -> None:
    """Shapes, largest weights, and the sum of squares of all."""
    log_weights, efficiency = WEIGHTS[case]
    ours = pareto_smooth(log_weights, relative_efficiency=efficiency)
    theirs = GOLDEN["psislw"][case]
    largest = np.sort(ours.log_weights.T)[:, : -len(theirs["largest"][0]) - 1 : -1]

    np.testing.assert_allclose(ours.k_hat, theirs["k"], rtol=RTOL)
    np.testing.assert_allclose(largest, theirs["largest"], rtol=RTOL)
    squares = np.exp(2 * ours.log_weights).sum(axis=0)
    np.testing.assert_allclose(squares, theirs["sum_of_squares"], rtol=RTOL)


@pytest.mark.parametrize("case", LIKELIHOODS)
def test_leave_one_out_is_that_of_arviz(case: str) -> None:
    """All values; the standard error has the divisor n - 1 where ArviZ has n."""
    log_likelihood, efficiency = LIKELIHOODS[case]
    ours = psis_loo(log_likelihood, relative_efficiency=efficiency)
    theirs = dict(GOLDEN["loo"][case])
    theirs["se"] *= np.sqrt(8 / 7)
    names = {"elpd_loo": "elpd", "se": "elpd_se", "p_loo": "p_loo", "good_k": "limit"}
    names |= {"loo_i": "pointwise", "pareto_k": "k_hat"}

    assert set(theirs) == set(names)
    for name, value in theirs.items():
        np.testing.assert_allclose(getattr(ours, names[name]), value, rtol=RTOL, err_msg=name)


def test_comparison_is_that_of_arviz() -> None:
    """The difference and, but for the divisor, its standard error."""
    fits = {name: psis_loo(LIKELIHOODS[name][0]) for name in ("hierarchical", "pooled")}
    ours = compare_elpd(fits)
    theirs = GOLDEN["compare"]

    assert ours.models == ("hierarchical", "pooled")
    differences = [-theirs[name]["elpd_diff"] for name in ours.models]
    errors = [theirs[name]["dse"] * np.sqrt(8 / 7) for name in ours.models]
    np.testing.assert_allclose(ours.difference, differences, rtol=1e-10)
    np.testing.assert_allclose(ours.difference_se, errors, rtol=1e-10)
    assert [row["model"] for row in ours.rows()] == ["pooled", "hierarchical"]


def test_pooled_schools_have_a_closed_form() -> None:
    """With one effect for all, the density of a school given the others is normal.

    20,000 evenly spread draws: what is left is the error of the tail, at most 0.0005 a school.
    """
    ours = psis_loo(schools.pooled_log_likelihood(20_000))
    exact = schools.pooled_elpd()

    np.testing.assert_allclose(ours.pointwise, exact, atol=5e-4)
    assert float(ours.elpd) == pytest.approx(exact.sum(), abs=1e-3)
    assert np.asarray(ours.k_hat).max() < 0.4


def test_hierarchical_schools_have_an_exact_answer_by_quadrature() -> None:
    """-30.74; ArviZ prints -30.78 (SE 1.35), 0.95 parameters for 2,000 draws of a sampler.

    Some weights of this posterior have a shape of 0.6: 40,000 draws are off by up to 0.01 a school.
    """
    ours = psis_loo(schools.hierarchical_log_likelihood(40_000))
    exact = schools.hierarchical_elpd()

    assert exact.sum() == pytest.approx(-30.742, abs=1e-3)
    np.testing.assert_allclose(ours.pointwise, exact, atol=0.01)
    assert float(ours.p_loo) == pytest.approx(0.9, abs=0.05)


def test_shapes_of_known_tails_are_found() -> None:
    """Quantiles of a generalised Pareto give its shape, drawn to 0.5 by 10 draws of 135 and 300."""
    for draws, tail in ((2000, 135), (10_000, 300)):
        found = np.asarray(pareto_smooth(tails.log_weights(draws)).k_hat)
        drawn = (tail * np.array(tails.SHAPES) + 10 * 0.5) / (tail + 10)
        np.testing.assert_allclose(found, drawn, atol=0.08)


def test_smoothing_lowers_the_error() -> None:
    """E x² = 2.25 under N(0, 1.5²) from draws of N(0, 1): k is 0.56.

    400 repetitions of 1,000 draws; raw weights err more than half as much again.
    """
    x = np.random.default_rng(20240107).standard_normal((1000, 400))
    log_weights = x**2 / 2 - x**2 / (2 * 1.5**2)
    smoothed, k_hat = pareto_smooth(log_weights)
    raw = np.exp(log_weights) / np.exp(log_weights).sum(axis=0)
    error = {
        name: np.sqrt(np.mean(((w * x**2).sum(axis=0) - 2.25) ** 2))
        for name, w in (("raw", raw), ("smoothed", np.exp(smoothed)))
    }

    assert error["smoothed"] < error["raw"] / 1.5
    assert float(k_hat.mean()) == pytest.approx(1 - 1 / 1.5**2, abs=0.05)


def test_weights_keep_what_smoothing_must_not_change() -> None:
    """A constant does not matter, order follows the draws, the sum is 1, the body is scaled."""
    log_weights = tails.log_weights(400)
    smoothed, k_hat = pareto_smooth(log_weights)
    moved = pareto_smooth(log_weights[::-1] + np.array([-700, 0, 3, 500, 1e3, 9]))

    np.testing.assert_allclose(moved.log_weights[::-1], smoothed, rtol=1e-9)
    np.testing.assert_allclose(moved.k_hat, k_hat, rtol=1e-9)
    np.testing.assert_allclose(np.exp(smoothed).sum(axis=0), 1, rtol=1e-12)
    body = np.argsort(log_weights[:, 0])[: 400 - 60]
    shift = smoothed[body] - log_weights[body]
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-12)
    increasing = np.argsort(log_weights[:, 0])
    assert (np.diff(smoothed[increasing], axis=0) >= 0).all()


def test_broadcasting_is_a_loop() -> None:
    """Leading axes are data sets; one column is one set of weights."""
    stack = np.stack([[POOLED, HIERARCHICAL], [HIERARCHICAL * 2, POOLED - 1]])
    together = psis_loo(stack)
    assert together.shape == (2, 2)
    for index in np.ndindex(2, 2):
        alone = psis_loo(stack[index])
        assert together[index].to_dict() == alone.to_dict()

    one = pareto_smooth(-POOLED[:, 3])
    many = pareto_smooth(-POOLED)
    assert one.k_hat.shape == ()
    assert one.log_weights.tolist() == many.log_weights[:, 3].tolist()
    assert float(one.k_hat) == many.k_hat[3]


def test_missing_points_do_not_count() -> None:
    """A data set with a missing point is the data set without it."""
    missing = HIERARCHICAL.copy()
    missing[:, 2] = np.nan
    ours, without = psis_loo(missing), psis_loo(np.delete(HIERARCHICAL, 2, axis=1))

    for name in ("points", "elpd", "elpd_se", "p_loo", "unreliable"):
        assert float(getattr(ours, name)) == pytest.approx(float(getattr(without, name)), rel=1e-14)
    assert np.isnan(ours.pointwise[2])
    assert np.isnan(ours.k_hat[2])
    assert ours.summary() == without.summary()


@pytest.mark.parametrize("constant", [0.0, -1e30, 1e30])
def test_equal_weights_have_no_tail(constant: float) -> None:
    """They stay equal, with a shape of minus infinity: nothing could be more reliable."""
    smoothed, k_hat = pareto_smooth(np.full(100, constant))

    np.testing.assert_allclose(smoothed, -np.log(100), rtol=1e-13)
    assert k_hat == -np.inf


def test_a_tail_of_few_draws_is_left_alone() -> None:
    """Four large weights among equal ones: nothing is known of the tail, nothing is smoothed."""
    log_weights = np.zeros(100)
    log_weights[:4] = [5, 1, 2, 3]
    smoothed, k_hat = pareto_smooth(log_weights)

    assert k_hat == np.inf
    raw = log_weights - np.log(np.exp(log_weights).sum())
    np.testing.assert_allclose(smoothed, raw, rtol=1e-13)


@pytest.mark.parametrize("scale", [1e-300, 1e-16, 1e-12, 1e3, 1e12, 1e28])
def test_weights_of_any_spread_have_an_answer(scale: float) -> None:
    """From draws that hardly differ to one that takes all: no NaN, no warning, weights sum to 1."""
    smoothed, k_hat = pareto_smooth(scale * tails.log_weights(1000))

    assert not np.isnan(k_hat).any()
    np.testing.assert_allclose(np.exp(smoothed).sum(axis=0), 1, rtol=1e-12)
    loo = psis_loo(-scale * tails.log_weights(1000))
    assert np.isfinite(loo.elpd)


def test_draws_without_weight_stay_without() -> None:
    """Minus infinity is a weight of 0."""
    log_weights = tails.log_weights(1000)[:, 2]
    log_weights[::3] = -np.inf
    smoothed, k_hat = pareto_smooth(log_weights)

    assert np.isneginf(smoothed[::3]).all()
    assert np.isfinite(np.delete(smoothed, np.s_[::3])).all()
    assert np.isfinite(k_hat)


def test_an_outlier_is_reported() -> None:
    """A point far from what the others say has a high k̂, and the summary tells what to do."""
    outlier = schools.normal_log_density(
        np.array([60.0, 0.0]), 10 * schools.uniform(2000, 1) - 5, np.array([4.0, 100.0])
    )
    loo = psis_loo(outlier)

    assert loo.unreliable == 1
    assert "The Pareto k̂ of 1 of 2 points exceeds 0.70" in loo.summary()
    assert "refit without each of them" in loo.summary()


def test_summaries() -> None:
    """Digits follow the standard error; what cannot be told apart is said to be so."""
    fits = {"one effect": psis_loo(POOLED), "exchangeable": psis_loo(HIERARCHICAL)}
    fits["none"] = psis_loo(schools.normal_log_density(schools.Y, -30.0, schools.SIGMA**2) + POOLED)

    assert fits["one effect"].summary() == (
        "Expected log predictive density, leave-one-out (8 points, 1,000 draws): −30.6 (SE 1.2), "
        "effective number of parameters 0.7. The largest Pareto k̂ is 0.30, within the limit of "
        "0.67."
    )
    comparison = compare_elpd(fits)
    assert comparison.summary() == (
        "Leave-one-out prediction (8 points): one effect has the highest elpd. exchangeable: elpd "
        "0.15 lower (SE 0.60), cannot be told apart from it. none: elpd 72.5 lower (SE 8.6). With "
        "fewer than 100 points the standard errors may be too small. Pareto k̂ is too high at 1 "
        "of the points for exchangeable."
    )
    json.dumps([comparison.to_dict(), fits["none"].to_dict()], allow_nan=False)


def test_one_point_has_no_standard_error() -> None:
    """It is NaN, and the summaries say so."""
    loo = psis_loo(POOLED[:, :1])

    assert np.isnan(loo.elpd_se)
    assert "(1 point, 1,000 draws)" in loo.summary()
    assert "(SE not estimable)" in loo.summary()
    comparison = compare_elpd({"a": loo, "b": psis_loo(POOLED[:, :1] - 9)})
    assert "b: elpd 9.00 lower (SE not estimable)" in comparison.summary()
    assert "apart" in comparison.summary()


def test_comparisons_have_leading_axes() -> None:
    """The best model may differ between data sets."""
    first, second = psis_loo(np.stack([POOLED, HIERARCHICAL])), psis_loo(np.stack([POOLED] * 2))
    ours = compare_elpd({"first": first, "second": second})

    assert ours.shape == (2,)
    assert ours.difference[0].tolist() == [0, 0]
    assert ours.difference[1, 1] == 0 > ours.difference[1, 0]
    assert ours[1].rows()[0]["model"] == "second"
    with pytest.raises(ValueError, match="a table describes one data set"):
        ours.rows()


REFUSED: list[tuple[Any, dict[str, Any], str]] = [
    (np.zeros(100), {}, r"axes \(\.\.\., draws, points\), got shape \(100,\)"),
    (np.zeros((24, 3)), {}, r"at least 25 draws before them, got shape \(24, 3\)"),
    (np.zeros((100, 0)), {}, r"must have points"),
    (np.full((100, 2), np.nan), {}, "without points"),
    (np.where(np.arange(100)[:, None] < 3, np.nan, [[1.0, 2.0]]), {}, "got nan"),
    (np.where(np.arange(100)[:, None] < 3, -np.inf, [[1.0, 2.0]]), {}, "got -inf"),
    (POOLED, {"relative_efficiency": 0}, r"relative_efficiency must lie in \(0"),
    ("many", {}, "log_likelihood must be numbers"),
]


@pytest.mark.parametrize(("values", "options", "reason"), REFUSED)
def test_what_leave_one_out_refuses(values: Any, options: dict[str, Any], reason: str) -> None:
    """Each refusal names the argument and what was found."""
    with pytest.raises(ValueError, match=reason):
        psis_loo(values, **options)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full(100, -np.inf), "a weight above 0"),
        (np.full(100, np.nan), "got nan at index 0"),
        (np.full(100, np.inf), "got inf at index 0"),
        (np.zeros(20), "at least 25 draws"),
        (0.0, "at least 25 draws"),
    ],
)
def test_weights_that_are_refused(values: Any, reason: str) -> None:
    """Each refusal says what was found."""
    with pytest.raises(ValueError, match=reason):
        pareto_smooth(values)


def test_comparisons_that_are_refused() -> None:
    """There must be a model, and the points must be the same."""
    loo = psis_loo(POOLED)
    other: PsisLoo = psis_loo(POOLED[:, :7])

    with pytest.raises(ValueError, match="must hold a model"):
        compare_elpd({})
    with pytest.raises(ValueError, match=r"same points: 'b' has shape \(7,\) and 7 points"):
        compare_elpd({"a": loo, "b": other})
