"""Confidence limits of one proportion, without pooling."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from trabecula.synthesis.arguments import (
    COUNT,
    SIZE,
    FloatArray,
    confidence_level,
    numbers,
    require,
    same_shape,
)


class ProportionInterval(NamedTuple):
    """Lower and upper confidence limit of proportions (0 to 1), arrays of the data's shape."""

    low: FloatArray
    high: FloatArray


def clopper_pearson(events: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> ProportionInterval:
    """Return the exact limits of a proportion: coverage is never below `level`.

    Parameters
    ----------
    events, n
        Arrays that broadcast; ``0 <= events <= n``. Effective sample sizes need not be whole:
        the limits are quantiles of beta distributions, which pass smoothly between counts.
    level
        Confidence level. Each tail has half of the rest, also where one limit is 0 or 1: with
        no event the upper limit at 0.95 is the one-sided 97.5 % limit.

    Raises
    ------
    ValueError
        If an argument is out of range.

    Notes
    -----
    Clopper and Pearson (1934), Biometrika 26:404-413.

    Examples
    --------
    >>> low, high = clopper_pearson(0, 20)
    >>> f"{low:.4f} to {high:.4f}"
    '0.0000 to 0.1684'
    """
    x, size = counts(events, n)
    tail = (1 - confidence_level(level)) / 2
    rest = size - x
    some, not_all = x > 0, rest > 0
    low = special.betaincinv(np.where(some, x, 1.0), rest + 1, tail)
    high = special.betaincinv(x + 1, np.where(not_all, rest, 1.0), 1 - tail)
    return ProportionInterval(np.where(some, low, 0.0), np.where(not_all, high, 1.0))


def wilson(events: ArrayLike, n: ArrayLike, *, level: float = 0.95) -> ProportionInterval:
    """Return the score limits of a proportion: coverage is `level` on average.

    Shorter than the exact limits and better suited to comparisons. Arguments and errors as in
    `clopper_pearson`.

    Notes
    -----
    Wilson (1927), J Am Stat Assoc 22:209-212; method 3 of Newcombe (1998), Stat Med
    17:857-872, no continuity correction.

    Examples
    --------
    >>> low, high = wilson(81, 263)
    >>> f"{low:.4f} to {high:.4f}"
    '0.2553 to 0.3662'
    """
    x, size = counts(events, n)
    z2 = special.ndtri((1 + confidence_level(level)) / 2) ** 2
    center = (x + z2 / 2) / (size + z2)
    half = np.sqrt(z2 * (x * (size - x) / size + z2 / 4)) / (size + z2)
    low = np.where(x > 0, center - half, 0.0)
    high = np.where(x < size, center + half, 1.0)
    return ProportionInterval(low, high)


def rule_of_three(n: ArrayLike) -> FloatArray:
    """Return ``3 / n``, at most 1: how common an event can be that was seen in none of `n`.

    It approximates the one-sided 95 % limit ``1 - 0.05 ** (1 / n)`` from above; the exact one
    is the upper limit of ``clopper_pearson(0, n, level=0.9)``.

    Notes
    -----
    Hanley and Lippman-Hand (1983), JAMA 249:1743-1745.
    """
    size = numbers("n", n)
    require("n", size, SIZE)
    return np.minimum(3 / size, 1.0)


def counts(
    events: ArrayLike,
    n: ArrayLike,
    *,
    missing: bool = False,
    names: tuple[str, str] = ("events", "n"),
) -> tuple[FloatArray, FloatArray]:
    """Return events and sizes as arrays of one shape; `ValueError` unless ``0 <= events <= n``.

    NaN passes where `missing` is true. `names` are what the arguments are called.
    """
    x, size = numbers(names[0], events), numbers(names[1], n)
    require(names[0], x, COUNT, missing=missing)
    require(names[1], size, SIZE, missing=missing)
    shape = same_shape(names, x, size)
    x, size = np.broadcast_to(x, shape), np.broadcast_to(size, shape)
    if (x > size).any():
        index = tuple(int(i) for i in np.argwhere(x > size)[0])
        raise ValueError(
            f"{names[0]} must lie in [0, {names[1]}], got {x[index]:g} of {size[index]:g}"
        )
    return x, size
