"""How sure the model was, against time and on the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from posenb.core import Poses
from posenb.plots.recording import ColourBy, Recording, draw_curves, figure_beside_names, remark
from posenb.plots.style import dress, theme_of
from posenb.plots.theme import ThemeName

__all__ = ["plot_likelihood"]

_POINTS = 300  # of a distribution
_LIMITS = (-0.03, 1.03)


def plot_likelihood(
    poses: Poses,
    *,
    cutoff: float = 0.6,
    keypoints: Sequence[str] | None = None,
    colour: ColourBy = "auto",
    theme: ThemeName = "light",
) -> Figure:
    """Draw the likelihood of every keypoint against time, and its distribution beside.

    The distribution is cumulative: how many frames are at or below a likelihood. The
    legend tells how many are below the cut-off, those without any prediction included.

    Parameters
    ----------
    poses : Poses
    cutoff : float, optional
        Marked by a line.
    keypoints : sequence of str, optional
        Those to draw; all by default.
    colour : {"auto", "keypoint", "individual"}, optional
        What has a colour of its own; "auto" takes individuals where there are several.
    theme : {"light", "dark"}, optional

    Returns
    -------
    Figure
        Time as in `plot_positions`; shares of frames on a logarithmic scale, so that rare
        doubts are seen.

    Raises
    ------
    UnknownNameError
        If there is no such keypoint or theme.
    """
    recording = Recording(poses, cutoff, keypoints, colour, theme)
    figure = figure_beside_names(recording, 7.4, 3.0, more=9)
    lines, shares = figure.subplots(1, 2, sharey=True, width_ratios=[4, 1])
    draw_curves(lines, recording.times, poses.likelihoods, recording.curves)
    for _, colour_of, values in _groups(recording):
        _draw_distribution(shares, values, colour_of)
    dress(lines, grid="y", y="likelihood", x=recording.time_name)
    dress(shares, grid="y", x="frames below")
    lines.set(ylim=_LIMITS, yticks=(0, 0.25, 0.5, 0.75, 1))
    shares.tick_params(axis="y", length=0)
    for panel in (lines, shares):
        panel.axhline(cutoff, color=theme_of(figure).muted, linewidth=0.9, linestyle=(0, (4, 3)))
    if np.isfinite(poses.likelihoods[:, :, recording.chosen]).any():
        _scale_shares(shares, poses.likelihoods[:, :, 0].size)
    else:
        remark(lines, "no likelihoods")
        for panel in (lines, shares):
            panel.set_xticks(())
    below = [_below(values, cutoff) for _, _, values in _groups(recording)]
    recording.explain(shares, below, f"below {cutoff:g}")
    return figure


def _groups(recording: Recording) -> list[tuple[str, str, np.ndarray]]:
    """Return name, colour and likelihoods of what has a colour of its own."""
    likelihoods = recording.poses.likelihoods[:, :, recording.chosen]
    axis = 1 if recording.by_individual else 2
    return [
        (name, colour, np.take(likelihoods, n, axis=axis).ravel())
        for n, (name, colour) in enumerate(recording.named_colours)
    ]


def _draw_distribution(axes: Axes, values: np.ndarray, colour: str) -> None:
    known = np.sort(values[np.isfinite(values)])
    if len(known):
        ranks = np.unique(np.geomspace(1, len(known), _POINTS).round().astype(int))
        shares = (ranks + len(values) - len(known)) / len(values)
        axes.plot(shares, known[ranks - 1], color=colour, linewidth=1.1)


def _scale_shares(axes: Axes, frames: int) -> None:
    """Give shares a logarithmic scale from one frame to all."""
    powers = list(range(-int(np.ceil(np.log10(max(frames, 10)))), 1))
    step = -(-(len(powers) - 1) // 3)
    axes.set(xscale="log", xlim=(10.0 ** powers[0], 1.25))
    axes.minorticks_off()
    axes.set_xticks([10.0**power for power in powers[::-1][::step]])
    axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))


def _below(values: np.ndarray, cutoff: float) -> str:
    if not len(values):
        return "–"
    share = 100 * float((~(values >= cutoff)).mean())
    return "0 %" if share == 0 else f"{share:.2g} %" if share < 10 else f"{share:.0f} %"
