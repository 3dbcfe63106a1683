"""Courses show what was seen, what is expected, and where nothing was seen."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise

import numpy as np
import pytest
from matplotlib.collections import PathCollection

from tests.plots.recovery_examples import BATHING, SEEN, WAITING, course
from tests.plots.words import words_of
from trabecula import plots
from trabecula.plots import Observation
from trabecula.plots.course_curves import CourseCurves
from trabecula.plots.course_drawing import apart, week_marks
from trabecula.plots.course_marks import STEP, STEPS, Room, area, aside, size_marks, touch
from trabecula.plots.course_names import MOST_NAMES, name_observations
from trabecula.plots.lettering import width


def picture(plot: plots.Plot) -> CourseCurves:
    """Return the values that a plot draws."""
    assert isinstance(plot.picture, CourseCurves)
    return plot.picture


@pytest.mark.parametrize("narrow", [False, True])
def test_what_is_extrapolated_is_dashed_and_begins_where_observation_ends(narrow: bool) -> None:
    """Solid and dashed line meet at the last week observed, at the same value."""
    drawn = picture(plots.course_curves([WAITING]))
    axes = (drawn.narrow_drawing() if narrow else drawn.drawing()).axes[1]
    solid, dashed = [ln for ln in axes.lines if ln.get_linewidth() == 2.0]

    assert (solid.is_dashed(), dashed.is_dashed()) == (False, True)
    assert solid.get_xdata()[-1] == dashed.get_xdata()[0] == 30.0  # type: ignore[index]
    assert solid.get_ydata()[-1] == dashed.get_ydata()[0] == 0.6  # type: ignore[index]


def test_the_table_says_what_is_extrapolated() -> None:
    """Each week of the table is estimated or extrapolated; observations name their group."""
    kinds = {row[1]: row[5] for row in course().rows if row[0] == "Waiting"}

    assert kinds["26"] == "estimated"
    assert kinds["39"] == "extrapolated"
    assert {row[5] for row in course().rows if row[0] == "Doe 2001"} == {"observed, untreated"}


def test_values_between_weeks_are_read_off_the_line() -> None:
    """At week 26 the course stands six tenths of the way from week 20 to week 30."""
    row = next(r for r in course().rows if r[:2] == ("Waiting", "26"))

    assert WAITING.at(26)[0] == pytest.approx(0.4 + 0.6 * 0.2)
    assert row[2] == "52\u202f% (42 to 62)"
    assert row[3] == "16 to 76"


def test_the_title_tells_a_week_known_of_all_curves() -> None:
    """Half a year where it was observed, else the last round week that was."""
    short = replace(BATHING, last_week=15.0)

    assert course().title.startswith("Week 26: Waiting 52")
    assert plots.course_curves([WAITING, short]).title.startswith("Week 12: Waiting 24")


def test_an_observation_later_than_the_axis_stands_in_the_table() -> None:
    """It is counted in the note and has no mark."""
    plot = course()

    assert [o.name for o in picture(plot).seen()] == ["Doe 2001", "Roe 2002", "Poe 2003"]
    assert "in the table alone: 1 observation" in plot.note
    assert any(row[0] == "Late 2004" and row[1] == "60" for row in plot.rows)


def test_groups_have_shapes_of_their_own() -> None:
    """Every group that is drawn has another marker, and each is in the key."""
    axes = picture(course()).drawing().axes[1]
    marks = [c for c in axes.collections if isinstance(c, PathCollection)]
    shapes = {c.get_paths()[0].vertices.shape for c in marks}
    words = words_of(course().svg())

    assert len(shapes) == 3
    assert all(word in words for word in ("untreated", "treatment not told", "treated"))


def test_marks_grow_with_patients() -> None:
    """A larger study has a larger mark, and the key brackets the sizes."""
    assert area(5) < area(50) < area(500)
    assert size_marks([9, 20, 80]) == [5, 20, 100]


def test_marks_that_would_coincide_stand_side_by_side_near_their_week() -> None:
    """No two of five share a place, and none is further away than the steps allow."""
    five = tuple(Observation(f"S{i}", 20, 0.4, 0.2, 0.6, 10) for i in range(5))
    drawn = picture(plots.course_curves([WAITING], five))
    inches = np.array(aside(Room(drawn, 6.0, 3.0))) * 6.0 / 40.0

    assert all(abs(a - b) > 0.99 * STEP for a, b in combinations(inches, 2))
    assert np.abs(inches - 3.0).max() <= max(STEPS) * STEP + 1e-9


def test_observations_are_named_where_there_is_room() -> None:
    """All names of a plot with few observations are written; own values need none."""
    own = Observation("me", 5, 0.9, group="own")
    words = words_of(plots.course_curves([WAITING], [*SEEN[:3], own]).svg())

    assert all(o.name in words for o in SEEN[:3])
    assert " me " not in words
    assert "own values" in words


@pytest.mark.parametrize("narrow", [False, True])
def test_curves_of_one_group_differ_in_shape(narrow: bool) -> None:
    """Each but the first has hollow marks of its own, beside its name as well."""
    four = [replace(WAITING, name=f"Place {i}") for i in range(4)]
    drawn = picture(plots.course_curves(four))
    figure = drawn.narrow_drawing() if narrow else drawn.drawing()
    shapes = [
        (len(np.atleast_1d(ln.get_xdata())), ln.get_marker())
        for axes in figure.axes
        for ln in axes.lines
        if ln.get_linestyle() == "None"
    ]
    along, named = ([shape for size, shape in shapes if size == n] for n in (4, 1))

    assert len(set(along)) == 4
    assert along == named


def test_names_of_curves_are_whole() -> None:
    """A name of twenty letters beside its curve is neither shortened nor beyond the edge."""
    long = replace(WAITING, name="Surroundings-related")
    figure = picture(plots.course_curves([long])).drawing()
    written = next(t for t in figure.axes[1].texts if t.get_text() == long.name)
    left = figure.axes[1].get_position().x0 * figure.get_figwidth()
    across = figure.axes[1].get_position().width * figure.get_figwidth()

    end = left + written.get_position()[0] * across + width(long.name, True)
    assert end <= figure.get_figwidth()


def test_names_of_observations_do_not_touch_marks_or_each_other() -> None:
    """Of thirty studies at one week some are named, each on free ground."""
    many = [Observation(f"Study {i}", 20, 0.02 + i / 32, n=20) for i in range(30)]
    room = Room(picture(plots.course_curves([WAITING], many)), 6.0, 3.0)
    weeks = aside(room)
    axes = room.picture.drawing().axes[1]
    name_observations(axes, room, weeks)
    names = [t for t in axes.texts if t.get_text().startswith("Study")]
    written = {t.get_text(): t.get_position() for t in names}
    boxes = [
        (room.x(x), room.y(y) - 0.07, room.x(x) + width(text), room.y(y) + 0.07)
        for text, (x, y) in written.items()
    ]
    marks = [room.mark(o, room.x(week)) for o, week in zip(many, weeks, strict=True)]

    assert 2 <= len(boxes) <= MOST_NAMES
    assert not any(touch(a, b) for a, b in combinations(boxes, 2))
    assert not any(touch(box, mark) for box in boxes for mark in marks)


def test_names_of_curves_that_end_together_do_not_touch() -> None:
    """They give way up and down, keep their order and stay beneath the top."""
    places = apart([3.0, 2.95, 2.9], [0.2, 0.2, 0.4], 3.0)

    assert places[0] > places[1] > places[2]
    assert places[0] - places[1] >= 0.2 - 1e-9
    assert places[1] - places[2] >= 0.3 - 1e-9
    assert max(places) <= 3.0
    assert apart([1.0, 1.1], [0.2, 0.2], 3.0) == pytest.approx([1.0, 1.2])


@pytest.mark.parametrize("last", [12.0, 26.0, 52.0, 104.0, 520.0])
@pytest.mark.parametrize("across", [2.9, 6.0])
def test_marked_weeks_do_not_touch(last: float, across: float) -> None:
    """Marks are some, begin at 0 and keep a distance."""
    weeks = week_marks(0.0, last, across)
    gaps = [
        (b - a) * across / last - (width(str(a)) + width(str(b))) / 2 for a, b in pairwise(weeks)
    ]

    assert weeks[0] == 0
    assert len(weeks) >= 3
    assert min(gaps) > 0.1


def test_what_was_seen_before_the_start_is_on_the_axis() -> None:
    """Own values of the weeks before stand left of 0, which is marked with others."""
    own = [Observation("me", week, 0.1, group="own") for week in (-6.0, -3.0, 0.0)]
    axes = picture(plots.course_curves([WAITING], own)).drawing().axes[1]
    marks = [c for c in axes.collections if isinstance(c, PathCollection)]

    assert axes.get_xlim() == (-6.0, 40.0)
    assert [float(np.asarray(c.get_offsets())[0, 0]) for c in marks] == pytest.approx([-6, -3, 0])
    assert {0.0, -4.0} <= set(axes.get_xticks())


def test_a_course_that_nobody_observed_is_dashed_throughout() -> None:
    """Observation may end before a course begins."""
    drawn = picture(plots.course_curves([replace(WAITING, last_week=-1.0)]))
    lines = [ln for ln in drawn.drawing().axes[1].lines if ln.get_linewidth() == 2.0]

    assert [ln.is_dashed() for ln in lines] == [True]
    assert len(lines[0].get_xdata()) == 5  # type: ignore[arg-type]


def test_points_are_shown_as_points() -> None:
    """A score is not a percentage, and its axis ends where it is told to."""
    scores = replace(
        WAITING, value=(7, 6, 5, 4, 3), low=(6, 5, 4, 3, 2), high=(8, 7, 6, 5, 4), new_low=(),
        new_high=(),
    )  # fmt: skip
    plot = plots.course_curves([scores], unit="points", axis="score", top=10)

    assert plot.title == "Week 26: Waiting 4.4 (3.4 to 5.4)"
    assert picture(plot).drawing().axes[1].get_ylim() == (0, 10)


def test_courses_refuse_what_they_would_misdraw() -> None:
    """Tuples of one length, increasing weeks, shares between 0 and 1, at least one curve."""
    with pytest.raises(ValueError, match="each of 5 weeks"):
        replace(WAITING, low=(0.0,))
    with pytest.raises(ValueError, match="at all weeks or at none"):
        replace(WAITING, new_low=(0.0,))
    with pytest.raises(ValueError, match="increase"):
        replace(WAITING, weeks=(0.0, 10.0, 10.0, 30.0, 40.0))
    with pytest.raises(ValueError, match="shares"):
        plots.course_curves([replace(WAITING, high=(0.0, 0.3, 0.5, 0.7, 1.1))])
    with pytest.raises(ValueError, match="needs a curve"):
        plots.course_curves([])
