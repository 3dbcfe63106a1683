"""Direct and indirect evidence, the parts of Q, net heat and the measures of a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import evidence
from tests.synthesis.network.test_network_meta_analysis import network, star
from trabecula.synthesis.network.decomposition import design_decomposition
from trabecula.synthesis.network.direct_evidence import direct_and_indirect
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.net_heat import net_heat
from trabecula.synthesis.network.network_measures import network_measures, study_importance
from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis

TRIANGLE = NetworkEvidence.from_contrasts(
    list("pqr"), list("aab"), list("bcc"), [1.0, 4.0, 2.0], [0.2, 0.3, 0.4]
)
"""One study on each side: b against c is 3 by way of a, and 2 directly."""


def test_a_triangle_has_one_direct_and_one_indirect_estimate_a_side() -> None:
    """The indirect estimate of a side goes over the third treatment (Bucher et al. 1997)."""
    split = direct_and_indirect(TRIANGLE)

    np.testing.assert_allclose(split.direct_estimate, [1, 4, 2], rtol=1e-14)
    np.testing.assert_allclose(split.indirect_estimate, [2, 3, 3], rtol=1e-12)
    np.testing.assert_allclose(split.indirect_se**2, [0.7, 0.6, 0.5], rtol=1e-12)
    np.testing.assert_allclose(split.difference, [-1, 1, -1], rtol=1e-12)
    np.testing.assert_allclose(split.difference_se**2, 0.9, rtol=1e-12)
    np.testing.assert_allclose(split.proportion, [0.7 / 0.9, 0.6 / 0.9, 0.5 / 0.9], rtol=1e-12)
    assert "3 both direct and indirect" in split.summary()
    assert split.rows()[1]["second"] == "c"
    assert split.rows()[1]["studies"] == 1


def test_the_test_of_a_loop_is_the_same_from_all_sides() -> None:
    """In a triangle of two-arm studies Q between designs is the squared z of each side."""
    split = direct_and_indirect(TRIANGLE)
    q = design_decomposition(TRIANGLE)

    np.testing.assert_allclose(split.difference_statistic**2, 1 / 0.9, rtol=1e-12)
    np.testing.assert_allclose(q.q_between, 1 / 0.9, rtol=1e-12)
    np.testing.assert_allclose(q.q_between_p_value, split.difference_p_value[0], rtol=1e-10)
    assert q.q_within_df == 0
    assert np.isnan(q.q_within_p_value)
    np.testing.assert_allclose(q.detached_q, 0, atol=1e-14)
    assert q.detached_df.tolist() == [0, 0, 0]


def test_a_star_has_no_indirect_evidence_for_its_spokes() -> None:
    """What only direct evidence informs has no indirect estimate, and the reverse."""
    split = direct_and_indirect(star())
    direct = split.studies > 0

    assert direct.tolist() == [True, True, True, False, False, False]
    assert np.isnan(split.indirect_estimate[direct]).all()
    assert np.isnan(split.direct_estimate[~direct]).all()
    np.testing.assert_allclose(split.proportion[direct], 1, rtol=1e-12)
    np.testing.assert_allclose(split.network_estimate, split.network_estimate)
    np.testing.assert_allclose(
        split.indirect_estimate[~direct], split.network_estimate[~direct], rtol=1e-12
    )
    assert "cannot be held against each other" in split.summary()
    q = design_decomposition(star())
    assert "Incoherence cannot be tested" in q.summary()
    assert np.isnan(q.detached_q).all()


@pytest.mark.parametrize("seed", range(4))
def test_detaching_is_leaving_out(seed: int) -> None:
    """Q between designs with a design detached is that of the network without its studies."""
    ours = NetworkEvidence.from_arms(*network(seed, treatments=5, studies=20))
    q = design_decomposition(ours, tau2=0.1)
    tried = 0
    for i, design in enumerate(q.designs):
        rest = ours.subset(ours.design != i)
        whole = rest.treatments == ours.treatments and len(rest.parts) == 1
        assert np.isfinite(q.detached_q[i]) == whole
        if whole:
            tried += 1
            without = design_decomposition(rest, tau2=0.1)
            np.testing.assert_allclose(q.detached_q[i], without.q_between, rtol=1e-8, atol=1e-10)
            assert q.detached_df[i] == without.q_between_df
        assert q.studies[i] == (ours.design == i).sum()
        assert q.designs[i] == design
    assert tried > 3


@pytest.mark.parametrize("giant", [1e-8, 1e-3])
def test_detaching_a_giant_study_is_leaving_it_out(giant: float) -> None:
    """A design up to a hundred million times as precise as others is detached without noise."""
    study, name, y, v = network(1, treatments=4, studies=12)
    v[:2] = giant
    ours = NetworkEvidence.from_arms(study, name, y, v)
    q, importance = design_decomposition(ours), study_importance(ours).importance
    giant = int(ours.design[0])
    rest = ours.subset(ours.design != giant)
    assert len(rest.parts) == 1

    without = design_decomposition(rest)
    np.testing.assert_allclose(q.detached_q[giant], without.q_between, rtol=1e-5)
    without_first = ours.subset(np.arange(len(ours.studies)) != 0)
    whole, left = (network_meta_analysis(e, method="common").se for e in (ours, without_first))
    lost = 1 - (whole[0, 1:] / left[0, 1:]) ** 2
    np.testing.assert_allclose(importance[0, :3], lost, rtol=1e-6)


def test_nothing_left_after_detaching_is_not_below_zero() -> None:
    """In a loop of single studies detaching leaves Q = 0, not what rounding makes of it."""
    rng = np.random.default_rng(2)
    ours = NetworkEvidence.from_contrasts(
        list("pqr"), list("aab"), list("bcc"), rng.normal(size=(50, 3)), rng.uniform(size=(50, 3))
    )
    left = design_decomposition(ours).detached_q

    assert (left >= 0).all()
    np.testing.assert_allclose(left, 0, atol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_net_heat_is_the_change_by_leaving_out(seed: int) -> None:
    """Lines of the heat matrix sum to the fall of Q; detaching a design clears its own line."""
    ours = NetworkEvidence.from_arms(*network(seed, treatments=5, studies=20))
    q, heat = design_decomposition(ours), net_heat(ours)
    place = np.array([q.designs.index(design) for design in heat.design])

    np.testing.assert_allclose(heat.q.sum(), q.q_between, rtol=1e-9)
    fall = q.q_between - q.detached_q[place]
    np.testing.assert_allclose(heat.heat.sum(axis=0), fall, rtol=1e-7, atol=1e-9)
    own = [heat.heat[i, i] - heat.q[i] for i in range(len(place)) if np.isfinite(fall[i])]
    np.testing.assert_allclose(own, 0, atol=1e-9)
    np.testing.assert_allclose(np.trace(heat.hat), len(ours.treatments) - 1, rtol=1e-9)
    assert len(heat.rows()) == len(place) ** 2


def test_net_heat_of_a_triangle_is_even() -> None:
    """In one loop of three studies detaching any of them clears all: no hot spot can be told."""
    heat = net_heat(TRIANGLE)

    np.testing.assert_allclose(heat.heat, np.repeat(heat.q[:, None], 3, axis=1), atol=1e-14)
    assert (heat.q > 0).all()


@pytest.mark.parametrize("tau2", [0.0, 0.4])
def test_importance_is_leaving_out(tau2: float) -> None:
    """The precision that goes with a study is that of the network without it; 1 if it splits."""
    ours = NetworkEvidence.from_arms(*network(11, treatments=5, studies=9))
    importance = study_importance(ours, tau2=tau2)
    full = network_meta_analysis(ours, tau2=tau2)
    for study in range(len(ours.studies)):
        rest = ours.subset(np.arange(len(ours.studies)) != study)
        for part in rest.parts:
            fit = network_meta_analysis(part, tau2=tau2)
            back = [full.treatments.index(name) for name in part.treatments]
            i, j = np.triu_indices(len(back), 1)
            here = full.se[np.ix_(back, back)][i, j]
            expected = 1 - (here / fit.se[i, j]) ** 2
            at = [
                _row(importance, part.treatments[a], part.treatments[b])
                for a, b in np.stack([i, j], 1)
            ]
            np.testing.assert_allclose(importance.importance[study, at], expected, atol=1e-9)
        kept = {frozenset(p) for part in rest.parts for p in _pairs(part.treatments)}
        for row, pair in enumerate(zip(importance.first, importance.second, strict=True)):
            if frozenset(pair) not in kept:
                assert importance.importance[study, row] == 1


def test_measures_of_a_chain() -> None:
    """Along a chain the path is as long as it has links; parallel studies share the load."""
    ours = NetworkEvidence.from_contrasts(
        list("pqrs"), list("abcc"), list("bcdd"), [1.0] * 4, [0.2] * 4
    )
    measures = network_measures(ours)

    assert measures.first[2], measures.second[2] == ("a", "d")
    np.testing.assert_allclose(measures.mean_path_length, [1, 2, 3, 1, 2, 1], rtol=1e-12)
    np.testing.assert_allclose(measures.minimal_parallelism, 1, rtol=1e-12)
    np.testing.assert_allclose(measures.hat[2], [1, 1, 1], rtol=1e-12)
    assert measures.rows()[5]["first"] == "c"


def test_stacks_of_data_sets_are_taken_one_by_one() -> None:
    """Every analysis of evidence takes leading axes, and a τ² a data set."""
    study, arm, y, v = network(2)
    ys = y + np.random.default_rng(0).normal(0, 0.5, (3, len(y)))
    stack, tau2 = NetworkEvidence.from_arms(study, arm, ys, v), np.array([0.0, 0.1, 0.5])
    functions: list[Any] = [
        direct_and_indirect,
        design_decomposition,
        network_measures,
        study_importance,
        net_heat,
    ]
    for function in functions:
        many = function(stack, tau2=tau2)
        for i in range(3):
            alone = function(NetworkEvidence.from_arms(study, arm, ys[i], v), tau2=tau2[i])
            for name, value in alone.to_dict().items():
                if isinstance(value, float) or name in ("proportion", "heat", "importance", "hat"):
                    np.testing.assert_allclose(
                        getattr(many[i], name), getattr(alone, name), rtol=1e-9, atol=1e-12
                    )
        for method in ("rows", "summary"):
            if hasattr(many, method):
                with pytest.raises(ValueError, match="one data set"):
                    getattr(many, method)()


def test_golden_decomposition_reads_as_a_paper() -> None:
    """The summary names the parts of Q and the design that drives incoherence most."""
    text = design_decomposition(evidence("Senn2013")).summary()

    assert "Within designs Q(11) = 74.46, p < 0.001." in text
    assert "Between designs Q(7) = 22.53, p = 0.002." in text
    assert "τ² = 0.14" in text
    assert "Detaching metf – sulf" not in text
    assert len(design_decomposition(evidence("Senn2013")).rows()) == 15


def _row(table: Any, first: str, second: str) -> int:
    return list(zip(table.first, table.second, strict=True)).index((first, second))


def _pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
