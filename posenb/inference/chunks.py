"""Long jobs in small pieces: what a piece is, where finished ones lie, how they are made."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from posenb import storage
from posenb.inference.ahead import ahead
from posenb.inference.runtimes import Predict

__all__ = ["Chunk", "ChunkFolder", "Finished", "Recipe", "run_chunks"]

# Part of every key: raise it when the same frames would get other numbers.
_VERSION = 1
# Batches decoded but not yet predicted; with those in the two hands, all that is held.
_AHEAD = 2
_SEAL = hashlib.sha256().digest_size
_READERS = 8  # most of a small file's time is waiting for an answer

Batch = tuple[np.ndarray, np.ndarray]


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

    def chunks(self, start: int, stop: int, size: int) -> tuple[Chunk, ...]:
        """Divide frames `start` to `stop` into chunks of `size`, the last one shorter."""
        starts = range(start, stop, size)
        ranges = ((first, min(first + size, stop)) for first in starts)
        return tuple(Chunk(self.key(*each), *each) for each in ranges)


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """What is kept of a chunk.

    Parameters
    ----------
    poses : ndarray of float32, shape (N, K, 3)
        What `Predict` returned, NaN for frames that could not be decoded.
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
        with np.load(io.BytesIO(content), allow_pickle=False) as kept:
            if str(kept["key"]) != chunk.key:
                return None
            return Finished(kept["poses"], json.loads(str(kept["software"])))

    def get_all(self, chunks: Sequence[Chunk]) -> dict[Chunk, Finished]:
        """Read those of the `chunks` that are there and sound."""
        there = set(storage.list_files(self.url, "*.npz"))
        kept = [chunk for chunk in chunks if self._file(chunk) in there]
        with ThreadPoolExecutor(_READERS) as pool:
            found = zip(kept, pool.map(self.get, kept), strict=True)
            return {chunk: finished for chunk, finished in found if finished is not None}

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


def run_chunks(
    chunks: Sequence[Chunk],
    read: Callable[[Chunk], Iterator[Batch]],
    predict: Predict,
    put: Callable[[Chunk, np.ndarray], Any],
    *,
    keypoints: int,
    on_frames: Callable[[int], None] = lambda _: None,
) -> None:
    """Predict chunks one after the other; safe to kill and run again with what is left.

    Decoding runs ahead of the model by at most two batches, writing one chunk behind it.

    Parameters
    ----------
    chunks : sequence of Chunk
        Those to do.
    read : callable
        Gives batches of a chunk: indices, shape (B,), and raw frames, shape (B, nbytes).
        Frames that cannot be decoded are left out. Called in another thread.
    predict : Predict
    put : callable
        Takes a chunk and its poses, shape (N, K, 3). Called in another thread.
    keypoints : int
        K.
    on_frames : callable, optional
        Told how many frames more are done.
    """
    with (
        ThreadPoolExecutor(1, "posenb-write") as writer,
        closing(ahead(_in_order(chunks, read), _AHEAD)) as batches,
    ):
        written: Future[Any] | None = None
        poses = np.empty(0)
        done = 0
        for chunk, batch in batches:
            if not done:
                poses = np.full((len(chunk), keypoints, 3), np.nan, np.float32)
            if batch is not None:
                indices, frames = batch
                poses[indices - chunk.start] = predict(frames)
                on_frames(len(indices))
                done += len(indices)
                continue
            on_frames(len(chunk) - done)
            done = 0
            if written is not None:
                written.result()
            written = writer.submit(put, chunk, poses)
        if written is not None:
            written.result()


def _in_order(
    chunks: Sequence[Chunk], read: Callable[[Chunk], Iterator[Batch]]
) -> Iterator[tuple[Chunk, Batch | None]]:
    """Go through the batches of all chunks, with a None at the end of each chunk."""
    for chunk in chunks:
        for batch in read(chunk):
            yield chunk, batch
        yield chunk, None
