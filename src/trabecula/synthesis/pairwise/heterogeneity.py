"""Estimators of the between-study variance, with their standard errors.

Named by the letters under which the field knows them; `METHODS` lists all. Formulas and
sources stand in ``docs/synthesis/pairwise.md``. Notation: :math:`w` weights, :math:`S_r` the sum of
their r-th powers, :math:`Q` the weighted sum of squares, :math:`P` the projection.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_quantile
from trabecula.synthesis.pairwise.likelihood import maximise
from trabecula.synthesis.pairwise.q_profile import tau2_at_q
from trabecula.synthesis.studies import Studies, over_studies

Method = Literal[
    "common", "DL", "HE", "HS", "HS-corrected", "SJ", "ML", "REML", "EB", "PM", "PM-median"
]
"""*common*: one true effect, no between-study variance; DL DerSimonian-Laird; HE Hedges(-Olkin);
HS Hunter-Schmidt, *HS-corrected* for small k; SJ Sidik-Jonkman; ML, REML (restricted) maximum
likelihood; EB empirical Bayes; PM Paule-Mandel; *PM-median* its median-unbiased form. EB and PM
solve the same equation and give the same number."""


@dataclass(frozen=True, slots=True)
class Estimator:
    """How a method estimates the between-study variance, and the standard error of that."""

    tau2: Callable[[Studies], FloatArray]
    se: Callable[[Studies, FloatArray], FloatArray]


def between_study_variance(studies: Studies, method: Method) -> tuple[FloatArray, FloatArray]:
    """Return the between-study variance (at least 0) and its standard error by `method`.

    Both are NaN for a data set of one study, except that *common* is 0 with no standard error.
    """
    several = studies.k > 1
    if method == "common":
        return np.where(several, 0.0, np.nan), np.full_like(studies.k, np.nan)
    estimator = METHODS[method]
    tau2 = np.maximum(estimator.tau2(studies), 0.0)
    se = estimator.se(studies, tau2)
    return np.where(several, tau2, np.nan), np.where(several, se, np.nan)


def _dersimonian_laird(studies: Studies) -> FloatArray:
    fixed = studies.weighted(np.zeros_like(studies.k))
    return (fixed.q - studies.df) / np.where(studies.k > 1, fixed.sum_p, 1.0)


def _dersimonian_laird_se(studies: Studies, tau2: FloatArray) -> FloatArray:
    fixed = studies.weighted(np.zeros_like(studies.k))
    trace = np.where(studies.k > 1, fixed.sum_p, 1.0)
    spread = 2 * studies.df + 4 * tau2 * trace + 2 * tau2**2 * fixed.sum_pp
    return np.sqrt(spread) / trace


def _hedges(studies: Studies) -> FloatArray:
    mean_variance = over_studies(studies.present * studies.variance) / studies.k
    return studies.unweighted().q / studies.df - mean_variance


def _hedges_se(studies: Studies, tau2: FloatArray) -> FloatArray:
    variance = studies.present * studies.variance
    total, k = over_studies(variance), studies.k
    trace = total * (1 - 1 / k)
    trace_squared = over_studies(variance**2) * (1 - 2 / k) + (total / k) ** 2
    spread = 2 * trace_squared + 4 * tau2 * trace + 2 * tau2**2 * studies.df
    return np.sqrt(spread) / studies.df


def _hunter_schmidt(studies: Studies, factor: FloatArray | float = 1.0) -> FloatArray:
    fixed = studies.weighted(np.zeros_like(studies.k))
    return (factor * fixed.q - studies.k) / fixed.total


def _hunter_schmidt_se(
    studies: Studies, tau2: FloatArray, factor: FloatArray | float = 1.0
) -> FloatArray:
    fixed = studies.weighted(np.zeros_like(studies.k))
    spread = 2 * studies.df + 4 * tau2 * fixed.sum_p + 2 * tau2**2 * fixed.sum_pp
    return factor * np.sqrt(spread) / fixed.total


def _small_sample(studies: Studies) -> FloatArray:
    return studies.k / studies.df


def _sidik_jonkman_start(studies: Studies) -> FloatArray:
    return studies.unweighted().q / studies.k


def _sidik_jonkman(studies: Studies) -> FloatArray:
    start = _sidik_jonkman_start(studies)
    return start * studies.weighted(start).q / studies.df


def _sidik_jonkman_se(studies: Studies, tau2: FloatArray) -> FloatArray:
    start = _sidik_jonkman_start(studies)
    sums = studies.weighted(start)
    w, v = sums.weight, studies.variance
    w2v = over_studies(w**2 * v)
    w3v = over_studies(w**3 * v)
    trace_pvp = w2v - 2 * w3v / sums.total + sums.power(2) * w2v / sums.total**2
    trace_pvpv = over_studies(w**2 * v**2) - 2 * over_studies(w**3 * v**2) / sums.total
    trace_pvpv += (w2v / sums.total) ** 2
    spread = 2 * trace_pvpv + 4 * tau2 * trace_pvp + 2 * tau2**2 * sums.sum_pp
    return start * np.sqrt(spread) / studies.df


def _maximum_likelihood_se(studies: Studies, tau2: FloatArray) -> FloatArray:
    return np.sqrt(2 / studies.weighted(tau2).power(2))


def _restricted_likelihood_se(studies: Studies, tau2: FloatArray) -> FloatArray:
    information = studies.weighted(tau2).sum_pp
    return np.sqrt(2 / np.where(studies.k > 1, information, 1.0))


def _paule_mandel(studies: Studies) -> FloatArray:
    return tau2_at_q(studies, studies.df)


def _paule_mandel_median(studies: Studies) -> FloatArray:
    return tau2_at_q(studies, chi2_quantile(0.5, studies.df))


def _paule_mandel_se(studies: Studies, tau2: FloatArray) -> FloatArray:
    k, df = studies.k, studies.df
    return np.sqrt(2 * k**2 / df) / studies.weighted(tau2).total


METHODS: dict[str, Estimator] = {
    "DL": Estimator(_dersimonian_laird, _dersimonian_laird_se),
    "HE": Estimator(_hedges, _hedges_se),
    "HS": Estimator(_hunter_schmidt, _hunter_schmidt_se),
    "HS-corrected": Estimator(
        lambda s: _hunter_schmidt(s, _small_sample(s)),
        lambda s, tau2: _hunter_schmidt_se(s, tau2, _small_sample(s)),
    ),
    "SJ": Estimator(_sidik_jonkman, _sidik_jonkman_se),
    "ML": Estimator(lambda s: maximise(s, restricted=False), _maximum_likelihood_se),
    "REML": Estimator(lambda s: maximise(s, restricted=True), _restricted_likelihood_se),
    "EB": Estimator(_paule_mandel, _paule_mandel_se),
    "PM": Estimator(_paule_mandel, _paule_mandel_se),
    "PM-median": Estimator(_paule_mandel_median, _paule_mandel_se),
}
"""Every estimator of a between-study variance by its name."""
