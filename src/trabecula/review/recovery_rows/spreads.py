"""How far patients differ where a study does not say: SDs lent by those that do.

The spread lent is a median; how far the lenders lie apart (SD of the logarithms of their SDs)
goes with it, so that the model knows how uncertain a borrowed SD is.

Scores that fall towards 0 differ less between patients the nearer to it they are. Relative to the
mean before, the SD is taken to go with the square root of the share that is left (the variance
with the mean), and what is borrowed is the SD at the full baseline.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import median, stdev
from typing import Any

from trabecula.effects.estimate import Estimate, Step
from trabecula.effects.sizes import FEWEST_DONORS
from trabecula.effects.wording import number

LEAST_LEFT = 0.1
"""The share below which an SD falls no further: a mean of 0 may hide who is not."""

LEFT_AT_TESTS = 0.5
"""The share taken to be left when two arms are compared and their scores are not told. At 1 the SD
is 1.4 times as large, and "not significant" says that much less."""

BORROWED = "sd-borrowed"
"""The rule of a step by which an estimate has an SD that its study does not print."""

Series = tuple[str, str, str | None]
"""Study, arm and instrument."""


@dataclass(frozen=True, slots=True)
class Spread:
    """A borrowed spread: its median, the SD of the logarithms, and how many arms lend it."""

    value: float
    log_sd: float
    arms: int

    def at(self, left: float) -> tuple[float, Step]:
        """Return the SD where a share of the baseline is left, relative to it, and the step."""
        sd = self.value * sqrt(max(left, LEAST_LEFT))
        text = (
            f"SD borrowed: {number(sd)} of the mean before treatment, by {self.arms} arms that "
            f"print both, with {100 * left:.0f} % left"
        )
        return sd, Step("relative-sd-borrowed", text, "imputed")


@dataclass(frozen=True, slots=True)
class Spreads:
    """What can be borrowed.

    ``of_points`` is the SD of the log SDs of an instrument, before treatment or later (the SDs
    themselves are borrowed in the estimates); ``relative`` the SD after treatment began as a
    share of the mean before, at the full baseline, by outcome.
    """

    of_points: Mapping[tuple[str | None, bool], float]
    relative: Mapping[str, Spread]

    def log_sd(self, estimate: Estimate) -> float:
        """Return the SD of the log SE of an estimate: 0 unless its SD was borrowed."""
        if not is_borrowed(estimate):
            return 0.0
        return self.of_points.get((estimate.instrument, estimate.week == 0), 0.0)


def is_borrowed(estimate: Estimate) -> bool:
    """Return whether an SD behind the standard error is that of other studies."""
    return any(BORROWED in step.rule for step in estimate.steps)


def sd_of(estimate: Estimate) -> float | None:
    """Return the SD behind the standard error of a mean, None where no size is known."""
    n = estimate.effective_n if estimate.effective_n is not None else estimate.n
    return None if n is None else estimate.se * sqrt(n)


def spreads(estimates: Iterable[Estimate], outcomes: Collection[str]) -> Spreads:
    """Return what the means of the score `outcomes` lend.

    An arm lends once, with the median of its weeks; subgroups, and SDs that were themselves
    borrowed or bounded, lend nothing; fewer than three arms lend nothing.
    """
    points: dict[tuple[str | None, bool], dict[Series, list[float]]] = {}
    relative: dict[str, dict[tuple[str, str], list[float]]] = {}
    means = [e for e in estimates if e.measure == "MN" and e.outcome in outcomes and _lends(e)]
    before = {_series(e): e.value for e in means if e.week == 0 and e.value > 0}
    for e in means:
        sd = sd_of(e)
        if sd is None:
            continue
        key = _series(e)
        points.setdefault((e.instrument, e.week == 0), {}).setdefault(key, []).append(log(sd))
        if e.week != 0 and key in before:
            left = max(e.value / before[key], LEAST_LEFT)
            share = log(sd / before[key] / sqrt(left))
            relative.setdefault(e.outcome, {}).setdefault(key[:2], []).append(share)
    lent = {key: _lent(logs) for key, logs in points.items()}
    shares = {key: _lent(logs) for key, logs in relative.items()}
    return Spreads(
        of_points={key: spread.log_sd for key, spread in lent.items() if spread},
        relative={key: spread for key, spread in shares.items() if spread},
    )


def _lends(estimate: Estimate) -> bool:
    return estimate.subgroup is None and estimate.basis != "imputed"


def _series(estimate: Estimate) -> Series:
    return estimate.study, estimate.arm, estimate.instrument


def _lent(logs: Mapping[Any, list[float]]) -> Spread | None:
    middles = [median(values) for values in logs.values()]
    if len(middles) < FEWEST_DONORS:
        return None
    return Spread(exp(median(middles)), stdev(middles), len(middles))
