"""What the recovery model needs of a topic: what counts as recovery, and what is assumed.

Vocabulary: *complete* recovery is the event (free of complaint); a *partial* one any lesser that
complete recovery includes; a *score* falls from its baseline towards 0. Treatment *starts* some
weeks after the *onset* of the complaint.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trabecula.records.assumption import AssumedScale, Assumption
from trabecula.records.base import Figure, Identifier, Record, Text

Weeks = Annotated[Figure, Field(gt=0, le=1000)]
"""A time above 0."""

NotNegative = Annotated[Figure, Field(ge=0, le=100)]
"""A scale of a prior; 0 takes what it describes for absent."""

InnerShare = Annotated[Figure, Field(gt=0, lt=1)]
"""A share that is neither nothing nor all, as its log odds must exist."""

CorrelationAboveZero = Annotated[Figure, Field(ge=0, lt=1)]
"""A correlation of 0 or more, below 1."""


class AssumedWeeks(Assumption):
    """An assumed time."""

    value: Weeks
    sensitivity: tuple[Weeks, ...] = ()


class PriorMedian(AssumedWeeks):
    """Weeks from start until half have recovered of themselves, before any evidence."""

    outcome: Identifier


class PriorScale(Assumption):
    """A scale that may be 0, which takes what it describes for absent."""

    value: NotNegative
    sensitivity: tuple[NotNegative, ...] = ()


class PriorShare(Assumption):
    """The median of a share."""

    value: InnerShare
    sensitivity: tuple[InnerShare, ...] = ()


class PriorCorrelation(Assumption):
    """A correlation of two things that go the same way, if any."""

    value: CorrelationAboveZero
    sensitivity: tuple[CorrelationAboveZero, ...] = ()


class RecoveryPriors(Record):
    """The priors of the recovery model, by the names of its library.

    Scales and standard deviations are those of logarithms of rates (1 over weeks) and of times;
    those of the two shares, of log odds. ``median_weeks`` has one entry an outcome.
    """

    median_weeks: Annotated[tuple[PriorMedian, ...], Field(min_length=1)]
    median_log_sd: AssumedScale
    spread: AssumedScale
    spread_log_sd: AssumedScale
    study_sd: PriorScale
    effect_sd: AssumedScale
    member_sd: PriorScale
    arm_sd: PriorScale
    outcome_correlation: PriorCorrelation
    uncontrolled_optimism: PriorScale
    unblinded_optimism: PriorScale
    moderator_sd: AssumedScale
    never_recover: PriorShare
    never_recover_log_odds_sd: AssumedScale
    floor: PriorShare
    floor_log_odds_sd: AssumedScale
    kind_sd: PriorScale
    delay_weeks: AssumedWeeks
    delay_log_sd: AssumedScale
    delay_error: AssumedScale


class RecoveryOutcome(Record):
    """A complaint that goes, and the outcomes by which studies show it.

    ``complete`` and ``partial`` are counts, ``score`` are scores (of 0 where the complaint has
    gone), ``time`` is weeks to complete recovery; ``recovered`` says complete recovery in words.
    Scores are told in points of ``instrument``, for a patient who starts at ``baseline``, where
    both are given; that baseline is also taken for groups that print none.
    """

    id: Identifier
    name: Text
    recovered: Text
    complete: Identifier
    partial: Identifier | None = None
    score: tuple[Identifier, ...] = ()
    time: Identifier | None = None
    instrument: Identifier | None = None
    baseline: AssumedScale | None = None


class RecoveryProtocol(Record):
    """What the recovery model asks, and what it takes for granted.

    ``start_week`` is when treatment begins in the typical patient, weeks from onset; ``weeks``
    are those after the start at which scores are told. Of tests of the same arms at several
    times the one nearest to ``test_week`` enters, whatever it found.
    """

    outcomes: Annotated[tuple[RecoveryOutcome, ...], Field(min_length=1)]
    start_week: AssumedWeeks
    weeks: Annotated[tuple[Weeks, ...], Field(min_length=1)]
    test_week: AssumedWeeks
    priors: RecoveryPriors
