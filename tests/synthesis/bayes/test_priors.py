"""Priors of the heterogeneity: their densities, their constants, where they come from."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
from scipy import stats

from trabecula.synthesis.bayes import (
    DensityPrior,
    Exponential,
    HalfCauchy,
    HalfLogistic,
    HalfNormal,
    HalfT,
    HeterogeneityPrior,
    InverseChi,
    LogNormal,
    LogT,
    Lomax,
    Rayleigh,
    ReferencePrior,
    Uniform,
    empirical_prior,
    empirical_prior_table,
    heterogeneity_grid,
)
from trabecula.synthesis.bayes.prior_choice import prior_for
from trabecula.synthesis.bayes.reference_priors import PROPER, ReferenceName

TAU = np.array([1e-9, 0.01, 0.3, 1.0, 2.5, 40.0])
VARIANCE = np.array([0.11, 0.06, 0.3])

PARAMETRIC: list[tuple[Any, Any]] = [
    (HalfNormal(0.5), stats.halfnorm(scale=0.5)),
    (HalfCauchy(0.5), stats.halfcauchy(scale=0.5)),
    (HalfLogistic(0.5), stats.halflogistic(scale=0.5)),
    (Exponential(0.5), stats.expon(scale=0.5)),
    (Lomax(0.5, 3), stats.lomax(3, scale=0.5)),
    (Rayleigh(0.5), stats.rayleigh(scale=0.5)),
    (LogNormal(-1, 0.8), stats.lognorm(0.8, scale=math.exp(-1))),
    (Uniform(2.6), stats.uniform(0, 2.6)),
]


@pytest.mark.parametrize(("prior", "law"), PARAMETRIC, ids=lambda v: type(v).__name__)
def test_densities_are_those_of_the_family(prior: HeterogeneityPrior, law: Any) -> None:
    """Each density is SciPy's."""
    np.testing.assert_allclose(prior.log_density(TAU), law.logpdf(TAU), rtol=1e-12, atol=1e-12)


def test_densities_of_transformed_variables() -> None:
    """Half-t, log-t and inverse-chi from the variables they are made of."""
    t = stats.t(4)
    log_t = stats.t(5, loc=-1.7, scale=1.3)
    chi2 = stats.chi2(6)
    inverse = chi2.logpdf((0.5 / TAU) ** 2) + np.log(2 * 0.5**2 / TAU**3)

    np.testing.assert_allclose(
        HalfT(0.5, 4).log_density(TAU), t.logpdf(TAU / 0.5) + math.log(2 / 0.5), rtol=1e-12
    )
    np.testing.assert_allclose(
        LogT(-1.7, 1.3, 5).log_density(TAU), log_t.logpdf(np.log(TAU)) - np.log(TAU), rtol=1e-12
    )
    np.testing.assert_allclose(InverseChi(0.5, 6).log_density(TAU), inverse, rtol=1e-12)


@pytest.mark.parametrize("df", [1e6, 1e12, 1e30])
def test_half_t_with_many_degrees_of_freedom_is_half_normal(df: float) -> None:
    """The constant keeps its digits where gamma functions of ``df`` would cancel."""
    x = np.array([0.01, 0.3, 1.0])
    t, normal = HalfT(0.5, df).log_density(x), HalfNormal(0.5).log_density(x)

    np.testing.assert_allclose(t, normal, atol=10 / df + 1e-14)


@pytest.mark.parametrize(
    "prior",
    [p for p, _ in PARAMETRIC] + [HalfT(0.5, 4), LogT(-1.7, 1.3, 5), InverseChi(0.5, 6)],
    ids=lambda p: type(p).__name__,
)
def test_proper_priors_integrate_to_one(prior: HeterogeneityPrior) -> None:
    """The constant of each density is right; each is what a prior must be."""
    grid = heterogeneity_grid(prior.log_density, prior.scale, upper=prior.upper)

    assert prior.proper
    assert isinstance(prior, HeterogeneityPrior)
    assert abs(grid.log_evidence) < 1e-9


@pytest.mark.parametrize("prior", [Rayleigh(0.5), InverseChi(0.5, 6), LogNormal(-1, 0.8)])
def test_densities_that_vanish_at_zero(prior: HeterogeneityPrior) -> None:
    """Zero heterogeneity has no density, and no warning."""
    assert np.exp(prior.log_density(np.zeros(1)))[0] == 0


@pytest.mark.parametrize(
    ("make", "wrong"),
    [
        (lambda: HalfNormal(0), r"scale must lie in \[1e-30, 1e\+30\], got 0.0"),
        (lambda: HalfT(1, -1), r"df must lie in"),
        (lambda: Uniform(math.inf), r"upper must lie in"),
        (lambda: LogNormal(math.nan, 1), r"location must lie in"),
        (lambda: LogNormal(800, 1), r"location must lie in \[-69, 69\], got 800"),
        (lambda: LogT(0, 1e-30, 5), r"spread must lie in \[1e-09, 1000\], got 1e-30"),
    ],
)
def test_parameters_are_checked(make: Any, wrong: str) -> None:
    """A scale must be positive, a location a number."""
    with pytest.raises(ValueError, match=wrong):
        make()


@pytest.mark.parametrize("name", get_args(ReferenceName))
def test_named_priors_follow_their_definitions(name: ReferenceName) -> None:
    """Densities as printed in Röver (2020), section 2.2, up to the constant of improper ones."""
    v, t = VARIANCE[:, None], TAU
    s0 = 3 / (1 / VARIANCE).sum()
    w = 1 / VARIANCE
    typical = 2 * w.sum() / (w.sum() ** 2 - (w**2).sum())
    density = {
        "uniform": np.ones_like(t),
        "sqrt": t**-0.5,
        "jeffreys": np.sqrt(((t / (v + t**2)) ** 2).sum(axis=0)),
        "overall-jeffreys": np.sqrt(
            (1 / (v + t**2)).sum(axis=0) * ((t / (v + t**2)) ** 2).sum(axis=0)
        ),
        "berger-deely": np.prod((t / (v + t**2)) ** (1 / 3), axis=0),
        "conventional": np.prod((t / (v + t**2) ** 1.5) ** (1 / 3), axis=0),
        "dumouchel": math.sqrt(s0) / (math.sqrt(s0) + t) ** 2,
        "uniform-shrinkage": 2 * s0 * t / (s0 + t**2) ** 2,
        "i2": 2 * typical * t / (typical + t**2) ** 2,
    }[name]
    prior = prior_for(name, VARIANCE)
    ratio = prior.log_density(t) - np.log(density)

    assert isinstance(prior, ReferencePrior)
    assert prior.label == f"{'' if name in PROPER else 'improper '}{name} prior"
    np.testing.assert_allclose(ratio, ratio[0], atol=1e-12)
    if name in PROPER:
        grid = heterogeneity_grid(prior.log_density, prior.scale)
        assert abs(grid.log_evidence) < 1e-9
    if name not in {"conventional"}:
        np.testing.assert_allclose(ratio, 0, atol=1e-12)


def test_equal_variances_make_two_priors_one() -> None:
    """With equal standard errors Jeffreys and Berger-Deely are the same."""
    same = np.full(5, 0.2)
    ratio = prior_for("jeffreys", same).log_density(TAU) - prior_for(
        "berger-deely", same
    ).log_density(TAU)

    np.testing.assert_allclose(ratio, ratio[0], atol=1e-12)


def test_a_density_function_is_scaled() -> None:
    """A proper density may be given up to a factor; an improper one stays as it is."""
    proper = prior_for(lambda tau: 7 * np.exp(-tau), VARIANCE)
    improper = prior_for(lambda tau: 7 * tau**0, VARIANCE)

    assert isinstance(proper, DensityPrior)
    assert (proper.proper, improper.proper) == (True, False)
    np.testing.assert_allclose(proper.log_density(TAU), -TAU, atol=1e-9)


@pytest.mark.parametrize(
    ("prior", "variance", "wrong"),
    [
        ("flat", VARIANCE, "tau_prior must be one of uniform, sqrt, .*; got 'flat'"),
        (3, VARIANCE, "tau_prior must be a prior such as .*, a density function or one of"),
        (HalfNormal, VARIANCE, r"a prior such as HalfNormal\(0.5\), .*; got <class"),
        (lambda tau: math.exp(-tau), VARIANCE, "must take an array of tau"),
        (lambda tau: -tau, VARIANCE, "must be a density, not negative"),
        (lambda tau: 1.0, VARIANCE, "must return one density for each tau"),
        ("i2", VARIANCE[:1], "needs two studies, got one"),
    ],
)
def test_what_is_no_prior_is_refused(prior: Any, variance: np.ndarray, wrong: str) -> None:
    """The message says what may be given."""
    with pytest.raises(ValueError, match=wrong):
        prior_for(prior, variance)


def test_the_table_of_empirical_priors_is_complete() -> None:
    """16 outcomes by 5 comparisons; 8 by 3 in three areas; each with the general setting."""
    table = empirical_prior_table()
    odds = [r for r in table if r["measure"] == "log-odds-ratio"]
    smd = [r for r in table if r["measure"] == "standardized-mean-difference"]
    places = {(r["measure"], r["area"], r["outcome"], r["comparison"]) for r in table}

    assert (len(odds), len(smd)) == (16 * 5 + 1, 8 * 3 * 3 + 1)
    assert len(places) == len(table)
    assert [r for r in table if r["location"] is None] == [
        {
            "measure": "standardized-mean-difference",
            "area": "cancer",
            "outcome": "resource-use-or-process",
            "comparison": "pharmacological-vs-control",
            "location": None,
            "spread": None,
            "source": "Rhodes et al. 2015 table A.3.2",
        }
    ]
    assert {r["source"] for r in odds} == {
        "Turner et al. 2015 p. 993",
        "Turner et al. 2015 table IV",
    }
    assert all(str(r["source"]).startswith("Rhodes et al. 2015 ") for r in smd)
    assert all(1 <= r["spread"] <= 3 for r in table if r["spread"] is not None)  # type: ignore


def test_empirical_priors_are_those_of_the_standard_deviation() -> None:
    """Turner et al. 2015, table IV and p. 993; Rhodes et al. 2015, table 3: halved for tau."""
    general = empirical_prior("log-odds-ratio")
    success = empirical_prior(
        "log-odds-ratio", "surgical-or-device-success", "pharmacological-vs-control"
    )
    smd = empirical_prior("standardized-mean-difference")
    obstetric = empirical_prior(
        "standardized-mean-difference", "obstetric", "pharmacological-vs-control", "other"
    )

    assert (general, success) == (LogNormal(-1.28, 0.87), LogNormal(-1.07, 0.87))
    assert (smd, obstetric) == (LogT(-1.72, 1.295, 5), LogT(-2.065, 1.17, 5))


@pytest.mark.parametrize(
    ("setting", "wrong"),
    [
        (("odds-ratio",), "measure must be one of"),
        (("log-odds-ratio", "weight"), "outcome must be one of any, all-cause-mortality"),
        (("log-odds-ratio", "obstetric", "this"), "comparison must be one of pharmacological"),
        (("standardized-mean-difference", "obstetric", "any", "other"), "comparison must be one"),
        (
            (
                "standardized-mean-difference",
                "resource-use-or-process",
                "pharmacological-vs-control",
                "cancer",
            ),
            "transcriptions of the printed table disagree",
        ),
    ],
)
def test_settings_without_a_prior_are_refused(setting: tuple[Any, ...], wrong: str) -> None:
    """The message lists the choices there are, or says what is in doubt."""
    with pytest.raises(ValueError, match=wrong):
        empirical_prior(*setting)
