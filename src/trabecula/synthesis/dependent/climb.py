"""The highest point of many smooth surfaces, by Newton's method from several starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.dependent.marginal import Marginal, Surface
from trabecula.synthesis.dependent.structures import Structure

STEPS = 300
"""Most steps of a climb; 6 to 12 are usual."""

STARTS = 8
"""Climbs of each data set, from the highest of all places to start: a likelihood can have several
maxima."""

LONGEST = 1.0
"""Longest step, relative to the size of the parameters and to the unit of the data: farther off
the local parabola says nothing."""

PROMISE = 1e-15
"""A climb ends with the step that promises to raise the log-likelihood by less than this,
relative to its size. Newton's step then leaves an error of about 1e-15 in the parameters."""

GAIN = 1e-12
"""A fall of the log-likelihood that rounding could feign, relative to its size."""

FLAT = 1e-10
"""A curvature below this share of the largest one is raised to it, so that a step stays finite."""

LEVEL = 1e-100
"""A surface whose largest curvature is below this is level: it is not divided by."""

NEGLIGIBLE = 1e-10
"""A variance below this share of a typical sampling variance is zero if that is no worse."""


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """Where each surface is highest.

    ``settled`` is true where the last step promised nothing more and the surface is a dome
    there: a maximum, not a ridge or a saddle.
    """

    theta: FloatArray
    natural: FloatArray
    height: FloatArray
    settled: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Hill:
    """A likelihood over the parameters of a structure, with one parameter held where wanted.

    ``held`` is, by data set, the number of the parameter that keeps its value; None for none.
    """

    likelihood: Marginal
    structure: Structure
    restricted: bool
    held: IntArray | None = None

    def take(self, which: IntArray) -> Hill:
        """Return the surfaces of the data sets `which`, in that order."""
        held = None if self.held is None else self.held[which]
        return replace(self, likelihood=self.likelihood.take(which), held=held)

    def look(self, theta: FloatArray) -> Surface:
        """Return heights with slopes and curvatures by `theta`."""
        at = self.likelihood.surface(self.structure.natural(theta), restricted=self.restricted)
        jacobian = self.structure.jacobian(theta)
        turned = np.swapaxes(jacobian, 1, 2)
        slope = (turned @ at.slope[..., None])[..., 0]
        curvature = turned @ at.curvature @ jacobian + self.structure.bend(theta, at.slope)
        if self.held is not None:
            rows = np.arange(len(theta))
            slope[rows, self.held] = 0.0
            curvature[rows, self.held] = curvature[rows, :, self.held] = 0.0
        return replace(at, slope=slope, curvature=curvature)


def highest(hill: Hill, starts: Sequence[FloatArray]) -> Peak:
    """Return the best maximum that climbs from the best of `starts` find.

    Each start is an array (data sets, parameters).
    """
    places = np.stack(starts)
    count, sets = places.shape[:2]
    heights = hill.take(np.tile(np.arange(sets), count)).look(np.concatenate(places)).value
    order = np.argsort(-heights.reshape(count, sets), axis=0, kind="stable")[:STARTS]
    row = np.tile(np.arange(sets), len(order))
    peak = climb(hill.take(row), places[order.ravel(), row])
    rank = np.where(peak.settled, peak.height, -np.inf).reshape(len(order), sets)
    lost = ~np.isfinite(rank).any(axis=0)
    rank = np.where(lost, peak.height.reshape(len(order), sets), rank)
    best = rank.argmax(axis=0) * sets + np.arange(sets)
    found = Peak(peak.theta[best], peak.natural[best], peak.height[best], peak.settled[best])
    return _without_specks(hill, found)


def climb(hill: Hill, theta: FloatArray) -> Peak:
    """Return the maximum that Newton's method reaches from `theta`.

    Where the surface is no dome the step follows the slope by the size of the curvature
    whatever its sign; a step that does not rise is halved.
    """
    theta, rows = theta.copy(), np.arange(len(theta))
    at = hill.look(theta)
    value, slope, curvature = at.value.copy(), at.slope.copy(), at.curvature.copy()
    share, settled = np.ones(len(theta)), np.zeros(len(theta), dtype=bool)
    here = hill
    for _ in range(STEPS):
        step, promise = _step(slope[rows], curvature[rows], theta[rows])
        trial = here.look(theta[rows] + share[rows, None] * step)
        size = 1 + np.abs(value[rows])
        rises = trial.value >= value[rows] - GAIN * size
        up = rows[rises]
        theta[up] += share[up, None] * step[rises]
        value[up], slope[up] = trial.value[rises], trial.slope[rises]
        curvature[up] = trial.curvature[rises]
        ends = promise <= PROMISE * size
        stuck = share[rows] < np.finfo(np.float64).eps
        share[rows] = np.where(rises, 1.0, share[rows] / 2)
        settled[rows[ends]] = True
        goes_on = ~(ends | stuck)
        if not goes_on.all():
            rows = rows[goes_on]
            here = hill.take(rows)
        if not len(rows):
            break
    settled &= _dome(curvature)
    return Peak(theta, hill.structure.natural(theta), value, settled)


def _step(
    slope: FloatArray, curvature: FloatArray, theta: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the steps, and how much each promises to rise."""
    bend, axes = np.linalg.eigh(curvature)
    size = np.abs(bend)
    largest = size.max(axis=1, keepdims=True)
    size = np.maximum(size, FLAT * np.where(largest > LEVEL, largest, 1.0))
    along = (np.swapaxes(axes, 1, 2) @ slope[..., None])[..., 0]
    step = (axes @ (along / size)[..., None])[..., 0]
    promise = (along**2 / size).sum(axis=1) / 2
    reach = LONGEST * np.maximum(np.linalg.norm(theta, axis=1), 1.0)
    length = np.maximum(np.linalg.norm(step, axis=1), reach)
    return step * (reach / length)[:, None], promise


def _dome(curvature: FloatArray) -> NDArray[np.bool_]:
    bend = np.linalg.eigvalsh(curvature)
    dome: NDArray[np.bool_] = bend[:, -1] <= 1e-6 * np.abs(bend).max(axis=1)
    return dome


def _without_specks(hill: Hill, peak: Peak) -> Peak:
    """Return the peak with negligible standard deviations at zero, where it is no lower there."""
    theta = peak.theta.copy()
    part = theta[:, hill.structure.roots]
    variance = np.abs(part) ** hill.structure.power
    theta[:, hill.structure.roots] = np.where(variance < NEGLIGIBLE, 0.0, part)
    natural = hill.structure.natural(theta)
    height = hill.likelihood.height(hill.likelihood.mean(natural), restricted=hill.restricted)
    better = height >= peak.height - GAIN * (1 + np.abs(peak.height))
    return Peak(
        np.where(better[:, None], theta, peak.theta),
        np.where(better[:, None], natural, peak.natural),
        np.where(better, height, peak.height),
        peak.settled,
    )
