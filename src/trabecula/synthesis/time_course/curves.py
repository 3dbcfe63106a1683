"""Shapes of time courses: functions of time that are 0 at time 0.

A curve is a sum of coefficients times functions of time. The coefficients differ between
treatments and studies; the parameters inside the functions, if any, are positive and shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from trabecula.synthesis.arguments import FloatArray, Interval, numbers, require

POSITIVE = Interval("(0, 1e+30]")


@runtime_checkable
class Curve(Protocol):
    """What the model asks of a curve."""

    @property
    def label(self) -> str:
        """What a summary calls it."""

    @property
    def coefficients(self) -> tuple[str, ...]:
        """The names of what differs between treatments."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the shared positive parameters inside the functions."""

    def functions(self, time: FloatArray, parameter: FloatArray) -> FloatArray:
        """Return the functions (..., coefficients) at `time` (...).

        `parameter` (..., parameters) may have leading axes that broadcast with those of `time`.
        """

    def guess(self, time: FloatArray) -> FloatArray:
        """Return plausible parameters (parameters,) where something was observed at `time`."""


@dataclass(frozen=True, slots=True)
class EmaxCurve:
    """``emax * t / (et50 + t)``: half the final change ``emax`` has come at time ``et50``."""

    label = "Emax"
    coefficients = ("emax",)
    parameters = ("et50",)

    def functions(self, time: FloatArray, parameter: FloatArray) -> FloatArray:
        """Return ``t / (et50 + t)``."""
        return (time / (parameter[..., 0] + time))[..., None]

    def guess(self, time: FloatArray) -> FloatArray:
        """Return half the median time."""
        return np.array([np.median(time) / 2])


@dataclass(frozen=True, slots=True)
class ExponentialCurve:
    """``emax * (1 - exp(-rate * t))``: what is left of the final change decays at ``rate``."""

    label = "exponential"
    coefficients = ("emax",)
    parameters = ("rate",)

    def functions(self, time: FloatArray, parameter: FloatArray) -> FloatArray:
        """Return ``1 - exp(-rate * t)``."""
        return -np.expm1(-parameter[..., 0] * time)[..., None]

    def guess(self, time: FloatArray) -> FloatArray:
        """Return one over the median time."""
        return np.array([1 / np.median(time)])


@dataclass(frozen=True, slots=True)
class IntegratedLogisticCurve:
    """``change * (1 - exp(-rate * t)) / (1 - exp(-rate * until))``: ``change`` by time `until`.

    The integrated two-parameter logistic curve: an exponential one whose coefficient is the
    change by a time of interest, not that by an end that nobody has seen.
    """

    until: float

    coefficients = ("change",)
    parameters = ("rate",)

    def __post_init__(self) -> None:
        require("until", numbers("until", self.until), POSITIVE)

    @property
    def label(self) -> str:
        """The name with the time to which the coefficient refers."""
        return f"integrated logistic (until {self.until:g})"

    def functions(self, time: FloatArray, parameter: FloatArray) -> FloatArray:
        """Return the share of the change by `until` that has come."""
        rate = parameter[..., 0]
        return (np.expm1(-rate * time) / np.expm1(-rate * self.until))[..., None]

    def guess(self, time: FloatArray) -> FloatArray:
        """Return one over the median time."""
        return np.array([1 / np.median(time)])


@dataclass(frozen=True, slots=True)
class LogLinearCurve:
    """``slope * log(1 + t)``: ever slower, without an end."""

    label = "log-linear"
    coefficients = ("slope",)
    parameters = ()

    def functions(
        self,
        time: FloatArray,
        parameter: FloatArray,  # noqa: ARG002 (this curve has none)
    ) -> FloatArray:
        """Return ``log(1 + t)``."""
        return np.log1p(time)[..., None]

    def guess(self, time: FloatArray) -> FloatArray:  # noqa: ARG002 (nothing to guess)
        """Return nothing: there is no parameter."""
        return np.empty(0)


@dataclass(frozen=True, slots=True)
class LinearSplineCurve:
    """Straight pieces that meet at the `knots`; the coefficients are the slopes of the pieces."""

    knots: tuple[float, ...]

    parameters = ()

    def __post_init__(self) -> None:
        knots = numbers("knots", self.knots)
        if knots.ndim != 1 or not len(knots):
            raise ValueError(f"knots must be times, one at least; got {self.knots!r}")
        require("knots", knots, POSITIVE)
        if (np.diff(knots) <= 0).any():
            raise ValueError(f"knots must rise, got {self.knots!r}")
        object.__setattr__(self, "knots", tuple(float(knot) for knot in knots))

    @property
    def label(self) -> str:
        """The name with the knots."""
        return f"linear spline (knots {', '.join(f'{knot:g}' for knot in self.knots)})"

    @property
    def coefficients(self) -> tuple[str, ...]:
        """One slope a piece, counted from 1."""
        return tuple(f"slope_{i + 1}" for i in range(len(self.knots) + 1))

    def functions(
        self,
        time: FloatArray,
        parameter: FloatArray,  # noqa: ARG002 (this curve has none)
    ) -> FloatArray:
        """Return the time spent in each piece."""
        starts = np.array([0.0, *self.knots])
        lengths = np.append(np.diff(starts), np.inf)
        spent: FloatArray = np.clip(time[..., None] - starts, 0.0, lengths)
        return spent

    def guess(self, time: FloatArray) -> FloatArray:  # noqa: ARG002 (nothing to guess)
        """Return nothing: there is no parameter."""
        return np.empty(0)
