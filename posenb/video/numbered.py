"""Decoding that tells for each frame which packet it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

__all__ = ["data_packets", "decode_numbered"]


def data_packets(container: InputContainer, stream: VideoStream) -> Iterator[Packet[VideoStream]]:
    """Demux the packets of `stream` that hold data, up to the end or the first broken one."""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            return  # the file ends in the middle of a packet
        if packet is None:
            return
        if packet.size:
            yield packet


def decode_numbered(
    packets: Iterator[Packet[VideoStream]],
    stream: VideoStream,
    number: Callable[[Packet[VideoStream]], int | None],
    on_damage: Callable[[], None] = lambda: None,
) -> Iterator[tuple[int, VideoFrame]]:
    """Decode `packets` and yield the number of its packet with each frame.

    The number travels through the decoder in the place of the presentation time,
    which decoders hand on unchanged, so it serves where times are absent or repeat.

    Parameters
    ----------
    packets : iterator of Packet
        In the order of the file.
    stream : VideoStream
        Their stream.
    number : callable
        Gives the number of a packet, or None where decoding shall end.
    on_damage : callable, optional
        Called after a packet that the decoder refuses; that packet is skipped.
    """
    frames: list[VideoFrame]
    for packet in packets:
        packet.pts = number(packet)
        if packet.pts is None:
            break
        try:
            frames = packet.decode()
        except av.FFmpegError:
            on_damage()
            continue
        yield from _numbered(frames)
    try:
        frames = stream.decode(None)
    except av.FFmpegError:
        on_damage()
        return
    yield from _numbered(frames)


def _numbered(frames: list[VideoFrame]) -> Iterator[tuple[int, VideoFrame]]:
    return ((frame.pts, frame) for frame in frames if frame.pts is not None)
