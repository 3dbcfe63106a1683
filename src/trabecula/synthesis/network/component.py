"""Component network meta-analysis: the effect of a combination as the sum of its components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from trabecula.synthesis.arguments import (
    FloatArray,
    IntArray,
    confidence_level,
    require_option,
)
from trabecula.synthesis.network.components import Components
from trabecula.synthesis.network.decomposition import upper_tail
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.independent_rows import IndependentRows
from trabecula.synthesis.network.network_heterogeneity import NetworkMethod
from trabecula.synthesis.network.normal_inference import normal_inference
from trabecula.synthesis.pairwise.moderators import Design
from trabecula.synthesis.pairwise.projection import Projection
from trabecula.synthesis.pairwise.regression_heterogeneity import between_study_variance
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import decimals, interval, number, p_value, percent

SPANNED = 1e-8
"""Length of what is left of a unit vector outside the space that the studies inform, below which
it counts as inside: designs hold small whole numbers, far from it."""


@dataclass(frozen=True, slots=True, eq=False)
class ComponentFit(Result):
    """Effects of components and of their combinations, with leading axes (..., data sets).

    ``component_estimate`` (..., components) and its companions are the effects of adding a
    component, interactions last; ``estimate`` (..., treatments, treatments) and its companions
    are those of treatments, row minus column. NaN stands where studies and additivity do not
    tell: ``identifiable`` says which components can be estimated. ``q_additive`` is the residual
    of the model without heterogeneity, ``q_standard`` that of a network of whole treatments;
    their difference tests additivity. Degrees of freedom of 0 have a p-value of NaN.
    """

    method: NetworkMethod
    level: float
    treatments: tuple[str, ...]
    components: tuple[str, ...]
    inactive: str | None
    identifiable: tuple[bool, ...]
    parts: int
    k: IntArray
    tau2: FloatArray
    component_estimate: FloatArray
    component_se: FloatArray
    component_ci_low: FloatArray
    component_ci_high: FloatArray
    component_statistic: FloatArray
    component_p_value: FloatArray
    estimate: FloatArray
    se: FloatArray
    ci_low: FloatArray
    ci_high: FloatArray
    statistic: FloatArray
    p_value: FloatArray
    q_additive: FloatArray
    q_additive_df: IntArray
    q_additive_p_value: FloatArray
    q_standard: FloatArray
    q_standard_df: IntArray
    q_standard_p_value: FloatArray
    q_difference: FloatArray
    q_difference_df: IntArray
    q_difference_p_value: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error.

        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return " ".join(_sentences(self))

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a component; what cannot be estimated is ``None``."""
        self.require_one("a table")
        names = ("estimate", "se", "ci_low", "ci_high", "p_value")
        records: list[dict[str, Json]] = []
        for i, component in enumerate(self.components):
            record: dict[str, Json] = {"component": component}
            record["identifiable"] = self.identifiable[i]
            values = {n: float(getattr(self, f"component_{n}")[i]) for n in names}
            record |= {n: v if np.isfinite(v) else None for n, v in values.items()}
            records.append(record)
        return records


def component_network(
    evidence: NetworkEvidence,
    combination: Mapping[str, Sequence[str]] | None = None,
    *,
    interactions: Sequence[tuple[str, str]] = (),
    inactive: str | None = None,
    method: NetworkMethod = "REML",
    level: float = 0.95,
) -> ComponentFit:
    """Return the effects of the components of treatments, and of treatments as their sums.

    Parameters
    ----------
    evidence
        Studies; leading axes are data sets. They need not link all treatments: common components
        can connect parts that no study connects.
    combination
        The components of each treatment; without it ``A+B`` holds A and B.
    interactions
        Pairs of components whose joint effect may differ from the sum; each costs a degree of
        freedom.
    inactive
        A component without effect of its own, such as placebo.
    method
        How the between-study variance is estimated, one for all contrasts; *common*: none.
    level
        Confidence level of all intervals, which are normal.

    Raises
    ------
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Rücker, Petropoulou and Schwarzer (2020), Biom J 62:808-821; Welton et al. (2009), Am J
    Epidemiol 169:1158-1165. Additivity is an assumption: where ``q_difference_df`` is 0 it
    cannot be tested.

    Examples
    --------
    >>> trials = ["1", "2"], ["A+B", "A"], ["A", "P"]
    >>> evidence = NetworkEvidence.from_contrasts(*trials, [-0.4, -0.9], [0.04, 0.05])
    >>> fit = component_network(evidence, inactive="P", method="common")
    >>> dict(zip(fit.components, fit.component_estimate.round(2).tolist()))
    {'A': -0.9, 'B': -0.4}
    """
    require_option("method", method, get_args(NetworkMethod))
    level = confidence_level(level)
    components = Components.of(evidence.treatments, combination, interactions, inactive)
    rows = evidence.independent_rows()
    whole = rows.design_matrix()
    additive = _Regression.of(rows, whole @ components.matrix)
    standard = _Regression.of(rows, whole)
    tau2 = additive.heterogeneity(method)
    at = additive.solve(np.nan_to_num(tau2))
    own = additive.contrast(at, np.eye(len(components.names)))
    one, other = np.indices((len(evidence.treatments),) * 2)
    pairs = components.matrix[one.ravel()] - components.matrix[other.ravel()]
    between, spread = additive.contrast(at, pairs)
    square = (len(rows.estimate), *one.shape)
    values = {f"component_{n}": v for n, v in normal_inference(*own, level).items()}
    values |= normal_inference(between.reshape(square), spread.reshape(square), level)
    return ComponentFit(
        method=method,
        level=level,
        treatments=evidence.treatments,
        components=components.names,
        inactive=inactive,
        identifiable=tuple(bool(x) for x in additive.spans(np.eye(len(components.names)))),
        parts=len(evidence.parts),
        **shaped(
            {"k": np.full(len(tau2), len(evidence.studies)), "tau2": tau2}
            | values
            | _decomposed(additive, standard),
            evidence.shape,
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Regression:
    """Weighted regression of independent rows on columns that need not be independent.

    ``basis`` (columns, rank) spans the combinations of columns that the rows inform.
    """

    rows: IndependentRows
    matrix: FloatArray
    basis: FloatArray

    @classmethod
    def of(cls, rows: IndependentRows, columns: FloatArray) -> _Regression:
        _, size, vectors = np.linalg.svd(columns[0])
        rank = int((size > SPANNED * size[:1]).sum()) if size.size and size[0] > 0 else 0
        if rank == 0:
            raise ValueError("no study compares treatments that differ in their components")
        return cls(rows, columns @ vectors[:rank].T, vectors[:rank].T)

    @property
    def df(self) -> int:
        """The degrees of freedom left."""
        rows, columns = self.matrix.shape[1:]
        return int(rows - columns)

    def heterogeneity(self, method: NetworkMethod) -> FloatArray:
        """Return the between-study variance (data sets,); NaN where no degree is left."""
        sets = len(self.rows.estimate)
        if method == "common":
            return np.zeros(sets)
        if self.df == 0:
            return np.full(sets, np.nan)
        names = [f"direction {i}" for i in range(self.matrix.shape[2])]
        matrix = self.matrix if len(self.matrix) > 1 else self.matrix[0]
        design = Design.read(self.rows.estimate, self.rows.variance, matrix, names, intercept=False)
        return between_study_variance(design, method)

    def solve(self, tau2: FloatArray) -> Projection:
        """Return the fit with weights ``1 / (variance + tau2)``."""
        weight = 1 / (self.rows.variance + tau2[:, None])
        return Projection.of(self.matrix, self.rows.estimate, weight)

    def spans(self, rows: FloatArray) -> Any:
        """Return which combinations (combinations, columns) of coefficients can be estimated."""
        outside = rows - rows @ self.basis @ self.basis.T
        return np.abs(outside).max(axis=1) <= SPANNED * np.maximum(np.abs(rows).max(axis=1), 1)

    def contrast(self, at: Projection, rows: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return estimates and standard errors (data sets, combinations), NaN where unknown."""
        turned = rows @ self.basis @ at.inverse
        estimate = (turned @ at.coordinates[..., None])[..., 0]
        se = np.sqrt((turned**2).sum(axis=-1))
        known = self.spans(rows)
        return np.where(known, estimate, np.nan), np.where(known, se, np.nan)


def _decomposed(additive: _Regression, standard: _Regression) -> dict[str, Any]:
    nothing = np.zeros(len(additive.rows.estimate))
    q = {"additive": additive.solve(nothing).q, "standard": standard.solve(nothing).q}
    q["difference"] = np.maximum(q["additive"] - q["standard"], 0.0)
    df = {"additive": additive.df, "standard": standard.df, "difference": additive.df - standard.df}
    values: dict[str, Any] = {}
    for name, statistic in q.items():
        statistic = np.where(df[name] == 0, 0.0, statistic)
        values[f"q_{name}"] = statistic
        values[f"q_{name}_df"] = np.full(len(nothing), df[name])
        values[f"q_{name}_p_value"] = upper_tail(statistic, df[name])
    return values


def _sentences(fit: ComponentFit) -> list[str]:
    kind = "common effects" if fit.method == "common" else f"random effects, {fit.method}"
    told = [
        f"Component network meta-analysis of {fit.k:.0f} studies with {len(fit.treatments)} "
        f"treatments made of {len(fit.components)} components and interactions ({kind})."
    ]
    if fit.parts > 1:
        told.append(
            f"No study links the {fit.parts} parts of the network: what compares them rests on "
            "additivity alone."
        )
    for i, component in enumerate(fit.components):
        if fit.identifiable[i]:
            places = decimals(float(fit.component_se[i]))
            low, high = float(fit.component_ci_low[i]), float(fit.component_ci_high[i])
            told.append(
                f"{component}: {number(float(fit.component_estimate[i]), places)} "
                f"({percent(fit.level)} CI {interval(low, high, places)}; "
                f"{p_value(float(fit.component_p_value[i]))})."
            )
    lost = [n for n, known in zip(fit.components, fit.identifiable, strict=True) if not known]
    if lost:
        told.append(f"Not identifiable from these studies: {', '.join(lost)}.")
    if np.isnan(fit.tau2):
        told.append("No degree of freedom is left to estimate heterogeneity: taken as none.")
    if fit.q_difference_df == 0:
        return [*told, "Additivity cannot be tested: the model is as rich as whole treatments."]
    told.append(
        f"Additivity: Q difference {number(float(fit.q_difference), 2)} on "
        f"{fit.q_difference_df:.0f} df, {p_value(float(fit.q_difference_p_value))}."
    )
    return told
