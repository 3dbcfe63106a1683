"""The 13 BCG trials with their moderators, from the golden table."""

from __future__ import annotations

import csv

import numpy as np

from tests.synthesis.reference import GOLDEN
from trabecula.synthesis.pairwise.moderators import categorical


def column(name: str) -> np.ndarray:
    """Return a column of numbers of the table."""
    return np.array([float(row[name]) for row in rows()])


def rows() -> list[dict[str, str]]:
    """Return the table, one record a trial."""
    with (GOLDEN / "metafor_bcg_rr.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


Y, V, LATITUDE, YEAR = (column(name) for name in ("yi", "vi", "ablat", "year"))
ALLOCATION, LEVELS = categorical([row["alloc"] for row in rows()])
