"""``trabecula show``: a study or a regimen in the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trabecula.cli.topics import load, topic_option

if TYPE_CHECKING:
    from rich.console import Console

    from trabecula.reference.catalog import Catalog


@click.command("show")
@click.argument("name", metavar="STUDY|REGIMEN")
@topic_option
def command(name: str, root: Path | None) -> None:
    """Print a study (record, estimates, audit) or a regimen (evidence, results, cautions)."""
    from rich.console import Console

    from trabecula.reference.catalog import Catalog
    from trabecula.review import run_review

    topic = load(root)
    if name not in topic.studies and name not in topic.regimens:
        raise click.UsageError(_unknown(name, [*topic.regimens, *topic.studies]))
    catalog = Catalog(run_review(topic), {})
    console = Console(highlight=False, markup=False)
    if name in topic.regimens:
        _regimen(console, catalog, name)
    else:
        _study(console, catalog, name)


def _unknown(name: str, known: list[str]) -> str:
    from difflib import get_close_matches

    near = (
        get_close_matches(name.lower(), known, n=3) or [k for k in known if name.lower() in k][:3]
    )
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return f"no study or regimen is called {name!r}{hint}"


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(text, style="bold")


def _study(console: Console, catalog: Catalog, study_id: str) -> None:
    from trabecula.reference import labels
    from trabecula.reference.citation import cite

    study = catalog.topic.studies[study_id]
    console.print(catalog.study_names[study_id], style="bold")
    console.print(cite(study.citation))
    console.print(f"{labels.DESIGNS[study.design]}; read in {labels.READ_IN[study.read_in]}")
    conditions = ", ".join(catalog.conditions[c] for c in study.population.conditions)
    patients = study.population.patients
    console.print(
        f"{conditions}; {patients if patients is not None else 'unknown number of'} patients"
    )
    _heading(console, "Arms")
    for arm in study.arms:
        names = catalog.treatment("+".join(sorted(arm.regimens)))
        console.print(f"  {arm.id}: {names}, n = {arm.patients or 'not told'}. {arm.detail or ''}")
    _rows(console, catalog, study_id)
    _findings(console, catalog, study_id)


def _rows(console: Console, catalog: Catalog, study_id: str) -> None:
    from trabecula.effects.estimate import RowRef
    from trabecula.reference import labels
    from trabecula.reference.printed import figures_printed

    study = catalog.topic.studies[study_id]
    _heading(console, "Results as printed, and what follows from them")
    for index, row in enumerate(study.results):
        ref = RowRef(study_id, "results", index)
        week = "time not told" if row.week is None else f"week {row.week}"
        console.print(f"  [{index}] {catalog.outcomes[row.outcome]}, {row.arm}, {week}: "
                      f"{figures_printed(row)}")  # fmt: skip
        for estimate in catalog.estimates_by_row.get(ref, []):
            console.print(
                f"        → {estimate.measure} {estimate.value:.4g} (SE {estimate.se:.3g}), "
                f"{labels.BASES[estimate.basis]}"
            )
            for step in estimate.steps:
                console.print(f"            {step.text}", style="dim")
        unusable = catalog.unusable_by_row.get(ref)
        if unusable is not None:
            console.print(f"        → no estimate: {unusable.text}", style="dim")


def _findings(console: Console, catalog: Catalog, subject: str) -> None:
    findings = catalog.findings.get(subject, [])
    _heading(console, f"Audit: {len(findings)} findings" if findings else "Audit: no findings")
    for finding in findings:
        console.print(f"  {finding.severity}: {finding.message}")
        console.print(
            f"      printed {finding.printed}; recomputed {finding.recomputed}", style="dim"
        )


def _regimen(console: Console, catalog: Catalog, regimen_id: str) -> None:
    from trabecula.format import plural
    from trabecula.reference import labels, results

    regimen = catalog.topic.regimens[regimen_id]
    console.print(regimen.name, style="bold")
    for fact in regimen.what:
        console.print(fact.text)
    base = catalog.review.base(regimen_id)
    _heading(console, "Evidence in the primary stratum")
    console.print(f"  {labels.basis(base).long}")
    console.print(
        f"  {plural(len(base.studies), 'study', 'studies')}, {base.patients} patients given it; "
        f"{len(base.randomised)} randomised, {len(base.controlled)} against no active treatment"
    )
    _heading(console, "Results")
    syntheses = [s for s in catalog.by_regimen.get(regimen_id, []) if s.scope == "primary"]
    for line in results.lines(catalog, sorted(syntheses, key=lambda s: s.kind != "comparison")):
        value = line.value.text if line.value else "not pooled"
        console.print(f"  {labels.KINDS[line.kind]}: {line.question}")
        console.print(f"      {value}; {plural(line.studies, 'study', 'studies')}, n = {line.n}")
    _heading(console, "Cautions")
    for caution in regimen.cautions:
        where = catalog.circumstances[caution.circumstance]
        console.print(f"  {labels.CAUTION_LEVELS[caution.level]}: {where}. {caution.text}")
