"""The contrasts of a network of trials: who was compared with whom, with which result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    COUNT,
    FloatArray,
    IntArray,
    numbers,
    require,
    same_shape,
)
from trabecula.synthesis.network.faults import Faults
from trabecula.synthesis.network.independent_rows import IndependentRows
from trabecula.synthesis.network.study_groups import consistent, study_groups
from trabecula.synthesis.result import frozen

Names = Sequence[str] | Sequence[int]
"""Names of studies or treatments; whole numbers are taken as text."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkEvidence:
    """All pairwise contrasts of all studies, one row a contrast, a study's rows together.

    A study of ``a`` arms holds all ``a (a - 1) / 2`` contrasts between them, each with its own
    sampling variance; together these determine the covariances (the variances of the arms when
    contrasts share arms), so that multi-arm studies are treated exactly and count once.

    ``studies`` and ``treatments`` are names in order of first appearance and in alphabetical
    order; ``study``, ``first`` and ``second`` (contrasts,) are indices into them. Rows are
    sorted by study, first and second, and ``first < second``: contrasts given the other way
    round were turned. ``estimate`` (..., contrasts) is the effect of `first` minus that of
    `second` (the logarithm for a ratio); ``variance`` (..., contrasts) its sampling variance.
    Leading axes are data sets on the same design. ``arms`` (studies,) is the number of arms of
    each study. Build it with `from_contrasts` or `from_arms`, which check what they are given.
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
        study: Names,
        first: Names,
        second: Names,
        estimate: ArrayLike,
        variance: ArrayLike,
    ) -> Self:
        """Return the evidence in contrasts (..., contrasts) as a paper or a table lists them.

        The contrasts between three arms must add up; a gap as rounding leaves it, up to a tenth
        of the smallest standard error, is spread over them by least squares.

        Raises
        ------
        ValueError
            Naming every study whose contrasts are incomplete, doubled, of a treatment with
            itself, do not add up, or whose variances belong to no covariance matrix.
        """
        studies, number = _indexed(_texts("study", study))
        one, other = _texts("first", first), _texts("second", second)
        treatments = tuple(sorted({*one, *other}))
        place = {name: i for i, name in enumerate(treatments)}
        left = np.array([place[name] for name in one], dtype=np.int64)
        right = np.array([place[name] for name in other], dtype=np.int64)
        values, spreads = _columns((number, left, right), estimate, variance)
        low, high = np.minimum(left, right), np.maximum(left, right)
        order = np.lexsort((high, low, number))
        values = np.where(left > right, -values, values)[..., order]
        rows = (number[order], low[order], high[order])
        faults = Faults(studies, treatments)
        faults.of_contrasts(*rows)
        faults.of_numbers(rows[0], rows[1:], values, spreads[..., order])
        faults.refuse()
        return cls._of(faults, rows, values, spreads[..., order])

    @classmethod
    def from_arms(
        cls,
        study: Names,
        treatment: Names,
        estimate: ArrayLike,
        variance: ArrayLike,
    ) -> Self:
        """Return the evidence in independent arms (..., arms): contrasts are their differences.

        Raises
        ------
        ValueError
            Naming every study that has one arm only, or two of the same treatment.
        """
        studies, number = _indexed(_texts("study", study))
        names = _texts("treatment", treatment)
        treatments = tuple(sorted(set(names)))
        place = {name: i for i, name in enumerate(treatments)}
        index = np.array([place[name] for name in names], dtype=np.int64)
        values, spreads = _columns((number, index), estimate, variance)
        order = np.lexsort((index, number))
        number, index = number[order], index[order]
        values, spreads = values[..., order], spreads[..., order]
        faults = Faults(studies, treatments)
        faults.of_arms(number, index)
        faults.of_numbers(number, (index,), values, spreads)
        faults.refuse()
        one, other = _pairs(number)
        return cls._of(
            faults,
            (number[one], index[one], index[other]),
            values[..., one] - values[..., other],
            spreads[..., one] + spreads[..., other],
        )

    @classmethod
    def _of(
        cls,
        faults: Faults,
        rows: tuple[IntArray, IntArray, IntArray],
        estimate: FloatArray,
        variance: FloatArray,
    ) -> Self:
        contrasts = np.bincount(rows[0])
        arms = ((1 + np.sqrt(1 + 8 * contrasts)) / 2).round().astype(np.int64)
        groups = study_groups(arms, *rows[1:])
        faults.of_groups(groups, estimate, variance)
        faults.refuse()
        return cls(
            faults.studies,
            faults.treatments,
            study=frozen(rows[0]),
            first=frozen(rows[1]),
            second=frozen(rows[2]),
            estimate=frozen(consistent(groups, estimate)),
            variance=frozen(variance),
            arms=frozen(arms),
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes: ``()`` for one data set."""
        return self.estimate.shape[:-1]

    @property
    def pairs(self) -> IntArray:
        """The comparisons with direct evidence (comparisons, 2): treatment indices, sorted."""
        code = np.unique(self.first * len(self.treatments) + self.second)
        return np.stack(np.divmod(code, len(self.treatments)), axis=1)

    @property
    def pair(self) -> IntArray:
        """The row of `pairs` to which each contrast belongs (contrasts,)."""
        code = self.first * len(self.treatments) + self.second
        position: IntArray = np.unique(code, return_inverse=True)[1].astype(np.int64)
        return position

    @property
    def designs(self) -> tuple[tuple[str, ...], ...]:
        """The sets of treatments that studies compare, each once, in alphabetical order."""
        return tuple(tuple(self.treatments[i] for i in design) for design in self._designs()[0])

    @property
    def design(self) -> IntArray:
        """The index into `designs` of each study (studies,)."""
        return self._designs()[1]

    @property
    def parts(self) -> tuple[NetworkEvidence, ...]:
        """The connected parts of the network, most treatments first; one if all is connected.

        Estimates compare treatments of one part only: nothing links two parts.
        """
        labels = connected_parts(len(self.treatments), self.pairs)
        if not labels.any():
            return (self,)
        sizes = np.bincount(labels)
        of_study = labels[self.first[_starts(self.study)]]
        return tuple(self.subset(of_study == label) for label in np.argsort(-sizes, kind="stable"))

    def subset(self, studies: ArrayLike) -> NetworkEvidence:
        """Return the evidence of some `studies`: a mask or indices into ``studies``.

        Treatments that no study of these compares leave the network.
        """
        wanted = np.asarray(studies)
        chosen = np.unique(np.arange(len(self.studies))[wanted]) if wanted.size else wanted
        if not len(chosen):
            raise ValueError("studies must hold at least one study, got none")
        rows = np.isin(self.study, chosen)
        left = np.unique(np.concatenate([self.first[rows], self.second[rows]]))
        return NetworkEvidence(
            studies=tuple(self.studies[i] for i in chosen),
            treatments=tuple(self.treatments[i] for i in left),
            study=frozen(np.searchsorted(chosen, self.study[rows])),
            first=frozen(np.searchsorted(left, self.first[rows])),
            second=frozen(np.searchsorted(left, self.second[rows])),
            estimate=frozen(self.estimate[..., rows]),
            variance=frozen(self.variance[..., rows]),
            arms=frozen(self.arms[chosen]),
        )

    def independent_rows(self) -> IndependentRows:
        """Return the same information as independent rows, ``a - 1`` a study of ``a`` arms.

        The rows of a study are combinations of its arms with uncorrelated errors, whose variances
        grow by tau2 under random effects: the network is an ordinary weighted regression.
        """
        groups = study_groups(self.arms, self.first, self.second)
        return IndependentRows.of(groups, self.estimate, self.variance, len(self.treatments))

    def laplacian_weights(self, tau2: ArrayLike = 0.0) -> FloatArray:
        """Return the weight of each contrast (..., contrasts) in the Laplacian of the network.

        The inverse variance for a study of two arms. For others the weights whose Laplacian is
        the pseudo-inverse of the covariance matrix of the arms (Rücker 2012, Res Synth Methods
        3:312-324; Rücker and Schwarzer 2014, Stat Med 33:4353-4369), each arm's variance enlarged
        by half of `tau2` (...); below zero where arms are strongly correlated.
        """
        rows = self.independent_rows()
        spread = numbers("tau2", tau2)
        require("tau2", spread, COUNT)
        spread = np.broadcast_to(spread, np.broadcast_shapes(self.shape, spread.shape))
        spread = spread.reshape(-1, 1)
        weights = rows.contrast_weights(1 / (rows.variance + spread))
        return weights.reshape(*np.broadcast_shapes(self.shape, np.shape(tau2)), -1)

    def _designs(self) -> tuple[list[tuple[int, ...]], IntArray]:
        found: list[tuple[int, ...]] = []
        of_study = np.empty(len(self.studies), dtype=np.int64)
        for group in study_groups(self.arms, self.first, self.second):
            designs, place = np.unique(group.treatments, axis=0, return_inverse=True)
            of_study[group.studies] = len(found) + place
            found += map(tuple, designs.tolist())
        order = sorted(range(len(found)), key=found.__getitem__)
        rank = np.argsort(order)
        return [found[i] for i in order], rank[of_study]


def connected_parts(treatments: int, pairs: IntArray) -> IntArray:
    """Return the part of the network to which each treatment belongs, numbered from 0."""
    label = np.arange(treatments)
    while True:
        lowest = label.copy()
        np.minimum.at(lowest, pairs[:, 0], label[pairs[:, 1]])
        np.minimum.at(lowest, pairs[:, 1], label[pairs[:, 0]])
        lowest = lowest[lowest]
        if (lowest == label).all():
            return np.unique(label, return_inverse=True)[1].astype(np.int64)
        label = lowest


def _texts(name: str, values: Names) -> list[str]:
    texts = list(values)
    wrong = {repr(value) for value in texts if not isinstance(value, str | int | np.integer)}
    if wrong or not all(str(value).strip() for value in texts):
        found = ", ".join(sorted(wrong)) or "an empty one"
        raise ValueError(f"{name} must hold names, text or whole numbers; got {found}")
    if not texts:
        raise ValueError(f"{name} must hold at least one name, got none")
    return [str(text) for text in texts]


def _indexed(names: list[str]) -> tuple[tuple[str, ...], IntArray]:
    place = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return tuple(place), np.array([place[name] for name in names], dtype=np.int64)


def _columns(
    indices: tuple[IntArray, ...], estimate: ArrayLike, variance: ArrayLike
) -> tuple[FloatArray, FloatArray]:
    values, spreads = numbers("estimate", estimate), numbers("variance", variance)
    shape = same_shape(("estimate", "variance"), values, spreads)
    lengths = [len(index) for index in indices] + list(shape[-1:])
    if not shape or len(set(lengths)) > 1:
        raise ValueError(
            "names, estimate and variance must have one entry a row, "
            f"got {', '.join(map(str, lengths[:-1]))} names and numbers of shape {shape}"
        )
    if 0 in shape:
        raise ValueError(f"estimate and variance must hold a data set, got shape {shape}")
    return np.broadcast_to(values, shape), np.broadcast_to(spreads, shape)


def _starts(study: IntArray) -> IntArray:
    return np.flatnonzero(np.diff(study, prepend=-1)).astype(np.int64)


def _pairs(study: IntArray) -> tuple[IntArray, IntArray]:
    """Return the positions of all pairs within each study of sorted rows."""
    position = np.arange(len(study))
    later = np.searchsorted(study, study, side="right") - position - 1
    one = np.repeat(position, later)
    nth = np.arange(len(one)) - np.repeat(np.cumsum(later) - later, later)
    return one, one + 1 + nth
