"""Indices kept on this machine, so that a video is scanned once."""

from __future__ import annotations

import hashlib
import io
from dataclasses import fields
from pathlib import Path
from typing import Any

import av
import numpy as np

from posenb import storage
from posenb.errors import StorageError
from posenb.video.index import FrameIndex

__all__ = ["cache_path", "load_index", "save_index"]

# Part of the key: raise it when the same file would get another index.
_VERSION = 1


def cache_path(url: str) -> Path:
    """Return where the index of the video `url`, as it is now, is kept."""
    key = f"{_VERSION}\n{av.__version__}\n{url}\n{storage.fingerprint(url)}"
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    return storage.cached_path("video-index", f"{name}.npz")


def load_index(path: Path) -> FrameIndex | None:
    """Return the index kept at `path`; None if there is none or it is damaged."""
    try:
        kept = storage.unpack_arrays(path.read_bytes())
        values = {field.name: kept[field.name] for field in fields(FrameIndex)}
    except (OSError, ValueError, KeyError):
        return None
    numbers: dict[str, Any] = {"fps": float(values["fps"]), "missing": int(values["missing"])}
    index = FrameIndex(**{**values, **numbers})
    return index if index.is_sound() else None


def save_index(path: Path, index: FrameIndex) -> None:
    """Keep `index` at `path`, if that can be written."""
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, **{field.name: getattr(index, field.name) for field in fields(index)}
    )
    try:
        storage.write_bytes(path, buffer.getvalue())
    except StorageError:
        return  # a full or read-only disk costs a scan next time, nothing else
