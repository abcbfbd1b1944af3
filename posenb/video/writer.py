"""Writing video that browsers play: H.264, yuv420p, tables first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from fractions import Fraction
from types import TracebackType
from typing import Any, Self

import av
import numpy as np
from av.video.reformatter import Colorspace, VideoReformatter

from posenb import storage
from posenb.errors import InvalidInputError, VideoError
from posenb.storage import Url

__all__ = ["VideoWriter", "write_video"]

# Denominators up to this keep the rates that cameras give, 30000/1001 or 1000000/33333.
_FINEST_RATE = 100_000
_PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)


class VideoWriter:
    """Writes frames to an MP4 that is there whole or not at all.

    The video is H.264 in yuv420p with a keyframe each second (for quick seeking) and its
    tables at the front (so that browsers start at once). Colours follow ITU-R BT.601,
    limited range, and are tagged so. As yuv420p needs even sides, an odd width or height
    grows by one: the last column or row is repeated.

    Use it as a context manager; an error within, or no frame at all, leaves nothing
    behind.

    Parameters
    ----------
    url : str or PathLike
        Where to write; what is there is replaced at the end.
    fps : float or Fraction
        Frames per second.
    size : (int, int), optional
        Width and height in pixels; by default those of the first frame.
    crf : int, default 18
        Constant rate factor of x264, 0 (lossless) to 51 (worst); 18 looks lossless.
    preset : str, default "veryfast"
        Speed of x264, "ultrafast" to "veryslow": slower makes smaller files.
    bitrate : int, optional
        Most kilobits per second, over any two seconds; where `crf` would take more, the
        picture gets coarser. None sets no limit.

    Raises
    ------
    InvalidInputError
        If a parameter is out of range.
    """

    def __init__(
        self,
        url: Url,
        *,
        fps: float | Fraction,
        size: tuple[int, int] | None = None,
        crf: int = 18,
        preset: str = "veryfast",
        bitrate: int | None = None,
    ) -> None:
        if not 1 / _FINEST_RATE <= fps <= _FINEST_RATE:
            raise InvalidInputError(
                f"fps must be a number between {1 / _FINEST_RATE} and {_FINEST_RATE}; got {fps!r}. "
                "Give the frame rate of the source."
            )
        if not 0 <= crf <= 51:
            raise InvalidInputError(
                f"crf must lie between 0 and 51; got {crf!r}. 18 looks lossless."
            )
        if size is not None and min(size) < 1:
            raise InvalidInputError(
                f"size must be positive (width, height); got {size!r}. Leave it out to take "
                "that of the first frame."
            )
        if preset not in _PRESETS:
            raise InvalidInputError(
                f"preset must be one of {', '.join(_PRESETS)}; got {preset!r}. Choose one."
            )
        if bitrate is not None and bitrate < 1:
            raise InvalidInputError(
                f"bitrate must be at least 1 kilobit per second; got {bitrate!r}. Leave it out to "
                "set no limit."
            )
        self.url = storage.resolve(url)
        self.fps = Fraction(fps).limit_denominator(_FINEST_RATE)
        self.size = size
        self.crf = crf
        self.preset = preset
        self.bitrate = bitrate
        self.count = 0
        self._session: AbstractContextManager[Any] | None = None
        self._container: Any = None
        self._stream: Any = None
        # Kept from frame to frame, for making its tables takes time.
        self._reformatter = VideoReformatter()

    def __enter__(self) -> Self:
        self._session = self._opened()
        self._container = self._session.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._session is not None
        self._container, session = None, self._session
        session.__exit__(kind, error, trace)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        options = {"movflags": "+faststart"}
        with (
            storage.writing(self.url) as path,
            av.open(str(path), "w", format="mp4", options=options) as container,
        ):
            yield container
            if self._stream is None:
                raise VideoError(
                    f"A video must hold at least one frame; none was written to {self.url}. "
                    "Write frames before leaving the writer."
                )
            container.mux(self._stream.encode(None))

    def write(self, frame: np.ndarray) -> None:
        """Append one frame.

        Parameters
        ----------
        frame : ndarray, shape (H, W, 3)
            uint8 RGB; all of one size.

        Raises
        ------
        InvalidInputError
            If the array is not like that.
        VideoError
            If the writer was not entered.
        """
        if self._container is None:
            raise VideoError(
                f"Frames can be written only inside 'with VideoWriter(...)'; {self.url} is not "
                "open. Write them in its body."
            )
        height, width = self._checked_size(frame)
        if self._stream is None:
            self.size = (width, height)
            self._stream = self._add_stream(width + width % 2, height + height % 2)
        if height % 2 or width % 2:
            frame = np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        picture = av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(frame), format="rgb24")
        picture = self._reformatter.reformat(
            picture, format="yuv420p", dst_colorspace=Colorspace.ITU601
        )
        picture.pts = self.count
        picture.time_base = 1 / self.fps
        self._container.mux(self._stream.encode(picture))
        self.count += 1

    def _checked_size(self, frame: np.ndarray) -> tuple[int, int]:
        expected = "(H, W, 3)" if self.size is None else f"({self.size[1]}, {self.size[0]}, 3)"
        array = np.asarray(frame)
        fits = array.ndim == 3 and array.shape[2] == 3 and array.size > 0
        if fits and self.size is not None:
            fits = array.shape[:2] == self.size[::-1]
        if not fits or array.dtype != np.uint8:
            raise InvalidInputError(
                f"A frame must be a uint8 RGB array of shape {expected}; got {array.dtype} of "
                f"shape {array.shape}. Convert or resize it first."
            )
        return array.shape[0], array.shape[1]

    def _add_stream(self, width: int, height: int) -> Any:
        try:
            stream = self._container.add_stream("libx264", rate=self.fps)
        except av.FFmpegError as error:
            raise VideoError(
                "Writing video needs PyAV with libx264, as its wheels have it; this build has "
                f"none ({error}). Install it with: pip install --force-reinstall av"
            ) from error
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.options = {"crf": str(self.crf), "preset": self.preset}
        if self.bitrate is not None:
            limits = {"maxrate": f"{self.bitrate}k", "bufsize": f"{2 * self.bitrate}k"}
            context.options = {**context.options, **limits}
        context.gop_size = max(1, round(self.fps))
        # BT.601 (SMPTE 170M), limited range.
        context.colorspace = context.color_primaries = context.color_trc = 6
        context.color_range = 1
        return stream


def write_video(url: Url, frames: Iterable[np.ndarray], fps: float | Fraction) -> None:
    """Write `frames` to an MP4; see `VideoWriter`.

    Parameters
    ----------
    url : str or PathLike
        Where to write.
    frames : iterable of ndarray, shape (H, W, 3)
        uint8 RGB.
    fps : float or Fraction
        Frames per second.
    """
    with VideoWriter(url, fps=fps) as writer:
        for frame in frames:
            writer.write(frame)
