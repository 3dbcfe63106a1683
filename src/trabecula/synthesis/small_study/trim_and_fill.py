"""Trim and fill: the studies that would make the funnel plot symmetric, added."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.pairwise.random_effects import RandomEffectsFit, random_effects
from trabecula.synthesis.pairwise.regression_heterogeneity import Method
from trabecula.synthesis.pairwise.wald import Test
from trabecula.synthesis.result import Json, Result, frozen, shaped
from trabecula.synthesis.small_study.refusal import (
    ASYMMETRY,
    MINIMUM_STUDIES,
    NOT_BIAS,
    require_studies,
)
from trabecula.synthesis.small_study.regression_test import slope_on_standard_error
from trabecula.synthesis.studies import Studies, over_studies
from trabecula.synthesis.text import decimals, interval, number, percent

MissingStudies = Literal["L0", "R0", "Q0"]
"""The estimator of the number of missing studies. *L0*: linear in the rank sum; *R0*: from the run
of largest distances on one side; *Q0*: quadratic in the rank sum, the most variable."""

Side = Literal["auto", "left", "right"]
"""Where studies are missing. *auto*: opposite to the small studies' shift, by the slope of the
estimates on their standard errors."""

ITERATIONS = 100
"""Most rounds of trimming; 2 to 5 are usual. Rounds that go in a circle never end."""


@dataclass(frozen=True, slots=True, eq=False)
class TrimAndFill(Result):
    """The number of studies missing on one side, and the pooled results without and with them.

    ``missing_se`` is the standard error of the number before rounding, NaN where its formula has
    no value. ``missing_p_value`` is that of none missing, for R0 only. ``side`` is *left* or
    *right*. ``filled_estimate`` and ``filled_variance`` (last axis: as many places as there were
    studies) hold the added studies, then NaN. ``converged`` is false where the rounds of trimming
    went in a circle: nothing is filled then and the numbers are NaN.
    """

    estimator: MissingStudies
    k: IntArray
    side: NDArray[np.str_]
    missing: FloatArray
    missing_se: FloatArray
    missing_p_value: FloatArray
    filled_estimate: FloatArray
    filled_variance: FloatArray
    converged: NDArray[np.bool_]
    observed: RandomEffectsFit
    filled: RandomEffectsFit

    def summary(self) -> str:
        """Return the result in sentences; `ValueError` for the results of several data sets."""
        self.require_one()
        if not self.converged:
            return "Trim and fill did not settle on a number of missing studies; nothing is filled."
        before, after = self.observed, self.filled
        places, sure = decimals(float(before.se)), percent(before.level)
        plural = "study" if self.missing == 1 else "studies"
        values = [
            f"{number(float(f.estimate), places)} "
            f"({sure} CI {interval(float(f.ci_low), float(f.ci_high), places)})"
            for f in (before, after)
        ]
        return (
            f"Trim and fill ({self.estimator}, {self.k:.0f} studies) supposes {self.missing:.0f} "
            f"{plural} missing on the {self.side}: {values[1]} with, {values[0]} without filling. "
            f"The filled studies are not evidence. {NOT_BIAS}"
        )

    def rows(self) -> list[dict[str, Json]]:
        """Return the added studies, for a funnel plot; `ValueError` for several data sets."""
        self.require_one()
        both = zip(self.filled_estimate.tolist(), self.filled_variance.tolist(), strict=True)
        return [{"estimate": y, "variance": v} for y, v in both if y == y]


def trim_and_fill(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    estimator: MissingStudies = "L0",
    side: Side = "auto",
    method: Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
    minimum_studies: int = MINIMUM_STUDIES,
) -> TrimAndFill:
    """Return how many studies are missing on one side, and the pooled estimate with them.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    estimator
        How the number is estimated.
    side
        Where studies are missing; with *auto* there always is a side, however symmetric the plot.
    method, test, level
        Of the pooled results and, the method, of the center about which is trimmed: *common* trims
        more, and is misled by heterogeneity (Peters et al. 2007).
    minimum_studies
        Fewest studies; at least 3.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.

    Notes
    -----
    Duval and Tweedie (2000), Biometrics 56:455-463, and J Am Stat Assoc 95:89-98. A sensitivity
    analysis: it supposes that only the most extreme studies on one side are unseen. Studies of
    equal distance from the center are ranked in the order of their estimates, as in metafor.

    Examples
    --------
    >>> se = [0.1, 0.12, 0.15, 0.2, 0.22, 0.25, 0.3, 0.32, 0.4, 0.5]
    >>> y = [0.1, 0.12, 0.08, 0.2, 0.05, 0.4, 0.5, 0.6, 0.8, 1.1]
    >>> fit = trim_and_fill(y, [s * s for s in se], method="common")
    >>> f"{fit.missing:.0f} missing on the {fit.side}"
    '3 missing on the left'
    """
    require_option("estimator", estimator, get_args(MissingStudies))
    require_option("side", side, get_args(Side))
    level = confidence_level(level)
    studies = Studies.read(estimate, variance)
    require_studies(studies.k, minimum_studies, 3, ASYMMETRY)
    values = np.where(studies.present > 0, studies.origin[:, None] + studies.estimate, np.nan)
    right = _right(studies, side, method)
    trim = _Trimming.of(values, studies.variance, right, estimator, method)
    trim.run()
    y, v = trim.mirrored()
    table = (*studies.shape, -1)
    observed, filled = (
        random_effects(a.reshape(table), b.reshape(table), method=method, test=test, level=level)
        for a, b in (
            (values, studies.variance),
            (np.concatenate([values, y], axis=1), np.concatenate([studies.variance, v], axis=1)),
        )
    )
    return _result(studies, estimator, right, trim, (y, v), observed, filled)


def _result(
    studies: Studies,
    estimator: MissingStudies,
    right: NDArray[np.bool_],
    trim: _Trimming,
    added: tuple[FloatArray, FloatArray],
    observed: RandomEffectsFit,
    filled: RandomEffectsFit,
) -> TrimAndFill:
    nothing = np.full_like(studies.k, np.nan)
    chance = 0.5 ** (trim.missing + 1) if estimator == "R0" else nothing
    parts = {
        "k": studies.k.astype(np.int64),
        "missing": np.where(trim.settled, trim.missing, np.nan),
        "missing_se": np.where(trim.settled, trim.missing_se, np.nan),
        "missing_p_value": np.where(trim.settled, chance, np.nan),
        "filled_estimate": added[0],
        "filled_variance": added[1],
    }
    return TrimAndFill(
        estimator=estimator,
        side=frozen(np.where(right, "right", "left").reshape(studies.shape)),
        converged=frozen(trim.settled.reshape(studies.shape)),
        observed=observed,
        filled=filled,
        **shaped(parts, studies.shape),
    )


def _right(studies: Studies, side: Side, method: Method) -> NDArray[np.bool_]:
    if side != "auto":
        return np.full(len(studies.k), side == "right")
    slope = slope_on_standard_error(studies, method)
    right: NDArray[np.bool_] = slope < 0
    return right


@dataclass(slots=True, eq=False)
class _Trimming:
    """Rounds of trimming the largest, of data turned so that studies are missing on the left."""

    estimate: FloatArray
    variance: FloatArray
    sign: FloatArray
    k: FloatArray
    estimator: MissingStudies
    method: Method
    missing: FloatArray
    missing_se: FloatArray
    center: FloatArray
    settled: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        values: FloatArray,
        variance: FloatArray,
        right: NDArray[np.bool_],
        estimator: MissingStudies,
        method: Method,
    ) -> _Trimming:
        """Return the untrimmed data, each set sorted by its turned estimates, missing ones last."""
        sign = np.where(right, -1.0, 1.0)
        order = np.argsort(sign[:, None] * values, axis=1, kind="stable")
        y = np.take_along_axis(sign[:, None] * values, order, axis=1)
        v = np.take_along_axis(variance, order, axis=1)
        k = over_studies((~np.isnan(y)).astype(np.float64))
        zero = np.zeros_like(k)
        return cls(y, v, sign, k, estimator, method, zero, zero, zero, zero > 0)

    def run(self) -> None:
        """Trim until the number of missing studies stays, at most `ITERATIONS` times."""
        place = np.arange(self.estimate.shape[1])
        for _ in range(ITERATIONS):
            keep = place < (self.k - self.missing)[:, None]
            trimmed = np.where(keep, self.estimate, np.nan)
            pooled = random_effects(trimmed, self.variance, method=self.method, test="z")
            self.center = np.ravel(pooled.estimate)
            number, self.missing_se = self._number()
            before = self.missing
            # the last study is never trimmed: there would be no center
            self.missing = np.clip(np.round(number), 0.0, self.k - 1)
            self.settled = self.missing == before
            if self.settled.all():
                return

    def _number(self) -> tuple[FloatArray, FloatArray]:
        """Return the number of missing studies, unrounded, and its standard error."""
        distance = self.estimate - self.center[:, None]
        order = np.argsort(np.abs(distance), axis=1, kind="stable")
        rank = np.argsort(order, axis=1, kind="stable") + 1.0
        above = np.where(distance > 0, rank, 0.0)
        below = np.where(distance < 0, rank, 0.0)
        k, total = self.k, over_studies(above)
        if self.estimator == "R0":
            # no study below the center: all lie on it, nothing is missing
            longest = np.where(below.any(axis=1), below.max(axis=1), k)
            number = k - longest - 1
            return number, np.sqrt(2 * np.maximum(number, 0) + 2)
        if self.estimator == "L0":
            number = (4 * total - k * (k + 1)) / (2 * k - 1)
            return number, 4 * _rank_sum_error(k, number) / (2 * k - 1)
        number = k - 0.5 - np.sqrt(np.maximum(2 * k**2 - 4 * total + 0.25, 0.0))
        rest = (k - 0.5) ** 2 - number * (2 * k - number - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            se = 2 * _rank_sum_error(k, number) / np.sqrt(rest)
        return number, np.where(rest > 0, se, np.nan)

    def mirrored(self) -> tuple[FloatArray, FloatArray]:
        """Return estimates and variances of the trimmed studies, mirrored at the center."""
        count = np.where(self.settled, self.missing, 0.0)
        place = np.arange(self.estimate.shape[1])
        source = (self.k - count)[:, None] + place
        there = place < count[:, None]
        index = np.where(there, source, 0).astype(np.int64)
        y = np.take_along_axis(self.estimate, index, axis=1)
        v = np.take_along_axis(self.variance, index, axis=1)
        turned = self.sign[:, None] * (2 * self.center[:, None] - y)
        return np.where(there, turned, np.nan), np.where(there, v, np.nan)


def _rank_sum_error(k: FloatArray, m: FloatArray) -> FloatArray:
    """Return the standard error of the rank sum where `m` of `k` + `m` studies are unseen.

    Far below 0 `m` gives a negative variance: NaN.
    """
    cubic = k * (k + 1) * (2 * k + 1) + 10 * m**3 + 27 * m**2 + 17 * m
    variance = (cubic - 18 * k * m**2 - 18 * k * m + 6 * k**2 * m) / 24
    return np.sqrt(np.where(variance < 0, np.nan, variance))
