"""The likelihood over clusters: against dense algebra, its derivatives, its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.dependent.data import schools
from trabecula.synthesis.dependent.marginal import Component, Marginal
from trabecula.synthesis.dependent.partition import chain, connected
from trabecula.synthesis.dependent.rows import Rows, with_moderators
from trabecula.synthesis.dependent.sampling import BlockCovariance
from trabecula.synthesis.dependent.structures import EqualCorrelation, Quadratic

ONE = np.zeros((1, 1), dtype=np.int64)
STRUCTURES = [
    Quadratic.independent(3),
    Quadratic.identity(3),
    Quadratic.cholesky(3),
    Quadratic.compound_symmetry(3),
    EqualCorrelation(3),
]


def three_levels(missing: bool = False) -> tuple[Rows, tuple[Component, ...]]:
    """Return two data sets of schools whose sampling errors depend within districts."""
    data = schools()
    estimate = np.stack([data.estimate, data.estimate[::-1]])
    if missing:
        estimate[1, [0, 7, 30]] = np.nan
    same = data.district[:, None] == data.district
    sd = np.sqrt(data.variance)
    matrix = np.where(same, 0.3, 0.0) * sd * sd[:, None] + 0.7 * np.diag(data.variance)
    design = with_moderators(np.ones((56, 1)), ["intercept"], data.year, None)
    rows = Rows.read(estimate, BlockCovariance.of(matrix), design)
    district = np.unique(data.district, return_inverse=True)[1]
    group = (district, np.arange(56))
    return rows, tuple(Component(g, np.zeros(56, dtype=np.int64), ONE) for g in group)


def dense(rows: Rows, components: Any, natural: np.ndarray, i: int, *, restricted: bool) -> float:
    """Return the log-likelihood of data set `i` from one covariance matrix of all its rows."""
    there = rows.present[i] > 0
    total = rows.sampling.blocks.dense() / rows.unit[i] ** 2  # type: ignore[union-attr]
    for t, c in zip(natural, components, strict=True):
        total = total + t * (c.group[:, None] == c.group)
    x, y, m = rows.design.basis[there], rows.estimate[i][there], total[np.ix_(there, there)]
    w = np.linalg.inv(m)
    a = x.T @ w @ x
    r = y - x @ np.linalg.solve(a, x.T @ w @ y)
    n, p = x.shape
    twice = n * np.log(2 * np.pi) + np.linalg.slogdet(m)[1] + r @ w @ r
    if restricted:
        twice += np.linalg.slogdet(a)[1] - np.linalg.slogdet(x.T @ x)[1] - p * np.log(2 * np.pi)
    return float(-twice / 2)


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("missing", [True, False])
def test_sum_over_clusters_is_the_dense_likelihood(restricted: bool, missing: bool) -> None:
    """Padding, missing rows and buckets of clusters change nothing."""
    rows, components = three_levels(missing)
    likelihood = Marginal.of(rows, components)
    natural = np.array([[0.4, 0.1], [0.05, 0.7]])
    ours = likelihood.height(likelihood.mean(natural), restricted=restricted)
    theirs = [dense(rows, components, natural[i], i, restricted=restricted) for i in (0, 1)]

    assert len(likelihood.buckets) > 1
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)


@pytest.mark.parametrize("restricted", [True, False])
def test_derivatives_are_those_of_the_likelihood(restricted: bool) -> None:
    """Slopes and curvatures agree with central differences (error about 1e-9)."""
    rows, components = three_levels(missing=True)
    likelihood = Marginal.of(rows, components)
    natural, h = np.array([[0.4, 0.1], [0.05, 0.7]]), 1e-5
    at = likelihood.surface(natural, restricted=restricted)
    for j in (0, 1):
        step = h * np.eye(2)[[j]]
        up, down = (likelihood.surface(natural + s * step, restricted=restricted) for s in (1, -1))

        np.testing.assert_allclose(at.slope[:, j], (up.value - down.value) / (2 * h), rtol=1e-6)
        np.testing.assert_allclose(
            at.curvature[:, j], (up.slope - down.slope) / (2 * h), rtol=1e-6, atol=1e-6
        )


@pytest.mark.parametrize("structure", STRUCTURES, ids=lambda s: f"{type(s).__name__}{s.size}")
def test_structures_know_their_derivatives(structure: Any) -> None:
    """Jacobian and second derivatives of the natural parameters agree with differences."""
    rng, h = np.random.default_rng(3), 1e-6
    theta = rng.normal(size=(4, structure.size))
    slope = rng.normal(size=(4, int(structure.index.max()) + 1))
    jacobian, bend = structure.jacobian(theta), structure.bend(theta, slope)
    for m in range(structure.size):
        step = h * np.eye(structure.size)[m]
        up, down = theta + step, theta - step
        first = (structure.natural(up) - structure.natural(down)) / (2 * h)
        turn = structure.jacobian(up) - structure.jacobian(down)

        np.testing.assert_allclose(jacobian[:, :, m], first, atol=1e-7)
        np.testing.assert_allclose(
            bend[:, m], np.einsum("ra,ram->rm", slope, turn) / (2 * h), atol=1e-7
        )


@pytest.mark.parametrize("structure", STRUCTURES[1:], ids=lambda s: f"{type(s).__name__}{s.size}")
def test_structures_give_covariance_matrices(structure: Any) -> None:
    """Whatever the parameters, no eigenvalue is negative; starts have the asked variances."""
    theta = np.random.default_rng(4).normal(size=(200, structure.size))
    natural = np.concatenate([structure.natural(theta), np.zeros((200, 1))], axis=1)
    start = structure.natural(structure.start(np.array([0.7]), 0.3))[0]

    assert np.linalg.eigvalsh(natural[:, structure.index]).min() > -1e-12
    np.testing.assert_allclose(start[np.diagonal(structure.index)], 0.7)
    if structure.index[0, 1] >= 0:
        np.testing.assert_allclose(start[structure.index[0, 1]], 0.21)


def test_rows_joined_by_any_chain_are_one_cluster() -> None:
    """Long chains, crossed groupings and lone rows."""
    line = np.stack([np.arange(99), np.arange(1, 100)], axis=1)[::-1]
    crossed = [chain(np.array([0, 0, 1, 2, 2])), chain(np.array([0, 1, 1, 2, 3]))]

    assert set(connected(100, [line])) == {0}
    assert connected(5, crossed).tolist() == [0, 0, 0, 1, 1]
    assert connected(3, []).tolist() == [0, 1, 2]
