"""Mean scores after a start, as a share of what they were before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot, sqrt

from trabecula.effects.estimate import Basis, Estimate, RowRef, Step
from trabecula.effects.part import Part
from trabecula.effects.sample import Sample
from trabecula.effects.scales import Scale
from trabecula.effects.wording import number
from trabecula.records import Result, Study
from trabecula.records.recovery_protocol import RecoveryOutcome
from trabecula.review.recovery_rows.draft import (
    Z95,
    Draft,
    Found,
    imputed,
    place_of_clock,
    when,
    worst,
)
from trabecula.review.recovery_rows.series import best_series, by_arm, open_rows
from trabecula.review.recovery_rows.sources import Row, Sources, rows_of

OF_OTHER_ARM = "baseline-of-other-arm"
OF_PROTOCOL = "baseline-of-protocol"
"""Rules of steps by which a mean before treatment is that of other people."""


@dataclass(frozen=True, slots=True)
class Level:
    """A mean with its standard error and the way to both; ``log_sd`` of a borrowed one."""

    value: float
    se: float
    log_sd: float
    steps: tuple[Step, ...]
    rows: tuple[RowRef, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A score after a start beside the one before, ready for the model."""

    after: Level
    before: Level
    correlation: float

    @property
    def left(self) -> tuple[float, float]:
        """The share of the baseline left, and its standard error by the delta method."""
        a, b = self.after, self.before
        share = a.value / b.value
        variance = a.se**2 + (share * b.se) ** 2 - 2 * share * self.correlation * a.se * b.se
        return share, sqrt(max(variance, 0.0)) / b.value


def scores(sources: Sources, study: Study, outcome: RecoveryOutcome, found: Found) -> None:
    """Add what the score rows of a study show."""
    reader = _Reader(sources, study, outcome, found)
    rows = open_rows(study, rows_of(study, outcome.score), found)
    for arm_rows in by_arm(rows).values():
        reader.read_arm(arm_rows)


@dataclass(frozen=True)
class _Reader:
    sources: Sources
    study: Study
    outcome: RecoveryOutcome
    found: Found

    def read_arm(self, rows: list[Row]) -> None:
        """Add the rows of one arm that tell of one group of patients on one instrument."""
        later = [(ref, row) for ref, row in rows if not _is_baseline(row)]
        usable = [(ref, row) for ref, row in later if not self._refused(ref, row)]
        chosen = best_series(
            self.sources,
            self.study,
            usable,
            self.found,
            lambda row: self.sources.preference(self.study, self.outcome, row),
        )
        used: set[RowRef] = set()
        for ref, row in chosen:
            for draft in self._drafts(ref, row, rows):
                self.found.drafts.append(draft)
                used |= set(draft.rows)
        for ref, row in rows:
            if _is_baseline(row) and ref not in used:
                text = "a value before treatment, beside which no later one of the arm enters"
                self.found.omit(ref, "baseline-only", text)

    def _refused(self, ref: RowRef, row: Result) -> bool:
        """Note why a row cannot be read, if it cannot."""
        reason = self._objection(row)
        if reason is not None:
            self.found.omit(ref, *reason)
        return reason is not None

    def _objection(self, row: Result) -> tuple[str, str] | None:
        figures = (row.mean, row.median, row.change, row.change_percent)
        if all(figure is None for figure in figures):
            if row.p is not None:
                text = f"only p {row.p} against baseline: that it fell, and not by how much"
                return "before-after-p", text
            return "no-mean", "neither a mean nor a change"
        scale = self.sources.scale(self.study, row.outcome, row.instrument)
        if row.week is None:
            return "untimed", "the source gives no time"
        if row.week <= 0:
            return "untimed", f"week {row.week:g}, not after the start"
        if scale.lowest != 0 or (scale.better or "lower") != "lower":
            text = (
                f"“{scale.name}” is not known to be 0 without complaint, so that no share is left"
            )
            return "no-true-zero", text
        return None

    def _drafts(self, ref: RowRef, row: Result, rows: list[Row]) -> Iterator[Draft]:
        reading = self._reading(ref, row, rows)
        if isinstance(reading, Reading):
            yield self._draft(ref, row, reading)
        else:
            self.found.omit(ref, *reading)

    # --- before ---------------------------------------------------------------------------

    def _before(self, row: Result, rows: list[Row]) -> Level | None:
        """Return the mean before treatment: own, of another arm, or the protocol's."""
        for ref, other in rows:
            if _is_baseline(other) and _same(other, row) and other.arm == row.arm:
                level = self._level(ref, other)
                if level is not None:
                    return level
        return self._of_other_arm(row) or self._typical(row)

    def _of_other_arm(self, row: Result) -> Level | None:
        for ref, other in rows_of(self.study, self.outcome.score):
            if _is_baseline(other) and _same(other, row) and other.set_aside is None:
                level = self._level(ref, other)
                if level is not None:
                    text = (
                        f"mean before treatment {number(level.value)}, that of {other.arm}, taken"
                    )
                    step = Step(OF_OTHER_ARM, text, "imputed")
                    steps = (*level.steps, step)
                    return Level(level.value, level.se, level.log_sd, steps, level.rows)
        return None

    def _typical(self, row: Result) -> Level | None:
        scale = self.sources.scale(self.study, row.outcome, row.instrument)
        between = self.sources.between.get(self.outcome.instrument or "")
        baseline = self.outcome.baseline
        if baseline is None or between is None or scale.instrument != self.outcome.instrument:
            return None
        text = (
            f"mean before treatment not given; {number(baseline.value)} taken, "
            f"SD {number(between)} between groups"
        )
        step = Step(OF_PROTOCOL, text, "imputed")
        return Level(float(baseline.value), between, 0.0, (step,))

    def _level(self, ref: RowRef, row: Result) -> Level | None:
        """Return the mean of a row with its standard error, None without mean or size."""
        estimate = self.sources.estimate(ref, "MN")
        if estimate is not None:
            spread = self.sources.spreads.log_sd(estimate)
            level = Level(estimate.value, estimate.se, spread, estimate.steps, (ref,))
            return level if estimate.value > 0 or not _is_baseline(row) else None
        sample = self.sources.sample(self.study, ref)
        if sample.mean is None or not sample.scale.holds(sample.mean.value):
            return None
        if _is_baseline(row) and sample.mean.value <= 0:
            return None
        steps = (*sample.mean.steps, *sample.scale.steps)
        if _is_baseline(row):
            return self._spread_out(sample, sample.mean.value, sample.mean.value, steps)
        return None

    # --- after ----------------------------------------------------------------------------

    def _reading(self, ref: RowRef, row: Result, rows: list[Row]) -> Reading | tuple[str, str]:
        """Return the score beside the one before: from a mean, a change, or a percentage."""
        before = self._before(row, rows)
        if before is not None:
            change, mean = self.sources.estimate(ref, "MC"), self._level(ref, row)
            if mean is not None:
                return Reading(mean, before, self._correlation(before))
            if change is not None:
                return self._changed(change, before)
        sample = self.sources.sample(self.study, ref)
        value = None if before is None else self._value(sample, before)
        if before is not None and value is not None:
            after = self._spread_out(sample, value.value, before.value, value.steps)
            if after is None:
                return "no-spread", f"{number(value.value)}: neither SD nor number of patients"
            return Reading(after, before, self._correlation(before))
        if row.change_percent is not None:
            return self._of_percent(sample, row)
        if before is None:
            return "no-baseline", "no mean before treatment is given, and none can be taken"
        return "no-mean", "no mean, and no figures from which one follows"

    def _correlation(self, before: Level) -> float:
        """Return the correlation with the mean before: none where it is that of other people."""
        foreign = {OF_OTHER_ARM, OF_PROTOCOL}
        own = all(step.rule not in foreign for step in before.steps)
        return self.sources.correlation if own else 0.0

    def _changed(self, change: Estimate, before: Level) -> Reading:
        """Return baseline plus change: their errors go together as far as the baseline's goes.

        With independent errors b and c of baseline and change, that of the mean is b + c, and
        its correlation with the baseline's SE(b) / SE(b + c); the share left then has the
        error of the change, and of the baseline only where it divides.
        """
        se = hypot(change.se, before.se)
        log_sd = self.sources.spreads.log_sd(change)
        text = f"mean {number(before.value + change.value)} = {number(before.value)} + change"
        steps = (*change.steps, Step("mean-from-change", text, "computed"))
        after = Level(before.value + change.value, se, log_sd, steps, change.rows)
        return Reading(after, before, before.se / se)

    def _value(self, sample: Sample, before: Level) -> Part | None:
        """Return the mean of a row for which there is no estimate."""
        row, scale = sample.row, sample.scale
        if sample.mean is not None:
            return Part(sample.mean.value, (*sample.mean.steps, *scale.steps))
        if row.change is not None:
            value = before.value + scale.span(float(row.change))
            text = f"mean {number(value)} = {number(before.value)} {_signed(row.change)}"
            return Part(value, (*scale.steps, Step("mean-from-change", text, "computed")))
        return None

    def _of_percent(self, sample: Sample, row: Result) -> Reading | tuple[str, str]:
        """Return a change told as a percentage of a mean that is not: the baseline is 1.

        The percentage is relative to the group's own baseline, so that this has no error of
        its own here.
        """
        assert row.change_percent is not None
        left = 1 + float(row.change_percent) / 100
        text = f"{number(row.change_percent)} % of the mean before, which is not given"
        steps = (Step("change-percent", text, "computed"),)
        after = self._percent_level(sample, row, left, steps)
        if after is None:
            return "no-spread", f"{text}: neither SD nor number of patients"
        return Reading(after, Level(1.0, 0.0, 0.0, ()), 0.0)

    def _percent_level(
        self, sample: Sample, row: Result, left: float, steps: tuple[Step, ...]
    ) -> Level | None:
        people = self.sources.people(self.study, row)
        if row.change_sd is None or people is None:
            return self._spread_out(sample, left, 1.0, steps)
        text = f"SD {number(row.change_sd)} read as that of the percentages"
        steps = (*steps, *people.steps, Step("sd-of-percent", text, "imputed"))
        return Level(left, float(row.change_sd) / 100 / sqrt(people.effective), 0.0, steps)

    def _spread_out(
        self, sample: Sample, value: float, unit: float, steps: tuple[Step, ...]
    ) -> Level | None:
        """Return a mean whose SD is its own, or borrowed as a share of the mean before (`unit`)."""
        people = self.sources.people(self.study, sample.row)
        if people is None:
            return None
        steps, root = (*steps, *people.steps), sqrt(people.effective)
        own, refs = sample.sd, (sample.ref,)
        if own is not None and own.value > 0 and sample.mean is not None:
            return Level(value, own.value / root, 0.0, (*steps, *own.steps), refs)
        spread = self.sources.spreads.relative.get(sample.row.outcome)
        if spread is None:
            return None
        sd, step = spread.at(value / unit)
        return Level(value, sd * unit / root, spread.log_sd, (*steps, step), refs)

    # --- together -------------------------------------------------------------------------

    def _draft(self, ref: RowRef, row: Result, reading: Reading) -> Draft:
        after, before = reading.after, reading.before
        scale = self.sources.scale(self.study, row.outcome, row.instrument)
        people = self.sources.people(self.study, row)
        n = None if people is None else people.count
        share, se = reading.left
        steps = (*before.steps, *after.steps)
        assert row.week is not None
        week = float(row.week)
        rows = tuple(dict.fromkeys((ref, *after.rows, *before.rows)))
        return Draft(
            study=self.study.id,
            arms=(row.arm,),
            outcome=self.outcome.id,
            kind="score",
            week=week,
            clock=row.clock,
            n=n,
            value=share,
            low=share - Z95 * se,
            high=share + Z95 * se,
            text=_text(self.outcome, scale, reading, when(week, row.clock), n) + imputed(steps),
            basis=worst(steps, _unknown(scale)),
            rows=rows,
            columns={
                "clock": place_of_clock(row.clock),
                "week": week,
                "mean": after.value,
                "se": after.se,
                "baseline": before.value,
                "baseline_se": before.se,
                "correlation": reading.correlation,
                "se_log_sd": after.log_sd,
            },
        )


def _is_baseline(row: Result) -> bool:
    return row.week == 0 and row.clock == "treatment"


def _same(one: Result, other: Result) -> bool:
    """Return whether two rows are of the same group measured in the same way."""
    return (one.outcome, one.instrument, one.subgroup, one.unit) == (
        other.outcome,
        other.instrument,
        other.subgroup,
        other.unit,
    )


def _signed(value: object) -> str:
    text = number(value)  # type: ignore[arg-type]
    return f"− {text[1:]}" if text.startswith("−") else f"+ {text}"


def _unknown(scale: Scale) -> Basis:
    """Return the trust in shares of a baseline on a scale whose points mean nothing elsewhere."""
    return "reported" if scale.known else "computed"


def _text(outcome: RecoveryOutcome, scale: Scale, reading: Reading, at: str, n: int | None) -> str:
    after, before = reading.after, reading.before
    share, se = reading.left
    figures = f"{number(after.value)} of {number(before.value)} before, on {scale.name}"
    if before.se == 0 and before.value == 1:
        figures = f"a change told in percent, on {scale.name}"
    people = "" if n is None else f", n {n}"
    return (
        f"{outcome.name}: {100 * share:.0f} % of the baseline left at {at} ({figures}; "
        f"SE of the share {100 * se:.1f} %){people}"
    )
