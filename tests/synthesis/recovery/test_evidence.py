"""Evidence is checked when it is built: what is refused, and what is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.synthesis.recovery.made import COMPLETE, PRIORS, RANGE, START, all_kinds
from trabecula.synthesis.recovery import RecoveryPriors, recovery_evidence
from trabecula.synthesis.recovery.layout import assumed, layout

Change = Callable[[dict[str, Any]], Any]


def column(table: str, name: str, row: int, value: Any) -> Change:
    """Return what sets one figure of a table."""

    def change(told: dict[str, Any]) -> None:
        told[table][name][row] = value

    return change


def argument(name: str, value: Any) -> Change:
    """Return what sets one argument."""
    return lambda told: told.update({name: value})


def test_evidence_of_every_kind_is_taken() -> None:
    """Arrays are kept as told, and read-only; tables left out are empty."""
    found = recovery_evidence(**all_kinds())
    bare = recovery_evidence(
        studies=("a",), outcomes=("pain",), effects=(), arm_study=[0], design=np.zeros((1, 0))
    )

    assert len(found.scores.arm) == 7
    assert found.tests.either_sign.tolist() == [False, True, True, True, False, False]
    assert found.studies_of(found.tests).tolist() == [0, 0, 1, 5, 5, 5]
    with pytest.raises(ValueError, match="read-only"):
        found.scores.mean[0] = 1.0
    assert bare.delay.shape == (1,)
    assert np.isnan(bare.delay).all()
    assert len(bare.counts.arm) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (argument("arm_study", [0, 0, 1, 1, 2, 3, 4, 5, 5, 6]), "arm_study .* 0..5, got 6"),
        (argument("design", [[0.0] * 4] * 9), r"design must have shape \(10, 4\), got \(9, 4\)"),
        (argument("design", [[-1.0] * 4] * 10), r"design must lie in \[0"),
        (argument("uncontrolled", [0.0]), r"uncontrolled must have shape \(10,\), got \(1,\)"),
        (argument("moderators", [[0.0] * 2] * 5), r"moderators must have shape \(6, 2\)"),
        (argument("delay", [1.0]), r"delay must have shape \(6,\), got \(1,\)"),
        (argument("delay", [0.0] * 6), r"delay must lie in \(0"),
        (lambda t: t["scores"].pop("se"), "scores must have the columns arm, .*, se, .*; got arm"),
        (
            lambda t: t["counts"]["n"].pop(),
            r"counts: n must have one entry a row, got shape \(6,\)",
        ),
        (column("scores", "arm", 2, 10), "scores: arm must lie in 0..9, got 10 at index 2"),
        (column("scores", "outcome", 1, 2), "scores: outcome .* 0..1, got 2 at index 1"),
        (column("scores", "clock", 0, -1), "scores: clock must lie in 0..1, got -1 at index 0"),
        (column("scores", "se", 3, 0.0), r"scores: se must lie in \(0"),
        (column("scores", "correlation", 3, 1.0), r"scores: correlation must lie in \(-1, 1\)"),
        (column("scores", "baseline", 3, -2.0), r"scores: baseline must lie in \(0"),
        (column("scores", "week", 3, np.nan), "scores: week must"),
        (column("counts", "kind", 4, 3), "counts: kind must lie in 0..2, got 3 at index 4"),
        (column("counts", "kind", 4, 2), "score, counts are not; broken at index 4"),
        (column("counts", "events", 3, 22), "events must lie between .* broken at index 3"),
        (column("counts", "events", 1, 2), "events must lie between .* broken at index 1"),
        (column("counts", "week", 1, 11), "week must not lie before previous_week.* index 1"),
        (column("counts", "week", 0, 0), r"counts: week must lie in \(0"),
        (column("counts", "design_effect", 0, 0), r"counts: design_effect must lie in \(0"),
        (column("times", "statistic", 0, 3), "times: statistic must lie in 0..2, got 3"),
        (column("times", "upper", 4, 14), "upper must exceed value in ranges; .* index 4"),
        (column("times", "upper", 4, np.nan), "upper must exceed value in ranges; .* index 4"),
        (column("times", "n", 5, 1), "a range needs n of 2 at least; broken at index 5"),
        (column("tests", "second", 0, 12), "tests: second must lie in 0..9, got 12"),
        (column("tests", "lower", 0, 1.5), "lower must not exceed upper; broken at index 0"),
        (column("tests", "lower", 0, np.nan), "lower must not exceed upper; broken at index 0"),
        (column("tests", "per_unit", 0, -1.0), r"tests: per_unit must lie in \(0"),
    ],
)
def test_what_cannot_be_is_refused(change: Change, words: str) -> None:
    """The error names table, column, place, and what is allowed."""
    told = all_kinds()
    change(told)
    with pytest.raises(ValueError, match=words):
        recovery_evidence(**told)


def test_each_outcome_needs_its_prior_median() -> None:
    """One median for two outcomes is refused where the density is laid out."""
    evidence = recovery_evidence(**all_kinds())
    words = re.escape("median_weeks must have one entry an outcome (2), got 1")
    with pytest.raises(ValueError, match=words):
        assumed(RecoveryPriors(median_weeks=(20.0,)), evidence)


def test_parameters_exist_only_where_data_inform_them() -> None:
    """Rates of studies for what they report, of arms where arms are compared, of baselines once.

    Effects of a class have one parameter for the class, and one for each other member.
    """
    evidence = recovery_evidence(**all_kinds())
    laid = layout(evidence, PRIORS)

    assert laid.classes == ("drug", "waves")
    assert laid.sizes["class_effect"] == (2, 2)
    assert laid.sizes["member"] == (2, 2)
    assert laid.sizes["study"] == (10,)  # 6 studies of 2 outcomes; b and d report one
    assert laid.sizes["arm"] == (8,)
    assert laid.sizes["baseline"] == (6,)  # of 7 scores two share theirs
    assert laid.parameters == sum(int(np.prod(s)) for s in laid.sizes.values())
    assert layout(evidence, PRIORS, exchangeable=False).sizes["study"] == (0,)


def test_delays_that_are_not_told_are_the_typical_with_a_larger_error() -> None:
    """8 weeks with half of it as standard error; a told one with 15 %."""
    found = assumed(PRIORS, recovery_evidence(**all_kinds()))

    np.testing.assert_allclose(found["delay"], [8, 4, 12, 8, 9, 6])
    np.testing.assert_allclose(found["delay_se"], [4, 0.6, 1.8, 4, 1.35, 0.9])


def test_a_range_of_times_is_told_by_its_ends() -> None:
    """The columns that a range needs are taken; NaN stands for what does not apply."""
    evidence = recovery_evidence(
        studies=("a",),
        outcomes=("pain",),
        effects=(),
        arm_study=[0],
        design=np.zeros((1, 0)),
        times={
            "arm": [0],
            "outcome": [0],
            "clock": [START],
            "statistic": [RANGE],
            "value": [4.0],
            "upper": [30.0],
            "n": [7],
        },
    )
    points = layout(evidence, RecoveryPriors(median_weeks=(20.0,))).shared["points"]

    assert points["week"].tolist() == [4.0, 30.0]
    assert points["complete"].tolist() == [True, True]
    assert points["head_start"].tolist() == [COMPLETE, COMPLETE]
