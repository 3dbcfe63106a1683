"""How far single studies lie from a pooled estimate that did not use their own estimates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import chi2_upper_tail
from trabecula.synthesis.studies import over_studies


def spread_about(
    pooled: FloatArray,
    estimate: FloatArray,
    variance: FloatArray,
    used: NDArray[np.bool_],
) -> dict[str, FloatArray]:
    """Return Cochran's Q of the studies `used` about `pooled`, its p-value, I² and H²."""
    weight = np.where(used, 1 / np.where(used, variance, 1.0), 0.0)
    distance = np.where(used, estimate, 0.0) - np.where(np.isfinite(pooled), pooled, 0.0)[:, None]
    q = np.where(np.isfinite(pooled), over_studies(weight * distance**2), np.nan)
    return described(q, used.sum(axis=1))


def described(q: FloatArray, k: FloatArray) -> dict[str, FloatArray]:
    """Return Q of `k` studies with its degrees of freedom, p-value, I² in percent, and H².

    With one study or none nothing can be told: NaN.
    """
    several = k > 1
    df = np.maximum(k - 1.0, 1.0)
    q = np.where(several, q, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        i2 = np.where(q > df, 100 * (q - df) / q, 0.0 * q)
    return {
        "q": q,
        "q_df": np.maximum(k - 1, 0).astype(np.int64),
        "q_p_value": chi2_upper_tail(q, df),
        "i2": i2,
        "h2": q / df,
    }
