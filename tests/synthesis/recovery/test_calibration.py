"""Simulation-based calibration: its shape, and how ranks are judged."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def validation() -> Any:
    """Return the module that ``make validate`` runs."""
    path = ROOT / "validation" / "calibration.py"
    spec = importlib.util.spec_from_file_location("calibration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = module
    spec.loader.exec_module(module)
    return module


def test_uniform_ranks_pass_and_others_fail() -> None:
    """Ranks that gather at an end, in the middle or at both ends have small p-values."""
    calibration = validation()
    uniform = tuple(i % 100 for i in range(200))
    narrow = tuple(25 + i % 50 for i in range(200))
    low = tuple(i % 70 for i in range(200))

    even = calibration.Quantity("even", uniform)
    assert min(even.chi_squared_p, even.ecdf_p) > 0.9
    assert (even.within_half, even.within_90) == (50.0, 90.0)
    for ranks in (narrow, low):
        wrong = calibration.Quantity("wrong", ranks)
        assert max(wrong.chi_squared_p, wrong.ecdf_p) < 1e-4


def test_the_shape_has_every_kind_of_row() -> None:
    """Counts chained, scores with borrowed errors, times on both clocks, tests of each sort."""
    shape = validation().shape()

    assert len(shape.studies) == 15
    assert (shape.counts.previous_week > 0).any()
    assert set(shape.counts.clock) == {0, 1}
    assert (shape.scores.se_log_sd > 0).any()
    assert set(shape.times.statistic) >= {0, 1, 2}
    assert (shape.counts.design_effect == 1).all()
    assert shape.tests.either_sign.any()
