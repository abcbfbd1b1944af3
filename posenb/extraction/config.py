"""Options of frame extraction."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from posenb.core import Config

__all__ = ["ExtractConfig", "Method"]

Method = Literal["kmeans", "uniform"]


class ExtractConfig(Config):
    """Which frames of each video are taken.

    Attributes
    ----------
    count : int
        Frames that each video shall have, those counting that lie there already.
    method : {"kmeans", "uniform"}
        One frame of each of `count` groups of frames that look alike, or one at random
        out of each of `count` stretches of equal length.
    start, stop : int or None
        Frame range to choose from, the end excluded.
    crop : (int, int, int, int) or None
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded: the part that
        the images show. Without it that of the project counts.
    candidates : int
        Frames at most that "kmeans" looks at in each video; never fewer than ten for
        each wanted one.
    seed : int
        Same seed, same frames.
    """

    count: int = Field(default=20, ge=1)
    method: Method = "kmeans"
    start: int = Field(default=0, ge=0)
    stop: int | None = Field(default=None, ge=1)
    crop: tuple[int, int, int, int] | None = None
    candidates: int = Field(default=2000, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**32)
