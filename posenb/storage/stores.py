"""What every kind of storage can do, and which kind a URL belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Protocol

from posenb.storage.urls import Url, resolve, scheme

__all__ = ["Entry", "Store", "store_of"]


class Entry(NamedTuple):
    """One file or folder as its storage describes it.

    Parameters
    ----------
    url : str
        Resolved.
    size : int or None
        Bytes; 0 for a folder, None where a server does not tell.
    folder : bool
        Whether it is a folder.
    stamp : str
        Changes whenever the content does: a checksum, version or time.
    """

    url: str
    size: int | None
    folder: bool
    stamp: str


class Store(Protocol):
    """What local folders and object stores have in common; all URLs are resolved."""

    def look(self, url: str) -> Entry | None:
        """Describe what lies at `url`, None if nothing does."""
        ...

    def entries(self, url: str) -> list[Entry]:
        """List what lies right in the folder `url`, storage's own files too."""
        ...

    def walk(self, url: str) -> list[Entry]:
        """List all files at any depth below `url`, but nothing of storage's own."""
        ...

    def read(self, url: str, start: int, stop: int | None) -> bytes:
        """Return bytes `start` to `stop` (None: the end), fewer where the file ends."""
        ...

    def staging(self, url: str) -> Path:
        """Make a local folder in which a file can grow that shall become `url`."""
        ...

    def publish(self, source: Path, url: str, *, exclusive: bool) -> None:
        """Make the content of `source` appear at `url`, whole and at once.

        `source` may be used up. With `exclusive`, fail if something is there.
        """
        ...

    def copy(self, source: str, target: str) -> None:
        """Copy a file within this store, whole or absent."""
        ...

    def move(self, source: str, target: str) -> None:
        """Move a file within this store, whole or absent."""
        ...

    def delete(self, url: str) -> None:
        """Delete the file `url`; nothing happens if it is absent."""
        ...

    def delete_folder(self, url: str) -> None:
        """Delete the folder `url` and all that is in it."""
        ...


def store_of(url: Url) -> Store:
    """Return the store that holds `url`.

    Raises
    ------
    MissingPackageError
        If the package that speaks its protocol is not installed.
    InvalidInputError
        If no package speaks its protocol.
    """
    protocol = scheme(resolve(url))
    if protocol == "":
        from posenb.storage.local import LocalStore

        return LocalStore()
    from posenb.storage.remote import remote_store

    return remote_store(protocol)
