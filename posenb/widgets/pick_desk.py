"""What happens when the picker's page says something: the next state, and what to answer."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from posenb.errors import PosenbError, StorageError
from posenb.extraction import frame_numbers
from posenb.project import Project, list_frames
from posenb.widgets import pick_state as picks
from posenb.widgets.notes import Notes
from posenb.widgets.pick_state import Clip, PickState, clock
from posenb.widgets.pick_work import Motion, VideoWork

__all__ = ["Answer", "Desk"]

Answer = tuple[dict[str, Any], bytes]

_IF_MOVED = " If the video was moved, add it from where it is now with pn.add_videos."
_METHODS = ("kmeans", "uniform")


@dataclass(eq=False)
class _Table:
    """What lies on the desk of one video: it is open, and some of it is under way."""

    work: VideoWork
    motion: Future[Motion]
    suggestion: Future[list[int]] | None = None
    thumbnails: dict[int, Future[bytes]] = field(default_factory=dict)
    seed: int = 0
    told: bool = False


class Desk:
    """Answers the picker's page.

    Parameters
    ----------
    project : Project
    names : tuple of str
        Videos of the project.
    on_fault : callable
        Called, from another thread, when what is marked cannot be kept, or can again.
    """

    def __init__(
        self, project: Project, names: tuple[str, ...], on_fault: Callable[[], None]
    ) -> None:
        self.project = project
        self._tables: dict[int, _Table] = {}
        self._method, self._count = "kmeans", 20
        clips = []
        for name in names:
            frames = frame_numbers(list_frames(project, name), 2**62)
            clips.append(Clip(name, there=frozenset(frames.tolist())))
        self.notes = Notes(project.notes_url("picked"), on_fault)
        self.state = picks.with_notes(PickState(tuple(clips)), self.notes.found)
        self._open()

    def close(self) -> None:
        """Release all videos, once what is marked is kept."""
        self.notes.close()
        for table in self._tables.values():
            table.work.close()
        self._tables.clear()

    def handle(self, message: Mapping[str, Any]) -> list[Answer]:
        """Do what the page asks for.

        Parameters
        ----------
        message : mapping
            ``do`` names a step; the rest are its arguments.

        Returns
        -------
        list of (dict, bytes)
            Answers and the pictures that go with them; empty bytes for none.
        """
        steps: dict[str, Callable[..., list[Answer] | None]] = {
            "hello": self._hello,
            "tick": lambda: [({"kind": "tock"}, b"")],
            "clip": self._choose,
            "go": self._go,
            "mark": self._go_mark,
            "find": self._find,
            "take": self._take,
            "drop": self._drop,
            "take_all": self._take_all,
            "drop_all": self._drop_all,
            "suggest": self._suggest,
            "thumbs": self._want_thumbnails,
            "write": self._write,
        }
        given = {key: value for key, value in message.items() if key != "do"}
        before = picks.to_notes(self.state)
        try:
            answers = steps[message["do"]](**given) or []
        except PosenbError as error:
            self.state = replace(self.state, message=str(error))
            answers = []
        self._note(before)
        try:
            return [*answers, *self._news()]
        except PosenbError as error:
            self.state = replace(self.state, message=str(error))
            return answers

    def view(self) -> dict[str, Any]:
        """Return what the page shows beside the frame."""
        clip = self.state.clip
        return {
            "clips": [
                {"name": each.name, "there": len(each.there), "taken": len(each.taken)}
                for each in self.state.clips
            ],
            "current": self.state.current,
            "count": len(clip),
            "fps": clip.fps,
            "length": clock(float(clip.times[-1]), exact=False) if len(clip) else "",
            "there": sorted(clip.there),
            "taken": sorted(clip.taken),
            "suggested": sorted(clip.suggested),
            "wanted": self._count,
            "method": self._method,
            "message": self.state.message,
            "fault": clip.fault,
            "lost": self.notes.fault,
            "busy": self._busy(),
        }

    # Steps

    def _hello(self) -> list[Answer]:
        return [*self._frame(), *self._curve()]

    def _choose(self, clip: int) -> list[Answer]:
        self.state = picks.choose_clip(self.state, int(clip))
        self._open()
        return self._hello()

    def _go(self, frame: int) -> list[Answer]:
        self.state = picks.go_to(self.state, int(frame))
        return self._frame()

    def _go_mark(self, by: int) -> list[Answer]:
        self.state = picks.step_mark(self.state, int(by))
        return self._frame()

    def _find(self, text: str) -> list[Answer]:
        self.state = picks.find_place(self.state, str(text))
        return self._frame()

    def _take(self, frames: list[int]) -> None:
        self.state = picks.take(self.state, frames)

    def _drop(self, frames: list[int]) -> None:
        self.state = picks.drop(self.state, frames)

    def _take_all(self) -> None:
        self.state = picks.take(self.state, self.state.clip.suggested)

    def _drop_all(self) -> None:
        self.state = picks.drop(self.state, self.state.clip.suggested)

    def _suggest(self, count: int, method: str) -> None:
        table = self._table
        if table is None or method not in _METHODS:
            return
        self._count, self._method = min(max(int(count), 1), 1000), method
        clip = self.state.clip
        table.suggestion = table.work.suggestion(
            self._count,
            "uniform" if method == "uniform" else "kmeans",
            clip.there | clip.taken,
            clip.dropped,
            table.seed,
        )
        table.seed += 1
        self.state = replace(self.state, message="")

    def _want_thumbnails(self, frames: list[int]) -> None:
        table = self._table
        if table is None:
            return
        for index in frames:
            if index not in table.thumbnails:
                table.thumbnails[index] = table.work.thumbnail(int(index))

    def _write(self) -> None:
        table = self._table
        if table is not None and self.state.clip.taken:
            written, lost = table.work.write(self.state.clip.taken)
            self.state = picks.mark_written(self.state, self.state.current, written, lost)

    # Answers

    def _frame(self) -> list[Answer]:
        table, clip = self._table, self.state.clip
        if table is None:
            return []
        told: dict[str, Any] = {
            "kind": "frame",
            "clip": self.state.current,
            "frame": clip.frame,
            "time": clock(float(clip.times[clip.frame])),
        }
        try:
            picture = table.work.feed.jpeg(clip.frame)
        except PosenbError as error:
            return [({**told, "fault": str(error)}, b"")]
        return [(told, picture)]

    def _curve(self) -> list[Answer]:
        table = self._table
        if table is None or not table.motion.done():
            return []
        table.told = True
        motion = table.motion.result()
        told = {"frames": motion.frames.tolist(), "values": motion.values.round(3).tolist()}
        return [({"kind": "motion", "clip": self.state.current, **told}, b"")]

    def _news(self) -> Iterator[Answer]:
        """Take in what the threads have finished."""
        if self._table is not None and not self._table.told:
            yield from self._curve()
        for n, table in self._tables.items():
            if table.suggestion is not None and table.suggestion.done():
                done, table.suggestion = table.suggestion, None
                self.state = picks.suggest(self.state, n, done.result())
            for index in [i for i, one in table.thumbnails.items() if one.done()]:
                small = table.thumbnails.pop(index)
                told = {"kind": "thumb", "clip": n, "frame": index}
                yield told, b"" if small.exception() is not None else small.result()

    def _note(self, before: Mapping[str, str]) -> None:
        """Keep for the next time what is marked otherwise than before."""
        after = picks.to_notes(self.state)
        gone: dict[str, str | None] = dict.fromkeys(before.keys() - after.keys())
        new = {key: word for key, word in after.items() if before.get(key) != word}
        self.notes.change(gone | new)

    def _busy(self) -> dict[str, Any] | None:
        table = self._table
        if table is None:
            return None
        looking = not table.motion.done()
        if not looking and table.suggestion is None and not table.thumbnails:
            return None
        share = table.work.progress
        text = "Choosing frames" if table.suggestion is not None else ""
        if (looking or table.suggestion is not None) and share < 1:
            text = f"Looking at the video: {100 * share:.0f} %"
        return {"text": text, "looking": looking, "choosing": table.suggestion is not None}

    # Videos

    @property
    def _table(self) -> _Table | None:
        return self._tables.get(self.state.current)

    def _open(self) -> None:
        """Open the video that is shown, if it is not open; say why where it cannot be."""
        n = self.state.current
        if n in self._tables:
            return
        try:
            work = VideoWork(self.project, self.state.clip.name)
        except PosenbError as error:
            gone = isinstance(error, StorageError) and error.errno == errno.ENOENT
            self.state = picks.fail_clip(self.state, n, f"{error}{_IF_MOVED if gone else ''}")
            return
        self._tables[n] = _Table(work, work.motion())
        self.state = picks.open_clip(self.state, n, work.video.times, work.video.fps)
