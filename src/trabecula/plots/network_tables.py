"""Heat maps of a network: the league table, and where its incoherence comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trabecula.plots.heat_map import HeatMap
from trabecula.plots.plot import Plot
from trabecula.synthesis import EvidenceSplit, NetHeat, NetworkFit, league_table

FULL_TINT = 4.0
"""Standard errors from no difference at which a cell of the league table is tinted in full."""


def league_heat(
    fit: NetworkFit,
    *,
    direct: EvidenceSplit | None = None,
    order: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    identifier: str = "league",
) -> Plot:
    """Return the league table of one data set as a heat map, row minus column.

    The tint grows with the estimate in standard errors: warm above no difference, cool below.

    Parameters
    ----------
    fit, direct, order
        As for `league_table`.
    names
        How treatments are written, by the name they have in `fit`.
    identifier
        Name of the plot, safe in a URL.
    """
    league = league_table(fit, direct=direct, order=order)
    shown = tuple((names or {}).get(t, t) for t in league.treatments)
    size = range(len(shown))
    cells = tuple(tuple("" if i == j else league.cells[i][j] for j in size) for i in size)
    score = _scores(fit, direct, league.treatments)
    tints = tuple(tuple(score[i][j] if cells[i][j] else None for j in size) for i in size)
    texts = tuple(tuple(text.replace(" (", "\n(") for text in line) for line in cells)
    above = "direct estimates" if direct is not None else "the same, the other way round"
    return Plot(
        id=identifier,
        title=f"Every treatment against every other: {len(shown)} treatments",
        alt="A table of all comparisons, tinted by how far each is from no difference.",
        columns=("Row minus column", *shown),
        rows=tuple((name, *line) for name, line in zip(shown, cells, strict=True)),
        note=(
            f"Row minus column with its {100 * fit.level:g} % CI; below the diagonal network "
            f"estimates, above it {above}. The tint grows with the estimate in standard errors."
        ),
        picture=HeatMap(shown, shown, tints, texts),
    )


def _scores(
    fit: NetworkFit, direct: EvidenceSplit | None, order: Sequence[str]
) -> list[list[float]]:
    """Return the tint of each cell: what stands in it in standard errors, cut at `FULL_TINT`."""
    place = [fit.treatments.index(t) for t in order]
    score = np.nan_to_num(fit.statistic[np.ix_(place, place)])
    if direct is not None:
        number = {name: i for i, name in enumerate(order)}
        pairs = zip(direct.first, direct.second, strict=True)
        z = direct.direct_estimate / direct.direct_se
        for (first, second), value in zip(pairs, z.tolist(), strict=True):
            row, column = number[first], number[second]
            score[min(row, column), max(row, column)] = value if row < column else -value
    return np.clip(score / FULL_TINT, -1.0, 1.0).tolist()  # type: ignore[no-any-return]


def net_heat_map(heat: NetHeat, *, identifier: str = "net-heat") -> Plot:
    """Return the net heat plot of one data set (Krahn, Binder and König 2013).

    Warm cells: the design of the column drives the incoherence of the row; cool: it supports
    the row. The grey square is the share of the column's design in the row's network estimate.
    """
    lines = tuple(
        f"{a}:{b}" + (f" ({'+'.join(d)})" if len(d) > 2 else "")
        for a, b, d in zip(heat.first, heat.second, heat.design, strict=True)
    )
    largest = float(np.nanmax(np.abs(heat.heat), initial=0.0)) or 1.0
    tints = tuple(
        tuple(None if np.isnan(h) else float(h) / largest for h in row) for row in heat.heat
    )
    marks = tuple(tuple(float(abs(h)) for h in row) for row in heat.hat)
    texts = tuple(tuple("" for _ in lines) for _ in lines)
    return Plot(
        id=identifier,
        title="Where the designs of the network disagree",
        alt="A square of designs by designs, tinted by how much each column disturbs each row.",
        columns=("Network estimate", *lines),
        rows=tuple(
            (name, *("–" if np.isnan(h) else f"{h:.2f}".replace("-", "−") for h in row))
            for name, row in zip(lines, heat.heat, strict=True)
        ),
        note=(
            "Warm: the design in the column drives the incoherence of the estimate in the row; "
            "cool: it supports it. Grey squares: how much the column contributes to the row."
        ),
        picture=HeatMap(lines, lines, tints, texts, marks),
    )
