"""A forest plot of estimates and, where they were pooled, of their `RandomEffectsFit`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from trabecula.format import NARROW, NORMAL_95, number, p_value, shown
from trabecula.format import weight as weight_text
from trabecula.plots.forest import Forest, Line
from trabecula.plots.plot import Plot
from trabecula.synthesis import RandomEffectsFit

Scale = Literal["difference", "ratio", "proportion"]
"""*difference*: values as they are; *ratio*: they are logarithms, shown as ratios on a log axis;
*proportion*: they are logits, shown in percent."""

LEVEL = 0.95
"""Level of every interval in a forest plot."""


def forest_plot(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    names: Sequence[str],
    fit: RandomEffectsFit | None = None,
    scale: Scale = "difference",
    axis: str = "",
    arms: tuple[str, str] | None = None,
    better: Literal["lower", "higher"] = "lower",
    identifier: str = "forest",
) -> Plot:
    """Return the forest plot of one data set.

    Lines are normal 95 % intervals.

    Parameters
    ----------
    estimate, variance
        Arrays (studies,) as given to `random_effects`; NaN marks a missing study, which has a
        line without a mark.
    names
        How each study is called, in the same order.
    fit
        What they were pooled to; without it there is no diamond and no weight.
    scale
        How values are shown.
    axis
        What is measured, with its unit.
    arms
        The treatments compared, first minus second: the sides of the axis are named after them.
    better
        Which values are good for the patient.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If the number of names is not that of the studies, or `fit` holds several data sets or
        other intervals than those of 95 %, which a forest plot prints.
    """
    y, v = (np.asarray(a, dtype=np.float64) for a in (estimate, variance))
    y = np.where(np.isnan(v), np.nan, y)
    if y.shape != (len(names),) or v.shape != (len(names),):
        raise ValueError(
            f"one name a study is needed, got {len(names)} names for shapes {y.shape}, {v.shape}"
        )
    if fit is not None and fit.shape != ():
        raise ValueError(
            f"a forest plot shows one data set, this fit holds {fit.shape}: use fit[i]"
        )
    if fit is not None and fit.level != LEVEL:
        raise ValueError(f"a forest plot prints 95 % intervals, this fit has level {fit.level:g}")
    show = _back(scale)
    half = NORMAL_95 * np.sqrt(v)
    weights = None if fit is None else fit.weights
    lines = tuple(
        _line(name, (y[i], y[i] - half[i], y[i] + half[i]), scale, weights, i)
        for i, name in enumerate(names)
    )
    picture = Forest(
        lines=lines,
        arms=arms,
        counted="",
        pooled=None if fit is None else _pooled(fit, scale),
        prediction=None if fit is None else _prediction(fit, scale),
        log=scale == "ratio",
        percent=scale == "proportion",
        null=None if scale == "proportion" else show(0.0),
        axis=axis,
        better=better,
        notes=() if fit is None else (_heterogeneity(fit),),
    )
    return Plot(
        id=identifier,
        title=f"{len(names)} studies"
        if picture.pooled is None
        else f"Pooled: {picture.pooled.result}",
        alt=f"Forest plot of {len(names)} studies, one line each.",
        columns=("Study", "Result (95 % CI)", "Weight"),
        rows=tuple(_row(line) for line in picture.all_lines()),
        note="" if fit is None else fit.summary(),
        picture=picture,
    )


def _back(scale: Scale) -> Callable[[float], float]:
    if scale == "ratio":
        return math.exp
    return (lambda x: 1 / (1 + math.exp(-x))) if scale == "proportion" else float


def _line(
    name: str,
    result: tuple[float, float, float],
    scale: Scale,
    weights: np.ndarray | None = None,
    index: int = 0,
) -> Line:
    if math.isnan(result[0]):
        return Line(name, (), "missing", *result)
    value, low, high = (_back(scale)(float(x)) for x in result)
    text = shown(value, low, high, "points" if scale == "difference" else scale)
    point = text.point if scale == "proportion" else text.value
    weight = None if weights is None else float(weights[index])
    return Line(name, (), f"{point} ({text.low} to {text.high})", value, low, high, weight)


def _pooled(fit: RandomEffectsFit, scale: Scale) -> Line:
    model = "common effect" if fit.method == "common" else "random effects"
    result = (float(fit.estimate), float(fit.ci_low), float(fit.ci_high))
    return _line(f"Pooled ({model})", result, scale)


def _prediction(fit: RandomEffectsFit, scale: Scale) -> Line | None:
    if not math.isfinite(fit.pi_low):
        return None
    result = (float(fit.estimate), float(fit.pi_low), float(fit.pi_high))
    line = _line(f"95{NARROW}% prediction interval", result, scale)
    limits = line.result.partition("(")[2].rstrip(")")
    return Line(line.name, line.raw, limits, line.value, line.low, line.high)


def _heterogeneity(fit: RandomEffectsFit) -> str:
    if fit.q_df < 1:
        return "Heterogeneity: one study cannot tell"
    return (
        f"Heterogeneity: τ² = {number(float(fit.tau2), 3)}; I² = {float(fit.i2):.0f} %; "
        f"Q = {number(float(fit.q), 2)}, df = {int(fit.q_df)}, {p_value(float(fit.q_p_value))}"
    )


def _row(line: Line) -> tuple[str, ...]:
    return line.name, line.result, "–" if line.weight is None else weight_text(line.weight)
