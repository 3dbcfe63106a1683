"""Which of several models predicts left-out points best, and whether they can be told apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.result import Json, Result, frozen
from trabecula.synthesis.sampling.psis import PsisLoo, se_of_sum
from trabecula.synthesis.text import decimals, number

CLOSE = 4.0
"""Difference of elpd below which models cannot be told apart, whatever its standard error, which
is too small there (Sivula, Magnusson, Matamoros and Vehtari 2020, arXiv:2008.10296)."""

MANY_POINTS = 100
"""Below this many points the standard error of a difference is too small (the same source)."""


@dataclass(frozen=True, slots=True, eq=False)
class ElpdComparison(Result):
    """How much worse models predict left-out points than the best of them.

    All arrays but ``points`` have the ``models`` as their last axis, in the order given:
    ``difference`` is the elpd less that of the best (0 for itself, below 0 for the others),
    ``difference_se`` its standard error from the differences point by point (NaN with one point);
    ``elpd``, ``p_loo`` and ``unreliable`` are those of each model.
    """

    models: tuple[str, ...]
    points: IntArray
    difference: FloatArray
    difference_se: FloatArray
    elpd: FloatArray
    p_loo: FloatArray
    unreliable: IntArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a model, best first; `ValueError` for several data sets."""
        self.require_one("a table")
        held = self.to_dict()
        columns = ("difference", "difference_se", "elpd", "p_loo", "unreliable")
        table = {name: held[name] for name in ("models", *columns)}
        rows: list[dict[str, Json]] = [
            {"model": model, **dict(zip(columns, values, strict=True))}
            for model, *values in zip(*table.values(), strict=True)
        ]
        return [rows[i] for i in self._order()]

    def summary(self) -> str:
        """Return the comparison in sentences; `ValueError` for several data sets."""
        self.require_one()
        best, *others = self._order()
        points = f"{self.points:.0f} point{'' if self.points == 1 else 's'}"
        text = [f"Leave-one-out prediction ({points}): {self.models[best]} has the highest elpd."]
        text += [self._beside_best(i) for i in others]
        if self.points < MANY_POINTS and len(self.models) > 1:
            text.append(
                f"With fewer than {MANY_POINTS} points the standard errors may be too small."
            )
        for name, count in zip(self.models, self.unreliable.tolist(), strict=True):
            if count:
                text.append(f"Pareto k̂ is too high at {count} of the points for {name}.")
        return " ".join(text)

    def _order(self) -> list[int]:
        order: list[int] = np.argsort(-self.difference, kind="stable").tolist()
        return order

    def _beside_best(self, i: int) -> str:
        lower, se = -float(self.difference[i]), float(self.difference_se[i])
        apart = lower >= CLOSE and lower >= 2 * se
        places = decimals(se)
        error = "SE not estimable" if math.isnan(se) else f"SE {number(se, places)}"
        verdict = "" if apart else ", cannot be told apart from it"
        return f"{self.models[i]}: elpd {number(lower, places)} lower ({error}){verdict}."


def compare_elpd(fits: Mapping[str, PsisLoo]) -> ElpdComparison:
    """Return how much worse each model predicts the same left-out points than the best.

    Parameters
    ----------
    fits
        Results of `psis_loo` by the name of the model, for the same points in the same order.

    Raises
    ------
    ValueError
        If there is no model, or points differ in number or in which are missing.

    Examples
    --------
    >>> from scipy import special
    >>> from trabecula.synthesis.sampling.psis import psis_loo
    >>> draws = special.ndtri(np.arange(0.5, 1000) / 1000)[:, None]
    >>> y = np.array([-1.1, -0.4, 0.0, 0.3, 1.2])
    >>> near, far = (psis_loo(-0.5 * (y - shift - draws / 5) ** 2) for shift in (0, 3))
    >>> compare_elpd({"near": near, "far": far}).difference.round(1)
    array([  0. , -23.4])
    """
    if not fits:
        raise ValueError("fits must hold a model, got none")
    first, *others = fits.values()
    missing = np.isnan(first.pointwise)
    for name, fit in zip([*fits][1:], others, strict=True):
        if not np.array_equal(np.isnan(fit.pointwise), missing):
            raise ValueError(
                f"fits must be of the same points: {name!r} has shape {fit.pointwise.shape} and "
                f"{fit.points} points, {next(iter(fits))!r} {missing.shape} and {first.points}"
            )
    elpd = np.stack([fit.elpd for fit in fits.values()], axis=-1)
    pointwise = np.stack([fit.pointwise for fit in fits.values()], axis=-2)
    best = elpd.argmax(axis=-1)[..., None]
    difference = pointwise - np.take_along_axis(pointwise, best[..., None], axis=-2)
    return ElpdComparison(
        models=tuple(fits),
        points=first.points,
        difference=frozen(np.nansum(difference, axis=-1)),
        difference_se=frozen(se_of_sum(difference)),
        elpd=frozen(elpd),
        p_loo=frozen(np.stack([fit.p_loo for fit in fits.values()], axis=-1)),
        unreliable=frozen(np.stack([fit.unreliable for fit in fits.values()], axis=-1)),
    )
