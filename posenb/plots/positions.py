"""x and y against time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from posenb.core import Poses
from posenb.plots.recording import ColourBy, Recording, draw_curves, figure_beside_names, remark
from posenb.plots.style import dress
from posenb.plots.theme import ThemeName

__all__ = ["plot_positions"]


def plot_positions(
    poses: Poses,
    *,
    cutoff: float = 0.6,
    keypoints: Sequence[str] | None = None,
    colour: ColourBy = "auto",
    theme: ThemeName = "light",
) -> Figure:
    """Draw x and y of every keypoint against time.

    Gaps stay gaps. Of a recording too long for its frames to be seen, lines show the
    median and pale bands the extremes of what falls together.

    Parameters
    ----------
    poses : Poses
    cutoff : float, optional
        Positions of lower likelihood are left out.
    keypoints : sequence of str, optional
        Those to draw; all by default.
    colour : {"auto", "keypoint", "individual"}, optional
        What has a colour of its own; "auto" takes individuals where there are several.
        Individuals without colours have line styles, which repeat after four.
    theme : {"light", "dark"}, optional

    Returns
    -------
    Figure
        Time in seconds from the start of the video, or in frames where the frame rate
        is unknown. y points down, as in images.

    Raises
    ------
    UnknownNameError
        If there is no such keypoint or theme.
    """
    recording = Recording(poses, cutoff, keypoints, colour, theme)
    figure = figure_beside_names(recording, 7.0, 4.6)
    panels = figure.subplots(2, 1, sharex=True)
    positions = recording.positions
    for axis, panel in enumerate(panels):
        draw_curves(panel, recording.times, positions[..., axis], recording.curves)
    dress(panels[0], grid="y", y="x (px)")
    dress(panels[1], grid="y", y="y (px, down)", x=recording.time_name)
    panels[0].tick_params(axis="x", length=0)
    panels[1].invert_yaxis()
    if not np.isfinite(positions[:, :, recording.chosen]).any():
        for panel in panels:
            remark(panel, f"no position of likelihood {cutoff:g} or more")
            panel.set(xticks=(), yticks=())
    figure.align_ylabels(panels)
    recording.explain(panels[0])
    return figure
