"""Values of bayesmeta, its vocabulary in ours, and its own discretisation rebuilt."""

from __future__ import annotations

import csv
import math
from typing import Any

import numpy as np
from scipy.optimize import brentq

from tests.synthesis.reference import GOLDEN, load
from trabecula.synthesis.bayes import (
    BayesianFit,
    Exponential,
    HalfCauchy,
    HalfNormal,
    HalfT,
    LogNormal,
    bayesian_random_effects,
)
from trabecula.synthesis.bayes.normal_mixture import NormalMixture
from trabecula.synthesis.bayes.solution import Solution

DATASETS: dict[str, dict[str, Any]] = load("bayesmeta.json")["datasets"]

REFUSED = {("two_studies", "BergerDeely_flat")}
"""Where the reference stops with an error of its integrator though the posterior is proper."""

CASES = [
    (dataset, case)
    for dataset, content in DATASETS.items()
    for case, values in content.items()
    if isinstance(values, dict) and (dataset, case) not in REFUSED
]

NAMES = {
    "uniform": "uniform",
    "sqrt": "sqrt",
    "Jeffreys": "jeffreys",
    "overallJeffreys": "overall-jeffreys",
    "BergerDeely": "berger-deely",
    "conventional": "conventional",
    "DuMouchel": "dumouchel",
    "shrinkage": "uniform-shrinkage",
    "I2": "i2",
}
"""bayesmeta's names of priors, and ours."""

DELTA, EPSILON = 0.001, 1e-5
"""Divergence of neighboring components and tail probability of the reference's discretisation."""


def studies(dataset: str) -> tuple[np.ndarray, np.ndarray]:
    """Return estimates and standard errors."""
    with (GOLDEN / DATASETS[dataset]["csv"]).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return np.array([float(r["y"]) for r in rows]), np.array([float(r["sigma"]) for r in rows])


def prior(name: str, scale: float) -> Any:
    """Return the prior that the reference calls `name`, for its scale."""
    parametric = {
        "halfnormal": HalfNormal(scale),
        "halfcauchy": HalfCauchy(scale),
        "halft4": HalfT(scale, 4),
        "exponential": Exponential(scale),
        "lognormal": LogNormal(math.log(scale) - 1, 1),
    }
    return parametric.get(name) or NAMES[name]


def fit_of(dataset: str, case: str, **options: Any) -> BayesianFit:
    """Return our fit of a golden case."""
    name, mean = case.split("_")
    scale = DATASETS[dataset]["tau_scale"]
    y, sigma = studies(dataset)
    return bayesian_random_effects(
        y,
        sigma**2,
        tau_prior=prior(name, scale),
        mean_prior=None if mean == "flat" else (0, 8 * scale),
        **options,
    )


def table(block: dict[str, Any], row: str, column: str) -> float | None:
    """Return an entry of a table of the golden file."""
    value: float | None = block["values"][block["rows"].index(row)][block["cols"].index(column)]
    return value


def discretised(solution: Solution) -> tuple[NormalMixture, int]:
    """Return the mixtures as the reference approximates them, and its number of components.

    Röver and Friede (2017), J Comput Graph Stat 26:217-222: bins of the heterogeneity within
    which the symmetrised Kullback-Leibler divergence from a component's conditional
    distributions (mean, new study, each study) stays below `DELTA`. Rows: mean, new study,
    studies.
    """
    model, grid = solution.model, solution.grid

    def conditionals(tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        given = model.conditional(tau)
        mean, variance = model.effects(tau, given)
        center, spread = given.mean, given.covariance[:, 0]
        return (
            np.column_stack([center, center, mean]),
            np.column_stack([spread, spread + tau[:, None] ** 2, variance]),
        )

    def divergence(first: float, second: float) -> float:
        (m1, m2), (v1, v2) = conditionals(np.array([first, second]))
        apart = (m1 - m2) ** 2 * (1 / v1 + 1 / v2) / 2 + (v1 - v2) ** 2 / (2 * v1 * v2)
        return float(apart.max())

    def away(tau: float, step: float) -> float:
        while divergence(tau, tau + step) <= DELTA:
            step *= 1.5
        return float(brentq(lambda t: divergence(tau, t) - DELTA, tau, tau + step, xtol=1e-13))

    last = float(grid.quantile(np.array(1 - EPSILON)))
    nodes, edges = [0.0], [away(0.0, 1e-3 * last)]
    while edges[-1] <= last or len(nodes) < 2:
        nodes.append(away(edges[-1], edges[-1] - nodes[-1]))
        edges.append(away(nodes[-1], nodes[-1] - edges[-1]))
    weight = np.diff(grid.cdf(np.array([0.0, *edges])))
    mean, variance = conditionals(np.array(nodes))
    mixture = NormalMixture(weight / weight.sum(), mean.T + model.origin, np.sqrt(variance).T)
    return mixture, len(nodes)
