"""Quantiles and tail areas of the normal, t and chi-square distributions.

From `scipy.special`: importing `scipy.stats` takes ten times as long. Quantiles are looked up
once for each distinct number of degrees of freedom. Floats give floats, arrays give arrays.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import cast, overload

import numpy as np
from scipy import special

from trabecula.synthesis.arguments import FloatArray


@overload
def critical_value(level: float, df: float) -> float: ...
@overload
def critical_value(level: float, df: FloatArray) -> FloatArray: ...
def critical_value(level: float, df: float | FloatArray) -> float | FloatArray:
    """Return the two-sided critical value of t with `df` degrees of freedom.

    ``inf`` degrees of freedom mean the normal distribution; below 1 there is none: NaN.
    """
    upper = (1 + level) / 2

    def quantile(df: FloatArray) -> FloatArray:
        usable = np.where((df >= 1) & np.isfinite(df), df, 1.0)
        value = np.where(np.isinf(df), special.ndtri(upper), special.stdtrit(usable, upper))
        return np.where(df >= 1, value, np.nan)

    if isinstance(df, float):
        if 1 <= df < math.inf:
            return float(special.stdtrit(df, upper))
        return float(special.ndtri(upper)) if df == math.inf else math.nan
    return _for_each_distinct(quantile, df)


@overload
def two_sided_p(statistic: float, df: float) -> float: ...
@overload
def two_sided_p(statistic: FloatArray, df: FloatArray) -> FloatArray: ...
def two_sided_p(statistic: float | FloatArray, df: float | FloatArray) -> float | FloatArray:
    """Return the two-sided p-value of a t statistic (``inf`` degrees of freedom: normal)."""
    if isinstance(statistic, float) and isinstance(df, float):
        if not df >= 1:
            return math.nan
        tail = special.ndtr if df == math.inf else partial(special.stdtr, df)
        return 2 * float(tail(-abs(statistic)))
    size = -np.abs(statistic)
    normal, usable = np.isinf(df), df >= 1
    value = np.full(np.broadcast_shapes(np.shape(statistic), np.shape(df)), np.nan)
    np.multiply(2, special.ndtr(size), out=value, where=normal)
    if not np.all(normal):
        t = special.stdtr(np.where(usable & ~normal, df, 1.0), size)
        np.multiply(2, t, out=value, where=usable & ~normal)
    return value


@overload
def chi2_upper_tail(statistic: float, df: float) -> float: ...
@overload
def chi2_upper_tail(statistic: FloatArray, df: FloatArray) -> FloatArray: ...
def chi2_upper_tail(statistic: float | FloatArray, df: float | FloatArray) -> float | FloatArray:
    """Return the probability that chi-square with `df` degrees of freedom exceeds `statistic`."""
    return cast(FloatArray, special.gammaincc(df / 2, statistic / 2))


@overload
def chi2_quantile(probability: float, df: float) -> float: ...
@overload
def chi2_quantile(probability: float, df: FloatArray) -> FloatArray: ...
def chi2_quantile(probability: float, df: float | FloatArray) -> float | FloatArray:
    """Return the value below which chi-square with `df` degrees of freedom has `probability`."""
    if isinstance(df, float):
        return float(2 * special.gammaincinv(df / 2, probability))

    def quantile(df: FloatArray) -> FloatArray:
        return cast(FloatArray, 2 * special.gammaincinv(df / 2, probability))

    return _for_each_distinct(quantile, df)


def _for_each_distinct(quantile: Callable[[FloatArray], FloatArray], df: FloatArray) -> FloatArray:
    if df.size > 1 and (df == df.flat[0]).all():
        return np.full(df.shape, quantile(df.reshape(-1)[:1])[0])
    distinct, where = np.unique(df, return_inverse=True)
    return quantile(distinct)[where.reshape(df.shape)]
