"""What single studies show before any model: how far apart they lie, how precise they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_upper_tail
from trabecula.synthesis.pairwise.q_profile import h2_of, i2_of, typical_variance
from trabecula.synthesis.studies import Studies, Weighted


def observed_studies(
    estimate: FloatArray, variance: FloatArray, present: NDArray[np.bool_]
) -> Studies:
    """Return estimates and variances, tables (data sets, studies), as studies to be weighed."""
    k = present.sum(axis=1).astype(np.float64)
    values, spreads = np.where(present, estimate, 0.0), np.where(present, variance, 1.0)
    return Studies(0 * k, values, spreads, present.astype(np.float64), k, k.shape)


def wald_spread(
    estimate: FloatArray, variance: FloatArray, present: NDArray[np.bool_]
) -> FloatArray:
    """Return Cochran's Q of the studies that are `present`, 0 where there is none."""
    some = present.any(axis=1)
    weight = np.where(present, 1 / np.where(present, variance, 1.0), 0.0)
    weight[~some] = 1.0
    return np.where(some, Weighted.of(np.where(present, estimate, 0.0), weight).q, 0.0)


def heterogeneity(
    studies: Studies,
    tau2: FloatArray,
    likelihood_ratio: FloatArray,
    wald: FloatArray,
    k: FloatArray,
) -> dict[str, FloatArray]:
    """Return I², H² and the two tests of equal effects, referred to chi-square with `k` - 1.

    I² and H² relate `tau2` to the typical variance of `studies`.
    """
    several, df = k > 1, np.maximum(k - 1.0, 1.0)
    some = (studies.k > 0)[:, None]
    typical = typical_variance(replace(studies, present=np.where(some, studies.present, 1.0)))
    ratio = np.maximum(likelihood_ratio, 0.0)
    return {
        "i2": i2_of(tau2, typical),
        "h2": h2_of(tau2, typical),
        "q_lrt": ratio,
        "q_lrt_p_value": np.where(several, chi2_upper_tail(ratio, df), np.nan),
        "q_wald": wald,
        "q_wald_p_value": np.where(several, chi2_upper_tail(wald, df), np.nan),
    }
