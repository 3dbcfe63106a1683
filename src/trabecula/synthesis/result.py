"""What every result can do: be one of many, be taken apart, be written as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


class Result:
    """Base of results: frozen dataclasses whose arrays share leading axes, one entry a data set.

    A single data set gives arrays without axes: ``float(fit.estimate)`` and
    ``f"{fit.estimate:.2f}"`` work as on a number. By convention the first array field has the
    leading axes alone (mostly ``k``, the number of studies); further axes of other fields
    follow the leading ones. Names that belong to an axis are tuples of strings.
    """

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading axes: ``()`` for one data set."""
        return next(a.shape for a in _values(self).values() if isinstance(a, np.ndarray))

    def __getitem__(self, index: Any) -> Self:
        """Return the result of the data sets at `index` of the leading axes."""
        if self.shape == ():
            raise IndexError("this is the result of one data set, there is nothing to index")
        axes = len(self.shape)
        if isinstance(index, tuple) and len(index) > axes:
            raise IndexError(f"{len(index)} indices for the {axes} leading axes of the result")
        parts: dict[str, Any] = {}
        for name, value in _values(self).items():
            if isinstance(value, Result):
                parts[name] = value[index]
            elif isinstance(value, np.ndarray):
                parts[name] = frozen(value[index])
        return replace(self, **parts)  # type: ignore[type-var]

    def require_one(self, what: str = "a summary") -> None:
        """Raise `ValueError` unless this is the result of one data set, which `what` describes."""
        if self.shape != ():
            raise ValueError(
                f"{what} describes one data set, this fit holds {self.shape}: use fit[i]"
            )

    def to_dict(self) -> dict[str, Json]:
        """Return every field as JSON knows it; what is not a finite number is ``None``.

        Arrays of objects, which hold functions, are left out.
        """
        return {name: _json(value) for name, value in _values(self).items() if _plain(value)}


def frozen(values: Any) -> NDArray[Any]:
    """Return `values` as an array that cannot be written to."""
    array = np.asarray(values)
    if array.flags.writeable:
        array = array.copy()
        array.flags.writeable = False
    return array


def shaped(values: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    """Return arrays with one row a data set as frozen arrays with leading axes `shape`.

    Floats and whole numbers are the values of a single data set, whose axes have length 1.
    """
    held = _of_one({n: v for n, v in values.items() if isinstance(v, float)}, np.float64, shape)
    held |= _of_one({n: v for n, v in values.items() if type(v) is int}, np.int64, shape)
    for name, value in values.items():
        if name not in held:
            array = np.asarray(value)
            held[name] = frozen(array.reshape(shape + array.shape[1:]))
    return held


def _of_one(values: Mapping[str, Any], kind: type, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return numbers as frozen arrays of one entry: views of one array, made at once."""
    table: NDArray[Any] = np.array([*values.values()], dtype=kind).reshape(-1, *shape)
    table.flags.writeable = False
    return {name: table[i, ...] for i, name in enumerate(values)}


def _values(result: Result) -> dict[str, Any]:
    return {f.name: getattr(result, f.name) for f in fields(result)}  # type: ignore[arg-type]


def _plain(value: Any) -> bool:
    return not (isinstance(value, np.ndarray) and value.dtype.hasobject)


def _json(value: Any) -> Json:
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, np.ndarray):
        return _json(value.tolist())
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} has no JSON form")
