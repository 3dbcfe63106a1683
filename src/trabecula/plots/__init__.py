"""The figures of the trade from synthesis results, each with its data table."""

from trabecula.plots.contribution_bars import contribution_bars
from trabecula.plots.course_curves import Curve, Observation, course_curves
from trabecula.plots.forest_plot import forest_plot
from trabecula.plots.network_graph import network_graph
from trabecula.plots.network_tables import league_heat, net_heat_map
from trabecula.plots.plot import Drawable, Picture, Plot
from trabecula.plots.precision_bar import precision_bar
from trabecula.plots.predictive_check_plot import predictive_check_plot
from trabecula.plots.rank_histogram import rank_histogram
from trabecula.plots.rankogram import rankogram
from trabecula.plots.rate_ratio_plot import rate_ratio_plot
from trabecula.plots.sensitivity_plot import sensitivity_plot
from trabecula.plots.study_displays import baujat_plot, funnel_plot, radial_plot

__all__ = [
    "Curve",
    "Drawable",
    "Observation",
    "Picture",
    "Plot",
    "baujat_plot",
    "contribution_bars",
    "course_curves",
    "forest_plot",
    "funnel_plot",
    "league_heat",
    "net_heat_map",
    "network_graph",
    "precision_bar",
    "predictive_check_plot",
    "radial_plot",
    "rank_histogram",
    "rankogram",
    "rate_ratio_plot",
    "sensitivity_plot",
]
