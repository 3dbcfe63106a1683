"""A row on its way to the model, and the list of what a study yields."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trabecula.effects.estimate import TRUST, Basis, RowRef, Step
from trabecula.review.recovery_model import EvidenceKind, RecoveryOmission
from trabecula.synthesis.recovery.evidence import CLOCKS, KINDS, Clock, Kind

CLOCK_OF: Mapping[str, Clock] = {
    "treatment": "start",
    "diagnosis": "start",
    "onset": "onset",
}
"""From the clock of a record to the model's; the diagnosis is taken as the start."""

NOT_TOLD = len(CLOCKS)
"""Stands for a clock that the record does not tell, until the arm is known (`read_clock`)."""

Z95 = 1.959964
"""Half-width of a 95 % interval in standard errors."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A row of evidence before studies and arms have their places.

    ``outcome`` is a recovery outcome; ``columns`` are those of the library's table, places of
    arms and of the outcome apart. The other fields are those of `RecoveryRow`.
    """

    study: str
    arms: tuple[str, ...]
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
    columns: Mapping[str, float]


@dataclass
class Found:
    """What the rows of one study yield for one recovery outcome."""

    study: str
    outcome: str
    drafts: list[Draft] = field(default_factory=list)
    omissions: list[RecoveryOmission] = field(default_factory=list)

    def omit(self, ref: RowRef, rule: str, text: str) -> None:
        """Note that a row does not enter, and why."""
        self.omissions.append(RecoveryOmission(ref, self.outcome, rule, text))


def place_of_clock(clock: str) -> int:
    """Return the place of a record's clock among those of the model, or `NOT_TOLD`."""
    return CLOCKS.index(CLOCK_OF[clock]) if clock in CLOCK_OF else NOT_TOLD


def read_clock(place: int, *, treated: bool) -> int:
    """Return `place`, or how weeks on a clock that is not told are read.

    From the start of treatment where there was one, from onset in reports of the natural course.
    """
    if place != NOT_TOLD:
        return place
    return CLOCKS.index("start" if treated else "onset")


def place_of_kind(kind: Kind) -> int:
    """Return the place of a kind among those of the model."""
    return KINDS.index(kind)


def worst(steps: Iterable[Step], *bases: Basis) -> Basis:
    """Return the least trusted basis of steps and other figures."""
    return max((*(s.basis for s in steps), *bases), key=TRUST.index, default="reported")


def imputed(steps: Iterable[Step]) -> str:
    """Return the steps that needed more than is printed, as the end of a sentence."""
    texts = dict.fromkeys(step.text for step in steps if step.basis == "imputed")
    return "".join(f"; {text}" for text in texts)


def when(week: float, clock: str) -> str:
    """Return a week with what it is counted from."""
    since = {"treatment": "", "onset": " from onset", "diagnosis": " from diagnosis"}
    return f"week {week:.3g}{since.get(clock, ' (from onset or from treatment is not told)')}"
