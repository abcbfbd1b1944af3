"""Frames of a video as a browser takes them, each exactly the one that was asked for."""

from __future__ import annotations

import io
from collections import OrderedDict

import numpy as np

from posenb.video import VideoReader

__all__ = ["FrameFeed", "encode_jpeg"]

_KEPT = 96
_BACK = 12  # frames decoded at once on the way back, for each step there costs a seek
_LONGEST = 1280  # pixels
_QUALITY = 88  # what is judged to a pixel must have edges; 75 smears them

Crop = tuple[int, int, int, int]


class FrameFeed:
    """JPEGs of the frames of an open video; the last ones are kept.

    Parameters
    ----------
    video : VideoReader
        Read by nothing else meanwhile, or all seek back and forth.
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded: what to show.
    longest : int, optional
        Pixels of the longer side at most.
    """

    def __init__(
        self, video: VideoReader, *, crop: Crop | None = None, longest: int = _LONGEST
    ) -> None:
        self._video = video
        self._crop = crop or (0, video.width, 0, video.height)
        self._longest = longest
        self._last = -1
        self._kept: OrderedDict[int, bytes] = OrderedDict()

    def jpeg(self, index: int) -> bytes:
        """Return a frame.

        Raises
        ------
        VideoError
            If there is no such frame, or it is too damaged to be decoded.
        """
        back = 0 < self._last - index <= 2
        self._last = index
        if index not in self._kept:
            if back:
                for rank, pixels in self._video.read(max(0, index - _BACK), index):
                    self._keep(rank, pixels)
            self._keep(index, self._video[index])
        return self._kept[index]

    def _keep(self, index: int, pixels: np.ndarray) -> None:
        x1, x2, y1, y2 = self._crop
        self._kept[index] = encode_jpeg(pixels[y1:y2, x1:x2], self._longest)
        self._kept.move_to_end(index)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def encode_jpeg(pixels: np.ndarray, longest: int = _LONGEST, quality: int = _QUALITY) -> bytes:
    """Return a picture as a JPEG, shrunk where a side is longer than `longest` pixels.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (H, W, 3)
        RGB.
    longest : int, optional
        Pixels.
    quality : int, optional
        1 to 95.
    """
    from PIL import Image

    image = Image.fromarray(np.ascontiguousarray(pixels))
    scale = longest / max(image.size)
    if scale < 1:
        width, height = (max(1, round(side * scale)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.BOX)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
