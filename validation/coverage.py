"""Simulate how often intervals hold the truth: ``make validate``.

Studies have sampling variances drawn once per data set, uniform between `SMALLEST` and
`LARGEST`; true effects are normal around 0 with the variance of the cell; estimates are normal
around the true effects. For each cell of the grid (studies, variance between them) all methods
see the same `REPLICATES` data sets. An interval that misses 0 is a false positive of the test
behind it, so that the type-I error is one minus the coverage of the mean; it is printed all the
same. The table is written to ``validation/coverage.csv``, and to the manual.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trabecula.synthesis import (
    NetworkEvidence,
    RandomEffectsFit,
    network_meta_analysis,
    random_effects,
    regression_test,
)

SEED = 20261122
REPLICATES = 20_000
"""Data sets a cell; the standard error of a coverage near 95 % is 0.15 percentage points."""

SMALLEST, LARGEST = 0.05, 0.3
"""Range of sampling variances: of standardised mean differences of 14 to 80 patients."""

STUDIES = (3, 4, 5, 7, 10, 20, 50)
TAU2 = (0.0, 0.05, 0.15, 0.5)
"""Variances between studies: I² about 0, 25, 50 and 77 %."""

TABLE = Path(__file__).parent / "coverage.csv"
PAGE = Path(__file__).parent.parent / "docs" / "synthesis" / "simulation.md"


@dataclass(frozen=True)
class Method:
    """A way to form an interval of the mean, by the options of `random_effects`."""

    name: str
    method: str
    test: str

    def fit(self, estimate: np.ndarray, variance: np.ndarray) -> RandomEffectsFit:
        """Return the fits of all data sets."""
        options = {"method": self.method, "test": self.test}
        return random_effects(estimate, variance, **options)  # type: ignore[arg-type]


METHODS = (
    Method("common, z", "common", "z"),
    Method("DL, z", "DL", "z"),
    Method("REML, z", "REML", "z"),
    Method("REML, t", "REML", "t"),
    Method("REML, Knapp-Hartung", "REML", "knapp-hartung"),
    Method("REML, Knapp-Hartung conservative", "REML", "knapp-hartung-conservative"),
    Method("PM, Knapp-Hartung", "PM", "knapp-hartung"),
)

FUNNEL_STUDIES = 10
"""Fewest studies of a test for funnel plot asymmetry."""

NETWORK_TREATMENTS = 4
"""Treatments of the simulated networks: each study compares two neighbours on a circle, so that
every pair has direct and indirect evidence; from 5 studies on the circle is closed."""

NETWORK_TESTS = ("z", "t", "knapp-hartung")

NETWORK_REPLICATES = 2_000
"""Data sets a cell of networks, which take longer; the standard error is 0.5 points."""

DEFAULT = METHODS[4]
"""The default of `random_effects`: its interval of tau2 and its prediction interval are shown."""


@dataclass(frozen=True)
class Cell:
    """One cell of the grid: percentages of data sets, and mean widths."""

    quantity: str
    method: str
    k: int
    tau2: float
    coverage: float
    width: float


def data_sets(k: int, tau2: float, replicates: int, seed: int) -> tuple[np.ndarray, ...]:
    """Return estimates, variances (replicates, k) and the true effect of one more study."""
    rng = np.random.default_rng([seed, k, round(1000 * tau2)])
    variance = rng.uniform(SMALLEST, LARGEST, (replicates, k))
    estimate = rng.normal(0.0, np.sqrt(variance + tau2))
    return estimate, variance, rng.normal(0.0, np.sqrt(tau2), replicates)


def cells(k: int, tau2: float, replicates: int = REPLICATES, seed: int = SEED) -> Iterator[Cell]:
    """Yield the coverage of every interval in one cell of the grid."""
    estimate, variance, new = data_sets(k, tau2, replicates, seed)
    for method in METHODS:
        fit = method.fit(estimate, variance)
        yield _cell("mean", method, k, tau2, fit.ci_low, fit.ci_high, 0.0)
        if method is DEFAULT:
            low, high = fit.tau2_ci_low, fit.tau2_ci_high
            yield _cell("tau2 (Q-profile)", method, k, tau2, low, high, tau2)
            yield _cell("prediction", method, k, tau2, fit.pi_low, fit.pi_high, new)


def funnel_cells(
    k: int, tau2: float, replicates: int = REPLICATES, seed: int = SEED
) -> Iterator[Cell]:
    """Yield how often tests for asymmetry stay silent where no study is missing."""
    if k < FUNNEL_STUDIES:
        return
    estimate, variance, _ = data_sets(k, tau2, replicates, seed)
    for model in ("weighted-regression", "random-effects"):
        p = regression_test(estimate, variance, model=model).p_value  # type: ignore[arg-type]
        silent = 100 * float(np.mean(p >= 0.05))
        yield Cell("no asymmetry found (regression test)", model, k, tau2, silent, math.nan)


def network_cells(
    k: int, tau2: float, replicates: int = NETWORK_REPLICATES, seed: int = SEED
) -> Iterator[Cell]:
    """Yield the coverage of an indirectly informed difference in a network of `k` studies."""
    if k <= NETWORK_TREATMENTS:
        return
    estimate, variance, _ = data_sets(k, tau2, replicates, seed)
    first = [f"t{i % NETWORK_TREATMENTS}" for i in range(k)]
    second = [f"t{(i + 1) % NETWORK_TREATMENTS}" for i in range(k)]
    studies = [f"s{i}" for i in range(k)]
    evidence = NetworkEvidence.from_contrasts(studies, first, second, estimate, variance)
    for test in NETWORK_TESTS:
        fit = network_meta_analysis(evidence, test=test)  # type: ignore[arg-type]
        method = Method(f"REML, {test}", "REML", test)
        low, high = fit.ci_low[..., 0, 2], fit.ci_high[..., 0, 2]
        yield _cell("network, opposite treatments", method, k, tau2, low, high, 0.0)


def _cell(
    quantity: str,
    method: Method,
    k: int,
    tau2: float,
    low: np.ndarray,
    high: np.ndarray,
    truth: float | np.ndarray,
) -> Cell:
    held = (low <= truth) & (truth <= high)
    width = float(np.mean(high - low))
    return Cell(quantity, method.name, k, tau2, 100 * float(held.mean()), width)


def table(found: list[Cell]) -> str:
    """Return the cells as Markdown, one table a quantity, coverages in percent."""
    lines = []
    for quantity in dict.fromkeys(c.quantity for c in found):
        mine = [c for c in found if c.quantity == quantity]
        columns = [(k, t) for k in STUDIES for t in TAU2]
        lines += [f"### {quantity}", "", "| k | τ² | " + " | ".join(_names(mine)) + " |"]
        lines += ["|--:|--:|" + "--:|" * len(_names(mine))]
        for k, t in columns:
            row = [f"{c.coverage:.1f}" for c in mine if (c.k, c.tau2) == (k, t)]
            lines += [f"| {k} | {t:g} | " + " | ".join(row) + " |"] if row else []
        lines.append("")
    return "\n".join(lines)


def _names(found: list[Cell]) -> list[str]:
    return list(dict.fromkeys(c.method for c in found))


def page(found: list[Cell]) -> str:
    """Return the chapter of the manual."""
    return f"""# How often the intervals hold the truth

Written by `make validate` (seed {SEED}, {REPLICATES:,} data sets a cell, so that the standard
error of a coverage near 95 % is 0.15; of networks {NETWORK_REPLICATES:,}, 0.5).
A test holds this page to `validation/coverage.csv` and repeats part of it.
Sampling variances are uniform between {SMALLEST:g} and {LARGEST:g}, true effects and estimates
normal.
Numbers are percentages of data sets whose 95 % interval held the truth; 100 minus that of the
mean is the type-I error of its test. For tests of asymmetry the number is the percentage of data
sets in which they rightly found none.

{table(found)}"""


def read() -> list[Cell]:
    """Return the committed table."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return [
            Cell(r["quantity"], r["method"], int(r["k"]), float(r["tau2"]),
                 float(r["coverage"]), float(r["width"]))
            for r in csv.DictReader(file)
        ]  # fmt: skip


def write(found: list[Cell]) -> None:
    """Write the table and its page."""
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("quantity", "method", "k", "tau2", "coverage", "width"))
        for c in found:
            row = (c.quantity, c.method, c.k, f"{c.tau2:g}", f"{c.coverage:.2f}", f"{c.width:.4g}")
            writer.writerow(row)
    PAGE.write_text(page(read()), encoding="utf-8")


def main() -> None:
    """Fill the grid, telling what is being done."""
    found: list[Cell] = []
    for k in STUDIES:
        for tau2 in TAU2:
            for fill in (cells, funnel_cells, network_cells):
                found += fill(k, tau2)
            sys.stderr.write(f"k = {k}, tau2 = {tau2:g}: done\n")
    write(sorted(found, key=lambda c: (c.quantity, c.k, c.tau2)))


if __name__ == "__main__":
    main()
