"""Coefficients of a weighted regression: standard errors, tests, intervals, omnibus tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.result import Result
from trabecula.synthesis.text import number, p_value

Test = Literal["z", "t", "knapp-hartung", "knapp-hartung-conservative"]
"""*z*: normal and chi-square; *t*: t and F with k - p degrees of freedom; *knapp-hartung*: the
same, with variances scaled by the weighted residual spread; *knapp-hartung-conservative*: the
same, never scaled down."""


@dataclass(frozen=True, slots=True, eq=False)
class OmnibusTest(Result):
    """A test that several coefficients are 0 at once.

    ``statistic`` is chi-square with ``df`` degrees of freedom where ``residual_df`` is ``inf``,
    and F with both otherwise. NaN where a standard error is 0.
    """

    columns: tuple[str, ...]
    statistic: FloatArray
    df: FloatArray
    residual_df: FloatArray
    p_value: FloatArray

    def summary(self) -> str:
        """Return the test as a paper prints it."""
        one = np.isfinite(self.residual_df)
        letter = (
            f"F({self.df:.0f}, {round(float(self.residual_df), 1):g})"
            if one
            else f"χ²({self.df:.0f})"
        )
        p = p_value(float(self.p_value))
        return f"{letter} = {number(float(self.statistic), 2)}, {p}"


@dataclass(frozen=True, slots=True, eq=False)
class Wald:
    """Coefficients (data sets, columns) with covariance, and how they are tested."""

    coefficients: FloatArray
    covariance: FloatArray
    scale: FloatArray
    df: FloatArray

    @classmethod
    def of(cls, design: Design, fit: Projection, test: Test) -> Wald:
        """Return the coefficients of `fit`, tested by `test`."""
        inverse = fit.inverse
        coefficients = design.origin + (inverse @ fit.coordinates[..., None])[..., 0]
        scale = np.ones_like(design.k)
        if test.startswith("knapp-hartung"):
            scale = fit.q / design.df
        if test == "knapp-hartung-conservative":
            scale = np.maximum(scale, 1.0)
        covariance = scale[:, None, None] * (inverse @ np.swapaxes(inverse, -1, -2))
        df = np.full_like(scale, np.inf) if test == "z" else design.df
        return cls(coefficients, covariance, scale, df)

    @property
    def se(self) -> FloatArray:
        """The standard errors."""
        return standard_errors(self.covariance)

    @property
    def statistic(self) -> FloatArray:
        """Coefficients over standard errors; NaN where a standard error is 0."""
        return ratio(self.coefficients, self.se)

    def intervals(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the confidence limits of the coefficients."""
        half = critical_value(level, self.df)[:, None] * self.se
        return self.coefficients - half, self.coefficients + half

    def p_values(self) -> FloatArray:
        """Return the two-sided p-values of the coefficients."""
        return two_sided_p(self.statistic, self.df[:, None])


def standard_errors(covariance: FloatArray) -> FloatArray:
    """Return the square roots of the diagonals."""
    return cast(FloatArray, np.sqrt(np.diagonal(covariance, axis1=-2, axis2=-1)))


def ratio(coefficients: FloatArray, se: FloatArray) -> FloatArray:
    """Return coefficients over standard errors; NaN where these are 0, as nothing is tested."""
    return np.divide(coefficients, se, out=np.full_like(coefficients, np.nan), where=se > 0)


def omnibus_statistic(
    coefficients: FloatArray, covariance: FloatArray, columns: Sequence[int], df: FloatArray
) -> FloatArray:
    """Return the Wald statistic of `columns`, divided by their number where `df` is finite."""
    at = np.asarray(columns)
    se = standard_errors(covariance)[..., at]
    statistic = ratio(coefficients[..., at], se)
    tested = np.asarray(~np.isnan(statistic).any(axis=-1))
    unit = np.where(tested[..., None], se, 1.0)
    correlation = covariance[..., at[:, None], at] / (unit[..., :, None] * unit[..., None, :])
    correlation = np.where(tested[..., None, None], correlation, np.eye(len(at)))
    solved = np.linalg.solve(correlation, statistic[..., None])[..., 0]
    total = (statistic * solved).sum(axis=-1)
    return cast(FloatArray, np.where(np.isinf(df), total, total / len(at)))


def omnibus_p(statistic: FloatArray, count: int, df: FloatArray) -> FloatArray:
    """Return the upper tail of chi-square (`df` infinite) or F at `statistic`."""
    usable = np.where(np.isinf(df), 1.0, df)
    normal = chi2_upper_tail(np.nan_to_num(statistic), np.full_like(statistic, float(count)))
    share = usable / (usable + count * np.nan_to_num(statistic))
    tail = special.betainc(usable / 2, count / 2, share)
    return np.where(np.isnan(statistic), np.nan, np.where(np.isinf(df), normal, tail))
