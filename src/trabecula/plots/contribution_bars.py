"""What each estimate of a network rests on: a bar of sources that add up to 100 %."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.plot import Plot
from trabecula.plots.style import INK, MARK, MUTED, POOLED, RULE, drawing
from trabecula.synthesis import ContributionMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH, NARROW = 9.6, 3.7
"""Inches: for pages wide enough, and for small screens."""

ROW, BLOCK = 0.36, 0.55
"""Inches of a bar, and of a bar with its name above it on small screens."""

TINTS = ((MARK, 0.5), (POOLED, 0.4), (MUTED, 0.45), (MARK, 0.22), (POOLED, 0.18), (RULE, 0.6))
"""Colours and opacities that sources take in turn; letters on them stay readable."""

LEAST = 0.5
"""Percent below which a source is left out of the picture (not of the table)."""


@dataclass(frozen=True, slots=True)
class Bar:
    """An estimate and its sources: name, share in percent, and place among all sources."""

    name: str
    parts: tuple[tuple[str, float, int], ...]


@dataclass(frozen=True, slots=True)
class ContributionBars:
    """All that the bars show."""

    bars: tuple[Bar, ...]

    def drawing(self) -> Drawing:
        """Return the bars with their names at the left."""
        names = [wrapped(bar.name, 2.6, lines=2) for bar in self.bars]
        left = max(width(part) for name in names for part in name.split("\n")) + 0.2
        height = ROW * len(names) + 0.4
        figure = drawing(WIDTH, height)
        room = WIDTH - left - 0.3
        axes = _axes(figure, (left / WIDTH, 0.36 / height, room / WIDTH, 1 - 0.4 / height))
        axes.set_ylim(len(names), 0)
        for y, (bar, name) in enumerate(zip(self.bars, names, strict=True)):
            _draw(axes, bar, y + 0.5, 0.76, room)
            axes.text(-1.0, y + 0.5, name, ha="right", va="center", color=INK)
        return figure

    def narrow_drawing(self) -> Drawing:
        """Return the bars with their names above them."""
        height = BLOCK * len(self.bars) + 0.4
        figure = drawing(NARROW, height)
        box = (0.2 / NARROW, 0.36 / height, 1 - 0.45 / NARROW, 1 - 0.4 / height)
        axes = _axes(figure, box)
        axes.set_ylim(len(self.bars), 0)
        for y, bar in enumerate(self.bars):
            _draw(axes, bar, y + 0.7, 0.5, NARROW - 0.45)
            axes.text(0, y + 0.22, shortened(bar.name, NARROW - 0.3), va="center", color=INK)
        return figure


def contribution_bars(
    matrix: ContributionMatrix,
    *,
    against: str | None = None,
    names: Mapping[str, str] | None = None,
    identifier: str = "contribution",
) -> Plot:
    """Return what the estimates of one data set rest on.

    Parameters
    ----------
    matrix
        Contributions of one data set, by comparison or by study.
    against
        Only comparisons with this treatment; all if not given.
    names
        How treatments and studies are written, by the name they have in `matrix`.
    identifier
        Name of the plot, safe in a URL.
    """
    written = names or {}
    pairs = list(zip(matrix.first, matrix.second, strict=True))
    kept = [i for i, pair in enumerate(pairs) if against is None or against in pair]
    sources = [" : ".join(written.get(p, p) for p in s.split(":")) for s in matrix.sources]
    bars = tuple(
        Bar(
            " : ".join(written.get(t, t) for t in pairs[i]),
            tuple(
                (sources[j], float(share), j)
                for j, share in enumerate(matrix.contribution[i])
                if share >= LEAST
            ),
        )
        for i in kept
    )
    what = "direct comparison" if matrix.by == "comparison" else "study"
    return Plot(
        id=identifier,
        title=f"What each estimate rests on, by {what}",
        alt=f"One bar an estimate; its parts are what each {what} contributes.",
        columns=("Estimate", *sources),
        rows=tuple(
            (bar.name, *(f"{share:.0f} %" for share in matrix.contribution[i]))
            for bar, i in zip(bars, kept, strict=True)
        ),
        note=f"Parts add up to 100 %; those below {LEAST:g} % are left out of the picture.",
        picture=ContributionBars(bars),
    )


def _axes(figure: Drawing, box: tuple[float, float, float, float]) -> Axes:
    axes = figure.add_axes(box)
    axes.set_xlim(0, 100)
    axes.set_yticks([])
    axes.set_xticks([0, 25, 50, 75, 100], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    axes.set_facecolor("none")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="x", labelcolor=MUTED, color=RULE)
    return axes


def _draw(axes: Axes, bar: Bar, y: float, thickness: float, room: float) -> None:
    left = 0.0
    for source, share, place in bar.parts:
        colour, opacity = TINTS[place % len(TINTS)]
        axes.barh(y, share, thickness, left, color=colour, alpha=opacity, linewidth=0)
        axes.plot([left + share] * 2, [y - thickness / 2, y + thickness / 2], color=INK, lw=0.6)
        text = shortened(source, room * share / 100 - 0.08)
        if len(text) > 3:
            axes.text(left + share / 2, y, text, ha="center", va="center", color=INK)
        left += share
