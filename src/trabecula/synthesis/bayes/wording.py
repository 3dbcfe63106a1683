"""A Bayesian fit in words and as records."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trabecula.synthesis.bayes.posterior import Posterior
from trabecula.synthesis.result import Json
from trabecula.synthesis.text import decimals, interval, number, percent

if TYPE_CHECKING:
    from trabecula.synthesis.bayes.meta_regression import BayesianRegressionFit
    from trabecula.synthesis.bayes.random_effects import BayesianFit

NORMAL_WIDTH = 3.92
"""Standard errors across a 95 % interval. The spread that decides how many digits are worth
printing is told from the interval, which exists where the variance does not."""

CERTAIN = 0.999
"""Probability beyond which only the bound is printed."""

OVERWHELMING = 1000
"""Bayes factor beyond which, or beyond the inverse of which, only the bound is printed."""

UNRESOLVED = 1e-4
"""Error of probabilities that a reader of three digits would notice."""


def places_for(posterior: Posterior) -> int:
    """Return how many decimals the numbers of a posterior deserve."""
    return decimals(float(posterior.central_high - posterior.central_low) / NORMAL_WIDTH)


def estimate_text(posterior: Posterior) -> str:
    """Return ``1.2 (95 % credible interval 0.4 to 2.1)``: the median and the interval."""
    places = places_for(posterior)
    limits = interval(float(posterior.ci_low), float(posterior.ci_high), places)
    return (
        f"{number(float(posterior.median), places)} "
        f"({percent(posterior.level)} credible interval {limits})"
    )


def describe(fit: BayesianFit) -> str:
    """Return the summary of a fit."""
    positive = float(fit.probability_positive)
    side, probability = (">", positive) if positive >= 0.5 else ("<", 1 - positive)
    studies = f"{fit.k:.0f} studies" if fit.k > 1 else "1 study"
    wide = (
        "τ and a new study's effect" if fit.mean_prior else "the mean, τ and a new study's effect"
    )
    sentences = [
        f"Bayesian random-effects meta-analysis of {studies} ({priors_text(fit)}): "
        f"posterior median {estimate_text(fit.mean)}; "
        f"probability of a mean {side} 0: {probability_text(probability)}.",
        f"Heterogeneity: τ = {estimate_text(fit.tau)}{_i2(fit)}.",
        f"True effect of a new study: {estimate_text(fit.prediction)}.",
        _bayes_factors(fit),
        _missing_moments(fit.tau, wide),
        _one_study(fit),
        _unresolved(float(fit.error)),
    ]
    return " ".join(s for s in sentences if s)


def describe_regression(fit: BayesianRegressionFit) -> str:
    """Return the summary of a meta-regression."""
    parts = []
    for i, name in enumerate(fit.names):
        one = fit.coefficients[i]
        positive = float(fit.probability_positive[i])
        side, probability = (">", positive) if positive >= 0.5 else ("<", 1 - positive)
        parts.append(
            f"{name}: {estimate_text(one)}, probability {side} 0 {probability_text(probability)}"
        )
    sentences = [
        f"Bayesian random-effects meta-regression of {fit.k:.0f} studies ({fit.tau_prior} of "
        f"the heterogeneity); posterior medians: {'; '.join(parts)}.",
        f"Heterogeneity: τ = {estimate_text(fit.tau)}.",
        _missing_moments(fit.tau, "τ and a new study's effect"),
        _unresolved(float(fit.error)),
    ]
    return " ".join(s for s in sentences if s)


def priors_text(fit: BayesianFit) -> str:
    """Return how the priors are named in a summary."""
    if fit.mean_prior is None:
        mean = "flat prior of the mean"
    else:
        mean = f"normal prior of the mean ({fit.mean_prior[0]:g}, sd {fit.mean_prior[1]:g})"
    return f"{mean}, {fit.tau_prior} of the heterogeneity"


def probability_text(probability: float) -> str:
    """Return a probability of at least one half, as a bound where it is nearly 1."""
    return f"{probability:.3f}" if probability <= CERTAIN else f"above {CERTAIN}"


def _i2(fit: BayesianFit) -> str:
    if math.isnan(float(fit.i2)):
        return ""
    limits = interval(float(fit.i2_ci_low), float(fit.i2_ci_high), 0)
    return f", I² = {float(fit.i2):.0f} % ({percent(fit.level)} central interval {limits} %)"


def factor_text(factor: float) -> str:
    """Return a Bayes factor with two digits, as a bound where it is overwhelming."""
    if factor < 1 / OVERWHELMING:
        return f"below {1 / OVERWHELMING:g}"
    if factor > OVERWHELMING:
        return f"above {OVERWHELMING:g}"
    return f"{factor:.0f}" if factor >= 10 else f"{factor:.2g}"


def _bayes_factors(fit: BayesianFit) -> str:
    if math.isnan(float(fit.bayes_factor_zero_mean)):
        return (
            "Bayes factors are not defined with an improper prior."
            if fit.mean_prior is not None
            else ""
        )
    mean, tau = (
        factor_text(float(value))
        for value in (fit.bayes_factor_zero_mean, fit.bayes_factor_zero_tau)
    )
    return f"Bayes factors in favor of a zero mean {mean}, of no heterogeneity {tau}."


def _missing_moments(tau: Posterior, those: str) -> str:
    """Return which moment `those` posteriors lack, as that of the heterogeneity does."""
    if math.isfinite(float(tau.sd)):
        return ""
    moment = "mean" if math.isinf(float(tau.mean)) else "variance"
    return f"The posteriors of {those} have no {moment}; quantiles say what is known."


def _unresolved(error: float) -> str:
    """Return a warning where the quadrature failed."""
    if error <= UNRESOLVED:
        return ""
    return (
        "The quadrature did not resolve the posterior of τ: "
        f"probabilities may be off by {error:.1g}."
    )


def _one_study(fit: BayesianFit) -> str:
    if fit.k > 1:
        return ""
    return "With one study nothing but the prior tells of heterogeneity."


def forest_rows(fit: BayesianFit) -> list[dict[str, Json]]:
    """Return one record a study, then those of mean and prediction."""
    model = fit.solution.item().model
    given = iter(zip(model.estimate + model.origin, model.variance, strict=True))
    rows: list[dict[str, Json]] = []
    for i, weight in enumerate(fit.weights.tolist()):
        if math.isnan(weight):
            continue
        estimate, variance = next(given)
        row: dict[str, Json] = {"kind": "study", "study": i, "weight": weight}
        row |= {"estimate": float(estimate), "se": math.sqrt(variance)}
        rows.append(row | _limits(fit.effects[i]))
    mean: dict[str, Json] = {"kind": "mean"}
    prediction: dict[str, Json] = {"kind": "prediction"}
    return [*rows, mean | _limits(fit.mean), prediction | _limits(fit.prediction)]


def _limits(posterior: Posterior) -> dict[str, Json]:
    names = ("median", "ci_low", "ci_high")
    return {name: float(getattr(posterior, name)) for name in names}
