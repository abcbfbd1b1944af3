"""Folders in which files grow until they are whole."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from posenb.storage.urls import OWN_PREFIX

__all__ = ["staging_folder"]

_PREFIX = OWN_PREFIX + "tmp-"
# Seconds without any growth after which a staging folder belongs to a killed writer.
_STALE_AFTER = 24 * 3600.0


def staging_folder(parent: Path | None = None) -> Path:
    """Make a new staging folder in `parent`, by default among the temporary files.

    What killed writers left there is removed on the way, once per process and parent.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep(place)
    return Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))


@lru_cache(maxsize=1024)
def _sweep(place: Path) -> None:
    limit = time.time() - _STALE_AFTER
    for leftover in place.glob(_PREFIX + "*"):
        with suppress(OSError):  # another's, or just finished
            if max(path.stat().st_mtime for path in (leftover, *leftover.iterdir())) < limit:
                shutil.rmtree(leftover)
