"""What is left of the studies' estimates, and where their true effects are expected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import FloatArray, IntArray, confidence_level
from trabecula.synthesis.distributions import critical_value
from trabecula.synthesis.pairwise.fitted import CARRIES, Fitted, study_data
from trabecula.synthesis.pairwise.heterogeneity import Method
from trabecula.synthesis.pairwise.random_effects_numbers import Test
from trabecula.synthesis.pairwise.wald import ratio
from trabecula.synthesis.result import Result, frozen


@dataclass(frozen=True, slots=True, eq=False)
class Shrinkage(Result):
    """Estimates of the true effects of the studies: each drawn to the pooled estimate.

    Best linear unbiased predictions, one a study along the last axis. ``share`` is how much of
    the study's own estimate is in it.
    """

    level: float
    k: IntArray
    estimate: FloatArray
    se: FloatArray
    pi_low: FloatArray
    pi_high: FloatArray
    share: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class StandardisedResiduals(Result):
    """Estimates minus fitted values, their standard errors, and the ratios ``z``.

    One a study along the last axis. ``z`` is NaN where a standard error is 0.
    """

    k: IntArray
    residual: FloatArray
    se: FloatArray
    z: FloatArray


def standardised_residuals(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    method: Method = "REML",
) -> StandardisedResiduals:
    r"""Return the residuals of the studies over their standard errors, each study left in.

    Arguments are those of `influence`, whose `rstudent` leaves each study out and so finds
    outliers better. The variance of a residual is :math:`(v_i + \tau^2)(1 - h_i)`.
    """
    data, columns = study_data(estimate, variance, moderators, method)
    fit = Fitted.of(data, columns, names, method, "z")
    residual = data[0] - fit.expected
    left = np.where(fit.hat >= 1 - CARRIES, 0.0, 1 - fit.hat)
    se = np.sqrt((data[1] + fit.tau2[..., None]) * left)
    return StandardisedResiduals(
        k=fit.k, residual=frozen(residual), se=frozen(se), z=frozen(ratio(residual, se))
    )


def shrinkage(
    estimate: ArrayLike,
    variance: ArrayLike,
    *,
    moderators: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    method: Method = "REML",
    test: Test = "knapp-hartung",
    level: float = 0.95,
) -> Shrinkage:
    r"""Return what the studies' true effects are expected to be, given all studies.

    Arguments are those of `influence`; `level` is that of the prediction intervals, which take
    the between-study variance as known.

    Notes
    -----
    With :math:`\lambda_i = \tau^2 / (\tau^2 + v_i)` the prediction is :math:`\lambda_i y_i +
    (1 - \lambda_i)\hat\mu_i`, its variance :math:`\lambda_i v_i + (1 - \lambda_i)^2
    \mathrm{var}(\hat\mu_i)`: Raudenbush and Bryk (1985), J Educ Stat 10:75-98.
    """
    data, columns = study_data(estimate, variance, moderators, method)
    fit, level = Fitted.of(data, columns, names, method, test), confidence_level(level)
    share = fit.tau2[..., None] / (fit.tau2[..., None] + data[1])
    mean_variance = np.einsum("...ij,...jl,...il->...i", fit.design, fit.covariance, fit.design)
    value = share * data[0] + (1 - share) * fit.expected
    se = np.sqrt(share * data[1] + (1 - share) ** 2 * mean_variance)
    half = critical_value(level, fit.df)[..., None] * se
    values = {"estimate": value, "se": se, "pi_low": value - half, "pi_high": value + half}
    kept = {name: frozen(v) for name, v in values.items()}
    return Shrinkage(level=level, k=fit.k, share=frozen(share), **kept)
