"""A synthesis in words and shown numbers: what every page says of it alike."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from math import inf

from trabecula import format as shown
from trabecula.format import uncapital
from trabecula.records.topic import MinimalImportantDifference
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog
from trabecula.reference.caveats import cautions, important, imputed_words
from trabecula.reference.contributors import Backing, backing, values_apart
from trabecula.review.model import Contribution, Pooled, Synthesis
from trabecula.review.treatments import regimens_of

NO_EFFECT = {"ratio": 1.0}
"""The value that means no difference, by display scale; zero on the others."""


@dataclass(frozen=True, slots=True)
class ResultLine:
    """A synthesis as lists and tables show it.

    ``measure`` says what the number is, with outcome and scale; ``short`` where the outcome is
    already told. ``value`` is what was pooled (or the one study's result) with the digits it
    deserves; ``raw`` the same unrounded; ``apart`` the studies' values where nothing was pooled.
    ``reading`` says in words which side the interval supports, for comparisons alone.
    ``imputed`` counts contributions that rest on an imputed number, ``imputed_words`` says
    which. ``controlled`` is true for a comparison with no active treatment; ``turned`` where
    the comparator of the synthesis stands first, so that the number is its inverse.
    """

    id: str
    path: str
    question: str
    treatment: str
    comparator: str | None
    outcome: str
    outcome_id: str
    harm: bool
    measure: str
    window: str
    kind: str
    scope: str
    controlled: bool
    turned: bool
    value: shown.Shown | None
    raw: float | None
    apart: str
    studies: int
    n: int
    reading: str
    favours: str
    short: str
    imputed: int
    imputed_words: str
    backing: Backing
    important: MinimalImportantDifference | None
    cautions: tuple[str, ...]

    @property
    def when(self) -> str:
        """The time asked about, with the weeks that really contribute."""
        weeks = self.backing.weeks
        return f"{self.window} ({weeks})" if weeks and "stated" not in self.window else self.window


def lines(
    catalog: Catalog, syntheses: Iterable[Synthesis], first: Collection[str] = ()
) -> list[ResultLine]:
    """Return each synthesis as a line; those of the regimens `first` begin with these."""
    return [line(catalog, synthesis, first) for synthesis in syntheses]


def comparisons_first(results: list[ResultLine]) -> list[ResultLine]:
    """Return comparisons by what they tell: primary stratum, then no active treatment first."""
    return sorted(results, key=lambda ln: (ln.scope != "primary", not ln.controlled))


def line(catalog: Catalog, synthesis: Synthesis, first: Collection[str] = ()) -> ResultLine:
    """Return a synthesis in words and shown numbers.

    A synthesis in which one of the regimens `first` is the comparator is turned, so that it
    stands first; a comparison with no active treatment stays as it is.
    """
    turn = _is_second(catalog, synthesis, frozenset(first))
    synthesis = turned(synthesis) if turn else synthesis
    value = synthesis.central
    favours = _favours(catalog, synthesis, value)
    null = no_effect(synthesis)
    rests_on = backing(catalog, synthesis)
    return ResultLine(
        id=synthesis.id,
        path=links.synthesis(synthesis.id),
        question=question(catalog, synthesis),
        treatment=catalog.treatment(synthesis.treatment),
        comparator=synthesis.comparator and catalog.treatment(synthesis.comparator),
        outcome=outcome_name(catalog, synthesis),
        outcome_id=synthesis.outcome,
        harm=catalog.topic.outcome(synthesis.outcome).harm,
        measure=what(catalog, synthesis),
        window=when(catalog, synthesis),
        kind=synthesis.kind,
        scope=synthesis.scope,
        controlled=is_controlled(catalog, synthesis),
        turned=turn,
        value=None if value is None else shown.shown(*value, synthesis.scale, null),
        raw=None if value is None else value[0],
        apart=values_apart(synthesis),
        studies=len(synthesis.studies),
        n=synthesis.n,
        reading=_reading(catalog, synthesis, favours, rests_on.counts),
        favours=favours,
        short=_short(catalog, synthesis),
        imputed=sum(c.estimate.basis == "imputed" for c in synthesis.contributions),
        imputed_words=imputed_words(synthesis),
        backing=rests_on,
        important=important(catalog, synthesis),
        cautions=cautions(catalog, synthesis),
    )


# --- the other way round ------------------------------------------------------------------


def _is_second(catalog: Catalog, synthesis: Synthesis, first: frozenset[str]) -> bool:
    """Return whether one of the regimens `first` is the comparator alone, and no control."""
    if synthesis.comparator is None or is_controlled(catalog, synthesis):
        return False
    mine = first & set(regimens_of(synthesis.treatment))
    return not mine and bool(first & set(regimens_of(synthesis.comparator)))


def turned(synthesis: Synthesis) -> Synthesis:
    """Return a comparison the other way round: ratios inverted, differences with other sign.

    The treatment becomes the comparator; limits change places. It stays the same synthesis,
    with the same id.
    """
    assert synthesis.comparator is not None
    flip = _inverse if synthesis.scale == "ratio" else _opposite
    return replace(
        synthesis,
        treatment=synthesis.comparator,
        comparator=synthesis.treatment,
        contributions=tuple(_turned_part(c, flip) for c in synthesis.contributions),
        pooled=synthesis.pooled and _turned_pool(synthesis.pooled, flip),
    )


def _turned_part(item: Contribution, flip: Callable[[float], float]) -> Contribution:
    e = item.estimate
    assert e.comparator_arm is not None
    estimate = replace(
        e,
        value=-e.value,
        arm=e.comparator_arm,
        regimens=e.comparator,
        comparator_arm=e.arm,
        comparator=e.regimens,
    )
    return replace(
        item, estimate=estimate, value=flip(item.value), low=flip(item.high), high=flip(item.low)
    )


def _turned_pool(pooled: Pooled, flip: Callable[[float], float]) -> Pooled:
    return replace(
        pooled,
        value=flip(pooled.value),
        low=flip(pooled.high),
        high=flip(pooled.low),
        pi_low=None if pooled.pi_high is None else flip(pooled.pi_high),
        pi_high=None if pooled.pi_low is None else flip(pooled.pi_low),
    )


def _inverse(value: float) -> float:
    return 1 / value if value else inf


def _opposite(value: float) -> float:
    return 0.0 - value


# --- in words -----------------------------------------------------------------------------


def no_effect(synthesis: Synthesis) -> float | None:
    """Return the value that means no difference; None for results that have none."""
    if synthesis.kind not in {"comparison", "before-after"}:
        return None
    return NO_EFFECT.get(synthesis.scale, 0.0)


def is_controlled(catalog: Catalog, synthesis: Synthesis) -> bool:
    """Return whether a synthesis compares with no active treatment."""
    controls = set(catalog.protocol.control_regimens)
    return synthesis.comparator is not None and set(regimens_of(synthesis.comparator)) <= controls


def outcome_name(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return the outcome, with the kind of event where it is one of several."""
    name = catalog.outcomes[synthesis.outcome]
    return f"{name} ({synthesis.event})" if synthesis.event else name


TIMINGS = {
    "latest": "Last follow-up",
    "untimed": "A time that is not stated",
    "duration": "From start to event",
}
"""What stands in place of a time window."""


def when(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return the time a synthesis speaks of."""
    if synthesis.window is not None:
        return catalog.windows[synthesis.window]
    return TIMINGS[synthesis.timing]


def what(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return what the number of a synthesis is, with its scale."""
    outcome = uncapital(outcome_name(catalog, synthesis))
    instrument = instrument_name(catalog, synthesis)
    on = f", {instrument}" if instrument else ""
    if instrument.lower().startswith(outcome.lower()):
        outcome, on = uncapital(instrument), ""
    if synthesis.kind == "proportion":
        return f"share of patients: {outcome}"
    if synthesis.kind == "time":
        return f"mean weeks: {outcome}"
    if synthesis.kind == "before-after":
        return f"mean change of {outcome}{on}"
    return f"{measure_name(synthesis.measure)}, {outcome}{on}"


def _short(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return what the number of a synthesis is where its outcome stands above it."""
    on = instrument_name(catalog, synthesis)
    if synthesis.kind == "proportion":
        return "of patients"
    if synthesis.kind == "time":
        return "mean"
    if synthesis.kind == "before-after":
        return f"mean change{f', {on}' if on else ''}"
    return f"{measure_name(synthesis.measure)}{f', {on}' if on else ''}"


def instrument_name(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return the name of the instrument of a synthesis, empty where it has none."""
    if synthesis.instrument is None:
        return ""
    return catalog.instruments.get(synthesis.instrument, synthesis.instrument)


def measure_name(measure: str) -> str:
    """Return the name of a measure on the scale on which results are shown."""
    return labels.MEASURES.get(measure, measure).replace(" (log)", "")


def question(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return the question that a synthesis answers, in words."""
    treatment = catalog.treatment(synthesis.treatment)
    outcome = uncapital(outcome_name(catalog, synthesis))
    time = uncapital(when(catalog, synthesis))
    at = "" if synthesis.timing == "duration" else f" at {time}"
    if synthesis.kind == "comparison" and synthesis.comparator is not None:
        other = uncapital(catalog.treatment(synthesis.comparator))
        return f"{treatment} compared with {other}: {outcome}{at}"
    if synthesis.kind == "before-after":
        return f"{treatment}: change of {outcome} from before treatment to {time}"
    if synthesis.kind == "proportion":
        return f"{treatment}: patients with “{outcome}”{at}"
    return f"{treatment}: {outcome}, weeks from the start of treatment"


def better(catalog: Catalog, synthesis: Synthesis) -> str:
    """Return ``higher`` or ``lower``: which values are good for the patient.

    The instrument decides for scores in its points, the outcome otherwise. Of a share of
    patients, of an event that is a harm fewer is good.
    """
    outcome = catalog.topic.outcome(synthesis.outcome)
    if synthesis.scale == "points" and synthesis.instrument:
        for instrument in catalog.file.instruments:
            if instrument.id == synthesis.instrument and instrument.better:
                return instrument.better
    return outcome.better


def _favours(
    catalog: Catalog, synthesis: Synthesis, value: tuple[float, float, float] | None
) -> str:
    """Return ``treatment``, ``comparator``, or nothing where the interval holds both."""
    if synthesis.kind != "comparison" or value is None:
        return ""
    _, low, high = value
    null = NO_EFFECT.get(synthesis.scale, 0.0)
    if low <= null <= high:
        return ""
    above = low > null
    return "treatment" if above == (better(catalog, synthesis) == "higher") else "comparator"


def _reading(catalog: Catalog, synthesis: Synthesis, favours: str, counts: str) -> str:
    """Return which side the interval supports; of harms, on which side there were more."""
    if synthesis.kind != "comparison" or synthesis.comparator is None:
        return ""
    if synthesis.central is None:
        return synthesis.not_pooled or "Not pooled."
    harm = catalog.topic.outcome(synthesis.outcome).harm
    if not favours:
        sides = "more and fewer" if harm else "both a better and a worse result"
        return f"The interval holds {sides}{f' ({counts})' if counts else ''}"
    if harm:
        more = (favours == "comparator") == (better(catalog, synthesis) == "lower")
        said = "More" if more else "Fewer"
        name = uncapital(catalog.treatment(synthesis.treatment))
    else:
        said = "Better"
        side = synthesis.treatment if favours == "treatment" else synthesis.comparator
        name = uncapital(catalog.treatment(side))
    return f"{said} with {name}{f' ({counts})' if counts else ''}"
