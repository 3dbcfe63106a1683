"""The recovery section of the protocol: outcomes that suit their part, one prior median each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from trabecula.records.parts import At
from trabecula.records.problems import Problem
from trabecula.records.recovery_protocol import RecoveryOutcome, RecoveryProtocol
from trabecula.records.topic import Outcome, TopicFile
from trabecula.records.yaml_source import Path

SECTION: Path = ("protocol", "recovery")


def check_recovery(topic: TopicFile, at: At) -> Iterator[Problem]:
    """Yield what is wrong in ``protocol.recovery``, if there is one."""
    recovery = topic.protocol.recovery
    if recovery is None:
        return
    known = {outcome.id: outcome for outcome in topic.outcomes}
    owner: dict[str, str] = {}
    seen: set[str] = set()
    for position, outcome in enumerate(recovery.outcomes):
        path: Path = (*SECTION, "outcomes", position)
        if outcome.id in seen:
            yield at((*path, "id"), "two outcomes have the same id", outcome.id, "an id of its own")
        seen.add(outcome.id)
        yield from _parts(outcome, known, owner, path, at)
        if (outcome.instrument is None) != (outcome.baseline is None):
            given = "instrument" if outcome.baseline is None else "baseline"
            yield at(path, "instrument and baseline go together", given, "both or neither")
    yield from _medians(recovery, at)


def _parts(
    outcome: RecoveryOutcome,
    known: Mapping[str, Outcome],
    owner: dict[str, str],
    path: Path,
    at: At,
) -> Iterator[Problem]:
    """Yield outcomes of the wrong kind, claimed twice, or not part of complete recovery."""
    single = (("complete", "count"), ("partial", "count"), ("time", "time"))
    places = [((*path, key), getattr(outcome, key), kind) for key, kind in single]
    places += [((*path, "score", i), name, "score") for i, name in enumerate(outcome.score)]
    for place, name, kind in places:
        if name is None:
            continue
        if name in known and known[name].kind != kind:
            yield at(place, f"an outcome of kind {known[name].kind}", name, f"a {kind}")
        if name in owner:
            yield at(place, "an outcome used twice", f"{name}, also of {owner[name]}", "one use")
        owner.setdefault(name, outcome.id)
    complete = known.get(outcome.complete)
    if complete and outcome.partial and outcome.partial not in complete.implies:
        message = "complete recovery does not imply it"
        expected = f"an outcome that {outcome.complete} implies"
        yield at((*path, "partial"), message, outcome.partial, expected)


def _medians(recovery: RecoveryProtocol, at: At) -> Iterator[Problem]:
    wanted = [outcome.id for outcome in recovery.outcomes]
    given = [median.outcome for median in recovery.priors.median_weeks]
    if given != wanted and set(given) <= set(wanted):
        path = (*SECTION, "priors", "median_weeks")
        expected = "one entry for each of " + ", ".join(wanted) + ", in this order"
        yield at(path, "not one median an outcome", ", ".join(given), expected)
