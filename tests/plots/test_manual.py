"""The chapter on plots names what there is, and its examples run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trabecula import plots

MANUAL = Path(__file__).parents[2] / "docs" / "plots.md"


def test_every_public_name_is_in_the_manual() -> None:
    """What is exported is documented in backticks, and exists."""
    words = set(re.findall(r"`([^`\s]+)`", MANUAL.read_text(encoding="utf-8")))

    assert plots.__all__ == sorted(plots.__all__)
    assert set(plots.__all__) - words == set()
    assert all(hasattr(plots, name) for name in plots.__all__)


def test_the_library_leads_to_the_plots() -> None:
    """The first page of the synthesis manual has a link to the chapter."""
    index = MANUAL.parent / "synthesis" / "index.md"

    assert "(../plots.md)" in index.read_text(encoding="utf-8")


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each block of the chapter runs after those before it, and every function stands in one."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)  # noqa: S102 - the project's own manual

    called = set(re.findall(r"plots\.(\w+)\(", "\n".join(blocks)))
    assert called == {name for name in plots.__all__ if name.islower()}
    assert (tmp_path / "forest.png").stat().st_size > 0
