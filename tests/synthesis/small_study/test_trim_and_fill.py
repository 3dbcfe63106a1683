"""Trim and fill: what is filled, invariances, and that it ends."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trabecula.synthesis import random_effects
from trabecula.synthesis.small_study import trim_and_fill

SE = np.array([0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5])
Y = np.array([0.1, 0.12, 0.08, 0.2, 0.05, 0.4, 0.5, 0.6, 0.8, 1.1])


def test_filled_studies_mirror_the_most_extreme_ones() -> None:
    """Each filled study lies as far below the trimmed center as one of the largest lies above."""
    fit = trim_and_fill(Y, SE**2, method="common")
    count = int(fit.missing)
    kept = np.argsort(Y)[: 10 - count]
    center = float(random_effects(Y[kept], SE[kept] ** 2, method="common").estimate)
    rows = fit.rows()
    largest = np.sort(Y)[10 - count :]

    assert str(fit.side) == "left"
    assert count == len(rows) > 0
    np.testing.assert_allclose([r["estimate"] for r in rows], 2 * center - largest, rtol=1e-12)
    np.testing.assert_allclose([r["variance"] for r in rows], SE[np.argsort(Y)[-count:]] ** 2)
    assert fit.filled.k == 10 + count
    assert fit.observed.k == 10


def test_the_other_side_is_the_mirror_image() -> None:
    """Negated estimates have the same studies missing on the right."""
    for estimator in ("L0", "R0", "Q0"):
        left = trim_and_fill(Y, SE**2, estimator=estimator)  # type: ignore[arg-type]
        right = trim_and_fill(-Y, SE**2, estimator=estimator)  # type: ignore[arg-type]
        assert (str(left.side), str(right.side)) == ("left", "right")
        assert left.missing == right.missing
        np.testing.assert_allclose(right.filled.estimate, -left.filled.estimate, rtol=1e-9)


def test_a_symmetric_funnel_misses_nothing() -> None:
    """Pairs mirrored at the center leave no side with more."""
    y = np.concatenate([0.3 + Y, 0.3 - Y])
    v = np.concatenate([SE, SE]) ** 2
    for side in ("left", "right"):
        fit = trim_and_fill(y, v, side=side)  # type: ignore[arg-type]
        assert fit.missing == 0
        assert fit.rows() == []
        np.testing.assert_allclose(fit.filled.estimate, fit.observed.estimate, rtol=1e-12)


@pytest.mark.parametrize("estimator", ["L0", "R0", "Q0"])
def test_equal_estimates_miss_nothing(estimator: Any) -> None:
    """Where all estimates are equal none is extreme."""
    fit = trim_and_fill(np.full(10, 0.3), SE**2, estimator=estimator, side="left")

    assert fit.missing == 0
    assert fit.converged


def test_no_study_is_missing_with_the_chance_that_r0_gives() -> None:
    """The p-value of R0 is one half to the power of the number missing plus one."""
    fit = trim_and_fill(Y, SE**2, estimator="R0", side="left")

    assert fit.missing_p_value == 0.5 ** (float(fit.missing) + 1)
    assert np.isnan(trim_and_fill(Y, SE**2).missing_p_value)


def test_rounds_that_do_not_settle_fill_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped before it settles, the number and what follows from it are NaN, and it is said."""
    monkeypatch.setattr(sys.modules[trim_and_fill.__module__], "ITERATIONS", 1)
    fit = trim_and_fill(Y, SE**2, estimator="R0")

    assert not fit.converged
    assert np.isnan([fit.missing, fit.missing_se, fit.missing_p_value]).all()
    assert np.isnan(fit.filled_estimate).all()
    assert "did not settle" in fit.summary()


def test_bad_arguments_are_named() -> None:
    """The message names the argument and what is allowed."""
    with pytest.raises(ValueError, match="estimator must be one of L0, R0, Q0; got 'S0'"):
        trim_and_fill(Y, SE**2, estimator="S0")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="side must be one of auto, left, right"):
        trim_and_fill(Y, SE**2, side="top")  # type: ignore[arg-type]


@settings(max_examples=60, deadline=None)
@given(
    y=st.lists(st.floats(-3, 3), min_size=3, max_size=12),
    estimator=st.sampled_from(["L0", "R0", "Q0"]),
    side=st.sampled_from(["left", "right"]),
)
def test_trimming_ends_and_keeps_a_study(y: list[float], estimator: Any, side: Any) -> None:
    """Whatever the estimates, fewer studies are filled than there are, or it is said to circle."""
    v = 0.01 * (1 + np.arange(len(y))) ** 2
    fit = trim_and_fill(y, v, estimator=estimator, side=side, method="common", minimum_studies=3)

    if fit.converged:
        assert 0 <= fit.missing <= len(y) - 1
        assert fit.filled.k == len(y) + fit.missing
    else:
        assert np.isnan(fit.missing)
        assert "did not settle" in fit.summary()
