"""Draws the figures of a review, and keeps each drawing until what it shows changes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import cache as once
from importlib.metadata import version
from pathlib import Path

from trabecula import format as shown
from trabecula import plots
from trabecula.plots import Picture, Plot
from trabecula.reference.catalog import Catalog
from trabecula.reference.figures.course import course_plans
from trabecula.reference.figures.forest_plan import forest_plan
from trabecula.reference.figures.funnel_plan import funnel_plan
from trabecula.reference.figures.model import Figure
from trabecula.reference.figures.network_plans import network_plans
from trabecula.reference.figures.recovery_plans import recovery_plans
from trabecula.review import Review

Progress = Callable[[str, int, int], None]
"""Is told what is being made, how many are done, and how many there are."""

FEWEST_STUDIES = 2
"""A forest needs two trees: a single study is shown as a number alone."""

WORTH_A_POOL = 24
"""Fewer drawings than this are done before a second process has imported its libraries."""


def figures_of(
    review: Review, *, cache: Path | None = None, progress: Progress | None = None
) -> Mapping[str, Figure]:
    """Return the figures of `review` by id: forests, courses, networks and recovery.

    Parameters
    ----------
    review
        What is shown.
    cache
        Folder in which drawings are kept between builds, named after all that they depend on;
        ``None`` draws everything anew.
    progress
        Called as ``progress("figures", done, total)``.
    """
    plans = plans_of(review)
    drawn = {plan.id: kept for plan in plans if (kept := _kept(cache, plan)) is not None}
    missing = [plan for plan in plans if plan.id not in drawn]
    for plan, picture in zip(missing, _draw_all(missing), strict=False):
        drawn[plan.id] = picture
        _keep(cache, plan, picture)
        if progress is not None:
            progress("figures", len(drawn), len(plans))
    return {plan.id: Figure(plan, drawn[plan.id]) for plan in plans}


def plans_of(review: Review) -> tuple[Plot, ...]:
    """Return the plans of all figures of `review`."""
    catalog = Catalog(review, {})
    forests = (
        forest_plan(catalog, s) for s in review.syntheses if len(s.contributions) >= FEWEST_STUDIES
    )
    funnels = (plan for s in review.syntheses if (plan := funnel_plan(catalog, s)) is not None)
    return (
        *forests,
        *funnels,
        *course_plans(catalog),
        *network_plans(catalog),
        *recovery_plans(catalog),
    )


def _draw_all(plans: list[Plot]) -> Iterable[Picture]:
    """Yield the drawings in order, from several processes where that is faster."""
    workers = min(os.cpu_count() or 1, 8)
    if len(plans) < WORTH_A_POOL or workers == 1:
        yield from map(Plot.pictures, plans)
        return
    with ProcessPoolExecutor(workers) as pool:
        yield from pool.map(Plot.pictures, plans, chunksize=4)


@once
def _code_digest() -> str:
    """Return the digest of the code that draws, so that a new version draws anew."""
    digest = hashlib.sha256(version("matplotlib").encode())
    here, package = Path(__file__).parent, Path(plots.__file__).parent
    drawing = (*sorted(here.glob("*.py")), *sorted(package.glob("*.py")))
    for path in (*drawing, Path(shown.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _place(cache: Path, plan: Plot) -> Path:
    return cache / f"{hashlib.sha256((_code_digest() + repr(plan)).encode()).hexdigest()}.json"


def _kept(cache: Path | None, plan: Plot) -> Picture | None:
    if cache is None:
        return None
    try:
        return Picture(*map(str, json.loads(_place(cache, plan).read_text(encoding="utf-8"))))
    except (OSError, ValueError, TypeError):  # not there, or cut short: draw it again
        return None


def _keep(cache: Path | None, plan: Plot, picture: Picture) -> None:
    if cache is None:
        return
    place = _place(cache, plan)
    part = place.with_suffix(f".{os.getpid()}.part")
    with suppress(OSError):  # a cache that cannot be written costs time, not the build
        cache.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(picture), encoding="utf-8")
        part.replace(place)
