"""Figures as a paper printed them, with every printed digit, labelled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trabecula import format as shown
from trabecula.records import Contrast, Result, Summary
from trabecula.records.base import Figure
from trabecula.reference import labels


@dataclass(frozen=True, slots=True)
class Item:
    """A labelled figure; ``derived`` ones were worked out and are not printed."""

    label: str
    text: str
    derived: bool = False


def printed(value: Figure | tuple[Figure, Figure]) -> str:
    """Return a printed figure or interval with every printed digit."""
    if isinstance(value, tuple):
        return " to ".join(shown.number(x) for x in value)
    return shown.number(value)


def p_printed(p: str) -> str:
    """Return a p-value as printed, in words where the source prints a verdict alone."""
    verdict = {"ns": "not significant", "significant": "significant"}.get(p)
    if verdict:
        return f"{verdict} (p not printed)"
    return f"p {p[0]} {p[1:]}" if p[:1] in "<>" else f"p = {p}"


def figures_printed(row: Result | Contrast | Summary) -> str:
    """Return all figures of a row or summary in one line."""
    if isinstance(row, Result):
        items = result_figures(row)
    elif isinstance(row, Contrast):
        items = contrast_figures(row, {})
    else:
        items = _distribution(row)
    return ", ".join(f"{item.label} {item.text}" for item in items) or "no figure"


def result_figures(row: Result) -> Iterator[Item]:
    """Yield the figures of a result row in reading order."""
    if row.n is not None:
        yield Item("n", f"{shown.count(row.n)} {row.unit}", "n" in row.derived)
    if row.events is not None:
        yield Item("events", shown.count(row.events), "events" in row.derived)
    if row.percent is not None:
        text = f"{shown.number(row.percent)}{shown.NARROW}%"
        yield Item("percent", text, "percent" in row.derived)
    yield from _distribution(row)
    if row.p is not None:
        yield Item("against before", p_printed(row.p))


def contrast_figures(row: Contrast, arms: Mapping[str, str]) -> Iterator[Item]:
    """Yield the figures of a contrast in reading order; `arms` names the arms."""
    if row.difference is not None:
        yield Item("difference", shown.number(row.difference))
    if row.ci is not None:
        yield Item("95 % CI", printed(row.ci))
    if row.p is not None:
        yield Item("test", p_printed(row.p))
    if row.favours is not None:
        yield Item("better with", arms.get(row.favours, row.favours))


def _distribution(record: Result | Summary) -> Iterator[Item]:
    derived = record.derived if isinstance(record, Result) else ()
    for key, label in labels.FIGURE_NAMES.items():
        value = getattr(record, key, None)
        if value is not None:
            yield Item(label, printed(value), key in derived)
