"""Rankograms: the probability of each rank, never without the estimate behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.format import number, shown
from trabecula.plots.lettering import wrapped
from trabecula.plots.plot import Plot
from trabecula.plots.style import INK, MARK, MUTED, RULE, drawing
from trabecula.synthesis import Ranking

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH, NARROW = 9.6, 3.7
"""Inches: for pages wide enough, and for small screens."""

PANEL, BARS, FOOT = 1.9, 0.75, 0.4
"""Inches of the width of a panel, of the height of its bars, and of the room beneath them."""

LINE = 0.15
"""Inches of a line of words above the bars."""


@dataclass(frozen=True, slots=True)
class Panel:
    """A treatment, what is said of it, and the probability of each rank, best first."""

    name: str
    said: str
    probability: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rankogram:
    """All that rankograms show: a panel a treatment, best mean rank first."""

    panels: tuple[Panel, ...]

    def drawing(self) -> Drawing:
        """Return the panels in rows across a page."""
        return self._drawn(WIDTH)

    def narrow_drawing(self) -> Drawing:
        """Return the panels two in a row."""
        return self._drawn(NARROW)

    def _drawn(self, across: float) -> Drawing:
        columns = max(1, min(int(across // PANEL) or 1, len(self.panels)))
        columns = max(columns, 2) if across == NARROW else columns
        rows, each = -(-len(self.panels) // columns), min(across / columns, PANEL)
        names = [wrapped(p.name, each - 0.15, lines=2, bold=True) for p in self.panels]
        lines = max(
            f"{n}\n{p.said}".count("\n") + 1 for n, p in zip(names, self.panels, strict=True)
        )
        head = 0.2 + LINE * lines
        high = head + BARS + FOOT
        height = rows * high
        figure = drawing(across, height)
        for i, panel in enumerate(self.panels):
            row, column = divmod(i, columns)
            box = ((column * each + 0.3) / across, 1 - (row * high + head + BARS) / height,
                   (each - 0.4) / across, BARS / height)  # fmt: skip
            _bars(figure.add_axes(box), panel)
            words, top = names[i], 1 - (row * high + 0.08) / height
            left = (column * each + 0.1) / across
            figure.text(left, top, words, va="top", color=INK, fontweight="bold")
            under = top - (LINE * (words.count("\n") + 1) + 0.02) / height
            figure.text(left, under, panel.said, va="top", color=MUTED, fontsize=8)
        return figure


def _bars(axes: Axes, panel: Panel) -> None:
    from matplotlib.ticker import FixedLocator

    ranks = range(1, len(panel.probability) + 1)
    axes.bar(ranks, panel.probability, width=0.8, color=MARK)
    axes.set_ylim(0, 1)
    axes.set_xlim(0.4, len(panel.probability) + 0.6)
    axes.set_facecolor("none")
    for side in ("right", "top"):
        axes.spines[side].set_visible(False)
    many = len(panel.probability) > 6
    axes.xaxis.set_major_locator(FixedLocator([1, len(panel.probability)] if many else list(ranks)))
    axes.yaxis.set_major_locator(FixedLocator([0, 0.5, 1]))
    axes.tick_params(labelcolor=MUTED, color=RULE, labelsize=8)


def rankogram(
    ranking: Ranking,
    *,
    names: Mapping[str, str] | None = None,
    scale: str = "points",
    identifier: str = "rankogram",
) -> Plot:
    """Return the rankograms of one data set: rank 1 is best; P-score and estimate stand by.

    Parameters
    ----------
    ranking
        Ranks of one data set.
    names
        How treatments are written, by the name they have in `ranking`.
    scale
        Display scale of the estimates (see `trabecula.format.shown`).
    identifier
        Name of the plot, safe in a URL.
    """
    written = names or {}
    against = written.get(ranking.reference, ranking.reference)
    panels, rows = [], []
    order = sorted(range(len(ranking.treatments)), key=lambda i: -ranking.p_score[i])
    for i in order:
        name = written.get(ranking.treatments[i], ranking.treatments[i])
        limits = float(ranking.ci_low[i]), float(ranking.ci_high[i])
        text = shown(float(ranking.estimate[i]), *limits, scale)
        is_reference = ranking.treatments[i] == ranking.reference
        value = "reference" if is_reference else f"{text.value} ({text.low} to {text.high})"
        chances = tuple(float(p) for p in ranking.rank_probability[i])
        score = number(float(ranking.p_score[i]), 2)
        panels.append(Panel(name, f"P-score {score}\n{value}", chances))
        rows.append((name, score, value, *(f"{100 * p:.0f} %" for p in chances)))
    ranks = tuple(f"Rank {i}" for i in range(1, len(panels) + 1))
    return Plot(
        id=identifier,
        title=f"How sure the ranks of {len(panels)} treatments are",
        alt="One small bar chart a treatment: the probability of each rank, rank 1 best.",
        columns=("Treatment", "P-score", f"Against {against} (95 % CI)", *ranks),
        rows=tuple(rows),
        note=(
            "Bars: probability of each rank, 1 best. A rank says nothing about the size of a "
            "difference, nor about how sure the evidence is."
        ),
        picture=Rankogram(tuple(panels)),
    )
