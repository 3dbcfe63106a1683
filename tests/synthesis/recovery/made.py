"""Small made evidence: every kind of row, and studies drawn from known courses."""

from __future__ import annotations

from typing import Any

import numpy as np

from trabecula.synthesis.recovery import RecoveryEvidence, RecoveryPriors, recovery_evidence
from trabecula.synthesis.recovery.evidence import CLOCKS, KINDS, STATISTICS

START, ONSET = range(len(CLOCKS))
COMPLETE, PARTIAL, SCORE = range(len(KINDS))
MEAN, MEDIAN, RANGE = range(len(STATISTICS))

PRIORS = RecoveryPriors(median_weeks=(20.0, 30.0))

BORROWED = 0.3501277467226194
"""Standard deviation of half the logarithm of a chi-squared variable with 5 degrees of freedom."""


def columns(names: str, *rows: tuple[Any, ...]) -> dict[str, list[Any]]:
    """Return a table by column from its rows."""
    return dict(zip(names.split(), map(list, zip(*rows, strict=True)), strict=True))


def all_kinds() -> dict[str, Any]:
    """Return evidence with every kind of row, as arguments of `recovery_evidence`.

    Studies: 0 untreated and treated with both outcomes, 1 two treated arms, 2 and 3 one treated
    arm, 4 one untreated arm, 5 three arms, one with two effects, scores and partial counts only.
    """
    return {
        "studies": tuple("abcdef"),
        "outcomes": ("pain", "edema"),
        "effects": ("drug", "x", "y", "waves"),
        "effect_class": ("drug", "drug", "drug", None),
        "moderator_names": ("hip", "age"),
        "arm_study": [0, 0, 1, 1, 2, 3, 4, 5, 5, 5],
        "design": [
            [0, 0, 0, 0],
            [0, 1, 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1],
            [1, 0, 0, 0],
            [0, 1, 0, 0.5],
            [0, 0, 0, 0],
            [0, 0, 0, 0],
            [0, 0, 0, 1],
            [0, 0, 1, 1],
        ],
        "uncontrolled": [0, 0, 0, 0, 1, 1, 0, 0, 0, 0],
        "unblinded": [0, 0, 0.5, 1, 1, 1, 0, 0, 1, 1],
        "moderators": [[1, 0.2], [0, 1.1], [0.5, 0], [1, 0.7], [0, 0], [0.3, 0.4]],
        "delay": [np.nan, 4, 12, np.nan, 9, 6],
        "scores": columns(
            "arm outcome clock week mean se baseline baseline_se correlation se_log_sd",
            (0, 0, START, 4, 5.1, 0.4, 7.0, 0.3, 0.4, 0.0),
            (0, 0, START, 12, 3.2, 0.5, 7.0, 0.3, 0.3, BORROWED),
            (1, 0, START, 12, 2.2, 0.5, 7.1, 0.0, 0.3, 0.0),
            (1, 1, START, 26, 1.0, 0.3, 6.0, 0.2, 0.5, 0.0),
            (5, 0, ONSET, 20, 30.0, 4.0, 60.0, 5.0, 0.2, BORROWED),
            (7, 1, START, 8, 8.0, 0.6, 9.0, 0.4, 0.0, 0.0),
            (8, 1, START, 8, 6.0, 0.6, 9.1, 0.4, 0.5, 0.0),
        ),
        "counts": columns(
            "arm outcome kind clock week events n design_effect "
            "previous_kind previous_week previous_events",
            (0, 0, COMPLETE, START, 12, 3, 20, 1.0, COMPLETE, 0, 0),
            (0, 0, COMPLETE, START, 26, 9, 20, 1.0, COMPLETE, 12, 3),
            (0, 0, PARTIAL, START, 26, 14, 20, 1.0, COMPLETE, 26, 9),
            (1, 1, COMPLETE, START, 26, 11, 21, 1.5, COMPLETE, 0, 0),
            (2, 0, COMPLETE, START, np.inf, 14, 15, 1.0, COMPLETE, 0, 0),
            (6, 1, PARTIAL, ONSET, 30, 5, 12, 1.0, COMPLETE, 0, 0),
            (9, 0, PARTIAL, START, 9, 5, 12, 1.0, COMPLETE, 0, 0),
        ),
        "times": columns(
            "arm outcome clock statistic value upper n",
            (2, 0, START, MEAN, 15, np.nan, 12),
            (3, 0, START, MEDIAN, 18, np.nan, 14),
            (4, 0, ONSET, MEAN, 31, np.nan, 25),
            (4, 1, ONSET, MEDIAN, 29, np.nan, 11),
            (6, 0, ONSET, RANGE, 14, 60, 9),
            (5, 0, START, RANGE, 3, 40, 2),
        ),
        "tests": columns(
            "first second outcome kind week lower upper either_sign per_unit n_first n_second",
            (1, 0, 0, SCORE, 8, 1.4, 1.4, False, 3.0, np.nan, np.nan),
            (1, 0, 1, SCORE, 8, -1.96, 1.96, True, 3.5, np.nan, np.nan),
            (2, 3, 0, COMPLETE, 10, 0.8, 0.8, True, np.nan, 12, 14),
            (8, 7, 0, COMPLETE, 16, 1.96, np.inf, True, np.nan, 10, 11),
            (9, 7, 0, PARTIAL, 16, -np.inf, -0.5, False, np.nan, 13, 11),
            (9, 8, 1, SCORE, 16, 0.5, 2.5, False, 2.0, np.nan, np.nan),
        ),
    }


def evidence_of_all_kinds() -> RecoveryEvidence:
    """Return `all_kinds`, checked."""
    return recovery_evidence(**all_kinds())
