"""The page of a synthesis: every pooled number of the site leads to one of these."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trabecula import format as shown
from trabecula.format import uncapital
from trabecula.reference import links
from trabecula.reference.catalog import Catalog, grouped
from trabecula.reference.contributors import counts_of, design, whom
from trabecula.reference.printed import Item
from trabecula.reference.render import Page
from trabecula.reference.results import better, line, lines, no_effect, question
from trabecula.review.model import Contribution, Omission, Pooled, Sensitivity, Synthesis
from trabecula.review.treatments import regimens_of

Question = tuple[str, str | None, str]
"""Treatment, comparator and outcome: what syntheses that answer the same question share."""


@dataclass(frozen=True, slots=True)
class ContributionRow:
    """What one study contributes; ``path`` leads to the printed row."""

    study: str
    study_path: str
    arm: str
    n: str
    week: str
    value: str
    counts: str
    whom: str
    path: str
    basis: str
    weight: str


def pages(catalog: Catalog) -> Iterator[Page]:
    """Yield the list of results and the page of every synthesis."""
    yield _index(catalog)
    alike = grouped(catalog.review.syntheses, _question)
    for synthesis in catalog.review.syntheses:
        title = question(catalog, synthesis)
        yield Page(
            path=links.synthesis(synthesis.id),
            template="synthesis.html",
            title=title,
            summary=title,
            section="treatments",
            kind="Result",
            view=_view(catalog, synthesis, alike[_question(synthesis)]),
            data=synthesis,
            listed=False,
        )


def _question(synthesis: Synthesis) -> Question:
    return synthesis.treatment, synthesis.comparator, synthesis.outcome


def _index(catalog: Catalog) -> Page:
    syntheses = catalog.review.syntheses
    return Page(
        path=links.SYNTHESES,
        template="syntheses.html",
        title="All results",
        summary="Every question of the protocol that has a number",
        section="treatments",
        view={
            "total": len(syntheses),
            "comparisons": lines(catalog, [s for s in syntheses if s.kind == "comparison"]),
            "single": lines(catalog, [s for s in syntheses if s.kind != "comparison"]),
        },
        keywords=("syntheses", "meta-analysis", "forest plots"),
    )


def _view(catalog: Catalog, synthesis: Synthesis, alike: list[Synthesis]) -> dict[str, Any]:
    regimens = regimens_of(synthesis.treatment)
    if synthesis.comparator:
        regimens += regimens_of(synthesis.comparator)
    return {
        "synthesis": synthesis,
        "regimens": tuple(dict.fromkeys(regimens)),
        "line": line(catalog, synthesis),
        "direction": _direction(catalog, synthesis),
        "statistics": list(_statistics(synthesis)) if synthesis.pooled else [],
        "picture": catalog.figures.get(synthesis.id),
        "funnel": catalog.figures.get(f"{synthesis.id}--funnel"),
        "contributions": [_contribution(catalog, synthesis, c) for c in synthesis.contributions],
        "omissions": [_omission(catalog, o) for o in synthesis.omissions],
        "sensitivity": [_sensitivity(catalog, synthesis, s) for s in synthesis.sensitivity],
        "harm": catalog.topic.outcome(synthesis.outcome).harm,
        "related": lines(catalog, [s for s in alike if s.id != synthesis.id]),
    }


def _sensitivity(catalog: Catalog, synthesis: Synthesis, item: Sensitivity) -> dict[str, str]:
    assumed = getattr(catalog.protocol.assumptions, item.assumption)
    return {
        "assumption": item.assumption.replace("_", " "),
        "taken": shown.number(assumed.value),
        "instead": shown.number(item.assumed),
        "result": shown.shown(item.value, item.low, item.high, synthesis.scale).text,
    }


def _direction(catalog: Catalog, synthesis: Synthesis) -> str:
    good = better(catalog, synthesis)
    name = catalog.outcomes[synthesis.outcome]
    if synthesis.kind == "comparison" and synthesis.comparator:
        sign = "above" if good == "higher" else "below"
        null = "1" if synthesis.scale == "ratio" else "0"
        order = f"{catalog.treatment(synthesis.treatment)} against "
        order += catalog.treatment(synthesis.comparator)
        return f"{order}: values {sign} {null} are better for the patient."
    if synthesis.kind == "before-after":
        return f"{name}: {'a rise' if good == 'higher' else 'a fall'} is better for the patient."
    return f"{name}: {good} is better for the patient."


def _statistics(synthesis: Synthesis) -> Iterator[Item]:
    pooled = synthesis.pooled
    assert pooled is not None
    if pooled.pi_low is not None and pooled.pi_high is not None:
        view = shown.shown(pooled.value, pooled.pi_low, pooled.pi_high, synthesis.scale)
        yield Item("95 % prediction interval", f"{view.low} to {view.high} {view.unit}".strip())
    yield from _heterogeneity(pooled)
    yield Item("Small-study effects", pooled.small_studies)


def _heterogeneity(pooled: Pooled) -> Iterator[Item]:
    if pooled.tau2 is not None:
        yield Item("τ²", f"{pooled.tau2:.3g}")
    if pooled.i2 is not None:
        text = f"{pooled.i2:.0f}{shown.NARROW}%"
        if pooled.i2_low is not None and pooled.i2_high is not None:
            text += f" (95 % CI {pooled.i2_low:.0f} to {pooled.i2_high:.0f})"
        yield Item("I²", text)
    if pooled.q is not None and pooled.q_p is not None:
        freedom = f" on {pooled.q_df} df" if pooled.q_df is not None else ""
        yield Item("Q", f"{pooled.q:.2f}{freedom}, {shown.p_value(pooled.q_p)}")


def _contribution(catalog: Catalog, synthesis: Synthesis, item: Contribution) -> ContributionRow:
    estimate = item.estimate
    study = catalog.topic.studies[estimate.study]
    names = catalog.arm_names[estimate.study]
    against = (
        f" against {uncapital(names[estimate.comparator_arm])}" if estimate.comparator_arm else ""
    )
    kind = f", {estimate.event_name}" if estimate.event_name else ""
    part = f" ({estimate.subgroup})" if estimate.subgroup else ""
    size = "not stated" if estimate.n is None else shown.count(estimate.n)
    how = f"; {design(study)}" if estimate.comparator_arm else ""
    null = no_effect(synthesis)
    return ContributionRow(
        study=catalog.study_names[estimate.study],
        study_path=links.study(estimate.study),
        arm=f"{names[estimate.arm]}{against}{part}{kind}",
        n=size if estimate.unit == "patients" else f"{size} {estimate.unit}",
        week="not stated" if estimate.week is None else f"{estimate.week:g}",
        value=shown.shown(item.value, item.low, item.high, synthesis.scale, null).text,
        counts=counts_of(catalog, estimate),
        whom=f"{whom(catalog, [study])}{how}",
        path=links.row(estimate.rows[0]),
        basis=estimate.basis,
        weight="–" if item.weight is None else shown.weight(item.weight),
    )


def _omission(catalog: Catalog, item: Omission) -> dict[str, str]:
    return {
        "study": catalog.study_names[item.estimate.study],
        "path": links.row(item.estimate.rows[0]),
        "text": catalog.said(item.estimate.study, item.text),
    }
