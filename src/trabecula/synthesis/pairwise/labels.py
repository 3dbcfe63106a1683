"""Labels of studies: the levels of a moderator, the names of subgroups."""

from __future__ import annotations

from collections.abc import Hashable, Iterable


def distinct_labels(name: str, labels: Iterable[Hashable]) -> list[Hashable]:
    """Return the distinct `labels` by their text; `ValueError` for missing and ambiguous ones."""
    found = sorted({*labels}, key=lambda label: (str(label), type(label).__name__))
    if any(label is None or label != label for label in found):
        raise ValueError(f"{name} must not be missing (None, NaN): leave out studies without one")
    if len({str(label) for label in found}) < len(found):
        raise ValueError(f"{name} must differ by their text, got {found!r}")
    return found
