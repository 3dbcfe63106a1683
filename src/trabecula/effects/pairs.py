"""Which arms of a study are compared, and which way round.

All arms of a study are compared with each other: a network needs every contrast of a study of
several arms. The difference is always active minus control; else the arm with more regimens
minus the one with fewer; else in alphabetical order, so that studies of the same two agree.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from trabecula.records import Arm, Protocol, Study


def pairs_of(study: Study, protocol: Protocol) -> Iterator[tuple[Arm, Arm]]:
    """Yield the pairs of arms to compare, each as (first, second) of the difference.

    Arms with the same regimens are not compared, nor are those of a crossover study, in which
    they hold the same patients.
    """
    if study.crossover:
        return
    for one, other in combinations(study.arms, 2):
        if same_treatment(one, other):
            continue
        yield (other, one) if is_turned(one, other, protocol) else (one, other)


def is_control(arm: Arm, protocol: Protocol) -> bool:
    """Return whether an arm was given nothing but control regimens."""
    return set(arm.regimens) <= set(protocol.control_regimens)


def same_treatment(one: Arm, other: Arm) -> bool:
    """Return whether two arms were given the same regimens."""
    return set(one.regimens) == set(other.regimens)


def is_turned(one: Arm, other: Arm, protocol: Protocol) -> bool:
    """Return whether the difference of two arms is the second minus the first."""

    def place(arm: Arm) -> tuple[bool, bool, int, tuple[str, ...]]:
        reference = arm.regimens == (protocol.reference_regimen,)
        return (
            is_control(arm, protocol),
            reference,
            -len(set(arm.regimens)),
            tuple(sorted(set(arm.regimens))),
        )

    return place(other) < place(one)
