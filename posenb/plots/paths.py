"""Where keypoints went, over a frame of the video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from posenb.core import Poses
from posenb.errors import InvalidInputError
from posenb.plots.recording import ColourBy, Curve, Recording, figure_beside_names, remark
from posenb.plots.style import dress
from posenb.plots.theme import ThemeName

__all__ = ["plot_paths"]

_SIDE = 5.0  # inches of the longer side of the picture
_FINE = 1200  # cells along the longer side; a path that stays in one is not followed further
_PIECE = 400  # points of a path that are drawn at once: pieces on top of each other add up
_FADED = 0.72  # opacity of the frame


def plot_paths(
    poses: Poses,
    frame: np.ndarray | None = None,
    *,
    cutoff: float = 0.6,
    keypoints: Sequence[str] | None = None,
    colour: ColourBy = "auto",
    theme: ThemeName = "light",
) -> Figure:
    """Draw the way of every keypoint as seen in the video.

    Parameters
    ----------
    poses : Poses
    frame : ndarray of uint8, shape (H, W, 3) or (H, W), optional
        Frame of the video to draw upon, RGB or grey.
    cutoff : float, optional
        Positions of lower likelihood are left out; no line crosses such a gap.
    keypoints : sequence of str, optional
        Those to draw; all by default.
    colour : {"auto", "keypoint", "individual"}, optional
        What has a colour of its own; "auto" takes individuals where there are several.
    theme : {"light", "dark"}, optional

    Returns
    -------
    Figure
        x and y in pixels of the video, to scale; y points down. The longer the recording,
        the fainter each line, so that places visited often stand out.

    Raises
    ------
    InvalidInputError
        If `frame` is no picture.
    UnknownNameError
        If there is no such keypoint or theme.
    """
    if frame is not None and (frame.ndim not in (2, 3) or not frame.size):
        raise InvalidInputError(
            "Paths are drawn over a picture of shape (H, W, 3) or (H, W); got an array of shape "
            f"{frame.shape}. Give a frame of the video, or None."
        )
    recording = Recording(poses, cutoff, keypoints, colour, theme)
    positions = recording.positions
    left, right, top, bottom = _field(positions[:, :, recording.chosen], frame)
    scale = _SIDE / max(right - left, bottom - top)
    width, height = (right - left) * scale, (bottom - top) * scale
    figure = figure_beside_names(recording, max(width, 1.5) + 0.6, max(height, 1.5) + 0.5)
    axes = figure.subplots()
    dress(axes, x="x (px)", y="y (px, down)")
    if frame is not None:
        axes.imshow(frame, cmap="gray", vmin=0, vmax=255, alpha=_FADED)
    step = max(right - left, bottom - top) / _FINE
    paths = [
        _thinned(positions[:, each.individual, each.keypoint], step) for each in recording.curves
    ]
    _draw_paths(axes, paths, recording.curves)
    axes.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    if not np.isfinite(positions[:, :, recording.chosen]).any():
        remark(axes, f"no position of likelihood {cutoff:g} or more")
        axes.set(xticks=(), yticks=())
    recording.explain(axes)
    return figure


def _field(positions: np.ndarray, frame: np.ndarray | None) -> tuple[float, float, float, float]:
    """Return left, right, top and bottom of what is shown."""
    if frame is not None:
        return -0.5, frame.shape[1] - 0.5, -0.5, frame.shape[0] - 0.5
    points = positions.reshape(-1, 2)
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return 0.0, 1.0, 0.0, 1.0
    low, high = points.min(axis=0), points.max(axis=0)
    margin = max(0.04 * float((high - low).max()), 10.0)
    (left, top), (right, bottom) = (low - margin).tolist(), (high + margin).tolist()
    return left, right, top, bottom


def _thinned(points: np.ndarray, step: float) -> np.ndarray:
    """Leave out the points of a path that stay in the same cell as the one before."""
    cells = np.floor(points / step)
    same = (cells[1:] == cells[:-1]) | (np.isnan(cells[1:]) & np.isnan(cells[:-1]))
    kept = np.ones(len(points), bool)
    kept[1:] = ~same.all(axis=1)
    return points[kept]


def _draw_paths(axes: Axes, paths: list[np.ndarray], curves: list[Curve]) -> None:
    """Draw paths in pieces that take turns, so that none hides the others."""
    amount = sum(map(len, paths))
    pieces = [
        (start, path[start : start + _PIECE + 1], curve)
        for path, curve in zip(paths, curves, strict=True)
        for start in range(0, len(path), _PIECE)
    ]
    pieces.sort(key=lambda piece: piece[0])
    lines = LineCollection(
        [points for _, points, _ in pieces],
        colors=[curve.colour for *_, curve in pieces],
        linestyles=[curve.style for *_, curve in pieces],
        linewidths=1.0 if amount < 50_000 else 0.6,
        alpha=float(np.clip((15_000 / max(amount, 1)) ** 0.5, 0.12, 0.9)),
        joinstyle="round",
    )
    axes.add_collection(lines)
    for path, curve in zip(paths, curves, strict=True):
        gaps = np.isnan(np.concatenate([[np.nan], path[:, 0], [np.nan]]))
        alone = path[gaps[:-2] & ~gaps[1:-1] & gaps[2:]]
        axes.plot(*alone.T, ".", color=curve.colour, markersize=3)
