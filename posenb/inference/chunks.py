"""Long jobs in small pieces: what a piece is and where finished ones lie."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from posenb import storage
from posenb.errors import AnalysisError

__all__ = ["Chunk", "ChunkFolder", "Finished", "Recipe", "Span", "in_spans"]

# Part of every key: raise it when the same frames would get other numbers.
_VERSION = 2
_SEAL = hashlib.sha256().digest_size


@dataclass(frozen=True, slots=True)
class Chunk:
    """A range of frames and all that decides its poses, as a key.

    Parameters
    ----------
    key : str
        SHA-256 in hexadecimal.
    start, stop : int
        Frames of the video, `stop` excluded.
    """

    key: str
    start: int
    stop: int

    def __len__(self) -> int:
        """Return the number of frames."""
        return self.stop - self.start


Span = tuple[Chunk, ...]
"""Chunks that follow each other and are decoded in one go."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that decides the poses of a frame, apart from which frame it is.

    Parameters
    ----------
    video, model : str
        Texts that change with the content.
    crop : (int, int, int, int)
        x1, x2, y1, y2 in pixels, the ends excluded.
    batch_size : int
        Frames per forward pass: runtimes choose other algorithms for other sizes, which
        changes the last bits.
    """

    video: str
    model: str
    crop: tuple[int, int, int, int]
    batch_size: int

    def key(self, start: int, stop: int) -> str:
        """Return the key of the poses of frames `start` to `stop`."""
        facts = [_VERSION, self.video, self.model, *self.crop, self.batch_size, start, stop]
        return hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def chunks(self, ranges: Iterable[tuple[int, int]]) -> tuple[Chunk, ...]:
        """Make chunks of ranges of frames, (start, stop)."""
        return tuple(Chunk(self.key(*each), *each) for each in ranges)


def in_spans(chunks: Iterable[Chunk], starts: Container[int]) -> list[Span]:
    """Put chunks together that are decoded in one go.

    Parameters
    ----------
    chunks : iterable of Chunk
        In order.
    starts : container of int
        Frames at which decoding can start. A chunk that begins elsewhere right after
        another one joins its span, so that the frames before it are not decoded twice.
    """
    spans: list[list[Chunk]] = []
    for chunk in chunks:
        if spans and spans[-1][-1].stop == chunk.start and chunk.start not in starts:
            spans[-1].append(chunk)
        else:
            spans.append([chunk])
    return [tuple(span) for span in spans]


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """What is kept of a chunk.

    Parameters
    ----------
    poses : ndarray of float32, shape (N, K, 3), or (N, K, 4) with a spread
        What the model returned, NaN for frames that could not be decoded.
    software : mapping of str to str
        Versions of what made them.
    """

    poses: np.ndarray
    software: Mapping[str, str]


class ChunkFolder:
    """Finished chunks as files, of which each is there whole or not at all.

    A file is an ``.npz`` with its SHA-256 behind it, which zip readers ignore.

    Parameters
    ----------
    url : str or PathLike
        The folder, which need not exist.
    """

    def __init__(self, url: storage.Url) -> None:
        self.url = storage.resolve(url)

    def _file(self, chunk: Chunk) -> str:
        return storage.join(self.url, f"{chunk.key}.npz")

    def put(self, chunk: Chunk, finished: Finished) -> None:
        """Write a finished chunk."""
        buffer = io.BytesIO()
        software = json.dumps(dict(finished.software))
        np.savez(buffer, key=chunk.key, poses=finished.poses, software=software)
        content = buffer.getvalue()
        storage.write_bytes(self._file(chunk), content + hashlib.sha256(content).digest())

    def get(self, chunk: Chunk) -> Finished | None:
        """Read a chunk; None if its file is damaged or another chunk's."""
        data = storage.read_bytes(self._file(chunk))
        content, seal = data[:-_SEAL], data[-_SEAL:]
        if hashlib.sha256(content).digest() != seal:
            return None
        kept = storage.unpack_arrays(content)
        if str(kept["key"]) != chunk.key:
            return None
        return Finished(kept["poses"], json.loads(str(kept["software"])))

    def keys(self) -> set[str]:
        """Return the keys of all chunks that are there, sound or not."""
        return {PurePosixPath(url).stem for url in storage.list_files(self.url, "*.npz")}

    def sound(self, chunks: Sequence[Chunk]) -> set[Chunk]:
        """Return those of `chunks` that are there and undamaged."""
        there = self.keys()
        kept = [chunk for chunk in chunks if chunk.key in there]
        found = storage.in_order(self.get, kept)
        return {chunk for chunk, each in zip(kept, found, strict=True) if each is not None}

    def read(self, chunks: Sequence[Chunk]) -> Iterator[Finished]:
        """Read finished chunks one after the other, a few of them ahead.

        Raises
        ------
        AnalysisError
            If one is not there or damaged.
        """
        for chunk, finished in zip(chunks, storage.in_order(self.find, chunks), strict=True):
            if finished is None:
                raise AnalysisError(
                    f"Every chunk that was finished must be there in the end; that of frames "
                    f"{chunk.start} to {chunk.stop - 1} is not, or is damaged ({self.url}). Run "
                    "it again, which computes it anew; if it was computed elsewhere, both sides "
                    "must see the same storage."
                )
            yield finished

    def find(self, chunk: Chunk) -> Finished | None:
        """Read a chunk; None if it is not there, or its file is damaged."""
        return self.get(chunk) if storage.exists(self._file(chunk)) else None

    def check_writable(self) -> None:
        """Find out before the work, not after it, whether files can be written.

        Raises
        ------
        StorageError
            If they cannot.
        """
        probe = storage.join(self.url, "writable")
        storage.write_bytes(probe, b"")
        storage.remove(probe)

    def remove(self) -> None:
        """Remove the folder with all chunks, of whatever analysis."""
        storage.remove(self.url, recursive=True)
