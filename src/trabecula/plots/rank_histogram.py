"""Rank histograms of simulation-based calibration: flat where a computation tells the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from trabecula.format import count, number, plural
from trabecula.plots.lettering import wrapped
from trabecula.plots.plot import Plot
from trabecula.plots.style import INK, MARK, MUTED, PAPER, POOLED, RULE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH, NARROW = 9.6, 3.7
"""Inches: for pages wide enough, and for small screens."""

PANEL, BARS, FOOT = 1.9, 0.8, 0.34
"""Inches of the width of a panel, of the height of its bars, and of the room beneath them."""

LINE = 0.15
"""Inches of a line of words above the bars."""

A_BIN = 20
"""Data sets a bin holds on average: with fewer, chance hides a slope (Talts et al. 2018)."""

MOST_BINS = 20
"""Bins of a panel, at most: more are thinner than the eye tells apart."""

LEVEL = 0.99
"""Level of the band within which a bar lies if ranks are uniform, each bar by itself."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """The bars of a quantity as multiples of what is expected; outside: of the band."""

    name: str
    said: str
    bars: tuple[float, ...]
    outside: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class RankHistograms:
    """All that the histograms show; ``band`` holds lower and upper limits of each bin."""

    panels: tuple[Histogram, ...]
    band: tuple[tuple[float, float], ...]

    def drawing(self) -> Drawing:
        """Return the panels in rows across a page."""
        return self._drawn(WIDTH, max(1, min(int(WIDTH // PANEL), len(self.panels))))

    def narrow_drawing(self) -> Drawing:
        """Return the panels two in a row."""
        return self._drawn(NARROW, 2)

    def _drawn(self, across: float, columns: int) -> Drawing:
        each = min(across / columns, PANEL)
        names = [wrapped(panel.name, each - 0.15, bold=True) for panel in self.panels]
        lines = 2 + max(name.count("\n") for name in names)
        high = 0.16 + LINE * lines + BARS + FOOT
        height = high * -(-len(self.panels) // columns)
        figure = drawing(across, height)
        for i, panel in enumerate(self.panels):
            row, column = divmod(i, columns)
            top, left = height - row * high, column * each
            bottom = top - high + FOOT
            box = ((left + 0.3) / across, bottom / height, (each - 0.42) / across, BARS / height)
            self._panel(figure.add_axes(box), panel)
            up = (bottom + BARS + 0.06) / height
            figure.text((left + 0.1) / across, up, panel.said, color=MUTED, fontsize=8)
            up += LINE / height
            figure.text(
                (left + 0.1) / across, up, names[i], va="bottom", color=INK, fontweight="bold",
                linespacing=1.1,
            )  # fmt: skip
        return figure

    def _panel(self, axes: Axes, panel: Histogram) -> None:
        size = len(panel.bars)
        edges = [i + 0.5 for i in range(size + 1)]
        low, high = zip(*self.band, strict=True)
        axes.bar(range(1, size + 1), panel.bars, width=0.82, color=MARK, alpha=0.75, linewidth=0)
        for limits in (low, high):
            axes.stairs(limits, edges, baseline=None, color=MUTED, linewidth=0.9)
        axes.stairs(high, edges, baseline=low, fill=True, color=RULE, alpha=0.4, zorder=0)
        axes.plot([0.5, size + 0.5], [1, 1], color=MUTED, linewidth=0.7, linestyle=(0, (1, 2)))
        top = max(1.12 * max(*high, *panel.bars, 1.9), 2.0)
        away = [(i + 1, bar) for i, bar in enumerate(panel.bars) if panel.outside[i]]
        for x, bar in away:
            axes.plot(
                [x], [min(bar + 0.08 * top, 0.97 * top)], marker="D", markersize=3.6, zorder=4,
                markerfacecolor=PAPER, markeredgecolor=POOLED, markeredgewidth=1.2, clip_on=False,
            )  # fmt: skip
        axes.set_xlim(0.4, size + 0.6)
        axes.set_ylim(0, top)
        axes.set_facecolor("none")
        for side in ("right", "top"):
            axes.spines[side].set_visible(False)
        axes.set_xticks([0.5, size / 2 + 0.5, size + 0.5], ["0", "½", "1"])
        axes.set_yticks([0, 1, 2], ["0", "1", "2"])
        axes.tick_params(labelcolor=MUTED, color=RULE, labelsize=8)


def rank_histogram(
    ranks: ArrayLike,
    *,
    draws: int,
    names: Sequence[str],
    identifier: str = "calibration",
) -> Plot:
    """Return a histogram for each quantity: where its true value ranked among the draws.

    Parameters
    ----------
    ranks
        Whole numbers, array (data sets, quantities): how many of the draws lie below the true
        value, 0 to `draws`.
    draws
        Draws among which each value was ranked.
    names
        How each quantity is called.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If ranks are no whole numbers from 0 to `draws`, or names are not as many as quantities.

    Notes
    -----
    Talts et al. 2018, arXiv:1804.06788. Bins hold as many ranks as each other, but for one; a bar
    is the number of data sets over that expected of its bin, so that unequal bins do not show.
    """
    table = np.asarray(ranks)
    if table.ndim != 2 or table.shape[1] != len(names) or not table.size:
        raise ValueError(f"ranks need shape (data sets, {len(names)}), got {table.shape}")
    if not np.issubdtype(table.dtype, np.integer) or table.min() < 0 or table.max() > draws:
        raise ValueError(f"ranks must be whole numbers from 0 to {draws}")
    sets = table.shape[0]
    share, low, high, counts = _binned(table, draws)
    outside = (counts < low) | (counts > high)
    expected = sets * share
    panels = tuple(
        Histogram(
            name,
            f"{int(outside[q].sum())} of {len(share)} outside",
            tuple(float(x) for x in counts[q] / expected),
            tuple(bool(x) for x in outside[q]),
        )
        for q, name in enumerate(names)
    )
    band = tuple((float(a), float(b)) for a, b in zip(low / expected, high / expected, strict=True))
    bars = outside.size
    return Plot(
        id=identifier,
        title=f"{int(outside.sum())} of {count(bars)} bars outside their 99 % band; at most "
        f"about {number((1 - LEVEL) * bars, 0 if bars >= 200 else 1)} would be by chance",
        alt=f"{plural(len(names), 'histogram')} of ranks with the band in which each bar lies if "
        "ranks are uniform; diamonds mark bars outside.",
        columns=("Quantity", "Bars outside", *(f"Bin {i + 1}" for i in range(len(share)))),
        rows=tuple(
            (name, str(int(outside[q].sum())), *(str(int(c)) for c in counts[q]))
            for q, name in enumerate(names)
        ),
        note=(
            f"{plural(sets, 'data set')} drawn from the model. Bars: how often the true value "
            f"ranked so among {count(draws)} draws, as a multiple of what is expected. Band: 99 % "
            "of bars if ranks are uniform (binomial). A hill means intervals too wide, a valley "
            "too narrow, a slope that values are drawn to one side."
        ),
        picture=RankHistograms(panels, band),
    )


def _binned(table: np.ndarray, draws: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return of each bin its share of the ranks, its band in counts, and counts by quantity."""
    from scipy.stats import binom

    sets = table.shape[0]
    bins = max(1, min(MOST_BINS, sets // A_BIN, draws + 1))
    edges = np.round(np.linspace(0, draws + 1, bins + 1))
    share = np.diff(edges) / (draws + 1)
    low, high = (binom.ppf(p, sets, share) for p in ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    counts = np.stack([np.histogram(q, edges - 0.5)[0] for q in table.T])
    return share, np.asarray(low), np.asarray(high), counts
