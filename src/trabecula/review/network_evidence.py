"""All contrasts of a study of several arms, from those that it reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from trabecula.effects.estimate import Estimate
from trabecula.review.treatments import treatment_of
from trabecula.synthesis import NetworkEvidence

Contrast = tuple[str, str, float, float]
"""Two treatments, the effect of the first minus that of the second, and its variance."""


@dataclass(frozen=True, slots=True)
class Star:
    """The patients of each arm of a study; ``None`` where their number is unknown."""

    patients: Mapping[str, int | None]

    def variances(self, common: str, spokes: Mapping[str, Estimate]) -> dict[str, float] | None:
        """Return the variance of each arm's mean, from comparisons that share the arm `common`.

        The share of the common arm in the variances of its comparisons follows from the numbers
        of patients, one SD assumed for all; the rest of each variance belongs to the other arm.
        None where a number is unknown or a variance has no such rest.
        """
        size = self.patients.get(common)
        sizes = {arm: self.patients.get(arm) for arm in spokes}
        if not size or not all(sizes.values()):
            return None
        squares = [e.se**2 / (1 / size + 1 / (sizes[arm] or 1)) for arm, e in spokes.items()]
        shared = sum(squares) / len(squares) / size
        variances = {arm: e.se**2 - shared for arm, e in spokes.items()}
        if min(variances.values()) <= 0:
            return None
        return {common: shared, **variances}


Left = tuple[Estimate, str]
"""An estimate that is left out, and why."""


def completed_contrasts(
    estimates: Sequence[Estimate], star: Star
) -> tuple[list[Contrast], bool, list[Left]]:
    """Return every contrast between the arms of one study, and what could not be used.

    Contrasts not reported follow from those that share an arm: their effect is the difference,
    their variance the sum of those of the two arms (see `Star.variances`). So do contrasts that
    were all reported but contradict each other, by rounding or adjustment: those with the arm of
    most patients are kept. Where neither is possible the comparison of most patients stands
    alone.

    Returns
    -------
    tuple
        The contrasts, whether any was derived, and the estimates left out with the reason.
    """
    mine, left = _one_arm_a_treatment(estimates)
    if not mine:
        return [], False, left
    arms = {a for e in mine for a in (e.arm, e.comparator_arm or "")}
    whole = len(mine) == len(arms) * (len(arms) - 1) // 2
    if whole and _agree(mine):
        return [_contrast(e) for e in mine], False, left
    centers = arms if whole else {a for a in arms if all(_touches(e, a) for e in mine)}
    if not centers:
        return _largest(mine, left, "no arm of its study was compared with every other one")
    common = max(sorted(centers), key=lambda arm: star.patients.get(arm) or 0)
    spokes = {_other(e, common): e for e in mine if _touches(e, common)}
    variances = star.variances(common, spokes)
    if variances is None:
        return _largest(mine, left, "what its study's comparisons share cannot be worked out")
    told = "does not agree with the other comparisons of its study, which say the same"
    left += [(e, told) for e in mine if not _touches(e, common)]
    return list(_from_arms(common, spokes, variances)), True, left


def _one_arm_a_treatment(estimates: Sequence[Estimate]) -> tuple[list[Estimate], list[Left]]:
    """Return the estimates of one arm of each treatment, that with most comparisons, then n."""
    worth: dict[tuple[str, str], tuple[int, int]] = {}
    for e in estimates:
        for place in _places(e):
            count, n = worth.get(place, (0, 0))
            worth[place] = count + 1, n + (e.n or 0)
    ranked = sorted(worth, key=lambda place: (worth[place], place))
    best = dict(ranked)  # of each treatment the last, which ranks highest
    kept = [e for e in estimates if all(best[t] == arm for t, arm in _places(e))]
    told = "another arm of the same treatment has more comparisons or patients"
    return kept, [(e, told) for e in estimates if e not in kept]


def _places(estimate: Estimate) -> tuple[tuple[str, str], tuple[str, str]]:
    """Return treatment and arm of both sides."""
    return (
        (treatment_of(estimate.regimens), estimate.arm),
        (treatment_of(estimate.comparator), estimate.comparator_arm or ""),
    )


def _agree(estimates: Sequence[Estimate]) -> bool:
    """Return whether contrasts add up and their variances belong to one covariance matrix."""
    first, second, value, variance = zip(*map(_contrast, estimates), strict=True)
    try:
        NetworkEvidence.from_contrasts(["study"] * len(first), first, second, value, variance)
    except ValueError:
        return False
    return True


def _largest(
    mine: Sequence[Estimate], left: Sequence[Left], reason: str
) -> tuple[list[Contrast], bool, list[Left]]:
    largest = max(mine, key=lambda e: (e.n or 0, -e.se))
    return [_contrast(largest)], False, [*left, *((e, reason) for e in mine if e is not largest)]


def _touches(estimate: Estimate, arm: str) -> bool:
    return arm in (estimate.arm, estimate.comparator_arm)


def _contrast(estimate: Estimate) -> Contrast:
    pair = treatment_of(estimate.regimens), treatment_of(estimate.comparator)
    return *pair, estimate.value, estimate.se**2


def _other(estimate: Estimate, arm: str) -> str:
    return (estimate.comparator_arm or "") if estimate.arm == arm else estimate.arm


def _from_arms(
    common: str, spokes: Mapping[str, Estimate], variances: Mapping[str, float]
) -> Iterator[Contrast]:
    """Yield the contrasts of all arms, their effects counted from the common arm."""
    effect, treatment = {common: 0.0}, {}
    for arm, e in spokes.items():
        turned = e.arm == common
        effect[arm] = -e.value if turned else e.value
        treatment[arm] = treatment_of(e.comparator if turned else e.regimens)
        treatment[common] = treatment_of(e.regimens if turned else e.comparator)
    for one, other in combinations((common, *spokes), 2):
        variance = variances[one] + variances[other]
        yield treatment[one], treatment[other], effect[one] - effect[other], variance
