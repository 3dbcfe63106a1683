"""Importance weights whose tail has a known shape, without chance."""

from __future__ import annotations

import numpy as np
from scipy import special

from tests.synthesis.sampling.eight_schools import Array

SHAPES = (-0.5, 0.0, 0.3, 0.7, 1.0, 2.0)

STRIDE = 617
"""A prime: stepping by it visits every quantile once, in no order of size."""


def log_weights(draws: int) -> Array:
    """Return logarithms (draws, shapes) of one more than generalised Pareto quantiles."""
    u = (0.5 + np.arange(draws) * STRIDE % draws) / draws
    return np.log1p(special.boxcox(1 / u[:, None], np.array(SHAPES)))
