"""The contrasts of a network of trials: who was compared with whom, with which result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class NetworkEvidence:
    """All pairwise contrasts of all studies, one row a contrast, a study's rows together.

    A study of ``a`` arms holds all ``a (a - 1) / 2`` contrasts between them, each with its own
    sampling variance; together these determine the covariances (the variances of the arms when
    contrasts share arms), so that multi-arm studies are treated exactly and count once.

    ``studies`` and ``treatments`` are names in order of first appearance and in alphabetical
    order; ``study``, ``first`` and ``second`` (contrasts,) are indices into them. ``estimate``
    (..., contrasts) is the effect of `first` minus that of `second` (the logarithm for a
    ratio); ``variance`` (..., contrasts) its sampling variance. Leading axes are data sets on
    the same design. ``arms`` (studies,) is the number of arms of each study.
    """

    studies: tuple[str, ...]
    treatments: tuple[str, ...]
    study: IntArray
    first: IntArray
    second: IntArray
    estimate: FloatArray
    variance: FloatArray
    arms: IntArray

    @classmethod
    def from_contrasts(
        cls,
        study: Sequence[str],
        first: Sequence[str],
        second: Sequence[str],
        estimate: ArrayLike,
        variance: ArrayLike,
    ) -> Self:
        """Return the evidence in contrasts (..., contrasts) as a paper or ``pairwise`` lists them.

        Raises
        ------
        ValueError
            Naming every study whose contrasts are incomplete, doubled, of a treatment with
            itself, or whose variances belong to no covariance matrix.
        """
        raise NotImplementedError

    @classmethod
    def from_arms(
        cls,
        study: Sequence[str],
        treatment: Sequence[str],
        estimate: ArrayLike,
        variance: ArrayLike,
    ) -> Self:
        """Return the evidence in independent arms (..., arms): contrasts are their differences."""
        raise NotImplementedError
