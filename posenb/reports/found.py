"""How surely each keypoint was found, and the moments to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posenb.core import Poses

__all__ = ["Found", "Moment", "summarise_found"]


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happens at a frame.

    Parameters
    ----------
    index : int
        Which of the poses.
    amount : float
        How long it lasts, in frames, or how far it goes, in pixels.
    """

    index: int
    amount: float


@dataclass(frozen=True, slots=True)
class Found:
    """How surely a keypoint was found, all individuals together.

    Parameters
    ----------
    keypoint : str
    share : float
        Part of its places that are shown, 0 to 1; NaN if there is none.
    gap : Moment or None
        The longest stretch in which an individual's is not shown.
    jump : Moment or None
        The farthest it goes from one frame to the next.
    """

    keypoint: str
    share: float
    gap: Moment | None
    jump: Moment | None


def summarise_found(poses: Poses, cutoff: float) -> list[Found]:
    """Summarise which places of each keypoint are shown at a cut-off.

    A place is shown if it was found and is not less likely than `cutoff`, as in the
    panels of trajectories.

    Parameters
    ----------
    poses : Poses
    cutoff : float
        Likelihood, 0 to 1.
    """
    assert poses.frames is not None
    shown = np.isfinite(poses.positions).all(axis=-1) & ~(poses.likelihoods < cutoff)
    places = np.where(shown[..., None], poses.positions, np.nan)
    steps = np.hypot(*np.moveaxis(np.diff(places, axis=0), -1, 0))
    steps[np.diff(poses.frames) != 1] = np.nan
    return [
        Found(
            name,
            float(shown[:, each, k].mean()) if len(poses) else np.nan,
            _longest_gap(shown[:, each, k]),
            _farthest(steps[:, each, k]),
        )
        for k, name in enumerate(poses.skeleton.keypoints)
        for each in [slice(1) if name in poses.skeleton.unique else slice(None)]
    ]


def _longest_gap(shown: np.ndarray) -> Moment | None:
    """Return the longest stretch of False in any column of an array, shape (T, I)."""
    longest = None
    for column in shown.T:
        edges = np.diff(np.concatenate([[1], column.astype(np.int8), [1]]))
        begins, ends = np.flatnonzero(edges == -1), np.flatnonzero(edges == 1)
        if len(begins):
            most = int(np.argmax(ends - begins))
            found = Moment(int(begins[most]), float(ends[most] - begins[most]))
            if longest is None or found.amount > longest.amount:
                longest = found
    return longest


def _farthest(steps: np.ndarray) -> Moment | None:
    """Return the largest of steps, shape (T - 1, I), and the frame it leads to."""
    if not np.isfinite(steps).any():
        return None
    row, column = np.unravel_index(int(np.nanargmax(steps)), steps.shape)
    return Moment(int(row) + 1, float(steps[row, column]))
