"""Frames of a video as images of a project: their names, what they show, and writing them."""

from __future__ import annotations

import errno
import io
import math
import re
from collections.abc import Sequence

import numpy as np

from posenb import storage
from posenb.core import FrameName
from posenb.errors import InvalidInputError, StorageError
from posenb.project import Project
from posenb.video import VideoInfo, VideoReader

__all__ = ["Crop", "find_crop", "frame_numbers", "write_frame"]

Crop = tuple[int, int, int, int]


def write_frame(
    project: Project, name: str, video: VideoReader, index: int, crop: Crop
) -> FrameName | None:
    """Write one frame as an image, named as DeepLabCut names it.

    Parameters
    ----------
    project : Project
    name : str
        The video's name in the project.
    video : VideoReader
    index : int
        Which frame.
    crop : (int, int, int, int)
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded: what the image
        shows.

    Returns
    -------
    FrameName or None
        None if an image of that name lies there already; it stays.

    Raises
    ------
    VideoError
        If the frame is too damaged to be decoded.
    StorageError
        If the image cannot be written.
    """
    from PIL import Image

    x1, x2, y1, y2 = crop
    picture = video[index][y1:y2, x1:x2]
    # DeepLabCut's number of digits; a video of one frame has none and so at least "0".
    digits = math.ceil(math.log10(video.frame_count))
    frame = FrameName(name, f"img{str(index).zfill(digits)}.png")
    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="png")
    try:
        storage.write_bytes(project.image_url(frame), data.getvalue(), exclusive=True)
    except StorageError as error:
        if error.errno != errno.EEXIST:
            raise
        return None
    return frame


def frame_numbers(frames: Sequence[FrameName], frame_count: int) -> np.ndarray:
    """Return which frames of the video those images are, by their names; int64, ascending."""
    matches = (re.fullmatch(r"img(\d+)\.\w+", frame.image) for frame in frames)
    numbers = np.array(sorted({int(match[1]) for match in matches if match}), np.int64)
    return numbers[numbers < frame_count]


def find_crop(project: Project, name: str, video: VideoInfo, crop: Crop | None = None) -> Crop:
    """Return the part of a video that its images show: `crop`, else the project's, else all.

    Parameters
    ----------
    project : Project
    name : str
        The video's name in the project.
    video : VideoInfo
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded.

    Raises
    ------
    InvalidInputError
        If it does not lie in the video.
    """
    found = crop or project.crops.get(name) or (0, video.width, 0, video.height)
    x1, x2, y1, y2 = found
    if not (0 <= x1 < x2 <= video.width and 0 <= y1 < y2 <= video.height):
        raise InvalidInputError(
            "A crop is x1, x2, y1, y2 with 0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height; got "
            f"{found} for {video.url}, which is {video.width} x {video.height} pixels. Give "
            "another crop."
        )
    return found
