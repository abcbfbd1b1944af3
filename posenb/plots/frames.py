"""Labels and predictions over the image they belong to."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke

from posenb.core import Skeleton
from posenb.errors import InvalidInputError
from posenb.plots.style import INK, LARGE, MUTED, SMALL, keypoint_colours, new_figure, plain_text

__all__ = ["draw_worst_frame"]

# Inches.
_PICTURE = 4.8
_EDGE, _GAP, _HEAD, _FOOT, _TICKS = 0.12, 0.2, 0.42, 0.3, 0.42
_ROW = 0.2
_CHARACTER = 0.078

_THUMBNAIL = 0.9  # height at least
_BROADEST = 1.4  # width by height

Field = tuple[float, float, float, float]  # left, right, top, bottom in pixels of the image

_LONGEST = 28  # characters of a name in the table
_FIELD = 4  # the picture shows at least one part in this many of the image's longer side
_MARGIN = 0.15


def draw_worst_frame(
    image: np.ndarray,
    labelled: np.ndarray,
    predicted: np.ndarray,
    likelihood: np.ndarray,
    skeleton: Skeleton,
    title: str = "",
) -> Figure:
    """Draw labels (+) and predictions (dots) over the part of the image they lie in.

    A line joins each prediction to its label; thin lines join the predictions as the
    skeleton says. A prediction without a label is an open circle. The table beside
    gives the distance in pixels and the likelihood of each keypoint.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        RGB or grey.
    labelled : ndarray, shape (I, K, 2)
        x, y in pixels of the image (integers are pixel centres); NaN = unlabelled.
    predicted : ndarray, shape (I, K, 2)
        x, y likewise; NaN = not found.
    likelihood : ndarray, shape (I, K)
        0 to 1.
    skeleton : Skeleton
        The K keypoints.
    title : str, optional
        What frame it is.

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        If shapes disagree.
    """
    individuals = len(labelled)
    expected = (individuals, len(skeleton), 2)
    shapes = (np.shape(labelled), np.shape(predicted), (*np.shape(likelihood), 2))
    if any(shape != expected for shape in shapes) or image.ndim not in (2, 3):
        raise InvalidInputError(
            "A frame is drawn from an image (H, W, 3), labels and predictions (individuals, "
            f"keypoints, 2) and likelihoods (individuals, keypoints), with {len(skeleton)} "
            f"keypoints here; got {image.shape}, {shapes[0]}, {shapes[1]} and {shapes[2][:-1]}."
        )
    field = _field(image.shape[:2], np.concatenate([labelled, predicted]))
    rows = [(i, k) for i in range(individuals) for k in range(len(skeleton))]
    names = [_table_name(skeleton.keypoints[k], i, individuals) for i, k in rows]
    colours = keypoint_colours(len(skeleton))
    aspect = (field[1] - field[0]) / (field[3] - field[2])
    width = _PICTURE * min(aspect, _BROADEST)
    beside = 0.3 + _CHARACTER * max(len("keypoint"), *map(len, names)) + 1.35
    listed = (len(rows) + 2) * _ROW
    height = max(width / aspect, listed)
    figure = new_figure(
        _TICKS + width + _GAP + beside + _EDGE, _HEAD + height + _FOOT, arranged=False
    )
    _write_title(figure, title)
    axes = _place(figure, _TICKS, _HEAD, width, width / aspect)
    _show(axes, image, field)
    axes.tick_params(labelsize=SMALL - 1, labelcolor=MUTED, color=MUTED, length=2, width=0.6)
    axes.locator_params(nbins=5)
    _draw_edges(axes, predicted, skeleton)
    for i, k in rows:
        _draw_keypoint(axes, labelled[i, k], predicted[i, k], colours[k])
    table = _place(figure, _TICKS + width + _GAP, _HEAD, beside, listed)
    table.set(xlim=(0, beside), ylim=(listed, 0))
    table.set_axis_off()
    _draw_table(table, beside, names, [colours[k] for _, k in rows])
    distances = np.hypot(*np.moveaxis(np.asarray(predicted) - labelled, -1, 0))
    for row, (i, k) in enumerate(rows):
        _draw_figures(table, beside, row, distances[i, k], likelihood[i, k])
    room = height - listed - _GAP
    if room >= _THUMBNAIL and (field[1] - field[0]) < 0.9 * image.shape[1]:
        _draw_overview(figure, image, field, (beside, room))
    return figure


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
    _show(axes, image, (-0.5, image.shape[1] - 0.5, -0.5, image.shape[0] - 0.5))
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


def _field(shape: tuple[int, ...], points: np.ndarray) -> Field:
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


def _draw_edges(axes: Axes, predicted: np.ndarray, skeleton: Skeleton) -> None:
    for animal in predicted:
        for a, b in skeleton.edges:
            axes.plot(
                *animal[[a, b]].T,
                color="#FFFFFF90",
                linewidth=1,
                path_effects=[withStroke(linewidth=2, foreground="#00000050")],
                zorder=2,
            )


def _draw_keypoint(axes: Axes, label: np.ndarray, found: np.ndarray, colour: str) -> None:
    halo = [withStroke(linewidth=3, foreground="white")]
    present = np.isfinite(label).all()
    if present:
        axes.plot(
            *np.stack([label, found]).T,
            color=colour,
            linewidth=1.4,
            path_effects=halo,
            zorder=3,
        )
        axes.plot(
            *label,
            marker="+",
            markersize=12,
            markeredgewidth=1.8,
            color=colour,
            path_effects=halo,
            zorder=4,
        )
    axes.plot(
        *found,
        marker="o",
        markersize=5.5,
        markeredgewidth=1,
        zorder=5,
        markerfacecolor=colour if present else "none",
        markeredgecolor="white" if present else colour,
    )


def _draw_table(axes: Axes, width: float, names: list[str], colours: list[str]) -> None:
    head = plain_text(color=MUTED, verticalalignment="center")
    axes.text(0.24, 0.1, "keypoint", **head)
    axes.text(width - 0.75, 0.1, "px", **head, horizontalalignment="right")
    axes.text(width, 0.1, "likelihood", **head, horizontalalignment="right")
    for row, (name, colour) in enumerate(zip(names, colours, strict=True)):
        y = 0.1 + (row + 1) * _ROW
        axes.plot(0.09, y, marker="o", markersize=6, color=colour, markeredgecolor="white")
        axes.text(0.24, y, name, **plain_text(verticalalignment="center"))
    axes.text(0.24, 0.1 + (len(names) + 1) * _ROW, "+ label   ● prediction", **head)


def _draw_figures(axes: Axes, width: float, row: int, distance: float, likelihood: float) -> None:
    y = 0.1 + (row + 1) * _ROW
    look = plain_text(verticalalignment="center", horizontalalignment="right", color=INK)
    axes.text(width - 0.75, y, "–" if np.isnan(distance) else f"{distance:.1f}", **look)
    axes.text(width, y, "–" if np.isnan(likelihood) else f"{likelihood:.2f}", **look)


def _table_name(keypoint: str, individual: int, individuals: int) -> str:
    name = keypoint if individuals == 1 else f"{individual + 1}: {keypoint}"
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1] + "…"
