"""Parts of the studies: without each, one after another, all subsets; and data for displays."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest

from trabecula.synthesis import random_effects
from trabecula.synthesis.pairwise.displays import baujat, funnel, radial
from trabecula.synthesis.pairwise.subsets import cumulative, gosh, leave_one_out

Y = np.array([-0.89, -1.59, -1.35, -1.44, -0.22, -0.79])
V = np.array([0.33, 0.19, 0.42, 0.02, 0.05, 0.01])
FIELDS = ("estimate", "se", "tau2", "q", "i2", "ci_low")


def assert_same(one: Any, other: Any) -> None:
    """Two fits agree in every figure (a few roundings of equations solved to the end)."""
    for name in FIELDS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("method", ["REML", "DL", "common"])
def test_leave_one_out_is_the_fit_of_the_others(method: Any) -> None:
    """Entry i is the fit of all studies but i, in one call."""
    fits = leave_one_out(Y, V, method=method)

    assert fits.shape == (6,)
    for i in range(6):
        assert_same(fits[i], random_effects(np.delete(Y, i), np.delete(V, i), method=method))


def test_leave_one_out_of_a_missing_study_leaves_nothing_out() -> None:
    """Its entry is the fit of all that are there; data sets broadcast."""
    table = np.stack([Y, np.where(np.arange(6) == 2, np.nan, Y)])
    fits = leave_one_out(table, V)

    assert fits.shape == (2, 6)
    assert_same(fits[1, 2], random_effects(table[1], V))
    assert_same(fits[0], leave_one_out(Y, V))


def test_cumulative_adds_studies_in_order() -> None:
    """Entry i is the fit of the first i + 1; the last is that of all; ties keep their order."""
    year = np.array([1990, 1980, 2000, 1980, 1970, 1995])
    fits = cumulative(Y, V, year)
    place = [4, 1, 3, 0, 5, 2]

    assert fits.k.tolist() == [1, 2, 3, 4, 5, 6]
    for i in range(6):
        assert_same(fits[i], random_effects(Y[place[: i + 1]], V[place[: i + 1]]))
    assert_same(fits[5], random_effects(Y, V))


def test_cumulative_puts_missing_studies_last() -> None:
    """They change nothing, and the first entry is a study that is there."""
    fits = cumulative(np.where(np.arange(6) == 0, np.nan, Y), V)

    assert fits.k.tolist() == [1, 2, 3, 4, 5, 5]
    assert fits.estimate[0] == Y[1]


def test_gosh_looks_at_every_subset_when_there_are_few() -> None:
    """All 63 subsets of six studies, each the fit of its studies."""
    found = gosh(Y, V)
    wanted = {s for size in range(1, 7) for s in combinations(range(6), size)}

    assert found.complete
    assert found.shape == (63,)
    assert {tuple(np.flatnonzero(row).tolist()) for row in found.included} == wanted
    for i in (2, 30, 62):
        at = found.included[i]
        assert_same(found.fit[i], random_effects(Y[at], V[at]))
    assert found[5].size == found.included[5].sum()


def test_gosh_draws_subsets_when_there_are_many() -> None:
    """So many as asked for, the same for the same seed, about half of the studies in each."""
    rng = np.random.default_rng(1)
    y, v = rng.normal(size=40), rng.uniform(0.1, 0.3, 40)
    one, same, other = (gosh(y, v, subsets=500, seed=s) for s in (3, 3, 4))

    assert not one.complete
    assert one.shape == (500,)
    assert (one.size > 0).all()
    assert abs(one.size.mean() - 20) < 1
    np.testing.assert_array_equal(one.included, same.included)
    assert (one.included != other.included).any()


def test_gosh_leaves_missing_studies_out_and_draws_no_empty_subset() -> None:
    """A missing study is in no subset; with two studies drawn subsets are never empty."""
    found = gosh(np.append(Y, np.nan), np.append(V, 0.1))
    drawn = gosh(Y[:2], V[:2], subsets=2)

    assert found.shape == (63,)
    assert not found.included[:, 6].any()
    assert (drawn.size > 0).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: leave_one_out([0.1], [0.1]), "at least 2 studies a data set, got 1"),
        (lambda: cumulative([0.1, np.nan], [0.1, 0.1]), "at least 2 studies a data set, got 1"),
        (lambda: gosh(0.1, 0.1), "at least 2 studies a data set, got 0"),
        (lambda: gosh(np.stack([Y, Y]), V), "gosh takes one data set"),
        (lambda: gosh(Y, V, subsets=0), "subsets must be a whole number of at least 1, got 0"),
        (lambda: cumulative(Y, V, [1, 2]), "order must hold one number a study, 6 in all"),
        (lambda: cumulative(Y, V, [np.nan] * 6), "order must hold a number for each study"),
        (lambda: funnel(Y, V, levels=[95]), "95 % is written 0.95"),
        (lambda: funnel(Y, V, levels=()), "levels must be a sequence of confidence levels"),
        (lambda: funnel(Y, V, levels=0.95), "levels must be a sequence of confidence levels"),  # type: ignore[arg-type]
        (lambda: funnel(Y, V, center=np.nan), "center must lie in"),
        (lambda: funnel(Y, V, center=[0, 1]), "center must be one number or one a data set"),
        (lambda: gosh(Y, V, subsets=2.5), "subsets must be a whole number"),  # type: ignore[arg-type]
        (lambda: gosh(Y, V, subsets=np.nan), "subsets must be a whole number"),  # type: ignore[arg-type]
    ],
)
def test_refusals_name_the_argument(call: Any, message: str) -> None:
    """What is wrong, what was found."""
    with pytest.raises(ValueError, match=message):
        call()


def test_baujat_contributions_add_up_to_q() -> None:
    """For the common model; the shift is that of the estimate without the study."""
    found = baujat(Y, V)
    rest = random_effects(np.delete(Y, 3), np.delete(V, 3), method="common", test="z")
    whole = random_effects(Y, V, method="common", test="z")

    np.testing.assert_allclose(found.heterogeneity.sum(), found.q, rtol=1e-12)
    np.testing.assert_allclose(
        found.influence[3], (rest.estimate - whole.estimate) ** 2 / rest.se**2, rtol=1e-9
    )
    assert found.rows()[3]["study"] == 3
    mixed = baujat(Y, V, method="REML")
    tau2 = random_effects(Y, V).tau2
    mean = random_effects(Y, V).estimate
    np.testing.assert_allclose(mixed.heterogeneity, (Y - mean) ** 2 / (V + tau2), rtol=1e-9)


def test_radial_line_is_the_regression_through_the_origin() -> None:
    """The slope of standardised estimates on precision is the pooled estimate."""
    for method in ("common", "REML"):
        found = radial(Y, V, method=method)  # type: ignore[arg-type]
        x, z = found.precision, found.standardised

        np.testing.assert_allclose((x * z).sum() / (x**2).sum(), found.estimate, rtol=1e-9)
        np.testing.assert_allclose(found.half_width, 1.959963984540054)
    assert radial(np.stack([Y, Y]), V).shape == (2,)
    assert len(radial(Y, V).rows()) == 6


def test_funnel_contours_are_straight_lines_from_the_center() -> None:
    """About the pooled estimate, or about no effect, where they part p-values."""
    found, null = funnel(Y, V), funnel(Y, V, center=0, levels=[0.95])

    assert found.center == random_effects(Y, V, method="common").estimate
    assert found.base == np.sqrt(V).max()
    np.testing.assert_allclose(
        (found.contour_high - found.center) / found.base, [1.645, 1.96, 2.576], atol=1e-3
    )
    outside = np.abs(null.estimate) > null.contour_high[0] / null.base * null.se
    p = [float(random_effects([y], [v]).p_value) for y, v in zip(Y, V, strict=True)]
    assert outside.tolist() == [x < 0.05 for x in p]
    assert funnel(np.stack([Y, Y]), V, center=[0, 1]).contour_low.shape == (2, 3)
    assert found.rows()[0] == {"study": 0, "estimate": Y[0], "se": float(np.sqrt(V[0]))}


def test_missing_studies_come_last_whatever_their_order() -> None:
    """No number of the order, infinite or missing, puts a missing study before a present one."""
    y, v = np.array([np.nan, 0.3, 0.6, 0.7]), np.full(4, 0.1)
    for first in (-np.inf, np.nan, np.inf):
        found = cumulative(y, v, [first, np.inf, 2, 3], method="DL", test="z")

        assert found.k.tolist() == [1, 2, 3, 3]
        np.testing.assert_allclose(found.estimate[:2], [0.6, 0.65], rtol=1e-12)


@pytest.mark.parametrize(("subsets", "complete"), [(63, True), (62, False)])
def test_all_subsets_are_taken_where_there_are_no_more(subsets: int, complete: bool) -> None:
    """Six studies have 63 subsets that are not empty."""
    found = gosh(Y, V, subsets=subsets, method="DL", test="z")

    assert found.complete is complete
    assert len(found.size) == subsets
