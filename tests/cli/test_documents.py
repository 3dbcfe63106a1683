"""The manual cannot drift from the program."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.conftest import REPOSITORY
from trabecula.cli import COMMANDS, main
from trabecula.review.pool import FEWEST_TO_POOL
from trabecula.review.questions import COMPARED, SINGLE

DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CONTRIBUTING.md",
    REPOSITORY / "CHANGELOG.md",
    *sorted((REPOSITORY / "docs").rglob("*.md")),
]


def help_of(*command: str) -> str:
    """Return the help of a command, 90 columns wide."""
    runner = CliRunner(env={"COLUMNS": "90"})
    return runner.invoke(main, [*command, "--help"], prog_name="trabecula").output.rstrip()


def commands_page() -> str:
    """Return docs/commands.md as the program would write it."""
    parts = ["# Commands", "", "Printed by the program itself; a test holds this page to it.", ""]
    for command in ((), *((name,) for name in COMMANDS)):
        title = " ".join(("trabecula", *command))
        parts += [f"## {title}", "", "```text", help_of(*command), "```", ""]
    return "\n".join(parts)


def test_the_commands_page_is_what_the_program_prints() -> None:
    """To renew it: ``python -m tests.cli.test_documents``."""
    assert (REPOSITORY / "docs" / "commands.md").read_text("utf-8") == commands_page()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_between_documents_leads_somewhere(document: Path) -> None:
    """A file or picture that a document points to exists."""
    text = document.read_text(encoding="utf-8")
    targets = [t for t in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in t]

    assert [t for t in targets if not (document.parent / t).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_a_document_names_exists(document: Path) -> None:
    """Paths in code font that look like files of the project are files of the project."""
    named = re.findall(
        r"`((?:src|tests|docs|topics|benchmarks)/[\w./-]+\.\w+)`", document.read_text()
    )

    assert [path for path in named if not (REPOSITORY / path).exists()] == []


def test_the_review_page_names_every_measure_and_rule() -> None:
    """What the review pools, and from how many studies on, stands in its manual."""
    text = (REPOSITORY / "docs" / "review.md").read_text(encoding="utf-8")

    assert all(f"| {measure}," in text or f" {measure}" in text for _, measure in SINGLE.values())
    assert all(measure in text for measure in COMPARED.values())
    assert f"fewer than {('', 'one', 'two', 'three', 'four')[FEWEST_TO_POOL]} studies" in text


if __name__ == "__main__":
    (REPOSITORY / "docs" / "commands.md").write_text(commands_page(), encoding="utf-8")
