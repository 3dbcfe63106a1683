"""Standard errors that hold whatever the dependence within clusters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import numpy as np

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level, require_option
from trabecula.synthesis.dependent.estimation import (
    coefficient_tests,
    groups_present,
    tested,
)
from trabecula.synthesis.dependent.linear import (
    coefficient_rows,
    coefficient_sentence,
)
from trabecula.synthesis.dependent.partition import chain, codes_of
from trabecula.synthesis.dependent.pulls import Pulls
from trabecula.synthesis.dependent.sampling import Labels
from trabecula.synthesis.dependent.working import WorkingModel
from trabecula.synthesis.pairwise.wald import omnibus_p, omnibus_statistic
from trabecula.synthesis.result import Json, Result, shaped

Correction = Literal["CR2", "CR1", "CR0"]
"""*CR2*: unbiased if the working model holds, with Satterthwaite degrees of freedom; *CR1*: CR0
times m / (m - p) for m clusters and p coefficients, m - p degrees of freedom; *CR0*: no
correction, m - p degrees of freedom."""

FEW = 4.0
"""Below so many Satterthwaite degrees of freedom p-values are too small to be trusted (Tipton
2015, Psychol Methods 20:375-393)."""


class WorkingFit(Protocol):
    """A fit that can say what it assumes about every pair of rows."""

    @property
    def working(self) -> WorkingModel:
        """The model behind the coefficients."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class RobustFit(Result):
    """Coefficients of another fit with cluster-robust standard errors and tests.

    Arrays have the leading axes of the data; those of coefficients have ``names`` as their last
    axis. ``f`` tests all coefficients but the intercept, or all where there is no other; for CR2
    it is an approximate Hotelling test. Where its residual degrees of freedom fall below 1 there
    is no p-value (NaN), nor where a standard error is 0 because nothing is left of the estimates.
    """

    correction: Correction
    level: float
    names: tuple[str, ...]
    k: IntArray
    clusters: IntArray
    coefficients: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    covariance: FloatArray
    f: FloatArray
    f_df: IntArray
    f_df_residual: FloatArray
    f_p_value: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one row a coefficient, for one data set."""
        return coefficient_rows(self)

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error."""
        self.require_one()
        head = f"Cluster-robust estimates ({self.correction}, {self.clusters} clusters)"
        text = coefficient_sentence(self, head)
        if not self.se.all():
            text += " A standard error of 0 says that the clusters leave no residuals, no more."
        few = [n for n, d in zip(self.names, self.df, strict=True) if d < FEW]
        if self.correction == "CR2" and few:
            text += (
                f" Below {FEW:g} degrees of freedom ({', '.join(few)}) neither interval nor "
                "p-value can be trusted."
            )
        return text


def cluster_robust(
    fit: WorkingFit,
    cluster: Labels,
    *,
    correction: Correction = "CR2",
    level: float = 0.95,
) -> RobustFit:
    """Return the coefficients of `fit` with standard errors robust to dependence in clusters.

    Parameters
    ----------
    fit
        A `MultilevelFit`, a `MultivariateFit`, or what `inverse_variance_model` makes of the data
        and the between-study variance of a pairwise model.
    cluster
        One label a row. Rows of different clusters must be independent in `fit`.
    correction
        Correction for few clusters.
    level
        Confidence level of the intervals.

    Raises
    ------
    ValueError
        If there are no more clusters than coefficients, or `fit` ties rows of different
        clusters together.

    Notes
    -----
    Hedges, Tipton and Johnson (2010), Res Synth Methods 1:39-65; Pustejovsky and Tipton (2018),
    J Bus Econ Stat 36:672-683, for CR2 and its degrees of freedom; Tipton and Pustejovsky
    (2015), J Educ Behav Stat 40:604-634, for the Hotelling test.
    """
    require_option("correction", correction, get_args(Correction))
    level = confidence_level(level)
    working = fit.working
    rows = working.rows
    _, code = codes_of("cluster", cluster, rows.estimate.shape[1])
    clusters = groups_present(rows, code)
    p = len(rows.design.names)
    if (clusters <= p).any():
        raise ValueError(
            f"{int(clusters.min())} clusters cannot carry robust standard errors of {p} "
            "coefficients: more clusters than coefficients are needed"
        )
    _require_whole(working, code)
    values = _robust(working, code, correction, level, clusters.astype(np.float64))
    values |= {"k": rows.k.astype(np.int64), "clusters": clusters}
    return RobustFit(
        correction=correction, level=level, names=rows.design.names, **shaped(values, rows.shape)
    )


def _require_whole(working: WorkingModel, code: IntArray) -> None:
    """Raise `ValueError` if rows that the working model ties together have different clusters."""
    links = [working.rows.sampling.links, *(chain(c.group) for c in working.components)]
    pairs = np.concatenate(links)
    apart = code[pairs[:, 0]] != code[pairs[:, 1]]
    if apart.any():
        i, j = (int(x) for x in pairs[apart][0])
        raise ValueError(
            f"rows {i} and {j} lie in different clusters, but the fit takes them for dependent: "
            "give clusters that hold them together"
        )


def _robust(
    working: WorkingModel, code: IntArray, correction: Correction, level: float, m: FloatArray
) -> dict[str, Any]:
    rows, which = working.rows, tested(working.rows.design.names)
    pulls = Pulls.of(working, code, adjusted=correction == "CR2")
    p, q = len(rows.design.names), len(which)
    covariance = pulls.meat * rows.unit[:, None, None] ** 2
    coefficients = rows.unit[:, None] * (working.basis_coefficients @ rows.design.turn.T)
    if correction == "CR1":
        covariance = covariance * (m / (m - p))[:, None, None]
    if correction == "CR2":
        each = [pulls.degrees_of_freedom([s]) for s in range(p)]
        df, whole = np.stack(each, axis=1), pulls.degrees_of_freedom(which)
        left = whole - q + 1
        share = np.where(left > 0, left / whole, np.nan)
    else:
        df, left, share = np.repeat((m - p)[:, None], p, axis=1), m - p, np.ones_like(m)
    f = share * omnibus_statistic(coefficients, covariance, which, m)
    return {
        "coefficients": coefficients,
        "covariance": covariance,
        **coefficient_tests(coefficients, covariance, df, level),
        "f": f,
        "f_df": np.full(len(m), q),
        "f_df_residual": left,
        "f_p_value": np.where(left >= 1, omnibus_p(f, q, np.maximum(left, 1.0)), np.nan),
    }
