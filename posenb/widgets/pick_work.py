"""What picking needs of one video: its frames, how it moves, what would be chosen, writing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np

from posenb.errors import VideoError
from posenb.extraction import (
    ExtractConfig,
    Thumbnails,
    choose_frames,
    find_candidates,
    find_crop,
    find_motion,
    look_at_video,
    write_frame,
)
from posenb.extraction.config import Method
from posenb.project import Project
from posenb.video import open_video
from posenb.widgets.frame_feed import FrameFeed, encode_jpeg

__all__ = ["Motion", "VideoWork"]

_THUMBNAIL = 220  # pixels
_LONGEST_CURVE = 1000  # points


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """How much moves, along a video.

    Parameters
    ----------
    frames : ndarray of int64, shape (N,)
    values : ndarray, shape (N,)
        0 to 1, where 1 is what few frames exceed.
    """

    frames: np.ndarray
    values: np.ndarray


class _Counted:
    """A bar that nobody sees; it counts."""

    def __init__(self, count: Callable[[int], None]) -> None:
        self._count = count

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is to be closed."""

    def advance(self, count: int = 1, **_figures: str) -> None:
        self._count(count)


class VideoWork:
    """One open video; what takes long is done by a thread of its own.

    Parameters
    ----------
    project : Project
    name : str
        Of a video of the project.

    Raises
    ------
    StorageError, VideoError
        If it cannot be opened.
    InvalidInputError
        If the project's crop does not lie in it.
    """

    def __init__(self, project: Project, name: str) -> None:
        self.name = name
        self.progress = 0.0
        self._project = project
        self._url = project.video_url(name)
        self.video = open_video(self._url, warn=False)
        self.crop = find_crop(project, name, self.video.info)
        self.feed = FrameFeed(self.video, crop=self.crop)
        self._still = open_video(self._url, warn=False)  # so that scrubbing never waits for it
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="posenb-pick")
        self._looks: dict[tuple[str, int, int], Thumbnails] = {}

    def close(self) -> None:
        """Release the video, once what is under way has ended."""
        self._pool.shutdown(cancel_futures=True)
        self.video.close()
        self._still.close()

    def motion(self) -> Future[Motion]:
        """Begin to find how much moves; `progress` tells the share that is done."""
        return self._pool.submit(self._motion)

    def suggestion(
        self, count: int, method: Method, marked: Iterable[int], dropped: Iterable[int], seed: int
    ) -> Future[list[int]]:
        """Begin to choose frames as `extract_frames` does for this video alone.

        Parameters
        ----------
        count : int
            How many, beside those that are marked.
        method : {"kmeans", "uniform"}
        marked, dropped : iterable of int
            Frames that the others must not resemble, and frames that are not wanted.
        seed : int
            Another one, another choice.
        """
        near = np.array(sorted(marked), np.int64)
        away = np.array(sorted(dropped), np.int64)
        return self._pool.submit(self._suggest, count, method, near, away, seed)

    def thumbnail(self, index: int) -> Future[bytes]:
        """Begin to make a small JPEG of a frame."""
        return self._pool.submit(self._thumbnail, index)

    def write(self, frames: Iterable[int]) -> tuple[list[int], int]:
        """Write frames into the project.

        Returns
        -------
        written : list of int
            Those that are there now.
        lost : int
            How many could not be decoded.

        Raises
        ------
        StorageError
            If an image cannot be written.
        """
        written, lost = [], 0
        for index in sorted(frames):
            try:
                write_frame(self._project, self.name, self.video, index, self.crop)
            except VideoError:
                lost += 1
            else:
                written.append(index)
        return written, lost

    def _motion(self) -> Motion:
        look = self._look(ExtractConfig())
        motion = find_motion(look)
        values = np.nan_to_num(motion)
        high = float(np.nanpercentile(motion, 99)) if len(motion) > 1 else 1.0
        values = np.clip(values / (high or 1.0), 0, 1)
        groups = np.array_split(np.arange(len(values)), min(_LONGEST_CURVE, max(1, len(values))))
        peaks = [int(group[values[group].argmax()]) for group in groups if len(group)]
        return Motion(look.indices[peaks], values[peaks])

    def _suggest(
        self, count: int, method: Method, marked: np.ndarray, dropped: np.ndarray, seed: int
    ) -> list[int]:
        taken = look_at_video(self._still, marked, crop=self.crop)
        whole = count + len(taken)
        config = ExtractConfig(count=whole, method=method, seed=seed)
        candidates = self._look(config).without(dropped)
        chosen = choose_frames(candidates, whole, method, seed=seed, taken=taken)
        return [int(index) for index in chosen]

    def _look(self, config: ExtractConfig) -> Thumbnails:
        """Return small pictures of the frames to choose from; looked at once."""
        ranks = find_candidates(self.video.info, config)
        key = (
            ("all", len(ranks), 0)
            if config.method == "kmeans"
            else ("some", config.count, config.seed)
        )
        if key not in self._looks:
            self.progress = 0.0
            bar = _Counted(lambda count: self._advance(count / max(1, len(ranks))))
            self._looks[key] = look_at_video(self._still, ranks, crop=self.crop, bar=bar)
        return self._looks[key]

    def _advance(self, share: float) -> None:
        self.progress = min(1.0, self.progress + share)

    def _thumbnail(self, index: int) -> bytes:
        x1, x2, y1, y2 = self.crop
        return encode_jpeg(self._still[index][y1:y2, x1:x2], _THUMBNAIL)
