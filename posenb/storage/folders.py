"""Copying a whole folder in steps that can stop anywhere and go on later."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from posenb._progress import Progress, silent_progress
from posenb.errors import InvalidInputError
from posenb.storage.faults import storage_error
from posenb.storage.files import copy, digest, exists, read_bytes, write_bytes
from posenb.storage.parallel import side_by_side
from posenb.storage.stores import Entry, store_of
from posenb.storage.urls import OWN_PREFIX, Url, join, relative, resolve

__all__ = ["copy_folder", "interrupted_copy"]

_RECORD = OWN_PREFIX + "copy.json"
_SAVE_EVERY = 2.0  # seconds; what arrived since is told by its digest

# For each file that has arrived: how its source and its target looked.
Arrived = tuple[str, str]


def copy_folder(source: Url, target: Url, *, progress: Progress = silent_progress) -> None:
    """Copy a folder with all that is in it; killed anywhere, it goes on when run again.

    Each file arrives whole or not at all. A hidden record in `target` says which
    have arrived; `interrupted_copy` reads it. What is at `target` already in the
    same size and content is not sent again, and what only `target` has is left
    alone.

    Parameters
    ----------
    source, target : str or PathLike
        Folders, of which neither may lie in the other.
    progress : callable, optional
        Makes the progress bar; it counts files.

    Raises
    ------
    StorageError
        If `source` is no folder, or a file cannot be copied. Run it again when the
        cause is gone.
    """
    origin, goal = resolve(source), resolve(target)
    if relative(origin, goal) is not None or relative(goal, origin) is not None:
        raise InvalidInputError(
            f"A folder cannot be copied into itself; got {origin!r} and {goal!r}. "
            "Choose a target outside the source."
        )
    entry = store_of(origin).look(origin)
    if entry is None or not entry.folder:
        raise storage_error("Copying", origin, NotADirectoryError("no folder is there"))
    files, there = _files_below(origin), _files_below(goal)
    record = _read_record(goal)
    arrived: dict[str, Arrived] = {
        path: (pair[0], pair[1])
        for path, pair in record.get("files", {}).items()
        if record["source"] == origin
    }
    steps = [
        partial(_send, path, entry, there.get(path), goal, arrived.get(path))
        for path, entry in files.items()
    ]
    finished = False
    _write_record(goal, origin, arrived, finished=False)
    try:
        with progress(len(steps), "Copying", "file") as bar:
            saved = time.monotonic()
            for path, pair in side_by_side(steps):
                arrived[path] = pair
                bar.advance()
                if time.monotonic() - saved > _SAVE_EVERY:
                    _write_record(goal, origin, arrived, finished=False)
                    saved = time.monotonic()
        finished = True
    finally:
        _write_record(goal, origin, arrived, finished=finished)


def interrupted_copy(url: Url) -> str | None:
    """Return where an unfinished `copy_folder` into `url` copied from, else None."""
    record = _read_record(resolve(url))
    return None if record.get("finished", True) else str(record["source"])


def _files_below(folder: str) -> dict[str, Entry]:
    return {relative(each.url, folder) or "": each for each in store_of(folder).walk(folder)}


def _send(
    path: str, source: Entry, target: Entry | None, goal: str, arrived: Arrived | None
) -> tuple[str, Arrived]:
    """Bring one file to `goal` unless it is there."""
    if target is not None and arrived == (_look(source), _look(target)):
        return path, arrived
    url = join(goal, path)
    same_size = target is not None and target.size == source.size
    if not (same_size and digest(source.url) == digest(url)):
        copy(source.url, url)
    now = store_of(url).look(url)
    return path, (_look(source), _look(now) if now else "")


def _look(entry: Entry) -> str:
    return f"{entry.size}-{entry.stamp}"


def _read_record(folder: str) -> dict[str, Any]:
    url = join(folder, _RECORD)
    if not exists(url):
        return {}
    found = json.loads(read_bytes(url))
    return found if isinstance(found, dict) else {}


def _write_record(
    folder: str, source: str, arrived: Mapping[str, Arrived], *, finished: bool
) -> None:
    content = {"source": source, "finished": finished, "files": arrived}
    write_bytes(join(folder, _RECORD), json.dumps(content).encode())
