"""What a forest plot shows of a synthesis."""

from __future__ import annotations

from trabecula.effects.estimate import Estimate, RowRef
from trabecula.format import NARROW, count, number, p_value, shown, uncapital
from trabecula.format import weight as weight_text
from trabecula.plots import Plot
from trabecula.plots.forest import Forest, Line
from trabecula.records import Study
from trabecula.reference.catalog import Catalog
from trabecula.reference.results import better, line
from trabecula.review import Contribution, Pooled, Synthesis
from trabecula.review.treatments import regimens_of

IMPUTED_NOTE = "Hollow square: rests on a number that the study does not print."

LONG_NAME = 26
"""Letters; a longer name of a treatment gives way to its abbreviation, if it has one."""


def forest_plan(catalog: Catalog, synthesis: Synthesis) -> Plot:
    """Return the plan of the forest plot of `synthesis`; its title states the finding."""
    lines = tuple(_line(catalog, synthesis, c) for c in synthesis.contributions)
    title, alt = _words(catalog, synthesis)
    pooled = synthesis.pooled
    forest = Forest(
        lines=lines,
        arms=_arms(catalog, synthesis),
        counted=_counted(synthesis),
        pooled=_pooled_line(synthesis, pooled) if pooled else None,
        prediction=_prediction_line(synthesis, pooled) if pooled else None,
        log=synthesis.scale == "ratio",
        percent=synthesis.scale == "proportion",
        null=null_value(synthesis),
        axis=axis_label(catalog, synthesis),
        better=better(catalog, synthesis),
        notes=_notes(synthesis),
    )
    return Plot(
        id=synthesis.id,
        title=title,
        alt=alt,
        columns=("Study", *_headings(forest), "Result (95 % CI)", "Weight"),
        rows=tuple(_row(forest, item) for item in forest.all_lines()),
        note=pooled.method if pooled else "",
        picture=forest,
    )


def null_value(synthesis: Synthesis) -> float | None:
    """Return the value that means no difference; a share or a time of one group has none."""
    if synthesis.scale == "ratio":
        return 1.0
    return 0.0 if synthesis.kind in ("comparison", "before-after") else None


def axis_label(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return what the axis shows, with its unit."""
    compared = synthesis.comparator is not None
    if synthesis.scale == "points" and synthesis.instrument is not None:
        name = catalog.instruments[synthesis.instrument]
        return f"{'difference' if compared else 'change'}, {name}"
    return {
        "points": "difference in points" if compared else "change in points",
        "proportion": "patients with the event",
        "percentage-points": "difference in percentage points",
        "ratio": "risk ratio (log scale)",
        "sd": "standardised mean difference",
        "weeks": "difference in weeks" if compared else "weeks",
    }[synthesis.scale]


def heterogeneity(pooled: Pooled) -> str:
    """Return τ², I² with its interval, and Cochran's Q as a forest plot prints them."""
    if pooled.tau2 is None:
        return ""
    parts = [f"Heterogeneity: τ² = {pooled.tau2:.3g}"]
    if pooled.i2 is not None:
        known = pooled.i2_low is not None and pooled.i2_high is not None
        limits = f" (95 % CI {pooled.i2_low:.0f} to {pooled.i2_high:.0f})" if known else ""
        parts.append(f"I² = {pooled.i2:.0f} %{limits}")
    if pooled.q is not None and pooled.q_p is not None:
        parts.append(f"Q = {pooled.q:.2f}, df = {pooled.q_df}, {p_value(pooled.q_p)}")
    return "; ".join(parts)


def raw_data(catalog: Catalog, estimate: Estimate) -> tuple[str, ...]:
    """Return what each arm had at the time of the estimate: events/n, or n."""
    if estimate.comparator_arm is None:
        return (_raw(estimate.events, estimate.n),)
    return tuple(
        _arm_data(catalog, estimate, arm) for arm in (estimate.arm, estimate.comparator_arm)
    )


def _raw(events: int | None, n: int | None) -> str:
    if n is None:
        return "–"
    return count(n) if events is None else f"{events}/{n}"


def _arm_data(catalog: Catalog, estimate: Estimate, arm: str) -> str:
    study = catalog.topic.studies[estimate.study]
    refs = [r for r in _rows_of(study, estimate) if study.results[r.index].arm == arm]
    if not refs:
        return _raw(None, study.arm(arm).patients)
    last = max(refs, key=lambda ref: study.results[ref.index].week or 0)
    row = study.results[last.index]
    if row.events is not None or row.percent is None:
        return _raw(row.events, row.n or study.arm(arm).patients)
    counted = (e for e in catalog.estimates_by_row.get(last, ()) if e.comparator_arm is None)
    share = next((e for e in counted if e.events is not None), None)
    if share is not None:
        return _raw(share.events, share.n)
    return f"{number(row.percent)}{NARROW}%"


def _rows_of(study: Study, estimate: Estimate) -> list[RowRef]:
    """Return the results under an estimate; of a printed comparison, those of its time."""
    mine = [ref for ref in estimate.rows if ref.section == "results"]
    if mine:
        return mine
    return [
        RowRef(study.id, "results", i)
        for i, row in enumerate(study.results)
        if row.outcome == estimate.outcome
        and (None if row.week is None else float(row.week)) == estimate.week
        and row.event_name == estimate.event_name
        and row.subgroup == estimate.subgroup
    ]


def _words(catalog: Catalog, synthesis: Synthesis) -> tuple[str, str]:
    """Return the title, which states the finding, and the description of the picture."""
    known = line(catalog, synthesis)
    k = len(synthesis.contributions)
    if known.value is None:
        why = synthesis.not_pooled or "nothing is pooled"
        return f"{known.question}: not pooled", f"Forest plot of {k} studies, no diamond: {why}"
    alt = f"Forest plot of {k} studies, one line each, with the diamond at {known.value.point}."
    return f"{known.question}: {known.value.text}", alt


def _result(value: float, low: float, high: float, scale: str) -> str:
    s = shown(value, low, high, scale)
    point = s.point if scale == "proportion" else s.value
    return f"{point} ({s.low} to {s.high})"


def _line(catalog: Catalog, synthesis: Synthesis, c: Contribution) -> Line:
    return Line(
        name=catalog.study_names[c.estimate.study],
        raw=raw_data(catalog, c.estimate),
        result=_result(c.value, c.low, c.high, synthesis.scale),
        value=c.value,
        low=c.low,
        high=c.high,
        weight=c.weight,
        imputed=c.estimate.basis == "imputed",
    )


def _pooled_line(synthesis: Synthesis, pooled: Pooled) -> Line:
    result = _result(pooled.value, pooled.low, pooled.high, synthesis.scale)
    name = "Pooled (random effects)"
    return Line(name, (), result, pooled.value, pooled.low, pooled.high, 100.0)


def _prediction_line(synthesis: Synthesis, pooled: Pooled) -> Line | None:
    low, high = pooled.pi_low, pooled.pi_high
    if low is None or high is None:
        return None
    s = shown(pooled.value, low, high, synthesis.scale)
    unit = f"{NARROW}%" if synthesis.scale == "proportion" else ""
    text = f"{s.low} to {s.high}{unit}"
    return Line(f"95{NARROW}% prediction interval", (), text, pooled.value, low, high)


def _counted(synthesis: Synthesis) -> str:
    counts = synthesis.scale in ("ratio", "proportion", "percentage-points")
    return "Events/n" if counts else "n"


def _arms(catalog: Catalog, synthesis: Synthesis) -> tuple[str, str] | None:
    """Return the names of what is compared, as they stand in a sentence."""
    if synthesis.comparator is None:
        return None
    return _short(catalog, synthesis.treatment), _short(catalog, synthesis.comparator)


def _short(catalog: Catalog, treatment: str) -> str:
    """Return a treatment's name, with the abbreviation where that is shorter to read."""
    name = uncapital(catalog.treatment(treatment))
    if len(name) <= LONG_NAME:
        return name
    parts = (catalog.topic.regimens[r] for r in regimens_of(treatment))
    return " plus ".join(p.abbreviation or uncapital(p.name) for p in parts)


def _headings(forest: Forest) -> tuple[str, ...]:
    if forest.arms is None:
        return (forest.counted,)
    return tuple(f"{forest.counted}, {arm}" for arm in forest.arms)


def _row(forest: Forest, item: Line) -> tuple[str, ...]:
    raw = item.raw or ("",) * (2 if forest.arms else 1)
    weight = "–" if item.weight is None else weight_text(item.weight)
    return (item.name, *raw, item.result, weight)


def _notes(synthesis: Synthesis) -> tuple[str, ...]:
    first = heterogeneity(synthesis.pooled) if synthesis.pooled else ""
    imputed = any(c.estimate.basis == "imputed" for c in synthesis.contributions)
    return tuple(text for text in (first, IMPUTED_NOTE if imputed else "") if text)
