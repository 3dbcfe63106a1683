"""The highest point of a smooth function in a box, from many starts, with exact derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.small_study.selection_likelihood import Height

STEPS = 200
"""Most steps of a climb; 8 to 20 are usual."""

CLIMBS = 4
"""Climbs from the best of the starts; more found nothing higher in any data set tried."""

PROMISE = 1e-12
"""A climb ends with a last, unchecked step once a step promises less than this: half of it is the
rise still to be had, and its root the distance from the top in standard errors."""

CALM = 1e-10
"""Promise up to which a place counts as the top, if rounding stopped the climb before."""

TIE = 1e-9
"""Log-likelihoods this near are one: of such places one that is a top is taken."""

FLAT = 1e-9
"""Curvatures below this share of the largest are raised to it: the step stays finite."""

LONGEST = 2.0
"""Longest step of a parameter, in units of its scale."""

HALVINGS = 40
"""Most halvings of a step before it is taken for rounding that nothing rises."""


@dataclass(frozen=True, slots=True, eq=False)
class Top:
    """Where a climb ended, what is there, and whether it is a top.

    ``free`` are the parameters that no bound holds and of which the height depends.
    """

    place: FloatArray
    height: Height
    free: NDArray[np.bool_]
    converged: bool


@dataclass(frozen=True, slots=True, eq=False)
class Box:
    """Bounds of the parameters and the length over which each of them matters."""

    low: FloatArray
    high: FloatArray
    scale: FloatArray

    def clip(self, place: FloatArray) -> FloatArray:
        """Return the nearest place inside."""
        return np.clip(place, self.low, self.high)


def highest(
    function: Callable[[FloatArray], Height], box: Box, starts: Iterable[FloatArray]
) -> Top:
    """Return the highest top reached from the best of `starts`.

    Newton's steps with the curvature made negative, projected on the box, and halved until they
    rise. A top has no slope left inside the box and is curved downwards.
    """
    places = [box.clip(np.asarray(start, dtype=np.float64)) for start in starts]
    ranked = sorted(places, key=lambda place: -_known(function(place)))
    return max((_climb(function, box, place) for place in ranked[:CLIMBS]), key=_order)


def _order(top: Top) -> float:
    return _known(top.height) + (TIE if top.converged else 0.0)


def _known(height: Height) -> float:
    return height.value if np.isfinite(height.value) else -np.inf


def _climb(function: Callable[[FloatArray], Height], box: Box, place: FloatArray) -> Top:
    here = function(place)
    if not np.isfinite(here.value):
        return Top(place, here, np.zeros(len(place), dtype=bool), converged=False)
    for _ in range(STEPS):
        step = _step(here, box, _free(box, place, here))
        if here.slope @ step <= PROMISE:
            place = box.clip(place + step)
            here = function(place)
            break
        moved, there = _rise(function, box, place, here, step)
        if there is None:
            break
        place, here = moved, there
    return _top(box, place, here)


def _free(box: Box, place: FloatArray, here: Height) -> NDArray[np.bool_]:
    """Return the parameters that no bound holds back from rising and that matter at all."""
    slope = here.slope
    held = ((place <= box.low) & (slope <= 0)) | ((place >= box.high) & (slope >= 0))
    idle = (slope == 0) & (here.curvature[:, ~held] == 0).all(axis=1)
    free: NDArray[np.bool_] = ~(held | idle)
    return free


def _step(here: Height, box: Box, free: NDArray[np.bool_]) -> FloatArray:
    """Return Newton's step of the free parameters, uphill whatever the curvature."""
    step = np.zeros_like(here.slope)
    if free.any():
        scale = box.scale[free]
        values, vectors = np.linalg.eigh(_scaled(here, box, free))
        size = np.abs(values)
        size = np.maximum(size, FLAT * max(size.max(), FLAT))
        own = vectors @ ((vectors.T @ (here.slope[free] * scale)) / size)
        step[free] = scale * own * min(1.0, LONGEST / np.abs(own).max(initial=LONGEST))
    return step


def _rise(
    function: Callable[[FloatArray], Height],
    box: Box,
    place: FloatArray,
    here: Height,
    step: FloatArray,
) -> tuple[FloatArray, Height | None]:
    """Return a higher place along `step`, or none if rounding hides every rise."""
    for halving in range(HALVINGS):
        trial = box.clip(place + step / 2**halving)
        there = function(trial)
        if np.isfinite(there.value) and there.value > here.value:
            return trial, there
    return place, None


def _top(box: Box, place: FloatArray, here: Height) -> Top:
    free = _free(box, place, here)
    curved = _scaled(here, box, free)
    down = bool((np.linalg.eigvalsh(curved) < 0).all()) if free.any() else True
    calm = bool(here.slope @ _step(here, box, free) <= CALM)
    return Top(place, here, free, calm and down)


def _scaled(here: Height, box: Box, free: NDArray[np.bool_]) -> FloatArray:
    """Return the curvature by the free parameters in units of their scale."""
    scale = box.scale[free]
    return here.curvature[np.ix_(free, free)] * np.outer(scale, scale)
