"""A figure of the reference: a plot with its drawings."""

from __future__ import annotations

from dataclasses import dataclass

from trabecula.format import MINUS
from trabecula.plots import Picture, Plot


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawn plot; its title, alternative text and data are those of the plot."""

    plot: Plot
    picture: Picture

    @property
    def numeric(self) -> frozenset[int]:
        """Return which columns hold nothing but numbers, dashes and gaps."""
        columns = range(len(self.plot.columns))
        return frozenset(i for i in columns if all(_is_number(r[i]) for r in self.plot.rows))


def _is_number(cell: str) -> bool:
    return not cell or cell[0] in f"{MINUS}–∞<" or cell[0].isdigit()
