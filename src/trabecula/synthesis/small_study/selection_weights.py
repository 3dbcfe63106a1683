"""Weight functions: how the chance that a study is seen depends on its p-value.

Every family gives the logarithm of the weight and its derivatives by the parameters, so that
likelihoods of them have exact gradients and Hessians. Notation: p a p-value, a the value up to
which every study is seen, d the parameters, called ``delta``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray

Alternative = Literal["greater", "less", "two-sided"]
"""Which p-value decides. *greater*: one-sided, large estimates have small p-values; *less*: small
estimates have; *two-sided*: estimates far from 0 on either side have."""

Family = Literal[
    "step",
    "beta",
    "half-normal",
    "negative-exponential",
    "logistic",
    "power",
    "negative-exponential-power",
]
"""The shape of the weight as a function of the p-value; formulas in the manual."""

Pattern = Literal[
    "moderate-one-tailed", "severe-one-tailed", "moderate-two-tailed", "severe-two-tailed"
]
"""Weights that Vevea and Woods (2005) suggest supposing. *two-tailed*: small one-sided p-values are
favoured and, less so, large ones."""

LARGEST_DELTA = 100.0
"""Largest parameter looked at. There a weight function falls from 1 to below 1e-40 or, of *step*,
one interval is a hundred times as likely to be seen as the first: beyond it the likelihood is flat
and the estimate depends on nothing observed."""

SMALLEST_POWER = 0.01
"""Smallest second parameter of *negative-exponential-power*: :math:`p^{100}`, practically 0."""

WIDEST = 37.0
"""Standard errors that belong to p-values of 1e-299; smaller ones are 0 to a computer."""

SMALLEST_P = 1e-5
"""P-values are kept this far from 0 and 1 where the logarithm of the weight has a pole there: one
study with p of 1e-20 would otherwise decide everything (Citkowicz and Vevea 2017)."""


VEVEA_WOODS_STEPS = (
    0.005, 0.01, 0.05, 0.1, 0.25, 0.35, 0.5, 0.65, 0.75, 0.9, 0.95, 0.99, 0.995
)  # fmt: skip
"""Steps of the weights that Vevea and Woods (2005), Psychol Methods 10:428-443, suggest trying."""

VEVEA_WOODS_WEIGHTS: dict[str, tuple[float, ...]] = {
    "moderate-one-tailed": (
        1, 0.99, 0.95, 0.8, 0.75, 0.65, 0.6, 0.55, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5
    ),
    "severe-one-tailed": (
        1, 0.99, 0.9, 0.75, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.1, 0.1, 0.1, 0.1
    ),
    "moderate-two-tailed": (
        1, 0.99, 0.95, 0.9, 0.8, 0.75, 0.6, 0.6, 0.75, 0.8, 0.9, 0.95, 0.99, 1
    ),
    "severe-two-tailed": (
        1, 0.99, 0.9, 0.75, 0.6, 0.5, 0.25, 0.25, 0.5, 0.6, 0.75, 0.9, 0.99, 1
    ),
}  # fmt: skip
"""Their weights, for one-sided p-values."""


@dataclass(frozen=True, slots=True, eq=False)
class LogWeight:
    """Logarithms of weights (points,), slopes (points, d) and curvatures (points, d, d)."""

    value: FloatArray
    slope: FloatArray
    curvature: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class PValues:
    """P-values with their logarithms and those of their complements, all without rounding."""

    p: FloatArray
    log_p: FloatArray
    log_rest: FloatArray

    @classmethod
    def of(cls, z: FloatArray, two_sided: bool) -> PValues:
        """Return the p-values of standardised estimates `z`."""
        if not two_sided:
            return cls(special.ndtr(-z), special.log_ndtr(-z), special.log_ndtr(z))
        size = np.abs(z)
        with np.errstate(divide="ignore"):
            rest = np.log(special.erf(size / np.sqrt(2)))
        return cls(2 * special.ndtr(-size), np.log(2) + special.log_ndtr(-size), rest)

    @classmethod
    def at(cls, p: FloatArray) -> PValues:
        """Return p-values that are known to all their digits."""
        with np.errstate(divide="ignore"):
            return cls(p, np.log(p), np.log1p(-p))


Form = Callable[[PValues, FloatArray], LogWeight]


def _one(value: FloatArray, slope: FloatArray, curvature: FloatArray) -> LogWeight:
    return LogWeight(value, slope[:, None], curvature[:, None, None])


def _linear(feature: FloatArray, delta: FloatArray) -> LogWeight:
    """Return a log-weight that is proportional to its only parameter."""
    return _one(delta[0] * feature, feature, np.zeros_like(feature))


def _beta(at: PValues, delta: FloatArray) -> LogWeight:
    slope = np.stack([at.log_p, at.log_rest], axis=1)
    return LogWeight(slope @ (delta - 1), slope, np.zeros((len(at.p), 2, 2)))


def _half_normal(at: PValues, delta: FloatArray) -> LogWeight:
    return _linear(-(at.p**2), delta)


def _negative_exponential(at: PValues, delta: FloatArray) -> LogWeight:
    return _linear(-at.p, delta)


def _power(at: PValues, delta: FloatArray) -> LogWeight:
    return _linear(at.log_rest, delta)


def _logistic(at: PValues, delta: FloatArray) -> LogWeight:
    x = delta[0] * at.p
    share = special.expit(x)
    return _one(np.log(2) - np.logaddexp(0.0, x), -at.p * share, -(at.p**2) * share * (1 - share))


def _negative_exponential_power(at: PValues, delta: FloatArray) -> LogWeight:
    scale, width = delta
    reach = np.exp(at.log_p / width)
    # p log p is 0 at p = 0
    bend = reach * np.where(reach > 0, at.log_p, 0.0)
    twice = bend * np.where(reach > 0, at.log_p, 0.0)
    slope = np.stack([-reach, scale * bend / width**2], axis=1)
    curvature = np.zeros((len(reach), 2, 2))
    curvature[:, 0, 1] = curvature[:, 1, 0] = bend / width**2
    curvature[:, 1, 1] = -scale * (2 * bend / width**3 + twice / width**4)
    return LogWeight(-scale * reach, slope, curvature)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A smooth family: its formula, the lowest parameters, how near to 0 its p-values may come."""

    form: Form
    low: tuple[float, ...]
    smallest_p: float = 0.0
    reach: float = 9.0
    """Standard errors beyond which the weight is constant to the last digit."""

    def log_weight(self, at: PValues, delta: FloatArray, start: float) -> LogWeight:
        """Return the log-weights, 0 for p-values up to `start` and continuous there."""
        raw = self.form(at, delta)
        if start == 0:
            return raw
        base = self.form(PValues.at(np.array([start])), delta)
        late = (at.p > start).astype(np.float64)
        return LogWeight(
            late * (raw.value - base.value),
            late[:, None] * (raw.slope - base.slope),
            late[:, None, None] * (raw.curvature - base.curvature),
        )


SHAPES: dict[str, Shape] = {
    "beta": Shape(_beta, (SMALLEST_P, SMALLEST_P), SMALLEST_P),
    "half-normal": Shape(_half_normal, (0.0,)),
    "negative-exponential": Shape(_negative_exponential, (0.0,)),
    "logistic": Shape(_logistic, (0.0,)),
    "power": Shape(_power, (0.0,), SMALLEST_P),
    "negative-exponential-power": Shape(
        _negative_exponential_power, (0.0, SMALLEST_POWER), reach=WIDEST
    ),
}
