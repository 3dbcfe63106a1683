"""What is known of the rows of a study before they are read for the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from math import sqrt

from trabecula.effects.derive import EffectTable
from trabecula.effects.estimate import Estimate, Measure, RowRef, Step, Unusable
from trabecula.effects.sample import Sample, sample_of
from trabecula.effects.scales import Scale, scale_of
from trabecula.effects.sizes import Clustering, Size, clustering, size_of
from trabecula.records import Contrast, Result, Study, Summary, Topic
from trabecula.records.recovery_protocol import RecoveryOutcome, RecoveryProtocol
from trabecula.review.recovery_rows.spreads import Spreads, spreads

Row = tuple[RowRef, Result]


@dataclass(frozen=True, slots=True)
class People:
    """How many a row speaks of (`count`), and how many independent ones they are worth."""

    count: int
    effective: float
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Sources:
    """Estimates by row, spreads to borrow, and the protocol, for all studies."""

    topic: Topic
    protocol: RecoveryProtocol
    estimates: Mapping[tuple[RowRef, Measure], Estimate]
    unusable: Mapping[RowRef, Unusable]
    spreads: Spreads
    between: Mapping[str, float]
    cluster: Clustering
    correlation: float
    _scales: dict[tuple[str, str, str | None], Scale] = field(default_factory=dict)

    def estimate(self, ref: RowRef, measure: Measure) -> Estimate | None:
        """Return the estimate that a row is about, in one measure."""
        return self.estimates.get((ref, measure))

    def size(self, study: Study, row: Result) -> Size:
        """Return how many a row speaks of."""
        return size_of(study, row, self.cluster)

    def people(self, study: Study, row: Result) -> People | None:
        """Return how many a row speaks of; where it does not tell, a share of the study's."""
        size = self.size(study, row)
        if size.n is not None and size.effective is not None:
            return People(size.n, size.effective, size.steps)
        if row.subgroup is not None or row.unit != "patients":
            return None
        shared = share_of_arm(study, row.arm)
        return None if shared is None else People(round(shared[0]), *shared)

    def sample(self, study: Study, ref: RowRef) -> Sample:
        """Return what a row of a score or time tells by itself."""
        row = study.results[ref.index]
        outcome = self.topic.outcome(row.outcome)
        scale = self.scale(study, row.outcome, row.instrument)
        return sample_of(study, ref, outcome, scale, self.size(study, row))

    def scale(self, study: Study, outcome: str, instrument: str | None) -> Scale:
        """Return the scale of a study's figures on an instrument."""
        key = study.id, outcome, instrument
        if key not in self._scales:
            found = scale_of(self.topic, study, self.topic.outcome(outcome), instrument)
            self._scales[key] = found
        return self._scales[key]

    def preference(self, study: Study, outcome: RecoveryOutcome, row: Result | Contrast) -> int:
        """Return how far an instrument is from the one told: 0 it, 1 its domain, 2 another."""
        if outcome.instrument is None:
            return 0
        if self.scale(study, row.outcome, row.instrument).instrument == outcome.instrument:
            return 0
        spelled = self.topic.instrument_of(row.instrument)
        wanted = self.topic.instrument(outcome.instrument)
        return 1 if spelled is not None and spelled.domain == wanted.domain else 2


def sources_of(topic: Topic, protocol: RecoveryProtocol, effects: EffectTable) -> Sources:
    """Return what the rows of all studies of `topic` are read with."""
    assumed = topic.file.protocol.assumptions
    about = [e for e in effects.estimates if e.measure in ("MN", "MC", "PR", "MD")]
    scores = {score for outcome in protocol.outcomes for score in outcome.score}
    return Sources(
        topic=topic,
        protocol=protocol,
        estimates={(e.rows[0], e.measure): e for e in reversed(about)},
        unusable={u.row: u for u in effects.unusable},
        spreads=spreads(about, scores),
        between=dict(_between(about, scores)),
        cluster=clustering(topic.studies.values(), float(assumed.lesion_correlation.value)),
        correlation=float(assumed.baseline_correlation.value),
    )


def _between(estimates: list[Estimate], scores: set[str]) -> Iterator[tuple[str, float]]:
    """Yield each instrument on which two groups print a baseline, with the SD between groups."""
    values: dict[str, list[float]] = {}
    for e in estimates:
        before = e.measure == "MN" and e.week == 0 and e.subgroup is None
        if before and e.outcome in scores and e.instrument is not None:
            values.setdefault(e.instrument, []).append(e.value)
    for instrument, means in values.items():
        if len(means) > 1:
            middle = sum(means) / len(means)
            yield instrument, sqrt(sum((m - middle) ** 2 for m in means) / (len(means) - 1))


def rows_of(study: Study, outcomes: tuple[str, ...]) -> list[Row]:
    """Return the result rows of some outcomes, in order."""
    return [
        (RowRef(study.id, "results", index), row)
        for index, row in enumerate(study.results)
        if row.outcome in outcomes
    ]


def typical(summary: Summary | None) -> float | None:
    """Return the mean, the median, or the geometric middle of quartiles or range."""
    if summary is None:
        return None
    for value in (summary.mean, summary.median):
        if value is not None:
            return float(value)
    for limits in (summary.iqr, summary.range):
        if limits is not None and limits[0] > 0:
            return sqrt(float(limits[0]) * float(limits[1]))
    return None


def share_of_arm(study: Study, arm_id: str) -> tuple[float, tuple[Step, ...]] | None:
    """Return the patients of an arm; where not told, an equal share of those not in other arms.

    None where the study does not say how many patients it has either.
    """
    arm = study.arm(arm_id)
    if arm.patients:
        return float(arm.patients), ()
    whole = study.population.patients
    if not whole:
        return None
    told = 0 if study.crossover else sum(a.patients or 0 for a in study.arms)
    silent = 1 if study.crossover else sum(not a.patients for a in study.arms)
    n = (whole - told) / silent
    if n < 1:
        return None
    text = f"n of {arm.id} not told; {n:g} taken, an equal share of {whole} patients"
    return n, (Step("n-shared", text, "imputed"),)
