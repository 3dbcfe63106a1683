"""Which figures stand on which page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trabecula.reference import links
from trabecula.reference.catalog import Catalog

if TYPE_CHECKING:
    from trabecula.reference.figures.model import Figure

PLACES = {
    "home": links.HOME,
    "compare": links.COMPARE,
    "course": links.COURSE,
    "flow": links.EVIDENCE,
    "recovery": links.RECOVERY,
}
"""The page of a figure that belongs to no result, by the first word of its id."""


def figures_for(catalog: Catalog, page: str) -> list[Figure]:
    """Return the figures that stand on `page`; those without a place stand with the methods."""
    owners = {*catalog.review.synthesis_by_id, *(n.id for n in catalog.review.networks)}
    return [
        figure
        for key, figure in catalog.figures.items()
        if not {key, key.rpartition("--")[0]} & owners
        and PLACES.get(key.split("-")[0], links.METHODS) == page
    ]
