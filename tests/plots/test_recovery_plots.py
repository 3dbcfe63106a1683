"""Rate ratios, sensitivity, precision, calibration and predictive checks say what they hold."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy.stats import binom

from tests.plots.recovery_examples import (
    NAMES,
    RATIOS,
    check,
    precision,
    ranks,
    ratios,
    sensitivity,
)
from tests.plots.words import words_of
from trabecula import plots
from trabecula.plots.interval_marks import DOTS, piled
from trabecula.plots.interval_narrow import WIDTH as NARROW
from trabecula.plots.interval_rows import IntervalRows, Panel, Row
from trabecula.plots.interval_wide import PLOT, WIDTH, layout
from trabecula.plots.lettering import width
from trabecula.plots.precision_bar import PrecisionBars
from trabecula.plots.rank_histogram import RankHistograms
from trabecula.plots.rate_ratio_plot import chance


def picture(plot: plots.Plot) -> IntervalRows:
    """Return the rows of a plot."""
    assert isinstance(plot.picture, IntervalRows)
    return plot.picture


def test_ratios_keep_their_order_under_headings() -> None:
    """Rows stand as given, a heading before each group."""
    rows = picture(ratios()).panels[0].rows

    assert [r.name for r in rows] == ["Water", "Bathing", "Land", "Resting", "Walking"]
    assert [r.look == "heading" for r in rows] == [True, False, True, False, False]


def test_probabilities_near_certainty_are_told_as_limits() -> None:
    """Draws of a sampler cannot tell 99.7 % from certainty."""
    assert [chance(p) for p in (0.997, 0.004, 0.5)] == ["> 99\u202f%", "< 1\u202f%", "50\u202f%"]
    assert ratios().rows[0] == (
        "Water",
        "Bathing",
        "1.50 (1.10 to 2.10)",
        "> 99\u202f%",
        "80\u202f%",
    )
    assert ratios().title.startswith("3 rate ratios from 0.90 to 1.50: 1 above 1")


def test_lines_stand_at_no_difference_and_a_quarter() -> None:
    """1 is marked strongly, 1.25 lightly, both in the drawing and in the note."""
    axes = picture(ratios()).drawing().axes[1]
    behind = [ln for ln in axes.lines if ln.get_zorder() == 0.5]

    assert [ln.get_xdata()[0] for ln in behind] == [1.0, 1.25]  # type: ignore[index]
    assert [ln.is_dashed() for ln in behind] == [False, True]
    assert "1.25" in ratios().note


def test_the_inner_interval_is_thicker_and_within() -> None:
    """The thick line of a row lies within its thin one; the reverse is refused."""
    axes = picture(ratios()).drawing().axes[1]
    lines = [ln for ln in axes.lines if ln.get_zorder() == 2]
    for thin, thick in zip(lines[::2], lines[1::2], strict=True):
        assert thin.get_linewidth() < thick.get_linewidth()
        assert thin.get_xdata()[0] <= thick.get_xdata()[0]  # type: ignore[index]
        assert thick.get_xdata()[1] <= thin.get_xdata()[1]  # type: ignore[index]

    median, low, high = RATIOS
    with pytest.raises(ValueError, match="inner"):
        plots.rate_ratio_plot(
            median,
            low,
            high,
            names=NAMES,
            p_above=[0] * 3,
            p_quarter=[0] * 3,
            inner=(low / 2, high),
        )


def test_ratios_refuse_what_they_would_misdraw() -> None:
    """Lengths, order of limits, positive ratios, probabilities, and groups that are torn apart."""
    median, low, high = RATIOS
    fine = {"names": NAMES, "p_above": [0.5] * 3, "p_quarter": [0.5] * 3}
    for changes, word in (
        ({"names": NAMES[:2]}, "one name"),
        ({"p_above": [0.5, 0.5, 1.5]}, "probabilities"),
        ({"groups": ["a", "b", "a"]}, "follow each other"),
        ({"groups": ["a"]}, "one group"),
    ):
        with pytest.raises(ValueError, match=word):
            plots.rate_ratio_plot(median, low, high, **(fine | changes))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="enclose"):
        plots.rate_ratio_plot(median, high, low, **fine)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="above 0"):
        plots.rate_ratio_plot(median, low - 1, high, **fine)  # type: ignore[arg-type]


def test_an_extreme_limit_is_cut_with_an_arrow_head() -> None:
    """It squeezes no other row, and every median stays in view."""
    rows = (Row("a", "result", 1.2, 1.0, 1.5), Row("b", "result", 1.5, 0.001, 9000.0))
    panel = Panel(rows, "ratio", "log", (1.0,))
    low, high = panel.view()
    axes = IntervalRows((panel,), ("",)).drawing().axes[1]

    assert 0.05 < low < 1.0
    assert 1.5 < high < 50
    assert Panel((*rows, Row("c", "result", 1.0, 0.5, math.inf)), "", "log").view()[1] < 50
    assert [ln.get_marker() for ln in axes.lines if ln.get_marker() in {"<", ">"}] == ["<", ">"]


@pytest.mark.parametrize("across", [2.5, 3.3, 5.0])
@pytest.mark.parametrize("reach", [1.2, 3.0, 1000.0])
def test_marks_of_the_axis_do_not_touch_and_1_is_among_them(across: float, reach: float) -> None:
    """Marked lines go first, round values where there is room; a narrow axis has some too."""
    rows = (Row("a", "result", 1.0, 1 / reach, reach),)
    marks = Panel(rows, "", "log", (1.0, 1.25)).ticks(across)
    panel = Panel(rows, "", "log", (1.0, 1.25))
    low, high = map(math.log, panel.view())
    inch = across / (high - low)

    assert 1.0 in [value for value, _ in marks]
    assert len(marks) >= 2
    for (a, first), (b, second) in pairwise(marks):
        assert (math.log(b) - math.log(a)) * inch > (width(first) + width(second)) / 2


def test_long_names_leave_the_plot_its_room() -> None:
    """They take a second line, in a row that is taller, before the plot becomes narrow."""
    row = Row(
        "a name of many words that goes on and on " * 2, "result", 1.0, 0.5, 2.0, cells=("x",)
    )
    place = layout(IntervalRows((Panel((row,), "", "log"),), ("", "Result (95 % CrI)")))

    assert "\n" in place.names[0][0]
    assert place.right - place.left >= PLOT * WIDTH - 0.01
    assert place.right < place.cells[0]


@pytest.mark.parametrize("maker", [ratios, sensitivity, check])
def test_words_of_the_narrow_drawing_stay_on_it(maker: object) -> None:
    """Nothing is written beyond the edges of a small screen."""
    figure = picture(maker()).narrow_drawing()  # type: ignore[operator]
    for text in figure.axes[0].texts:
        x = text.get_position()[0]
        bold = text.get_fontweight() == "bold"
        taken = width(text.get_text(), bold)
        left = x - taken if text.get_ha() == "right" else x
        assert left >= -0.01
        assert left + taken <= NARROW + 0.01


def test_many_variants_become_a_strip_with_its_extremes() -> None:
    """All are in the table; the picture has a dot each, and rows for the lowest and highest."""
    plot = sensitivity()
    rows = picture(plot).panels[0].rows
    strip = next(row for row in rows if row.look == "strip")

    assert len(plot.rows) == 1 + 3 + 20
    assert len(strip.dots) == 20
    assert [r.name for r in rows[-2:]] == ["Lowest: Study 0", "Highest: Study 19"]
    assert len(rows) == 1 + 4 + 1 + 1 + 2
    assert plot.title == "1.50 (1.10 to 2.10); 0.90 to 1.60 in 23 variants"


def test_the_primary_result_is_the_band_behind_all() -> None:
    """Its limits are those of the first row."""
    panel = picture(sensitivity()).panels[0]

    assert panel.rows[0].look == "main"
    assert panel.band == (panel.rows[0].low, panel.rows[0].high) == (1.1, 2.1)


def test_dots_of_a_strip_do_not_touch() -> None:
    """Those at one place lie on levels of their own; few are large, many smaller."""
    dot, levels = piled([0.0, 0.0, 0.01, 1.0])

    assert dot == DOTS[0]
    assert len(set(levels[:3])) == 3
    assert levels[3] == 0
    assert piled([0.0] * 9)[0] < dot


@pytest.mark.parametrize("narrow", [False, True])
def test_the_parts_of_precision_follow_each_other_and_look_different(narrow: bool) -> None:
    """Each begins where the former ends; hatch and tone tell them apart without color."""
    bars = precision().picture
    assert isinstance(bars, PrecisionBars)
    figure = bars.narrow_drawing() if narrow else bars.drawing()
    parts = figure.axes[0].patches[:4]
    looks = {(p.get_hatch(), p.get_facecolor()) for p in parts}

    assert len(looks) == 4
    for a, b in pairwise(parts):
        assert b.get_x() == pytest.approx(a.get_x() + a.get_width())  # type: ignore[attr-defined]
    widths = np.array([p.get_width() for p in parts])  # type: ignore[attr-defined]
    np.testing.assert_allclose(widths / widths.sum(), [0.1, 0.2, 0.3, 0.4], atol=1e-12)


def test_precision_tells_its_shares() -> None:
    """Shares are in the picture and the table; a lone answer tells them in its title."""
    alone = plots.precision_bar([[0.1, 0.2, 0.3, 0.4]], names=["Bathing"])

    assert precision().rows[0] == ("Bathing", "10\u202f%", "20\u202f%", "30\u202f%", "40\u202f%")
    assert "40\u202f%" in words_of(precision().svg())
    assert precision().title == "1 of 2 answers rest for more than half on comparative studies"
    assert alone.title.startswith("Bathing: 10\u202f% assumed beforehand")
    for shares in ([[0.5, 0.5, 0.5, -0.5]], [[0.1, 0.1, 0.1, 0.1]]):
        with pytest.raises(ValueError, match="add to 1"):
            plots.precision_bar(shares, names=["Bathing"])
    with pytest.raises(ValueError, match="parts"):
        plots.precision_bar([[0.5, 0.5]], names=["Bathing"])


def test_even_ranks_lie_in_the_band_and_heaped_ones_do_not() -> None:
    """The band is that of a binomial at 99 %; all bars of the heap lie outside."""
    plot = ranks()
    drawn = plot.picture
    assert isinstance(drawn, RankHistograms)
    even, heaped = drawn.panels
    low, high = binom.ppf([0.005, 0.995], 100, 1 / len(even.bars))

    assert even.bars == (1.0,) * len(even.bars)
    assert not any(even.outside)
    assert all(heaped.outside)
    assert drawn.band[0] == (low / 20, high / 20)
    assert plot.rows[1][1] == str(len(heaped.bars))
    assert sum(map(int, plot.rows[1][2:])) == 100


def test_bins_that_hold_a_rank_more_do_not_stand_out() -> None:
    """With 23 ranks in 10 bins even ranks give bars at 1 nonetheless."""
    every = np.tile(np.arange(23), 20)[:, None]
    drawn = plots.rank_histogram(every, draws=22, names=["x"]).picture
    assert isinstance(drawn, RankHistograms)

    assert len(drawn.panels[0].bars) == 20
    np.testing.assert_allclose(drawn.panels[0].bars, 1.0, rtol=1e-12)


def test_ranks_must_be_ranks() -> None:
    """Fractions, ranks beyond the draws and a missing axis are refused."""
    for bad in (np.array([[0.5]]), np.array([[11]]), np.array([3])):
        with pytest.raises(ValueError, match="ranks"):
            plots.rank_histogram(bad, draws=10, names=["x"])


def test_what_lies_outside_has_another_shape() -> None:
    """Inside circles, outside open diamonds; the table says so in words."""
    plot = check()
    axes = picture(plot).drawing().axes[1]
    marks = [ln.get_marker() for ln in axes.lines if ln.get_marker() in {"o", "D"}]

    assert marks == ["o", "D"]
    assert [row[-1] for row in plot.rows] == ["yes", "no", "yes"]
    assert plot.title.startswith("1 of 3 observations outside")


def test_each_kind_has_an_axis_of_its_own() -> None:
    """Shares run from 0 to 100 %, times on a logarithmic axis."""
    shares, times = picture(check()).panels

    assert shares.view() == (0.0, 1.0)
    assert (shares.scale, times.scale) == ("share", "log")
    assert check().rows[2][2:4] == ("12", "10 (5 to 20)")


def test_a_predictive_check_refuses_what_it_would_misdraw() -> None:
    """Shares beyond 1, times of zero, limits in the wrong order, missing names."""
    for values, scales, word in (
        ((1.2, 0.5, 0.4, 0.6), {}, "between 0 and 1"),
        ((0.0, 0.5, 0.4, 0.6), {"k": "log"}, "above 0"),
        ((0.5, 0.5, 0.6, 0.4), {}, "enclose"),
        ((math.nan, 0.5, 0.4, 0.6), {}, "must be known"),
    ):
        arrays = [[x] for x in values]
        with pytest.raises(ValueError, match=word):
            plots.predictive_check_plot(*arrays, names=["a"], kinds=["k"], scales=scales)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="one name"):
        plots.predictive_check_plot([0.5], [0.5], [0.4], [0.6], names=[], kinds=["k"])
