"""Verbs that fetch data and show it."""

from posenb.views.trajectories import Trajectories, plot_trajectories

__all__ = ["Trajectories", "plot_trajectories"]
