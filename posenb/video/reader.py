"""Frame-exact reading of a video behind any URL."""

from __future__ import annotations

import operator
import warnings
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import pairwise
from types import TracebackType
from typing import Self, SupportsIndex

import numpy as np

from posenb.core import FrameFormat
from posenb.errors import InvalidInputError, VideoError, VideoWarning
from posenb.video.decoder import Decoder, Frame
from posenb.video.info import VideoInfo
from posenb.video.picture import PictureMaker
from posenb.video.raw import RawMaker

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
    raw : RawMaker
        Makes raw frames of them.
    resources : ExitStack
        Closed with the reader.
    """

    def __init__(
        self,
        info: VideoInfo,
        decoder: Decoder,
        picture: PictureMaker,
        raw: RawMaker,
        resources: ExitStack,
    ) -> None:
        self.info = info
        self._decoder = decoder
        self._picture = picture
        self._raw = raw
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
    def format(self) -> FrameFormat:
        """Format of the frames that `raw_batches` gives."""
        return self._raw.format

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

    def raw_batches(
        self,
        size: int,
        start: int = 0,
        stop: int | None = None,
        *,
        out: Callable[[], np.ndarray] | None = None,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Iterate over a range of frames in batches, in the form nearest to the decoder's.

        This saves the conversion to RGB, which takes longer than decoding, and up to half
        of the bytes; `format` tells what they mean.

        Parameters
        ----------
        size : int
            Frames in a batch; the last one may hold fewer.
        start, stop : int
            As in a slice.
        out : callable, optional
            Gives the array that the next batch is written to, of dtype uint8 and shape
            (`size`, nbytes): one that is not used any more. By default each is new.

        Yields
        ------
        indices : ndarray of int64, shape (B,)
            Which frames. They are consecutive, except where frames could not be
            decoded and are left out.
        frames : ndarray of uint8, shape (B, nbytes)
            The planes of each frame as `format` lays them out, upright: the first B rows
            of the array that `out` gave.

        Warns
        -----
        VideoWarning
            At the end, if frames could not be decoded and were left out.
        """
        _check_positive("size", size)
        return self._raw_batches(size, self._range(start, stop, 1), out)

    def chunks(self, size: int, start: int = 0, stop: int | None = None) -> list[tuple[int, int]]:
        """Divide a range of frames into ranges that decode independently.

        Parameters
        ----------
        size : int
            Most frames in each.
        start, stop : int
            As in a slice.

        Returns
        -------
        list of (start, stop)
            They cover the range without overlap. Each begins at a keyframe, so that none
            is decoded for another one's sake, and is as long as keyframes and `size` allow.
            Where keyframes are more than `size` apart, the frames between two are divided
            evenly, and all but the first of these ranges begin at none.
        """
        _check_positive("size", size)
        ranks = self._range(start, stop, 1)
        keys = self.keyframes
        starts = [ranks.start, *keys[(keys > ranks.start) & (keys < ranks.stop)].tolist()]
        borders = [ranks.start]
        while borders[-1] < ranks.stop:
            begin = borders[-1]
            near = bisect_right(starts, begin + size)
            if begin + size >= ranks.stop:
                borders.append(ranks.stop)
            elif starts[near - 1] > begin:
                borders.append(starts[near - 1])
            else:
                end = starts[near] if near < len(starts) else ranks.stop
                parts = -(-(end - begin) // size)
                borders += [begin + (end - begin) * part // parts for part in range(1, parts + 1)]
        return list(pairwise(borders))

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
        return ((rank, self._picture(frame)) for rank, frame in self._frames(ranks))

    def _frames(self, ranks: range) -> Iterator[tuple[int, Frame]]:
        lost = []
        for rank in ranks:
            frame = self._frame(rank)
            if frame is None:
                lost.append(rank)
            else:
                yield rank, frame
        if lost:
            warnings.warn(
                f"{len(lost)} of {len(ranks)} frames of {self.url} could not be decoded and are "
                f"left out (the first is {lost[0]}, the last {lost[-1]}); all others keep their "
                "index. If a better copy exists, use that.",
                VideoWarning,
                stacklevel=2,
            )

    def _batches(self, size: int, ranks: range) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        shape = (min(size, len(ranks)), self.height, self.width, 3)

        def write(frame: Frame, row: np.ndarray) -> None:
            row[...] = self._picture(frame)

        return self._filled(ranks, write, lambda: np.empty(shape, np.uint8))

    def _raw_batches(
        self, size: int, ranks: range, out: Callable[[], np.ndarray] | None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        shape = (min(size, len(ranks)), self.format.nbytes)
        return self._filled(ranks, self._raw.write, out or (lambda: np.empty(shape, np.uint8)))

    def _filled(
        self,
        ranks: range,
        write: Callable[[Frame, np.ndarray], None],
        out: Callable[[], np.ndarray],
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Write frames into the arrays that `out` gives until each is full."""
        filled: list[int] = []
        for rank, frame in self._frames(ranks):
            if not filled:
                frames = out()
            write(frame, frames[len(filled)])
            filled.append(rank)
            if len(filled) == len(frames):
                yield np.array(filled), frames
                filled = []
        if filled:
            yield np.array(filled), frames[: len(filled)]


def _part(start: int, stop: int, scale: float, size: int) -> slice:
    """Return which pixels of a row or column of `size` show those from `start` to `stop`."""
    first = min(round(start * scale), size - 1)
    return slice(first, max(first + 1, round(stop * scale)))


def _check_positive(name: str, value: int) -> None:
    if value < 1:
        raise InvalidInputError(f"{name} must be at least 1; got {value}.")
