"""Selection models: exact integrals and derivatives, invariances, published data, behaviour."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

import numpy as np
import pytest
from scipy import integrate, special

from trabecula.synthesis import random_effects
from trabecula.synthesis.small_study import (
    TooFewStudies,
    selection_model,
)
from trabecula.synthesis.small_study.selection_likelihood import (
    SelectionLikelihood,
    SmoothWeighting,
    StepWeighting,
)
from trabecula.synthesis.small_study.selection_weights import SHAPES

SE = np.array([0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5, 0.17, 0.35])
Y = np.array([0.1, 0.32, 0.08, 0.5, 0.05, 0.6, 0.7, 0.2, 0.9, 1.1, -0.1, 0.4])

DELTAS = {
    "beta": [(0.5, 4.0), (1.0, 1.0), (2.0, 0.3)],
    "half-normal": [(0.0,), (3.0,), (80.0,)],
    "negative-exponential": [(0.1,), (5.0,), (60.0,)],
    "logistic": [(0.2,), (4.0,), (90.0,)],
    "power": [(0.3,), (2.0,), (20.0,)],
    "negative-exponential-power": [(2.0, 0.3), (5.0, 2.0), (40.0, 30.0)],
}


def weight(family: str, p: float, delta: tuple[float, ...], start: float) -> float:
    """Return a weight by the formulas of the manual, written down a second time."""
    forms = {
        "beta": lambda x: x ** (delta[0] - 1) * (1 - x) ** (delta[1] - 1),
        "half-normal": lambda x: math.exp(-delta[0] * x**2),
        "negative-exponential": lambda x: math.exp(-delta[0] * x),
        "logistic": lambda x: 2 * math.exp(-delta[0] * x) / (1 + math.exp(-delta[0] * x)),
        "power": lambda x: (1 - x) ** delta[0],
        "negative-exponential-power": lambda x: math.exp(-delta[0] * x ** (1 / delta[1])),
    }
    smallest = SHAPES[family].smallest_p
    x = min(max(p, smallest), 1 - smallest)
    if start and x <= start:
        return 1.0
    return forms[family](x) / (forms[family](start) if start else 1.0)


def p_value(z: float, two_sided: bool) -> float:
    """Return the p-value of a standardised estimate."""
    return float(2 * special.ndtr(-abs(z)) if two_sided else special.ndtr(-z))


def by_quadrature(
    family: str, mean: float, tau2: float, delta: tuple[float, ...], start: float, two_sided: bool
) -> float:
    """Return the log-likelihood by adaptive integrals, split where weights have kinks or poles."""
    sides = 2 if two_sided else 1
    smallest = max(SHAPES[family].smallest_p, 1e-300)
    total = 0.0
    edges = [smallest, 1e-30, 1e-8, 1e-5, 1e-3, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 0.999, 1 - 1e-5]
    edges += [start] if start else []
    kinks = {float(-special.ndtri(e / sides)) for e in edges if e >= smallest}
    kinks |= {-k for k in kinks} | {0.0} if two_sided else {0.0}
    for y, s in zip(Y, SE, strict=True):
        sd = math.sqrt(s**2 + tau2)

        def integrand(z: float, s: float = s, sd: float = sd) -> float:
            density = math.exp(-(((z * s - mean) / sd) ** 2) / 2) / math.sqrt(2 * math.pi)
            return weight(family, p_value(z, two_sided), delta, start) * density * s / sd

        low, high = (mean - 12 * sd) / s, (mean + 12 * sd) / s
        points = sorted({low, high, *(k for k in kinks if low < k < high)})
        area = sum(
            integrate.quad(integrand, a, b, epsabs=0, epsrel=1e-12, limit=200)[0]
            for a, b in itertools.pairwise(points)
        )
        w = weight(family, p_value(y / s, two_sided), delta, start)
        total += math.log(w) - ((y - mean) / sd) ** 2 / 2 - math.log(sd * math.sqrt(2 * math.pi))
        total -= math.log(area)
    return total


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("start", [0.0, 0.03])
@pytest.mark.parametrize("family", DELTAS)
@pytest.mark.filterwarnings("ignore::scipy.integrate.IntegrationWarning")
def test_log_likelihoods_are_those_of_adaptive_integration(
    family: str, start: float, two_sided: bool
) -> None:
    """The fixed rule and adaptive integration agree to 1e-10 of the log-likelihood."""
    if family == "beta" and start:
        return
    deltas = DELTAS[family][-1:] if start else DELTAS[family]
    likelihood = SelectionLikelihood(
        Y, SE**2, SmoothWeighting.of(Y / SE, SHAPES[family], start, two_sided)
    )
    for delta in deltas:
        for mean, tau2 in ((0.2, 0.05), (-0.3, 2.0)):
            ours = likelihood(np.array([mean, tau2, *delta])).value
            theirs = by_quadrature(family, mean, tau2, delta, start, two_sided)
            assert ours == pytest.approx(theirs, rel=1e-10, abs=1e-10), (delta, mean)


@pytest.mark.parametrize("two_sided", [False, True])
@pytest.mark.parametrize("family", [*DELTAS, "step"])
def test_derivatives_are_exact(family: str, two_sided: bool) -> None:
    """Gradient and Hessian are those of central differences, to their error of 1e-7."""
    weighting: Any
    if family == "step":
        weighting = StepWeighting.of(Y / SE, np.array([0.025, 0.5, 1.0]), two_sided)
        delta: tuple[float, ...] = (1.0, 0.4, 0.2)
    else:
        weighting = SmoothWeighting.of(Y / SE, SHAPES[family], 0.0, two_sided)
        delta = DELTAS[family][0] if family != "half-normal" else (3.0,)
    likelihood = SelectionLikelihood(Y, SE**2, weighting)
    place = np.array([0.2, 0.05, *delta])
    here, h = likelihood(place), 1e-5
    for i, unit in enumerate(np.eye(len(place))):
        up, down = likelihood(place + h * unit), likelihood(place - h * unit)
        assert (up.value - down.value) / (2 * h) == pytest.approx(here.slope[i], rel=1e-6, abs=1e-6)
        np.testing.assert_allclose(
            (up.slope - down.slope) / (2 * h), here.curvature[i], rtol=1e-6, atol=1e-5
        )


@pytest.mark.parametrize("family", ["step", "beta", "half-normal", "logistic"])
@pytest.mark.parametrize("factor", [1e-6, 1e5])
def test_the_unit_of_the_estimates_does_not_matter(family: Any, factor: float) -> None:
    """Estimates in other units give the same weights, and the mean in those units."""
    fit = selection_model(Y, SE**2, family=family)
    other = selection_model(factor * Y, (factor * SE) ** 2, family=family)

    assert str(fit.status) == str(other.status) == "estimated"
    np.testing.assert_allclose(other.estimate, factor * fit.estimate, rtol=1e-6)
    np.testing.assert_allclose(other.se, factor * fit.se, rtol=1e-6)
    np.testing.assert_allclose(other.tau2, factor**2 * fit.tau2, rtol=1e-5, atol=1e-14 * factor**2)
    np.testing.assert_allclose(other.delta, fit.delta, rtol=1e-6)


@pytest.mark.parametrize("family", ["step", "negative-exponential"])
def test_the_other_tail_is_the_mirror_image(family: Any) -> None:
    """*less* for negated estimates is *greater*; *two-sided* does not tell them apart."""
    fit = selection_model(Y, SE**2, family=family)
    mirrored = selection_model(-Y, SE**2, family=family, alternative="less")
    both = [selection_model(s * Y, SE**2, family=family, alternative="two-sided") for s in (1, -1)]

    np.testing.assert_allclose(mirrored.estimate, -fit.estimate, rtol=1e-9)
    np.testing.assert_allclose(mirrored.delta, fit.delta, rtol=1e-9)
    np.testing.assert_allclose(both[0].estimate, -both[1].estimate, rtol=1e-6)
    np.testing.assert_allclose(both[0].delta, both[1].delta, rtol=1e-6)


def test_weights_of_one_change_nothing() -> None:
    """Where all studies are equally likely to be seen the fit is that of maximum likelihood."""
    fit = selection_model(Y, SE**2, steps=(0.025, 0.5), weights=(1, 1, 1))
    plain = random_effects(Y, SE**2, method="ML", test="z")

    assert fit.estimate == pytest.approx(float(plain.estimate), rel=1e-9)
    assert fit.tau2 == pytest.approx(float(plain.tau2), rel=1e-7)
    assert fit.log_likelihood == pytest.approx(float(plain.ml.log_likelihood), rel=1e-12)
    assert (float(fit.lrt), int(fit.lrt_df)) == (pytest.approx(0, abs=1e-12), 0)
    assert np.isnan(fit.lrt_p_value)
    assert "supposed, not estimated" in fit.summary()


def test_data_sets_are_fitted_one_by_one() -> None:
    """A table of data sets, with missing studies, gives what each gives alone."""
    table = np.stack([Y, np.where(np.arange(12) == 2, np.nan, Y[::-1])])
    variances = np.stack([SE**2, SE[::-1] ** 2])
    both = selection_model(table, variances)

    assert both.shape == (2,)
    for row in range(2):
        kept = ~np.isnan(table[row])
        alone = selection_model(table[row, kept], variances[row, kept])
        assert json.dumps(both[row].to_dict()) == json.dumps(alone.to_dict())


def test_the_order_of_studies_does_not_matter() -> None:
    """Studies in reverse give the same fit."""
    fit, other = selection_model(Y, SE**2), selection_model(Y[::-1], SE[::-1] ** 2)

    np.testing.assert_allclose(other.estimate, fit.estimate, rtol=1e-9)
    np.testing.assert_allclose(other.delta, fit.delta, rtol=1e-9)


def test_an_interval_without_studies_is_said() -> None:
    """Where a weight has no study behind it nothing is estimated, and the summary says why."""
    fit = selection_model(0.5 + 0.01 * Y, SE**2 / 100)

    assert str(fit.status) == "empty-interval"
    assert fit.interval_k.tolist() == [12, 0]
    assert np.isnan([fit.estimate, fit.se, fit.tau2, fit.lrt, *fit.delta]).all()
    assert fit.unselected_estimate == pytest.approx(0.5, abs=0.01)
    assert "no study lies in one of the intervals" in fit.summary()
    assert fit.to_dict()["estimate"] is None


def test_a_weight_at_its_limit_has_no_standard_error() -> None:
    """Where the likelihood rises up to the limit of a parameter, its errors mean nothing."""
    fit = selection_model(
        -0.2 - 0.3 * Y, SE**2, family="negative-exponential-power", alternative="less"
    )

    assert str(fit.status) == "at-limit"
    assert fit.delta[0] == 100
    assert np.isnan([fit.se, fit.tau2_se, fit.p_value, fit.ci_low]).all()
    assert np.isfinite([fit.estimate, fit.lrt, fit.lrt_p_value]).all()
    assert "ran to its upper limit" in fit.summary()


def test_no_selection_leaves_the_second_parameter_without_meaning() -> None:
    """Where the first weight parameter is 0 the fit is that of maximum likelihood, and says it."""
    fit = selection_model(0.2 - Y, SE**2, family="negative-exponential-power")

    assert str(fit.status) == "estimated"
    assert fit.delta[0] == 0
    assert np.isnan(fit.delta_se).all()
    assert fit.estimate == pytest.approx(float(fit.unselected_estimate), rel=1e-8)
    assert np.isfinite(fit.se)
    assert fit.weight([0.1, 0.9]).tolist() == [1, 1]


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_huge_and_tiny_variances_are_fitted(scale: float) -> None:
    """Variances over a wide range give numbers or a status, never a silent NaN."""
    spread = np.where(np.arange(12) % 2, scale, 1.0)
    fit = selection_model(Y, SE**2 * spread)

    if fit.status == "estimated":
        assert np.isfinite([fit.estimate, fit.se, *fit.delta]).all()
    else:
        assert len(fit.summary()) > 50


def test_equal_estimates_have_no_between_study_variance() -> None:
    """Without any variation tau² is 0, at its bound, and has no standard error."""
    fit = selection_model(np.full(12, 0.5), SE**2)

    assert str(fit.status) == "estimated"
    assert fit.tau2 == 0
    assert np.isnan(fit.tau2_se)
    assert np.isfinite(fit.se)


def test_the_common_model_has_no_between_study_variance() -> None:
    """One true effect leaves tau² at 0 and compares with the common-effect fit."""
    fit = selection_model(Y, SE**2, heterogeneity="common")
    plain = random_effects(Y, SE**2, method="common", test="z")

    assert fit.tau2 == 0
    assert fit.unselected_estimate == plain.estimate
    assert "τ²" not in fit.summary()


def test_too_few_studies_are_refused() -> None:
    """Ten studies are asked for; the refusal names them and can be overruled down to parameters."""
    with pytest.raises(TooFewStudies, match=r"9 studies, 10 are needed: .* down to 3") as refusal:
        selection_model(Y[:9], SE[:9] ** 2)

    assert (refusal.value.k, refusal.value.needed) == (9, 10)
    assert selection_model(Y[:9], SE[:9] ** 2, minimum_studies=3).k == 9
    with pytest.raises(TooFewStudies, match="2 studies, 3 are needed"):
        selection_model(Y[:2], SE[:2] ** 2, minimum_studies=1)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"family": "cubic"}, "family must be one of step, beta"),
        ({"alternative": "up"}, "alternative must be one of greater"),
        ({"steps": (0.0, 0.5)}, r"steps must lie in \(0, 1\], got 0.0 at index 0"),
        ({"steps": (1.0,)}, "steps must hold a value below 1"),
        ({"family": "beta", "steps": (0.05,)}, "steps do not belong to beta"),
        ({"family": "power", "steps": (0.05, 0.5)}, "steps must be one value"),
        ({"weights": (1.0,)}, "weights must be 2 numbers, got 1"),
        ({"weights": (1.0, 0.0)}, "weights must lie in"),
        ({"weights": "mild"}, "weights must be one of moderate-one-tailed"),
        ({"weights": "severe-one-tailed", "steps": (0.05,)}, "have steps of their own"),
        ({"heterogeneity": "some"}, "heterogeneity must be one of random, common"),
        ({"level": 95}, "95 % is written 0.95"),
    ],
)
def test_bad_arguments_are_named(options: dict[str, Any], message: str) -> None:
    """The message names the argument and what is allowed."""
    with pytest.raises(ValueError, match=message):
        selection_model(Y, SE**2, **options)


def test_the_weight_function_is_a_table_for_plotting() -> None:
    """Steps give a row an interval, smooth families a curve that starts at 1."""
    steps = selection_model(Y, SE**2, steps=(0.025, 0.5))
    smooth = selection_model(Y, SE**2, family="logistic")
    late = selection_model(Y, SE**2, family="logistic", steps=(0.05,))

    assert [row["p_to"] for row in steps.rows()] == [0.025, 0.5, 1.0]
    assert [row["weight"] for row in steps.rows()] == steps.delta.tolist()
    assert steps.weight([0.01, 0.025, 0.03]).tolist() == steps.delta[[0, 0, 1]].tolist()
    assert smooth.rows()[0] == {"p": 0.0, "weight": 1.0}
    assert len(smooth.rows()) == 101
    assert late.weight(0.05) == 1
    assert late.weight(0.5) < 1


@pytest.mark.parametrize("p", [-0.1, 1.5, np.nan])
def test_weights_belong_to_p_values(p: float) -> None:
    """What is no p-value has no weight."""
    fit = selection_model(Y, SE**2, steps=[0.1])
    with pytest.raises(ValueError, match=r"p must lie in \[0, 1\]"):
        fit.weight(p)


def test_many_data_sets_have_no_summary() -> None:
    """A summary describes one data set."""
    fit = selection_model(np.stack([Y, Y]), SE**2)

    with pytest.raises(ValueError, match=r"this fit holds \(2,\): use fit\[i\]"):
        fit.summary()
    assert fit[1].summary() == selection_model(Y, SE**2).summary()


# Data of Baskerville, Liddy and Hogg (2012), Ann Fam Med 10:63-74, the example of Citkowicz and
# Vevea (2017); of Preston, Ashby and Smyth (2004), J Eval Clin Pract 10:313-322; of Cohen (1981),
# Rev Educ Res 51:281-309, the example of Vevea and Woods (2005). Values from metafor's own tests.
BASKERVILLE = """
1.01 0.82 0.59 0.44 0.84 0.73 1.12 0.04 0.24 0.32 1.04 1.31
0.59 0.66 0.62 0.47 1.08 0.98 0.26 0.39 0.60 0.94 0.11
0.52 0.46 0.23 0.18 0.29 0.29 0.36 0.37 0.15 0.40 0.32 0.57
0.29 0.19 0.31 0.27 0.32 0.32 0.18 0.18 0.31 0.53 0.27
"""
"""23 estimates, then their standard errors."""

COHEN = """
.68 .56 .23 .64 .49 -.04 .49 .33 .58 .18 -.11 .27 .26 .40 .49 .51 .40 .34 .42 .16
10 20 13 22 28 12 12 36 19 12 36 75 33 121 37 14 40 16 14 20
"""
"""20 correlations, then the numbers of sections behind them."""


def test_the_beta_model_of_baskerville_2012() -> None:
    """Weights of 0.473 and 4.46 with a likelihood ratio of 7.85 on 2 df, tau² at 0."""
    y, se = np.array(BASKERVILLE.split(), dtype=float).reshape(2, 23)
    fit = selection_model(y, se**2, family="beta")

    # the integrals of the reference are good to 1e-4 (see the alignment test)
    np.testing.assert_allclose(fit.delta, [0.4731131, 4.4613093], rtol=2e-3)
    np.testing.assert_allclose(fit.delta_se, [0.2352523, 2.1845971], rtol=3e-3)
    assert fit.lrt == pytest.approx(7.846906, rel=1e-3)
    assert fit.tau2 == pytest.approx(0, abs=1e-5)


def preston() -> tuple[np.ndarray, np.ndarray]:
    """Log odds ratios of Preston, Ashby and Smyth, one half added where a cell is empty."""
    a = np.array([4, 0, 34, 7, 6, 1, 0, 11, 2, 0, 0, 33.0])
    n1 = np.array([19, 18, 341, 71, 45, 94, 22, 88, 82, 33, 15, 221])
    c = np.array([5, 0, 50, 16, 5, 8, 0, 12, 7, 0, 1, 43.0])
    n2 = np.array([19, 18, 334, 69, 44, 96, 22, 82, 84, 30, 20, 218])
    more = np.where((a == 0) | (c == 0), 0.5, 0.0)
    cells = np.stack([a, n1 - a, c, n2 - c]) + more
    y = np.log(cells[0] * cells[3] / (cells[1] * cells[2]))
    kept = (a > 0) | (c > 0)
    return y[kept], (1 / cells).sum(axis=0)[kept]


@pytest.mark.parametrize(
    ("family", "delta", "se"),
    [
        ("half-normal", [3.162948], [2.988922]),
        ("negative-exponential", [2.656714], [2.347468]),
        ("logistic", [3.339338], [2.388776]),
        ("power", [1.458923], [1.393725]),
    ],
)
def test_the_exponential_models_of_preston_2004(
    family: Any, delta: list[float], se: list[float]
) -> None:
    """One true effect, small odds ratios favoured: nine informative trials."""
    fit = selection_model(
        *preston(), family=family, alternative="less", heterogeneity="common", minimum_studies=4
    )

    # the integrals of the reference move an optimum by 1e-4, its standard errors by 3 %
    np.testing.assert_allclose(fit.delta, delta, rtol=2e-4)
    np.testing.assert_allclose(fit.delta_se, se, rtol=3e-2)


def test_the_global_maximum_is_found_where_the_reference_prints_a_lower_one() -> None:
    """The trials of Preston et al. have a top at (2.674, 1.153) and a higher end of the surface.

    metafor's tests print the top. The likelihood is 0.28 higher at the limit of 100, where the
    weight is a cut at the largest observed p-value; we say that this is a limit.
    """
    y, v = preston()
    family = "negative-exponential-power"
    fit = selection_model(
        y, v, family=family, alternative="less", heterogeneity="common", minimum_studies=4
    )
    z = -y / np.sqrt(v)
    likelihood = SelectionLikelihood(-y, v, SmoothWeighting.of(z, SHAPES[family], 0.0, False))
    lower = likelihood(np.array([0.26291351, 0.0, 2.673818, 1.153199]))
    inside = [0, 2, 3]
    errors = np.sqrt(np.diag(np.linalg.inv(-lower.curvature[np.ix_(inside, inside)])))

    assert str(fit.status) == "at-limit"
    assert fit.log_likelihood > lower.value + 0.28
    np.testing.assert_allclose(lower.slope[inside], 0, atol=1e-5)
    np.testing.assert_allclose(errors[1:], [2.363403, 2.143849], rtol=3e-2)


@pytest.mark.parametrize(
    ("weights", "mean", "tau2"),
    [
        ("moderate-one-tailed", 0.351894, 0.0045),
        ("severe-one-tailed", 0.321518, 0.009544),
        ("moderate-two-tailed", 0.362019, 0.002774),
        ("severe-two-tailed", 0.33218, 0.005652),
    ],
)
def test_the_weights_of_vevea_and_woods_2005(weights: Any, mean: float, tau2: float) -> None:
    """Transformed correlations of 20 studies under the four suggested patterns of selection."""
    r, n = np.array(COHEN.split(), dtype=float).reshape(2, 20)
    fit = selection_model(np.arctanh(r), 1 / (n - 3), weights=weights)

    assert fit.estimate == pytest.approx(mean, abs=2e-6)
    assert fit.tau2 == pytest.approx(tau2, abs=2e-6)


def test_the_step_model_recovers_the_mean_of_a_large_sample() -> None:
    """The model finds the mean 0.2 and the chance 0.3 to see one of 6,000 studies with p > 0.025.

    The plain mean of the seen studies is 0.1 too large.
    """
    rng = np.random.default_rng(5)
    se = rng.uniform(0.1, 0.5, 6000)
    y = 0.2 + rng.normal(0, np.sqrt(se**2 + 0.04))
    seen = (y / se > 1.959964) | (rng.random(6000) < 0.3)
    fit = selection_model(y[seen], se[seen] ** 2)

    assert abs(fit.estimate - 0.2) < 3 * fit.se < 0.06
    assert abs(fit.delta[1] - 0.3) < 3 * fit.delta_se[1]
    assert abs(fit.tau2 - 0.04) < 3 * fit.tau2_se
    assert fit.unselected_estimate > 0.28


def test_the_likelihood_ratio_test_keeps_its_level() -> None:
    """Without selection about 5 % of 150 data sets of 40 studies have a p-value below 0.05."""
    rng = np.random.default_rng(11)
    se = rng.uniform(0.1, 0.6, (150, 40))
    fit = selection_model(0.3 + rng.normal(0, np.sqrt(se**2 + 0.05)), se**2)
    rejected = (fit.lrt_p_value < 0.05).mean()

    # four standard errors of the share
    assert 0.0 <= rejected <= 0.12
    assert (fit.status == "not-converged").sum() == 0
