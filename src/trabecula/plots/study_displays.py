"""Displays of single studies: funnel, Baujat and radial plots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trabecula.format import number
from trabecula.plots.plot import Plot
from trabecula.plots.ratio_scale import ratio_marks
from trabecula.plots.scatter import Line, Point, Scatter
from trabecula.synthesis import Baujat, Funnel, Radial

MARGIN = 0.06
"""Share of an axis left free beyond the outermost point."""


def funnel_plot(
    funnel: Funnel,
    *,
    names: Sequence[str],
    axis: str = "estimate",
    ratio: bool = False,
    identifier: str = "funnel",
) -> Plot:
    """Return the funnel plot of one data set, contours shaded from faint to strong.

    Parameters
    ----------
    funnel
        Estimates, standard errors and contours.
    names
        How each study is called, in the order of the estimates.
    axis
        What is measured, with its unit.
    ratio
        Whether estimates are logarithms, to be marked as ratios.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If the number of names is not that of the studies.
    """
    points = _points(funnel.estimate, funnel.se, names)
    center, base = float(funnel.center), float(funnel.base)
    low, high = funnel.contour_low.tolist(), funnel.contour_high.tolist()
    shown = _known(points)
    xs = [x for x, _ in shown]
    reach = max(max(map(abs, (x - center for x in xs))), high[-1] - center) * (1 + MARGIN)
    areas = tuple(
        ((center, 0.0), (right, base), (left, base))
        for left, right in sorted(zip(low, high, strict=True))
    )
    levels = ", ".join(f"{100 * level:g} %" for level in funnel.levels)
    view = (center - reach, center + reach, base * (1 + MARGIN), 0.0)
    marks = ratio_marks(math.exp(view[0]), math.exp(view[1])) if ratio else []
    return Plot(
        id=identifier,
        title=f"Funnel plot of {len(shown)} studies",
        alt="Estimates across, standard errors downwards; shaded: within the limits of chance.",
        columns=("Study", axis, "Standard error"),
        rows=_rows(names, points, 3),
        note=(
            f"Shaded, from strong to faint: where {levels} of studies would lie by chance alone "
            "if all had the effect in the middle. An uneven funnel has many possible reasons, of "
            "which missing studies are one."
        ),
        picture=Scatter(
            points=tuple(shown),
            labels=(),
            lines=(Line((center, 0.0), (center, base * (1 + MARGIN)), strong=True),),
            areas=areas,
            view=view,
            across=axis,
            upward="standard error",
            ticks=tuple((math.log(r), f"{r:g}") for r in marks),
        ),
    )


def baujat_plot(baujat: Baujat, *, names: Sequence[str], identifier: str = "baujat") -> Plot:
    """Return the Baujat plot of one data set: studies up and to the right deserve a look.

    `ValueError` if the number of names is not that of the studies.
    """
    points = _points(baujat.heterogeneity, baujat.influence, names)
    shown = _known(points)
    right, top = (max(p[i] for p in shown) * (1 + MARGIN) or 1.0 for i in (0, 1))
    return Plot(
        id=identifier,
        title=f"Which of {len(shown)} studies differ, and which move the result",
        alt="Contribution to heterogeneity across, influence on the pooled result upwards.",
        columns=("Study", "Contribution to Q", "Influence"),
        rows=_rows(names, points, 2),
        note="Baujat et al. 2002. Studies far to the right differ, those high up move the result.",
        picture=Scatter(
            points=tuple(shown),
            labels=_told(names, points),
            lines=(),
            areas=(),
            view=(0.0, right, 0.0, top),
            across="contribution to heterogeneity (Q)",
            upward="squared shift without the study",
        ),
    )


def radial_plot(radial: Radial, *, names: Sequence[str], identifier: str = "radial") -> Plot:
    """Return the radial (Galbraith) plot of one data set.

    The slope of the line is the pooled estimate; studies outside the band differ more than
    chance alone would make them. `ValueError` if the number of names is not that of the studies.
    """
    points = _points(radial.precision, radial.standardised, names)
    slope, half = float(radial.estimate), float(radial.half_width)
    shown = _known(points)
    right = max(x for x, _ in shown) * (1 + MARGIN)
    ys = [y for _, y in shown] + [half, -half, slope * right + half, slope * right - half]
    edge = (max(ys) - min(ys)) * MARGIN
    band = ((0.0, half), (right, slope * right + half), (right, slope * right - half), (0.0, -half))
    return Plot(
        id=identifier,
        title=f"Radial plot of {len(shown)} studies",
        alt="Precision across, estimate over its standard error upwards, and the pooled slope.",
        columns=("Study", "Precision", "Standardised estimate"),
        rows=_rows(names, points, 2),
        note=(
            f"The slope is the pooled estimate ({number(slope, 2)}); shaded: where "
            f"{100 * radial.level:g} % of studies lie that differ by chance alone."
        ),
        picture=Scatter(
            points=tuple(shown),
            labels=_told(names, points),
            lines=(Line((0.0, 0.0), (right, slope * right), strong=True),),
            areas=(band,),
            view=(0.0, right, min(ys) - edge, max(ys) + edge),
            across="precision (1 / standard error)",
            upward="estimate / standard error",
        ),
    )


def _points(xs: np.ndarray, ys: np.ndarray, names: Sequence[str]) -> tuple[Point, ...]:
    if xs.shape != (len(names),):
        raise ValueError(f"one name a study is needed, got {len(names)} names for shape {xs.shape}")
    return tuple((float(x), float(y)) for x, y in zip(xs, ys, strict=True))


def _known(points: Sequence[Point]) -> list[Point]:
    """Return the points of studies that are not missing."""
    return [point for point in points if not math.isnan(point[0])]


def _rows(
    names: Sequence[str], points: Sequence[Point], places: int
) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (name, *("–" if math.isnan(x) else number(x, places) for x in point))
        for name, point in zip(names, points, strict=True)
    )


def _told(names: Sequence[str], points: Sequence[Point]) -> tuple[str, ...]:
    """Return the names of the studies that are not missing."""
    return tuple(n for n, (x, _) in zip(names, points, strict=True) if not math.isnan(x))
