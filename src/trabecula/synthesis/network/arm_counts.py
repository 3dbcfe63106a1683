"""Events in the arms of a network of trials, and what of them log odds ratios can use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import COUNT, SIZE, FloatArray, IntArray, numbers, require
from trabecula.synthesis.network.evidence import connected_parts
from trabecula.synthesis.network.faults import Faults
from trabecula.synthesis.network.graph import DisconnectedNetwork


@dataclass(frozen=True, slots=True, eq=False)
class ArmCounts:
    """The arms that tell something about odds ratios, rows sorted by study and treatment.

    ``design`` (studies,) numbers the sets of treatments that studies set out to compare. Left out
    and named are ``dropped_studies``, in which nobody or everybody had an event, and
    ``dropped_arms`` (treatment, studies of the design) without or with nothing but events in all
    studies of a design, together with studies of which one arm is left.
    """

    studies: tuple[str, ...]
    treatments: tuple[str, ...]
    study: IntArray
    treatment: IntArray
    events: FloatArray
    n: FloatArray
    design: IntArray
    dropped_studies: tuple[str, ...]
    dropped_arms: tuple[tuple[str, str], ...]

    @classmethod
    def read(
        cls, study: Sequence[str], treatment: Sequence[str], events: ArrayLike, n: ArrayLike
    ) -> Self:
        """Return the usable arms; `ValueError` with all faults, or if none are left.

        `DisconnectedNetwork` where what is left does not link all treatments.
        """
        x, size = numbers("events", events), numbers("n", n)
        if not len(study) == len(treatment) == x.size == size.size or x.ndim != 1:
            raise ValueError(
                "study, treatment, events and n must have one entry an arm, got "
                f"{len(study)}, {len(treatment)}, {x.shape} and {size.shape}"
            )
        if not x.size:
            raise ValueError("study, treatment, events and n must hold an arm, got none")
        require("events", x, COUNT)
        require("n", size, SIZE)
        studies = tuple(dict.fromkeys(str(name) for name in study))
        treatments = tuple(sorted({str(name) for name in treatment}))
        row = np.array([studies.index(str(name)) for name in study])
        column = np.array([treatments.index(str(name)) for name in treatment])
        order = np.lexsort((column, row))
        row, column, x, size = row[order], column[order], x[order], size[order]
        _require_arms(studies, treatments, row, column, x, size)
        design = _designs(row, column)
        informative = _informative(row, x, size)
        usable = _usable(design[row], column, x * informative[row], size * informative[row])
        kept = informative[row] & usable
        left = np.bincount(row[kept], minlength=len(studies)) > 1
        arms = sorted(
            {
                (int(design[row[i]]), int(column[i]))
                for i in np.flatnonzero(~usable)
                if informative[row[i]]
            }
        )
        kept &= left[row]
        if not kept.any():
            raise ValueError(
                "no study compares arms with and without events: nothing can be pooled"
            )
        _require_connected(treatments, row[kept], column[kept])
        return cls(
            studies,
            treatments,
            row[kept],
            column[kept],
            x[kept],
            size[kept],
            design,
            tuple(name for name, told in zip(studies, informative, strict=True) if not told),
            tuple(
                (treatments[c], ", ".join(studies[s] for s in np.flatnonzero(design == d)))
                for d, c in arms
            ),
        )


def _require_arms(
    studies: tuple[str, ...],
    treatments: tuple[str, ...],
    row: IntArray,
    column: IntArray,
    events: FloatArray,
    n: FloatArray,
) -> None:
    faults = Faults(studies, treatments)
    faults.of_arms(row, column)
    faults.of_events(row, column, events, n)
    faults.refuse()


def _designs(row: IntArray, column: IntArray) -> IntArray:
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    sets = [tuple(part.tolist()) for part in np.split(column, starts[1:])]
    place = {design: i for i, design in enumerate(sorted(set(sets)))}
    return np.array([place[design] for design in sets])


def _informative(row: IntArray, events: FloatArray, n: FloatArray) -> NDArray[np.bool_]:
    """Return the studies in which somebody, but not everybody, had an event."""
    with_event, without = np.bincount(row, events), np.bincount(row, n - events)
    return (with_event > 0) & (without > 0)


def _usable(
    design: IntArray, column: IntArray, events: FloatArray, n: FloatArray
) -> NDArray[np.bool_]:
    """Return the arms whose treatment has events and others somewhere in their design."""
    code = design * (column.max() + 1) + column
    with_event, without = np.bincount(code, events), np.bincount(code, n - events)
    usable: NDArray[np.bool_] = ((with_event > 0) & (without > 0))[code]
    return usable


def _require_connected(treatments: tuple[str, ...], row: IntArray, column: IntArray) -> None:
    same = np.flatnonzero(np.diff(row) == 0)
    label = connected_parts(len(treatments), np.stack([column[same], column[same + 1]], axis=1))
    if label.any():
        parts = [np.flatnonzero(label == part) for part in range(label.max() + 1)]
        raise DisconnectedNetwork(tuple(tuple(treatments[i] for i in part) for part in parts))
