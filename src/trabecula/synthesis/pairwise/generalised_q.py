"""The generalised Q statistic: Cochran's Q with weights that do not depend on the variances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.falling_root import Rows, falling_root
from trabecula.synthesis.pairwise.quadratic_forms import line_of
from trabecula.synthesis.studies import Studies, Weighted, over_studies


class GeneralisedQ(NamedTuple):
    """Weights and variances (data sets, studies), and what follows from the weights alone.

    A missing study has no weight. ``q`` is the weighted sum of squares about the weighted
    ``mean``, ``trace`` and ``sampling`` are the traces of P and PV: under the model the
    expectation of ``q`` is ``sampling + tau2 trace``.
    """

    weight: FloatArray
    variance: FloatArray
    total: FloatArray
    mean: FloatArray
    q: FloatArray
    trace: FloatArray
    sampling: FloatArray
    df: FloatArray

    @classmethod
    def of(cls, studies: Studies, weight: FloatArray) -> GeneralisedQ:
        """Return the statistic of data sets of two or more studies."""
        sums = Weighted.of(studies.estimate, weight)
        return cls(
            weight=weight,
            variance=studies.variance,
            total=sums.total,
            mean=sums.mean,
            q=sums.q,
            trace=sums.sum_p,
            sampling=sums.trace_with(studies.variance),
            df=studies.df,
        )

    def moment_estimate(self) -> FloatArray:
        """Return the between-study variance at which ``q`` equals its expectation."""
        return (self.q - self.sampling) / self.trace

    def mean_variance(self, tau2: FloatArray) -> FloatArray:
        """Return the variance of the weighted mean."""
        total = self.variance + tau2[:, None]
        return over_studies(self.weight**2 * total) / self.total**2

    def tau2_at(self, probability: float) -> FloatArray:
        """Return the between-study variance at which ``q`` or less has a probability.

        0 where it is less likely than that even without any. The root is bracketed, since one
        of the k - 1 terms of the quadratic form weighs at least ``tau2 trace / (k - 1)``.
        """
        tau2 = np.zeros_like(self.q)
        rows = np.flatnonzero(self.q > 0)
        part = self.take(rows)
        one = chi2_quantile(probability, np.ones_like(part.q))
        high = part.q * part.df / (part.trace * one)
        start = np.clip(part.moment_estimate(), 0.0, high)

        def excess(place: FloatArray, among: Rows) -> tuple[FloatArray, FloatArray]:
            below, slope = part.take(among).below(place)
            return below - probability, slope

        scale = part.sampling / part.trace
        tau2[rows] = falling_root(excess, np.zeros_like(high), high, start, scale)
        return tau2

    def tau2_limits(self, level: float) -> tuple[FloatArray, FloatArray]:
        """Return the limits of the interval of the between-study variance.

        Jackson (2013), Res Synth Methods 4:220-229: at the limits ``q`` is the upper and lower
        quantile of its distribution. Both are 0 where ``q`` is too small even without any.
        """
        tail = (1 - level) / 2
        return self.tau2_at(1 - tail), self.tau2_at(tail)

    def below(self, tau2: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the probability of ``q`` or less, and its derivative by the variance.

        The quadratic form has the Laplace transform det(I + 2 s P (V + tau2 I))^(-1/2), which
        the rule for a determinant plus a product of vectors turns into sums over studies:
        no eigenvalues are needed.
        """
        total = self.variance + tau2[:, None]
        line = line_of(self.q, self.weight * total, self.df)
        scaled = 2 * line.place[:, None, :] * line.scaled[..., None]
        factor, pull = 1 + scaled, scaled / total[..., None]
        share = (self.weight / self.total[:, None])[..., None] / factor
        left = share.sum(axis=1)
        logs = -(np.log(factor).sum(axis=1) + np.log(left)) / 2
        change = (pull / factor).sum(axis=1) - (share * pull / factor).sum(axis=1) / left
        return line.distribution(logs), line.derivative(logs, -change / 2)

    def take(self, rows: Rows) -> GeneralisedQ:
        """Return the data sets at `rows`."""
        return GeneralisedQ(*(values[rows] for values in self))
