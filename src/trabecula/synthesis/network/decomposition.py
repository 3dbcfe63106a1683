"""Cochran's Q taken apart: within designs, between designs, and design by design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.distributions import chi2_upper_tail
from trabecula.synthesis.network.design_estimates import (
    DesignBlock,
    DesignEstimates,
    within_design_variance,
)
from trabecula.synthesis.network.evidence import NetworkEvidence, connected_parts
from trabecula.synthesis.network.graph import Graph, Solution
from trabecula.synthesis.network.preset import preset_tau2
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import number, p_value


@dataclass(frozen=True, slots=True, eq=False)
class DesignDecomposition(Result):
    """Q of the network (...) and of its designs (..., designs).

    ``q`` = ``q_within`` + ``q_between`` with degrees of freedom ``..._df`` and p-values.
    ``design_q`` is the spread of studies within each design, ``detached_q`` what is left of
    ``q_between`` when a design is detached, that is, has effects of its own; NaN where the
    other designs do not link all treatments. ``interaction_q`` is the spread between designs
    beyond a heterogeneity ``interaction_tau2``, estimated within designs. P-values are NaN
    where the degrees of freedom are 0.
    """

    designs: tuple[tuple[str, ...], ...]
    tau2: FloatArray
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
    studies: IntArray
    design_q: FloatArray
    design_df: IntArray
    design_p_value: FloatArray
    detached_q: FloatArray
    detached_df: IntArray
    detached_p_value: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a design, for one data set."""
        self.require_one("a table")
        parts = ("q", "df", "p_value")
        names = [
            "studies",
            *(f"{kind}_{part}" for kind in ("design", "detached") for part in parts),
        ]
        table = self.to_dict()
        columns: list[Any] = [table[name] for name in names]
        records: list[dict[str, Json]] = []
        for design, *cells in zip(self.designs, *columns, strict=True):
            records.append({"design": list(design), **dict(zip(names, cells, strict=True))})
        return records

    def summary(self) -> str:
        """Return what the parts of Q say, in sentences."""
        self.require_one()
        if self.q_between_df == 0:
            return (
                "Incoherence cannot be tested: no two designs inform a comparison independently. "
                f"{self._part('Within designs', 'q_within')}"
            )
        text = f"{self._part('Within designs', 'q_within')} "
        text += self._part("Between designs", "q_between")
        if self.q_within_df == 0:
            text += " No design has two studies: heterogeneity counts as incoherence here."
        else:
            text += (
                f" With the heterogeneity within designs (τ² = {float(self.interaction_tau2):.2g}) "
                f"between designs Q({self.q_between_df:.0f}) = "
                f"{number(float(self.interaction_q), 2)}, "
                f"{p_value(float(self.interaction_p_value))}."
            )
        if np.isfinite(self.detached_q).any():
            i = int(np.nanargmin(self.detached_q))
            text += (
                f" Detaching {' – '.join(self.designs[i])} lowers Q between designs most, to "
                f"{number(float(self.detached_q[i]), 2)}."
            )
        return text

    def _part(self, words: str, name: str) -> str:
        df = int(getattr(self, f"{name}_df"))
        if df == 0:
            return f"{words}: nothing to compare."
        q, p = float(getattr(self, name)), float(getattr(self, f"{name}_p_value"))
        return f"{words} Q({df}) = {number(q, 2)}, {p_value(p)}."


def design_decomposition(
    evidence: NetworkEvidence, *, tau2: ArrayLike = 0.0
) -> DesignDecomposition:
    """Return Cochran's Q within and between the designs of a network.

    A design is the set of treatments that a study compares. Spread within designs is
    heterogeneity; spread between them, incoherence.

    Parameters
    ----------
    evidence
        Contrasts or arms of studies that link all treatments; leading axes are data sets.
    tau2
        A between-study variance (...) beyond which spread counts; with 0, the usual choice,
        the parts are those of the common model. It does not enter ``interaction_...``.

    Raises
    ------
    DisconnectedNetwork, ValueError, ArithmeticError
        As `network_meta_analysis`.

    Notes
    -----
    Krahn, Binder and König (2013), BMC Med Res Methodol 13:35; Higgins et al. (2012), Res Synth
    Methods 3:98-110, for the interaction; its heterogeneity is the moment estimator of Jackson,
    White and Riley (2012), Stat Med 31:3805-3820.
    """
    graph = Graph.of(evidence)
    known = preset_tau2(graph, tau2)
    at = graph.solve(known)
    estimates = DesignEstimates.of(graph, known)
    values = q_parts(graph, at, estimates)
    values |= _by_design(evidence, graph, at, estimates, values["q_between"])
    return DesignDecomposition(
        designs=evidence.designs, **shaped({"tau2": known} | values, evidence.shape)
    )


def q_parts(graph: Graph, at: Solution, estimates: DesignEstimates) -> dict[str, Any]:
    """Return Q, its parts within and between designs, and the design-by-treatment interaction."""
    sets = len(at.q)
    fixed = DesignEstimates.of(graph, np.zeros(sets))
    tau2 = within_design_variance(fixed)
    interaction = DesignEstimates.of(graph, tau2).q_between(graph.solve(tau2))
    within = estimates.df_within
    parts = {
        "q": (at.q, graph.df),
        "q_within": (estimates.q_within, within),
        "q_between": (estimates.q_between(at), graph.df - within),
    }
    values: dict[str, Any] = {"interaction_tau2": tau2, "interaction_q": interaction}
    values["interaction_p_value"] = upper_tail(interaction, graph.df - within)
    for name, (q, df) in parts.items():
        values |= {name: q, f"{name}_df": np.full(sets, df)}
        values[f"{name}_p_value"] = upper_tail(q, df)
    return values


def upper_tail(q: FloatArray, df: int | IntArray) -> FloatArray:
    """Return the p-values of chi-square statistics; NaN where `df` is 0."""
    freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), q.shape)
    return np.where(freedom > 0, chi2_upper_tail(q, np.maximum(freedom, 1.0)), np.nan)


def detachable(evidence: NetworkEvidence) -> NDArray[np.bool_]:
    """Return for each design whether the other designs link all treatments without it."""
    members = np.zeros((len(evidence.designs), len(evidence.pairs)), dtype=bool)
    members[evidence.design[evidence.study], evidence.pair] = True
    rest = members.sum(axis=0) - members > 0
    size = len(evidence.treatments)
    return np.array([not connected_parts(size, evidence.pairs[kept]).any() for kept in rest])


def deleted_pull(
    graph: Graph, block: DesignBlock, at: Solution, chosen: NDArray[np.bool_]
) -> FloatArray:
    """Return what a design pulls at the network (..., group, arms - 1), per unit of covariance.

    The inverse covariance of the residual of the `chosen` designs (group,) times that residual;
    0 for the others. Detaching a design moves all effects by their covariance with it times this.
    With the precision L of the design and the covariance N that the other designs leave, that
    inverse is ``L + L N L``: nothing cancels, however precise the design.
    """
    of_row = graph.design[graph.rows.study]
    force = (block.precision @ block.residual(at)[..., None])[..., 0]
    pull = np.zeros_like(force)
    for i in np.flatnonzero(chosen):
        weight = np.where(of_row == block.designs[i], 0.0, at.weight)
        others = graph.grounded_inverse(graph.laplacian(weight))
        moved = block.covariance(others, int(i)) @ force[:, i, :, None]
        pull[:, i] = force[:, i] + (block.precision[:, i] @ moved)[..., 0]
    return pull


def _by_design(
    evidence: NetworkEvidence,
    graph: Graph,
    at: Solution,
    estimates: DesignEstimates,
    between: FloatArray,
) -> dict[str, Any]:
    sets, designs = len(at.q), len(evidence.designs)
    free = detachable(evidence)
    counts = {name: np.zeros((sets, designs), dtype=np.int64) for name in ("studies", "design_df")}
    detached_df = np.zeros((sets, designs), dtype=np.int64)
    design_q, detached_q = np.zeros((sets, designs)), np.full((sets, designs), np.nan)
    for block in estimates.blocks:
        place = block.designs
        counts["studies"][:, place], counts["design_df"][:, place] = block.studies, block.df
        design_q[:, place] = block.q
        detached_df[:, place] = graph.df - estimates.df_within - (block.arms - 1)
        drop = (deleted_pull(graph, block, at, free[place]) * block.residual(at)).sum(axis=-1)
        left = np.maximum(between[:, None] - drop, 0.0)
        detached_q[:, place] = np.where(free[place], left, np.nan)
    detached_df = np.where(free, detached_df, 0)
    design_q = np.where(counts["design_df"] > 0, design_q, 0.0)
    return counts | {
        "design_q": design_q,
        "design_p_value": upper_tail(design_q, counts["design_df"]),
        "detached_q": detached_q,
        "detached_df": detached_df,
        "detached_p_value": upper_tail(detached_q, detached_df),
    }
