"""Frames as they come: cameras and streams, which have no index, no length and no way back."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

import av
import numpy as np

from posenb.core import FrameFormat
from posenb.errors import VideoError
from posenb.video.container import picture_stream
from posenb.video.picture import PictureMaker
from posenb.video.raw import RawMaker

__all__ = ["Camera", "open_camera"]

# FFmpeg's names of its input devices; "lavfi" makes pictures up.
_DEVICES = ("v4l2", "avfoundation", "dshow", "lavfi")
_OWN = {"linux": "v4l2", "darwin": "avfoundation", "win32": "dshow"}


class Camera:
    """Raw frames of a camera or stream, as they come; made by `open_camera`.

    Use it as a context manager, or call `close`. Only one thread may read it; another one
    may close it, which then takes effect with the next frame.

    Parameters
    ----------
    url : str
        What it is called.
    container : av.container.InputContainer
        Open; closed with the camera.
    """

    def __init__(self, url: str, container: Any) -> None:
        self.url = url
        self._reading, self._closed = threading.Lock(), False
        with ExitStack() as resources:
            resources.callback(container.close)
            stream = picture_stream(container, url)
            # Threads that work on whole frames hold back as many frames as there are threads.
            stream.thread_type = "SLICE"
            self._frames = self._decode(container, stream)
            first = next(self._frames, None)
            if first is None:
                raise VideoError(
                    f"A camera or stream must give pictures; {url} ended before the first one. "
                    "Check that it is on and that no other program uses it."
                )
            self._first: Any = first
            self._raw = RawMaker(first, PictureMaker(first))
            self._resources = resources.pop_all()

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
        """Let go of the camera."""
        self._closed = True
        # FFmpeg must not lose a container that it is waiting on: whoever reads closes then.
        if self._reading.acquire(blocking=False):
            try:
                self._resources.close()
            finally:
                self._reading.release()

    @property
    def format(self) -> FrameFormat:
        """What the raw frames are."""
        return self._raw.format

    def __iter__(self) -> Iterator[np.ndarray]:
        """Give raw frames, uint8 of shape (nbytes,), each a new array, until the stream ends.

        Raises
        ------
        VideoError
            If the camera goes or the connection breaks.
        """
        if self._first is not None:
            yield self._written(self._first)
            self._first = None
        while (frame := self._next()) is not None:
            yield self._written(frame)

    def _next(self) -> Any:
        with self._reading:
            frame = None if self._closed else next(self._frames, None)
            if self._closed:
                self._resources.close()
                return None
        return frame

    def _written(self, frame: Any) -> np.ndarray:
        raw = np.empty(self.format.nbytes, np.uint8)
        self._raw.write(frame, raw)
        return raw

    def _decode(self, container: Any, stream: Any) -> Any:
        try:
            yield from container.decode(stream)
        except av.EOFError:
            return
        except av.FFmpegError as error:
            raise VideoError(
                f"A camera or stream must keep giving pictures; {self.url} broke off ({error}). "
                "Check its cable or connection."
            ) from error


def open_camera(source: str, **options: str) -> Camera:
    """Open a camera, or a stream that comes over the network.

    Parameters
    ----------
    source : str
        ``/dev/video0``, ``camera:NAME`` (this system's cameras by FFmpeg's name, such as
        ``camera:0`` on a Mac or ``camera:video=Integrated Webcam`` on Windows), an input
        device of FFmpeg with its argument (``v4l2:/dev/video0``, ``lavfi:testsrc``), or a
        URL that FFmpeg opens (``rtsp://``, ``udp://``, ``http://``, a file).
    **options : str
        Options of FFmpeg for it, such as ``video_size="640x480", framerate="60"``.

    Returns
    -------
    Camera
        Also a context manager.

    Raises
    ------
    VideoError
        If it cannot be opened or gives no pictures.
    """
    name, device = source, None
    head, separator, rest = source.partition(":")
    if source.startswith("/dev/"):
        device = "v4l2"
    elif separator and head in _DEVICES:
        device, name = head, rest
    elif separator and head == "camera":
        device, name = _OWN.get(sys.platform, "v4l2"), rest
    # What FFmpeg looks at to find out what a stream is would come late; of a file it is part.
    lively = device is not None or "://" in source
    settings = {**({"fflags": "nobuffer"} if lively else {}), **options}
    try:
        container = av.open(name, mode="r", format=device, options=settings)
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(
            "A source is a camera (/dev/video0), a device of FFmpeg (v4l2:/dev/video0) or a URL "
            f"that FFmpeg opens; {source} cannot be opened ({error}). Check the name, and that "
            "no other program uses it."
        ) from error
    return Camera(source, container)
