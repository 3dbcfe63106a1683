"""Cluster-robust standard errors and imputed covariances: algebra, limits, refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.dependent.data import schools, tuberculosis
from trabecula.synthesis import random_effects
from trabecula.synthesis.dependent import (
    BlockCovariance,
    cluster_robust,
    impute_covariance,
    inverse_variance_model,
    multilevel,
    multivariate,
)


def fitted() -> Any:
    """Schools in districts, with the year of the study."""
    data = schools()
    return multilevel(data.estimate, data.variance, data.levels, moderators=data.year)


def dense(fit: Any, cluster: np.ndarray, *, adjusted: bool) -> dict[str, np.ndarray]:
    """Covariance, Satterthwaite and Hotelling degrees of freedom from whole matrices."""
    data = schools()
    x = np.stack([np.ones(56), data.year], axis=1)
    same = data.district[:, None] == data.district
    phi = np.diag(data.variance + fit.sigma2[1]) + fit.sigma2[0] * same
    w = np.linalg.inv(phi)
    bread = np.linalg.inv(x.T @ w @ x)
    residual_maker = np.eye(56) - x @ bread @ x.T @ w
    e = residual_maker @ data.estimate
    pulls, meat = [], np.zeros((2, 2))
    for label in np.unique(cluster):
        at = np.flatnonzero(cluster == label)
        a = np.eye(len(at))
        if adjusted:
            d = np.linalg.cholesky(phi[np.ix_(at, at)]).T
            b = d @ (residual_maker @ phi @ residual_maker.T)[np.ix_(at, at)] @ d.T
            size, axes = np.linalg.eigh(b)
            a = d.T @ (axes / np.sqrt(size)) @ axes.T @ d
        pull = a @ w[np.ix_(at, at)] @ x[at] @ bread
        meat += np.outer(pull.T @ e[at], pull.T @ e[at])
        pulls.append(residual_maker[at].T @ pull)
    p = np.stack(pulls)
    covariances = np.einsum("ixs,xy,jyt->ijst", p, phi, p)
    single = [
        np.trace(covariances[:, :, s, s]) ** 2 / (covariances[:, :, s, s] ** 2).sum()
        for s in (0, 1)
    ]
    return {"covariance": meat, "df": np.array(single)}


@pytest.mark.parametrize("correction", ["CR0", "CR2"])
def test_sums_over_clusters_are_the_dense_algebra(correction: Any) -> None:
    """Covariance and Satterthwaite degrees of freedom equal those from whole matrices."""
    fit = fitted()
    theirs = dense(fit, schools().district, adjusted=correction == "CR2")
    ours = cluster_robust(fit, schools().district, correction=correction)

    np.testing.assert_allclose(ours.covariance, theirs["covariance"], rtol=1e-8)
    if correction == "CR2":
        np.testing.assert_allclose(ours.df, theirs["df"], rtol=1e-8)


def test_hotelling_is_satterthwaite_for_one_coefficient() -> None:
    """The omnibus test of one moderator is the square of its t test."""
    fit = cluster_robust(fitted(), schools().district)

    np.testing.assert_allclose(fit.f, fit.statistic[1] ** 2, rtol=1e-12)
    np.testing.assert_allclose(fit.f_df_residual, fit.df[1], rtol=1e-12)
    np.testing.assert_allclose(fit.f_p_value, fit.p_value[1], rtol=1e-9)


def test_hotelling_degrees_of_freedom_match_the_simulated_spread() -> None:
    """The spread of the CR2 matrix under its working model is that of the stated Wishart.

    The total variance of a Wishart matrix of q coefficients with eta degrees of freedom, over
    its mean the identity, is q (q + 1) / eta. 5,000 draws: error about 4 %.
    """
    rng = np.random.default_rng(8)
    cluster = np.repeat(range(12), 3)
    x = np.stack([rng.normal(size=36), rng.normal(size=12)[cluster]], axis=1)
    y = rng.normal(size=(5_000, 36)) * np.sqrt(0.5)
    model = inverse_variance_model(y, np.full(36, 0.3), 0.2, moderators=x)
    fit = cluster_robust(model, cluster)
    matrices = fit.covariance[:, 1:, 1:]
    size, axes = np.linalg.eigh(matrices.mean(axis=0))
    root = (axes / np.sqrt(size)) @ axes.T
    spread = (root @ matrices @ root).var(axis=0).sum()

    np.testing.assert_allclose(fit.f_df_residual[0] + 1, 6 / spread, rtol=0.1)


def test_cr2_is_unbiased_under_its_working_model() -> None:
    """CR2 is the model's covariance in the mean (5,000 draws, error 2 %); CR0 is too small."""
    rng = np.random.default_rng(9)
    cluster = np.repeat(range(6), 4)
    v = rng.uniform(0.1, 0.5, 24)
    x = rng.normal(size=6)[cluster]
    y = rng.normal(size=(5_000, 24)) * np.sqrt(v + 0.2)
    model = inverse_variance_model(y, v, 0.2, moderators=x)
    wanted = np.linalg.inv((w := np.stack([np.ones(24), x])) / (v + 0.2) @ w.T)
    means = {
        c: cluster_robust(model, cluster, correction=c).covariance.mean(axis=0)
        for c in ("CR0", "CR2")
    }  # type: ignore[arg-type]

    np.testing.assert_allclose(np.diagonal(means["CR2"]), np.diagonal(wanted), rtol=0.06)
    assert (np.diagonal(means["CR0"]) < 0.9 * np.diagonal(wanted)).all()


def test_robust_results_of_pairwise_models() -> None:
    """Coefficients are those of `random_effects`; single rows as clusters give its HC form."""
    data = schools()
    pooled = random_effects(data.estimate, data.variance)
    model = inverse_variance_model(data.estimate, data.variance, pooled.tau2)
    fit = cluster_robust(model, range(56), correction="CR1")
    w = pooled.weights / 100
    residual = data.estimate - pooled.estimate

    np.testing.assert_allclose(fit.coefficients[0], pooled.estimate, rtol=1e-12)
    np.testing.assert_allclose(fit.se[0] ** 2, 56 / 55 * (w**2 * residual**2).sum(), rtol=1e-10)


def test_multivariate_fits_can_be_made_robust() -> None:
    """Each outcome keeps its coefficient; clusters are the trials."""
    data = tuberculosis()
    fit = multivariate(data.estimate, data.covariance, data.study, data.outcome)
    robust = cluster_robust(fit, data.study)

    np.testing.assert_allclose(robust.coefficients, fit.coefficients, rtol=1e-12)
    np.testing.assert_allclose(robust.se, fit.se, rtol=0.2)
    assert robust.clusters == 13
    assert robust.f_df == 2


def test_data_sets_broadcast_and_index() -> None:
    """Robust results of a table of data sets are those of each alone, missing rows left out."""
    data = schools()
    table = np.stack([data.estimate, data.estimate[::-1]])
    table[1, :4] = np.nan
    fits = multilevel(table, data.variance, data.levels)
    robust = cluster_robust(fits, data.district)
    alone = cluster_robust(fits[1], data.district)

    np.testing.assert_allclose(robust[1].se, alone.se, rtol=1e-10)
    assert robust.clusters.tolist() == [11, 10]
    assert robust[1].rows()[0]["name"] == "intercept"


def test_few_degrees_of_freedom_are_said() -> None:
    """A moderator that one cluster carries: no trust, and it is said."""
    rng = np.random.default_rng(3)
    cluster = np.repeat(range(4), 2)
    x = (cluster == 0).astype(float)
    model = inverse_variance_model(rng.normal(size=8), np.full(8, 0.1), 0.1, moderators=x)
    fit = cluster_robust(model, cluster)

    assert "Below 4 degrees of freedom (intercept, x1)" in fit.summary()


def test_refusals() -> None:
    """Too few clusters, and clusters that cut through what the fit ties together."""
    data = schools()
    fit = multilevel(data.estimate, data.variance, data.levels)
    with pytest.raises(ValueError, match=r"1 clusters cannot carry .* 1 coefficients"):
        cluster_robust(fit, [1] * 56)
    with pytest.raises(ValueError, match="rows 0 and 1 lie in different clusters"):
        cluster_robust(fit, range(56))
    with pytest.raises(ValueError, match="correction must be one of CR2, CR1, CR0"):
        cluster_robust(fit, data.district, correction="CR3")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="cluster must hold one label a row"):
        cluster_robust(fit, data.district[:5])
    with pytest.raises(ValueError, match="tau2 must lie in"):
        inverse_variance_model([1.0, 2.0], [1.0, 1.0], -1.0)


def test_imputed_covariances() -> None:
    """Constant correlation within clusters; over time it fades; blocks and matrix are one."""
    v = np.array([0.04, 0.09, 0.01, 0.16])
    constant = impute_covariance(v, ["a", "b", "a", "a"], 0.5)
    fading = impute_covariance(v, [1, 2, 1, 1], 0.5, time=[0, 0, 1, 3])
    sd = np.sqrt(v)

    assert constant.size == 4
    np.testing.assert_allclose(constant.variance, v)
    np.testing.assert_allclose(
        constant.dense() / np.outer(sd, sd),
        [[1, 0, 0.5, 0.5], [0, 1, 0, 0], [0.5, 0, 1, 0.5], [0.5, 0, 0.5, 1]],
    )
    np.testing.assert_allclose(
        fading.dense() / np.outer(sd, sd),
        [[1, 0, 0.5, 0.125], [0, 1, 0, 0], [0.5, 0, 1, 0.25], [0.125, 0, 0.25, 1]],
    )
    again = BlockCovariance.of(constant.dense())
    assert [r.tolist() for r in again.rows] == [[0, 2, 3], [1]]
    np.testing.assert_array_equal(again.dense(), constant.dense())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"correlation": 1.0}, r"correlation must lie in \(-0.5, 1\) for clusters of up to 3 rows"),
        ({"correlation": -0.5}, "correlation must lie in"),
        ({"correlation": -0.1, "time": [1, 2, 3, 4]}, r"correlation must lie in \[0, 1\)"),
        ({"time": [1, 2, 1, 3]}, "cluster a has several rows at time 1"),
        ({"time": [1, 2]}, "one finite number a row, 4 in all"),
        ({"variance": [[0.1] * 4]}, "variance must have one axis"),
        ({"variance": [0.1, 0.0, 0.1, 0.1]}, "variance must lie in"),
    ],
)
def test_impossible_covariances_are_refused(options: dict[str, Any], message: str) -> None:
    """Correlations that no cluster of that size can have, and times that coincide."""
    usual: dict[str, Any] = {"variance": [0.1] * 4, "cluster": ["a", "b", "a", "a"]}
    with pytest.raises(ValueError, match=message):
        impute_covariance(**(usual | {"correlation": 0.5} | options))


def test_broken_matrices_are_refused() -> None:
    """Not square, not symmetric, not covering the rows."""
    with pytest.raises(ValueError, match="covariance must be a square matrix"):
        BlockCovariance.of([1.0, 2.0])
    with pytest.raises(ValueError, match="variance must be symmetric"):
        multilevel([1.0, 2.0], [[1.0, 0.2], [0.1, 1.0]], {"row": [1, 2]})
    with pytest.raises(ValueError, match="variance must cover each of the 2 rows once"):
        multilevel([1.0, 2.0], BlockCovariance.of(np.eye(3)), {"row": [1, 2]})


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1])
def test_estimates_without_residuals_have_no_robust_test(value: float) -> None:
    """What rounding leaves is no residual: the standard error is 0, and that is said."""
    model = inverse_variance_model(np.full(6, value), [0.02, 0.03] * 3, 0.0)
    fit = cluster_robust(model, list("aabbcc"))

    assert fit.se.item() == 0
    assert np.isnan(fit.p_value).all()
    assert np.isnan(fit.statistic).all()
    assert "A standard error of 0 says that the clusters leave no residuals" in fit.summary()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_covariance_must_be_a_number(value: float) -> None:
    """A matrix or block with a gap is refused; gaps beside missing rows are none."""
    matrix = np.diag(np.full(4, 0.1))
    matrix[0, 1] = matrix[1, 0] = value
    levels = {"study": range(4)}
    for given in (matrix, BlockCovariance.of(matrix)):
        with pytest.raises(ValueError, match=f"finite covariance .* got {value}"):
            multilevel([0.1, 0.2, 0.3, 0.5], given, levels)
    matrix[0, 0] = np.nan
    matrix[0, 1] = matrix[1, 0] = np.nan
    assert multilevel([0.1, 0.2, 0.3, 0.5], matrix, levels).k == 3


def test_a_variance_of_true_effects_is_one_a_data_set() -> None:
    """`tau2` of another shape is refused by name."""
    with pytest.raises(ValueError, match="tau2 must be one number or one a data set"):
        inverse_variance_model([0.1, 0.2, 0.3], [0.1] * 3, [0.1, 0.2])


def test_cr1_multiplies_by_clusters_over_those_left() -> None:
    """With m clusters and p coefficients m / (m - p), and m - p degrees of freedom."""
    fit, data = fitted(), schools()
    plain = cluster_robust(fit, data.district, correction="CR0")
    found = cluster_robust(fit, data.district, correction="CR1")

    np.testing.assert_allclose(found.covariance, plain.covariance * 11 / 9, rtol=1e-12)
    assert found.df.tolist() == plain.df.tolist() == [9, 9]
