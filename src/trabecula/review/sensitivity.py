"""What would change if the protocol's assumptions had other values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from trabecula.effects import derive_estimates
from trabecula.records import Topic
from trabecula.review.model import Sensitivity, Synthesis
from trabecula.review.questions import synthesise

OF_ESTIMATES = ("baseline_correlation", "lesion_correlation")
"""The assumptions on which estimates rest; the others are varied where they are used."""


def with_sensitivity(topic: Topic, syntheses: Sequence[Synthesis]) -> tuple[Synthesis, ...]:
    """Return the syntheses, each with what it would say under the protocol's other values.

    Everything is derived and pooled anew for each value; a synthesis that does not rest on an
    assumption gets no entry for it. The protocol names the values to try.
    """
    found: dict[str, list[Sensitivity]] = {}
    known = {s.id: s.central for s in syntheses}
    for name, value, changed in _variants(topic):
        for other in synthesise(changed, derive_estimates(changed).estimates):
            central = other.central
            if central is not None and known.get(other.id) not in (None, central):
                found.setdefault(other.id, []).append(Sensitivity(name, float(value), *central))
    return tuple(replace(s, sensitivity=tuple(found.get(s.id, ()))) for s in syntheses)


def _variants(topic: Topic) -> Iterator[tuple[str, Decimal, Topic]]:
    """Yield the topic with one assumption changed at a time."""
    protocol = topic.file.protocol
    for name in OF_ESTIMATES:
        assumption = getattr(protocol.assumptions, name)
        for value in assumption.sensitivity:
            other = assumption.model_copy(update={"value": value})
            assumptions = protocol.assumptions.model_copy(update={name: other})
            changed = protocol.model_copy(update={"assumptions": assumptions})
            file = topic.file.model_copy(update={"protocol": changed})
            yield name, value, replace(topic, file=file)
