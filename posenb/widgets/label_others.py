"""What others say of the same keypoints: taken in, and told where it is not what one said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from posenb.core import FrameName, Labels, Visibility
from posenb.labels import align_labels
from posenb.widgets.label_state import Cell, LabelState, Points, changed_cells

__all__ = ["Conflict", "Said", "adopt", "agree", "clashes", "losses"]


@dataclass(frozen=True, slots=True)
class Said:
    """What one person says of one keypoint of one animal.

    Parameters
    ----------
    position : (float, float), optional
        x, y in pixels of the image.
    visibility : Visibility
    """

    position: tuple[float, float] | None
    visibility: Visibility


@dataclass(frozen=True, slots=True)
class Conflict:
    """A keypoint of which somebody else says something else than what was said here.

    Parameters
    ----------
    frame : FrameName
    cell : (int, int)
        Animal and keypoint.
    mine, theirs : Said
        What was said here, and by the other.
    mine_stands : bool
        Whether one's own was saved last and stands in the table, rather than theirs.
    """

    frame: FrameName
    cell: Cell
    mine: Said
    theirs: Said
    mine_stands: bool

    @property
    def lost(self) -> Said:
        """What does not stand in the table."""
        return self.theirs if self.mine_stands else self.mine


def adopt(state: LabelState, known: Labels, there: Labels) -> LabelState:
    """Take in what others saved meanwhile.

    Parameters
    ----------
    state : LabelState
    known : Labels
        What was in the table as far as this state knew.
    there : Labels
        What is there, others' labels included.

    Returns
    -------
    LabelState
        With the labels of `there` wherever this state still says what was known; what was
        labelled since stays. Undo and redo pass over what was taken in.
    """
    index = {frame: n for n, frame in enumerate(state.frames)}
    frames = tuple(frame for frame in known.frames if frame in index)
    ours = align_labels(known, frames, state.individuals, state.skeleton)
    theirs = align_labels(there, frames, state.individuals, state.skeleton)
    points = list(state.points)
    for row in np.flatnonzero(_differ(ours, theirs).any(axis=(1, 2))).tolist():
        n = index[frames[row]]
        before, news = (_points_of(each, row, points[n]) for each in (ours, theirs))
        mask = changed_cells(before, news) & ~changed_cells(before, points[n])
        if mask.any():
            points[n] = points[n].with_cells_of(news, mask)
    return replace(state, points=tuple(points))


def clashes(old: Labels, base: Labels, new: Labels) -> Iterator[Conflict]:
    """Yield what `old` says of keypoints that both it and `new` changed since `base`.

    Parameters
    ----------
    old : Labels
        What is in the table and is to be replaced.
    base, new : Labels
        What was known to be there, and what is to be there; of the same frames.
    """
    theirs = align_labels(old, new.frames, new.individuals, new.skeleton)
    found = _differ(base, new) & _differ(base, theirs) & _differ(new, theirs)
    for n, i, k in np.argwhere(found).tolist():
        mine, other = (_said(*_arrays(labels, n), (i, k)) for labels in (new, theirs))
        yield Conflict(new.frames[n], (i, k), mine, other, mine_stands=True)


def losses(frame: FrameName, mine: Points, theirs: Points, mask: np.ndarray) -> Iterator[Conflict]:
    """Yield what was said here and is replaced by what others say.

    Parameters
    ----------
    frame : FrameName
    mine, theirs : Points
        Of that frame.
    mask : ndarray of bool, shape (I, K)
        Which cells.
    """
    for i, k in np.argwhere(mask).tolist():
        own, other = (_said(each.positions, each.visibility, (i, k)) for each in (mine, theirs))
        yield Conflict(frame, (i, k), own, other, mine_stands=False)


def agree(old: Labels, known: Labels) -> bool:
    """Tell whether `old` says of the frames of `known` what that says."""
    there = align_labels(old, known.frames, known.individuals, known.skeleton)
    return not _differ(there, known).any()


def _differ(a: Labels, b: Labels) -> np.ndarray:
    assert a.visibility is not None
    assert b.visibility is not None
    same = (a.positions == b.positions) | (np.isnan(a.positions) & np.isnan(b.positions))
    differ: np.ndarray = ~same.all(axis=-1) | (a.visibility != b.visibility)
    return differ


def _arrays(labels: Labels, row: int) -> tuple[np.ndarray, np.ndarray]:
    assert labels.visibility is not None
    return labels.positions[row], labels.visibility[row]


def _points_of(labels: Labels, row: int, like: Points) -> Points:
    positions, visibility = _arrays(labels, row)
    return Points(positions.copy(), visibility.copy(), like.declined)


def _said(positions: np.ndarray, visibility: np.ndarray, cell: Cell) -> Said:
    x, y = positions[cell].tolist()
    return Said(None if np.isnan(x) else (x, y), Visibility(visibility[cell]))
