"""Bayesian network meta-analysis of normal estimates, by quadrature over the heterogeneity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from trabecula.synthesis.arguments import (
    SIZE,
    FloatArray,
    IntArray,
    confidence_level,
    one_number,
    require_option,
)
from trabecula.synthesis.bayes.heterogeneity_grid import HeterogeneityGrid
from trabecula.synthesis.bayes.hierarchical_model import HierarchicalModel
from trabecula.synthesis.bayes.posterior import CredibleInterval, Posterior, heterogeneity_summary
from trabecula.synthesis.bayes.prior_choice import TauPrior, prior_for
from trabecula.synthesis.bayes.solution import Solution
from trabecula.synthesis.network.evidence import NetworkEvidence
from trabecula.synthesis.network.graph import Graph
from trabecula.synthesis.network.network_meta_analysis import SmallValues
from trabecula.synthesis.network.ranking import SEED, rank_probabilities
from trabecula.synthesis.result import Json, Result, shaped
from trabecula.synthesis.text import decimals, interval, number, percent

RANKED = 8
"""Values of the heterogeneity over which rank probabilities are averaged: a Gauss rule for its
posterior, exact for polynomials up to degree 15, far closer than the probabilities themselves."""


@dataclass(frozen=True, slots=True, eq=False)
class BayesianNetworkFit(Result):
    """Posteriors of all comparisons (..., comparisons), first minus second, and of ``tau``.

    ``comparison`` are the posteriors of the average effects, ``prediction`` those of the effect in
    a new study; ``probability_below`` (..., comparisons) that the effect lies below 0. ``sucra``,
    ``mean_rank`` (..., treatments) and ``rank_probability`` (..., treatments, ranks) are NaN where
    ``small_values`` does not say what is desirable; the first two are exact, the third has a
    standard error of at most ``rank_error``. ``log_marginal_likelihood`` is NaN where a prior is
    improper. ``error`` estimates the error of the quadrature.
    """

    level: float
    interval: CredibleInterval
    treatments: tuple[str, ...]
    reference: str
    first: tuple[str, ...]
    second: tuple[str, ...]
    tau_prior: str
    effect_prior_sd: float | None
    small_values: SmallValues | None
    k: IntArray
    tau: Posterior
    comparison: Posterior
    prediction: Posterior
    probability_below: FloatArray
    sucra: FloatArray
    mean_rank: FloatArray
    rank_probability: FloatArray
    rank_error: FloatArray
    log_marginal_likelihood: FloatArray
    error: FloatArray

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the spread.

        `ValueError` for the results of several data sets: describe one, ``fit[i].summary()``.
        """
        self.require_one()
        return " ".join(_sentences(self))

    def rows(self) -> list[dict[str, Json]]:
        """Return one record a comparison, first minus second."""
        self.require_one("a table")
        records: list[dict[str, Json]] = []
        for i, (first, second) in enumerate(zip(self.first, self.second, strict=True)):
            record: dict[str, Json] = {"first": first, "second": second}
            for name, posterior in (("", self.comparison), ("prediction_", self.prediction)):
                for part in ("mean", "median", "sd", "ci_low", "ci_high"):
                    value = float(getattr(posterior, part)[i])
                    record[f"{name}{part}"] = value if np.isfinite(value) else None
            record["probability_below"] = float(self.probability_below[i])
            records.append(record)
        return records


def bayesian_network(
    evidence: NetworkEvidence,
    *,
    tau_prior: TauPrior,
    effect_prior_sd: float | None = None,
    level: float = 0.95,
    interval: CredibleInterval = "central",
    reference: str | None = None,
    small_values: SmallValues | None = None,
    seed: int = SEED,
) -> BayesianNetworkFit:
    """Return the exact posterior of every comparison of a network.

    Given the heterogeneity everything is normal, and the heterogeneity is one-dimensional:
    nothing is sampled but rank probabilities. Data sets are solved one after the other.

    Parameters
    ----------
    evidence
        Studies that link all treatments; leading axes are data sets.
    tau_prior
        Prior of the heterogeneity, the standard deviation of a contrast between studies: an
        object such as ``HalfNormal(0.5)`` or a density function. There is no default, because
        with few studies the choice decides the answer.
    effect_prior_sd
        Standard deviation of normal priors, about 0, of the effects against `reference`; flat
        without it, and then the result does not depend on the reference.
    level
        Probability that the credible intervals hold.
    interval
        Which interval ``ci_low`` and ``ci_high`` of the posteriors give.
    reference
        The treatment against which priors and summary count; the one in most contrasts where
        none is named.
    small_values
        Whether small values are *desirable* or *undesirable*; treatments are ranked only where
        this is said.
    seed
        Seed of the point sets behind the rank probabilities.

    Raises
    ------
    DisconnectedNetwork
        If nothing links some treatments, naming the parts.
    ImproperPosteriorError
        A `ValueError`: if studies and priors leave no proper posterior.
    ValueError
        If an argument is out of range, naming it, its value and what is allowed.

    Notes
    -----
    Dias, Sutton, Ades and Welton (2013), Med Decis Making 33:607-617, for the model; its
    heterogeneity is the same in all contrasts, correlated by one half within multi-arm studies.

    Examples
    --------
    >>> from trabecula.synthesis.bayes.priors import HalfNormal
    >>> trials = ["A", "B", "C"], ["x", "x", "y"], ["y", "z", "z"]
    >>> evidence = NetworkEvidence.from_contrasts(*trials, [-0.4, -0.9, -0.2], [0.04, 0.05, 0.03])
    >>> fit = bayesian_network(evidence, tau_prior=HalfNormal(0.5))
    >>> f"{fit.comparison.median[1]:.3f} ({fit.comparison.sd[1]:.3f})"
    '-0.785 (0.358)'
    """
    require_option("interval", interval, get_args(CredibleInterval))
    level = confidence_level(level)
    if small_values is not None:
        require_option("small_values", small_values, get_args(SmallValues))
    if reference is not None:
        require_option("reference", reference, evidence.treatments)
    graph = Graph.of(evidence)
    name = reference or evidence.treatments[graph.ground]
    basis = np.delete(np.eye(graph.treatments), evidence.treatments.index(name), axis=1)
    models = _models(graph, basis, tau_prior, effect_prior_sd)
    solved = [_solved(model, basis, level, interval, small_values, seed) for model in models]
    one, other = np.triu_indices(graph.treatments, 1)
    values = {n: np.stack([np.asarray(s[n]) for s in solved]) for n in solved[0] if n not in LAWS}
    values["k"] = np.full(len(models), len(evidence.studies))
    tau, comparison, prediction = (
        Posterior.stacked([s[n] for s in solved], evidence.shape) for n in LAWS
    )
    return BayesianNetworkFit(
        level=level,
        interval=interval,
        treatments=evidence.treatments,
        reference=name,
        first=tuple(evidence.treatments[i] for i in one),
        second=tuple(evidence.treatments[i] for i in other),
        tau_prior=models[0].prior.label,
        effect_prior_sd=None if effect_prior_sd is None else float(effect_prior_sd),
        small_values=small_values,
        tau=tau,
        comparison=comparison,
        prediction=prediction,
        **shaped(values, evidence.shape),
    )


LAWS = ("tau", "comparison", "prediction")


def _models(
    graph: Graph, basis: FloatArray, tau_prior: TauPrior, effect_prior_sd: float | None
) -> list[HierarchicalModel]:
    """Return one model a data set; coefficients are effects against the reference."""
    precision = 0.0
    if effect_prior_sd is not None:
        precision = one_number("effect_prior_sd", effect_prior_sd, SIZE) ** -2
    count = basis.shape[1]
    rows = graph.rows
    sets = len(rows.estimate)
    design = np.broadcast_to(rows.design_matrix(), (sets, len(rows.study), graph.treatments))
    return [
        HierarchicalModel(
            estimate=rows.estimate[i],
            variance=rows.variance[i],
            design=design[i] @ basis,
            center=np.zeros(count),
            precision=np.full(count, precision),
            prior=prior_for(tau_prior, rows.variance[i]),
        )
        for i in range(sets)
    ]


def _solved(
    model: HierarchicalModel,
    basis: FloatArray,
    level: float,
    interval: CredibleInterval,
    small_values: SmallValues | None,
    seed: int,
) -> dict[str, Any]:
    """Return the fields of one data set."""
    solution = Solution.of(model)
    one, other = np.triu_indices(len(basis), 1)
    contrasts = basis[one] - basis[other]
    new = np.repeat([False, True], len(one))
    table = solution.effects(np.tile(contrasts, (2, 1)), new, level, studies=False)
    halves = [{n: v[new == half] for n, v in table.items()} for half in (False, True)]
    below = np.array([float(law.cdf(np.zeros(1))[0]) for law in halves[0]["law"]])
    proper = bool((model.precision > 0).all()) and model.prior.proper
    return {
        "tau": Posterior.of(heterogeneity_summary(solution.law, level), level, interval),
        "comparison": Posterior.of(halves[0], level, interval),
        "prediction": Posterior.of(halves[1], level, interval),
        "probability_below": below,
        "log_marginal_likelihood": solution.grid.log_evidence if proper else np.nan,
        "error": solution.grid.error,
        **_ranks(solution, basis, below, small_values, seed),
    }


def _ranks(
    solution: Solution,
    basis: FloatArray,
    below: FloatArray,
    small_values: SmallValues | None,
    seed: int,
) -> dict[str, FloatArray]:
    size = len(basis)
    if small_values is None:
        nothing = np.full(size, np.nan)
        table = np.full((size, size), np.nan)
        ranks = {"sucra": nothing, "mean_rank": nothing, "rank_probability": table}
        return ranks | {"rank_error": np.array(np.nan)}
    better = np.zeros((size, size))
    one, other = np.triu_indices(size, 1)
    better[one, other] = below if small_values == "desirable" else 1 - below
    better[other, one] = 1 - better[one, other]
    sucra = better.sum(axis=1) / (size - 1)
    tau, weight = gauss_rule(solution.grid)
    given = solution.model.conditional(tau)
    center = basis - basis.mean(axis=0)
    sign = 1.0 if small_values == "desirable" else -1.0
    found = [
        rank_probabilities(sign * center @ mean, center @ spread @ center.T, np.inf, seed)
        for mean, spread in zip(given.mean, given.covariance, strict=True)
    ]
    table = np.tensordot(weight, np.array([t for t, _ in found]), axes=1)
    return {
        "sucra": sucra,
        "mean_rank": size - (size - 1) * sucra,
        "rank_probability": table,
        "rank_error": np.array(weight @ np.array([error for _, error in found])),
    }


def gauss_rule(grid: HeterogeneityGrid) -> tuple[FloatArray, FloatArray]:
    """Return `RANKED` nodes and weights that stand for a distribution of the heterogeneity.

    Lanczos' method on the nodes of the grid gives the Jacobi matrix of the polynomials that are
    orthogonal to it, whose eigenvalues are Gauss nodes (Golub and Welsch 1969, Math Comput
    23:221-230). The variable is ``tau / (tau + median)``, which has no tail.
    """
    scale = float(grid.quantile(np.array(0.5)))
    point = grid.tau / (grid.tau + scale)
    steps = min(RANKED, len(point))
    basis = np.zeros((steps, len(point)))
    basis[0] = np.sqrt(grid.weight)
    diagonal, beside = np.zeros(steps), np.zeros(steps - 1)
    for i in range(steps):
        vector = point * basis[i]
        diagonal[i] = basis[i] @ vector
        if i + 1 < steps:
            for _ in range(2):
                vector = vector - basis[: i + 1].T @ (basis[: i + 1] @ vector)
            beside[i] = np.linalg.norm(vector)
            basis[i + 1] = vector / beside[i]
    node, vectors = np.linalg.eigh(np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1))
    return scale * node / (1 - node), vectors[0] ** 2


def _sentences(fit: BayesianNetworkFit) -> list[str]:
    flat = "flat" if fit.effect_prior_sd is None else f"normal, sd {fit.effect_prior_sd:g}"
    places = decimals(float(fit.tau.sd))
    told = [
        f"Bayesian network meta-analysis of {fit.k:.0f} studies and {len(fit.treatments)} "
        f"treatments (heterogeneity prior {fit.tau_prior}, effects {flat}). "
        f"Heterogeneity τ {number(float(fit.tau.median), places)} ({percent(fit.level)} CrI "
        f"{interval(float(fit.tau.ci_low), float(fit.tau.ci_high), places)})."
    ]
    for i, (first, second) in enumerate(zip(fit.first, fit.second, strict=True)):
        if fit.reference not in (first, second):
            continue
        sign = 1 if second == fit.reference else -1
        law = fit.comparison
        low, high = sorted((sign * float(law.ci_low[i]), sign * float(law.ci_high[i])))
        places = decimals(float(law.sd[i]))
        told.append(
            f"{first if sign == 1 else second} versus {fit.reference}: "
            f"{number(sign * float(law.median[i]), places)} "
            f"({percent(fit.level)} CrI {interval(low, high, places)})."
        )
    if fit.small_values is None:
        return [*told, "Treatments are not ranked: small_values does not say what is desirable."]
    best = int(fit.sucra.argmax())
    told.append(
        f"Highest SUCRA: {fit.treatments[best]} {number(float(fit.sucra[best]), 2)}, best with "
        f"probability {number(float(fit.rank_probability[best, 0]), 2)}; ranks say nothing about "
        "the size of differences."
    )
    return told
