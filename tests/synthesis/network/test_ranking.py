"""Ranks, league tables: always beside estimates, as exact as said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import evidence
from tests.synthesis.network.test_network_meta_analysis import network, star
from trabecula.synthesis.network.direct_evidence import direct_and_indirect
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.league import league_table
from trabecula.synthesis.network.network_meta_analysis import NetworkFit, network_meta_analysis
from trabecula.synthesis.network.ranking import p_scores, ranking


def fit(dataset: str, **options: Any) -> NetworkFit:
    """Return the fit of a golden data set, small values desirable."""
    return network_meta_analysis(evidence(dataset), small_values="desirable", **options)


def test_two_treatments_rank_by_one_probability() -> None:
    """With two treatments everything is the one-sided p-value, without error."""
    ours = NetworkEvidence.from_contrasts(["s"], ["a"], ["b"], [-1.0], [1.0])
    table = ranking(network_meta_analysis(ours, small_values="desirable"))
    p = 0.8413447460685429  # standard normal below 1

    np.testing.assert_allclose(table.p_score, [p, 1 - p], rtol=1e-12)
    np.testing.assert_allclose(table.rank_probability, [[p, 1 - p], [1 - p, p]], atol=1e-4)
    np.testing.assert_allclose(table.mean_rank, [2 - p, 1 + p], rtol=1e-12)


@pytest.mark.parametrize("options", [{}, {"test": "knapp-hartung"}])
@pytest.mark.parametrize("dataset", ["Senn2013", "Woods2010", "parkinson"])
def test_sucra_of_the_rank_probabilities_is_the_p_score(
    dataset: str, options: dict[str, Any]
) -> None:
    """The identity of Rücker and Schwarzer (2015) holds to the error of the probabilities."""
    table = ranking(fit(dataset, **options))
    sucra = table.rank_probability.cumsum(axis=1)[:, :-1].mean(axis=1)
    mean = table.rank_probability @ np.arange(1, len(table.treatments) + 1)

    np.testing.assert_allclose(sucra, table.p_score, atol=6 * table.error)
    np.testing.assert_allclose(mean, table.mean_rank, atol=30 * table.error)
    np.testing.assert_allclose(table.rank_probability.sum(axis=0), 1, atol=12 * table.error)
    np.testing.assert_allclose(table.rank_probability.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_array_equal(table.sucra, table.p_score)
    np.testing.assert_allclose(table.p_score.mean(), 0.5, rtol=1e-12)


def test_probabilities_are_those_of_draws() -> None:
    """200,000 draws from the joint distribution give the same, within their error."""
    ours = fit("parkinson", test="knapp-hartung")
    table = ranking(ours)
    rng = np.random.default_rng(0)
    stretch = np.sqrt(ours.df / rng.chisquare(ours.df, (200_000, 1)))
    normal = rng.multivariate_normal(np.zeros(5), ours.covariance, 200_000)
    order = (ours.effect + normal * stretch).argsort(axis=1)
    drawn = np.array([[(order[:, rank] == i).mean() for rank in range(5)] for i in range(5)])

    np.testing.assert_allclose(table.rank_probability, drawn, atol=4.5 * 0.5 / np.sqrt(200_000))


def test_many_treatments_are_counted_as_exactly() -> None:
    """Beyond twelve treatments ranks are counted; the identity holds there too."""
    ours = NetworkEvidence.from_arms(*network(4, treatments=15, studies=30))
    table = ranking(network_meta_analysis(ours, small_values="undesirable"))
    sucra = table.rank_probability.cumsum(axis=1)[:, :-1].mean(axis=1)

    assert table.error < 2e-3
    np.testing.assert_allclose(sucra, table.p_score, atol=2e-3)


def test_seeds_change_probabilities_by_the_error() -> None:
    """The same seed gives the same numbers, another seed about the same."""
    ours = fit("parkinson")
    first, again, other = ranking(ours), ranking(ours), ranking(ours, seed=7)

    np.testing.assert_array_equal(first.rank_probability, again.rank_probability)
    gap = np.abs(first.rank_probability - other.rank_probability).max()
    assert 0 < gap < 8 * first.error


def test_direction_must_be_said_and_turns_the_ranks() -> None:
    """Without a direction there is no ranking; the other direction reverses the scores."""
    silent = network_meta_analysis(evidence("parkinson"))
    with pytest.raises(ValueError, match="whether small values are desirable or undesirable"):
        ranking(silent)
    with pytest.raises(ValueError, match="small_values must be one of"):
        p_scores(silent, small_values="good")  # type: ignore[arg-type]
    down = p_scores(silent, small_values="desirable")
    up = p_scores(silent, small_values="undesirable")

    np.testing.assert_allclose(down + up, 1, rtol=1e-12)


def test_ranks_come_with_their_estimates() -> None:
    """Rows are sorted, best first, each with the estimate and interval against the reference."""
    ours = fit("Senn2013", reference="plac")
    table = ranking(ours)
    rows = table.rows()

    assert (rows[0]["treatment"], rows[-1]["treatment"]) == ("rosi", "plac")
    np.testing.assert_allclose(rows[0]["estimate"], ours.estimate[6, 5])  # type: ignore[arg-type]
    assert {"ci_low", "ci_high", "against", "mean_rank"} <= set(rows[0])
    assert "rosi 0.90 (−1.23, −1.4" in table.summary()
    assert "plac 0.01 (the reference)" in table.summary()
    assert "say nothing about the size" in table.summary()


def test_stacks_are_ranked_one_by_one() -> None:
    """Leading axes are kept."""
    base = evidence("parkinson")
    stack = replace(
        base,
        estimate=np.stack([base.estimate, base.estimate * 2]),
        variance=np.stack([base.variance] * 2),
    )
    table = ranking(network_meta_analysis(stack, small_values="desirable"))

    assert table.shape == (2,)
    np.testing.assert_allclose(
        table[0].rank_probability, ranking(fit("parkinson")).rank_probability, atol=1e-9
    )
    with pytest.raises(ValueError, match="one data set"):
        table.rows()


def test_effects_without_uncertainty_are_not_ranked() -> None:
    """Where intervals have no width, ranks would feign certainty."""
    ours = NetworkEvidence.from_contrasts(
        list("pqr"), list("aab"), list("bbc"), [1.0, 1.0, 2.0], [0.5, 0.5, 0.5]
    )
    certain = network_meta_analysis(ours, test="knapp-hartung", small_values="desirable")
    with pytest.raises(ValueError, match="no uncertainty"):
        ranking(certain)


def test_league_table_holds_network_below_and_direct_above() -> None:
    """Cells are row minus column; above the diagonal stand direct estimates, or nothing."""
    ours = network_meta_analysis(star(), method="common")
    order = ("d", "a", "b", "c")
    table = league_table(ours, direct=direct_and_indirect(star()), order=order)

    assert tuple(table.cells[i][i] for i in range(4)) == order
    assert table.cells[0][1] == "0.20 (−0.68 to 1.08)"
    assert table.cells[0][2] == ""
    assert table.cells[1][0] == "−0.20 (−1.08 to 0.68)"
    assert table.rows()[0] == {"row": "d", "column": "a", "text": table.cells[0][1]}
    plain = league_table(ours)
    assert plain.treatments == ("a", "b", "c", "d")
    assert plain.cells[0][3] == "−0.20 (−1.08 to 0.68)"
    with pytest.raises(ValueError, match="order must hold each of a, b, c, d once; got a, b"):
        league_table(ours, order=["a", "b"])
    with pytest.raises(ValueError, match="direct must hold one data set of the treatments and the"):
        league_table(ours, direct=direct_and_indirect(star(), level=0.9))
