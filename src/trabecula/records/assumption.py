"""Numbers that the analysis assumes, each with its reason and the values tried beside it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trabecula.records.base import Figure, Record, Text


class Assumption(Record):
    """A number the analysis needs and no paper prints, with the values tried beside it."""

    value: Figure
    sensitivity: tuple[Figure, ...] = ()
    reason: Text
    source: tuple[str, ...] = ()
    judgement: bool = False


Correlation = Annotated[Figure, Field(ge=-1, le=1)]
"""How far two values of one patient go together, from -1 to 1."""

Share = Annotated[Figure, Field(ge=0, le=1)]
"""A part of a whole, from 0 to 1."""


class AssumedCorrelation(Assumption):
    """An assumed correlation."""

    value: Correlation
    sensitivity: tuple[Correlation, ...] = ()


class AssumedShare(Assumption):
    """An assumed part of a whole."""

    value: Share
    sensitivity: tuple[Share, ...] = ()


Size = Annotated[Figure, Field(gt=0, le=100)]
"""A length on some scale, above 0."""


class AssumedScale(Assumption):
    """An assumed scale of a prior."""

    value: Size
    sensitivity: tuple[Size, ...] = ()
