"""Saving labels while the work goes on: in the background, merged with what others save."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from posenb.core import FrameName, Labels, Visibility
from posenb.errors import PosenbError
from posenb.labels import align_labels, save_labels
from posenb.project import Project
from posenb.widgets.label_edits import adopt
from posenb.widgets.label_state import Cell, LabelState, Points, changed_cells, to_labels

__all__ = ["Conflict", "Saved", "Saver", "SavingStatus"]

_PAUSE = 0.3  # seconds in which further clicks join a saving
_RETRY = (2.0, 5.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True)
class Conflict:
    """A keypoint that somebody else changed while it was changed here.

    Parameters
    ----------
    frame : FrameName
    cell : (int, int)
        Animal and keypoint.
    position : (float, float), optional
        Where the other put it, in pixels of the image.
    visibility : Visibility
        What the other said of it.
    """

    frame: FrameName
    cell: Cell
    position: tuple[float, float] | None
    visibility: Visibility


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What came of saving one table.

    Parameters
    ----------
    sent : Labels
        All frames of the table that are in the queue, as they were here.
    there : Labels
        What the table holds now.
    conflicts : tuple of Conflict
        What others had said of keypoints that were changed here as well.
    """

    sent: Labels
    there: Labels
    conflicts: tuple[Conflict, ...]


@dataclass(frozen=True, slots=True)
class SavingStatus:
    """How the saving stands.

    Parameters
    ----------
    kind : {"saved", "waiting", "failed"}
    error : str, optional
        Why the last attempt failed.
    next_attempt : float, optional
        Seconds until the next one.
    """

    kind: Literal["saved", "waiting", "failed"]
    error: str = ""
    next_attempt: float = 0.0


class Saver:
    """Saves the newest state in a thread of its own.

    Only keypoints that differ from what was loaded or saved last are written, merged
    with what is there (`posenb.labels.save_labels`), so that any number of people may
    label one project. Of a keypoint that several changed, the value saved last stands in
    the table and the table before it in the folder ``.history`` beside it. A failing
    save is tried again until it succeeds.

    Parameters
    ----------
    project : Project
    state : LabelState
        What was loaded.
    pause : float, optional
        Seconds in which further changes join a saving.
    """

    def __init__(self, project: Project, state: LabelState, pause: float = _PAUSE) -> None:
        self._project = project
        self._scorer = project.scorer
        self._pause = pause
        self._lock = threading.RLock()
        self._hurry = threading.Event()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="posenb-labels")
        self._work: Future[None] | None = None
        self._base = list(state.points)
        self._latest = state
        self._done: list[Saved] = []
        self._opened: set[str] = set()
        self._failures = 0
        self._failed_at = 0.0
        self._error = ""
        self._timer = threading.Timer(0.0, self.hurry)
        self._rows: dict[str, list[int]] = {}
        for n, frame in enumerate(state.frames):
            url = project.labels_url("" if project.table is not None else frame.video)
            self._rows.setdefault(url, []).append(n)
        self._url_of = {n: url for url, rows in self._rows.items() for n in rows}

    def submit(self, state: LabelState) -> None:
        """Save `state` soon; a newer one that comes before takes its place."""
        with self._lock:
            self._latest = state
            self._start()

    def hurry(self) -> None:
        """Save what waits at once, without waiting for it; after a failure, try again."""
        self._hurry.set()
        with self._lock:
            self._start()

    def flush(self, timeout: float = 30.0) -> bool:
        """Save what waits and wait for it.

        Returns
        -------
        bool
            Whether all is saved.
        """
        until = time.monotonic() + timeout
        while self._some_wait() and time.monotonic() < until:
            self.hurry()
            work = self._work
            if work is None:
                break
            wait([work], max(0.0, until - time.monotonic()))
            if work.done() and work.exception() is not None:
                break
        return not self._some_wait()

    def close(self, timeout: float = 30.0) -> bool:
        """Save what waits, as `flush` does, and end the thread."""
        saved = self.flush(timeout)
        self._timer.cancel()
        self._pool.shutdown(wait=False)
        return saved

    def adopt(self, state: LabelState) -> tuple[LabelState, tuple[Conflict, ...]]:
        """Take in what others saved meanwhile; what was changed here stays.

        Returns
        -------
        LabelState
            `state` with the labels of others, which becomes the newest state.
        tuple of Conflict
            Those that came up since the last call.
        """
        with self._lock:
            done, self._done = self._done, []
            before = state
            for each in done:
                state = adopt(state, each.sent, each.there)
            for n, (old, new) in enumerate(zip(before.points, state.points, strict=True)):
                if old is not new:
                    taken = changed_cells(old, new)
                    self._base[n] = self._base[n].with_cells_of(new, taken)
            self._latest = state
        return state, tuple(conflict for each in done for conflict in each.conflicts)

    @property
    def status(self) -> SavingStatus:
        """How the saving stands."""
        with self._lock:
            if not self._pending():
                return SavingStatus("saved")
            if not self._error:
                return SavingStatus("waiting")
            left = self._failed_at + self._delay() - time.monotonic()
            return SavingStatus("failed", self._error, max(0.0, left))

    def _pending(self) -> bool:
        return bool(self._changed_rows(self._latest))

    def _changed_rows(self, state: LabelState) -> list[int]:
        return [
            n
            for n, (new, old) in enumerate(zip(state.points, self._base, strict=True))
            if new is not old and _differs(old, new).any()
        ]

    def _start(self) -> None:
        if (self._work is None or self._work.done()) and self._pending():
            self._work = self._pool.submit(self._save_all)
            self._work.add_done_callback(self._after)

    def _after(self, work: Future[None]) -> None:
        error = work.exception()
        with self._lock:
            self._error = "" if error is None else _reason(error)
            self._failures = 0 if error is None else self._failures + 1
            self._failed_at = time.monotonic()
            self._timer.cancel()
            if error is None:
                self._start()  # for what came in while this one ended
                return
            self._timer = threading.Timer(self._delay(), self.hurry)
            self._timer.daemon = True
            self._timer.start()

    def _delay(self) -> float:
        return _RETRY[min(self._failures, len(_RETRY)) - 1]

    def _save_all(self) -> None:
        while self._some_wait():
            self._hurry.wait(self._pause)
            self._hurry.clear()
            with self._lock:
                state = self._latest
                rows = self._changed_rows(state)
            for url in dict.fromkeys(self._url_of[n] for n in rows):
                self._save(url, state, [n for n in rows if self._url_of[n] == url])

    def _some_wait(self) -> bool:
        with self._lock:
            return self._pending()

    def _save(self, url: str, state: LabelState, rows: list[int]) -> None:
        with self._lock:
            before = replace(state, points=tuple(self._base))
        base = to_labels(before, rows, self._scorer)
        new = to_labels(state, rows, self._scorer)
        conflicts: list[Conflict] = []

        def worth_keeping(old: Labels) -> bool:
            conflicts.extend(_conflicts(old, base, new))
            known = to_labels(before, self._rows[url], self._scorer)
            return bool(conflicts) or url not in self._opened or not _agree(old, known)

        there = save_labels(url, new, base=base, worth_keeping=worth_keeping)
        self._opened.add(url)
        sent = to_labels(state, self._rows[url], self._scorer)
        with self._lock:
            for n in rows:
                self._base[n] = _agreed(self._base[n], before.points[n], state.points[n])
            self._done.append(Saved(sent, there, tuple(conflicts)))


def _agreed(base: Points, before: Points, saved: Points) -> Points:
    """Return `base` with what was saved; the very same value where that is all there is."""
    now = base.with_cells_of(saved, _differs(before, saved))
    return now if _differs(now, saved).any() else saved


def _differs(old: Points, new: Points) -> np.ndarray:
    """Return which keypoints differ in what is saved of them."""
    return changed_cells(old, replace(new, declined=old.declined))


def _conflicts(old: Labels, base: Labels, new: Labels) -> list[Conflict]:
    """Return what `old` says of keypoints that both it and `new` changed since `base`."""
    theirs = align_labels(old, new.frames, new.individuals, new.skeleton)
    mine_changed = _labels_differ(base, new)
    theirs_changed = _labels_differ(base, theirs)
    assert theirs.visibility is not None
    found = np.argwhere(mine_changed & theirs_changed & _labels_differ(new, theirs))
    conflicts = []
    for n, i, k in found.tolist():
        x, y = theirs.positions[n, i, k].tolist()
        seen = Visibility(theirs.visibility[n, i, k])
        position = None if np.isnan(x) else (x, y)
        conflicts.append(Conflict(new.frames[n], (i, k), position, seen))
    return conflicts


def _labels_differ(a: Labels, b: Labels) -> np.ndarray:
    assert a.visibility is not None
    assert b.visibility is not None
    same = (a.positions == b.positions) | (np.isnan(a.positions) & np.isnan(b.positions))
    differ: np.ndarray = ~same.all(axis=-1) | (a.visibility != b.visibility)
    return differ


def _agree(old: Labels, known: Labels) -> bool:
    there = align_labels(old, known.frames, known.individuals, known.skeleton)
    return not _labels_differ(there, known).any()


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, PosenbError) else f"{type(error).__name__}: {error}"
