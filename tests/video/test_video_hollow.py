"""A view of an MP4 without its pictures tells as much of its frames as the whole file."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_clips import make_clip

from posenb.video import scan
from posenb.video.hollow import HollowFile, media_spans


def box(kind: bytes, body: bytes, *, wide: bool = False) -> bytes:
    if wide:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


@given(
    st.binary(min_size=1, max_size=60),
    st.lists(st.integers(0, 80), max_size=6, unique=True),
    st.lists(st.tuples(st.integers(0, 80), st.integers(-1, 30)), max_size=8),
)
def test_reading_is_reading_of_the_file_with_zeros_in_the_spans(
    data: bytes, borders: list[int], reads: list[tuple[int, int]]
):
    ends = sorted(borders)
    spans = list(zip(ends[::2], ends[1::2], strict=False))
    expected = bytearray(data.ljust(max([len(data), *(stop for _, stop in spans)]), b"\0"))
    for start, stop in spans:
        expected[start:stop] = bytes(stop - start)
    inside = [s for s in spans if s[0] <= len(data)]
    if len(inside) != len(spans):
        return
    hollow = HollowFile(io.BytesIO(data), spans)
    assert hollow.seek(0, io.SEEK_END) == len(expected)
    for position, size in reads:
        hollow.seek(position)
        whole = b""
        while (piece := hollow.read(size - len(whole) if size >= 0 else -1)) and len(whole) != size:
            whole += piece
        stop = len(expected) if size < 0 else position + size
        assert whole == bytes(expected[position:stop])
        assert hollow.tell() == position + len(whole)


def test_the_bytes_of_a_span_are_never_read():
    class Guarded(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            start = self.tell()
            data = super().read(size)
            assert start + len(data) <= 10 or start >= 90
            return data

    hollow = HollowFile(Guarded(bytes(range(100))), [(10, 90)])
    pieces = []
    while piece := hollow.read(17):
        pieces.append(piece)
    assert b"".join(pieces) == bytes(range(10)) + bytes(80) + bytes(range(90, 100))


def test_pictures_are_found_between_other_boxes():
    data = box(b"ftyp", b"isom") + box(b"mdat", bytes(20)) + box(b"moov", bytes(9))
    data += box(b"mdat", bytes(7), wide=True)
    assert media_spans(io.BytesIO(data)) == [(20, 40), (73, 80)]


def test_a_box_of_size_zero_reaches_to_the_end():
    data = box(b"ftyp", b"isom") + struct.pack(">I4s", 0, b"mdat") + bytes(50)
    assert media_spans(io.BytesIO(data)) == [(20, 70)]


def test_pictures_that_are_cut_off_count_as_declared():
    data = box(b"ftyp", b"isom") + box(b"mdat", bytes(100))[:30]
    assert media_spans(io.BytesIO(data)) == [(20, 120)]


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 40, b"RIFF" + bytes(60), b"hello", b"\x1aE\xdf\xa3" + bytes(60)]
)
def test_other_kinds_of_files_have_no_spans(data: bytes):
    assert media_spans(io.BytesIO(data)) == []


@given(st.binary(max_size=120))
def test_any_bytes_are_walked_to_an_end(tail: bytes):
    for start, stop in media_spans(io.BytesIO(box(b"ftyp", b"isom") + tail)):
        assert 0 < start <= stop


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"b_frames": 3},
        {"b_frames": 3, "container_options": {"movflags": "faststart"}},
        {"b_frames": 3, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
        {"codec": "mjpeg", "pixel_format": "yuvj420p"},
        {"times": [0, 10, 50, 51, 200]},
    ],
)
def test_the_tables_alone_give_the_same_packets(tmp_path: Path, how: dict[str, object]):
    count = len(how["times"]) if "times" in how else 40
    clip = make_clip(tmp_path / "clip.mp4", count, **how)
    compare(clip)


def test_the_tables_of_real_clips_give_the_same_packets(shared_data: Path):
    for clip in sorted(shared_data.rglob("*.mp4")):
        compare(clip)


def compare(clip: Path) -> None:
    size = clip.stat().st_size
    with clip.open("rb") as file:
        hollow = HollowFile(file, media_spans(file))
        tables, _ = scan._demux(hollow, "clip", size, fflags="+noparse+nofillin")
        whole, _ = scan._demux(file, "clip", size)
    assert len(tables) == len(whole) > 0
    for name in ("pts", "dts", "positions", "sizes", "key", "hidden", "whole"):
        assert np.array_equal(getattr(tables, name), getattr(whole, name)), name
