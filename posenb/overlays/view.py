"""The part of the source that is shown, and how large."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from posenb.errors import InvalidInputError
from posenb.video import VideoInfo

__all__ = ["View", "make_view"]


@dataclass(frozen=True, slots=True)
class View:
    """A part of the source's picture at a size of its own.

    Parameters
    ----------
    crop : (int, int, int, int)
        x1, x2, y1, y2 in pixels of the source, the ends excluded.
    size : (int, int)
        Width and height of the made picture, pixels.
    """

    crop: tuple[int, int, int, int]
    size: tuple[int, int]

    @property
    def scale(self) -> np.ndarray:
        """Made pixels per pixel of the source across and down, shape (2,)."""
        x1, x2, y1, y2 = self.crop
        return np.array([self.size[0] / (x2 - x1), self.size[1] / (y2 - y1)])

    def place(self, points: np.ndarray) -> np.ndarray:
        """Return where points of the source, shape (..., 2), lie in the made picture."""
        x1, _, y1, _ = self.crop
        placed: np.ndarray = (points - (x1, y1) + 0.5) * self.scale - 0.5
        return placed

    def cut(self, frame: np.ndarray) -> np.ndarray:
        """Return the picture that is made of a frame of the source, shape (H, W, 3)."""
        x1, x2, y1, y2 = self.crop
        if self.size == (x2 - x1, y2 - y1):
            return frame[y1:y2, x1:x2]
        smaller = self.scale.max() < 1
        how = Image.Resampling.BILINEAR if smaller else Image.Resampling.BICUBIC
        image = Image.fromarray(frame)
        return np.asarray(image.resize(self.size, how, (x1, y1, x2, y2), reducing_gap=1.0))


def make_view(crop: tuple[int, int, int, int] | None, scale: float, video: VideoInfo) -> View:
    """Return the view that a crop and a scale give.

    Raises
    ------
    InvalidInputError
        If the crop does not lie in the picture, or the made picture would be smaller
        than 16 x 16 or larger than 8192 x 8192 pixels.
    """
    whole = crop or (0, video.width, 0, video.height)
    x1, x2, y1, y2 = whole
    if not (0 <= x1 < x2 <= video.width and 0 <= y1 < y2 <= video.height):
        raise InvalidInputError(
            "A crop is x1, x2, y1, y2 with 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height; got "
            f"{crop} for {video.url}, which is {video.width} x {video.height} pixels. Give "
            "another crop."
        )
    size = (round((x2 - x1) * scale), round((y2 - y1) * scale))
    if not (min(size) >= 16 and max(size) <= 8192):
        raise InvalidInputError(
            f"A labelled video has sides of 16 to 8192 pixels; {x2 - x1} x {y2 - y1} at scale "
            f"{scale:g} gives {size[0]} x {size[1]}. Give another scale."
        )
    return View(whole, size)
