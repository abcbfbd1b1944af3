"""Parts of a frame: which one to look at next, and its bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from posenb.core import FrameFormat
from posenb.errors import InvalidInputError

__all__ = ["Window", "cut_out", "place_window", "window_format", "window_sides"]

Window = tuple[int, int, int, int]
"""x1, x2, y1, y2 in pixels, the ends excluded."""

_STEP = 32  # the network's coarsest cell: smaller steps only add padding
# Squares begin at multiples of this, so that the network's cells lie on the same pixels from
# frame to frame, and chroma that several pixels share is not cut apart.
_GRID = 8
_SHARES = (0.25, 0.4, 0.55)


def window_sides(frames: FrameFormat, sides: Sequence[int] | None = None) -> tuple[int, ...]:
    """Return the sides of the squares that are looked at, ascending, in pixels.

    Parameters
    ----------
    frames : FrameFormat
        Of the whole frames.
    sides : sequence of int, optional
        Those asked for; by default multiples of 32 near 25, 40 and 55 % of the frame's
        longer side, of those that fit into it.

    Raises
    ------
    InvalidInputError
        If one asked for does not fit into the frame.
    """
    shorter = min(frames.height, frames.width)
    if sides is None:
        longer = max(frames.height, frames.width)
        near = {max(_STEP, round(share * longer / _STEP) * _STEP) for share in _SHARES}
        return tuple(sorted(side for side in near if side < shorter))
    for side in sides:
        if side > shorter:
            raise InvalidInputError(
                f"A crop must fit into the frame, here {frames.width} x {frames.height} pixels; "
                f"got a side of {side}. Leave crop_sizes out, or give smaller ones."
            )
    return tuple(sorted(set(sides)))


def place_window(
    points: np.ndarray, margin: float, sides: Sequence[int], frames: FrameFormat
) -> Window | None:
    """Return the smallest square around some points that lies in the frame.

    Parameters
    ----------
    points : ndarray, shape (N, 2)
        x, y in pixels.
    margin : float
        Pixels that it must have around them, but where the frame ends.
    sides : sequence of int
        To choose from, ascending.
    frames : FrameFormat
        Of the whole frames.

    Returns
    -------
    (int, int, int, int) or None
        x1, x2, y1, y2; x1 and y1 are even, and multiples of 8 but at the far edges. None
        if no square is large enough, or there are no points.
    """
    if not len(points):
        return None
    limit = np.array([frames.width, frames.height])
    low = np.clip(points.min(axis=0) - margin, 0, limit - 1)
    high = np.clip(points.max(axis=0) + margin, 0, limit - 1)
    for side in sides:
        if (high - low + _GRID < side).all():
            corner = np.round((low + high + 1 - side) / 2 / _GRID) * _GRID
            x, y = np.clip(corner, 0, (limit - side) // 2 * 2).astype(int).tolist()
            return x, x + side, y, y + side
    return None


def window_format(frames: FrameFormat, side: int) -> FrameFormat:
    """Return the format of a square with `side` pixels cut out of frames."""
    return replace(frames, height=side, width=side)


def cut_out(raw: np.ndarray, frames: FrameFormat, window: Window) -> np.ndarray:
    """Return the bytes of a part of a raw frame.

    Parameters
    ----------
    raw : ndarray of uint8, shape (nbytes,)
        As `frames` says.
    frames : FrameFormat
    window : (int, int, int, int)
        x1, x2, y1, y2, all even.

    Returns
    -------
    ndarray of uint8, shape (nbytes of the part,)
        A copy, laid out like the whole.
    """
    x1, x2, y1, y2 = window
    down, across = frames.shared
    packed = 3 if frames.kind == "rgb" else 1
    parts = []
    start = 0
    for number, (height, width) in enumerate(frames.planes):
        plane = raw[start : start + height * width].reshape(height, width)
        start += height * width
        sy, sx = (down, across) if number else (1, 1)
        parts.append(plane[y1 // sy : y2 // sy, x1 * packed // sx : x2 * packed // sx].ravel())
    return np.concatenate(parts)
