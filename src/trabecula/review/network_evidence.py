"""All contrasts of a study of several arms, from those that it reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from trabecula.effects.estimate import Estimate
from trabecula.review.treatments import treatment_of

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


def completed_contrasts(
    estimates: Sequence[Estimate], star: Star
) -> tuple[list[Contrast], bool, list[Estimate]]:
    """Return every contrast between the arms of one study, and what could not be used.

    Contrasts not reported follow from those that share an arm: their effect is the difference,
    their variance the sum of those of the two arms (see `Star.variances`). Where that is not
    possible the comparison of most patients stands alone.

    Returns
    -------
    tuple
        The contrasts, whether any was derived, and the estimates left out.
    """
    arms = {a for e in estimates for a in (e.arm, e.comparator_arm or "")}
    if len(estimates) == len(arms) * (len(arms) - 1) // 2:
        return [_contrast(e) for e in estimates], False, []
    shared = [a for a in arms if all(a in (e.arm, e.comparator_arm) for e in estimates)]
    if len(shared) == 1:
        spokes = {_other(e, shared[0]): e for e in estimates}
        variances = star.variances(shared[0], spokes)
        if variances is not None:
            return list(_from_arms(shared[0], spokes, variances)), True, []
    largest = max(estimates, key=lambda e: (e.n or 0, -e.se))
    return [_contrast(largest)], False, [e for e in estimates if e is not largest]


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
