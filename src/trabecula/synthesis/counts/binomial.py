"""The log-likelihood of binomial counts as a function of their logit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.quadrature import aligned


@dataclass(frozen=True, slots=True, eq=False)
class Binomial:
    """Events among n in the arms of studies, arrays (arms, data sets, studies).

    The logit is the linear predictor plus ``offset``. A missing arm has ``n = 0``. ``observed``
    and ``weight`` are the empirical logits, half an event of each kind added, less the offset,
    and their inverse variances.
    """

    events: FloatArray
    n: FloatArray
    offset: FloatArray
    observed: FloatArray
    weight: FloatArray

    @classmethod
    def of(cls, events: FloatArray, n: FloatArray, offset: FloatArray | float = 0.0) -> Self:
        """Return the kernel of counts without missing values."""
        x, rest = events + 0.5, n - events + 0.5
        shift = np.broadcast_to(offset, events.shape)
        return cls(events, n, shift, np.log(x / rest) - shift, x * rest / (x + rest))

    def rows(self, index: IntArray) -> Binomial:
        """Return the kernel of the data sets at `index`."""
        return Binomial(
            self.events[:, index],
            self.n[:, index],
            self.offset[:, index],
            self.observed[:, index],
            self.weight[:, index],
        )

    def derivatives(self, eta: FloatArray, order: int) -> list[FloatArray]:
        """Return the log-likelihood, without its coefficient, and its first derivatives."""
        x, n = aligned(self.events, eta), aligned(self.n, eta)
        logit = eta + aligned(self.offset, eta)
        p = special.expit(logit)
        parts = [x * logit - n * np.logaddexp(0.0, logit), x - n * p]
        if order > 1:
            variance = n * p * special.expit(-logit)
            parts.append(-variance)
            if order > 2:
                parts.append(-variance * (1 - 2 * p))
        return parts

    @property
    def constant(self) -> FloatArray:
        """The logarithms of the binomial coefficients (gamma functions), one sum a data set."""
        rest = self.n - self.events
        terms = special.gammaln(self.n + 1) - special.gammaln(self.events + 1)
        total: FloatArray = (terms - special.gammaln(rest + 1)).sum(axis=(0, -1))
        return total

    def saturated(self) -> FloatArray:
        """Return the log-likelihood where each arm has its own proportion, no `constant`."""
        n = np.maximum(self.n, 1e-300)
        rest = self.n - self.events
        terms = special.xlogy(self.events, self.events / n) + special.xlogy(rest, rest / n)
        total: FloatArray = terms.sum(axis=(0, -1))
        return total
