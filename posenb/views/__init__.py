"""Verbs that fetch data and show it."""

from posenb.views.label_pictures import LabelPage, chosen_labels, draw_label_page
from posenb.views.saving import plot
from posenb.views.trajectories import Trajectories, plot_trajectories

__all__ = [
    "LabelPage",
    "Trajectories",
    "chosen_labels",
    "draw_label_page",
    "plot",
    "plot_trajectories",
]
