"""What treatments are made of: components, and interactions between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from trabecula.synthesis.arguments import FloatArray

SEPARATOR = "+"
"""Stands between the components in the name of a treatment."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """``matrix`` (treatments, components): 1 where a treatment holds a component.

    The columns of interactions come last and are 1 where a treatment holds both components.
    The inactive component has no column.
    """

    names: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...]
    interactions: tuple[tuple[str, str], ...]
    matrix: FloatArray

    @classmethod
    def of(
        cls,
        treatments: tuple[str, ...],
        combination: Mapping[str, Sequence[str]] | None,
        interactions: Sequence[tuple[str, str]],
        inactive: str | None,
    ) -> Self:
        """Return the components of `treatments`; `ValueError` where they make no sense."""
        parts = tuple(_parts(name, combination) for name in treatments)
        known = sorted({part for held in parts for part in held})
        if inactive is not None and inactive not in known:
            raise ValueError(f"inactive must be one of {', '.join(known)}; got {inactive!r}")
        active = [name for name in known if name != inactive]
        pairs = tuple(_interaction(pair, active, parts) for pair in interactions)
        if len({frozenset(pair) for pair in pairs}) < len(pairs):
            raise ValueError(f"interactions must be named once each, got {interactions!r}")
        columns = [[float(name in held) for held in parts] for name in active]
        columns += [[float(a in held and b in held) for held in parts] for a, b in pairs]
        if not columns:
            raise ValueError("no component is left besides the inactive one: nothing to estimate")
        names = (*active, *(f"{a}*{b}" for a, b in pairs))
        return cls(names, parts, pairs, np.array(columns).T)


def _parts(name: str, combination: Mapping[str, Sequence[str]] | None) -> tuple[str, ...]:
    if combination is None:
        return _checked(name, [part.strip() for part in name.split(SEPARATOR)])
    if name not in combination:
        raise ValueError(f"combination must name the components of every treatment, not of {name}")
    return _checked(name, combination[name])


def _checked(name: str, parts: Sequence[str]) -> tuple[str, ...]:
    held = (parts,) if isinstance(parts, str) else tuple(parts)
    if not all(held) or len(set(held)) < len(held):
        raise ValueError(f"components of {name} must be different and named, got {held!r}")
    return held


def _interaction(
    pair: tuple[str, str], active: list[str], parts: tuple[tuple[str, ...], ...]
) -> tuple[str, str]:
    if isinstance(pair, str) or len(pair) != 2 or pair[0] == pair[1]:
        raise ValueError(f"interactions must be pairs of different components, got {pair!r}")
    one, other = pair
    for name in pair:
        if name not in active:
            raise ValueError(
                f"interactions must be of active components ({', '.join(active)}); got {name!r}"
            )
    if not any(one in held and other in held for held in parts):
        raise ValueError(f"no treatment holds both {one} and {other}: no interaction to estimate")
    return one, other
