"""Contributions: netmeta's numbers, all paths enumerated, and what must hold in any network."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import DATASETS, evidence
from tests.synthesis.network.networks import made_up
from trabecula.synthesis.network import random_walk
from trabecula.synthesis.network.contribution import ContributionMatrix, contribution_matrix
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.flow import EvidenceFlow, edge_weights
from trabecula.synthesis.network.graph import DisconnectedNetwork, Graph
from trabecula.synthesis.network.paths import evidence_paths

ATOL = 1e-10
"""Percent. The reference sets transition probabilities below 2e-13 to 0. Worst seen: 1.3e-11."""

METHODS = {"netcontrib_shortestpath": "shortest-path", "netcontrib_randomwalk": "random-walk"}
MODELS = {"common": None, "random": "netmeta_DL"}


def pair(name: str) -> frozenset[str]:
    """Return the treatments in a label such as ``A:B``."""
    return frozenset(name.split(":"))


def flows(network: NetworkEvidence, tau2: float = 0.0) -> EvidenceFlow:
    """Return the flows of all comparisons."""
    graph = Graph.of(network)
    contrast = graph.rows.contrast_weights(1 / (graph.rows.variance + tau2))
    comparisons = np.stack(np.triu_indices(graph.treatments, 1), axis=1)
    return EvidenceFlow.of(graph, edge_weights(network, graph, contrast)[0], comparisons)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("key", METHODS)
def test_contributions_agree_with_netmeta(dataset: str, model: str, key: str) -> None:
    """Shortest paths and random walk, common and random effects, five networks."""
    content = DATASETS[dataset]
    theirs = content[key][model]
    tau2 = 0.0 if MODELS[model] is None else content[MODELS[model]]["tau2"]
    ours = contribution_matrix(evidence(dataset), tau2=tau2, method=METHODS[key])  # type: ignore[arg-type]
    rows, columns = ([pair(name) for name in theirs[axis]] for axis in ("rows", "cols"))
    estimates = zip(ours.first, ours.second, strict=True)
    order = [rows.index(frozenset(names)) for names in estimates]
    place = [columns.index(pair(name)) for name in ours.sources]

    assert set(content[key]) == {"seconds", *MODELS}
    assert sorted(place) == list(range(len(columns)))
    table = 100 * np.array(theirs["values"])[np.ix_(order, place)]
    np.testing.assert_allclose(ours.contribution, table, atol=ATOL, rtol=0)


def walks(flow: EvidenceFlow, row: int) -> Iterator[tuple[float, list[int]]]:
    """Yield every path of the random walk of a comparison with its probability."""
    chance = np.zeros((flow.treatments, flow.treatments))
    for (one, other), value in zip(flow.edges, flow.flow[row], strict=True):
        chance[(one, other) if value > 0 else (other, one)] = abs(value)
    waiting = [(1.0, [int(flow.source[row])])]
    while waiting:
        reached, path = waiting.pop()
        if path[-1] == flow.sink[row]:
            yield reached, path
            continue
        out = chance[path[-1]]
        waiting += [
            (reached * out[step] / out.sum(), [*path, int(step)]) for step in np.flatnonzero(out)
        ]


def shortest_first(flow: EvidenceFlow, row: int) -> Iterator[tuple[float, list[int]]]:
    """Yield the paths of a breadth-first search as the reference does it, one after the other."""
    number: dict[int, int] = {}
    out: dict[int, dict[int, int]] = {i: {} for i in range(flow.treatments)}
    for edge, (one, other) in enumerate(flow.edges.tolist()):
        tail, head = (one, other) if flow.flow[row, edge] > 0 else (other, one)
        number.setdefault(tail, len(number))
        number.setdefault(head, len(number))
        out[tail][head] = edge
    left = np.abs(flow.flow[row])
    source, sink = int(flow.source[row]), int(flow.sink[row])
    while True:
        parent = {source: source}
        queue = deque([source])
        while queue:
            here = queue.popleft()
            for step in sorted(out[here], key=lambda t: number[t]):
                if step not in parent and left[out[here][step]] > 1e-12:
                    parent[step] = here
                    queue.append(step)
        if sink not in parent:
            return
        path = [sink]
        while path[0] != source:
            path.insert(0, parent[path[0]])
        edges = [out[a][b] for a, b in pairwise(path)]
        carried = float(left[edges].min())
        left[edges] -= carried
        yield carried, path


def credited(flow: EvidenceFlow, paths: Any) -> np.ndarray:
    """Return the shares of edges when each path credits its edges equally."""
    place = {frozenset(e): i for i, e in enumerate(flow.edges.tolist())}
    shares = np.zeros(len(flow.edges))
    for carried, path in paths:
        for ends in pairwise(path):
            shares[place[frozenset(ends)]] += carried / (len(path) - 1)
    return shares


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("method", "enumerate_paths"), [("random-walk", walks), ("shortest-path", shortest_first)]
)
def test_contributions_are_those_of_all_paths_listed(
    seed: int, method: Any, enumerate_paths: Any
) -> None:
    """What one integral or one search of all comparisons gives, every path by itself gives."""
    network = made_up(9, 16, seed)
    flow = flows(network, 0.1)
    listed = [credited(flow, enumerate_paths(flow, row)) for row in range(len(flow.source))]
    ours = contribution_matrix(network, tau2=0.1, method=method).contribution

    np.testing.assert_allclose(ours, 100 * np.array(listed), atol=1e-9, rtol=0)


@pytest.mark.parametrize("seed", range(3))
def test_shortest_paths_of_more_treatments_than_a_word_has_bits(seed: int) -> None:
    """Networks of 70 treatments need two machine words for a set of them."""
    network = made_up(70, 160, seed)
    flow = flows(network)
    ours = contribution_matrix(network, method="shortest-path").contribution
    for row in np.random.default_rng(seed).integers(0, len(ours), 12):
        theirs = 100 * credited(flow, shortest_first(flow, row))
        np.testing.assert_allclose(ours[row], theirs, atol=1e-8, rtol=0)


def test_a_chain_of_forty_treatments_is_one_path() -> None:
    """The quadrature is exact for the longest path there is: every link has an equal share."""
    names = [f"t{i:02d}" for i in range(41)]
    chain = NetworkEvidence.from_contrasts(
        [str(i) for i in range(40)], names[:-1], names[1:], np.zeros(40), np.ones(40)
    )
    for method in ("random-walk", "shortest-path"):
        ends = contribution_matrix(chain, method=method).contribution[39]  # type: ignore[arg-type]
        np.testing.assert_allclose(ends, 100 / 40, rtol=1e-12)


@pytest.mark.parametrize("method", ["random-walk", "shortest-path"])
@pytest.mark.parametrize("by", ["comparison", "study"])
@pytest.mark.parametrize("seed", range(3))
def test_contributions_sum_to_a_hundred(method: Any, by: Any, seed: int) -> None:
    """For every comparison, by comparison and by study; none is negative."""
    matrix = contribution_matrix(made_up(12, 30, seed), tau2=0.05, method=method, by=by)

    np.testing.assert_allclose(matrix.contribution.sum(axis=-1), 100, atol=1e-9)
    assert (matrix.contribution >= 0).all()


@pytest.mark.parametrize("method", ["random-walk", "shortest-path"])
def test_in_a_star_direct_evidence_is_all_there_is(method: Any) -> None:
    """The center has 100 % from its own comparison; two rays have half from each."""
    star = NetworkEvidence.from_contrasts(
        list("123"), list("abc"), ["z"] * 3, [0.1, 0.2, 0.3], [0.1, 0.2, 0.4]
    )
    matrix = contribution_matrix(star, method=method)
    for row, (first, second) in enumerate(zip(matrix.first, matrix.second, strict=True)):
        used = [pair(name) & {first, second} for name in matrix.sources]
        expected = [100 if second == "z" and len(u) == 2 else 0 for u in used]
        if second != "z":
            expected = [50 if len(u) == 1 else 0 for u in used]
        np.testing.assert_allclose(matrix.contribution[row], expected, atol=1e-12)


def test_relabelling_treatments_permutes_the_random_walk() -> None:
    """Names decide nothing but the order of rows and columns."""
    names = [f"t{i:03d}" for i in range(10)]
    turned = list(np.random.default_rng(3).permutation(names))
    called = dict(zip(names, turned, strict=True))
    before = table(contribution_matrix(made_up(10, 22, 7, names=names)))
    after = table(contribution_matrix(made_up(10, 22, 7, names=turned)))

    for (ends, source), value in before.items():
        moved = (frozenset(called[t] for t in ends), frozenset(called[t] for t in source))
        assert after[moved] == pytest.approx(value, abs=1e-9)


def table(matrix: ContributionMatrix) -> dict[Any, float]:
    """Return the entries of a matrix by what they are about."""
    ends = zip(matrix.first, matrix.second, strict=True)
    return {
        (frozenset(names), pair(source)): float(matrix.contribution[row, column])
        for row, names in enumerate(ends)
        for column, source in enumerate(matrix.sources)
    }


def test_a_study_has_the_share_of_its_weight() -> None:
    """Two studies of one comparison share its contribution by inverse variance."""
    network = NetworkEvidence.from_contrasts(
        list("1234"), list("xxxy"), list("yyzz"), [0.1, 0.2, 0.3, 0.1], [0.1, 0.3, 0.2, 0.2]
    )
    whole = contribution_matrix(network).contribution
    parts = contribution_matrix(network, by="study").contribution

    np.testing.assert_allclose(parts[:, 0], whole[:, 0] * 0.75, rtol=1e-12)
    np.testing.assert_allclose(parts[:, 1], whole[:, 0] * 0.25, rtol=1e-12)


def test_data_sets_on_one_design_are_one_call() -> None:
    """Leading axes give what a loop gives."""
    network = evidence("Senn2013")
    tau2 = np.array([0.0, 0.1, 0.4])
    many = NetworkEvidence(
        network.studies,
        network.treatments,
        network.study,
        network.first,
        network.second,
        np.broadcast_to(network.estimate, (3, len(network.estimate))),
        np.broadcast_to(network.variance, (3, len(network.variance))),
        network.arms,
    )
    together = contribution_matrix(many, tau2=tau2)
    for i, each in enumerate(tau2):
        one = contribution_matrix(network, tau2=each)
        np.testing.assert_allclose(together[i].contribution, one.contribution, atol=1e-12)


@pytest.mark.parametrize("method", ["random-walk", "shortest-path"])
def test_listed_paths_carry_what_their_edges_contribute(method: Any) -> None:
    """Paths are listed in order of what they carry and add up with what is not listed."""
    network = made_up(9, 18, 5)
    flow = flows(network)
    first, second = network.treatments[0], network.treatments[1]
    paths = evidence_paths(network, first, second, method=method, most=10_000)
    index = [[network.treatments.index(t) for t in path] for path in paths.paths]
    shares = credited(flow, zip(paths.contribution / 100, index, strict=True))
    row = contribution_matrix(network, method=method).contribution[0]

    assert (np.diff(paths.contribution) <= 1e-12).all()
    assert float(paths.unlisted) == pytest.approx(0, abs=1e-9)
    np.testing.assert_allclose(100 * shares, row, atol=1e-9)
    few = evidence_paths(network, first, second, method=method, most=2)
    assert few.paths == paths.paths[:2]
    assert float(few.contribution.sum() + few.unlisted) == pytest.approx(100)
    assert paths.rows()[0]["path"] == list(paths.paths[0])
    assert f"{first} versus {second}" in paths.summary()


def test_results_describe_themselves() -> None:
    """A summary names what contributes most; rows leave out what contributes nothing."""
    matrix = contribution_matrix(evidence("parkinson"))

    assert matrix.summary() == (
        "Contributions of 6 direct comparisons to 10 estimates (random walk, τ² = 0): the direct "
        "comparison 3:4 contributes most, 23 % on average (0 to 87 %)."
    )
    assert sum(float(r["contribution"]) for r in matrix.rows()) == pytest.approx(1000)  # type: ignore[arg-type]
    assert "study" in contribution_matrix(evidence("parkinson"), by="study").summary()


def test_extreme_variances_leave_shares_that_sum_to_a_hundred() -> None:
    """From 1e-12 to 1e12: what is lost in rounding flows nowhere."""
    variance = [1e-12, 1.0, 1e12, 1.0]
    square = NetworkEvidence.from_contrasts(
        list("1234"), list("abca"), list("bcdd"), np.zeros(4), variance
    )
    for method in ("random-walk", "shortest-path"):
        matrix = contribution_matrix(square, method=method).contribution  # type: ignore[arg-type]
        np.testing.assert_allclose(matrix.sum(axis=1), 100, atol=1e-6)


def test_what_cannot_be_taken_apart_is_refused() -> None:
    """Parts that nothing links, negative weights, unknown names: each error says what to do."""
    parts = NetworkEvidence.from_contrasts(list("12"), list("ac"), list("bd"), [0, 0], [1, 1])
    odd = NetworkEvidence.from_contrasts(
        list("111"), list("aab"), list("bcc"), [0.0, 0.0, 0.0], [1.0, 1.0, 2.5]
    )
    with pytest.raises(DisconnectedNetwork, match="falls into 2 parts"):
        contribution_matrix(parts)
    with pytest.raises(ValueError, match=r"that of b with c is -.*check its variances"):
        contribution_matrix(odd)
    with pytest.raises(ValueError, match="method must be one of random-walk, shortest-path"):
        contribution_matrix(evidence("parkinson"), method="pseudoinverse")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="first and second must differ"):
        evidence_paths(evidence("parkinson"), "1", "1")
    with pytest.raises(ValueError, match="second must be one of 1, 2, 3, 4, 5"):
        evidence_paths(evidence("parkinson"), "1", "9")
    with pytest.raises(ValueError, match="most must be a whole number from 1 on"):
        evidence_paths(evidence("parkinson"), "1", "2", most=0)


def test_a_negative_share_of_a_study_is_refused_by_study_only() -> None:
    """The direct comparison may be sound where one study in it is not."""
    study, first, second = ["1", "1", "1", "2"], list("aabb"), list("bccc")
    network = NetworkEvidence.from_contrasts(study, first, second, [0.0] * 4, [1.0, 1.0, 2.5, 0.1])

    assert contribution_matrix(network).contribution.sum(axis=1) == pytest.approx(100)
    with pytest.raises(
        ValueError, match=r"by='study' needs contrasts with positive weights; .* 1 "
    ):
        contribution_matrix(network, by="study")


@pytest.mark.parametrize("method", ["random-walk", "shortest-path"])
def test_direct_evidence_is_told_where_its_path_is_not_listed(method: Any) -> None:
    """The longer way carries most; one path listed says nothing of the direct one."""
    network = NetworkEvidence.from_contrasts(
        list("123"), list("xxy"), list("yzz"), [-0.4, -0.9, -0.2], [0.9, 0.05, 0.03]
    )
    found = evidence_paths(network, "x", "y", method=method, most=1)

    assert found.paths == (("x", "z", "y"),)
    assert float(found.direct) == pytest.approx(100 * 0.08 / 0.98)
    assert "8 % direct; 1 path listed, 8 % along others" in found.summary()
    assert float(evidence_paths(evidence("parkinson"), "1", "5", method=method).direct) == 0


def test_nodes_that_the_length_of_walks_allows_to_leave_out_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """40 treatments: what all 20 nodes give, to rounding."""
    network = made_up(40, 120, 3)
    few = contribution_matrix(network).contribution
    monkeypatch.setattr(random_walk, "BASES", np.empty(0))

    np.testing.assert_allclose(few, contribution_matrix(network).contribution, atol=1e-11)
