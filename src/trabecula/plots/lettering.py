"""How much room words take, and how they are fitted into the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from trabecula.plots.style import FONT_SIZE

COLUMN = 3.0
"""Inches of a column of names, at least."""

POINTS = 72.0
"""Points an inch."""

ROUNDING = 1.04
"""What drawings in pixels, which round the width of each letter, may take more."""


@cache
def width(text: str, bold: bool = False) -> float:
    """Return the width of `text` in inches, in the widest of the fonts that a page may take."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    if not text.strip():
        return 0.0
    font = FontProperties(family="sans-serif", weight="bold" if bold else "normal")
    outline = TextPath((0, 0), text, size=FONT_SIZE, prop=font)
    return ROUNDING * float(outline.vertices[:, 0].max()) / POINTS


def shortened(text: str, room: float, bold: bool = False) -> str:
    """Return `text`, or what fits of it into `room` inches with an ellipsis."""
    if width(text, bold) <= room:
        return text
    kept = text
    while kept and width(f"{kept.rstrip()}…", bold) > room:
        kept = kept[:-1]
    return f"{kept.rstrip()}…"


def listed(names: Sequence[str], across: float) -> tuple[list[str], int]:
    """Return numbered names in as many columns as `across` inches hold, and the lines of each.

    A column takes its numbers downwards; columns stand at equal distances.
    """
    columns = max(1, int(across // COLUMN))
    room = across / columns - 0.2
    texts = [wrapped(f"{i}  {name}", room) for i, name in enumerate(names, 1)]
    each = -(-len(texts) // columns)
    blocks = ["\n".join(texts[i : i + each]) for i in range(0, len(texts), each)]
    return blocks, max(block.count("\n") + 1 for block in blocks)


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
