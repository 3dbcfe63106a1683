"""Figures show what the review holds, the same way every time."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.plots.words import words_of
from trabecula.plots import Plot
from trabecula.reference.figures.course_plot import Arm, Course, beside, marks, size_marks
from trabecula.reference.figures.draw import figures_of, plans_of
from trabecula.reference.figures.model import Figure
from trabecula.review import Review

Drawn = tuple[Path, dict[str, Figure]]


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


def test_a_cache_that_cannot_be_written_costs_only_time(review: Review, tmp_path: Path) -> None:
    """A file where the cache should be does not stop the build."""
    (tmp_path / "cache").write_text("", encoding="utf-8")

    assert figures_of(review, cache=tmp_path / "cache").keys() == {p.id for p in plans_of(review)}
