"""Means over time in the arms of trials, laid out as the model needs them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import ESTIMATE, FloatArray, IntArray, Interval, numbers, require
from trabecula.synthesis.network.evidence import Names, connected_parts
from trabecula.synthesis.network.graph import DisconnectedNetwork

TIME = Interval("[0, 1e+30]")
SE = Interval("[1e-15, 1e+15]")
CORRELATION = Interval("[0, 1)")


@dataclass(frozen=True, slots=True, eq=False)
class TimeCourseEvidence:
    """Means ``y`` (studies, arms, times) at ``time``, padded where a study or arm has fewer.

    ``weight`` (studies, arms, times, times) is the inverse covariance matrix of the means of an
    arm, 0 where padded. ``effects`` (studies, arms, treatments but the reference) is 1 for the
    treatment of an arm and -1 for that of the first arm of its study, which has the reference if
    the study has it. ``deviations`` (studies, arms, contrasts) turn independent standard normal
    deviations into those of the contrasts of a study, with variance 1 and correlation 1/2.
    ``arms`` and ``times`` (studies,) count arms and different times; ``holds_reference``
    (studies,) is 1 or 0. ``log_determinant`` is that of the covariance matrix of all means.
    """

    studies: tuple[str, ...]
    treatments: tuple[str, ...]
    reference: str
    observations: int
    y: FloatArray
    time: FloatArray
    weight: FloatArray
    effects: FloatArray
    deviations: FloatArray
    arms: IntArray
    times: IntArray
    holds_reference: IntArray
    log_determinant: float

    @classmethod
    def read(
        cls,
        study: Names,
        treatment: Names,
        time: ArrayLike,
        y: ArrayLike,
        se: ArrayLike,
        *,
        correlation: float,
        reference: str | None,
    ) -> Self:
        """Return the evidence, one mean a row of the arguments.

        Raises
        ------
        DisconnectedNetwork
            If nothing links some treatments, naming the parts.
        ValueError
            For what is no mean, arms told twice at a time, or a reference that no arm has.
        """
        columns = _checked(study, treatment, time, y, se)
        require("correlation", numbers("correlation", correlation), CORRELATION)
        names = [[str(name) for name in given] for given in (study, treatment)]
        if reference is None:
            reference = _most_studied(*names)
        if reference not in names[1]:
            raise ValueError(
                f"reference must be one of {', '.join(sorted(set(names[1])))}; got {reference!r}"
            )
        studies = tuple(dict.fromkeys(names[0]))
        treatments = tuple(sorted(set(names[1])))
        place = {name: i for i, name in enumerate(studies)}
        rank = {
            name: i
            for i, name in enumerate((reference, *(t for t in treatments if t != reference)))
        }
        rows = np.array([[place[s], rank[t]] for s, t in zip(*names, strict=True)], dtype=np.int64)
        order = np.lexsort((columns[0], rows[:, 1], rows[:, 0]))
        rows, columns = rows[order], columns[:, order]
        _refuse_doubles(rows, columns[0], studies, tuple(rank))
        return cls._laid_out(rows, columns, studies, treatments, reference, float(correlation))

    @property
    def observed(self) -> NDArray[np.bool_]:
        """Where (studies, arms, times) a mean stands, and not padding."""
        return np.diagonal(self.weight, axis1=-2, axis2=-1) > 0

    @classmethod
    def _laid_out(
        cls,
        rows: IntArray,
        columns: FloatArray,
        studies: tuple[str, ...],
        treatments: tuple[str, ...],
        reference: str,
        correlation: float,
    ) -> Self:
        """Return the evidence of sorted `rows` (study, treatment, the reference being 0)."""
        pairs, arm, length = np.unique(rows, axis=0, return_inverse=True, return_counts=True)
        arms = np.bincount(pairs[:, 0])
        start = np.cumsum(arms) - arms
        first = pairs[start, 1]
        _refuse_parts(pairs, first, treatments, reference)
        own = pairs[:, 0], np.arange(len(pairs)) - start[pairs[:, 0]]
        where = own[0][arm], own[1][arm], np.arange(len(rows)) - (np.cumsum(length) - length)[arm]
        shape = (len(studies), int(arms.max()), int(length.max()))
        padded = np.zeros((2, *shape))
        padded[:, *where] = columns[:2]
        one = np.eye(len(treatments))
        effects = np.zeros((*shape[:2], len(treatments)))
        effects[own] = one[pairs[:, 1]] - one[first[pairs[:, 0]]]
        weight, log_determinant = _precisions(columns[2], arm, where, shape, correlation)
        spread = [len(np.unique(columns[0][rows[:, 0] == i])) for i in range(len(studies))]
        return cls(
            studies=studies,
            treatments=treatments,
            reference=reference,
            observations=len(rows),
            time=padded[0],
            y=padded[1],
            weight=weight,
            effects=effects[..., 1:],
            deviations=_deviations(arms),
            arms=arms,
            times=np.array(spread),
            holds_reference=(first == 0).astype(np.int64),
            log_determinant=log_determinant,
        )


def _checked(
    study: Names, treatment: Names, time: ArrayLike, y: ArrayLike, se: ArrayLike
) -> FloatArray:
    """Return time, y and se as rows of a table."""
    given = {"time": numbers("time", time), "y": numbers("y", y), "se": numbers("se", se)}
    sizes = {"study": (len(study),), "treatment": (len(treatment),)}
    sizes |= {name: values.shape for name, values in given.items()}
    if len(set(sizes.values())) > 1 or not len(study):
        told = ", ".join(f"{name} {shape}" for name, shape in sizes.items())
        raise ValueError(f"every column must have one entry a mean, at least one; got {told}")
    for (name, values), allowed in zip(given.items(), (TIME, ESTIMATE, SE), strict=True):
        require(name, values, allowed)
    if not given["time"].any():
        raise ValueError("time must exceed 0 somewhere: at time 0 nothing has changed yet")
    return np.stack([*given.values()])


def _most_studied(study: Sequence[str], treatment: Sequence[str]) -> str:
    """Return the treatment in most studies, of several the first by name."""
    arms = sorted({*zip(treatment, study, strict=True)})
    count = {name: sum(name == other for other, _ in arms) for name, _ in arms}
    return max(count, key=lambda name: count[name])


def _refuse_doubles(
    rows: IntArray, time: FloatArray, studies: tuple[str, ...], treatments: tuple[str, ...]
) -> None:
    same = (np.diff(rows, axis=0) == 0).all(axis=1) & (np.diff(time) == 0)
    if same.any():
        at = int(same.argmax())
        raise ValueError(
            "every arm needs a treatment of its own in its study, and one mean a time; study "
            f"{studies[rows[at, 0]]!r} has two of {treatments[rows[at, 1]]!r} at time {time[at]:g}"
        )


def _refuse_parts(
    pairs: IntArray, first: IntArray, treatments: tuple[str, ...], reference: str
) -> None:
    links = np.stack([first[pairs[:, 0]], pairs[:, 1]], axis=1)
    parts = connected_parts(len(treatments), links)
    if parts.any():
        names = (reference, *(t for t in treatments if t != reference))
        raise DisconnectedNetwork(
            tuple(
                tuple(t for t, own in zip(names, parts, strict=True) if own == part)
                for part in range(int(parts.max()) + 1)
            )
        )


def _precisions(
    se: FloatArray,
    arm: IntArray,
    where: tuple[IntArray, ...],
    shape: tuple[int, ...],
    correlation: float,
) -> tuple[FloatArray, float]:
    """Return the inverse covariance matrices of the arms and the logarithm of the determinant.

    The correlation matrix of n means has 1 and `correlation` everywhere else; its inverse is
    ``(I - c J) / (1 - correlation)`` with ``c = correlation / (1 + (n - 1) correlation)``.
    """
    scale = np.zeros(shape)
    scale[where] = 1 / se
    size = np.bincount(arm)
    share = np.zeros(shape[:2])
    share[where[:2]] = (correlation / (1 + (size - 1) * correlation))[arm]
    inverse = (np.eye(shape[2]) - share[..., None, None]) / (1 - correlation)
    weight = scale[..., :, None] * inverse * scale[..., None, :]
    own = (size - 1) * np.log1p(-correlation) + np.log1p((size - 1) * correlation)
    return weight, float(2 * np.log(se).sum() + own.sum())


def _deviations(arms: IntArray) -> FloatArray:
    """Return how deviations of contrasts follow from independent ones, 0 where padded."""
    most = int(arms.max())
    matrix = np.zeros((len(arms), most, most - 1))
    for i, count in enumerate(arms):
        root = np.linalg.cholesky((np.eye(count - 1) + 1) / 2)
        matrix[i, 1:count, : count - 1] = root
    return matrix
