"""Inverse-variance pooling of study estimates, with or without between-study variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.pairwise.heterogeneity import Method, between_study_variance
from trabecula.synthesis.pairwise.likelihood import Criteria, criteria
from trabecula.synthesis.pairwise.q_profile import h2_of, i2_of, q_profile, typical_variance
from trabecula.synthesis.result import Result, shaped
from trabecula.synthesis.studies import Studies, Weighted
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

Test = Literal["z", "t", "knapp-hartung", "knapp-hartung-conservative"]
"""*z*: normal; *t*: t with k - 1 degrees of freedom; *knapp-hartung*: t and a variance scaled by
the observed weighted spread; *knapp-hartung-conservative*: the same, never scaled down."""

Prediction = Literal["as-test", "t", "higgins"]
"""Distribution of the prediction interval. *as-test*: that of the test; *t*: t with k - 1 degrees
of freedom; *higgins*: t with k - 2 (Higgins, Thompson and Spiegelhalter 2009)."""


@dataclass(frozen=True, slots=True, eq=False)
class RandomEffectsFit(Result):
    """A pooled estimate with its uncertainty and the heterogeneity behind it.

    All arrays have the leading axes of the data (none for one data set); ``weights`` has the
    studies as a further, last axis, sums to 100 and is NaN for missing studies. ``i2`` is in
    percent. ``df`` is ``inf`` where the test is normal.

    A single study is passed through with a normal interval: nothing about heterogeneity can
    be known then, and those fields are NaN (``None`` in `to_dict`). There is no prediction
    interval for the *common* model, nor where its degrees of freedom fall below 1.
    ``ml`` and ``reml`` are the fit criteria of the likelihood and the restricted likelihood
    at ``tau2``; `likelihood` is the one that belongs to ``method``.
    """

    method: Method
    test: Test
    prediction: Prediction
    level: float
    k: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
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
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    weights: FloatArray
    ml: Criteria
    reml: Criteria

    @property
    def likelihood(self) -> Criteria:
        """The fit criteria that belong to the method: restricted for REML."""
        return self.reml if self.method == "REML" else self.ml

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error.

        A single study is reported as such, nothing is called pooled. `ValueError` for the
        results of several data sets: describe one, ``fit[i].summary()``.
        """
        if self.shape != ():
            raise ValueError(
                f"a summary describes one data set, this fit holds {self.shape}: use fit[i]"
            )
        return _one_study(self) if self.k == 1 else " ".join(_sentences(self))


def random_effects(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    prediction: Prediction = "as-test",
    level: float = 0.95,
) -> RandomEffectsFit:
    """Return the pooled estimate of each data set.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast: effect estimates on a scale where they are about
        normal (log for ratios, logit for proportions) and their sampling variances. NaN marks
        a missing study, so that data sets may differ in their number of studies.
    method
        How the between-study variance is estimated. REML is approximately unbiased and
        efficient; *common* assumes there is none.
    test
        How interval and p-value are formed. The default keeps its level with few studies
        where *z* gives intervals that are too narrow.
    prediction
        Distribution behind the prediction interval.
    level
        Confidence level of all intervals.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Viechtbauer (2010), J Stat Softw 36(3), for the model; Hartung and Knapp (2001), Stat Med
    20:3875-3889, Sidik and Jonkman (2002), Stat Med 21:3153-3159, and Knapp and Hartung (2003),
    Stat Med 22:2693-2710, for the test. With one study the interval is normal whatever
    the test; with two studies the t interval has one degree of freedom and is very wide.

    Examples
    --------
    >>> fit = random_effects([-0.82, -0.21, -0.47], [0.11, 0.06, 0.08], test="z")
    >>> f"{fit.estimate:.3f} ({fit.ci_low:.3f} to {fit.ci_high:.3f})"
    '-0.444 (-0.775 to -0.114)'
    """
    require_option("method", method, get_args(Method))
    require_option("test", test, get_args(Test))
    require_option("prediction", prediction, get_args(Prediction))
    level = confidence_level(level)
    studies = Studies.read(estimate, variance)
    tau2, tau2_se = between_study_variance(studies, method)
    sums = studies.weighted(np.nan_to_num(tau2))
    values = _pooled(studies, sums, test, level) | _heterogeneity(studies, tau2, method, level)
    values |= {"k": studies.k.astype(np.int64), "tau2": tau2, "tau2_se": tau2_se}
    values |= _predicted(studies, values, method, prediction, level)
    weights = 100 * sums.weight / sums.total[:, None]
    values["weights"] = np.where(studies.present > 0, weights, np.nan)
    parameters = 1 if method == "common" else 2
    return RandomEffectsFit(
        method=method,
        test=test,
        prediction=prediction,
        level=level,
        ml=criteria(studies, tau2, restricted=False, parameters=parameters),
        reml=criteria(studies, tau2, restricted=True, parameters=parameters),
        **shaped(values, studies.shape),
    )


def _pooled(studies: Studies, sums: Weighted, test: Test, level: float) -> dict[str, Any]:
    several = studies.k > 1
    df = np.where(several & (test != "z"), studies.df, np.inf)
    scale = np.ones_like(studies.k)
    if test.startswith("knapp-hartung"):
        scale = np.where(several, sums.q / studies.df, 1.0)
    if test == "knapp-hartung-conservative":
        scale = np.maximum(scale, 1.0)
    se = np.sqrt(scale / sums.total)
    half = critical_value(level, df) * se
    mean = studies.origin + sums.mean
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = mean / se
    return {
        "estimate": mean,
        "se": se,
        "ci_low": mean - half,
        "ci_high": mean + half,
        "statistic": statistic,
        "df": df,
        "p_value": two_sided_p(statistic, df),
    }


def _heterogeneity(
    studies: Studies, tau2: FloatArray, method: Method, level: float
) -> dict[str, Any]:
    several = studies.k > 1
    q = studies.weighted(np.zeros_like(studies.k)).q
    values = {
        "q": q,
        "q_df": (studies.k - 1).astype(np.int64),
        "q_p_value": np.where(several, chi2_upper_tail(q, studies.df), np.nan),
    }
    typical = typical_variance(studies)
    if method == "common":
        nothing = np.full_like(q, np.nan)
        low = high = nothing
        h2 = np.where(several, q / studies.df, np.nan)
        with np.errstate(divide="ignore"):
            i2 = np.maximum(100 * (1 - 1 / h2), 0.0)
    else:
        low, high = q_profile(studies, level)
        i2, h2 = i2_of(tau2, typical), h2_of(tau2, typical)
    return values | {
        "tau2_ci_low": low,
        "tau2_ci_high": high,
        "i2": i2,
        "i2_ci_low": i2_of(low, typical),
        "i2_ci_high": i2_of(high, typical),
        "h2": h2,
        "h2_ci_low": h2_of(low, typical),
        "h2_ci_high": h2_of(high, typical),
    }


def _predicted(
    studies: Studies,
    values: dict[str, Any],
    method: Method,
    prediction: Prediction,
    level: float,
) -> dict[str, FloatArray]:
    df = values["df"] if prediction == "as-test" else studies.k - (1 if prediction == "t" else 2)
    if method == "common":
        df = np.zeros_like(df)
    half = critical_value(level, df) * np.sqrt(values["se"] ** 2 + values["tau2"])
    return {"pi_low": values["estimate"] - half, "pi_high": values["estimate"] + half}


MODEL_TEXT = {
    "z": "normal interval",
    "t": "t interval",
    "knapp-hartung": "Knapp–Hartung interval",
    "knapp-hartung-conservative": "Knapp–Hartung interval, variance not scaled down",
}


def _one_study(fit: RandomEffectsFit) -> str:
    places = decimals(float(fit.se))
    limits = interval(float(fit.ci_low), float(fit.ci_high), places)
    value = number(float(fit.estimate), places)
    return f"One study, nothing pooled: {value} ({percent(fit.level)} CI {limits})."


def _sentences(fit: RandomEffectsFit) -> list[str]:
    places, sure = decimals(float(fit.se)), percent(fit.level)
    model = "Common-effect" if fit.method == "common" else "Random-effects"
    how = (
        MODEL_TEXT[fit.test] if fit.method == "common" else f"{fit.method}, {MODEL_TEXT[fit.test]}"
    )
    letter = f"t({fit.df:.0f})" if np.isfinite(fit.df) else "z"
    sentences = [
        f"{model} meta-analysis of {fit.k:.0f} studies ({how}): "
        f"{number(float(fit.estimate), places)} "
        f"({sure} CI {interval(float(fit.ci_low), float(fit.ci_high), places)}; "
        f"{letter} = {number(float(fit.statistic), 2)}, {p_value(float(fit.p_value))}).",
        f"Heterogeneity: Q({fit.q_df:.0f}) = {number(float(fit.q), 2)}, "
        f"{p_value(float(fit.q_p_value))}, I² = {fit.i2:.0f} %{_i2_interval(fit)}{_tau2(fit)}.",
    ]
    if fit.se == 0:
        sentences.append("All estimates are equal, so that this interval has no width.")
    if np.isfinite(fit.pi_low):
        limits = interval(float(fit.pi_low), float(fit.pi_high), places)
        sentences.append(f"{sure} prediction interval {limits}.")
    return sentences


def _i2_interval(fit: RandomEffectsFit) -> str:
    if fit.method == "common":
        return ""
    limits = interval(float(fit.i2_ci_low), float(fit.i2_ci_high), 0)
    return f" ({percent(fit.level)} CI {limits} %)"


def _tau2(fit: RandomEffectsFit) -> str:
    if fit.method == "common":
        return ""
    places = decimals(float(fit.tau2_se))
    limits = interval(float(fit.tau2_ci_low), float(fit.tau2_ci_high), places)
    return f", τ² = {number(float(fit.tau2), places)} ({percent(fit.level)} CI {limits})"
