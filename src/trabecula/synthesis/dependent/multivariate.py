"""Multivariate meta-analysis: true effects on several outcomes, correlated within studies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, require_option
from trabecula.synthesis.dependent.estimation import (
    CoefficientTest,
    DegreesOfFreedom,
    LikelihoodMethod,
    Maximum,
    Options,
    fit_fields,
)
from trabecula.synthesis.dependent.linear import (
    CoefficientPrediction,
    LinearFit,
    closing_sentences,
    coefficient_sentence,
    design_at,
)
from trabecula.synthesis.dependent.marginal import Component
from trabecula.synthesis.dependent.partition import codes_of, nested
from trabecula.synthesis.dependent.rows import Rows, row_axis, with_moderators
from trabecula.synthesis.dependent.sampling import BlockCovariance, Labels
from trabecula.synthesis.dependent.structures import EqualCorrelation, Quadratic, Structure
from trabecula.synthesis.pairwise.moderators import INTERCEPT
from trabecula.synthesis.text import decimals, number

CovarianceStructure = Literal[
    "unstructured",
    "heterogeneous-compound-symmetry",
    "compound-symmetry",
    "diagonal",
    "identity",
]
"""Between outcomes of a study. *unstructured*: own variances, own correlations;
*heterogeneous-compound-symmetry*: own variances, one correlation; *compound-symmetry*: one
variance, one correlation; *diagonal*: own variances, none; *identity*: one variance, none."""

Means = Literal["per-outcome", "common"]
"""*per-outcome*: each outcome has its mean; *common*: all share one."""

STRUCTURES: dict[str, Callable[[int], Structure]] = {
    "unstructured": Quadratic.cholesky,
    "heterogeneous-compound-symmetry": EqualCorrelation,
    "compound-symmetry": Quadratic.compound_symmetry,
    "diagonal": Quadratic.independent,
    "identity": Quadratic.identity,
}

OWN_VARIANCES = ("unstructured", "heterogeneous-compound-symmetry", "diagonal")

STARTS = ((1.0, 0.0), (1.0, 0.8), (1.0, -0.4), (0.05, 0.0), (0.05, 0.8))
"""Variance, in units of a typical estimate, and correlation of the places where climbs may begin.
A correlation is drawn to the lowest that so many outcomes can have."""

EDGE = 1e-6
"""A correlation nearer than this to a limit is said to lie there."""


@dataclass(frozen=True, slots=True, eq=False)
class MultivariateFit(LinearFit):
    """A `LinearFit` with the covariance of true effects between outcomes.

    ``outcomes`` names the last axis of ``tau2``, variances, and both last axes of ``rho``,
    correlations; ``studies`` counts those that report an outcome. A correlation is NaN where a
    variance is zero.
    """

    structure: CovarianceStructure
    means: Means
    outcomes: tuple[str, ...]
    studies: IntArray
    tau2: FloatArray
    rho: FloatArray

    def predict(self, outcome: str, at: ArrayLike | None = None) -> CoefficientPrediction:
        """Return the mean effect on `outcome` at moderators `at`, and that of a new study.

        One data set. `ValueError` if there is no such outcome.
        """
        self.require_one()
        require_option("outcome", outcome, self.outcomes)
        place = self.outcomes.index(outcome)
        base = np.eye(len(self.outcomes))[place] if self.means == "per-outcome" else np.ones(1)
        return self.predicted(design_at(self, at, base.tolist()), self.tau2[place])

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the standard error."""
        self.require_one()
        return " ".join(_sentences(self))


def multivariate(
    estimate: ArrayLike,
    covariance: ArrayLike | BlockCovariance,
    study: Labels,
    outcome: Labels,
    *,
    structure: CovarianceStructure = "unstructured",
    means: Means = "per-outcome",
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    method: LikelihoodMethod = "REML",
    test: CoefficientTest = "t",
    df: DegreesOfFreedom = "residual",
    level: float = 0.95,
) -> MultivariateFit:
    """Return the mean effect on each outcome and the covariance of true effects.

    Parameters
    ----------
    estimate
        Effect estimates (..., rows), one row an outcome of a study; NaN marks a missing row.
    covariance
        Sampling covariances: a matrix (..., rows, rows) or a `BlockCovariance`, for instance of
        `impute_covariance`; or variances (..., rows) where errors are independent.
    study, outcome
        Labels of the rows. A study has at most one row an outcome.
    structure
        Covariance of true effects between the outcomes of a study.
    means
        Whether each outcome has its mean.
    moderators, names
        Further columns (rows, moderators), with one slope for all outcomes, and their names.
    method, test, df, level
        As in `multilevel`.

    Raises
    ------
    ValueError
        If an argument is out of range, or the layout leaves a variance or correlation
        undetermined, naming it.

    Notes
    -----
    van Houwelingen, Arends and Stijnen (2002), Stat Med 21:589-624; Jackson, Riley and White
    (2011), Stat Med 30:2481-2498.

    Examples
    --------
    >>> fit = multivariate(
    ...     [0.4, 0.3, 0.6, 0.7, 0.1, 0.2, 0.9, 0.6], [0.02] * 8,
    ...     ["a", "a", "b", "b", "c", "c", "d", "d"], ["walking", "sleep"] * 4,
    ...     structure="compound-symmetry",
    ... )
    >>> [f"{name} {value:.2f}" for name, value in zip(fit.names, fit.coefficients)]
    ['sleep 0.45', 'walking 0.50']
    """
    options = Options.read(method, test, df, level)
    require_option("structure", structure, STRUCTURES)
    require_option("means", means, ("per-outcome", "common"))
    count = row_axis(estimate).shape[-1]
    studies, study_code = codes_of("study", study, count)
    outcomes, outcome_code = codes_of("outcome", outcome, count)
    _require_distinct(studies, study_code, outcomes, outcome_code)
    base = np.ones((count, 1))
    base_names: tuple[str, ...] = (INTERCEPT,)
    if means == "per-outcome":
        base, base_names = np.eye(len(outcomes))[outcome_code], outcomes
    rows = Rows.read(estimate, covariance, with_moderators(base, base_names, moderators, names))
    model = CorrelatedOutcomes(structure, outcomes, study_code, outcome_code)
    return MultivariateFit(
        method=options.method,
        test=options.test,
        df_method=options.df,
        level=options.level,
        names=rows.design.names,
        structure=structure,
        means=means,
        outcomes=outcomes,
        **fit_fields(rows, model, options),
    )


@dataclass(frozen=True, slots=True, eq=False)
class CorrelatedOutcomes:
    """True effects on the outcomes of a study with a covariance of some structure."""

    kind: CovarianceStructure
    outcomes: tuple[str, ...]
    study: IntArray
    outcome: IntArray

    @property
    def structure(self) -> Structure:
        """The covariance as a function of parameters."""
        if len(self.outcomes) == 1:
            return Quadratic.identity(1)
        return STRUCTURES[self.kind](len(self.outcomes))

    @property
    def components(self) -> tuple[Component, ...]:
        """The outcomes of each study."""
        return (Component(self.study, self.outcome, self.structure.index),)

    @property
    def groups(self) -> tuple[IntArray, ...]:
        """Studies, and the rows of a study."""
        return self.study, nested(self.study, self.outcome)

    def starts(self, sets: int) -> list[FloatArray]:
        """Return large and small variances, with and without correlation."""
        structure, lowest = self.structure, -0.9 / max(len(self.outcomes) - 1, 1)
        even = [
            structure.start(np.full(sets, tau2), max(correlation, lowest))
            for tau2, correlation in STARTS
        ]
        return even + (structure.corners(sets) if isinstance(structure, EqualCorrelation) else [])

    def require_separable(self, information: FloatArray, k: FloatArray) -> None:
        """Raise `ValueError` if a variance or covariance leaves no trace in the data."""
        lost = np.diagonal(information, axis1=1, axis2=2) < 1e-12 * k[:, None]
        if not lost.any():
            return
        at = int(np.argwhere(lost)[0][1])
        i, j = (int(x) for x in np.argwhere(self.structure.index == at)[0])
        if i == j:
            who = repr(self.outcomes[i]) if self.kind in OWN_VARIANCES else "true effects"
            raise ValueError(
                f"the variance of {who} cannot be told from the coefficients: too few studies "
                "report it; leave the outcome out, or take one variance for all (identity)"
            )
        if self.kind != "unstructured":
            raise ValueError(
                "too few studies report several outcomes: their correlation cannot be known; "
                "take structure 'diagonal' or 'identity'"
            )
        raise ValueError(
            f"too few studies report both {self.outcomes[i]!r} and {self.outcomes[j]!r}: their "
            "correlation cannot be known; take structure 'diagonal' or one correlation for all"
        )

    def finish(self, found: Maximum, level: float) -> dict[str, Any]:
        """Return variances, correlations and numbers of studies."""
        del level
        rows, index = found.rows, self.structure.index
        natural = np.concatenate([found.peak.natural, np.zeros((len(rows.estimate), 1))], axis=1)
        covariance = natural[:, index]
        tau2 = np.diagonal(covariance, axis1=1, axis2=2)
        with np.errstate(invalid="ignore", divide="ignore"):
            rho = covariance / np.sqrt(tau2[:, :, None] * tau2[:, None, :])
        reported = rows.present @ np.eye(len(index))[self.outcome]
        return {
            "studies": reported.astype(np.int64),
            "tau2": tau2 * rows.unit[:, None] ** 2,
            "rho": np.where(np.eye(len(index)) * (tau2 > 0)[..., None] > 0, 1.0, rho),
        }


def _require_distinct(
    studies: tuple[str, ...], study: IntArray, outcomes: tuple[str, ...], outcome: IntArray
) -> None:
    cell = study * len(outcomes) + outcome
    counts = np.bincount(cell)
    if (counts > 1).any():
        at = int(np.argmax(counts > 1))
        raise ValueError(
            f"study {studies[at // len(outcomes)]!r} has several rows of outcome "
            f"{outcomes[at % len(outcomes)]!r}: pool them first, or take `multilevel`"
        )


def _sentences(fit: MultivariateFit) -> list[str]:
    several = len(fit.outcomes) > 1
    head = (
        f"Multivariate meta-analysis of {fit.k} estimates of "
        f"{len(fit.outcomes)} outcome{'s' * several} "
        f"({fit.structure}, {fit.method})"
    )
    sentences = [coefficient_sentence(fit, head), _variances(fit)]
    if several and fit.structure not in ("diagonal", "identity"):
        sentences.append(_correlations(fit))
    return sentences + closing_sentences(fit)


def _variances(fit: MultivariateFit) -> str:
    if fit.structure in OWN_VARIANCES:
        shown = [f"{name} τ² = {_variance(fit, j)}" for j, name in enumerate(fit.outcomes)]
        return f"Variance of true effects: {'; '.join(shown)}."
    return f"Variance of true effects: τ² = {_variance(fit, 0)} for each outcome."


def _variance(fit: MultivariateFit, j: int) -> str:
    tau2, studies = float(fit.tau2[j]), max(int(fit.studies[j]), 2)
    return number(tau2, decimals(tau2 * (2 / (studies - 1)) ** 0.5))  # its error if all were exact


def _correlations(fit: MultivariateFit) -> str:
    pairs = list(combinations(range(len(fit.outcomes)), 2))
    if fit.structure == "unstructured":
        shown = [
            f"{fit.outcomes[i]} and {fit.outcomes[j]} {number(float(fit.rho[i, j]), 2)}"
            for i, j in pairs
        ]
        text = f"Correlation of true effects: {'; '.join(shown)}."
    else:
        text = f"Correlation of true effects: {number(float(fit.rho[0, 1]), 2)}."
    if any(abs(float(fit.rho[i, j])) > 1 - EDGE for i, j in pairs):
        text += " A correlation at its limit says that the data hold little about it."
    return text
