"""From fits to answers, and the keeping of fits."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.review.recovery_fits import made_fit
from trabecula.review import Review, recovery, recovery_fits
from trabecula.review.recovery_evidence import RecoveryInput, recovery_input, recovery_priors
from trabecula.review.recovery_fits import Task, run_tasks
from trabecula.review.recovery_model import RecoverySynthesis
from trabecula.synthesis.recovery.sample import Variant


@pytest.fixture(scope="module")
def found(review: Review) -> RecoveryInput:
    """Return the evidence of the topic."""
    return recovery_input(review.topic, review.effects, "primary")


def answers(review: Review, monkeypatch: pytest.MonkeyPatch, **given: Any) -> RecoverySynthesis:
    """Return the answers of fits made by hand."""

    def made(tasks: Sequence[Task], **_: Any) -> dict[str, Any]:
        spreads = {"sensitivity": 0.3}
        return {
            task.name: [
                made_fit(task.evidence, spread=spreads.get(task.name, 0.1), seed=i, **given)
                for i, _ in enumerate(task.variants)
            ]
            for task in tasks
        }

    monkeypatch.setattr(recovery, "run_tasks", made)
    told = recovery.recovery_synthesis(review.topic, review.effects)
    assert told is not None
    return told


@pytest.mark.parametrize(
    ("ratio", "phrase"),
    [(1.0, "We cannot tell whether"), (2.0, "probably makes"), (1.15, "may make"), (0.5, "slower")],
)
def test_words_follow_size_and_sureness(
    review: Review, monkeypatch: pytest.MonkeyPatch, ratio: float, phrase: str
) -> None:
    """Fixed phrases; a tenth of a chance of the opposite is not told as an effect."""
    told = answers(review, monkeypatch, ratio=ratio)

    words = [answer.words for answer in told.regimens]
    assert sum(phrase in w for w in words) > len(words) / 2
    assert not any("significant" in w for w in words)


def test_answers_are_what_the_fit_says(review: Review, monkeypatch: pytest.MonkeyPatch) -> None:
    """At twice the rate half of the 20 weeks are saved, whoever is asked about."""
    told = answers(review, monkeypatch, ratio=2.0)

    for answer in told.regimens:
        assert answer.rate_ratio.median == pytest.approx(2.0, rel=0.05)
        assert answer.weeks_saved.median == pytest.approx(10, rel=0.05)
        assert sum(vars_of(answer.contribution)) == pytest.approx(1.0)
        assert min(vars_of(answer.contribution)) >= 0
        assert answer.trial.patients_per_arm is not None
        assert {v.kind for v in answer.variants} == {"prior", "evidence", "form", "study"}
    for natural in told.natural:
        assert natural.median_weeks.median == pytest.approx(20)
        assert natural.recovered.value[-1] == pytest.approx(0.95, abs=0.01)


def vars_of(contribution: Any) -> list[float]:
    """Return the parts of a contribution."""
    return [getattr(contribution, name) for name in contribution.__slots__]


def test_a_topic_without_the_section_has_no_answers(review: Review) -> None:
    """The protocol decides."""
    protocol = review.topic.file.protocol.model_copy(update={"recovery": None})
    topic = replace(review.topic, file=review.topic.file.model_copy(update={"protocol": protocol}))

    assert recovery.recovery_synthesis(topic, review.effects) is None


def test_a_fit_is_kept_until_what_it_depends_on_changes(
    found: RecoveryInput, review: Review, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same task is read back to the bit; another prior, or one figure more, is another."""
    calls = []

    def model(evidence: Any, variants: Any, **_: Any) -> list[Any]:
        calls.append(len(variants))
        return [made_fit(evidence, spread=0.2) for _ in variants]

    monkeypatch.setattr(recovery_fits, "recovery_models", model)
    priors = recovery_priors(review.topic, "primary")
    task = Task("one", found.evidence, (Variant(priors),))
    first = run_tasks([task], keep=tmp_path)["one"][0]
    again = run_tasks([task], keep=tmp_path)["one"][0]

    assert calls == [1]
    np.testing.assert_array_equal(first.effect, again.effect)
    assert first.diagnostics == again.diagnostics
    counts = found.evidence.counts
    events = counts.events.copy()
    events[0] -= 1
    one_less = replace(found.evidence, counts=replace(counts, events=events))
    other = Task("one", found.evidence, (Variant(replace(priors, effect_sd=0.2)),))
    assert len({task.digest, other.digest, Task("one", one_less, task.variants).digest}) == 3
    (tmp_path / f"recovery-{task.digest}.npz").write_bytes(b"cut short")
    run_tasks([task], keep=tmp_path)
    assert calls == [1, 1]
