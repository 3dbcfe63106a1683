"""Network meta-analysis: every treatment compared with every other, on all evidence at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import (
    FloatArray,
    IntArray,
    confidence_level,
    require_option,
)
from trabecula.synthesis.distributions import critical_value, two_sided_p
from trabecula.synthesis.network.decomposition import q_parts
from trabecula.synthesis.network.design_estimates import DesignEstimates
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph, Solution, differences, resistance
from trabecula.synthesis.network.network_heterogeneity import (
    NetworkMethod,
    between_study_variance,
    q_profile,
)
from trabecula.synthesis.network.network_text import fit_sentences
from trabecula.synthesis.network.preset import preset_tau2
from trabecula.synthesis.result import Json, Result, shaped

NetworkTest = Literal["z", "t", "knapp-hartung"]
"""*z*: normal; *t*: t with the degrees of freedom of the total Q; *knapp-hartung*: the same, and
variances scaled by the observed weighted spread."""

SmallValues = Literal["desirable", "undesirable"]
"""Whether a small value of the effect is what a patient wants."""

Incoherence = Literal["tested", "untestable"]
"""*untestable*: no comparison has evidence from two sides that could disagree."""


@dataclass(frozen=True, slots=True, eq=False)
class NetworkFit(Result):
    """All treatments compared: matrices (..., treatments, treatments), row minus column.

    ``k`` studies, ``contrasts`` independent ones (arms less one, summed over studies).
    ``estimate``, ``se``, ``ci_low``, ``ci_high``, ``statistic``, ``p_value``, ``pi_low`` and
    ``pi_high`` are such matrices; their diagonals are 0, NaN for the statistic and its p-value.
    ``effect`` (..., treatments) and ``covariance`` (..., treatments, treatments) are the effects
    counted from their mean. The prediction interval is t with the degrees of freedom of the total
    Q, whatever ``test`` is; there is none for the common model, nor where these are 0.

    ``q`` is split into ``q_within`` designs and ``q_between`` designs, all without heterogeneity;
    ``interaction_q`` tests the differences between designs beyond a heterogeneity
    ``interaction_tau2`` estimated within designs. Where degrees of freedom are 0, p-values are
    NaN; ``incoherence`` then says that it is *untestable*. ``tau2`` is NaN where nothing can
    be known about heterogeneity, and the estimates are then those of the common model.
    The interval of ``i2`` is NaN with fewer than two degrees of freedom. ``leverage`` (...,
    studies) sums to the number of treatments less one.
    """

    method: NetworkMethod
    test: NetworkTest
    level: float
    treatments: tuple[str, ...]
    studies: tuple[str, ...]
    reference: str
    small_values: SmallValues | None
    incoherence: Incoherence
    designs: int
    k: IntArray
    contrasts: IntArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    df: FloatArray
    p_value: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    effect: FloatArray
    covariance: FloatArray
    tau2: FloatArray
    tau2_se: FloatArray
    tau2_ci_low: FloatArray
    tau2_ci_high: FloatArray
    i2: FloatArray
    i2_ci_low: FloatArray
    i2_ci_high: FloatArray
    q: FloatArray
    q_df: IntArray
    q_p_value: FloatArray
    q_within: FloatArray
    q_within_df: IntArray
    q_within_p_value: FloatArray
    q_between: FloatArray
    q_between_df: IntArray
    q_between_p_value: FloatArray
    interaction_tau2: FloatArray
    interaction_q: FloatArray
    interaction_p_value: FloatArray
    leverage: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error.

        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return " ".join(fit_sentences(self))

    def rows(self) -> list[dict[str, Json]]:
        """Return one record for each pair of treatments (first minus second), for one data set."""
        self.require_one("a table")
        names = ("estimate", "se", "ci_low", "ci_high", "statistic", "p_value", "pi_low", "pi_high")
        tables = {name: getattr(self, name) for name in names}
        records: list[dict[str, Json]] = []
        for i, first in enumerate(self.treatments):
            for j in range(i + 1, len(self.treatments)):
                record: dict[str, Json] = {"first": first, "second": self.treatments[j]}
                values = {name: float(table[i, j]) for name, table in tables.items()}
                record |= {n: v if np.isfinite(v) else None for n, v in values.items()}
                records.append(record)
        return records


def network_meta_analysis(
    evidence: NetworkEvidence,
    *,
    method: NetworkMethod = "REML",
    test: NetworkTest = "z",
    tau2: ArrayLike | None = None,
    level: float = 0.95,
    reference: str | None = None,
    small_values: SmallValues | None = None,
) -> NetworkFit:
    """Return every treatment compared with every other, on direct and indirect evidence.

    Parameters
    ----------
    evidence
        Contrasts or arms of studies that link all treatments; leading axes are data sets.
    method
        How the between-study variance is estimated, one for all comparisons. Multi-arm studies
        enter with the covariances of their contrasts, so that results do not depend on the
        choice of a reference; *common* assumes that there is no heterogeneity.
    test
        How intervals and p-values are formed. *z* is what the field uses; with few studies it
        is too narrow, *knapp-hartung* keeps its level better.
    tau2
        A between-study variance (...) to be taken as known instead of estimated; ``method`` is
        then without effect.
    level
        Confidence level of all intervals.
    reference
        The treatment against which the summary reports the others; the one in most contrasts
        where none is named. It has no influence on any number.
    small_values
        Whether small values are *desirable* or *undesirable*; treatments are ranked only where
        this is said.

    Raises
    ------
    DisconnectedNetwork
        If nothing links some treatments, naming the parts.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.
    ArithmeticError
        If the variances are too far apart for double precision.

    Notes
    -----
    Rücker (2012), Res Synth Methods 3:312-324; Rücker and Schwarzer (2014), Stat Med
    33:4353-4369, for multi-arm studies; Jackson, White and Riley (2012), Stat Med 31:3805-3820,
    for DL; Jackson and Riley (2014), Stat Med 33:541-554, for scaled variances; Krahn, Binder and
    König (2013), BMC Med Res Methodol 13:35, for the parts of Q.

    Examples
    --------
    >>> trials = ["A", "B", "C"], ["x", "x", "y"], ["y", "z", "z"]
    >>> evidence = NetworkEvidence.from_contrasts(*trials, [-0.4, -0.9, -0.2], [0.04, 0.05, 0.03])
    >>> fit = network_meta_analysis(evidence, method="common")
    >>> f"{fit.estimate[0, 2]:.3f} ({fit.ci_low[0, 2]:.3f} to {fit.ci_high[0, 2]:.3f})"
    '-0.775 (-1.110 to -0.440)'
    """
    require_option("method", method, get_args(NetworkMethod))
    require_option("test", test, get_args(NetworkTest))
    level = confidence_level(level)
    if small_values is not None:
        require_option("small_values", small_values, get_args(SmallValues))
    if reference is not None:
        require_option("reference", reference, evidence.treatments)
    graph = Graph.of(evidence)
    variance = _heterogeneity(graph, method, tau2, level)
    at = graph.solve(np.nan_to_num(variance["tau2"]))
    fixed = graph.solve(np.zeros_like(variance["tau2"]))
    values = _compared(graph, at, variance["tau2"], method, test, level) | variance
    estimates = DesignEstimates.of(graph, np.zeros_like(fixed.q))
    values |= q_parts(graph, fixed, estimates) | _inconsistency(graph, fixed.q, level)
    values["leverage"] = _leverage(graph, at, len(evidence.studies))
    values["k"] = np.full(len(at.q), len(evidence.studies))
    values["contrasts"] = np.full(len(at.q), graph.observations)
    return NetworkFit(
        method=method,
        test=test,
        level=level,
        treatments=evidence.treatments,
        studies=evidence.studies,
        reference=reference or evidence.treatments[graph.ground],
        small_values=small_values,
        incoherence="tested" if values["q_between_df"][0] > 0 else "untestable",
        designs=int(graph.design.max()) + 1,
        **shaped(values, evidence.shape),
    )


def _heterogeneity(
    graph: Graph, method: NetworkMethod, tau2: ArrayLike | None, level: float
) -> dict[str, Any]:
    sets = len(graph.rows.estimate)
    if tau2 is not None and method == "common":
        raise ValueError("tau2 is 0 where method is common: leave one of them out")
    if tau2 is not None:
        value, se = preset_tau2(graph, tau2), np.full(sets, np.nan)
    else:
        value, se = between_study_variance(graph, method)
    nothing = np.full(sets, np.nan)
    low, high = (nothing, nothing) if method == "common" else q_profile(graph, level)
    return {"tau2": value, "tau2_se": se, "tau2_ci_low": low, "tau2_ci_high": high}


def _compared(
    graph: Graph,
    at: Solution,
    tau2: FloatArray,
    method: NetworkMethod,
    test: NetworkTest,
    level: float,
) -> dict[str, Any]:
    df = np.full(len(at.q), float(graph.df) if test != "z" and graph.df > 0 else np.inf)
    scale = at.q / graph.df if test == "knapp-hartung" and graph.df > 0 else np.ones_like(at.q)
    estimate = differences(at.effect)
    variance = scale[:, None, None] * resistance(at.inverse)
    se = np.sqrt(variance)
    half = critical_value(level, df)[:, None, None] * se
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    wide = critical_value(level, np.full(1, 0.0 if method == "common" else float(graph.df)))
    reach = wide * np.sqrt(variance + tau2[:, None, None])
    np.einsum("...ii->...i", reach)[...] = 0.0
    centered = at.inverse - at.inverse.mean(axis=-1, keepdims=True)
    centered = centered - centered.mean(axis=-2, keepdims=True)
    return {
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "statistic": statistic,
        "df": df,
        "p_value": two_sided_p(statistic, df[:, None, None]),
        "pi_low": estimate - reach,
        "pi_high": estimate + reach,
        "effect": at.effect - at.effect.mean(axis=-1, keepdims=True),
        "covariance": scale[:, None, None] * centered,
    }


def _inconsistency(graph: Graph, q: FloatArray, level: float) -> dict[str, FloatArray]:
    """Return I² in percent with the test-based interval of Higgins and Thompson (2002)."""
    df = graph.df
    if df == 0:
        nothing = np.full_like(q, np.nan)
        return {"i2": nothing, "i2_ci_low": nothing, "i2_ci_high": nothing}
    log_h = np.maximum(np.log(np.maximum(q / df, 1e-300)), 0.0) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        many = (np.log(q) - np.log(df)) / (np.sqrt(2 * q) - np.sqrt(2 * df - 1)) / 2
        few = np.sqrt((1 - 1 / (3 * np.square(df - 1.0))) / (2 * (df - 1.0)))
    se = np.where(q > df + 1, many, few)
    half = float(critical_value(level, np.array(np.inf))) * se

    def percent(log_ratio: FloatArray) -> FloatArray:
        share: FloatArray = -100 * np.expm1(-2 * np.maximum(log_ratio, 0.0))
        return share

    return {
        "i2": percent(log_h),
        "i2_ci_low": percent(log_h - half),
        "i2_ci_high": percent(log_h + half),
    }


def _leverage(graph: Graph, at: Solution, studies: int) -> FloatArray:
    variances = resistance(at.inverse)
    first, second = graph.pairs[graph.pair].T
    of_rows = at.weight * graph.rows.row_variance(variances[..., first, second])
    leverage = np.zeros((studies, len(at.q)))
    np.add.at(leverage, graph.rows.study, of_rows.T)
    return leverage.T
