"""Borrowed SDs of two arms, made to agree with what the study says of their difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import hypot

from trabecula.effects.estimate import RowRef
from trabecula.effects.wording import number
from trabecula.review.recovery_rows.draft import Draft
from trabecula.review.recovery_rows.z_statistic import limits_of


def reconciled(pair: Sequence[Draft], ref: RowRef, p: str | None) -> tuple[Draft, ...] | None:
    """Return two scores with the SEs that a printed p allows; None where nothing changes.

    Where both SDs are borrowed, "p < 0.05", "not significant" and an exact p say of the SDs what
    the arms do not: SEs that would make z larger or smaller than p allows are stretched or
    shrunk by one factor to the nearest that does not.
    """
    limits = limits_of(p)
    if limits is None or p is None or any(d.columns["se_log_sd"] == 0 for d in pair):
        return None
    one, other = (d.columns["mean"] / d.columns["baseline"] for d in pair)
    se = hypot(*(d.columns["se"] / d.columns["baseline"] for d in pair))
    z = abs(one - other) / se
    allowed = min(max(z, limits[0]), limits[1])
    if z == 0 or allowed in (0, z):
        return None
    return tuple(_stretched(draft, ref, z / allowed, p, limits[0] == limits[1]) for draft in pair)


def _stretched(draft: Draft, ref: RowRef, factor: float, p: str, exact: bool) -> Draft:
    columns = dict(draft.columns)
    columns["se"] *= factor
    if exact:
        columns["se_log_sd"] = 0.0
    assert draft.value is not None
    assert draft.low is not None
    assert draft.high is not None
    said = "not significant" if p == "ns" else p if p == "significant" else f"p {p}"
    return replace(
        draft,
        low=draft.value + factor * (draft.low - draft.value),
        high=draft.value + factor * (draft.high - draft.value),
        text=f"{draft.text}; SE times {number(factor)}, as the arms differ by “{said}”",
        basis="imputed",
        rows=(*draft.rows, ref),
        columns=columns,
    )
