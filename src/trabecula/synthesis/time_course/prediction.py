"""Mean changes by treatment and time, and differences between treatments at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.result import Json, Result
from trabecula.synthesis.text import decimals, interval, number, percent

MEASURES = ("mean", "sd", "median", "ci_low", "ci_high")


def described(draws: FloatArray, level: float, prefix: str = "") -> dict[str, FloatArray]:
    """Return mean, sd, median and central interval over the first axis of `draws`, by name."""
    tail = (1 - level) / 2
    low, median, high = np.quantile(draws, [tail, 0.5, 1 - tail], axis=0)
    values = (draws.mean(axis=0), draws.std(axis=0, ddof=1), median, low, high)
    return {prefix + name: value for name, value in zip(MEASURES, values, strict=True)}


@dataclass(frozen=True, slots=True, eq=False)
class TimeCoursePrediction(Result):
    """Mean values (treatments, times) in the population of the reference course.

    ``mean``, ``sd``, ``median``, ``ci_low`` and ``ci_high`` (central) are those of the posterior;
    ``baseline`` is the value at time 0. ``response`` tells whence the course of the reference
    treatment came. ``k`` is the number of studies behind it, 0 where it was given.
    """

    level: float
    curve: str
    treatments: tuple[str, ...]
    reference: str
    response: str
    k: IntArray
    baseline: FloatArray
    times: FloatArray
    mean: FloatArray
    sd: FloatArray
    median: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a treatment and time."""
        return [
            {
                "treatment": treatment,
                "time": float(time),
                **{name: float(getattr(self, name)[i, j]) for name in MEASURES},
            }
            for i, treatment in enumerate(self.treatments)
            for j, time in enumerate(self.times)
        ]

    def summary(self) -> str:
        """Return the values at the last time in a sentence a treatment."""
        at = int(self.times.argmax())
        told = [f"Predicted mean at time {self.times[at]:g} ({self.curve} curve, {self.response})."]
        for i, treatment in enumerate(self.treatments):
            told.append(f"{treatment}: {_estimate(self, (i, at))}.")
        return " ".join(told)


@dataclass(frozen=True, slots=True, eq=False)
class TimeCourseComparison(Result):
    """Differences (treatments, treatments) between means at ``time``, row minus column.

    ``mean``, ``sd``, ``median``, ``ci_low`` and ``ci_high`` (central) are those of the posterior
    of the average effect over ``k`` studies.
    """

    level: float
    curve: str
    treatments: tuple[str, ...]
    reference: str
    k: IntArray
    time: FloatArray
    mean: FloatArray
    sd: FloatArray
    median: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a comparison, first minus second."""
        return [
            {
                "first": self.treatments[i],
                "second": self.treatments[j],
                "time": float(self.time),
                **{name: float(getattr(self, name)[i, j]) for name in MEASURES},
            }
            for i, j in zip(*np.triu_indices(len(self.treatments), 1), strict=True)
        ]

    def summary(self) -> str:
        """Return the differences from the reference, a sentence each."""
        ground = self.treatments.index(self.reference)
        told = [
            f"Differences from {self.reference} at time {float(self.time):g} ({self.curve} curve)."
        ]
        for i, treatment in enumerate(self.treatments):
            if i != ground:
                told.append(f"{treatment}: {_estimate(self, (i, ground))}.")
        return " ".join(told)


def _estimate(told: TimeCoursePrediction | TimeCourseComparison, at: tuple[int, int]) -> str:
    """Return ``-0.71 (95 % CrI -1.07 to -0.34)``."""
    places = decimals(float(told.sd[at]))
    limits = interval(float(told.ci_low[at]), float(told.ci_high[at]), places)
    return f"{number(float(told.median[at]), places)} ({percent(told.level)} CrI {limits})"
