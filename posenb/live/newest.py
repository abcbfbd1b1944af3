"""Frames from a source that does not wait: the newest one wins."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterable

import numpy as np

__all__ = ["Arrival", "in_turn", "newest"]

Arrival = tuple[int, float, np.ndarray]
"""Number of a frame among all that came, when it came (`time.perf_counter`), the frame."""

_PATIENCE = 2.0  # seconds that a source has to end, once nobody wants its frames any more


class _Slot:
    """Room for one frame; what is not taken in time is replaced."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._arrival: Arrival | None = None
        self._ended = False
        self._problem: BaseException | None = None
        self.stopped = False

    def put(self, arrival: Arrival) -> None:
        with self._changed:
            self._arrival = arrival
            self._changed.notify()

    def end(self, problem: BaseException | None) -> None:
        with self._changed:
            self._ended, self._problem = True, problem
            self._changed.notify()

    def take(self) -> Arrival | None:
        with self._changed:
            self._changed.wait_for(lambda: self._arrival is not None or self._ended)
            arrival, self._arrival = self._arrival, None
        if arrival is None and self._problem is not None:
            raise self._problem
        return arrival


def newest(frames: Iterable[np.ndarray]) -> Generator[Arrival, None, None]:
    """Give the newest frame whenever one is wanted; those in between are left out.

    A thread takes frames from the source as fast as they come and copies each, so the
    source may use its arrays again. What the source raises is raised here, after its last
    frame. Close the iterator to stop the thread; a source that is blocked then is left
    behind after two seconds.

    Parameters
    ----------
    frames : iterable of ndarray

    Yields
    ------
    (int, float, ndarray)
        See `Arrival`.
    """
    slot = _Slot()
    thread = threading.Thread(target=_grab, args=(frames, slot), name="posenb-grab", daemon=True)
    thread.start()
    try:
        while (arrival := slot.take()) is not None:
            yield arrival
    finally:
        slot.stopped = True
        thread.join(_PATIENCE)


def _grab(frames: Iterable[np.ndarray], slot: _Slot) -> None:
    problem: BaseException | None = None
    try:
        for number, frame in enumerate(frames):
            if slot.stopped:
                break
            slot.put((number, time.perf_counter(), np.array(frame)))
    except BaseException as error:  # noqa: BLE001  # goes on to whoever takes the frames
        problem = error
    slot.end(problem)


def in_turn(
    frames: Iterable[np.ndarray], clock: Callable[[], float] = time.perf_counter
) -> Generator[Arrival, None, None]:
    """Give every frame, each when it is wanted; the source waits.

    Parameters
    ----------
    frames : iterable of ndarray
    clock : callable, optional
        Tells the time in seconds.

    Yields
    ------
    (int, float, ndarray)
        See `Arrival`.
    """
    for number, frame in enumerate(frames):
        yield number, clock(), frame
