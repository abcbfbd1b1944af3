"""From decoded frames to upright RGB pictures."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import VideoReformatter

__all__ = ["PictureMaker", "orientation"]

Frame = Any  # av.VideoFrame


def orientation(frame: Frame) -> tuple[int, bool]:
    """Read how a frame must be turned for display.

    Returns
    -------
    rotation : {0, 90, 180, 270}
        Degrees clockwise.
    mirrored : bool
        Whether it must be mirrored left to right before.

    Notes
    -----
    A display matrix maps (x, y) to (a x + c y, b x + d y), y downwards, and is stored as
    the nine 32-bit numbers a b u c d v x y w; ISO/IEC 14496-12, section 8.3.2.
    """
    matrix = frame.side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return 0, False
    a, b, _, c, d = np.frombuffer(bytes(matrix), np.int32)[:5].tolist()
    mirrored = a * d - b * c < 0
    sign = -1 if mirrored else 1
    return round(math.degrees(math.atan2(sign * b, sign * a)) / 90) % 4 * 90, mirrored


class PictureMaker:
    """Turns the frames of one video into RGB pictures of one size.

    Parameters
    ----------
    frame : av.VideoFrame
        One of them; size and orientation are taken from it. A later frame of another
        size is scaled to it.
    """

    def __init__(self, frame: Frame) -> None:
        self.rotation, self.mirrored = orientation(frame)
        self._stored = (frame.width, frame.height)
        # Kept from frame to frame, for making its tables takes time; one for each thread.
        self._local = threading.local()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels as displayed."""
        width, height = self._stored
        return (width, height) if self.rotation % 180 == 0 else (height, width)

    def __call__(self, frame: Frame) -> np.ndarray:
        """Return the picture of `frame`, shape (H, W, 3), uint8 RGB."""
        return np.ascontiguousarray(self.turn(self.convert(frame, format="rgb24").to_ndarray()))

    def convert(self, frame: Frame, **options: Any) -> Frame:
        """Return `frame` at the stored size and in another format, not turned yet."""
        width, height = self._stored
        if not hasattr(self._local, "reformatter"):
            self._local.reformatter = VideoReformatter()
        return self._local.reformatter.reformat(frame, width=width, height=height, **options)

    def turn(self, stored: np.ndarray) -> np.ndarray:
        """Return a view of `stored`, shape (h, w, ...), as it is displayed."""
        upright = stored[:, ::-1] if self.mirrored else stored
        return np.rot90(upright, -self.rotation // 90)
