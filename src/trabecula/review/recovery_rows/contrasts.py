"""What is said of one arm against another, where the arms themselves do not tell it.

A difference with its standard error, or an exact p with a direction, is a test statistic known
exactly; "p < 0.05", "not significant" and a mere direction bound it. An exact p without a
direction leaves the sign open.

Tests of the same two arms share their patients, so that one of a kind enters: of the whole
group, on the preferred instrument, at the week nearest to that of the protocol, whatever it
found. Tests of a third pair of arms follow from those of the other two.

A test without a week is taken at that of the protocol, or at the end of a shorter follow-up: a
difference shows before all have recovered, and not at the end of a long follow-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import nan, sqrt

from trabecula.effects.contrasts import Printed
from trabecula.effects.estimate import RowRef, Step
from trabecula.effects.pairs import is_control
from trabecula.effects.wording import number
from trabecula.records import Contrast, Result, Study
from trabecula.records.recovery_protocol import RecoveryOutcome
from trabecula.review.recovery_rows.draft import Draft, Found, imputed, place_of_kind, worst
from trabecula.review.recovery_rows.reconcile import reconciled
from trabecula.review.recovery_rows.sources import Sources, rows_of, share_of_arm, typical
from trabecula.review.recovery_rows.spreads import LEFT_AT_TESTS
from trabecula.review.recovery_rows.z_statistic import Statistic, is_same, statistic_of
from trabecula.synthesis.recovery.evidence import Kind


@dataclass(frozen=True, slots=True)
class Candidate:
    """A contrast that could enter."""

    ref: RowRef
    row: Contrast
    kind: Kind
    week: float
    statistic: Statistic
    steps: tuple[Step, ...]

    @property
    def pair(self) -> frozenset[str]:
        """The arms compared, in either order."""
        return frozenset(self.row.arms)


def contrasts(sources: Sources, study: Study, outcome: RecoveryOutcome, found: Found) -> None:
    """Add what a study says of one arm against another; rows of arms must have been added."""
    reader = _Reader(sources, study, outcome, found)
    candidates = list(reader.candidates())
    for candidate in reader.independent(reader.one_each(candidates)):
        reader.enter(candidate)


def overall_tests(study: Study, outcome: RecoveryOutcome, found: Found) -> None:
    """Note the tests of three arms or more, which say of no pair how they differ."""
    names = set(names_of(outcome))
    for index, test in enumerate(study.overall_tests):
        if test.outcome in names:
            text = f"p {test.p} of {len(test.arms)} arms at once: it tells no difference of two"
            found.omit(RowRef(study.id, "overall_tests", index), "overall-test", text)


def names_of(outcome: RecoveryOutcome) -> Iterator[str]:
    """Yield the outcomes of studies that show a recovery outcome."""
    for name in (outcome.complete, outcome.partial, *outcome.score, outcome.time):
        if name is not None:
            yield name


@dataclass(frozen=True)
class _Reader:
    sources: Sources
    study: Study
    outcome: RecoveryOutcome
    found: Found

    # --- which could enter ----------------------------------------------------------------

    def candidates(self) -> Iterator[Candidate]:
        """Yield contrasts that could enter, and note why others cannot."""
        names = set(names_of(self.outcome))
        for index, row in enumerate(self.study.contrasts):
            ref = RowRef(self.study.id, "contrasts", index)
            if row.outcome not in names:
                continue
            made = self._candidate(ref, row)
            if isinstance(made, Candidate):
                yield made
            elif made is not None:
                self.found.omit(ref, *made)

    def _candidate(self, ref: RowRef, row: Contrast) -> Candidate | tuple[str, str] | None:
        """Return the candidate, why there is none, or None if it went into the arms' rows."""
        if row.outcome == self.outcome.time:
            return "test-of-times", "a test of times, which the model has not"
        if self._active(row.arms[0]) == self._active(row.arms[1]):
            return "same-treatment", "both arms had the same active treatment, or none"
        if aside := self._set_aside(row):
            return "set-aside", aside
        kind = self._kind(row)
        if told := self._told_by_arms(row, kind):
            if self._reconciled(told, ref, row, kind):
                return None
            return "told-by-arms", "the figures of both arms enter by themselves"
        timed = self._week(row)
        if timed is None:
            return "untimed", "the source gives no time, nor how long patients were followed"
        statistic = statistic_of(self.sources, self.study, ref)
        if statistic is None:
            return "no-statistic", f"p {row.p}, of which no test statistic follows"
        return Candidate(ref, row, kind, timed[0], statistic, timed[1])

    def _active(self, arm: str) -> frozenset[str]:
        controls = self.sources.topic.file.protocol.control_regimens
        return frozenset(self.study.arm(arm).regimens) - frozenset(controls)

    def _kind(self, row: Contrast) -> Kind:
        if row.outcome in self.outcome.score:
            return "score"
        return "complete" if row.outcome == self.outcome.complete else "partial"

    def _set_aside(self, row: Contrast) -> str | None:
        """Return why the rows of the arms, all of them, were set aside, if they were."""
        rows = [r for a in row.arms for r in self._rows_of_arm(a, row)]
        reasons = [r.set_aside for r in rows]
        return reasons[0] if reasons and all(reasons) else None

    def _rows_of_arm(self, arm: str, row: Contrast) -> Iterator[Result]:
        for _, result in rows_of(self.study, (row.outcome,)):
            if result.arm == arm and is_same(result, row):
                yield result

    def _told_by_arms(self, row: Contrast, kind: Kind) -> tuple[Draft, ...]:
        """Return the drafts of both arms of that kind at that week (or the first), if any."""
        mine = [d for d in self.found.drafts if d.kind == kind and d.arms[0] in row.arms]
        weeks = {d.week for d in mine} if row.week is None else {float(row.week)}
        for week in sorted(w for w in weeks if w is not None):
            pair = tuple(d for d in mine if d.week == week)
            if {d.arms[0] for d in pair} == set(row.arms):
                return pair
        return ()

    def _reconciled(self, told: tuple[Draft, ...], ref: RowRef, row: Contrast, kind: Kind) -> bool:
        """Make borrowed SDs of both arms agree with the p of their difference, if they do not."""
        better = reconciled(told, ref, row.p) if kind == "score" else None
        for old, new in zip(told, better or (), strict=False):
            self.found.drafts[self.found.drafts.index(old)] = new
        return better is not None

    def _week(self, row: Contrast) -> tuple[float, tuple[Step, ...]] | None:
        if row.week is not None:
            return (float(row.week), ()) if row.week > 0 else None
        follow_up = typical(self.study.population.follow_up_weeks)
        if follow_up is None:
            weeks = [r.week for r in self.study.results] + [c.week for c in self.study.contrasts]
            follow_up = max((float(week) for week in weeks if week is not None), default=0.0)
        if follow_up <= 0:
            return None
        week = min(follow_up, float(self.sources.protocol.test_week.value))
        text = f"no week given; taken at week {week:.3g} of a follow-up of {follow_up:.3g}"
        return week, (Step("week-of-test", text, "imputed"),)

    # --- which of them --------------------------------------------------------------------

    def one_each(self, candidates: Iterable[Candidate]) -> list[Candidate]:
        """Return one candidate for each pair of arms and kind."""
        wanted = float(self.sources.protocol.test_week.value)

        def rank(c: Candidate) -> tuple[bool, int, float, float, int]:
            choice = 0
            if c.kind == "score":
                choice = self.sources.preference(self.study, self.outcome, c.row)
            return c.row.subgroup is not None, choice, abs(c.week - wanted), c.week, c.ref.index

        kept: dict[tuple[frozenset[str], Kind], Candidate] = {}
        for candidate in sorted(candidates, key=rank):
            best = kept.setdefault((candidate.pair, candidate.kind), candidate)
            if best is not candidate:
                self.found.omit(candidate.ref, "same-patients", _why_not(best, candidate))
        return list(kept.values())

    def independent(self, candidates: Iterable[Candidate]) -> Iterator[Candidate]:
        """Yield candidates that connect arms not yet compared with each other, control first."""
        protocol = self.sources.topic.file.protocol

        def rank(c: Candidate) -> tuple[bool, int]:
            control = any(is_control(self.study.arm(a), protocol) for a in c.row.arms)
            return not control, c.ref.index

        groups: dict[tuple[Kind, str], set[str]] = {}
        for candidate in sorted(candidates, key=rank):
            one, other = candidate.row.arms
            first = groups.setdefault((candidate.kind, one), {one})
            second = groups.setdefault((candidate.kind, other), {other})
            if first is second:
                text = "follows in part from the tests of these arms against a third"
                self.found.omit(candidate.ref, "same-patients", text)
                continue
            first |= second
            for arm in second:
                groups[candidate.kind, arm] = first
            yield candidate

    # --- together -------------------------------------------------------------------------

    def enter(self, candidate: Candidate) -> None:
        """Add the draft of a candidate, or note what it lacks."""
        statistic, row = candidate.statistic, candidate.row
        sizes = self._sizes(candidate)
        unit = self._per_unit(candidate, sizes)
        if candidate.kind != "score" and sizes is None:
            self.found.omit(candidate.ref, "no-n", "how many patients were compared is not told")
            return
        if candidate.kind == "score" and unit is None:
            text = "neither the baseline nor the number of patients is told"
            self.found.omit(candidate.ref, "no-spread", text)
            return
        per_unit, unit_steps = unit or (nan, ())
        (n_first, n_second), size_steps = sizes or ((nan, nan), ())
        steps = (*statistic.steps, *candidate.steps, *size_steps, *unit_steps)
        patients = None if sizes is None else round(n_first + n_second)
        if self.study.crossover and sizes is not None:
            patients = round(max(sizes[0]))
        self.found.drafts.append(
            Draft(
                study=self.study.id,
                arms=statistic.arms,
                outcome=self.outcome.id,
                kind="test",
                week=None if row.week is None else float(row.week),
                clock="treatment",
                n=patients,
                value=None,
                low=None,
                high=None,
                text=f"{self._what(candidate)}: {statistic.text}{imputed(steps)}",
                basis=worst(steps),
                rows=(candidate.ref, *statistic.rows),
                columns={
                    "kind": place_of_kind(candidate.kind),
                    "week": candidate.week,
                    "lower": statistic.lower,
                    "upper": statistic.upper,
                    "either_sign": statistic.either_sign,
                    "per_unit": per_unit,
                    "n_first": n_first,
                    "n_second": n_second,
                },
            )
        )

    def _what(self, candidate: Candidate) -> str:
        by = {"complete": f", {self.outcome.recovered}", "partial": ", better", "score": ""}
        return f"{self.outcome.name}{by[candidate.kind]}, week {candidate.week:.3g}"

    def _sizes(self, candidate: Candidate) -> tuple[tuple[float, float], tuple[Step, ...]] | None:
        """Return the patients of both arms, in the order of the statistic."""
        row, arms = candidate.row, candidate.statistic.arms
        outcome = self.sources.topic.outcome(row.outcome)
        scale = self.sources.scale(self.study, row.outcome, row.instrument)
        told = Printed(self.study, candidate.ref, outcome, scale).sizes
        if told is not None:
            by_arm = dict(zip(row.arms, told, strict=True))
            return (float(by_arm[arms[0]]), float(by_arm[arms[1]])), ()
        if row.subgroup is not None:
            return None
        shares = [share_of_arm(self.study, arm) for arm in arms]
        if shares[0] is None or shares[1] is None:
            return None
        return (shares[0][0], shares[1][0]), (*shares[0][1], *shares[1][1])

    def _per_unit(
        self, candidate: Candidate, sizes: tuple[tuple[float, float], tuple[Step, ...]] | None
    ) -> tuple[float, tuple[Step, ...]] | None:
        """Return the expected z of a difference of one whole baseline, of scores."""
        if candidate.kind != "score":
            return None
        baseline, se = self._baseline(candidate.row), candidate.statistic.se
        if se is not None and baseline is not None:
            return baseline[0] / se, baseline[1]
        spread = self.sources.spreads.relative.get(candidate.row.outcome)
        if spread is None or sizes is None:
            return None
        one, other = sizes[0]
        sd, step = spread.at(LEFT_AT_TESTS)
        return 1 / (sd * sqrt(1 / one + 1 / other)), (step,)

    def _baseline(self, row: Contrast) -> tuple[float, tuple[Step, ...]] | None:
        """Return the mean before treatment on the scale of the difference."""
        scale = self.sources.scale(self.study, row.outcome, row.instrument)
        means = []
        for ref, result in rows_of(self.study, (row.outcome,)):
            estimate = self.sources.estimate(ref, "MN")
            of_arms = result.arm in row.arms and result.instrument == row.instrument
            if estimate is not None and result.week == 0 and of_arms:
                means.append(estimate.value)
        if means:
            return sum(means) / len(means), ()
        baseline = self.outcome.baseline
        if baseline is None or scale.instrument != self.outcome.instrument:
            return None
        text = f"mean before treatment not given; {number(baseline.value)} taken"
        return float(baseline.value), (Step("baseline-of-protocol", text, "imputed"),)


def _why_not(best: Candidate, other: Candidate) -> str:
    if other.row.subgroup is not None and best.row.subgroup is None:
        return f"subgroup “{other.row.subgroup}”: the whole group is used"
    if other.row.instrument != best.row.instrument and other.kind == "score":
        return f"on “{other.row.instrument}”: the same arms are compared on “{best.row.instrument}”"
    return f"at week {other.week:.3g}: the same arms are compared at week {best.week:.3g}"
