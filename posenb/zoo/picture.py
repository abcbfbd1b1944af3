"""The small picture of a model: a posture, drawn; no frame of anybody's video."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from posenb.core import Skeleton

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw_preview"]

_SIDE, _DOTS = 4.8, 100  # inches and dots an inch
_GROUND, _BODY, _BONE, _INK = "#f6f4ef", "#d9d3c7", "#8c8577", "#2f2c28"
_FEW = 6  # keypoints up to which they outline the body; more are legs too
_NAMED = 10  # keypoints up to which their names find room
_ROOM = 0.34  # around the posture, as a share of its extent


def draw_preview(path: Path, posture: np.ndarray, skeleton: Skeleton) -> None:
    """Draw keypoints and skeleton of an animal as a PNG of 480 x 480 pixels.

    Parameters
    ----------
    path : Path
    posture : ndarray, shape (K, 2)
        x, y in pixels, y downwards; NaN = not drawn.
    skeleton : Skeleton
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_SIDE, _SIDE), dpi=_DOTS, facecolor=_GROUND)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_aspect("equal")
    known = posture[~np.isnan(posture[:, 0])]
    low, high = known.min(axis=0), known.max(axis=0)
    extent = float(max(*(high - low), 1.0))
    middle, reach = (low + high) / 2, extent * (0.5 + _ROOM)
    axes.set_xlim(middle[0] - reach, middle[0] + reach)
    axes.set_ylim(middle[1] + reach, middle[1] - reach)
    _draw_bones(axes, posture, skeleton)
    _draw_points(axes, posture, skeleton, middle)
    figure.savefig(path, dpi=_DOTS, metadata={"Software": None})


def _draw_bones(axes: Axes, posture: np.ndarray, skeleton: Skeleton) -> None:
    known = posture[~np.isnan(posture[:, 0])]
    if len(known) > 2 and len(posture) <= _FEW:
        away = known - known.mean(axis=0)
        around = known[np.argsort(np.arctan2(away[:, 1], away[:, 0]))]
        axes.fill(around[:, 0], around[:, 1], facecolor=_BODY, zorder=1)
    body = 72.0 if len(posture) <= _FEW else 24.0
    for width, colour, level in ((body, _BODY, 1), (2.0, _BONE, 2)):
        for a, b in skeleton.edges:
            pair = posture[[a, b]]
            axes.plot(
                pair[:, 0],
                pair[:, 1],
                color=colour,
                linewidth=width,
                solid_capstyle="round",
                zorder=level,
            )


def _draw_points(axes: Axes, posture: np.ndarray, skeleton: Skeleton, middle: np.ndarray) -> None:
    from matplotlib import colormaps

    colours = colormaps["turbo"](np.linspace(0.05, 0.95, len(skeleton)))
    size = 14 if len(skeleton) <= _NAMED else 10
    for (x, y), colour, name in zip(posture, colours, skeleton.keypoints, strict=True):
        if np.isnan(x):
            continue
        axes.plot(
            x, y, "o", markersize=size, color=colour, markeredgecolor="white", mew=1.5, zorder=3
        )
        if len(skeleton) > _NAMED:
            continue
        away = np.array((x, y)) - middle
        away /= max(float(np.linalg.norm(away)), 1.0)
        axes.annotate(
            name,
            (x, y),
            xytext=(17 * away[0], -17 * away[1]),
            textcoords="offset points",
            ha="left" if away[0] > 0.3 else "right" if away[0] < -0.3 else "center",
            va="top" if away[1] > 0.3 else "bottom" if away[1] < -0.3 else "center",
            fontsize=11,
            color=_INK,
            zorder=4,
        )
