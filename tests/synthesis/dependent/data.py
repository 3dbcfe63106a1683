"""Public data sets of dependent estimates, as the tests of this folder use them."""

from __future__ import annotations

import csv
from typing import NamedTuple

import numpy as np

from tests.synthesis.reference import GOLDEN
from trabecula.synthesis.dependent import BlockCovariance


class Schools(NamedTuple):
    """56 studies of modified school calendars in 11 districts (Konstantopoulos 2011)."""

    estimate: np.ndarray
    variance: np.ndarray
    district: np.ndarray
    school: np.ndarray
    year: np.ndarray

    @property
    def levels(self) -> dict[str, np.ndarray]:
        """Schools within districts."""
        return {"district": self.district, "school": self.school}


class Outcomes(NamedTuple):
    """Rows of several outcomes a study."""

    estimate: np.ndarray
    covariance: BlockCovariance
    study: np.ndarray
    outcome: np.ndarray
    moderator: np.ndarray


def schools() -> Schools:
    """Return the schools of the golden file."""
    table = _table("metafor_konstantopoulos2011.csv")
    return Schools(
        estimate=table["yi"],
        variance=table["vi"],
        district=table["district"],
        school=table["school"],
        year=table["year"],
    )


def tuberculosis() -> Outcomes:
    """Return log odds of tuberculosis in both arms of 13 trials, with latitude minus 33."""
    table = _table("metafor_bcg_counts.csv")
    events = np.concatenate([table["tpos"], table["cpos"]])
    others = np.concatenate([table["tneg"], table["cneg"]])
    return Outcomes(
        estimate=np.log(events / others),
        covariance=BlockCovariance.of(np.diag(1 / events + 1 / others)),
        study=np.tile(np.arange(13), 2),
        outcome=np.repeat(["vaccinated", "control"], 13),
        moderator=np.tile(table["ablat"] - 33, 2),
    )


PERIODONTITIS = (
    (1983, 0.47, -0.32, 0.0075, 0.0030, 0.0077),
    (1982, 0.20, -0.60, 0.0057, 0.0009, 0.0008),
    (1979, 0.40, -0.12, 0.0021, 0.0007, 0.0014),
    (1987, 0.26, -0.31, 0.0029, 0.0009, 0.0015),
    (1988, 0.56, -0.39, 0.0148, 0.0072, 0.0304),
)
"""Berkey et al. (1998), five trials: year, probing depth, attachment level, and the variance of
the first, the covariance, the variance of the second."""


def periodontitis() -> Outcomes:
    """Return both outcomes of the five trials, with year minus 1983."""
    year, depth, attachment, *_ = np.array(PERIODONTITIS).T
    blocks = np.zeros((10, 10))
    for i, (*_, first, both, second) in enumerate(PERIODONTITIS):
        blocks[2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = [[first, both], [both, second]]
    return Outcomes(
        estimate=np.stack([depth, attachment], axis=1).ravel(),
        covariance=BlockCovariance.of(blocks),
        study=np.repeat(np.arange(5), 2),
        outcome=np.tile(["depth", "attachment"], 5),
        moderator=np.repeat(year - 1983, 2),
    )


def _table(name: str) -> dict[str, np.ndarray]:
    with (GOLDEN / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        column: np.array([float(row[column]) for row in rows])
        for column in rows[0]
        if column not in ("author", "alloc")
    }
