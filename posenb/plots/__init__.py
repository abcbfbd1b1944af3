"""Figures: data in, figure out."""

from posenb.plots.errors import plot_errors
from posenb.plots.frames import draw_worst_frame
from posenb.plots.learning import plot_learning_curve
from posenb.plots.likelihood import plot_likelihood
from posenb.plots.paths import plot_paths
from posenb.plots.positions import plot_positions
from posenb.plots.steps import plot_steps

__all__ = [
    "draw_worst_frame",
    "plot_errors",
    "plot_learning_curve",
    "plot_likelihood",
    "plot_paths",
    "plot_positions",
    "plot_steps",
]
