"""Which frame of the source is shown when."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from posenb.errors import InvalidInputError
from posenb.overlays.config import Moment
from posenb.video import VideoInfo

__all__ = ["Schedule", "frame_range", "make_schedule"]

_FASTEST, _SLOWEST = 60.0, 10.0  # frames per second that all players show evenly

# A frame counts from a little before its time on, so that times rounded by the container
# or a trembling camera neither double a frame nor lose one.
_EARLY = 0.45


@dataclass(frozen=True, slots=True)
class Schedule:
    """The frames of a new video.

    Parameters
    ----------
    fps : float
        Rate of the new video.
    indices : ndarray of int64, shape (N,)
        Frame of the source that each of its frames shows, not decreasing.
    """

    fps: float
    indices: np.ndarray


def make_schedule(times: np.ndarray, fps: float, start: int, stop: int, speed: float) -> Schedule:
    """Choose the frames to show so that time passes evenly, `speed` times as fast.

    Parameters
    ----------
    times : ndarray, shape (N,)
        Seconds at which the source shows its frames; they need not be even.
    fps : float
        Average rate of the source.
    start, stop : int
        Range of its frames, the end excluded.
    speed : float
        Seconds of the source in one second.
    """
    rate = fps * speed
    if rate > _FASTEST:
        rate /= math.ceil(rate / _FASTEST - 1e-6)
    elif rate < _SLOWEST:
        rate *= math.ceil(_SLOWEST / rate - 1e-6)
    seconds = times[stop - 1] - times[start] + 1 / fps
    count = max(1, round(seconds / speed * rate))
    moments = times[start] + np.arange(count) * (speed / rate)
    early = _EARLY * min(1 / fps, speed / rate)
    shown = np.searchsorted(times, moments + early, side="right") - 1
    return Schedule(rate, np.clip(shown, start, stop - 1))


def frame_range(
    start: Moment | None, stop: Moment | None, default: tuple[int, int], video: VideoInfo
) -> tuple[int, int]:
    """Return the first frame and the one after the last.

    Parameters
    ----------
    start, stop : int, str or None
        As in `LabelledVideoConfig`.
    default : (int, int)
        What counts where they are None.
    video : VideoInfo

    Raises
    ------
    InvalidInputError
        If they do not lie in the video, or there is no frame between them.
    """
    first = default[0] if start is None else _index(start, video)
    last = min(default[1], video.frame_count) if stop is None else _index(stop, video)
    if not 0 <= first < last <= video.frame_count:
        raise InvalidInputError(
            f"A range of frames has 0 <= start < stop <= number of frames; got frames {first} to "
            f"{last} for {video.url}, which has {video.frame_count} ({video.duration:.2f} s). "
            "Give another start or stop."
        )
    return first, last


def _index(moment: Moment, video: VideoInfo) -> int:
    if isinstance(moment, int):
        return moment
    seconds = float(moment.removesuffix("s"))
    if seconds > video.duration:
        return video.frame_count + math.ceil((seconds - video.duration) * video.fps)
    return int(np.searchsorted(video.times, seconds - _EARLY / video.fps))
