"""Draws from the posterior of a time-course network, checked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.sampling.convergence import Diagnostics, diagnosed
from trabecula.synthesis.sampling.settings import Settings
from trabecula.synthesis.time_course.collapsed import CollapsedPosterior
from trabecula.synthesis.time_course.independence_sampler import sample_hyperparameters

ADVICE = (
    "look whether the studies tell the shape of the curve: without means on either side of its "
    "bend, take a curve without parameters",
    "give tau_prior a smaller scale if its tail is implausible",
)


@dataclass(frozen=True, slots=True, eq=False)
class TimeCourseDraws:
    """Draws (draws, ...), one chain after the other, that have passed the checks.

    ``effect`` (draws, coefficients, treatments but the reference), ``study`` (draws, studies,
    1 + coefficients), the baseline and the course of the first arm.
    """

    parameter: FloatArray
    tau: FloatArray
    effect: FloatArray
    study: FloatArray
    residual_deviance: FloatArray
    diagnostics: Diagnostics


def sample(posterior: CollapsedPosterior, settings: Settings) -> TimeCourseDraws:
    """Return draws from the posterior.

    Parameters of the curve and heterogeneities are sampled with all else integrated out; what
    was integrated out is drawn given them. Where there are none, all draws are independent.

    Raises
    ------
    NotConverged
        If chains disagree or hold too few effective draws.
    """
    evidence = posterior.evidence
    seen = evidence.observed
    after = evidence.time[seen & (evidence.time > 0)]
    parameter = posterior.curve.guess(after)
    posterior.require_digits(parameter)
    tau = min(posterior.priors.tau, max(float(evidence.y[seen].std()), np.finfo(float).tiny) / 3)
    spread = [tau] * len(posterior.random)
    guess, unit = (
        np.array([*np.log(parameter), *spread]),
        np.array([*np.ones(len(parameter)), *spread]),
    )
    shape = (settings.chains, settings.draws)
    values = sample_hyperparameters(posterior, guess, unit, *shape, settings.seed)
    flat = values.reshape(shape[0] * shape[1], posterior.dimensions)
    linear = posterior.draw(flat, settings.seed)
    told = (values, linear.effect, linear.study, linear.residual_deviance)
    table = np.concatenate([part.reshape(*shape, -1) for part in told if part.size], axis=-1)
    return TimeCourseDraws(
        parameter=np.exp(flat[:, : len(parameter)]),
        tau=flat[:, len(parameter) :],
        effect=linear.effect,
        study=linear.study,
        residual_deviance=linear.residual_deviance,
        diagnostics=diagnosed(table, 0, ADVICE),
    )
