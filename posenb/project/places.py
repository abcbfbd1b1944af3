"""Where the manifest's paths lead, and how a path is written into it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import PureWindowsPath

from posenb import storage
from posenb.errors import InvalidInputError

__all__ = ["UP", "locate", "split_climb", "write_path"]

UP = "../"


def locate(folder: str, path: str) -> str:
    """Return where `path` leads, which is relative to `folder`, absolute or a URL.

    A path that climbs does so in the name by which the folder was opened, so that paths
    stay as people know them; where a link leads to the folder and nothing is there, from
    where the folder truly lies.
    """
    if PureWindowsPath(path).is_absolute():
        return path  # also where it means nothing: then no video is found there
    steps, below = split_climb(path)
    try:
        place = _climbed(folder, steps, below)
    except InvalidInputError:
        return storage.resolve(path)
    if steps and storage.is_local(folder) and not os.path.lexists(place):
        true = _climbed(os.path.realpath(folder), steps, below)
        return true if os.path.lexists(true) else place
    return place


def write_path(url: str, folder: str) -> str:
    """Return `url` as a manifest in `folder` names it.

    Parameters
    ----------
    url, folder : str
        Resolved.

    Returns
    -------
    str
        Relative to the folder if it lies below it, or if both are local and share a
        folder that can be moved as one: no root, and no other file system is mounted
        between it and either of them. Else `url` itself; a URL leads to its bucket from
        everywhere.
    """
    below = storage.relative(url, folder)
    if below or not (storage.is_local(url) and storage.is_local(folder)):
        return below or url
    shared, steps = folder, 0
    while not below:
        shared, steps = storage.parent(shared), steps + 1
        if storage.parent(shared) == shared:
            return url
        below = storage.relative(url, shared)
    return UP * steps + below if _moves_as_one(url, folder, steps, below) else url


def split_climb(path: str) -> tuple[int, str]:
    """Return how many folders `path` climbs at its start, and the rest."""
    rest = path
    while rest.startswith(UP):
        rest = rest.removeprefix(UP)
    return (len(path) - len(rest)) // len(UP), rest


def _climbed(folder: str, steps: int, below: str) -> str:
    for _ in range(steps):
        folder = storage.parent(folder)
    return storage.join(folder, below)


def _moves_as_one(url: str, folder: str, steps: int, below: str) -> bool:
    """Tell whether a path also holds where links lead to, and no file system is mounted in it."""
    true = _climbed(os.path.realpath(folder), steps, below)
    if os.path.realpath(true) != os.path.realpath(url):
        return False
    ways = ((folder, steps), (storage.parent(url), below.count("/")))
    return not any(os.path.ismount(each) for start, up in ways for each in _upwards(start, up))


def _upwards(folder: str, steps: int) -> Iterator[str]:
    """Yield `folder` and those above it, as many as `steps`."""
    for _ in range(steps):
        yield folder
        folder = storage.parent(folder)
