"""What people decide while they look, kept in the project for the next time."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from posenb import storage
from posenb.errors import PosenbError

__all__ = ["Notes"]

_RETRY = 10.0  # seconds


class Notes:
    """Short texts by name, in one small file of a project.

    Several people may keep notes in the same file: only what somebody changes is written,
    in a thread of its own, so that no click waits for a bucket. Nothing depends on them:
    a file that cannot be read counts as empty, and one that cannot be written is told by
    `fault` and tried again, while the work goes on.

    Parameters
    ----------
    url : str
        The file, a JSON object of texts. It is read now.
    on_fault : callable, optional
        Called, from the thread, when `fault` has changed.
    retry : float, optional
        Seconds after which a write that failed is tried again.
    """

    def __init__(
        self, url: str, on_fault: Callable[[], None] = lambda: None, retry: float = _RETRY
    ) -> None:
        self._url = url
        self._on_fault = on_fault
        self._retry = retry
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="posenb-notes")
        self._work: Future[None] | None = None
        self._timer = threading.Timer(retry, self._start)
        self._changes: dict[str, str | None] = {}
        self._closed = False
        self._found: dict[str, str] = {}
        self._fault = ""
        try:
            if storage.exists(url):
                self._found = _texts(storage.read_bytes(url))
        except PosenbError as error:
            self._fault = f"What was decided here earlier is not shown: {error}"

    @property
    def found(self) -> dict[str, str]:
        """What the file held at the beginning."""
        return dict(self._found)

    @property
    def fault(self) -> str:
        """What does not work, in a sentence; empty if all does."""
        return self._fault

    def change(self, changes: Mapping[str, str | None]) -> None:
        """Write new texts soon; all others in the file stay.

        Parameters
        ----------
        changes : mapping of str to str or None
            None removes a text.
        """
        with self._lock:
            self._changes.update(changes)
        self._start()

    def close(self, timeout: float = 30.0) -> None:
        """Try once more to write what is not written yet, and end the thread."""
        self._start()
        with self._lock:
            self._closed = True
            self._timer.cancel()
            work = self._work
        if work is not None:
            wait([work], timeout)
        self._pool.shutdown(wait=False)

    def _start(self) -> None:
        with self._lock:
            if self._changes and self._work is None and not self._closed:
                self._work = self._pool.submit(self._write)

    def _write(self) -> None:
        while True:
            with self._lock:
                changes, self._changes = self._changes, {}
                if not changes:
                    self._work = None
                    return
            try:
                storage.update_bytes(self._url, partial(_changed, changes=changes))
            except Exception as error:  # noqa: BLE001 (nothing that was decided may be dropped)
                with self._lock:
                    self._changes = changes | self._changes
                    self._work = None
                    if not self._closed:
                        self._timer = threading.Timer(self._retry, self._start)
                        self._timer.daemon = True
                        self._timer.start()
                reason = str(error) if isinstance(error, PosenbError) else repr(error)
                self._tell(f"What you decide here is forgotten when you close it: {reason}")
                return
            self._tell("")

    def _tell(self, fault: str) -> None:
        if fault != self._fault:
            self._fault = fault
            self._on_fault()


def _changed(old: bytes | None, changes: Mapping[str, str | None]) -> bytes | None:
    before = _texts(old or b"{}")
    whole: dict[str, str | None] = {**before, **changes}
    after = {key: text for key, text in sorted(whole.items()) if text is not None}
    return old if after == before else json.dumps(after, indent=1).encode()


def _texts(content: bytes) -> dict[str, str]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: text for key, text in found.items() if isinstance(text, str)}
