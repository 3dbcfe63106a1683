"""What studies show of recovery: scores, counts, times and tests of arms, as arrays.

Vocabulary. The clock of a patient runs from *onset*. Treatment, or observation, *starts* some
weeks later, after the study's *delay*. *Complete* recovery is the event (free of complaint);
*partial* recovery is any lesser one that complete recovery includes; a *score* falls from its
baseline towards a floor. An *effect* is what a treatment adds to the rate of recovery; arms
without any show the natural course.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, Interval, numbers, require
from trabecula.synthesis.result import frozen

Kind = Literal["complete", "partial", "score"]
"""What is followed: complete recovery, a lesser one, or a score."""

Clock = Literal["start", "onset"]
"""From when weeks are counted."""

KINDS: tuple[Kind, ...] = ("complete", "partial", "score")
CLOCKS: tuple[Clock, ...] = ("start", "onset")
STATISTICS = ("mean", "median", "range")

POSITIVE = Interval("(0, 1e+30]")
NOT_NEGATIVE = Interval("[0, 1e+30]")
SHARE = Interval("[0, 1]")
CORRELATION = Interval("(-1, 1)")
ANY = Interval("[-inf, inf]")


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Mean scores: one entry an arm, outcome and week after baseline.

    ``mean`` and ``baseline`` are on one scale that is 0 without complaint; only their ratio
    counts. ``correlation`` is that of a patient's two values. ``se_log_sd`` is the standard
    deviation of the logarithm of ``se``: 0 where the study prints it, above 0 where it was
    borrowed from others.
    """

    arm: IntArray
    outcome: IntArray
    clock: IntArray
    week: FloatArray
    mean: FloatArray
    se: FloatArray
    baseline: FloatArray
    baseline_se: FloatArray
    correlation: FloatArray
    se_log_sd: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Patients recovered by a week: one entry an arm, outcome, kind and week.

    ``week`` may be infinite: recovered in the end, whenever. Counts of the same patients are
    chained, so that nobody counts twice: of a later (or lesser) count, ``previous_events`` had
    been counted as ``previous_kind`` by ``previous_week`` (0, at week 0, where it is the first).
    ``design_effect`` divides the information where units share patients.
    """

    arm: IntArray
    outcome: IntArray
    kind: IntArray
    clock: IntArray
    week: FloatArray
    events: FloatArray
    n: FloatArray
    design_effect: FloatArray
    previous_kind: IntArray
    previous_week: FloatArray
    previous_events: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Weeks to complete recovery, of those who recovered: a mean, a median or a range.

    ``value`` is the mean, the median or the shortest time, ``upper`` the longest (NaN but for
    ranges). How far a mean of ``n`` times may err follows from the spread of the model, not from
    the spread that a study prints: a spread too small by chance would outweigh all others.
    """

    arm: IntArray
    outcome: IntArray
    clock: IntArray
    statistic: IntArray
    value: FloatArray
    upper: FloatArray
    n: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Tests:
    """Tests of two arms, known exactly or within limits: one entry a comparison.

    The statistic z is normal with variance 1, positive where the ``first`` arm does better.
    It lies between ``lower`` and ``upper`` (equal: known exactly). Where ``either_sign`` is true
    the direction is not told and -z is as good. For scores ``per_unit`` is the expected z of a
    difference of one whole baseline; for counts it is NaN and follows from ``n_first`` and
    ``n_second``.
    """

    first: IntArray
    second: IntArray
    outcome: IntArray
    kind: IntArray
    week: FloatArray
    lower: FloatArray
    upper: FloatArray
    either_sign: NDArray[np.bool_]
    per_unit: FloatArray
    n_first: FloatArray
    n_second: FloatArray


Table = Scores | Counts | Times | Tests
T = TypeVar("T", Scores, Counts, Times, Tests)


@dataclass(frozen=True, slots=True, eq=False)
class RecoveryEvidence:
    """Studies, their arms, and what they show.

    Build it with `recovery_evidence`, which checks it.

    ``arm_study`` (arms,) says to which study an arm belongs. ``design`` (arms, effects) holds
    how much of each effect an arm has (mostly 0 or 1; a combined treatment has several).
    ``uncontrolled`` and ``unblinded`` (arms,) say how far optimism may have raised what an arm
    shows (0 to 1). ``effect_class`` (effects,) names the class whose effects are partially
    pooled, None for an effect on its own; an effect named like its class stands for any member.
    ``moderators`` (studies, moderators) change the natural rate. ``delay`` (studies,) is the
    mean of weeks from onset to start, NaN where unknown.
    """

    studies: tuple[str, ...]
    outcomes: tuple[str, ...]
    effects: tuple[str, ...]
    effect_class: tuple[str | None, ...]
    moderator_names: tuple[str, ...]
    arm_study: IntArray
    design: FloatArray
    uncontrolled: FloatArray
    unblinded: FloatArray
    moderators: FloatArray
    delay: FloatArray
    scores: Scores
    counts: Counts
    times: Times
    tests: Tests

    def studies_of(self, table: Table) -> IntArray:
        """Return the study of each entry of `table`."""
        arm = table.first if isinstance(table, Tests) else table.arm
        return self.arm_study[arm]


TABLES = ("scores", "counts", "times", "tests")

WHOLE = {"arm", "outcome", "clock", "kind", "statistic", "previous_kind", "first", "second"}
"""Columns that hold places in a list of names."""


def recovery_evidence(
    *,
    studies: tuple[str, ...],
    outcomes: tuple[str, ...],
    effects: tuple[str, ...],
    arm_study: ArrayLike,
    design: ArrayLike,
    effect_class: tuple[str | None, ...] | None = None,
    uncontrolled: ArrayLike | None = None,
    unblinded: ArrayLike | None = None,
    moderator_names: tuple[str, ...] = (),
    moderators: ArrayLike | None = None,
    delay: ArrayLike | None = None,
    scores: Mapping[str, ArrayLike] | None = None,
    counts: Mapping[str, ArrayLike] | None = None,
    times: Mapping[str, ArrayLike] | None = None,
    tests: Mapping[str, ArrayLike] | None = None,
) -> RecoveryEvidence:
    """Return the evidence, checked.

    Parameters
    ----------
    studies, outcomes, effects
        Names. An arm without effects shows the natural course.
    arm_study, design, uncontrolled, unblinded
        One row an arm, see `RecoveryEvidence`; optimism defaults to none.
    effect_class
        The class of each effect, defaults to none.
    moderator_names, moderators
        Columns (studies, moderators), defaults to none.
    delay
        Weeks from onset to start (studies,), NaN where unknown; defaults to unknown.
    scores, counts, times, tests
        Columns of `Scores`, `Counts`, `Times` and `Tests` by name; a table left out is empty.

    Raises
    ------
    ValueError
        A column is missing, of another length, or holds what is not allowed; names column, place
        and what is allowed.
    """
    arms = np.asarray(arm_study, dtype=np.int64)
    size, of_studies = len(arms), len(studies)
    given = RecoveryEvidence(
        studies=studies,
        outcomes=outcomes,
        effects=effects,
        effect_class=effect_class or (None,) * len(effects),
        moderator_names=moderator_names,
        arm_study=frozen(arms),
        design=_matrix("design", design, (size, len(effects))),
        uncontrolled=_matrix("uncontrolled", uncontrolled, (size,)),
        unblinded=_matrix("unblinded", unblinded, (size,)),
        moderators=_matrix("moderators", moderators, (of_studies, len(moderator_names))),
        delay=_delays(delay, of_studies),
        scores=_table(Scores, "scores", scores),
        counts=_table(Counts, "counts", counts),
        times=_table(Times, "times", times),
        tests=_table(Tests, "tests", tests),
    )
    _check_places(given)
    _check_values(given)
    return given


def _matrix(name: str, values: ArrayLike | None, shape: tuple[int, ...]) -> FloatArray:
    if values is None or 0 in shape:
        return cast(FloatArray, frozen(np.zeros(shape)))
    array = numbers(name, values)
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, got {array.shape}")
    require(name, array, NOT_NEGATIVE)
    return cast(FloatArray, frozen(array))


def _delays(values: ArrayLike | None, studies: int) -> FloatArray:
    array = numbers("delay", np.full(studies, np.nan) if values is None else values)
    if array.shape != (studies,):
        raise ValueError(f"delay must have shape {(studies,)}, got {array.shape}")
    require("delay", array, POSITIVE, missing=True)
    return cast(FloatArray, frozen(array))


def _table(kind: type[T], name: str, columns: Mapping[str, ArrayLike] | None) -> T:
    wanted = [f.name for f in fields(kind)]
    columns = columns or dict.fromkeys(wanted, ())
    if set(columns) != set(wanted):
        raise ValueError(
            f"{name} must have the columns {', '.join(wanted)}; got {', '.join(columns)}"
        )
    arrays: dict[str, NDArray[Any]] = {}
    for column in wanted:
        array: NDArray[Any] = np.asarray(columns[column], dtype=_dtype(column))
        if array.ndim != 1 or len(array) != np.size(columns[wanted[0]]):
            raise ValueError(f"{name}: {column} must have one entry a row, got shape {array.shape}")
        arrays[column] = frozen(array)
    return kind(**arrays)


def _dtype(column: str) -> type:
    return np.int64 if column in WHOLE else np.bool_ if column == "either_sign" else np.float64


def _check_places(evidence: RecoveryEvidence) -> None:
    """Raise `ValueError` where a number points to no name."""
    arms = len(evidence.arm_study)
    sizes = {
        "arm": arms,
        "first": arms,
        "second": arms,
        "outcome": len(evidence.outcomes),
        "clock": len(CLOCKS),
        "kind": len(KINDS),
        "previous_kind": len(KINDS),
        "statistic": len(STATISTICS),
    }
    _in_range("arm_study", evidence.arm_study, len(evidence.studies))
    for name in TABLES:
        table = getattr(evidence, name)
        for column in sizes.keys() & {f.name for f in fields(table)}:
            _in_range(f"{name}: {column}", getattr(table, column), sizes[column])


def _in_range(name: str, places: IntArray, size: int) -> None:
    wrong = (places < 0) | (places >= size)
    if wrong.any():
        at = int(wrong.argmax())
        raise ValueError(f"{name} must lie in 0..{size - 1}, got {places[at]} at index {at}")


def _check_values(evidence: RecoveryEvidence) -> None:
    """Raise `ValueError` where a figure cannot be."""
    scores, counts, times, tests = (getattr(evidence, name) for name in TABLES)
    for name, values, allowed, missing in (
        ("scores: week", scores.week, POSITIVE, False),
        ("scores: mean", scores.mean, ANY, False),
        ("scores: se", scores.se, POSITIVE, False),
        ("scores: baseline", scores.baseline, POSITIVE, False),
        ("scores: baseline_se", scores.baseline_se, NOT_NEGATIVE, False),
        ("scores: correlation", scores.correlation, CORRELATION, False),
        ("scores: se_log_sd", scores.se_log_sd, NOT_NEGATIVE, False),
        ("counts: week", counts.week, Interval("(0, inf]"), False),
        ("counts: events", counts.events, NOT_NEGATIVE, False),
        ("counts: n", counts.n, POSITIVE, False),
        ("counts: design_effect", counts.design_effect, POSITIVE, False),
        ("counts: previous_week", counts.previous_week, Interval("[0, inf]"), False),
        ("counts: previous_events", counts.previous_events, NOT_NEGATIVE, False),
        ("times: value", times.value, NOT_NEGATIVE, False),
        ("times: upper", times.upper, POSITIVE, True),
        ("times: n", times.n, POSITIVE, False),
        ("tests: week", tests.week, POSITIVE, False),
        ("tests: per_unit", tests.per_unit, POSITIVE, True),
        ("tests: n_first", tests.n_first, POSITIVE, True),
        ("tests: n_second", tests.n_second, POSITIVE, True),
    ):
        require(name, values, allowed, missing=missing)
    _refuse("counts: events must lie between previous_events and n", counts.events > counts.n)
    _refuse(
        "counts: events must lie between previous_events and n",
        counts.events < counts.previous_events,
    )
    _refuse("counts: week must not lie before previous_week", counts.week < counts.previous_week)
    _refuse("tests: lower must not exceed upper", ~(tests.lower <= tests.upper))
    spans = times.statistic == STATISTICS.index("range")
    _refuse("times: upper must exceed value in ranges", spans & ~(times.upper > times.value))
    _refuse("times: a range needs n of 2 at least", spans & (times.n < 2))
    _refuse("scores are of the kind score, counts are not", counts.kind == KINDS.index("score"))


def _refuse(rule: str, broken: NDArray[np.bool_]) -> None:
    if broken.any():
        raise ValueError(f"{rule}; broken at index {int(broken.argmax())}")
