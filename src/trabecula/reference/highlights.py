"""What is most worth knowing of a review, in sentences that claim no more than it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trabecula import format as shown
from trabecula.format import uncapital
from trabecula.records import Regimen
from trabecula.reference import labels, links
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.recovered import home_sentence
from trabecula.reference.results import ResultLine, is_controlled, lines
from trabecula.reference.standing import standing
from trabecula.reference.unquantified import PrintedComparison, unquantified
from trabecula.review.evidence_base import RANDOMISED
from trabecula.review.model import EvidenceBase, Review
from trabecula.review.pool import FEWEST_TO_POOL


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence, and where it leads."""

    text: str
    path: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class BaseRow:
    """A regimen and what it rests on; ``agent_of`` is the class under which it is listed."""

    regimen: Regimen
    base: EvidenceBase
    grade: labels.Basis
    agent_of: str | None = None


@dataclass(frozen=True, slots=True)
class Designs:
    """How the studies of the primary stratum are made, each study in one class."""

    randomised: int
    compared: int
    uncontrolled: int
    patients: int

    @property
    def total(self) -> int:
        """All studies of the primary stratum."""
        return self.randomised + self.compared + self.uncontrolled


def highlights(review: Review) -> list[str]:
    """Return what is most worth knowing, most important first."""
    catalog = Catalog(review, {})
    rows = base_rows(catalog)
    known, printed = known_comparisons(catalog), printed_comparisons(catalog)
    found = [*messages(catalog, rows, known, printed), *unknowns(catalog, rows, known, printed)]
    errors = sum(f.severity == "error" for f in review.findings)
    audit = f"In {shown.plural(errors, 'place')} printed figures cannot all be true (audit)."
    return [*(message.text for message in found), audit]


def designs_of(catalog: Catalog) -> Designs:
    """Return how the studies of the primary stratum are made; patients once a cohort."""
    studies = [s for s in catalog.studies if catalog.strata[s.id] == catalog.primary]
    randomised = sum(s.design in RANDOMISED and len(s.arms) > 1 for s in studies)
    multi = sum(len(s.arms) > 1 for s in studies)
    cohorts: dict[str, int] = {}
    for study in studies:
        size = study.population.patients or 0
        cohorts[study.cohort_or_id] = max(size, cohorts.get(study.cohort_or_id, 0))
    return Designs(randomised, multi - randomised, len(studies) - multi, sum(cohorts.values()))


def base_rows(catalog: Catalog) -> list[BaseRow]:
    """Return every active regimen with its primary evidence base, best-founded first.

    The agents of a class follow it, in the same order among themselves.
    """
    rows = []
    for regimen in catalog.regimens:
        if regimen.role == "active":
            base = catalog.review.base(regimen.id)
            rows.append(BaseRow(regimen, base, standing(catalog, regimen), regimen.parent))
    ordered = sorted(rows, key=lambda r: (r.grade.rank, -r.base.patients, r.regimen.order))
    agents = grouped(ordered, lambda r: r.agent_of)
    return [r for top in agents.get(None, []) for r in (top, *agents.get(top.regimen.id, []))]


def printed_comparisons(catalog: Catalog) -> list[PrintedComparison]:
    """Return primary comparisons with no active treatment that yield no usable number.

    Outcomes of limited importance are left in, but last.
    """
    order = {"critical": 0, "important": 1, "limited": 2}
    found = [i for i in unquantified(catalog) if i.primary and i.controlled]
    return sorted(found, key=lambda i: order[catalog.topic.outcome(i.outcome_id).priority])


def known_comparisons(catalog: Catalog) -> list[ResultLine]:
    """Return primary comparisons with no active treatment, of critical outcomes first.

    Outcomes of limited importance are left out.
    """
    controls = set(catalog.protocol.control_regimens)
    found = [
        s
        for s in catalog.review.syntheses
        if s.kind == "comparison"
        and s.scope == "primary"
        and s.treatment not in controls
        and catalog.topic.outcome(s.outcome).priority != "limited"
        and is_controlled(catalog, s)
    ]
    return sorted(lines(catalog, found), key=lambda ln: not is_critical(catalog, ln))


def is_critical(catalog: Catalog, result: ResultLine) -> bool:
    """Return whether the outcome of a result is critical to patients."""
    return catalog.topic.outcome(result.outcome_id).priority == "critical"


def messages(
    catalog: Catalog,
    rows: list[BaseRow],
    known: list[ResultLine],
    printed: list[PrintedComparison],
) -> Iterator[Message]:
    """Yield the answer in short."""
    if not rows:
        yield Message("No active treatment is recorded.")
        return
    critical = [ln for ln in known if is_critical(catalog, ln)]
    yield from _doubt(catalog)
    if catalog.review.recovery is not None:
        told = home_sentence(catalog, catalog.review.recovery)
        yield Message(told, links.FASTER, "How much faster than waiting")
    yield _verdict(critical)
    yield from _without_number(catalog, printed)
    tested = [r for r in rows if r.grade.grade == "randomised-control"]
    yield Message(
        f"Of {count_of_treatments(rows)}, {len(tested)} "
        f"{'was' if len(tested) == 1 else 'were'} compared with no active treatment in a "
        f"randomised study of this disease{f': {_list(_names(tested))}' if tested else ''}."
    )
    designs = designs_of(catalog)
    if designs.total:
        share = shown.percent(designs.uncontrolled, designs.total)
        yield Message(
            f"Of the {shown.plural(designs.total, 'study', 'studies')} of this disease "
            f"{designs.uncontrolled} ({share}) had no control group. The disease is "
            "self-limited, so their before–after changes are not effects of treatment."
        )
        yield Message(certainty(catalog))


def count_of_treatments(rows: list[BaseRow]) -> str:
    """Return how many treatments there are, agents of a class told apart."""
    agents = sum(r.agent_of is not None for r in rows)
    apart = f" ({agents} of them {'an agent' if agents == 1 else 'agents'} of a class)"
    return f"{shown.plural(len(rows), 'recorded treatment')}{apart if agents else ''}"


def certainty(catalog: Catalog) -> str:
    """Return how sure the numbers are, as long as nobody has rated it."""
    studies = [s for s in catalog.studies if catalog.strata[s.id] == catalog.primary]
    abstracts = sum(s.read_in == "abstract" for s in studies)
    read = (
        f" {abstracts} of the {shown.plural(len(studies), 'study', 'studies')} of this disease "
        f"{'was' if abstracts == 1 else 'were'} read as abstract only."
        if abstracts
        else ""
    )
    return f"How sure these results are has not been rated.{read}"


def _doubt(catalog: Catalog) -> Iterator[Message]:
    """Say that no treatment is settled, as long as no pooled comparison settles one."""
    pooled = [
        s
        for s in catalog.review.syntheses
        if s.kind == "comparison"
        and s.scope == "primary"
        and s.pooled is not None
        and is_controlled(catalog, s)
        and _is_of_illness(catalog, s.outcome)
    ]
    if any(ln.favours == "treatment" for ln in lines(catalog, pooled)):
        return
    why = (
        "the pooled comparisons with no active treatment settle no outcome critical to patients"
        if pooled
        else "no outcome critical to patients was compared with no active treatment in as many as "
        f"{FEWEST_TO_POOL} studies"
    )
    yield Message(f"No treatment is shown beyond doubt to shorten the illness: {why}.")


def _is_of_illness(catalog: Catalog, outcome_id: str) -> bool:
    outcome = catalog.topic.outcome(outcome_id)
    return outcome.priority == "critical" and not outcome.harm


def _without_number(catalog: Catalog, printed: list[PrintedComparison]) -> Iterator[Message]:
    """Name what was compared though no number can be used, by outcome."""
    told = [i for i in printed if catalog.topic.outcome(i.outcome_id).priority != "limited"]
    if not told:
        return
    by_outcome = grouped(told, lambda i: catalog.outcomes[i.outcome_id])
    parts = [f"{uncapital(name)} ({_list_of_studies(found)})" for name, found in by_outcome.items()]
    yield Message(
        f"Compared with no active treatment, but without a usable number: {shown.joined(parts)}.",
        "#printed",
        "What is printed",
    )


def _list_of_studies(found: list[PrintedComparison]) -> str:
    by_treatment = grouped(found, lambda i: i.treatment)
    return "; ".join(
        f"{uncapital(treatment)}: {', '.join(dict.fromkeys(i.name for i in items))}"
        for treatment, items in by_treatment.items()
    )


def _verdict(critical: list[ResultLine]) -> Message:
    """Say which comparisons on critical outcomes have an interval that supports one side."""
    if not critical:
        return Message("For outcomes critical to patients no such comparison yields a number.")
    better = grouped([ln for ln in critical if ln.favours == "treatment"], lambda ln: ln.treatment)
    worse = grouped([ln for ln in critical if ln.favours == "comparator"], lambda ln: ln.treatment)
    if not better and not worse:
        return Message(
            "No comparison with no active treatment settles whether patients fare better or "
            "worse in any outcome critical to them.",
            "#known",
            "The comparisons",
        )
    parts = [
        f"{verb} {_list([_with_outcomes(name, found) for name, found in groups.items()])}"
        for verb, groups in (("favour", better), ("speak against", worse))
        if groups
    ]
    rest = len(critical) - _total(better) - _total(worse)
    alone = all(ln.studies == 1 for ln in critical if ln.favours)
    return Message(
        f"In outcomes critical to patients, comparisons with no active treatment "
        f"{' and '.join(parts)}{_others(rest)}."
        f"{' No such result has been repeated in a second study.' if alone else ''}",
        "#known",
        "The comparisons",
    )


def _others(rest: int) -> str:
    if rest == 0:
        return ""
    return "; one other settles nothing" if rest == 1 else f"; {rest} others settle nothing"


def _with_outcomes(name: str, found: list[ResultLine]) -> str:
    outcomes = dict.fromkeys(
        f"{uncapital(ln.outcome)}: {shown.plural(ln.studies, 'study', 'studies')}, "
        f"{ln.backing.size}{f', {ln.backing.beside}' if ln.backing.beside else ''}"
        f"{', imputed' if ln.imputed else ''}"
        for ln in found
    )
    return f"{name} ({'; '.join(outcomes)})"


def _total(groups: dict[str, list[ResultLine]]) -> int:
    return sum(map(len, groups.values()))


def unknowns(
    catalog: Catalog,
    rows: list[BaseRow],
    known: list[ResultLine],
    printed: list[PrintedComparison],
) -> Iterator[Message]:
    """Yield what is not known."""
    by_grade = grouped(rows, lambda r: r.grade.grade)
    for grade, text in (
        ("uncontrolled", "Studied in this disease without a control group only"),
        ("head-to-head", "Compared with other active treatments only, never with none"),
        ("none", "Never studied in this disease itself"),
    ):
        found = [r for r in rows if r.grade.grade == grade]
        if grade in by_grade:
            yield Message(f"{text}: {_list(_names(found))}.")
    told = {i.outcome_id for i in printed}
    answered = {ln.outcome_id for ln in known} | told
    critical = {o.id: o.name for o in catalog.file.outcomes if o.priority == "critical"}
    asked = dict.fromkeys(q.outcome for q in catalog.protocol.questions)
    open_questions = [critical[o] for o in asked if o in critical and o not in answered]
    if open_questions:
        yield Message(
            "Never compared with no active treatment in a recorded study of this disease, though "
            f"critical to patients: {_list(open_questions)}."
        )
    unusable = len(catalog.review.effects.unusable)
    if unusable:
        yield Message(
            f"{shown.plural(unusable, 'printed row')} could not be used.",
            links.EVIDENCE,
            "Why",
        )


def _names(rows: list[BaseRow]) -> list[str]:
    """Return names of regimens; agents in brackets after their class where it is named too."""
    named = {r.regimen.id for r in rows}
    agents = grouped((r for r in rows if r.agent_of in named), lambda r: r.agent_of)
    return [
        r.regimen.name
        + (
            f" ({_list([a.regimen.name for a in mine])})"
            if (mine := agents.get(r.regimen.id))
            else ""
        )
        for r in rows
        if r.agent_of not in named
    ]


def _list(names: list[str]) -> str:
    return shown.joined([uncapital(name) for name in names])
