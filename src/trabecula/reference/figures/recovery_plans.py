"""Figures of recovery: courses with and without treatment, rates, what they rest on, checks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from trabecula.format import number, uncapital
from trabecula.plots import (
    Curve,
    Observation,
    Plot,
    course_curves,
    precision_bar,
    predictive_check_plot,
    rate_ratio_plot,
    sensitivity_plot,
)
from trabecula.plots.course_curves import Group
from trabecula.plots.interval_rows import Scale
from trabecula.reference.catalog import Catalog
from trabecula.reference.recovered import variant
from trabecula.reference.recovery_labels import EVIDENCE_KINDS, VARIANT_KINDS
from trabecula.review.recovery_model import (
    Check,
    Course,
    NaturalCourse,
    RecoveryRow,
    RecoverySynthesis,
    RegimenRecovery,
)
from trabecula.review.treatments import regimens_of

WAITING = "Waiting"
"""How the natural course is called beside that of a treatment."""

CLOCK = "weeks from the start"

STUDIED, BORROWED = "Studied", "Not studied: borrowed from other treatments and outcomes"
"""Headings of answers with and without a study of their own."""

SIDES = ("slower than waiting", "faster")

PLACED = "Weeks that papers count from diagnosis, or from nothing told, stand as printed."
"""What a reader has to know of the weeks of marks."""


def recovery_plans(catalog: Catalog) -> Iterator[Plot]:
    """Yield the plots of the recovery model; none where the review has no such answers."""
    recovery = catalog.review.recovery
    if recovery is None:
        return
    for natural in recovery.natural:
        yield natural_plan(catalog, recovery, natural)
    for outcome in recovery.outcomes:
        answers = by_certainty(a for a in recovery.regimens if a.outcome == outcome)
        if answers:
            yield rates_plan(catalog, outcome, answers)
            yield contributions_plan(catalog, outcome, answers)
        checks = [c for c in recovery.checks if c.row.outcome == outcome]
        if checks:
            yield checks_plan(catalog, outcome, checks)
    for answer in recovery.regimens:
        yield regimen_course_plan(catalog, recovery, answer)
        if answer.variants:
            yield sensitivity_plan(catalog, answer)
    for regimen in dict.fromkeys(a.regimen for a in recovery.regimens):
        mine = [a for a in recovery.regimens if a.regimen == regimen]
        yield regimen_contribution_plan(catalog, mine)


def by_certainty(answers: Iterable[RegimenRecovery]) -> list[RegimenRecovery]:
    """Return answers by the width of their intervals on the log scale, the narrowest first.

    Regimens that no study was given stand behind the others.
    """

    def width(answer: RegimenRecovery) -> float:
        return math.log(answer.rate_ratio.high / answer.rate_ratio.low)

    return sorted(answers, key=lambda a: (not a.studies, width(a), a.regimen))


def natural_id(outcome: str) -> str:
    """Return the id of the figure of a natural course."""
    return f"recovery-natural-{outcome}"


def rates_id(outcome: str) -> str:
    """Return the id of the figure of all rate ratios of an outcome."""
    return f"recovery-rates-{outcome}"


def contributions_id(name: str) -> str:
    """Return the id of the bars of an outcome, or of a regimen, that say what answers rest on."""
    return f"recovery-rests-on-{name}"


def checks_id(outcome: str) -> str:
    """Return the id of the predictive check of an outcome."""
    return f"recovery-check-{outcome}"


def regimen_course_id(regimen: str, outcome: str) -> str:
    """Return the id of the course with and without a regimen."""
    return f"recovery-course-{regimen}--{outcome}"


def sensitivity_id(regimen: str, outcome: str) -> str:
    """Return the id of the sensitivity analyses of an answer."""
    return f"recovery-variants-{regimen}--{outcome}"


def natural_plan(catalog: Catalog, recovery: RecoverySynthesis, natural: NaturalCourse) -> Plot:
    """Return the share recovered by waiting, with every count of complete recovery on it."""
    outcome = catalog.recovery_outcomes[natural.outcome]
    rows = [r for r in recovery.rows if r.outcome == natural.outcome and r.kind == "complete"]
    plot = course_curves(
        [_curve(WAITING, natural.recovered, natural.last_week)],
        _observations(catalog, recovery, rows),
        axis=f"share recovered ({outcome.recovered})",
        clock=CLOCK,
        identifier=natural_id(natural.outcome),
    )
    titled = replace(plot, title=_timed(plot, outcome.name))
    return _noted(titled, PLACED if rows else "")


def rates_plan(catalog: Catalog, outcome: str, answers: Sequence[RegimenRecovery]) -> Plot:
    """Return all rate ratios of an outcome in the order given."""
    groups = [STUDIED if a.studies else BORROWED for a in answers]
    plot = rate_ratio_plot(
        [a.rate_ratio.median for a in answers],
        [a.rate_ratio.low for a in answers],
        [a.rate_ratio.high for a in answers],
        names=[catalog.treatment(a.regimen) for a in answers],
        p_above=[a.p_faster for a in answers],
        p_quarter=[a.p_quarter_faster for a in answers],
        groups=groups if len(set(groups)) > 1 else None,
        axis="rate of recovery against waiting (log scale)",
        sides=SIDES,
        identifier=rates_id(outcome),
    )
    order = "In the order of certainty: narrow intervals first, treatments not studied last."
    return _noted(_named(plot, catalog.recovery_outcomes[outcome].name), order)


def contributions_plan(catalog: Catalog, outcome: str, answers: Sequence[RegimenRecovery]) -> Plot:
    """Return what each answer on an outcome rests on, in the order given."""
    plot = precision_bar(
        [_shares(a) for a in answers],
        names=[catalog.treatment(a.regimen) for a in answers],
        identifier=contributions_id(outcome),
    )
    return _named(plot, catalog.recovery_outcomes[outcome].name)


def regimen_contribution_plan(catalog: Catalog, answers: Sequence[RegimenRecovery]) -> Plot:
    """Return what the answers on one regimen rest on, a bar an outcome."""
    plot = precision_bar(
        [_shares(a) for a in answers],
        names=[catalog.recovery_outcomes[a.outcome].name for a in answers],
        identifier=contributions_id(answers[0].regimen),
    )
    return replace(plot, title=f"What the answers rest on: {uncapital(plot.title)}")


def regimen_course_plan(
    catalog: Catalog, recovery: RecoverySynthesis, answer: RegimenRecovery
) -> Plot:
    """Return the course with and without a regimen: the score, or the share recovered."""
    known = next((n.last_week for n in recovery.natural if n.outcome == answer.outcome), None)
    name, identifier = (
        catalog.treatment(answer.regimen),
        regimen_course_id(answer.regimen, answer.outcome),
    )
    outcome = catalog.recovery_outcomes[answer.outcome]
    score = answer.score is not None and answer.score_naturally is not None
    rows = _rows_of(catalog, recovery, answer, "score" if score else "complete")
    treated, waiting = answer.recovered, answer.recovered_naturally
    if answer.score is not None and answer.score_naturally is not None:
        treated, waiting = answer.score, answer.score_naturally
    seen = treated.weeks[0] if answer.last_week is None else answer.last_week
    plot = course_curves(
        [_curve(WAITING, waiting, known), _curve(name, treated, seen, "treated")],
        _observations(catalog, recovery, rows, recovery.baseline if score else 1.0),
        unit="points" if score else "share",
        axis=catalog.instruments.get(recovery.instrument, recovery.instrument)
        if score
        else f"share recovered ({outcome.recovered})",
        clock=CLOCK,
        identifier=identifier,
    )
    parts = [f"For a start at {number(recovery.baseline)} points."] if score else []
    if rows and score:
        parts.append("Scores of studies are brought to that start: the share left, times it.")
    titled = replace(plot, title=_timed(plot, outcome.name))
    return _noted(titled, " ".join((*parts, PLACED) if rows else parts))


def sensitivity_plan(catalog: Catalog, answer: RegimenRecovery) -> Plot:
    """Return one rate ratio under every variant, those of a kind together."""
    order = list(VARIANT_KINDS)
    variants = sorted(answer.variants, key=lambda v: order.index(v.kind))
    base = answer.rate_ratio
    plot = sensitivity_plot(
        (base.median, base.low, base.high),
        [v.rate_ratio.median for v in variants],
        [v.rate_ratio.low for v in variants],
        [v.rate_ratio.high for v in variants],
        names=[variant(catalog, v.label) for v in variants],
        kinds=[VARIANT_KINDS[v.kind] for v in variants],
        axis="rate of recovery against waiting (log scale)",
        sides=SIDES,
        identifier=sensitivity_id(answer.regimen, answer.outcome),
    )
    title = f"{catalog.recovery_outcomes[answer.outcome].name}, rate ratio {plot.title}"
    return replace(plot, title=title)


def checks_plan(catalog: Catalog, outcome: str, checks: Sequence[Check]) -> Plot:
    """Return every observation of an outcome against what the model expects of it."""
    order = list(EVIDENCE_KINDS)
    ordered = sorted(checks, key=lambda c: (order.index(c.row.kind), c.row.study, c.row.week or 0))
    kinds = [EVIDENCE_KINDS[c.row.kind] for c in ordered]
    plot = predictive_check_plot(
        [c.observed for c in ordered],
        [c.expected.median for c in ordered],
        [c.expected.low for c in ordered],
        [c.expected.high for c in ordered],
        names=[check_name(catalog, c.row) for c in ordered],
        kinds=kinds,
        scales={kind: _scale(ordered, kinds, kind) for kind in dict.fromkeys(kinds)},
        identifier=checks_id(outcome),
    )
    return _named(plot, catalog.recovery_outcomes[outcome].name)


def check_name(catalog: Catalog, row: RecoveryRow) -> str:
    """Return the study of a row, what its patients were given, and the week."""
    week = "" if row.week is None else f", week {number(row.week)}"
    return f"{catalog.study_names[row.study]}, {uncapital(catalog.treatment(row.treatment))}{week}"


def drawn_week(recovery: RecoverySynthesis, row: RecoveryRow) -> float | None:
    """Return the week from the start at which a row is drawn; before it, if from onset."""
    if row.week is None:
        return None
    return row.week - recovery.start_week if row.clock == "onset" else row.week


def _scale(checks: Sequence[Check], kinds: Sequence[str], kind: str) -> Scale:
    """Return a logarithmic axis for times, one of shares where all are, else a plain one."""
    values = [
        x
        for c, k in zip(checks, kinds, strict=True)
        if k == kind
        for x in (c.observed, c.expected.median, c.expected.low, c.expected.high)
    ]
    if kind == EVIDENCE_KINDS["time"] and min(values) > 0:
        return "log"
    shares = kind != EVIDENCE_KINDS["test"] and all(0 <= x <= 1 for x in values)
    return "share" if shares else "linear"


def _named(plot: Plot, outcome: str) -> Plot:
    """Return the plot with the outcome before its title."""
    return replace(plot, title=f"{outcome}: {uncapital(plot.title)}")


def _timed(plot: Plot, outcome: str) -> str:
    """Return the title of a course, which begins with a week, after its outcome."""
    return f"{outcome}, {uncapital(plot.title)}"


def _noted(plot: Plot, note: str) -> Plot:
    """Return the plot with a sentence after its note."""
    return replace(plot, note=f"{plot.note} {note}".rstrip())


def _curve(name: str, course: Course, last: float | None, group: Group = "untreated") -> Curve:
    return Curve(
        name,
        course.weeks,
        course.value,
        course.low,
        course.high,
        course.new_low,
        course.new_high,
        last_week=last,
        group=group,
    )


def _shares(answer: RegimenRecovery) -> tuple[float, float, float, float]:
    c = answer.contribution
    return c.prior, c.borrowed, c.single_arm, c.comparative


def _rows_of(
    catalog: Catalog, recovery: RecoverySynthesis, answer: RegimenRecovery, kind: str
) -> list[RecoveryRow]:
    """Return rows of the studies of an answer: of its arms, and of arms that waited."""
    family = catalog.family(answer.regimen)
    return [
        row
        for row in recovery.rows
        if row.outcome == answer.outcome
        and row.kind == kind
        and row.study in answer.studies
        and (set(regimens_of(row.treatment)) & family or _group(catalog, row) == "untreated")
    ]


def _observations(
    catalog: Catalog,
    recovery: RecoverySynthesis,
    rows: Sequence[RecoveryRow],
    factor: float = 1.0,
) -> list[Observation]:
    """Return the marks of rows that have a week, values times `factor`."""
    found = []
    for row in rows:
        week = drawn_week(recovery, row)
        if week is None or row.value is None:
            continue
        low, high = (math.nan if x is None else x * factor for x in (row.low, row.high))
        found.append(
            Observation(
                f"{catalog.study_names[row.study]}, {uncapital(catalog.treatment(row.treatment))}",
                week,
                row.value * factor,
                low,
                high,
                row.n,
                _group(catalog, row),
            )
        )
    return found


def _group(catalog: Catalog, row: RecoveryRow) -> Group:
    roles = {catalog.topic.regimens[r].role for r in regimens_of(row.treatment)}
    if roles <= {"reference", "control"}:
        return "untreated"
    return "not told" if "unspecified" in roles else "treated"
