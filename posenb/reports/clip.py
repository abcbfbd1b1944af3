"""The labelled clip of a report: which part of the video, how large, in how many bytes."""

from __future__ import annotations

import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from posenb import storage
from posenb._progress import Progress
from posenb.core import Poses
from posenb.overlays import labelled_video
from posenb.overlays.config import Moment
from posenb.overlays.schedule import frame_range, make_schedule
from posenb.video import VideoInfo, open_video

__all__ = ["Clip", "Span", "bitrate", "clock", "make_clip"]

_SECONDS = 60.0  # that a report shows where nothing else is asked for
_LEAST, _MOST = 480, 720  # pixels of the longer side; in less, letters could not be read
_SHORTEST = 16  # pixels of the shorter side that a labelled video has at least
_CRF = 21  # the quality of a clip that is quiet enough to need less than its share of bytes
# Bytes of all clips of a report. As letters they become 6 MB; plotly.js takes another 2 MB, so
# 10 MB leave 2 MB for trajectories and pictures.
_BYTES = 4.5e6
_LEAST_RATE = 100  # kilobits per second below which nothing could be seen

Span = tuple[Moment | None, Moment | None]
"""First frame and the one after the last, as frame indices or seconds like "12.5s"."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A labelled clip, as a page carries it.

    Parameters
    ----------
    data : bytes
        The MP4.
    poster : bytes
        JPEG of its first picture.
    fps : float
        Pictures per second.
    frames : ndarray of int, shape (N,)
        Frame of the video that each picture shows.
    size : (int, int)
        Width and height of the video, pixels.
    note : str
        Which part of the video it is.
    """

    data: bytes
    poster: bytes
    fps: float
    frames: np.ndarray
    size: tuple[int, int]
    note: str


def make_clip(
    poses: Poses, video: str, span: Span, *, cutoff: float, share: float, progress: Progress
) -> Clip:
    """Make the labelled clip of a report.

    Without a span it is the first minute that has poses. Its longer side has 480 to 720
    pixels, its speed is that of the video. x264 takes a constant rate factor of 21 and,
    where that would be more, as many bits as give 4.5 MB.

    Parameters
    ----------
    poses : Poses
        At least one frame.
    video : str
    span : (int, str or None, int, str or None)
        Range of the video; None stands for the first frame with poses, and for a minute
        or the last of them.
    cutoff : float
        Least likelihood of a position in the trails.
    share : float
        Part of the minute and of the bytes that is this clip's, 0 to 1.
    progress : callable
        Makes the progress bar.

    Raises
    ------
    InvalidInputError
        If the span does not lie in the video, or the poses belong to another.
    VideoError, StorageError
        If the video cannot be read.
    """
    with open_video(video) as reader:
        info = reader.info
    start, stop = _range(poses, info, span, _SECONDS * share)
    shown = make_schedule(info.times, info.fps, start, stop, 1.0)
    seconds = len(shown.indices) / shown.fps
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{Path(storage.name(video)).stem}_labelled.mp4"
        labelled_video(
            poses,
            video,
            output=path,
            start=start,
            stop=stop,
            scale=_scale(info),
            cutoff=cutoff,
            crf=_CRF,
            bitrate=bitrate(seconds, share),
            progress=progress,
        )
        with open_video(path) as made:
            poster = _jpeg(made[0])
        data = path.read_bytes()
    size = (info.width, info.height)
    return Clip(data, poster, shown.fps, shown.indices, size, _note(info, start, stop))


def bitrate(seconds: float, share: float) -> int:
    """Return the kilobits per second that a clip may take at most."""
    return max(_LEAST_RATE, int(_BYTES * share * 8 / 1000 / (seconds + 2)))  # x264's buffer


def _range(poses: Poses, info: VideoInfo, span: Span, longest: float) -> tuple[int, int]:
    assert poses.frames is not None
    default = (int(poses.frames[0]), int(poses.frames[-1]) + 1)
    start, stop = frame_range(*span, default, info)
    if span[1] is None:
        until = info.times[start] + longest - 0.5 / info.fps
        stop = min(stop, int(np.searchsorted(info.times, until)))
    return start, max(stop, start + 1)


def _scale(info: VideoInfo) -> float:
    sides = (info.width, info.height)
    longest = min(max(*sides, _LEAST), _MOST)
    return max(longest / max(sides), _SHORTEST / min(sides))


def _note(info: VideoInfo, start: int, stop: int) -> str:
    if (start, stop) == (0, info.frame_count):
        return "the whole video"
    end = float(info.times[stop]) if stop < info.frame_count else info.duration
    return f"{clock(float(info.times[start]))} to {clock(end)} of {clock(info.duration)}"


def clock(seconds: float) -> str:
    """Return a time as minutes and seconds: ``1:07.5``."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths % 600 // 10:02d}.{tenths % 10}"


def _jpeg(picture: np.ndarray) -> bytes:
    from PIL import Image

    data = io.BytesIO()
    Image.fromarray(picture).save(data, format="jpeg", quality=80)
    return data.getvalue()
