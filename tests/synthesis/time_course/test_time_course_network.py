"""Time-course networks: against the model written out, known courses, edges and refusals."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from tests.synthesis.time_course.dense import dense
from tests.synthesis.time_course.osteopain import columns, ours
from trabecula.synthesis.bayes.priors import HalfCauchy, HalfNormal
from trabecula.synthesis.network.graph import DisconnectedNetwork
from trabecula.synthesis.sampling import NotConverged
from trabecula.synthesis.time_course import (
    Curve,
    EmaxCurve,
    ExponentialCurve,
    IntegratedLogisticCurve,
    LinearSplineCurve,
    LogLinearCurve,
    TimeCourseFit,
    time_course_network,
)
from trabecula.synthesis.time_course.collapsed import CollapsedPosterior, TimeCoursePriors
from trabecula.synthesis.time_course.evidence import TimeCourseEvidence

Columns = tuple[list[str], list[str], list[float], list[float], list[float]]

CURVES: list[tuple[Curve, list[float]]] = [
    (EmaxCurve(), [1.7]),
    (ExponentialCurve(), [0.6]),
    (IntegratedLogisticCurve(until=9.0), [0.3]),
    (LogLinearCurve(), []),
    (LinearSplineCurve(knots=(1.5, 4.0)), []),
]

ARMS = [
    ("A", "xyz", [0, 1, 3, 8]),
    ("B", "xy", [0, 2, 6]),
    ("C", "yz", [0, 5]),
    ("D", "zw", [1, 4]),
]
"""Studies, their arms and times: three arms, one study without the reference, one without start."""


def small(seed: int = 3, effect: float = -0.4, tau: float = 0.0, copies: int = 1) -> Columns:
    """Return trials of four treatments whose coefficients differ by `effect` a letter (Emax, 2)."""
    random = np.random.default_rng(seed)
    data: Columns = ([], [], [], [], [])
    for copy in range(copies):
        for study, arms, times in ARMS:
            baseline, course = 6 + random.standard_normal(), -1.5 + 0.3 * random.standard_normal()
            common = random.standard_normal()
            for arm in arms:
                own = tau * (common + random.standard_normal()) / np.sqrt(2)
                change = course + effect * "xyzw".index(arm) + own
                for t in times:
                    se = 0.1 + 0.05 * random.random()
                    row = (f"{study}{copy}", arm, float(t), baseline + change * t / (2 + t), se)
                    for column, value in zip(data, row, strict=True):
                        column.append(value)
                    data[3][-1] += se * random.standard_normal()
    return data


@pytest.mark.parametrize(("curve", "parameter"), CURVES, ids=lambda c: getattr(c, "label", ""))
@pytest.mark.parametrize("correlation", [0.0, 0.6])
@pytest.mark.parametrize("spread", [False, True])
def test_integration_equals_the_model_written_out(
    curve: Curve, parameter: list[float], correlation: float, spread: bool
) -> None:
    """Effects, their covariance and the marginal likelihood are those of one big normal one."""
    data, reference = small(), "y"
    size = len(curve.coefficients)
    tau = [0.3, 0.1, 0.2][:size] if spread else [0.0] * size
    evidence = TimeCourseEvidence.read(*data, correlation=correlation, reference=reference)
    random = tuple(range(size)) if spread else ()
    posterior = CollapsedPosterior(evidence, curve, random, TimeCoursePriors(20, 8, 10, 2))
    spreads = tau if spread else []
    values = np.array([[*np.log(parameter), *spreads]])
    other = np.array([[*(np.log(1.3) + np.log(parameter)), *(1.3 * s for s in spreads)]])

    def functions(time: float) -> list[float]:
        return [float(v) for v in curve.functions(np.array(time), np.array(parameter))]

    system = next(posterior._systems(values))[1]
    expected = dense(data, functions, tau, correlation, (20, 8), reference)
    root = system.root[0]
    covariance = np.linalg.inv(root @ root.T)
    np.testing.assert_allclose(covariance, expected.effect_covariance, rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(
        np.linalg.solve(root.T, system.right[0]), expected.effect_mean, rtol=1e-6, atol=1e-8
    )
    if spread:

        def scaled(time: float) -> list[float]:
            more = np.array([1.3 * p for p in parameter])
            return [float(v) for v in curve.functions(np.array(time), more)]

        more = dense(data, scaled, [1.3 * t for t in tau], correlation, (20, 8), reference)
        both = [s.log_likelihood[0] for v in (values, other) for _, s in posterior._systems(v)]
        gap = expected.log_marginal - more.log_marginal
        np.testing.assert_allclose(both[0] - both[1], gap, rtol=1e-6, atol=1e-6)


def test_draws_have_the_moments_of_the_model_written_out() -> None:
    """Effects and residual deviance of a linear curve agree, correlation included."""
    data = small()
    fit = time_course_network(
        *data,
        curve=LogLinearCurve(),
        correlation=0.5,
        effect_prior_sd=8,
        baseline_prior_sd=20,
        reference="x",
        draws=5000,
    )
    expected = dense(data, lambda t: [float(np.log1p(t))], [0.0], 0.5, (20, 8), "x")
    sd = np.sqrt(np.diag(expected.effect_covariance))
    place = [fit.treatments.index(name) for name in ("w", "y", "z")]
    deviance = np.sqrt(expected.residual_deviance_variance)

    assert np.abs(fit.mean[0, place] - expected.effect_mean).max() < 4 * sd.max() / np.sqrt(20_000)
    np.testing.assert_allclose(fit.sd[0, place], sd, rtol=4 / np.sqrt(40_000))
    error = 4 * deviance / np.sqrt(20_000)
    assert abs(fit.residual_deviance - expected.residual_deviance_mean) < error
    assert abs(fit.pv / (deviance**2 / 2) - 1) < 0.06
    assert float(fit.dic) == pytest.approx(float(fit.deviance + fit.pv))


def test_sampling_equals_a_sum_over_a_grid() -> None:
    """ET50 and the heterogeneity have the moments of their density summed over a fine grid."""
    data = small(tau=0.3, copies=3)
    fit = time_course_network(*data, curve=EmaxCurve(), tau_prior=HalfNormal(1), draws=4000)
    evidence = TimeCourseEvidence.read(*data, correlation=0, reference=fit.reference)
    posterior = CollapsedPosterior(evidence, EmaxCurve(), (0,), TimeCoursePriors(100, 100, 100, 1))
    center = np.log(float(fit.parameter_median[0]))
    axes = [np.linspace(center - 0.9, center + 0.9, 61), np.linspace(0.005, 1.205, 121)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 2)
    height = posterior.log_density(grid)
    weight = np.exp(height - height.max())
    weight /= weight.sum()
    grid[:, 0] = np.exp(grid[:, 0])
    mean = weight @ grid
    sd = np.sqrt(weight @ (grid - mean) ** 2)
    error = 4 / np.sqrt(float(fit.bulk_sample_size))

    assert abs(fit.parameter_mean[0] - mean[0]) < error * sd[0]
    assert abs(fit.tau_mean[0] - mean[1]) < error * sd[1]
    np.testing.assert_allclose([fit.parameter_sd[0], fit.tau_sd[0]], sd, rtol=error)


def test_exponential_and_integrated_logistic_curves_are_one_model() -> None:
    """The integrated logistic coefficient is the exponential change by its time."""
    data = small(copies=2)
    wide = {"effect_prior_sd": 1000.0, "baseline_prior_sd": 1000.0}
    one = time_course_network(*data, curve=ExponentialCurve(), **wide)
    other = time_course_network(*data, curve=IntegratedLogisticCurve(until=8), **wide)

    apart = one.relative_effects(8).mean - other.relative_effects(8).mean
    assert np.abs(apart).max() < 5 * other.sd.max() / np.sqrt(other.bulk_sample_size / 2)
    np.testing.assert_allclose(
        other.relative_effects(8).mean[:, 0], other.mean[0] - other.mean[0, 0]
    )


def test_known_courses_are_recovered() -> None:
    """In 40 simulated networks, 95 % intervals hold effects and ET50 about as often."""
    held = []
    for seed in range(40):
        fit = time_course_network(
            *small(seed, copies=2), curve=EmaxCurve(), reference="x", draws=250
        )
        truth = np.array([-1.2, -0.4, -0.8])
        place = [fit.treatments.index(name) for name in ("w", "y", "z")]
        held += list((fit.ci_low[0, place] < truth) & (truth < fit.ci_high[0, place]))
        held.append(bool(fit.parameter_ci_low[0] < 2 < fit.parameter_ci_high[0]))

    assert 0.88 < np.mean(held) < 0.99


def test_correlation_within_arms_matters() -> None:
    """Means of the same patients, correlated 0.8, tell changes more exactly."""
    data = small(copies=2)
    fits = [time_course_network(*data, curve=LogLinearCurve(), correlation=c) for c in (0.0, 0.8)]

    others = [t != fits[0].reference for t in fits[0].treatments]
    assert (fits[1].sd[0, others] < 0.9 * fits[0].sd[0, others]).all()


def test_order_of_rows_does_not_matter() -> None:
    """Rows in any order give the same bytes, and the same seed does."""
    data = small()
    order = np.random.default_rng(0).permutation(len(data[0]))
    # studies are numbered in order of appearance, which is kept
    order = order[np.argsort([data[0][i] for i in order], kind="stable")]
    turned = tuple([column[i] for i in order] for column in data)
    first, second = (time_course_network(*d, curve=EmaxCurve()) for d in (data, turned))

    np.testing.assert_array_equal(first.coefficient_samples, second.coefficient_samples)


def test_scale_of_y_and_time_carries_over() -> None:
    """Ten times the scale of y and the clock in days give the same, so many times as large."""
    study, treatment, time, y, se = small(copies=2)
    scaled = study, treatment, [7 * t for t in time], [10 * v for v in y], [10 * s for s in se]
    fit = time_course_network(*small(copies=2), curve=EmaxCurve(), parameter_prior_sd=10)
    other = time_course_network(
        *scaled,
        curve=EmaxCurve(),
        parameter_prior_sd=70,
        effect_prior_sd=1000,
        baseline_prior_sd=1000,
    )

    error = 5 / np.sqrt(float(min(fit.bulk_sample_size, other.bulk_sample_size)) / 2)
    assert np.abs(other.mean / 10 - fit.mean).max() < error * fit.sd.max()
    assert abs(other.parameter_mean[0] / 7 - fit.parameter_mean[0]) < error * fit.parameter_sd[0]


def test_random_effects_of_some_coefficients_only() -> None:
    """A heterogeneity belongs to each coefficient that is named, and to no other."""
    spline = LinearSplineCurve(knots=(2.0,))
    data = small(copies=4)
    fit = time_course_network(*data, curve=spline, tau_prior=HalfNormal(1), random=["slope_2"])
    both = time_course_network(*data, curve=spline, tau_prior=HalfNormal(1))

    assert (fit.random, fit.tau_mean.shape) == (("slope_2",), (1,))
    assert (both.random, both.tau_mean.shape) == (("slope_1", "slope_2"), (2,))


def test_reference_course_is_the_average_of_studies_that_tell_it() -> None:
    """Without a given course, that of studies with the reference and enough times is averaged."""
    fit = ours("osteopain_spline_ls")
    study, treatment, time, _, _ = columns()
    enough = {
        s
        for s in set(study)
        if len({t for i, t in zip(study, time, strict=True) if i == s}) > 2
        and "Pl_0" in {t for i, t in zip(study, treatment, strict=True) if i == s}
    }
    predicted = fit.predict([0, 2, 12])

    assert fit.response_k == len(enough) == predicted.k
    ground = predicted.treatments.index("Pl_0")
    assert predicted.mean[ground, 1] == pytest.approx(2 * fit.response_mean[0])
    change = 2 * fit.response_mean[0] + 10 * fit.response_mean[1]
    assert predicted.mean[ground, 2] == pytest.approx(change)
    apart = predicted.mean - predicted.mean[ground]
    np.testing.assert_allclose(apart[:, 2], fit.relative_effects(12).mean[:, ground], atol=1e-12)


def test_results_are_tables_and_sentences() -> None:
    """Rows, JSON and sentences hold what the arrays hold."""
    fit = ours("osteopain_emax_random")
    rows, told = fit.rows(), json.loads(json.dumps(fit.to_dict()))
    predicted, compared = fit.predict([4, 12]), fit.relative_effects(12)

    assert len(rows) == 28
    assert "form" not in told
    assert not [name for name in told if name.endswith("_samples")]
    assert told["curve"] == "Emax"
    assert (
        "30 studies, 29 treatments and 417 means (Emax curve, random effects of emax"
        in fit.summary()
    )
    assert "et50: 0.5" in fit.summary()
    assert "τ of emax: 0.3" in fit.summary()
    assert len(predicted.rows()) == 58
    assert predicted.summary().startswith(
        "Predicted mean at time 12 (Emax curve, mean course of 29"
    )
    assert len(compared.rows()) == 29 * 28 / 2
    assert "Differences from Pl_0 at time 12" in compared.summary()
    assert "Pl_0:" not in compared.summary()


def test_single_arms_tell_the_curve_only() -> None:
    """A study of one arm moves ET50 and leaves its width smaller, and is no fault."""
    data = small()
    more = ([], [], [], [], [])
    for t in (0.0, 0.5, 1.0, 2.0, 4.0, 16.0):
        for column, value in zip(more, ("lone", "x", t, 6 - 3 * t / (2 + t), 0.02), strict=True):
            column.append(value)
    both = tuple(a + b for a, b in zip(data, more, strict=True))
    alone, joined = (time_course_network(*d, curve=EmaxCurve()) for d in (data, both))

    assert joined.parameter_sd[0] < 0.5 * alone.parameter_sd[0]
    assert joined.k == alone.k + 1


def test_two_treatments_in_one_study_are_enough() -> None:
    """One study of two arms has an answer; its heterogeneity is what the prior says."""
    data = (["A"] * 6, ["x", "y"] * 3, [0, 0, 2, 2, 9, 9], [6, 6.1, 5, 4, 4.6, 3.2], [0.2] * 6)
    fit = time_course_network(*data, curve=LogLinearCurve(), tau_prior=HalfNormal(0.5), draws=4000)
    half_normal_mean = 0.5 * np.sqrt(2 / np.pi)

    assert fit.k == 1
    assert fit.tau_mean[0] == pytest.approx(half_normal_mean, rel=0.05)


def test_what_means_do_not_tell_is_the_prior() -> None:
    """With means at one time after the start, two slopes share what their sum is not: the prior."""
    data = (["A"] * 4, ["x", "x", "y", "y"], [0, 13] * 2, [6.0, 5.0, 6.0, 4.0], [0.01] * 4)
    fit = time_course_network(
        *data, curve=LinearSplineCurve(knots=(2,)), effect_prior_sd=31.6, draws=3000
    )

    assert fit.sd[:, 1] == pytest.approx(31.6 * np.array([11, 2]) / np.sqrt(125), rel=0.04)
    assert fit.relative_effects(13).sd[0, 1] < 0.03
    assert fit.response_k == 0
    assert np.isnan(fit.response_mean).all()
    with pytest.raises(ValueError, match="no study holds 'x' and has more different times than 2"):
        fit.predict([13])


@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_scales_far_from_one_need_priors_to_match(factor: float) -> None:
    """Tiny and huge units give the same answer with priors in them."""
    study, treatment, time, y, se = small()
    scaled = [factor * v for v in y], [factor * s for s in se]
    prior = {"effect_prior_sd": 100 * factor, "baseline_prior_sd": 100 * factor}
    fit = time_course_network(study, treatment, time, *scaled, curve=LogLinearCurve(), **prior)
    plain = time_course_network(study, treatment, time, y, se, curve=LogLinearCurve())

    np.testing.assert_allclose(fit.mean / factor, plain.mean, rtol=1e-6, atol=1e-8)


def test_means_too_exact_for_the_priors_are_refused() -> None:
    """Where double precision cannot hold both, nothing is computed."""
    study, treatment, time, y, se = small()
    with pytest.raises(ValueError, match="more than double precision holds"):
        time_course_network(study, treatment, time, y, [1e-9] * len(se), curve=EmaxCurve())


def test_chains_too_short_are_an_error() -> None:
    """Chains that hold too few effective draws give advice, not a result."""
    data = (["A"] * 4, ["x", "x", "y", "y"], [0, 13] * 2, [6.0, 5.0, 6.0, 4.0], [0.1] * 4)
    spline = LinearSplineCurve(knots=(1, 2, 3, 4, 5))

    with pytest.raises(NotConverged, match="raise draws") as error:
        time_course_network(*data, curve=spline, tau_prior=HalfNormal(5), draws=100)
    assert "take a curve without parameters" in str(error.value)


def test_neither_jax_nor_numpyro_is_needed() -> None:
    """A fit loads NumPy and SciPy only."""
    code = (
        "import sys\n"
        "from trabecula.synthesis.time_course import EmaxCurve, time_course_network as f\n"
        "f(['A'] * 6, ['x', 'y'] * 3, [0, 0, 2, 2, 9, 9], [6, 6, 5, 4, 4, 3], [.2] * 6,"
        " curve=EmaxCurve())\n"
        "print([m for m in ('jax', 'numpyro') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


FAULTS = [
    ({"se": [0.0] * 11}, "se must lie in"),
    ({"y": [np.nan] * 11}, "y must lie in"),
    ({"time": [-1.0] * 11}, "time must lie in"),
    ({"time": [0.0] * 11, "study": [str(i) for i in range(11)]}, "time must exceed 0 somewhere"),
    ({"y": [1.0]}, "every column must have one entry a mean"),
    (
        {"study": ["A"] * 11, "treatment": ["x"] * 11, "time": [1.0] * 11},
        "has two of 'x' at time 1",
    ),
    ({"reference": "v"}, "reference must be one of"),
    ({"correlation": 1.0}, "correlation must lie in"),
    ({"curve": "emax"}, "curve must be a curve such as"),
    ({"random": ["emax"]}, "need a tau_prior"),
    ({"random": ["slope"], "tau_prior": HalfNormal(1)}, "random must name some of emax"),
    ({"tau_prior": HalfCauchy(1)}, "tau_prior must be a HalfNormal"),
    ({"effect_prior_sd": 0}, "effect_prior_sd must lie in"),
    ({"level": 95}, "95 % is written 0.95"),
    ({"draws": 10}, "draws must be at least 100"),
    ({"chains": 1}, "chains must be at least 2"),
]


@pytest.mark.parametrize(("wrong", "told"), FAULTS, ids=lambda value: str(value)[:40])
def test_wrong_arguments_are_named(wrong: dict[str, object], told: str) -> None:
    """What is wrong is named with what is allowed."""
    names = ("study", "treatment", "time", "y", "se")
    right = dict(zip(names, (column[:11] for column in small()), strict=True))
    given = {"curve": EmaxCurve(), **right, **wrong}

    with pytest.raises(ValueError, match=told):
        time_course_network(**given)


def test_wrong_curves_and_questions_are_named() -> None:
    """Curves and predictions refuse what they cannot be asked."""
    fit = time_course_network(*small(), curve=LogLinearCurve())

    for knots, told in (((), "one at least"), ((3.0, 2.0), "knots must rise"), ((0.0,), "lie in")):
        with pytest.raises(ValueError, match=told):
            LinearSplineCurve(knots=knots)
    with pytest.raises(ValueError, match="until must lie in"):
        IntegratedLogisticCurve(until=0)
    with pytest.raises(ValueError, match="response must name slope; got emax"):
        fit.predict([1], response={"emax": 1})
    with pytest.raises(ValueError, match="times must be a row"):
        fit.predict([])
    with pytest.raises(ValueError, match="time must lie in"):
        fit.relative_effects(-1)


def test_unlinked_treatments_are_named() -> None:
    """Studies that share no treatment are no network."""
    data = (["A", "A", "B", "B"], ["x", "y", "z", "w"], [1.0] * 4, [1.0] * 4, [0.1] * 4)

    with pytest.raises(DisconnectedNetwork) as error:
        time_course_network(*data, curve=LogLinearCurve())
    assert {frozenset(part) for part in error.value.parts} == {frozenset("xy"), frozenset("zw")}


def test_fit_is_the_result_of_one_data_set() -> None:
    """There is nothing to index."""
    fit: TimeCourseFit = ours("osteopain_emax_common")

    assert fit.shape == ()
    with pytest.raises(ValueError, match="read-only"):
        fit.mean[0, 0] = 1
