"""The expected course of one patient, who is ill today."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trabecula.records import Topic
from trabecula.records.recovery_protocol import RecoveryOutcome
from trabecula.review.recovery import credible
from trabecula.review.recovery_model import Credible
from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.recovery.answers import Patient, log_rates
from trabecula.synthesis.recovery.course import Survival
from trabecula.synthesis.recovery.fit import RecoveryFit
from trabecula.synthesis.recovery.points import COMPLETE, SCORE

WEEKS = (2.0, 4.0, 8.0, 12.0, 26.0, 52.0)
"""Weeks from today at which the course is told."""

SEED = 19590101
"""Seed of the chance that one patient differs from the average."""


@dataclass(frozen=True, slots=True)
class Band:
    """The mean of such patients, and the limits between which 95 of 100 lie."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ForecastRow:
    """The score ``week`` weeks from today: the mean of such patients, and the band of one."""

    week: float
    natural: Band
    treated: Band | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected course of one patient.

    ``recovery`` is weeks from today until half of such patients have recovered.
    """

    title: str
    regimens: tuple[str, ...]
    treated_name: str
    rows: tuple[ForecastRow, ...]
    recovery: Credible
    recovery_treated: Credible | None
    sentences: tuple[str, ...]


def forecast(
    topic: Topic,
    fit: RecoveryFit,
    *,
    weeks_since_onset: float,
    score: float,
    regimens: tuple[str, ...] = (),
    site: str | None = None,
    pregnant: bool = False,
) -> Forecast:
    """Return the course expected of a patient who is ill today and starts a regimen today.

    Whoever falls ill sooner than the topic's typical start is taken as at that start; whoever is
    still ill later has shown to recover slowly, and that is reckoned with.

    Parameters
    ----------
    score
        Today's score on the instrument of the topic's first recovery outcome.
    site, pregnant
        Change the natural rate where the evidence has them.

    Raises
    ------
    ValueError
        A regimen or site without evidence, or a score off the scale: says what is allowed.
    """
    protocol = topic.file.protocol.recovery
    assert protocol is not None
    outcome = protocol.outcomes[0]
    highest = None if outcome.instrument is None else topic.instrument(outcome.instrument).highest
    if highest is not None and score > float(highest):
        raise ValueError(f"the score must not exceed {float(highest):g}, got {score:g}")
    moderators = _moderators(fit, site, pregnant)
    for regimen in regimens:
        if regimen not in fit.effects:
            allowed = ", ".join(e for e in fit.effects if topic.regimens[e].role == "active")
            raise ValueError(f"no evidence on how fast {regimen} makes recovery; known: {allowed}")
    waited = max(weeks_since_onset - float(protocol.start_week.value), 0.0)
    plain = Patient(outcome.id, (), moderators, new_study=True)
    treated = Patient(outcome.id, regimens, moderators, new_study=True)
    natural = _bands(score * _left(fit, plain, plain, waited))
    other = _bands(score * _left(fit, plain, treated, waited))
    half = credible(_until_half(fit, plain, plain, waited))
    half_treated = credible(_until_half(fit, plain, treated, waited))
    name = " with ".join(topic.regimens[r].name for r in regimens)
    return Forecast(
        title=(
            f"{outcome.name} {score:g} today, {weeks_since_onset:g} weeks after onset: expected "
            "score, and where 95 of 100 such patients lie"
        ),
        regimens=regimens,
        treated_name=name,
        rows=tuple(
            ForecastRow(week, without, with_it if regimens else None)
            for week, without, with_it in zip(WEEKS, natural, other, strict=True)
        ),
        recovery=half,
        recovery_treated=half_treated if regimens else None,
        sentences=_sentences(outcome, half, half_treated if regimens else None, name),
    )


def _moderators(
    fit: RecoveryFit, site: str | None, pregnant: bool
) -> tuple[tuple[str, float], ...]:
    found = []
    if site is not None:
        name = f"site:{site}"
        if name not in fit.moderator_names:
            known = [m.removeprefix("site:") for m in fit.moderator_names if m.startswith("site:")]
            raise ValueError(f"no evidence on the site {site!r}; known: {', '.join(known)}")
        found.append((name, 1.0))
    if pregnant and "pregnant" in fit.moderator_names:
        found.append(("pregnant", 1.0))
    return tuple(found)


def _left(fit: RecoveryFit, before: Patient, after: Patient, waited: float) -> FloatArray:
    """Return the share of today's score left (draws, `WEEKS`) in one patient who is ill today.

    As in the model: the complaint stays, or has gone but for the floor; chance decides when.
    """
    random = np.random.default_rng(SEED)
    until = _remaining(fit, before, after, waited, random.random(len(fit.spread)), kind=SCORE)
    floor = fit.floor[:, fit.outcomes.index(before.outcome), None]
    return np.where(np.array(WEEKS) >= until[:, None], floor, 1.0)


def _bands(scores: FloatArray) -> list[Band]:
    low, high = np.quantile(scores, [0.025, 0.975], axis=0)
    columns = zip(scores.mean(axis=0), low, high, strict=True)
    return [Band(float(m), float(lower), float(upper)) for m, lower, upper in columns]


def _until_half(fit: RecoveryFit, before: Patient, after: Patient, waited: float) -> FloatArray:
    return _remaining(fit, before, after, waited, np.full(len(fit.spread), 0.5))


def _remaining(
    fit: RecoveryFit,
    before: Patient,
    after: Patient,
    waited: float,
    share: FloatArray,
    *,
    kind: int = COMPLETE,
) -> FloatArray:
    """Return weeks from today until `share` of those ill today have recovered (draws,).

    Until today the natural rate counted, from today that with treatment: the clock runs faster.
    """
    k = fit.outcomes.index(before.outcome)
    rate, faster = (log_rates(fit, patient, kind=kind) for patient in (before, after))
    survival = Survival(fit.form, rate, fit.spread[:, k])
    at_today = survival.log_survival(np.log(waited)) if waited > 0 else 0.0
    weeks = np.exp(survival.log_week(at_today + np.log1p(-share))) - waited
    return np.asarray(np.maximum(weeks, 0.0) * np.exp(rate - faster))


def _sentences(
    outcome: RecoveryOutcome, half: Credible, treated: Credible | None, name: str
) -> tuple[str, ...]:
    told = [
        f"Half of such patients are {outcome.recovered} {half.median:.0f} weeks from now without "
        f"treatment (95 % credible interval {half.low:.0f} to {half.high:.0f})."
    ]
    if treated is not None:
        told.append(
            f"With {name}: {treated.median:.0f} weeks ({treated.low:.0f} to {treated.high:.0f})."
        )
    return (*told, "The evidence is weak; this informs a clinician's own judgement and no more.")
