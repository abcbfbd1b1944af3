"""What was labelled, over the frame it belongs to."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from posenb.core import Skeleton, Visibility
from posenb.errors import InvalidInputError
from posenb.plots.sheet import (
    CHARACTER,
    ROW,
    draw_edges,
    find_field,
    new_sheet,
    shorten,
    whole_field,
)
from posenb.plots.style import INK, MUTED, SMALL, keypoint_colours, plain_text

__all__ = ["draw_labels", "find_signs"]

_SHAPES = "osD^vPX*"  # one for each individual; they repeat
_SIZES = {"^": 7.0, "v": 7.0, "P": 7.5, "X": 7.5, "*": 9.5}  # points, where 6 look smaller
_COLUMN = 0.2  # inches; of an individual in the table
_NARROWEST = 1.7  # inches; of the table, below which the whole image is shown
_MEANINGS = {
    "occluded": "occluded",
    "missing": "not labelled",
    "outside": "outside the image",
}
_HALO = [withStroke(linewidth=2.4, foreground="white")]


def draw_labels(
    image: np.ndarray,
    positions: np.ndarray,
    visibility: np.ndarray,
    skeleton: Skeleton,
    *,
    individuals: tuple[str, ...] = ("",),
    title: str = "",
    zoom: bool = True,
) -> Figure:
    """Draw labels over the part of the image they lie in, with a table of what is there.

    Colours tell keypoints apart, shapes individuals. Filled marks are visible keypoints,
    hollow ones occluded, crosses at the edge those that lie outside the image; in the
    table a dash stands for what is not labelled.

    Parameters
    ----------
    image : ndarray of uint8, shape (H, W, 3) or (H, W)
        RGB or grey.
    positions : ndarray, shape (I, K, 2)
        x, y in pixels of the image (integers are pixel centres); NaN = no position.
    visibility : ndarray, shape (I, K)
        `Visibility` values.
    skeleton : Skeleton
        The K keypoints.
    individuals : tuple of str, optional
        The I animals.
    title : str, optional
        What frame it is.
    zoom : bool, optional
        Show the part of the image where labels lie at large, the whole beside it.

    Returns
    -------
    Figure

    Raises
    ------
    InvalidInputError
        If shapes disagree.
    """
    expected = (len(individuals), len(skeleton), 2)
    shapes = (np.shape(positions), (*np.shape(visibility), 2))
    if any(shape != expected for shape in shapes) or image.ndim not in (2, 3):
        raise InvalidInputError(
            "Labels are drawn from an image (H, W, 3), positions (individuals, keypoints, 2) and "
            f"visibility (individuals, keypoints), here {expected[:2]}; got {image.shape}, "
            f"{shapes[0]} and {shapes[1][:-1]}."
        )
    signs = find_signs(positions, visibility, skeleton, image.shape[:2])
    used = [name for name in _MEANINGS if (signs == name).any()]
    names = [shorten(name) for name in skeleton.keypoints]
    animals = [shorten(name) for name in individuals] if len(individuals) > 1 else []
    letters = max(map(len, [*names, *animals, *(_MEANINGS[name] for name in used)]))
    indent = _COLUMN * len(individuals)
    extra = [*([""] if animals else []), *animals, *([""] if used else []), *used]
    figure, picture, table = new_sheet(
        image,
        find_field(image.shape[:2], positions) if zoom else whole_field(image),
        title=title,
        beside=max(indent + CHARACTER * letters + 0.1, _NARROWEST),
        rows=len(names) + len(extra),
    )
    draw_edges(picture, positions, skeleton)
    _draw_marks(picture, positions, signs, image.shape[:2])
    _name_individuals(picture, positions, animals)
    colours = keypoint_colours(len(names))
    for k, (name, colour) in enumerate(zip(names, colours, strict=True)):
        for i in range(len(individuals)):
            _mark(table, (_COLUMN * (i + 0.5), _line(k)), i, colour, signs[i, k])
        seen = np.isin(signs[:, k], ("visible", "occluded", "outside")).any()
        _write(table, indent, k, name, INK if seen else MUTED)
    for i, name in enumerate(animals):
        row = len(names) + 1 + i
        _mark(table, (_COLUMN * (i + 0.5), _line(row)), i, INK, "visible")
        _write(table, indent, row, name, INK)
    for n, name in enumerate(used):
        row = len(names) + len(extra) - len(used) + n
        _mark(table, (_COLUMN * 0.5, _line(row)), 0, MUTED, name)
        _write(table, _COLUMN, row, _MEANINGS[name], MUTED)
    return figure


def find_signs(
    positions: np.ndarray, visibility: np.ndarray, skeleton: Skeleton, shape: tuple[int, ...]
) -> np.ndarray:
    """Tell how each keypoint of each individual is marked.

    Parameters
    ----------
    positions, visibility, skeleton
        As in `draw_labels`.
    shape : (int, int)
        Height and width of the image.

    Returns
    -------
    ndarray of str, shape (I, K)
        ``visible``, ``occluded``, ``missing``, ``outside`` the image, or ``none`` where
        an individual has no such keypoint because it exists once in the scene.
    """
    signs = np.full(visibility.shape, "missing", dtype="<U8")
    signs[visibility == Visibility.VISIBLE] = "visible"
    signs[visibility == Visibility.OCCLUDED] = "occluded"
    beyond = (positions < -0.5) | (positions > np.array(shape[::-1]) - 0.5)
    signs[beyond.any(axis=-1)] = "outside"
    for name in skeleton.unique:
        signs[1:, skeleton.index(name)] = "none"
    return signs


def _line(row: int) -> float:
    return 0.1 + row * ROW


def _write(table: Axes, x: float, row: int, text: str, ink: str) -> None:
    table.text(x + 0.04, _line(row), text, **plain_text(verticalalignment="center", color=ink))


def _draw_marks(
    axes: Axes, positions: np.ndarray, signs: np.ndarray, shape: tuple[int, ...]
) -> None:
    """Draw those that have a position; those outside stand at the edge of the image."""
    colours = keypoint_colours(positions.shape[1])
    inside = np.clip(positions, 0, np.array(shape[::-1]) - 1)
    for i, k in np.argwhere(np.isfinite(positions).all(axis=-1)):
        _mark(axes, tuple(inside[i, k]), i, colours[k], signs[i, k])


def _name_individuals(axes: Axes, positions: np.ndarray, names: list[str]) -> None:
    for animal, name in zip(positions, names, strict=False):
        known = animal[np.isfinite(animal).all(axis=-1)]
        if len(known):
            axes.annotate(
                name,
                (known[:, 0].mean(), known[:, 1].min()),
                xytext=(0, 7),
                textcoords="offset points",
                horizontalalignment="center",
                path_effects=[withStroke(linewidth=2, foreground="#000000A0")],
                **plain_text(fontsize=SMALL, color="white"),
            )


def _mark(axes: Axes, place: tuple[float, ...], individual: int, colour: str, sign: str) -> None:
    shape = _SHAPES[individual % len(_SHAPES)]
    look: dict[str, Any] = {"linestyle": "none", "zorder": 5, "markersize": _SIZES.get(shape, 6)}
    if sign == "visible":
        look |= {"marker": shape, "color": colour, "markeredgecolor": "white"}
    elif sign == "occluded":
        look |= {"marker": shape, "markerfacecolor": "none", "markeredgecolor": colour}
        look |= {"markeredgewidth": 1.6, "path_effects": _HALO}
    elif sign == "outside":
        look |= {"marker": "x", "color": colour, "markeredgewidth": 1.8, "path_effects": _HALO}
    elif sign == "missing":
        look |= {"marker": "_", "color": MUTED, "markersize": 5}
    if "marker" in look:
        axes.plot(*place, **look)
