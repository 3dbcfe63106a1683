"""A plot: picture, words and numbers of the same thing.

A `Plot` holds all that it shows, in plain values; drawing it needs nothing else. So a drawing
can be made in another process, and kept for as long as its plot stays the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from trabecula.plots.style import house_style, to_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Drawing


class Picture(NamedTuple):
    """A drawing as SVG: for use inline, as a download, and inline on small screens."""

    inline: str
    download: str
    narrow: str


class Drawable(Protocol):
    """Plain values that know how to become a drawing."""

    def drawing(self) -> Drawing:
        """Return the drawing, as wide as a page."""
        ...

    def narrow_drawing(self) -> Drawing:
        """Return the drawing for small screens."""
        ...


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure with everything a reader needs when the picture fails them.

    ``title`` states the finding, ``alt`` describes the picture in a sentence (another text
    than the title), ``columns`` and ``rows`` are its data as printed, ``note`` its method.
    ``id`` is safe in a URL; ids inside the drawing begin with it. `Plot` shows itself in a
    notebook.
    """

    id: str
    title: str
    alt: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    picture: Drawable

    def drawing(self) -> Drawing:
        """Return the matplotlib figure, in the house style, to change or to save."""
        with house_style():
            return self.picture.drawing()

    def svg(self) -> str:
        """Return the drawing as SVG with title and description; the same bytes every time."""
        with house_style():
            return to_svg(self.picture.drawing(), self.id, self.title, self.alt)[1]

    def pictures(self) -> Picture:
        """Return the drawing for a page: inline, as a download, and for small screens."""
        with house_style():
            inline, download = to_svg(self.picture.drawing(), self.id, self.title, self.alt)
            narrow, _ = to_svg(
                self.picture.narrow_drawing(), f"{self.id}-narrow", self.title, self.alt
            )
        return Picture(inline, download, narrow)

    def save(self, path: Path | str) -> None:
        """Write the drawing to `path`: its ending (svg, pdf, png) names the format."""
        target = Path(path)
        if target.suffix == ".svg":
            target.write_text(self.svg(), encoding="utf-8")
            return
        with house_style():
            self.picture.drawing().savefig(target, facecolor="white")

    def _repr_svg_(self) -> str:
        return self.svg()
