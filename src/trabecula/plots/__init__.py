"""The figures of the trade from synthesis results, each with its data table."""

from trabecula.plots.plot import Drawable, Picture, Plot

__all__ = ["Drawable", "Picture", "Plot"]
