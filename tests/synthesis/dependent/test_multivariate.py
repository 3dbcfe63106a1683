"""Multivariate models: how the structures lie within one another, limits, refusals."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np
import pytest

from tests.synthesis.dependent.data import periodontitis, tuberculosis
from trabecula.synthesis import random_effects
from trabecula.synthesis.dependent import MultivariateFit, multivariate
from trabecula.synthesis.dependent.climb import Hill, climb
from trabecula.synthesis.dependent.marginal import Marginal
from trabecula.synthesis.dependent.multivariate import CovarianceStructure
from trabecula.synthesis.dependent.structures import EqualCorrelation, Quadratic

ALL = get_args(CovarianceStructure)


def arms(**options: Any) -> MultivariateFit:
    """Both arms of the tuberculosis trials."""
    data = tuberculosis()
    return multivariate(data.estimate, data.covariance, data.study, data.outcome, **options)


def outcomes(seed: int = 0, studies: int = 30) -> tuple[Any, ...]:
    """Three correlated outcomes, some not reported."""
    rng = np.random.default_rng(seed)
    spread = np.array([[0.2, 0.1, 0.05], [0.1, 0.3, 0.1], [0.05, 0.1, 0.1]])
    y = rng.multivariate_normal(np.zeros(3), spread, studies) + 0.2 * rng.normal(size=(studies, 3))
    y[rng.random((studies, 3)) < 0.2] = np.nan
    study, outcome = np.repeat(range(studies), 3), np.tile(["a", "b", "c"], studies)
    return y.ravel(), np.full(3 * studies, 0.04), study, outcome


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_structures_lie_within_one_another(method: Any) -> None:
    """More freedom never lowers the likelihood: identity, diagonal, and so on to unstructured."""
    fits = {s: multivariate(*outcomes(), structure=s, method=method) for s in ALL}
    height = {s: float(fit.likelihood.log_likelihood) for s, fit in fits.items()}
    order = [
        ("identity", "diagonal"),
        ("identity", "compound-symmetry"),
        ("diagonal", "heterogeneous-compound-symmetry"),
        ("compound-symmetry", "heterogeneous-compound-symmetry"),
        ("heterogeneous-compound-symmetry", "unstructured"),
    ]

    assert all(height[a] <= height[b] + 1e-10 for a, b in order)
    assert all(fit.settled for fit in fits.values())


def test_two_outcomes_with_one_correlation_are_unstructured() -> None:
    """For two outcomes the two parameterisations meet in every figure."""
    one, other = arms(), arms(structure="heterogeneous-compound-symmetry")

    for name in ("coefficients", "se", "tau2", "rho"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-8)


def test_independent_outcomes_are_separate_meta_analyses() -> None:
    """Without any correlation each outcome has the ML figures of `random_effects`."""
    data = tuberculosis()
    fit = arms(structure="diagonal", method="ML", test="z")
    for j, name in enumerate(fit.outcomes):
        at = data.outcome == name
        alone = random_effects(
            data.estimate[at], data.covariance.variance[at], method="ML", test="z"
        )

        np.testing.assert_allclose(fit.coefficients[j], alone.estimate, rtol=1e-9)
        np.testing.assert_allclose(fit.tau2[j], alone.tau2, rtol=1e-9)
        np.testing.assert_allclose(fit.predict(name).pi_low, alone.pi_low, rtol=1e-9)


def test_gradient_vanishes_at_the_unstructured_maximum() -> None:
    """Against dense algebra: no small change of the covariance raises the likelihood."""
    data = periodontitis()
    fit = multivariate(data.estimate, data.covariance, data.study, data.outcome)
    x = np.stack([data.outcome == n for n in fit.outcomes], axis=1).astype(float)
    code = x.argmax(axis=1)
    same = data.study[:, None] == data.study

    def height(spread: np.ndarray) -> float:
        m = data.covariance.dense() + same * spread[code[:, None], code]
        w = np.linalg.inv(m)
        a = x.T @ w @ x
        r = data.estimate - x @ np.linalg.solve(a, x.T @ w @ data.estimate)
        return float(-(np.linalg.slogdet(m)[1] + np.linalg.slogdet(a)[1] + r @ w @ r) / 2)

    sd = np.sqrt(fit.tau2)
    best = fit.rho * sd * sd[:, None]
    changes = (np.diag([1.0, 0.0]), np.diag([0.0, 1.0]), np.array([[0.0, 1.0], [1.0, 0.0]]))
    for change in changes:
        slope = (height(best + 1e-6 * change) - height(best - 1e-6 * change)) / 2e-6
        assert abs(slope) < 1e-5
    np.testing.assert_allclose(fit.coefficients, [-0.3392, 0.3534], atol=5e-5)


def test_data_sets_broadcast() -> None:
    """A table of data sets gives each the fit it has alone."""
    y, v, study, outcome = outcomes()
    fits = multivariate(np.stack([y, y + 1]), v, study, outcome)
    alone = multivariate(y, v, study, outcome)

    np.testing.assert_allclose(fits.tau2, [alone.tau2, alone.tau2], rtol=1e-8)
    np.testing.assert_allclose(fits[1].coefficients, alone.coefficients + 1, rtol=1e-8)
    assert fits[0].summary() == alone.summary()
    assert alone.studies.tolist() == [int((outcome[~np.isnan(y)] == n).sum()) for n in "abc"]


def test_one_outcome_is_the_random_effects_model() -> None:
    """With a single outcome every structure is one variance."""
    rng = np.random.default_rng(2)
    y, v = rng.normal(size=9), rng.uniform(0.1, 0.3, 9)
    fit = multivariate(y, v, range(9), ["pain"] * 9, test="z")

    np.testing.assert_allclose(fit.tau2[0], random_effects(y, v).tau2, rtol=1e-9)
    assert fit.rho.shape == (1, 1)


def test_no_variance_leaves_no_correlation() -> None:
    """Equal estimates: variances of zero, and a correlation that is said not to be estimable."""
    study, outcome = np.repeat(range(8), 2), ["a", "b"] * 8
    fit = multivariate(np.ones(16), np.full(16, 0.1), study, outcome)

    np.testing.assert_allclose(fit.tau2, 0, atol=1e-12)
    assert fit.settled
    if (fit.tau2 == 0).all():
        assert np.isnan(fit.rho[0, 1])
        assert "not estimable" in fit.summary()


@pytest.mark.parametrize("structure", ALL)
def test_every_structure_describes_itself(structure: Any) -> None:
    """The summary names structure and method, and a correlation where there is one."""
    text = arms(structure=structure, method="ML").summary()

    assert f"({structure}, ML)" in text
    assert ("Correlation" in text) == (structure not in ("diagonal", "identity"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"structure": "toeplitz"}, "structure must be one of unstructured"),
        ({"means": "none"}, "means must be one of per-outcome, common"),
        ({"study": range(20)}, "too few studies report both 'a' and 'b'"),
        ({"outcome": ["a"] * 20}, "study '0' has several rows of outcome 'a'"),
        ({"outcome": ["a"] * 19}, "outcome must hold one label a row, 20"),
        ({"outcome": ["a", None] * 10}, "outcome has no label at index 1"),
    ],
)
def test_refusals_name_the_argument(options: dict[str, Any], message: str) -> None:
    """What is wrong, what was found, what to do."""
    rng = np.random.default_rng(1)
    usual: dict[str, Any] = {"estimate": rng.normal(size=20), "covariance": np.full(20, 0.1)}
    usual |= {"study": np.repeat(range(10), 2), "outcome": ["a", "b"] * 10}
    with pytest.raises(ValueError, match=message):
        multivariate(**(usual | options))


def test_an_outcome_of_one_study_has_no_variance_of_its_own() -> None:
    """Its mean takes all there is; one variance for all outcomes can be had."""
    y, v = np.array([0.1, 0.5, -0.2, 0.3, 0.7]), np.full(5, 0.02)
    study, outcome = [0, 1, 2, 3, 3], ["a", "a", "a", "a", "b"]
    with pytest.raises(ValueError, match="variance of 'b' cannot be told from the coefficients"):
        multivariate(y, v, study, outcome, structure="diagonal")

    assert multivariate(y, v, study, outcome, structure="identity").settled


def test_prediction_of_an_unknown_outcome_is_refused() -> None:
    """The known outcomes are named."""
    with pytest.raises(ValueError, match="outcome must be one of control, vaccinated"):
        arms().predict("placebo")


@pytest.mark.parametrize("means", ["common", "per-outcome"])
def test_of_several_maxima_the_highest_is_found(means: Any) -> None:
    """With one correlation for all pairs there are maxima near each variance of zero.

    Twelve climbs from anywhere find nothing higher. The eighth data set needs a start at such a
    corner: from the others its likelihood ends 0.1 and more too low.
    """
    rng = np.random.default_rng(16)
    keep = rng.random((6, 3)) < 0.85
    keep[:3] = True
    study, code = np.nonzero(keep)
    noise = rng.normal(size=(40, len(study))) * rng.choice([0.2, 1], (40, 1))
    y = noise + rng.normal(size=(40, 6))[:, study] * rng.choice([0, 0.5], (40, 1))
    v, label = 0.1 * 10 ** rng.uniform(-1, 0.5, len(study)), np.array(["a", "b", "c"])[code]
    kind: Any = "heterogeneous-compound-symmetry"
    fit = multivariate(y[:12], v, study, label, structure=kind, means=means)
    likelihood = Marginal.of(fit.working.rows, fit.working.components)
    hill = Hill(likelihood, EqualCorrelation(3), restricted=True)
    many = [np.tile(rng.normal(size=4), (12, 1)) for _ in range(12)]
    best = np.max([climb(hill, start).height for start in many], axis=0)
    found = likelihood.height(likelihood.mean(fit.working.natural), restricted=True)

    assert fit.settled.all()
    assert (found >= best - 1e-9).all()


def test_a_saddle_is_no_maximum() -> None:
    """At standard deviations of zero the slope vanishes though the likelihood rises from there."""
    y, v, study, outcome = outcomes()
    fit = multivariate(y, v, study, outcome, structure="diagonal")
    likelihood = Marginal.of(fit.working.rows, fit.working.components)
    hill = Hill(likelihood, Quadratic.independent(3), restricted=True)

    assert not climb(hill, np.zeros((1, 3))).settled
    assert climb(hill, np.ones((1, 3))).settled


@pytest.mark.parametrize("structure", ALL)
def test_equal_estimates_have_no_variance(structure: Any) -> None:
    """Variances are exactly zero, and correlations unknown."""
    study, outcome = np.repeat(range(4), 2), np.tile(["a", "b"], 4)
    fit = multivariate(np.ones(8), np.full(8, 0.02), study, outcome, structure=structure)

    assert (fit.tau2 == 0).all()
    assert np.isnan(fit.rho).all()
    np.testing.assert_allclose(fit.coefficients, 1, rtol=1e-14)


@pytest.mark.parametrize("structure", ALL)
def test_one_outcome_is_a_pairwise_meta_analysis(structure: Any) -> None:
    """Whatever the structure asked for; a correlation is not spoken of."""
    y, v = [0.1, 0.3, 0.6, 0.7], [0.02, 0.03, 0.02, 0.04]
    fit = multivariate(y, v, range(4), ["a"] * 4, structure=structure)
    alone = random_effects(y, v, method="REML", test="t")

    np.testing.assert_allclose(fit.tau2[0], alone.tau2, rtol=1e-8)
    assert "4 estimates of 1 outcome (" in fit.summary()
    assert "Correlation" not in fit.summary()


@pytest.mark.parametrize(
    ("structure", "advice"),
    [
        ("unstructured", "take structure 'diagonal' or one correlation for all"),
        ("compound-symmetry", "take structure 'diagonal' or 'identity'"),
        ("heterogeneous-compound-symmetry", "take structure 'diagonal' or 'identity'"),
    ],
)
def test_the_advice_is_another_structure(structure: Any, advice: str) -> None:
    """Where no study reports two outcomes nothing is known of a correlation."""
    y, v = np.arange(6.0), np.full(6, 0.1)
    with pytest.raises(ValueError, match=advice):
        multivariate(y, v, range(6), ["a", "b"] * 3, structure=structure)
