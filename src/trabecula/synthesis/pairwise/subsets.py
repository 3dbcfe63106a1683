"""Pooled estimates of parts of the studies: without each, one after another, of all subsets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, numbers, same_shape
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.random_effects import RandomEffectsFit, random_effects
from trabecula.synthesis.pairwise.random_effects_numbers import Prediction, Test
from trabecula.synthesis.result import Result, frozen

SUBSETS = 100_000
"""Subsets that `gosh` looks at unless told otherwise: all of them up to 16 studies, and enough of
more studies for every cluster of results to be seen."""


@dataclass(frozen=True, slots=True, eq=False)
class Gosh(Result):
    """Pooled estimates of subsets of the studies, along the first axis.

    ``size`` counts the studies of each subset and ``included`` (subsets, studies) says which;
    ``fit`` holds the results. ``complete`` is true where the subsets are all there are.
    """

    complete: bool
    size: IntArray
    included: NDArray[np.bool_]
    fit: RandomEffectsFit


def leave_one_out(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    prediction: Prediction = "as-test",
    level: float = 0.95,
) -> RandomEffectsFit:
    """Return the pooled estimates without each study in turn, along a last axis.

    Arguments are those of `random_effects`. Where a study is missing nothing is left out.
    `ValueError` if a data set has fewer than two studies.
    """
    y, v = without_each(*pair(estimate, variance))
    return random_effects(y, v, method=method, test=test, prediction=prediction, level=level)


def cumulative(
    estimate: ArrayLike,
    variance: ArrayLike,
    order: ArrayLike | None = None,
    *,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    prediction: Prediction = "as-test",
    level: float = 0.95,
) -> RandomEffectsFit:
    """Return the pooled estimates as studies are added one by one, along a last axis.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    order
        Numbers (studies,) or (..., studies) by which studies are added, smallest first; equal
        ones in the order given. By default as they stand. Entry i of the result holds the
        studies ``numpy.argsort(order, kind="stable")[: i + 1]``; missing studies come last and
        change nothing.
    method, test, prediction, level
        As in `random_effects`. The first entry is a lone study.
    """
    y, v = pair(estimate, variance)
    rank = np.arange(y.shape[-1], dtype=np.float64) if order is None else numbers("order", order)
    if rank.shape not in (y.shape, y.shape[-1:]):
        raise ValueError(
            f"order must hold one number a study, {y.shape[-1]} in all; got shape {rank.shape}"
        )
    missing = np.isnan(y) | np.isnan(v)
    rank = np.broadcast_to(rank, y.shape)
    if (np.isnan(rank) & ~missing).any():
        raise ValueError("order must hold a number for each study, got NaN: leave the study out")
    place = np.lexsort((rank, missing), axis=-1)
    y, v = np.take_along_axis(y, place, axis=-1), np.take_along_axis(v, place, axis=-1)
    later = np.triu(np.ones((y.shape[-1],) * 2, dtype=bool), 1)
    grown = np.where(later, np.nan, y[..., None, :])
    spreads = np.broadcast_to(v[..., None, :], grown.shape)
    return random_effects(
        grown, spreads, method=method, test=test, prediction=prediction, level=level
    )


def gosh(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    subsets: int = SUBSETS,
    seed: int = 1,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
) -> Gosh:
    """Return the pooled estimates of all subsets of the studies, or of many drawn at random.

    Parameters
    ----------
    estimate, variance
        Arrays (studies,); NaN marks a missing study.
    subsets
        How many at most. If there are no more than these all are taken, else so many are drawn,
        each study with probability one half.
    seed
        Seed of the draw.
    method, test, level
        As in `random_effects`.

    Raises
    ------
    ValueError
        If there are fewer than two studies or `subsets` is not positive.

    Notes
    -----
    Olkin, Dahabreh and Trikalinos (2012), Res Synth Methods 3:214-223.
    """
    y, v = pair(estimate, variance)
    if y.ndim != 1:
        raise ValueError(f"gosh takes one data set (studies,), got shape {y.shape}")
    if not isinstance(subsets, int | np.integer) or subsets < 1:
        raise ValueError(f"subsets must be a whole number of at least 1, got {subsets!r}")
    there = np.flatnonzero(~(np.isnan(y) | np.isnan(v)))
    complete = len(there) < 62 and 2 ** len(there) - 1 <= subsets
    chosen = _every(len(there)) if complete else _drawn(len(there), subsets, seed)
    included = np.zeros((len(chosen), len(y)), dtype=bool)
    included[:, there] = chosen
    fit = random_effects(np.where(included, y, np.nan), v, method=method, test=test, level=level)
    return Gosh(complete, frozen(included.sum(axis=1)), frozen(included), fit)


def pair(estimate: ArrayLike, variance: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return both arrays in one shape (..., studies).

    Raises
    ------
    ValueError
        If they do not broadcast, or a data set has fewer than two studies.
    """
    y, v = numbers("estimate", estimate), numbers("variance", variance)
    shape = same_shape(("estimate", "variance"), y, v)
    y, v = np.broadcast_to(y, shape), np.broadcast_to(v, shape)
    k = (~(np.isnan(y) | np.isnan(v))).sum(axis=-1) if shape else np.array(0)
    if (k < 2).any():
        raise ValueError(
            f"estimate and variance must hold at least 2 studies a data set, got {int(k.min())}: "
            "there is nothing to leave out or to add"
        )
    return y, v


def without_each(estimate: FloatArray, variance: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return data sets (..., studies, studies) that lack, one after the other, each study."""
    k = estimate.shape[-1]
    left = np.where(np.eye(k, dtype=bool), np.nan, estimate[..., None, :])
    return left, np.broadcast_to(variance[..., None, :], left.shape)


def _every(k: int) -> NDArray[np.bool_]:
    """Return all subsets of k studies but the empty one."""
    number = np.arange(1, 2**k)[:, None]
    return np.asarray((number >> np.arange(k)) & 1, dtype=bool)


def _drawn(k: int, count: int, seed: int) -> NDArray[np.bool_]:
    """Return subsets drawn at random, empty ones drawn again."""
    rng = np.random.default_rng(seed)
    chosen = rng.random((count, k)) < 0.5
    while (empty := ~chosen.any(axis=1)).any():
        chosen[empty] = rng.random((int(empty.sum()), k)) < 0.5
    return chosen
