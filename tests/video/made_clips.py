"""Small videos made with PyAV whose pictures tell their own number."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from posenb.core import FrameFormat

WIDTH, HEIGHT = 96, 64
_BITS = 12


def numbered_picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Picture with `number` written as black and white blocks along its top, noise below."""
    rng = np.random.default_rng(number)
    picture = np.zeros((height, width, 3), np.uint8)
    rows, columns = np.mgrid[:height, :width]
    picture[..., 0] = (rows * 3 + number * 2) % 256
    picture[..., 1] = (columns * 2 + number) % 256
    picture[..., 2] = 128
    picture[height // 2 :] += rng.integers(0, 40, (height - height // 2, width, 3), np.uint8)
    for bit in range(_BITS):
        left = bit * width // _BITS
        picture[: height // 4, left : left + width // _BITS] = 255 * (number >> bit & 1)
    return picture


def number_of(picture: np.ndarray) -> int:
    """Read the number back."""
    height, width = picture.shape[:2]
    total = 0
    for bit in range(_BITS):
        left = bit * width // _BITS
        block = picture[2 : height // 4 - 2, left + 2 : left + width // _BITS - 2]
        total |= int(block.mean() > 128) << bit
    return total


def make_clip(
    path: Path,
    count: int = 40,
    *,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    size: tuple[int, int] = (WIDTH, HEIGHT),
    times: Iterable[int] | None = None,
    rate: Fraction | int = 30,
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
    gop: int = 10,
    b_frames: int = 0,
) -> Path:
    """Encode `count` numbered pictures; `times` are milliseconds for a variable rate."""
    stamps = None if times is None else list(times)
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        context = stream.codec_context
        context.gop_size = gop
        context.max_b_frames = b_frames
        context.thread_count = 1
        context.options = dict(options or {})
        if stamps is not None:
            context.time_base = Fraction(1, 1000)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number, *size), format="rgb24")
            frame = frame.reformat(format=pixel_format)
            frame.pts = number if stamps is None else stamps[number]
            frame.time_base = 1 / Fraction(rate) if stamps is None else Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def remux(source: Path, target: Path, *, first_packet: int = 0, shift: int = 0) -> Path:
    """Copy packets without encoding, from `first_packet` on, moved by `shift` time units."""
    with av.open(str(source)) as origin, av.open(str(target), "w") as goal:
        stream = origin.streams.video[0]
        copied = goal.add_stream_from_template(stream)
        for number, packet in enumerate(origin.demux(stream)):
            if packet.dts is None or number < first_packet:
                continue
            packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
            packet.stream = copied
            goal.mux(packet)
    return target


def plain_pictures(path: Path | str) -> list[np.ndarray]:
    """All pictures as PyAV gives them in order."""
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def fingerprint(picture: np.ndarray) -> bytes:
    """Short text that tells pictures apart."""
    return hashlib.blake2b(np.ascontiguousarray(picture), digest_size=12).digest()


def turn(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write the display matrix a b c d into the track header of an MP4."""
    data = bytearray(path.read_bytes())
    body = data.index(b"tkhd") + 4
    assert data[body] == 0, "the sizes below are those of version 0"
    a, b, c, d = (value << 16 for value in matrix)
    data[body + 40 : body + 76] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))
    return path


def as_pictures(raw: np.ndarray, form: FrameFormat) -> np.ndarray:
    """Colours of raw frames, shape (B, H, W, 3), by the formula of their format."""
    down, across = form.shared
    planes, start = [], 0
    for height, width in form.planes:
        plane = raw[:, start : start + height * width].reshape(-1, height, width)
        start += height * width
        planes.append(plane.astype(float))
    if form.kind == "rgb":
        return planes[0].reshape(-1, form.height, form.width, 3)
    size = np.s_[:, : form.height, : form.width]
    chroma = [plane.repeat(down, 1).repeat(across, 2)[size] for plane in planes[1:]]
    stacked = np.stack([planes[0], *(chroma or [planes[0]] * 2), np.ones_like(planes[0])], -1)
    return (stacked @ np.array(form.to_rgb).T).clip(0, 255)
