"""The review: one object that holds every answer, and that every output reads.

Vocabulary: a *treatment* is the set of regimens an arm was given, written ``a`` or ``a+b``; a
*synthesis* answers one question (treatment, outcome, measure, window, stratum) from the
*contributions* of studies; an *omission* is an estimate that could have contributed, and why
it did not.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from trabecula.audit.finding import Finding
from trabecula.effects.derive import EffectTable
from trabecula.effects.estimate import Estimate
from trabecula.records import Topic

if TYPE_CHECKING:
    from trabecula.review.network_model import Geometry, NetworkSynthesis
    from trabecula.review.recovery_model import RecoverySynthesis

Kind = Literal["proportion", "before-after", "time", "comparison"]
"""*proportion*, *before-after* and *time* describe one group of patients and are no effect of
treatment; only a *comparison* is an effect."""

Scale = Literal["points", "weeks", "sd", "proportion", "ratio", "percentage-points"]
"""*points* of an instrument, *weeks*, *sd* (standardised difference), *proportion* (0 to 1),
*ratio* (1: no difference) or *percentage-points* (difference of proportions times 100)."""

Timing = Literal["window", "latest", "untimed", "duration"]
"""When: in a *window* of weeks; at the *latest* time of each study; *untimed*, where sources give
no week though the question asks for one; or a *duration*, which is the outcome itself."""

Scope = Literal["primary", "all"]
"""*primary*: studies of the topic's first stratum alone; *all*: every stratum."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One study's part in a synthesis, on the display scale (see `Synthesis.scale`).

    ``low`` and ``high`` bound the 95 % confidence interval; ``weight`` is in percent, ``None``
    where nothing was pooled.
    """

    estimate: Estimate
    value: float
    low: float
    high: float
    weight: float | None


@dataclass(frozen=True, slots=True)
class Omission:
    """An estimate left out of a synthesis, and why (``rule`` short and stable)."""

    estimate: Estimate
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Pooled:
    """A pooled result on the display scale, with what a forest plot prints beneath it.

    ``pi_low``/``pi_high`` bound the 95 % prediction interval (``None`` where no model was fitted).
    ``i2`` values are in percent. ``method`` says in one sentence how it was computed,
    ``small_studies`` whether small studies differ from large ones, or why that was not tested.
    """

    value: float
    low: float
    high: float
    pi_low: float | None
    pi_high: float | None
    tau2: float | None
    i2: float | None
    i2_low: float | None
    i2_high: float | None
    q: float | None
    q_df: int | None
    q_p: float | None
    method: str
    small_studies: str


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """What a synthesis would say if an assumption of the protocol had another value."""

    assumption: str
    assumed: float
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Synthesis:
    """The answer to one question.

    ``id`` is stable and safe in a URL. ``event`` names one kind of event where the outcome has
    several (``None``: any). ``scale`` is how values are shown.
    ``pooled`` is ``None`` where nothing was pooled; ``not_pooled`` then says why. ``n`` counts
    the patients (or lesions) that contribute, over both arms of comparisons.
    """

    id: str
    kind: Kind
    treatment: str
    comparator: str | None
    outcome: str
    measure: str
    instrument: str | None
    event: str | None
    timing: Timing
    window: str | None
    scope: Scope
    scale: Scale
    contributions: tuple[Contribution, ...]
    omissions: tuple[Omission, ...]
    pooled: Pooled | None
    not_pooled: str | None
    n: int
    sensitivity: tuple[Sensitivity, ...] = ()

    @property
    def central(self) -> tuple[float, float, float] | None:
        """Value and 95 % limits: pooled, or those of the only contribution, else ``None``."""
        if self.pooled is not None:
            return self.pooled.value, self.pooled.low, self.pooled.high
        if len(self.contributions) == 1:
            only = self.contributions[0]
            return only.value, only.low, only.high
        return None

    @property
    def studies(self) -> tuple[str, ...]:
        """The ids of the contributing studies, each once."""
        return tuple(dict.fromkeys(c.estimate.study for c in self.contributions))


@dataclass(frozen=True, slots=True)
class EvidenceBase:
    """How much evidence a regimen has: studies and the patients given it.

    ``controlled`` counts comparative studies in which the other arm had the reference regimen
    or a control; ``head_to_head`` those against another active regimen alone.
    ``patients`` are those of arms that include the regimen or, for a drug class, one of its
    agents; of each cohort those of its largest study.
    """

    regimen: str
    scope: Scope
    studies: tuple[str, ...]
    randomised: tuple[str, ...]
    controlled: tuple[str, ...]
    head_to_head: tuple[str, ...]
    patients: int
    patients_unknown: tuple[str, ...]


@dataclass(frozen=True)
class Review:
    """Everything the protocol asked for, from one topic.

    ``bases`` holds one `EvidenceBase` a regimen and scope; ``unplaced`` the estimates of asked
    outcomes that no synthesis takes or omits, with the reason; ``networks`` the answers on the
    evidence of several treatments together; ``geometries`` one a scope; ``recovery`` the answers of
    the recovery model, None where the protocol asks for none. Nothing here depends on
    the time or the machine: the same topic gives an equal review.
    """

    topic: Topic
    effects: EffectTable
    findings: tuple[Finding, ...]
    syntheses: tuple[Synthesis, ...]
    unplaced: tuple[Omission, ...]
    bases: tuple[EvidenceBase, ...]
    networks: tuple[NetworkSynthesis, ...]
    geometries: tuple[Geometry, ...]
    recovery: RecoverySynthesis | None = None

    @cached_property
    def synthesis_by_id(self) -> dict[str, Synthesis]:
        """Syntheses by their id."""
        return {synthesis.id: synthesis for synthesis in self.syntheses}

    def base(self, regimen: str, scope: Scope = "primary") -> EvidenceBase:
        """Return the evidence base of `regimen`; `KeyError` if it is no regimen."""
        for base in self.bases:
            if base.regimen == regimen and base.scope == scope:
                return base
        raise KeyError(regimen)
