"""Copies of remote files that stay on this machine."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from posenb.storage.files import changed_while_read, download, fingerprint, writing
from posenb.storage.locks import lock
from posenb.storage.urls import Url, is_local, name, resolve

__all__ = ["cache_folder", "cached_copy"]

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
        Local folder for the copies; by default what the environment variable
        ``POSENB_CACHE`` names, else the user's cache folder of the system.

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
    path = cache_folder(cache) / key / (name(whole) or "content")
    if not path.is_file():
        with lock(path, timeout=_PATIENCE):
            if not path.is_file():
                with writing(path) as staged:
                    download(whole, staged)
                    if fingerprint(whole) != mark:
                        raise changed_while_read(whole)
    return path


def cache_folder(cache: Url | None = None) -> Path:
    """Return the local folder for what can be fetched or computed again.

    Parameters
    ----------
    cache : str or PathLike, optional
        By default what the environment variable ``POSENB_CACHE`` names, else the user's
        cache folder of the system.
    """
    chosen = cache or os.environ.get("POSENB_CACHE")
    if chosen:
        return Path(resolve(chosen))
    from platformdirs import user_cache_path

    return user_cache_path("posenb", appauthor=False)
