"""Reading, writing and listing files, the same way wherever they lie."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO

from posenb.errors import InvalidInputError, StorageError
from posenb.storage.faults import Fault, fault_of, naming_faults, storage_error
from posenb.storage.reader import open_remote
from posenb.storage.staging import staging_folder
from posenb.storage.stores import Entry, store_of
from posenb.storage.urls import Url, is_local, is_own, is_root, name, resolve, scheme

__all__ = [
    "changed_while_read",
    "copy",
    "digest",
    "download",
    "exists",
    "fingerprint",
    "is_folder",
    "list_files",
    "list_folders",
    "move",
    "open_read",
    "read_bytes",
    "read_text",
    "reading",
    "remove",
    "size",
    "write_bytes",
    "write_text",
    "writing",
]

_CHUNK = 16 * 2**20


def exists(url: Url) -> bool:
    """Tell whether a file or folder is at `url`.

    Raises
    ------
    StorageError
        If the storage cannot be asked: a failing network is never taken for "no".
    """
    return store_of(url).look(resolve(url)) is not None


def is_folder(url: Url) -> bool:
    """Tell whether `url` is a folder; an object store has no empty ones."""
    entry = store_of(url).look(resolve(url))
    return entry is not None and entry.folder


def size(url: Url) -> int:
    """Return the size of the file `url` in bytes.

    Raises
    ------
    StorageError
        If there is no such file, or a web server does not tell its size.
    """
    return _known_size(_file(url, "Measuring"))


def fingerprint(url: Url) -> str:
    """Return a short text that changes when the content of `url` does.

    It is made of the size and what the storage keeps at hand: a checksum, version
    or time. It costs one request and reads no content, so it serves as a cache key;
    `digest` is the proof.
    """
    entry = _file(url, "Measuring")
    return f"{entry.size}-{hashlib.sha256(entry.stamp.encode()).hexdigest()[:16]}"


def digest(url: Url) -> str:
    """Return the SHA-256 of the content of `url` in hexadecimal, read in chunks."""
    total = hashlib.sha256()
    for chunk in _chunks(url):
        total.update(chunk)
    return total.hexdigest()


def _file(url: Url, action: str) -> Entry:
    whole = resolve(url)
    entry = store_of(whole).look(whole)
    if entry is None:
        raise storage_error(action, whole, FileNotFoundError("nothing is there"))
    if entry.folder:
        raise storage_error(action, whole, IsADirectoryError("a folder is there"))
    return entry


def _known_size(entry: Entry) -> int:
    # Without it nobody could tell a whole download from one that was cut off.
    if entry.size is None:
        raise StorageError(
            f"A file is fetched in parts, so its size must be known; the server of {entry.url!r} "
            "does not tell it (there is no Content-Length). Download it yourself, with a browser "
            "for instance, and name the local file."
        )
    return entry.size


def list_files(url: Url, pattern: str = "*", *, recursive: bool = False) -> list[str]:
    """List the files in a folder.

    Parameters
    ----------
    url : str or PathLike
        The folder; an absent one counts as empty.
    pattern : str, default "*"
        Shell pattern that the file's name, without its folder, must match; case
        matters.
    recursive : bool, default False
        Whether to go down into folders. Linked local folders are not followed.

    Returns
    -------
    list of str
        Whole URLs, sorted.
    """
    folder = resolve(url)
    store = store_of(folder)
    found = store.walk(folder) if recursive else _visible(store.entries(folder))
    return sorted(
        entry.url for entry in found if not entry.folder and fnmatchcase(name(entry.url), pattern)
    )


def list_folders(url: Url) -> list[str]:
    """List the folders right in a folder, as whole URLs, sorted; absent counts as empty."""
    folder = resolve(url)
    return sorted(entry.url for entry in _visible(store_of(folder).entries(folder)) if entry.folder)


def _visible(entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if not is_own(name(entry.url))]


def read_bytes(url: Url, start: int = 0, stop: int | None = None) -> bytes:
    """Return the bytes of a file, or of a range of it.

    Parameters
    ----------
    url : str or PathLike
        The file.
    start, stop : int, optional
        Zero-based, `stop` excluded, as in a slice but never negative. What lies
        behind the end is left out.
    """
    if start < 0 or (stop is not None and stop < start):
        raise InvalidInputError(
            f"A range of bytes must have 0 <= start <= stop; got start={start}, stop={stop}."
        )
    if stop == start:
        return b""
    return store_of(url).read(resolve(url), start, stop)


def read_text(url: Url) -> str:
    """Return the content of a UTF-8 text file, without a byte-order mark."""
    try:
        return read_bytes(url).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise StorageError(
            f"A text file must be in UTF-8; {resolve(url)!r} is not ({error}). "
            "Save it again as UTF-8, or check that it is a text file at all."
        ) from error


def write_bytes(url: Url, data: bytes, *, exclusive: bool = False) -> None:
    """Write a file so that it is there whole or not at all; make its folders.

    Parameters
    ----------
    url : str or PathLike
        The file; what is there is replaced in one step.
    data : bytes
        Its content.
    exclusive : bool, default False
        Fail if the file is there already. Of several writers at once, one wins:
        by hard link locally, ``ifGenerationMatch=0`` on gs://, ``If-None-Match``
        on s3:// (a store that only imitates S3 may not honour it).

    Raises
    ------
    StorageError
        With ``errno`` EEXIST if `exclusive` and the file is there, or if it cannot be
        written; what was there before is then unharmed.
    """
    with _staged(url, exclusive=exclusive) as path, naming_faults("Writing", resolve(url)):
        path.write_bytes(data)


def write_text(url: Url, text: str) -> None:
    """Write a UTF-8 text file so that it is there whole or not at all."""
    write_bytes(url, text.encode("utf-8"))


@contextmanager
def writing(url: Url) -> Iterator[Path]:
    """Give a local path to write to, and publish it as `url` when all went well.

    The path has the file name of `url`, so that libraries can tell the format by
    its ending; nothing is there yet. If the body raises or the process is killed,
    `url` stays as it was.

    Raises
    ------
    StorageError
        If the body wrote nothing, or the file cannot be published.
    """
    with _staged(url, exclusive=False) as path:
        yield path


@contextmanager
def _staged(url: Url, *, exclusive: bool) -> Iterator[Path]:
    whole = _file_url(url)
    store = store_of(whole)
    folder = store.staging(whole)
    try:
        path = folder / name(whole)
        yield path
        if not path.is_file():
            raise StorageError(
                f"Nothing was written to {str(path)!r}, so {whole!r} stays as it was. "
                "Write one file to the path that was given."
            )
        store.publish(path, whole, exclusive=exclusive)
    except OSError as error:
        if isinstance(error, StorageError) or fault_of(error) is not Fault.FULL:
            raise
        raise storage_error("Writing", whole, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _file_url(url: Url) -> str:
    whole = resolve(url)
    if is_root(whole):
        raise InvalidInputError(
            f"A file must have a name below its bucket or drive; got {whole!r}."
        )
    return whole


@contextmanager
def reading(url: Url) -> Iterator[Path]:
    """Give a local path with the content of `url`, for libraries that need one.

    It is the file itself if it is local, else a copy that is gone afterwards. Never
    write to it.
    """
    whole = resolve(url)
    if is_local(whole):
        _file(whole, "Reading")
        yield Path(whole)
        return
    folder = staging_folder()
    try:
        path = folder / (name(whole) or "content")
        download(whole, path)
        yield path
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def open_read(url: Url) -> BinaryIO:
    """Open a file for reading in any order, as a video demuxer does.

    A remote file is fetched in blocks of 4 MiB, the next one ahead of time, with
    at most 64 MiB held; dropped connections are retried.
    """
    entry = _file(url, "Opening")
    if is_local(entry.url):
        with naming_faults("Opening", entry.url):
            return Path(entry.url).open("rb")
    return open_remote(store_of(entry.url), entry.url, _known_size(entry))


def download(url: Url, path: Path) -> None:
    """Write the content of `url` to a local path, whose folder must be there.

    Chunks are retried on their own, so a dropped connection costs one chunk.

    Raises
    ------
    StorageError
        If the file changed while it was read.
    """
    with path.open("wb") as stream:
        for chunk in _chunks(url):
            with naming_faults("Writing", str(path)):
                stream.write(chunk)


def _chunks(url: Url) -> Iterator[bytes]:
    """Read a file in chunks, making sure that all belong to one version of it."""
    before = _file(url, "Reading")
    store, size = store_of(before.url), _known_size(before)
    for start in range(0, size, _CHUNK):
        yield store.read(before.url, start, min(start + _CHUNK, size))
    if _file(url, "Reading") != before:
        raise changed_while_read(before.url)


def changed_while_read(url: str) -> StorageError:
    """Return the error for a file that another process rewrote under our eyes."""
    return StorageError(
        f"A file must stay as it is while it is read; {url!r} changed. "
        "Run it again when whatever writes it has finished."
    )


def copy(source: Url, target: Url) -> None:
    """Copy a file, within or between storages, so that it arrives whole or not at all."""
    before = _file(source, "Copying")
    origin, goal = before.url, _file_url(target)
    if origin == goal:
        return
    if scheme(origin) == scheme(goal):
        store_of(goal).copy(origin, goal)
        return
    if is_local(origin):
        store_of(goal).publish(Path(origin), goal, exclusive=False)
        if _file(origin, "Copying") != before:
            raise changed_while_read(origin)
        return
    with writing(goal) as staged:
        download(origin, staged)


def move(source: Url, target: Url) -> None:
    """Move a file; at every moment it is whole at one of the two places at least."""
    origin, goal = _file(source, "Moving").url, _file_url(target)
    if origin == goal:
        return
    if scheme(origin) == scheme(goal):
        store_of(goal).move(origin, goal)
        return
    copy(origin, goal)
    store_of(origin).delete(origin)


def remove(url: Url, *, recursive: bool = False) -> None:
    """Remove a file, or a folder with all that is in it.

    What is absent already counts as removed, so that a removal can be run again.

    Parameters
    ----------
    url : str or PathLike
        The file or folder; never a whole bucket or drive.
    recursive : bool, default False
        Must be True for a folder.
    """
    whole = resolve(url)
    store = store_of(whole)
    entry = store.look(whole)
    if entry is None:
        return
    if not entry.folder:
        store.delete(whole)
        return
    if not recursive:
        raise storage_error("Removing", whole, IsADirectoryError("a folder is there"))
    if is_root(whole):
        raise InvalidInputError(
            f"A whole bucket or drive is never removed; got {whole!r}. Name a folder in it."
        )
    store.delete_folder(whole)
