"""What is wrong with the studies of a network: found in all of them, told at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from trabecula.synthesis.arguments import ESTIMATE, VARIANCE, FloatArray, IntArray, Interval
from trabecula.synthesis.network.study_groups import StudyGroup

GAP = 0.1
"""Most by which three contrasts may fail to add up, in smallest standard errors of the study.

Rounded figures stay below it. A wider gap is a slip or another population, and weighing it by
least squares would hide it."""

SINGULAR = 1e-10
"""Smallest eigenvalue of a covariance matrix of arms, relative to the largest, that is taken for
more than rounding. Below it some combination of arms would be known without error; as far below
0, the variances cannot be those of differences between the same arms."""


class Faults:
    """A list of faults by study, in order of the studies."""

    def __init__(self, studies: tuple[str, ...], treatments: tuple[str, ...]) -> None:
        self.studies = studies
        self.treatments = treatments
        self._found: dict[int, dict[str, None]] = {}

    def refuse(self) -> None:
        """Raise `ValueError` with all faults, if there are any."""
        if not self._found:
            return
        lines = [
            f"- {self.studies[study]!r}: {'; '.join(found)}"
            for study, found in sorted(self._found.items())
        ]
        noun = "1 study is" if len(lines) == 1 else f"{len(lines)} studies are"
        raise ValueError(f"{noun} at fault, correct or leave out:\n" + "\n".join(lines))

    def of_arms(self, study: IntArray, treatment: IntArray) -> None:
        """Note studies of one arm and treatments that appear twice; rows sorted."""
        alone = np.bincount(study, minlength=len(self.studies)) == 1
        for i in np.flatnonzero(alone):
            self._note(int(i), "has one arm, it compares nothing")
        twice = (np.diff(study) == 0) & (np.diff(treatment) == 0)
        for row in np.flatnonzero(twice):
            name = self.treatments[treatment[row]]
            self._note(int(study[row]), f"has two arms of {name!r}, pool them first")

    def of_events(
        self, study: IntArray, treatment: IntArray, events: FloatArray, n: FloatArray
    ) -> None:
        """Note arms with more events than persons."""
        for row in np.flatnonzero(events > n):
            name = self.treatments[treatment[row]]
            self._note(
                int(study[row]), f"{name!r} has {events[row]:g} events in {n[row]:g} persons"
            )

    def of_contrasts(self, study: IntArray, first: IntArray, second: IntArray) -> None:
        """Note contrasts of a treatment with itself, doubled or missing ones; rows sorted."""
        for row in np.flatnonzero(first == second):
            name = self.treatments[first[row]]
            self._note(int(study[row]), f"compares {name!r} with itself")
        same = (np.diff(study) == 0) & (np.diff(first) == 0) & (np.diff(second) == 0)
        for row in np.flatnonzero(same):
            self._note(int(study[row]), f"holds {self._pair(first[row], second[row])} twice")
        starts = np.flatnonzero(np.diff(study, prepend=-1))
        for rows in np.split(np.arange(len(study)), starts[1:]):
            rows = rows[first[rows] != second[rows]]
            lacking = self._missing(first[rows], second[rows]) if len(rows) > 1 else ""
            if lacking:
                self._note(int(study[rows[0]]), lacking)

    def of_numbers(
        self,
        study: IntArray,
        treatments: tuple[IntArray, ...],
        estimate: FloatArray,
        variance: FloatArray,
    ) -> None:
        """Note estimates and variances that are missing or out of range."""
        rules = (("estimate", estimate, ESTIMATE), ("variance", variance, VARIANCE))
        for name, values, interval in rules:
            table = values.reshape(-1, values.shape[-1])
            wrong = ~interval.contains(table)
            for row in np.flatnonzero(wrong.any(axis=0)):
                of = " and ".join(repr(self.treatments[index[row]]) for index in treatments)
                value = float(table[wrong[:, row], row][0])
                self._note(int(study[row]), _out_of_range(name, of, value, interval))

    def of_groups(
        self, groups: tuple[StudyGroup, ...], estimate: FloatArray, variance: FloatArray
    ) -> None:
        """Note multi-arm studies that do not add up or have no covariance matrix."""
        for group in (group for group in groups if group.arms > 2):
            for study, gap in _gaps(group, estimate, variance):
                text = f"the contrasts of its arms do not add up, they are up to {gap:.3g} off"
                self._note(study, text)
            spread = np.linalg.eigvalsh(group.arm_covariance(variance))
            ratio = (spread[..., 0] / np.abs(spread[..., -1])).reshape(-1, len(group.studies))
            for i in np.flatnonzero((ratio <= SINGULAR).any(axis=0)):
                text = (
                    "the variances of its contrasts belong to no covariance matrix"
                    if (ratio[:, i] < -SINGULAR).any()
                    else "the variances of its contrasts leave a difference between arms without "
                    "error, or are too far apart for double precision"
                )
                self._note(int(group.studies[i]), text)

    def _note(self, study: int, text: str) -> None:
        self._found.setdefault(study, {})[text] = None

    def _pair(self, first: int, second: int) -> str:
        return f"{self.treatments[first]!r} versus {self.treatments[second]!r}"

    def _missing(self, first: IntArray, second: IntArray) -> str:
        present = np.unique(np.concatenate([first, second])).tolist()
        given = set(zip(first.tolist(), second.tolist(), strict=True))
        absent = [self._pair(*pair) for pair in combinations(present, 2) if pair not in given]
        return f"of its {len(present)} arms lacks {', '.join(absent)}" if absent else ""


def _gaps(
    group: StudyGroup, estimate: FloatArray, variance: FloatArray
) -> Iterator[tuple[int, float]]:
    """Yield the studies whose contrasts do not add up, and by how much."""
    means = group.arm_means(estimate)
    one, other = group.pairs
    gap = np.abs(estimate[..., group.contrasts] - (means[..., one] - means[..., other])).max(-1)
    allowed = GAP * np.sqrt(variance[..., group.contrasts].min(axis=-1))
    wrong = (gap > allowed).reshape(-1, len(group.studies)).any(axis=0)
    largest = gap.reshape(-1, len(group.studies)).max(axis=0)
    for i in np.flatnonzero(wrong):
        yield int(group.studies[i]), float(largest[i])


def _out_of_range(name: str, of: str, value: float, interval: Interval) -> str:
    found = "is missing" if np.isnan(value) else f"is {value!r}"
    return f"the {name} of {of} {found}, must lie in {interval}"
