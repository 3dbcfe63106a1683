"""The graph of a network: who was compared with whom, how often, in how many patients.

Treatments stand on a circle, parts that nothing connects apart from each other. The area of a
node grows with its patients, a line with the studies that compare its ends (their number stands
on it), a shaded area joins the arms of a study of several arms. A dashed line stands for studies
that compare without a number to pool. As netmeta's ``netgraph`` draws it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trabecula.format import plural
from trabecula.plots.lettering import listed, wrapped
from trabecula.plots.plot import Plot
from trabecula.plots.style import INK, MARK, MUTED, PAPER, RULE, drawing
from trabecula.synthesis.network.evidence import NetworkEvidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Drawing

WIDTH, SIDE = 7.6, 4.6
"""Inches: the drawing, and the square of the circle in it."""

FEW, SMALL_SIDE = 4, 3.2
"""Treatments up to which a smaller square does."""

NARROW = 3.7
"""Inches of the drawing for small screens: names stand beneath, numbers in the nodes."""

GAP = 0.7
"""Room between two parts on the circle, in nodes."""

LABEL = 1.4
"""Inches a name may take beside the circle before it is broken into lines."""

CROWDED, LARGEST = 14, 5.6
"""Treatments above which names beside the circle would touch; inches of such a circle."""

ROW = 0.19
"""Inches of a line of names beneath the narrow drawing."""


@dataclass(frozen=True, slots=True)
class Node:
    """A treatment and its patients; 0 where their number is unknown."""

    name: str
    patients: int = 0


@dataclass(frozen=True, slots=True)
class Edge:
    """Two treatments (indices of nodes) and the studies that compare them.

    ``numbered`` of the ``studies`` have a number to pool.
    """

    first: int
    second: int
    studies: int
    numbered: int


@dataclass(frozen=True, slots=True)
class NetworkGraph:
    """All that the graph shows: nodes in the order of the circle, part by part.

    ``shaded`` holds the nodes of each study of more than two arms.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    shaded: tuple[tuple[int, ...], ...] = ()

    def parts(self) -> list[int]:
        """Return for each node the number of the part it belongs to."""
        part = list(range(len(self.nodes)))
        for _ in self.nodes:
            for edge in self.edges:
                low = min(part[edge.first], part[edge.second])
                part[edge.first] = part[edge.second] = low
        order = {label: i for i, label in enumerate(dict.fromkeys(part))}
        return [order[label] for label in part]

    def places(self) -> list[tuple[float, float]]:
        """Return where each node stands on a circle of radius 1, clockwise from the top."""
        part = self.parts()
        steps = [1.0 + GAP * (part[i] != part[i - 1]) for i in range(len(part))]
        around = sum(steps)
        angles = [2 * math.pi * (sum(steps[: i + 1]) - steps[0]) / around for i in range(len(part))]
        return [(math.sin(a), math.cos(a)) for a in angles]

    def drawing(self) -> Drawing:
        """Return the graph with names beside the nodes, or beneath it where they are many."""
        if len(self.nodes) > CROWDED:
            return self._numbered(WIDTH)
        side = SIDE if len(self.nodes) > FEW else SMALL_SIDE
        figure = drawing(WIDTH, side)
        axes = _square(figure, (0.5 - side / WIDTH / 2, 0.0, side / WIDTH, 1.0), 1.5)
        _draw(axes, self, numbered=False)
        for node, (x, y) in zip(self.nodes, self.places(), strict=True):
            align = "center" if abs(x) < 0.2 else "left" if x > 0 else "right"
            axes.text(
                1.16 * x, 1.16 * y, wrapped(node.name, LABEL, lines=3), ha=align, color=INK,
                va="center" if abs(y) < 0.9 else "bottom" if y > 0 else "top", clip_on=False,
            )  # fmt: skip
        return figure

    def narrow_drawing(self) -> Drawing:
        """Return the graph with numbers in the nodes and the names beneath."""
        return self._numbered(NARROW)

    def _numbered(self, across: float) -> Drawing:
        blocks, rows = listed([node.name for node in self.nodes], across)
        side = min(across, LARGEST)
        height = side + ROW * rows + 0.1
        figure = drawing(across, height)
        left = (across - side) / 2 / across
        axes = _square(figure, (left, 1 - side / height, side / across, side / height), 1.25)
        _draw(axes, self, numbered=True)
        for i, block in enumerate(blocks):
            figure.text(
                0.1 / across + i / len(blocks), (height - side) / height, block, va="top",
                color=INK, linespacing=1.35,
            )  # fmt: skip
        return figure


def network_graph(
    evidence: NetworkEvidence,
    *,
    patients: Mapping[str, int] | None = None,
    names: Mapping[str, str] | None = None,
    identifier: str = "network",
) -> Plot:
    """Return the graph of `evidence`.

    Parameters
    ----------
    evidence
        The network.
    patients
        Patients by treatment; without it all nodes are alike.
    names
        How treatments are written, by the name they have in `evidence`.
    identifier
        Name of the plot, safe in a URL.
    """
    graph = _graph(evidence, patients or {}, names or {})
    studies, parts = len(evidence.studies), max(graph.parts()) + 1
    said = f"{plural(len(graph.nodes), 'treatment')} in {plural(studies, 'study', 'studies')}"
    apart = f", in {parts} parts that nothing connects" if parts > 1 else ""
    return Plot(
        id=identifier,
        title=f"Network of {said}{apart}",
        alt=f"Treatments on a circle, {plural(len(graph.edges), 'line')} between those compared.",
        columns=("Treatment", "Compared with", "Studies"),
        rows=edge_rows(graph),
        note=legend(graph),
        picture=graph,
    )


def edge_rows(graph: NetworkGraph) -> tuple[tuple[str, ...], ...]:
    """Return the lines of `graph` as rows: two treatments and the number of studies."""
    return tuple(
        (graph.nodes[e.first].name, graph.nodes[e.second].name, str(e.studies)) for e in graph.edges
    )


def legend(graph: NetworkGraph) -> str:
    """Return what the marks of `graph` mean, in sentences."""
    parts = ["The number on a line is the number of studies; it is as wide as they are many."]
    if len({node.patients for node in graph.nodes}) > 1:
        parts.insert(0, "The area of a circle grows with the patients.")
    if any(edge.numbered == 0 for edge in graph.edges):
        parts.append("Dashed: compared, but without a number that can be pooled.")
    if graph.shaded:
        parts.append("A shaded area joins the arms of one study.")
    return " ".join(parts)


def _graph(
    evidence: NetworkEvidence, patients: Mapping[str, int], names: Mapping[str, str]
) -> NetworkGraph:
    pairs = list(zip(evidence.first.tolist(), evidence.second.tolist(), strict=True))
    plain = NetworkGraph(
        tuple(Node(t) for t in evidence.treatments), tuple(Edge(a, b, 1, 1) for a, b in pairs)
    )
    part = plain.parts()
    order = sorted(range(len(part)), key=lambda i: (part[i], i))
    place = {old: new for new, old in enumerate(order)}
    count: dict[tuple[int, int], int] = {}
    for a, b in pairs:
        key = min(place[a], place[b]), max(place[a], place[b])
        count[key] = count.get(key, 0) + 1
    treatments = [evidence.treatments[i] for i in order]
    return NetworkGraph(
        nodes=tuple(Node(names.get(t, t), patients.get(t, 0)) for t in treatments),
        edges=tuple(Edge(a, b, n, n) for (a, b), n in sorted(count.items())),
        shaded=tuple(_shaded(evidence, place)),
    )


def _shaded(evidence: NetworkEvidence, place: Mapping[int, int]) -> Sequence[tuple[int, ...]]:
    arms: dict[int, set[int]] = {}
    rows = zip(evidence.study, evidence.first, evidence.second, strict=True)
    for study, first, second in rows:
        arms.setdefault(int(study), set()).update((place[int(first)], place[int(second)]))
    return sorted({tuple(sorted(nodes)) for nodes in arms.values() if len(nodes) > 2})


def _square(figure: Drawing, box: tuple[float, float, float, float], reach: float) -> Axes:
    axes = figure.add_axes(box)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_axis_off()
    return axes


def _draw(axes: Axes, graph: NetworkGraph, *, numbered: bool) -> None:
    places = graph.places()
    for nodes in graph.shaded:
        xs, ys = zip(*(places[i] for i in nodes), strict=True)
        axes.fill(xs, ys, facecolor=RULE, alpha=0.35, edgecolor="none", zorder=0)
    for edge in graph.edges:
        _draw_edge(axes, places[edge.first], places[edge.second], edge)
    largest = max(node.patients for node in graph.nodes)
    for number, (node, (x, y)) in enumerate(zip(graph.nodes, places, strict=True), 1):
        share = node.patients / largest if largest else 0.25
        axes.scatter([x], [y], s=90 + 420 * share, color=MARK, zorder=3, linewidths=0)
        if numbered:
            axes.text(x, y, str(number), ha="center", va="center", color=PAPER, zorder=4)


def _draw_edge(
    axes: Axes, start: tuple[float, float], end: tuple[float, float], edge: Edge
) -> None:
    thickness = 1.0 + 1.6 * math.log2(edge.studies)
    axes.plot(
        [start[0], end[0]], [start[1], end[1]], color=MUTED, zorder=1, linewidth=thickness,
        linestyle="solid" if edge.numbered else (0, (3, 2.5)), solid_capstyle="butt",
    )  # fmt: skip
    x, y = (0.56 * start[0] + 0.44 * end[0], 0.56 * start[1] + 0.44 * end[1])
    axes.text(
        x, y, str(edge.studies), ha="center", va="center", color=INK, zorder=2,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": PAPER, "edgecolor": "none"},
    )  # fmt: skip
