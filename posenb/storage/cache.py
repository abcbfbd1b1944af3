"""Copies of remote files that stay on this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from posenb.storage.files import changed_while_read, download, fingerprint, writing
from posenb.storage.locks import lock
from posenb.storage.urls import Url, is_local, name, resolve

__all__ = ["cache_folder", "cached_copy", "cached_path"]

# Another process may be fetching the same large file; its whole download is waited for.
_PATIENCE = 3600.0


def cached_copy(url: Url, cache: Url | None = None) -> Path:
    """Return a local copy of `url` that is fetched only once.

    A local file is returned as it is. A remote one is fetched again only when its
    `fingerprint` changes. Several processes may ask at once, and be killed: only
    whole copies are ever seen. Never write to the copy.

    Parameters
    ----------
    url : str or PathLike
        The file.
    cache : str or PathLike, optional
        Local folder for the copies; by default `cached_path` decides.

    Returns
    -------
    Path
        It has the file name of `url`.
    """
    whole = resolve(url)
    if is_local(whole):
        return Path(whole)
    mark = fingerprint(whole)
    key = hashlib.sha256(f"{whole}\n{mark}".encode()).hexdigest()[:32]
    path = cached_path(key, name(whole) or "content", cache=cache)
    if not path.is_file():
        with lock(path, timeout=_PATIENCE):
            if not path.is_file():
                with writing(path) as staged:
                    download(whole, staged)
                    if fingerprint(whole) != mark:
                        raise changed_while_read(whole)
    return path


def cached_path(*parts: str, cache: Url | None = None) -> Path:
    """Return where something that can be fetched or computed again lies, or is to be put.

    That is the writable `cache_folder`, unless it lies only in a folder ``POSENB_CACHE`` that
    this user may not write to, as one that an administrator filled for many.

    Parameters
    ----------
    *parts : str
        Names of folders and of the file or folder, below the cache folder.
    cache : str or PathLike, optional
        As for `cache_folder`.
    """
    own = cache_folder(cache).joinpath(*parts)
    if own.exists():
        return own
    shared = _chosen_folder(cache).joinpath(*parts)
    return shared if shared.exists() else own


def cache_folder(cache: Url | None = None) -> Path:
    """Return the local folder for what can be fetched or computed again.

    Parameters
    ----------
    cache : str or PathLike, optional
        By default what the environment variable ``POSENB_CACHE`` names if it can be
        written to, else the user's cache folder of the system.
    """
    chosen = _chosen_folder(cache)
    return chosen if cache is not None or _is_writable(chosen) else _users_folder()


def _chosen_folder(cache: Url | None) -> Path:
    chosen = cache or os.environ.get("POSENB_CACHE")
    return Path(resolve(chosen)) if chosen else _users_folder()


def _users_folder() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("posenb", appauthor=False)


def _is_writable(folder: Path) -> bool:
    """Tell whether a folder can be written to, or made."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return os.access(there, os.W_OK)
