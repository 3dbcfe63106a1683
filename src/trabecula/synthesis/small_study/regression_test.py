"""Regression tests for funnel plot asymmetry: Egger's and its variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    SIZE,
    FloatArray,
    IntArray,
    confidence_level,
    numbers,
    require,
    require_option,
    same_shape,
)
from trabecula.synthesis.distributions import critical_value, two_sided_p
from trabecula.synthesis.pairwise.meta_regression import meta_regression
from trabecula.synthesis.pairwise.regression_heterogeneity import Method
from trabecula.synthesis.pairwise.wald import Test, ratio
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.small_study.refusal import (
    ASYMMETRY,
    MINIMUM_STUDIES,
    NOT_BIAS,
    require_spread,
    require_studies,
)
from trabecula.synthesis.small_study.weighted_regression import Line
from trabecula.synthesis.studies import Studies
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

RegressionModel = Literal["weighted-regression", "random-effects"]
"""*weighted-regression*: inverse-variance weights and a dispersion that multiplies the variances
(Egger et al. 1997); *random-effects*: meta-regression with additive between-study variance."""

Predictor = Literal[
    "standard-error",
    "variance",
    "sample-size",
    "inverse-sample-size",
    "square-root-sample-size",
    "inverse-square-root-sample-size",
]
"""The measure of a study's size against which estimates are regressed."""

CountVariant = Literal["peters", "harbord", "deeks"]
"""Tests for odds ratios from counts, see `regression_test_of_counts`."""

POWERS: dict[str, tuple[bool, float]] = {
    "standard-error": (False, 0.5),
    "variance": (False, 1.0),
    "sample-size": (True, 1.0),
    "inverse-sample-size": (True, -1.0),
    "square-root-sample-size": (True, 0.5),
    "inverse-square-root-sample-size": (True, -0.5),
}
"""Whether a predictor is a power of the sample size (else of the variance), and which."""


@dataclass(frozen=True, slots=True, eq=False)
class RegressionTest(Result):
    """The slope of estimates on a measure of study size, and the estimate of an infinite study.

    ``statistic``, ``df`` and ``p_value`` test the slope; ``df`` is infinite where that is normal.
    Estimates exactly on the line leave standard errors of 0 and NaN for statistic and p-value.
    ``limit_estimate`` is the estimate as the standard error goes to 0, NaN for predictors that
    then go to infinity; ``intercept`` is that of the regression in any case. ``dispersion`` is
    that of a weighted regression, ``tau2`` the residual between-study variance of a random-effects
    one; each is NaN for the other.
    """

    model: RegressionModel | CountVariant
    predictor: str
    level: float
    k: IntArray
    slope: FloatArray
    slope_se: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    intercept: FloatArray
    intercept_se: FloatArray
    limit_estimate: FloatArray
    limit_ci_low: FloatArray
    limit_ci_high: FloatArray
    dispersion: FloatArray
    tau2: FloatArray

    def summary(self) -> str:
        """Return the test in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        letter = f"t({self.df:.0f})" if np.isfinite(self.df) else "z"
        places = decimals(float(self.slope_se))
        test = (
            f"{letter} = {number(float(self.statistic), 2)}, {p_value(float(self.p_value))}"
            if self.slope_se > 0
            else "the estimates lie on the line exactly, so that nothing is tested"
        )
        sentences = [
            f"Regression test for funnel plot asymmetry ({TITLES[self.model]}, {self.predictor}, "
            f"{self.k:.0f} studies): slope {number(float(self.slope), places)} "
            f"(SE {number(float(self.slope_se), places)}), "
            f"{test}."
        ]
        if np.isfinite(self.limit_estimate):
            places = decimals(float(self.intercept_se))
            limits = interval(float(self.limit_ci_low), float(self.limit_ci_high), places)
            sentences.append(
                "Estimate as the standard error goes to 0: "
                f"{number(float(self.limit_estimate), places)} ({percent(self.level)} CI {limits})."
            )
        return " ".join([*sentences, NOT_BIAS])


TITLES: dict[str, str] = {
    "weighted-regression": "weighted regression with multiplicative dispersion",
    "random-effects": "random-effects meta-regression",
    "peters": "Peters",
    "harbord": "Harbord",
    "deeks": "Deeks",
}
"""How a model is called in a sentence."""


def regression_test(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    model: RegressionModel = "weighted-regression",
    predictor: Predictor = "standard-error",
    sample_size: ArrayLike | None = None,
    method: Method = "REML",
    test: Test = "z",
    level: float = 0.95,
    minimum_studies: int = MINIMUM_STUDIES,
) -> RegressionTest:
    """Return Egger's regression test of each data set, or a variant of it.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    model
        How variation beyond sampling error is treated. The default is Egger's test as published.
    predictor
        The measure of size. The standard error of ratios, standardised differences and proportions
        depends on the estimate itself, which feigns asymmetry; sample sizes do not.
    sample_size
        Sizes (..., studies) where the predictor needs them.
    method, test
        Of the *random-effects* model; *z* is the form in common use.
    level
        Confidence level of the limit estimate.
    minimum_studies
        Fewest studies; at least 3.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.
    SimilarStandardErrors
        If the studies of a data set are all about of one size.

    Notes
    -----
    Egger et al. (1997), BMJ 315:629-634; Sterne and Egger (2005) in Publication Bias in
    Meta-Analysis, chapter 6; Thompson and Sharp (1999), Stat Med 18:2693-2708, on the models.

    Examples
    --------
    >>> se = [0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5]
    >>> y = [0.1, 0.12, 0.08, 0.2, 0.05, 0.4, 0.5, 0.6, 0.8, 1.1]
    >>> test = regression_test(y, [s * s for s in se])
    >>> f"t({test.df:.0f}) = {test.statistic:.2f}, p = {test.p_value:.4f}"
    't(8) = 5.50, p = 0.0006'
    """
    require_option("model", model, get_args(RegressionModel))
    require_option("predictor", predictor, get_args(Predictor))
    level = confidence_level(level)
    of_sizes, power = POWERS[predictor]
    studies, size = _read(estimate, variance, sample_size if of_sizes else None, of_sizes)
    require_studies(studies.k, minimum_studies, 3, ASYMMETRY)
    require_spread(size, studies.present)
    x = np.where(studies.present > 0, size, 1.0) ** power
    if model == "weighted-regression":
        line = Line.through(studies.estimate, x, studies.present / studies.variance)
        values = line_values(studies, line)
    else:
        values = _meta_regression_values(studies, x, method, test, level)
    has_limit = power > 0 if not of_sizes else power < 0
    return result_of(model, predictor, level, values, studies, has_limit=has_limit)


def _read(
    estimate: ArrayLike, variance: ArrayLike, sample_size: ArrayLike | None, of_sizes: bool
) -> tuple[Studies, FloatArray]:
    """Return the studies and what measures their size; without a size a study is missing."""
    if not of_sizes:
        studies = Studies.read(estimate, variance)
        return studies, studies.variance
    if sample_size is None:
        raise ValueError("sample_size must be given for this predictor, got None")
    values, sizes = numbers("estimate", estimate), numbers("sample_size", sample_size)
    require("sample_size", sizes, SIZE, missing=True)
    spreads = numbers("variance", variance)
    pair = same_shape(("estimate", "variance"), values, spreads)
    shape = same_shape(("estimate", "sample_size"), np.empty(pair), sizes)
    studies = Studies.read(
        np.where(np.isnan(sizes), np.nan, values), np.broadcast_to(spreads, shape)
    )
    return studies, np.broadcast_to(sizes, shape).reshape(studies.estimate.shape)


def line_values(studies: Studies, line: Line) -> dict[str, FloatArray]:
    """Return the parts of a result from a weighted regression of centered estimates."""
    return {
        "slope": line.slope,
        "slope_se": line.slope_se,
        "df": line.df,
        "intercept": studies.origin + line.intercept,
        "intercept_se": line.intercept_se,
        "dispersion": line.dispersion,
        "tau2": np.full_like(line.slope, np.nan),
    }


def result_of(
    model: RegressionModel | CountVariant,
    predictor: str,
    level: float,
    values: dict[str, FloatArray],
    studies: Studies,
    *,
    has_limit: bool,
) -> RegressionTest:
    """Return the result with test and limits worked out from `values`."""
    half = critical_value(level, values["df"]) * values["intercept_se"]
    limit = values["intercept"] if has_limit else np.full_like(half, np.nan)
    statistic = ratio(values["slope"], values["slope_se"])
    tested: dict[str, Any] = values | {
        "k": studies.k.astype(np.int64),
        "statistic": statistic,
        "p_value": two_sided_p(statistic, values["df"]),
        "limit_estimate": limit,
        "limit_ci_low": limit - half,
        "limit_ci_high": limit + half,
    }
    return RegressionTest(
        model=model, predictor=predictor, level=level, **shaped(tested, studies.shape)
    )


def _meta_regression_values(
    studies: Studies, x: FloatArray, method: Method, test: Test, level: float
) -> dict[str, FloatArray]:
    """Return the parts of a result from a meta-regression of centered estimates on `x`."""
    there = studies.present > 0
    y = np.where(there, studies.estimate, np.nan)
    fit = meta_regression(y, studies.variance, x[..., None], method=method, test=test, level=level)
    return {
        "slope": fit.coefficients[:, 1],
        "slope_se": fit.se[:, 1],
        "df": fit.df,
        "intercept": studies.origin + fit.coefficients[:, 0],
        "intercept_se": fit.se[:, 0],
        "dispersion": np.full_like(studies.k, np.nan),
        "tau2": fit.tau2,
    }


def slope_on_standard_error(studies: Studies, method: Method) -> FloatArray:
    """Return the slope of the estimates on their standard errors by meta-regression."""
    x = np.sqrt(studies.variance)
    return _meta_regression_values(studies, x, method, "z", 0.95)["slope"]
