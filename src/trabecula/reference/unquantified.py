"""What was compared but yields no number that can be used: direction, p, the arms' figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from trabecula import format as shown
from trabecula.effects.estimate import Estimate, RowRef
from trabecula.effects.pairs import is_control, is_turned, same_treatment
from trabecula.format import uncapital
from trabecula.records import Arm, Contrast, Result, Study
from trabecula.reference import links
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.contributors import beside, design, week_name, whom
from trabecula.reference.printed import printed
from trabecula.review.treatments import regimens_of, treatment_of

Key = tuple[str, str | None, float | None, str | None, str | None]
"""Outcome, instrument, week, subgroup and event: what a comparison is of."""

PLAIN_P = {"ns": "called not significant, no p", "significant": "called significant, no p"}
"""Words for what some papers print instead of a p."""

FIGURES = (
    ("percent", "", "%"),
    ("change_percent", "change ", "%"),
    ("change", "change ", ""),
    ("mean", "mean ", ""),
    ("median", "median ", ""),
)
"""Figures that two arms can be set beside each other by: name, word before, unit."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is printed of one time: the words, and the place of the row."""

    week: str
    text: str
    path: str


@dataclass(frozen=True, slots=True)
class PrintedComparison:
    """Two arms of a study compared on one outcome, without a usable number.

    ``regimens`` are those of the first arm, ``others`` of the second; ``controlled`` where
    the second had no active treatment. ``told`` holds one entry a time.
    """

    study: str
    name: str
    path: str
    design: str
    whom: str
    stratum: str
    primary: bool
    controlled: bool
    treatment: str
    comparator: str
    regimens: tuple[str, ...]
    others: tuple[str, ...]
    outcome: str
    outcome_id: str
    instrument: str
    n: str
    beside: str
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Two arms, in the order in which they are shown."""

    study: Study
    one: Arm
    other: Arm


@dataclass
class _Found:
    """What a study prints of a pair and a key."""

    contrasts: list[int] = field(default_factory=list)
    rows: tuple[int, int] | None = None


def unquantified(catalog: Catalog, regimens: Sequence[str] = ()) -> list[PrintedComparison]:
    """Return comparisons without a usable number: primary stratum first, then with a control.

    With `regimens` only those in which one of them was compared; it then stands first.
    """
    found = [
        item
        for study in catalog.studies
        for pair in _pairs(catalog, study, frozenset(regimens))
        for item in _of_pair(catalog, pair)
    ]
    return sorted(found, key=lambda i: (not i.primary, not i.controlled, i.name.lower()))


def _pairs(catalog: Catalog, study: Study, wanted: frozenset[str]) -> Iterator[_Pair]:
    for one, other in combinations(study.arms, 2):
        if same_treatment(one, other):
            continue
        if is_turned(one, other, catalog.protocol):
            one, other = other, one
        mine, theirs = wanted & set(one.regimens), wanted & set(other.regimens)
        if wanted and not mine and not theirs:
            continue
        both_control = is_control(one, catalog.protocol)
        turned = theirs and not mine and not is_control(other, catalog.protocol)
        if not both_control:
            yield _Pair(study, other, one) if turned else _Pair(study, one, other)


def _of_pair(catalog: Catalog, pair: _Pair) -> Iterator[PrintedComparison]:
    known = _placed(catalog, pair)
    found = {k: v for k, v in _found(catalog, pair).items() if not _is_known(k, known)}
    by_outcome = grouped(found, lambda key: (key[0], key[1], key[3], key[4]))
    for (outcome, instrument, subgroup, event), keys in by_outcome.items():
        told = [t for key in keys for t in _told(catalog, pair, key, found[key])]
        name = catalog.outcomes[outcome]
        part = ", ".join(x for x in (event, subgroup) if x)
        yield _comparison(
            catalog,
            pair,
            f"{name} ({part})" if part else name,
            outcome,
            instrument or "",
            _size(pair, [found[key] for key in keys]),
            told,
        )


def _comparison(
    catalog: Catalog,
    pair: _Pair,
    outcome: str,
    outcome_id: str,
    instrument: str,
    n: str,
    told: list[Told],
) -> PrintedComparison:
    study, stratum = pair.study, catalog.strata[pair.study.id]
    names = {s.id: s.name for s in catalog.file.strata}
    return PrintedComparison(
        study=study.id,
        name=catalog.study_names[study.id],
        path=links.study(study.id),
        design=design(study),
        whom=whom(catalog, [study]),
        stratum=names[stratum],
        primary=stratum == catalog.primary,
        controlled=is_control(pair.other, catalog.protocol),
        treatment=catalog.treatment(treatment_of(pair.one.regimens)),
        comparator=catalog.treatment(treatment_of(pair.other.regimens)),
        regimens=regimens_of(treatment_of(pair.one.regimens)),
        others=regimens_of(treatment_of(pair.other.regimens)),
        outcome=outcome,
        outcome_id=outcome_id,
        instrument=instrument,
        n=n,
        beside=beside(catalog, pair.one, pair.other),
        told=tuple(told),
    )


# --- what is printed ----------------------------------------------------------------------


def _key(row: Result | Contrast) -> Key:
    week = None if row.week is None else float(row.week)
    event = row.event_name if isinstance(row, Result) else None
    return row.outcome, row.instrument, week, row.subgroup, event


def _found(catalog: Catalog, pair: _Pair) -> dict[Key, _Found]:
    """Return what is printed by key; a contrast without a week joins the only rows there are."""
    found: dict[Key, _Found] = {}
    for key, rows in _row_pairs(catalog, pair):
        found.setdefault(key, _Found()).rows = rows
    for index, contrast in enumerate(pair.study.contrasts):
        if set(contrast.arms) != {pair.one.id, pair.other.id}:
            continue
        key = _key(contrast)
        if contrast.week is None and key not in found:
            same = [k for k in found if (*k[:2], *k[3:]) == (*key[:2], *key[3:])]
            key = same[0] if len(same) == 1 else key
        found.setdefault(key, _Found()).contrasts.append(index)
    return found


def _row_pairs(catalog: Catalog, pair: _Pair) -> Iterator[tuple[Key, tuple[int, int]]]:
    """Yield rows of both arms that say the same thing at the same time, each with a figure.

    Rows before treatment compare nothing. With a control arm, rows of two active arms are left
    out unless the source contrasts them.
    """
    controls = [a for a in pair.study.arms if is_control(a, catalog.protocol)]
    if (controls and pair.other not in controls) or pair.study.crossover:
        return
    sides: list[dict[tuple[Key, str, str], int]] = [{}, {}]
    for index, row in enumerate(pair.study.results):
        before = row.week == 0 and row.clock == "treatment"
        for side, arm in zip(sides, (pair.one, pair.other), strict=True):
            if row.arm == arm.id and not before and row.set_aside is None and _figure(row):
                side.setdefault((_key(row), row.unit, row.clock), index)
    for at, index in sides[0].items():
        if at in sides[1]:
            yield at[0], (index, sides[1][at])


def _told(catalog: Catalog, pair: _Pair, key: Key, found: _Found) -> Iterator[Told]:
    parts, refs = [], [RowRef(pair.study.id, "contrasts", i) for i in found.contrasts]
    if found.rows is not None:
        one, other = (pair.study.results[i] for i in found.rows)
        parts.append(_beside_each_other(one, other))
        refs.append(RowRef(pair.study.id, "results", found.rows[0]))
    parts.extend(_said(catalog, pair, pair.study.contrasts[i]) for i in found.contrasts)
    yield Told(week_name(key[2]), "; ".join(p for p in parts if p), links.row(refs[0]))


def _said(catalog: Catalog, pair: _Pair, row: Contrast) -> str:
    words = []
    if row.difference is not None:
        value = row.difference if row.arms[0] == pair.one.id else -row.difference
        words.append(f"difference {shown.number(value)}")
    if row.p is not None:
        words.append(_p(row.p))
    if row.favours is not None:
        arm = pair.study.arm(row.favours)
        words.append(f"better with {uncapital(catalog.treatment(treatment_of(arm.regimens)))}")
    elif row.difference is None:
        words.append("direction not told")
    return ", ".join(words)


def _p(text: str) -> str:
    if text in PLAIN_P:
        return PLAIN_P[text]
    return f"p {text[0]} {text[1:]}" if text[0] in "<>" else f"p = {text}"


def _figure(row: Result) -> str:
    """Return the figure of a row by which it can stand beside another."""
    if row.events is not None and row.n:
        return f"{row.events}/{row.n}"
    for name, word, unit in FIGURES:
        value = getattr(row, name)
        if value is not None:
            return f"{word}{printed(value)}{shown.NARROW + unit if unit else ''}"
    return ""


def _beside_each_other(one: Result, other: Result) -> str:
    """Return the figures of two arms, the same figure of both where there is one."""
    for name, word, unit in FIGURES:
        values = [getattr(row, name) for row in (one, other)]
        if all(value is not None for value in values):
            unit = shown.NARROW + unit if unit else ""
            return word + " v ".join(f"{printed(value)}{unit}" for value in values)
    return f"{_figure(one)} v {_figure(other)}"


def _size(pair: _Pair, found: list[_Found]) -> str:
    """Return the n of both arms: of the first rows that tell it, else of the arms."""
    sizes = []
    for side, arm in enumerate((pair.one, pair.other)):
        rows = [pair.study.results[f.rows[side]] for f in found if f.rows is not None]
        told = [f"{r.n}{'' if r.unit == 'patients' else ' ' + r.unit}" for r in rows if r.n]
        whole = "not stated" if arm.patients is None else str(arm.patients)
        sizes.append(told[0] if told else whole)
    return f"n = {' v '.join(sizes)}" if sizes != ["not stated"] * 2 else "n not stated"


# --- what is known otherwise --------------------------------------------------------------


def _placed(catalog: Catalog, pair: _Pair) -> list[Key]:
    """Return the keys of the pair that a comparison of the review uses or leaves out by rule."""
    used = [c.estimate for s, c in catalog.contributions.get(pair.study.id, []) if s.comparator]
    left = [o.estimate for s, o in catalog.omissions.get(pair.study.id, []) if s.comparator]
    arms = {pair.one.id, pair.other.id}
    return [_key_of(pair.study, e) for e in (*used, *left) if {e.arm, e.comparator_arm} == arms]


def _key_of(study: Study, estimate: Estimate) -> Key:
    ref = estimate.rows[0]
    row = study.results[ref.index] if ref.section == "results" else study.contrasts[ref.index]
    return estimate.outcome, row.instrument, estimate.week, estimate.subgroup, estimate.event_name


def _is_known(key: Key, known: list[Key]) -> bool:
    """Return whether a number exists; a contrast names no event, and may name no week."""
    return any(
        key[:2] == k[:2] and key[2] in (k[2], None) and key[3] == k[3] and key[4] in (k[4], None)
        for k in known
    )
