"""A between-study variance that is given, not estimated."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from trabecula.synthesis.arguments import LARGEST, FloatArray, Interval, numbers, require
from trabecula.synthesis.network.graph import Graph

TAU2 = Interval(f"[0, {LARGEST:g}]")


def preset_tau2(graph: Graph, tau2: ArrayLike) -> FloatArray:
    """Return `tau2` as an array (data sets,); `ValueError` unless it fits them, 0 or above."""
    known = numbers("tau2", tau2)
    require("tau2", known, TAU2)
    sets = len(graph.rows.estimate)
    if known.size not in (1, sets):
        raise ValueError(f"tau2 must be one number or one a data set ({sets}), got {known.shape}")
    return np.array(np.broadcast_to(known.ravel(), sets))
