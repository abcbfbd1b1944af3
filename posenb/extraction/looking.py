"""Looking at a video: small pictures of as many frames as it takes to choose some."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posenb._progress import ProgressBar
from posenb.errors import InvalidInputError
from posenb.extraction.choosing import Thumbnails
from posenb.extraction.config import ExtractConfig
from posenb.video import VideoInfo, VideoReader, read_thumbnails

__all__ = ["find_candidates", "look_at_video"]

Crop = tuple[int, int, int, int]

_WIDTH = 32  # pixels across
_PER_FRAME = 10  # candidates at least for each wanted frame
_ENOUGH_GROUPS = 25  # groups of pictures for each wanted frame, not to decode all of each
_DECODED = 20_000  # frames that are decoded at most where that is so
_TRIES = 3  # candidates in each stretch of time


def look_at_video(
    video: VideoReader,
    ranks: Sequence[int] | np.ndarray,
    *,
    crop: Crop | None = None,
    width: int = _WIDTH,
    bar: ProgressBar | None = None,
) -> Thumbnails:
    """Read small pictures of frames near those wanted.

    Parameters
    ----------
    video : VideoReader
    ranks : sequence of int
        Wanted frames, ascending.
    crop : (int, int, int, int), optional
        x1, x2, y1, y2 in pixels of the displayed video, the ends excluded.
    width : int, optional
        Pixels across.
    bar : ProgressBar, optional
        Moves on with the wanted frames.

    Returns
    -------
    Thumbnails
        Of frames that are fast to decode; of every wanted one the next such.
    """
    wanted = np.asarray(ranks, np.int64)
    indices: list[int] = []
    pictures: list[np.ndarray] = []
    done = 0
    for index, picture in read_thumbnails(video, wanted.tolist(), width=width, crop=crop):
        indices.append(index)
        pictures.append(picture)
        reached = int(np.searchsorted(wanted, index, side="right"))
        if bar is not None:
            bar.advance(reached - done)
        done = reached
    if bar is not None:
        bar.advance(len(wanted) - done)
    shape = (0, 1, 1) if not pictures else (len(pictures), *pictures[0].shape)
    return Thumbnails(np.array(indices, np.int64), np.array(pictures, np.uint8).reshape(shape))


def find_candidates(video: VideoInfo, config: ExtractConfig) -> np.ndarray:
    """Return the frames among which to choose, so that few need to be decoded.

    For "uniform" they are three at random out of each stretch. For "kmeans" they stand at
    even distances. Of a video longer than 20,000 frames only the beginnings of the groups
    of pictures count, from each keyframe on, where there are 25 groups for each wanted
    frame: to get at the end of a group, all of it must be decoded.

    Returns
    -------
    ndarray of int64
        Ascending.

    Raises
    ------
    InvalidInputError
        If the range does not lie in the video.
    """
    start, stop = _range(video, config)
    if config.method == "uniform":
        rng = np.random.default_rng(config.seed)
        stretches = np.array_split(np.arange(start, stop), config.count)
        tries = [rng.choice(each, min(_TRIES, len(each)), replace=False) for each in stretches]
        return np.sort(np.concatenate(tries))
    most = max(config.candidates, _PER_FRAME * config.count)
    ranks = np.arange(start, stop)
    keys = video.keyframes
    groups = np.searchsorted(keys, ranks, side="right") - 1
    count = groups[-1] - groups[0] + 1
    if len(ranks) > _DECODED and count >= _ENOUGH_GROUPS * config.count:
        reach = max(1, _DECODED // int(count))
        ranks = ranks[(groups >= 0) & (ranks - keys[np.maximum(groups, 0)] < reach)]
    return np.asarray(ranks[_evenly(len(ranks), min(most, len(ranks)))])


def _evenly(total: int, count: int) -> np.ndarray:
    """Return `count` of the first `total` numbers, each in the middle of its share."""
    return ((np.arange(count) + 0.5) * total / count).astype(np.int64)


def _range(video: VideoInfo, config: ExtractConfig) -> tuple[int, int]:
    stop = video.frame_count if config.stop is None else config.stop
    if not config.start < stop or config.start >= video.frame_count:
        raise InvalidInputError(
            "A frame range has 0 <= start < stop, and start lies in the video; got "
            f"start={config.start}, stop={config.stop} for {video.url}, which has "
            f"{video.frame_count} frames. Give another range."
        )
    return config.start, min(stop, video.frame_count)
