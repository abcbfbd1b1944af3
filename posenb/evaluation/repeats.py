"""Frames that repeat others: the same image, or the same labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import numpy as np

from posenb.core import Labels

__all__ = ["Repeat", "find_repeats"]

# Frames in which nothing moves differ by up to 0.56 grey levels from nothing but noise, as
# `posenb.extraction.choosing` found; compression adds some.
_ALIKE = 1.0
_SAME = 0.25  # pixels
_LEAST = 2  # keypoints that a person does not place alike twice
_AT_ONCE = 256


class Repeat(NamedTuple):
    """A frame that repeats an earlier one.

    Parameters
    ----------
    frame, first : int
        Index of each.
    kind : {"copy", "twin"}
        The same labels on another image, or the same image.
    apart : float
        Pixels by which the labels differ at most; NaN where none can be compared.
    """

    frame: int
    first: int
    kind: Literal["copy", "twin"]
    apart: float


def find_repeats(labels: Labels, pictures: np.ndarray | None = None) -> Iterator[Repeat]:
    """Find frames whose labels or images are those of another frame of the same video.

    Parameters
    ----------
    labels : Labels
        N frames.
    pictures : ndarray of uint8, shape (N, h, w), optional
        Small grey pictures of the frames; without them a copy is one whatever it shows.

    Yields
    ------
    Repeat
        One at most for each frame, with the first that it repeats.
    """
    videos = np.array([frame.video for frame in labels.frames])
    individuals, keypoints = labels.positions.shape[1:3]
    flat = labels.positions.reshape(len(labels), individuals * keypoints, 2)
    for n in range(1, len(labels)):
        earlier = np.flatnonzero(videos[:n] == videos[n])
        if not len(earlier):
            continue
        alike = _alike(pictures, n, earlier)
        twins = earlier[alike]
        copies = earlier[~alike & _same_labels(flat, n, earlier)]
        if len(twins):
            first = int(twins[0])
            yield Repeat(n, first, "twin", _apart(flat[n], flat[first]))
        elif len(copies):
            yield Repeat(n, int(copies[0]), "copy", 0.0)


def _alike(pictures: np.ndarray | None, n: int, earlier: np.ndarray) -> np.ndarray:
    if pictures is None:
        return np.zeros(len(earlier), dtype=bool)
    one = pictures[n].astype(np.float32)
    parts = [earlier[start : start + _AT_ONCE] for start in range(0, len(earlier), _AT_ONCE)]
    squares = [np.square(pictures[part] - one).mean(axis=(1, 2)) for part in parts]
    alike: np.ndarray = np.concatenate(squares) < _ALIKE**2
    return alike


def _same_labels(flat: np.ndarray, n: int, earlier: np.ndarray) -> np.ndarray:
    there = ~np.isnan(flat[n, :, 0])
    others = flat[earlier]
    as_many = (~np.isnan(others[..., 0]) == there).all(axis=1)
    near = (np.abs(others - flat[n]) < _SAME).all(axis=2) | ~there
    same: np.ndarray = as_many & near.all(axis=1) & (there.sum() >= _LEAST)
    return same


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    away = np.hypot(*(one - other).T)
    known = away[~np.isnan(away)]
    return float(known.max()) if len(known) else float("nan")
