"""The highest points of many log-likelihoods of a few parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.quadrature import Likelihood

TAUS = 0.1 * 2.0 ** np.arange(8)
"""Where likelihoods are looked at before the climb, on a logit scale: from hardly any difference
between studies to differences that leave no study but with all or none."""

STEPS = 200
"""Most steps of a climb; 5 to 10 are usual."""

LONGEST = 2.0
"""Longest step on a logit scale: farther off the local parabola says nothing."""

PRECISION = 1e-9
"""A climb ends after a step shorter than this: the error that remains is its square."""

PROMISE = 1e-14
"""Or after a step that promises to raise the log-likelihood by less than this, relative to its
size: where the surface is flat the place is uncertain, and further steps follow rounding."""

DIFFERENCE = np.finfo(np.float64).eps ** (1 / 3)
"""Relative step of the central differences from slopes to curvatures (error about 1e-10)."""

FLAT = 1e-8
"""A curvature below this share of the largest is taken for none. It must stay small: where the
maximum is about to reach ``tau = 0`` the surface is that flat, and still a dome."""

CACHED = 1_000_000
"""Numbers that one evaluation of many likelihoods may take: more leave the cache and slow down."""

GAIN = 1e-11
"""A rise of the log-likelihood that rounding could feign, relative to its size."""


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """Places on likelihoods, how high they lie, and the shape of the surface there.

    ``place`` (parameters, sets, studies or 1), ``height`` (sets,), and, study by study, ``slope``
    (parameters, sets, studies) and ``curvature`` (parameters, parameters, sets, studies).
    ``own`` says whether the last parameter is one for each study.
    """

    place: FloatArray
    height: FloatArray
    slope: FloatArray
    curvature: FloatArray
    own: bool

    @classmethod
    def at(cls, likelihood: Likelihood, place: FloatArray) -> Surface:
        """Return the surface at `place`; its curvatures are differences of slopes."""
        count = len(place)
        width = DIFFERENCE * (1 + np.abs(place))
        around = np.repeat(place[:, None], 2 * count + 1, axis=1)
        for i in range(count):
            around[i, 1 + i] += width[i]
            around[i, 1 + count + i] -= width[i]
        heights = likelihood(around)
        difference = heights.slope[:, 1 : 1 + count] - heights.slope[:, 1 + count :]
        curvature = difference / (2 * width)
        curvature = (curvature + np.swapaxes(curvature, 0, 1)) / 2
        value = heights.value[0].sum(axis=-1)
        return cls(place, value, heights.slope[:, 0], curvature, likelihood.own)

    @property
    def shared(self) -> tuple[FloatArray, FloatArray]:
        """Slopes (sets, p) and curvatures (sets, p, p) of the shared parameters.

        Parameters of single studies are eliminated: the curvatures are those of the profile.
        """
        slope, curvature = self.slope, self.curvature
        if self.own:
            mixed, bend = curvature[:-1, -1], _curved_down(curvature[-1, -1])
            slope = slope[:-1] - mixed * slope[-1] / bend
            curvature = curvature[:-1, :-1] - mixed[:, None] * mixed / bend
        return np.moveaxis(slope.sum(axis=-1), 0, -1), np.moveaxis(curvature.sum(axis=-1), -1, 0)

    def rows(self, index: IntArray) -> Surface:
        """Return the surfaces of the data sets at `index`."""
        return Surface(
            self.place[:, index],
            self.height[index],
            self.slope[:, index],
            self.curvature[:, :, index],
            self.own,
        )

    def put(self, index: IntArray, other: Surface) -> None:
        """Replace the surfaces of the data sets at `index` by those of `other`."""
        self.place[:, index] = other.place
        self.height[index] = other.height
        self.slope[:, index] = other.slope
        self.curvature[:, :, index] = other.curvature

    def variance(self) -> FloatArray:
        """Return the variance of the first parameter, from the observed information of all.

        NaN where the surface is no dome.
        """
        values, vectors = np.linalg.eigh(-self.shared[1])
        dome = values[:, 0] > FLAT * values[:, -1]
        inverse = np.where(dome[:, None], 1 / np.where(dome[:, None], values, 1.0), np.nan)
        variance: FloatArray = (vectors[:, 0] ** 2 * inverse).sum(axis=-1)
        return variance


def ascend(likelihood: Likelihood, start: FloatArray) -> tuple[Surface, NDArray[np.bool_]]:
    """Return the surface at the maximum of each likelihood, and which climbs ended there.

    Newton's method from `start` (parameters, sets, studies or 1); a step that does not rise is
    halved. Where the surface is no dome it is curved down until it is one.
    """
    here = Surface.at(likelihood, np.array(start))
    share = np.ones(len(here.height))
    rows = np.arange(len(share))
    part, chosen = here, likelihood
    for _ in range(STEPS):
        whole, promise = _step(part)
        step = share[rows, None] * whole
        trial = Surface.at(chosen, part.place + step)
        rises = trial.height >= part.height - GAIN * (1 + np.abs(part.height))
        ends = _ends(step, promise, part)
        here.put(rows[rises], trial.rows(np.flatnonzero(rises)))
        share[rows] = np.where(rises, 1.0, share[rows] / 2)
        if ends.any():
            rows = rows[~ends]
            if not len(rows):
                break
            chosen = likelihood.rows(rows)
        part = here.rows(rows)
    ended = np.ones(len(share), dtype=np.bool_)
    ended[rows] = len(rows) == 0
    return here, ended


def blocks(rows: IntArray, numbers: float) -> list[IntArray]:
    """Return `rows` in parts, so that likelihoods with so many `numbers` a row fit the cache."""
    size = max(1, int(CACHED // numbers))
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def best_start(likelihood: Likelihood, candidates: FloatArray) -> FloatArray:
    """Return the highest of `candidates` (parameters, candidates, sets, studies or 1)."""
    best = likelihood(candidates).value.sum(axis=-1).argmax(axis=0)
    return np.stack([p[best, np.arange(p.shape[1])] for p in candidates])


def _step(surface: Surface) -> tuple[FloatArray, FloatArray]:
    """Return Newton's steps (parameters, sets, studies or 1) and the rise that they promise."""
    slope, curvature = surface.shared
    shared = _downhill(slope, curvature)
    promise = np.abs((slope * shared).sum(axis=-1))
    length = np.sqrt((shared**2).sum(axis=-1, keepdims=True))
    shared = shared * (LONGEST / np.maximum(length, LONGEST))
    step = np.moveaxis(shared, -1, 0)[..., None]
    if not surface.own:
        return step, promise
    mixed, bend = surface.curvature[:-1, -1], _curved_down(surface.curvature[-1, -1])
    own = -(surface.slope[-1] + (mixed * step).sum(axis=0)) / bend
    promise = promise + (surface.slope[-1] ** 2 / -bend).sum(axis=-1)
    own = np.clip(own, -LONGEST, LONGEST)
    shape = (len(step), *own.shape)
    return np.concatenate([np.broadcast_to(step, shape), own[None]]), promise


def _downhill(slope: FloatArray, curvature: FloatArray) -> FloatArray:
    """Return ``-slope / curvature`` where that is a dome, else of a dome near it."""
    values, vectors = np.linalg.eigh(curvature)
    size = np.abs(values).max(axis=-1, keepdims=True) + FLAT
    top = values[:, -1:]
    bend = np.where(top > -FLAT * size, -0.1 * size - top, 0.0)
    along = np.einsum("sij,si->sj", vectors, slope) / -(values + bend)
    step: FloatArray = np.einsum("sij,sj->si", vectors, along)
    return step


def _curved_down(bend: FloatArray) -> FloatArray:
    """Return curvatures of single studies' parameters, never above a small negative one."""
    return np.minimum(bend, -FLAT)


def _ends(step: FloatArray, promise: FloatArray, surface: Surface) -> NDArray[np.bool_]:
    """Return where a step is too short, or promises too little, to be followed by another."""
    size = np.abs(step) / (1 + np.abs(surface.place))
    short = size.max(axis=(0, 2)) <= PRECISION
    ends: NDArray[np.bool_] = short | (promise <= PROMISE * (1 + np.abs(surface.height)))
    return ends
