"""What a printed contrast says of a test statistic."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from scipy.special import ndtri

from trabecula.effects.estimate import RowRef, Step
from trabecula.effects.p_value import SIGNIFICANCE
from trabecula.effects.pairs import is_control
from trabecula.effects.wording import number
from trabecula.records import Contrast, Result, Study
from trabecula.records.base import P_VALUE
from trabecula.review.recovery_rows.sources import Sources, rows_of


@dataclass(frozen=True, slots=True)
class Statistic:
    """What is known of z, positive where the first arm of `arms` does better."""

    arms: tuple[str, str]
    lower: float
    upper: float
    either_sign: bool
    text: str
    se: float | None = None
    steps: tuple[Step, ...] = ()
    rows: tuple[RowRef, ...] = ()


def statistic_of(sources: Sources, study: Study, ref: RowRef) -> Statistic | None:
    """Return what a contrast says of z, None where it says nothing.

    A difference with its standard error or an exact p with a direction gives z itself; other
    words bound it.
    """
    return _of_difference(sources, study, ref) or _of_words(sources, study, ref)


def _of_difference(sources: Sources, study: Study, ref: RowRef) -> Statistic | None:
    """Return z of a printed difference with its standard error."""
    e = sources.estimate(ref, "MD")
    if e is None or e.comparator_arm is None:
        return None
    row = study.contrasts[ref.index]
    scale = sources.scale(study, row.outcome, row.instrument)
    better = scale.better or sources.topic.outcome(row.outcome).better
    z = (-1 if better == "lower" else 1) * e.value / e.se
    text = (
        f"{e.arm} against {e.comparator_arm}: difference {number(e.value)} on {scale.name}, "
        f"SE {number(e.se)}, z {number(z)} (above 0: {e.arm} does better)"
    )
    return Statistic((e.arm, e.comparator_arm), z, z, False, text, e.se, e.steps)


def _of_words(sources: Sources, study: Study, ref: RowRef) -> Statistic | None:
    """Return what p and direction say of z."""
    row = study.contrasts[ref.index]
    limits = limits_of(row.p)
    if limits is None:
        return None
    better, rows = _better_arm(sources, study, row)
    arms = _ordered(sources, study, row)
    if better is not None and better != arms[0]:
        arms = arms[1], arms[0]
    lower, upper = limits
    if better is None and lower == 0:
        lower = -upper
    how = "which is better is not told" if better is None else f"better with {arms[0]}"
    text = f"{arms[0]} against {arms[1]}: {_said(row.p)}, {how}; by how much is not told"
    steps: tuple[Step, ...] = ()
    if rows:
        seen = f"that {arms[0]} did better is seen from the figures of both arms"
        steps = (Step("direction-from-arms", seen, "computed"),)
    return Statistic(arms, lower, upper, better is None and lower > 0, text, None, steps, rows)


def _said(p: str | None) -> str:
    if p is None:
        return "no p"
    words = {"ns": "not significant", "significant": "called significant (read as p < 0.05)"}
    return words.get(p, f"p {p[0]} {p[1:]}" if p[0] in "<>" else f"p {p}")


def _ordered(sources: Sources, study: Study, row: Contrast) -> tuple[str, str]:
    """Return the arms, active treatment before control."""
    one, other = row.arms
    turned = is_control(study.arm(one), sources.topic.file.protocol)
    return (other, one) if turned else (one, other)


def _better_arm(
    sources: Sources, study: Study, row: Contrast
) -> tuple[str | None, tuple[RowRef, ...]]:
    """Return the arm said to do better, or seen to by figures of both at that time."""
    if row.favours is not None:
        return row.favours, ()
    values: dict[str, tuple[float, RowRef]] = {}
    for ref, result in rows_of(study, (row.outcome,)):
        value = _figure(result)
        if is_same(result, row) and result.arm in row.arms and value is not None:
            values.setdefault(result.arm, (value, ref))
    if len(values) < len(row.arms):
        return None, ()
    (one, first), (other, second) = (values[arm] for arm in row.arms)
    if one == other:
        return None, ()
    scale = sources.scale(study, row.outcome, row.instrument)
    outcome = sources.topic.outcome(row.outcome)
    good = (scale.better if outcome.kind == "score" else None) or outcome.better
    return row.arms[0 if (one > other) == (good == "higher") else 1], (first, second)


def is_same(result: Result, row: Contrast) -> bool:
    """Return whether a result is of the instrument, time and group of a contrast."""
    return (result.instrument, result.week, result.subgroup) == (
        row.instrument,
        row.week,
        row.subgroup,
    )


def limits_of(p: str | None) -> tuple[float, float] | None:
    """Return the limits of z without its sign that a printed p allows.

    A mere direction allows all; p of 0, which no test yields, nothing.
    """
    if p is None:
        return 0.0, inf
    if p in ("ns", "significant"):
        z = _z(SIGNIFICANCE)
        return (0.0, z) if p == "ns" else (z, inf)
    match = P_VALUE.match(p)
    assert match is not None
    value, relation = float(match["value"]), match["relation"]
    if not 0 < value <= 1:
        return None
    if relation == ">":
        return 0.0, _z(value)
    return _z(value), inf if relation == "<" else _z(value)


def _z(p: float) -> float:
    """Return the statistic of a two-sided p-value."""
    return abs(float(ndtri(p / 2)))


def _figure(row: Result) -> float | None:
    """Return the figure by which two arms are compared, of whatever sort."""
    for value in (row.mean, row.change, row.change_percent, row.percent):
        if value is not None:
            return float(value)
    return row.events / row.n if row.events is not None and row.n else None
