"""Figures of networks: who was compared with whom, every pair, and how sure the ranks are."""

from __future__ import annotations

from collections.abc import Iterator

from trabecula.format import NARROW, joined, number, plural, shown, uncapital
from trabecula.plots import Plot
from trabecula.plots.heat_map import HeatMap
from trabecula.plots.network_graph import Edge, NetworkGraph, Node, legend
from trabecula.plots.rankogram import Panel, Rankogram
from trabecula.reference.catalog import Catalog
from trabecula.review.network_model import Geometry, NetworkComparison, NetworkSynthesis
from trabecula.review.treatments import treatment_of

WIDTHS_TO_FULL_TINT = 2.0
"""Half-widths of its interval from no difference at which a cell is tinted in full."""

WHOSE = {"primary": "this disease", "all": "this and other diseases"}
"""Whose patients a scope holds."""


def network_plans(catalog: Catalog) -> Iterator[Plot]:
    """Yield the plots of every network and of every geometry that has a comparison."""
    for geometry in catalog.review.geometries:
        if geometry.pairs:
            yield geometry_plan(catalog, geometry)
    for network in catalog.review.networks:
        yield graph_plan(catalog, network)
        yield league_plan(catalog, network)
        yield rank_plan(catalog, network)


def geometry_plan(catalog: Catalog, geometry: Geometry) -> Plot:
    """Return who was ever compared with whom, on any outcome."""
    order = [treatment for part in geometry.parts for treatment in part]
    place = {treatment: i for i, treatment in enumerate(order)}
    graph = NetworkGraph(
        tuple(Node(catalog.treatment(t), geometry.patients.get(t, 0)) for t in order),
        tuple(
            Edge(place[p.treatment], place[p.comparator], len(p.studies), len(p.numbered))
            for p in geometry.pairs
        ),
        tuple(tuple(place[t] for t in arms) for arms in geometry.several_arms),
    )
    studies = {study for pair in geometry.pairs for study in pair.studies}
    apart = len(geometry.parts)
    parts = f", in {apart} parts that nothing connects" if apart > 1 else ""
    whose = WHOSE[geometry.scope]
    return Plot(
        id=f"compare-network-{geometry.scope}",
        title=f"Who was compared with whom in {whose}: {plural(len(order), 'treatment')} in "
        f"{plural(len(studies), 'study', 'studies')}{parts}",
        alt=f"Treatments on a circle; {plural(len(graph.edges), 'line')} join those compared.",
        columns=("Treatment", "Compared with", "Studies", "With a usable number"),
        rows=tuple(
            (
                catalog.treatment(p.treatment), catalog.treatment(p.comparator),
                _named(catalog, p.studies), _named(catalog, p.numbered) or "none",
            )
            for p in geometry.pairs
        ),
        note=legend(graph),
        picture=graph,
    )  # fmt: skip


def graph_plan(catalog: Catalog, network: NetworkSynthesis) -> Plot:
    """Return the graph of one network."""
    place = {treatment: i for i, treatment in enumerate(network.treatments)}
    compared = [(c, c.direct) for c in network.comparisons if c.direct]
    arms: dict[str, set[str]] = {}
    for c in network.contributions:
        pair = treatment_of(c.estimate.regimens), treatment_of(c.estimate.comparator)
        arms.setdefault(c.estimate.study, set()).update(pair)
    shaded = {tuple(sorted(place[t] for t in mine)) for mine in arms.values() if len(mine) > 2}
    graph = NetworkGraph(
        tuple(Node(catalog.treatment(t)) for t in network.treatments),
        tuple(
            Edge(place[c.treatment], place[c.comparator], len(studies), len(studies))
            for c, studies in compared
        ),
        tuple(sorted(shaded)),
    )
    return Plot(
        id=f"{network.id}--graph",
        title=f"What the network rests on: {plural(len(network.studies), 'study', 'studies')}",
        alt=f"{len(network.treatments)} treatments, {plural(len(compared), 'direct comparison')}.",
        columns=("Treatment", "Compared with", "Studies"),
        rows=tuple(
            (catalog.treatment(c.treatment), catalog.treatment(c.comparator), _named(catalog, s))
            for c, s in compared
        ),
        note=legend(graph),
        picture=graph,
    )


def league_plan(catalog: Catalog, network: NetworkSynthesis) -> Plot:
    """Return every pair, row against column, on both sides of the diagonal."""
    order = [rank.treatment for rank in network.ranks]
    names = tuple(catalog.treatment(t) for t in order)
    cells = {_key(c): c for c in network.comparisons}
    size = range(len(order))
    texts = tuple(tuple(_cell(network, cells, order, i, j) for j in size) for i in size)
    tints = tuple(tuple(_tint(network, cells, order, i, j) for j in size) for i in size)
    lines = tuple(tuple(t.replace(" (", "\n(") for t in row) for row in texts)
    return Plot(
        id=f"{network.id}--league",
        title="Every treatment against every other",
        alt=f"A table of {len(order)} by {len(order)} treatments, tinted by the difference.",
        columns=("Row against column", *names),
        rows=tuple((name, *row) for name, row in zip(names, texts, strict=True)),
        note=(
            f"Row against column: median with 95{NARROW}% credible interval on the evidence of the "
            "whole network; the same on both sides of the diagonal, the other way round. The tint "
            "grows with the difference against its interval; a pale cell settles nothing. In the "
            "order of the ranks, which may be chance."
        ),
        picture=HeatMap(names, names, tints, lines),
    )


def rank_plan(catalog: Catalog, network: NetworkSynthesis) -> Plot:
    """Return how probable each rank of each treatment is."""
    panels = tuple(
        Panel(catalog.treatment(r.treatment), f"SUCRA {number(r.sucra, 2)}", r.probability)
        for r in network.ranks
    )
    ranks = tuple(f"Rank {i}" for i in range(1, len(panels) + 1))
    return Plot(
        id=f"{network.id}--ranks",
        title=_rank_title(catalog, network),
        alt="One small bar chart a treatment: the probability of each rank, rank 1 best.",
        columns=("Treatment", "SUCRA", *ranks),
        rows=tuple(
            (
                p.name,
                p.said.removeprefix("SUCRA "),
                *(f"{100 * x:.0f}{NARROW}%" for x in p.probability),
            )
            for p in panels
        ),
        note=(
            "Bars: probability of each rank, 1 best. SUCRA: 1 surely first, 0 surely last. A rank "
            "tells neither the size of a difference nor how sure the evidence is: read it beside "
            "the table of pairs."
        ),
        picture=Rankogram(panels),
    )


def no_difference(network: NetworkSynthesis) -> float:
    """Return the value on the display scale that means no difference."""
    return 1.0 if network.scale == "ratio" else 0.0


def undecided(network: NetworkSynthesis) -> list[NetworkComparison]:
    """Return the pairs whose interval holds no difference."""
    null = no_difference(network)
    return [c for c in network.comparisons if c.low <= null <= c.high]


def _rank_title(catalog: Catalog, network: NetworkSynthesis) -> str:
    first = network.ranks[0]
    if len(undecided(network)) == len(network.comparisons):
        return "The ranks decide nothing: no treatment can be told from another"
    pairs = [c for c in undecided(network) if first.treatment in (c.treatment, c.comparator)]
    others = [c.comparator if c.treatment == first.treatment else c.treatment for c in pairs]
    name = catalog.treatment(first.treatment)
    sure = f"{name} is first with probability {number(first.probability[0], 2)}"
    if not others:
        return sure
    told = joined([uncapital(catalog.treatment(t)) for t in others], "or")
    return f"{sure}, but cannot be told from {told}"


def _named(catalog: Catalog, studies: tuple[str, ...]) -> str:
    return ", ".join(catalog.study_names[s] for s in studies)


def _key(comparison: NetworkComparison) -> frozenset[str]:
    return frozenset((comparison.treatment, comparison.comparator))


def _result(
    network: NetworkSynthesis, cells: dict[frozenset[str], NetworkComparison], row: str, column: str
) -> tuple[float, float, float]:
    """Return a comparison as `row` against `column`."""
    c = cells[frozenset((row, column))]
    if c.treatment == row:
        return c.value, c.low, c.high
    if network.scale == "ratio":
        return 1 / c.value, 1 / c.high, 1 / c.low
    return 0.0 - c.value, 0.0 - c.high, 0.0 - c.low


def _cell(
    network: NetworkSynthesis,
    cells: dict[frozenset[str], NetworkComparison],
    order: list[str],
    i: int,
    j: int,
) -> str:
    if i == j:
        return ""
    text = shown(
        *_result(network, cells, order[i], order[j]), network.scale, no_difference(network)
    )
    return f"{text.value} ({text.low} to {text.high})"


def _tint(
    network: NetworkSynthesis,
    cells: dict[frozenset[str], NetworkComparison],
    order: list[str],
    i: int,
    j: int,
) -> float | None:
    if i == j:
        return None
    value, low, high = _result(network, cells, order[i], order[j])
    far = (value - no_difference(network)) / max((high - low) / 2, 1e-12)
    return max(-1.0, min(1.0, far / WIDTHS_TO_FULL_TINT))
