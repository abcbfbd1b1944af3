"""What people decide while they look, kept in the project for the next time."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial

from posenb import storage
from posenb.errors import PosenbError

__all__ = ["Notes"]


class Notes:
    """Short texts by name, in one small file of a project.

    Several people may keep notes in the same file: only what somebody changed is written,
    in a thread of its own, so that no click waits for a bucket. Nothing depends on them:
    a file that cannot be read counts as empty, and one that cannot be written is told by
    `fault`, while the work goes on.

    Parameters
    ----------
    url : str
        The file, a JSON object of texts. It is read now.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="posenb-notes")
        self._work: Future[None] | None = None
        self._changes: dict[str, str | None] = {}
        self._fault = ""
        self._known: dict[str, str] = {}
        try:
            if storage.exists(url):
                self._known = _texts(storage.read_bytes(url))
        except PosenbError as error:
            self._fault = str(error)

    @property
    def fault(self) -> str:
        """Why the last change is not kept; empty if it is."""
        return self._fault

    def read(self) -> dict[str, str]:
        """Return what was there at the beginning, with what was changed here since."""
        return dict(self._known)

    def keep(self, entries: Mapping[str, str]) -> None:
        """Make these the notes soon; what others wrote meanwhile stays.

        Parameters
        ----------
        entries : mapping of str to str
            All that are to be kept of those that `read` returned, and new ones.
        """
        if entries == self._known:
            return
        new = {key: text for key, text in entries.items() if self._known.get(key) != text}
        gone = dict.fromkeys(self._known.keys() - entries.keys())
        self._known = dict(entries)
        with self._lock:
            self._changes.update(new | gone)
            if self._changes and (self._work is None or self._work.done()):
                self._work = self._pool.submit(self._write)

    def close(self, timeout: float = 30.0) -> None:
        """Wait until all is written, or cannot be, and end the thread."""
        if self._work is not None:
            wait([self._work], timeout)
        self._pool.shutdown(wait=False)

    def _write(self) -> None:
        while True:
            with self._lock:
                changes, self._changes = self._changes, {}
                if not changes:
                    self._work = None
                    return
            try:
                storage.update_bytes(self._url, partial(_changed, changes=changes))
            except PosenbError as error:
                with self._lock:  # to be tried again with the next change
                    self._changes = changes | self._changes
                    self._fault = str(error)
                    self._work = None
                return
            self._fault = ""


def _changed(old: bytes | None, changes: Mapping[str, str | None]) -> bytes:
    whole: dict[str, str | None] = {**_texts(old or b"{}"), **changes}
    kept = {key: text for key, text in sorted(whole.items()) if text is not None}
    return json.dumps(kept, indent=1, ensure_ascii=False).encode()


def _texts(content: bytes) -> dict[str, str]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: text for key, text in found.items() if isinstance(text, str)}
