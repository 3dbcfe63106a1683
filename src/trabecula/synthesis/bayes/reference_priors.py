"""Priors that the studies' own standard errors define, most of them improper.

Röver (2020), J Stat Softw 93(6), section 2.2, gives them with their origins. The uniform
shrinkage and DuMouchel priors are those of Spiegelhalter, Abrams and Myles (2004), Bayesian
Approaches to Clinical Trials and Health-Care Evaluation, section 5.7.3.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.bayes.priors import log
from trabecula.synthesis.pairwise.q_profile import typical_variance
from trabecula.synthesis.studies import Studies

ReferenceName = Literal[
    "uniform",
    "sqrt",
    "jeffreys",
    "overall-jeffreys",
    "berger-deely",
    "conventional",
    "dumouchel",
    "uniform-shrinkage",
    "i2",
]
"""*uniform*: flat in tau; *sqrt*: flat in its root; *jeffreys*: root of the Fisher information
of tau; *overall-jeffreys*: of tau and the mean together; *berger-deely*: the geometric mean of the
studies' Jeffreys priors, *conventional* a proper relative; *dumouchel*: median at the root of the
harmonic mean of the variances; *uniform-shrinkage*: flat in the shrinkage of a study with that
variance; *i2*: flat in I²."""

PROPER: frozenset[ReferenceName] = frozenset(
    {"conventional", "dumouchel", "uniform-shrinkage", "i2"}
)


@dataclass(frozen=True, slots=True, eq=False)
class ReferencePrior:
    """One of the named priors for studies with these sampling variances (studies,)."""

    name: ReferenceName
    variance: FloatArray
    upper: ClassVar[float] = math.inf
    log_constant: float = 0.0

    @property
    def scale(self) -> float:
        """The root of the harmonic mean of the variances."""
        return math.sqrt(harmonic_mean(self.variance))

    @property
    def proper(self) -> bool:
        """Whether the density integrates to 1."""
        return self.name in PROPER

    @property
    def label(self) -> str:
        """The name with what it is."""
        return f"{self.name} prior" if self.proper else f"improper {self.name} prior"

    def log_density(self, tau: FloatArray) -> FloatArray:
        """Return the logarithm of the density at `tau`, for improper ones up to a constant."""
        return DENSITIES[self.name](tau, self.variance) - self.log_constant


def harmonic_mean(variance: FloatArray) -> float:
    """Return the harmonic mean of the variances."""
    return float(len(variance) / (1 / variance).sum())


def _log_weights(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return -np.log(variance + tau[:, None] ** 2)


def _log_mean(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return np.asarray(_log_weights(tau, variance).mean(axis=1))


def _log_sum(values: FloatArray) -> FloatArray:
    return np.asarray(np.logaddexp.reduce(values, axis=1))


def _jeffreys(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return log(tau) + _log_sum(2 * _log_weights(tau, variance)) / 2


def _overall_jeffreys(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return _jeffreys(tau, variance) + _log_sum(_log_weights(tau, variance)) / 2


def _berger_deely(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return log(tau) + _log_mean(tau, variance)


def _conventional(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return log(tau) + 1.5 * _log_mean(tau, variance)


def _dumouchel(tau: FloatArray, variance: FloatArray) -> FloatArray:
    scale = math.sqrt(harmonic_mean(variance))
    return np.asarray(math.log(scale) - 2 * np.log(scale + tau))


def _uniform_share(tau: FloatArray, variance: float) -> FloatArray:
    """Return the density of tau where ``variance / (variance + tau²)`` is uniform."""
    return np.asarray(math.log(2 * variance) + log(tau) - 2 * np.log(variance + tau**2))


def _uniform_shrinkage(tau: FloatArray, variance: FloatArray) -> FloatArray:
    return _uniform_share(tau, harmonic_mean(variance))


def _i2(tau: FloatArray, variance: FloatArray) -> FloatArray:
    typical = typical_variance(Studies.read(np.zeros_like(variance), variance))
    return _uniform_share(tau, float(typical[0]))


DENSITIES: dict[ReferenceName, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "uniform": lambda tau, _: np.zeros_like(tau),
    "sqrt": lambda tau, _: -log(tau) / 2,
    "jeffreys": _jeffreys,
    "overall-jeffreys": _overall_jeffreys,
    "berger-deely": _berger_deely,
    "conventional": _conventional,
    "dumouchel": _dumouchel,
    "uniform-shrinkage": _uniform_shrinkage,
    "i2": _i2,
}
