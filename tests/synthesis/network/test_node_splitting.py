"""Node splitting: netmeta's numbers, refits by hand, and comparisons that cannot be split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import DATASETS, evidence, numbers
from tests.synthesis.network.networks import made_up
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis
from trabecula.synthesis.network.node_splitting import REASONS, NodeSplit, node_splitting

RTOL, ATOL = 1e-9, 1e-11
"""Both sides solve the same linear equations with the DL estimator. Worst seen: 1.1e-12."""

SIDES = ("direct", "indirect", "network")
VALUES = {"estimate": "TE", "se": "seTE", "ci_low": "lower", "ci_high": "upper", "p_value": "p"}


def split_of(dataset: str, method: Any) -> NodeSplit:
    """Return our split of the comparisons of the golden file, each the same way round."""
    names = DATASETS[dataset]["netsplit_SIDDE"]["comparison"]
    pairs = [tuple(name.split(":")) for name in names]
    return node_splitting(evidence(dataset), comparisons=pairs, method=method)  # type: ignore[arg-type]


@pytest.mark.parametrize("dataset", DATASETS)
def test_splits_agree_with_netmeta(dataset: str) -> None:
    """Direct, indirect and network estimates with intervals, counts, proportions: all entries."""
    theirs = DATASETS[dataset]["netsplit_SIDDE"]
    ours = split_of(dataset, "DL")

    compared = {"seconds", "comparison", "k", "prop_random", "diff_random", "diff_common"}
    assert set(theirs) == compared | {f"{side}_random" for side in SIDES}
    assert ours.studies.tolist() == theirs["k"]
    np.testing.assert_allclose(ours.proportion, theirs["prop_random"], rtol=RTOL, atol=ATOL)
    for side in SIDES:
        table = theirs[f"{side}_random"]
        for name, key in VALUES.items():
            if side == "network" and key not in table:
                continue
            value = getattr(ours, f"{side}_{name}")
            np.testing.assert_allclose(value, numbers(table[key]), rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize(("key", "method"), [("diff_random", "DL"), ("diff_common", "common")])
def test_differences_agree_with_netmeta(dataset: str, key: str, method: str) -> None:
    """Difference, standard error, statistic and p-value, with and without heterogeneity."""
    theirs = DATASETS[dataset]["netsplit_SIDDE"][key]
    ours = split_of(dataset, method)
    values = {
        "TE": ours.difference,
        "seTE": ours.difference_se,
        "statistic": ours.difference_statistic,
        "p": ours.difference_p_value,
    }

    assert set(theirs) == set(values)
    for name, value in values.items():
        np.testing.assert_allclose(value, numbers(theirs[name]), rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("method", ["common", "DL", "ML", "REML"])
def test_indirect_estimates_are_those_of_the_other_studies(method: Any) -> None:
    """Each is the network estimate when the studies with both treatments are left out."""
    network = made_up(7, 18, 2)
    split = node_splitting(network, method=method)
    for i, kind in enumerate(split.separation):
        if kind != "split":
            continue
        one, other = (network.treatments.index(t) for t in (split.first[i], split.second[i]))
        both = network.study[(network.first == one) & (network.second == other)]
        rest = network.subset(~np.isin(np.arange(len(network.studies)), both))
        part = next(p for p in rest.parts if {split.first[i], split.second[i]} <= {*p.treatments})
        fit = network_meta_analysis(part, method=method)
        row, column = (part.treatments.index(t) for t in (split.first[i], split.second[i]))
        np.testing.assert_allclose(
            split.indirect_estimate[i], fit.estimate[row, column], rtol=1e-10, atol=1e-12
        )
        np.testing.assert_allclose(split.indirect_se[i], fit.se[row, column], rtol=1e-10)
        np.testing.assert_allclose(split.tau2_without[i], fit.tau2, rtol=1e-10, equal_nan=True)
    assert split.separation.count("split") > 5


def test_a_part_is_enough_where_others_fall_off() -> None:
    """The loop a-b-c gives an indirect estimate though d hangs on the study that is left out."""
    network = NetworkEvidence.from_contrasts(
        ["1", "1", "1", "2", "3"],
        list("aabac"),
        list("bddcb"),
        [-0.4, -0.6, -0.2, -0.3, -0.1],
        [0.2, 0.2, 0.2, 0.1, 0.1],
    )
    split = node_splitting(network, comparisons=[("a", "b")], method="common")

    assert split.separation == ("split",)
    assert float(split.indirect_estimate[0]) == pytest.approx(-0.4)
    assert float(split.indirect_se[0] ** 2) == pytest.approx(0.2)


def test_what_cannot_be_split_is_listed_with_the_reason() -> None:
    """One kind of evidence only, or both in the same studies: NaN with a word for why."""
    split = node_splitting(evidence("parkinson"))
    kinds = dict(zip(zip(split.first, split.second, strict=True), split.separation, strict=True))

    assert kinds[("4", "5")] == "direct-only"
    assert kinds[("1", "5")] == "indirect-only"
    assert kinds[("1", "2")] == "inseparable"
    assert kinds[("1", "3")] == "split"
    for row in split.rows():
        assert row["reason"] == REASONS[row["separation"]]  # type: ignore[index]
        assert (row["difference"] is None) == (row["separation"] != "split")


def test_pairs_turned_round_change_sign_and_swap_limits() -> None:
    """Second minus first is minus first minus second, on every side."""
    network = made_up(6, 14, 4)
    pairs = [("t000", "t001"), ("t002", "t004")]
    there = node_splitting(network, comparisons=pairs)
    back = node_splitting(network, comparisons=[(b, a) for a, b in pairs])
    for side in SIDES:
        values = {n: (getattr(there, f"{side}_{n}"), getattr(back, f"{side}_{n}")) for n in VALUES}
        np.testing.assert_allclose(values["estimate"][0], -values["estimate"][1])
        np.testing.assert_allclose(values["ci_low"][0], -values["ci_high"][1])
        np.testing.assert_allclose(values["p_value"][0], values["p_value"][1])


def test_data_sets_on_one_design_are_one_call() -> None:
    """Leading axes give what a loop gives."""
    network = made_up(6, 14, 1)
    random = np.random.default_rng(0)
    scale = random.uniform(0.5, 2, size=(3, 1))
    many = NetworkEvidence(
        network.studies,
        network.treatments,
        network.study,
        network.first,
        network.second,
        network.estimate * scale,
        network.variance * np.ones((3, 1)),
        network.arms,
    )
    together = node_splitting(many)
    for i in range(3):
        one = node_splitting(
            NetworkEvidence(
                network.studies,
                network.treatments,
                network.study,
                network.first,
                network.second,
                network.estimate * scale[i],
                network.variance,
                network.arms,
            )
        )
        np.testing.assert_allclose(together[i].difference, one.difference, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(together[i].tau2, one.tau2, rtol=1e-8, atol=1e-12)
    with pytest.raises(ValueError, match=r"this fit holds \(3,\)"):
        together.summary()


def test_coherent_networks_have_uniform_p_values() -> None:
    """Where direct and indirect truth agree, 5 % of p-values lie below 0.05."""
    random = np.random.default_rng(20190501)
    sets = 4000
    names = list("112233"), list("aaaabb"), list("bbcccc")
    study = [f"{s}{i}" for i, s in enumerate(names[0])]
    truth = np.array([-0.3, -0.3, -0.5, -0.5, -0.2, -0.2])
    variance = np.array([0.04, 0.08, 0.05, 0.1, 0.06, 0.03])
    estimate = truth + np.sqrt(variance) * random.standard_normal((sets, 6))
    network = NetworkEvidence.from_contrasts(study, *names[1:], estimate, variance)
    split = node_splitting(network, comparisons=[("a", "b")], method="common")

    assert (split.difference_p_value < 0.05).mean() == pytest.approx(0.05, abs=0.012)


def test_a_tree_cannot_be_tested() -> None:
    """The summary says so; nothing is made up."""
    tree = NetworkEvidence.from_contrasts(list("12"), list("ab"), list("bc"), [0.1, 0.2], [1, 1])
    split = node_splitting(tree)

    assert split.summary() == (
        "Node splitting: 0 of 3 comparisons have direct and indirect evidence from different "
        "studies. 2 direct only: no other chain of comparisons links the two. 1 indirect only: no "
        "study compares the two. Agreement of direct and indirect evidence cannot be tested."
    )
    assert np.isnan(split.difference_p_value).all()


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([], "must name at least one pair"),
        (["ab"], "must be pairs of different treatments, got 'ab'"),
        ([("1", "1")], "must be pairs of different treatments"),
        ([("1", "9")], "comparisons must be one of 1, 2, 3, 4, 5; got '9'"),
    ],
)
def test_pairs_that_make_no_sense_are_refused(pairs: Any, words: str) -> None:
    """Each error says what is allowed."""
    with pytest.raises(ValueError, match=words):
        node_splitting(evidence("parkinson"), comparisons=pairs)


def test_indirect_studies_without_a_degree_of_freedom_are_told() -> None:
    """A loop whose other side is a chain has no heterogeneity of its own: said, but for common."""
    network = NetworkEvidence.from_contrasts(
        list("1234"), list("aaab"), list("bbcc"), [-0.4, 0.6, -0.9, -0.2], [0.04, 0.04, 0.05, 0.03]
    )
    split = node_splitting(network, comparisons=[("a", "b")])

    assert float(split.tau2) > 0
    assert np.isnan(split.tau2_without).all()
    assert float(split.indirect_se[0] ** 2) == pytest.approx(0.08)
    assert "In 1 of 1 the indirect studies leave no degree of freedom" in split.summary()
    assert "degree of freedom" not in node_splitting(network, method="common").summary()
