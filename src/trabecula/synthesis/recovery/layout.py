"""Evidence and priors as the arrays that the density reads, and what its parameters are.

Every latent quantity is a standard normal deviate (or a half-normal one, by its logarithm), and
exists only where data inform it; only the rates of studies, each for the outcomes that it
reports, are sampled themselves.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.recovery.evidence import KINDS, TABLES, RecoveryEvidence
from trabecula.synthesis.recovery.points import points_of
from trabecula.synthesis.recovery.priors import RecoveryPriors

HALF_NORMAL = ("sooner", "study_sd", "optimism")
"""Parameters that are logarithms of half-normal deviates; the others are normal deviates."""

NORMAL = 1e12
"""Degrees of freedom at which a t law is normal, to nine digits ten standard errors out."""

NODES = 64
"""Nodes of the Gauss-Legendre rule over quantiles by which mean times are integrated."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """What the density needs.

    ``shared`` holds arrays by name, the same for every variant of priors and of studies used;
    ``sizes`` the shape of each parameter. ``classes`` names the classes of effects, an effect on
    its own being its own class.
    """

    shared: dict[str, Any]
    sizes: dict[str, tuple[int, ...]]
    classes: tuple[str, ...]

    @property
    def parameters(self) -> int:
        """How many numbers there are to sample."""
        return sum(int(np.prod(shape)) for shape in self.sizes.values())


def layout(
    evidence: RecoveryEvidence, priors: RecoveryPriors, *, exchangeable: bool = True
) -> Layout:
    """Return the arrays of `evidence`, ready for the density.

    Natural courses of studies are `exchangeable`, or one for all. Rates of studies are sampled
    from the prior median of `priors` on, which changes nothing but where 0 is.
    """
    classes, effect_class, members = _classes(evidence)
    cells, several = _cells(evidence), np.bincount(evidence.arm_study) > 1
    treated = evidence.design.any(axis=1)
    alone = np.zeros(len(evidence.studies))
    alone[evidence.arm_study[treated]] = 1.0
    alone[several.nonzero()[0]] = 0.0
    arm_cells = _arm_cells(evidence, several)
    series, of_series = _series(evidence)
    node, weight = np.polynomial.legendre.leggauss(NODES)
    outcomes, k = len(evidence.outcomes), len(classes)
    shared: dict[str, Any] = {
        "design": evidence.design,
        "arm_study": evidence.arm_study,
        "flags": np.stack([evidence.uncontrolled, evidence.unblinded], axis=1),
        "moderators": evidence.moderators,
        "cells": one_hot(cells[:, 0] * outcomes + cells[:, 1], len(evidence.studies) * outcomes).T,
        "present": _present(cells, len(evidence.studies), outcomes),
        "alone": alone[:, None],
        "anchor": one_hot(_anchors(evidence), len(evidence.arm_study)),
        "anchor_kind": _anchor_kinds(evidence),
        "arm_cells": one_hot(
            arm_cells[:, 0] * outcomes + arm_cells[:, 1], len(evidence.arm_study) * outcomes
        ).T,
        "effect_class": one_hot(effect_class, k),
        "members": one_hot(members, len(evidence.effects)).T,
        "series": of_series,
        "node": (node + 1) / 2,
        "node_weight": weight / 2,
        "study_of": {name: evidence.studies_of(getattr(evidence, name)) for name in TABLES},
        **{name: _columns(getattr(evidence, name)) for name in TABLES},
        "points": points_of(evidence),
    }
    rank = (evidence.times.n + 1) / 2
    shared["scores"] |= _errors(evidence)
    shared["reference"] = -np.log(priors.median_weeks)
    shared["times"]["log_beta"] = special.betaln(rank, evidence.times.n - rank + 1)
    sizes = {
        "median": (outcomes,),
        "spread": (outcomes,),
        "never": (outcomes,),
        "floor": (outcomes,),
        "sooner": (2, outcomes),
        "study_sd": (outcomes,),
        "optimism": (2,),
        "moderator": (len(evidence.moderator_names), outcomes),
        "class_effect": (k, outcomes),
        "member": (len(members), outcomes),
        "study": (len(cells) if exchangeable else 0,),
        "arm": (len(arm_cells),),
        "delay_slope": (outcomes,),
        "baseline": (series,),
    }
    return Layout(shared, sizes, classes)


def assumed(priors: RecoveryPriors, evidence: RecoveryEvidence) -> dict[str, Any]:
    """Return priors as numbers by name, and the delay of each study.

    A delay that a study does not tell is the typical one, with its larger error.
    """
    if len(priors.median_weeks) != len(evidence.outcomes):
        raise ValueError(
            f"median_weeks must have one entry an outcome ({len(evidence.outcomes)}), "
            f"got {len(priors.median_weeks)}"
        )
    numbers = {name: np.asarray(value, dtype=np.float64) for name, value in asdict(priors).items()}
    told = ~np.isnan(evidence.delay)
    delay = np.where(told, evidence.delay, priors.delay_weeks)
    numbers["delay"] = delay
    numbers["delay_se"] = delay * np.where(told, priors.delay_error, priors.delay_log_sd)
    return numbers


def one_hot(places: IntArray, size: int) -> FloatArray:
    """Return the matrix (places, size) that picks `places` from `size` values."""
    matrix = np.zeros((len(places), size))
    matrix[np.arange(len(places)), places] = 1.0
    return matrix


def _classes(evidence: RecoveryEvidence) -> tuple[tuple[str, ...], IntArray, IntArray]:
    """Return the classes, the class of each effect, and the effects that deviate from theirs."""
    named = [c or e for e, c in zip(evidence.effects, evidence.effect_class, strict=True)]
    classes = tuple(dict.fromkeys(named))
    members = [i for i, (e, c) in enumerate(zip(evidence.effects, named, strict=True)) if e != c]
    places = {name: i for i, name in enumerate(classes)}
    return classes, np.array([places[c] for c in named], int), np.array(members, int)


def _cells(evidence: RecoveryEvidence) -> IntArray:
    """Return the pairs (study, outcome) that any table reports, in order."""
    tables = [getattr(evidence, name) for name in TABLES]
    pairs = [np.stack([evidence.studies_of(t), t.outcome], axis=1) for t in tables]
    return np.unique(np.concatenate(pairs), axis=0)


def _present(cells: IntArray, studies: int, outcomes: int) -> FloatArray:
    grid = np.zeros((studies, outcomes))
    grid[cells[:, 0], cells[:, 1]] = 1.0
    return grid


def _arm_cells(evidence: RecoveryEvidence, several: Any) -> IntArray:
    """Return the pairs (arm, outcome) of treated arms of studies with several arms.

    In a study of one arm the deviations of study and arm cannot be told apart; there the study's
    is as much wider.
    """
    pairs: set[tuple[int, int]] = set()
    for name in TABLES:
        table = getattr(evidence, name)
        arms = (table.first, table.second) if name == "tests" else (table.arm,)
        for arm in arms:
            pairs |= set(zip(arm.tolist(), table.outcome.tolist(), strict=True))
    kept = [
        pair
        for pair in sorted(pairs)
        if evidence.design[pair[0]].any() and several[evidence.arm_study[pair[0]]]
    ]
    return np.array(kept, int).reshape(-1, 2)


def _anchors(evidence: RecoveryEvidence) -> IntArray:
    """Return of each study the arm whose rate is sampled: an untreated one if there is any."""
    treated = evidence.design.any(axis=1)
    order = np.lexsort((treated, evidence.arm_study))
    studies, first = np.unique(evidence.arm_study[order], return_index=True)
    anchors = np.zeros(len(evidence.studies), dtype=np.int64)
    anchors[studies] = order[first]
    return anchors


def _anchor_kinds(evidence: RecoveryEvidence) -> FloatArray:
    """Return what picks, of each study and outcome, the head start of the kind that is sampled.

    Complete recovery (no head start) where a study tells it, else the kind that it tells.
    """
    outcomes = len(evidence.outcomes)
    kind = np.full((len(evidence.studies), outcomes), len(KINDS))
    counts, tests = evidence.counts, evidence.tests
    for table, kinds in (
        (evidence.times, np.zeros(len(evidence.times.arm), int)),
        (counts, counts.kind),
        (evidence.scores, np.full(len(evidence.scores.arm), KINDS.index("score"))),
        (tests, tests.kind),
    ):
        np.minimum.at(kind, (evidence.studies_of(table), table.outcome), kinds)
    picked = np.zeros((*kind.shape, len(KINDS) - 1, outcomes))
    for study, outcome in np.argwhere((kind > 0) & (kind < len(KINDS))):
        picked[study, outcome, kind[study, outcome] - 1, outcome] = 1.0
    return picked.reshape(kind.size, -1)


def _errors(evidence: RecoveryEvidence) -> dict[str, FloatArray]:
    """Return the law of the error of each score: a t law where its standard error is borrowed.

    A borrowed variance is unsure as an inverse chi-squared variable is, with as many degrees of
    freedom as give its logarithm the standard deviation, and the median, that are told.
    """
    s = evidence.scores
    df = np.array([_degrees_of_freedom(v) for v in s.se_log_sd])
    middle = np.where(df < NORMAL, 2 * special.gammaincinv(df / 2, 0.5) / df, 1.0)
    constant = special.gammaln((df + 1) / 2) - special.gammaln(df / 2) - np.log(df * np.pi) / 2
    flat = df >= NORMAL
    return {
        "df": df,
        "scale": s.se * np.sqrt(middle),
        "log_constant": np.where(flat, -np.log(2 * np.pi) / 2, constant),
    }


def _degrees_of_freedom(log_sd: float) -> float:
    """Return the degrees of freedom at which log chi-squared has the SD 2 * `log_sd`."""
    from scipy import optimize

    if log_sd <= 2 / np.sqrt(2 * NORMAL):
        return NORMAL
    gap = lambda log_half: special.polygamma(1, np.exp(log_half)) - 4 * log_sd**2  # noqa: E731
    return float(2 * np.exp(optimize.brentq(gap, -5.0, np.log(NORMAL))))


def _series(evidence: RecoveryEvidence) -> tuple[int, IntArray]:
    """Return how many baselines there are, and the baseline of each score."""
    s = evidence.scores
    keys = list(zip(s.arm, s.outcome, s.baseline, s.baseline_se, strict=True))
    places: dict[Any, int] = {}
    found = np.array([places.setdefault(key, len(places)) for key in keys], int)
    return len(places), found


def _columns(table: Any) -> dict[str, Any]:
    return {name: getattr(table, name) for name in table.__dataclass_fields__}
