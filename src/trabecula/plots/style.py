"""How figures look, and how a drawing becomes the same bytes every time.

One drawing serves light, dark and print: inline, each colour is a CSS variable with the
printed colour as its fallback; in the download, the colours are fixed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from html import escape
from io import StringIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing

INK = "#1b1b1e"
MUTED = "#5b5f66"
RULE = "#c3c7cd"
MARK = "#1f4e79"
POOLED = "#8a3b12"
PAPER = "#fefefe"

VARIABLES: Mapping[str, str] = {
    INK: "--fig-ink",
    MUTED: "--fig-muted",
    RULE: "--fig-rule",
    MARK: "--fig-mark",
    POOLED: "--fig-pooled",
    PAPER: "--fig-paper",
}
"""Colours of the drawing and the CSS variables that replace them inline."""

FONT_SIZE = 9.0
"""Points; figures are drawn at the width of a page, where smaller text is not read."""

RC: Mapping[Any, object] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": FONT_SIZE,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "text.parse_math": False,
}

_HEADER = re.compile(r"^.*?(?=<svg)", re.DOTALL)
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_OPENING = re.compile(r"<svg\b[^>]*>")
_IDS = re.compile(r'(<g|<text) id="[^"]*"')


def house_style() -> AbstractContextManager[None]:
    """Return a context in which everything is drawn in the style of the reference.

    What a user has set up for their own plots does not enter.
    """
    from matplotlib import rc_context, rcParamsDefault

    defaults: dict[Any, Any] = {k: v for k, v in rcParamsDefault.items() if k != "backend"}
    return rc_context(defaults | dict(RC))


def drawing(width: float, height: float) -> Drawing:
    """Return an empty drawing of `width` x `height` inches."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Drawing

    figure = Drawing(figsize=(width, height))
    FigureCanvasSVG(figure)
    return figure


def to_svg(figure: Drawing, identifier: str, title: str, alt: str) -> tuple[str, str]:
    """Return the drawing for use inline and as a download.

    Both carry `title` and `alt` as ``<title>`` and ``<desc>``. `identifier` makes the ids of
    clip paths and markers unique among the figures of a page.
    """
    from matplotlib import rc_context

    buffer = StringIO()
    with rc_context({"svg.hashsalt": identifier}):
        figure.savefig(buffer, format="svg", metadata={"Date": None}, transparent=True)
    svg = _METADATA.sub("", _HEADER.sub("", buffer.getvalue()))
    svg = _IDS.sub(r"\1", svg)
    svg = _describe(svg, identifier, title, alt)
    svg = "\n".join(line.rstrip() for line in svg.splitlines()) + "\n"
    return _themed(svg), '<?xml version="1.0" encoding="utf-8"?>\n' + svg


def _describe(svg: str, identifier: str, title: str, alt: str) -> str:
    """Give the drawing a title, a description, and a size that follows the page."""
    opening = _OPENING.search(svg)
    assert opening is not None
    view_box = re.search(r'viewBox="[^"]*"', opening.group())
    assert view_box is not None
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'{view_box.group()} role="img" aria-labelledby="{identifier}-t {identifier}-d">\n'
        f' <title id="{identifier}-t">{escape(title)}</title>\n'
        f' <desc id="{identifier}-d">{escape(alt)}</desc>'
    )
    return svg[: opening.start()] + head + svg[opening.end() :]


def _themed(svg: str) -> str:
    for colour, variable in VARIABLES.items():
        svg = svg.replace(colour, f"var({variable}, {colour})")
    return svg
