"""Decoding, predicting and writing at the same time, in memory that does not grow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from posenb.inference.chunks import Chunk, Span
from posenb.inference.runtimes import Predict

__all__ = ["Batch", "Read", "Ring", "ring_size", "run_spans"]

Batch = tuple[np.ndarray, np.ndarray]
Read = Callable[[Chunk, Callable[[], np.ndarray]], Iterator[Batch]]


def ring_size(decoders: int, workers: int) -> int:
    """Return how many batches a ring needs so that nobody waits for a free one.

    Each decoder fills one, each call of the model uses one, and as many as the model
    uses and one more wait, since frames come from a decoder in bursts.
    """
    return decoders + 2 * workers + 1


class _StoppedError(Exception):
    """Nobody wants batches any more."""


class Ring:
    """Arrays for batches that go round: filled, used, filled again.

    Whoever wants one waits until it is free. That holds decoders back to the speed of
    the model, and memory to what the ring has.

    Parameters
    ----------
    count : int
        How many arrays.
    batch_size : int
        Frames in each.
    nbytes : int
        Bytes of a frame.
    """

    def __init__(self, count: int, batch_size: int, nbytes: int) -> None:
        self._free: SimpleQueue[np.ndarray | None] = SimpleQueue()
        self._stopped = False
        for _ in range(count):
            self._free.put(np.empty((batch_size, nbytes), np.uint8))

    def take(self) -> np.ndarray:
        """Return an array that nobody uses, shape (`batch_size`, `nbytes`)."""
        array = self._free.get()
        if array is None or self._stopped:
            self._free.put(None)  # for the next who waits
            raise _StoppedError
        return array

    def give(self, batch: np.ndarray) -> None:
        """Take back an array, or its first rows."""
        self._free.put(batch if batch.base is None else batch.base)

    def stop(self) -> None:
        """End the work of all who wait for an array or will."""
        self._stopped = True
        self._free.put(None)


@dataclass(frozen=True, slots=True)
class _Decoded:
    chunk: Chunk
    indices: np.ndarray
    frames: np.ndarray


@dataclass(frozen=True, slots=True)
class _Predicted:
    batch: _Decoded
    poses: Future[np.ndarray]


@dataclass(frozen=True, slots=True)
class _Ended:
    chunk: Chunk


@dataclass(slots=True, eq=False)
class _Partial:
    """A chunk that is being worked on."""

    poses: np.ndarray
    predicted: int = 0
    decoded: int = 0
    ended: bool = False

    @property
    def whole(self) -> bool:
        return self.ended and self.predicted == self.decoded


_Event = _Decoded | _Ended | _Predicted | Future[None]


def run_spans(
    spans: Sequence[Span],
    source: Callable[[], AbstractContextManager[Read]],
    predict: Predict,
    put: Callable[[Chunk, np.ndarray], Any],
    *,
    shape: tuple[int, int],
    ring: Ring,
    decoders: int = 1,
    on_frames: Callable[[int], None] = lambda _: None,
) -> None:
    """Predict the chunks of `spans`; safe to kill and run again with what is left.

    Threads decode, as many as there may be calls of the model under way predict, one
    writes, and the caller's own keeps the books. At most `ring` batches and two finished
    chunks are held. After an error, what was decoded is still predicted, and chunks that
    are whole are written; then it is raised. No thread outlasts the call.

    Parameters
    ----------
    spans : sequence of tuple of Chunk
        What to do; the chunks of a span are decoded one after the other.
    source : callable
        Opens a reader for one decoding thread: a callable that takes a chunk and what
        gives arrays, and gives indices, shape (B,), and raw frames, shape (B, nbytes), in
        the first rows of such an array. Frames that cannot be decoded are left out.
    predict : Predict
        Called with up to `predict.workers` batches at a time.
    put : callable
        Takes a chunk and its poses, shape (N, *shape). Called in another thread.
    shape : (int, int)
        Keypoints, and numbers of each.
    ring : Ring
        Of no use afterwards.
    decoders : int, optional
        How many spans are decoded at a time.
    on_frames : callable, optional
        Told how many frames more are done.
    """
    events: SimpleQueue[_Event] = SimpleQueue()
    todo: SimpleQueue[Span] = SimpleQueue()
    for span in spans:
        todo.put(span)
    with (
        ThreadPoolExecutor(1, "posenb-write") as writing,
        ThreadPoolExecutor(predict.workers, "posenb-predict") as predicting,
        ThreadPoolExecutor(decoders, "posenb-decode") as decoding,
    ):
        try:
            for _ in range(decoders):
                decoder = decoding.submit(_decode, todo, source, ring, events)
                decoder.add_done_callback(events.put)
            books = _Books(predict, predicting, ring, events, shape)
            written: Future[Any] | None = None
            for chunk, poses in books.finished(decoders, on_frames):
                if written is not None:
                    written.result()
                written = writing.submit(put, chunk, poses)
            if written is not None:
                written.result()
        finally:
            ring.stop()
            predicting.shutdown(wait=False, cancel_futures=True)


def _decode(
    todo: SimpleQueue[Span],
    source: Callable[[], AbstractContextManager[Read]],
    ring: Ring,
    events: SimpleQueue[_Event],
) -> None:
    """Decode span after span as long as there are any and batches are wanted."""
    with source() as read:
        while True:
            try:
                for chunk in todo.get_nowait():
                    for indices, frames in read(chunk, ring.take):
                        events.put(_Decoded(chunk, indices, frames))
                    events.put(_Ended(chunk))
            except (Empty, _StoppedError):
                return


@dataclass(frozen=True, slots=True)
class _Books:
    """What is under way: hands batches on to the model and gathers what comes back."""

    predict: Predict
    pool: ThreadPoolExecutor
    ring: Ring
    events: SimpleQueue[_Event]
    shape: tuple[int, int]

    def finished(
        self, decoders: int, on_frames: Callable[[int], None]
    ) -> Iterator[tuple[Chunk, np.ndarray]]:
        """Give the chunks that are done with their poses, until all are or one fails."""
        partial_chunks: dict[Chunk, _Partial] = {}
        failure: BaseException | None = None
        calls = 0
        while decoders or calls:
            event = self.events.get()
            if isinstance(event, Future):
                decoders -= 1
                failure = failure or event.exception()
                if failure:
                    self.ring.stop()
                continue
            chunk = event.batch.chunk if isinstance(event, _Predicted) else event.chunk
            if chunk not in partial_chunks:
                empty = np.full((len(chunk), *self.shape), np.nan, np.float32)
                partial_chunks[chunk] = _Partial(empty)
            mine = partial_chunks[chunk]
            if isinstance(event, _Decoded):
                mine.decoded += len(event.indices)
                if not failure:
                    calls += 1
                    self._call(event)
            elif isinstance(event, _Ended):
                mine.ended = True
                on_frames(len(chunk) - mine.decoded)
            else:
                calls -= 1
                problem = event.poses.exception()
                if problem:
                    failure = failure or problem
                    self.ring.stop()
                    continue
                indices = event.batch.indices
                mine.poses[indices - chunk.start] = event.poses.result()
                mine.predicted += len(indices)
                on_frames(len(indices))
            if mine.whole:
                yield chunk, partial_chunks.pop(chunk).poses
        if failure:
            raise failure

    def _call(self, batch: _Decoded) -> None:
        future = self.pool.submit(self.predict, batch.frames)
        future.add_done_callback(partial(self._return, batch))

    def _return(self, batch: _Decoded, poses: Future[np.ndarray]) -> None:
        self.ring.give(batch.frames)
        self.events.put(_Predicted(batch, poses))
