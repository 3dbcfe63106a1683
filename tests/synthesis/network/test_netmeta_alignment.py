"""Network meta-analysis against netmeta: every data set and quantity of the golden file."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import linalg, optimize

from tests.synthesis.network.golden import (
    COVERAGE,
    DATASETS,
    NOT_COVERED,
    comparison,
    evidence,
    matrix,
    numbers,
)
from trabecula.synthesis.network.decomposition import design_decomposition
from trabecula.synthesis.network.direct_evidence import direct_and_indirect
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.network_measures import network_measures, study_importance
from trabecula.synthesis.network.network_meta_analysis import NetworkFit, network_meta_analysis
from trabecula.synthesis.network.ranking import p_scores, ranking

RTOL = 1e-10
"""Both sides solve the same linear equations; what differs is rounding. Worst seen: 3e-13."""

ATOL = 1e-10
"""For what is 0 on one side and rounding on the other."""

SEARCHED_RTOL = 3e-6
"""τ² of the reference is where its optimiser stopped. Worst seen: 1.1e-6."""

BOUNDARY = 1e-9
"""Where τ² is 0 the optimiser of the reference stops just above it. Worst seen: 4.5e-10."""

MONTE_CARLO = 4.5
"""Standard errors of 20,000 draws within which every probability of the reference must lie:
about 300 are compared."""

IGNORED = 1000
"""The reference leaves a study out by giving it this many times the largest standard error."""

CASES = [(name, method) for name in DATASETS for method in ("DL", "REML", "ML")]

FIT_KEYS = {
    *("method_tau", "seconds", "k", "m", "ntreat", "ndesigns", "trts"),
    *("tau", "tau2", "I2", "lower_I2", "upper_I2"),
    *("Q", "df_Q", "pval_Q", "Q_heterogeneity", "df_Q_het", "Q_inconsistency", "df_Q_inc"),
    *("pval_Q_inc", "TE_common", "seTE_common", "TE_random", "seTE_random"),
    *("lower_random", "upper_random", "lower_predict", "upper_predict"),
    *("TE_direct_random", "seTE_direct_random", "prop_direct_random"),
    *("seTE_adj_common", "seTE_adj_random", "Pscore_common", "Pscore_random"),
}
"""Every entry of a fit of the golden file; each is compared below."""


def close(ours: Any, theirs: Any, rtol: float = RTOL, atol: float = ATOL) -> None:
    """Assert that arrays agree, NaN with null."""
    np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol)


@cache
def fit(dataset: str, method: str) -> NetworkFit:
    """Return our fit at the between-study variance of the reference."""
    tau2 = DATASETS[dataset][f"netmeta_{method}"]["tau2"]
    small = DATASETS[dataset]["small_values"]
    return network_meta_analysis(
        evidence(dataset),
        method=method,  # type: ignore[arg-type]
        tau2=tau2,
        small_values=small,
    )


def test_every_entry_of_the_golden_file_is_covered_or_named() -> None:
    """Each key of each data set has a test file that compares it, or a reason why none does."""
    found = {key for content in DATASETS.values() for key in content}
    folder = Path(__file__).parent
    files = {name for name in COVERAGE.values() if name != "input"}

    assert len(DATASETS) == 5
    assert found == set(COVERAGE) | set(NOT_COVERED)
    assert [name for name in files if not (folder / name).exists()] == []
    assert all(
        key in (folder / name).read_text(encoding="utf-8") or key.startswith("netmeta_")
        for key, name in COVERAGE.items()
        if name != "input"
    )
    for content in DATASETS.values():
        assert set(content.get("netmetabin_LRP", {"error": ""})) == {"error"}


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_every_entry_of_a_golden_fit_is_compared(dataset: str, method: str) -> None:
    """No quantity of the reference is passed over in silence."""
    assert set(DATASETS[dataset][f"netmeta_{method}"]) <= FIT_KEYS
    assert DATASETS[dataset][f"netmeta_{method}"]["method_tau"] == method


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_estimates_agree_with_netmeta(dataset: str, method: str) -> None:
    """At the reference's τ² all matrices are its own: estimates, intervals, predictions."""
    theirs = DATASETS[dataset][f"netmeta_{method}"]
    ours = fit(dataset, method)
    common = network_meta_analysis(evidence(dataset), method="common")
    names = {
        "estimate": "TE_random",
        "se": "seTE_random",
        "ci_low": "lower_random",
        "ci_high": "upper_random",
        "pi_low": "lower_predict",
        "pi_high": "upper_predict",
    }

    for name, their in names.items():
        close(getattr(ours, name), matrix(theirs[their], ours.treatments))
    close(common.estimate, matrix(theirs["TE_common"], ours.treatments))
    close(common.se, matrix(theirs["seTE_common"], ours.treatments))


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_heterogeneity_agrees_with_netmeta(dataset: str, method: str) -> None:
    """Q in all, within and between designs, and I² with its interval are the reference's."""
    theirs = DATASETS[dataset][f"netmeta_{method}"]
    ours = fit(dataset, method)
    pairs = {
        "q": theirs["Q"],
        "q_df": theirs["df_Q"],
        "q_p_value": theirs["pval_Q"],
        "q_within": theirs["Q_heterogeneity"],
        "q_within_df": theirs["df_Q_het"],
        "q_between": theirs["Q_inconsistency"],
        "q_between_df": theirs["df_Q_inc"],
        "q_between_p_value": theirs["pval_Q_inc"],
        "i2": 100 * theirs["I2"],
        "i2_ci_low": 100 * theirs["lower_I2"],
        "i2_ci_high": 100 * theirs["upper_I2"],
        "tau2": theirs["tau"] ** 2,
        "k": theirs["k"],
    }

    for name, value in pairs.items():
        close(getattr(ours, name), value)
    assert ours.treatments == tuple(sorted(str(name) for name in theirs["trts"]))
    assert len(ours.treatments) == theirs["ntreat"]
    assert ours.designs == theirs["ndesigns"]
    assert len(evidence(dataset).study) == theirs["m"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_moment_estimator_agrees_with_netmeta(dataset: str) -> None:
    """The generalised DerSimonian-Laird estimate is the reference's."""
    ours = network_meta_analysis(evidence(dataset), method="DL")

    close(ours.tau2, DATASETS[dataset]["netmeta_DL"]["tau2"])


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_likelihood_of_netmeta_ignores_covariances(dataset: str, method: str) -> None:
    """With the covariances of multi-arm studies set to 0 the maximum is netmeta's τ²; ours differs.

    Given contrasts, netmeta passes their variances alone to `rma.mv`, so that its τ² depends
    on which contrasts of a multi-arm study it keeps, those with the first treatment.
    """
    table = DATASETS[dataset][f"netmeta_{method}"]
    restricted = method == "REML"
    theirs = _dense_maximum(evidence(dataset), restricted, covariances=False)
    exact = _dense_maximum(evidence(dataset), restricted, covariances=True)
    ours = network_meta_analysis(evidence(dataset), method=method)  # type: ignore[arg-type]

    if ours.tau2 == 0:
        assert table["tau2"] < BOUNDARY
        assert max(theirs, exact) < BOUNDARY
    else:
        close(table["tau2"], theirs, rtol=SEARCHED_RTOL)
        close(ours.tau2, exact, rtol=SEARCHED_RTOL)
        assert abs(ours.tau2 / theirs - 1) > 0.005


@pytest.mark.parametrize("dataset", DATASETS)
def test_netmeta_has_no_knapp_hartung_interval(dataset: str) -> None:
    """What the reference returns when asked for it is its normal interval."""
    table = DATASETS[dataset]["netmeta_REML_HK"]
    ours = fit(dataset, "REML")

    assert set(table) == {"lower_random", "upper_random"}
    close(ours.ci_low, matrix(table["lower_random"], ours.treatments))
    close(ours.ci_high, matrix(table["upper_random"], ours.treatments))


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_weights_of_contrasts_agree_with_netmeta(dataset: str, method: str) -> None:
    """The weights that stand for multi-arm studies are the reference's, at 0 and at τ²."""
    theirs = DATASETS[dataset][f"netmeta_{method}"]
    table = DATASETS[dataset]["pairwise"]
    ours = evidence(dataset)
    labels = zip(table["studlab"], table["treat1"], table["treat2"], strict=True)
    row = {(str(study), frozenset((str(a), str(b)))): i for i, (study, a, b) in enumerate(labels)}
    order = [
        row[ours.studies[s], frozenset((ours.treatments[a], ours.treatments[b]))]
        for s, a, b in zip(ours.study, ours.first, ours.second, strict=True)
    ]

    for key, tau2 in (("seTE_adj_common", 0.0), ("seTE_adj_random", theirs["tau2"])):
        close(ours.laplacian_weights(tau2) ** -0.5, np.array(theirs[key])[order])


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_direct_evidence_agrees_with_netmeta(dataset: str, method: str) -> None:
    """Direct estimates, their standard errors and the proportion of direct evidence agree."""
    theirs = DATASETS[dataset][f"netmeta_{method}"]
    ours = direct_and_indirect(evidence(dataset), tau2=theirs["tau2"])
    names = evidence(dataset).treatments
    first = [names.index(name) for name in ours.first]
    second = [names.index(name) for name in ours.second]

    for name, key in (("estimate", "TE_direct_random"), ("se", "seTE_direct_random")):
        table = matrix(theirs[key], names)[first, second]
        close(getattr(ours, f"direct_{name}"), table)
    for label, share in theirs["prop_direct_random"].items():
        close(ours.proportion[_place(ours, names, label)[0]], share)


@pytest.mark.parametrize("model", ["random", "common"])
@pytest.mark.parametrize("dataset", DATASETS)
def test_back_calculation_agrees_with_netmeta(dataset: str, model: str) -> None:
    """Direct, indirect and network estimates of ``netsplit_backcalc`` and their differences."""
    theirs = DATASETS[dataset]["netsplit_backcalc"]
    tau2 = DATASETS[dataset]["netmeta_DL"]["tau2"] if model == "random" else 0.0
    ours = direct_and_indirect(evidence(dataset), tau2=tau2)
    places = [_place(ours, evidence(dataset).treatments, name) for name in theirs["comparison"]]
    place, sign = np.array([p for p, _ in places]), np.array([s for _, s in places])
    parts = {"TE": "estimate", "seTE": "se", "lower": "ci_low", "upper": "ci_high", "p": "p_value"}

    def agree(name: str, values: list[Any]) -> None:
        column = getattr(ours, name)[place]
        turned = {"ci_low": "ci_high", "ci_high": "ci_low"}
        end = name.split("_", 1)[-1]
        if end in turned:
            other = getattr(ours, name.replace(end, turned[end]))[place]
            column = np.where(sign < 0, -other, column)
        elif end in ("estimate", "difference", "statistic", "difference_statistic"):
            column = sign * column
        close(column, numbers(values), rtol=1e-8)  # where hardly any evidence is indirect

    for kind in ("direct", "indirect", "network"):
        for key, values in theirs.get(f"{kind}_{model}", {}).items():
            agree(f"{kind}_{parts[key]}", values)
    difference = theirs[f"diff_{model}"]
    agree("difference", difference["TE"])
    agree("difference_se", difference["seTE"])
    agree("difference_statistic", difference["statistic"])
    agree("difference_p_value", difference["p"])
    assert ours.studies[place].tolist() == theirs["k"]
    if model == "random":
        close(ours.proportion[place], theirs["prop_random"])


@pytest.mark.parametrize("dataset", DATASETS)
def test_decomposition_agrees_with_netmeta(dataset: str) -> None:
    """Every table of ``decomp_design``: parts of Q, designs, detached designs, interaction."""
    theirs = DATASETS[dataset]["decomp_design"]
    ours = design_decomposition(evidence(dataset))
    parts = ("q", "q_within", "q_between")

    close([getattr(ours, name) for name in parts], theirs["Q_decomp"]["Q"])
    close([getattr(ours, f"{name}_df") for name in parts], theirs["Q_decomp"]["df"])
    close([getattr(ours, f"{name}_p_value") for name in parts], numbers(theirs["Q_decomp"]["pval"]))
    for key, name in (("Q_het_design", "design"), ("Q_inc_detach", "detached")):
        table = theirs[key]
        place = [ours.designs.index(tuple(sorted(d.split(":")))) for d in table["design"]]
        close(getattr(ours, f"{name}_q")[place], table["Q"])
        close(getattr(ours, f"{name}_df")[place], table["df"])
        close(getattr(ours, f"{name}_p_value")[place], numbers(table["pval"]))
    detached = {tuple(sorted(d.split(":"))) for d in theirs["Q_inc_detach"]["design"]}
    assert detached == {
        d for d, q in zip(ours.designs, ours.detached_q, strict=True) if np.isfinite(q)
    }
    random = theirs["Q_inc_random"]
    close(ours.interaction_q, random["Q"][0])
    close(ours.q_between_df, random["df"][0])
    close(ours.interaction_p_value, random["pval"][0])
    close(np.sqrt(ours.interaction_tau2), random["tau.within"][0])
    assert theirs["tau_within"] is None
    assert theirs["Q_inc_random_preset"] == {}


@pytest.mark.parametrize("dataset", DATASETS)
def test_hat_matrix_agrees_with_netmeta(dataset: str) -> None:
    """The aggregate hat matrix of ``hatmatrix_Davies`` agrees."""
    table = DATASETS[dataset]["hatmatrix_Davies"]["random"]
    names = evidence(dataset).treatments
    ours = network_measures(evidence(dataset), tau2=DATASETS[dataset]["netmeta_DL"]["tau2"])
    direct = list(zip(ours.direct_first, ours.direct_second, strict=True))
    every = list(zip(ours.first, ours.second, strict=True))

    def locate(labels: list[str], among: list[tuple[str, str]]) -> tuple[list[int], np.ndarray]:
        pairs = [tuple(names[i] for i in comparison(label, names)) for label in labels]
        turned = np.array([1.0 if pair in among else -1.0 for pair in pairs])
        return [among.index(tuple(sorted(pair))) for pair in pairs], turned  # type: ignore[arg-type]

    rows, row_sign = locate(table["rows"], every)
    columns, column_sign = locate(table["cols"], direct)
    close(ours.hat[np.ix_(rows, columns)] * np.outer(row_sign, column_sign), table["values"])


@pytest.mark.parametrize("dataset", DATASETS)
def test_measures_agree_with_netmeta(dataset: str) -> None:
    """Path length, parallelism and direct proportion of ``netmeasures`` agree."""
    table = DATASETS[dataset]["netmeasures"]
    tau2 = DATASETS[dataset]["netmeta_DL"]["tau2"]
    ours = network_measures(evidence(dataset), tau2=tau2)
    split = direct_and_indirect(evidence(dataset), tau2=tau2)
    names = evidence(dataset).treatments

    assert set(table) == {"proportion", "meanpath", "minpar", "names"}
    for label in table["names"]:
        i = _place(split, names, label)[0]
        close(ours.mean_path_length[i], table["meanpath"][label])
        close(ours.minimal_parallelism[i], table["minpar"][label])
        close(split.proportion[i], table["proportion"][label])


@pytest.mark.parametrize("dataset", DATASETS)
def test_study_importance_agrees_with_netmeta(dataset: str) -> None:
    """With the reference's device ``netimpact_random`` is met; leaving out exactly is close by.

    The reference gives a study a huge standard error instead of leaving it out.
    """
    table = DATASETS[dataset]["netimpact_random"]
    tau2 = DATASETS[dataset]["netmeta_DL"]["tau2"]
    ours = evidence(dataset)
    exact = study_importance(ours, tau2=tau2)
    ignored = np.square(IGNORED * np.sqrt(ours.variance.max()))
    pairs = [comparison(label, ours.treatments) for label in table["cols"]]
    first, second = np.array(pairs).T
    full = network_meta_analysis(ours, tau2=tau2).se[first, second] ** 2
    column = [_place(exact, ours.treatments, label)[0] for label in table["cols"]]
    for study, values in zip(table["rows"], table["values"], strict=True):
        row = ours.studies.index(str(study))
        inflated = np.where(ours.study == row, ignored, ours.variance)
        names = [[ours.treatments[i] for i in index] for index in (ours.first, ours.second)]
        labels = [ours.studies[i] for i in ours.study]
        device = NetworkEvidence.from_contrasts(labels, *names, ours.estimate, inflated)
        without = network_meta_analysis(device, tau2=tau2).se[first, second] ** 2
        share = 1 - full / without
        close(np.where(np.abs(share) < 2e-8, 0, share), values, rtol=1e-9, atol=1e-9)
        close(exact.importance[row][column], values, rtol=0, atol=2e-6)


@pytest.mark.parametrize(("dataset", "method"), CASES)
def test_p_scores_agree_with_netmeta(dataset: str, method: str) -> None:
    """P-scores of both models are the reference's."""
    theirs = DATASETS[dataset][f"netmeta_{method}"]
    small = DATASETS[dataset]["small_values"]
    random = fit(dataset, method)
    common = network_meta_analysis(evidence(dataset), method="common", small_values=small)

    for ours, key in ((random, "Pscore_random"), (common, "Pscore_common")):
        close(p_scores(ours), [theirs[key][name] for name in ours.treatments])


@pytest.mark.parametrize("dataset", DATASETS)
def test_rank_probabilities_of_netmeta_are_those_of_independent_effects(dataset: str) -> None:
    """With its approximation ``rankogram_mc20000`` is met within its error; ours are exact.

    The reference draws effects independently, with variances whose sums approach those of the
    differences. Its SUCRA is then not the P-score; with the joint distribution it is.
    """
    table = DATASETS[dataset]["rankogram_mc20000"]
    ours = fit(dataset, "DL")
    size = len(ours.treatments)
    rows = [str(name) for name in table["ranking_matrix_random"]["rows"]]
    place = [rows.index(name) for name in ours.treatments]
    theirs = np.array(table["ranking_matrix_random"]["values"])[place]
    first, second = np.triu_indices(size, 1)
    sums = np.zeros((len(first), size))
    sums[np.arange(len(first)), first] = sums[np.arange(len(first)), second] = 1
    alone = np.linalg.lstsq(sums, ours.se[first, second] ** 2, rcond=None)[0]
    centre = np.eye(size) - 1 / size
    device = replace(ours, covariance=centre @ np.diag(alone) @ centre)
    p = ranking(device).rank_probability
    sucra = p.cumsum(axis=1)[:, :-1].mean(axis=1)
    exact = ranking(ours)

    assert (np.abs(theirs - p) < MONTE_CARLO * np.sqrt(p * (1 - p) / 20_000) + 1e-3).all()
    their_sucra = [table["sucra_random"][name] for name in ours.treatments]
    np.testing.assert_allclose(sucra, their_sucra, atol=MONTE_CARLO * 0.4 / np.sqrt(20_000))
    of_ranks = exact.rank_probability.cumsum(axis=1)[:, :-1].mean(axis=1)
    np.testing.assert_allclose(of_ranks, exact.p_score, atol=1e-3)
    assert exact.error < 1e-3


def _place(table: Any, names: tuple[str, ...], label: str) -> tuple[int, int]:
    """Return the position of a comparison in our table, and -1 if it is turned round there."""
    first, second = (names[i] for i in comparison(label, names))
    every = list(zip(table.first, table.second, strict=True))
    if (first, second) in every:
        return every.index((first, second)), 1
    return every.index((second, first)), -1


def _dense_maximum(ours: NetworkEvidence, restricted: bool, *, covariances: bool) -> float:
    """Return the maximum of the likelihood of contrasts with one arm of each study, densely.

    The arm is the first treatment, or the last where a study does not have that.
    """
    design, estimate, variance, shape = [], [], [], []
    for study in range(len(ours.studies)):
        rows = np.flatnonzero(ours.study == study)
        arms = sorted({*ours.first[rows].tolist(), *ours.second[rows].tolist()})
        base = 0 if arms[0] == 0 else arms[-1]
        others = [arm for arm in arms if arm != base]
        y, v = np.zeros((2, *2 * [len(ours.treatments)]))
        for i in rows:
            a, b = ours.first[i], ours.second[i]
            y[a, b], y[b, a] = ours.estimate[i], -ours.estimate[i]
            v[a, b] = v[b, a] = ours.variance[i]
        x = np.zeros((len(others), len(ours.treatments)))
        x[np.arange(len(others)), others], x[:, base] = 1, -1
        own = v[others, base]
        block = (own[:, None] + own[None, :] - v[np.ix_(others, others)]) / 2
        design.append(x[:, 1:])
        estimate.extend(y[others, base])
        variance.append(block if covariances else np.diag(own))
        shape.append((np.eye(len(others)) + 1) / 2)
    x, y = np.vstack(design), np.array(estimate)
    sampling, between = linalg.block_diag(*variance), linalg.block_diag(*shape)

    def height(root: float) -> float:
        total = sampling + root**2 * between
        inner = x.T @ np.linalg.solve(total, x)
        effect = np.linalg.solve(inner, x.T @ np.linalg.solve(total, y))
        rest = y - x @ effect
        twice = np.linalg.slogdet(total)[1] + rest @ np.linalg.solve(total, rest)
        return float(twice + restricted * np.linalg.slogdet(inner)[1])

    found = optimize.minimize_scalar(
        height, bounds=(0.0, 2.0), method="bounded", options={"xatol": 1e-11}
    )
    return 0.0 if height(0.0) <= found.fun + 1e-12 else float(found.x**2)
