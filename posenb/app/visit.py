"""A folder for each visitor: of its own, limited in size, gone when the visit ends."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from posenb.errors import StorageError
from posenb.video.index_cache import cache_path

__all__ = ["LIMIT", "VARIABLE", "Visit", "forget", "sweep"]

VARIABLE = "POSENB_APP_LIMIT"
"""Environment variable with the most bytes that a visitor may use."""

LIMIT = 4 * 10**9
"""Bytes, where the variable says nothing else."""

_PREFIX = "posenb-visit-"


class Visit:
    """What one visitor may leave on this machine, for as long as the visit lasts.

    The folder lies where temporary files do, and only its owner can read it. It is removed
    by `close` or at the end of the process; what a killed process left, the next visit
    sweeps away.

    Parameters
    ----------
    limit : int, optional
        Most bytes; by default those of the variable ``POSENB_APP_LIMIT``, or 4 GB.

    Attributes
    ----------
    folder : Path
    limit : int
    """

    def __init__(self, limit: int | None = None) -> None:
        sweep()
        self.limit = int(os.environ.get(VARIABLE) or LIMIT) if limit is None else limit
        self.folder = Path(tempfile.mkdtemp(prefix=_PREFIX)).resolve()
        self._lock = FileLock(_lock_of(self.folder))
        self._lock.acquire()
        atexit.register(self.close)

    def used(self) -> int:
        """Return how many bytes lie there."""
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())

    def room(self) -> int:
        """Return how many bytes can still be written, by the limit and by the disk."""
        free = shutil.disk_usage(self.folder).free
        return max(0, min(self.limit - self.used(), int(0.9 * free)))

    def place(self, name: str) -> Path:
        """Return a folder below, made empty.

        Parameters
        ----------
        name : str
            Chosen here, never by a browser.
        """
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder

    def check_room(self, wanted: int, what: str) -> None:
        """Make sure that something fits.

        Raises
        ------
        StorageError
            If it does not.
        """
        room = self.room()
        if wanted > room:
            left = f"{room / 1e6:,.0f} MB are left"
            whole = self.limit - self.used() > room
            raise StorageError(
                f"Each visitor has {self.limit / 1e9:.3g} GB here; "
                f"{f'but on the disk only {left}' if whole else left}, and {what} needs "
                f"{wanted / 1e6:,.0f} MB. Take a shorter video, or ask whoever runs the app for "
                "more."
            )

    def close(self) -> None:
        """Remove everything."""
        atexit.unregister(self.close)
        self._lock.release()
        _remove(self.folder)


def sweep(young: float = 60.0) -> None:
    """Remove the folders of visits whose processes have ended without doing so.

    Parameters
    ----------
    young : float, optional
        Seconds in which a folder may not have its lock yet, and stays.
    """
    for folder in Path(tempfile.gettempdir()).resolve().glob(f"{_PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir() or not _is_ours(folder, young):
            continue
        try:
            with FileLock(_lock_of(folder), timeout=0):
                pass
        except Timeout:
            continue
        _remove(folder)


def _lock_of(folder: Path) -> Path:
    return folder / ".visit.lock"


def _is_ours(folder: Path, young: float) -> bool:
    """Tell whether a folder is this user's and old enough to have its lock held, if it is."""
    try:
        status = folder.stat()
    except FileNotFoundError:
        return False
    mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return mine and time.time() - status.st_mtime > young


def forget(video: Path) -> None:
    """Remove a video, and the times of its frames that were kept outside the visit."""
    cache_path(str(video)).unlink(missing_ok=True)
    video.unlink(missing_ok=True)


def _remove(folder: Path) -> None:
    for video in (*folder.glob("videos/*"), *folder.glob("run/*.mp4")):
        with suppress(StorageError, OSError):  # another process may sweep here, too
            forget(video)
    shutil.rmtree(folder, ignore_errors=True)
