"""One data set fitted by one selection model."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self, get_args

import numpy as np

from trabecula.synthesis.arguments import (
    FloatArray,
    IntArray,
    Interval,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.distributions import chi2_upper_tail, critical_value, two_sided_p
from trabecula.synthesis.pairwise.random_effects import random_effects
from trabecula.synthesis.small_study.selection_ascent import Box, Top, highest
from trabecula.synthesis.small_study.selection_likelihood import (
    SelectionLikelihood,
    SmoothWeighting,
    StepWeighting,
    Weighting,
)
from trabecula.synthesis.small_study.selection_weights import (
    LARGEST_DELTA,
    SHAPES,
    VEVEA_WOODS_STEPS,
    VEVEA_WOODS_WEIGHTS,
    Alternative,
    Family,
    Pattern,
    PValues,
)

DEFAULT_STEPS: dict[str, tuple[float, ...]] = {
    "greater": (0.025,),
    "less": (0.025,),
    "two-sided": (0.05,),
}
"""One step where two-sided p-values cross 0.05: the three-parameter selection model (mean, tau²,
one weight; McShane, Boeckenholt and Hansen 2016, Perspect Psychol Sci 11:730-749)."""

SMALLEST_STEP = 1e-8
"""Smallest weight of a step, 0 for all purposes; its logarithm must exist."""

STEP = Interval("(0, 1]")
WEIGHT = Interval(f"[{SMALLEST_STEP:g}, {LARGEST_DELTA:g}]")

START_DELTAS = (0.3, 1.0, 3.0)
"""Parameters at which climbs may start, each with each; for many steps only all alike."""

MOST_STARTS = 27
"""Most combinations of starting values."""

UPPER = 1 - 1e-9
"""Share of the upper limit above which a parameter stands at it."""


@dataclass(frozen=True, slots=True, eq=False)
class SelectionPlan:
    """A selection model: its family, steps (the last is 1 if any), and fixed weights or none."""

    family: Family
    steps: tuple[float, ...]
    weights: tuple[float, ...] | None
    alternative: Alternative
    low: tuple[float, ...]

    @classmethod
    def of(
        cls,
        family: Family,
        steps: Sequence[float] | None,
        weights: Sequence[float] | Pattern | None,
        alternative: Alternative,
    ) -> Self:
        """Return the plan; `ValueError` naming the argument that does not fit."""
        require_option("family", family, get_args(Family))
        require_option("alternative", alternative, get_args(Alternative))
        if isinstance(weights, str):
            steps, weights = _pattern(family, steps, weights)
        given = DEFAULT_STEPS[alternative] if steps is None and family == "step" else steps or ()
        ends = _ends(given)
        if family == "step":
            if len(ends) < 2:
                raise ValueError(f"steps must hold a value below 1, got {tuple(given)!r}")
            low = (1.0, *[SMALLEST_STEP] * (len(ends) - 1))
        else:
            if family == "beta" and ends:
                raise ValueError(f"steps do not belong to beta, got {tuple(given)!r}")
            if len(ends) > 2:
                raise ValueError(f"steps must be one value for this family, got {tuple(given)!r}")
            low = SHAPES[family].low
        fixed = None
        if weights is not None:
            values = numbers("weights", weights)
            require("weights", values, WEIGHT if family == "step" else Interval("[0, 100]"))
            if values.shape != (len(low),):
                raise ValueError(f"weights must be {len(low)} numbers, got {values.size}")
            fixed = tuple(np.maximum(values, 0.0 if family == "step" else low).tolist())
        return cls(family, ends, fixed, alternative, low)

    @property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest parameters; equal where they are fixed."""
        if self.weights is not None:
            fixed = np.array(self.weights)
            return fixed, fixed
        high = np.full(len(self.low), LARGEST_DELTA)
        if self.family == "step":
            high[0] = 1.0
        return np.array(self.low), high

    @property
    def estimated(self) -> int:
        """The number of parameters that are estimated."""
        low, high = self.bounds
        return int((low < high).sum())

    @property
    def two_sided(self) -> bool:
        """Whether p-values are two-sided."""
        return self.alternative == "two-sided"

    def weighting(self, z: FloatArray) -> Weighting:
        """Return the weight function for standardised estimates `z`."""
        if self.family == "step":
            return StepWeighting.of(z, np.array(self.steps), self.two_sided)
        start = self.steps[0] if self.steps else 0.0
        return SmoothWeighting.of(z, SHAPES[self.family], start, self.two_sided)

    def interval_counts(self, z: FloatArray) -> IntArray:
        """Return how many studies lie in each interval between steps; none without steps."""
        p = PValues.of(z, self.two_sided).p
        group = np.searchsorted(self.steps, p, side="left")
        counts = np.bincount(group, minlength=len(self.steps))[: len(self.steps)]
        return counts.astype(np.int64)

    def starts(self) -> list[tuple[float, ...]]:
        """Return parameters at which to start."""
        low, high = self.bounds
        count = self.estimated
        alike = [(value,) * count for value in START_DELTAS]
        many = len(START_DELTAS) ** count > MOST_STARTS
        chosen = alike if many else list(itertools.product(START_DELTAS, repeat=count))
        places = []
        for values in chosen:
            place = low.copy()
            place[low < high] = values
            places.append(tuple(place.tolist()))
        return places


def _pattern(
    family: Family, steps: Sequence[float] | None, name: Pattern
) -> tuple[Sequence[float], Sequence[float]]:
    """Return the steps and weights of a named pattern."""
    require_option("weights", name, VEVEA_WOODS_WEIGHTS)
    if family != "step" or steps is not None:
        raise ValueError(f"weights {name!r} have steps of their own: leave out family and steps")
    return VEVEA_WOODS_STEPS, VEVEA_WOODS_WEIGHTS[name]


def _ends(steps: Sequence[float]) -> tuple[float, ...]:
    values = numbers("steps", steps)
    require("steps", values, STEP)
    ends = sorted(set(values.tolist()))
    return tuple(ends if not ends or ends[-1] == 1 else [*ends, 1.0])


def fit_selection(
    y: FloatArray, v: FloatArray, plan: SelectionPlan, common: bool, level: float
) -> dict[str, Any]:
    """Return the parts of a `SelectionModelFit` for the studies of one data set, without ``k``."""
    sign = -1.0 if plan.alternative == "less" else 1.0
    free = random_effects(y, v, method="common" if common else "ML", test="z")
    z = sign * y / np.sqrt(v)
    counts = plan.interval_counts(z)
    plain: dict[str, Any] = {
        "unselected_estimate": free.estimate,
        "unselected_log_likelihood": free.ml.log_likelihood,
        "lrt_df": plan.estimated,
        "interval_k": counts,
    }
    if plan.family == "step" and plan.estimated and (counts == 0).any():
        return plain | _nothing(plan, "empty-interval")
    # in units of the typical standard error parameters of any scale are of size 1
    unit = float(np.sqrt(np.median(v)))
    likelihood = SelectionLikelihood(sign * y / unit, v / unit**2, plan.weighting(z))
    low, high = plan.bounds
    most = 0.0 if common else np.inf
    box = Box(
        np.concatenate([[-np.inf, 0.0], low]),
        np.concatenate([[np.inf, most], high]),
        np.concatenate([[1.0, 1.0], np.ones_like(low)]),
    )
    mean, tau2 = sign * float(free.estimate) / unit, float(free.tau2) / unit**2
    places = [
        np.array([center, spread, *delta])
        for delta in plan.starts()
        for center in (mean, mean / 2)
        for spread in sorted({tau2, max(tau2, 0.1)})
    ]
    top = highest(likelihood, box, places)
    if not top.converged:
        return plain | _nothing(plan, "not-converged")
    return plain | _estimated(top, plan, sign, unit, len(y), plain, level)


def _nothing(plan: SelectionPlan, status: str) -> dict[str, Any]:
    names = ("estimate", "se", "ci_low", "ci_high", "statistic", "p_value", "tau2", "tau2_se")
    values: dict[str, Any] = dict.fromkeys(names, np.nan)
    values |= dict.fromkeys(("log_likelihood", "lrt", "lrt_p_value"), np.nan)
    unknown = np.full(len(plan.low), np.nan)
    return values | {"status": _status(status), "delta": unknown, "delta_se": unknown}


def _status(status: str) -> Any:
    return np.array(status, dtype="<U14")


def _estimated(
    top: Top,
    plan: SelectionPlan,
    sign: float,
    unit: float,
    k: int,
    plain: dict[str, Any],
    level: float,
) -> dict[str, Any]:
    delta = top.place[2:]
    low, high = plan.bounds
    limit = bool(((delta >= UPPER * high) & (low < high)).any())
    se = np.full(len(top.place), np.nan) if limit else _standard_errors(top)
    estimate, own = sign * top.place[0] * unit, se[0] * unit
    half = float(critical_value(level, np.array(np.inf))) * own
    height = top.height.value - k * np.log(unit)
    rise = max(0.0, 2 * (height - float(plain["unselected_log_likelihood"])))
    return {
        "status": _status("at-limit" if limit else "estimated"),
        "estimate": estimate,
        "se": own,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "statistic": estimate / own,
        "p_value": two_sided_p(np.array(estimate / own), np.array(np.inf)),
        "tau2": top.place[1] * unit**2,
        "tau2_se": se[1] * unit**2,
        "delta": delta,
        "delta_se": se[2:],
        "log_likelihood": height,
        "lrt": rise,
        "lrt_p_value": chi2_upper_tail(np.array(rise), np.array(float(plan.estimated)))
        if plan.estimated
        else np.nan,
    }


def _standard_errors(top: Top) -> FloatArray:
    """Return roots of the inverse observed information of the parameters inside their bounds."""
    free = np.flatnonzero(top.free)
    se = np.full(len(top.place), np.nan)
    inverse = np.linalg.inv(-top.height.curvature[np.ix_(free, free)])
    se[free] = np.sqrt(np.diag(inverse))
    return se
