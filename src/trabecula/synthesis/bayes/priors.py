"""Prior distributions of the heterogeneity, the standard deviation of true effects."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import ClassVar, Protocol, runtime_checkable

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import LARGEST, FloatArray, Interval, numbers, require

SCALE = Interval(f"[{1 / LARGEST:g}, {LARGEST:g}]")
"""Scales of priors: their inverse squares stay within double precision."""

LOCATION = Interval("[-69, 69]")
"""Medians of log-normal priors, as logarithms: the medians themselves are a `SCALE`."""

SPREAD = Interval("[1e-09, 1000]")
"""A narrower density of ``log tau`` is a point to double precision, a wider one all beyond it."""

TINY = float(np.finfo(np.float64).tiny)


@runtime_checkable
class HeterogeneityPrior(Protocol):
    """What a prior of the heterogeneity must tell."""

    @property
    def scale(self) -> float:
        """A value of typical size, where a search begins."""

    @property
    def upper(self) -> float:
        """The end of the support; infinity if there is none."""

    @property
    def proper(self) -> bool:
        """Whether the density integrates to 1."""

    @property
    def label(self) -> str:
        """What a summary calls it."""

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the density at `tau`, none of which is negative."""


@dataclass(frozen=True, slots=True)
class _ScalePrior(ABC):
    """A prior whose density is that of a standard variable times `scale`."""

    scale: float
    proper: ClassVar[bool] = True
    upper: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        for field in fields(self):
            require(field.name, numbers(field.name, getattr(self, field.name)), SCALE)

    @property
    def label(self) -> str:
        """The name of the family with its parameters."""
        return _label(self)

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the density at `tau`."""
        return self._standard(tau / self.scale) - math.log(self.scale)

    @abstractmethod
    def _standard(self, z: FloatArray) -> FloatArray:
        """Return the logarithm of the density where the scale is 1."""


@dataclass(frozen=True, slots=True)
class HalfNormal(_ScalePrior):
    """The absolute value of a normal variable with mean 0 and standard deviation `scale`."""

    def _standard(self, z: FloatArray) -> FloatArray:
        return 0.5 * math.log(2 / math.pi) - z**2 / 2


@dataclass(frozen=True, slots=True)
class HalfT(_ScalePrior):
    """The absolute value of a t variable with `df` degrees of freedom, times `scale`."""

    df: float

    def _standard(self, z: FloatArray) -> FloatArray:
        return math.log(2) + _log_t(z, self.df)


@dataclass(frozen=True, slots=True)
class HalfCauchy(_ScalePrior):
    """The absolute value of a Cauchy variable; half of it lies below `scale`."""

    def _standard(self, z: FloatArray) -> FloatArray:
        return math.log(2) + _log_t(z, 1.0)


@dataclass(frozen=True, slots=True)
class HalfLogistic(_ScalePrior):
    """The absolute value of a logistic variable with location 0 and this `scale`."""

    def _standard(self, z: FloatArray) -> FloatArray:
        return np.asarray(math.log(2) - z - 2 * np.log1p(np.exp(-z)))


@dataclass(frozen=True, slots=True)
class Exponential(_ScalePrior):
    """The exponential distribution with mean `scale`."""

    def _standard(self, z: FloatArray) -> FloatArray:
        return -z


@dataclass(frozen=True, slots=True)
class Lomax(_ScalePrior):
    """The Lomax (Pareto II) distribution: an exponential one whose rate is gamma-distributed."""

    shape: float

    def _standard(self, z: FloatArray) -> FloatArray:
        return np.asarray(math.log(self.shape) - (self.shape + 1) * np.log1p(z))


@dataclass(frozen=True, slots=True)
class Rayleigh(_ScalePrior):
    """The length of a vector of two normal variables with standard deviation `scale`."""

    def _standard(self, z: FloatArray) -> FloatArray:
        return log(z) - z**2 / 2


@dataclass(frozen=True, slots=True)
class InverseChi(_ScalePrior):
    """`scale` over the root of chi-square with `df` degrees of freedom.

    Then tau squared is scaled inverse chi-square, the conjugate prior of a normal variance.
    """

    df: float

    def _standard(self, z: FloatArray) -> FloatArray:
        constant = (1 - self.df / 2) * math.log(2) - math.lgamma(self.df / 2)
        at = log(np.maximum(z, TINY))
        with np.errstate(over="ignore"):
            return np.asarray(constant - (self.df + 1) * at - np.exp(-2 * at) / 2)


@dataclass(frozen=True, slots=True)
class _LogPrior(ABC):
    """A prior of the logarithm: `location` plus `spread` times a standard variable."""

    location: float
    spread: float
    proper: ClassVar[bool] = True
    upper: ClassVar[float] = math.inf

    def __post_init__(self) -> None:
        for field in fields(self):
            allowed = {"location": LOCATION, "spread": SPREAD}.get(field.name, SCALE)
            require(field.name, numbers(field.name, getattr(self, field.name)), allowed)

    @property
    def scale(self) -> float:
        """The median."""
        return math.exp(self.location)

    @property
    def label(self) -> str:
        """The name of the family with its parameters."""
        return _label(self)

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the density at `tau`."""
        at = log(np.maximum(tau, TINY))
        return self._standard((at - self.location) / self.spread) - math.log(self.spread) - at

    @abstractmethod
    def _standard(self, z: FloatArray) -> FloatArray:
        """Return the logarithm of the density of the standard variable."""


@dataclass(frozen=True, slots=True)
class LogNormal(_LogPrior):
    """The logarithm of tau is normal with mean `location` and standard deviation `spread`."""

    def _standard(self, z: FloatArray) -> FloatArray:
        return -0.5 * math.log(2 * math.pi) - z**2 / 2


@dataclass(frozen=True, slots=True)
class LogT(_LogPrior):
    """The logarithm of tau is `location` plus `spread` times t with `df` degrees of freedom.

    Its density has no bound at 0, and its tail is so heavy that the prior has no moment.
    """

    df: float

    def _standard(self, z: FloatArray) -> FloatArray:
        return _log_t(z, self.df)


@dataclass(frozen=True, slots=True)
class Uniform:
    """The uniform distribution between 0 and `upper`."""

    upper: float
    proper: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require("upper", numbers("upper", self.upper), SCALE)

    @property
    def scale(self) -> float:
        """The middle."""
        return self.upper / 2

    @property
    def label(self) -> str:
        """The name with the bound."""
        return f"uniform(0, {self.upper:g})"

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the density at `tau`."""
        return np.where(tau <= self.upper, -math.log(self.upper), -np.inf)


@dataclass(frozen=True, slots=True)
class DensityPrior:
    """A prior given as a function: the density for an array of tau.

    The logarithm is lowered by ``log_constant``, so that a density known up to a factor
    integrates to 1 where it can.
    """

    density: Callable[[FloatArray], FloatArray]
    scale: float
    proper: bool = False
    log_constant: float = 0.0
    label: ClassVar[str] = "density given as a function"
    upper: ClassVar[float] = math.inf

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the density at `tau`; `ValueError` if it is no density."""
        try:
            value = np.asarray(self.density(tau), dtype=np.float64)
        except TypeError as error:
            raise ValueError(
                f"tau_prior must take an array of tau, as NumPy's functions do: {error}"
            ) from error
        if value.shape != tau.shape:
            raise ValueError(
                "tau_prior must return one density for each tau of an array, got shape "
                f"{value.shape} for {tau.shape}"
            )
        if not (value >= 0).all():
            wrong = float(value[~(value >= 0)][0])
            raise ValueError(f"tau_prior must be a density, not negative; got {wrong!r}")
        return log(value) - self.log_constant


NAMES = {
    "HalfNormal": "half-normal",
    "HalfT": "half-t",
    "HalfCauchy": "half-Cauchy",
    "HalfLogistic": "half-logistic",
    "InverseChi": "inverse-chi",
    "LogNormal": "log-normal",
    "LogT": "log-t",
}
"""How a summary writes the names of families that are not written as one word."""


def log(values: FloatArray) -> FloatArray:
    """Return the logarithm, ``-inf`` of 0 without a warning."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(values))


def _label(prior: _ScalePrior | _LogPrior) -> str:
    family = type(prior).__name__
    values = ", ".join(f"{f.name} {getattr(prior, f.name):g}" for f in fields(prior))
    return f"{NAMES.get(family, family)} ({values})"


def _log_t(z: FloatArray, df: float) -> FloatArray:
    constant = math.log(special.poch(df / 2, 0.5)) - 0.5 * math.log(df * math.pi)
    return np.asarray(constant - (df + 1) / 2 * np.log1p(z**2 / df))
