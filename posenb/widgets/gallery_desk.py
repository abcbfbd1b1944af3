"""What happens when the gallery's page says something: the next state, and what to answer."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from posenb._progress import Progress
from posenb.core import FrameName, Labels
from posenb.errors import LabelError, LabelWarning, PosenbError
from posenb.evaluation import Suspect, find_suspects
from posenb.project import Project, read_image
from posenb.views import chosen_labels
from posenb.widgets import gallery_state as views
from posenb.widgets.frame_feed import encode_jpeg
from posenb.widgets.gallery_looks import Glance, glance, glance_at_all, marks, remark
from posenb.widgets.gallery_notes import read_notes, write_notes
from posenb.widgets.gallery_state import ALL, DOUBTFUL, GalleryState
from posenb.widgets.notes import Notes

__all__ = ["Answer", "Desk"]

Answer = tuple[dict[str, Any], bytes]


class Desk:
    """Answers the gallery's page.

    Parameters
    ----------
    project : Project
    videos : tuple of str or None
        Whose frames; None for all that are labelled.
    progress : callable
        Makes the progress bar; it counts images.
    fix : callable
        Called with the frame whose labels are to be corrected, what is doubtful about it, and
        what is known of its image.
    on_fault : callable
        Called, from another thread, when what is found right cannot be kept, or can again.

    Raises
    ------
    LabelError
        If there are no labels, or none of the images can be read.
    UnknownNameError
        If no frame of a video is labelled.

    Warns
    -----
    LabelWarning
        If images are gone or damaged.
    """

    def __init__(
        self,
        project: Project,
        videos: tuple[str, ...] | None,
        progress: Progress,
        fix: Callable[[FrameName, tuple[Suspect, ...], Glance], None],
        on_fault: Callable[[], None],
    ) -> None:
        self._project = project
        self._videos = videos
        self._fix = fix
        labels = chosen_labels(project.labels(), videos)
        looks = glance_at_all(project, labels, progress)
        lost = [project.image_url(labels.frames[n]) for n, each in enumerate(looks) if not each]
        if lost:
            gone = (
                f"{len(lost)} of {len(labels)} labelled images are gone or damaged and are left "
                f"out (the first is {lost[0]}). Put them back, or delete their labels."
            )
            if len(lost) == len(labels):
                raise LabelError(gone)
            warnings.warn(gone, LabelWarning, stacklevel=4)
        self.labels = labels.select([n for n, each in enumerate(looks) if each])
        self._looks = [each for each in looks if each]
        self.notes = Notes(project.notes_url("right"), on_fault)
        settled = read_notes(self.notes.found, self.labels)
        self.state = GalleryState(self.labels.frames, self._judge(), self._remarks(), settled)
        if views.doubts(self.state):
            self.state = views.show_only(self.state, DOUBTFUL, None)

    def handle(self, message: Mapping[str, Any]) -> list[Answer]:
        """Do what the page asks for; ``do`` names a step, the rest are its arguments.

        Parameters
        ----------
        message : mapping

        Returns
        -------
        list of (dict, bytes)
            Answers and the pictures that go with them.
        """
        steps: dict[str, Callable[..., list[Answer] | None]] = {
            "show": self._show,
            "tiles": self._tiles,
            "open": self._open,
            "move": self._move,
            "right": self._right,
            "doubt": self._doubt,
            "fix": self._correct,
        }
        given = {key: value for key, value in message.items() if key != "do"}
        return steps[message["do"]](**given) or []

    def reload(self) -> list[Answer]:
        """Read the labels anew, as after some were corrected, and judge them again.

        What was found right of labels that were changed is to be found right again.
        """
        before = self.labels
        frames = before.frames
        labels = self._project.labels()
        now = {frame: n for n, frame in enumerate(labels.frames)}
        kept = [n for n, frame in enumerate(frames) if frame in now]
        self.labels = labels.select([now[frames[n]] for n in kept])
        self._looks = [self._looks[n] for n in kept]
        settled = read_notes(write_notes(self.state.settled, before), self.labels)
        self.state = GalleryState(
            self.labels.frames,
            (),
            {},
            settled,
            self.state.only,
            self.state.video,
            self.state.opened if len(kept) == len(frames) else None,
        )
        changed = []
        for row, n in enumerate(kept):
            if not _same(before, n, self.labels, row):
                looked = glance(self._project, self.labels, row)
                self._looks[row] = looked or self._looks[row]
                changed.append(row)
        self.state = views.learn(self.state, self._judge(), self._remarks())
        return [*self._tiles(changed), *self._large()]

    def view(self) -> dict[str, Any]:
        """Return what the page shows beside the pictures."""
        state = self.state
        queue = views.shown(state)
        position = queue.index(state.opened) + 1 if state.opened in queue else 0
        return {
            "choices": [
                {"key": key, "words": words, "count": count}
                for key, words, count in views.choices(state)
            ],
            "only": state.only,
            "videos": list(self.labels.videos),
            "video": state.video,
            "frames": [self._told(n) for n in queue],
            "opened": None if state.opened is None else self._told(state.opened),
            "position": position,
            "total": len(state.frames),
            "doubtful": len({each.frame for each in views.doubts(state)}),
            "right": len({each.frame for each in views.found_right(state)}),
            "fault": self.notes.fault,
        }

    # Steps

    def _show(self, only: str, video: str | None) -> None:
        keys = [key for key, _, _ in views.choices(self.state)]
        known = video if video in self.labels.videos else None
        self.state = views.show_only(self.state, only if only in keys else ALL, known)

    def _tiles(self, frames: list[int]) -> list[Answer]:
        return [self._picture("tile", n, self._looks[n].tile) for n in frames if self._has(n)]

    def _open(self, frame: int | None) -> list[Answer]:
        self.state = views.open_frame(self.state, frame)
        return self._large()

    def _move(self, by: int) -> list[Answer]:
        self.state = views.move(self.state, by)
        return self._large()

    def _right(self, frame: int) -> list[Answer]:
        return self._decide(frame, views.settle)

    def _doubt(self, frame: int) -> list[Answer]:
        return self._decide(frame, views.doubt_again)

    def _decide(
        self, frame: int, step: Callable[[GalleryState, int], GalleryState]
    ) -> list[Answer]:
        if not self._has(frame):
            return []
        before, self.state = self.state.settled, step(self.state, frame)
        gone = dict.fromkeys(write_notes(before - self.state.settled, self.labels))
        self.notes.change(gone | write_notes(self.state.settled - before, self.labels))
        return [*self._tiles([frame]), *self._large()]

    def _correct(self, frame: int) -> None:
        if self._has(frame):
            self.state = views.open_frame(self.state, frame)
            doubtful = views.doubts(self.state, frame)
            self._fix(self.labels.frames[frame], doubtful, self._looks[frame])

    # Answers

    def _large(self) -> list[Answer]:
        n = self.state.opened
        if n is None:
            return []
        try:
            pixels = read_image(self._project, self.labels.frames[n])
        except PosenbError as error:
            told, _ = self._picture("large", n, b"")
            return [({**told, "fault": str(error)}, b"")]
        return [self._picture("large", n, encode_jpeg(pixels, 1920))]

    def _picture(self, kind: str, n: int, picture: bytes) -> Answer:
        look = self._looks[n]
        told = {"kind": kind, "frame": n, "size": list(look.size), "box": list(look.box)}
        return {**told, **marks(self.labels, n, views.doubts(self.state, n))}, picture

    def _told(self, n: int) -> dict[str, Any]:
        frame = self.labels.frames[n]
        return {
            "n": n,
            "video": frame.video,
            "image": frame.image,
            "doubts": [each.reason for each in views.doubts(self.state, n)],
            "right": [each.reason for each in views.found_right(self.state, n)],
            "remark": self.state.remarks.get(n, ""),
        }

    def _has(self, n: int) -> bool:
        return 0 <= n < len(self.labels)

    def _judge(self) -> tuple[Suspect, ...]:
        return find_suspects(self.labels, np.array([each.grey for each in self._looks]))

    def _remarks(self) -> dict[int, str]:
        found = {n: remark(self.labels, n, look.size) for n, look in enumerate(self._looks)}
        return {n: words for n, words in found.items() if words}


def _same(one: Labels, n: int, other: Labels, m: int) -> bool:
    assert one.visibility is not None
    assert other.visibility is not None
    return np.array_equal(one.positions[n], other.positions[m], equal_nan=True) and np.array_equal(
        one.visibility[n], other.visibility[m]
    )
