"""The points at which courses are evaluated, all at once, for whatever row asks.

A *point* is a course (of an arm, an outcome and a kind) at a week, counted from start or from
onset. A row asks for one point or two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from trabecula.synthesis.recovery.evidence import CLOCKS, KINDS, RecoveryEvidence

COMPLETE, PARTIAL, SCORE = (KINDS.index(kind) for kind in ("complete", "partial", "score"))

ASKED = ("scores", "counts", "previous", "value", "upper", "first", "second")
"""What asks for points, in their order: scores, counts and those before them, the times told
(first and last), and the two arms of tests."""


def points_of(evidence: RecoveryEvidence) -> dict[str, Any]:
    """Return the columns of points.

    ``study``, ``outcome``, ``week``, ``onset`` (whether that counts from onset), ``complete``
    (whether complete recovery is meant), and places in the grids of arms (``arm_cell``) and of
    head starts (``head_start``; one more, first, for none).
    """
    asked = _asked(evidence)
    columns = zip(*(asked[name] for name in ASKED), strict=True)
    arm, outcome, kind, week, clock = map(np.concatenate, columns)
    outcomes = len(evidence.outcomes)
    return {
        "study": evidence.arm_study[arm],
        "outcome": outcome,
        "week": week,
        "onset": clock == CLOCKS.index("onset"),
        "complete": kind == COMPLETE,
        "arm_cell": arm * outcomes + outcome,
        "head_start": np.where(kind == COMPLETE, 0, 1 + (kind - 1) * outcomes + outcome),
    }


def _asked(evidence: RecoveryEvidence) -> dict[str, tuple[Any, ...]]:
    """Return arm, outcome, kind, week and clock of every point that rows ask for."""
    scores, counts = evidence.scores, evidence.counts
    times, tests = evidence.times, evidence.tests
    score = np.full(len(scores.arm), SCORE)
    complete = np.full(len(times.arm), COMPLETE)
    longest = np.where(np.isnan(times.upper), times.value + 1.0, times.upper)
    start = np.full(len(tests.first), CLOCKS.index("start"))
    before = (counts.previous_kind, counts.previous_week, counts.clock)
    return {
        "scores": (scores.arm, scores.outcome, score, scores.week, scores.clock),
        "counts": (counts.arm, counts.outcome, counts.kind, counts.week, counts.clock),
        "previous": (counts.arm, counts.outcome, *before),
        "value": (times.arm, times.outcome, complete, times.value, times.clock),
        "upper": (times.arm, times.outcome, complete, longest, times.clock),
        "first": (tests.first, tests.outcome, tests.kind, tests.week, start),
        "second": (tests.second, tests.outcome, tests.kind, tests.week, start),
    }
