"""Arms with counts of events, and how their logits follow from baselines, effects and studies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import COUNT, SIZE, FloatArray, IntArray, numbers, require
from trabecula.synthesis.network.evidence import Names, connected_parts
from trabecula.synthesis.network.graph import DisconnectedNetwork


@dataclass(frozen=True, slots=True, eq=False)
class BinomialArms:
    """Arms (arms,) with ``events`` of ``n``, sorted by study and treatment.

    ``logit = baseline[study] + effects @ effect + tau * deviations @ deviation``: ``effects``
    (arms, treatments) are 1 for the treatment of an arm and -1 for that of the first arm of its
    study; ``deviations`` (arms, contrasts) turn independent standard normal deviations into those
    of the contrasts of a study, which have variance 1 and correlation 1/2.
    """

    studies: tuple[str, ...]
    treatments: tuple[str, ...]
    study: IntArray
    treatment: IntArray
    events: FloatArray
    n: FloatArray
    effects: FloatArray
    deviations: FloatArray

    @classmethod
    def read(
        cls,
        study: Names,
        treatment: Names,
        events: ArrayLike,
        n: ArrayLike,
    ) -> Self:
        """Return the arms, one a row of the arguments.

        Raises
        ------
        DisconnectedNetwork
            If nothing links some treatments, naming the parts.
        ValueError
            For counts that are none, studies of one arm or with two of the same treatment.
        """
        x, size = numbers("events", events), numbers("n", n)
        _check_counts(x, size, len(study), len(treatment))
        names, given = [str(name) for name in study], [str(name) for name in treatment]
        studies, treatments = tuple(dict.fromkeys(names)), tuple(sorted(set(given)))
        of_study = np.array([studies.index(name) for name in names], dtype=np.int64)
        of_treatment = np.array([treatments.index(name) for name in given], dtype=np.int64)
        order = np.lexsort((of_treatment, of_study))
        rows = of_study[order], of_treatment[order]
        _check_studies(studies, *rows)
        first = np.searchsorted(rows[0], rows[0])
        pairs = np.stack([rows[1][first], rows[1]], axis=1)
        parts = connected_parts(len(treatments), pairs)
        if parts.any():
            raise DisconnectedNetwork(
                tuple(
                    tuple(t for t, own in zip(treatments, parts, strict=True) if own == part)
                    for part in range(parts.max() + 1)
                )
            )
        one = np.eye(len(treatments))
        return cls(
            studies=studies,
            treatments=treatments,
            study=rows[0],
            treatment=rows[1],
            events=x[order],
            n=size[order],
            effects=one[pairs[:, 1]] - one[pairs[:, 0]],
            deviations=_deviations(np.bincount(rows[0])),
        )

    def residual_deviance(self, logit: FloatArray) -> FloatArray:
        """Return twice the log-likelihood that `logit` (..., arms) leave to the saturated model."""
        from scipy.special import xlogy

        x, rest = self.events, self.n - self.events
        saturated = xlogy(x, x / self.n) + xlogy(rest, rest / self.n)
        terms = saturated - (x * logit - self.n * np.logaddexp(0.0, logit))
        deviance: FloatArray = 2 * terms.sum(axis=-1)
        return deviance


def _deviations(arms: IntArray) -> FloatArray:
    """Return the matrix of deviations of studies with so many `arms`."""
    matrix = np.zeros((int(arms.sum()), int(arms.sum()) - len(arms)))
    row = column = 0
    for count in arms:
        root = np.linalg.cholesky((np.eye(count - 1) + 1) / 2)
        matrix[row + 1 : row + count, column : column + count - 1] = root
        row, column = row + count, column + count - 1
    return matrix


def _check_counts(events: FloatArray, n: FloatArray, studies: int, treatments: int) -> None:
    require("events", events, COUNT)
    require("n", n, SIZE)
    if events.ndim != 1 or not events.shape == n.shape == (studies,) == (treatments,):
        raise ValueError(
            "study, treatment, events and n must have one entry an arm, got "
            f"{studies}, {treatments}, {events.shape} and {n.shape}"
        )
    if not studies:
        raise ValueError("study, treatment, events and n must hold at least one study, got none")
    for name, values in (("events", events), ("n", n)):
        if (values != np.rint(values)).any():
            raise ValueError(f"{name} must be whole numbers, got {values[values % 1 != 0][0]:g}")
    if (events > n).any():
        where = int((events > n).argmax())
        raise ValueError(f"events must not exceed n, got {events[where]:g} of {n[where]:g}")


def _check_studies(studies: tuple[str, ...], study: IntArray, treatment: IntArray) -> None:
    lone = [studies[i] for i in np.flatnonzero(np.bincount(study) < 2)]
    same = (np.diff(study) == 0) & (np.diff(treatment) == 0)
    doubled = [studies[i] for i in np.unique(study[1:][same])]
    faults = [f"one arm only: {', '.join(lone)}"] if lone else []
    faults += [f"two arms of the same treatment: {', '.join(doubled)}"] if doubled else []
    if faults:
        raise ValueError(f"every study needs arms of different treatments; {'; '.join(faults)}")
