"""The profile-likelihood interval of the between-study variance."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.falling_root import Rows, falling_root
from trabecula.synthesis.pairwise.global_maximum import turning_points
from trabecula.synthesis.pairwise.likelihood import LOG_2PI, Place, height_of
from trabecula.synthesis.pairwise.power_sums import Column, Columns, Number, Table


def profile_likelihood(
    table: Table, place: Place, level: float, *, restricted: bool
) -> tuple[Number, Number]:
    """Return the limits of the profile-likelihood interval of the between-study variance.

    Hardy and Thompson (1996), Stat Med 15:619-629. At a positive limit the log-likelihood lies
    half a chi-square quantile with one degree of freedom below its maximum, which is at
    `place`. Where the likelihood has several maxima, so that the values not rejected may fall
    apart, the limits are the least and the greatest of them.
    """
    data = table.data.columns() if isinstance(table.data, Column) else table.data
    top, k = np.atleast_1d(place.tau2), np.atleast_1d(table.k)
    profile = _Profile(data, k, np.zeros_like(k), restricted)
    profile = profile._replace(wanted=profile.excess(top) - chi2_quantile(level, 1.0) / 2)
    inner = np.stack([top, top])
    outer = np.stack([np.zeros_like(top), profile.beyond()])
    for row in np.flatnonzero(~np.atleast_1d(place.alone)):
        inner[:, row], outer[:, row] = profile.take(np.array([row])).widest(outer[1, row])
    low, high = (profile.limit(*ends) for ends in zip(inner, outer, strict=True))
    return table.number(low), table.number(high)


class _Profile(NamedTuple):
    """Log-likelihoods of data sets, and the heights at which the limits lie."""

    data: Columns
    k: FloatArray
    wanted: FloatArray
    restricted: bool

    def take(self, rows: Rows) -> _Profile:
        """Return the data sets at `rows`."""
        return _Profile(self.data.take(rows), self.k[rows], self.wanted[rows], self.restricted)

    def excess(self, tau2: FloatArray) -> FloatArray:
        """Return by how much the log-likelihood exceeds the height of the limits."""
        sums, logs = self.data.sums(tau2), self.data.log_variance(tau2)
        height: FloatArray = height_of(self.k, sums, logs, restricted=self.restricted)
        return height - self.wanted

    def beyond(self) -> FloatArray:
        """Return a between-study variance beyond the upper limit.

        Minus twice the log-likelihood is at least ``log(2 pi (v_min + tau2))`` times the number
        of observations, one less for the restricted one.
        """
        each = -2 * self.wanted / (self.k - 1 if self.restricted else self.k)
        bound: FloatArray = np.exp(each - LOG_2PI) - self.data.first
        return np.maximum(bound, 0.0)

    def widest(self, beyond: float) -> tuple[FloatArray, FloatArray]:
        """Return, for one data set, ends within and without its outermost limits.

        Between two of its turning points the likelihood rises or falls throughout.
        """
        _, turns = turning_points(self.data, restricted=self.restricted)
        places = np.concatenate([[0.0], np.sort(turns), [beyond]])
        inside = np.flatnonzero([self.excess(place)[0] >= 0 for place in places[:-1]])
        first, last = inside[0], inside[-1]
        inner = np.array([places[first], places[last]])
        return inner, np.array([places[max(first - 1, 0)], places[last + 1]])

    def limit(self, inner: FloatArray, outer: FloatArray) -> FloatArray:
        """Return where the likelihood has the wanted height, from `inner` on towards `outer`.

        `outer` where it is never that low. Searched on the logarithm of the distance from minus
        the smallest variance, on which the fall is nearly straight far out.
        """
        first = self.data.first
        way = np.log((outer + first) / (inner + first))
        within = self.excess(outer) >= 0

        def place(share: FloatArray, rows: Rows) -> FloatArray:
            total = (inner + first)[rows] * np.exp(np.sign(way[rows]) * share)
            tau2: FloatArray = np.maximum(total - first[rows], 0.0)
            return tau2

        def fall(share: FloatArray, rows: Rows) -> tuple[FloatArray, FloatArray]:
            part, tau2 = self.take(rows), place(share, rows)
            sums, curves = part.data.curves(tau2)
            score = sums.q2 - (curves.p1 if self.restricted else sums.s1)
            slope = np.sign(way[rows]) * score * (tau2 + first[rows]) / 2
            return part.excess(tau2), slope

        length = np.where(within, 0.0, np.abs(way))
        share = falling_root(fall, np.zeros_like(length), length, length, np.ones_like(length))
        return np.where(within, outer, place(share, np.arange(len(share))))
