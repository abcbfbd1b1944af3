"""One file on its way into the project: its pieces go to the storage, its progress is noted."""

from __future__ import annotations

import errno
from dataclasses import replace

from posenb import storage
from posenb.errors import StorageError
from posenb.project.value import VIDEOS
from posenb.widgets.upload_beginnings import Beginning, forget, keep
from posenb.widgets.upload_state import START, Phase, Transfer, begin, end, move_to, take

__all__ = ["Arrival"]

_NOTE_EVERY = 5.0  # seconds; buckets take about one write to the same object in a second


class Arrival:
    """A transfer with the growing file that its pieces go to.

    Parameters
    ----------
    project : str
        URL of the project.
    transfer : Transfer
        How far it is; replaced at each step.
    beginning : Beginning, optional
        What was noted of it before a break.
    """

    def __init__(
        self, project: str, transfer: Transfer, beginning: Beginning | None = None
    ) -> None:
        self.transfer = transfer
        self.beginning = beginning
        self.facts = ""
        self.offer = ""
        self.direct = False
        self.may_be_direct = True
        self._project = project
        self._growing: storage.Growing | None = None
        self._buffer = bytearray()
        self._noted = 0.0

    @property
    def url(self) -> str:
        """Where the video goes."""
        return storage.join(self._project, VIDEOS, self.transfer.target)

    @property
    def is_open(self) -> bool:
        """Whether pieces can go on where they stopped, with nothing to be proven."""
        return self._growing is not None and self.transfer.position > 0

    @property
    def session(self) -> str | None:
        """Address to which the browser may send the bytes by itself, if there is one."""
        return self._growing.session if self._growing is not None else None

    @property
    def part(self) -> int:
        """Bytes of a part of the growing file."""
        return self._growing.part if self._growing is not None else 0

    def start(self, origin: str | None, now: float) -> tuple[int, ...]:
        """Begin, or go on where a break was.

        Parameters
        ----------
        origin : str or None
            Page whose browser may send to the bucket by itself.
        now : float

        Returns
        -------
        tuple of int
            Positions up to which the browser shall prove its bytes first, in `proven`; if
            there are none, pieces can come at once.

        Raises
        ------
        StorageError
            With ``errno`` EEXIST if the name is taken.
        """
        self.close()
        size, before = self.transfer.size, self.beginning
        if before is not None and before.target != self.transfer.target:
            self.discard()
        elif before is not None:
            try:
                self._growing = storage.grow(self.url, size, ticket=before.ticket, origin=origin)
            except StorageError as error:
                if error.errno != errno.ENOENT:
                    raise
            else:
                there = self._growing.position
                if there and before.position:
                    self.transfer = replace(end(self.transfer, Phase.CHECKING), heard=now)
                    return tuple(sorted({before.position, there}))
                self._growing.abort()
            self._drop_note()
        self._growing = storage.grow(self.url, size, origin=origin)
        self.transfer = begin(replace(self.transfer, position=0, chain=START), now)
        self._note(now, at_once=True)
        return ()

    def proven(self, chains: dict[int, str], now: float) -> bool:
        """Go on if the browser's bytes are those that were sent before the break.

        Returns
        -------
        bool
            Whether they are. If not, what had arrived is thrown away.
        """
        growing, before = self._growing, self.beginning
        there = 0 if growing is None else growing.position
        if before is None or there not in chains or chains.get(before.position) != before.chain:
            self.discard()
            return False
        self.transfer = begin(move_to(self.transfer, there, chains[there], now), now)
        return True

    def go_on(self, now: float) -> None:
        """Let pieces come again after a pause."""
        self.transfer = begin(self.transfer, now)

    def take(self, start: int, digest: str, data: bytes, now: float) -> None:
        """Check a piece and pass it on when it fills a part.

        Parameters
        ----------
        start : int
            First byte.
        digest : str
            SHA-256 in hexadecimal, as the browser made it.
        data : bytes
        now : float

        Raises
        ------
        StorageError
            If the storage does not take the part.
        """
        self.transfer, counts = take(self.transfer, start, digest, data, now)
        if not counts or self._growing is None:
            return
        self._buffer += data
        if len(self._buffer) == self._growing.part or self.transfer.whole:
            if self._growing.position != self.transfer.position - len(self._buffer):
                raise StorageError(
                    f"Only one window may send {self.transfer.name!r} at a time; another one does. "
                    "Let it finish there, or give it up there and try again here."
                )
            self._growing.append(bytes(self._buffer))
            self._buffer.clear()
            if not self.transfer.whole:
                self._note(now)

    def put(self, position: int, chain: str, now: float) -> None:
        """Hear from the browser how much it has sent to the bucket by itself."""
        if self.transfer.phase is Phase.SENDING and self.direct:
            self.transfer = move_to(self.transfer, min(position, self.transfer.size), chain, now)
            self._note(now)

    def finish(self, crc32c: str | None) -> None:
        """Let the file appear.

        Parameters
        ----------
        crc32c : str or None
            Checksum of what the browser has sent by itself.

        Raises
        ------
        StorageError
            If the name was taken meanwhile, or what arrived is not what was sent.
        """
        growing = self._growing
        if growing is None:
            raise StorageError(f"Nothing of {self.transfer.name!r} has arrived. Choose it again.")
        growing.finish()
        self._drop_note()
        found = growing.crc32c() if self.direct else None
        if found is not None and found != crc32c:
            storage.remove(self.url)
            raise StorageError(
                f"What arrived in the bucket must have the checksum of the file, {crc32c}; it has "
                f"{found} and was removed. Choose the file again."
            )
        self._growing = None

    def close(self) -> None:
        """Go back to what is safe: parts that have arrived."""
        self._buffer.clear()
        self._growing = None
        self.direct = False
        if self.beginning is not None:
            self.transfer = replace(
                self.transfer, position=self.beginning.position, chain=self.beginning.chain
            )

    def discard(self) -> None:
        """Throw away what has arrived."""
        growing = self._growing
        if growing is None and self.beginning is not None:
            growing = _open_again(self.url, self.transfer.size, self.beginning.ticket)
        if growing is not None:
            growing.abort()
        self._drop_note()
        self.close()
        self.transfer = replace(self.transfer, position=0, asked=0, chain=START)

    def _note(self, now: float, *, at_once: bool = False) -> None:
        """Write down how far it is, if some seconds have passed."""
        growing, first = self._growing, self.beginning is None or not self.beginning.position
        if growing is None or not (at_once or first or now - self._noted >= _NOTE_EVERY):
            return
        self._noted = now
        self.beginning = Beginning(
            name=self.transfer.name,
            size=self.transfer.size,
            modified=self.transfer.modified,
            target=self.transfer.target,
            ticket=growing.ticket,
            position=self.transfer.position,
            chain=self.transfer.chain,
        )
        keep(self._project, self.beginning)

    def _drop_note(self) -> None:
        if self.beginning is not None:
            forget(self._project, self.beginning)
            self.beginning = None


def _open_again(url: str, size: int, ticket: str) -> storage.Growing | None:
    try:
        return storage.grow(url, size, ticket=ticket)
    except StorageError as error:
        if error.errno in (errno.ENOENT, errno.EEXIST):
            return None
        raise
