"""Where frames come from: cameras and streams by name, arrays, other programs by a socket."""

from __future__ import annotations

import socket
import struct
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np

from posenb.core import FrameFormat
from posenb.errors import InvalidInputError, VideoError, VideoWarning
from posenb.video import open_camera

__all__ = ["Feed", "open_feed", "send_frame", "socket_frames"]

_HEAD = struct.Struct("!II")  # height and width
_MOST_PIXELS = 2**26  # more than any camera: a head that says so is none


@dataclass(frozen=True, slots=True)
class Feed:
    """Raw frames as they come.

    Parameters
    ----------
    name : str
        For people.
    format : FrameFormat
        What the frames are.
    frames : iterable of ndarray
        uint8, shape (nbytes,).
    waits : bool, optional
        Whether the frames wait until they are taken, as those of a file do.
    """

    name: str
    format: FrameFormat
    frames: Iterable[np.ndarray]
    waits: bool = False


def open_feed(source: int | str | Iterable[np.ndarray]) -> AbstractContextManager[Feed]:
    """Open a source of frames.

    Parameters
    ----------
    source : int, str or iterable of ndarray
        The number of a camera, what `posenb.video.open_camera` takes, or arrays of uint8,
        all of one shape: (H, W, 3) for RGB or (H, W) for grey. The first one tells it.

    Raises
    ------
    VideoError
        If a camera or stream cannot be opened.
    InvalidInputError
        If arrays are none of this, or there is none.
    """
    return _camera_feed(str(source)) if isinstance(source, int | str) else _array_feed(source)


@contextmanager
def _camera_feed(source: str) -> Iterator[Feed]:
    name = source
    if source.isdecimal():
        name = f"/dev/video{source}" if sys.platform == "linux" else f"camera:{source}"
    with open_camera(name) as camera:
        yield Feed(name, camera.format, camera, waits=Path(name).is_file())


@contextmanager
def _array_feed(source: Iterable[np.ndarray]) -> Iterator[Feed]:
    rest = iter(source)
    first = next(rest, None)
    if first is None:
        raise InvalidInputError(
            "Live analysis needs frames; the source ended before the first one. Check what gives "
            "them."
        )
    first = _checked(first, None)
    height, width = first.shape[:2]
    form = FrameFormat("grey" if first.ndim == 2 else "rgb", height, width, full_range=True)
    every = (_checked(frame, first.shape).reshape(-1) for frame in chain([first], rest))
    yield Feed(type(source).__name__, form, every)


def _checked(frame: object, shape: tuple[int, ...] | None) -> np.ndarray:
    if isinstance(frame, np.ndarray) and frame.dtype == np.uint8:
        fits = frame.ndim == 2 or (frame.ndim == 3 and frame.shape[2] == 3)
        if fits and frame.size and shape in (None, frame.shape):
            return frame
    got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
    wanted = "(height, width, 3) or (height, width)" if shape is None else f"{shape} as the first"
    raise InvalidInputError(
        f"A frame is an array of uint8 of shape {wanted}; got {got}. Convert it (OpenCV gives "
        "BGR: frame[..., ::-1])."
    )


def send_frame(connection: socket.socket, frame: np.ndarray) -> None:
    """Send one frame to `socket_frames`.

    Parameters
    ----------
    connection : socket
        Connected.
    frame : ndarray of uint8, shape (H, W, 3)
        RGB.

    Notes
    -----
    A frame is its height and width as two 32-bit unsigned integers, the most significant
    byte first, and its 3 x height x width bytes.
    """
    checked = _checked(frame, None)
    if checked.ndim == 2:
        checked = np.repeat(checked[..., None], 3, axis=2)
    connection.sendall(_HEAD.pack(*checked.shape[:2]) + np.ascontiguousarray(checked).tobytes())


def socket_frames(
    address: tuple[str, int], *, timeout: float | None = None
) -> Iterator[np.ndarray]:
    """Take frames from another program, which sends them as `send_frame` does.

    Parameters
    ----------
    address : (str, int)
        Host and port on which it listens.
    timeout : float, optional
        Seconds without a byte after which the connection counts as broken.

    Yields
    ------
    ndarray of uint8, shape (H, W, 3)
        RGB, until the other side closes the connection.

    Raises
    ------
    VideoError
        If there is no connection, it breaks, or what comes is no frame.

    Warns
    -----
    VideoWarning
        If it is closed within a frame, which is left out then.
    """
    where = f"{address[0]}:{address[1]}"
    try:
        with closing(socket.create_connection(address, timeout)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            yield from _received(connection, where)
    except OSError as error:
        raise VideoError(
            f"Frames come over a connection that stays; the one to {where} failed ({error}). "
            "Start the program that sends them first, and see whether it still runs."
        ) from error


def _received(connection: socket.socket, where: str) -> Iterator[np.ndarray]:
    head = bytearray(_HEAD.size)
    while got := _fill(connection, memoryview(head)):
        height, width = _HEAD.unpack(head)
        if got == len(head):
            if not 0 < height * width <= _MOST_PIXELS:
                raise VideoError(
                    "A frame begins with its height and width (send_frame); from "
                    f"{where} came {height} x {width}. Send nothing else over this connection."
                )
            frame = np.empty((height, width, 3), np.uint8)
            if _fill(connection, frame.reshape(-1).data) == frame.nbytes:
                yield frame
                continue
        warnings.warn(
            f"The connection to {where} was closed within a frame, which is left out.",
            VideoWarning,
            stacklevel=2,
        )
        return


def _fill(connection: socket.socket, target: memoryview) -> int:
    """Receive until `target` is full or the other side closes; return how many bytes came."""
    got = 0
    while got < len(target):
        count = connection.recv_into(target[got:])
        if not count:
            break
        got += count
    return got
