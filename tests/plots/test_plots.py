"""Every plot says what it shows, carries its data, and is the same bytes every time."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.plots import recovery_examples
from tests.plots.words import words_of
from trabecula import plots, synthesis
from trabecula.plots import Plot
from trabecula.plots.network_graph import Edge, NetworkGraph, Node

ESTIMATE = np.array([-0.9, -0.3, -0.5, 0.1])
VARIANCE = np.array([0.09, 0.04, 0.12, 0.25])
NAMES = ("Doe 2001", "Roe 2002", "Poe 2003", "<b>Loe & Sons</b> 2004")

EVIDENCE = synthesis.NetworkEvidence.from_contrasts(
    ("a", "b", "c", "c", "c", "d"),
    ("x", "x", "x", "x", "y", "y"),
    ("y", "z", "y", "z", "z", "z"),
    (-0.4, -0.9, -0.5, -0.7, -0.2, -0.1),
    (0.04, 0.05, 0.06, 0.07, 0.05, 0.03),
)
FIT = synthesis.network_meta_analysis(EVIDENCE, small_values="desirable")


def forest() -> Plot:
    """Return a forest of ratios with its pooled result."""
    fit = synthesis.random_effects(ESTIMATE, VARIANCE)
    return plots.forest_plot(
        ESTIMATE, VARIANCE, names=NAMES, fit=fit, scale="ratio", arms=("bathing", "waiting")
    )


MAKERS: dict[str, Callable[[], Plot]] = {
    "forest": forest,
    "funnel": lambda: plots.funnel_plot(synthesis.funnel(ESTIMATE, VARIANCE), names=NAMES),
    "baujat": lambda: plots.baujat_plot(synthesis.baujat(ESTIMATE, VARIANCE), names=NAMES),
    "radial": lambda: plots.radial_plot(synthesis.radial(ESTIMATE, VARIANCE), names=NAMES),
    "network": lambda: plots.network_graph(EVIDENCE, patients={"x": 90, "y": 40, "z": 10}),
    "league": lambda: plots.league_heat(
        FIT, direct=synthesis.direct_and_indirect(EVIDENCE, tau2=FIT.tau2)
    ),
    "net-heat": lambda: plots.net_heat_map(synthesis.net_heat(EVIDENCE)),
    "rankogram": lambda: plots.rankogram(synthesis.ranking(FIT)),
    "contribution": lambda: plots.contribution_bars(synthesis.contribution_matrix(EVIDENCE)),
    **recovery_examples.MAKERS,
}
"""One plot of each kind."""


@pytest.mark.parametrize("name", MAKERS)
def test_a_plot_is_whole(name: str) -> None:
    """Picture, title, description and data are there; every row has every column."""
    plot = MAKERS[name]()
    inline, download, narrow = plot.pictures()

    assert plot.title != plot.alt
    assert plot.rows
    assert all(len(row) == len(plot.columns) for row in plot.rows)
    for svg in (inline, download.partition("?>")[2], narrow):
        root = ElementTree.fromstring(svg)
        assert [child.tag.partition("}")[2] for child in root][:2] == ["title", "desc"]
    assert "var(--fig-" in inline
    assert "var(--fig-" not in download


@pytest.mark.parametrize("name", MAKERS)
def test_a_plot_is_the_same_bytes_every_time(name: str) -> None:
    """Nothing random, no date, no counter enters a drawing."""
    assert MAKERS[name]().pictures() == MAKERS[name]().pictures()


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_a_plot_can_be_saved(tmp_path: Path, ending: str) -> None:
    """The ending of the file names its format."""
    target = tmp_path / f"forest.{ending}"
    forest().save(target)

    start = {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[ending]
    assert target.read_bytes().startswith(start)


def test_a_forest_shows_ratios_and_their_pooled_result() -> None:
    """Logarithms are shown as ratios; names and weights stand in the table."""
    plot = forest()
    weight = synthesis.random_effects(ESTIMATE, VARIANCE).weights[0]

    assert plot.rows[0] == ("Doe 2001", "0.41 (0.23 to 0.73)", f"{weight:.1f}\u202f%")
    assert plot.rows[-2][0] == "Pooled (random effects)"
    assert plot.title == f"Pooled: {plot.rows[-2][1]}"
    assert "← favours bathing" in words_of(plot.svg())


def test_a_forest_refuses_what_it_would_misprint() -> None:
    """Names must be as many as studies, intervals those of 95 %, data one set."""
    with pytest.raises(ValueError, match="one name a study"):
        plots.forest_plot(ESTIMATE, VARIANCE, names=NAMES[:2])
    fit = synthesis.random_effects(ESTIMATE, VARIANCE, level=0.9)
    with pytest.raises(ValueError, match="95 %"):
        plots.forest_plot(ESTIMATE, VARIANCE, names=NAMES, fit=fit)
    many = synthesis.random_effects([ESTIMATE] * 2, [VARIANCE] * 2)
    with pytest.raises(ValueError, match="one data set"):
        plots.forest_plot(ESTIMATE, VARIANCE, names=NAMES, fit=many)
    with pytest.raises(ValueError, match="one name a study"):
        plots.radial_plot(synthesis.radial(ESTIMATE, VARIANCE), names=NAMES[:3])


def test_the_league_shows_network_and_direct_estimates() -> None:
    """Below the diagonal the network's, above it the direct ones, row minus column."""
    direct = synthesis.direct_and_indirect(EVIDENCE, tau2=FIT.tau2)
    plot = plots.league_heat(FIT, direct=direct, names={"x": "Bathing"})
    below = plot.rows[1][1].split(" ")[0].replace("−", "-")
    above = plot.rows[0][2].split(" ")[0].replace("−", "-")

    assert plot.rows[0][0] == "Bathing"
    assert float(below) == pytest.approx(float(FIT.estimate[1, 0]), abs=0.05)
    assert float(above) == pytest.approx(float(direct.direct_estimate[0]), abs=0.05)


def test_a_rank_is_never_alone() -> None:
    """Beside the probabilities of ranks stands the estimate, or that it is the reference."""
    rows = plots.rankogram(synthesis.ranking(FIT)).rows

    assert sum(row[2] == "reference" for row in rows) == 1
    assert all("to" in row[2] or row[2] == "reference" for row in rows)


def test_contributions_add_up() -> None:
    """The parts of each bar in the table are 100 % together, but for rounding."""
    plot = plots.contribution_bars(synthesis.contribution_matrix(EVIDENCE), against="x")

    assert [row[0] for row in plot.rows] == ["x : y", "x : z"]
    for row in plot.rows:
        assert sum(int(cell.split(" ")[0]) for cell in row[1:]) == pytest.approx(100, abs=2)


def test_parts_that_nothing_connects_stand_apart() -> None:
    """Nodes of one part are neighbours, and the gap to the next part is wider."""
    graph = NetworkGraph(tuple(Node(n) for n in "abcd"), (Edge(0, 1, 1, 1), Edge(2, 3, 1, 0)), ())
    places = graph.places()

    def apart(i: int, j: int) -> float:
        return float(np.hypot(*np.subtract(places[i], places[j])))

    assert graph.parts() == [0, 0, 1, 1]
    assert apart(0, 1) == pytest.approx(apart(2, 3))
    assert apart(1, 2) > apart(0, 1)


def test_the_graph_counts_studies() -> None:
    """The table names each pair once with its studies; several arms are said to be shaded."""
    plot = plots.network_graph(EVIDENCE)

    assert plot.rows == (("x", "y", "2"), ("x", "z", "2"), ("y", "z", "2"))
    assert "shaded area joins" in plot.note
    assert json.dumps(plot.rows)
