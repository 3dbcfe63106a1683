"""The marks of a forest plot: axis, squares, whiskers, diamond, and whom a side favours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trabecula.plots.forest import Forest, Line, tick_label, ticks
from trabecula.plots.lettering import width, wrapped
from trabecula.plots.style import INK, MARK, MUTED, POOLED, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIDE_GAP = 0.12
"""Inches between the words on the left and on the right of no difference."""


def draw_axis(axes: Axes, forest: Forest, bottom: float) -> None:
    """Prepare `axes`: values across, lines downwards to `bottom`, marks of the scale beneath."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    if forest.log:
        axes.set_xscale("log")
    axes.set_xlim(*forest.view())
    axes.set_ylim(bottom, -0.5)
    axes.set_yticks([])
    axes.set_facecolor("none")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.xaxis.set_major_locator(FixedLocator(ticks(forest)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: tick_label(float(x), forest)))
    axes.tick_params(axis="x", labelcolor=MUTED, color=RULE)


def draw_mark(axes: Axes, forest: Forest, line: Line, y: float, reach: float = 0.5) -> None:
    """Draw a line of the plot at `y`: square and whisker, diamond, or prediction bar.

    The line of no difference goes `reach` rows up and down from there.
    """
    view = forest.view()
    if forest.null is not None:
        ends = [y - reach, y + reach]
        axes.plot([forest.null] * 2, ends, color=MUTED, linewidth=0.8, zorder=0)
    rise = 0.6 * reach
    if not line.known:
        return
    if line is forest.pooled:
        left, right = max(line.low, view[0]), min(line.high, view[1])
        corners = [left, line.value, right, line.value]
        height = [y, y - rise, y, y + rise]
        axes.fill(corners, height, facecolor=POOLED, edgecolor=POOLED, zorder=3, clip_on=False)
    elif line is forest.prediction:
        _whisker(axes, line, y, view, POOLED, 3.2)
    else:
        _whisker(axes, line, y, view, INK, 1.1)
        area = 24.0 if line.weight is None else 14.0 + 1.6 * line.weight
        fill = "none" if line.imputed else MARK
        axes.scatter(
            [line.value], [y], s=area, marker="s", linewidths=1.1, zorder=3, facecolors=fill,
            edgecolors=MARK, clip_on=False,
        )  # fmt: skip


def _whisker(
    axes: Axes, line: Line, y: float, view: tuple[float, float], colour: str, thickness: float
) -> None:
    """Draw an interval, with an arrow head where it leaves the picture."""
    left, right = max(line.low, view[0]), min(line.high, view[1])
    axes.plot(
        [left, right], [y, y], color=colour, linewidth=thickness, solid_capstyle="butt",
        clip_on=False,
    )  # fmt: skip
    for cut, x, marker in ((line.low < left, left, "<"), (line.high > right, right, ">")):
        if cut:
            axes.plot([x], [y], marker=marker, color=colour, markersize=5, clip_on=False)


def side_words(forest: Forest, plot: float) -> tuple[str, str] | None:
    """Return what stands left and right beneath an axis of `plot` inches, in one or two lines."""
    sides = forest.sides()
    if sides is None:
        return None
    room = plot / 2 - SIDE_GAP
    left, right = (_favours(name, room) for name in sides)
    return f"← {left}", f"{right} →"


def _favours(name: str, room: float) -> str:
    arrow = width("← ")
    return wrapped(f"favours {name}", room - arrow)
