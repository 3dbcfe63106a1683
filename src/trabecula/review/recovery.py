"""The answers of the recovery model: natural courses, and what each regimen adds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trabecula.effects.derive import EffectTable
from trabecula.records import Topic
from trabecula.records.recovery_protocol import RecoveryOutcome, RecoveryProtocol
from trabecula.review.recovery_evidence import RecoveryInput, recovery_input, recovery_priors
from trabecula.review.recovery_fits import Progress, run_tasks
from trabecula.review.recovery_model import (
    Check,
    Contribution,
    Course,
    Credible,
    Diagnostics,
    ModelComparison,
    NaturalCourse,
    RecoveryRow,
    RecoverySynthesis,
    RegimenRecovery,
    TrialPlan,
)
from trabecula.review.recovery_model import Variant as Answer
from trabecula.review.recovery_variants import R_HAT, Lane, lanes, studies_with, tasks_of
from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.recovery.answers import (
    Patient,
    recovered,
    score_left,
    weeks_to_recovery,
    weeks_to_score,
)
from trabecula.synthesis.recovery.best_week import best_week
from trabecula.synthesis.recovery.fit import RecoveryFit
from trabecula.synthesis.recovery.sample import observed
from trabecula.synthesis.sampling.elpd_comparison import compare_elpd
from trabecula.synthesis.sampling.psis import psis_loo

WEEKS = tuple(float(week) for week in (*range(27), *range(28, 53, 2), *range(56, 105, 4)))
"""Weeks at which courses are drawn."""

WORTHWHILE = 1.25
"""Smallest rate ratio for which a trial is planned: recovery a quarter faster."""

POWER = 0.8

MOST_PATIENTS = 5000
"""A trial of more patients an arm will not be done."""

SURE, LIKELY = 0.975, 0.9
"""From which probability a regimen *probably*, or *may*, change how fast recovery is."""

FORMS = {
    "primary": "Weibull times, natural courses differ",
    "log-normal": "log-normal times",
    "log-logistic": "log-logistic times",
    "one-course": "one natural course for all studies",
}
"""Forms of the model that are compared by how well they predict left-out rows."""

EVIDENCE = {
    "log-normal": "log-normal times",
    "log-logistic": "log-logistic times",
    "one-course": "one natural course for all studies",
    "interactions": "combined regimens may differ from their sum",
    "all-strata": "studies of other diseases too",
}
"""Sensitivity analyses that need a fit of their own."""


@dataclass(frozen=True)
class _Work:
    topic: Topic
    protocol: RecoveryProtocol
    found: RecoveryInput
    fits: dict[str, list[RecoveryFit]]
    lanes: list[Lane]

    @property
    def fit(self) -> RecoveryFit:
        return self.fits["primary"][0]


def recovery_synthesis(
    topic: Topic,
    effects: EffectTable,
    *,
    keep: Path | None = None,
    progress: Progress | None = None,
) -> RecoverySynthesis | None:
    """Return the answers of the recovery model; None where the protocol asks for none.

    Parameters
    ----------
    keep
        Folder in which fits are kept until what they depend on changes.
    progress
        Called as ``progress("recovery model", done, total)``.

    Raises
    ------
    NotConverged
        If a fit fails its checks: an error with advice, not a result.
    """
    protocol = topic.file.protocol.recovery
    if protocol is None:
        return None
    found = recovery_input(topic, effects, "primary")
    priors = recovery_priors(topic, "primary")
    tasks = tasks_of(
        topic,
        found,
        recovery_input(topic, effects, "all"),
        recovery_input(topic, effects, "primary", interactions=True),
        priors,
    )
    fits = run_tasks(tasks, keep=keep, progress=progress)
    work = _Work(topic, protocol, found, fits, lanes(protocol, found, priors))
    diagnostics = work.fit.diagnostics
    settings = tasks[0].settings
    first = protocol.outcomes[0]
    return RecoverySynthesis(
        outcomes=tuple(o.id for o in protocol.outcomes),
        natural=tuple(_natural(work, o) for o in protocol.outcomes),
        regimens=tuple(_answers(work)),
        rows=found.rows,
        omissions=found.omissions,
        checks=tuple(_checks(work)),
        comparisons=tuple(_comparisons(work)),
        diagnostics=Diagnostics(
            r_hat=diagnostics.r_hat,
            bulk=diagnostics.bulk,
            tail=diagnostics.tail,
            divergences=diagnostics.divergences,
            chains=settings.chains,
            draws=settings.draws,
        ),
        start_week=float(protocol.start_week.value),
        baseline=float(first.baseline.value) if first.baseline else 1.0,
        instrument=first.instrument or "",
        studies=found.evidence.studies,
    )


def primary_fit(topic: Topic, effects: EffectTable, *, keep: Path | None = None) -> RecoveryFit:
    """Return the primary fit alone, as forecasts need it."""
    found = recovery_input(topic, effects, "primary")
    priors = recovery_priors(topic, "primary")
    task = tasks_of(topic, found, found, found, priors)[0]
    return run_tasks([task], keep=keep)["primary"][0]


def credible(draws: FloatArray) -> Credible:
    """Return the median and the 95 % limits of draws."""
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975])
    return Credible(float(middle), float(low), float(high))


def course(draws: FloatArray, new: FloatArray | None = None) -> Course:
    """Return the course of draws (draws, `WEEKS`), and the band of `new` ones."""
    low, middle, high = np.quantile(draws, [0.025, 0.5, 0.975], axis=0)
    band = np.quantile(draws[:, :0] if new is None else new, [0.025, 0.975], axis=0)
    columns = (middle, low, high, *band)
    return Course(WEEKS, *(tuple(float(v) for v in column) for column in columns))


# --- natural course -----------------------------------------------------------------------


def _natural(work: _Work, outcome: RecoveryOutcome) -> NaturalCourse:
    fit, k = work.fit, work.fit.outcomes.index(outcome.id)
    typical, new = Patient(outcome.id), Patient(outcome.id, new_study=True)
    untreated = [r for r in _rows(work, outcome.id) if not _effects_of(work, r)]
    return NaturalCourse(
        outcome=outcome.id,
        recovered=course(recovered(fit, typical, WEEKS), recovered(fit, new, WEEKS)),
        median_weeks=credible(weeks_to_recovery(fit, typical)),
        new_study=credible(weeks_to_recovery(fit, new)),
        never=credible(fit.never[:, k]),
        last_week=max((_last_week(work, r) for r in untreated), default=0.0),
        studies=tuple(dict.fromkeys(r.study for r in untreated)),
        groups=tuple(_groups(work, outcome)),
    )


def _groups(work: _Work, outcome: RecoveryOutcome) -> Iterator[tuple[str, int, Credible, Credible]]:
    fit, k = work.fit, work.fit.outcomes.index(outcome.id)
    reporting = {r.study for r in _rows(work, outcome.id)}
    for m, name in enumerate(fit.moderator_names):
        inside = work.found.evidence.moderators[:, m] > 0
        named = zip(work.found.evidence.studies, inside, strict=True)
        studies = sum(1 for study, there in named if there and study in reporting)
        if studies:
            weeks = weeks_to_recovery(fit, Patient(outcome.id, moderators=((name, 1.0),)))
            yield name, studies, credible(weeks), credible(np.exp(fit.moderator[:, m, k]))


def _rows(work: _Work, outcome: str) -> list[RecoveryRow]:
    return [row for row in work.found.rows if row.outcome == outcome]


def _effects_of(work: _Work, row: RecoveryRow) -> tuple[str, ...]:
    place = work.found.arms.index((row.study, row.arms[0]))
    given = work.found.evidence.design[place] > 0
    return tuple(e for e, g in zip(work.found.evidence.effects, given, strict=True) if g)


def _last_week(work: _Work, row: RecoveryRow) -> float:
    """Return the week up to which a row looks: that of a count or score, the longest time."""
    evidence = work.found.evidence
    if row.kind == "time":
        upper = evidence.times.upper[row.place]
        return float(evidence.times.value[row.place] if np.isnan(upper) else upper)
    return row.week or 0.0


# --- regimens -----------------------------------------------------------------------------


def _answers(work: _Work) -> Iterator[RegimenRecovery]:
    regimens = sorted(work.topic.regimens.values(), key=lambda r: r.order)
    for outcome in work.protocol.outcomes:
        for regimen in regimens:
            if regimen.id in work.fit.effects and regimen.role == "active":
                yield _answer(work, regimen.id, outcome)


def _answer(work: _Work, regimen: str, outcome: RecoveryOutcome) -> RegimenRecovery:
    fit, protocol = work.fit, work.protocol
    plain, with_it = Patient(outcome.id), Patient(outcome.id, (regimen,))
    ratio = _ratio(fit, regimen, outcome.id)
    given = [r for r in _rows(work, outcome.id) if regimen in _given(work, r)]
    own = tuple(dict.fromkeys(r.study for r in given))
    compared = tuple(s for s in studies_with(work.found, regimen)[1] if s in own)
    saved = weeks_to_recovery(fit, plain) - weeks_to_recovery(fit, with_it)
    scored = outcome.baseline is not None and outcome.instrument is not None
    points = float(outcome.baseline.value) if outcome.baseline else 1.0
    half, natural_half = (weeks_to_score(fit, p) for p in (with_it, plain))
    at = [float(week) for week in protocol.weeks]
    apart = points * (score_left(fit, with_it, at) - score_left(fit, plain, at))
    answer = credible(ratio)
    faster = float((ratio > 1).mean())
    return RegimenRecovery(
        regimen=regimen,
        outcome=outcome.id,
        rate_ratio=answer,
        p_faster=faster,
        p_quarter_faster=float((ratio > WORTHWHILE).mean()),
        studies=own,
        comparative_studies=compared,
        patients=_patients(given),
        contribution=_contribution(work, regimen, outcome.id),
        recovered=course(recovered(fit, with_it, WEEKS)),
        recovered_naturally=course(recovered(fit, plain, WEEKS)),
        score=course(points * score_left(fit, with_it, WEEKS)) if scored else None,
        score_naturally=course(points * score_left(fit, plain, WEEKS)) if scored else None,
        score_difference=tuple(zip(at, map(credible, apart.T), strict=True)) if scored else (),
        weeks_to_half=_finite(half),
        weeks_to_half_naturally=_finite(natural_half),
        weeks_saved_to_half=_finite(natural_half - half),
        weeks_to_recovery=credible(weeks_to_recovery(fit, with_it)),
        weeks_to_recovery_naturally=credible(weeks_to_recovery(fit, plain)),
        weeks_saved=credible(saved),
        last_week=max((_last_week(work, r) for r in given), default=None),
        variants=tuple(_variants(work, regimen, outcome.id)),
        trial=_trial(work, outcome, answer.median),
        words=_words(work, regimen, outcome, answer, faster),
    )


def _given(work: _Work, row: RecoveryRow) -> set[str]:
    """Return the effects that any arm of a row had."""
    study = work.topic.studies[row.study]
    return {regimen for arm in row.arms for regimen in study.arm(arm).regimens}


def _patients(rows: Iterable[RecoveryRow]) -> int:
    most: dict[tuple[str, tuple[str, ...]], int] = {}
    for row in rows:
        key = row.study, row.arms
        most[key] = max(most.get(key, 0), row.n or 0)
    return sum(most.values())


def _ratio(fit: RecoveryFit, regimen: str, outcome: str) -> FloatArray:
    effect = fit.effect[:, fit.effects.index(regimen), fit.outcomes.index(outcome)]
    return np.asarray(np.exp(effect))


def _finite(draws: FloatArray) -> Credible | None:
    """Return the posterior of weeks, None where more than 2.5 % never get there."""
    if np.isfinite(draws).mean() < SURE:
        return None
    return credible(draws[np.isfinite(draws)])


def _variants(work: _Work, regimen: str, outcome: str) -> Iterator[Answer]:
    told = work.fits["sensitivity"]
    for lane, fit in zip(work.lanes, told, strict=True):
        if lane.shown and fit.diagnostics.r_hat <= R_HAT:
            yield Answer(lane.id, lane.label, lane.kind, credible(_ratio(fit, regimen, outcome)))
    for name, label in EVIDENCE.items():
        fit = work.fits[name][0]
        if fit.diagnostics.r_hat > R_HAT:
            continue
        kind = "evidence" if name in {"all-strata", "interactions"} else "form"
        yield Answer(name, label, kind, credible(_ratio(fit, regimen, outcome)))  # type: ignore[arg-type]


def _contribution(work: _Work, regimen: str, outcome: str) -> Contribution:
    """Return the shares of the precision of an effect, by what each body of evidence adds."""
    priors, fit = work.fit.priors, work.fit
    parent = work.topic.regimens[regimen].parent
    member = (parent is not None and parent in fit.effects) or _has_class(work, regimen)
    before = priors.effect_sd**2 + (priors.member_sd**2 if member else 0.0)
    told = zip(work.lanes, work.fits["sensitivity"], strict=True)
    by_id = {lane.id: found for lane, found in told if found.diagnostics.r_hat <= R_HAT}

    def precision(found: RecoveryFit) -> float:
        return float(1 / np.log(_ratio(found, regimen, outcome)).var())

    everything = precision(fit)
    borrowed = precision(by_id.get(f"borrowed:{regimen}", fit))
    single = precision(by_id.get(f"single:{regimen}", fit))
    steps = np.maximum.accumulate([1 / before, max(borrowed, 1 / before), single, everything])
    parts = np.diff(steps, prepend=0.0) / steps[-1]
    return Contribution(*(float(part) for part in parts))


def _has_class(work: _Work, regimen: str) -> bool:
    evidence = work.found.evidence
    name = evidence.effect_class[evidence.effects.index(regimen)]
    return name is not None and name != regimen


def _trial(work: _Work, outcome: RecoveryOutcome, median: float) -> TrialPlan:
    """Return the smallest trial of the effect expected, or of the smallest worth a trial."""
    ratio = max(median, WORTHWHILE)
    weeks = np.arange(1.0, 105.0)
    typical = Patient(outcome.id)
    natural = recovered(work.fit, typical, weeks).mean(axis=0)
    treated = recovered(work.fit, typical, ratio * weeks).mean(axis=0)
    plan = best_week(weeks, natural, treated, power=POWER)
    patients = float(plan.patients)
    return TrialPlan(
        outcome=outcome.id,
        measure=outcome.recovered,
        week=float(plan.week),
        rate_ratio=ratio,
        natural=float(plan.natural),
        treated=float(plan.treated),
        power=POWER,
        patients_per_arm=int(patients) if patients <= MOST_PATIENTS else None,
        limit=MOST_PATIENTS,
    )


def _words(
    work: _Work, regimen: str, outcome: RecoveryOutcome, ratio: Credible, faster: float
) -> str:
    """Return the answer in a fixed phrase: the size, and how sure it is."""
    name, what = work.topic.regimens[regimen].name, outcome.name[0].lower() + outcome.name[1:]
    size = (
        f"rate ratio {ratio.median:.2f}, 95 % credible interval {ratio.low:.2f} to {ratio.high:.2f}"
    )
    slower = 1 - faster
    if max(faster, slower) < LIKELY:
        return f"We cannot tell whether {name} changes how fast {what} recovers ({size})."
    sure = "probably makes" if max(faster, slower) >= SURE else "may make"
    way = "faster" if faster > slower else "slower"
    return f"{name} {sure} recovery of {what} {way} ({size})."


# --- checks -------------------------------------------------------------------------------


def _checks(work: _Work) -> Iterator[Check]:
    seen = observed(work.found.evidence)
    for row, value, new in zip(work.found.rows, seen, work.fit.replicates.T, strict=True):
        if not np.isnan(value):
            below = float((new <= value).mean())
            tail = min(below, float((new >= value).mean()), 0.5)
            yield Check(row, float(value), credible(new), tail)


def _comparisons(work: _Work) -> Iterator[ModelComparison]:
    loos = {name: psis_loo(work.fits[name][0].log_likelihood) for name in FORMS}
    compared = compare_elpd(loos)
    for i, name in enumerate(compared.models):
        yield ModelComparison(
            id=name,
            label=FORMS[name],
            primary=name == "primary",
            elpd=float(compared.elpd[i]),
            difference=float(compared.difference[i]),
            difference_se=float(compared.difference_se[i]),
            bad_k=int(compared.unreliable[i]),
        )
