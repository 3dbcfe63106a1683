"""The section ``protocol.recovery``: optional, complete where given, its names checked."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from tests.records.small_topic import problems_of, replaced, write_topic
from trabecula.records import Topic, load_topic
from trabecula.records.recovery_protocol import RecoveryPriors
from trabecula.synthesis.recovery.priors import RecoveryPriors as LibraryPriors

NUMBER = "{value: 0.5, reason: a guess, judgement: true}"

SCALARS = [f.name for f in fields(LibraryPriors) if f.name != "median_weeks"]


def section(**changes: str) -> str:
    """Return a sound section, with some of its values replaced."""
    parts = {
        "complete": "healed",
        "partial": "improved",
        "score": "[pain]",
        "instrument": "vas-10",
        "baseline": NUMBER,
        "second": "",
        "medians": "{outcome: toe, value: 12, reason: a guess, source: [KEY1]}",
        "never_recover": NUMBER,
    } | changes
    outcome = ", ".join(
        f"{key}: {parts[key]}"
        for key in ("complete", "partial", "score", "instrument", "baseline")
        if parts[key]
    )
    priors = "\n".join(f"      {name}: {parts.get(name, NUMBER)}" for name in SCALARS)
    return (
        "  recovery:\n"
        "    outcomes:\n"
        f"    - {{id: toe, name: Toe, recovered: well, {outcome}}}\n"
        f"{parts['second']}"
        "    start_week: {value: 8, reason: a guess, judgement: true}\n"
        "    weeks: [4, 8]\n"
        "    test_week: {value: 13, reason: a guess, judgement: true}\n"
        "    priors:\n"
        f"      median_weeks:\n      - {parts['medians']}\n"
        f"{priors}\n"
    )


def changed(**changes: str) -> dict[str, str]:
    """Return the topic file with that section at the end of its protocol."""
    last = "    heterogeneity_scale: {value: 0.5, reason: a guess, judgement: true}\n"
    return {"topic.yaml": replaced("topic.yaml", last, last + section(**changes))}


def test_a_sound_section_is_read(tmp_path: Path) -> None:
    """The numbers and names of the section arrive in the protocol."""
    recovery = load_topic(write_topic(tmp_path, changed())).file.protocol.recovery

    assert recovery is not None
    assert [o.complete for o in recovery.outcomes] == ["healed"]
    assert [float(w) for w in recovery.weeks] == [4, 8]
    assert float(recovery.priors.median_weeks[0].value) == 12


def test_a_topic_needs_no_section(tmp_path: Path) -> None:
    """Without the section there is no recovery model, and nothing is wrong."""
    assert load_topic(write_topic(tmp_path)).file.protocol.recovery is None


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({"complete": "haeled"}, "outcomes[0].complete", 'unknown outcome; found "haeled"'),
        ({"complete": "pain", "score": "[]"}, "outcomes[0].complete", "an outcome of kind score"),
        ({"score": "[healed]", "complete": "improved"}, "outcomes[0].score[0]", "of kind count"),
        ({"partial": "worse"}, "outcomes[0].partial", "complete recovery does not imply it"),
        ({"score": "[pain, pain]"}, "outcomes[0].score[1]", "an outcome used twice"),
        ({"instrument": "vas-11"}, "outcomes[0].instrument", "unknown instrument"),
        ({"baseline": ""}, "outcomes[0]", "instrument and baseline go together"),
        ({"instrument": ""}, "outcomes[0]", "instrument and baseline go together"),
        (
            {"second": "    - {id: toe, name: Toe, recovered: well, complete: worse}\n"},
            "outcomes[1].id",
            "two outcomes have the same id",
        ),
        (
            {"second": "    - {id: nail, name: Nail, recovered: well, complete: worse}\n"},
            "priors.median_weeks",
            "not one median an outcome; found toe; expected one entry for each of toe, nail",
        ),
        (
            {"medians": "{outcome: nail, value: 12, reason: a guess, judgement: true}"},
            "priors.median_weeks[0].outcome",
            'unknown recovery outcome; found "nail"',
        ),
        (
            {"medians": "{outcome: toe, value: 12, reason: a guess, source: [KEY9]}"},
            "priors.median_weeks[0].source[0]",
            'unknown source; found "KEY9"',
        ),
        (
            {"never_recover": "{value: 1, reason: a guess, judgement: true}"},
            "priors.never_recover.value",
            "outside the limits",
        ),
        ({"never_recover": "{value: 0.1}"}, "priors.never_recover.reason", "required key"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, changes: dict[str, str], key: str, message: str
) -> None:
    """Names that lead nowhere, outcomes of another kind and impossible numbers are problems."""
    problems = problems_of(tmp_path, changed(**changes))

    assert any(f" protocol.recovery.{key}: " in p and message in p for p in problems), problems


def test_every_prior_of_the_library_stands_in_the_protocol() -> None:
    """The protocol names the priors as the library does, all of them and no others."""
    assert list(RecoveryPriors.model_fields) == [f.name for f in fields(LibraryPriors)]


def test_the_real_topic_states_each_prior_with_reason_basis_and_alternatives(topic: Topic) -> None:
    """Each assumed number says why, on what ground, and what else is tried."""
    recovery = topic.file.protocol.recovery
    assert recovery is not None
    scalars = [getattr(recovery.priors, name) for name in SCALARS]
    baselines = [o.baseline for o in recovery.outcomes if o.baseline is not None]
    stated = [
        *scalars,
        *recovery.priors.median_weeks,
        *baselines,
        recovery.start_week,
        recovery.test_week,
    ]

    assert all(item.sensitivity and item.value not in item.sensitivity for item in stated)
    assert all(bool(item.source) != item.judgement for item in stated)
    assert all(len(item.reason) > 40 for item in stated)


def test_medians_of_the_prior_rest_on_no_evidence_of_the_model(topic: Topic) -> None:
    """What is assumed of the natural course must not be counted again as evidence."""
    recovery = topic.file.protocol.recovery
    assert recovery is not None
    of_studies = {
        key: source.study for key, source in topic.sources.items() if source.study is not None
    }
    used = {key for median in recovery.priors.median_weeks for key in median.source}

    assert used & set(of_studies) <= {"GAO15"}  # its introduction, not its results
