"""Files of this machine: staged beside their target, synced, then renamed."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

from posenb.storage.faults import naming_faults
from posenb.storage.staging import staging_folder
from posenb.storage.stores import Entry
from posenb.storage.urls import is_own

__all__ = ["LocalStore", "publish_as"]

_NO_HARD_LINKS = frozenset(
    getattr(errno, code)
    for code in ("EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL")
    if hasattr(errno, code)
)


class LocalStore:
    """Files of this machine, as a `Store`."""

    def look(self, url: str) -> Entry | None:
        """Describe what lies at `url`, None if nothing does."""
        with naming_faults("Looking up", url):
            try:
                return _entry(url, os.stat(url))  # noqa: PTH116 (URLs are texts here)
            except (FileNotFoundError, NotADirectoryError):
                return None

    def entries(self, url: str) -> list[Entry]:
        """List what lies right in the folder `url`, storage's own files too."""
        with naming_faults("Listing", url):
            try:
                scan = os.scandir(url)
            except FileNotFoundError:
                return []
            with scan:
                found = [_scanned(item) for item in scan]
        return [entry for entry in found if entry is not None]

    def walk(self, url: str) -> list[Entry]:
        """List all files at any depth below `url`, but nothing of storage's own."""
        found: list[Entry] = []
        waiting = [url]
        while waiting:
            for entry in self.entries(waiting.pop()):
                if is_own(Path(entry.url).name):
                    continue
                if not entry.folder:
                    found.append(entry)
                elif not Path(entry.url).is_symlink():  # a linked folder may hold itself
                    waiting.append(entry.url)
        return found

    def read(self, url: str, start: int, stop: int | None) -> bytes:
        """Return bytes `start` to `stop` (None: the end), fewer where the file ends."""
        with naming_faults("Reading", url), Path(url).open("rb") as stream:
            stream.seek(start)
            return stream.read(-1 if stop is None else stop - start)

    def staging(self, url: str) -> Path:
        """Make a folder beside `url`, so that a rename can publish what grows in it."""
        folder = Path(os.path.realpath(url)).parent
        with naming_faults("Writing", url):
            folder.mkdir(parents=True, exist_ok=True)
            return staging_folder(folder)

    def publish(self, source: Path, url: str, *, exclusive: bool) -> None:
        """Sync `source` and rename it to `url`; a symbolic link stays a link."""
        target = Path(os.path.realpath(url))
        with naming_faults("Writing", url):
            _sync(source)
            if target.is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder is there", url)
            if exclusive:
                _link_or_fail(source, target)
            else:
                source.replace(target)
            _sync_folder(target.parent)

    def copy(self, source: str, target: str) -> None:
        """Copy a file, whole or absent."""
        folder = self.staging(target)
        try:
            staged = folder / Path(target).name
            with naming_faults("Copying", source):
                shutil.copyfile(source, staged)
            self.publish(staged, target, exclusive=False)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def move(self, source: str, target: str) -> None:
        """Move a file, whole or absent."""
        goal = Path(os.path.realpath(target))
        with naming_faults("Moving", source):
            goal.parent.mkdir(parents=True, exist_ok=True)
            if goal.is_dir():
                raise IsADirectoryError(errno.EISDIR, "a folder is there", target)
            try:
                Path(source).replace(goal)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                self.copy(source, target)
                Path(source).unlink()
            _sync_folder(goal.parent)

    def delete(self, url: str) -> None:
        """Delete the file `url`; nothing happens if it is absent."""
        with naming_faults("Removing", url):
            Path(url).unlink(missing_ok=True)

    def delete_folder(self, url: str) -> None:
        """Delete the folder `url` and all that is in it; of a link, only the link."""
        with naming_faults("Removing", url):
            if Path(url).is_symlink():
                Path(url).unlink()
            else:
                shutil.rmtree(url)


def publish_as(source: Path, url: str) -> None:
    """Rename a synced file to `url`, in whose folder it lies, unless something is there."""
    target = Path(os.path.realpath(url))
    with naming_faults("Writing", url):
        _link_or_fail(source, target)
        source.unlink(missing_ok=True)
        _sync_folder(target.parent)


def _entry(url: str, status: os.stat_result) -> Entry:
    folder = stat.S_ISDIR(status.st_mode)
    return Entry(url, 0 if folder else status.st_size, folder, f"{status.st_mtime_ns:x}")


def _scanned(item: os.DirEntry[str]) -> Entry | None:
    try:
        return _entry(item.path, item.stat())
    except FileNotFoundError:  # a dangling link, or removed since the scan
        return None


def _sync(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename in `folder` outlast a power cut, where the system can."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # network drives cannot
            raise
    finally:
        os.close(handle)


def _link_or_fail(source: Path, target: Path) -> None:
    """Give `source` the name `target` unless that is taken, in one step."""
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        # FAT and some network drives lack hard links: reserve the name, then fill it.
        target.touch(exist_ok=False)
        source.replace(target)
