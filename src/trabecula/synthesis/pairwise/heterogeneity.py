"""Estimators of the between-study variance, with their standard errors.

Named by the letters under which the field knows them; `METHODS` lists all. Formulas and
sources stand in ``docs/synthesis/pairwise.md``. Notation: :math:`w` weights, :math:`S_r` the sum of
their r-th powers, :math:`Q` the weighted sum of squares, :math:`P` the projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.generalised_q import GeneralisedQ
from trabecula.synthesis.pairwise.likelihood import Place, maximise
from trabecula.synthesis.pairwise.power_sums import Number, Sums, Table, greater
from trabecula.synthesis.pairwise.q_profile import tau2_at_q
from trabecula.synthesis.studies import others, over_studies

Method = Literal[
    "common",
    "DL",
    "HE",
    "HS",
    "HS-corrected",
    "SJ",
    "ML",
    "REML",
    "EB",
    "PM",
    "PM-median",
    "GENQ",
    "GENQ-median",
]
"""*common*: one true effect, no between-study variance; DL DerSimonian-Laird; HE Hedges(-Olkin);
HS Hunter-Schmidt, *HS-corrected* for small k; SJ Sidik-Jonkman; ML, REML (restricted) maximum
likelihood; EB empirical Bayes; PM Paule-Mandel; *PM-median* its median-unbiased form. EB and PM
solve the same equation and give the same number. GENQ: the generalised Q with given weights,
which then weigh the mean too; *GENQ-median* its median-unbiased form."""


class Between(NamedTuple):
    """A between-study variance, its standard error, the sums there, and what else was found.

    ``place`` is there for the likelihood methods, ``generalised`` for those with given weights.
    """

    tau2: Number
    se: Number
    sums: Sums
    place: Place | None = None
    generalised: GeneralisedQ | None = None


@dataclass(frozen=True, slots=True)
class Estimator:
    """How a method estimates the between-study variance, and the standard error of that."""

    tau2: Callable[[Table], Number]
    se: Callable[[Table, Between], Number]


def between_study_variance(
    table: Table, method: Method, weights: FloatArray | None = None
) -> Between:
    """Return the between-study variance (at least 0) and its standard error by `method`.

    *common* is 0 with no standard error (NaN). `weights` (data sets, studies), 0 for missing
    studies, are for the generalised Q.
    """
    if method == "common":
        return Between(0 * table.k, np.nan * table.k, table.zero)
    if method in ("ML", "REML"):
        place = maximise(table, restricted=method == "REML")
        information = place.curves.p2 if method == "REML" else place.sums.s2
        return Between(place.tau2, (2 / information) ** 0.5, place.sums, place)
    if weights is not None:
        return _generalised(table, weights, median=method == "GENQ-median")
    estimator = METHODS[method]
    tau2 = greater(estimator.tau2(table), 0.0)
    found = Between(tau2, np.nan, table.data.sums(tau2))
    return found._replace(se=estimator.se(table, found))


def _generalised(table: Table, weights: FloatArray, *, median: bool) -> Between:
    generalised = GeneralisedQ.of(table.studies, weights)
    found = generalised.tau2_at(0.5) if median else generalised.moment_estimate()
    tau2 = table.number(np.maximum(found, 0.0))
    se = quadratic_spread(table, weights, tau2) / table.number(generalised.trace)
    return Between(tau2, se, table.data.sums(tau2), generalised=generalised)


def _dersimonian_laird(table: Table) -> Number:
    return (table.zero.q1 - table.df) / table.zero_curves.p1


def _moment_spread(table: Table, tau2: Number) -> Number:
    """Return the standard deviation of Cochran's Q."""
    _, p1, p2 = table.zero_curves
    return (2 * table.df + 4 * tau2 * p1 + 2 * tau2 * tau2 * p2) ** 0.5


def _dersimonian_laird_se(table: Table, found: Between) -> Number:
    return _moment_spread(table, found.tau2) / table.zero_curves.p1


def _variances(table: Table) -> FloatArray:
    return table.studies.present * table.studies.variance


def _hedges(table: Table) -> Number:
    return table.total_spread / table.df - table.number(over_studies(_variances(table))) / table.k


def _hedges_se(table: Table, found: Between) -> Number:
    present, variance, tau2 = table.studies.present, _variances(table), found.tau2
    trace = table.number(over_studies(variance)) * (1 - 1 / table.k)
    squares = table.number(double_trace(present, variance, variance))
    return (2 * squares + 4 * tau2 * trace + 2 * tau2 * tau2 * table.df) ** 0.5 / table.df


def _hunter_schmidt(table: Table) -> Number:
    return (table.zero.q1 - table.k) / table.zero.s1


def _hunter_schmidt_se(table: Table, found: Between) -> Number:
    return _moment_spread(table, found.tau2) / table.zero.s1


def _hunter_schmidt_corrected(table: Table) -> Number:
    return (table.k / table.df * table.zero.q1 - table.k) / table.zero.s1


def _hunter_schmidt_corrected_se(table: Table, found: Between) -> Number:
    return table.k / table.df * _hunter_schmidt_se(table, found)


def _sidik_jonkman(table: Table) -> Number:
    start = table.total_spread / table.k
    return start * table.data.sums(start).q1 / table.df


def _sidik_jonkman_se(table: Table, found: Between) -> Number:
    studies, start = table.studies, np.atleast_1d(table.total_spread / table.k)
    weight = studies.present / (studies.variance + start[:, None])
    spread = table.number(start) * quadratic_spread(table, weight, found.tau2)
    return spread / table.df


def _paule_mandel(table: Table) -> Number:
    return tau2_at_q(table, table.df)


def _paule_mandel_median(table: Table) -> Number:
    return tau2_at_q(table, chi2_quantile(0.5, table.df))


def _paule_mandel_se(table: Table, found: Between) -> Number:
    return (2 * table.k * table.k / table.df) ** 0.5 / found.sums.s1


def quadratic_spread(table: Table, weight: FloatArray, tau2: Number) -> Number:
    """Return the standard deviation of the quadratic form with `weight`, given the variance."""
    one, variance = np.ones_like(weight), table.studies.variance
    sampling, mixed, between = (
        table.number(double_trace(weight, u, v))
        for u, v in ((variance, variance), (variance, one), (one, one))
    )
    return (2 * sampling + 4 * tau2 * mixed + 2 * tau2 * tau2 * between) ** 0.5


def double_trace(weight: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the trace of ``P L P R``, P the projection of `weight`, L and R diagonal.

    Arranged so that nothing cancels when one study outweighs all others.
    """
    own = (weight * others(weight)) ** 2 * left * right
    across = weight**2 * left * others(weight**2 * right)
    return over_studies(own + across) / over_studies(weight) ** 2


METHODS: dict[str, Estimator] = {
    "DL": Estimator(_dersimonian_laird, _dersimonian_laird_se),
    "HE": Estimator(_hedges, _hedges_se),
    "HS": Estimator(_hunter_schmidt, _hunter_schmidt_se),
    "HS-corrected": Estimator(_hunter_schmidt_corrected, _hunter_schmidt_corrected_se),
    "SJ": Estimator(_sidik_jonkman, _sidik_jonkman_se),
    "EB": Estimator(_paule_mandel, _paule_mandel_se),
    "PM": Estimator(_paule_mandel, _paule_mandel_se),
    "PM-median": Estimator(_paule_mandel_median, _paule_mandel_se),
}
"""Every estimator of a between-study variance that is an equation of moments, by its name."""
