"""Bayesian meta-regression, exact up to the error of a one-dimensional integral."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from trabecula.synthesis.arguments import (
    ESTIMATE,
    VARIANCE,
    FloatArray,
    IntArray,
    confidence_level,
    numbers,
    require,
    require_option,
    same_shape,
)
from trabecula.synthesis.bayes.hierarchical_model import HierarchicalModel
from trabecula.synthesis.bayes.point_estimates import exp_or_inf, joint_maxima
from trabecula.synthesis.bayes.posterior import (
    CredibleInterval,
    Posterior,
    heterogeneity_summary,
    objects,
)
from trabecula.synthesis.bayes.prior_choice import TauPrior, normal_prior, prior_for
from trabecula.synthesis.bayes.solution import Solution
from trabecula.synthesis.bayes.wording import describe_regression
from trabecula.synthesis.result import Result, frozen


@dataclass(frozen=True, slots=True, eq=False)
class BayesianRegressionFit(Result):
    """The posterior of a hierarchical model whose mean depends on moderators.

    ``coefficients`` are the posteriors of the coefficients ``names`` (last axis), ``tau`` that of
    the heterogeneity left, ``effects`` those of the studies' true effects (last axis);
    ``probability_positive`` is that of each coefficient. ``ml_coefficients``, ``ml_tau`` and
    ``map_coefficients``, ``map_tau`` are where likelihood and posterior are highest (the first two
    NaN where the studies alone do not determine the coefficients), and ``marginal_ml_tau`` where
    the likelihood is with the coefficients integrated out.
    ``log_marginal_likelihood`` and ``bayes_factor_zero_tau`` are NaN where a prior is improper.
    ``error`` and ``nodes`` are as in a `BayesianFit`.
    """

    level: float
    interval: CredibleInterval
    tau_prior: str
    names: tuple[str, ...]
    k: IntArray
    coefficients: Posterior
    tau: Posterior
    effects: Posterior
    probability_positive: FloatArray
    ml_coefficients: FloatArray
    ml_tau: FloatArray
    map_coefficients: FloatArray
    map_tau: FloatArray
    marginal_ml_tau: FloatArray
    log_marginal_likelihood: FloatArray
    bayes_factor_zero_tau: FloatArray
    error: FloatArray
    nodes: IntArray
    solution: NDArray[np.object_]

    def expected(self, moderators: ArrayLike) -> Posterior:
        """Return the posteriors of the mean effect where the moderators have these values.

        `moderators` is (coefficients,) or (points, coefficients), the intercept included.
        """
        return self._at(moderators, new=False)

    def predicted(self, moderators: ArrayLike) -> Posterior:
        """Return the posteriors of the true effect of a new study with these moderators."""
        return self._at(moderators, new=True)

    def summary(self) -> str:
        """Return the result in sentences a paper could print; digits follow the spread."""
        return describe_regression(self)

    def _at(self, moderators: ArrayLike, *, new: bool) -> Posterior:
        points = numbers("moderators", moderators)
        require("moderators", points, ESTIMATE)
        if points.ndim not in (1, 2) or points.shape[-1] != len(self.names):
            raise ValueError(
                f"moderators must have one value for each of {', '.join(self.names)} along the "
                f"last axis, got shape {points.shape}"
            )
        rows = np.atleast_2d(points)
        kinds = np.full(len(rows), new)
        summary = self.solution.item().effects(rows, kinds, self.level, studies=False)
        if points.ndim == 1:
            summary = {name: value[0] for name, value in summary.items()}
        return Posterior.of(summary, self.level, self.interval)


def bayesian_meta_regression(
    estimate: ArrayLike,
    variance: ArrayLike,
    moderators: ArrayLike,
    *,
    tau_prior: TauPrior,
    intercept: bool = True,
    names: Sequence[str] | None = None,
    coefficient_prior: Sequence[tuple[float, float] | None] | None = None,
    level: float = 0.95,
    interval: CredibleInterval = "shortest",
) -> BayesianRegressionFit:
    """Return the exact posterior of a meta-regression of one data set.

    Parameters
    ----------
    estimate, variance
        Arrays (studies,) that broadcast; NaN marks a missing study.
    moderators
        Array (studies, moderators), or (studies,) for one. A study with a missing moderator is
        an error: leave it out on purpose.
    tau_prior
        Prior of the heterogeneity, as in `bayesian_random_effects`; *overall-jeffreys* is the
        one for a mean and no moderators, and refused.
    intercept
        Whether a column of ones goes before the moderators.
    names
        Names of the moderators; without them ``moderator 1`` and so on.
    coefficient_prior
        For each coefficient, the intercept first, mean and standard deviation of a normal prior
        or `None` for a flat one; without it all are flat.
    level, interval
        As in `bayesian_random_effects`.

    Raises
    ------
    ImproperPosteriorError
        A `ValueError`: if studies and priors together leave no proper posterior.
    ValueError
        If an argument is out of range, or coefficients with flat priors cannot be told apart.

    Notes
    -----
    Röver and Friede (2023), Comput Methods Programs Biomed 229:107303.

    Examples
    --------
    >>> from trabecula.synthesis.bayes.priors import HalfNormal
    >>> fit = bayesian_meta_regression(
    ...     [0.1, 0.5, 0.4, 0.9], [0.04, 0.05, 0.03, 0.06], [0, 1, 1, 2],
    ...     tau_prior=HalfNormal(0.5), names=["dose"],
    ... )
    >>> f"{fit.coefficients.median[1]:.2f}"
    '0.40'
    """
    require_option("interval", interval, get_args(CredibleInterval))
    if tau_prior == "overall-jeffreys":
        raise ValueError(
            "tau_prior 'overall-jeffreys' is defined for a mean without moderators; use 'jeffreys'"
        )
    y, v, design = _studies(estimate, variance, moderators, intercept)
    labels = _names(names, design.shape[1], intercept)
    center, precision = _coefficient_prior(coefficient_prior, labels)
    model = HierarchicalModel(y, v, design, center, precision, prior_for(tau_prior, v))
    _require_identified(model, labels)
    return _fit(Solution.of(model), labels, confidence_level(level), interval)


def _fit(
    solution: Solution, names: tuple[str, ...], level: float, interval: CredibleInterval
) -> BayesianRegressionFit:
    model, count = solution.model, len(names)
    kinds = np.eye(count), np.zeros(count, dtype=bool)
    rows = solution.effects(*kinds, level, studies=True)
    coefficients, effects = (
        Posterior.of({n: v[part] for n, v in rows.items()}, level, interval)
        for part in (slice(0, count), slice(count, None))
    )
    proper = bool((model.precision > 0).all()) and model.prior.proper
    evidence = solution.grid.log_evidence if proper else np.nan
    none = float(model.log_likelihood(np.zeros(1))[0])
    return BayesianRegressionFit(
        level=level,
        interval=interval,
        tau_prior=model.prior.label,
        names=names,
        k=frozen(np.int64(len(model.estimate))),
        coefficients=coefficients,
        tau=Posterior.of(heterogeneity_summary(solution.law, level), level, interval),
        effects=effects,
        probability_positive=frozen(1 - coefficients.cdf(0.0)),
        log_marginal_likelihood=frozen(evidence),
        bayes_factor_zero_tau=frozen(exp_or_inf(none - evidence)),
        error=frozen(solution.grid.error),
        nodes=frozen(np.int64(len(solution.grid.tau))),
        solution=frozen(objects([solution])[0]),
        **{name: frozen(value) for name, value in joint_maxima(model).items()},
    )


def _studies(
    estimate: ArrayLike, variance: ArrayLike, moderators: ArrayLike, intercept: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    y, v = numbers("estimate", estimate), numbers("variance", variance)
    same_shape(("estimate", "variance"), y, v)
    y, v = np.broadcast_arrays(y, v)
    x = numbers("moderators", moderators)
    x = x[:, None] if x.ndim == 1 else x
    require("estimate", y, ESTIMATE, missing=True)
    require("variance", v, VARIANCE, missing=True)
    if y.ndim != 1 or x.ndim != 2 or len(x) != len(y):
        raise ValueError(
            "estimate, variance and moderators must be of one data set, shapes (studies,) and "
            f"(studies, moderators); got {y.shape}, {v.shape} and {x.shape}"
        )
    there = ~(np.isnan(y) | np.isnan(v))
    if not there.any():
        raise ValueError("estimate and variance hold no study: all are missing (NaN)")
    require("moderators", x[there], ESTIMATE, hint=": leave studies without a moderator out")
    design = np.column_stack([np.ones(len(x)), x]) if intercept else x
    if not design.shape[1]:
        raise ValueError("a model needs an intercept or a moderator: set intercept=True")
    return y[there], v[there], design[there]


def _names(names: Sequence[str] | None, count: int, intercept: bool) -> tuple[str, ...]:
    first = ("intercept",) if intercept else ()
    if names is None:
        names = [f"moderator {i + 1}" for i in range(count - len(first))]
    if len(first) + len(names) != count:
        raise ValueError(f"names must name {count - len(first)} moderators, got {list(names)!r}")
    named = (*first, *names)
    if len(set(named)) < count:
        raise ValueError(f"names must differ from each other, got {', '.join(named)}")
    return named


def _coefficient_prior(
    priors: Sequence[tuple[float, float] | None] | None, names: tuple[str, ...]
) -> tuple[FloatArray, FloatArray]:
    if priors is None:
        priors = [None] * len(names)
    if len(priors) != len(names):
        raise ValueError(
            f"coefficient_prior must have one entry for each of {', '.join(names)}; "
            f"got {len(priors)}"
        )
    pairs = np.array([normal_prior("coefficient_prior", prior) for prior in priors])
    return pairs[:, 0], pairs[:, 1]


def _require_identified(model: HierarchicalModel, names: tuple[str, ...]) -> None:
    """Raise `ValueError` unless studies and priors tell all coefficients apart."""
    rank = model.rank
    if rank < len(names):
        raise ValueError(
            f"{len(model.estimate)} studies tell only {rank} of {len(names)} coefficients apart "
            f"({', '.join(names)}): leave out a moderator that the others determine, or give "
            "its coefficient a normal prior"
        )
