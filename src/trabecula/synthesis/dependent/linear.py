"""Coefficients with tests and criteria, common to all models of dependent estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import ESTIMATE, FloatArray, IntArray, numbers, require
from trabecula.synthesis.dependent.estimation import (
    CoefficientTest,
    DegreesOfFreedom,
    LikelihoodMethod,
)
from trabecula.synthesis.dependent.working import WorkingModel
from trabecula.synthesis.distributions import critical_value
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.text import decimals, interval, number, p_value, percent


@dataclass(frozen=True, slots=True, eq=False)
class CoefficientPrediction(Result):
    """Mean effects at given moderators, with intervals of the mean and of a new true effect.

    The prediction interval is NaN where true effects have no one variance.
    """

    level: float
    estimate: FloatArray
    se: FloatArray
    df: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit(Result):
    """Coefficients of a model of dependent estimates, their tests and the fit of the model.

    Arrays have the leading axes of the data; those of coefficients have ``names`` as their last
    axis. ``qe`` is the residual sum of squares without any variance of true effects; ``qm`` tests
    all coefficients but the intercept, or all where there is no other, and is divided by its
    degrees of freedom for a t test (F). ``settled`` is false where no maximum was found.
    ``working`` is not part of `to_dict`.
    """

    method: LikelihoodMethod
    test: CoefficientTest
    df_method: DegreesOfFreedom
    level: float
    names: tuple[str, ...]
    k: IntArray
    coefficients: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    covariance: FloatArray
    qe: FloatArray
    qe_df: IntArray
    qe_p_value: FloatArray
    qm: FloatArray
    qm_df: IntArray
    qm_df_residual: FloatArray
    qm_p_value: FloatArray
    ml: Criteria
    reml: Criteria
    settled: NDArray[np.bool_]
    working: WorkingModel

    @property
    def likelihood(self) -> Criteria:
        """The fit criteria that belong to the method: restricted for REML."""
        return self.reml if self.method == "REML" else self.ml

    def __getitem__(self, index: Any) -> Self:
        """Return the result of the data sets at `index` of the leading axes."""
        part = Result.__getitem__(self, index)  # a class with slots has lost its `super()`
        return replace(part, working=self.working.take(index))

    def to_dict(self) -> dict[str, Json]:
        """Return every field but the working model as JSON knows it."""
        kept = replace(self, working=cast(Any, None))
        return {name: value for name, value in Result.to_dict(kept).items() if name != "working"}

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a coefficient, for one data set."""
        return coefficient_rows(self)

    def predicted(self, design: FloatArray, tau2: FloatArray) -> CoefficientPrediction:
        """Return the prediction for `design` (..., coefficients) and a variance of true effects."""
        mean = np.asarray((design * self.coefficients).sum(axis=-1))
        variance = np.einsum("...i,...ij,...j->...", design, self.covariance, design)
        df = np.where(design != 0, self.df, np.inf).min(axis=-1)
        crit, se = critical_value(self.level, df), np.sqrt(variance)
        half, wide = crit * se, crit * np.sqrt(variance + tau2)
        values = {"estimate": mean, "se": se, "df": df, "ci_low": mean - half}
        values |= {"ci_high": mean + half, "pi_low": mean - wide, "pi_high": mean + wide}
        return CoefficientPrediction(self.level, **{n: frozen(v) for n, v in values.items()})


def coefficient_rows(fit: Any) -> list[dict[str, Json]]:
    """Return one row a coefficient; `ValueError` for several data sets."""
    fit.require_one()
    fields = ("coefficients", "se", "ci_low", "ci_high", "statistic", "df", "p_value")
    table = fit.to_dict()
    return [{"name": n} | {f: table[f][i] for f in fields} for i, n in enumerate(fit.names)]


def design_at(fit: LinearFit, at: ArrayLike | None, base: Sequence[float]) -> FloatArray:
    """Return design rows: `base` columns, then the moderators `at`.

    Raises
    ------
    ValueError
        If `at` does not hold one value a moderator.
    """
    count = len(fit.names) - len(base)
    if at is None:
        if count:
            raise ValueError(
                f"at must give a value for each moderator: {', '.join(fit.names[len(base) :])}"
            )
        return np.asarray(base, dtype=np.float64)
    values = numbers("at", at)
    require("at", values, ESTIMATE)
    if values.ndim == 0 or values.shape[-1] != count:
        raise ValueError(f"at must have {count} moderators along its last axis, got {values.shape}")
    left = np.broadcast_to(np.asarray(base, dtype=np.float64), (*values.shape[:-1], len(base)))
    return np.concatenate([left, values], axis=-1)


def coefficient_sentence(fit: Any, head: str) -> str:
    """Return the coefficients with intervals and tests, as a paper prints them, after `head`."""
    if len(fit.names) == 1:
        return f"{head}: {coefficient_text(fit, 0)}."
    parts = [f"{name} {coefficient_text(fit, i)}" for i, name in enumerate(fit.names)]
    return f"{head}: {'; '.join(parts)}."


def coefficient_text(fit: Any, i: int) -> str:
    """Return one coefficient with interval and test; `fit` holds one data set."""
    df, places = float(fit.df[i]), decimals(float(fit.se[i]))
    letter = f"t({df:.4g})" if np.isfinite(df) else "z"
    limits = interval(float(fit.ci_low[i]), float(fit.ci_high[i]), places)
    return (
        f"{number(float(fit.coefficients[i]), places)} ({percent(fit.level)} CI {limits}; "
        f"{letter} = {number(float(fit.statistic[i]), 2)}, {p_value(float(fit.p_value[i]))})"
    )


def closing_sentences(fit: LinearFit) -> list[str]:
    """Return what is said of residual heterogeneity, and a warning where no maximum was found."""
    sentences = [
        f"Residual heterogeneity: Q({fit.qe_df}) = {number(float(fit.qe), 2)}, "
        f"{p_value(float(fit.qe_p_value))}."
    ]
    if not fit.settled:
        sentences.append("No maximum of the likelihood was found: do not report these figures.")
    return sentences
