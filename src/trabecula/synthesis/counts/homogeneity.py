"""Whether tables share one odds ratio: the tests of Breslow and Day, and of Tarone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.counts.hypergeometric import fitted_cell, inverse_of_inverses
from trabecula.synthesis.counts.tables import Tables
from trabecula.synthesis.distributions import chi2_upper_tail
from trabecula.synthesis.studies import over_studies


def homogeneity(
    tables: Tables, log_odds_ratio: FloatArray, usable: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return the Breslow-Day statistic, Tarone's correction of it, p-values and df.

    Breslow and Day (1980), Statistical methods in cancer research I, section 4.4; Tarone
    (1985), Biometrika 72:91-95: the Mantel-Haenszel odds ratio is not the efficient one, and
    without the correction the statistic is too large. Tables without events, or with nothing
    but events, do not count. NaN where not `usable` or where one table is left.
    """
    if not usable.any():
        return no_homogeneity(log_odds_ratio)
    odds = np.exp(np.where(usable, log_odds_ratio, 0.0))[:, None]
    n_1, n_2, m = tables.n_1, tables.n_2, tables.a + tables.c
    expected = fitted_cell(n_1, n_2, m, odds)
    cells = (expected, n_1 - expected, m - expected, n_2 - m + expected)
    variance = inverse_of_inverses(*cells)
    counted = variance > 0
    residual = np.where(counted, tables.a - expected, 0.0)
    squares = over_studies(residual**2 / np.where(counted, variance, 1.0))
    total = over_studies(variance)
    excess = over_studies(residual) ** 2 / np.where(total > 0, total, 1.0)
    df = np.where(usable, np.maximum(counted.sum(axis=1) - 1, 0), 0)
    told = df > 0
    values: dict[str, Any] = {"homogeneity_df": df}
    for name, statistic in (
        ("breslow_day", squares),
        ("tarone", np.maximum(squares - excess, 0.0)),
    ):
        values[name] = np.where(told, statistic, np.nan)
        values[f"{name}_p_value"] = chi2_upper_tail(values[name], np.maximum(df, 1.0))
    return values


def no_homogeneity(like: FloatArray) -> dict[str, Any]:
    """Return the fields of `homogeneity` where it does not apply, one entry a data set."""
    names = ("breslow_day", "breslow_day_p_value", "tarone", "tarone_p_value")
    nothing = {name: np.full(like.shape, np.nan) for name in names}
    return nothing | {"homogeneity_df": np.zeros(like.shape, dtype=np.int64)}
