"""What is drawn says what the numbers say: sizes, signs, order, where things stand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tests.plots.test_plots import ESTIMATE, EVIDENCE, FIT, NAMES, VARIANCE
from trabecula import plots, synthesis
from trabecula.plots.contribution_bars import ContributionBars
from trabecula.plots.heat_map import HeatMap
from trabecula.plots.network_graph import Edge, NetworkGraph, Node
from trabecula.plots.scatter import Scatter


def heat(plot: plots.Plot) -> HeatMap:
    """Return the map of a plot."""
    assert isinstance(plot.picture, HeatMap)
    return plot.picture


def test_squares_grow_with_the_weight() -> None:
    """The heaviest study has the largest square."""
    fit = synthesis.random_effects(ESTIMATE, VARIANCE)
    figure = plots.forest_plot(ESTIMATE, VARIANCE, names=NAMES, fit=fit).drawing()
    areas = [float(c.get_sizes()[0]) for c in figure.axes[0].collections]  # type: ignore[attr-defined]

    assert np.argsort(areas).tolist() == np.argsort(fit.weights).tolist()


@pytest.mark.parametrize("order", [None, ("z", "x", "y")])
def test_the_tint_of_a_league_has_the_sign_of_its_cell(order: tuple[str, ...] | None) -> None:
    """Warm is above no difference, on both sides of the diagonal and in any order."""
    direct = synthesis.direct_and_indirect(EVIDENCE, tau2=FIT.tau2)
    league = plots.league_heat(FIT, direct=direct, order=order)
    tints = [tint for line in heat(league).tints for tint in line if tint is not None]
    signs = [-1 if cell.startswith("−") else 1 for row in league.rows for cell in row[1:] if cell]

    assert len(tints) == 6
    assert np.sign(tints).tolist() == signs


def test_warm_cells_of_a_net_heat_plot_drive_incoherence() -> None:
    """Tints have the sign of the heat and are strongest where it is largest."""
    found = synthesis.net_heat(EVIDENCE)
    tints = np.array(heat(plots.net_heat_map(found)).tints, dtype=float)

    np.testing.assert_allclose(tints * np.nanmax(np.abs(found.heat)), found.heat, rtol=1e-12)


def test_precise_studies_stand_at_the_top_of_a_funnel() -> None:
    """The standard error grows downwards."""
    picture = plots.funnel_plot(synthesis.funnel(ESTIMATE, VARIANCE), names=NAMES).picture
    assert isinstance(picture, Scatter)

    assert picture.view[3] == 0.0 < picture.view[2]


def test_a_comparison_without_a_number_is_dashed() -> None:
    """A line is solid only where some study has a number to pool."""
    graph = NetworkGraph((Node("a"), Node("b"), Node("c")), (Edge(0, 1, 1, 1), Edge(1, 2, 2, 0)))
    solid, dashed = graph.drawing().axes[0].lines

    assert (solid.is_dashed(), dashed.is_dashed()) == (False, True)
    assert dashed.get_linewidth() > solid.get_linewidth()


def test_rankograms_begin_with_the_highest_score() -> None:
    """The order is that of the P-scores."""
    ranking = synthesis.ranking(FIT)
    scores = [row[1] for row in plots.rankogram(ranking).rows]

    assert scores == [f"{p:.2f}" for p in sorted(ranking.p_score.tolist(), reverse=True)]


@pytest.mark.parametrize("narrow", [False, True])
def test_the_parts_of_a_bar_follow_each_other(narrow: bool) -> None:
    """Each begins where the former ends, and the last ends near 100 %."""
    picture = plots.contribution_bars(synthesis.contribution_matrix(EVIDENCE), against="x").picture
    assert isinstance(picture, ContributionBars)
    figure = picture.narrow_drawing() if narrow else picture.drawing()
    bars: dict[float, list[tuple[float, float]]] = {}
    for patch in figure.axes[0].patches:
        bars.setdefault(patch.get_y(), []).append((patch.get_x(), patch.get_width()))  # type: ignore[attr-defined]

    assert len(bars) == 2
    for parts in bars.values():
        assert parts[0][0] == 0
        assert all(b[0] == pytest.approx(a[0] + a[1]) for a, b in pairwise(parts))
        assert sum(parts[-1]) == pytest.approx(100, abs=1)
