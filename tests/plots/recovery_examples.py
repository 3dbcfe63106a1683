"""Plots of recovery, small, with values that are made up to be told apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from trabecula import plots
from trabecula.plots import Curve, Observation, Plot

WEEKS = (0.0, 10.0, 20.0, 30.0, 40.0)

WAITING = Curve(
    name="Waiting",
    weeks=WEEKS,
    value=(0.0, 0.2, 0.4, 0.6, 0.7),
    low=(0.0, 0.1, 0.3, 0.5, 0.5),
    high=(0.0, 0.3, 0.5, 0.7, 0.8),
    new_low=(0.0, 0.05, 0.1, 0.2, 0.3),
    new_high=(0.0, 0.5, 0.7, 0.8, 0.9),
    last_week=30.0,
)
BATHING = replace(WAITING, name="Bathing <i>", value=(0.0, 0.3, 0.5, 0.7, 0.8), group="treated")

SEEN = (
    Observation("Doe 2001", 12, 0.30, 0.10, 0.50, 20),
    Observation("Roe 2002", 12, 0.35, 0.15, 0.55, 80, "treated"),
    Observation("Poe 2003", 26, 0.90, 0.70, 0.98, 9, "not told", (20.0, 35.0)),
    Observation("Late 2004", 60, 0.95),
)

RATIOS = (np.array([1.5, 0.9, 1.1]), np.array([1.1, 0.5, 0.8]), np.array([2.1, 1.6, 1.5]))
NAMES = ("Bathing", "Resting", "Walking")

STUDIES = tuple(f"Study {i}" for i in range(20))


def course() -> Plot:
    """Return two courses with what was observed."""
    return plots.course_curves([WAITING, BATHING], SEEN)


def ratios() -> Plot:
    """Return rate ratios under two headings."""
    median, low, high = RATIOS
    return plots.rate_ratio_plot(
        median,
        low,
        high,
        names=NAMES,
        p_above=[0.997, 0.4, 0.7],
        p_quarter=[0.8, 0.1, 0.003],
        inner=((median + low) / 2, (median + high) / 2),
        groups=["Water", "Land", "Land"],
    )


def sensitivity() -> Plot:
    """Return three variants in rows and twenty in a strip."""
    median = np.r_[RATIOS[0], np.linspace(1.4, 1.6, 20)]
    return plots.sensitivity_plot(
        (1.5, 1.1, 2.1),
        median,
        0.7 * median,
        1.4 * median,
        names=NAMES + STUDIES,
        kinds=["Priors"] * 3 + ["One study left out"] * 20,
    )


def precision() -> Plot:
    """Return what two answers are made of."""
    shares = [[0.1, 0.2, 0.3, 0.4], [0.05, 0.15, 0.2, 0.6]]
    return plots.precision_bar(shares, names=["Bathing", "Resting"])


def ranks() -> Plot:
    """Return the ranks of two quantities in 100 data sets: even ones, and all in the middle."""
    even = np.arange(100)
    return plots.rank_histogram(np.c_[even, np.full(100, 50)], draws=99, names=["even", "heaped"])


def check() -> Plot:
    """Return shares inside and outside what is expected, and a time on its own axis."""
    return plots.predictive_check_plot(
        [0.5, 0.9, 12.0],
        [0.4, 0.4, 10.0],
        [0.2, 0.2, 5.0],
        [0.6, 0.6, 20.0],
        names=NAMES,
        kinds=["share well", "share well", "weeks until well"],
        scales={"weeks until well": "log"},
    )


MAKERS: dict[str, Callable[[], Plot]] = {
    "course": course,
    "rate-ratios": ratios,
    "sensitivity": sensitivity,
    "precision": precision,
    "calibration": ranks,
    "predictive-check": check,
}
"""One plot of each kind."""
