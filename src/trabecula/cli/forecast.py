"""``trabecula forecast``: the expected course of one patient."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from typing_extensions import override

from trabecula.cli.build import default_cache
from trabecula.cli.topics import load, topic_option

if TYPE_CHECKING:
    from trabecula.review.forecast import Band, Forecast

OUTCOME = "trabecula.forecast.outcome"
"""Where the name of the outcome stands that was given for the score."""


class ScoreByOutcome(click.Command):
    """A command in which the score may be given by the name of its outcome, as the topic has it.

    What is no other option is read as that name, and checked when the topic is known.
    """

    @override
    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read ``--<outcome>`` as ``--score``, and remember the name."""
        known = {name for option in self.get_params(ctx) for name in option.opts}
        read = []
        for arg in args:
            name, equals, value = arg.partition("=")
            if name.startswith("--") and name not in known:
                ctx.meta[OUTCOME] = name.removeprefix("--")
                read.append(f"--score{equals}{value}")
            else:
                read.append(arg)
        return super().parse_args(ctx, read)


@click.command("forecast", cls=ScoreByOutcome)
@topic_option
@click.option("--weeks-since-onset", type=click.FloatRange(min=0.1, max=1000), required=True)
@click.option(
    "--score",
    type=click.FloatRange(min=0, min_open=True),
    required=True,
    help="Today's score on the topic's scale; its outcome may stand for the word score.",
)
@click.option("--regimen", "regimens", multiple=True, help="May be given several times.")
@click.option("--site", help="Which part of the body, by its id.")
@click.option("--pregnant", is_flag=True)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder in which fits are kept. Default: in your cache folder.",
)
@click.pass_context
def command(
    context: click.Context,
    root: Path | None,
    weeks_since_onset: float,
    score: float,
    regimens: tuple[str, ...],
    site: str | None,
    pregnant: bool,
    cache: Path | None,
) -> None:
    """Print the expected course of one patient, with and without a regimen.

    The band is that of one patient: it holds 95 of 100 who look alike. Not for decisions alone.
    """
    from trabecula.effects import derive_estimates
    from trabecula.review.forecast import forecast
    from trabecula.review.recovery import primary_fit
    from trabecula.synthesis import NotConverged

    topic = load(root)
    if topic.file.protocol.recovery is None:
        raise click.ClickException("the protocol of this topic has no section recovery")
    outcome, given = topic.file.protocol.recovery.outcomes[0].id, context.meta.get(OUTCOME)
    if given not in {None, outcome}:
        raise click.ClickException(f"no option --{given}; today's score is --{outcome} or --score")
    try:
        fit = primary_fit(topic, derive_estimates(topic), keep=cache or default_cache())
        found = forecast(
            topic,
            fit,
            weeks_since_onset=weeks_since_onset,
            score=score,
            regimens=regimens,
            site=site,
            pregnant=pregnant,
        )
    except (NotConverged, ImportError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _print(found)


def _print(found: Forecast) -> None:
    click.echo(f"{found.title}\n")
    click.echo(f"{'weeks from now':>14}   {'waiting':<22}{found.treated_name}".rstrip())
    for row in found.rows:
        treated = "" if row.treated is None else _band(row.treated)
        click.echo(f"{row.week:>14g}   {_band(row.natural):<22}{treated}".rstrip())
    click.echo()
    for sentence in found.sentences:
        click.echo(f"  • {sentence}")


def _band(band: Band) -> str:
    return f"{band.mean:.1f} ({band.low:.1f} to {band.high:.1f})"
