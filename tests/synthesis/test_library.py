"""The library as a whole: its public surface, its manual, what it imports, its small parts."""

from __future__ import annotations

import doctest
import importlib
import math
import pkgutil
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal, get_args, get_origin

import numpy as np
import pytest

from trabecula import synthesis
from trabecula.synthesis import clopper_pearson, text
from trabecula.synthesis.arguments import Interval
from trabecula.synthesis.result import Result, frozen
from trabecula.synthesis.roots import descending_root

MANUAL = Path(__file__).parents[2] / "docs" / "synthesis"

MODULES = [
    module.name for module in pkgutil.walk_packages(synthesis.__path__, "trabecula.synthesis.")
]
RESULTS = [
    value
    for value in (getattr(synthesis, name) for name in synthesis.__all__)
    if isinstance(value, type) and issubclass(value, Result)
]


def manual() -> str:
    """Return the chapters of the manual, one after the other."""
    return "\n".join(p.read_text(encoding="utf-8") for p in sorted(MANUAL.glob("*.md")))


def test_every_public_name_is_in_the_manual() -> None:
    """What is exported is documented, and exists."""
    text = manual()

    assert synthesis.__all__ == sorted(synthesis.__all__)
    assert [name for name in synthesis.__all__ if f"`{name}" not in text] == []
    assert all(hasattr(synthesis, name) for name in synthesis.__all__)


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: r.__name__)
def test_every_field_of_a_result_is_in_the_manual(result: type) -> None:
    """Each field of a result has its place in the manual."""
    words = set(re.findall(r"`([^`\s]+)`", manual()))

    assert set(result.__dataclass_fields__) - words == set()


def test_every_option_is_in_the_manual() -> None:
    """Each value that an argument may take by name has its place in the manual."""
    words = set(re.findall(r"`([^`\s]+)`", manual()))
    options = {
        value
        for module in map(importlib.import_module, MODULES)
        for literal in vars(module).values()
        if get_origin(literal) is Literal
        for value in get_args(literal)
        if isinstance(value, str)
    }

    assert options - words == set()


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    """Each example prints what it says."""
    result = doctest.testmod(importlib.import_module(name))

    assert result.failed == 0


def test_the_library_starts_without_scipy_stats() -> None:
    """Importing it loads NumPy and `scipy.special`, no slow rest, nothing of the project."""
    code = (
        "import sys, trabecula.synthesis\n"
        "bad = [m for m in sys.modules if m in ('scipy.stats', 'scipy.optimize', 'matplotlib')\n"
        "       or m.startswith(('trabecula.records', 'trabecula.effects', 'trabecula.audit'))]\n"
        "print(bad)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


def test_descending_root_finds_roots_newton_misses() -> None:
    """Flat ends and kinks are bisected; a function not above zero at its start gives the start."""
    centers = np.array([0.3, 5.0, 9.999])

    def step(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.tanh(50 * (centers - x)), -50 / np.cosh(np.minimum(50 * (centers - x), 300)) ** 2

    low, high = np.zeros(3), np.full(3, 10.0)
    with np.errstate(over="ignore"):
        roots = descending_root(step, low, high, low, 1.0)

    np.testing.assert_allclose(roots, centers, rtol=1e-12)
    none = descending_root(lambda x: (-1 - x, -np.ones_like(x)), low, high, low, 1.0)
    np.testing.assert_allclose(none, 0, atol=1e-14)


def test_descending_root_refuses_to_search_for_ever() -> None:
    """A function without values is an error, not a silent NaN; so is a search without an end."""

    def nothing(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.full_like(x, np.nan), np.ones_like(x)

    def below(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return -np.ones_like(x), np.zeros_like(x)

    low, high = np.zeros(2), np.ones(2)
    with pytest.raises(ArithmeticError, match="2 equations have no value"):
        descending_root(nothing, low, high, high, 1.0)
    with pytest.raises(ArithmeticError, match="no root found in 500 steps for 2 equations"):
        descending_root(below, low, high, high, 0.0)


@pytest.mark.parametrize(
    ("rule", "inside", "outside"),
    [("[0, 1)", [0, 0.5], [1, -0.1, math.nan]), ("(0, 1]", [1, 0.5], [0, 1.1])],
)
def test_intervals_mean_what_they_print(
    rule: str, inside: list[float], outside: list[float]
) -> None:
    """A bracket includes its end, a parenthesis does not; NaN lies nowhere."""
    assert str(Interval(rule)) == rule
    assert Interval(rule).contains(np.array(inside, dtype=float)).all()
    assert not Interval(rule).contains(np.array(outside, dtype=float)).any()


@pytest.mark.parametrize(
    ("se", "places"),
    [
        (0.18, 2),
        (0.0999, 2),
        (0.0991, 3),
        (1.8, 1),
        (18, 0),
        (1800, 0),
        (0, 2),
        (math.nan, 2),
        (1e-30, 10),
    ],
)
def test_digits_follow_the_standard_error(se: float, places: int) -> None:
    """Two digits of the standard error are shown; 0.0999 rounds to 0.10."""
    assert text.decimals(se) == places


@pytest.mark.parametrize(
    ("value", "places", "printed"),
    [
        (-0.714, 2, "−0.71"),
        (-0.001, 2, "0.00"),
        (3.0, 0, "3"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, "−∞"),
        (math.nan, 1, "not estimable"),
    ],
)
def test_numbers_are_printed_with_real_minus_signs(value: float, places: int, printed: str) -> None:
    """No negative zero, no hyphen for a minus."""
    assert text.number(value, places) == printed


@pytest.mark.parametrize(
    ("p", "printed"),
    [
        (0.0004, "p < 0.001"),
        (0.0321, "p = 0.032"),
        (0.36, "p = 0.36"),
        (math.nan, "p not estimable"),
    ],
)
def test_p_values_are_printed_as_journals_do(p: float, printed: str) -> None:
    """Three decimals below 0.1, two above, a bound below 0.001."""
    assert text.p_value(p) == printed


def test_frozen_arrays_are_copies() -> None:
    """Freezing does not freeze the caller's array."""
    mine = np.array([1.0, 2.0])
    kept = frozen(mine)
    mine[0] = 7

    assert kept.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="read-only"):
        kept[0] = 0


def test_limits_unpack() -> None:
    """``low, high = clopper_pearson(...)`` works, and so do the names."""
    interval = clopper_pearson(3, 9)
    low, high = interval

    assert (interval.low, interval.high) == (low, high)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (2,), (2, 1, 3)])
def test_leading_axes_are_kept_also_where_they_have_length_one(shape: tuple[int, ...]) -> None:
    """A stack of one data set is a stack: every field has its axes."""
    estimate = np.broadcast_to([0.1, 0.4, -0.2, 0.3], (*shape, 4))
    fits: list[Result] = [
        synthesis.random_effects(estimate, [0.1, 0.2, 0.3, 0.1]),
        synthesis.random_effects(estimate, [0.1, 0.2, 0.3, 0.1], method="DL", test="z"),
        synthesis.meta_regression(estimate, [0.1, 0.2, 0.3, 0.1], [[1.0], [2.0], [4.0], [3.0]]),
        synthesis.bayesian_random_effects(
            estimate, [0.1, 0.2, 0.3, 0.1], tau_prior=synthesis.HalfNormal(0.5)
        ),
        synthesis.binomial_normal(np.broadcast_to([1, 4, 2, 3], (*shape, 4)), [9, 9, 8, 7]),
        synthesis.mantel_haenszel(np.broadcast_to([1, 4, 2, 3], (*shape, 4)), 9, [3, 5, 2, 4], 9),
    ]
    for fit in fits:
        assert fit.shape == shape, type(fit).__name__
        arrays = {n: getattr(fit, n) for n in type(fit).__dataclass_fields__}
        wrong = [
            name
            for name, value in arrays.items()
            if isinstance(value, np.ndarray) and value.shape[: len(shape)] != shape
        ]
        assert wrong == [], type(fit).__name__
