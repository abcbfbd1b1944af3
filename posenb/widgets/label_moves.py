"""The steps that change what is shown and what comes next, and no label."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from posenb.core import Visibility
from posenb.widgets import label_viewport
from posenb.widgets.label_state import Cell, LabelState, Points, owner

__all__ = [
    "VideoProgress",
    "add_individual",
    "after_placing",
    "choose_cell",
    "choose_individual",
    "find_frame",
    "fit_image",
    "go_to",
    "keypoint_counts",
    "next_unfinished",
    "pan",
    "progress",
    "resize_canvas",
    "set_look",
    "show_broken",
    "show_image",
    "step_frame",
    "step_individual",
    "step_keypoint",
    "toggle_stride",
    "toggle_through",
    "zoom",
]


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """How far the labelling of a video is.

    Parameters
    ----------
    video : str
    done : int
        Frames of which all is said.
    begun : int
        Frames of which something is said, but not all.
    total : int
        Frames.
    """

    video: str
    done: int
    begun: int
    total: int


def go_to(state: LabelState, frame: int) -> LabelState:
    """Show a frame of the queue; beyond its ends the first or last."""
    n = min(max(frame, 0), len(state.frames) - 1)
    if n == state.frame:
        return replace(state, held=None)
    moved = replace(state, frame=n, held=None, message="")
    return moved if state.through else _at_first_unsaid(moved)


def step_frame(state: LabelState, by: int) -> LabelState:
    """Go `by` frames forward or, where it is negative, back."""
    moved = go_to(state, state.frame + by)
    if moved.frame == state.frame and by:
        end = "last" if by > 0 else "first"
        return replace(moved, message=f"This is the {end} frame.")
    return moved


def find_frame(state: LabelState, text: str) -> LabelState:
    """Go to the frame that a person names.

    Parameters
    ----------
    state : LabelState
    text : str
        A position in the queue, from 1 on; ``#123`` for the frame of that number in its
        video; or the name of an image, with its folder or extension or without. Of
        several, the one of the current video is meant.
    """
    name = text.strip()
    if not name:
        return state
    if name.isdecimal():
        n = int(name) - 1
        found = [n] if 0 <= n < len(state.frames) else []
    else:
        found = list(_named(state, name.casefold()))
    if not found:
        first = state.frames[0].image
        return replace(
            state,
            message=f"No frame {name!r} here. Type 1 to {len(state.frames)}, an image as {first}, "
            "or #12 for frame 12 of its video.",
        )
    video = state.frames[state.frame].video
    near = [n for n in found if state.frames[n].video == video]
    return replace(go_to(state, (near or found)[0]), message="")


def next_unfinished(state: LabelState) -> LabelState:
    """Go to the next frame of which not all is said, from the end on from the beginning."""
    finished = _finished(state)
    for n in _round(state.frame + 1, len(state.frames)):
        if not finished[n]:
            return go_to(state, n)
    if finished[state.frame]:
        return replace(state, message="Every frame is done.")
    return replace(state, message="Every other frame is done; here something is still missing.")


def choose_cell(state: LabelState, keypoint: int, individual: int | None = None) -> LabelState:
    """Make a keypoint the one that the next click places."""
    animal = state.individual if individual is None else individual
    return replace(state, keypoint=keypoint, individual=animal, held=None, message="")


def step_keypoint(state: LabelState, by: int) -> LabelState:
    """Choose the keypoint `by` places further down the list, round its ends."""
    return choose_cell(state, (state.keypoint + by) % len(state.skeleton))


def choose_individual(state: LabelState, individual: int) -> LabelState:
    """Label another animal, from its first keypoint of which nothing is said."""
    chosen = replace(state, individual=individual, held=None, message="")
    return chosen if state.through else _at_first_unsaid(chosen)


def step_individual(state: LabelState, by: int) -> LabelState:
    """Label the animal `by` places further down the list, round its ends."""
    return choose_individual(state, (state.individual + by) % len(state.individuals))


def add_individual(state: LabelState) -> LabelState:
    """Go on with the first animal that has no label in this frame."""
    once = np.isin(state.skeleton.keypoints, state.skeleton.unique)
    for i in range(len(state.individuals)):
        if not state.here.said[i, ~once].any():
            return choose_individual(state, i)
    return replace(
        state,
        message=f"All {len(state.individuals)} animals of the project have labels in this frame.",
    )


def toggle_through(state: LabelState) -> LabelState:
    """Switch between all keypoints of a frame and one keypoint through all frames."""
    name = state.skeleton.keypoints[state.keypoint]
    through = not state.through
    said = (
        f"Each click places {name} and goes to the next frame."
        if through
        else "Each click places the next keypoint of this frame."
    )
    return replace(state, through=through, held=None, message=said)


def toggle_stride(state: LabelState) -> LabelState:
    """Switch between arrows that move a point by 1 and by 10 pixels."""
    return replace(state, stride=10.0 if state.stride == 1.0 else 1.0)


def after_placing(state: LabelState) -> LabelState:
    """Go on after a keypoint was placed: to the next one, or to the next frame."""
    if state.through:
        i, k = state.cell
        for n in _round(state.frame + 1, len(state.frames)):
            if not state.points[n].said[i, k]:
                return go_to(state, n)
        name = state.skeleton.keypoints[k]
        return replace(state, message=f"{name} is labelled in every frame. Choose another.")
    for k in _round(state.keypoint + 1, len(state.skeleton)):
        if not state.here.said[_cell(state, k)]:
            return replace(state, keypoint=k)
    if state.here.said[_cell(state, state.keypoint)]:
        return replace(state, message="Every keypoint is labelled. On to the next frame.")
    return state


def zoom(state: LabelState, factor: float, u: float, v: float) -> LabelState:
    """Magnify around a place on the canvas.

    Parameters
    ----------
    state : LabelState
    factor : float
        Above 1 the image becomes larger.
    u, v : float
        CSS pixels.
    """
    return replace(state, viewport=label_viewport.zoom(state.viewport, factor, u, v))


def pan(state: LabelState, du: float, dv: float) -> LabelState:
    """Shift the image by CSS pixels."""
    return replace(state, viewport=label_viewport.pan(state.viewport, du, dv))


def fit_image(state: LabelState) -> LabelState:
    """Show the whole image."""
    viewport = label_viewport.fit(state.viewport.image, state.viewport.canvas)
    return replace(state, viewport=viewport)


def show_image(state: LabelState, size: tuple[int, int]) -> LabelState:
    """Learn the width and height of the current image; the same size keeps the zoom."""
    if size == state.viewport.image and not state.broken:
        return state
    same = size == state.viewport.image
    viewport = state.viewport if same else label_viewport.fit(size, state.viewport.canvas)
    return replace(state, viewport=viewport, broken="")


def show_broken(state: LabelState, reason: str) -> LabelState:
    """Learn why the current image cannot be shown."""
    return replace(state, broken=reason)


def resize_canvas(state: LabelState, size: tuple[float, float]) -> LabelState:
    """Learn the width and height of the canvas, in CSS pixels."""
    return replace(state, viewport=label_viewport.resize(state.viewport, size))


def set_look(state: LabelState, **options: Any) -> LabelState:
    """Change how frames and points are shown, by the names of `Look`'s fields."""
    return replace(state, look=replace(state.look, **options))


def progress(state: LabelState) -> tuple[VideoProgress, ...]:
    """Return how far each video is, in the order of the queue."""
    finished, something = _finished(state), np.logical_or.reduce(_said(state.points), axis=(1, 2))
    rows: dict[str, list[int]] = {}
    for n, frame in enumerate(state.frames):
        rows.setdefault(frame.video, []).append(n)
    found = []
    for video, each in rows.items():
        done, some = int(finished[each].sum()), int(something[each].sum())
        found.append(VideoProgress(video, done, some - done, len(each)))
    return tuple(found)


def keypoint_counts(state: LabelState) -> np.ndarray:
    """Return in how many frames each keypoint of each animal is said, shape (I, K)."""
    counts: np.ndarray = np.count_nonzero(_said(state.points), axis=0)
    return counts


@lru_cache(maxsize=1)  # asked for several times at each click, of thousands of frames
def _said(points: tuple[Points, ...]) -> np.ndarray:
    """Return of which keypoints something is said, shape (N, I, K)."""
    seen = np.concatenate([each.visibility for each in points])
    said: np.ndarray = seen.reshape(len(points), *points[0].said.shape) != Visibility.UNLABELLED
    said.flags.writeable = False
    return said


def _finished(state: LabelState) -> np.ndarray:
    """Return of which frames all is said, shape (N,).

    An animal of which nothing at all is said counts as not there, unless it is the only one.
    """
    some, every = np.logical_or.reduce, np.logical_and.reduce
    said = _said(state.points)
    once = np.isin(state.skeleton.keypoints, state.skeleton.unique)
    animals = said[:, :, ~once]
    begun = some(animals, axis=2)
    whole = every(every(animals, axis=2) | ~begun, axis=1)
    there = some(begun, axis=1) | once.all()
    finished: np.ndarray = whole & there & every(said[:, 0, once], axis=1)
    return finished


def _named(state: LabelState, name: str) -> Iterator[int]:
    """Yield the frames that a name, in small letters, may mean."""
    number = re.fullmatch(r"#\s*(\d+)", name)
    for n, frame in enumerate(state.frames):
        image = frame.image.casefold()
        names = (image, image.rpartition(".")[0], f"{frame.video}/{frame.image}".casefold())
        if name in names or (number and frame.number == int(number[1])):
            yield n


def _at_first_unsaid(state: LabelState) -> LabelState:
    for k in range(len(state.skeleton)):
        if not state.here.said[_cell(state, k)]:
            return replace(state, keypoint=k)
    return replace(state, keypoint=0)


def _cell(state: LabelState, keypoint: int) -> Cell:
    return owner(state, state.individual, keypoint)


def _round(start: int, count: int) -> Iterable[int]:
    """Return the other indices below `count`, from `start` on and round the end."""
    return ((start + step) % count for step in range(count - 1))
