"""The flow of evidence taken apart into paths, the shortest first.

As long as evidence flows from source to sink, the shortest path takes as much as its weakest edge
still carries, and each of its edges is credited with an equal part of that (Papakonstantinou,
Nikolakopoulou, Rücker, Chaimani, Schwarzer, Egger and Salanti 2018, F1000Research 7:610).

Among paths of equal length the reference implementation takes the one that a breadth-first
search meets first. It numbers the treatments as they are met in the list of edges, each written in
the direction of its flow: the first path in dictionary order of these numbers is that one.

All comparisons are searched side by side, one step at a time. The treatments that a walker can
move to are bits of machine words; a treatment is labelled with a lower bound of its distance from
the sink, which rises when no neighbor is one step closer (Ahuja and Orlin 1991, Naval Research
Logistics 38:413-430). Whatever enters a treatment also leaves it: there are no dead ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

from trabecula.synthesis.arguments import FloatArray, IntArray
from trabecula.synthesis.network.flow import NO_FLOW, EvidenceFlow

Words = NDArray[np.uint64]

WORD = 64
"""Bits of a machine word."""

CHUNK = 2_500
"""Comparisons searched side by side: enough to outweigh the cost of a step, few enough for the
cache."""

PACE = 64
"""Steps between two looks at which comparisons are done."""

Record = Callable[[IntArray, FloatArray, IntArray, IntArray], None]
"""Is told of every batch of paths: comparisons, their flows, lengths and treatments on the way."""


def shortest_path_shares(flow: EvidenceFlow, record: Record | None = None) -> FloatArray:
    """Return the share (comparisons, edges) of each edge in each comparison; rows sum to 1."""
    shares = np.empty_like(flow.flow)
    for start in range(0, len(shares), CHUNK):
        rows = np.arange(start, min(start + CHUNK, len(shares)))
        shares[rows] = _Search.of(flow.rows(rows), rows).run(record)
    return shares


def _numbers(flow: EvidenceFlow) -> IntArray:
    """Return the number of each treatment in each comparison (comparisons, treatments)."""
    count = len(flow.source)
    numbers = np.full((count, flow.treatments), -1, dtype=np.int64)
    following = np.zeros(count, dtype=np.int64)
    forward = flow.flow > 0
    for edge, (one, other) in enumerate(flow.edges):
        if numbers[0, one] >= 0 and numbers[0, other] >= 0:
            continue
        tail = np.where(forward[:, edge], one, other)
        for treatment in (tail, one + other - tail):
            new = np.flatnonzero(numbers[np.arange(count), treatment] < 0)
            numbers[new, treatment[new]] = following[new]
            following[new] += 1
    return numbers


@dataclass(slots=True, eq=False)
class _Search:
    """Walkers on the way from source to sink, one a comparison, in their numbers of treatments.

    All arrays but the last have an axis of walkers, which comes first. ``onward`` holds, for
    every word of a set of treatments, those to which evidence still flows from each treatment;
    ``level`` those with each label; ``path`` where the walker came by, at ``place``; ``left`` the
    flow of each edge that no path has taken; ``name`` the treatment of each number.
    """

    comparison: IntArray
    source: IntArray
    sink: IntArray
    here: IntArray
    place: IntArray
    onward: tuple[Words, ...]
    level: tuple[Words, ...]
    label: IntArray
    path: IntArray
    left: FloatArray
    shares: FloatArray
    name: IntArray
    edge: IntArray

    @classmethod
    def of(cls, flow: EvidenceFlow, comparison: IntArray) -> Self:
        """Return walkers at their sources."""
        row, size = np.arange(len(comparison)), flow.treatments
        number = _numbers(flow)
        one, other = flow.edges.T
        edge = np.zeros((size, size), dtype=np.int64)
        edge[one, other] = edge[other, one] = np.arange(len(flow.edges))
        onward = _heads(flow, number)
        source, sink = number[row, flow.source], number[row, flow.sink]
        label, level = _distances(onward, sink)
        path = np.zeros((len(row), size), dtype=np.int64)
        path[:, 0] = source
        return cls(
            comparison=comparison,
            source=source,
            sink=sink,
            here=source.copy(),
            place=np.zeros_like(source),
            onward=tuple(np.ascontiguousarray(word) for word in np.moveaxis(onward, 2, 0)),
            level=tuple(np.ascontiguousarray(word) for word in np.moveaxis(level, 2, 0)),
            label=label,
            path=path,
            left=np.abs(flow.flow),
            shares=np.zeros_like(flow.flow),
            name=np.argsort(number, axis=1),
            edge=edge,
        )

    def run(self, record: Record | None) -> FloatArray:
        """Return the shares when nothing flows any more; `record` is told of every path."""
        result = np.zeros_like(self.shares)
        row = np.arange(len(self.source))
        while len(row):
            for _ in range(PACE):
                self._step()
                self._take(record)
            going = self.label[np.arange(len(row)), self.source] < len(self.edge)
            if not going.all():
                result[row[~going]] = self.shares[~going]
                row = row[going]
                self._keep(going)
        return result

    def _keep(self, rows: NDArray[np.bool_]) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, tuple):
                setattr(self, field.name, tuple(word[rows] for word in value))
            elif field.name != "edge":
                setattr(self, field.name, value[rows])

    def _step(self) -> None:
        """Move each walker one step closer to the sink or, where it cannot, one step back."""
        size = len(self.edge)
        row = np.arange(len(self.here))
        at = row * size + self.here
        label = self.label.ravel()[at]
        closer = row * (size + 1) + label - 1
        ahead = [
            onward.ravel()[at] & level.ravel()[closer]
            for onward, level in zip(self.onward, self.level, strict=True)
        ]
        treatment, found = _lowest(ahead)
        stuck = np.flatnonzero(~found)
        if len(stuck):
            self._raise(stuck, at[stuck], label[stuck])
            treatment[stuck] = self.path.ravel()[stuck * size + self.place[stuck]]
        self.place += found
        self.here = treatment
        self.path.ravel()[row * size + self.place] = treatment

    def _raise(self, walker: IntArray, at: IntArray, label: IntArray) -> None:
        """Raise the labels of treatments from which no step leads closer, and step back."""
        size = len(self.edge)
        here = self.here[walker]
        alive = np.zeros(len(walker), dtype=bool)
        for onward in self.onward:
            alive |= onward.ravel()[at] != 0
        higher = np.where(alive, np.minimum(label + 1, size), size)
        self.label.ravel()[at] = higher
        for index, level in enumerate(self.level):
            bit = np.where(here // WORD == index, _bit(here), np.uint64(0))
            level[walker, label] &= ~bit
            level[walker, higher] |= bit
        self.place[walker] = np.maximum(self.place[walker] - 1, 0)

    def _take(self, record: Record | None) -> None:
        """Let the paths of walkers at their sinks take what their weakest edges carry."""
        walker = np.flatnonzero(self.here == self.sink)
        if not len(walker):
            return
        size, length = len(self.edge), self.place[walker]
        starts = np.cumsum(length) - length
        nth = np.repeat(np.arange(len(walker)), length)
        place = np.arange(len(nth)) - starts[nth]
        row = walker[nth]
        at = row * size + place
        tail, head = self.path.ravel()[at], self.path.ravel()[at + 1]
        named = (self.name.ravel()[row * size + end] for end in (tail, head))
        edge = row * self.left.shape[1] + self.edge[*named]
        left = self.left.ravel()[edge]
        flow = np.minimum.reduceat(left, starts)
        left -= flow[nth]
        self.left.ravel()[edge] = left
        self.shares.ravel()[edge] += (flow / length)[nth]
        empty = np.flatnonzero(left <= NO_FLOW)
        self._close(row[empty] * size + tail[empty], head[empty])
        if record is not None:
            path = np.take_along_axis(self.name[walker], self.path[walker], axis=1)
            record(self.comparison[walker], flow, length, path)
        place[left > NO_FLOW] = size
        self.place[walker] = np.minimum.reduceat(place, starts)
        self.here[walker] = self.path[walker, self.place[walker]]

    def _close(self, tail: IntArray, head: IntArray) -> None:
        for index, onward in enumerate(self.onward):
            onward.ravel()[tail] &= ~np.where(head // WORD == index, _bit(head), np.uint64(0))


def _heads(flow: EvidenceFlow, number: IntArray) -> Words:
    """Return the treatments to which evidence flows (comparisons, treatments, words)."""
    size = flow.treatments
    words = np.zeros((len(number), size, -(-size // WORD)), dtype=np.uint64)
    for edge, (one, other) in enumerate(flow.edges):
        rows = np.flatnonzero(flow.flow[:, edge])
        forward = flow.flow[rows, edge] > 0
        tail = number[rows, np.where(forward, one, other)]
        head = number[rows, np.where(forward, other, one)]
        words[rows, tail, head // WORD] |= _bit(head)
    return words


def _distances(onward: Words, sink: IntArray) -> tuple[IntArray, Words]:
    """Return the distance of each treatment from the sink, and the treatments at each distance.

    As many as there are treatments stand for no way at all.
    """
    count, size, width = onward.shape
    label = np.full((count, size), size, dtype=np.int64)
    level = np.zeros((count, size + 1, width), dtype=np.uint64)
    label[np.arange(count), sink] = 0
    new = label == 0
    for distance in range(size):
        row, treatment = np.nonzero(new)
        np.bitwise_or.at(level[:, distance], (row, treatment // WORD), _bit(treatment))
        new = (onward & level[:, distance, None, :]).any(axis=2) & (label == size)
        if not new.any():
            break
        label[new] = distance + 1
    return label, level


def _bit(number: IntArray) -> Words:
    return np.left_shift(np.uint64(1), np.asarray(number % WORD).astype(np.uint64))


def _lowest(words: list[Words]) -> tuple[IntArray, NDArray[np.bool_]]:
    """Return the lowest member of each set, and whether it has any."""
    value, first = words[0], np.zeros(len(words[0]), dtype=np.int64)
    for index, word in enumerate(words[1:], start=1):
        empty = value == 0
        first[empty] = index * WORD
        value = np.where(empty, word, value)
    below = (value & (~value + np.uint64(1))) - np.uint64(1)
    return first + np.bitwise_count(below), value != 0
