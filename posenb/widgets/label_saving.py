"""Saving labels while the work goes on, and looking what others save: in the background."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from posenb import storage
from posenb.core import Labels
from posenb.errors import PosenbError
from posenb.labels import read_labels, save_labels
from posenb.labels.files import table_stem, table_suffix
from posenb.labels.occlusion import occlusion_url
from posenb.project import Project
from posenb.widgets.label_others import Conflict, adopt, agree, clashes, losses
from posenb.widgets.label_state import LabelState, Points, changed_cells, to_labels

__all__ = ["Saver", "SavingStatus"]

_PAUSE = 0.3  # seconds in which further clicks join a saving
_RECENT = 3.0  # seconds in which a table that was read is not looked at again
_RETRY = (2.0, 5.0, 15.0, 30.0)


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
    """Saves the newest state, and looks what others saved, in a thread of its own.

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
        self._conflicts: list[Conflict] = []
        self._own = [np.zeros_like(points.said) for points in state.points]
        self._there: dict[str, Labels] = {}
        self._news: set[str] = set()
        self._wanted = ""
        self._read_at: dict[str, float] = {}
        self._stamps: dict[str, tuple[str, ...]] = {}
        self._closed = False
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

    def look(self, n: int) -> None:
        """See soon what others saved in the table of frame `n`; `adopt` then brings it.

        A table that was read or saved a moment ago is left alone, and so is the content of
        one that has not changed.
        """
        with self._lock:
            url = self._url_of[n]
            if time.monotonic() - self._read_at.get(url, -_RECENT) >= _RECENT:
                self._wanted = url
                self._start()

    @property
    def looking(self) -> bool:
        """Whether a table is still to be looked at."""
        return bool(self._wanted) and not self._closed

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
        with self._lock:
            self._closed = True
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
            Those that came up since the last call: keypoints that others changed as well
            before they were saved here, or after.
        """
        with self._lock:
            conflicts, self._conflicts = self._conflicts, []
            if not self._news:
                return state, tuple(conflicts)
            before = state
            for url in self._news:
                state = adopt(state, self._known(url), self._there[url])
            for n, (old, new) in enumerate(zip(before.points, state.points, strict=True)):
                if old is not new:
                    taken = changed_cells(old, new)
                    self._base[n] = self._base[n].with_cells_of(new, taken)
                    conflicts.extend(losses(state.frames[n], old, new, taken & self._own[n]))
                    self._own[n] = self._own[n] & ~taken
            # What could not be taken in, as it was being changed here, waits for the outcome.
            self._news = {
                url for url in self._news if not agree(self._there[url], self._known(url))
            }
            self._latest = state
        return state, tuple(conflicts)

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

    def _known(self, url: str) -> Labels:
        """Return what is in a table as far as is known here."""
        state = replace(self._latest, points=tuple(self._base))
        return to_labels(state, self._rows[url], self._scorer)

    def _pending(self) -> bool:
        return bool(self._changed_rows(self._latest))

    def _changed_rows(self, state: LabelState) -> list[int]:
        return [
            n
            for n, (new, old) in enumerate(zip(state.points, self._base, strict=True))
            if new is not old and _differs(old, new).any()
        ]

    def _start(self) -> None:
        idle = self._work is None or self._work.done()
        if idle and (self.looking or self._pending()):
            self._work = self._pool.submit(self._work_off)
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

    def _work_off(self) -> None:
        self._save_all()
        if self._wanted:
            self._look_at(self._wanted)

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
            conflicts.extend(clashes(old, base, new))
            known = to_labels(before, self._rows[url], self._scorer)
            return bool(conflicts) or url not in self._opened or not agree(old, known)

        there = save_labels(url, new, base=base, worth_keeping=worth_keeping)
        self._opened.add(url)
        with self._lock:
            for n in rows:
                changed = _differs(before.points[n], state.points[n])
                self._own[n] = np.where(changed, state.points[n].said, self._own[n])
                self._base[n] = _agreed(self._base[n], before.points[n], state.points[n])
            self._conflicts += conflicts
            self._take_note(url, there)

    def _look_at(self, url: str) -> None:
        try:
            stem = table_stem(url, self._scorer)
            table = stem + table_suffix(stem)
            files = [each for each in (table, occlusion_url(stem)) if storage.exists(each)]
            # Looked at before it is read: what is written in between is seen the next time.
            stamps = tuple(map(storage.fingerprint, files))
            if table in files and stamps != self._stamps.get(url):
                there = read_labels(table)
                with self._lock:
                    self._stamps[url] = stamps
                    self._take_note(url, there)
        except (PosenbError, OSError):
            pass  # the next look may succeed, and the next saving tells what is wrong
        finally:
            with self._lock:
                self._read_at[url] = time.monotonic()
                self._wanted = "" if self._wanted == url else self._wanted

    def _take_note(self, url: str, there: Labels) -> None:
        self._there[url] = there
        self._read_at[url] = time.monotonic()
        self._news.add(url)


def _agreed(base: Points, before: Points, saved: Points) -> Points:
    """Return `base` with what was saved; the very same value where that is all there is."""
    now = base.with_cells_of(saved, _differs(before, saved))
    return now if _differs(now, saved).any() else saved


def _differs(old: Points, new: Points) -> np.ndarray:
    """Return which keypoints differ in what is saved of them."""
    return changed_cells(old, replace(new, declined=old.declined))


def _reason(error: BaseException) -> str:
    return str(error) if isinstance(error, PosenbError) else f"{type(error).__name__}: {error}"
