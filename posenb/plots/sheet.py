"""A picture of a frame with a table beside it: where each part of the figure goes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from posenb.core import Skeleton
from posenb.plots.style import INK, LARGE, MUTED, SMALL, new_figure, plain_text

__all__ = [
    "CHARACTER",
    "LONGEST",
    "ROW",
    "Field",
    "draw_edges",
    "find_field",
    "new_sheet",
    "shorten",
    "whole_field",
]

# Inches.
_PICTURE = 4.8
_EDGE, _GAP, _HEAD, _FOOT, _TICKS = 0.12, 0.2, 0.42, 0.3, 0.42
ROW = 0.2
"""Height of a row of the table, inches."""
CHARACTER = 0.078
"""Width of a letter, inches."""

_THUMBNAIL = 0.9  # height at least
_BROADEST = 1.4  # width by height

Field = tuple[float, float, float, float]
"""Left, right, top, bottom of a part of an image, pixels."""

LONGEST = 28
"""Characters of a name in the table at most."""
_FIELD = 4  # the picture shows at least one part in this many of the image's longer side
_MARGIN = 0.15


def new_sheet(
    image: np.ndarray, field: Field, *, title: str, beside: float, rows: int
) -> tuple[Figure, Axes, Axes]:
    """Return a figure with part of an image and room for a table at its right.

    Where the part is small, the whole image is shown below the table.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
    field : Field
        The part to show.
    title : str
    beside : float
        Width of the table, inches.
    rows : int
        Rows of the table.

    Returns
    -------
    figure : Figure
    picture : Axes
        In pixels of the image.
    table : Axes
        In inches from its upper left corner.
    """
    aspect = (field[1] - field[0]) / (field[3] - field[2])
    width = _PICTURE * min(aspect, _BROADEST)
    listed = rows * ROW
    height = max(width / aspect, listed)
    figure = new_figure(
        _TICKS + width + _GAP + beside + _EDGE, _HEAD + height + _FOOT, arranged=False
    )
    _write_title(figure, title)
    picture = _place(figure, _TICKS, _HEAD, width, width / aspect)
    _show(picture, image, field)
    picture.tick_params(labelsize=SMALL - 1, labelcolor=MUTED, color=MUTED, length=2, width=0.6)
    picture.locator_params(nbins=5)
    table = _place(figure, _TICKS + width + _GAP, _HEAD, beside, listed)
    table.set(xlim=(0, beside), ylim=(listed, 0))
    table.set_axis_off()
    room = height - listed - _GAP
    if room >= _THUMBNAIL and (field[1] - field[0]) < 0.9 * image.shape[1]:
        _draw_overview(figure, image, field, (beside, room))
    return figure, picture, table


def _place(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Return new axes in a box given in inches from the upper left corner of the figure."""
    whole = figure.get_size_inches()
    return figure.add_axes(
        (left / whole[0], 1 - (top + height) / whole[1], width / whole[0], height / whole[1])
    )


def _show(axes: Axes, image: np.ndarray, field: Field) -> None:
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
    axes.set(xlim=field[:2], ylim=field[:1:-1])
    for spine in axes.spines.values():
        spine.set(color=MUTED, linewidth=0.6)


def _write_title(figure: Figure, title: str) -> None:
    """Write the title in letters small enough for it to fit."""
    width, height = figure.get_size_inches()
    fitting = 72 * (width - _TICKS - _EDGE) / (0.62 * max(len(title), 1))
    figure.text(
        *(_TICKS / width, 1 - _HEAD / 2 / height, title),
        **plain_text(fontsize=min(LARGE, fitting), verticalalignment="center"),
    )


def _draw_overview(
    figure: Figure, image: np.ndarray, field: Field, box: tuple[float, float]
) -> None:
    """Show below the table which part of the image is shown at large."""
    aspect = image.shape[1] / image.shape[0]
    width = min(box[0], box[1] * aspect)
    across, down = figure.get_size_inches()
    corner = (across - _EDGE - box[0], down - _FOOT - width / aspect)
    axes = _place(figure, *corner, width, width / aspect)
    _show(axes, image, whole_field(image))
    axes.set(xticks=(), yticks=())
    axes.add_patch(
        Rectangle(
            (field[0], field[2]),
            field[1] - field[0],
            field[3] - field[2],
            fill=False,
            edgecolor="white",
            linewidth=1.2,
            path_effects=[withStroke(linewidth=2.6, foreground=INK)],
        )
    )


def find_field(shape: tuple[int, ...], points: np.ndarray) -> Field:
    """Return left, right, top and bottom of the part of an image that holds `points`."""
    size = np.array([shape[1], shape[0]], float)
    known = points.reshape(-1, 2)
    known = known[np.isfinite(known).all(axis=1)]
    if not len(known):
        return -0.5, size[0] - 0.5, -0.5, size[1] - 0.5
    low = np.clip(known.min(axis=0), -0.5, size - 0.5)
    high = np.clip(known.max(axis=0), -0.5, size - 0.5)
    wanted = (high - low).max() * _MARGIN * 2 + (high - low)
    wanted = np.maximum(wanted, size.max() / _FIELD)
    wanted = np.minimum(np.maximum(wanted, wanted.max() * 0.75), size)
    start = np.clip((low + high - wanted) / 2, -0.5, size - 0.5 - wanted)
    stop = start + wanted
    return float(start[0]), float(stop[0]), float(start[1]), float(stop[1])


def whole_field(image: np.ndarray) -> Field:
    """Return the borders of a whole image."""
    return -0.5, image.shape[1] - 0.5, -0.5, image.shape[0] - 0.5


def shorten(name: str) -> str:
    """Return a name that fits into the table."""
    return name if len(name) <= LONGEST else name[: LONGEST - 1] + "…"


def draw_edges(axes: Axes, positions: np.ndarray, skeleton: Skeleton) -> None:
    """Join keypoints as the skeleton says; `positions` is (individuals, keypoints, 2)."""
    for animal in positions:
        for a, b in skeleton.edges:
            axes.plot(
                *animal[[a, b]].T,
                color="#FFFFFF90",
                linewidth=1,
                path_effects=[withStroke(linewidth=2, foreground="#00000050")],
                zorder=2,
            )
