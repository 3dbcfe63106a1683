"""How much room words take, and how they are fitted into the room there is."""

from __future__ import annotations

from functools import cache

from trabecula.plots.style import FONT_SIZE

POINTS = 72.0
"""Points an inch."""


@cache
def width(text: str, bold: bool = False) -> float:
    """Return the width of `text` in inches, in the widest of the fonts that a page may take."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    font = FontProperties(family="sans-serif", weight="bold" if bold else "normal")
    outline = TextPath((0, 0), text, size=FONT_SIZE, prop=font)
    return float(outline.vertices[:, 0].max()) / POINTS


def shortened(text: str, room: float, bold: bool = False) -> str:
    """Return `text`, or what fits of it into `room` inches with an ellipsis."""
    if width(text, bold) <= room:
        return text
    kept = text
    while kept and width(f"{kept.rstrip()}…", bold) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def wrapped(text: str, room: float, bold: bool = False, lines: int = 2) -> str:
    """Return `text` broken into at most `lines` lines of `room` inches, the last shortened."""
    rows: list[str] = []
    for word in text.split(" "):
        longer = f"{rows[-1]} {word}" if rows else word
        if rows and (len(rows) == lines or width(longer, bold) <= room):
            rows[-1] = longer
        else:
            rows.append(word)
    return "\n".join(shortened(row, room, bold) for row in rows)
