"""Mutual exclusion between processes, on file systems and object stores."""

from __future__ import annotations

import errno
import json
import os
import random
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import NamedTuple

from posenb.errors import StorageError
from posenb.storage.faults import is_missing, naming_faults
from posenb.storage.files import read_bytes, write_bytes
from posenb.storage.stores import store_of
from posenb.storage.urls import OWN_PREFIX, Url, is_local, join, name, parent, resolve

__all__ = ["lock", "lock_sign", "update_bytes"]

# A remote holder rewrites its lock this often per lease; one that was silent for a
# whole lease (seconds, by the clock of whoever waits) is taken for dead.
_LEASE = 20.0
_BEATS_PER_LEASE = 4
_POLL = 0.2
_FREE = ".free"
_GLANCE = 0.1  # seconds in which another one's glance at a local lock is over


@contextmanager
def lock(url: Url, timeout: float = 30.0) -> Iterator[None]:
    """Hold `url` against all other processes and threads that lock it too.

    Locally this is a lock of the operating system, which dies with its holder. On
    object stores it is a hidden object beside `url` that the holder keeps renewing;
    if it falls silent for 20 s, the lock passes on. The lock is not re-entrant.

    Parameters
    ----------
    url : str or PathLike
        A file, which need not be there.
    timeout : float, default 30.0
        Seconds to wait for the lock.

    Raises
    ------
    StorageError
        If the lock is not free in time, or (on leaving) if it was lost meanwhile
        because this process could not renew it.
    """
    with _held(resolve(url), timeout) as insist:
        yield
        insist()


def update_bytes(
    url: Url, change: Callable[[bytes | None], bytes | None], timeout: float = 30.0
) -> None:
    """Read, change and write a file while no other process does the same.

    Parameters
    ----------
    url : str or PathLike
        The file.
    change : callable
        Receives the content, None if the file is absent, and returns the new one;
        None or the same content writes nothing.
    timeout : float, default 30.0
        Seconds to wait for the file's lock.

    Raises
    ------
    StorageError
        If the lock is not free in time, or if it was lost before the writing; the
        file then stays as it was.
    """
    with _held(resolve(url), timeout) as insist:
        old = _read_or_none(resolve(url))
        new = change(old)
        if new is not None and new != old:
            insist()
            write_bytes(url, new)


def lock_sign(url: Url) -> str | None:
    """Tell whether anyone holds the lock of `url`, without waiting for it.

    Parameters
    ----------
    url : str or PathLike
        What `lock` was given.

    Returns
    -------
    str or None
        None if it is free. Else a text: on object stores the holder changes it every
        few seconds for as long as it lives; a local lock dies with its holder.
    """
    whole = resolve(url)
    if is_local(whole):
        return _system_sign(whole)
    folder = _lock_url(whole)
    turns = _turns(folder)
    if turns.free:
        return None
    beat = _read_or_none(join(folder, f"{turns.last:012d}")) or b""
    return f"{turns.last} {beat.decode()}"


def _system_sign(whole: str) -> str | None:
    from filelock import FileLock, Timeout

    path = _lock_url(os.path.realpath(whole))
    if not os.path.exists(path):  # noqa: PTH110 (URLs are texts here)
        return None
    glance = FileLock(path, thread_local=False)
    with naming_faults("Locking", whole):
        try:
            glance.acquire(timeout=_GLANCE, poll_interval=_GLANCE / 5)
        except Timeout:
            return "held"
    glance.release()
    return None


def _held(whole: str, timeout: float) -> AbstractContextManager[Callable[[], None]]:
    """Hold the lock; what is handed out raises if the lock has been lost."""
    return _system_lock(whole, timeout) if is_local(whole) else _lease(whole, timeout)


@contextmanager
def _system_lock(whole: str, timeout: float) -> Iterator[Callable[[], None]]:
    from filelock import FileLock, Timeout

    with naming_faults("Locking", whole):
        os.makedirs(parent(whole), exist_ok=True)  # noqa: PTH103 (URLs are texts here)
        held = FileLock(_lock_url(os.path.realpath(whole)), thread_local=False)
        try:
            held.acquire(timeout=timeout)
        except Timeout as error:
            raise _busy(whole, timeout, "another process") from error
        except NotImplementedError as error:
            raise StorageError(
                f"Locking {whole!r} failed: its file system knows no locks. Choose another folder."
            ) from error
    try:
        yield lambda: None
    finally:
        held.release()


@contextmanager
def _lease(whole: str, timeout: float) -> Iterator[Callable[[], None]]:
    lease = _take(whole, timeout)
    stop = threading.Event()
    heart = threading.Thread(target=lease.keep_beating, args=(stop,), daemon=True)
    heart.start()

    def insist() -> None:
        if lease.lost():
            raise StorageError(
                f"The lock on {whole!r} was lost: this process was silent for too long and "
                "another took over. Check the file and run it again."
            )

    try:
        yield insist
    finally:
        stop.set()
        heart.join()
        lease.release()


def _lock_url(whole: str) -> str:
    return join(parent(whole), f"{OWN_PREFIX}lock-{name(whole)}")


def _busy(whole: str, timeout: float, holder: str) -> StorageError:
    return StorageError(
        f"{whole!r} is in use by {holder} and did not become free within {timeout:g} s. "
        "Wait until the other has finished, or stop it, and run it again."
    )


@dataclass(frozen=True, slots=True)
class _Lease:
    """One turn at the lock of a remote file.

    The turns are objects numbered upwards in a hidden folder. The highest number
    holds the lock unless an object of its name ending in .free is beside it. To take
    the lock is to create the next number, which the store lets only one do, and then
    to see no higher one. The highest number is never deleted: whoever acts on an old
    listing meets a higher number and steps back, however slow it was.
    """

    folder: str
    number: int
    owner: str

    @property
    def url(self) -> str:
        return join(self.folder, f"{self.number:012d}")

    def content(self, beat: int) -> bytes:
        who = {"owner": self.owner, "host": socket.gethostname(), "pid": os.getpid()}
        return json.dumps({**who, "beat": beat}).encode()

    def create(self) -> bool:
        """Try to take this turn; if that succeeds, delete what earlier ones left."""
        try:
            write_bytes(self.url, self.content(beat=0), exclusive=True)
        except StorageError as error:
            if error.errno != errno.EEXIST:
                raise
            # A client that tried again after a lost reply may have met its own object.
            if _read_or_none(self.url) != self.content(beat=0):
                return False
        turns = _turns(self.folder)
        if turns.last > self.number:
            return False
        store = store_of(self.folder)
        for each in turns.names:
            if _number(each) < self.number:
                store.delete(join(self.folder, each))
        return True

    def lost(self) -> bool:
        """Tell whether another has taken a later turn."""
        return _turns(self.folder).last > self.number

    def keep_beating(self, stop: threading.Event) -> None:
        """Show waiters that the holder lives, until `stop` is set."""
        beat = 0
        while not stop.wait(_LEASE / _BEATS_PER_LEASE):
            beat += 1
            with suppress(StorageError):  # the next beat may pass; a loss shows on leaving
                write_bytes(self.url, self.content(beat))

    def release(self) -> None:
        """Pass the turn on."""
        write_bytes(self.url + _FREE, b"")


class _Turns(NamedTuple):
    names: frozenset[str]
    last: int
    free: bool


def _turns(folder: str) -> _Turns:
    names = frozenset(name(entry.url) for entry in store_of(folder).entries(folder))
    taken = [each for each in names if not each.endswith(_FREE)]
    last = max(taken, key=_number, default="0")
    return _Turns(names, _number(last), not taken or last + _FREE in names)


def _number(each: str) -> int:
    return int(each.removesuffix(_FREE))


def _take(whole: str, timeout: float) -> _Lease:
    folder = _lock_url(whole)
    owner = uuid.uuid4().hex
    deadline = time.monotonic() + timeout
    seen, since = (0, b""), time.monotonic()
    while True:
        turns = _turns(folder)
        if not turns.free:
            now = (turns.last, _read_or_none(join(folder, f"{turns.last:012d}")) or b"")
            if now != seen:
                seen, since = now, time.monotonic()
        if turns.free or time.monotonic() - since > _LEASE:
            lease = _Lease(folder, turns.last + 1, owner)
            if lease.create():
                return lease
        if time.monotonic() > deadline:
            raise _busy(whole, timeout, _describe(seen[1]))
        time.sleep(_POLL * random.uniform(0.5, 1.0))  # noqa: S311 (no secret)


def _describe(content: bytes) -> str:
    if not content:
        return "another process"
    who = json.loads(content)
    return f"process {who['pid']} on {who['host']}"


def _read_or_none(url: str) -> bytes | None:
    try:
        return read_bytes(url)
    except StorageError as error:
        if is_missing(error):
            return None
        raise
