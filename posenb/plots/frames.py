"""Labels and predictions over the image they belong to."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from posenb.core import Skeleton
from posenb.errors import InvalidInputError
from posenb.plots.sheet import CHARACTER, ROW, draw_edges, find_field, new_sheet, shorten
from posenb.plots.style import INK, MUTED, keypoint_colours, plain_text

__all__ = ["draw_worst_frame"]


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
    field = find_field(image.shape[:2], np.concatenate([labelled, predicted]))
    rows = [(i, k) for i in range(individuals) for k in range(len(skeleton))]
    names = [_table_name(skeleton.keypoints[k], i, individuals) for i, k in rows]
    colours = keypoint_colours(len(skeleton))
    beside = 0.3 + CHARACTER * max(len("keypoint"), *map(len, names)) + 1.35
    figure, picture, table = new_sheet(image, field, title=title, beside=beside, rows=len(rows) + 2)
    draw_edges(picture, predicted, skeleton)
    for i, k in rows:
        _draw_keypoint(picture, labelled[i, k], predicted[i, k], colours[k])
    _draw_table(table, beside, names, [colours[k] for _, k in rows])
    distances = np.hypot(*np.moveaxis(np.asarray(predicted) - labelled, -1, 0))
    for row, (i, k) in enumerate(rows):
        _draw_figures(table, beside, row, distances[i, k], likelihood[i, k])
    return figure


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
        y = 0.1 + (row + 1) * ROW
        axes.plot(0.09, y, marker="o", markersize=6, color=colour, markeredgecolor="white")
        axes.text(0.24, y, name, **plain_text(verticalalignment="center"))
    axes.text(0.24, 0.1 + (len(names) + 1) * ROW, "+ label   ● prediction", **head)


def _draw_figures(axes: Axes, width: float, row: int, distance: float, likelihood: float) -> None:
    y = 0.1 + (row + 1) * ROW
    look = plain_text(verticalalignment="center", horizontalalignment="right", color=INK)
    axes.text(width - 0.75, y, "–" if np.isnan(distance) else f"{distance:.1f}", **look)
    axes.text(width, y, "–" if np.isnan(likelihood) else f"{likelihood:.2f}", **look)


def _table_name(keypoint: str, individual: int, individuals: int) -> str:
    return shorten(keypoint if individuals == 1 else f"{individual + 1}: {keypoint}")
