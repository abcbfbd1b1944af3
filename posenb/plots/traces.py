"""Coordinates and likelihood against time."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from posenb.core import Poses
from posenb.errors import InvalidInputError
from posenb.plots.style import INK, add_legend, dress, keypoint_colours, new_figure

__all__ = ["plot_pose_traces"]

_STYLES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")


def plot_pose_traces(poses: Poses, truth: Poses | None = None) -> Figure:
    """Draw x, y and likelihood of every keypoint against time.

    Parameters
    ----------
    poses : Poses
        Gaps where nothing was found stay gaps. Each individual has a line style of
        its own; styles repeat after four.
    truth : Poses, optional
        Where the keypoints really were, for example in a made video: broad pale lines
        below the others. Individuals and keypoints as in `poses`; frames may differ.

    Returns
    -------
    Figure
        Time in seconds from the start of the video, or in frames where the frame rate
        is unknown. y points down, as in images.

    Raises
    ------
    InvalidInputError
        If `truth` has other keypoints or individuals.
    """
    if truth is not None and (
        truth.skeleton.keypoints != poses.skeleton.keypoints
        or truth.individuals != poses.individuals
    ):
        raise InvalidInputError(
            "The truth has the keypoints and individuals of the poses; got "
            f"{truth.skeleton.keypoints} and {truth.individuals} for {poses.skeleton.keypoints} "
            f"and {poses.individuals}."
        )
    timed = bool(np.isfinite(poses.fps))
    names = poses.skeleton.keypoints
    colours = keypoint_colours(len(names))
    longest = max(map(len, (*names, *poses.individuals)))
    count = len(names) + (len(poses.individuals) if len(poses.individuals) > 1 else 0)
    figure = new_figure(7.2 + 0.07 * longest, max(5.0, 0.2 * count + 0.8))
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[2, 2, 1])
    if truth is not None:
        times = _times(truth, poses.fps)
        for panel, axis in ((panels[0], 0), (panels[1], 1)):
            _draw(panel, times, truth.positions[..., axis], colours, linewidth=5, alpha=0.3)
    times = _times(poses, poses.fps)
    for panel, values in zip(
        panels, (*np.moveaxis(poses.positions, -1, 0), poses.likelihoods), strict=True
    ):
        _draw(panel, times, values, colours, linewidth=1.2)
    dress(panels[0], grid="y", y="x (px)")
    dress(panels[1], grid="y", y="y (px, down)")
    dress(panels[2], grid="y", y="likelihood", x="time (s)" if timed else "frame")
    panels[1].invert_yaxis()
    panels[2].set(ylim=(-0.03, 1.03), yticks=(0, 0.5, 1))
    for panel in panels[:-1]:
        panel.tick_params(axis="x", length=0)
    panels[0].margins(x=0.01)
    figure.align_ylabels(panels)
    handles, labels = _legend(poses, colours, truth is not None)
    add_legend(panels[0], handles, labels, loc="upper left", bbox_to_anchor=(1.0, 1.0), borderpad=0)
    return figure


def _times(poses: Poses, fps: float) -> np.ndarray:
    assert poses.frames is not None
    return poses.frames / fps if np.isfinite(fps) else poses.frames


def _draw(
    axes: Axes, times: np.ndarray, values: np.ndarray, colours: list[str], **look: Any
) -> None:
    """Draw values, shape (T, I, K)."""
    # A value between two gaps would be a line without length; a dot shows it.
    for i in range(values.shape[1]):
        for k, colour in enumerate(colours):
            line = values[:, i, k]
            style = _STYLES[i % len(_STYLES)]
            axes.plot(times, line, color=colour, linestyle=style, **look)
            gaps = np.isnan(np.concatenate([[np.nan], line, [np.nan]]))
            alone = gaps[:-2] & ~gaps[1:-1] & gaps[2:]
            axes.plot(times[alone], line[alone], ".", color=colour, markersize=3)


def _legend(poses: Poses, colours: list[str], truth: bool) -> tuple[list[Artist], list[str]]:
    handles: list[Artist] = [Line2D([], [], color=colour, linewidth=1.8) for colour in colours]
    names = list(poses.skeleton.keypoints)
    if len(poses.individuals) > 1:
        for i, name in enumerate(poses.individuals):
            handles.append(Line2D([], [], color=INK, linestyle=_STYLES[i % len(_STYLES)]))
            names.append(name)
    if truth:
        handles.append(Line2D([], [], color=INK, linewidth=5, alpha=0.3))
        names.append("truth")
    return handles, names
