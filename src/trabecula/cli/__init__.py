"""The command line: one file a command, loaded only when it is called."""

from __future__ import annotations

import importlib

import click
from typing_extensions import override

from trabecula import __version__

COMMANDS = {
    "build": "Build the reference: a site, tables and JSON.",
    "forecast": "Print the expected course of one patient, with and without a regimen.",
    "show": "Print a study or a regimen in the terminal.",
    "check": "Validate a topic and print every problem.",
    "audit": "Recompute what papers printed and print what does not hold together.",
    "schema": "Write JSON Schemas of the record files for editors.",
}
"""Commands in the order of ``--help``, with their one-line help; module ``cli.<name>``."""


class LazyGroup(click.Group):
    """A group that imports a command's module when the command runs, not before."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order a newcomer needs them."""
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return a command; ``None`` if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"trabecula.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trabecula")
def main() -> None:
    """Turn study records into a living treatment reference.

    Start with "trabecula build" in a folder that holds topics/.
    """
