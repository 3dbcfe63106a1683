"""The commands as someone meets them who never saw them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.conftest import REPOSITORY
from trabecula.cli import COMMANDS, main
from trabecula.effects import EffectTable
from trabecula.records import Topic
from trabecula.synthesis import RecoveryFit

TOPIC = REPOSITORY / "topics" / "bmes"


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> Path:
    """Return a copy of the real topic that a test may break."""
    return Path(shutil.copytree(TOPIC, tmp_path / "topic"))


def test_help_names_every_command() -> None:
    """A newcomer sees each command with a sentence about it."""
    text = run("--help").output

    assert all(command in text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """Each command explains itself and its options."""
    result = run(command, "--help")

    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_help_loads_nothing_heavy() -> None:
    """Start-up stays quick because numbers, plots and records are imported when needed."""
    code = (
        "import sys; from click.testing import CliRunner; from trabecula.cli import main; "
        "CliRunner().invoke(main, ['--help']); "
        "print([m for m in ('numpy','scipy','pydantic','yaml','jinja2','matplotlib','rich') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_sound_topic_has_no_problems() -> None:
    """The topic of this repository passes its own check."""
    result = run("check", str(TOPIC))

    assert result.exit_code == 0
    assert "no problems" in result.output


def test_check_prints_all_problems_with_their_place(copy: Path) -> None:
    """Two mistakes in two files give two lines that can be clicked, and exit code 1."""
    for name, old, new in (
        ("gao-2015.yaml", "arm: eswt, week: 26", "arm: esvt, week: 26"),
        ("capone-2011.yaml", "design: rct", "design: trial"),
    ):
        path = copy / "studies" / name
        path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    result = run("check", str(copy))

    assert result.exit_code == 1
    lines = [line for line in result.stdout.splitlines() if line]
    assert len(lines) == 2
    assert any(f"{copy}/studies/gao-2015.yaml:" in ln and '"esvt"' in ln for ln in lines)
    assert any(f"{copy}/studies/capone-2011.yaml:" in ln and '"trial"' in ln for ln in lines)
    assert "2 problems" in result.stderr


def test_a_broken_record_leaves_the_last_good_reference(copy: Path, tmp_path: Path) -> None:
    """A failing build exits with 1 and touches nothing that was there."""
    out = tmp_path / "site"
    out.mkdir()
    (out / ".trabecula-build").write_text("", encoding="utf-8")
    (out / "index.html").write_text("last good", encoding="utf-8")
    (copy / "studies" / "gao-2015.yaml").write_text("id: [", encoding="utf-8")
    result = run("build", "--topic", str(copy), "--out", str(out), "--cache", str(tmp_path / "c"))

    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert (out / "index.html").read_text("utf-8") == "last good"
    assert sorted(p.name for p in out.iterdir()) == [".trabecula-build", "index.html"]


def test_a_folder_that_is_no_reference_is_not_replaced(tmp_path: Path) -> None:
    """A build never deletes files that it did not write."""
    (tmp_path / "thesis.txt").write_text("years of work", encoding="utf-8")
    result = run("build", "--topic", str(TOPIC), "--out", str(tmp_path))

    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "years of work"


def test_an_unknown_topic_folder_is_a_usage_error(tmp_path: Path) -> None:
    """A path that does not exist is named, without a traceback."""
    result = run("check", str(tmp_path / "nowhere"))

    assert result.exit_code == 2
    assert "nowhere" in result.output


def test_an_empty_topic_is_one_clear_problem(tmp_path: Path) -> None:
    """An empty folder says what is missing."""
    result = run("check", str(tmp_path))

    assert result.exit_code == 1
    assert "topic.yaml" in result.output


def test_audit_names_the_test_that_reproduces_a_p_value() -> None:
    """The p of 0.018 for 19/20 against 13/20 comes from the uncorrected chi-square alone."""
    text = run("audit", "gao-2015", "--topic", str(TOPIC)).output

    assert "0.018" in text
    assert "chi" in text.lower()


def test_audit_speaks_json(topic: Topic) -> None:
    """Machines get every finding with all its fields."""
    findings = json.loads(run("audit", "--json", "--topic", str(TOPIC)).output)

    assert {f["severity"] for f in findings} <= {"error", "suspicious", "note"}
    assert any(f["subject"] == "demir-2025" and "4366" in f["printed"] for f in findings)


def test_show_prints_a_study_with_the_path_of_its_numbers() -> None:
    """From printed figure to estimate, step by step."""
    text = run("show", "ringe-2005", "--topic", str(TOPIC)).output

    assert "SD 1.3 as printed" in text
    assert "Audit" in text


def test_show_prints_a_regimen_with_cautions() -> None:
    """Evidence, results and cautions on one screen."""
    text = run("show", "iloprost", "--topic", str(TOPIC)).output

    assert "Cautions" in text
    assert "Contraindicated" in text


def test_show_suggests_what_was_meant() -> None:
    """A slip of the pen is answered with the nearest names."""
    result = run("show", "ilprost", "--topic", str(TOPIC))

    assert result.exit_code == 2
    assert "iloprost" in result.output


def test_schema_writes_valid_json(tmp_path: Path) -> None:
    """Each record file has a schema that an editor can load."""
    run("schema", "--out", str(tmp_path))
    names = {path.name for path in tmp_path.iterdir()}

    assert {"study.schema.json", "regimen.schema.json", "topic.schema.json"} <= names
    assert all("properties" in p.read_text("utf-8") for p in tmp_path.iterdir())


def test_two_builds_are_equal_byte_for_byte(tmp_path: Path) -> None:
    """Another process, hash seed and time zone give the same files."""

    def build(name: str, seed: str) -> dict[str, bytes]:
        out = tmp_path / name
        command = [str(Path(sys.executable).parent / "trabecula"), "build", "--topic", str(TOPIC),
                   "--out", str(out), "--cache", str(tmp_path / f"cache-{name}"),
                   "--no-recovery"]  # fmt: skip
        environment = os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC+{seed}"}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}

    first, second = build("a", "1"), build("b", "2")

    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_forecast_names_the_score_as_the_topic_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """``--pain 7`` is the score of the first outcome; another name is refused."""
    from tests.review.recovery_fits import made_fit
    from trabecula.review import recovery
    from trabecula.review.recovery_evidence import recovery_input

    def fitted(topic: Topic, effects: EffectTable, **_: object) -> RecoveryFit:
        return made_fit(recovery_input(topic, effects, "primary").evidence, ratio=2.0)

    monkeypatch.setattr(recovery, "primary_fit", fitted)
    given = ["forecast", "--topic", str(TOPIC), "--weeks-since-onset", "8"]
    right = run(*given, "--pain", "7", "--regimen", "iloprost")
    wrong = run(*given, "--limp=7")

    assert right.exit_code == 0
    assert "Half of such patients are free of pain 20 weeks from now" in right.output
    assert "With Iloprost: 10 weeks" in right.output
    assert wrong.exit_code == 1
    assert "no option --limp; today's score is --pain or --score" in wrong.stderr
