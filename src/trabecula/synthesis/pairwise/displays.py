"""The numbers behind the displays of a meta-analysis: Baujat, radial and funnel plots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    ESTIMATE,
    FloatArray,
    confidence_level,
    numbers,
    require,
)
from trabecula.synthesis.distributions import critical_value
from trabecula.synthesis.pairwise.fitted import rows_of, study_data
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.random_effects import random_effects
from trabecula.synthesis.pairwise.subsets import without_each
from trabecula.synthesis.result import Json, Result, frozen

CONTOURS = (0.90, 0.95, 0.99)
"""Levels of the contours of a funnel plot, as Peters et al. (2008) draw them."""


@dataclass(frozen=True, slots=True, eq=False)
class Baujat(Result):
    """What each study adds to heterogeneity and how far it moves the pooled estimate.

    One entry a study along the last axis: ``heterogeneity`` is the squared residual over the
    study's variance, ``influence`` the squared shift of the pooled estimate without the study
    over the variance of that estimate. For the *common* model ``heterogeneity`` sums to ``q``.
    """

    method: Method
    q: FloatArray
    heterogeneity: FloatArray
    influence: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a study, for one data set; ``study`` counts from 0."""
        return rows_of(self, ("heterogeneity", "influence"))


@dataclass(frozen=True, slots=True, eq=False)
class Radial(Result):
    """Standardised estimates against precision: studies lie about a line through the origin.

    ``precision`` and ``standardised`` have the studies along a last axis; the line has the slope
    ``estimate`` (interval ``ci_low`` to ``ci_high``), and studies that differ by chance alone lie
    within ``half_width`` of it, above and below.
    """

    method: Method
    level: float
    estimate: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    half_width: FloatArray
    precision: FloatArray
    standardised: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a study, for one data set; ``study`` counts from 0."""
        return rows_of(self, ("precision", "standardised"))


@dataclass(frozen=True, slots=True, eq=False)
class Funnel(Result):
    """Estimates against their standard errors, with the limits that chance alone would set.

    ``estimate`` and ``se`` have the studies along a last axis. Contours are straight lines from
    ``center`` at standard error 0 to ``contour_low`` and ``contour_high`` (..., levels) at the
    standard error ``base``, the largest of the studies.
    """

    levels: tuple[float, ...]
    center: FloatArray
    base: FloatArray
    estimate: FloatArray
    se: FloatArray
    contour_low: FloatArray
    contour_high: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a study, for one data set; ``study`` counts from 0."""
        return rows_of(self, ("estimate", "se"))


def baujat(estimate: ArrayLike, variance: ArrayLike, *, method: Method = "common") -> Baujat:
    """Return what each study adds to heterogeneity and to the pooled estimate.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    method
        As in `random_effects`. *common* is the display as published, and its contributions are
        those to Q; others take their between-study variance into account.

    Notes
    -----
    Baujat, Mahé, Pignon and Hill (2002), Stat Med 21:2641-2652.
    """
    (y, v), _ = study_data(estimate, variance, None, method)
    whole = random_effects(y, v, method=method, test="z")
    rest = random_effects(*without_each(y, v), method=method, test="z")
    mean = whole.estimate[..., None]
    shift = np.where(np.isnan(y), np.nan, ((rest.estimate - mean) / rest.se) ** 2)
    return Baujat(
        method=method,
        q=whole.q,
        heterogeneity=frozen((y - mean) ** 2 / (v + whole.tau2[..., None])),
        influence=frozen(shift),
    )


def radial(
    estimate: ArrayLike, variance: ArrayLike, *, method: Method = "common", level: float = 0.95
) -> Radial:
    """Return standardised estimates and precisions of a radial (Galbraith) plot.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    method
        As in `random_effects`. Other than for *common* the between-study variance is added to
        the sampling variances.
    level
        Level of the interval of the slope and of the band.

    Notes
    -----
    Galbraith (1988), Stat Med 7:889-894.
    """
    (y, v), _ = study_data(estimate, variance, None, method)
    fit = random_effects(y, v, method=method, test="z", level=level)
    precision = 1 / np.sqrt(v + fit.tau2[..., None])
    half = critical_value(confidence_level(level), np.full(fit.shape, np.inf))
    return Radial(
        method=method,
        level=fit.level,
        estimate=fit.estimate,
        ci_low=fit.ci_low,
        ci_high=fit.ci_high,
        half_width=frozen(half),
        precision=frozen(precision),
        standardised=frozen(y * precision),
    )


def funnel(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    center: ArrayLike | None = None,
    levels: Sequence[float] = CONTOURS,
    method: Method = "common",
) -> Funnel:
    """Return estimates, standard errors and contours of a funnel plot.

    Parameters
    ----------
    estimate, variance
        Arrays (..., studies) that broadcast; NaN marks a missing study.
    center
        Where the contours meet, one number or one a data set. 0 gives the contours of p-values
        of single studies (contour-enhanced plot); by default the pooled estimate.
    levels
        Confidence levels of the contours.
    method
        How the pooled estimate is formed, as in `random_effects`.

    Notes
    -----
    Sterne and Egger (2001), J Clin Epidemiol 54:1046-1055; Peters, Sutton, Jones, Abrams and
    Rushton (2008), J Clin Epidemiol 61:991-996, for contours about no effect.
    """
    (y, v), _ = study_data(estimate, variance, None, method)
    if center is None:
        middle = random_effects(y, v, method=method, test="z").estimate
    else:
        given = numbers("center", center)
        require("center", given, ESTIMATE)
        if given.shape not in ((), y.shape[:-1]):
            raise ValueError(
                f"center must be one number or one a data set {y.shape[:-1]}, got {given.shape}"
            )
        middle = np.broadcast_to(given, y.shape[:-1])
    se = np.sqrt(v)
    base = np.nanmax(se, axis=-1)
    if np.ndim(levels) != 1 or not len(levels):
        raise ValueError(f"levels must be a sequence of confidence levels, got {levels!r}")
    kept = tuple(confidence_level(level) for level in levels)
    wide = np.array([float(critical_value(level, np.array(np.inf))) for level in kept])
    half = base[..., None] * wide
    return Funnel(
        levels=kept,
        center=frozen(middle),
        base=frozen(base),
        estimate=frozen(y),
        se=frozen(se),
        contour_low=frozen(middle[..., None] - half),
        contour_high=frozen(middle[..., None] + half),
    )
