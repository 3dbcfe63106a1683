"""Figures show what the review holds, the same way every time."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from trabecula.plots import Picture, Plot
from trabecula.plots.forest import Forest, Line, tick_label, ticks
from trabecula.plots.forest_wide import EDGE, WIDTH, layout
from trabecula.plots.lettering import shortened, width, wrapped
from trabecula.plots.style import MARK
from trabecula.reference.figures.course_plot import Arm, Course, beside, marks, size_marks
from trabecula.reference.figures.draw import figures_of, plans_of
from trabecula.reference.figures.model import Figure
from trabecula.review import Review

Drawn = tuple[Path, dict[str, Figure]]


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


def words_of(svg: str) -> str:
    """Return all that is written in a drawing, in order."""
    return " ".join(re.findall(r"<text[^>]*>([^<]+)</text>", svg))


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


def course(*arms: Arm) -> Course:
    """Return a course of shares."""
    return Course(arms, ("waiting or sham", "", "active treatment"), "share", percent=True)


def test_no_point_of_a_course_is_missing() -> None:
    """The axis reaches to the last week, and points that coincide stand side by side."""
    late = Arm(0, (4.0, 300.0), (50.0, 100.0), (9, 8))
    plot = course(late, Arm(2, (4.0,), (50.0,), (20,)))
    picture = Plot("c", "title", "alt", (), (), "", plot).pictures()
    for svg in (picture.inline, picture.narrow):
        assert svg.count("fill-opacity: 0.9") == 3
    assert "260" in words_of(picture.inline)
    assert beside(plot) == {(0, 0): -0.5, (1, 0): 0.5, (0, 1): 0.0}


def test_marked_weeks_do_not_touch() -> None:
    """On a small screen fewer weeks are marked; the first and the later ones stay."""
    assert marks(261, 6.8) == [0, 1, 4, 13, 26, 52, 78, 104, 156, 208, 260]
    assert len(marks(261, 2.9)) < 11
    assert marks(261, 2.9)[0] == 0


def test_sizes_are_explained_by_numbers_of_patients() -> None:
    """The legend of sizes spans the numbers that are shown."""
    assert size_marks([6, 12, 40]) == [5, 10, 50]
    assert size_marks([20]) == [20]


def test_courses_are_named_after_what_was_given(review: Review) -> None:
    """Groups bear the names of regimens; an arm seen before treatment alone is no course."""
    courses = {p.id: p for p in plans_of(review) if isinstance(p.picture, Course)}
    for plan in courses.values():
        picture = plan.picture
        assert isinstance(picture, Course)
        assert all(max(arm.weeks) > 0 for arm in picture.arms)
        assert len(plan.rows) == sum(len(arm.weeks) for arm in picture.arms)
        used = {arm.group for arm in picture.arms}
        assert all(picture.groups[group] for group in used)
    names = {r.name.lower() for r in review.topic.regimens.values() if r.role != "active"}
    said = {n for p in courses.values() for n in p.picture.groups[0].split(" or ") if n}  # type: ignore[attr-defined]
    assert said
    assert said <= names


def test_the_reason_not_to_pool_stands_once(review: Review) -> None:
    """A figure of studies side by side leaves the reason to its page."""
    by_id = review.synthesis_by_id
    for plan in plans_of(review):
        synthesis = by_id.get(plan.id)
        if synthesis is not None and synthesis.not_pooled:
            assert plan.note == ""
            assert synthesis.not_pooled in plan.alt
            assert not any(synthesis.not_pooled in note for note in plan.picture.notes)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def figures(review: Review, tmp_path_factory: pytest.TempPathFactory) -> Drawn:
    """Return the folder in which figures are kept, and those of the real review."""
    cache = tmp_path_factory.mktemp("figures")
    return cache, dict(figures_of(review, cache=cache))


def test_a_figure_is_drawn_once(review: Review, figures: Drawn) -> None:
    """A second build takes every drawing from the cache and gets the same bytes."""
    cache, first = figures
    drawn: list[str] = []
    again = figures_of(review, cache=cache, progress=lambda name, *_: drawn.append(name))

    assert again == first
    assert drawn == []


def test_a_damaged_drawing_is_drawn_again(review: Review, figures: Drawn) -> None:
    """A file cut short in the cache is no figure."""
    cache, first = figures
    next(cache.glob("*.json")).write_text("[", encoding="utf-8")

    assert figures_of(review, cache=cache) == first


def test_figures_are_whole(figures: Drawn) -> None:
    """Each figure has a title that is not its description, data, and ids of its own."""
    seen: set[str] = set()
    for figure in figures[1].values():
        ElementTree.fromstring(figure.picture.inline)
        assert figure.plot.title != figure.plot.alt
        assert all(len(row) == len(figure.plot.columns) for row in figure.plot.rows)
        ElementTree.fromstring(figure.picture.narrow)
        ids = set(re.findall(r'\bid="([^"]+)"', figure.picture.inline))
        narrow = set(re.findall(r'\bid="([^"]+)"', figure.picture.narrow))
        assert not ids & narrow, figure.plot.id
        ids |= narrow
        assert not ids & seen, figure.plot.id
        seen |= ids


def test_a_forest_shows_every_contribution(review: Review) -> None:
    """The table of a forest has one row a study, in the order of the review."""
    plans = {plan.id: plan for plan in plans_of(review)}
    for synthesis in review.syntheses:
        if synthesis.id in plans:
            k = len(synthesis.contributions)
            extra = 0 if synthesis.pooled is None else 1 + (synthesis.pooled.pi_low is not None)
            assert len(plans[synthesis.id].rows) == k + extra


def test_a_users_own_plot_settings_do_not_enter(review: Review) -> None:
    """A large font in somebody's matplotlibrc changes no byte of the reference."""
    from matplotlib import rc_context

    plot = forest(line())
    with rc_context({"font.size": 30, "axes.linewidth": 9, "xtick.major.size": 40}):
        strange = draw(plot)

    assert strange == draw(plot)


def test_a_cache_that_cannot_be_written_costs_only_time(review: Review, tmp_path: Path) -> None:
    """A file where the cache should be does not stop the build."""
    (tmp_path / "cache").write_text("", encoding="utf-8")

    assert figures_of(review, cache=tmp_path / "cache").keys() == {p.id for p in plans_of(review)}
