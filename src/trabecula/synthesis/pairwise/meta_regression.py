"""Estimates of studies explained by their moderators, with residual between-study variance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value
from trabecula.synthesis.pairwise.likelihood import Criteria
from trabecula.synthesis.pairwise.moderators import Design, prediction_rows
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.pairwise.regression_heterogeneity import (
    Method,
    between_study_variance,
    log_likelihood,
    q_profile,
    standard_error,
)
from trabecula.synthesis.pairwise.regression_text import (
    coefficient_rows,
    regression_sentences,
)
from trabecula.synthesis.pairwise.wald import (
    OmnibusTest,
    Test,
    Wald,
    omnibus_p,
    omnibus_statistic,
    standard_errors,
)
from trabecula.synthesis.result import Json, Result, frozen, shaped


@dataclass(frozen=True, slots=True, eq=False)
class RegressionPrediction(Result):
    """What a meta-regression expects at given values of the moderators.

    Arrays have the leading axes of the fit and the rows of the moderators as a last axis.
    ``ci_low`` to ``ci_high`` hold the mean of studies like these, ``pi_low`` to ``pi_high``
    the true effect of one further such study (NaN for the *common* model).
    """

    level: float
    df: FloatArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class MetaRegressionFit(Result):
    """Coefficients of moderators with their uncertainty, and the heterogeneity they leave.

    Arrays have the leading axes of the data; those about coefficients have the columns
    (``names``) as a last axis, ``covariance`` two of them, and ``hat`` the studies (NaN for
    missing ones). ``df`` is ``inf`` where the tests are normal. ``i2`` and ``r2`` are in
    percent, ``r2`` is NaN where the model does not contain the intercept-only model, or is it.

    Where the estimates lie on the regression exactly, the Knapp-Hartung standard errors are 0
    and nothing can be tested: ``statistic``, ``p_value``, ``qm`` and ``qm_p_value`` are NaN.
    The *common* model has no standard error nor interval of the between-study variance.
    """

    method: Method
    test: Test
    level: float
    names: tuple[str, ...]
    intercept: bool
    k: IntArray
    coefficients: FloatArray
    se: FloatArray
    covariance: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    variance_scale: FloatArray
    qm: FloatArray
    qm_df: IntArray
    qm_p_value: FloatArray
    tau2: FloatArray
    tau2_se: FloatArray
    tau2_ci_low: FloatArray
    tau2_ci_high: FloatArray
    i2: FloatArray
    i2_ci_low: FloatArray
    i2_ci_high: FloatArray
    h2: FloatArray
    h2_ci_low: FloatArray
    h2_ci_high: FloatArray
    qe: FloatArray
    qe_df: IntArray
    qe_p_value: FloatArray
    r2: FloatArray
    hat: FloatArray
    ml: Criteria
    reml: Criteria

    @property
    def likelihood(self) -> Criteria:
        """The fit criteria that belong to the method: restricted for REML."""
        return self.reml if self.method == "REML" else self.ml

    @property
    def vif(self) -> FloatArray:
        """Variance inflation factors of the columns (..., columns), the intercept left out.

        How many times the variance of a coefficient is what it would be if its column were
        uncorrelated with the others, at the weights of the fit. NaN where the estimates lie on the
        regression exactly and the variances are scaled by that (all of them 0).
        """
        kept = np.arange(int(self.intercept), len(self.names))
        if not kept.size:
            raise ValueError("a model of an intercept alone has no variance inflation factors")
        covariance = self.covariance[..., kept[:, None], kept]
        se = standard_errors(covariance)
        known = np.asarray((se > 0).all(axis=-1))[..., None]
        unit = np.where(known, se, 1.0)
        correlation = covariance / (unit[..., :, None] * unit[..., None, :])
        inverse = np.linalg.inv(np.where(known[..., None], correlation, np.eye(len(kept))))
        diagonal = np.diagonal(inverse, axis1=-2, axis2=-1)
        return cast(FloatArray, frozen(np.where(known, diagonal, np.nan)))

    def omnibus(self, columns: Sequence[str | int] | str) -> OmnibusTest:
        """Return the test that the coefficients of `columns` (names or positions) are all 0."""
        at = self._positions([columns] if isinstance(columns, str) else columns)
        statistic = omnibus_statistic(self.coefficients, self.covariance, at, self.df)
        return OmnibusTest(
            columns=tuple(self.names[i] for i in at),
            statistic=frozen(statistic),
            df=frozen(np.full_like(statistic, float(len(at)))),
            residual_df=self.df,
            p_value=frozen(omnibus_p(statistic, len(at), self.df)),
        )

    def predict(self, moderators: ArrayLike) -> RegressionPrediction:
        """Return means and intervals at rows (..., rows, columns) of `moderators`.

        Columns are those of the fit without the intercept. The prediction interval uses the
        distribution of the test and takes the between-study variance as known.
        """
        rows = prediction_rows(moderators, self.names, self.intercept, len(self.shape))
        estimate = (rows @ self.coefficients[..., None])[..., 0]
        variance = ((rows @ self.covariance) * rows).sum(axis=-1)
        tau2 = np.where(self.method == "common", np.nan, self.tau2)[..., None]
        critical = critical_value(self.level, self.df)[..., None]
        half, wide = critical * np.sqrt(variance), critical * np.sqrt(variance + tau2)
        values = {
            "estimate": estimate,
            "se": np.sqrt(variance),
            "ci_low": estimate - half,
            "ci_high": estimate + half,
            "pi_low": estimate - wide,
            "pi_high": estimate + wide,
        }
        kept = {name: frozen(value) for name, value in values.items()}
        return RegressionPrediction(level=self.level, df=self.df, **kept)

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a coefficient; `ValueError` for several data sets."""
        self.require_one("a table")
        return coefficient_rows(self.to_dict(), self.names)

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error.

        `ValueError` for several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return " ".join(regression_sentences(self))

    def _positions(self, columns: Sequence[str | int]) -> list[int]:
        known: dict[str | int, int] = {name: i for i, name in enumerate(self.names)}
        known |= {i: i for i in range(len(self.names))}
        wrong = [column for column in columns if column not in known]
        if wrong or not len(columns) or len({known[c] for c in columns}) < len(columns):
            raise ValueError(f"columns must be different ones of {self.names!r}, got {columns!r}")
        return [known[column] for column in columns]


def meta_regression(
    estimate: ArrayLike,
    variance: ArrayLike,
    moderators: ArrayLike | None,
    *,
    names: Sequence[str] | None = None,
    intercept: bool = True,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
) -> MetaRegressionFit:
    """Return the regression of study estimates on moderators, for each data set.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast: effect estimates and their sampling variances.
        NaN marks a missing study.
    moderators
        Array (..., studies, columns), or (studies, columns) for all data sets alike; one
        moderator may be (studies,). None leaves the intercept alone.
    names
        Names of the columns, by default ``x1``, ``x2``, ...
    intercept
        Whether a column of ones is put before the moderators.
    method
        How the residual between-study variance is estimated; *common* assumes there is none.
    test
        How intervals and p-values are formed. The default keeps its level with few studies.
    level
        Confidence level of all intervals.

    Raises
    ------
    ValueError
        If an argument is out of range, a moderator is missing, constant or a combination of
        others, or the studies are too few for the coefficients: named, with what to do.

    Notes
    -----
    Berkey, Hoaglin, Mosteller and Colditz (1995), Stat Med 14:395-411; Knapp and Hartung
    (2003), Stat Med 22:2693-2710, for the test.

    Examples
    --------
    >>> fit = meta_regression(
    ...     [-0.9, -1.6, -1.3, -0.2, 0.1], [0.3, 0.2, 0.4, 0.1, 0.1], [44, 55, 42, 13, 19],
    ...     names=["latitude"], method="DL")
    >>> f"{fit.coefficients[1]:.3f} ({fit.ci_low[1]:.3f} to {fit.ci_high[1]:.3f})"
    '-0.037 (-0.064 to -0.010)'
    """
    require_option("method", method, get_args(Method))
    require_option("test", test, get_args(Test))
    level = confidence_level(level)
    design = Design.read(estimate, variance, moderators, names, intercept=intercept)
    tau2 = between_study_variance(design, method)
    fit = design.projection(tau2)
    total = design.variance + tau2[:, None]
    values = _coefficients(design, fit, test, level)
    values |= _heterogeneity(design, tau2, method, level)
    values["r2"] = _explained(design, tau2, method)
    values["hat"] = np.where(design.present > 0, fit.leverage, np.nan)
    parameters = design.p + (method != "common")
    return MetaRegressionFit(
        method=method,
        test=test,
        level=level,
        names=design.names,
        intercept=intercept,
        ml=criteria(design, fit, total, parameters, restricted=False),
        reml=criteria(design, fit, total, parameters, restricted=True),
        **shaped(values, design.shape),
    )


def _coefficients(design: Design, fit: Projection, test: Test, level: float) -> dict[str, Any]:
    wald = Wald.of(design, fit, test)
    low, high = wald.intervals(level)
    tested = design.tested
    qm = omnibus_statistic(wald.coefficients, wald.covariance, tested, wald.df)
    return {
        "k": design.k.astype(np.int64),
        "coefficients": wald.coefficients,
        "se": wald.se,
        "covariance": wald.covariance,
        "statistic": wald.statistic,
        "df": wald.df,
        "p_value": wald.p_values(),
        "ci_low": low,
        "ci_high": high,
        "variance_scale": wald.scale,
        "qm": qm,
        "qm_df": np.full(len(qm), len(tested), dtype=np.int64),
        "qm_p_value": omnibus_p(qm, len(tested), wald.df),
    }


def _heterogeneity(
    design: Design, tau2: FloatArray, method: Method, level: float
) -> dict[str, Any]:
    fixed = design.fixed
    typical = design.df / fixed.sum_p
    low = high = np.full_like(tau2, np.nan)
    spread, ends = tau2, (low, high)
    if method == "common":
        spread = np.maximum(fixed.q - design.df, 0.0) / fixed.sum_p
    else:
        ends = q_profile(design, level)
    values = {
        "tau2": tau2,
        "tau2_se": standard_error(design, tau2, method),
        "qe": fixed.q,
        "qe_df": design.df.astype(np.int64),
        "qe_p_value": chi2_upper_tail(fixed.q, design.df),
    }
    for name, at in (("", spread), ("_ci_low", ends[0]), ("_ci_high", ends[1])):
        values[f"i2{name}"] = 100 * at / (at + typical)
        values[f"h2{name}"] = at / typical + 1
        if name:
            values[f"tau2{name}"] = at
    if method == "common":
        values["h2"] = fixed.q / design.df
    return values


def _explained(design: Design, tau2: FloatArray, method: Method) -> FloatArray:
    """R²: the share of the between-study variance that goes when the moderators come, in percent.

    For the *common* model the adjusted R² of the weighted regression.
    """
    if design.p == 1:
        return np.full_like(tau2, np.nan)
    alone = design.without_moderators()
    if method == "common":
        left, whole = design.fixed.q / design.df, alone.fixed.q / alone.df
    else:
        left, whole = tau2, between_study_variance(alone, method)
    gone = np.where(whole > 0, 1 - left / np.where(whole > 0, whole, 1.0), 0.0)
    return np.where(design.spans, 100 * np.maximum(gone, 0.0), np.nan)


def criteria(
    design: Design, fit: Projection, total: FloatArray, parameters: int, *, restricted: bool
) -> Criteria:
    """Return the fit criteria of a model with so many `parameters`, `total` its variances."""
    height = log_likelihood(design, fit, total, restricted=restricted)
    observations = design.df if restricted else design.k
    saturated: FloatArray | float = 0.0
    if not restricted:
        logs = (design.present * np.log(design.variance)).sum(axis=-1)
        saturated = -(design.k * np.log(2 * np.pi) + logs) / 2
    counted = np.maximum(observations, parameters + 2)
    values = {
        "log_likelihood": height,
        "deviance": 2 * (saturated - height),
        "aic": 2 * parameters - 2 * height,
        "bic": parameters * np.log(observations) - 2 * height,
        "aicc": 2 * parameters * counted / (counted - parameters - 1) - 2 * height,
    }
    return Criteria(**shaped(values, design.shape))
