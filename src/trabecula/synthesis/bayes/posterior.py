"""A posterior distribution: its summary, and the functions of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    ESTIMATE,
    FloatArray,
    Interval,
    confidence_level,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.bayes.heterogeneity_law import HeterogeneityLaw
from trabecula.synthesis.bayes.normal_mixture import NormalMixture
from trabecula.synthesis.result import Result, frozen, shaped

CredibleInterval = Literal["shortest", "central"]
"""*shortest*: of all intervals that hold the level, the shortest (for one mode the highest
density region); *central*: as much probability below as above."""

PROBABILITY = Interval("[0, 1]")
LINE = Interval("[-inf, inf]")

SUMMARY = (
    "mean",
    "median",
    "mode",
    "sd",
    "central_low",
    "central_high",
    "shortest_low",
    "shortest_high",
)


Summary = dict[str, Any]
"""Arrays by the name of their field in a `Posterior`."""


class Law(Protocol):
    """A distribution on the line."""

    def cdf(self, x: FloatArray) -> FloatArray:
        """Return the probability up to `x`."""

    def density(self, x: FloatArray) -> FloatArray:
        """Return the density at `x`."""

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Return the quantiles at `probability`."""

    def shortest(self, level: float) -> tuple[float, float]:
        """Return the shortest interval that holds `level`."""


@dataclass(frozen=True, slots=True, eq=False)
class Posterior(Result):
    """A posterior distribution, or several.

    All arrays have the leading axes of the data (and studies or coefficients as last axis, where
    there is one posterior for each). ``sd`` is infinite where the distribution has no variance,
    and ``mean`` NaN (infinite for the heterogeneity) where it has no mean: quantiles always
    exist. ``central_low``, ``central_high``, ``shortest_low``, ``shortest_high`` are the credible
    intervals of ``level``; ``interval`` names the one that `ci_low` and `ci_high` give. ``law``
    holds the distributions themselves, behind `cdf`, `density`, `quantile` and `credible_interval`.
    """

    mean: FloatArray
    median: FloatArray
    mode: FloatArray
    sd: FloatArray
    central_low: FloatArray
    central_high: FloatArray
    shortest_low: FloatArray
    shortest_high: FloatArray
    level: float
    interval: CredibleInterval
    law: NDArray[np.object_]

    @property
    def _laws(self) -> list[Law | None]:
        """The distributions, one each; `None` where a study is missing."""
        return cast(list[Law | None], self.law.ravel().tolist())

    @classmethod
    def of(cls, summary: Summary, level: float, interval: CredibleInterval) -> Self:
        """Return the posterior with this summary."""
        values = {name: frozen(value) for name, value in summary.items()}
        return cls(**values, level=level, interval=interval)

    @classmethod
    def stacked(cls, parts: list[Self], shape: tuple[int, ...]) -> Self:
        """Return the posteriors of many data sets as one, with leading axes `shape`."""
        names = (*SUMMARY, "law")
        values = {n: np.stack([np.asarray(getattr(p, n)) for p in parts]) for n in names}
        return cls(**shaped(values, shape), level=parts[0].level, interval=parts[0].interval)

    @property
    def ci_low(self) -> FloatArray:
        """The lower end of the credible interval that was asked for."""
        return self.shortest_low if self.interval == "shortest" else self.central_low

    @property
    def ci_high(self) -> FloatArray:
        """The upper end of the credible interval that was asked for."""
        return self.shortest_high if self.interval == "shortest" else self.central_high

    def cdf(self, x: ArrayLike) -> FloatArray:
        """Return the probability up to `x`: leading axes, then those of `x`."""
        points = numbers("x", x)
        require("x", points, LINE)
        return self._each(lambda law, at: law.cdf(at), points)

    def density(self, x: ArrayLike) -> FloatArray:
        """Return the density at `x`: leading axes, then those of `x`."""
        points = numbers("x", x)
        require("x", points, ESTIMATE)
        return self._each(lambda law, at: law.density(at), points)

    def quantile(self, probability: ArrayLike) -> FloatArray:
        """Return the value below which `probability` lies: leading axes, then its own."""
        p = numbers("probability", probability)
        require("probability", p, PROBABILITY)
        return self._each(lambda law, at: law.quantile(at), p)

    def credible_interval(
        self, level: float, interval: CredibleInterval = "shortest"
    ) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper ends of the credible intervals of another level."""
        require_option("interval", interval, ("shortest", "central"))
        level = confidence_level(level)
        tail = (1 - level) / 2
        if interval == "central":
            low, high = np.moveaxis(self.quantile([tail, 1 - tail]), -1, 0)
        else:
            ends = np.array([_shortest(law, level) for law in self._laws])
            low, high = (e.reshape(self.shape) for e in ends.reshape(-1, 2).T)
        return low, high

    def _each(
        self, function: Callable[[Law, FloatArray], FloatArray], at: FloatArray
    ) -> FloatArray:
        nothing = np.full(at.shape, np.nan)
        parts = [nothing if law is None else function(law, at) for law in self._laws]
        return np.reshape(np.array(parts), self.shape + at.shape)


def _shortest(law: Law | None, level: float) -> tuple[float, float]:
    return (np.nan, np.nan) if law is None else law.shortest(level)


@dataclass(frozen=True, slots=True, eq=False)
class EffectLaw:
    """A mixture of normal distributions, one row of a `NormalMixture`."""

    mixture: NormalMixture

    def cdf(self, x: FloatArray) -> FloatArray:
        """Return the probability up to `x`."""
        return self.mixture.cdf(x.reshape(1, -1)).reshape(x.shape)

    def density(self, x: FloatArray) -> FloatArray:
        """Return the density at `x`."""
        return self.mixture.density(x.reshape(1, -1)).reshape(x.shape)

    def quantile(self, probability: FloatArray) -> FloatArray:
        """Return the quantiles at `probability`, infinite at 0 and 1."""
        p = probability.reshape(1, -1)
        inside = (p > 0) & (p < 1)
        value = self.mixture.quantile(np.where(inside, p, 0.5))
        ends = np.where(p == 0, -np.inf, np.inf)
        return np.where(inside, value, ends).reshape(probability.shape)

    def shortest(self, level: float) -> tuple[float, float]:
        """Return the shortest interval that holds `level`."""
        tail = (1 - level) / 2
        central = self.mixture.quantile(np.array([[tail, 1 - tail]]))
        low, high = self.mixture.shortest(level, central, self.mixture.look(central))[0]
        return float(low), float(high)


def mixture_summary(
    mixture: NormalMixture, level: float, has_mean: NDArray[np.bool_], has_sd: NDArray[np.bool_]
) -> Summary:
    """Return the summaries of the rows of `mixture`, ``law`` among them.

    `has_mean` and `has_sd` (rows,) tell whether the moments exist.
    """
    kept = mixture.pruned()
    tail = (1 - level) / 2
    p = np.broadcast_to([tail, 0.5, 1 - tail], (len(kept.mean), 3))
    low, median, high = kept.quantile(p).T
    central = np.stack([low, high], axis=1)
    look = kept.look(central)
    shortest = kept.shortest(level, central, look)
    rows = np.arange(len(kept.mean))
    laws = [EffectLaw(kept.rows_at(rows == i)) for i in rows]
    return {
        "mean": np.where(has_mean, mixture.expectation, np.nan),
        "median": median,
        "mode": kept.mode(look),
        "sd": np.where(has_sd, np.sqrt(mixture.variance), np.inf),
        "central_low": low,
        "central_high": high,
        "shortest_low": shortest[:, 0],
        "shortest_high": shortest[:, 1],
        "law": objects(laws),
    }


def heterogeneity_summary(law: HeterogeneityLaw, level: float) -> Summary:
    """Return the summary of the posterior of the heterogeneity."""
    tail = (1 - level) / 2
    low, median, high = law.quantile(np.array([tail, 0.5, 1 - tail]))
    shortest = law.shortest(level)
    values = (law.mean, median, law.mode, law.sd, low, high, *shortest)
    summary: Summary = {n: np.asarray(v) for n, v in zip(SUMMARY, values, strict=True)}
    return {**summary, "law": objects([law])[0]}


def objects(items: list[Any]) -> NDArray[np.object_]:
    """Return an array (items,) that holds the items themselves."""
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def spread_out(values: NDArray[Any], there: NDArray[np.bool_]) -> NDArray[Any]:
    """Return `values` at their places among all studies, NaN (or nothing) at missing ones."""
    gap = None if values.dtype == object else np.nan
    full = np.full(len(there), gap, dtype=values.dtype)
    full[there] = values
    return full
