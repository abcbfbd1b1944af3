"""Verbs that fetch data and show it."""

from posenb.views.check_labels import LabelCheck, check_labels
from posenb.views.saving import plot
from posenb.views.trajectories import Trajectories, plot_trajectories

__all__ = ["LabelCheck", "Trajectories", "check_labels", "plot", "plot_trajectories"]
