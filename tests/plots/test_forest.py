"""Forest plots follow the conventions that clinicians and statisticians know."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from tests.plots.words import words_of
from trabecula.plots import Picture, Plot
from trabecula.plots.forest import Forest, Line, tick_label, ticks
from trabecula.plots.forest_wide import EDGE, WIDTH, layout
from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.style import MARK


def line(value: float = 1.5, low: float = 1.0, high: float = 2.2, **more: object) -> Line:
    """Return a study's line."""
    return Line("Doe 2001", ("9/10", "5/10"), "1.5 (1.0 to 2.2)", value, low, high, **more)  # type: ignore[arg-type]


def forest(*lines: Line, **changes: object) -> Forest:
    """Return a forest of ratios."""
    default = Forest(
        lines=lines,
        arms=("bathing", "waiting"),
        counted="Events/n",
        pooled=None,
        prediction=None,
        log=True,
        percent=False,
        null=1.0,
        axis="risk ratio (log scale)",
        better="higher",
        notes=(),
    )
    return replace(default, **changes)  # type: ignore[arg-type]


def draw(plot: Forest, title: str = "title", alt: str = "alt") -> str:
    """Return the drawing for use inline."""
    return drawn(plot, title, alt).inline


def drawn(plot: Forest, title: str = "title", alt: str = "alt") -> Picture:
    """Return all drawings of a forest."""
    return Plot("figure", title, alt, (), (), "", plot).pictures()


def test_every_estimate_and_no_difference_are_in_view() -> None:
    """A far confidence limit is cut, an estimate never is."""
    low, high = forest(line(), line(9.0, 0.001, 90_000.0)).view()

    assert low < 1.0
    assert high > 9.0
    assert high < 90_000.0


def test_a_cut_interval_ends_in_an_arrow_head() -> None:
    """An interval that leaves the picture is drawn with a marker at its end."""
    whole, cut = draw(forest(line())), draw(forest(line(), line(9.0, 0.001, 90_000.0)))

    assert cut.count("<use ") > whole.count("<use ")


def test_what_is_pooled_has_a_diamond_and_what_is_not_has_none() -> None:
    """The diamond stands for a pooled result alone."""
    pooled = Line("Pooled", (), "1.5 (1.1 to 2.0)", 1.5, 1.1, 2.0, 100.0)

    assert "Pooled" not in draw(forest(line()))
    assert "Pooled" in draw(forest(line(), pooled=pooled))


def test_text_from_records_is_text() -> None:
    """A name that looks like markup is drawn as it is written."""
    named = replace(line(), name="<script>alert(1)</script> $x^2$")
    svg = draw(forest(named), title="<b>&", alt='"quoted" <i>')

    ElementTree.fromstring(svg)
    assert "<script" not in svg
    assert "$x^2$" in svg


def test_the_marks_of_a_share_are_percent() -> None:
    """Shares run from 0 to 100 %."""
    shares = forest(line(0.5, 0.2, 0.8), log=False, percent=True, null=None)

    assert [tick_label(x, shares) for x in ticks(shares)] == [
        "0\u202f%",
        "25\u202f%",
        "50\u202f%",
        "75\u202f%",
        "100\u202f%",
    ]


def test_the_sides_name_what_they_favour() -> None:
    """Where more is better, the right side favours the treatment, by name; else the left."""
    better = forest(line())
    worse = forest(line(), better="lower")

    assert better.sides() == ("waiting", "bathing")
    assert worse.sides() == ("bathing", "waiting")
    for svg in drawn(better)[::2]:
        assert "← favours waiting" in words_of(svg)
        assert "favours bathing →" in words_of(svg)


@pytest.mark.parametrize("names", [("a", "b"), ("a long treatment plus another", "no treatment")])
@pytest.mark.parametrize("name", ["Doe 2001", "“A title of a paper without an author…” (2001b)"])
def test_the_plot_has_two_fifths_of_the_width(names: tuple[str, str], name: str) -> None:
    """Names of studies and arms take lines of their own before the plot becomes narrow."""
    place = layout(forest(replace(line(), name=name), arms=names))

    assert place.right - place.left >= 0.4 * WIDTH
    assert place.left < place.right < place.weight < place.result <= WIDTH


def test_names_do_not_reach_the_counts() -> None:
    """A name too long for two lines is shortened with an ellipsis."""
    place = layout(forest(replace(line(), name="word " * 60)))

    assert place.names[0].endswith("…")
    widest = max(width(row) for row in place.names[0].split("\n"))
    assert EDGE + widest <= place.counts[0] - width("9/10")


def test_marks_at_the_ends_of_a_share_are_whole() -> None:
    """A square at 0 % or 100 % is not cut by the edge of the plot."""
    shares = forest(
        line(0.0, 0.0, 0.2), line(1.0, 0.8, 1.0), log=False, percent=True, null=None, arms=None
    )
    for svg in drawn(shares)[::2]:
        squares = [u for u in re.findall(r"<use [^>]*>", svg) if MARK in u or "--fig-mark" in u]
        assert len(squares) == 2
        assert not re.search(r"<g clip-path[^>]*>\s*<use [^>]*fig-mark", svg)


def test_words_take_the_lines_they_need() -> None:
    """Words are broken at spaces, and what is left over ends in an ellipsis."""
    assert wrapped("one two", 5.0) == "one two"
    assert wrapped("one two", width("one t")) == "one\ntwo"
    assert wrapped("one two three", width("one tw")) == "one\ntwo…"
    assert shortened("abc", width("abc")) == "abc"


def test_a_users_own_plot_settings_do_not_enter() -> None:
    """A large font in somebody's matplotlibrc changes no byte of the reference."""
    from matplotlib import rc_context

    plot = forest(line())
    with rc_context({"font.size": 30, "axes.linewidth": 9, "xtick.major.size": 40}):
        strange = draw(plot)

    assert strange == draw(plot)
