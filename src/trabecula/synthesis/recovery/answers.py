"""What a fit says: courses with and without treatment, weeks saved, and one patient's forecast.

Weeks count from start. Arrays of draws come first: (draws, ...). A *delay* is the weeks from onset
to start.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, numbers
from trabecula.synthesis.recovery.course import Survival
from trabecula.synthesis.recovery.fit import RecoveryFit
from trabecula.synthesis.recovery.points import COMPLETE, SCORE


@dataclass(frozen=True, slots=True, eq=False)
class Patient:
    """Whose course is asked for: an outcome, effects, and where and when.

    ``moderators`` are values by name (others 0), ``delay`` weeks from onset to start (None: the
    typical), ``new_study`` whether the course is that of a new study, whose deviation is drawn
    (True), or the average one.
    """

    outcome: str
    effects: tuple[str, ...] = ()
    moderators: tuple[tuple[str, float], ...] = ()
    delay: float | None = None
    new_study: bool = False


def log_rates(fit: RecoveryFit, patient: Patient, *, kind: int = COMPLETE) -> FloatArray:
    """Return the logarithm of the rate of each draw (draws,); minus it, of the median in weeks."""
    k = fit.outcomes.index(patient.outcome)
    rate = -fit.log_median[:, k]
    for effect in patient.effects:
        rate = rate + fit.effect[:, fit.effects.index(effect), k]
    for name, value in patient.moderators:
        rate = rate + value * fit.moderator[:, fit.moderator_names.index(name), k]
    if patient.delay is not None:
        rate = rate + fit.delay_slope[:, k] * np.log(patient.delay / fit.priors.delay_weeks)
    if patient.new_study:
        random = np.random.default_rng(fit.effect.shape[0])
        rate = rate + fit.study_sd[:, k] * random.standard_normal(len(rate))
    if kind != COMPLETE:
        rate = rate + fit.sooner[:, kind - 1, k]
    return np.asarray(rate)


def _survival(fit: RecoveryFit, patient: Patient, kind: int) -> Survival:
    spread = fit.spread[:, fit.outcomes.index(patient.outcome), None]
    return Survival(fit.form, log_rates(fit, patient, kind=kind)[:, None], spread)


def recovered(
    fit: RecoveryFit, patient: Patient, weeks: ArrayLike, *, kind: int = COMPLETE
) -> FloatArray:
    """Return shares recovered by `weeks` (draws, weeks); those who never do count."""
    at = numbers("weeks", weeks)
    with np.errstate(divide="ignore"):
        ill = np.exp(_survival(fit, patient, kind).log_survival(np.log(at)))
    k = fit.outcomes.index(patient.outcome)
    never = fit.never[:, k, None] if kind == COMPLETE else 0.0
    return np.asarray((1 - never) * (1 - ill))


def score_left(fit: RecoveryFit, patient: Patient, weeks: ArrayLike) -> FloatArray:
    """Return the share of a score's baseline that is left on average at `weeks` (draws, weeks)."""
    at = numbers("weeks", weeks)
    with np.errstate(divide="ignore"):
        ill = np.exp(_survival(fit, patient, SCORE).log_survival(np.log(at)))
    floor = fit.floor[:, fit.outcomes.index(patient.outcome), None]
    return np.asarray(floor + (1 - floor) * ill)


def weeks_to_recovery(fit: RecoveryFit, patient: Patient, share: float = 0.5) -> FloatArray:
    """Return weeks until `share` of those who will recover completely have (draws,)."""
    survival = _survival(fit, patient, COMPLETE)
    return np.asarray(np.exp(survival.log_week(np.log1p(-share)))[:, 0])


def weeks_to_score(fit: RecoveryFit, patient: Patient, left: float = 0.5) -> FloatArray:
    """Return weeks until the share `left` of a score's baseline is left (draws,).

    Infinite in draws whose floor is higher.
    """
    floor = fit.floor[:, fit.outcomes.index(patient.outcome), None]
    ill = (left - floor) / (1 - floor)
    with np.errstate(divide="ignore", invalid="ignore"):
        weeks = np.exp(_survival(fit, patient, SCORE).log_week(np.log(ill)))
    return np.asarray(np.where(ill > 0, weeks, np.inf)[:, 0])
