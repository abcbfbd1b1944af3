"""Which suggestions of a model a person deleted, as notes: good for those suggestions alone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from posenb.core import FrameName
from posenb.widgets.label_state import LabelState

__all__ = ["changes", "read_notes", "write_notes"]

_SAME = 2.0  # pixels: what another device makes of the same model; another model errs elsewhere


def write_notes(state: LabelState, frames: Iterable[int]) -> dict[str, str]:
    """Return notes of what was deleted of the suggestions in those frames, and where each was.

    Parameters
    ----------
    state : LabelState
    frames : iterable of int
        By index into ``state.frames``; those without suggestions bring none.
    """
    notes = {}
    for n in frames:
        if n not in state.suggestions:
            continue
        points, positions = state.points[n], state.suggestions[n].positions
        deleted = points.declined & ~points.said & ~np.isnan(positions[..., 0])
        for i, k in np.argwhere(deleted).tolist():
            notes[_about(state, n, i, k)] = json.dumps(positions[i, k].round(2).tolist())
    return notes


def changes(before: LabelState, after: LabelState) -> dict[str, str | None]:
    """Return how the notes change by one step; None for one that goes.

    Parameters
    ----------
    before, after : LabelState
        The step changes labels in none but their two current frames.
    """
    frames = {before.frame, after.frame}
    old, new = (write_notes(state, frames) for state in (before, after))
    gone: dict[str, str | None] = dict.fromkeys(old.keys() - new.keys())
    return gone | {about: where for about, where in new.items() if old.get(about) != where}


def read_notes(state: LabelState, notes: Mapping[str, str]) -> LabelState:
    """Return the state without the suggestions that were deleted.

    Parameters
    ----------
    state : LabelState
    notes : mapping of str to str
        As `write_notes` returned them; what is no such note is passed over, and so is one
        of a suggestion that lay elsewhere, as that of an earlier model does.
    """
    points = list(state.points)
    for n, suggestion in state.suggestions.items():
        deleted = np.zeros_like(points[n].declined)
        for i, k in np.argwhere(~np.isnan(suggestion.positions[..., 0])).tolist():
            where = _place(notes.get(_about(state, n, i, k)))
            if where is not None:
                away = np.hypot(*(suggestion.positions[i, k] - where))
                deleted[i, k] = away <= _SAME
        if deleted.any():
            points[n] = replace(points[n], declined=points[n].declined | deleted)
    return replace(state, points=tuple(points))


def _about(state: LabelState, n: int, i: int, k: int) -> str:
    frame: FrameName = state.frames[n]
    return json.dumps([*frame, state.individuals[i], state.skeleton.keypoints[k]])


def _place(note: str | None) -> tuple[float, float] | None:
    try:
        x, y = json.loads(note or "")
        return float(x), float(y)
    except (ValueError, TypeError):
        return None
