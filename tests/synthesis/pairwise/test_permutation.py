"""Permutation tests: pinned values, every arrangement by hand, level, refusals."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from tests.synthesis.pairwise.bcg import ALLOCATION, LATITUDE, YEAR, V, Y
from trabecula.synthesis.pairwise.meta_regression import meta_regression
from trabecula.synthesis.pairwise.permutation import permutation_test

HINE = np.array(
    [
        (2, 39, 1, 43),
        (4, 44, 4, 44),
        (6, 107, 4, 110),
        (7, 103, 5, 100),
        (7, 110, 3, 106),
        (11, 154, 4, 146),
    ],
    dtype=float,
)
"""Deaths and patients with prophylactic lidocaine and without, six trials (Hine et al. 1989,
Arch Intern Med 149:2694-2698)."""


def hine_risk_differences() -> tuple[np.ndarray, np.ndarray]:
    """Return the risk differences and their variances."""
    a, m, c, n = HINE.T
    return a / m - c / n, a / m * (1 - a / m) / m + c / n * (1 - c / n) / n


def test_permutation_tests_of_the_lidocaine_trials_agree_with_metafor() -> None:
    """The tests of metafor pin 4 of 64 sign changes, and 1 of 360 arrangements of a moderator."""
    y, v = hine_risk_differences()
    fit = meta_regression(y, v, None, test="z")
    assert np.round([fit.coefficients[0], fit.se[0]], 6).tolist() == [0.029444, 0.013068]

    signs = permutation_test(y, v, None, test="z")
    assert (int(signs.permutations), bool(signs.exact)) == (64, True)
    assert signs.p_value.tolist() == [0.0625]
    assert signs.qm_p_value == 0.0625
    moderated = permutation_test(y, v, [3, 1, 2, 2, 4, 5], test="z")
    assert int(moderated.permutations) == 360
    assert moderated.p_value.tolist() == [1.0, 1 / 360]
    assert moderated.p_value_se.tolist() == [0, 0]


@pytest.mark.parametrize("test", ["z", "knapp-hartung"])
@pytest.mark.parametrize("method", ["common", "DL", "REML"])
def test_exact_p_values_are_those_of_every_arrangement_fitted_alone(method: str, test: str) -> None:
    """All 5!/2! distinct arrangements, one meta-regression each, and all 32 sign changes."""
    y, v, x = Y[:5], V[:5], np.array([1.0, 1.0, 2.0, 4.0, 3.0])
    options = {"method": method, "test": test}
    result = permutation_test(y, v, x, **options)  # type: ignore[arg-type]
    orders = {tuple(x[list(order)]) for order in permutations(range(5))}
    fits = [meta_regression(y, v, order, **options) for order in sorted(orders)]  # type: ignore[arg-type]
    one = meta_regression(y, v, x, **options)  # type: ignore[arg-type]

    assert int(result.permutations) == len(fits) == 60
    for i in range(2):
        reached = [abs(fit.statistic[i]) >= abs(one.statistic[i]) - 1e-9 for fit in fits]
        assert result.p_value[i] == pytest.approx(np.mean(reached), rel=1e-12)
    together = np.mean([fit.qm >= one.qm - 1e-9 for fit in fits])
    assert result.qm_p_value == pytest.approx(together, rel=1e-12)
    np.testing.assert_allclose(result.statistic, one.statistic, rtol=1e-12)

    signs = permutation_test(y, v, None, **options)  # type: ignore[arg-type]
    flips = [np.array(flip) for flip in product([1, -1], repeat=5)]
    alone = [meta_regression(flip * y, v, None, **options).statistic[0] for flip in flips]  # type: ignore[arg-type]
    p = np.mean(np.abs(alone) >= np.abs(alone[0]) - 1e-9)
    assert signs.p_value[0] == pytest.approx(p, rel=1e-12)


def test_random_arrangements_come_near_the_exact_test() -> None:
    """Within four standard errors; the seed is repeatable, the observed arrangement counted."""
    y, v, x = Y[:8], V[:8], LATITUDE[:8] + np.arange(8) / 10
    exact = permutation_test(y, v, x, exact=True)
    drawn = permutation_test(y, v, x, draws=2000, seed=5)

    assert (int(exact.permutations), bool(exact.exact)) == (40320, True)
    assert (int(drawn.permutations), bool(drawn.exact)) == (2000, False)
    assert (np.abs(drawn.p_value - exact.p_value) <= 4 * drawn.p_value_se + 1e-12).all()
    again = permutation_test(y, v, x, draws=2000, seed=5)
    assert again.to_dict() == drawn.to_dict()
    far = permutation_test(np.arange(13.0) ** 3, V, np.arange(13), draws=50)
    assert far.p_value[1] >= 1 / 50


def test_the_observed_signs_are_among_the_random_ones() -> None:
    """No p-value is 0: of 20 sign changes of 30 alike estimates the first is the observed one."""
    y = np.linspace(0.9, 1.1, 30)
    test = permutation_test(y, np.full(30, 0.1), None, draws=20)

    assert test.p_value[0] == 1 / 20
    np.testing.assert_allclose(test.p_value_se, np.sqrt(0.05 * 0.95 / 20), rtol=1e-12)


def test_the_exact_choice_can_be_refused() -> None:
    """Random arrangements on request, also where there are few of them."""
    result = permutation_test(Y[:4], V[:4], LATITUDE[:4], exact=False, draws=100)

    assert (int(result.permutations), bool(result.exact)) == (100, False)


def test_equal_moderators_are_not_told_apart() -> None:
    """Three groups of trials give 13! / (2! 7! 4!) distinct arrangements."""
    result = permutation_test(Y, V, ALLOCATION, exact=True, method="DL", test="z")

    assert int(result.permutations) == 25740
    assert 0.2 < result.qm_p_value < 0.8


def test_missing_studies_and_data_sets_side_by_side() -> None:
    """Each data set is tested as if it were alone."""
    y = np.stack([np.where(np.arange(13) < 7, np.nan, Y), Y, -Y])
    x = np.column_stack([LATITUDE, YEAR])
    result = permutation_test(y, V, x, draws=300, names=["latitude", "year"])
    first = permutation_test(Y[7:], V[7:], x[7:], draws=300)
    second = permutation_test(Y, V, x, draws=300)

    assert result.shape == (3,)
    np.testing.assert_allclose(result[0].p_value, first.p_value)
    np.testing.assert_allclose(result[1].p_value, second.p_value)
    np.testing.assert_allclose(result[2].p_value, second.p_value)


def test_under_the_null_p_values_are_uniform() -> None:
    """The test is exact: of 300 data sets of five studies 5 % fall to 0.05 or below.

    With 120 arrangements a p-value of at most 6/120 has probability 0.05.
    """
    rng = np.random.default_rng(2)
    v = rng.uniform(0.05, 0.5, size=(300, 5))
    y = rng.normal(scale=np.sqrt(0.1 + v))
    result = permutation_test(y, v, np.arange(5.0), method="DL", test="z")

    assert abs((result.p_value[:, 1] <= 0.05).mean() - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 300)


def test_summary_and_table() -> None:
    """How many arrangements, of what, and the p-values of the moderators."""
    x = np.column_stack([LATITUDE, YEAR])
    result = permutation_test(Y, V, x, names=["latitude", "year"], draws=200)
    text = result.summary()

    assert text.startswith("Permutation test (REML, 200 random rearrangements of the moderators): ")
    assert "latitude p = " in text
    assert "Together: p = " in text
    assert [row["name"] for row in result.rows()] == ["intercept", "latitude", "year"]
    signs = permutation_test(Y[:5], V[:5], None).summary()
    assert signs.startswith("Permutation test (REML, all 32 sign changes): intercept p = ")
    many = permutation_test(np.stack([Y, Y]), V, x, draws=2)
    for ask in (many.summary, many.rows):
        with pytest.raises(ValueError, match="describes one data set"):
            ask()


def test_what_cannot_be_permuted_is_refused() -> None:
    """No residual, too many arrangements, too few draws."""
    with pytest.raises(ValueError, match="lie on the regression exactly"):
        permutation_test([0.3] * 6, [0.1] * 6, np.arange(6))
    with pytest.raises(ValueError, match="6227020800 arrangements, at most 1000000"):
        permutation_test(Y, V, LATITUDE + np.arange(13) / 10, exact=True)
    with pytest.raises(ValueError, match="draws must be a whole number, at least 2, got 1"):
        permutation_test(Y, V, LATITUDE, draws=1)
    with pytest.raises(ValueError, match=r"draws must be a whole number, at least 2, got 50\.5"):
        permutation_test(Y, V, LATITUDE, draws=50.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="seed must be a whole number, at least 0, got -1"):
        permutation_test(Y, V, LATITUDE, seed=-1)
    with pytest.raises(ValueError, match="method must be one of"):
        permutation_test(Y, V, LATITUDE, method="GENQ")  # type: ignore[arg-type]
