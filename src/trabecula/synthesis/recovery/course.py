"""The course of recovery: when a complaint that began at week 0 has gone.

The same formulas serve NumPy (answers) and JAX (the density): `Numerics` says which. A course
has a *rate*, one over the weeks until half have recovered, and a *spread*, the standard
deviation of the logarithm of one patient's time. In every formula z is the
logarithm of scaled time, shape times (log rate + log week), 0 at the median.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy import special

Form = Literal["weibull", "log-normal", "log-logistic"]
"""Distribution of times to recovery."""

FORMS: tuple[Form, ...] = ("weibull", "log-normal", "log-logistic")

SPREAD_OF_SHAPE_ONE = {
    "weibull": math.pi / math.sqrt(6),
    "log-normal": 1.0,
    "log-logistic": math.pi / math.sqrt(3),
}
"""Standard deviation of the logarithm of time where the shape is 1: of a Gumbel, a normal and a
logistic variable (Johnson, Kotz and Balakrishnan 1995, chapters 22 and 23)."""

LOG_LOG_2 = math.log(math.log(2))


class Numerics(NamedTuple):
    """The functions of an array library that courses need."""

    exp: Callable[[Any], Any]
    log: Callable[[Any], Any]
    log1p: Callable[[Any], Any]
    logaddexp: Callable[[Any, Any], Any]
    log_ndtr: Callable[[Any], Any]
    ndtri_exp: Callable[[Any], Any]


NUMPY = Numerics(np.exp, np.log, np.log1p, np.logaddexp, special.log_ndtr, special.ndtri_exp)


@dataclass(frozen=True, slots=True)
class Survival:
    """Survival of a complaint from onset, in logarithms; everything broadcasts.

    ``log_rate`` is minus the logarithm of the median; ``shape`` follows from the spread.
    """

    form: Form
    log_rate: Any
    spread: Any
    numerics: Numerics = NUMPY

    @property
    def shape(self) -> Any:
        """The power to which scaled time is raised."""
        return SPREAD_OF_SHAPE_ONE[self.form] / self.spread

    def log_survival(self, log_week: Any) -> Any:
        """Return the logarithm of the share that is still ill at exp(`log_week`)."""
        n, z = self.numerics, self.shape * (self.log_rate + log_week)
        if self.form == "weibull":
            return -n.exp(z + LOG_LOG_2)
        if self.form == "log-logistic":
            return -n.logaddexp(0.0, z)
        return n.log_ndtr(-z)

    def log_week(self, log_survival: Any) -> Any:
        """Return the logarithm of the week at which the share exp(`log_survival`) is still ill."""
        n = self.numerics
        if self.form == "weibull":
            z = n.log(-log_survival) - LOG_LOG_2
        elif self.form == "log-logistic":
            z = n.log1p(-n.exp(log_survival)) - log_survival
        else:
            z = -n.ndtri_exp(log_survival)
        return z / self.shape - self.log_rate

    def log_density(self, log_week: Any) -> Any:
        """Return the logarithm of the density of weeks at exp(`log_week`)."""
        n, z = self.numerics, self.shape * (self.log_rate + log_week)
        slope = n.log(self.shape) - log_week
        if self.form == "weibull":
            return slope + z + LOG_LOG_2 - n.exp(z + LOG_LOG_2)
        if self.form == "log-logistic":
            return slope + z - 2 * n.logaddexp(0.0, z)
        return slope - z**2 / 2 - math.log(2 * math.pi) / 2
