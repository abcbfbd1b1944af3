"""A file whose pictures are never fetched: enough to read the tables of an MP4."""

from __future__ import annotations

import io
import struct
from bisect import bisect_right
from typing import BinaryIO

__all__ = ["HollowFile", "media_spans"]

_BRANDED = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", b"styp"})

Span = tuple[int, int]


class HollowFile(io.RawIOBase):
    """A view of `file` in which the bytes of `spans` read as zeros.

    An MP4 keeps the place, time and kind of every frame in tables apart from the
    pictures. A demuxer that is given this view reads the tables alone, be the file
    at the other end of the world, and believes a file that was cut off to be whole.

    Parameters
    ----------
    file : seekable binary file
        Read in place; its own position moves.
    spans : list of (start, stop)
        Ascending byte ranges to leave out; they may lie beyond the end of `file`.
    """

    def __init__(self, file: BinaryIO, spans: list[Span]) -> None:
        self._file = file
        self._spans = spans
        self._starts = [start for start, _ in spans]
        self._size = max([file.seek(0, io.SEEK_END), *(stop for _, stop in spans)])
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to `offset` and return the new position in bytes."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, fewer at the borders of a span."""
        left = self._size - self._position
        size = left if size < 0 else min(size, left)
        if size <= 0:
            return b""
        span = bisect_right(self._starts, self._position)
        if span and self._position < self._spans[span - 1][1]:
            data = bytes(min(size, self._spans[span - 1][1] - self._position))
        else:
            if span < len(self._spans):
                size = min(size, self._starts[span] - self._position)
            self._file.seek(self._position)
            data = self._file.read(size)
        self._position += len(data)
        return data


def media_spans(file: BinaryIO) -> list[Span]:
    """Find where an MP4 or QuickTime file keeps its pictures.

    Returns
    -------
    list of (start, stop)
        The contents of its ``mdat`` boxes as declared, ascending; empty for any other
        kind of file. ISO/IEC 14496-12, section 4.2.
    """
    size = file.seek(0, io.SEEK_END)
    spans: list[Span] = []
    position = 0
    while position + 8 <= size:
        file.seek(position)
        header = file.read(16)
        length, kind = struct.unpack(">I4s", header[:8])
        start = position + 8
        if length == 1 and len(header) == 16:
            length, start = struct.unpack(">Q", header[8:])[0], position + 16
        elif length == 0:
            length = size - position
        if (position == 0 and kind not in _BRANDED) or position + length < start:
            return spans
        if kind == b"mdat":
            spans.append((start, position + length))
        position += length
    return spans
