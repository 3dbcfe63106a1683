"""How numbers are shown."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trabecula import format as shown


@pytest.mark.parametrize(
    ("se", "decimals"),
    [(0.56, 1), (0.12, 2), (0.2, 1), (1.9, 1), (2.0, 0), (5.6, 0), (300.0, 0), (0.0021, 3)],
)
def test_last_digit_is_at_most_half_the_standard_error(se: float, decimals: int) -> None:
    """The unit of the last digit is the largest power of ten not above half the SE."""
    assert shown.decimals_for(se) == decimals
    assert decimals == 0 or 10.0**-decimals <= se / 2 < 10.0 ** (1 - decimals)


@pytest.mark.parametrize("se", [0.0, -1.0, float("nan"), float("inf")])
def test_no_uncertainty_gives_two_decimals(se: float) -> None:
    """A standard error that says nothing gives two decimals."""
    assert shown.decimals_for(se) == 2


def test_tiny_errors_stop_at_six_decimals() -> None:
    """However small the standard error, no more than six decimals are shown."""
    assert shown.decimals_for(1e-12) == 6


def test_printed_figures_keep_every_digit() -> None:
    """A printed 53.0 keeps its zero, and a minus is a true minus."""
    assert shown.number(Decimal("53.0")) == "53.0"
    assert shown.number(Decimal("-0.50")) == "−0.50"
    assert shown.number(Decimal("1E+2")) == "100"


def test_there_is_no_negative_zero() -> None:
    """A small negative number rounds to 0, not to minus 0."""
    assert shown.number(-0.04, 1) == "0.0"


def test_proportions_are_shown_in_percent() -> None:
    """A proportion of 0 to 1 becomes percent with the digits its interval supports."""
    assert shown.shown(0.6, 0.36, 0.81, "proportion").text == "60 % (95 % CI 36 to 81)"


def test_scores_have_units_and_true_minus() -> None:
    """A mean difference shows sign, unit and interval with equal decimals."""
    result = shown.shown(-1.68231, -2.47011, -0.8945, "points")

    assert result.text == "−1.7 points (95 % CI −2.5 to −0.9)"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.5, "1.50"), (0.05, "0.050"), (12.34, "12.3"), (250.4, "250"), (float("inf"), "∞")],
)
def test_ratios_keep_two_to_three_digits(value: float, text: str) -> None:
    """Ratios keep two or three digits that matter, at any size."""
    assert shown.shown(value, value, value, "ratio").value == text


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.00004, "p < 0.001"),
        (0.0042, "p = 0.004"),
        (0.0496, "p = 0.050"),
        (0.273, "p = 0.27"),
        (0.9999, "p > 0.99"),
    ],
)
def test_p_values(p: float, text: str) -> None:
    """Two decimals, three where two would hide on which side of 0.05 it lies."""
    assert shown.p_value(p) == text


def test_counts_percent_and_words() -> None:
    """Thousands are set apart, shares of nothing are a dash, plurals agree."""
    assert shown.count(12345) == "12 345"
    assert shown.percent(1, 3) == "33 %"
    assert shown.percent(1, 500) == "0.2 %"
    assert shown.percent(0, 0) == "–"
    assert shown.plural(1, "study", "studies") == "1 study"
    assert shown.plural(2, "patient") == "2 patients"
    assert shown.joined(["a", "b", "c"]) == "a, b and c"
    assert shown.joined([]) == ""


def test_a_limit_is_never_rounded_onto_the_null() -> None:
    """A limit that would round to no difference gets the digit that tells its side."""
    assert shown.shown(1.2, 1.002, 1.5, "ratio", 1.0).low == "1.002"
    assert shown.shown(1.2, 1.0, 1.5, "ratio", 1.0).low == "1.00"
    assert shown.shown(-3.0, -6.0, -0.04, "points", 0.0).high == "−0.04"
    assert shown.shown(0.1, 0.0004, 0.3, "proportion").low == "0"
