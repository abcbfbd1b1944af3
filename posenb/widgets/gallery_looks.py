"""What the gallery keeps of each image, and how labels lie over it."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from posenb import storage
from posenb._progress import Progress
from posenb.core import Labels, Visibility
from posenb.errors import LabelError, StorageError
from posenb.evaluation import Suspect
from posenb.plots.theme import keypoint_colours
from posenb.project import Project, read_image
from posenb.widgets.frame_feed import encode_jpeg

__all__ = ["Glance", "glance", "glance_at_all", "marks", "remark"]

_GREY = (32, 24)  # pixels of the picture by which images are compared
_TILE = 360
_MARGIN = 0.35  # of the extent of the labels, on each side
_NARROWEST = 96.0  # pixels that a tile shows at least
_ASPECT = 4 / 3

Box = tuple[float, float, float, float]  # left, top, width, height in pixels of the image


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What is kept of an image.

    Parameters
    ----------
    grey : ndarray of uint8, shape (24, 32)
        To compare it with others.
    size : (int, int)
        Width and height in pixels.
    box : (float, float, float, float)
        Left, top, width and height, in pixels of the image, of the part where the labels
        lie; -0.5 is the left edge.
    tile : bytes
        That part as a JPEG.
    """

    grey: np.ndarray
    size: tuple[int, int]
    box: Box
    tile: bytes


def glance_at_all(project: Project, labels: Labels, progress: Progress) -> list[Glance | None]:
    """Look at all images once; None where one is gone or damaged.

    Raises
    ------
    StorageError
        If the images cannot be fetched.
    """
    found: list[Glance | None] = []
    with progress(len(labels), "Looking at labels", "frame") as bar:
        rows = range(len(labels))
        for each in storage.in_order(partial(glance, project, labels), rows):
            found.append(each)
            bar.advance()
    return found


def glance(project: Project, labels: Labels, n: int) -> Glance | None:
    """Look at the image of frame `n`; None if it is gone or damaged."""
    from PIL import Image

    try:
        pixels = read_image(project, labels.frames[n])
    except (LabelError, StorageError) as error:
        if isinstance(error, StorageError) and error.errno != errno.ENOENT:
            raise
        return None
    image = Image.fromarray(pixels)
    grey = np.asarray(image.convert("L").resize(_GREY, Image.Resampling.BOX))
    left, top, width, height = box = _box(labels.positions[n], image.size)
    x, y = round(left + 0.5), round(top + 0.5)
    cut = pixels[y : y + round(height), x : x + round(width)]
    return Glance(grey, image.size, box, encode_jpeg(cut, _TILE))


def marks(labels: Labels, n: int, suspects: tuple[Suspect, ...]) -> dict[str, Any]:
    """Return how the labels of frame `n` are drawn, in pixels of the image.

    Returns
    -------
    dict
        ``points``: x, y, colour, name, whether it is occluded and whether it is doubtful;
        ``edges``: x1, y1, x2, y2.
    """
    assert labels.visibility is not None
    doubtful = {(each.individual, name) for each in suspects for name in each.keypoints}
    skeleton = labels.skeleton
    points, edges = [], []
    colours = keypoint_colours(len(skeleton))
    for i, animal in enumerate(labels.individuals):
        at = labels.positions[n, i]
        there = ~np.isnan(at[:, 0])
        edges += [
            [*at[a].round(2).tolist(), *at[b].round(2).tolist()]
            for a, b in skeleton.edges
            if there[a] and there[b]
        ]
        for k in np.flatnonzero(there):
            name = skeleton.keypoints[k]
            points.append(
                {
                    "x": round(float(at[k, 0]), 2),
                    "y": round(float(at[k, 1]), 2),
                    "colour": colours[k],
                    "name": f"{animal} {name}".strip(),
                    "hidden": bool(labels.visibility[n, i, k] == Visibility.OCCLUDED),
                    "doubtful": (animal, name) in doubtful,
                }
            )
    return {"points": points, "edges": edges}


def remark(labels: Labels, n: int, size: tuple[int, int]) -> str:
    """Say what the labels of a frame lack, or nothing where all is there.

    Parameters
    ----------
    labels : Labels
    n : int
        Index of the frame.
    size : (int, int)
        Width and height of its image.
    """
    assert labels.visibility is not None
    unsaid = labels.visibility[n] == Visibility.UNLABELLED
    there = ~unsaid.all(axis=1)  # an animal without any label is not there
    for name in labels.skeleton.unique:
        unsaid[1:, labels.skeleton.index(name)] = False
    missing = int(unsaid[there].sum()) if there.any() else int(unsaid[0].sum())
    outside = (labels.positions[n] < -0.5) | (labels.positions[n] > np.array(size) - 0.5)
    counts = {"not labelled": missing, "outside the image": int(outside.any(axis=-1).sum())}
    return ", ".join(f"{count} {words}" for words, count in counts.items() if count)


def _box(positions: np.ndarray, size: tuple[int, int]) -> Box:
    """Return the part of the image around the labels, of one shape for all where it can be."""
    width, height = size
    known = positions[~np.isnan(positions).any(axis=-1)]
    known = known[((known > -0.5) & (known < np.array(size) - 0.5)).all(axis=-1)]
    if not len(known):
        return (-0.5, -0.5, float(width), float(height))
    low, high = known.min(axis=0), known.max(axis=0)
    extent = (high - low) * (1 + 2 * _MARGIN)
    across = max(extent[0], extent[1] * _ASPECT, _NARROWEST)
    across, down = min(across, width), min(across / _ASPECT, height)
    middle = (low + high) / 2
    left = min(max(middle[0] - across / 2, -0.5), width - 0.5 - across)
    top = min(max(middle[1] - down / 2, -0.5), height - 0.5 - down)
    whole = (round(left + 0.5), round(top + 0.5), round(across), round(down))
    return (whole[0] - 0.5, whole[1] - 0.5, float(whole[2]), float(whole[3]))
