"""Poses as few bytes, for pages that carry their data with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from posenb.core import Poses

__all__ = ["PER", "pack_poses"]

_FINEST = 1 / 16  # px: errors of 0.03 px are far below what anyone can label
PER = 1000  # likelihoods are whole thousandths, rounded down, so that cut-offs of theirs are exact


def pack_poses(poses: Poses) -> tuple[dict[str, Any], bytes]:
    """Return positions and likelihoods as whole numbers that compress well.

    The bytes hold x, y and likelihood one after the other; each as one line after the
    other (individuals outside, keypoints inside), as differences from frame to frame, in
    planes: first the lowest byte of all numbers, then the next. Frame indices follow in
    the same way where they are not consecutive.

    Parameters
    ----------
    poses : Poses

    Returns
    -------
    facts : dict
        For x, y and likelihood ``width`` (bytes of a number), ``origin`` and ``step`` of
        the values, and ``missing``, the number that stands for NaN. Coordinates are whole
        multiples of 1/16 px; likelihoods are rounded down to thousandths, in ``per``.
        ``frames`` tells whether frame indices are there.
    data : bytes
        Not yet compressed.
    """
    assert poses.frames is not None
    facts: dict[str, Any] = {}
    parts: list[bytes] = []
    known = np.isfinite(poses.positions).all(axis=-1, keepdims=True)
    positions = np.where(known, poses.positions, np.nan)
    for axis, name in enumerate("xy"):
        facts[name], planes = _pack(positions[..., axis])
        parts.append(planes)
    likelihoods = np.clip(np.where(np.isinf(poses.likelihoods), np.nan, poses.likelihoods), 0, 1)
    wholes = np.where(np.isnan(likelihoods), -1, np.floor(np.nan_to_num(likelihoods) * PER + 1e-6))
    facts["likelihood"] = {"width": 2, "origin": 0, "step": 1 / PER, "missing": -1, "per": PER}
    parts.append(_planes(wholes.astype(np.int16)))
    facts["frames"] = bool(len(poses) and np.any(np.diff(poses.frames) != 1))
    if facts["frames"]:
        parts.append(_planes(poses.frames.astype(np.int32)[:, None, None]))
    return facts, b"".join(parts)


def _pack(values: np.ndarray) -> tuple[dict[str, Any], bytes]:
    """Pack coordinates, shape (T, I, K), as finely as four bytes allow."""
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 0.0)
    origin = round((low + high) / 2)
    half = max(high - origin, origin - low)
    width, step = 2, _FINEST
    if half / step > np.iinfo(np.int16).max:
        width = 4
        # a power of two, so that multiples of it are exact
        step = max(_FINEST, 2.0 ** math.ceil(math.log2(half / np.iinfo(np.int32).max)))
    kind: type[np.int16 | np.int32] = np.int16 if width == 2 else np.int32
    missing = int(np.iinfo(kind).min)
    wholes = np.where(np.isnan(values), missing, np.round((np.nan_to_num(values) - origin) / step))
    return {"width": width, "origin": origin, "step": step, "missing": missing}, _planes(
        wholes.astype(kind)
    )


def _planes(wholes: np.ndarray) -> bytes:
    """Return whole numbers, shape (T, I, K), as planes of the bytes of their differences."""
    lines = wholes.transpose(1, 2, 0)
    steps = np.diff(lines, axis=-1, prepend=lines.dtype.type(0)).astype(
        lines.dtype.newbyteorder("<")
    )
    return np.ascontiguousarray(steps).view(np.uint8).reshape(-1, lines.itemsize).T.tobytes()
