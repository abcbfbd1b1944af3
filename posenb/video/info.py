"""What there is to know of a video without looking at it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["VideoInfo"]


@dataclass(frozen=True, eq=False)
class VideoInfo:
    """Facts of a video, as `posenb.video.probe` returns them.

    Attributes
    ----------
    url : str
        Where it lies.
    frame_count : int
        Readable frames.
    fps : float
        Average frames per second.
    width, height : int
        Pixels as displayed, after rotation; pixels that are not square stay so.
    rotation : {0, 90, 180, 270}
        Degrees clockwise by which the stored pictures are turned for display.
    duration : float
        Seconds from the start of the first frame to the end of the last.
    times : ndarray of float64, shape (N,)
        Seconds from the first frame; read-only.
    codec, pixel_format : str
        FFmpeg's names.
    keyframes : ndarray of int64
        Frames that decode by themselves, ascending; read-only.
    missing_frames : int
        Frames that the file promises but that are cut off at its end.
    """

    url: str
    frame_count: int
    fps: float
    width: int
    height: int
    rotation: int
    duration: float
    times: np.ndarray
    codec: str
    pixel_format: str
    keyframes: np.ndarray
    missing_frames: int
