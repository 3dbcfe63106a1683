"""When a method says that the studies do not allow it, and what to do instead."""

from __future__ import annotations

import numpy as np

from trabecula.synthesis.arguments import FloatArray

MINIMUM_STUDIES = 10
"""Fewest studies for tests of funnel plot asymmetry and what is built on them (Sterne et al. 2011,
BMJ 343:d4002). With fewer the tests miss most real asymmetry and mostly find chance."""

SMALLEST_RATIO = 1.1
"""Smallest ratio of the largest to the smallest standard error at which a small study can be told
from a large one (judgement; Sterne et al. 2011 only ask that they are not all similar). With
less, a slope is an extrapolation of many times the range that was observed."""

ASYMMETRY = "with fewer, asymmetry cannot be told from chance (Sterne et al. 2011, BMJ 343:d4002)"

NOT_BIAS = (
    "Asymmetry is not publication bias: heterogeneity, poorer methods of small studies, the choice "
    "of effect measure and chance can each cause it."
)
"""Said by every summary of a test of asymmetry."""


class TooFewStudies(ValueError):  # noqa: N818 (a refusal, no fault)
    """The method is refused because there are too few studies.

    ``k`` studies were found, ``needed`` are needed, ``reason`` says why.
    """

    def __init__(self, k: int, needed: int, reason: str, least: int) -> None:
        self.k, self.needed, self.reason = k, needed, reason
        escape = f"; minimum_studies= lowers this, down to {least}" if needed > least else ""
        super().__init__(
            f"{k} {'study' if k == 1 else 'studies'}, {needed} are needed: {reason}{escape}"
        )


class SimilarStandardErrors(ValueError):  # noqa: N818 (a refusal, no fault)
    """The method is refused because all studies are about equally precise.

    ``ratio`` of the largest to the smallest standard error was found (or of the square roots of
    sample sizes), ``needed`` is needed.
    """

    def __init__(self, ratio: float, needed: float) -> None:
        self.ratio, self.needed = ratio, needed
        super().__init__(
            f"the largest standard error is {ratio:.3g} times the smallest, {needed:g} times is "
            "needed: studies of one size show no small-study effect, leave the test out"
        )


def require_studies(k: FloatArray, needed: int, least: int, reason: str) -> None:
    """Raise `TooFewStudies` if any data set has fewer than `needed` studies.

    `needed` is the caller's ``minimum_studies``; `ValueError` if it is below `least`, the number
    without which nothing can be computed.
    """
    if needed < least:
        raise ValueError(f"minimum_studies must be at least {least}, got {needed!r}")
    if (k < needed).any():
        raise TooFewStudies(int(k.min()), needed, reason, least)


def require_spread(size: FloatArray, present: FloatArray) -> None:
    """Raise `SimilarStandardErrors` if the standard errors of a data set are about equal.

    `size` is variances (or sample sizes), a table (data sets, studies), ``present`` 1 for studies.
    """
    there = present > 0
    largest = np.where(there, size, -np.inf).max(axis=1)
    smallest = np.where(there, size, np.inf).min(axis=1)
    ratio = np.sqrt(largest) / np.sqrt(smallest)
    if (ratio < SMALLEST_RATIO).any():
        raise SimilarStandardErrors(float(ratio.min()), SMALLEST_RATIO)
