"""Of what an answer is made: a bar of shares that add to 1, from assumed to compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from trabecula.format import NARROW, joined
from trabecula.plots.key import LINE, SWATCH, Entry, draw_key, flowed, inches
from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.plot import Plot
from trabecula.plots.style import INK, MARK, MUTED, PAPER, RULE, drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH, NARROW_WIDTH = 9.6, 3.7
"""Inches: for pages wide enough, and for small screens."""

ROW, BLOCK, BAR = 0.31, 0.46, 0.21
"""Inches of a bar with its name beside it, with its name above it, and of the bar alone."""

NAMES, EDGE = 2.8, 0.06
"""Most inches of names beside the bars, and inches at the edges of the picture."""

PARTS = ("Assumed beforehand", "Borrowed", "Single-arm studies", "Comparative studies")
"""What precision comes from, from least to most trusted."""

TOLERANCE = 1e-6
"""How far shares may add to something else than 1: rounding of numbers, not of tables."""


@dataclass(frozen=True, slots=True)
class PrecisionBars:
    """All that the bars show: by row its name and its shares, which add to 1."""

    names: tuple[str, ...]
    shares: tuple[tuple[float, ...], ...]
    parts: tuple[str, ...]

    def drawing(self) -> Drawing:
        """Return the bars with their names at the left."""
        names = [wrapped(name, NAMES) for name in self.names]
        left = max(width(part) for name in names for part in name.split("\n")) + 0.2
        figure, page, top = self._page(WIDTH, ROW)
        for i, (name, shares) in enumerate(zip(names, self.shares, strict=True)):
            y = top - ROW * (i + 0.5)
            page.text(left - 0.12, y, name, va="center", ha="right", color=INK, linespacing=0.95)
            _bar(page, shares, left, WIDTH - EDGE, y)
        return figure

    def narrow_drawing(self) -> Drawing:
        """Return the bars with their names above them."""
        figure, page, top = self._page(NARROW_WIDTH, BLOCK)
        for i, (name, shares) in enumerate(zip(self.names, self.shares, strict=True)):
            y = top - BLOCK * i
            page.text(EDGE, y - 0.09, shortened(name, NARROW_WIDTH - 0.1), va="center", color=INK)
            _bar(page, shares, EDGE, NARROW_WIDTH - EDGE, y - 0.2 - BAR / 2)
        return figure

    def _page(self, across: float, row: float) -> tuple[Drawing, Axes, float]:
        """Return a drawing with its key, axes in inches, and where the rows begin."""
        entries = [Entry(part, _swatch(i)) for i, part in enumerate(self.parts)]
        key = flowed(entries, across - 2 * EDGE)
        head = LINE * len(key) + 0.12
        figure = drawing(across, head + row * len(self.names) + 0.04)
        page = inches(figure)
        draw_key(figure, key, EDGE, figure.get_figheight() - 0.02)
        return figure, page, figure.get_figheight() - head


def precision_bar(
    shares: ArrayLike,
    *,
    names: Sequence[str],
    parts: Sequence[str] = PARTS,
    identifier: str = "precision",
) -> Plot:
    """Return a bar for each answer: of what its precision is made.

    Parameters
    ----------
    shares
        Array (answers, parts): shares that add to 1, from the least to the most trusted.
    names
        How each answer is called, in the same order.
    parts
        How the parts are called, at most four.
    identifier
        Name of the plot, safe in a URL.

    Raises
    ------
    ValueError
        If shares are negative or do not add to 1, or names and parts are not as many.
    """
    table = np.asarray(shares, dtype=np.float64)
    if table.shape != (len(names), len(parts)) or len(parts) > len(PARTS) or not names:
        raise ValueError(
            f"one name a row and at most {len(PARTS)} parts are needed, got shape {table.shape} "
            f"for {len(names)} names and {len(parts)} parts"
        )
    if not ((table >= 0).all() and np.allclose(table.sum(axis=1), 1, rtol=0, atol=TOLERANCE)):
        raise ValueError("the shares of a row must not be negative and must add to 1")
    return Plot(
        id=identifier,
        title=_title(table, names, parts),
        alt=f"One bar for each of {len(names)}; its parts, from the left: {', '.join(parts)}.",
        columns=("Answer", *parts),
        rows=tuple(
            (name, *(_percent(float(x)) for x in row))
            for name, row in zip(names, table, strict=True)
        ),
        note="Shares of the precision of an answer; they add up to 100 % but for rounding.",
        picture=PrecisionBars(
            tuple(names), tuple(tuple(float(x) for x in row) for row in table), tuple(parts)
        ),
    )


def _title(table: np.ndarray, names: Sequence[str], parts: Sequence[str]) -> str:
    """Return the parts of a lone answer; of several, how many rest mostly on the last part."""
    if len(names) == 1:
        said = [f"{_percent(float(x))} {p.lower()}" for x, p in zip(table[0], parts, strict=True)]
        return f"{names[0]}: {joined(said)}"
    mostly = int((table[:, -1] > 0.5).sum())
    return f"{mostly} of {len(names)} answers rest for more than half on {parts[-1].lower()}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}{NARROW}%"


def _tone(i: int) -> dict[str, Any]:
    """Return the look of a part: hatched, pale, middle, full, told apart without colour too."""
    looks: tuple[dict[str, Any], ...] = (
        {"facecolor": "none", "edgecolor": MUTED, "hatch": "//////", "linewidth": 0.0},
        {"facecolor": RULE, "alpha": 0.55, "linewidth": 0.0},
        {"facecolor": MARK, "alpha": 0.42, "linewidth": 0.0},
        {"facecolor": MARK, "linewidth": 0.0},
    )
    return looks[i]


def _bar(page: Axes, shares: Sequence[float], left: float, right: float, y: float) -> None:
    from matplotlib.patches import Rectangle

    x, room = left, right - left
    for i, share in enumerate(shares):
        across = share * room
        page.add_patch(Rectangle((x, y - BAR / 2), across, BAR, **_tone(i)))
        options = (_percent(share), f"{100 * share:.0f}")
        text = next((t for t in options if width(t) + 0.04 <= across), "")
        if text:
            page.text(
                x + across / 2, y, text, ha="center", va="center_baseline",
                color=PAPER if i == len(PARTS) - 1 else INK,
                bbox=None if i else {"boxstyle": "square,pad=0.1", "fc": PAPER, "ec": "none"},
            )  # fmt: skip
        x += across
    page.add_patch(
        Rectangle((left, y - BAR / 2), room, BAR, facecolor="none", edgecolor=MUTED, linewidth=0.7)
    )


def _swatch(i: int) -> Any:
    from matplotlib.patches import Rectangle

    def draw(axes: Axes, x: float, y: float) -> None:
        axes.add_patch(Rectangle((x, y - 0.06), SWATCH, 0.12, **_tone(i)))
        axes.add_patch(
            Rectangle((x, y - 0.06), SWATCH, 0.12, facecolor="none", edgecolor=MUTED, linewidth=0.7)
        )

    return draw
