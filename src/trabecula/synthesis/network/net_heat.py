"""Where incoherence sits: how detaching one design changes what each design adds to Q."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.network.decomposition import deleted_pull, detachable
from trabecula.synthesis.network.design_estimates import DesignBlock, DesignEstimates
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph, Solution
from trabecula.synthesis.network.preset import preset_tau2
from trabecula.synthesis.network.study_groups import helmert
from trabecula.synthesis.result import Json, Result, shaped


@dataclass(frozen=True, slots=True, eq=False)
class NetHeat(Result):
    """The data of a net heat plot; its lines are the contrasts of each design.

    A design of ``a`` arms has ``a - 1`` lines, its first treatment against the others:
    ``design`` (lines,) names all its treatments, ``first`` and ``second`` those of the line.
    ``hat`` (..., lines, lines) is the contribution of the design estimate in the column to the
    network estimate in the row. ``q`` (..., lines) is what each line adds to Q between designs.
    ``heat`` (..., lines, lines) is by how much this falls in the row when the design of the
    column is detached: positive (warm) where the column drives the incoherence of the row,
    negative (cool) where it supports it. NaN in columns of designs that cannot be detached.
    """

    design: tuple[tuple[str, ...], ...]
    first: tuple[str, ...]
    second: tuple[str, ...]
    tau2: FloatArray
    q: FloatArray
    hat: FloatArray
    heat: FloatArray

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a cell of the heat matrix, for one data set."""
        self.require_one("a table")
        lines = list(zip(self.design, self.first, self.second, strict=True))
        heat, hat = self.heat.tolist(), self.hat.tolist()
        return [
            {
                "row_design": list(row[0]),
                "row_first": row[1],
                "row_second": row[2],
                "column_design": list(column[0]),
                "column_first": column[1],
                "column_second": column[2],
                "hat": hat[i][j],
                "heat": None if np.isnan(heat[i][j]) else heat[i][j],
            }
            for i, row in enumerate(lines)
            for j, column in enumerate(lines)
        ]


def net_heat(evidence: NetworkEvidence, *, tau2: ArrayLike = 0.0) -> NetHeat:
    """Return the contributions and the heat of all designs of a network.

    Parameters
    ----------
    evidence
        Contrasts or arms of studies that link all treatments; leading axes are data sets.
    tau2
        The between-study variance (...) to be allowed for, such as the ``interaction_tau2`` of
        a fit; 0 is the common model, for which the plot was proposed.

    Raises
    ------
    DisconnectedNetwork, ValueError, ArithmeticError
        As `network_meta_analysis`.

    Notes
    -----
    Krahn, Binder and König (2013), BMC Med Res Methodol 13:35. The lines of a multi-arm design
    depend on which of its treatments is first; their sum does not.
    """
    graph = Graph.of(evidence)
    known = preset_tau2(graph, tau2)
    at = graph.solve(known)
    estimates = DesignEstimates.of(graph, known)
    lines = _Lines.of(estimates, at, graph.treatments)
    before = lines.residual * (lines.precision @ lines.residual[..., None])[..., 0]
    after = _after_detaching(lines, graph, estimates, at, detachable(evidence))
    contributions = after * (lines.precision[:, None] @ after[..., None])[..., 0]
    heat = before[:, None, :] - contributions
    values: dict[str, Any] = {
        "tau2": known,
        "q": before,
        "hat": lines.matrix @ at.inverse @ lines.matrix.T @ lines.precision,
        "heat": np.swapaxes(heat[:, lines.design], -1, -2),
    }
    designs, names = evidence.designs, evidence.treatments
    return NetHeat(
        design=tuple(designs[i] for i in lines.design),
        first=tuple(names[i] for i in lines.matrix.argmax(axis=1)),
        second=tuple(names[i] for i in lines.matrix.argmin(axis=1)),
        **shaped(values, evidence.shape),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Lines:
    """The contrasts of all designs: their matrix (lines, treatments), precision and residual."""

    design: NDArray[np.int64]
    matrix: FloatArray
    precision: FloatArray
    residual: FloatArray

    @classmethod
    def of(cls, estimates: DesignEstimates, at: Solution, treatments: int) -> _Lines:
        design = np.concatenate([np.repeat(b.designs, b.arms - 1) for b in estimates.blocks])
        matrix = np.zeros((len(design), treatments))
        precision = np.zeros((len(at.q), len(design), len(design)))
        residual = np.zeros((len(at.q), len(design)))
        start = 0
        for block in estimates.blocks:
            size = block.arms - 1
            turn = _against_first(block)
            back = np.linalg.inv(turn)
            for i, place in enumerate(range(start, start + size * len(block.designs), size)):
                part = slice(place, place + size)
                matrix[part, block.treatments[i]] = turn @ helmert(block.arms)
                precision[:, part, part] = back.T @ block.precision[:, i] @ back
                residual[:, part] = block.residual(at)[:, i] @ turn.T
            start += size * len(block.designs)
        return cls(design, matrix, precision, residual)


def _against_first(block: DesignBlock) -> FloatArray:
    """Return the change from orthonormal contrasts to the first arm minus the others."""
    contrasts = np.hstack([np.ones((block.arms - 1, 1)), -np.eye(block.arms - 1)])
    return contrasts @ helmert(block.arms).T


def _after_detaching(
    lines: _Lines,
    graph: Graph,
    estimates: DesignEstimates,
    at: Solution,
    free: NDArray[np.bool_],
) -> FloatArray:
    """Return the residuals (data sets, designs, lines) after detaching each design."""
    after = np.full((len(at.q), len(free), len(lines.design)), np.nan)
    for block in estimates.blocks:
        basis = helmert(block.arms)
        pull = deleted_pull(graph, block, at, free[block.designs]) @ basis
        for i, design in enumerate(block.designs):
            if free[design]:
                moved = (at.inverse[:, :, block.treatments[i]] @ pull[:, i, :, None])[..., 0]
                left = lines.residual + moved @ lines.matrix.T
                after[:, design] = np.where(lines.design == design, 0.0, left)
    return after
