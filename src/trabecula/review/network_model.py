"""Networks: what the treatments of one question say about each other, taken together."""

from __future__ import annotations

from dataclasses import dataclass

from trabecula.review.model import Contribution, Omission, Scale, Scope, Timing


@dataclass(frozen=True, slots=True)
class NetworkComparison:
    """Two treatments on the evidence of the whole network, on the display scale.

    ``low`` and ``high`` bound the 95 % credible interval, ``pi_low`` and ``pi_high`` that of the
    effect in a new study. ``direct`` names the studies in which both were given.
    """

    treatment: str
    comparator: str
    value: float
    low: float
    high: float
    pi_low: float
    pi_high: float
    direct: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NetworkRank:
    """A treatment's place: ``sucra`` from 0 (surely last) to 1, and how probable each rank is."""

    treatment: str
    sucra: float
    mean_rank: float
    probability: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class NetworkSensitivity:
    """A comparison under another scale of the prior."""

    assumed: float
    treatment: str
    comparator: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class NetworkSynthesis:
    """The answer of a network to one question; fields shared with `Synthesis` mean the same.

    ``comparisons`` are all pairs of ``treatments``. ``tau`` is the heterogeneity (median, 95 %
    limits) on the pooling scale, ``prior`` its prior in words. ``completed`` names studies of
    several arms of which a contrast was derived from the printed ones. ``q`` tests
    incoherence between designs; ``None`` where no comparison has evidence from two designs
    that could disagree.
    """

    id: str
    outcome: str
    event: str | None
    measure: str
    instrument: str | None
    timing: Timing
    window: str | None
    scope: Scope
    scale: Scale
    treatments: tuple[str, ...]
    contributions: tuple[Contribution, ...]
    omissions: tuple[Omission, ...]
    comparisons: tuple[NetworkComparison, ...]
    ranks: tuple[NetworkRank, ...]
    tau: tuple[float, float, float]
    prior: str
    q: float | None
    q_df: int | None
    q_p: float | None
    completed: tuple[str, ...]
    sensitivity: tuple[NetworkSensitivity, ...]
    n: int

    @property
    def studies(self) -> tuple[str, ...]:
        """The ids of the contributing studies, each once."""
        return tuple(dict.fromkeys(c.estimate.study for c in self.contributions))


@dataclass(frozen=True, slots=True)
class ComparedPair:
    """Two treatments, the studies that compare them, and those of them with a usable number."""

    treatment: str
    comparator: str
    studies: tuple[str, ...]
    numbered: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Geometry:
    """Who was ever compared with whom in a scope, on any outcome.

    ``patients`` counts by treatment, each cohort once. ``several_arms`` holds the treatments of
    each study that compares more than two. ``parts`` are the treatments that comparisons connect.
    """

    scope: Scope
    pairs: tuple[ComparedPair, ...]
    patients: dict[str, int]
    several_arms: tuple[tuple[str, ...], ...]
    parts: tuple[tuple[str, ...], ...]
