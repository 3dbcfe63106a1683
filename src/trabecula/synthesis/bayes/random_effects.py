"""Bayesian random-effects meta-analysis, exact up to the error of a one-dimensional integral."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, cast, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    COUNT,
    ESTIMATE,
    FloatArray,
    IntArray,
    confidence_level,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.bayes.hierarchical_model import HierarchicalModel
from trabecula.synthesis.bayes.point_estimates import (
    exp_or_inf,
    joint_maxima,
    log_likelihood_of_mean,
    most_likely_mean,
)
from trabecula.synthesis.bayes.posterior import (
    CredibleInterval,
    Posterior,
    Summary,
    heterogeneity_summary,
    objects,
    spread_out,
)
from trabecula.synthesis.bayes.prior_choice import TauPrior, normal_prior, prior_for
from trabecula.synthesis.bayes.solution import Solution
from trabecula.synthesis.bayes.wording import describe, forest_rows
from trabecula.synthesis.pairwise.q_profile import i2_of, typical_variance
from trabecula.synthesis.result import Json, Result, frozen, shaped
from trabecula.synthesis.studies import Studies


@dataclass(frozen=True, slots=True, eq=False)
class BayesianFit(Result):
    """The posterior of a normal-normal hierarchical model.

    All arrays have the leading axes of the data (none for one data set). ``mean``, ``tau`` and
    ``prediction`` are the posteriors of the mean effect, the heterogeneity and the true effect of
    a new study; ``effects`` those of the studies' own true effects, with the studies as last
    axis. ``weights`` (..., studies) and ``effect_weights`` (..., effects, studies) are posterior
    mean shares in percent, NaN for missing studies; ``mean_prior_weight`` is that of the prior.
    ``i2`` is the posterior median, in percent; its limits are central. It is NaN for one study.

    The marginal likelihood and the Bayes factors (small ones speak against the hypothesis) are
    NaN where a prior is improper, since they would depend on an arbitrary constant; the minimum
    Bayes factor of a zero mean needs a proper prior of the heterogeneity only, that of zero
    heterogeneity a prior of the mean only. ``error`` estimates the error of the posterior
    distribution function of the heterogeneity from its quadrature with ``nodes`` nodes.
    """

    level: float
    interval: CredibleInterval
    tau_prior: str
    mean_prior: tuple[float, float] | None
    k: IntArray
    mean: Posterior
    tau: Posterior
    prediction: Posterior
    effects: Posterior
    probability_positive: FloatArray
    ml_mean: FloatArray
    ml_tau: FloatArray
    marginal_ml_mean: FloatArray
    marginal_ml_tau: FloatArray
    map_mean: FloatArray
    map_tau: FloatArray
    log_marginal_likelihood: FloatArray
    bayes_factor_zero_mean: FloatArray
    bayes_factor_zero_tau: FloatArray
    minimum_bayes_factor_zero_mean: FloatArray
    minimum_bayes_factor_zero_tau: FloatArray
    i2: FloatArray
    i2_ci_low: FloatArray
    i2_ci_high: FloatArray
    weights: FloatArray
    mean_prior_weight: FloatArray
    effect_weights: FloatArray
    error: FloatArray
    nodes: IntArray
    solution: NDArray[np.object_]

    def conditional_mean(self, tau: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Return mean and standard deviation of the mean effect, given the heterogeneity.

        Leading axes, then those of `tau`.
        """
        at = _heterogeneity(tau)
        models = [solution.model for solution in self._solutions]
        given = [model.conditional(at.ravel()) for model in models]
        shape = self.shape + at.shape
        mean = np.array([g.mean[:, 0] for g in given]).reshape(shape)
        sd = np.sqrt(np.array([g.covariance[:, 0, 0] for g in given])).reshape(shape)
        origin = np.array([model.origin for model in models])
        return mean + origin.reshape(self.shape + (1,) * at.ndim), sd

    def joint_density(self, mean: ArrayLike, tau: ArrayLike) -> FloatArray:
        """Return the posterior density of mean and heterogeneity together.

        Leading axes, then those to which `mean` and `tau` broadcast.
        """
        x, at = np.broadcast_arrays(numbers("mean", mean), _heterogeneity(tau))
        require("mean", x, ESTIMATE)
        center, sd = self.conditional_mean(at)
        z = (x - center) / sd
        normal = np.exp(-(z**2) / 2) / (sd * math.sqrt(2 * math.pi))
        return normal * self.tau.density(at)

    @property
    def _solutions(self) -> list[Solution]:
        return cast(list[Solution], self.solution.ravel().tolist())

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the spread.

        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return describe(self)

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a study, then mean and prediction, for a forest plot.

        `ValueError` for the results of several data sets.
        """
        self.require_one("a table")
        return forest_rows(self)


def bayesian_random_effects(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    tau_prior: TauPrior,
    mean_prior: tuple[float, float] | None = None,
    level: float = 0.95,
    interval: CredibleInterval = "shortest",
) -> BayesianFit:
    """Return the exact posterior of each data set.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast: effect estimates on a scale where they are about
        normal and their sampling variances. NaN marks a missing study. Data sets are solved
        one after the other.
    tau_prior
        Prior of the heterogeneity: an object such as ``HalfNormal(0.5)``, the name of a prior
        that the standard errors define, or a function that returns the density for an array of
        tau. There is no default, because with few studies the choice decides the answer.
    mean_prior
        Mean and standard deviation of a normal prior of the mean effect; without it the prior is
        flat, and there are no Bayes factors.
    level
        Probability that the credible intervals hold.
    interval
        Which of the two intervals `ci_low` and `ci_high` give.

    Raises
    ------
    ImproperPosteriorError
        A `ValueError`: if studies and prior together leave no proper posterior.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Röver (2020), J Stat Softw 93(6), for the model and its factorisation: given the
    heterogeneity everything is normal, and the heterogeneity is one-dimensional. Nothing is
    sampled.

    Examples
    --------
    >>> from trabecula.synthesis.bayes.priors import HalfNormal
    >>> fit = bayesian_random_effects(
    ...     [-0.82, -0.21, -0.47], [0.11, 0.06, 0.08], tau_prior=HalfNormal(0.5)
    ... )
    >>> f"{fit.mean.median:.3f} ({fit.mean.ci_low:.3f} to {fit.mean.ci_high:.3f})"
    '-0.459 (-1.009 to 0.064)'
    """
    require_option("interval", interval, get_args(CredibleInterval))
    level = confidence_level(level)
    center, precision = normal_prior("mean_prior", mean_prior)
    studies = Studies.read(estimate, variance)
    models = [_model(studies, i, tau_prior, center, precision) for i in range(len(studies.k))]
    typical = typical_variance(studies)
    solved = [
        _solved(model, level, interval, there > 0, typical[i])
        for i, (model, there) in enumerate(zip(models, studies.present, strict=True))
    ]
    return BayesianFit(
        level=level,
        interval=interval,
        tau_prior=models[0].prior.label,
        mean_prior=None if mean_prior is None else (center, precision**-0.5),
        k=frozen(studies.k.astype(np.int64).reshape(studies.shape)),
        **_stacked(solved, studies.shape),
    )


def _model(
    studies: Studies, row: int, tau_prior: TauPrior, center: float, precision: float
) -> HierarchicalModel:
    there = studies.present[row] > 0
    variance = studies.variance[row, there]
    origin = float(studies.origin[row])
    return HierarchicalModel(
        estimate=studies.estimate[row, there],
        variance=variance,
        design=np.ones((len(variance), 1)),
        center=np.array([center - origin]),
        precision=np.array([precision]),
        prior=prior_for(tau_prior, variance),
        origin=origin,
    )


def _solved(
    model: HierarchicalModel,
    level: float,
    interval: CredibleInterval,
    there: NDArray[np.bool_],
    typical: float,
) -> dict[str, Any]:
    """Return every field of one data set but those that all data sets share."""
    solution = Solution.of(model)
    tau = heterogeneity_summary(solution.law, level)
    kinds = np.ones((2, 1)), np.array([False, True])
    rows = solution.effects(*kinds, level, studies=True)
    mean, prediction = ({n: v[i] for n, v in rows.items()} for i in range(2))
    effects = {n: spread_out(v[2:], there) for n, v in rows.items()}
    posteriors = {"mean": mean, "tau": tau, "prediction": prediction, "effects": effects}
    share = solution.mean_weights()
    square = np.full((len(there), len(there)), np.nan)
    square[np.ix_(there, there)] = solution.effect_weights()
    at = tau["median"], tau["central_low"], tau["central_high"]
    i2 = [i2_of(np.asarray(t) ** 2, np.asarray(typical)) for t in at]
    return {
        **{n: Posterior.of(s, level, interval) for n, s in posteriors.items()},
        **_evidence(solution, mean),
        "probability_positive": 1 - mean["law"].cdf(np.array(0.0)),
        **dict(zip(("i2", "i2_ci_low", "i2_ci_high"), i2, strict=True)),
        "weights": 100 * spread_out(share, there),
        "mean_prior_weight": 100 * (model.precision[0] > 0) * (1 - share.sum()),
        "effect_weights": 100 * square,
        "error": solution.grid.error,
        "nodes": len(solution.grid.tau),
        "solution": objects([solution])[0],
    }


def _evidence(solution: Solution, mean: Summary) -> dict[str, Any]:
    """Return maxima, marginal likelihood and Bayes factors."""
    model, origin = solution.model, solution.model.origin
    maxima = joint_maxima(model)
    proper_mean, proper_tau = bool(model.precision[0] > 0), model.prior.proper
    best = float(mean["mode"])
    top_mean = solution.grid.log_evidence + math.log(float(mean["law"].density(np.array(best))))
    if proper_mean:
        best, top_mean = most_likely_mean(model, float(maxima["ml_coefficients"][0]))
        best += origin
    none, most = model.log_likelihood(np.array([0.0, float(maxima["marginal_ml_tau"])]))
    zero_mean = log_likelihood_of_mean(model, -origin) if proper_tau else np.nan
    evidence = solution.grid.log_evidence if proper_mean and proper_tau else np.nan
    return {
        "ml_mean": maxima["ml_coefficients"][0] + origin,
        "ml_tau": maxima["ml_tau"],
        "marginal_ml_mean": best,
        "marginal_ml_tau": maxima["marginal_ml_tau"],
        "map_mean": maxima["map_coefficients"][0] + origin,
        "map_tau": maxima["map_tau"],
        "log_marginal_likelihood": evidence,
        "bayes_factor_zero_mean": exp_or_inf(zero_mean - evidence),
        "bayes_factor_zero_tau": exp_or_inf(none - evidence),
        "minimum_bayes_factor_zero_mean": exp_or_inf(zero_mean - top_mean),
        "minimum_bayes_factor_zero_tau": exp_or_inf(none - most) if proper_mean else np.nan,
    }


def _stacked(parts: list[dict[str, Any]], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the fields of many data sets, with leading axes `shape`."""
    if shape == ():
        return {n: v if isinstance(v, Posterior) else frozen(v) for n, v in parts[0].items()}
    together: dict[str, Any] = {}
    for name, first in parts[0].items():
        values = [part[name] for part in parts]
        if isinstance(first, Posterior):
            together[name] = Posterior.stacked(values, shape)
        else:
            together |= shaped({name: np.stack([np.asarray(v) for v in values])}, shape)
    return together


def _heterogeneity(tau: ArrayLike) -> FloatArray:
    values = numbers("tau", tau)
    require("tau", values, COUNT)
    return values
