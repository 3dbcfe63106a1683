"""The marks of a logarithmic axis of ratios."""

from __future__ import annotations

import math

MOST = 7
"""Most marks of an axis: more run into each other on small screens."""


def ratio_marks(low: float, high: float) -> list[float]:
    """Return round ratios between `low` and `high`: 1, 2, 5, or powers of 10 where those are many.

    Where powers of 10 are too many they stand at equal distances, 1 among them.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = [m * 10.0**e for e in range(first, last + 1) for m in (1.0, 2.0, 5.0)]
    inside = [x for x in steps if low <= x <= high]
    if len(inside) <= MOST:
        return inside
    apart = 1
    while True:
        powers = [e for e in range(first, last + 1) if e % apart == 0 and low <= 10.0**e <= high]
        if len(powers) <= MOST:
            return [10.0**e for e in powers]
        apart += 1
