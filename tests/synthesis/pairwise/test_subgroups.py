"""Subgroups: the golden regression on allocation, algebra, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.pairwise.bcg import V, Y, rows
from tests.synthesis.reference import METHODS, load
from trabecula.synthesis import random_effects
from trabecula.synthesis.pairwise.meta_regression import meta_regression
from trabecula.synthesis.pairwise.subgroups import subgroups

GROUP = [row["alloc"] for row in rows()]
GOLDEN = load("metafor_metareg.json")["fits"]


@pytest.mark.parametrize("method", ["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"])
def test_a_shared_variance_is_the_regression_on_allocation(method: str) -> None:
    """Estimates are metafor's without, the test of differences that with an intercept."""
    options = {"method": METHODS[method], "test": "z"}
    fit = subgroups(Y, V, GROUP, common_tau2=True, **options)  # type: ignore[arg-type]
    cells, coded = GOLDEN[f"noint_alloc_{method}_z"], GOLDEN[f"alloc_{method}_z"]

    np.testing.assert_allclose(fit.estimate, list(cells["b"].values()), rtol=1e-9)
    np.testing.assert_allclose(fit.se, cells["se"], rtol=1e-9)
    np.testing.assert_allclose(fit.ci_low, cells["ci_lb"], rtol=1e-9)
    np.testing.assert_allclose(fit.tau2, cells["tau2"], rtol=1e-9)
    np.testing.assert_allclose(fit.between.statistic, coded["QM"], rtol=1e-9)
    np.testing.assert_allclose(fit.between.p_value, coded["QMp"], rtol=1e-9)
    np.testing.assert_allclose(fit.q.sum(), coded["QE"], rtol=1e-12)
    assert (fit.groups, fit.group_k.tolist()) == (("alternate", "random", "systematic"), [2, 7, 4])


def test_the_f_test_of_a_shared_variance_is_that_of_the_regression() -> None:
    """With Knapp-Hartung the subgroups are compared by F."""
    fit = subgroups(Y, V, GROUP, common_tau2=True)
    columns = np.array([[float(own == g) for g in ("random", "systematic")] for own in GROUP])
    regression = meta_regression(Y, V, columns)

    np.testing.assert_allclose(fit.between.statistic, regression.qm, rtol=1e-10)
    np.testing.assert_allclose(fit.between.p_value, regression.qm_p_value, rtol=1e-10)
    assert (float(fit.between.df), float(fit.between.residual_df)) == (2, 10)


@pytest.mark.parametrize("test", ["z", "knapp-hartung"])
def test_separate_variances_are_separate_meta_analyses(test: str) -> None:
    """Each subgroup is pooled as if alone; a common-effect model of them gives their spread."""
    fit = subgroups(Y, V, GROUP, test=test)  # type: ignore[arg-type]
    for i, group in enumerate(fit.groups):
        own = np.array([label == group for label in GROUP])
        alone = random_effects(Y[own], V[own], test=test)  # type: ignore[arg-type]
        for name in ("estimate", "se", "ci_low", "p_value", "tau2", "i2", "q", "q_p_value", "df"):
            np.testing.assert_allclose(getattr(fit, name)[i], getattr(alone, name), rtol=1e-10)
    together = random_effects(fit.estimate, fit.se**2, method="common", test="z")
    if test == "z":
        np.testing.assert_allclose(fit.between.statistic, together.q, rtol=1e-12)
        np.testing.assert_allclose(fit.between.p_value, together.q_p_value, rtol=1e-12)
        assert np.isinf(fit.between.residual_df)
    np.testing.assert_allclose(fit.overall.estimate, random_effects(Y, V).estimate, rtol=1e-12)


def test_separate_standard_errors_are_compared_by_welch_1951() -> None:
    """Welch, Biometrika 38:330-336: equal variances make it a one-way analysis of variance.

    Knapp-Hartung pooling of studies of one variance is the mean with its standard error, so that
    the test of three subgroups is that of `scipy.stats` for three unequal variances, and of two
    subgroups Welch's t test.
    """
    from scipy import stats

    parts = [np.array([0.1, 0.5, 0.3]), np.array([0.9, 0.4, 0.2, 1.4]), np.array([1.0, 1.3, 0.8])]
    y = np.concatenate(parts)
    label = [str(i) for i, part in enumerate(parts) for _ in part]
    fit = subgroups(y, [0.01] * 10, label, method="common")
    theirs = stats.f_oneway(*parts, equal_var=False)
    np.testing.assert_allclose(fit.between.statistic, theirs.statistic, rtol=1e-12)
    np.testing.assert_allclose(fit.between.p_value, theirs.pvalue, rtol=1e-12)
    two = subgroups(y[:7], [0.01] * 7, label[:7], method="common")
    t = stats.ttest_ind(parts[0], parts[1], equal_var=False)
    np.testing.assert_allclose(two.between.p_value, t.pvalue, rtol=1e-12)
    np.testing.assert_allclose(two.between.residual_df, t.df, rtol=1e-12)


@pytest.mark.parametrize("studies", [(2, 2), (3, 8)])
def test_the_test_of_separate_subgroups_keeps_its_level(studies: tuple[int, int]) -> None:
    """Without a difference 5 % of tests, or fewer with two studies each, have p below 0.05."""
    rng = np.random.default_rng(5)
    v = rng.uniform(0.02, 0.2, (4000, sum(studies)))
    y = rng.normal(size=v.shape) * np.sqrt(v)
    fit = subgroups(y, v, ["a"] * studies[0] + ["b"] * studies[1])

    assert (fit.between.p_value < 0.05).mean() < 0.08


def test_one_variance_needs_more_studies_than_subgroups() -> None:
    """Otherwise nothing is left to estimate it from, and subgroups are not called moderators."""
    with pytest.raises(ValueError, match=r"2 studies in 2 subgroups \(a, b\) leave nothing"):
        subgroups([0.1, 0.9], [0.1, 0.1], ["a", "b"], common_tau2=True)
    with pytest.raises(ValueError, match=r"group must differ by their text, got \[1, '1'\]"):
        subgroups([0.1, 0.9], [0.1, 0.1], [1, "1"])


def test_q_between_and_within_add_up_in_the_common_model() -> None:
    """The total Q is that within the subgroups and that between them."""
    fit = subgroups(Y, V, GROUP, method="common", test="z")

    assert fit.q.sum() + fit.between.statistic == pytest.approx(fit.overall.q, rel=1e-12)
    shared = subgroups(Y, V, GROUP, method="common", test="z", common_tau2=True)
    assert shared.between.statistic == pytest.approx(fit.between.statistic, rel=1e-10)


@pytest.mark.parametrize("common_tau2", [False, True])
def test_data_sets_in_one_call_are_those_one_by_one(common_tau2: bool) -> None:
    """Broadcasting and missing studies change nothing."""
    y = np.stack([Y, np.where(np.arange(13) == 2, np.nan, Y + 1)])[None]
    fit = subgroups(y, V, GROUP, common_tau2=common_tau2)
    alone = subgroups(y[0, 1], V, GROUP, common_tau2=common_tau2)

    assert (fit.shape, fit.estimate.shape) == ((1, 2), (1, 2, 3))
    for name in ("estimate", "se", "ci_high", "tau2", "i2", "group_k", "k", "df"):
        np.testing.assert_allclose(getattr(fit[0, 1], name), getattr(alone, name), rtol=1e-9)
    np.testing.assert_allclose(fit[0, 1].between.p_value, alone.between.p_value, rtol=1e-9)
    np.testing.assert_allclose(fit[0, 1].overall.tau2, alone.overall.tau2, rtol=1e-9)


def test_a_lone_study_is_a_subgroup_too() -> None:
    """It keeps its own interval, and has no heterogeneity of its own."""
    fit = subgroups(Y[:5], V[:5], list("abbbb"))

    assert fit.estimate[0] == pytest.approx(Y[0])
    assert fit.se[0] == pytest.approx(np.sqrt(V[0]))
    assert np.isnan([fit.tau2[0], fit.i2[0]]).all()
    assert "a (1 study): −0.89 " in fit.summary()
    assert fit.rows()[0]["tau2"] is None
    shared = subgroups(Y[:5], V[:5], list("abbbb"), common_tau2=True)
    assert shared.tau2[0] == shared.tau2[1]


def test_summary_tells_subgroups_and_their_difference() -> None:
    """Each subgroup with its interval, then the test."""
    fit = subgroups(Y, V, GROUP, test="z")

    assert fit.summary() == (
        "Subgroups of 13 studies (REML, a between-study variance for each, normal intervals). "
        "alternate (2 studies): −0.54 (95 % CI −1.09 to 0.01). "
        "random (7 studies): −0.97 (95 % CI −1.51 to −0.43). "
        "systematic (4 studies): −0.42 (95 % CI −1.13 to 0.28). "
        "Test of differences between subgroups: χ²(2) = 1.86, p = 0.39."
    )
    shared = subgroups(Y, V, GROUP, common_tau2=True).summary()
    assert "one between-study variance" in shared
    assert "F(2, 10) = 0.97" in shared
    common = subgroups(Y, V, GROUP, method="common", test="z").summary()
    assert common.startswith("Subgroups of 13 studies (normal intervals).")


def test_subgroups_without_standard_error_are_not_compared() -> None:
    """Equal estimates leave Knapp-Hartung intervals no width; the summary says so."""
    fit = subgroups([0.3] * 3 + [0.5, 0.6, 0.4], [0.1] * 6, list("aaabbb"))

    assert np.isnan([fit.between.statistic, fit.between.p_value]).all()
    assert "cannot be compared" in fit.summary()


@pytest.mark.parametrize(
    ("group", "message"),
    [
        (["a"] * 13, "two subgroups or more"),
        (["a", "b"], "subgroup of 13 studies, got 2"),
        ([None, *GROUP[1:]], "must not be missing"),
        ([float("nan"), *GROUP[1:]], "must not be missing"),
    ],
)
def test_bad_subgroups_are_refused(group: list[object], message: str) -> None:
    """One subgroup, a wrong number of labels, missing labels."""
    with pytest.raises(ValueError, match=message):
        subgroups(Y, V, group)  # type: ignore[arg-type]


def test_an_empty_subgroup_is_named() -> None:
    """So is its data set; and a result of many is not described as one."""
    gone = np.where(np.array(GROUP) == "random", np.nan, Y)
    with pytest.raises(ValueError, match="subgroup random has no study: leave it out"):
        subgroups(gone, V, GROUP)
    with pytest.raises(ValueError, match=r"subgroup random has no study in data set \[1\]"):
        subgroups(np.stack([Y, gone]), V, GROUP)
    with pytest.raises(ValueError, match="describes one data set"):
        subgroups(np.stack([Y, Y]), V, GROUP).summary()
