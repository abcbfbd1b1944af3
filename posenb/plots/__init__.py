"""Figures: data in, figure out."""

from posenb.plots.errors import plot_errors
from posenb.plots.frames import draw_worst_frame
from posenb.plots.learning import plot_learning_curve
from posenb.plots.traces import plot_pose_traces

__all__ = ["draw_worst_frame", "plot_errors", "plot_learning_curve", "plot_pose_traces"]
