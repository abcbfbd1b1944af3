"""Browsing poses without a screen: the frames worth a look, and those that are marked."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Literal

import numpy as np

from posenb._names import unknown_name
from posenb.core import FrameName, Poses

__all__ = [
    "BrowseState",
    "Kind",
    "Spot",
    "chosen",
    "find_spots",
    "mark",
    "take_in",
    "to_notes",
    "unmark",
    "waiting",
    "with_notes",
]

Kind = Literal["unlikely", "jumps"]
KINDS: tuple[Kind, ...] = ("unlikely", "jumps")
_NEW, _AGAIN = "new", "again"
_MOST = 40  # spots: more than anybody looks at in one go
_APART = 0.5  # seconds between two spots, as one mistake lasts for some frames
_APART_FRAMES = 15  # where the frame rate is unknown


@dataclass(frozen=True, slots=True)
class Spot:
    """A frame worth a look.

    Parameters
    ----------
    row : int
        Which of the poses.
    individual, keypoint : int
        What is suspicious there.
    value : float
        Its likelihood, or the way it went since the frame before, in pixels.
    """

    row: int
    individual: int
    keypoint: int
    value: float


@dataclass(frozen=True, slots=True)
class BrowseState:
    """What is marked, and what lies in the project already.

    Parameters
    ----------
    marked : frozenset of int, optional
        Frames of the video.
    images : mapping of int to FrameName, optional
        Frames that are images of the project.
    labelled : frozenset of int, optional
        Those of them in which something is labelled.
    again : frozenset of int, optional
        Marked frames that were labelled already when they were marked.
    """

    marked: frozenset[int] = frozenset()
    images: Mapping[int, FrameName] = field(default_factory=dict)
    labelled: frozenset[int] = frozenset()
    again: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Keep an own, read-only copy of the mapping."""
        object.__setattr__(self, "images", MappingProxyType(dict(self.images)))


def mark(state: BrowseState, frame: int) -> BrowseState:
    """Mark a frame for relabelling."""
    again = state.again | ({frame} & state.labelled - state.marked)
    return replace(state, marked=state.marked | {frame}, again=again)


def unmark(state: BrowseState, frame: int) -> BrowseState:
    """Take the mark of a frame away; where there is none, nothing changes."""
    return replace(state, marked=state.marked - {frame}, again=state.again - {frame})


def take_in(
    state: BrowseState, images: Mapping[int, FrameName], labelled: Iterable[int]
) -> BrowseState:
    """Know what lies in the project now."""
    return replace(state, images=images, labelled=frozenset(labelled))


def waiting(state: BrowseState) -> tuple[int, ...]:
    """Return the marked frames that are no images of the project yet, ascending."""
    return tuple(sorted(state.marked - state.images.keys()))


def chosen(state: BrowseState) -> tuple[FrameName, ...]:
    """Return the images of the marked frames, as many as lie in the project, in their order."""
    return tuple(state.images[n] for n in sorted(state.marked & state.images.keys()))


def to_notes(state: BrowseState, video: str) -> dict[str, str]:
    """Return the marks as texts by ``video/frame``."""
    return {f"{video}/{n}": _AGAIN if n in state.again else _NEW for n in state.marked}


def with_notes(
    state: BrowseState, notes: Mapping[str, str], video: str, frames: Collection[int]
) -> BrowseState:
    """Take in what `to_notes` returned another time.

    Parameters
    ----------
    state : BrowseState
    notes : mapping of str to str
        Of any videos; what is no such note is passed over.
    video : str
    frames : collection of int
        Frames that can be marked. A frame that was marked when nothing was labelled in it,
        and in which something is by now, is marked no more: it is done.
    """
    marked, again = set[int](), set[int]()
    for place, word in notes.items():
        name, _, text = place.rpartition("/")
        if name != video or not re.fullmatch(r"\d{1,12}", text, re.ASCII):
            continue
        n = int(text)
        if n in frames and (word == _AGAIN or (word == _NEW and n not in state.labelled)):
            marked.add(n)
            again |= {n} if word == _AGAIN else set()
    return replace(state, marked=frozenset(marked), again=frozenset(again))


def find_spots(
    poses: Poses,
    kind: Kind,
    *,
    cutoff: float = 0.0,
    shown: np.ndarray | None = None,
    most: int = _MOST,
) -> tuple[Spot, ...]:
    """Find the frames most worth a look, the worst first, none close to a worse one.

    Parameters
    ----------
    poses : Poses
    kind : {"unlikely", "jumps"}
        Lowest likelihoods, or longest ways from one frame to the next.
    cutoff : float, optional
        Points of a smaller likelihood take no part in jumps. Points without a likelihood
        do.
    shown : ndarray of bool, shape (I, K), optional
        Which points count; all by default.
    most : int, optional
        Spots at most.

    Returns
    -------
    tuple of Spot
        At least half a second from each other, or 15 frames where the frame rate is
        unknown.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise unknown_name("kind of frames worth a look", kind, KINDS)
    values = _jumps(poses, cutoff) if kind == "jumps" else poses.likelihoods
    badness = values if kind == "jumps" else -values
    badness = np.where(np.isnan(badness), -np.inf, badness)
    if shown is not None:
        badness = np.where(shown, badness, -np.inf)
    lines = badness.reshape(len(poses), -1)
    which = lines.argmax(axis=1)
    worst = np.take_along_axis(lines, which[:, None], axis=1)[:, 0]
    rows = _apart(worst, _distance(poses), most)
    keypoints = len(poses.skeleton)
    return tuple(
        Spot(row, i, k, float(values[row, i, k]))
        for row in rows
        for i, k in [divmod(int(which[row]), keypoints)]
    )


def _jumps(poses: Poses, cutoff: float) -> np.ndarray:
    """Return how far each point went since the frame before, pixels, shape (T, I, K)."""
    assert poses.frames is not None
    unsure = poses.likelihoods < cutoff
    positions = np.where(unsure[..., None], np.nan, poses.positions)
    ways = np.full(poses.likelihoods.shape, np.nan)
    if len(poses) > 1:
        ways[1:] = np.hypot(*np.moveaxis(np.diff(positions, axis=0), -1, 0))
        ways[1:][np.diff(poses.frames) != 1] = np.nan
    return ways


def _distance(poses: Poses) -> int:
    known = np.isfinite(poses.fps) and poses.fps > 0
    return max(1, round(_APART * poses.fps)) if known else _APART_FRAMES


def _apart(badness: np.ndarray, distance: int, most: int) -> list[int]:
    """Return the rows of the greatest values, greatest first, at least `distance` apart."""
    free = np.isfinite(badness)
    chosen: list[int] = []
    for row in np.argsort(-badness, kind="stable").tolist():
        if len(chosen) == most:
            break
        if free[row]:
            chosen.append(row)
            free[max(0, row - distance + 1) : row + distance] = False
    return chosen
