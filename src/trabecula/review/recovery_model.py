"""Recovery: what the model of recovery says, in the words of the topic.

Vocabulary: a *course* is what happens with time; the *natural* one is that of waiting (the
reference regimen). Weeks of courses count from the *start* of treatment, which comes
``start_week`` weeks after onset, unless a field says *from onset*. A *rate ratio* above 1 means
sooner.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from trabecula.effects.estimate import Basis, RowRef

EvidenceKind = Literal["score", "complete", "partial", "time", "test"]
"""What a row shows: a score, complete or partial recovery by a week, times, or a test."""

VariantKind = Literal["prior", "evidence", "form", "study"]
"""What a sensitivity analysis changes: a prior, which evidence, the form of the curve, or one
study left out."""


@dataclass(frozen=True, slots=True)
class Credible:
    """A posterior: median and 95 % limits."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """A row of a record as it enters the model.

    ``text`` says it with its figures; ``basis`` is that of the least trusted figure. ``week`` is
    as recorded on ``clock``, None for times and for tests without a week. ``value``, ``low`` and
    ``high`` are the observed figure with its 95 % limits on the scale of ``kind``: a share of the
    baseline left (score), a share of patients recovered (complete, partial), weeks (time); None
    for tests. ``table`` and ``place`` point to the library's table of evidence.
    """

    study: str
    arms: tuple[str, ...]
    treatment: str
    outcome: str
    kind: EvidenceKind
    week: float | None
    clock: str
    n: int | None
    value: float | None
    low: float | None
    high: float | None
    text: str
    basis: Basis
    rows: tuple[RowRef, ...]
    table: Literal["scores", "counts", "times", "tests"]
    place: int


@dataclass(frozen=True, slots=True)
class RecoveryOmission:
    """A row of a recovery outcome that does not enter, and why (``rule`` short and stable)."""

    row: RowRef
    outcome: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Course:
    """A curve with its 95 % limits; all tuples of one length.

    ``new_low`` and ``new_high`` bound where the course of a new study (natural courses) or of
    one patient (forecasts) is expected with 95 % probability.
    """

    weeks: tuple[float, ...]
    value: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    new_low: tuple[float, ...] = ()
    new_high: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class NaturalCourse:
    """How an outcome goes by itself, in weeks from start, which comes ``start_week`` after onset.

    ``recovered`` is the share completely recovered; ``median_weeks`` when half are; ``never``
    the share that never does. ``last_week`` is the latest week of any observation of untreated
    patients: what lies beyond is extrapolated. ``groups`` are courses by moderator
    (name, studies, weeks until half have recovered, rate ratio against the average).
    """

    outcome: str
    recovered: Course
    median_weeks: Credible
    new_study: Credible
    never: Credible
    last_week: float
    studies: tuple[str, ...]
    groups: tuple[tuple[str, int, Credible, Credible], ...]


@dataclass(frozen=True, slots=True)
class Contribution:
    """Of what an answer is made, as shares of its precision that add to 1.

    ``prior``: assumed before any evidence; ``borrowed``: from other regimens and outcomes;
    ``single_arm`` and ``comparative``: studies in which the regimen was given.
    """

    prior: float
    borrowed: float
    single_arm: float
    comparative: float


@dataclass(frozen=True, slots=True)
class Variant:
    """The rate ratio under one sensitivity analysis (``id`` stable, ``label`` for readers)."""

    id: str
    label: str
    kind: VariantKind
    rate_ratio: Credible


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """The trial that would settle whether a regimen speeds recovery.

    Two arms, against the reference; ``week`` is when the outcome is counted (``measure`` says
    in words), ``natural`` and ``treated`` the expected shares recovered, ``patients_per_arm`` for
    ``power`` at a two-sided level of 5 %; ``rate_ratio`` is the effect planned for.
    ``None`` of patients: more than ``limit`` an arm.
    """

    outcome: str
    measure: str
    week: float
    rate_ratio: float
    natural: float
    treated: float
    power: float
    patients_per_arm: int | None
    limit: int


@dataclass(frozen=True, slots=True)
class RegimenRecovery:
    """What a regimen adds to recovery of one outcome.

    ``course`` and ``natural`` are the score (points of the instrument) from the typical start
    and baseline, with and without; None for outcomes without a common score. ``weeks_to_half``
    of the score and ``weeks_to_recovery`` (until half have recovered completely) count from
    start, each with and without; ``weeks_saved`` and ``weeks_saved_to_half`` are differences.
    ``last_week`` is the latest week at which the regimen was observed; later is extrapolated.
    ``words`` is the answer in a fixed phrase.
    """

    regimen: str
    outcome: str
    rate_ratio: Credible
    p_faster: float
    p_quarter_faster: float
    studies: tuple[str, ...]
    comparative_studies: tuple[str, ...]
    patients: int
    contribution: Contribution
    recovered: Course
    recovered_naturally: Course
    score: Course | None
    score_naturally: Course | None
    score_difference: tuple[tuple[float, Credible], ...]
    weeks_to_half: Credible | None
    weeks_to_half_naturally: Credible | None
    weeks_saved_to_half: Credible | None
    weeks_to_recovery: Credible
    weeks_to_recovery_naturally: Credible
    weeks_saved: Credible
    last_week: float | None
    variants: tuple[Variant, ...]
    trial: TrialPlan
    words: str


@dataclass(frozen=True, slots=True)
class Check:
    """A study's data against what the model expects of it (posterior predictive).

    ``observed`` and the 95 % limits of ``expected`` are on the scale of the row's kind; ``tail``
    is the probability of a replicate at least as far on the same side, 0 to 0.5.
    """

    row: RecoveryRow
    observed: float
    expected: Credible
    tail: float


@dataclass(frozen=True, slots=True)
class ModelComparison:
    """A form of the model: expected log predictive density and how it differs from the best."""

    id: str
    label: str
    primary: bool
    elpd: float
    difference: float
    difference_se: float
    bad_k: int


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """How well the computation went: worst R-hat, smallest ESS of any reported quantity."""

    r_hat: float
    bulk: float
    tail: float
    divergences: int
    chains: int
    draws: int


@dataclass(frozen=True, slots=True)
class RecoverySynthesis:
    """All answers of the recovery model.

    ``start_week`` and ``baseline`` are those of the typical patient, ``instrument`` that
    of the score.
    """

    outcomes: tuple[str, ...]
    natural: tuple[NaturalCourse, ...]
    regimens: tuple[RegimenRecovery, ...]
    rows: tuple[RecoveryRow, ...]
    omissions: tuple[RecoveryOmission, ...]
    checks: tuple[Check, ...]
    comparisons: tuple[ModelComparison, ...]
    diagnostics: Diagnostics
    start_week: float
    baseline: float
    instrument: str
    studies: tuple[str, ...]

    def of(self, regimen: str, outcome: str) -> RegimenRecovery | None:
        """Return the answer for `regimen` and `outcome`, None if it has none."""
        for answer in self.regimens:
            if answer.regimen == regimen and answer.outcome == outcome:
                return answer
        return None

    def natural_of(self, outcome: str) -> NaturalCourse:
        """Return the natural course of `outcome`; `KeyError` if it has none."""
        for course in self.natural:
            if course.outcome == outcome:
                return course
        raise KeyError(outcome)
