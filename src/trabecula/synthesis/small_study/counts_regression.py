"""Regression tests for funnel plots of odds ratios, made from the counts themselves."""

from __future__ import annotations

from typing import get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    COUNT,
    FloatArray,
    confidence_level,
    numbers,
    require,
    require_option,
)
from trabecula.synthesis.small_study.refusal import (
    ASYMMETRY,
    MINIMUM_STUDIES,
    require_spread,
    require_studies,
)
from trabecula.synthesis.small_study.regression_test import (
    CountVariant,
    RegressionTest,
    line_values,
    result_of,
)
from trabecula.synthesis.small_study.weighted_regression import Line
from trabecula.synthesis.studies import Studies

HALF = 0.5
"""Added to all cells of a table with an empty one, so that its odds ratio exists."""

PREDICTORS: dict[CountVariant, str] = {
    "peters": "inverse-sample-size",
    "harbord": "standard-error",
    "deeks": "inverse-square-root-sample-size",
}
"""What the log odds ratio is regressed on; for Deeks the sample size is the effective one."""


def regression_test_of_counts(
    events_1: ArrayLike,
    total_1: ArrayLike,
    events_2: ArrayLike,
    total_2: ArrayLike,
    *,
    variant: CountVariant = "harbord",
    level: float = 0.95,
    minimum_studies: int = MINIMUM_STUDIES,
) -> RegressionTest:
    """Return a regression test of log odds ratios that does not mistake their scale for asymmetry.

    The standard error of a log odds ratio depends on the odds ratio, so that Egger's test rejects
    too often. These tests use measures of size that do not.

    Parameters
    ----------
    events_1, total_1, events_2, total_2
        Arrays (..., studies) that broadcast: events and sizes of both groups. NaN marks a missing
        study. Studies without any event, or with events in everyone, say nothing about the odds
        ratio and are left out.
    variant
        *peters*: log odds ratio on 1 / size, weighted by 1 / (1 / events + 1 / others); *harbord*:
        score over its variance V on V^(-1/2), weighted by V; *deeks*: log odds ratio on
        ESS^(-1/2), weighted by the effective sample size ESS, made for diagnostic odds ratios.
    level
        Confidence level of the limit estimate, a log odds ratio.
    minimum_studies
        Fewest informative studies; at least 3.

    Raises
    ------
    TooFewStudies
        If a data set has fewer.
    SimilarStandardErrors
        If the studies of a data set are all about of one size.

    Notes
    -----
    Peters et al. (2006), JAMA 295:676-680; Harbord, Egger and Sterne (2006), Stat Med
    25:3443-3457; Deeks, Macaskill and Irwig (2005), J Clin Epidemiol 58:882-893. Log odds ratios of
    tables with an empty cell get `HALF` in all four; Harbord's score needs no such correction.

    Examples
    --------
    >>> n = [500, 420, 300, 250, 200, 150, 100, 80, 60, 40]
    >>> test = regression_test_of_counts([40, 30, 20, 15, 10, 6, 3, 2, 1, 1], n,
    ...                                  [50, 42, 33, 28, 24, 18, 13, 11, 9, 7], n)
    >>> f"slope {test.slope:.2f} (SE {test.slope_se:.2f})"
    'slope -3.31 (SE 0.24)'
    """
    require_option("variant", variant, get_args(CountVariant))
    level = confidence_level(level)
    a, n1, c, n2 = _tables(events_1, total_1, events_2, total_2)
    events, total = a + c, n1 + n2
    with np.errstate(divide="ignore", invalid="ignore"):
        if variant == "harbord":
            spread = n1 * n2 * events * (total - events) / (total**2 * (total - 1))
            y, x, weight = (a - events * n1 / total) / spread, spread**-0.5, spread
        elif variant == "peters":
            y, x = _log_odds_ratio(a, n1, c, n2), 1 / total
            weight = events * (total - events) / total
        else:
            size = 4 * n1 * n2 / total
            y, x, weight = _log_odds_ratio(a, n1, c, n2), size**-0.5, size
        silent = (events == 0) | (events == total)
        y, weight = np.where(silent, np.nan, y), np.where(silent, np.nan, weight)
        studies = Studies.read(y, 1 / weight)
    require_studies(studies.k, minimum_studies, 3, ASYMMETRY)
    size = np.where(studies.present > 0, x.reshape(studies.estimate.shape), 1.0)
    power = 1 if variant == "peters" else 2
    require_spread(size**power, studies.present)
    line = Line.through(studies.estimate, size, studies.present / studies.variance)
    values = line_values(studies, line)
    return result_of(variant, PREDICTORS[variant], level, values, studies, has_limit=True)


def _tables(*counts: ArrayLike) -> list[FloatArray]:
    names = ("events_1", "total_1", "events_2", "total_2")
    values = [numbers(name, count) for name, count in zip(names, counts, strict=True)]
    for name, value in zip(names, values, strict=True):
        require(name, value, COUNT, missing=True)
    try:
        a, n1, c, n2 = np.broadcast_arrays(*values)
    except ValueError as error:
        shapes = ", ".join(str(value.shape) for value in values)
        raise ValueError(f"{', '.join(names)} must broadcast, got shapes {shapes}") from error
    for events, total, group in ((a, n1, 1), (c, n2, 2)):
        if (events > total).any():
            raise ValueError(f"events_{group} must not exceed total_{group}")
    return [a, n1, c, n2]


def _log_odds_ratio(a: FloatArray, n1: FloatArray, c: FloatArray, n2: FloatArray) -> FloatArray:
    b, d = n1 - a, n2 - c
    more = np.where((a == 0) | (b == 0) | (c == 0) | (d == 0), HALF, 0.0)
    ratio: FloatArray = np.log((a + more) / (b + more)) - np.log((c + more) / (d + more))
    return ratio
