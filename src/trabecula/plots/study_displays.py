"""Displays of single studies: funnel, Baujat and radial plots."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from trabecula.format import number
from trabecula.plots.plot import Plot
from trabecula.plots.scatter import Line, Point, Scatter
from trabecula.synthesis import Baujat, Funnel, Radial

MARGIN = 0.06
"""Share of an axis left free beyond the outermost point."""

RATIOS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
"""Ratios that may be marked on a logarithmic axis."""


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
    xs = [x for x, _ in points]
    reach = max(max(map(abs, (x - center for x in xs))), high[-1] - center) * (1 + MARGIN)
    areas = tuple(
        ((center, 0.0), (right, base), (left, base))
        for left, right in sorted(zip(low, high, strict=True))
    )
    levels = ", ".join(f"{100 * level:g} %" for level in funnel.levels)
    view = (center - reach, center + reach, base * (1 + MARGIN), 0.0)
    ticks = tuple((math.log(r), f"{r:g}") for r in RATIOS) if ratio else ()
    return Plot(
        id=identifier,
        title=f"Funnel plot of {len(points)} studies",
        alt="Estimates across, standard errors downwards; shaded: within the limits of chance.",
        columns=("Study", axis, "Standard error"),
        rows=tuple(
            (n, number(x, 3), number(y, 3)) for n, (x, y) in zip(names, points, strict=True)
        ),
        note=(
            f"Shaded: within {levels} of the middle by chance alone. An uneven funnel has many "
            "possible reasons, of which missing studies are one."
        ),
        picture=Scatter(
            points=points,
            labels=(),
            lines=(Line((center, 0.0), (center, base * (1 + MARGIN)), strong=True),),
            areas=areas,
            view=view,
            across=axis,
            upward="standard error",
            ticks=tuple(t for t in ticks if view[0] <= t[0] <= view[1]),
        ),
    )


def baujat_plot(baujat: Baujat, *, names: Sequence[str], identifier: str = "baujat") -> Plot:
    """Return the Baujat plot of one data set: studies up and to the right deserve a look.

    `ValueError` if the number of names is not that of the studies.
    """
    points = _points(baujat.heterogeneity, baujat.influence, names)
    right, top = (max(p[i] for p in points) * (1 + MARGIN) or 1.0 for i in (0, 1))
    return Plot(
        id=identifier,
        title=f"Which of {len(points)} studies differ, and which move the result",
        alt="Contribution to heterogeneity across, influence on the pooled result upwards.",
        columns=("Study", "Contribution to Q", "Influence"),
        rows=tuple(
            (n, number(x, 2), number(y, 2)) for n, (x, y) in zip(names, points, strict=True)
        ),
        note="Baujat et al. 2002. Studies far to the right differ, those high up move the result.",
        picture=Scatter(
            points=points,
            labels=tuple(names),
            lines=(),
            areas=(),
            view=(0.0, right, 0.0, top),
            across="contribution to heterogeneity (Q)",
            upward="squared shift of the pooled estimate without the study",
        ),
    )


def radial_plot(radial: Radial, *, names: Sequence[str], identifier: str = "radial") -> Plot:
    """Return the radial (Galbraith) plot of one data set.

    The slope of the line is the pooled estimate; studies outside the band differ more than
    chance alone would make them. `ValueError` if the number of names is not that of the studies.
    """
    points = _points(radial.precision, radial.standardised, names)
    slope, half = float(radial.estimate), float(radial.half_width)
    right = max(x for x, _ in points) * (1 + MARGIN)
    ys = [y for _, y in points] + [half, -half, slope * right + half, slope * right - half]
    edge = (max(ys) - min(ys)) * MARGIN
    band = ((0.0, half), (right, slope * right + half), (right, slope * right - half), (0.0, -half))
    return Plot(
        id=identifier,
        title=f"Radial plot of {len(points)} studies",
        alt="Precision across, estimate over its standard error upwards, and the pooled slope.",
        columns=("Study", "Precision", "Standardised estimate"),
        rows=tuple(
            (n, number(x, 2), number(y, 2)) for n, (x, y) in zip(names, points, strict=True)
        ),
        note=(
            f"The slope is the pooled estimate ({number(slope, 2)}); shaded: where "
            f"{100 * radial.level:g} % of studies lie that differ by chance alone."
        ),
        picture=Scatter(
            points=points,
            labels=tuple(names),
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
