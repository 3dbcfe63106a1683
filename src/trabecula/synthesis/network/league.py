"""The league table: every estimate of a network in one square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trabecula.synthesis.network.direct_evidence import EvidenceSplit
from trabecula.synthesis.network.network_meta_analysis import NetworkFit
from trabecula.synthesis.result import Json
from trabecula.synthesis.text import decimals, interval, number


@dataclass(frozen=True, slots=True)
class LeagueTable:
    """Cells of text (treatments, treatments): the treatment of the row minus that of the column.

    The diagonal holds the names. Below it are network estimates with their intervals; above
    it direct estimates where an `EvidenceSplit` was given (empty where there is no direct
    evidence), otherwise network estimates too.
    """

    treatments: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a cell off the diagonal."""
        return [
            {"row": row, "column": column, "text": self.cells[i][j]}
            for i, row in enumerate(self.treatments)
            for j, column in enumerate(self.treatments)
            if i != j
        ]


def league_table(
    fit: NetworkFit, *, direct: EvidenceSplit | None = None, order: Sequence[str] | None = None
) -> LeagueTable:
    """Return all comparisons of one data set as text, row minus column.

    Parameters
    ----------
    fit
        A network meta-analysis of one data set.
    direct
        Direct estimates to be shown above the diagonal, of the same evidence and level.
    order
        The treatments in the order of rows and columns, each once; that of the fit if not
        given. By falling P-score the best treatments come first.

    Raises
    ------
    ValueError
        If `fit` or `direct` holds several data sets, `direct` has other treatments or another
        level, or `order` is not a permutation of the treatments.

    Examples
    --------
    >>> from trabecula.synthesis.network.evidence import NetworkEvidence
    >>> from trabecula.synthesis.network.network_meta_analysis import network_meta_analysis
    >>> evidence = NetworkEvidence.from_contrasts(["A", "B"], "xx", "yz", [1.0, 2.0], [0.04, 0.09])
    >>> for row in league_table(network_meta_analysis(evidence, method="common")).cells:
    ...     print(" | ".join(row))
    x | 1.00 (0.61 to 1.39) | 2.00 (1.41 to 2.59)
    −1.00 (−1.39 to −0.61) | y | 1.00 (0.29 to 1.71)
    −2.00 (−2.59 to −1.41) | −1.00 (−1.71 to −0.29) | z
    """
    fit.require_one("a league table")
    if direct is not None:
        _require_alike(fit, direct)
    names = tuple(order) if order is not None else fit.treatments
    if sorted(names) != sorted(fit.treatments):
        raise ValueError(
            f"order must hold each of {', '.join(fit.treatments)} once; got {', '.join(names)}"
        )
    place = [fit.treatments.index(name) for name in names]
    table = {} if direct is None else _direct_cells(direct)
    cells = []
    for i, row in enumerate(place):
        line = []
        for j, column in enumerate(place):
            if i == j:
                line.append(names[i])
            elif i < j and direct is not None:
                line.append(table.get((names[i], names[j]), ""))
            else:
                values = (fit.estimate, fit.se, fit.ci_low, fit.ci_high)
                line.append(_cell(*(float(value[row, column]) for value in values)))
        cells.append(tuple(line))
    return LeagueTable(names, tuple(cells))


def _require_alike(fit: NetworkFit, direct: EvidenceSplit) -> None:
    known = {*direct.first, *direct.second}
    if direct.shape != () or known != set(fit.treatments) or direct.level != fit.level:
        raise ValueError(
            "direct must hold one data set of the treatments and the level of fit; got shape "
            f"{direct.shape}, treatments {', '.join(sorted(known))} and level {direct.level:g}"
        )


def _direct_cells(direct: EvidenceSplit) -> dict[tuple[str, str], str]:
    cells = {}
    for i, (first, second) in enumerate(zip(direct.first, direct.second, strict=True)):
        if direct.studies[i]:
            value, se = float(direct.direct_estimate[i]), float(direct.direct_se[i])
            low, high = float(direct.direct_ci_low[i]), float(direct.direct_ci_high[i])
            cells[first, second] = _cell(value, se, low, high)
            cells[second, first] = _cell(-value, se, -high, -low)
    return cells


def _cell(value: float, se: float, low: float, high: float) -> str:
    places = decimals(se)
    return f"{number(value, places)} ({interval(low, high, places)})"
