"""From decoded frames to raw ones: the planes as they are, or RGB where that is not enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from posenb.core import FrameFormat
from posenb.core.frame_format import FrameKind, FrameMatrix
from posenb.video.picture import PictureMaker

__all__ = ["RawMaker"]

Frame = Any  # av.VideoFrame

# Pixel formats of 8 bits whose planes travel as they are.
_KINDS: dict[str, FrameKind] = {
    "gray": "grey",
    "yuv420p": "yuv420",
    "yuvj420p": "yuv420",
    "yuv422p": "yuv422",
    "yuvj422p": "yuv422",
    "yuv444p": "yuv444",
    "yuvj444p": "yuv444",
}
# FFmpeg's AVColorSpace; others are rare and left to its own conversion. It takes unspecified
# ones (2) for BT.601 whatever the size, and so does this, lest pictures and planes differ.
_MATRICES: dict[int, FrameMatrix] = {1: "bt709", 2: "bt601", 5: "bt601", 6: "bt601", 9: "bt2020"}
_FULL_RANGE = 2  # FFmpeg's AVCOL_RANGE_JPEG


class RawMaker:
    """Writes the frames of one video as raw ones, all of one format.

    That format has the fewest bytes that lose nothing: the decoder's planes where they
    hold 8 bits a sample, else RGB. Planes are turned for display like pictures, where
    turning them keeps what belongs together (not with chroma for 1 x 2 pixels, nor with
    chroma for 2 x 2 pixels where a side is odd).

    Parameters
    ----------
    frame : av.VideoFrame
        One of them. A later one of another size, kind or colour matrix is converted.
    picture : PictureMaker
        Made of the same frame.
    """

    def __init__(self, frame: Frame, picture: PictureMaker) -> None:
        self._picture = picture
        self._like = _traits(frame)
        self.format = _format(frame, picture)

    def write(self, frame: Frame, target: np.ndarray) -> None:
        """Write `frame` to `target`, shape (nbytes,), uint8."""
        if self.format.kind == "rgb":
            picture = self._picture.convert(frame, format="rgb24").to_ndarray()
            upright = self._picture.turn(picture)
            np.copyto(target.reshape(upright.shape), upright)
            return
        if _traits(frame) != self._like:
            frame = self._alike(frame)
        for plane, part in zip(frame.planes, _parts(self.format, target), strict=False):
            stored = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            np.copyto(part, self._picture.turn(stored[: plane.height, : plane.width]))

    def _alike(self, frame: Frame) -> Frame:
        _, _, name, matrix, full_range = self._like
        return self._picture.convert(
            frame, format=name, dst_colorspace=matrix, dst_color_range=full_range
        )


def _traits(frame: Frame) -> tuple[Any, ...]:
    facts = (frame.width, frame.height, frame.format.name)
    return (*facts, int(frame.colorspace), int(frame.color_range))


def _format(frame: Frame, picture: PictureMaker) -> FrameFormat:
    width, height = picture.size
    name, matrix = frame.format.name, _MATRICES.get(int(frame.colorspace))
    kind = _KINDS.get(name)
    turned = picture.rotation or picture.mirrored
    odd = kind == "yuv420" and (width % 2 or height % 2)
    if kind is None or matrix is None or (turned and (odd or kind == "yuv422")):
        return FrameFormat("rgb", height, width)
    # FFmpeg takes grey for full range whatever is said of it.
    full = name.startswith(("yuvj", "gray")) or int(frame.color_range) == _FULL_RANGE
    return FrameFormat(kind, height, width, matrix, full)


def _parts(form: FrameFormat, target: np.ndarray) -> Iterator[np.ndarray]:
    start = 0
    for height, width in form.planes:
        stop = start + height * width
        yield target[start:stop].reshape(height, width)
        start = stop
