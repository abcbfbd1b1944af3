"""The steps that change what is shown and what comes next, and no label."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from posenb.widgets import label_viewport
from posenb.widgets.label_state import Cell, LabelState, owner

__all__ = [
    "VideoProgress",
    "add_individual",
    "after_placing",
    "choose_cell",
    "choose_individual",
    "fit_image",
    "go_to",
    "keypoint_counts",
    "next_unlabelled",
    "pan",
    "progress",
    "resize_canvas",
    "set_look",
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
    labelled : int
        Frames of which at least one keypoint is said.
    total : int
        Frames.
    """

    video: str
    labelled: int
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


def next_unlabelled(state: LabelState) -> LabelState:
    """Go to the next frame of which nothing is said, from the end on from the beginning."""
    for n in _round(state.frame + 1, len(state.frames)):
        if not state.points[n].said.any():
            return go_to(state, n)
    return replace(state, message="Every frame has labels.")


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
    if size == state.viewport.image:
        return state
    return replace(state, viewport=label_viewport.fit(size, state.viewport.canvas))


def resize_canvas(state: LabelState, size: tuple[float, float]) -> LabelState:
    """Learn the width and height of the canvas, in CSS pixels."""
    return replace(state, viewport=label_viewport.resize(state.viewport, size))


def set_look(state: LabelState, **options: Any) -> LabelState:
    """Change how frames and points are shown, by the names of `Look`'s fields."""
    return replace(state, look=replace(state.look, **options))


def progress(state: LabelState) -> tuple[VideoProgress, ...]:
    """Return how far each video is, in the order of the queue."""
    labelled = dict.fromkeys(state.videos, 0)
    total = dict.fromkeys(state.videos, 0)
    for frame, points in zip(state.frames, state.points, strict=True):
        total[frame.video] += 1
        labelled[frame.video] += bool(points.visibility.any())
    return tuple(VideoProgress(video, labelled[video], total[video]) for video in total)


def keypoint_counts(state: LabelState) -> np.ndarray:
    """Return in how many frames each keypoint of each animal is said, shape (I, K)."""
    counts: np.ndarray = np.sum([points.said for points in state.points], axis=0)
    return counts


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
