"""What a person labels, as values: points, edits and the place where the work stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from posenb.core import FrameName, Labels, Skeleton, Visibility
from posenb.errors import InvalidInputError
from posenb.labels import align_labels
from posenb.widgets.label_viewport import Viewport, fit

__all__ = [
    "Cell",
    "Edit",
    "Held",
    "LabelState",
    "Look",
    "Points",
    "Suggestion",
    "changed_cells",
    "new_state",
    "owner",
    "suggested",
    "to_labels",
]

_FIRST_CANVAS = (640.0, 480.0)

Cell = tuple[int, int]  # individual, keypoint


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What is said of one frame.

    Parameters
    ----------
    positions : ndarray, shape (I, K, 2)
        x, y in pixels of the image; integers are pixel centres; NaN = no position.
    visibility : ndarray of uint8, shape (I, K)
        `Visibility` values. Occluded without a position means: not in this frame.
    declined : ndarray of bool, shape (I, K)
        Whether what a model suggests here was deleted.
    """

    positions: np.ndarray
    visibility: np.ndarray
    declined: np.ndarray

    def __post_init__(self) -> None:
        """Make the arrays read-only."""
        for array in (self.positions, self.visibility, self.declined):
            array.flags.writeable = False

    @classmethod
    def empty(cls, individuals: int, keypoints: int) -> Points:
        """Return points of which nothing is said."""
        shape = (individuals, keypoints)
        return cls(
            np.full((*shape, 2), np.nan),
            np.zeros(shape, dtype=np.uint8),
            np.zeros(shape, dtype=bool),
        )

    def with_cell(
        self,
        cell: Cell,
        position: tuple[float, float] | None,
        visibility: Visibility,
        *,
        declined: bool = False,
    ) -> Points:
        """Return the points with something else said of one keypoint of one animal.

        Parameters
        ----------
        cell : (int, int)
            Animal and keypoint.
        position : (float, float), optional
            x, y in pixels of the image.
        visibility : Visibility
        declined : bool, optional
            Whether what a model suggests here is deleted.
        """
        positions, seen = self.positions.copy(), self.visibility.copy()
        positions[cell] = np.nan if position is None else position
        seen[cell] = visibility
        gone = self.declined.copy()
        gone[cell] = declined
        return Points(positions, seen, gone)

    def with_cells_of(self, other: Points, mask: np.ndarray) -> Points:
        """Return the points with those of `other` where `mask` (I, K) says so."""
        return Points(
            np.where(mask[..., None], other.positions, self.positions),
            np.where(mask, other.visibility, self.visibility),
            np.where(mask, other.declined, self.declined),
        )

    @property
    def said(self) -> np.ndarray:
        """Whether anything is said of a keypoint, shape (I, K)."""
        said: np.ndarray = self.visibility != Visibility.UNLABELLED
        return said

    @property
    def placed(self) -> np.ndarray:
        """Whether a keypoint has a position, shape (I, K)."""
        placed: np.ndarray = ~np.isnan(self.positions[..., 0])
        return placed


@dataclass(frozen=True, slots=True, eq=False)
class Suggestion:
    """Where a model sees the keypoints of one frame.

    Parameters
    ----------
    positions : ndarray, shape (I, K, 2)
        As in `Points`.
    likelihoods : ndarray, shape (I, K)
        0 to 1.
    """

    positions: np.ndarray
    likelihoods: np.ndarray


@dataclass(frozen=True, slots=True)
class Edit:
    """One step that can be taken back.

    Parameters
    ----------
    frame : int
        Where it happened.
    before, after : Points
        Only what differs between them belongs to the step, so that labels of others
        that arrive meanwhile stay.
    cell : (int, int)
        Animal and keypoint that were at work.
    """

    frame: int
    before: Points
    after: Points
    cell: Cell


@dataclass(frozen=True, slots=True)
class Held:
    """A keypoint that is being dragged.

    Parameters
    ----------
    cell : (int, int)
        Animal and keypoint.
    position : (float, float)
        Where it is now, in pixels of the image.
    """

    cell: Cell
    position: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """How frames and points are shown; nothing of it is ever saved into them.

    Parameters
    ----------
    names, skeleton : bool, optional
        Whether the names of the keypoints and the edges between them are shown.
    size : float, optional
        Radius of a point in CSS pixels.
    colour_by : {"keypoint", "individual"}, optional
        What the colours tell apart.
    brightness, contrast : float, optional
        -1 to 1; 0 shows the frame as it is.
    """

    names: bool = False
    skeleton: bool = True
    size: float = 5.0
    colour_by: Literal["keypoint", "individual"] = "keypoint"
    brightness: float = 0.0
    contrast: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class LabelState:
    """Everything the labeller knows; functions of `label_edits` and `label_moves` change it.

    Parameters
    ----------
    frames : tuple of FrameName
        The queue, over all videos.
    skeleton : Skeleton
    individuals : tuple of str
    points : tuple of Points
        What is said of each frame.
    suggestions : mapping of int to Suggestion
        What a model sees in those frames it has looked at.
    viewport : Viewport
        How the current frame is seen.
    frame, keypoint, individual : int, optional
        Where the work stands.
    through : bool, optional
        Whether a click is followed by the same keypoint in the next frame rather than
        by the next keypoint in the same frame.
    stride : float, optional
        Pixels of the image by which the arrow buttons move a point.
    cutoff : float, optional
        Suggestions of a lower likelihood are marked as doubtful.
    held : Held, optional
        What is being dragged.
    look : Look, optional
    past, future : tuple of Edit, optional
        What can be undone and redone, the last one first to come.
    message : str, optional
        What the person should know about the last step.
    broken : str, optional
        Why the image of the current frame cannot be shown. Of a frame that nobody sees
        nothing can be said; what was said can be undone or deleted.
    """

    frames: tuple[FrameName, ...]
    skeleton: Skeleton
    individuals: tuple[str, ...]
    points: tuple[Points, ...]
    suggestions: Mapping[int, Suggestion]
    viewport: Viewport
    frame: int = 0
    keypoint: int = 0
    individual: int = 0
    through: bool = False
    stride: float = 1.0
    cutoff: float = 0.6
    held: Held | None = None
    look: Look = field(default_factory=Look)
    past: tuple[Edit, ...] = ()
    future: tuple[Edit, ...] = ()
    message: str = ""
    broken: str = ""

    @property
    def here(self) -> Points:
        """What is said of the current frame."""
        return self.points[self.frame]

    @property
    def cell(self) -> Cell:
        """Animal and keypoint that the next click places."""
        return owner(self, self.individual, self.keypoint)

    @property
    def videos(self) -> tuple[str, ...]:
        """Names of the videos, in the order of the queue."""
        return tuple(dict.fromkeys(frame.video for frame in self.frames))


def new_state(
    frames: tuple[FrameName, ...],
    labels: Labels,
    suggestions: Mapping[int, Suggestion] | None = None,
) -> LabelState:
    """Return the state in which the work begins: at the first frame without labels.

    Parameters
    ----------
    frames : tuple of FrameName
        The N frames of the queue.
    labels : Labels
        What is said already; its skeleton and individuals count. Frames that are not in
        the queue are left out.
    suggestions : mapping of int to Suggestion, optional
        By index into `frames`.

    Raises
    ------
    InvalidInputError
        If there is no frame.
    """
    if not frames:
        raise InvalidInputError(
            "Labelling needs at least one frame; got none. Extract frames first."
        )
    ordered = align_labels(labels, frames, labels.individuals, labels.skeleton)
    assert ordered.visibility is not None
    declined = np.zeros(ordered.visibility.shape[1:], dtype=bool)
    points = tuple(
        Points(ordered.positions[n].copy(), ordered.visibility[n].copy(), declined)
        for n in range(len(frames))
    )
    first = next((n for n, each in enumerate(points) if not each.said.any()), 0)
    state = LabelState(
        frames,
        labels.skeleton,
        labels.individuals,
        points,
        dict(suggestions or {}),
        fit((int(_FIRST_CANVAS[0]), int(_FIRST_CANVAS[1])), _FIRST_CANVAS),
        frame=first,
    )
    unsaid = np.flatnonzero(~state.here.said[0])
    return replace(state, keypoint=int(unsaid[0]) if len(unsaid) else 0)


def to_labels(state: LabelState, frames: list[int], scorer: str) -> Labels:
    """Return what is said of those frames, as it is saved."""
    shape = (len(frames), len(state.individuals), len(state.skeleton))
    return Labels(
        tuple(state.frames[n] for n in frames),
        np.array([state.points[n].positions for n in frames]).reshape(*shape, 2),
        state.skeleton,
        state.individuals,
        np.array([state.points[n].visibility for n in frames], dtype=np.uint8).reshape(shape),
        scorer,
    )


def owner(state: LabelState, individual: int, keypoint: int) -> Cell:
    """Return the cell of a keypoint; one that exists once in the scene is the first animal's."""
    once = state.skeleton.keypoints[keypoint] in state.skeleton.unique
    return (0 if once else individual, keypoint)


def suggested(state: LabelState, frame: int | None = None) -> np.ndarray:
    """Return where a suggestion awaits an answer, shape (I, K)."""
    n = state.frame if frame is None else frame
    points = state.points[n]
    if n not in state.suggestions:
        return np.zeros_like(points.declined)
    there = ~np.isnan(state.suggestions[n].positions[..., 0])
    waiting: np.ndarray = there & ~points.said & ~points.declined
    return waiting


def changed_cells(before: Points, after: Points) -> np.ndarray:
    """Return which keypoints differ, shape (I, K)."""
    same = (before.positions == after.positions) | (
        np.isnan(before.positions) & np.isnan(after.positions)
    )
    seen = before.visibility != after.visibility
    changed: np.ndarray = ~same.all(axis=-1) | seen | (before.declined != after.declined)
    return changed
