"""The beta-binomial log-likelihood, steady down to no dispersion at all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.quadrature import Height

LARGE = 20.0
"""From here on Stirling's series with five terms is exact to double precision."""

SERIES = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
"""Its coefficients, of ``1/z``, ``1/z**3``, ... in the logarithm of the gamma function."""

NONE = 1e-12
"""Dispersions below this make no difference to double precision: the binomial is meant."""


@dataclass(frozen=True, slots=True, eq=False)
class BetaBinomial:
    """Events among n, tables (data sets, studies), whose probabilities are beta distributed.

    The parameters are the logit of the mean and the root of the dispersion
    ``phi = rho / (1 - rho)``: the beta distribution is ``Beta(mean / phi, (1 - mean) / phi)``.
    """

    events: FloatArray
    n: FloatArray

    @property
    def own(self) -> bool:
        """Whether the last parameter is one for each study: no."""
        return False

    def rows(self, index: IntArray) -> BetaBinomial:
        """Return the likelihood of the data sets at `index`."""
        return BetaBinomial(self.events[index], self.n[index])

    def __call__(self, place: FloatArray) -> Height:
        """Return the heights at `place` (2, ..., sets, 1), without binomial coefficients."""
        logit, root = place
        rest = self.n - self.events
        p, q = special.expit(logit), special.expit(-logit)
        phi = root**2
        dispersed = phi > NONE
        total = 1 / np.where(dispersed, phi, 1.0)
        parts = ((p * total, self.events), (q * total, rest), (total, self.n))
        (g_1, slope_1), (g_2, slope_2), (g_n, slope_n) = (_excess(*part) for part in parts)
        value = self.events * logit - self.n * np.logaddexp(0.0, logit)
        value = value + np.where(dispersed, g_1 + g_2 - g_n, 0.0)
        by_logit = np.where(dispersed, (slope_1 - slope_2) * p * q * total, 0.0)
        by_phi = (slope_n - slope_1 * p - slope_2 * q) * total**2
        by_root = np.where(dispersed, by_phi * 2 * root, 0.0)
        return Height(value, np.stack([self.events - self.n * p + by_logit, by_root]))


def _excess(a: FloatArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``log(a (a + 1) ... (a + x - 1)) - x log(a)`` and its derivative by `a`."""
    a, x = np.broadcast_arrays(a, x)
    large = a >= LARGE
    few, many = np.where(large, LARGE, a), np.where(large, a, LARGE)
    small_value = special.gammaln(few + x) - special.gammaln(few) - x * np.log(few)
    small_slope = special.psi(few + x) - special.psi(few) - x / few
    ratio = np.log1p(x / many)
    value, slope = (many + x - 0.5) * ratio - x, ratio - x / many + x / (2 * many * (many + x))
    for i, coefficient in enumerate(SERIES):
        power = 2 * i + 1
        value = value + coefficient * ((many + x) ** -power - many**-power)
        slope = slope - power * coefficient * ((many + x) ** -(power + 1) - many ** -(power + 1))
    return np.where(large, value, small_value), np.where(large, slope, small_slope)
