"""How `random_effects` behaves: shapes, missing studies, hard data, errors, and its words."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from fractions import Fraction
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.synthesis import RandomEffectsFit, random_effects
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.likelihood import log_likelihood, maximise
from trabecula.synthesis.pairwise.power_sums import Table
from trabecula.synthesis.studies import Studies

Y = np.array([-0.889, -1.585, -1.348, -1.442, -0.218, -0.786])
V = np.array([0.326, 0.195, 0.415, 0.020, 0.051, 0.007])

NUMERIC = ("estimate", "se", "ci_low", "ci_high", "tau2", "tau2_ci_high", "i2", "q", "pi_low")


def random_data(sets: int, k: int, tau2: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and variances of data sets with few precise and many vague studies."""
    rng = np.random.default_rng(seed)
    variance = 0.25 * rng.chisquare(1, (sets, k)) + 0.009
    return rng.normal(0.5, np.sqrt(variance + tau2)), variance


def same(left: RandomEffectsFit, right: RandomEffectsFit, rtol: float = 1e-12) -> None:
    """Assert that two fits hold the same numbers."""
    for name in NUMERIC:
        np.testing.assert_allclose(getattr(left, name), getattr(right, name), rtol=rtol, atol=1e-14)


@pytest.mark.parametrize("method", get_args(Method))
def test_many_data_sets_are_fitted_as_each_alone(method: Method) -> None:
    """One call for a table of data sets gives what a call for each gives."""
    y, v = random_data(6, 8, 0.2, seed=1)
    together = random_effects(y.reshape(2, 3, 8), v.reshape(2, 3, 8), method=method)

    assert together.shape == (2, 3)
    assert together.weights.shape == (2, 3, 8)
    for i in range(6):
        same(together[i // 3, i % 3], random_effects(y[i], v[i], method=method))


@pytest.mark.parametrize("method", get_args(Method))
def test_a_missing_study_is_as_if_it_were_not_there(method: Method) -> None:
    """NaN in either array leaves the study out, with weight NaN."""
    y, v = np.append(Y, [0.3, np.nan]), np.append(V, [np.nan, 0.2])
    fit = random_effects(y, v, method=method)

    same(fit, random_effects(Y, V, method=method))
    assert fit.k == 6
    assert np.isnan(fit.weights[6:]).all()
    assert fit.weights[:6].sum() == pytest.approx(100)


def test_arguments_broadcast() -> None:
    """One row of variances serves many rows of estimates."""
    fit = random_effects(np.stack([Y, -Y]), V)

    assert fit.shape == (2,)
    assert fit.estimate[0] == pytest.approx(-fit.estimate[1], rel=1e-12)


@pytest.mark.parametrize("method", get_args(Method))
@pytest.mark.parametrize("test", ["z", "t", "knapp-hartung", "knapp-hartung-conservative"])
def test_one_study_is_passed_through(method: Method, test: Any) -> None:
    """With one study there is its estimate, a normal interval, and no word on heterogeneity."""
    fit = random_effects([0.4], [0.04], method=method, test=test)

    assert (float(fit.estimate), float(fit.se), int(fit.k)) == (0.4, pytest.approx(0.2), 1)
    assert fit.ci_low == pytest.approx(0.4 - 1.959963984540054 * 0.2, rel=1e-12)
    assert fit.weights.tolist() == [100.0]
    for name in ("tau2", "tau2_se", "tau2_ci_high", "i2", "h2", "pi_low", "q_p_value"):
        assert np.isnan(getattr(fit, name)), name
    assert fit.summary() == "One study, nothing pooled: 0.40 (95 % CI 0.01 to 0.79)."


def test_reml_converges_on_a_thousand_data_sets_of_twenty_studies() -> None:
    """At each solution the score is zero or, at zero variance, not positive.

    The common Fisher scoring without safeguards fails on some such data sets.
    """
    y, v = random_data(1000, 20, 0.1, seed=20)
    tau2, sums, curves, _ = maximise(Table.of(Studies.read(y, v)), restricted=True)
    score = sums.q2 - curves.p1

    assert (np.abs(score[tau2 > 0]) < 1e-13 * sums.s1[tau2 > 0]).all()
    assert (score[tau2 == 0] <= 0).all()
    assert (tau2 == 0).any()


@pytest.mark.parametrize("restricted", [True, False])
@pytest.mark.parametrize("k", [2, 3, 5])
def test_likelihood_is_maximised_globally(k: int, restricted: bool) -> None:
    """No point of a mesh of 400 is likelier, although variances differ a million-fold."""
    y, v = random_data(500, k, 0.5, seed=k)
    table = Table.of(Studies.read(y, v * 10 ** np.random.default_rng(k).uniform(-3, 3, v.shape)))
    tau2 = maximise(table, restricted=restricted).tau2
    reached = log_likelihood(table, tau2, restricted=restricted)
    mesh = np.append(0.0, np.geomspace(1e-9, 1e5, 400))
    highest = np.max([log_likelihood(table, t, restricted=restricted) for t in mesh], axis=0)

    assert (highest <= reached + 1e-10).all()


@pytest.mark.parametrize(
    ("y", "v", "place"),
    [
        ([-0.0002, 0.0467, 2.6261], [0.0026, 0.0056, 0.611], 0.0),
        ([-0.047, 1.305, 0.0, 0.082, -0.0014], [2.0, 0.134, 2.1, 1.06e-6, 4e-7], 0.002),
        ([-0.0028, 0.0037, 0.0117, -0.0022, 2.4088], [4.9e-7, 0.0045, 0.077, 0.23, 0.0051], 0.95),
    ],
)
def test_a_likelihood_with_two_maxima_gives_the_higher(
    y: list[float], v: list[float], place: float
) -> None:
    """Two maxima of the likelihood: the first, the smaller, or the larger one is the higher."""
    table = Table.of(Studies.read(y, v))
    mesh = np.append(0.0, np.geomspace(1e-8, 1e3, 2000))
    height = np.array([log_likelihood(table, t, restricted=False) for t in mesh.tolist()])
    walled = np.concatenate([[-np.inf], height, [-np.inf]])
    peaks = np.flatnonzero((height > walled[:-2]) & (height > walled[2:]))
    found = maximise(table, restricted=False).tau2

    assert len(peaks) == 2
    assert found == pytest.approx(mesh[height.argmax()], rel=0.01)
    assert found == pytest.approx(place, rel=0.05)


def test_paule_mandel_and_empirical_bayes_are_one_equation() -> None:
    """PM and EB agree wherever either is positive."""
    y, v = random_data(50, 6, 0.3, seed=5)

    np.testing.assert_array_equal(
        random_effects(y, v, method="PM").tau2, random_effects(y, v, method="EB").tau2
    )


@settings(max_examples=60, deadline=None)
@given(
    scale=st.floats(1e-12, 1e12),
    shift=st.floats(-100, 100),
    method=st.sampled_from(get_args(Method)),
    seed=st.integers(0, 10_000),
)
def test_units_do_not_matter(scale: float, shift: float, method: Method, seed: int) -> None:
    """Rescaling and shifting the estimates rescales and shifts the result."""
    (y,), (v,) = random_data(1, 5, 0.2, seed)
    plain = random_effects(y, v, method=method)
    moved = random_effects(scale * (y + shift), scale**2 * v, method=method)

    assert moved.estimate == pytest.approx(
        scale * (float(plain.estimate) + shift), rel=1e-8, abs=scale * 1e-9
    )
    assert moved.tau2 == pytest.approx(scale**2 * float(plain.tau2), rel=1e-6, abs=scale**2 * 1e-9)
    assert moved.i2 == pytest.approx(float(plain.i2), abs=1e-4)


def test_a_study_that_outweighs_all_others_costs_no_digits() -> None:
    """With one variance 1e-24 of the next, Q and both traces equal exact rational arithmetic."""
    y, v = [1.6, 2.3, 4.7, 2.9], [1e-24, 1.0, 2.5, 1e8]
    w = [1 / Fraction(value) for value in v]
    s1, s2, s3 = (sum(weight**power for weight in w) for power in (1, 2, 3))
    mean = sum(a * Fraction(b) for a, b in zip(w, y, strict=True)) / s1
    q = sum(a * (Fraction(b) - mean) ** 2 for a, b in zip(w, y, strict=True))
    trace, trace_squared = s1 - s2 / s1, s2 - 2 * s3 / s1 + (s2 / s1) ** 2
    tau2 = max((q - 3) / trace, Fraction(0))
    variance = (6 + 4 * tau2 * trace + 2 * tau2**2 * trace_squared) / trace**2
    fit = random_effects(y, v, method="DL")

    assert float(fit.q) == pytest.approx(float(q), rel=1e-13)
    assert float(fit.tau2) == pytest.approx(float(tau2), rel=1e-13)
    assert float(fit.tau2_se) == pytest.approx(float(variance) ** 0.5, rel=1e-13)


@pytest.mark.parametrize("method", get_args(Method))
def test_extreme_variances_give_finite_results(method: Method) -> None:
    """At the ends of the accepted range nothing overflows."""
    for y, v in (
        ([1.0, 2.0, 4.0], [1e-30, 1.0, 1e30]),
        ([-1e30, 1e30], [1e-30, 1e-30]),
        ([1e-30, 2e-30, 3e-30], [1e30, 1e30, 1e30]),
    ):
        fit = random_effects(y, v, method=method)
        assert np.isfinite(fit.estimate)
        assert fit.tau2 >= 0


def test_equal_estimates_give_an_interval_of_no_width_and_say_so() -> None:
    """Knapp-Hartung scales the variance to zero where all agree; the conservative form does not."""
    fit = random_effects([0.5, 0.5, 0.5], [0.1, 0.2, 0.3])
    careful = random_effects([0.5, 0.5, 0.5], [0.1, 0.2, 0.3], test="knapp-hartung-conservative")

    assert fit.se == 0
    assert "no width" in fit.summary()
    assert careful.ci_high - careful.ci_low > 0.5
    assert "no width" not in careful.summary()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"variance": [0.1, 0.0]},
            r"variance must lie in \[1e-30, 1e\+30\], got 0.0 at index 1: a",
        ),
        ({"variance": [0.1, -0.2]}, r"variance must lie in .* got -0.2 at index 1"),
        ({"estimate": [0.1, np.inf]}, r"estimate must lie in .* got inf at index 1"),
        (
            {"estimate": [[0.1, 1], [2, -1e60]]},
            r"estimate must lie in .* got -1e\+60 at index \(1, 1\)",
        ),
        ({"estimate": ["a", "b"]}, "estimate must be numbers, got"),
        ({"estimate": [1.0, 2, 3]}, r"must broadcast, got shapes \(3,\) and \(2,\)"),
        (
            {"estimate": 1.0, "variance": 2.0},
            r"studies along its last axis, at least one; got shape",
        ),
        ({"estimate": [], "variance": []}, r"at least one; got shape \(0,\)"),
        ({"estimate": [np.nan, np.nan]}, r"hold no study: all are missing"),
        ({"estimate": [[1, 2], [np.nan, np.nan]]}, r"hold no study in data set 1"),
        ({"level": 95}, r"level must lie in \(0, 1\), got 95.0; 95 % is written 0.95"),
        ({"level": 0}, r"level must lie in \(0, 1\), got 0.0$"),
        ({"level": [0.9, 0.95]}, "level must be one number"),
        ({"method": "reml"}, "method must be one of common, DL, .*; got 'reml'"),
        ({"test": "knha"}, "test must be one of z, t, knapp-hartung, .*; got 'knha'"),
        ({"prediction": "none"}, "prediction must be one of as-test, t, higgins; got 'none'"),
    ],
)
def test_wrong_arguments_are_named_with_their_value(
    arguments: dict[str, Any], message: str
) -> None:
    """Each error says which argument, what was given and what is allowed."""
    good: dict[str, Any] = {"estimate": [0.1, 0.2], "variance": [0.1, 0.2]}

    with pytest.raises(ValueError, match=message):
        random_effects(**good | arguments)


def test_results_cannot_be_changed() -> None:
    """Neither the fields nor the arrays in them."""
    fit = random_effects(np.stack([Y, Y]), V)

    with pytest.raises(FrozenInstanceError):
        fit.level = 0.9  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        fit.estimate[0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        fit[0].weights[0] = 0.0


def test_indexing_takes_results_apart() -> None:
    """Slices keep an axis; too many indices, or any on a single fit, are refused."""
    fit = random_effects(np.stack([Y, -Y, 2 * Y]), V)

    assert fit[1:].shape == (2,)
    assert fit[0].shape == ()
    assert fit[0].ml.log_likelihood == fit.ml.log_likelihood[0]
    assert [f"{one.estimate:.3f}" for one in fit] == [f"{e:.3f}" for e in fit.estimate]
    with pytest.raises(IndexError, match="2 indices for the 1 leading axes"):
        fit[0, 0]
    with pytest.raises(IndexError, match="one data set"):
        fit[0][0]


def test_dictionaries_are_plain_json() -> None:
    """What is not a finite number is null; whole numbers stay whole."""
    table = random_effects(
        [[0.1, 0.4, 0.2], [0.3, np.nan, np.nan]], [0.1, 0.2, 0.1], test="z"
    ).to_dict()
    text = json.dumps(table, allow_nan=False)

    assert json.loads(text) == table
    assert table["k"] == [3, 1]
    assert table["df"] == [None, None]
    assert table["tau2"] == [0.0, None]
    assert table["weights"][1] == [100.0, None, None]  # type: ignore[index,call-overload]
    assert table["ml"]["aic"][1] is None  # type: ignore[index,call-overload]
    assert table["method"] == "REML"


def test_likelihood_is_that_of_the_method() -> None:
    """REML is judged by the restricted likelihood, all else by the likelihood."""
    reml, ml = random_effects(Y, V), random_effects(Y, V, method="ML")

    assert reml.likelihood is reml.reml
    assert ml.likelihood is ml.ml


def test_summary_reads_as_a_paper() -> None:
    """Digits follow the standard error, minus signs are minus signs."""
    assert random_effects(Y, V).summary() == (
        "Random-effects meta-analysis of 6 studies (REML, Knapp–Hartung interval): −0.99 "
        "(95 % CI −1.55 to −0.43; t(5) = −4.52, p = 0.006). Heterogeneity: Q(5) = 28.54, "
        "p < 0.001, I² = 84 % (95 % CI 48 to 97 %), τ² = 0.22 (95 % CI 0.04 to 1.48). "
        "95 % prediction interval −2.33 to 0.35."
    )
    assert random_effects(Y, V, method="common", test="z", level=0.9).summary() == (
        "Common-effect meta-analysis of 6 studies (normal interval): −0.909 (90 % CI −1.019 to "
        "−0.799; z = −13.58, p < 0.001). Heterogeneity: Q(5) = 28.54, p < 0.001, I² = 82 %."
    )


def test_summary_describes_one_data_set_only() -> None:
    """Several fits are refused with the way out."""
    with pytest.raises(ValueError, match=r"this fit holds \(2,\): use fit\[i\]"):
        random_effects(np.stack([Y, Y]), V).summary()
