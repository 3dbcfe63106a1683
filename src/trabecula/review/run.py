"""From a topic to its review."""

from __future__ import annotations

from trabecula.audit import audit_topic
from trabecula.effects import derive_estimates
from trabecula.records import Topic
from trabecula.review.evidence_base import evidence_bases
from trabecula.review.geometry import geometries
from trabecula.review.model import Review
from trabecula.review.networks import network_syntheses
from trabecula.review.questions import synthesise, unplaced
from trabecula.review.sensitivity import with_sensitivity


def run_review(topic: Topic) -> Review:
    """Return the review of `topic`: audit, estimates, syntheses, networks and evidence bases.

    Pure: no file is read or written, and the same topic gives an equal review.
    """
    effects = derive_estimates(topic)
    syntheses = synthesise(topic, effects.estimates)
    return Review(
        topic=topic,
        effects=effects,
        findings=audit_topic(topic),
        syntheses=with_sensitivity(topic, syntheses),
        unplaced=unplaced(topic, effects.estimates, syntheses),
        bases=evidence_bases(topic),
        networks=network_syntheses(topic, effects.estimates),
        geometries=geometries(topic, effects.estimates),
    )
