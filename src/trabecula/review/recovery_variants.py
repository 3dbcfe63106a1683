"""The sensitivity analyses of the recovery model: what is varied, and under which name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from trabecula.records import Topic
from trabecula.records.recovery_protocol import RecoveryProtocol
from trabecula.review.recovery_evidence import RecoveryInput
from trabecula.review.recovery_fits import Task, changed, without
from trabecula.review.recovery_model import VariantKind
from trabecula.synthesis.recovery.priors import RecoveryPriors
from trabecula.synthesis.recovery.sample import Variant
from trabecula.synthesis.sampling.settings import Settings

LIGHT = Settings(chains=2, draws=250, warmup=100, target_accept=0.8, seed=20190501)
"""How many sensitivity analyses are sampled side by side: enough for a digit."""

FORMS = Settings(chains=4, draws=500, warmup=300, target_accept=0.8, seed=20190501)
"""How other forms of the model are sampled."""

R_HAT = 1.1
"""Largest R-hat of a sensitivity analysis (Gelman and Rubin's old limit): an interval that is a
tenth too narrow misleads nobody who compares it with fifty others. One that fails is not shown."""

SCALES = (
    "effect_sd", "study_sd", "arm_sd", "uncontrolled_optimism", "unblinded_optimism",
    "outcome_correlation", "moderator_sd", "kind_sd", "never_recover", "floor", "spread",
    "delay_weeks",
)  # fmt: skip
"""The priors that are varied; the others decide on how sure these are."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A sensitivity analysis that only changes priors or leaves studies out."""

    id: str
    label: str
    kind: VariantKind
    variant: Variant
    shown: bool = True


def lanes(protocol: RecoveryProtocol, found: RecoveryInput, priors: RecoveryPriors) -> list[Lane]:
    """Return all sensitivity analyses of one evidence that can be sampled side by side.

    Those not `shown` tell of what an answer is made.
    """
    base = Variant(priors)
    return [
        *_priors(protocol, base),
        Lane("only-comparative", "comparative studies only", "evidence", _comparative(found, base)),
        *_studies(found, base),
        *_contributions(found, base),
    ]


def _priors(protocol: RecoveryProtocol, base: Variant) -> Iterator[Lane]:
    for name in SCALES:
        assumed = getattr(protocol.priors, name)
        for value in assumed.sensitivity:
            if name in {"study_sd", "arm_sd"} and value == 0:
                continue  # the form with one natural course for all says that
            label = f"{name.replace('_', ' ')} {value:g} instead of {assumed.value:g}"
            yield Lane(f"{name}-{value:g}", label, "prior", changed(base, **{name: float(value)}))
    middle = tuple(float(m.value) for m in protocol.priors.median_weeks)
    for place in range(min(len(m.sensitivity) for m in protocol.priors.median_weeks)):
        told = tuple(float(m.sensitivity[place]) for m in protocol.priors.median_weeks)
        pairs = ", ".join(f"{a:g} instead of {b:g}" for a, b in zip(told, middle, strict=True))
        variant = changed(base, median_weeks=told)
        yield Lane(f"median_weeks-{place}", f"natural median {pairs} weeks", "prior", variant)


def _comparative(found: RecoveryInput, base: Variant) -> Variant:
    several = np.bincount(found.evidence.arm_study) > 1
    return replace(base, use=tuple(bool(s) for s in several))


def _studies(found: RecoveryInput, base: Variant) -> Iterator[Lane]:
    studies = found.evidence.studies
    for study in studies:
        variant = replace(base, use=without(studies, [study]))
        yield Lane(f"without-{study}", f"without {study}", "study", variant)


def _contributions(found: RecoveryInput, base: Variant) -> Iterator[Lane]:
    """Yield what would be known of each effect without its studies, or its comparative ones."""
    evidence = found.evidence
    for effect in evidence.effects:
        own, compared = studies_with(found, effect)
        for name, left in (("borrowed", own), ("single", compared)):
            if left:
                variant = replace(base, use=without(evidence.studies, left))
                yield Lane(f"{name}:{effect}", "", "evidence", variant, shown=False)


def studies_with(found: RecoveryInput, effect: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the studies in which `effect` was given, and those that compare it."""
    evidence = found.evidence
    column = evidence.design[:, evidence.effects.index(effect)]
    given = sorted(set(evidence.arm_study[column > 0].tolist()))
    compares = [s for s in given if len(set(column[evidence.arm_study == s].tolist())) > 1]
    names = evidence.studies
    return tuple(names[s] for s in given), tuple(names[s] for s in compares)


def tasks_of(
    topic: Topic,
    found: RecoveryInput,
    everywhere: RecoveryInput,
    combined: RecoveryInput,
    priors: RecoveryPriors,
) -> list[Task]:
    """Return all fits: the primary one, other forms, other evidence, and the lanes together."""
    protocol = topic.file.protocol.recovery
    assert protocol is not None
    base, evidence = (Variant(priors),), found.evidence
    side_by_side = tuple(lane.variant for lane in lanes(protocol, found, priors))
    loose = {"settings": FORMS, "check": False}
    return [
        Task("primary", evidence, base),
        Task("sensitivity", evidence, side_by_side, settings=LIGHT, check=False),
        Task("log-normal", evidence, base, form="log-normal", **loose),  # type: ignore[arg-type]
        Task("log-logistic", evidence, base, form="log-logistic", **loose),  # type: ignore[arg-type]
        Task("one-course", evidence, base, exchangeable=False, **loose),  # type: ignore[arg-type]
        Task("interactions", combined.evidence, base, **loose),  # type: ignore[arg-type]
        Task("all-strata", everywhere.evidence, base, **loose),  # type: ignore[arg-type]
    ]
