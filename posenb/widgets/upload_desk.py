"""Where files from a browser arrive: what it says comes in, what it shall do goes out.

Messages are small dicts, and the pieces of files come with them as bytes; nothing here knows
widgets. One file is on its way at a time, the others wait. The browser sets the pace: it
says once a second which files it holds, so that nothing has to run in the background.
"""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from typing import Any, ClassVar

from posenb import storage
from posenb._progress import silent_progress
from posenb.errors import PosenbError, StorageError, VideoError
from posenb.project import Project, add_videos
from posenb.project.value import VIDEOS
from posenb.widgets.upload_arrival import Arrival
from posenb.widgets.upload_beginnings import find_beginnings
from posenb.widgets.upload_looks import look_at, show_row
from posenb.widgets.upload_names import offer_name, safe_name
from posenb.widgets.upload_places import find_for, mark_known, say_place
from posenb.widgets.upload_state import Phase, Transfer, ask, ask_again, end, pause, sample_spans

__all__ = ["Desk"]

Message = dict[str, Any]

_BUSY = (Phase.SENDING, Phase.CHECKING, Phase.COMPARING, Phase.FINISHING)
_OVER = (Phase.DONE, Phase.REFUSED)
_SILENCE = 5.0  # seconds after which a page that is idle has not heard what it shall do
_GONE = 20.0  # seconds without a word after which a page counts as closed
_NO_VIDEO = ("text/", "audio/", "image/", "font/", "application/pdf", "application/zip")


class Desk:
    """All files that arrive in one project.

    Parameters
    ----------
    project : Project
    clock : callable, optional
        Seconds that never run backwards.

    Attributes
    ----------
    project : Project
        With the videos that were added so far.
    pictures : dict of str to str
        First frame of each finished video by the key of its row, as a ``data:`` URL.
    """

    project: Project
    pictures: dict[str, str]

    def __init__(self, project: Project, clock: Callable[[], float] = time.monotonic) -> None:
        self.project = project
        self.pictures = {}
        self._clock = clock
        self._origin: str | None = None
        self._heard: dict[str, float] = {}
        self._found: Message | None = None
        self._answers: list[Message] = []
        self._rows: dict[str, Arrival] = {}
        for note in find_beginnings(project.url):
            transfer = Transfer(
                key=note.key,
                name=note.name,
                target=note.target,
                size=note.size,
                modified=note.modified,
                phase=Phase.MISSING,
                position=note.position,
                chain=note.chain,
            )
            self._rows[note.key] = Arrival(project.url, transfer, note)

    def handle(self, message: Message, buffers: Sequence[Any] = ()) -> list[Message]:
        """Take a message from the browser and return those that go back.

        What is not understood is ignored: a page may be older than the kernel.
        """
        act = message.get("do")
        row = self._rows.get(str(message.get("key")))
        if act == "piece" and row is not None:
            data = bytes(buffers[0])
            step = partial(row.take, int(message["start"]), str(message["digest"]), data, self._now)
            self._try(row, step)
        elif act in self._OF_ALL:
            self._OF_ALL[act](self, message)
        elif act in self._PLAIN and row is not None:
            self._try(row, partial(self._PLAIN[act], self, row))
        elif act in self._OF_ONE and row is not None:
            self._try(row, partial(self._OF_ONE[act], self, row, message))
        self._go_on()
        answers, self._answers = self._answers, []
        return answers

    def view(self) -> Message:
        """Return all that the page shows."""
        return {
            "place": say_place(self.project.url),
            "folder": storage.join(self.project.url, VIDEOS),
            "rows": [show_row(row) for row in self._rows.values()],
            "found": self._found,
        }

    @property
    def _now(self) -> float:
        return self._clock()

    def _say(self, ask: str, row: Arrival | None = None, **more: Any) -> None:
        key = {} if row is None else {"key": row.transfer.key}
        self._answers.append({"ask": ask, **key, **more})

    def _try(self, row: Arrival, act: Callable[[], None]) -> None:
        try:
            act()
        except PosenbError as error:
            row.close()
            row.transfer = end(row.transfer, Phase.FAILED, str(error))

    # --- what is to be done next ----------------------------------------------------------

    def _go_on(self) -> None:
        rows = list(self._rows.values())
        if not any(row.transfer.phase in _BUSY for row in rows):
            waiting = next((row for row in rows if row.transfer.phase is Phase.WAITING), None)
            if waiting is not None:
                self._try(waiting, partial(self._open, waiting))
        for row in rows:
            if row.transfer.phase is Phase.SENDING and not row.direct:
                self._ask(row)

    def _ask(self, row: Arrival) -> None:
        if row.transfer.whole:
            # By way of the page, so that it can show that this begins.
            row.transfer = end(row.transfer, Phase.FINISHING)
            self._say("finish", row)
            return
        row.transfer, spans = ask(row.transfer)
        if spans:
            self._say("pieces", row, spans=spans)

    def _open(self, row: Arrival) -> None:
        if row.is_open:
            row.go_on(self._now)
            return
        if self._other(row) is not None:
            self._compare(row)
            return
        try:
            positions = row.start(self._origin, self._now)
        except StorageError as error:
            if error.errno != errno.EEXIST:
                raise
            self._compare(row)
            return
        if positions:
            self._say("proof", row, positions=positions)
        else:
            self._let_come(row)

    def _let_come(self, row: Arrival) -> None:
        """Let the browser send to the bucket by itself where it can; else pieces are asked for."""
        row.direct = row.session is not None and self._origin is not None and row.may_be_direct
        if row.direct:
            self._say("put", row, url=row.session, part=row.part)

    # --- what the page says of all --------------------------------------------------------

    def _pick(self, message: Message) -> None:
        self._origin = str(message["origin"])
        for file in message["files"]:
            key, name, size = str(file["key"]), str(file["name"]), int(file["size"])
            modified, kind = int(file["modified"]), str(file.get("type", ""))
            same = self._same(name, size, modified)
            if same is None:
                row = Arrival(
                    self.project.url,
                    Transfer(key, name, safe_name(name), size, modified),
                )
                self._rows[key] = row
                self._judge(row, kind)
            elif same.transfer.phase in (Phase.MISSING, Phase.FAILED, Phase.CLASH):
                self._call_it(same, key)

    def _same(self, name: str, size: int, modified: int) -> Arrival | None:
        """Return the row of the same file, unless that is over."""
        for row in self._rows.values():
            known = row.transfer
            if (known.name, known.size, known.modified) == (name, size, modified):
                return row if known.phase not in _OVER else None
        return None

    def _call_it(self, row: Arrival, key: str) -> None:
        """Give a row the browser's new word for its file, and let it go on."""
        old = row.transfer.key
        row.transfer = replace(row.transfer, key=key, phase=Phase.WAITING, message="")
        self._rows = {key if k == old else k: value for k, value in self._rows.items()}

    def _judge(self, row: Arrival, kind: str) -> None:
        """Refuse at once what is plainly no video, and see whether the name is free."""
        if row.transfer.size == 0:
            row.transfer = end(row.transfer, Phase.REFUSED, "The file is empty.")
        elif kind.startswith(_NO_VIDEO):
            row.transfer = end(row.transfer, Phase.REFUSED, f"This is no video but {kind}.")
        elif _stem(row) in self._coming(without=row):
            self._clash(row)

    def _tick(self, message: Message) -> None:
        self._say("tock")
        agent, now = str(message["agent"]), self._now
        held, at_work = set(map(str, message["keys"])), set(map(str, message["jobs"]))
        self._heard[agent] = now
        for row in self._rows.values():
            key = row.transfer.key
            owner = key.partition(":")[0]
            if key in held:
                self._keep_up(row, now, at_work=key in at_work)
            elif owner == agent or now - self._heard.setdefault(owner, now) > _GONE:
                self._miss(row)

    def _keep_up(self, row: Arrival, now: float, *, at_work: bool) -> None:
        """Say again what a page, which is there and holds the file, may not have heard."""
        phase, silent = row.transfer.phase, now - row.transfer.heard > _SILENCE
        by_page = phase in (Phase.CHECKING, Phase.COMPARING) or row.direct
        if phase is Phase.MISSING or (by_page and phase in _BUSY and silent and not at_work):
            row.transfer = end(row.transfer, Phase.WAITING)
        elif phase is Phase.FINISHING:
            self._say("finish", row)
        elif not row.direct:
            row.transfer = ask_again(row.transfer, now)

    def _miss(self, row: Arrival) -> None:
        """Wait until the file is chosen again; the page that held it was closed."""
        if row.transfer.phase in (*_BUSY, Phase.WAITING, Phase.PAUSED):
            row.close()
            row.transfer = end(row.transfer, Phase.MISSING)

    def _find(self, message: Message) -> None:
        self._found = find_for(self.project, str(message["text"]))

    def _add(self, message: Message) -> None:
        """Add a video where it lies; the browser asks for one after the other."""
        url = storage.resolve(str(message["url"]))
        name = storage.name(url)
        row = Arrival(self.project.url, Transfer(f"found:{url}", name, name, 0))
        self._rows[row.transfer.key] = row
        self._try(row, partial(self._show, row, url, "Added where it lies."))
        if row.transfer.phase is Phase.FAILED:
            row.transfer = end(row.transfer, Phase.REFUSED, row.transfer.message)
        if self._found is not None and row.transfer.phase is Phase.DONE:
            self._found = mark_known(self._found, url)

    # --- what the page says of one --------------------------------------------------------

    def _proof(self, row: Arrival, message: Message) -> None:
        if row.transfer.phase is not Phase.CHECKING:
            return
        chains = {int(position): str(chain) for position, chain in message["chains"].items()}
        if row.proven(chains, self._now):
            self._let_come(row)
        else:
            row.transfer = end(row.transfer, Phase.WAITING)

    def _put(self, row: Arrival, message: Message) -> None:
        row.put(int(message["position"]), str(message["chain"]), self._now)

    def _put_failed(self, row: Arrival) -> None:
        """Let what the browser could not send to the bucket come through the kernel."""
        if row.direct and row.transfer.phase is Phase.SENDING:
            row.may_be_direct = False
            row.close()
            row.transfer = end(row.transfer, Phase.WAITING)

    def _finish(self, row: Arrival, message: Message) -> None:
        phase = row.transfer.phase
        if phase is not Phase.FINISHING and not (phase is Phase.SENDING and row.direct):
            return
        crc32c = message.get("crc32c")
        row.finish(None if crc32c is None else str(crc32c))
        try:
            self._show(row, row.url)
        except VideoError as error:
            storage.remove(row.url)
            row.transfer = end(row.transfer, Phase.REFUSED, str(error))

    def _show(self, row: Arrival, url: str, message: str = "Added to the project.") -> None:
        """Look at a video that is there, and add it to the project."""
        row.facts, picture = look_at(url)
        self.project = add_videos(self.project, url, progress=silent_progress)
        self.pictures = {**self.pictures, row.transfer.key: picture}
        row.transfer = end(row.transfer, Phase.DONE, message)

    def _pause(self, row: Arrival) -> None:
        if row.transfer.phase in (Phase.SENDING, Phase.WAITING, Phase.CHECKING):
            if row.direct or row.transfer.phase is Phase.CHECKING:
                row.close()
                self._say("hold", row)
            row.transfer = pause(row.transfer)

    def _resume(self, row: Arrival) -> None:
        if row.transfer.phase in (Phase.PAUSED, Phase.FAILED):
            row.transfer = end(row.transfer, Phase.WAITING)

    def _rename(self, row: Arrival, message: Message) -> None:
        if row.transfer.phase is not Phase.CLASH:
            return
        row.transfer = replace(row.transfer, target=safe_name(str(message["name"])))
        if _stem(row) in self._coming(without=row):
            self._clash(row)
        else:
            row.transfer = end(row.transfer, Phase.WAITING)

    def _remove(self, row: Arrival) -> None:
        """Take a row off the list; of a video that has arrived, nothing else goes."""
        if row.transfer.phase not in _OVER:
            self._say("hold", row)
            row.discard()
        del self._rows[row.transfer.key]

    def _unreadable(self, row: Arrival, message: Message) -> None:
        row.close()
        row.transfer = end(
            row.transfer,
            Phase.FAILED,
            f"The browser cannot read the file any more ({message['reason']}). If it was moved or "
            "changed, choose it again.",
        )

    # --- names that are taken -------------------------------------------------------------

    def _other(self, row: Arrival) -> str | None:
        """Return where a finished video of the row's name lies."""
        if _stem(row) in self.project.videos:
            return self.project.video_url(_stem(row))
        return row.url if storage.exists(row.url) else None

    def _compare(self, row: Arrival) -> None:
        """See whether the video of the same name is the same video."""
        other = self._other(row)
        size = storage.size(other) if other is not None and storage.exists(other) else None
        if size != row.transfer.size:
            self._clash(row)
        else:
            row.transfer = end(row.transfer, Phase.COMPARING)
            self._say("sample", row, spans=sample_spans(row.transfer.size))

    def _sample(self, row: Arrival, message: Message) -> None:
        other = self._other(row)
        if row.transfer.phase is not Phase.COMPARING or other is None:
            return
        spans = sample_spans(row.transfer.size)
        digests = [hashlib.sha256(storage.read_bytes(other, *span)).hexdigest() for span in spans]
        if digests == message["digests"]:
            row.discard()
            self._show(row, other, "The same video was here already; nothing was sent.")
        else:
            self._clash(row)

    def _clash(self, row: Arrival) -> None:
        target = row.transfer.target
        there = storage.list_files(storage.join(self.project.url, VIDEOS))
        taken = {PurePosixPath(storage.name(url)).stem for url in there}
        row.offer = offer_name(target, taken | {*self.project.videos} | self._coming(without=row))
        row.transfer = end(
            row.transfer,
            Phase.CLASH,
            f"Another video is named {PurePosixPath(target).stem}. Give this one a name of its "
            "own.",
        )

    def _coming(self, *, without: Arrival) -> set[str]:
        """Return the names of what else is on its way."""
        return {
            _stem(row)
            for row in self._rows.values()
            if row is not without and row.transfer.phase not in _OVER
        }

    _OF_ALL: ClassVar[dict[str, Callable[[Desk, Message], None]]] = {
        "pick": _pick,
        "tick": _tick,
        "find": _find,
        "add": _add,
    }
    _PLAIN: ClassVar[dict[str, Callable[[Desk, Arrival], None]]] = {
        "put_failed": _put_failed,
        "pause": _pause,
        "resume": _resume,
        "remove": _remove,
    }
    _OF_ONE: ClassVar[dict[str, Callable[[Desk, Arrival, Message], None]]] = {
        "proof": _proof,
        "put": _put,
        "finish": _finish,
        "rename": _rename,
        "sample": _sample,
        "unreadable": _unreadable,
    }


def _stem(row: Arrival) -> str:
    return PurePosixPath(row.transfer.target).stem
