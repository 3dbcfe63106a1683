"""The course expected of one patient."""

import numpy as np
import pytest

from tests.review.recovery_fits import made_fit
from trabecula.records import Topic
from trabecula.review import Review
from trabecula.review.forecast import forecast
from trabecula.review.recovery_evidence import recovery_input
from trabecula.synthesis.recovery.fit import RecoveryFit


@pytest.fixture(scope="module")
def fit(review: Review) -> RecoveryFit:
    """Return a fit in which half recover after 20 weeks, twice as fast with any regimen."""
    return made_fit(recovery_input(review.topic, review.effects, "primary").evidence, ratio=2.0)


def test_twice_the_rate_halves_the_weeks(topic: Topic, fit: RecoveryFit) -> None:
    """At the typical start half have recovered after the median, with treatment after half."""
    found = forecast(topic, fit, weeks_since_onset=8, score=7, regimens=("iloprost",))

    assert found.recovery.median == pytest.approx(20)
    assert found.recovery_treated is not None
    assert found.recovery_treated.median == pytest.approx(10)


def test_who_has_waited_longer_is_nearer_to_recovery(topic: Topic, fit: RecoveryFit) -> None:
    """Of those ill 10 weeks after the start, half recover where survival has halved again.

    Weibull with log SD 0.8: shape pi / sqrt(6) / 0.8, and (t^k - 10^k) / 20^k = 1.
    """
    found = forecast(topic, fit, weeks_since_onset=18, score=7)
    shape = np.pi / np.sqrt(6) / 0.8

    expected = (20**shape + 10**shape) ** (1 / shape) - 10
    assert found.recovery.median == pytest.approx(expected)
    assert found.recovery_treated is None


def test_the_score_falls_to_the_floor_and_sooner_with_treatment(
    topic: Topic, fit: RecoveryFit
) -> None:
    """Means fall; one patient lies between the floor and today's score."""
    found = forecast(topic, fit, weeks_since_onset=8, score=6, regimens=("iloprost",))
    natural = [row.natural for row in found.rows]
    treated = [row.treated for row in found.rows if row.treated is not None]

    assert [b.mean for b in natural] == sorted((b.mean for b in natural), reverse=True)
    assert all(t.mean <= n.mean for t, n in zip(treated, natural, strict=True))
    assert treated[-1].low == pytest.approx(0.6)
    assert natural[0].high == pytest.approx(6.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"regimens": ("nothing",)}, "no evidence on how fast nothing .* known: alendronate"),
        ({"site": "ear"}, "no evidence on the site 'ear'; known: hip"),
        ({"score": 11}, "must not exceed 10, got 11"),
    ],
)
def test_what_the_evidence_does_not_know_is_refused(
    topic: Topic, fit: RecoveryFit, given: dict[str, object], words: str
) -> None:
    """The refusal names what is known."""
    arguments = {"weeks_since_onset": 8, "score": 7} | given
    with pytest.raises(ValueError, match=words):
        forecast(topic, fit, **arguments)  # type: ignore[arg-type]
