"""Component networks: hand-solved cases, equivalences, and what cannot be known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.synthesis.network.golden import DATASETS, evidence
from tests.synthesis.network.networks import made_up
from trabecula.synthesis.network.component import component_network
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis

METHODS = ("common", "DL", "ML", "REML")

COMBINATIONS = ["P", "A", "B", "A+B", "A+C", "B+C", "A+B+C"]


def combined(seed: int, studies: int = 16) -> NetworkEvidence:
    """Return a network of combinations of A, B and C with P."""
    return made_up(len(COMBINATIONS), studies, seed, names=COMBINATIONS)


def covariance(network: NetworkEvidence, tau2: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that contrast the first arm of each study, and their full covariance.

    Two contrasts of a study share the variance of its first arm, half of tau2 included.
    """
    chosen = [
        row
        for row in range(len(network.study))
        if network.first[row] == network.first[network.study == network.study[row]].min()
    ]
    matrix = np.zeros((len(chosen), len(chosen)))
    for i, one in enumerate(chosen):
        for j, other in enumerate(chosen):
            if network.study[one] != network.study[other]:
                continue
            if one == other:
                matrix[i, j] = network.variance[one] + tau2
                continue
            ends = sorted((int(network.second[one]), int(network.second[other])))
            same = network.study == network.study[one]
            between = same & (network.first == ends[0]) & (network.second == ends[1])
            total = network.variance[one] + network.variance[other]
            matrix[i, j] = (total - network.variance[between][0] + tau2) / 2
    return np.array(chosen), matrix


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("method", METHODS)
def test_with_every_treatment_its_own_component_it_is_network_meta_analysis(
    dataset: str, method: Any
) -> None:
    """Estimates, standard errors, heterogeneity and Q are the same to 1e-10."""
    network = evidence(dataset)
    ours = component_network(network, method=method)
    standard = network_meta_analysis(network, method=method)

    np.testing.assert_allclose(ours.estimate, standard.estimate, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.se, standard.se, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(ours.p_value, standard.p_value, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(ours.tau2, standard.tau2, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(ours.q_additive, standard.q, rtol=1e-10)
    assert int(ours.q_difference_df) == 0
    assert not any(ours.identifiable)


@pytest.mark.parametrize("method", ["common", "REML"])
@pytest.mark.parametrize("interactions", [(), (("A", "B"),)])
def test_estimates_are_generalised_least_squares_with_the_full_covariance(
    method: Any, interactions: Any
) -> None:
    """A regression of contrasts with first arms, covariances written out, gives the same."""
    network = combined(5)
    fit = component_network(network, inactive="P", interactions=interactions, method=method)
    rows, full = covariance(network, float(fit.tau2))
    held = [name.split("+") for name in network.treatments]
    columns = [[c in h for h in held] for c in "ABC"] + [
        [a in h and b in h for h in held] for a, b in interactions
    ]
    matrix = np.array(columns, dtype=float).T
    design = matrix[network.first[rows]] - matrix[network.second[rows]]
    weight = np.linalg.inv(full)
    spread = np.linalg.inv(design.T @ weight @ design)
    estimate = spread @ design.T @ weight @ network.estimate[rows]

    assert fit.components == ("A", "B", "C", *(f"{a}*{b}" for a, b in interactions))
    np.testing.assert_allclose(fit.component_estimate, estimate, rtol=1e-9)
    np.testing.assert_allclose(fit.component_se, np.sqrt(np.diag(spread)), rtol=1e-9)
    residual = network.estimate[rows] - design @ estimate
    if method == "common":
        assert float(fit.q_additive) == pytest.approx(float(residual @ weight @ residual))


def test_a_case_solved_by_hand() -> None:
    """A is −0.9; B is the inverse-variance mean of −0.5 (alone) and −0.4 (added to A)."""
    network = NetworkEvidence.from_contrasts(
        list("123"), ["A+B", "A", "B"], ["A", "P", "P"], [-0.4, -0.9, -0.5], [0.04, 0.05, 0.03]
    )
    fit = component_network(network, inactive="P", method="common")
    mean = (-0.4 / 0.04 - 0.5 / 0.03) / (1 / 0.04 + 1 / 0.03)

    np.testing.assert_allclose(fit.component_estimate, [-0.9, mean], rtol=1e-13)
    np.testing.assert_allclose(fit.component_se**2, [0.05, 1 / (1 / 0.04 + 1 / 0.03)], rtol=1e-13)
    assert float(fit.q_difference) == pytest.approx(0.1**2 / 0.07)
    assert int(fit.q_difference_df) == 1
    assert int(fit.q_standard_df) == 0
    assert float(fit.q_standard) == 0
    assert np.isnan(fit.q_standard_p_value)


def test_spaces_around_the_plus_do_not_matter() -> None:
    """``A + B`` holds A and B."""
    network = NetworkEvidence.from_contrasts(list("12"), ["A + B", "A"], ["A", "P"], [1, 2], [1, 1])

    assert component_network(network, inactive="P", method="common").components == ("A", "B")


def test_additivity_is_the_difference_between_two_models() -> None:
    """Q additive is Q of whole treatments plus Q difference, degrees of freedom too."""
    network = combined(3)
    fit = component_network(network, inactive="P", method="common")
    standard = network_meta_analysis(network, method="common")

    assert float(fit.q_standard) == pytest.approx(float(standard.q))
    assert float(fit.q_additive) == pytest.approx(float(fit.q_standard + fit.q_difference))
    assert int(fit.q_difference_df) == 6 - 3
    assert int(fit.q_additive_df - fit.q_standard_df) == 3


def test_components_connect_what_no_study_connects() -> None:
    """A, B and C compare with P across two parts; D, in every arm of its part, is not known."""
    network = NetworkEvidence.from_contrasts(
        list("1234"),
        ["A+B", "A", "B", "C+D"],
        ["A", "P", "P", "D"],
        [-0.4, -0.9, -0.5, -1.0],
        [0.04, 0.05, 0.03, 0.02],
    )
    fit = component_network(network, inactive="P")
    place = fit.treatments.index

    assert fit.parts == 2
    assert fit.identifiable == (True, True, True, False)
    assert np.isnan(fit.component_estimate[3])
    assert np.isnan(fit.estimate[place("D"), place("P")])
    assert float(fit.estimate[place("C+D"), place("D")]) == pytest.approx(-1.0)
    text = fit.summary()
    assert "No study links the 2 parts" in text
    assert "Not identifiable from these studies: D." in text
    shared = component_network(
        NetworkEvidence.from_contrasts(
            list("123"), ["A", "A+B", "C"], ["P", "B", "B"], [-0.9, -1.1, -0.2], [0.1, 0.1, 0.1]
        ),
        inactive="P",
    )
    assert shared.parts == 2
    between = shared.estimate[shared.treatments.index("A"), shared.treatments.index("P")]
    assert float(between) == pytest.approx(-1.0)


def test_an_interaction_recovers_what_is_not_additive() -> None:
    """Without error the interaction is what the combination has beyond its components."""
    network = NetworkEvidence.from_contrasts(
        list("123"), ["A", "B", "A+B"], ["P"] * 3, [-0.3, -0.5, -1.4], [0.01, 0.02, 0.03]
    )
    fit = component_network(network, inactive="P", interactions=[("A", "B")])

    np.testing.assert_allclose(fit.component_estimate, [-0.3, -0.5, -0.6], rtol=1e-12)
    assert int(fit.q_additive_df) == 0
    assert np.isnan(fit.tau2)
    assert "taken as none" in fit.summary()
    assert "Additivity cannot be tested" in fit.summary()


def test_a_mapping_names_components_as_a_plus_does() -> None:
    """Names of treatments need not spell their components."""
    network = NetworkEvidence.from_contrasts(
        list("123"), ["both", "A", "B"], ["A", "P", "P"], [-0.4, -0.9, -0.5], [0.04, 0.05, 0.03]
    )
    parts = {"both": ["A", "B"], "A": ["A"], "B": ["B"], "P": ["P"]}
    fit = component_network(network, parts, inactive="P", method="common")

    assert fit.components == ("A", "B")
    assert fit.component_estimate[0] == pytest.approx(-0.9)


def test_data_sets_on_one_design_are_one_call() -> None:
    """Leading axes give what a loop gives."""
    network = combined(2)
    scale = np.array([[1.0], [2.0], [0.5]])
    many = NetworkEvidence(
        network.studies,
        network.treatments,
        network.study,
        network.first,
        network.second,
        network.estimate * scale,
        network.variance * scale,
        network.arms,
    )
    together = component_network(many, inactive="P")
    for i in range(3):
        one = component_network(
            NetworkEvidence(
                network.studies,
                network.treatments,
                network.study,
                network.first,
                network.second,
                many.estimate[i],
                many.variance[i],
                network.arms,
            ),
            inactive="P",
        )
        np.testing.assert_allclose(
            together[i].component_estimate, one.component_estimate, rtol=1e-8, atol=1e-12
        )
    with pytest.raises(ValueError, match=r"this fit holds \(3,\)"):
        together.summary()


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    """3,000 additive data sets with known variances: 95 % of intervals hold each component."""
    network = combined(8)
    random = np.random.default_rng(20190501)
    truth = {"P": 0.0, "A": -0.4, "B": 0.3, "C": -0.1}
    effect = np.array([sum(truth[c] for c in t.split("+")) for t in network.treatments])
    rows, full = covariance(network, 0.0)
    root = np.linalg.cholesky(full)
    noise = random.standard_normal((3000, len(rows))) @ root.T
    expected = effect[network.first] - effect[network.second]
    estimate = np.empty((3000, len(network.study)))
    for study in range(len(network.studies)):
        own = network.study == study
        base = network.first[own].min()
        moved = dict.fromkeys([int(base)], np.zeros(3000))
        for position, row in enumerate(rows):
            if network.study[row] == study:
                moved[int(network.second[row])] = -noise[:, position]
        for row in np.flatnonzero(own):
            one, other = int(network.first[row]), int(network.second[row])
            estimate[:, row] = expected[row] + moved[one] - moved[other]
    many = NetworkEvidence(
        network.studies,
        network.treatments,
        network.study,
        network.first,
        network.second,
        estimate,
        np.broadcast_to(network.variance, estimate.shape),
        network.arms,
    )
    fit = component_network(many, inactive="P", method="common")
    for i, component in enumerate("ABC"):
        inside = (fit.component_ci_low[:, i] < truth[component]) & (
            truth[component] < fit.component_ci_high[:, i]
        )
        assert inside.mean() == pytest.approx(0.95, abs=0.013)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"inactive": "Q"}, "inactive must be one of A, B, C, P; got 'Q'"),
        ({"interactions": [("A", "P")], "inactive": "P"}, "must be of active components"),
        ({"interactions": ["AB"]}, "must be pairs of different components, got 'AB'"),
        ({"interactions": [("A", "B"), ("B", "A")]}, "must be named once each"),
        ({"interactions": [("A", "P")]}, "no treatment holds both A and P"),
        ({"combination": {"A": ["A"]}}, "must name the components of every treatment"),
        ({"method": "PM"}, "method must be one of common, DL, ML, REML"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments: Any, words: str) -> None:
    """Each error names the argument and what is allowed."""
    with pytest.raises(ValueError, match=words):
        component_network(combined(1), **arguments)


def test_components_named_twice_or_not_at_all_are_refused() -> None:
    """``A+A`` and ``A+`` are slips."""
    for name in ("A+A", "A+"):
        network = NetworkEvidence.from_contrasts(["1"], [name], ["P"], [0.1], [0.1])
        with pytest.raises(ValueError, match="must be different and named"):
            component_network(network)


def test_a_network_without_difference_in_components_is_refused() -> None:
    """Two names of one combination have nothing to compare."""
    network = NetworkEvidence.from_contrasts(["1"], ["x"], ["y"], [0.1], [0.1])
    with pytest.raises(ValueError, match="no study compares treatments that differ"):
        component_network(network, {"x": ["A"], "y": ["A"]})
    with pytest.raises(ValueError, match="no component is left besides the inactive one"):
        component_network(network, {"x": ["A"], "y": ["A"]}, inactive="A")
