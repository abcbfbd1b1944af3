"""How a video comes from the browser into the visitor's folder, one at a time.

The pieces, their checks and what is asked for again are the uploader's
(`posenb.widgets.upload_state`); its page is the same too (``upload_agent.js``). A file is
called here by a number: what the browser calls it is only shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from posenb.app.visit import Visit
from posenb.errors import PosenbError, StorageError
from posenb.widgets.quantities import say_bytes, say_seconds
from posenb.widgets.upload_arrival import Arrival
from posenb.widgets.upload_state import (
    Phase,
    Transfer,
    ask,
    ask_again,
    end,
    seconds_left,
    speed,
)

__all__ = ["Arrived", "Reception"]

Message = dict[str, Any]
Arrived = tuple[Path, str]
"""Where a file lies, and what its owner calls it."""

_LONGEST_NAME = 120
_NO_VIDEO = {
    "text/": "a text file",
    "audio/": "a sound recording",
    "image/": "a picture",
    "font/": "a font",
    "application/pdf": "a PDF document",
    "application/zip": "a ZIP archive",
}
_LOST = (
    "The page that sent “{name}” was closed or loaded again, so only a part of it came. Choose it "
    "once more."
)


class Reception:
    """Takes the messages of ``upload_agent.js``.

    Parameters
    ----------
    visit : Visit
    clock : callable, optional
        Seconds that never run backwards.

    Attributes
    ----------
    problem : str
        Why a file was refused or did not come; empty if none was.
    """

    def __init__(self, visit: Visit, clock: Callable[[], float] = time.monotonic) -> None:
        self.problem = ""
        self._visit = visit
        self._clock = clock
        self._row: Arrival | None = None
        self._count = 0
        self._arrived: Arrived | None = None

    @property
    def busy(self) -> bool:
        """Whether a file is on its way."""
        return self._row is not None

    def take_arrived(self) -> Arrived | None:
        """Return, once, the file that has arrived."""
        arrived, self._arrived = self._arrived, None
        return arrived

    def view(self) -> Message | None:
        """Return what the page shows of the file on its way, if one is."""
        if self._row is None:
            return None
        transfer = self._row.transfer
        left = seconds_left(transfer)
        pace = "" if left is None else f"{say_bytes(speed(transfer))}/s, {say_seconds(left)} left"
        return {
            "name": transfer.name,
            "share": transfer.position / transfer.size,
            "amount": f"{say_bytes(transfer.position)} of {say_bytes(transfer.size)}",
            "pace": pace,
        }

    def handle(self, message: Message, buffers: Sequence[Any]) -> list[Message]:
        """Take a message and return the answers; what is not understood is ignored."""
        act, row = message.get("do"), self._row
        mine = row is not None and message.get("key") == row.transfer.key
        try:
            if act == "pick":
                self._pick(message)
            elif act == "tick":
                self._keep_up({str(key) for key in message["keys"]})
            elif row is not None and mine:
                self._hear(row, str(act), message, buffers)
        except PosenbError as error:
            self._give_up(str(error))
        told = [{"ask": "tock"}] if act == "tick" else []
        return told + self._asked()

    def cancel(self) -> None:
        """Throw away the file that is on its way."""
        self._give_up("")

    def _pick(self, message: Message) -> None:
        self._give_up("")
        files = message["files"]
        if not files:
            return
        file = files[0]
        name, size = _shown(str(file["name"])), int(file["size"])
        self.problem = self._refusal(name, size, str(file.get("type", "")))
        if self.problem:
            return
        self._count += 1
        transfer = Transfer(str(file["key"]), name, f"video-{self._count}", size)
        self._row = Arrival(str(self._visit.folder), transfer)
        self._row.start(None, self._clock())
        if len(files) > 1:
            self.problem = f"One video at a time: “{name}” is taken, the others are not."

    def _refusal(self, name: str, size: int, kind: str) -> str:
        if size <= 0:
            return (
                f"“{name}” is empty: it has 0 bytes. Copy it again from where it was recorded, "
                "and choose the copy."
            )
        for start, what in _NO_VIDEO.items():
            if kind.startswith(start):
                return f"“{name}” is {what}. Choose a video, such as an .mp4, .avi or .mov."
        try:
            self._visit.check_room(size, f"“{name}”")
        except StorageError as error:
            return str(error)
        return ""

    def _hear(self, row: Arrival, act: str, message: Message, buffers: Sequence[Any]) -> None:
        if act == "piece":
            data = bytes(buffers[0])
            row.take(int(message["start"]), str(message["digest"]), data, self._clock())
            if row.transfer.phase is Phase.FAILED:
                self._give_up(row.transfer.message)
        elif act == "unreadable":
            self._give_up(
                f"The browser cannot read “{row.transfer.name}” any more ({message['reason']}). If "
                "it was moved or changed, choose it again."
            )
        elif act == "finish" and row.transfer.phase is Phase.FINISHING:
            row.finish(None)
            self._row = None
            self._arrived = Path(row.url), row.transfer.name

    def _keep_up(self, held: set[str]) -> None:
        row = self._row
        if row is None:
            return
        if row.transfer.key not in held:
            self._give_up(_LOST.format(name=row.transfer.name))
        else:
            row.transfer = ask_again(row.transfer, self._clock())

    def _asked(self) -> list[Message]:
        """Return what the page shall send next."""
        row = self._row
        if row is None:
            return []
        key = {"key": row.transfer.key}
        if row.transfer.whole:
            row.transfer = end(row.transfer, Phase.FINISHING)
            return [{"ask": "finish", **key}]
        row.transfer, spans = ask(row.transfer)
        return [{"ask": "pieces", **key, "spans": spans}] if spans else []

    def _give_up(self, problem: str) -> None:
        row, self._row = self._row, None
        self.problem = problem
        if row is not None:
            row.discard()


def _shown(name: str) -> str:
    """Return a name to show: the last part of it, of printable letters, not too long."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(sign for sign in last if sign.isprintable()) or "video"
    if len(plain) <= _LONGEST_NAME:
        return plain
    return f"{plain[: _LONGEST_NAME - 13]}…{plain[-12:]}"
