"""The distribution of a positive quadratic form in normal variables.

Its Laplace transform M is a product of inverse square roots, analytic but for a part of the
negative real axis. The distribution function is the integral of ``exp(s q) M(s) / s`` along a
line. Three things make that integral easy. A gamma distribution of about the same shape is
subtracted, whose distribution function is known: the pole at zero is gone. The line runs by the
saddle point of ``exp(s q) M(s)``, and is bent along the descent from there. And on such a line
the trapezoidal rule converges faster than any power of its step. So one formula gives all
digits for arrays of any size, be there one term or a thousand, and however different their
weights: no series to converge, no oscillation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trabecula.synthesis.arguments import FloatArray

ComplexArray = NDArray[np.complex128]

STEP = 0.2
"""Distance of nodes, in standard deviations of the normal density which the integrand resembles.
The singularity nearest to the line lies 1.06 of these away: the error is exp(-2 pi 1.06 / STEP)."""

NODES = 44
"""Nodes on the upper half of the line (the lower one is its mirror). At the last, 8.6 standard
deviations out, the integrand has fallen to 1e-16."""

ASIDE = 1.5
"""By how many standard deviations the line passes to the right of the saddle point: there the
integrand falls faster where the terms are few, and is only three times as high where many."""

CLEAR = 0.3
"""Least distance of the line from zero, in the same unit: nearer, the difference of the two
transforms would be rounding."""

FARTHEST = 200.0
"""Farther out than so many times the sum of all weights nothing is distinguished: the
probability of more is less than 1e-44."""

SADDLE_STEPS = 10
"""Newton's steps to the saddle point, which need not be met exactly."""


class Line(NamedTuple):
    """Places and weights of an integral, arrays (..., nodes), and the gamma distribution.

    The places count in the inverse of the value, and ``scaled`` holds the weights of the
    chi-squares divided by it, so that no unit can overflow. ``below`` and ``log_transform`` are
    the distribution function and the logarithm of the Laplace transform of the gamma
    distribution.
    """

    scaled: FloatArray
    place: ComplexArray
    weight: ComplexArray
    below: FloatArray
    log_transform: ComplexArray

    def distribution(self, log_transform: ComplexArray) -> FloatArray:
        """Return the distribution function that belongs to a Laplace transform at the places."""
        excess = np.exp(self.place + log_transform) - np.exp(self.place + self.log_transform)
        value: FloatArray = self.below + (self.weight * excess).sum(axis=-1).real
        return value

    def derivative(self, log_transform: ComplexArray, change: ComplexArray) -> FloatArray:
        """Return how that changes where the logarithm of the transform changes by `change`."""
        terms = self.weight * np.exp(self.place + log_transform) * change
        value: FloatArray = terms.sum(axis=-1).real
        return value


def line_of(value: FloatArray, weight: FloatArray, terms: FloatArray) -> Line:
    """Return the line of integration.

    Parameters
    ----------
    value
        Where the distribution is wanted: positive numbers (...).
    weight
        Weights (..., terms) of the chi-squares that the quadratic form is, or resembles.
    terms
        How many of them count: with fewer than there are weights, each counts in proportion.
    """
    weight = weight / np.minimum(value, FARTHEST * weight.sum(axis=-1))[..., None]
    part = (terms / np.maximum((weight > 0).sum(axis=-1), 1))[..., None]
    first, second = (part * weight).sum(axis=-1), (part * weight**2).sum(axis=-1)
    spread, shape = second / first, first**2 / second
    saddle = _saddle(weight, part, (first - 1) / (2 * spread))
    place = saddle + ASIDE / np.sqrt(2 * _pulls(weight, part, saddle, 2))
    along = 1 / np.sqrt(2 * _pulls(weight, part, place, 2))
    place = np.where(np.abs(place) < CLEAR * along, CLEAR * along, place)
    along = 1 / np.sqrt(2 * _pulls(weight, part, place, 2))
    bend = -4 / 3 * _pulls(weight, part, place, 3) * along**4
    u = STEP * np.arange(NODES)
    s = place[..., None] + 1j * along[..., None] * u + bend[..., None] * u**2
    slope = along[..., None] - 2j * bend[..., None] * u
    share = STEP / np.pi * np.where(u == 0, 0.5, 1.0)
    return Line(
        scaled=weight,
        place=s,
        weight=share * slope / s,
        below=special.gammainc(shape / 2, 1 / (2 * spread)),
        log_transform=-shape[..., None] / 2 * np.log(1 + 2 * s * spread[..., None]),
    )


def _pulls(weight: FloatArray, part: FloatArray, place: FloatArray, power: int) -> FloatArray:
    """Return the sum of ``(weight / (1 + 2 weight place))^power``."""
    pulls = weight / (1 + 2 * weight * place[..., None])
    total: FloatArray = (part * pulls**power).sum(axis=-1)
    return total


def _saddle(weight: FloatArray, part: FloatArray, guess: FloatArray) -> FloatArray:
    """Return the place where ``exp(s) M(s)`` is least on the real axis.

    There the first `_pulls`, convex and falling, are 1; where the largest alone does,
    they are not less. So Newton's method climbs, after one step from anywhere.
    """
    largest = weight.max(axis=-1)
    least: FloatArray = (part[..., 0] - 1 / largest) / 2
    place: FloatArray = np.maximum(guess, least)
    for _ in range(SADDLE_STEPS):
        excess = _pulls(weight, part, place, 1) - 1
        place = np.maximum(place + excess / (2 * _pulls(weight, part, place, 2)), least)
    return place


def weighted_chi2_below(value: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the probability that a weighted sum of chi-squares lies below `value`.

    Parameters
    ----------
    value
        Positive numbers (...).
    weight
        Weights (..., terms), positive or 0, each of a chi-square with one degree of freedom.
    """
    line = line_of(value, weight, (weight > 0).sum(axis=-1))
    factor = 1 + 2 * line.place[..., None, :] * line.scaled[..., :, None]
    return line.distribution(-np.log(factor).sum(axis=-2) / 2)
