"""``trabecula build``: the reference, from records to site."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trabecula.cli.progress import Stages
from trabecula.cli.topics import load, topic_option

if TYPE_CHECKING:
    from trabecula.reference.site import BuildReport
    from trabecula.review import Review


def default_cache() -> Path:
    """Return the folder for drawings and fits that can be used again."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "trabecula" / "figures"


@click.command("build")
@topic_option
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/reference"),
    show_default=True,
    help="Folder of the reference; replaced only when the new one is complete.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which drawings and fits are kept. Default: in your cache folder.",
)
@click.option(
    "--recovery/--no-recovery",
    default=True,
    show_default=True,
    help="Fit the recovery model: minutes where no fit is kept.",
)
def command(root: Path | None, out: Path, cache: Path | None, recovery: bool) -> None:
    """Build the reference: a site that works offline, with tables and JSON beside it.

    A broken record stops the build and leaves the last good reference in place.
    """
    from trabecula.reference import BuildError, build_site, check_replaceable, figures_of
    from trabecula.review import run_review

    try:
        check_replaceable(out)  # before minutes of work
    except BuildError as error:
        raise click.ClickException(str(error)) from error
    with Stages() as stages:
        stages.start("records")
        topic = load(root)
        stages.start("audit, estimates, syntheses")
        keep = cache or default_cache()
        review = run_review(topic)
        if recovery:
            review = with_recovery(review, keep, stages)
        figures = figures_of(review, cache=keep, progress=stages.update)
        try:
            report = build_site(review, figures, out, progress=stages.update)
        except BuildError as error:
            raise click.ClickException(str(error)) from error
    _say(review, report, out)


def with_recovery(review: Review, keep: Path, stages: Stages) -> Review:
    """Return the review with the answers of the recovery model."""
    from dataclasses import replace

    from trabecula.review.recovery import recovery_synthesis
    from trabecula.synthesis import NotConverged

    try:
        found = recovery_synthesis(review.topic, review.effects, keep=keep, progress=stages.update)
    except (NotConverged, ImportError) as error:
        raise click.ClickException(f"recovery model: {error}") from error
    return replace(review, recovery=found)


def _say(review: Review, report: BuildReport, out: Path) -> None:
    """Print where the reference lies and what is most worth knowing."""
    from trabecula.reference.highlights import highlights

    click.echo()
    for sentence in highlights(review):
        click.echo(f"  • {sentence}")
    click.echo()
    size = report.bytes / 1e6
    click.echo(f"{report.pages} pages, {size:.1f} MB, evidence version {review.topic.digest[:12]}")
    click.echo(f"Open {(out / 'index.html').resolve()}")
