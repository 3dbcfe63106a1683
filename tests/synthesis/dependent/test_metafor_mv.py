"""Multilevel, multivariate and cluster-robust results against metafor and clubSandwich."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from tests.synthesis.dependent.data import schools
from tests.synthesis.reference import agree, load
from trabecula.synthesis.dependent import cluster_robust, multilevel, multivariate
from trabecula.synthesis.dependent.estimation import LikelihoodMethod

FITS: dict[str, dict[str, Any]] = load("metafor_mv.json")["fits"]

RTOL = 5e-7
"""The optimiser of the reference stops beside its maximum, 3e-8 from it for three levels, which a
limit near zero magnifies to 3e-7. Ours climbs until nothing is left, and is never lower."""

SLACK_RTOL = 3e-6
"""For compound symmetry by REML it stops 6e-7 from the maximum: standard error 3e-7 off, p-value
and a limit near zero 3e-6."""

LIMIT_RTOL = 1e-3
"""The reference seeks profile limits with a tolerance of 1.2e-4: its limit is 5e-4 off."""

NOT_COVERED = {
    "csv": "the data",
    "call": "the call",
    "vcov.rows": "a name",
    "vcov.cols": "a name",
    "gamma2": "a second structure, which no fit has",
    "phi": "a second structure, which no fit has",
    "confint..rows": "names",
    "confint..ub.sigma^2.2": "the reference wrote no upper limit; see the limits that follow",
    "confint..ub.sigma.2": "the reference wrote no upper limit",
}
"""Entries that nothing is compared with, and why."""


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return every value below `value` under its path."""
    if isinstance(value, dict):
        return {p: v for k, x in value.items() for p, v in leaves(x, f"{path}.{k}").items()}
    if isinstance(value, list) and len(value) == 1:
        return leaves(value[0], path)
    return {path.lstrip("."): value}


@cache
def three_levels(method: LikelihoodMethod, **options: Any) -> Any:
    """Return the three-level fit of the schools."""
    data = schools()
    return multilevel(data.estimate, data.variance, data.levels, method=method, **options)


def coefficient_pairs(fit: Any) -> dict[str, Any]:
    """Return what every fit of the golden file holds about its one coefficient."""
    return {
        "b.intrcpt": fit.coefficients[0],
        "se": fit.se[0],
        "zval": fit.statistic[0],
        "pval": fit.p_value[0],
        "ci_lb": fit.ci_low[0],
        "ci_ub": fit.ci_high[0],
        "ddf": fit.df[0] if np.isfinite(fit.df[0]) else np.nan,
        "vcov.values": fit.covariance[0, 0],
        "QE": fit.qe,
        "QEp": fit.qe_p_value,
        "QM": fit.qm,
        "QMp": fit.qm_p_value,
        "logLik": fit.likelihood.log_likelihood,
        "AIC": fit.likelihood.aic,
        "BIC": fit.likelihood.bic,
        "k": fit.k,
    }


def level_pairs(fit: Any) -> dict[str, Any]:
    """Return what a fit of three levels holds besides: nothing of a structure between outcomes."""
    predicted = fit.predict()
    return {
        "sigma2": fit.sigma2,
        "tau2": 0.0,
        "rho": 0.0,
        "predict.pi_lb": predicted.pi_low,
        "predict.pi_ub": predicted.pi_high,
    }


def disagreements(ours: dict[str, Any], theirs: dict[str, Any], usual: float) -> dict[str, Any]:
    """Return what differs by more than the tolerance, of the paths in `ours`."""
    wrong = {}
    for path, value in ours.items():
        rtol = LIMIT_RTOL if ".lb." in path else usual
        pair = zip(np.ravel(value), np.ravel(np.array(theirs[path], dtype=object)), strict=True)
        if not all(agree(a, b, rtol) for a, b in pair):
            wrong[path] = (value, theirs[path])
    return wrong


def compare(ours: dict[str, Any], key: str, rtol: float = RTOL) -> None:
    """Every value of the golden fit is compared or named, and none differs."""
    theirs = leaves(FITS[key])

    assert set(theirs) - set(ours) <= set(NOT_COVERED)
    assert set(ours) <= set(theirs)
    assert disagreements(ours, theirs, rtol) == {}


def test_the_grid_is_complete() -> None:
    """Five kinds of result by two likelihoods, each compared below."""
    kinds = ("3level", "CS", "t_contain", "robustCR1", "robustCR2")

    assert set(FITS) == {f"konstantopoulos_{kind}_{m}" for kind in kinds for m in ("REML", "ML")}


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_three_levels_agree(method: LikelihoodMethod) -> None:
    """Schools within districts: all that `rma.mv` reports."""
    fit = three_levels(method, test="z")
    ours = coefficient_pairs(fit) | level_pairs(fit)
    if method == "REML":
        for part, sigma2 in (("est", fit.sigma2[1]), ("lb", fit.sigma2_ci_low[1])):
            ours |= {f"confint..{part}.sigma^2.2": sigma2}
            ours |= {f"confint..{part}.sigma.2": np.sqrt(sigma2)}

    compare(ours, f"konstantopoulos_3level_{method}")


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_containment_agrees(method: LikelihoodMethod) -> None:
    """With t tests an effect that 11 districts carry has 10 degrees of freedom."""
    fit = three_levels(method, df="contain")

    compare(coefficient_pairs(fit) | level_pairs(fit), f"konstantopoulos_t_contain_{method}")


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_compound_symmetry_agrees(method: LikelihoodMethod) -> None:
    """Three levels as one variance and one correlation between the schools of a district."""
    data = schools()
    fit = multivariate(
        data.estimate,
        data.variance,
        data.district,
        data.school,
        structure="compound-symmetry",
        means="common",
        method=method,
        test="z",
    )
    predicted = fit.predict(fit.outcomes[0])
    ours = coefficient_pairs(fit) | {
        "sigma2": 0.0,
        "tau2": fit.tau2[0],
        "rho": fit.rho[0, 1],
        "predict.pi_lb": predicted.pi_low,
        "predict.pi_ub": predicted.pi_high,
    }

    assert set(fit.tau2) == {fit.tau2[0]}
    slack = SLACK_RTOL if method == "REML" else RTOL
    compare(ours, f"konstantopoulos_CS_{method}", slack)


@pytest.mark.parametrize("correction", ["CR1", "CR2"])
@pytest.mark.parametrize("method", ["REML", "ML"])
def test_cluster_robust_results_agree(method: LikelihoodMethod, correction: Any) -> None:
    """CR1 of `robust`, CR2 and its degrees of freedom of clubSandwich."""
    fit = cluster_robust(three_levels(method), schools().district, correction=correction)
    ours = {
        "se": fit.se[0],
        "ddf": fit.df[0],
        "tval": fit.statistic[0],
        "pval": fit.p_value[0],
        "ci_lb": fit.ci_low[0],
        "ci_ub": fit.ci_high[0],
    }

    compare(ours, f"konstantopoulos_robust{correction}_{method}")


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_our_likelihood_is_never_lower(method: LikelihoodMethod) -> None:
    """Where we differ from the reference we are nearer to the maximum."""
    ours = three_levels(method).likelihood.log_likelihood

    for kind in ("3level", "CS"):
        assert ours >= FITS[f"konstantopoulos_{kind}_{method}"]["logLik"] - 1e-13


def test_profile_limits_are_those_of_the_published_analysis() -> None:
    """To four decimals the limits are those that metafor's own test of the example expects."""
    fit = three_levels("REML")

    np.testing.assert_allclose(fit.sigma2_ci_low, [0.0222, 0.0163], atol=5e-5)
    np.testing.assert_allclose(fit.sigma2_ci_high, [0.2072, 0.0628], atol=5e-5)
