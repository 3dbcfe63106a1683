"""Labels as numbers, and rows in clusters that nothing ties together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import IntArray


def codes_of(
    name: str, labels: Sequence[Any] | NDArray[Any], rows: int
) -> tuple[tuple[str, ...], IntArray]:
    """Return the distinct labels as text, in order, and the number of each row's label.

    Raises
    ------
    ValueError
        Naming the argument, if there is not one label a row or one is missing.
    """
    values = np.asarray(labels)
    if values.shape != (rows,):
        raise ValueError(f"{name} must hold one label a row, {rows} in all; got {values.shape}")
    if values.dtype.kind == "O":
        if any(value is None for value in values):
            raise ValueError(f"{name} has no label at index {list(values).index(None)}")
        values = values.astype(str)
    if values.dtype.kind == "f" and np.isnan(values).any():
        raise ValueError(f"{name} has no label at index {int(np.flatnonzero(np.isnan(values))[0])}")
    distinct, code = np.unique(values, return_inverse=True)
    return tuple(str(value) for value in distinct), code.astype(np.int64)


def nested(outer: IntArray, inner: IntArray) -> IntArray:
    """Return codes of the groups that `inner` makes within those of `outer`."""
    return renumbered(outer * (int(inner.max()) + 1) + inner)


def renumbered(code: IntArray) -> IntArray:
    """Return codes 0, 1, ... in the order of `code`."""
    return np.unique(code, return_inverse=True)[1].astype(np.int64)


def connected(rows: int, links: Sequence[IntArray]) -> IntArray:
    """Return a cluster code a row: rows joined by any chain of `links`, pairs of rows, share one.

    Each pass gives both ends of a link the lower of their two labels, then follows labels to
    their own label, so that a chain of length n needs about log n passes.
    """
    label = np.arange(rows)
    pairs = np.concatenate([np.empty((0, 2), dtype=np.int64), *links])
    while True:
        before = label.copy()
        lower = np.minimum(label[pairs[:, 0]], label[pairs[:, 1]])
        for end in (0, 1):
            np.minimum.at(label, before[pairs[:, end]], lower)
            np.minimum.at(label, pairs[:, end], lower)
        label = label[label]
        if np.array_equal(label, before):
            return renumbered(label)


def chain(code: IntArray) -> IntArray:
    """Return links, pairs of rows, that join all rows of one code."""
    order = np.argsort(code, kind="stable")
    same = code[order[:-1]] == code[order[1:]]
    return np.stack([order[:-1][same], order[1:][same]], axis=1)
