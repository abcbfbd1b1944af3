"""The steps that change labels, each of which can be taken back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import wraps
from typing import Concatenate, ParamSpec

import numpy as np

from posenb.core import FrameName, Visibility
from posenb.widgets.label_moves import after_placing, go_to
from posenb.widgets.label_others import Said
from posenb.widgets.label_state import (
    Cell,
    Edit,
    Held,
    LabelState,
    Points,
    changed_cells,
    suggested,
)

__all__ = [
    "accept_suggestions",
    "copy_previous",
    "delete_point",
    "drag_to",
    "drop",
    "grab",
    "let_go",
    "mark_absent",
    "mark_occluded",
    "nudge",
    "place",
    "point_at",
    "redo",
    "swap_individuals",
    "take_back",
    "undo",
]

P = ParamSpec("P")

_NAMED = 4  # points that a message names
_UNSEEN = (
    "The image of this frame cannot be shown, so nothing is said of it. Go on with the next frame "
    "(D), or repair the file and come back."
)


def _seeing(
    edit: Callable[Concatenate[LabelState, P], LabelState],
) -> Callable[Concatenate[LabelState, P], LabelState]:
    """Let an edit through only while one sees what is edited, and how large it is."""

    @wraps(edit)
    def guarded(state: LabelState, /, *args: P.args, **kwargs: P.kwargs) -> LabelState:
        if state.broken:
            return _say(let_go(state), _UNSEEN)
        return edit(state, *args, **kwargs)

    return guarded


@_seeing
def place(state: LabelState, x: float, y: float) -> LabelState:
    """Put the current keypoint at x, y (pixels of the image) and go on to the next."""
    cell = state.cell
    points = state.here.with_cell(cell, _inside(state, x, y), Visibility.VISIBLE)
    return after_placing(_changed(state, points, cell))


def point_at(state: LabelState, x: float, y: float, reach: float) -> Cell | None:
    """Return the point, labelled or suggested, that is nearest to x, y.

    Parameters
    ----------
    state : LabelState
    x, y : float
        Pixels of the image.
    reach : float
        Points farther than this many pixels do not count.
    """
    positions = state.here.positions.copy()
    open_ = suggested(state)
    if open_.any():
        positions[open_] = state.suggestions[state.frame].positions[open_]
    distances = np.hypot(positions[..., 0] - x, positions[..., 1] - y)
    distances[np.isnan(distances)] = np.inf
    # Of points that lie on each other, the current one is meant.
    distances[state.cell] -= 1e-6
    i, k = np.unravel_index(int(np.argmin(distances)), distances.shape)
    return (int(i), int(k)) if distances[i, k] <= reach else None


@_seeing
def grab(state: LabelState, cell: Cell) -> LabelState:
    """Take hold of a point.

    It becomes the current one, unless the current one is still to be placed: to correct
    a point in between is no reason to click that one next.
    """
    at = _position(state, cell)
    if at is None:
        return state
    held = replace(state, held=Held(cell, at), message="")
    return replace(held, individual=cell[0], keypoint=cell[1]) if _is_said(state) else held


def drag_to(state: LabelState, x: float, y: float) -> LabelState:
    """Move the point that is held, inside the image."""
    if state.held is None:
        return state
    return replace(state, held=replace(state.held, position=_inside(state, x, y)))


def drop(state: LabelState) -> LabelState:
    """Leave the point that is held where it is: one step, however long the way was."""
    if state.held is None:
        return state
    cell, position = state.held.cell, state.held.position
    free = replace(state, held=None)
    if position == _position(free, cell):
        return free
    # A suggestion that was moved to its place is a label.
    visibility = Visibility(state.here.visibility[cell] or Visibility.VISIBLE)
    return _changed(free, state.here.with_cell(cell, position, visibility), cell)


def let_go(state: LabelState) -> LabelState:
    """Put the point that is held back where it was."""
    return replace(state, held=None)


@_seeing
def nudge(state: LabelState, dx: float, dy: float) -> LabelState:
    """Move the current keypoint by pixels of the image."""
    cell = state.cell
    at = _position(state, cell)
    if at is None:
        return _say(state, f"{_name(state, cell)} has no position here to move.")
    return drop(drag_to(grab(state, cell), at[0] + dx, at[1] + dy))


def delete_point(state: LabelState) -> LabelState:
    """Take back what is said of the current keypoint, or decline what is suggested.

    What is said can also be taken back of an image that cannot be shown any more.
    """
    cell = state.cell
    if state.broken and not state.here.said[cell]:
        return _say(state, _UNSEEN)
    if not state.here.said[cell] and not suggested(state)[cell]:
        return _say(state, f"Nothing is said of {_name(state, cell)} here.")
    gone = state.here.with_cell(cell, None, Visibility.UNLABELLED, declined=True)
    return _changed(state, gone, cell)


@_seeing
def mark_occluded(state: LabelState) -> LabelState:
    """Say that the current keypoint is hidden behind something, or that it is seen."""
    cell = state.cell
    at = _position(state, cell)
    if at is None:
        return _say(
            state,
            f"Click where {_name(state, cell)} is hidden, then mark it; or say that it is not in "
            "this frame.",
        )
    hidden = state.here.visibility[cell] == Visibility.OCCLUDED
    visibility = Visibility.VISIBLE if hidden else Visibility.OCCLUDED
    return _changed(state, state.here.with_cell(cell, at, visibility), cell)


@_seeing
def mark_absent(state: LabelState) -> LabelState:
    """Say that the current keypoint is not in this frame, and go on to the next."""
    cell = state.cell
    points = state.here.with_cell(cell, None, Visibility.OCCLUDED, declined=True)
    return after_placing(_changed(state, points, cell))


@_seeing
def copy_previous(state: LabelState) -> LabelState:
    """Copy those points of the frame before, in the same video, of which nothing is said yet."""
    n = state.frame - 1
    if n < 0 or state.frames[n].video != state.frames[state.frame].video:
        return _say(state, "This is the first frame of its video; there is none before it.")
    missing = state.points[n].said & ~state.here.said
    if not missing.any():
        return _say(state, "The frame before has no point that is missing here.")
    points = state.here.with_cells_of(_clipped(state, state.points[n]), missing)
    copied = _changed(state, points, state.cell)
    return _say(copied, f"Copied {int(missing.sum())} of the frame before. Drag what moved.")


@_seeing
def accept_suggestions(state: LabelState, *, doubtful: bool = False) -> LabelState:
    """Make labels of the suggestions in this frame.

    Parameters
    ----------
    state : LabelState
    doubtful : bool, optional
        Whether those below the cut-off count as well.
    """
    taken = suggested(state)
    if state.frame in state.suggestions and not doubtful:
        taken &= state.suggestions[state.frame].likelihoods >= state.cutoff
    if not taken.any():
        waiting = int(suggested(state).sum())
        return _say(
            state,
            f"{waiting} suggestions here are doubtful: drag each to its place, or accept all."
            if waiting
            else "No suggestion awaits an answer in this frame.",
        )
    visibility = np.where(taken, Visibility.VISIBLE, Visibility.UNLABELLED).astype(np.uint8)
    source = Points(
        state.suggestions[state.frame].positions.copy(), visibility, np.zeros_like(taken)
    )
    points = state.here.with_cells_of(_clipped(state, source), taken)
    return after_placing(_changed(state, points, state.cell))


@_seeing
def swap_individuals(state: LabelState, other: int) -> LabelState:
    """Swap the points of the current animal with those of another one in this frame.

    Keypoints that exist once in the scene stay.
    """
    one = state.individual
    if one == other:
        return state
    order = np.arange(len(state.individuals))
    order[[one, other]] = order[[other, one]]
    here = state.here
    mask = np.zeros_like(here.declined)
    mask[[one, other]] = ~np.isin(state.skeleton.keypoints, state.skeleton.unique)
    swapped = Points(here.positions[order], here.visibility[order], here.declined[order])
    points = here.with_cells_of(swapped, mask)
    names = (state.individuals[one], state.individuals[other])
    return _say(
        _changed(state, points, state.cell), f"Swapped {names[0]} and {names[1]} in this frame."
    )


def undo(state: LabelState) -> LabelState:
    """Take the last step back and show where it was; what others changed since stays."""
    if not state.past:
        return _say(let_go(state), "There is nothing to undo.")
    edit = state.past[-1]
    back = _applied(state, edit, edit.after, edit.before)
    return replace(back, past=state.past[:-1], future=(*state.future, edit))


def redo(state: LabelState) -> LabelState:
    """Do the step again that was undone last; what others changed since stays."""
    if not state.future:
        return _say(let_go(state), "There is nothing to redo.")
    edit = state.future[-1]
    forth = _applied(state, edit, edit.before, edit.after)
    return replace(forth, past=(*state.past, edit), future=state.future[:-1])


def take_back(state: LabelState, frame: FrameName, said: Mapping[Cell, Said]) -> LabelState:
    """Say again what stood before somebody said something else, as a step that can be undone.

    Parameters
    ----------
    state : LabelState
    frame : FrameName
        One of the queue.
    said : mapping of (int, int) to Said
        What to say, by animal and keypoint.
    """
    there = go_to(state, state.frames.index(frame))
    points = there.here
    for cell, each in said.items():
        declined = each.visibility == Visibility.UNLABELLED
        points = points.with_cell(cell, each.position, each.visibility, declined=declined)
    first = next(iter(said))
    return _changed(replace(there, individual=first[0], keypoint=first[1]), points, first)


def _changed(state: LabelState, points: Points, cell: Cell) -> LabelState:
    if not changed_cells(state.here, points).any():
        return state
    edit = Edit(state.frame, state.here, points, cell)
    everything = (*state.points[: state.frame], points, *state.points[state.frame + 1 :])
    return replace(
        state,
        points=everything,
        held=None,
        past=(*state.past, edit),
        future=(),
        message="",
    )


def _applied(state: LabelState, edit: Edit, old: Points, new: Points) -> LabelState:
    n = edit.frame
    step = changed_cells(old, new)
    others = step & changed_cells(state.points[n], old)
    points = state.points[n].with_cells_of(new, step & ~others)
    there = go_to(replace(state, held=None), n)
    return replace(
        there,
        points=(*state.points[:n], points, *state.points[n + 1 :]),
        individual=edit.cell[0],
        keypoint=edit.cell[1],
        message=_passed_over(state, others, whole=bool((step == others).all())),
    )


def _passed_over(state: LabelState, others: np.ndarray, *, whole: bool) -> str:
    """Say which points of a step somebody else changed since, if there are any."""
    names = [_name(state, (i, k)) for i, k in np.argwhere(others).tolist()]
    if not names:
        return ""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(names[:_NAMED]) + more
    stays = "stay as they are" if len(names) > 1 else "stays as it is"
    of_it = "Nothing was done" if whole else "Of this step a part was done"
    return f"{of_it}: somebody else changed {listed} since, which {stays}."


def _position(state: LabelState, cell: Cell) -> tuple[float, float] | None:
    source = None
    if state.here.placed[cell]:
        source = state.here.positions
    elif suggested(state)[cell]:
        source = state.suggestions[state.frame].positions
    if source is None:
        return None
    x, y = source[cell].tolist()
    return x, y


def _inside(state: LabelState, x: float, y: float) -> tuple[float, float]:
    width, height = state.viewport.image
    return min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)


def _clipped(state: LabelState, points: Points) -> Points:
    limit = np.array(state.viewport.image) - 1.0
    return replace(points, positions=np.clip(points.positions, 0.0, limit))


def _name(state: LabelState, cell: Cell) -> str:
    animal = state.individuals[cell[0]]
    keypoint = state.skeleton.keypoints[cell[1]]
    return f"{keypoint} of {animal}" if animal else keypoint


def _is_said(state: LabelState) -> bool:
    return bool(state.here.said[state.cell])


def _say(state: LabelState, message: str) -> LabelState:
    return replace(state, message=message)
