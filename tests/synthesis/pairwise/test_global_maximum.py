"""The proof that a maximum is the only one: its premises, and that it never errs."""

from __future__ import annotations

import numpy as np
import pytest

from trabecula.synthesis.pairwise.global_maximum import (
    Point,
    falls,
    highest,
    is_highest,
    point_at,
    rises,
    settled,
    settled_beyond,
    turning_points,
)
from trabecula.synthesis.pairwise.likelihood import log_likelihood, maximise
from trabecula.synthesis.pairwise.power_sums import Column, Columns, Table
from trabecula.synthesis.studies import Studies

MESH = np.append(0.0, np.geomspace(1e-7, 1e4, 600))


def hard_data(sets: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return data sets whose variances differ a million-fold: several maxima are common."""
    rng = np.random.default_rng(seed)
    v = 10 ** rng.uniform(-4, 2, (sets, k))
    return rng.standard_t(2, (sets, k)) * rng.uniform(0.1, 3, (sets, 1)), v


def peaks(table: Table, *, restricted: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return for each data set how many maxima a fine mesh shows, and the greatest height."""
    height = np.array([log_likelihood(table, t, restricted=restricted) for t in MESH.tolist()])
    wall = np.full((1, height.shape[1]), -np.inf)
    walled = np.concatenate([wall, height, wall])
    slack = 1e-9 * np.abs(height)
    above = (height > walled[:-2] + slack) & (height > walled[2:] + slack)
    return above.sum(axis=0), height.max(axis=0)


@pytest.mark.parametrize("restricted", [True, False])
def test_premise_of_the_proof_holds(restricted: bool) -> None:
    """Both functions rise and are concave: second differences are never positive."""
    table = Table.of(Studies.read(*hard_data(50, 6, seed=1)))
    places = np.linspace(0, 3, 40)
    points = [point_at(t, *table.data.curves(t), restricted=restricted) for t in places.tolist()]
    for values in (np.array([p.g for p in points]), np.array([p.h for p in points])):
        first = np.diff(values, axis=0)
        assert (first > 0).all()
        assert (np.diff(first, axis=0) <= 1e-12 * values[1:-1]).all()


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("k", [2, 3, 4])
def test_what_is_claimed_of_an_interval_is_true(k: int, restricted: bool) -> None:
    """A settled score keeps its sign on a mesh inside, a falling one changes it once at most.

    Each claim is made of at least one in ten intervals, so that it does not hold by silence.
    """
    y, v = hard_data(3000, k, seed=30 + k)
    rng = np.random.default_rng(k)
    low = np.where(rng.uniform(size=3000) < 0.2, 0.0, 10 ** rng.uniform(-4, 1, 3000))
    high = low + 10 ** rng.uniform(-3, 2, 3000)
    table = Table.of(Studies.read(y, v))

    def at(tau2: np.ndarray) -> Point:
        return point_at(tau2, *table.data.curves(tau2), restricted=restricted)

    mesh = [at(low + share * (high - low)) for share in np.linspace(0, 1, 300) ** 3]
    positive = np.array([p.g**2 < p.h for p in mesh])
    changes = np.diff(positive.astype(int), axis=0)
    left, right = mesh[0], mesh[-1]
    farther = [at(low * 1.1**step + 1e-4 * 1.1**step) for step in range(150)]
    slope = table.total_spread**-0.5
    claims = {
        "settled": (settled(left, right), ~changes.any(axis=0)),
        "falls": (falls(left, right), ~(changes > 0).any(axis=0)),
        "rises": (rises(left, right), ~(changes < 0).any(axis=0)),
        "beyond": (settled_beyond(left, slope), ~np.any([p.g**2 < p.h for p in farther], axis=0)),
    }
    for name, (claimed, true) in claims.items():
        assert true[claimed].all(), name
        assert claimed.mean() > (0.1 if name != "rises" else 0.001), name


def test_a_lower_maximum_is_not_taken_for_the_only_one() -> None:
    """Neither of two maxima, at 0 and at 0.74, is called the only one, nor is the minimum."""
    table = Table.of(Studies.read([-0.0002, 0.0467, 2.6261], [0.0026, 0.0056, 0.611]))
    assert isinstance(table.data, Column)
    _, turns = turning_points(table.data.columns(), restricted=False)
    many = Table.of(Studies.read([[-0.0002, 0.0467, 2.6261]] * 2, [0.0026, 0.0056, 0.611]))

    for place in (0.0, *turns.tolist()):
        assert not is_highest(table, place, *table.data.curves(place), restricted=False)
        both = np.full(2, place)
        assert not is_highest(many, both, *many.data.curves(both), restricted=False).any()


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("k", [2, 3, 5, 12])
def test_no_second_maximum_is_overlooked(k: int, restricted: bool) -> None:
    """Where the proof was found the mesh has one maximum; everywhere none higher than ours."""
    table = Table.of(Studies.read(*hard_data(800, k, seed=k)))
    place = maximise(table, restricted=restricted)
    reached = log_likelihood(table, place.tau2, restricted=restricted)
    count, top = peaks(table, restricted=restricted)

    assert (count[place.alone] <= 1).all()
    assert (reached >= top - 1e-9 * np.abs(top)).all()
    assert place.alone.mean() > 0.5


def test_usual_data_need_no_search() -> None:
    """With variances as they come, fewer than two in a thousand data sets of twenty studies."""
    rng = np.random.default_rng(5)
    v = 0.25 * rng.chisquare(1, (4000, 20)) + 0.009
    y = rng.normal(0.5, np.sqrt(v + 0.1))
    alone = maximise(Table.of(Studies.read(y, v)), restricted=True).alone

    assert np.mean(~alone) < 0.002


@pytest.mark.parametrize("restricted", [True, False])
def test_search_and_proof_find_the_same(restricted: bool) -> None:
    """The search from end to end agrees with Newton's method where that was proven right."""
    table = Table.of(Studies.read(*hard_data(300, 4, seed=11)))
    place = maximise(table, restricted=restricted)
    assert isinstance(table.data, Columns)
    searched = highest(table.data, restricted=restricted)

    np.testing.assert_allclose(searched, place.tau2, rtol=1e-9, atol=1e-12)


def test_turning_points_alternate() -> None:
    """Every maximum and minimum of the likelihood of a data set with two maxima is found."""
    y, v = [-0.0002, 0.0467, 2.6261], [0.0026, 0.0056, 0.611]
    table = Table.of(Studies.read(np.stack([y, y]), np.stack([v, v])))
    assert isinstance(table.data, Columns)
    rows, places = turning_points(table.data, restricted=False)

    assert rows.tolist().count(0) == rows.tolist().count(1) == 2
    assert sorted(places[rows == 0]) == pytest.approx([0.1432, 0.7366], rel=0.005)
