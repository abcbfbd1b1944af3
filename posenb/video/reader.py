"""Frame-exact reading of a video behind any URL."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Self, SupportsIndex

import numpy as np

from posenb.errors import InvalidInputError, VideoError, VideoWarning
from posenb.video.decoder import Decoder, Frame
from posenb.video.info import VideoInfo
from posenb.video.picture import PictureMaker

__all__ = ["FrameIndexError", "VideoReader"]


class FrameIndexError(VideoError, IndexError):
    """A frame index lies outside the video."""


class VideoReader:
    """The frames of a video, by index; made by `open_video`.

    Frame i is the i-th frame that a player shows, whatever the order in the file;
    random access, ranges and batches agree on it. Frames come as uint8 RGB arrays of
    shape (H, W, 3) in the orientation of display. Use it as a context manager, or
    call `close`. Several threads may share it; each waits for its turn.

    A video that is cut off ends at its last whole frame before the first missing one;
    `missing_frames` counts the rest. A frame in the middle that cannot be decoded
    keeps its index, so that the times of all others stay true: iterating leaves it
    out and warns at the end, asking for it raises. In pictures that are damaged but
    decodable, the decoder fills what is missing. Where a container without tables (MKV,
    FLV, ...) lost whole frames in its middle, they are not counted; `times` shows the gap.

    Parameters
    ----------
    info : VideoInfo
        The facts.
    decoder : Decoder
        Gives the frames.
    picture : PictureMaker
        Makes pictures of them.
    resources : ExitStack
        Closed with the reader.
    """

    def __init__(
        self, info: VideoInfo, decoder: Decoder, picture: PictureMaker, resources: ExitStack
    ) -> None:
        self.info = info
        self._decoder = decoder
        self._picture = picture
        self._resources = resources
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the file and the decoder; the facts stay readable."""
        self._closed = True
        self._resources.close()

    @property
    def url(self) -> str:
        """Where the video lies."""
        return self.info.url

    @property
    def frame_count(self) -> int:
        """Number of readable frames, N."""
        return self.info.frame_count

    @property
    def fps(self) -> float:
        """Average frames per second."""
        return self.info.fps

    @property
    def width(self) -> int:
        """Width of a frame as displayed, pixels."""
        return self.info.width

    @property
    def height(self) -> int:
        """Height of a frame as displayed, pixels."""
        return self.info.height

    @property
    def rotation(self) -> int:
        """Degrees clockwise (0, 90, 180 or 270) by which stored pictures are turned."""
        return self.info.rotation

    @property
    def duration(self) -> float:
        """Seconds from the start of the first frame to the end of the last."""
        return self.info.duration

    @property
    def times(self) -> np.ndarray:
        """Seconds from the first frame, shape (N,), read-only."""
        return self.info.times

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""
        return self.info.codec

    @property
    def pixel_format(self) -> str:
        """FFmpeg's name of the stored pixel format."""
        return self.info.pixel_format

    @property
    def keyframes(self) -> np.ndarray:
        """Indices of the frames that decode by themselves, ascending, read-only."""
        return self.info.keyframes

    @property
    def missing_frames(self) -> int:
        """Number of frames that the file promises but that are cut off at its end."""
        return self.info.missing_frames

    def __len__(self) -> int:
        """Return the number of readable frames."""
        return self.info.frame_count

    def __getitem__(self, index: SupportsIndex) -> np.ndarray:
        """Return one frame.

        Parameters
        ----------
        index : int
            From 0, or from -1 backwards.

        Returns
        -------
        ndarray, shape (H, W, 3)
            uint8 RGB.

        Raises
        ------
        FrameIndexError
            If there is no such frame.
        VideoError
            If it is too damaged to be decoded.
        """
        wanted = operator.index(index)
        rank = wanted + len(self) if wanted < 0 else wanted
        if not 0 <= rank < len(self):
            raise FrameIndexError(
                f"A frame index must lie between {-len(self)} and {len(self) - 1} in {self.url}; "
                f"got {wanted}."
            )
        frame = self._frame(rank)
        if frame is None:
            raise VideoError(
                f"A frame must be decodable; frame {rank} of {self.url} is damaged. Take another "
                "one, or copy the video again from where it was recorded."
            )
        return self._picture(frame)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Iterate over all frames in order."""
        return (frame for _, frame in self.read())

    def read(
        self, start: int = 0, stop: int | None = None, step: int = 1
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Iterate over a range of frames.

        Parameters
        ----------
        start, stop, step : int
            As in a slice; `step` must be positive.

        Yields
        ------
        index : int
            Which frame.
        frame : ndarray, shape (H, W, 3)
            uint8 RGB.

        Warns
        -----
        VideoWarning
            At the end, if frames could not be decoded and were left out.
        """
        return self._read(self._range(start, stop, step))

    def batches(
        self, size: int, start: int = 0, stop: int | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Iterate over a range of frames in batches.

        Parameters
        ----------
        size : int
            Frames in a batch; the last one may hold fewer.
        start, stop : int
            As in a slice.

        Yields
        ------
        indices : ndarray of int64, shape (B,)
            Which frames. They are consecutive, except where frames could not be
            decoded and are left out.
        frames : ndarray, shape (B, H, W, 3)
            uint8 RGB, the consumer's to keep.

        Warns
        -----
        VideoWarning
            At the end, if frames could not be decoded and were left out.
        """
        _check_positive("size", size)
        return self._batches(size, self._range(start, stop, 1))

    def chunks(self, size: int) -> list[tuple[int, int]]:
        """Divide the video into ranges that decode independently.

        Parameters
        ----------
        size : int
            Wanted number of frames in each.

        Returns
        -------
        list of (start, stop)
            They cover the video without overlap, and each begins at a keyframe. A range is
            as near to `size` as keyframes allow, longer where they are farther apart.
        """
        _check_positive("size", size)
        borders = [0]
        keys = self.keyframes
        while True:
            later = keys[keys > borders[-1]]
            if not len(later) or borders[-1] + size >= len(self):
                break
            borders.append(int(later[np.argmin(np.abs(later - borders[-1] - size))]))
        return list(zip(borders, [*borders[1:], len(self)], strict=True))

    def _range(self, start: int, stop: int | None, step: int) -> range:
        _check_positive("step", step)
        return range(*slice(start, stop, step).indices(len(self)))

    def _frame(self, rank: int) -> Frame | None:
        if self._closed:
            raise VideoError(
                f"Frames can be read only while the video is open; {self.url} was closed. Open "
                "it again with open_video."
            )
        return self._decoder.frame(rank)

    def _read(self, ranks: range) -> Iterator[tuple[int, np.ndarray]]:
        lost = []
        for rank in ranks:
            frame = self._frame(rank)
            if frame is None:
                lost.append(rank)
            else:
                yield rank, self._picture(frame)
        if lost:
            warnings.warn(
                f"{len(lost)} of {len(ranks)} frames of {self.url} could not be decoded and are "
                f"left out (the first is {lost[0]}, the last {lost[-1]}); all others keep their "
                "index. If a better copy exists, use that.",
                VideoWarning,
                stacklevel=2,
            )

    def _batches(self, size: int, ranks: range) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        shape = (self.height, self.width, 3)
        left = len(ranks)
        filled = 0
        for rank, picture in self._read(ranks):
            if filled == 0:
                indices = np.empty(min(size, left), np.int64)
                frames = np.empty((len(indices), *shape), np.uint8)
            indices[filled], frames[filled] = rank, picture
            filled += 1
            if filled == len(indices):
                yield indices, frames
                left -= filled
                filled = 0
        if filled:
            yield indices[:filled], frames[:filled]


def _check_positive(name: str, value: int) -> None:
    if value < 1:
        raise InvalidInputError(f"{name} must be at least 1; got {value}.")
