"""Making the index of a video: from its tables, by demuxing it, or by decoding it once."""

from __future__ import annotations

import io
from array import array
from itertools import count
from typing import Any, BinaryIO

import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream

from posenb.video.container import open_container, picture_stream
from posenb.video.hollow import HollowFile, media_spans
from posenb.video.index import NO_TIME, FrameIndex, Packets, StreamFacts, make_index
from posenb.video.numbered import data_packets, decode_numbered

__all__ = ["scan"]

# Codecs of which each packet of a container is exactly one frame and is not split further.
_FRAME_PER_PACKET = frozenset(
    {"av1", "ffv1", "ffvhuff", "gif", "h264", "hevc", "huffyuv", "jpeg2000", "mjpeg", "mpeg4"}
    | {"dnxhd", "png", "prores", "qtrle", "rawvideo", "utvideo", "v210", "vp9"}
)
# Of these, the one that may pack two frames into a packet and follow it by an empty one.
_PACKED = frozenset({"mpeg4"})
# Containers that know no presentation times; FFmpeg makes some up that ignore B-frames.
_UNTIMED = frozenset({"avi", "h264", "hevc", "m4v", "mpegvideo"})
# Containers whose header states how long the video is; for others FFmpeg guesses.
_WITH_DURATION = frozenset({"matroska,webm", "flv"})


def scan(file: BinaryIO, url: str) -> FrameIndex:
    """Index a video; its frames are decoded only if demuxing alone cannot be trusted.

    MP4 and MOV files tell everything in their tables, so that only these are read;
    files of other kinds are read once from end to end. Frames are decoded where
    packets lack distinct presentation times (H.264 with B-frames in AVI) or need not hold exactly
    one frame (VP8, MPEG-4 with B-frames, MPEG-1 and 2, ...).

    Raises
    ------
    VideoError
        If it is no video or has no frame.
    """
    size = file.seek(0, io.SEEK_END)
    spans = media_spans(file)
    packets = None
    if spans:
        # Without parsers, for they would look for pictures in the zeros.
        hollow: Any = HollowFile(file, spans)
        packets, facts = _demux(hollow, url, size, fflags="+noparse+nofillin")
    if packets is None or facts.codec not in _FRAME_PER_PACKET:
        packets, facts = _demux(file, url, size)
    if _tells_frames(packets, facts):
        return make_index(packets, facts, url)
    return make_index(packets, facts, url, _decoded_order(file, url, packets))


def _tells_frames(packets: Packets, facts: StreamFacts) -> bool:
    """Whether packets are frames and their times are in the order of display."""
    doubtful = facts.codec in _PACKED or facts.container in _UNTIMED
    return (
        facts.codec in _FRAME_PER_PACKET
        and packets.ordered_by_time
        and not (facts.has_b_frames and doubtful)
    )


def _demux(file: BinaryIO, url: str, size: int, **options: str) -> tuple[Packets, StreamFacts]:
    with open_container(file, url, **options) as container:
        stream = picture_stream(container, url)
        rows = array("q")  # of a long video, a list of tuples would fill the memory
        for packet in data_packets(container, stream):
            rows.extend(
                (
                    NO_TIME if packet.pts is None else packet.pts,
                    NO_TIME if packet.dts is None else packet.dts,
                    -1 if packet.pos is None else packet.pos,
                    packet.size,
                    packet.is_keyframe,
                    packet.is_discard,
                    packet.is_corrupt,
                )
            )
        facts = _facts(container, stream)
    table = np.frombuffer(rows, np.int64).reshape(-1, 7)
    pts, dts, positions, sizes, key, hidden, corrupt = table.T
    # In the middle of a file a flaw of one packet need not harm those after it.
    cut_short = np.logical_and.accumulate(corrupt[::-1].astype(bool))[::-1]
    beyond = (positions + sizes > size) if options else np.zeros(len(table), bool)
    whole = ~(cut_short | beyond)
    return Packets(pts, dts, positions, sizes, key.astype(bool), hidden.astype(bool), whole), facts


def _facts(container: InputContainer, stream: VideoStream) -> StreamFacts:
    base = float(stream.time_base or 1)
    end = 0.0
    if container.format.name in _WITH_DURATION:
        end = _clock_seconds(stream.metadata.get("DURATION", ""))
        if not end and len(container.streams) == 1:
            end = (container.duration or 0) / 1e6
    return StreamFacts(
        container=container.format.name,
        codec=stream.codec_context.codec.canonical_name,
        time_base=base,
        rate=float(stream.average_rate or stream.guessed_rate or 0),
        frames=stream.frames if container.format.name == "avi" else 0,
        end=end,
        has_b_frames=bool(stream.codec_context.has_b_frames),
    )


def _clock_seconds(text: str) -> float:
    """Read a Matroska tag such as 00:01:02.500000000."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.replace(".", "", 1).isdigit() for part in parts):
        return 0.0
    hours, minutes, seconds = map(float, parts)
    return hours * 3600 + minutes * 60 + seconds


def _decoded_order(file: BinaryIO, url: str, packets: Packets) -> np.ndarray:
    with open_container(file, url) as container:
        stream = picture_stream(container, url)
        stream.thread_type = "AUTO"
        counter = count()
        found = decode_numbered(data_packets(container, stream), stream, lambda _: next(counter))
        order = np.fromiter((number for number, _ in found), np.int64)
    known = order[(order >= 0) & (order < len(packets))]
    _, first = np.unique(known, return_index=True)
    return known[np.sort(first)]
