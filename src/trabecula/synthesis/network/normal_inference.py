"""Normal intervals and p-values of many estimates."""

from __future__ import annotations

import numpy as np

from trabecula.synthesis.arguments import FloatArray
from trabecula.synthesis.distributions import critical_value, two_sided_p


def normal_inference(estimate: FloatArray, se: FloatArray, level: float) -> dict[str, FloatArray]:
    """Return estimates with normal intervals; NaN stays NaN, and an `se` of 0 has no test."""
    half = float(critical_value(level, np.array(np.inf))) * se
    statistic = np.divide(estimate, se, out=np.full_like(se, np.nan), where=se > 0)
    return {
        "estimate": estimate,
        "se": se,
        "ci_low": estimate - half,
        "ci_high": estimate + half,
        "statistic": statistic,
        "p_value": two_sided_p(statistic, np.array(np.inf)),
    }
