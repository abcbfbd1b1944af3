"""Object stores and other remote places, spoken to through fsspec."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from posenb._optional import import_optional
from posenb.errors import InvalidInputError, MissingPackageError, StorageError
from posenb.storage.faults import is_missing, retrying
from posenb.storage.parallel import side_by_side
from posenb.storage.staging import staging_folder
from posenb.storage.stores import Entry
from posenb.storage.urls import is_own, relative

__all__ = ["RemoteStore", "remote_store"]

Result = TypeVar("Result")

# Where one request makes a file appear whole, or not at all.
_ATOMIC = frozenset({"gs", "s3", "memory"})
# Packages that speak for fsspec, and the extras of posenb that install them.
_CLIENTS = {"gs": ("gcsfs", "gcs"), "s3": ("s3fs", "s3")}
_WEB = ("http", "https")
_QUIET = logging.NullHandler()
# One PUT up to here; above, the client uploads in parts and completes at the end.
_ONE_PUT = 4 * 2**20
# gcsfs puts this line between the parts of a small upload, whatever the content holds.
_GCSFS_BOUNDARY = b"--==0=="
_STAMPS = ("md5Hash", "crc32c", "ETag", "etag", "generation", "Content-MD5", "Last-Modified")
_TIMES = ("mtime", "LastModified", "last_modified", "created")

# fsspec's memory store looks and writes in two steps.
_memory_turn = threading.Lock()


def remote_store(protocol: str) -> RemoteStore:
    """Return the store that speaks `protocol`, with no cache of listings.

    Other processes write to the same buckets, so each question is asked anew.
    Credentials and endpoints come from the environment and fsspec's own config.
    """
    if protocol in _CLIENTS:
        module, extra = _CLIENTS[protocol]
        purpose = f"Reaching {protocol}:// URLs"
        import_optional(module, extra=extra, purpose=purpose, keep="fsspec")
    if protocol in _WEB and find_spec("aiohttp") is None:
        raise MissingPackageError(
            f"Reading {protocol}:// URLs needs the package 'aiohttp', which is not installed. "
            "Install it with: pip install aiohttp"
        )
    try:
        if protocol == "gs":
            return RemoteStore(protocol, _google())
        return RemoteStore(protocol, fsspec.filesystem(protocol, use_listings_cache=False))
    except ImportError as error:
        raise MissingPackageError(
            f"{protocol}:// URLs need a package that is not installed: {error}."
        ) from error
    except ValueError as error:
        raise InvalidInputError(
            f"posenb reads local paths, gs://, s3://, memory:// and what fsspec speaks; "
            f"got {protocol}:// ({error}). Copy the data to one of those."
        ) from error


def _google() -> Any:
    # The class that newer versions register asks for the kind of bucket before each request,
    # in vain and slowly where nobody is logged in; the plain one serves all kinds.
    from gcsfs.core import GCSFileSystem

    # gcsfs logs each failure with a traceback; it is ours to raise or to retry.
    logging.getLogger("gcsfs").addHandler(_QUIET)
    # Uploads are compared with the checksum that the bucket answers.
    return GCSFileSystem(use_listings_cache=False, consistency="md5")


@dataclass(frozen=True, slots=True)
class RemoteStore:
    """A file system of fsspec, as a `Store`."""

    protocol: str
    system: Any

    def look(self, url: str) -> Entry | None:
        """Describe what lies at `url`, None if nothing does."""
        try:
            info = self._call("Looking up", url, self.system.info, url)
        except StorageError as error:
            if is_missing(error):
                return None
            raise
        return _entry(url, info)

    def entries(self, url: str) -> list[Entry]:
        """List what lies right in the folder `url`, storage's own files too."""
        return self._listing(url, self._call_or_nothing(url, self.system.ls))

    def walk(self, url: str) -> list[Entry]:
        """List all files at any depth below `url`, but nothing of storage's own."""
        return [
            entry
            for entry in self._listing(url, self._call_or_nothing(url, self.system.find))
            if not any(map(is_own, (relative(entry.url, url) or "").split("/")))
        ]

    def read(self, url: str, start: int, stop: int | None) -> bytes:
        """Return bytes `start` to `stop` (None: the end), fewer where the file ends."""
        try:
            return self._call("Reading", url, self._range, url, start, stop)
        except StorageError:
            # Object stores refuse a range that starts at or after the end.
            entry = self.look(url) if start > 0 else None
            if entry is None or entry.folder or entry.size is None or start < entry.size:
                raise
            return b""

    def _range(self, path: str, start: int, stop: int | None) -> bytes:
        if start == 0 and stop is None:
            return bytes(self.system.cat_file(path))
        found = bytes(self.system.cat_file(path, start=start, end=stop))
        if stop is not None and len(found) > stop - start:
            return found[start:stop]  # a web server that knows no ranges sends the whole file
        return found

    def staging(self, url: str) -> Path:
        """Make a folder among this machine's temporary ones."""
        self._refuse_unless_atomic(url)
        return staging_folder()

    def publish(self, source: Path, url: str, *, exclusive: bool) -> None:
        """Send `source` in one PUT, or in parts that appear together at the end."""
        self._refuse_unless_atomic(url)
        options: dict[str, Any] = {"mode": "create"} if exclusive else {}
        if self.protocol == "memory":
            with _memory_turn:
                self._call(
                    "Writing", url, self.system.pipe_file, url, source.read_bytes(), **options
                )
        elif source.stat().st_size <= _ONE_PUT:
            data = source.read_bytes()
            if self.protocol == "gs" and _GCSFS_BOUNDARY in data:
                options["chunksize"] = len(data)  # then the content travels alone
            self._call("Writing", url, self.system.pipe_file, url, data, **options)
        else:
            self._call("Writing", url, self.system.put_file, str(source), url, **options)

    def copy(self, source: str, target: str) -> None:
        """Copy a file inside the store; nothing travels through this machine."""
        self._refuse_unless_atomic(target)
        self._call("Copying", source, self.system.cp_file, source, target)

    def move(self, source: str, target: str) -> None:
        """Copy, then delete: between the two, the file is at both places, never at none."""
        self.copy(source, target)
        self.delete(source)

    def delete(self, url: str) -> None:
        """Delete the file `url`; nothing happens if it is absent."""
        try:
            self._call("Removing", url, self.system.rm_file, url)
        except StorageError as error:
            if not is_missing(error):
                raise

    def delete_folder(self, url: str) -> None:
        """Delete all that lies below `url`, storage's own files too."""
        # Not by rm(recursive=True): fsspec would take a name such as run[1] for a pattern.
        infos = self._call_or_nothing(url, self.system.find)
        found = [entry.url for entry in self._listing(url, infos)]
        marks = [f"{self.protocol}://{info['name']}" for info in infos if _is_marker(info)]
        for _ in side_by_side([partial(self.delete, each) for each in (*found, *marks)]):
            pass

    def _call(
        self, action: str, url: str, function: Callable[..., Result], *inputs: Any, **options: Any
    ) -> Result:
        return retrying(action, url, partial(function, *inputs, **options))

    def _call_or_nothing(self, url: str, function: Callable[..., Any]) -> list[dict[str, Any]]:
        try:
            found = self._call("Listing", url, function, url, detail=True)
            return list(found.values() if isinstance(found, dict) else found)
        except StorageError as error:
            if is_missing(error):
                return []
            raise

    def _listing(self, url: str, infos: list[dict[str, Any]]) -> list[Entry]:
        folder = self.system._strip_protocol(url).strip("/")
        found = [(info["name"].strip("/"), info) for info in infos if not _is_marker(info)]
        if any(path == folder and info["type"] == "file" for path, info in found):
            raise StorageError(f"Listing {url!r} failed: it is a file. Name a folder.")
        return [
            _entry(path if "://" in path else f"{self.protocol}://{path}", info)
            for path, info in found
            if path != folder
        ]

    def _refuse_unless_atomic(self, url: str) -> None:
        if self.protocol not in _ATOMIC:
            raise StorageError(
                f"posenb writes only where a file appears whole or not at all: local folders, "
                f"gs://, s3:// and memory://; got {url!r}. Write there, then copy it yourself."
            )


def _is_marker(info: dict[str, Any]) -> bool:
    """Tell whether this is the empty object by which consoles mark a folder."""
    return bool(info["type"] == "file" and info["name"].endswith("/") and not info["size"])


def _entry(url: str, info: dict[str, Any]) -> Entry:
    folder = info["type"] == "directory"
    stamp = next((info[key] for key in (*_STAMPS, *_TIMES) if info.get(key)), "")
    if isinstance(stamp, datetime):
        stamp = stamp.timestamp()
    size = 0 if folder else info["size"]
    return Entry(url, None if size is None else int(size), folder, str(stamp))
