"""The figures of the trade from synthesis results, each with its data table."""

from trabecula.plots.contribution_bars import contribution_bars
from trabecula.plots.forest_plot import forest_plot
from trabecula.plots.network_graph import network_graph
from trabecula.plots.network_tables import league_heat, net_heat_map
from trabecula.plots.plot import Drawable, Picture, Plot
from trabecula.plots.rankogram import rankogram
from trabecula.plots.study_displays import baujat_plot, funnel_plot, radial_plot

__all__ = [
    "Drawable",
    "Picture",
    "Plot",
    "baujat_plot",
    "contribution_bars",
    "forest_plot",
    "funnel_plot",
    "league_heat",
    "net_heat_map",
    "network_graph",
    "radial_plot",
    "rankogram",
]
