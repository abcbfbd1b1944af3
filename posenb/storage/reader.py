"""A remote file as a seekable stream: read ahead, cached in blocks, retried."""

from __future__ import annotations

import io
import os
from typing import BinaryIO

from fsspec.caching import BackgroundBlockCache

from posenb.storage.stores import Store

__all__ = ["open_remote"]

# Videos are read in order with jumps to an index at the end and back to key frames:
# blocks of 4 MiB with the next one fetched meanwhile serve both, within 64 MiB.
_BLOCK = 4 * 2**20
_BLOCKS = 16


def open_remote(store: Store, url: str, size: int) -> BinaryIO:
    """Return a stream over the `size` bytes at `url`."""
    return io.BufferedReader(_RangeReader(store, url, size), buffer_size=256 * 1024)


class _RangeReader(io.RawIOBase):
    def __init__(self, store: Store, url: str, size: int) -> None:
        self._size = size
        self._position = 0
        self._cache = BackgroundBlockCache(
            _BLOCK, lambda start, stop: store.read(url, start, stop), size, maxblocks=_BLOCKS
        )
        self.name = url

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise ValueError(f"A stream cannot be read before its start; got {start + offset}.")
        self._position = start + offset
        return self._position

    def tell(self) -> int:
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        stop = min(self._position + len(buffer), self._size)
        if stop <= self._position:
            return 0
        data = self._cache._fetch(self._position, stop)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
