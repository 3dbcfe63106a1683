"""Pages of the recovery model: waiting, what treatment adds to it, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trabecula import format as shown
from trabecula.records.assumption import Assumption
from trabecula.records.recovery_protocol import PriorMedian, RecoveryPriors, RecoveryProtocol
from trabecula.reference import labels, links
from trabecula.reference import recovered as words
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.figures.recovery_plans import (
    by_certainty,
    checks_id,
    contributions_id,
    natural_id,
    rates_id,
    regimen_course_id,
    sensitivity_id,
)
from trabecula.reference.recovery_labels import EVIDENCE_KINDS, PRIORS, RECOVERY_RULES
from trabecula.reference.render import Page
from trabecula.review.recovery import LIKELY, SURE
from trabecula.review.recovery_model import NaturalCourse, RecoveryRow, RecoverySynthesis

if TYPE_CHECKING:
    from trabecula.reference.figures.model import Figure

LEVELS: tuple[float, float, float] = (1.01, 400.0, 0.7)
"""Above which R-hat and below which effective sample size a fit is not trusted (Vehtari et al.
2021, Bayesian Analysis 16:667), and the Pareto k above which a row's part in a comparison is not
(Vehtari et al. 2017, Statistics and Computing 27:1413)."""


@dataclass(frozen=True, slots=True)
class Group:
    """A group of patients: how their natural course differs from the average."""

    name: str
    studies: int
    weeks: str
    rate: str
    tells: str


@dataclass(frozen=True, slots=True)
class Entering:
    """A row of the evidence: what it says, and the printed rows that it comes from."""

    study: str
    path: str
    treatment: str
    kind: str
    text: str
    basis: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assumed:
    """A prior: what it speaks of, and the fact that states it."""

    name: str
    item: Assumption


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the pages of the recovery model, none where the review has no such answers."""
    recovery, protocol = catalog.review.recovery, catalog.protocol.recovery
    if recovery is None or protocol is None:
        return
    yield _recovery(catalog, recovery)
    yield _faster(catalog, recovery)
    yield _model(catalog, recovery, protocol)


def regimen_section(catalog: Catalog, regimen: str) -> dict[str, Any] | None:
    """Return what the page of a regimen says of recovery, None where no model was asked."""
    recovery = catalog.review.recovery
    if recovery is None:
        return None
    answers = [
        {
            "answer": answer,
            "course": _figure(catalog, regimen_course_id(regimen, answer.key)),
            "variants": _figure(catalog, sensitivity_id(regimen, answer.key)),
        }
        for answer in words.answers_of(catalog, regimen)
    ]
    return {"answers": answers, "rests_on": _figure(catalog, contributions_id(regimen))}


def _figure(catalog: Catalog, identifier: str) -> Figure | None:
    return catalog.figures.get(identifier)


def _recovery(catalog: Catalog, recovery: RecoverySynthesis) -> Page:
    return Page(
        path=links.RECOVERY,
        template="recovery.html",
        title="Recovery",
        summary="How fast patients recover by waiting, and what treatment adds to that",
        section="recovery",
        view={
            "start": recovery.start_week,
            "outcomes": [_natural(catalog, recovery, n) for n in recovery.natural],
        },
        keywords=("natural course", "time to recovery", "waiting"),
        data={
            "start_week": recovery.start_week,
            "natural": recovery.natural,
            "rows": recovery.rows,
        },
    )


def _natural(
    catalog: Catalog, recovery: RecoverySynthesis, natural: NaturalCourse
) -> dict[str, Any]:
    mine = [a for a in recovery.regimens if a.outcome == natural.outcome]
    rows = [r for r in recovery.rows if r.outcome == natural.outcome]
    undrawn = [r for r in rows if r.kind != "complete" or r.week is None]
    return {
        "id": natural.outcome,
        "name": catalog.recovery_outcomes[natural.outcome].name,
        "sentences": list(words.natural_words(catalog, natural)),
        "figure": _figure(catalog, natural_id(natural.outcome)),
        "groups": [
            Group(
                words.group(catalog, name),
                studies,
                words.weeks(half),
                words.ratio(rate),
                words.tells(rate),
            )
            for name, studies, half, rate in natural.groups
        ],
        "studies": words.study_links(catalog, natural.studies),
        "rows": len(rows),
        "undrawn": len(undrawn),
        "added": words.summary(catalog, mine) if mine else "",
    }


def _faster(catalog: Catalog, recovery: RecoverySynthesis) -> Page:
    return Page(
        path=links.FASTER,
        template="faster.html",
        title="How much faster than waiting",
        summary="What each treatment adds to time: rate ratios and weeks saved, and how sure",
        section="recovery",
        view={
            "outcomes": list(_rates(catalog, recovery)),
            "sure": 100 * SURE,
            "likely": 100 * LIKELY,
        },
        keywords=("rate ratio", "weeks saved", "effect of treatment"),
        data=recovery.regimens,
    )


def _rates(catalog: Catalog, recovery: RecoverySynthesis) -> Iterator[dict[str, Any]]:
    for outcome in recovery.outcomes:
        mine = by_certainty(a for a in recovery.regimens if a.outcome == outcome)
        if mine:
            yield {
                "id": outcome,
                "name": catalog.recovery_outcomes[outcome].name,
                "summary": words.summary(catalog, mine),
                "apart": words.apart(catalog, mine),
                "answers": [words.answer(catalog, a) for a in mine],
                "rates": _figure(catalog, rates_id(outcome)),
                "rests_on": _figure(catalog, contributions_id(outcome)),
            }


def _model(catalog: Catalog, recovery: RecoverySynthesis, protocol: RecoveryProtocol) -> Page:
    rules = grouped(recovery.omissions, lambda o: o.rule)
    return Page(
        path=links.RECOVERY_MODEL,
        template="recovery_model.html",
        title="Recovery model: checks",
        summary="What the recovery model assumes, what enters it, and how it was checked",
        section="recovery",
        view={
            "diagnostics": recovery.diagnostics,
            "converged": _converged(recovery),
            "comparisons": recovery.comparisons,
            "bad_k": LEVELS[2],
            "studies": len(recovery.studies),
            "outcomes": [_checked(catalog, recovery, o) for o in recovery.outcomes],
            "assumed": list(_assumed(catalog, protocol)),
            "rules": {
                _rule(rule): [
                    (
                        catalog.study_names[o.row.study],
                        links.row(o.row),
                        catalog.recovery_outcomes[o.outcome].name,
                        catalog.said(o.row.study, o.text),
                    )
                    for o in found
                ]
                for rule, found in sorted(rules.items(), key=lambda item: -len(item[1]))
            },
        },
        keywords=("priors", "convergence", "predictive check", "sensitivity"),
        data={
            "diagnostics": recovery.diagnostics,
            "comparisons": recovery.comparisons,
            "checks": recovery.checks,
            "rows": recovery.rows,
            "omissions": recovery.omissions,
        },
    )


def _rule(rule: str) -> str:
    """Return a rule of omission in words."""
    words_of = {**labels.REASONS, **RECOVERY_RULES}
    return shown.sentence(words_of.get(rule, rule.replace("-", " ")))


def _converged(recovery: RecoverySynthesis) -> str:
    """Return whether the computation passes its checks, in a sentence."""
    d, (r_hat, draws, _) = recovery.diagnostics, LEVELS
    fine = d.r_hat <= r_hat and min(d.bulk, d.tail) >= draws and not d.divergences
    return (
        "The chains agree and are long enough for every number shown."
        if fine
        else "Not all checks of the computation are passed: read every number with doubt."
    )


def _checked(catalog: Catalog, recovery: RecoverySynthesis, outcome: str) -> dict[str, Any]:
    rows = [r for r in recovery.rows if r.outcome == outcome]
    return {
        "id": outcome,
        "name": catalog.recovery_outcomes[outcome].name,
        "figure": _figure(catalog, checks_id(outcome)),
        "rows": [_entering(catalog, row) for row in sorted(rows, key=lambda r: _order(catalog, r))],
    }


def _order(catalog: Catalog, row: RecoveryRow) -> tuple[int, str, float]:
    kind = list(EVIDENCE_KINDS).index(row.kind)
    return kind, catalog.study_names[row.study].lower(), row.week or 0.0


def _entering(catalog: Catalog, row: RecoveryRow) -> Entering:
    return Entering(
        study=catalog.study_names[row.study],
        path=links.study(row.study),
        treatment=catalog.treatment(row.treatment),
        kind=shown.sentence(EVIDENCE_KINDS[row.kind]),
        text=catalog.said(row.study, row.text),
        basis=row.basis,
        rows=tuple(links.row(ref) for ref in row.rows),
    )


def _assumed(catalog: Catalog, protocol: RecoveryProtocol) -> Iterator[Assumed]:
    """Yield what the model takes for granted, in the order of the protocol."""
    yield Assumed("Weeks from onset to the start in the typical patient", protocol.start_week)
    for outcome in protocol.outcomes:
        if outcome.baseline is not None:
            yield Assumed(f"Score at the start, {outcome.name}", outcome.baseline)
    for name in RecoveryPriors.model_fields:
        stated = getattr(protocol.priors, name)
        items = stated if isinstance(stated, tuple) else (stated,)
        for item in items:
            whose = (
                f", {catalog.recovery_outcomes[item.outcome].name}"
                if isinstance(item, PriorMedian)
                else ""
            )
            yield Assumed(f"{PRIORS[name]}{whose}", item)
