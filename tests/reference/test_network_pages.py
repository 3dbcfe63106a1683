"""What the page of a network says of every pair, and where networks are found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from trabecula.format import uncapital
from trabecula.reference.catalog import Catalog
from trabecula.reference.figures.funnel_plan import funnel_plan
from trabecula.reference.figures.network_plans import network_plans
from trabecula.reference.pages import networks
from trabecula.review import Review


def view(review: Review) -> dict[str, object]:
    """Return what the page of the first network shows."""
    return next(iter(networks.pages(Catalog(review, {})))).view


def test_an_interval_that_holds_no_difference_tells_nothing_apart(small: Review) -> None:
    """Lower pain is better: below zero the first is better, around zero neither."""
    told = {p.pair: p.tells for p in view(small)["pairs"]}  # type: ignore[attr-defined]

    assert told == {
        "Bathing against waiting": "better with bathing",
        "Sand against waiting": "cannot be told apart",
        "Bathing against sand": "cannot be told apart",
    }


def test_incoherence_is_tested_or_said_to_be_untestable(small: Review) -> None:
    """Without two designs that could disagree the page says that nothing was tested."""
    (network,) = small.networks
    tested = replace(small, networks=(replace(network, q=3.2, q_df=1, q_p=0.074),))

    assert str(view(small)["incoherence"]).startswith("Cannot be tested")
    told = str(view(tested)["incoherence"])
    assert told.startswith("Between designs Q = 3.20, df = 1, p = 0.07, heterogeneity set aside.")
    assert told.endswith("a large p does not say that they agree.")


def test_the_league_turns_a_pair_round(small: Review) -> None:
    """Row against column: the cell across the diagonal has the opposite sign."""
    league = next(p for p in network_plans(Catalog(small, {})) if p.id.endswith("--league"))
    cells = {(row[0], name): row[i] for row in league.rows for i, name in enumerate(league.columns)}

    assert cells["Bathing", "Waiting"] == "−1.5 (−2.5 to −0.5)"
    assert cells["Waiting", "Bathing"] == "1.5 (0.5 to 2.5)"
    assert cells["Sand", "Sand"] == ""


def test_the_league_of_ratios_turns_a_pair_round(small: Review) -> None:
    """Across the diagonal stands the inverse, its limits changed over; the tint changes sign."""
    (network,) = small.networks
    ratios = tuple(
        replace(c, value=2.0, low=1.25, high=4.0, pi_low=1.0, pi_high=5.0)
        for c in network.comparisons
    )
    changed = replace(network, scale="ratio", measure="RR", comparisons=ratios)
    plots = network_plans(Catalog(replace(small, networks=(changed,)), {}))
    league = next(p for p in plots if p.id.endswith("--league"))
    cells = {(row[0], name): row[i] for row in league.rows for i, name in enumerate(league.columns)}
    tints = league.picture.tints  # type: ignore[attr-defined]

    assert cells["Bathing", "Waiting"] == "2.00 (1.25 to 4.00)"
    assert cells["Waiting", "Bathing"] == "0.50 (0.25 to 0.80)"
    for i, row in enumerate(league.rows):
        for j, text in enumerate(row[1:]):
            assert (tints[i][j] is None) == (text == "")
            assert not text or (tints[i][j] > 0) == text.startswith("2")


def test_a_first_rank_is_said_with_what_it_cannot_be_told_from(small: Review) -> None:
    """The title of the ranks names the probability and the rivals."""
    ranks = next(p for p in network_plans(Catalog(small, {})) if p.id.endswith("--ranks"))

    assert ranks.title == "Bathing is first with probability 0.50, but cannot be told from sand"


def test_ranks_that_decide_nothing_name_nobody_first(small: Review) -> None:
    """Where no pair can be told apart no treatment stands first in a title."""
    (network,) = small.networks
    wide = tuple(replace(c, low=-9.0, high=9.0) for c in network.comparisons)
    changed = replace(small, networks=(replace(network, comparisons=wide),))
    ranks = next(p for p in network_plans(Catalog(changed, {})) if p.id.endswith("--ranks"))

    assert ranks.title == "The ranks decide nothing: no treatment can be told from another"


def test_the_page_names_measure_unit_and_scale_of_the_prior(small: Review, site: Path) -> None:
    """Points are called points; the prior and its variants are counted in the same unit."""
    (network,) = small.networks
    page = (site / f"networks/{network.id}.html").read_text(encoding="utf-8")

    assert "Mean difference in points: median" in page
    assert f"prior {network.prior}." in page
    assert "with other scales of the prior; above it is" in page
    assert "It does not mean that they are alike." in page


def test_networks_are_found_from_the_treatments(small: Review, site: Path) -> None:
    """The page that compares treatments and those of its treatments lead to a network."""
    (network,) = small.networks
    for page in ("compare.html", "regimens/bathing.html"):
        assert f"networks/{network.id}.html" in (site / page).read_text(encoding="utf-8"), page


def test_where_nothing_connects_that_is_said(small: Review) -> None:
    """Each treatment of a network is on its page; none is invented for the primary scope."""
    lines = networks.network_lines(Catalog(small, {}), {"bathing"})

    assert [line.undecided for line in lines] == [2]
    assert networks.network_lines(Catalog(small, {}), {"no such"}) == []


def test_the_graph_names_every_treatment_ever_compared(review: Review) -> None:
    """Treatments of comparative studies are nodes; unusable comparisons are dashed lines."""
    catalog = Catalog(review, {})
    plan = next(p for p in network_plans(catalog) if p.id == "compare-network-primary")
    primary = review.geometries[0]
    names = {uncapital(node.name) for node in plan.picture.nodes}  # type: ignore[attr-defined]
    dashed = [e for e in plan.picture.edges if e.numbered == 0]  # type: ignore[attr-defined]

    assert names == {
        uncapital(catalog.treatment(t)) for p in primary.pairs for t in (p.treatment, p.comparator)
    }
    assert len(dashed) == sum(not p.numbered for p in primary.pairs) > 0
    assert "Dashed" in plan.note


def test_a_funnel_needs_ten_comparisons(small: Review) -> None:
    """With ten studies a comparison has a funnel plot with the test beneath it, with nine none."""
    catalog = Catalog(small, {})
    base = next(s for s in small.syntheses if s.kind == "comparison" and s.pooled is not None)
    many = tuple(
        replace(c, estimate=replace(c.estimate, value=0.1 * i, se=0.1 + 0.05 * i))
        for i in range(10)
        for c in base.contributions[:1]
    )
    plan = funnel_plan(catalog, replace(base, contributions=many))

    assert plan is not None
    assert len(plan.rows) == 10
    assert base.pooled is not None
    assert base.pooled.small_studies in plan.note
    assert funnel_plan(catalog, replace(base, contributions=many[:9])) is None
