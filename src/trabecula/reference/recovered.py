"""Answers of the recovery model in words: what pages say beside its figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from trabecula import format as shown
from trabecula.format import NARROW, uncapital
from trabecula.plots.rate_ratio_plot import chance
from trabecula.reference import links
from trabecula.reference.catalog import Catalog
from trabecula.reference.recovery_labels import PRIORS
from trabecula.review.recovery import LIKELY, SURE
from trabecula.review.recovery_model import (
    Course,
    Credible,
    NaturalCourse,
    RecoverySynthesis,
    RegimenRecovery,
)

UNTOLD = "we cannot tell"
"""What is said where a rate ratio may well lie on either side of 1."""

VERDICTS = ("probably faster", "may be faster", "probably slower", "may be slower")
"""What else is said of a rate ratio, from the probability of its side."""

PREGNANCY = "pregnant"
"""How the model calls the moderator of pregnancy; those of sites and strata have a prefix."""

MOST_PAIRS = 6
"""Pairs that lie apart are named up to this many, then counted."""

Link = tuple[str, str]
"""A name and where it leads."""


@dataclass(frozen=True, slots=True)
class Versus:
    """A quantity with treatment, by waiting, and the difference; dashes where not known."""

    what: str
    treated: str
    waiting: str
    difference: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a regimen adds to recovery of one outcome, in words; ``key`` is the outcome's id."""

    key: str
    outcome: str
    regimen: str
    path: str
    words: str
    rate: str
    faster: str
    quarter: str
    tells: str
    saved: str
    studies: tuple[Link, ...]
    comparative: int
    patients: int
    rows: tuple[Versus, ...]
    scores: tuple[Versus, ...]
    seen: str
    trial: str


def answer(catalog: Catalog, found: RegimenRecovery) -> Answer:
    """Return an answer of the model in words."""
    return Answer(
        key=found.outcome,
        outcome=catalog.recovery_outcomes[found.outcome].name,
        regimen=catalog.treatment(found.regimen),
        path=links.regimen(found.regimen),
        words=shown.sentence(found.words),
        rate=ratio(found.rate_ratio),
        faster=chance(found.p_faster),
        quarter=chance(found.p_quarter_faster),
        tells=verdict(found),
        saved=weeks(found.weeks_saved),
        studies=study_links(catalog, found.studies),
        comparative=len(found.comparative_studies),
        patients=found.patients,
        rows=tuple(_times(catalog, found)),
        scores=tuple(_scores(found)),
        seen=_seen(found),
        trial=trial(catalog, found),
    )


def answers_of(catalog: Catalog, regimen: str) -> list[Answer]:
    """Return the answers on a regimen by outcome; none where the model gives none."""
    recovery = catalog.review.recovery
    if recovery is None:
        return []
    found = (recovery.of(regimen, outcome) for outcome in recovery.outcomes)
    return [answer(catalog, a) for a in found if a is not None]


def study_links(catalog: Catalog, studies: Iterable[str]) -> tuple[Link, ...]:
    """Return names of studies with their pages, in the order of the names."""
    named = ((catalog.study_names[s], links.study(s)) for s in studies)
    return tuple(sorted(named, key=lambda pair: pair[0].lower()))


def ratio(value: Credible) -> str:
    """Return a rate ratio with its limits; what rounds to 1 keeps its side."""
    text = shown.shown(value.median, value.low, value.high, "ratio", null=1.0)
    return f"{text.value} ({text.low} to {text.high})"


def weeks(value: Credible) -> str:
    """Return a time with its limits; a time that may never come is *never*."""
    return _interval(value, "weeks")


def share(value: Credible) -> str:
    """Return a share with its limits in percent."""
    return _interval(value, "proportion", f"{NARROW}%")


def tells(value: Credible) -> str:
    """Return on which side of 1 a whole interval lies, or that we cannot tell."""
    if value.low > 1:
        return "faster"
    return "slower" if value.high < 1 else UNTOLD


def verdict(found: RegimenRecovery) -> str:
    """Return how sure a side is, by the probabilities of the fixed phrases of answers."""
    side, p = ("faster", found.p_faster) if found.p_faster > 0.5 else ("slower", 1 - found.p_faster)
    if p < LIKELY:
        return UNTOLD
    return f"probably {side}" if p >= SURE else f"may be {side}"


def group(catalog: Catalog, name: str) -> str:
    """Return a moderator of the model in words: a site, a stratum, or pregnancy."""
    kind, _, key = name.partition(":")
    strata = {s.id: s.name for s in catalog.file.strata}
    known = {"site": catalog.sites, "stratum": strata}.get(kind, {})
    return known.get(key, "Pregnancy" if name == PREGNANCY else shown.sentence(name))


def variant(catalog: Catalog, label: str) -> str:
    """Return what a variant changes, priors and studies by their names."""
    for key in sorted(PRIORS, key=len, reverse=True):
        start = f"{key.replace('_', ' ')} "
        if label.startswith(start):
            return f"{PRIORS[key]}: {label.removeprefix(start)}"
    return shown.sentence(catalog.said("", label))


def _interval(value: Credible, scale: str, sign: str = "") -> str:
    finite = [x for x in (value.low, value.median, value.high) if math.isfinite(x)]
    if not finite:
        return "never"
    text = shown.shown(finite[0], finite[0], finite[-1], scale)
    decimals = len(text.low.partition(".")[2])
    factor = 100 if scale == "proportion" else 1

    def told(x: float) -> str:
        return shown.number(factor * x, decimals) if math.isfinite(x) else "never"

    return f"{told(value.median)}{sign} ({told(value.low)} to {told(value.high)})"


def in_words(value: Credible, sign: str = "") -> str:
    """Return weeks or, with a percent `sign`, a share, and its interval called by name."""
    text = share(value) if sign else weeks(value)
    return text.replace("(", f"(95{NARROW}% CrI ", 1)


def natural_words(catalog: Catalog, natural: NaturalCourse) -> Iterator[str]:
    """Yield what waiting alone brings, in sentences."""
    recovered = catalog.recovery_outcomes[natural.outcome].recovered
    new = natural.new_study
    yield (
        f"Half of those who wait have recovered completely ({recovered}) after "
        f"{in_words(natural.median_weeks).replace(' (', ' weeks (', 1)}, counted from the start."
    )
    low, high = weeks(new).partition("(")[2].rstrip(")").split(" to ")
    yield (
        f"In the patients of a new study that would be after {low} to {high} weeks, with a "
        "probability of 95 %: studies differ."
    )
    yield f"{in_words(natural.never, '%')} never recover completely."
    yield (
        f"Untreated patients were observed to week {shown.number(natural.last_week, 0)}. What is "
        "later is extrapolated."
    )


def short_natural(catalog: Catalog, natural: NaturalCourse) -> str:
    """Return in one clause when half of those who wait have recovered."""
    recovered = catalog.recovery_outcomes[natural.outcome].recovered
    return f"{recovered} after {in_words(natural.median_weeks).replace(' (', ' weeks (', 1)}"


def summary(catalog: Catalog, answers: Sequence[RegimenRecovery]) -> str:
    """Return how many of some answers tell anything, and of which."""
    told = {
        side: [uncapital(catalog.treatment(a.regimen)) for a in answers if verdict(a) == side]
        for side in (*VERDICTS, UNTOLD)
    }
    known = [f"{side}: {shown.joined(told[side])}" for side in VERDICTS if told[side]]
    size = shown.plural(len(answers), "treatment")
    if not known:
        return f"Of none of {size} can we tell whether it is faster or slower than waiting."
    rest = len(told[UNTOLD])
    first = f"Than waiting {'; '.join(known)}"
    return f"{first}. Of the other {rest} of {size} we cannot tell." if rest else f"{first}."


def apart(catalog: Catalog, answers: Sequence[RegimenRecovery]) -> str:
    """Return which treatments can be told from each other by their intervals, if any."""
    pairs = []
    for a, b in combinations(answers, 2):
        if a.rate_ratio.low > b.rate_ratio.high:
            pairs.append((a, b))
        elif b.rate_ratio.low > a.rate_ratio.high:
            pairs.append((b, a))
    if len(answers) < 2:
        return ""
    if not pairs:
        return (
            "The intervals of all treatments overlap: which is faster than which we cannot tell. "
            "That does not mean that they are alike."
        )
    if len(pairs) > MOST_PAIRS:
        said = shown.plural(len(pairs), "pair")
        total = math.comb(len(answers), 2)
        return f"The intervals of {said} of {total} lie apart; of the others we cannot tell."
    said = "; ".join(
        f"{uncapital(catalog.treatment(a.regimen))} above {uncapital(catalog.treatment(b.regimen))}"
        for a, b in pairs
    )
    return f"Intervals lie apart of {said}. Of all other pairs which is faster we cannot tell."


def trial(catalog: Catalog, found: RegimenRecovery) -> str:
    """Return the trial that would settle an answer, in a sentence."""
    plan = found.trial
    percent = [f"{100 * x:.0f}{NARROW}%" for x in (plan.natural, plan.treated)]
    planned = (
        f"{catalog.treatment(found.regimen)} against waiting in two arms, outcome "
        f"“{plan.measure}” at week {shown.number(plan.week, 0)}: if the rate ratio is "
        f"{shown.number(plan.rate_ratio, 2)}, {percent[0]} by waiting and {percent[1]} "
        "with treatment are expected, and "
    )
    power = f"{100 * plan.power:.0f}{NARROW}% power at a two-sided level of 5{NARROW}%"
    if plan.patients_per_arm is None:
        return (
            f"{planned}{power} needs more than {shown.count(plan.limit)} patients an arm: no trial "
            "of usual size would settle it."
        )
    return f"{planned}{shown.count(plan.patients_per_arm)} patients an arm give {power}."


def _times(catalog: Catalog, found: RegimenRecovery) -> Iterator[Versus]:
    recovered = catalog.recovery_outcomes[found.outcome].recovered
    half = found.weeks_to_half, found.weeks_to_half_naturally, found.weeks_saved_to_half
    if any(half):
        yield Versus("Weeks until the score is half", *(weeks(x) if x else "–" for x in half))
    yield Versus(
        f"Weeks until half have recovered ({recovered})",
        weeks(found.weeks_to_recovery),
        weeks(found.weeks_to_recovery_naturally),
        weeks(found.weeks_saved),
    )


def _scores(found: RegimenRecovery) -> Iterator[Versus]:
    if found.score is None or found.score_naturally is None:
        return
    for week, difference in found.score_difference:
        yield Versus(
            f"Week {shown.number(week, 0)}",
            _at(found.score, week),
            _at(found.score_naturally, week),
            _interval(difference, "points"),
        )


def _at(course: Course, week: float) -> str:
    """Return a course at a week in points, on a straight line between its own weeks."""
    from numpy import interp

    lines = (course.value, course.low, course.high)
    return _interval(Credible(*(float(interp(week, course.weeks, x)) for x in lines)), "points")


def _seen(found: RegimenRecovery) -> str:
    if found.last_week is None:
        return "Nobody given it was observed at a week that is told: the course is extrapolated."
    return (
        f"Patients given it were observed to week {shown.number(found.last_week, 0)}; what is "
        "later is extrapolated."
    )


def home_sentence(catalog: Catalog, recovery: RecoverySynthesis) -> str:
    """Return in short what waiting brings and of how many treatments we can tell more."""
    waits = "; ".join(short_natural(catalog, n) for n in recovery.natural)
    regimens = dict.fromkeys(a.regimen for a in recovery.regimens)
    faster = [r for r in regimens if _any_faster(recovery, r)]
    names = shown.joined([uncapital(catalog.treatment(r)) for r in faster])
    told = (
        f"probably faster than that on some outcome: {names}"
        if faster
        else f"whether any of {shown.plural(len(regimens), 'treatment')} is faster than that we "
        "cannot tell"
    )
    return f"Of those who wait half are {waits}; {told}."


def _any_faster(recovery: RecoverySynthesis, regimen: str) -> bool:
    return any(a.regimen == regimen and verdict(a) == VERDICTS[0] for a in recovery.regimens)
