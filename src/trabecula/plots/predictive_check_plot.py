"""Each study's data against what a model expects of it, and which lie outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from trabecula.format import NARROW, number, plural, sentence, shown
from trabecula.plots.interval_rows import IntervalRows, Panel, Row, Scale
from trabecula.plots.plot import Plot

LEVEL = 0.95
"""Share of observations that a good model has inside their intervals."""


def predictive_check_plot(
    observed: ArrayLike,
    median: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    names: Sequence[str],
    kinds: Sequence[str],
    scales: Mapping[str, Scale] | None = None,
    identifier: str = "predictive-check",
) -> Plot:
    """Return what was observed on the 95 % interval expected, a row each, a panel a kind.

    Parameters
    ----------
    observed
        Array (rows,): what a study found.
    median, low, high
        Arrays (rows,): median and 95 % limits of what the model expects.
    names
        How each row is called, in the same order.
    kinds
        What each row measures, with its unit: the axis of its panel. Panels stand in the order
        in which their kinds appear.
    scales
        The scale of each kind: ``share`` for 0 to 1 (default), ``log`` for times, ``linear``.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If lengths differ, limits do not enclose their median, or values do not fit the scale.
    """
    values = tuple(np.asarray(x, dtype=np.float64) for x in (observed, median, low, high))
    written = {kind: (scales or {}).get(kind, "share") for kind in dict.fromkeys(kinds)}
    _checked(values, names, kinds, written)
    rows = [
        _row(name, tuple(float(x[i]) for x in values), written[kinds[i]])
        for i, name in enumerate(names)
    ]
    panels = tuple(
        Panel(
            (Row(sentence(kind)), *(r for r, k in zip(rows, kinds, strict=True) if k == kind)),
            kind,
            scale,
        )
        for kind, scale in written.items()
    )
    outside = sum(row.look == "outside" for row in rows)
    by_chance = number((1 - LEVEL) * len(rows), 0 if (1 - LEVEL) * len(rows) >= 2 else 1)
    heads = ("", "Observed", "Expected (95 % interval)")
    return Plot(
        id=identifier,
        title=f"{outside} of {plural(len(rows), 'observation')} outside what the model expects; "
        f"about {by_chance} would be by chance",
        alt=f"{plural(len(rows), 'row')}: what was observed on a bar of what was expected; "
        "filled circles lie inside, open diamonds outside.",
        columns=("Measured", "Study", *heads[1:], "Inside"),
        rows=tuple(
            (kind, row.name, *row.cells[:2], "no" if row.look == "outside" else "yes")
            for kind, row in zip(kinds, rows, strict=True)
        ),
        note=(
            "Bar: where 95 % of repetitions of the study would lie if the model were right, tick: "
            "the median. Circle: observed, inside; open diamond: observed, outside."
        ),
        picture=IntervalRows(panels, heads, terse=True),
    )


def _checked(
    values: Sequence[np.ndarray],
    names: Sequence[str],
    kinds: Sequence[str],
    scales: Mapping[str, Scale],
) -> None:
    """Raise `ValueError` where the arguments cannot be drawn."""
    if not names or len(kinds) != len(names) or any(x.shape != (len(names),) for x in values):
        shapes = ", ".join(str(x.shape) for x in values)
        raise ValueError(
            f"one name and one kind a row are needed, got {len(names)} and {len(kinds)} for "
            f"{shapes}"
        )
    observed, median, low, high = values
    if not ((low <= median).all() and (median <= high).all()):
        raise ValueError("limits must enclose their median")
    if not np.isfinite(observed).all():
        raise ValueError("what was observed must be known")
    for kind, scale in scales.items():
        mine = np.stack(values)[:, [k == kind for k in kinds]]
        if scale == "log" and not (mine > 0).all():
            raise ValueError(f"{kind}: values of a logarithmic axis must be above 0")
        if scale == "share" and not ((mine >= 0) & (mine <= 1)).all():
            raise ValueError(f"{kind}: shares must lie between 0 and 1")


def _row(name: str, found: Sequence[float], scale: Scale) -> Row:
    observed, median, low, high = found
    unit = "proportion" if scale == "share" else "points"
    text = shown(median, low, high, unit)
    sign = f"{NARROW}%" if scale == "share" else ""
    told = number(observed * (100 if sign else 1), len(text.value.partition(".")[2]))
    return Row(
        name=name,
        look="within" if low <= observed <= high else "outside",
        value=median,
        low=low,
        high=high,
        dots=(observed,),
        cells=(f"{told}{sign}", f"{text.value}{sign} ({text.low} to {text.high})"),
    )
