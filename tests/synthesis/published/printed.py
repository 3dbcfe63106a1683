"""Figures as they stand in print, their rounding, and the data sets behind them."""

from __future__ import annotations

import csv
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tests.synthesis.reference import GOLDEN

SLACK = 1e-9
"""Share of the last digit that binary rounding may take beyond its half."""


def misprints(printed: str, *ours: ArrayLike) -> list[str]:
    """Return the figures of `printed` from which ours differ by over half their last digit.

    `printed` holds the figures as they stand in the paper, separated by spaces; `ours` are
    numbers or arrays, joined in their order.
    """
    figures = printed.split()
    values = np.concatenate([np.ravel(np.asarray(value, dtype=float)) for value in ours])
    assert len(figures) == len(values), f"{len(figures)} figures, {len(values)} values"
    return [
        f"{figure} is {value:.8g}"
        for figure, value in zip(figures, values, strict=True)
        if not abs(value - float(figure)) <= (0.5 + SLACK) * unit(figure)
    ]


def unit(figure: str) -> float:
    """Return one unit in the last digit of a printed figure."""
    return float(10.0 ** -len(figure.partition(".")[2]))


def columns(name: str, *wanted: str) -> list[np.ndarray]:
    """Return columns of a data set in the golden folder, NaN for what is missing."""
    with (GOLDEN / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [np.array([_number(row[column]) for row in rows]) for column in wanted]


def log_odds_ratios(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return log odds ratios and variances, 0.5 added to all cells of a study with an empty one."""
    a, b = _with_a_half(events_1, n_1, events_2, n_2)
    (a_1, a_2), (b_1, b_2) = a, b
    return np.log(a_1 * b_2 / (b_1 * a_2)), 1 / a_1 + 1 / b_1 + 1 / a_2 + 1 / b_2


def log_odds(events: ArrayLike, n: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return log odds and variances, 0.5 added to both cells of an arm with an empty one."""
    a, b = _with_a_half(events, n)
    return np.log(a[0] / b[0]), 1 / a[0] + 1 / b[0]


def log_risk_ratios(
    events_1: ArrayLike, n_1: ArrayLike, events_2: ArrayLike, n_2: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Return log risk ratios and variances of studies with events in both arms."""
    a_1, n_1, a_2, n_2 = (np.asarray(x, dtype=float) for x in (events_1, n_1, events_2, n_2))
    return np.log(a_1 / n_1 * n_2 / a_2), 1 / a_1 - 1 / n_1 + 1 / a_2 - 1 / n_2


def _with_a_half(*counts: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return events and others of each arm (arms, studies), away from empty cells."""
    table = np.stack([np.asarray(count, dtype=float) for count in counts])
    events, others = table[::2], table[1::2] - table[::2]
    empty = ((events == 0) | (others == 0)).any(axis=0)
    return events + 0.5 * empty, others + 0.5 * empty


def _number(cell: Any) -> float:
    return float(cell) if cell else np.nan
