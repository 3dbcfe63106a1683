"""When to compare two arms: the week at which a trial needs fewest patients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    ESTIMATE,
    FloatArray,
    numbers,
    require_option,
    same_shape,
)
from trabecula.synthesis.recovery.trial_design import (
    FEWEST,
    Better,
    assurance,
    checked,
    gain,
    patients_per_arm,
)
from trabecula.synthesis.result import Result, frozen
from trabecula.synthesis.text import number


@dataclass(frozen=True, slots=True, eq=False)
class BestWeek(Result):
    """The week at which a trial needs fewest patients, and what is expected there.

    ``patients`` are those enrolled per arm; infinite, with ``week`` NaN, where no week shows any
    difference. ``natural`` and ``treated`` are what is expected at the week, means over the draws
    where there are any; ``assurance`` is the probability that a trial of that size shows the
    difference, given all that is not known of it (NaN without draws).
    """

    week: FloatArray
    patients: FloatArray
    natural: FloatArray
    treated: FloatArray
    assurance: FloatArray

    def summary(self) -> str:
        """Return the trial in a sentence; `ValueError` for the results of several data sets."""
        self.require_one()
        if np.isnan(self.week):
            return "No week shows a difference that a trial could settle."
        text = (
            f"A trial needs fewest patients at week {float(self.week):g}: {self.patients:,.0f} "
            f"per arm, expecting {float(self.natural):.3g} without and {float(self.treated):.3g} "
            "with treatment."
        )
        if np.isnan(self.assurance):
            return text
        chance = number(100 * float(self.assurance), 0)
        return (
            f"{text} Given what is not known of either, it shows that with probability {chance} %."
        )


def best_week(
    weeks: ArrayLike,
    natural: ArrayLike,
    treated: ArrayLike,
    *,
    sd: ArrayLike | None = None,
    power: ArrayLike = 0.8,
    alpha: float = 0.05,
    dropout: ArrayLike = 0.0,
    continuity: bool = True,
    better: Better = "higher",
) -> BestWeek:
    """Return the week at which a trial needs fewest patients; the first of equals.

    Early, nobody has recovered; late, everybody has: in between the arms differ most.

    Parameters
    ----------
    weeks
        Weeks (weeks,) after the start.
    natural, treated
        Expected shares, or mean scores where `sd` is given, (weeks,), or draws of them
        (..., draws, weeks). The trial is planned for their means over the draws, which are the
        shares to expect, and its assurance computed from the draws.
    sd, dropout
        As for `patients_per_arm`; they broadcast with the weeks.
    power, alpha, continuity
        As for `patients_per_arm`.
    better
        As for `assurance`. Weeks at which treatment is expected to do worse are no candidates.

    Raises
    ------
    ValueError
        If an argument is out of range or the last axis is not that of the weeks.

    Examples
    --------
    >>> weeks = np.arange(2, 40, 2)
    >>> best = best_week(weeks, 1 - np.exp(-weeks / 20), 1 - np.exp(-weeks / 10))
    >>> float(best.week), float(best.patients)
    (18.0, 62.0)
    """
    require_option("better", better, get_args(Better))
    at = checked("weeks", weeks, ESTIMATE)
    both = np.broadcast_arrays(*_at_weeks(at, natural, treated))
    drawn = both[0].ndim > 1
    first, second = (v.mean(axis=-2) if drawn else v for v in both)
    needed = patients_per_arm(
        first, second, sd=sd, power=power, alpha=alpha, dropout=dropout, continuity=continuity
    )
    needed = np.where(gain(first, second, better) > 0, needed, np.inf)
    chance = np.full(needed.shape, np.nan)
    if drawn:
        chance = assurance(
            np.moveaxis(both[0], -2, -1),
            np.moveaxis(both[1], -2, -1),
            np.where(np.isinf(needed), FEWEST, needed),
            sd=None if sd is None else numbers("sd", sd)[..., None],
            alpha=alpha,
            dropout=dropout,
            continuity=continuity,
            better=better,
        )
    best = needed.argmin(axis=-1)[..., None]
    patients, *found = (
        np.take_along_axis(np.broadcast_to(v, needed.shape), best, axis=-1)[..., 0]
        for v in (needed, at, first, second, chance)
    )
    week, *rest = (frozen(np.where(np.isinf(patients), np.nan, v)) for v in found)
    return BestWeek(week, frozen(patients), *rest)


def _at_weeks(weeks: FloatArray, *values: ArrayLike) -> list[FloatArray]:
    held = [numbers(n, v) for n, v in zip(("natural", "treated"), values, strict=True)]
    if weeks.ndim != 1 or any(v.size == 0 or v.shape[-1:] != weeks.shape for v in held):
        raise ValueError(
            "natural and treated must have the weeks as their last axis, at least one; got shapes "
            f"{held[0].shape} and {held[1].shape} for weeks of shape {weeks.shape}"
        )
    same_shape(("natural", "treated"), *held)
    return held
