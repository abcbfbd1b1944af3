"""Files that grow part by part, across processes if need be, and appear whole at their end."""

from __future__ import annotations

import errno
import os
import re
import threading
import uuid
from pathlib import Path
from typing import Protocol

from posenb.errors import InvalidInputError, StorageError
from posenb.storage.faults import naming_faults, storage_error
from posenb.storage.files import exists, write_bytes
from posenb.storage.local import publish_as
from posenb.storage.urls import OWN_PREFIX, Url, is_root, resolve, scheme

__all__ = ["Growing", "grow"]

_PART = 8 * 2**20
_PARTS = 9000  # S3 allows ten thousand
_TOKEN = re.compile(r"[0-9a-f]{32}")


class Growing(Protocol):
    """A file of known size that arrives in parts, and is seen by nobody until it is whole.

    Attributes
    ----------
    url : str
        What it becomes.
    size : int
        Bytes of the whole.
    part : int
        Bytes of each part but the last, which may be shorter.
    position : int
        Bytes that have arrived and outlast this process; a multiple of `part`, or `size`.
    ticket : str
        With it another process goes on. Whoever holds that of a bucket may write this one
        file, so it belongs beside the file and nowhere else.
    session : str or None
        Address to which a browser may PUT the bytes by itself, if the store has such.
    """

    url: str
    size: int
    part: int
    ticket: str

    @property
    def position(self) -> int:
        """Bytes that have arrived and outlast this process."""
        ...

    @property
    def session(self) -> str | None:
        """Address to which a browser may PUT the bytes, if the store has such."""
        ...

    def append(self, data: bytes) -> None:
        """Add the next part."""
        ...

    def finish(self) -> None:
        """Let the file appear; never in place of another."""
        ...

    def crc32c(self) -> str | None:
        """Return the checksum, in base64, that the store made of the finished file, if any."""
        ...

    def abort(self) -> None:
        """Throw away what has arrived; nothing happens if that is gone already."""
        ...


def grow(url: Url, size: int, *, ticket: str | None = None, origin: str | None = None) -> Growing:
    """Begin a file that arrives in parts, or go on with one.

    Only the part that is being added is held in memory. What is never finished nor
    aborted stays as a hidden file (locally) or takes paid space until the bucket's own
    rules remove it (on gs:// after a week).

    Parameters
    ----------
    url : str or PathLike
        The file, of which nothing may be there.
    size : int
        Bytes of the whole, at least 1.
    ticket : str, optional
        That of an earlier process, which must have stopped adding.
    origin : str, optional
        Scheme and host of the page whose browser shall be let into the session.

    Returns
    -------
    Growing

    Raises
    ------
    InvalidInputError
        If the size is not positive, or `url` names a whole bucket or drive.
    StorageError
        With ``errno`` EEXIST if something is at `url`, ENOENT if what the ticket stands for
        has gone; or if the place cannot be written.
    """
    whole = resolve(url)
    if size < 1 or is_root(whole):
        raise InvalidInputError(
            f"A file that grows has a name and at least one byte; got {whole!r} of {size} bytes."
        )
    if exists(whole):
        raise taken(whole)
    protocol = scheme(whole)
    if protocol == "":
        return _LocalGrowing(whole, size, ticket)
    if protocol == "memory":
        return _MemoryGrowing(whole, size, ticket)
    from posenb.storage.growing_buckets import grow_in_bucket

    return grow_in_bucket(whole, size, part_size(size), ticket, origin)


def part_size(size: int) -> int:
    """Return how many bytes a part of a file of `size` bytes has."""
    return _PART * max(1, -(-size // (_PARTS * _PART)))


def taken(url: str) -> StorageError:
    """Return the error for a name that something else has."""
    return storage_error("Writing", url, FileExistsError("something is there"))


def lost(url: str) -> StorageError:
    """Return the error for a beginning that is there no longer."""
    error = StorageError(
        f"What had arrived of {url!r} is there no longer. Begin with the file anew."
    )
    error.errno = errno.ENOENT
    return error


def check_part(growing: Growing, data: bytes) -> None:
    """Refuse a part of the wrong length."""
    due = min(growing.part, growing.size - growing.position)
    if len(data) != due:
        raise InvalidInputError(
            f"The next part of {growing.url!r} has {due} bytes; got {len(data)}."
        )


class _LocalGrowing:
    """A hidden file beside the one it becomes."""

    session = None

    def __init__(self, url: str, size: int, ticket: str | None) -> None:
        self.url, self.size, self.part = url, size, part_size(size)
        self.ticket = _token(url, ticket)
        folder = Path(os.path.realpath(url)).parent
        self._path = folder / f"{OWN_PREFIX}part-{self.ticket}"
        with naming_faults("Writing", url):
            if ticket is None:
                folder.mkdir(parents=True, exist_ok=True)
                self._path.touch(exist_ok=False)
            elif not self._path.is_file():
                raise lost(url)

    @property
    def position(self) -> int:
        """Whole parts in the file; a kill may have left a piece of one more."""
        try:
            there = min(self._path.stat().st_size, self.size)
        except FileNotFoundError:
            raise lost(self.url) from None
        return there if there == self.size else there - there % self.part

    def append(self, data: bytes) -> None:
        """Write a part, so that it outlasts a power cut."""
        check_part(self, data)
        start = self.position
        with naming_faults("Writing", self.url), self._path.open("rb+") as stream:
            stream.truncate(start)
            stream.seek(start)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())

    def finish(self) -> None:
        """Rename the file; what has the name meanwhile keeps it."""
        check_whole(self)
        publish_as(self._path, self.url)

    def crc32c(self) -> None:
        """Return nothing: each part was handed over in this machine."""

    def abort(self) -> None:
        """Remove the hidden file."""
        with naming_faults("Removing", self.url):
            self._path.unlink(missing_ok=True)


_begun: dict[str, list[bytes]] = {}
_begun_turn = threading.Lock()


class _MemoryGrowing:
    """Parts in this process, where all of memory:// lies."""

    session = None

    def __init__(self, url: str, size: int, ticket: str | None) -> None:
        self.url, self.size, self.part = url, size, part_size(size)
        self.ticket = _token(url, ticket)
        with _begun_turn:
            if ticket is None:
                _begun[self.ticket] = []
        self._parts()

    def _parts(self) -> list[bytes]:
        parts = _begun.get(self.ticket)
        if parts is None:
            raise lost(self.url)
        return parts

    @property
    def position(self) -> int:
        """Bytes of all parts."""
        return sum(map(len, self._parts()))

    def append(self, data: bytes) -> None:
        """Keep a part."""
        check_part(self, data)
        self._parts().append(bytes(data))

    def finish(self) -> None:
        """Write the file; what has the name meanwhile keeps it."""
        check_whole(self)
        write_bytes(self.url, b"".join(self._parts()), exclusive=True)
        self.abort()

    def crc32c(self) -> None:
        """Return nothing: each part was handed over in this process."""

    def abort(self) -> None:
        """Forget the parts."""
        _begun.pop(self.ticket, None)


def check_whole(growing: Growing) -> None:
    """Refuse to finish what has not arrived."""
    if growing.position != growing.size:
        raise StorageError(
            f"A file appears when all of it has arrived; of {growing.url!r} there are "
            f"{growing.position} of {growing.size} bytes. Add the rest."
        )


def _token(url: str, ticket: str | None) -> str:
    if ticket is not None and not _TOKEN.fullmatch(ticket):
        raise lost(url)
    return ticket or uuid.uuid4().hex
