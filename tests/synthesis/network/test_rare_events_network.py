"""Networks of rare events against netmeta, pairwise formulas and exact reasoning."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import DATASETS, matrix
from tests.synthesis.reference import GOLDEN
from trabecula.synthesis.network.graph import DisconnectedNetwork
from trabecula.synthesis.network.rare_events_network import rare_events_network

RTOL = 1e-10
"""Closed formulas on both sides. Worst seen: 4e-16."""

SEARCHED = 1e-4
"""The reference maximises by L-BFGS-B with numerical slopes. Worst seen: 2.4e-5."""


def counts(dataset: str) -> Any:
    """Return study, treatment, events and n of a golden data set, one entry an arm."""
    with (GOLDEN / f"netmeta_{dataset}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if dataset == "Woods2010":
        arms = [(r["author"], r["treatment"], float(r["r"]), float(r["N"])) for r in rows]
    else:
        arms = [
            (str(i), r[f"treat{j}"], float(r[f"event{j}"]), float(r[f"n{j}"]))
            for i, r in enumerate(rows)
            for j in "123"
            if r[f"treat{j}"]
        ]
    return tuple(zip(*arms, strict=True))


@pytest.mark.parametrize("dataset", ["Woods2010", "smokingcessation"])
def test_mantel_haenszel_agrees_with_netmeta(dataset: str) -> None:
    """Estimates and standard errors are those of ``netmetabin_MH``."""
    table = DATASETS[dataset]["netmetabin_MH"]
    fit = rare_events_network(*counts(dataset))

    assert set(table) == {"seconds", "TE_common", "seTE_common", "Q", "df_Q"}
    assert table["Q"] is table["df_Q"] is None
    np.testing.assert_allclose(
        fit.estimate, matrix(table["TE_common"], fit.treatments), rtol=RTOL, atol=1e-14
    )
    np.testing.assert_allclose(
        fit.se, matrix(table["seTE_common"], fit.treatments), rtol=RTOL, atol=1e-14
    )


@pytest.mark.parametrize("dataset", ["Woods2010", "smokingcessation"])
def test_conditional_likelihood_agrees_with_netmeta(dataset: str) -> None:
    """Estimates and standard errors are those of ``netmetabin_NCH``, as far as it searched."""
    table = DATASETS[dataset]["netmetabin_NCH"]
    fit = rare_events_network(*counts(dataset), method="noncentral-hypergeometric")

    for name, key in (("estimate", "TE_common"), ("se", "seTE_common")):
        theirs = matrix(table[key], fit.treatments)
        np.testing.assert_allclose(getattr(fit, name), theirs, atol=SEARCHED)
    assert np.isnan(fit.q)


def test_two_treatments_are_the_mantel_haenszel_odds_ratio() -> None:
    """For one comparison it is the formula of Mantel and Haenszel with the variance of RBG."""
    a, n1 = np.array([3.0, 0, 5]), np.array([30.0, 22, 41])
    c, n2 = np.array([1.0, 2, 7]), np.array([28.0, 25, 39])
    b, d, n = n1 - a, n2 - c, n1 + n2
    r, s, p, q = a * d / n, b * c / n, (a + d) / n, (b + c) / n
    log = np.log(r.sum() / s.sum())
    variance = (p * r).sum() / (2 * r.sum() ** 2) + (q * s).sum() / (2 * s.sum() ** 2)
    variance += (p * s + q * r).sum() / (2 * r.sum() * s.sum())
    study = ["u", "v", "w"] * 2
    fit = rare_events_network(study, list("xxxyyy"), np.r_[a, c], np.r_[n1, n2])

    np.testing.assert_allclose(fit.estimate[0, 1], log, rtol=1e-12)
    np.testing.assert_allclose(fit.se[0, 1] ** 2, variance, rtol=1e-12)
    assert fit.q_df == 0
    assert np.isnan(fit.q_p_value)


def test_conditional_likelihood_has_no_slope_at_its_maximum() -> None:
    """Expected events given the total of each study equal the observed ones, arm by arm."""
    study, treatment, events, n = counts("Woods2010")
    fit = rare_events_network(study, treatment, events, n, method="noncentral-hypergeometric")
    odds = dict(zip(fit.treatments, np.exp(fit.estimate[:, 0]), strict=True))
    load = np.array([odds[t] * size for t, size in zip(treatment, n, strict=True)])
    total = {s: sum(x for t, x in zip(study, events, strict=True) if t == s) for s in study}
    sums = {s: sum(x for t, x in zip(study, load, strict=True) if t == s) for s in study}
    expected = load * np.array([total[s] / sums[s] for s in study])
    for name in fit.treatments:
        rows = [i for i, t in enumerate(treatment) if t == name]
        np.testing.assert_allclose(expected[rows].sum(), np.array(events)[rows].sum(), rtol=1e-10)


def test_studies_and_arms_without_information_are_left_out_and_named() -> None:
    """No events at all, or none in an arm of all studies of a design: told in the result."""
    study = ["none", "none", "s", "s", "t", "t", "t"]
    treatment = ["a", "b", "a", "b", "a", "b", "c"]
    with pytest.raises(DisconnectedNetwork, match="2 parts"):
        rare_events_network(study, treatment, [0, 0, 3, 5, 4, 2, 0], [20] * 7)
    more = ([*study, "u", "u"], [*treatment, "b", "c"], [0, 0, 3, 5, 4, 2, 0, 4, 2], [20] * 9)
    fit = rare_events_network(*more)

    assert fit.dropped_studies == ("none",)
    assert fit.dropped_arms == (("c", "t"),)
    assert fit.k == 3
    assert "all or no events: none" in fit.summary()
    assert "Arms without information: c in t" in fit.summary()
    assert "Log odds ratios against a" in fit.summary()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((["s", "s"], ["a", "b"], [1, 30], [10, 20]), "'b' has 30 events in 20 persons"),
        ((["s", "s", "t"], ["a", "a", "b"], [1, 2, 3], [9, 9, 9]), "2 studies are at fault"),
        ((["s", "s"], ["a", "b"], [1], [10, 20]), "one entry an arm"),
        ((["s", "s"], ["a", "b"], [-1, 1], [10, 20]), "events must lie in"),
        ((["s", "s"], ["a", "b"], [0, 0], [10, 20]), "nothing can be pooled"),
    ],
)
def test_impossible_counts_are_refused(arguments: Any, told: str) -> None:
    """Each fault is named with its study."""
    with pytest.raises(ValueError, match=told):
        rare_events_network(*arguments)


def test_the_likelihood_is_climbed_from_far_away() -> None:
    """Arms of two and of a million persons: a whole Newton step would overflow."""
    fit = rare_events_network(
        ["s", "s"], ["a", "b"], [1, 1], [2, 1_000_000], method="noncentral-hypergeometric"
    )
    np.testing.assert_allclose(fit.estimate[0, 1], np.log(500_000), rtol=1e-12)


def test_a_study_with_one_arm_left_does_not_count() -> None:
    """Without events under a in all studies of its design, c has nothing to be compared with."""
    fit = rare_events_network(
        list("112233"), list("abbcac"), [1, 2, 3, 2, 0, 2], [15, 15, 20, 20, 30, 20]
    )
    assert fit.k == 2
    assert fit.dropped_arms == (("a", "3"),)


def test_no_arm_is_refused() -> None:
    """Empty columns are named."""
    with pytest.raises(ValueError, match="must hold an arm, got none"):
        rare_events_network([], [], [], [])


def test_infinite_odds_ratios_are_refused() -> None:
    """Two studies whose tables are empty crosswise have no odds ratio; the error says so."""
    crossed = (["s", "s", "t", "t"], list("abab"), [0, 5, 5, 10], [10, 10, 10, 10])
    with pytest.raises(ArithmeticError, match="odds ratio is 0 or infinite"):
        rare_events_network(*crossed)
    with pytest.raises(ValueError, match="method must be one of"):
        rare_events_network(*crossed, method="peto")  # type: ignore[arg-type]
