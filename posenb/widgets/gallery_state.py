"""What a person checks, as values: frames, what is doubtful about them, and what is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from posenb.core import FrameName
from posenb.evaluation import Suspect

__all__ = [
    "ALL",
    "DOUBTFUL",
    "Cause",
    "GalleryState",
    "cause",
    "choices",
    "doubt_again",
    "doubts",
    "found_right",
    "learn",
    "move",
    "open_frame",
    "settle",
    "show_only",
    "shown",
]

ALL, DOUBTFUL, INCOMPLETE, RIGHT = "all", "doubtful", "incomplete", "right"

_KINDS = {
    "swap": "left and right swapped",
    "shape": "far from the rest of the animal",
    "limb": "odd lengths",
    "place": "far from their usual place",
    "copy": "copied labels",
    "twin": "the same image twice",
}


class Cause(NamedTuple):
    """What a suspect is about, however suspicious it is.

    Parameters
    ----------
    frame : FrameName
    kind : str
        As in `Suspect`, like the three that follow.
    individual : str
    keypoints : tuple of str
    other : FrameName or None
    """

    frame: FrameName
    kind: str
    individual: str
    keypoints: tuple[str, ...]
    other: FrameName | None


@dataclass(frozen=True, slots=True, eq=False)
class GalleryState:
    """Everything the gallery knows.

    Parameters
    ----------
    frames : tuple of FrameName
        In the order of the tables.
    suspects : tuple of Suspect
        The most suspicious first.
    remarks : mapping of int to str
        What is lacking, by index into `frames`.
    settled : frozenset of Cause, optional
        Of suspects that a person found to be right, what they are about; scores change as
        other labels are corrected.
    only : str, optional
        Which frames are shown: ``"all"``, ``"doubtful"``, ``"incomplete"``, ``"right"`` (found
        so by a person) or those with a suspect of one kind.
    video : str or None, optional
        The video whose frames are shown; None for all.
    opened : int or None, optional
        The frame that is shown at large.
    """

    frames: tuple[FrameName, ...]
    suspects: tuple[Suspect, ...]
    remarks: Mapping[int, str]
    settled: frozenset[Cause] = field(default_factory=frozenset)
    only: str = ALL
    video: str | None = None
    opened: int | None = None


def doubts(state: GalleryState, n: int | None = None) -> tuple[Suspect, ...]:
    """Return the suspects that no person found right yet, of one frame or of all."""
    return tuple(each for each in _suspects(state, n) if cause(each) not in state.settled)


def found_right(state: GalleryState, n: int | None = None) -> tuple[Suspect, ...]:
    """Return the suspects that a person found to be right, of one frame or of all."""
    return tuple(each for each in _suspects(state, n) if cause(each) in state.settled)


def shown(state: GalleryState) -> list[int]:
    """Return the frames that are shown: doubtful ones by how doubtful they are, else in order."""
    index = {frame: n for n, frame in enumerate(state.frames)}
    if state.only == ALL:
        found = list(range(len(state.frames)))
    elif state.only == INCOMPLETE:
        found = sorted(state.remarks)
    elif state.only == RIGHT:
        found = sorted({index[each.frame] for each in found_right(state)})
    else:
        kinds = [each for each in doubts(state) if state.only in (DOUBTFUL, each.kind)]
        found = list(dict.fromkeys(index[each.frame] for each in kinds))
    return [n for n in found if state.video in (None, state.frames[n].video)]


def choices(state: GalleryState) -> list[tuple[str, str, int]]:
    """Return what can be shown: key, words and number of frames; nothing that is empty."""
    counted = [(DOUBTFUL, "Doubtful")]
    counted += [(kind, f"Doubtful: {words}") for kind, words in _KINDS.items()]
    counted += [(INCOMPLETE, "Not complete"), (RIGHT, "Found right")]
    found = [(key, words, len(shown(replace(state, only=key)))) for key, words in counted]
    everything = len(shown(replace(state, only=ALL)))
    some = [each for each in found if each[2] or each[0] == state.only]
    return [*some, (ALL, "All frames", everything)]


def show_only(state: GalleryState, only: str, video: str | None) -> GalleryState:
    """Show other frames."""
    return replace(state, only=only, video=video)


def open_frame(state: GalleryState, n: int | None) -> GalleryState:
    """Show a frame at large, or none."""
    return replace(state, opened=n if n is not None and 0 <= n < len(state.frames) else None)


def move(state: GalleryState, by: int) -> GalleryState:
    """Show the next of the frames at large, or the one before; round at the ends."""
    queue = shown(state)
    if not queue:
        return state
    if state.opened not in queue:
        return replace(state, opened=queue[0 if by > 0 else -1])
    return replace(state, opened=queue[(queue.index(state.opened) + by) % len(queue)])


def settle(state: GalleryState, n: int) -> GalleryState:
    """Know that the labels of a frame are right, and go on to the next where one is at large."""
    after = replace(state, settled=state.settled | set(map(cause, doubts(state, n))))
    return _go_on(state, after, n)


def doubt_again(state: GalleryState, n: int) -> GalleryState:
    """Take back that the labels of a frame are right, and go on as `settle` does."""
    after = replace(state, settled=state.settled - set(map(cause, found_right(state, n))))
    return _go_on(state, after, n)


def learn(
    state: GalleryState, suspects: tuple[Suspect, ...], remarks: Mapping[int, str]
) -> GalleryState:
    """Take in what is doubtful after labels were changed."""
    return replace(state, suspects=suspects, remarks=remarks)


def cause(suspect: Suspect) -> Cause:
    """Return what a suspect is about."""
    return Cause(suspect.frame, suspect.kind, suspect.individual, suspect.keypoints, suspect.other)


def _suspects(state: GalleryState, n: int | None) -> tuple[Suspect, ...]:
    frame = None if n is None else state.frames[n]
    return tuple(each for each in state.suspects if frame in (None, each.frame))


def _go_on(before: GalleryState, after: GalleryState, n: int) -> GalleryState:
    """Go to the next frame where `n` was at large and is not among those shown any more."""
    queue, left = shown(before), shown(after)
    if before.opened != n or n in left or n not in queue:
        return after
    coming = [m for m in queue[queue.index(n) + 1 :] if m in left] or left
    return replace(after, opened=coming[0] if coming else None)
