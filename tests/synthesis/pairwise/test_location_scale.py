"""Location-scale models: special cases, the surface, recovery, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from tests.synthesis.pairwise.bcg import ALLOCATION, LATITUDE, YEAR, V, Y
from trabecula.synthesis.pairwise.location_scale import ScaleMethod, location_scale
from trabecula.synthesis.pairwise.meta_regression import meta_regression
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.scale_ascent import _look


@pytest.mark.parametrize("method", ["ML", "REML"])
def test_without_scale_moderators_it_is_the_meta_regression(method: ScaleMethod) -> None:
    """One variance for all: its logarithm is the scale intercept."""
    fit = location_scale(Y, V, LATITUDE, None, method=method)
    plain = meta_regression(Y, V, LATITUDE, method=method)

    np.testing.assert_allclose(np.exp(fit.scale_coefficients[0]), plain.tau2, rtol=1e-8)
    np.testing.assert_allclose(fit.tau2, np.full(13, plain.tau2), rtol=1e-8)
    for name in ("coefficients", "se", "p_value", "ci_low", "qm"):
        np.testing.assert_allclose(getattr(fit, name), getattr(plain, name), rtol=1e-7)
    np.testing.assert_allclose(fit.reml.aic, plain.reml.aic, rtol=1e-10)
    np.testing.assert_allclose(fit.ml.bic, plain.ml.bic, rtol=1e-10)


def test_indicators_of_two_groups_are_two_separate_ml_fits() -> None:
    """With location and scale of their own the groups share nothing."""
    late = (YEAR > 1965).astype(float)
    fit = location_scale(Y, V, late, late, method="ML", test="z")
    for group in (0, 1):
        own = late == group
        alone = meta_regression(Y[own], V[own], None, method="ML", test="z")
        np.testing.assert_allclose(fit.tau2[own], alone.tau2, rtol=1e-7)
        value = fit.coefficients[0] + group * fit.coefficients[1]
        np.testing.assert_allclose(value, alone.coefficients[0], rtol=1e-8)


@pytest.mark.parametrize("restricted", [False, True])
def test_slope_and_curvature_are_those_of_the_height(restricted: bool) -> None:
    """Central differences of the log-likelihood and of its slope."""
    design = Design.read(Y, V, LATITUDE)
    rng = np.random.default_rng(4)
    basis = rng.normal(size=(1, 13, 3))
    place, rows, step = np.array([[-1.5, 0.4, 0.2]]), np.arange(1), 1e-5
    surface = _look(design, basis, place, rows, restricted)
    for i in range(3):
        move = step * np.eye(3)[i]
        up = _look(design, basis, place + move, rows, restricted)
        down = _look(design, basis, place - move, rows, restricted)
        slope = (up.height - down.height) / (2 * step)
        curvature = (up.slope - down.slope) / (2 * step)
        np.testing.assert_allclose(surface.slope[:, i], slope, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(surface.curvature[:, i], curvature, rtol=1e-6, atol=1e-8)


def test_scale_and_place_of_a_moderator_do_not_matter() -> None:
    """Slopes scale, the model does not change."""
    one = location_scale(Y, V, LATITUDE, YEAR)
    other = location_scale(Y, V, LATITUDE, (YEAR - 1960) / 10)

    np.testing.assert_allclose(other.scale_coefficients[1], 10 * one.scale_coefficients[1], 1e-6)
    np.testing.assert_allclose(other.tau2, one.tau2, rtol=1e-6)
    np.testing.assert_allclose(other.qs, one.qs, rtol=1e-6)
    np.testing.assert_allclose(other.reml.log_likelihood, one.reml.log_likelihood, rtol=1e-12)


def test_data_sets_in_one_call_are_those_one_by_one() -> None:
    """Broadcasting and missing studies change nothing."""
    y = np.stack([Y, np.where(np.arange(13) == 2, np.nan, Y + 0.1 * YEAR)])
    fit = location_scale(y, V, LATITUDE, YEAR)
    there = np.arange(13) != 2
    alone = location_scale(y[1][there], V[there], LATITUDE[there], YEAR[there])

    assert (fit.shape, fit.tau2.shape) == ((2,), (2, 13))
    for name in ("coefficients", "se", "scale_coefficients", "scale_se", "scale_p_value"):
        np.testing.assert_allclose(getattr(fit[1], name), getattr(alone, name), rtol=1e-5)
    assert np.isnan(fit[1].tau2[2])


def test_true_coefficients_are_recovered() -> None:
    """Over 200 data sets of 40 studies the mean estimates lie near the truth, ML too."""
    rng = np.random.default_rng(6)
    x = np.linspace(-1, 1, 40)
    v = rng.uniform(0.01, 0.05, size=(200, 40))
    y = 0.5 + 0.3 * x + rng.normal(scale=np.sqrt(np.exp(-1 + 1.2 * x) + v))
    fit = location_scale(y, v, x, x, test="z")

    assert fit.converged.all()
    error = np.sqrt(fit.scale_coefficients.var(axis=0) / 200)
    assert (np.abs(fit.scale_coefficients.mean(axis=0) - [-1, 1.2]) < 3 * error + 0.05).all()
    inside = (fit.scale_ci_low[:, 1] <= 1.2) & (fit.scale_ci_high[:, 1] >= 1.2)
    assert 0.88 <= inside.mean() <= 0.99


def test_variances_that_run_off_are_said() -> None:
    """Equal estimates, or one homogeneous group: no maximum, which is said; the effect remains."""
    equal = location_scale([0.3] * 6, [0.1] * 6, None, np.arange(6))
    assert not equal.converged
    assert np.isnan(equal.scale_coefficients).all()
    assert np.isnan(equal.qs_p_value)
    assert "run off to 0" in equal.summary()
    y = np.concatenate([np.full(6, 0.2), [-2, 3, 1, -1, 2, 0.5]])
    group = np.repeat([0.0, 1.0], 6)
    half = location_scale(y, [0.1] * 12, None, group, test="z")
    assert not half.converged
    assert half.tau2[0] < 1e-9 < half.tau2[-1]
    assert half.coefficients[0] == pytest.approx(0.2, abs=0.1)


@pytest.mark.parametrize("size", [1e-12, 1e12])
def test_extreme_variances_give_answers(size: float) -> None:
    """Tiny or huge variances, alone and beside others, end in an answer."""
    for v in (V * size, np.where(np.arange(13) % 5 == 0, size, V)):
        fit = location_scale(Y, v, LATITUDE, YEAR - 1960)
        assert np.isfinite(fit.coefficients).all()
        assert np.isfinite(fit.tau2).all()
        assert np.isfinite(fit.scale_coefficients).all() == bool(fit.converged)


def test_summary_and_table() -> None:
    """Both parts of the model, by name."""
    fit = location_scale(Y, V, LATITUDE, YEAR, names=["lat"], scale_names=["year"], test="z")
    text = fit.summary()

    assert text.startswith("Location-scale model of 13 studies (REML). intercept: 0.21 ")
    assert "lat: −0.0275 (95 % CI −0.0431 to −0.0120; z = −3.48, p < 0.001)." in text
    assert "year: 0.036 (95 % CI −0.123 to 0.194; z = 0.44, p = 0.66)." in text
    assert text.endswith("Scale moderators together: χ²(1) = 0.20, p = 0.66.")
    parts = [(row["part"], row["name"]) for row in fit.rows()]
    assert parts == [
        (p, n) for p, x in (("location", "lat"), ("scale", "year")) for n in ("intercept", x)
    ]
    assert fit.likelihood is fit.reml


def test_the_higher_of_two_maxima_is_found() -> None:
    """The climb from the best place alone ends on a maximum 1.7 lower; no place is higher."""
    y = np.array([0.6, -0.1, 2.0, 0.2, 0.9, 0.7, -0.3, -5.7])
    v = np.array([0.58, 0.27, 0.3, 0.26, 0.18, 0.23, 0.03, 0.59])
    x = np.arange(8.0)
    fit = location_scale(y, v, None, x, test="t")
    a, b = np.meshgrid(np.linspace(-40, 5, 200), np.linspace(-1, 7, 200))
    total = v + np.exp(np.minimum(a[..., None] + b[..., None] * x, 50))
    w = 1 / total
    mean = (w * y).sum(axis=-1) / w.sum(axis=-1)
    q = (w * (y - mean[..., None]) ** 2).sum(axis=-1)
    height = -(np.log(total).sum(axis=-1) + np.log(w.sum(axis=-1) / 8) + q) / 2
    highest = height.max() - 7 * np.log(2 * np.pi) / 2

    assert highest - 1e-9 <= fit.reml.log_likelihood <= highest + 0.05
    assert (float(fit.df), float(fit.scale_df)) == (7, 6)


def test_that_a_variance_is_1_is_no_hypothesis() -> None:
    """Without scale moderators there is no omnibus test of them."""
    fit = location_scale([0.1, 0.9, -0.4, 0.7, 1.4, 0.2], [0.05] * 6, None, None)

    assert "Logarithm of the between-study variance: intercept" in fit.summary()
    assert "Scale moderators" not in fit.summary()


def test_bad_models_are_refused() -> None:
    """Too many coefficients, collinear scale moderators, unknown options."""
    with pytest.raises(ValueError, match="4 studies cannot carry 2 coefficients of the effect and"):
        location_scale(Y[:4], V[:4], LATITUDE[:4], YEAR[:4])
    with pytest.raises(ValueError, match="scale: column x2 is a linear combination of"):
        location_scale(Y, V, None, np.column_stack([YEAR, YEAR + 1]))
    with pytest.raises(ValueError, match="same leading axes"):
        location_scale(Y, V, np.stack([ALLOCATION] * 2), YEAR)
    with pytest.raises(ValueError, match="method must be one of ML, REML"):
        location_scale(Y, V, None, YEAR, method="DL")  # type: ignore[arg-type]
    many = location_scale(np.stack([Y, Y]), V, None, YEAR)
    for ask in (many.summary, many.rows):
        with pytest.raises(ValueError, match="describes one data set"):
            ask()
