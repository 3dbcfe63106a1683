"""Studies, arms, treatments and moderators of the rows that enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

import numpy as np

from trabecula.effects.pairs import same_treatment
from trabecula.records import Arm, Study, Topic
from trabecula.review.model import Scope
from trabecula.review.recovery_rows.draft import Draft
from trabecula.review.recovery_rows.sources import typical
from trabecula.review.treatments import agents_of, treatment_of
from trabecula.synthesis.arguments import FloatArray

PREGNANT = "pregnant"
"""The moderator by the share of patients who were."""

PARTLY_BLIND = 0.5
"""How much of the optimism of an open trial is left in one that is blind in part: a single-blind
one, or one with a placebo or sham that does not say who knew. With 1 it counts as open, with 0
as double-blind."""


@dataclass(frozen=True)
class Frame:
    """What the library is told of studies and arms; arrays as in `RecoveryEvidence`."""

    studies: tuple[str, ...]
    arms: tuple[tuple[str, str], ...]
    effects: tuple[str, ...]
    effect_class: tuple[str | None, ...]
    arm_study: list[int]
    design: FloatArray
    uncontrolled: list[float]
    unblinded: list[float]
    moderator_names: tuple[str, ...]
    moderators: FloatArray
    delay: list[float]


def frame_of(topic: Topic, drafts: Sequence[Draft], scope: Scope, *, interactions: bool) -> Frame:
    """Return the frame of the studies and arms that drafts speak of.

    Effects are the active regimens of arms, in alphabetical order; with `interactions` each
    combination has one more.
    """
    used = {(draft.study, arm) for draft in drafts for arm in draft.arms}
    studies = [study for study in topic.studies.values() if study.id in {s for s, _ in used}]
    arms = [(s, arm) for s in studies for arm in s.arms if (s.id, arm.id) in used]
    names = [effects_of(topic, arm, interactions=interactions) for _, arm in arms]
    effects = tuple(sorted({name for own in names for name in own}))
    design = np.array([[float(e in own) for e in effects] for own in names])
    columns = _moderators(topic, studies, scope)
    places = {study.id: place for place, study in enumerate(studies)}
    return Frame(
        studies=tuple(places),
        arms=tuple((study.id, arm.id) for study, arm in arms),
        effects=effects,
        effect_class=tuple(_class_of(topic, effect) for effect in effects),
        arm_study=[places[study.id] for study, _ in arms],
        design=design.reshape(len(arms), len(effects)),
        uncontrolled=[
            float(bool(own) and not is_comparative(study))
            for (study, _), own in zip(arms, names, strict=True)
        ],
        unblinded=[
            openness(study) if own and is_comparative(study) else 0.0
            for (study, _), own in zip(arms, names, strict=True)
        ],
        moderator_names=tuple(columns),
        moderators=np.array([columns[name] for name in columns]).T.reshape(
            len(studies), len(columns)
        ),
        delay=[_delay(study) for study in studies],
    )


def effects_of(topic: Topic, arm: Arm, *, interactions: bool) -> tuple[str, ...]:
    """Return the effects of an arm: its active regimens, and their combination if wanted."""
    active = sorted(set(arm.regimens) - set(topic.file.protocol.control_regimens))
    if interactions and len(active) > 1:
        return (*active, treatment_of(active))
    return tuple(active)


def _class_of(topic: Topic, effect: str) -> str | None:
    """Return the class of an effect; a class is its own, a combination has none."""
    if effect in agents_of(topic):
        return effect
    regimen = topic.regimens.get(effect)
    return None if regimen is None else regimen.parent


def is_comparative(study: Study) -> bool:
    """Return whether two arms of a study were treated differently."""
    return any(not same_treatment(study.arms[0], arm) for arm in study.arms[1:])


def openness(study: Study) -> float:
    """Return how far a comparative study lets what people know raise what it shows.

    1 for an open study and one that does not tell, 0 for a double-blind one, `PARTLY_BLIND` for
    a single-blind one and for a placebo or sham of which is not told who knew.
    """
    if study.blinding == "double-blind":
        return 0.0
    masked = study.blinding is None and study.control in ("placebo", "sham")
    return PARTLY_BLIND if study.blinding == "single-blind" or masked else 1.0


def _delay(study: Study) -> float:
    """Return the weeks from onset to start, NaN where not told."""
    told = typical(study.population.symptom_weeks)
    return told if told else nan


def _moderators(topic: Topic, studies: Sequence[Study], scope: Scope) -> dict[str, list[float]]:
    """Return a column a stratum beyond the first, a site, and pregnancy.

    A study of k sites is 1/k of each; one of several sites at once, or of unknown ones, is none.
    """
    columns: dict[str, list[float]] = {}
    strata = [topic.stratum_of(study).id for study in studies]
    for stratum in topic.file.strata[1:]:
        if scope == "all" and stratum.id in strata:
            columns[f"stratum:{stratum.id}"] = [float(s == stratum.id) for s in strata]
    for site in topic.file.sites:
        shares = [_share_of_site(study, site.id) for study in studies]
        if any(shares) and not site.several:
            columns[f"site:{site.id}"] = shares
    columns[PREGNANT] = [_pregnant(study) for study in studies]
    return columns


def _share_of_site(study: Study, site: str) -> float:
    sites = study.population.sites
    return 1 / len(sites) if site in sites else 0.0


def _pregnant(study: Study) -> float:
    people = study.population
    return people.pregnant / people.patients if people.pregnant and people.patients else 0.0
