"""Funnel plots of syntheses with studies enough to read one."""

from __future__ import annotations

from dataclasses import replace

from trabecula.plots import Plot, funnel_plot
from trabecula.reference.catalog import Catalog
from trabecula.reference.figures.forest_plan import axis_label
from trabecula.review import Synthesis
from trabecula.review.pool import for_pooling
from trabecula.synthesis import funnel

FEWEST_STUDIES = 10
"""Sterne et al. (2011), BMJ 343:d4002: a funnel of fewer studies shows chance."""


def funnel_plan(catalog: Catalog, synthesis: Synthesis) -> Plot | None:
    """Return the funnel plot of `synthesis`, contours around no difference; None for few studies.

    Shares have none: their standard errors follow from the shares themselves.
    """
    few = len(synthesis.contributions) < FEWEST_STUDIES
    if few or synthesis.pooled is None or synthesis.kind != "comparison":
        return None
    values, errors = zip(*(for_pooling(c.estimate) for c in synthesis.contributions), strict=True)
    plot = funnel_plot(
        funnel(values, [se**2 for se in errors], center=0.0),
        names=[catalog.study_names[c.estimate.study] for c in synthesis.contributions],
        axis=axis_label(catalog, synthesis),
        ratio=synthesis.scale == "ratio",
        identifier=f"{synthesis.id}--funnel",
    )
    return replace(plot, note=f"{plot.note} {synthesis.pooled.small_studies}")
