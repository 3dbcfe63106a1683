"""A meta-regression in sentences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

import numpy as np

from trabecula.synthesis.result import Json
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

if TYPE_CHECKING:
    from trabecula.synthesis.pairwise.meta_regression import MetaRegressionFit

STUDIES_A_MODERATOR = 10
"""Fewest studies for each moderator with which a regression is more than exploratory (Cochrane
Handbook, section 10.11.5.1): with fewer, associations appear by chance."""

TEST_TEXT = {
    "z": "normal intervals",
    "t": "t intervals",
    "knapp-hartung": "Knapp–Hartung intervals",
    "knapp-hartung-conservative": "Knapp–Hartung intervals, variance not scaled down",
}


def coefficient_rows(
    table: Mapping[str, Json], names: Sequence[str], prefix: str = ""
) -> list[dict[str, Json]]:
    """Return one record a coefficient from the fields of a result."""
    columns = {field: cast(list[Json], table[prefix + field]) for field in COEFFICIENT}
    return [
        {"name": name, **{field: values[i] for field, values in columns.items()}}
        for i, name in enumerate(names)
    ]


def regression_sentences(fit: MetaRegressionFit) -> list[str]:
    """Return the sentences of a summary: model, coefficients, omnibus test, heterogeneity."""
    model = "Common-effect" if fit.method == "common" else "Mixed-effects"
    how = TEST_TEXT[fit.test] if fit.method == "common" else f"{fit.method}, {TEST_TEXT[fit.test]}"
    sentences = [f"{model} meta-regression of {fit.k:.0f} studies ({how})."]
    sentences += [_coefficient(fit, i) for i in range(len(fit.names))]
    if (fit.se == 0).any():
        sentences.append(
            "The estimates lie on the regression exactly, so that its intervals have no width "
            "and no coefficient can be tested."
        )
    elif len(fit.names) > 1:
        tested = fit.omnibus(fit.names[int(fit.intercept) :])
        what = "All moderators" if fit.intercept else "All coefficients"
        sentences.append(f"{what} together: {tested.summary()}.")
    sentences.append(_heterogeneity(fit))
    columns = len(fit.names) - fit.intercept
    if columns and fit.k < STUDIES_A_MODERATOR * columns:
        sentences.append(
            f"There are fewer than {STUDIES_A_MODERATOR} studies for each moderator: "
            "associations this regression shows are exploratory."
        )
    return sentences


COEFFICIENT = ("coefficients", "se", "ci_low", "ci_high", "statistic", "p_value")
"""Fields of a result that hold one number a coefficient, in the order of its sentence."""


def coefficient_sentence(name: str, level: float, numbers: Sequence[float], df: float) -> str:
    """Return a coefficient with its interval and, where it has a standard error, its test.

    `numbers` are in the order of `COEFFICIENT`.
    """
    value, se, low, high, statistic, p = numbers
    places = decimals(se)
    letter = f"t({df:.0f})" if math.isfinite(df) else "z"
    test = f"; {letter} = {number(statistic, 2)}, {p_value(p)}" if se > 0 else ""
    limits = interval(low, high, places)
    return f"{name}: {number(value, places)} ({percent(level)} CI {limits}{test})."


def _coefficient(fit: MetaRegressionFit, i: int) -> str:
    numbers = [float(getattr(fit, field)[i]) for field in COEFFICIENT]
    return coefficient_sentence(fit.names[i], fit.level, numbers, float(fit.df))


def _heterogeneity(fit: MetaRegressionFit) -> str:
    text = (
        f"Residual heterogeneity: QE({fit.qe_df:.0f}) = {number(float(fit.qe), 2)}, "
        f"{p_value(float(fit.qe_p_value))}, I² = {fit.i2:.0f} %"
    )
    if fit.method != "common":
        places = decimals(float(fit.tau2_se))
        limits = interval(float(fit.tau2_ci_low), float(fit.tau2_ci_high), places)
        text += f", τ² = {number(float(fit.tau2), places)} ({percent(fit.level)} CI {limits})"
    if np.isfinite(fit.r2):
        text += (
            f". The moderators account for R² = {fit.r2:.0f} % of the heterogeneity there is "
            "without them"
        )
    return text + "."
