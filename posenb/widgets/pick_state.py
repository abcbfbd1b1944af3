"""Which frames a person picks, as values: videos, marks and the place where the work stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from posenb.errors import InvalidInputError

__all__ = [
    "Clip",
    "PickState",
    "choose_clip",
    "clock",
    "drop",
    "fail_clip",
    "find_place",
    "go_to",
    "mark_written",
    "open_clip",
    "step",
    "step_mark",
    "suggest",
    "take",
    "to_notes",
    "with_notes",
]

_TAKEN, _DROPPED = "taken", "dropped"
_NOTHING = np.empty(0)


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One video and what is picked of it.

    Parameters
    ----------
    name : str
    times : ndarray, shape (N,)
        Seconds of its frames from the first; empty as long as it was not opened.
    fps : float, optional
        Frames per second on average.
    there : frozenset of int, optional
        Frames that lie in the project as images.
    taken : frozenset of int, optional
        Frames that are to be written.
    suggested : frozenset of int, optional
        Frames that k-means or chance would take.
    dropped : frozenset of int, optional
        Frames that are not to be suggested again.
    frame : int, optional
        Where the person looks.
    fault : str, optional
        Why it cannot be opened.
    """

    name: str
    times: np.ndarray = field(default_factory=lambda: _NOTHING)
    fps: float = 0.0
    there: frozenset[int] = frozenset()
    taken: frozenset[int] = frozenset()
    suggested: frozenset[int] = frozenset()
    dropped: frozenset[int] = frozenset()
    frame: int = 0
    fault: str = ""

    def __len__(self) -> int:
        """Return the number of frames; 0 as long as it was not opened."""
        return len(self.times)

    @property
    def marks(self) -> list[int]:
        """All frames that are there, taken or suggested, ascending."""
        return sorted(self.there | self.taken | self.suggested)


@dataclass(frozen=True, slots=True, eq=False)
class PickState:
    """Everything the picker knows.

    Parameters
    ----------
    clips : tuple of Clip
        At least one.
    current : int, optional
        The one that is shown.
    message : str, optional
        What came of the last step.
    """

    clips: tuple[Clip, ...]
    current: int = 0
    message: str = ""

    def __post_init__(self) -> None:
        """Check that there is something to pick from."""
        if not self.clips:
            raise InvalidInputError(
                "Frames are picked from at least one video; got none. Add some with add_videos."
            )

    @property
    def clip(self) -> Clip:
        """The video that is shown."""
        return self.clips[self.current]


def choose_clip(state: PickState, n: int) -> PickState:
    """Show another video, where one left off in it."""
    return replace(state, current=min(max(n, 0), len(state.clips) - 1), message="")


def open_clip(state: PickState, n: int, times: np.ndarray, fps: float) -> PickState:
    """Take in the facts of a video, and forget marks of frames that it does not have.

    Parameters
    ----------
    state : PickState
    n : int
        The video.
    times : ndarray, shape (N,)
        Seconds of its frames from the first.
    fps : float
        Frames per second on average.
    """
    clip = state.clips[n]
    there, taken, dropped = (
        frozenset(frame for frame in marks if frame < len(times))
        for marks in (clip.there, clip.taken, clip.dropped)
    )
    known = replace(clip, times=times, fps=fps, fault="", there=there, taken=taken, dropped=dropped)
    return _with(state, n, known)


def fail_clip(state: PickState, n: int, fault: str) -> PickState:
    """Know why a video cannot be opened."""
    return _with(state, n, replace(state.clips[n], fault=fault))


def go_to(state: PickState, frame: int) -> PickState:
    """Look at a frame, or at the nearest that there is."""
    clip = state.clip
    return _with(state, state.current, replace(clip, frame=min(max(frame, 0), len(clip) - 1)))


def step(state: PickState, by: int) -> PickState:
    """Look at the frame so many further on, or back."""
    return go_to(state, state.clip.frame + by)


def step_mark(state: PickState, by: int) -> PickState:
    """Look at the next mark, or the one before; round at the ends."""
    clip = state.clip
    marks = clip.marks
    if not marks:
        return replace(state, message="No frame is marked yet.")
    if by > 0:
        beyond = [mark for mark in marks if mark > clip.frame]
        return go_to(state, beyond[0] if beyond else marks[0])
    beyond = [mark for mark in marks if mark < clip.frame]
    return go_to(state, beyond[-1] if beyond else marks[-1])


def find_place(state: PickState, text: str) -> PickState:
    """Look at the frame that a person typed: ``1234``, ``41.5 s``, ``0:41.5`` or ``1:02:03``.

    A plain whole number is a frame, everything else a time; of a time, the frame is the
    last that begins by then.
    """
    clean = text.strip().lower()
    if re.fullmatch(r"\d+", clean):
        return go_to(replace(state, message=""), int(clean))
    match = re.fullmatch(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d*)?|\.\d+)\s*s?", clean)
    if match is None:
        return replace(
            state, message=f"A frame is a number like 1234, a time one like 0:41.5; got {text!r}."
        )
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    wanted = 3600 * hours + 60 * minutes + seconds
    rank = int(np.searchsorted(state.clip.times, wanted + 1e-6, side="right")) - 1
    return go_to(replace(state, message=""), rank)


def take(state: PickState, frames: Iterable[int]) -> PickState:
    """Take frames, to be written; those that are there already stay as they are."""
    clip = state.clip
    new = frozenset(f for f in frames if 0 <= f < len(clip)) - clip.there
    after = replace(
        clip,
        taken=clip.taken | new,
        suggested=clip.suggested - new,
        dropped=clip.dropped - new,
    )
    return replace(_with(state, state.current, after), message="")


def drop(state: PickState, frames: Iterable[int]) -> PickState:
    """Let go of frames that are taken or suggested; they are not suggested again."""
    clip = state.clip
    gone = frozenset(frames) & (clip.taken | clip.suggested)
    after = replace(
        clip,
        taken=clip.taken - gone,
        suggested=clip.suggested - gone,
        dropped=clip.dropped | gone,
    )
    return replace(_with(state, state.current, after), message="")


def suggest(state: PickState, n: int, frames: Iterable[int]) -> PickState:
    """Take in what would be chosen of a video, in place of what was suggested before."""
    clip = state.clips[n]
    new = frozenset(frames) - clip.there - clip.taken - clip.dropped
    message = (
        "" if new else "Nothing else differs enough from what is marked: more would be repeats."
    )
    return replace(_with(state, n, replace(clip, suggested=new)), message=message)


def mark_written(state: PickState, n: int, written: Iterable[int], lost: int = 0) -> PickState:
    """Know that frames of a video lie in the project now.

    Parameters
    ----------
    state : PickState
    n : int
        The video.
    written : iterable of int
        Those that are there.
    lost : int, optional
        How many could not be decoded; they are let go.
    """
    clip, new = state.clips[n], frozenset(written)
    after = replace(
        clip,
        there=clip.there | new,
        taken=frozenset(),
        suggested=clip.suggested - new,
        dropped=clip.dropped | (clip.taken - new),
    )
    count = "1 frame lies" if len(new) == 1 else f"{len(new)} frames lie"
    message = f"{count} in labeled-data/{clip.name} now. Label them: pn.label(project)."
    if lost:
        message += f" {lost} could not be decoded and were left out."
    return replace(_with(state, n, after), message=message)


def to_notes(state: PickState) -> dict[str, str]:
    """Return what is taken and dropped, as texts by ``video/frame``."""
    return {
        f"{clip.name}/{frame}": word
        for clip in state.clips
        for word, frames in ((_TAKEN, clip.taken), (_DROPPED, clip.dropped))
        for frame in frames
    }


def with_notes(state: PickState, notes: Mapping[str, str]) -> PickState:
    """Take in what `to_notes` returned another time; frames that are there by now stay so."""
    marks: dict[str, dict[str, set[int]]] = {}
    for place, word in notes.items():
        name, _, frame = place.rpartition("/")
        if re.fullmatch(r"\d{1,12}", frame, re.ASCII):
            marks.setdefault(name, {}).setdefault(word, set()).add(int(frame))
    clips = []
    for clip in state.clips:
        known = marks.get(clip.name, {})
        taken = frozenset(known.get(_TAKEN, ())) - clip.there
        dropped = frozenset(known.get(_DROPPED, ())) - clip.there
        clips.append(replace(clip, taken=taken, dropped=dropped))
    return replace(state, clips=tuple(clips))


def clock(seconds: float, *, exact: bool = True) -> str:
    """Return a time as ``0:41.50`` or ``1:02:03.50``; without hundredths if not exact."""
    whole, hundredths = divmod(round(seconds * 100), 100) if exact else (round(seconds), 0)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    text = f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"
    return f"{text}.{hundredths:02d}" if exact else text


def _with(state: PickState, n: int, clip: Clip) -> PickState:
    return replace(state, clips=(*state.clips[:n], clip, *state.clips[n + 1 :]))
