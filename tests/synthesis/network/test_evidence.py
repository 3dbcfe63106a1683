"""Evidence of a network: what is read, what is refused, what follows from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import DATASETS, evidence
from trabecula.synthesis.network.evidence import NetworkEvidence

THREE = (["s", "s", "s"], ["a", "a", "b"], ["b", "c", "c"])


def test_contrasts_are_sorted_and_turned() -> None:
    """Rows come by study, first and second treatment; a contrast turned round changes its sign."""
    ours = NetworkEvidence.from_contrasts(
        ["two", "one", "two", "two"],
        ["c", "b", "b", "c"],
        ["a", "a", "a", "b"],
        [3.0, 5.0, 1.0, 2.0],
        [0.3, 0.5, 0.2, 0.1],
    )

    assert ours.studies == ("two", "one")
    assert ours.treatments == ("a", "b", "c")
    assert ours.study.tolist() == [0, 0, 0, 1]
    assert list(zip(ours.first, ours.second, strict=True)) == [(0, 1), (0, 2), (1, 2), (0, 1)]
    np.testing.assert_allclose(ours.estimate, [-1, -3, -2, -5], rtol=1e-14)
    assert ours.variance.tolist() == [0.2, 0.3, 0.1, 0.5]
    assert ours.arms.tolist() == [3, 2]
    assert ours.designs == (("a", "b"), ("a", "b", "c"))
    assert ours.design.tolist() == [1, 0]
    assert ours.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert ours.pair.tolist() == [0, 1, 2, 0]


def test_arms_are_their_contrasts() -> None:
    """Independent arms give the differences of estimates and the sums of variances."""
    arms = NetworkEvidence.from_arms(
        ["s", "t", "s", "t", "s"], ["b", "a", "a", "c", "c"], [2, 7, 1, 9, 5], [4, 1, 2, 3, 8]
    )
    contrasts = NetworkEvidence.from_contrasts(
        ["s", "s", "s", "t"],
        ["a", "a", "b", "a"],
        ["b", "c", "c", "c"],
        [-1, -4, -3, -2],
        [6, 10, 12, 4],
    )

    assert arms.studies == contrasts.studies
    np.testing.assert_allclose(arms.estimate, contrasts.estimate, rtol=1e-14)
    assert arms.variance.tolist() == contrasts.variance.tolist()


def test_rounding_is_spread_over_the_contrasts_of_a_study() -> None:
    """A gap that rounding left is closed by least squares; equal gaps go to each contrast."""
    ours = NetworkEvidence.from_contrasts(*THREE, [1.0, 3.01, 2.0], [0.1, 0.1, 0.1])

    np.testing.assert_allclose(ours.estimate[0] + ours.estimate[2], ours.estimate[1], rtol=1e-14)
    np.testing.assert_allclose(ours.estimate - [1, 3.01, 2], np.array([1, -1, 1]) / 300, atol=1e-14)


def test_all_faulty_studies_are_named_at_once() -> None:
    """Doubled, missing, negative, with itself: one error tells of all of them."""
    with pytest.raises(ValueError, match="4 studies are at fault") as error:
        NetworkEvidence.from_contrasts(
            ["good", "doubled", "doubled", "lacking", "lacking", "wrong", "same"],
            ["a", "a", "b", "a", "a", "a", "c"],
            ["b", "b", "a", "b", "c", "c", "c"],
            [1, 1, 1, 1, 2, np.nan, 1],
            [1, 1, 1, 1, 1, -2, 1],
        )
    text = str(error.value)

    assert "'doubled': holds 'a' versus 'b' twice" in text
    assert "'lacking': of its 3 arms lacks 'b' versus 'c'" in text
    assert "the estimate of 'a' and 'c' is missing" in text
    assert "the variance of 'a' and 'c' is -2.0, must lie in [1e-30, 1e+30]" in text
    assert "'same': compares 'c' with itself" in text
    assert "good" not in text


@pytest.mark.parametrize(
    ("estimate", "variance", "told"),
    [
        ([1, 5, 2], [1, 1, 1], "do not add up, they are up to 0.667 off"),
        ([1, 3.31, 2], [1, 1, 1], "do not add up, they are up to 0.103 off"),
        ([1, 3, 2], [1, 1, 9], "belong to no covariance matrix"),
        ([1, 3, 2], [1, 1, 4], "leave a difference between arms without error"),
    ],
)
def test_impossible_multi_arm_studies_are_refused(
    estimate: list[float], variance: list[float], told: str
) -> None:
    """Contrasts that do not add up, and variances that break the triangle, are errors."""
    with pytest.raises(ValueError, match=told):
        NetworkEvidence.from_contrasts(*THREE, estimate, variance)


def test_arms_too_far_apart_are_not_called_inconsistent() -> None:
    """Independent arms always have a covariance matrix; it may not fit double precision."""
    with pytest.raises(ValueError, match="too far apart for double precision"):
        NetworkEvidence.from_arms(["s"] * 3, list("abc"), [0, 1, 2], [1e-12, 1.0, 1e12])


def test_no_data_set_is_refused() -> None:
    """An empty leading axis is named with its shape."""
    with pytest.raises(ValueError, match=r"must hold a data set, got shape \(0, 2\)"):
        NetworkEvidence.from_arms(["s", "s"], list("ab"), np.empty((0, 2)), np.empty((0, 2)))


def test_laplacian_weights_take_one_variance_a_data_set() -> None:
    """The between-study variance broadcasts to the data sets, and is 0 or above."""
    ours = NetworkEvidence.from_contrasts(["s"], ["a"], ["b"], np.ones((2, 3, 1)), np.ones(1))

    weights = ours.laplacian_weights([0.0, 1.0, 3.0])[..., 0]
    np.testing.assert_allclose(weights, [[1, 0.5, 0.25]] * 2)
    with pytest.raises(ValueError, match="tau2 must lie in"):
        ours.laplacian_weights(-0.1)


def test_faulty_arms_are_refused() -> None:
    """A study of one arm, or with two arms of one treatment, is named."""
    with pytest.raises(ValueError, match="2 studies are at fault") as error:
        NetworkEvidence.from_arms(
            ["one", "two", "two", "three", "three"], list("aabbb"), [1] * 5, [1] * 5
        )

    assert "'one': has one arm, it compares nothing" in str(error.value)
    assert "'three': has two arms of 'b', pool them first" in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((["s"], ["a"], [None], [1], [1]), "second must hold names, text or whole numbers"),
        ((["s"], ["a"], [" "], [1], [1]), "second must hold names.*an empty one"),
        (([], [], [], [], []), "study must hold at least one name"),
        ((["s"], ["a"], ["b"], [1, 2], [1]), "one entry a row"),
        ((["s"], ["a"], ["b"], [1, 2], [1, 2, 3]), "estimate and variance must broadcast"),
        ((["s"], ["a"], ["b"], ["x"], [1]), "estimate must be numbers"),
    ],
)
def test_malformed_columns_are_refused(arguments: Any, told: str) -> None:
    """Names that are none, lengths that differ, numbers that are none."""
    with pytest.raises(ValueError, match=told):
        NetworkEvidence.from_contrasts(*arguments)


def test_whole_numbers_and_odd_characters_are_names() -> None:
    """Any text is a name, and a whole number is its digits."""
    ours = NetworkEvidence.from_contrasts([1, 2], ["a:b", "é – |"], ["é – |", "β"], [1, 2], [1, 1])

    assert ours.studies == ("1", "2")
    assert ours.treatments == ("a:b", "é – |", "β")


def test_parts_are_found_and_keep_their_studies() -> None:
    """A network in three parts gives three pieces of evidence, the largest first."""
    ours = NetworkEvidence.from_contrasts(
        ["s", "t", "u", "v"], list("xabp"), list("ybcq"), [1, 2, 3, 4], [1, 1, 1, 1]
    )
    parts = ours.parts

    assert [part.treatments for part in parts] == [("a", "b", "c"), ("p", "q"), ("x", "y")]
    assert [part.studies for part in parts] == [("t", "u"), ("v",), ("s",)]
    assert parts[0].estimate.tolist() == [2, 3]
    assert evidence("Senn2013").parts[0].studies == evidence("Senn2013").studies


def test_a_long_chain_is_one_part() -> None:
    """Links are followed to the end, whatever the order of the names."""
    names = [f"{i * 37 % 101:03d}" for i in range(101)]
    ours = NetworkEvidence.from_contrasts(
        names[:-1], names[:-1], names[1:], np.ones(100), np.ones(100)
    )

    assert len(ours.parts) == 1


def test_subsets_keep_what_they_need() -> None:
    """Studies can be chosen by mask or index; treatments nobody compares leave."""
    ours = evidence("Senn2013")
    part = ours.subset([0, 2])

    assert part.studies == (ours.studies[0], ours.studies[2])
    assert part.treatments == ("acar", "metf", "plac")
    mask = np.arange(len(ours.studies)) < 3
    assert ours.subset(mask).studies == ours.studies[:3]
    with pytest.raises(ValueError, match="at least one study"):
        ours.subset([])


@pytest.mark.parametrize("dataset", DATASETS)
def test_rows_carry_all_information_whatever_the_variance(dataset: str) -> None:
    """The rows are uncorrelated at every τ², and their Laplacian is that of the contrasts."""
    ours = evidence(dataset)
    rows = ours.independent_rows()
    design = rows.design_matrix()[0]
    for tau2 in (0.0, 0.3, 7.0):
        dense = np.zeros((len(ours.treatments),) * 2)
        for study in range(len(ours.studies)):
            dense += _study_laplacian(ours, study, tau2)
        weights = ours.laplacian_weights(tau2)
        sparse = np.zeros_like(dense)
        np.add.at(sparse, (ours.first, ours.second), -weights)
        sparse += sparse.T
        np.fill_diagonal(sparse, -sparse.sum(axis=1))

        np.testing.assert_allclose(sparse, dense, rtol=1e-11, atol=1e-9)
        ours_too = design.T @ np.diag(1 / (rows.variance[0] + tau2)) @ design
        np.testing.assert_allclose(ours_too, dense, rtol=1e-11, atol=1e-9)


def _study_laplacian(ours: NetworkEvidence, study: int, tau2: float) -> np.ndarray:
    """Return the Laplacian of one study by the inverse covariance of its first arm's contrasts."""
    rows = np.flatnonzero(ours.study == study)
    arms = sorted({*ours.first[rows].tolist(), *ours.second[rows].tolist()})
    v = np.zeros((len(ours.treatments),) * 2)
    v[ours.first[rows], ours.second[rows]] = ours.variance[rows] + tau2
    v += v.T
    own = v[arms[0], arms[1:]]
    covariance = (own[:, None] + own[None, :] - v[np.ix_(arms[1:], arms[1:])]) / 2
    contrasts = np.zeros((len(arms) - 1, len(ours.treatments)))
    contrasts[:, arms[0]] = 1
    contrasts[np.arange(len(arms) - 1), arms[1:]] = -1
    return contrasts.T @ np.linalg.inv(covariance) @ contrasts
