"""How far keypoints move from one frame to the next."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from posenb.core import Poses
from posenb.plots.recording import ColourBy, Recording, figure_beside_names, remark, shorten
from posenb.plots.style import dress, plain_text, scale_logarithmically, theme_of
from posenb.plots.theme import ThemeName

__all__ = ["plot_steps"]

_LEAST = 0.01  # pixels; shorter steps count as so long
_BINS = (12, 60)  # at least and at most
_NAMED, _ROOM = 3, 90  # of the longest steps, and characters for them


def plot_steps(
    poses: Poses,
    *,
    cutoff: float = 0.6,
    keypoints: Sequence[str] | None = None,
    colour: ColourBy = "auto",
    theme: ThemeName = "light",
) -> Figure:
    """Draw how often keypoints move how far from one frame to the next.

    Both scales are logarithmic: a hump at the right, apart from the rest, is made of
    jumps, which are mistakes more often than movements. The longest are named above.

    Parameters
    ----------
    poses : Poses
    cutoff : float, optional
        Positions of lower likelihood are left out, and the steps to and from them.
    keypoints : sequence of str, optional
        Those to draw; all by default.
    colour : {"auto", "keypoint", "individual"}, optional
        What has a colour of its own; "auto" takes individuals where there are several.
    theme : {"light", "dark"}, optional

    Returns
    -------
    Figure
        Steps in pixels, from frames that follow each other; the legend gives their median.

    Raises
    ------
    UnknownNameError
        If there is no such keypoint or theme.
    """
    recording = Recording(poses, cutoff, keypoints, colour, theme)
    steps = _steps(recording)
    figure = figure_beside_names(recording, 6.4, 3.6, more=10)
    axes = figure.subplots()
    dress(axes, grid="both", x="step between frames (px)", y="steps", title="")
    chosen = [steps[:, curve.individual, curve.keypoint] for curve in recording.curves]
    known = np.concatenate([each[np.isfinite(each)] for each in chosen] or [np.zeros(0)])
    if len(known):
        seen = np.maximum(known, _LEAST)
        groups = _groups(recording, steps)
        count = int(np.clip(2 * max(map(len, groups)) ** 0.5, *_BINS))
        bins = np.geomspace(seen.min() / 1.1, seen.max() * 1.1, count)
        highest = 1
        for (_, colour_of), values in zip(recording.named_colours, groups, strict=True):
            counts, _ = np.histogram(np.maximum(values, _LEAST), bins)
            highest = max(highest, int(counts.max()))
            axes.stairs(counts, bins, color=colour_of, linewidth=1.2, baseline=0.5)
        scale_logarithmically(axes.xaxis, seen)
        axes.xaxis.set_major_formatter(FuncFormatter(_step_name))
        axes.set(yscale="log", ylim=(0.7, highest * 1.6))
        axes.yaxis.set_major_formatter(lambda count, _: f"{count:g}")
        axes.minorticks_off()
        medians = [f"{np.median(values):.2g} px" if len(values) else "–" for values in groups]
        axes.set_title(
            _longest(recording, steps),
            loc="left",
            **plain_text(color=theme_of(figure).muted),
        )
        recording.explain(axes, medians, "median step")
    else:
        remark(axes, f"no two frames in a row with a likelihood of {cutoff:g} or more")
        axes.set(xticks=(), yticks=())
        recording.explain(axes)
    return figure


def _step_name(step: float, _: int) -> str:
    return f"≤ {_LEAST:g}" if step <= _LEAST else f"{step:g}"


def _steps(recording: Recording) -> np.ndarray:
    """Return distances from one frame to the next, shape (T - 1, I, K); NaN across gaps."""
    frames = recording.poses.frames
    assert frames is not None
    moved = np.diff(recording.positions, axis=0)
    moved[np.diff(frames) > 1] = np.nan
    steps: np.ndarray = np.hypot(moved[..., 0], moved[..., 1])
    return steps


def _groups(recording: Recording, steps: np.ndarray) -> list[np.ndarray]:
    """Return the steps of each colour."""
    chosen = steps[:, :, recording.chosen]
    axis = 1 if recording.by_individual else 2
    groups = [np.take(chosen, n, axis=axis).ravel() for n in range(chosen.shape[axis])]
    return [group[np.isfinite(group)] for group in groups]


def _longest(recording: Recording, steps: np.ndarray) -> str:
    """Tell the longest steps: how far, of what, to which frame."""
    poses = recording.poses
    assert poses.frames is not None
    chosen = np.nan_to_num(steps[:, :, recording.chosen], nan=-1.0)
    told = []
    for place in np.argsort(chosen, axis=None)[::-1][:_NAMED]:
        t, i, k = np.unravel_index(place, chosen.shape)
        if chosen[t, i, k] <= 0:
            break
        name = poses.skeleton.keypoints[recording.chosen[k]]
        owner = f"{poses.individuals[i]} " if len(poses.individuals) > 1 else ""
        told.append(
            f"{chosen[t, i, k]:.3g} px ({shorten(owner + name)}, frame {poses.frames[t + 1]})"
        )
    while len(", ".join(told)) > _ROOM:
        told.pop()
    return "longest: " + ", ".join(told) if told else ""
