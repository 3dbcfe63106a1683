"""What strains a picture: many or missing studies, long names, many treatments, wide ratios."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.plots.words import words_of
from trabecula import plots, synthesis
from trabecula.plots.forest import Forest, Line, ticks
from trabecula.plots.heat_map import HeatMap
from trabecula.plots.lettering import listed, width
from trabecula.plots.network_graph import CROWDED, Edge, NetworkGraph, Node
from trabecula.plots.rankogram import Panel, Rankogram
from trabecula.plots.ratio_scale import MOST, ratio_marks
from trabecula.plots.scatter import Scatter

Y, V = np.array([np.nan, -0.3, -0.5, 0.1]), np.array([0.09, 0.04, 0.12, 0.25])
NAMES = ("Doe 2001", "Roe 2002", "Poe 2003", "Loe 2004")


@pytest.mark.parametrize("decades", [1, 3, 8, 40])
def test_marks_of_ratios_are_few_and_round(decades: int) -> None:
    """However wide the axis there are three to seven marks, 1 among them."""
    marks = ratio_marks(0.7 * 10.0 ** (-decades / 2), 1.3 * 10.0 ** (decades / 2))

    assert 3 <= len(marks) <= MOST
    assert any(math.isclose(m, 1.0) for m in marks)
    assert all(f"{m:e}"[0] in "125" for m in marks)


def test_a_missing_study_has_a_line_and_no_mark() -> None:
    """It is called missing, in every table, and changes no other line."""
    fit = synthesis.random_effects(Y, V)
    forest = plots.forest_plot(Y, V, names=NAMES, fit=fit)
    assert forest.rows[0] == ("Doe 2001", "missing", "–")
    assert "nan" not in words_of(forest.svg())

    for plot in (
        plots.funnel_plot(synthesis.funnel(Y, V), names=NAMES),
        plots.baujat_plot(synthesis.baujat(Y, V), names=NAMES),
        plots.radial_plot(synthesis.radial(Y, V), names=NAMES),
    ):
        picture = plot.picture
        assert isinstance(picture, Scatter)
        assert plot.rows[0][1:] == ("–", "–")
        assert len(picture.points) == 3
        assert np.isfinite(picture.view).all()
        assert "3 studies" in plot.title
        assert len(picture.labels) in (0, 3)


def test_one_study_tells_nothing_of_heterogeneity() -> None:
    """A lone study has no tau squared, and none is printed."""
    plot = plots.forest_plot(
        [0.3], [0.1], names=["Doe 2001"], fit=synthesis.random_effects([0.3], [0.1])
    )
    words = words_of(plot.svg())

    assert "one study cannot tell" in words
    assert "nan" not in words


def test_ratios_over_many_orders_have_few_ticks() -> None:
    """Marks do not run into each other."""
    line = Line("Doe 2001", (), "", 1.0, 1e-9, 1e9)
    forest = Forest((line,), None, "", None, None, True, False, 1.0, "", "lower", ())

    assert len(ticks(forest)) <= MOST


def test_a_label_stays_inside_the_axes() -> None:
    """A label at the right is written to the left of its point, and shortened where it must be."""
    names = ("a", "b" * 200)
    scatter = Scatter(((0.0, 0.0), (1.0, 1.0)), names, (), (), (0.0, 1.0, 0.0, 1.0), "x", "y")
    axes = scatter.drawing().axes[0]
    renderer = (
        axes.figure.canvas.get_renderer() if hasattr(axes.figure.canvas, "get_renderer") else None
    )  # type: ignore[union-attr]
    for text in axes.texts:
        box = text.get_window_extent(renderer)
        assert box.x1 <= axes.figure.bbox.x1
        assert box.x0 >= axes.figure.bbox.x0


def test_many_treatments_are_numbered() -> None:
    """Beside the circle their names would touch; beneath it each has a line."""
    few = NetworkGraph(tuple(Node(f"Name{i}") for i in range(CROWDED)), (Edge(0, 1, 1, 1),))
    many = NetworkGraph(tuple(Node(f"Name{i}") for i in range(CROWDED + 1)), (Edge(0, 1, 1, 1),))

    assert len(few.drawing().texts) == 0
    beneath = "\n".join(text.get_text() for text in many.drawing().texts)
    assert beneath.count("Name") == CROWDED + 1


def test_cells_without_room_for_words_are_numbered() -> None:
    """A map of forty by forty shows tints and numbers, every name beneath."""
    names = tuple(f"T{i}" for i in range(40))
    tints = tuple(tuple(0.5 for _ in names) for _ in names)
    texts = tuple(tuple("0.12\n(0.01 to 0.23)" for _ in names) for _ in names)
    figure = HeatMap(names, names, tints, texts).drawing()
    inside = [text.get_text() for text in figure.axes[0].texts]

    assert not any("0.12" in text for text in inside)
    assert sum(text.get_text().count("T") for text in figure.texts) == 40


def test_words_above_bars_do_not_touch_them() -> None:
    """The bars of a rankogram begin beneath the longest name and what is said of it."""
    panel = Panel("a long name of a treatment " * 3, "P-score 0.50\n0.1 (0.0 to 0.2)", (0.5, 0.5))
    figure = Rankogram((panel, panel)).drawing()
    lowest = min(t.get_window_extent().y0 for t in figure.texts)

    assert lowest > figure.axes[0].get_window_extent().y1


def test_lists_of_names_fill_columns() -> None:
    """Numbers run downwards, each name within its column."""
    blocks, lines = listed([f"name {i}" for i in range(10)], 7.6)

    assert [block.split("\n")[0] for block in blocks] == ["1  name 0", "6  name 5"]
    assert lines == 5
    assert all(width(row) < 7.6 / 2 for block in blocks for row in block.split("\n"))
