"""One contract for every kind of video, run by made clips whose pictures tell their number."""

import random
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from made_clips import (
    as_pictures,
    fingerprint,
    make_clip,
    number_of,
    numbered_picture,
    plain_pictures,
    remux,
)

from posenb.video import open_video, scan

JUMPY = [
    sum((900 * (i // 10), (0, 40, 47, 90, 300, 310, 311, 350, 700, 720)[i % 10])) for i in range(40)
]
OPEN_X264 = {"x264-params": "open-gop=1:scenecut=0:keyint=10:min-keyint=10:bframes=3:b-adapt=0"}
OPEN_X265 = {
    "x265-params": "open-gop=1:scenecut=0:keyint=10:min-keyint=10:bframes=4:log-level=none"
}
HIDDEN_FRAMES = {"auto-alt-ref": "1", "lag-in-frames": "16", "b": "500k"}


@dataclass(frozen=True)
class Kind:
    """A file name, how to make it, and what must be found in it."""

    name: str
    how: dict[str, Any] = field(default_factory=dict)
    codec: str = "h264"
    fps: float = 30.0
    decoded_for_index: bool = False


KINDS = [
    Kind("plain.mp4"),
    Kind("b_frames.mp4", {"b_frames": 3}),
    Kind("b_frames.mov", {"b_frames": 3}),
    Kind("b_frames.mkv", {"b_frames": 3}),
    Kind("b_frames.flv", {"b_frames": 3}),
    Kind("b_frames.ts", {"b_frames": 3}),
    Kind("b_frames.avi", {"b_frames": 3}, decoded_for_index=True),
    Kind("b_frames.h264", {"b_frames": 3}, fps=25.0, decoded_for_index=True),
    Kind("plain.avi"),
    Kind("fast_start.mp4", {"b_frames": 3, "container_options": {"movflags": "faststart"}}),
    Kind(
        "fragmented.mp4",
        {"b_frames": 3, "container_options": {"movflags": "frag_keyframe+empty_moov"}},
    ),
    Kind("open_groups.mp4", {"b_frames": 3, "options": OPEN_X264}),
    Kind("open_groups.mkv", {"b_frames": 3, "options": OPEN_X264}),
    Kind("open_groups_hevc.mp4", {"codec": "libx265", "options": OPEN_X265}, "hevc"),
    Kind("open_groups_hevc.mkv", {"codec": "libx265", "options": OPEN_X265}, "hevc"),
    Kind("intra_refresh.mp4", {"options": {"x264-params": "intra-refresh=1:keyint=10"}}),
    Kind("variable_rate.mp4", {"times": JUMPY, "b_frames": 2}, fps=39 / 3.42),
    Kind("variable_rate.mkv", {"times": JUMPY, "b_frames": 2}, fps=39 / 3.42),
    Kind("ntsc.mp4", {"rate": Fraction(30000, 1001)}, fps=30000 / 1001),
    Kind("yuv444.mp4", {"pixel_format": "yuv444p", "b_frames": 2}),
    Kind("ten_bits.mp4", {"pixel_format": "yuv420p10le", "b_frames": 2}),
    Kind("grey.mp4", {"pixel_format": "gray"}),
    Kind("grey.avi", {"codec": "rawvideo", "pixel_format": "gray"}, "rawvideo"),
    Kind("odd.mp4", {"pixel_format": "yuv444p", "size": (97, 63)}),
    Kind("odd.mkv", {"codec": "ffv1", "pixel_format": "yuv420p", "size": (97, 63)}, "ffv1"),
    Kind("vp9.webm", {"codec": "libvpx-vp9", "options": HIDDEN_FRAMES}, "vp9"),
    Kind("vp8.webm", {"codec": "libvpx", "options": HIDDEN_FRAMES}, "vp8", decoded_for_index=True),
    Kind("mjpeg.avi", {"codec": "mjpeg", "pixel_format": "yuvj420p"}, "mjpeg"),
    Kind("mpeg4.avi", {"codec": "mpeg4", "b_frames": 2}, "mpeg4", decoded_for_index=True),
    Kind("mpeg4_plain.avi", {"codec": "mpeg4"}, "mpeg4"),
    Kind("mpeg4.mp4", {"codec": "mpeg4", "b_frames": 2}, "mpeg4"),
    Kind("mpeg2.mpg", {"codec": "mpeg2video", "b_frames": 2}, "mpeg2video", decoded_for_index=True),
    Kind("mpeg2.ts", {"codec": "mpeg2video", "b_frames": 2}, "mpeg2video", decoded_for_index=True),
    Kind("lossless.avi", {"codec": "huffyuv", "pixel_format": "yuv422p"}, "huffyuv"),
    Kind("raw.avi", {"codec": "rawvideo", "pixel_format": "bgr24"}, "rawvideo"),
    Kind("prores.mov", {"codec": "prores_ks", "pixel_format": "yuv422p10le"}, "prores"),
    Kind("one.mp4", {"count": 1}),
    Kind("two.mp4", {"count": 2}),
]


RAW = {
    "gray": "grey",
    "yuv420p": "yuv420",
    "yuvj420p": "yuv420",
    "yuv422p": "yuv422",
    "yuv444p": "yuv444",
}


@pytest.fixture(params=KINDS, ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Kind:
    return request.param


@pytest.fixture
def clip(kind: Kind, tmp_path: Path) -> Path:
    if kind.how.get("codec", "libx264") not in av.codecs_available:
        pytest.skip(f"this build of FFmpeg has no {kind.how['codec']}")
    return make_clip(tmp_path / kind.name, **kind.how)


def test_every_way_to_a_frame_gives_the_same_picture(clip: Path, kind: Kind):
    plain = plain_pictures(clip)
    expected = [fingerprint(picture) for picture in plain]
    order = list(range(len(expected)))
    random.Random(3).shuffle(order)
    with open_video(clip) as video:
        assert len(video) == len(expected) == kind.how.get("count", 40)
        shuffled = {i: fingerprint(video[i]) for i in order}
        assert [shuffled[i] for i in range(len(order))] == expected
        assert [fingerprint(frame) for frame in video] == expected
        assert [fingerprint(video[i]) for i in range(-1, -len(video) - 1, -1)] == expected[::-1]
        batches = [frames for _, frames in video.batches(7)]
        assert [fingerprint(frame) for frame in np.concatenate(batches)] == expected
        assert all(number_of(video[i]) == i for i in order)
        assert video[0].shape == (video.height, video.width, 3) == plain[0].shape


def test_raw_frames_have_the_colours_of_the_pictures(clip: Path, kind: Kind):
    with open_video(clip) as video:
        assert video.format.kind == RAW.get(video.pixel_format, "rgb")
        indices, raw = zip(*video.raw_batches(7), strict=True)
        assert np.concatenate(indices).tolist() == list(range(len(video)))
        for number, frame in enumerate(np.concatenate(raw)):
            off = np.abs(as_pictures(frame[None], video.format)[0] - video[number])
            # FFmpeg rounds on the way, and of odd sizes it smoothes the chroma.
            assert off.mean() < (0.6 if video.format.shared == (1, 1) else 4)


def test_the_facts_are_right(clip: Path, kind: Kind):
    count = kind.how.get("count", 40)
    with open_video(clip) as video:
        assert video.codec == kind.codec
        assert video.fps == pytest.approx(kind.fps, rel=1e-3)
        assert video.missing_frames == 0
        assert (video.width, video.height) == kind.how.get("size", (96, 64))
        steps = np.array(kind.how.get("times", np.arange(count) * 1000 / kind.fps)) / 1000
        # Matroska and Flash keep whole milliseconds.
        assert video.times == pytest.approx(steps - steps[0], abs=1.1e-3)
        assert video.duration == pytest.approx(video.times[-1] + 1 / kind.fps, rel=1e-2)


def test_each_chunk_decodes_by_itself(clip: Path):
    expected = [fingerprint(picture) for picture in plain_pictures(clip)]
    with open_video(clip) as video:
        chunks = video.chunks(10)
        assert [start for start, _ in chunks] == [0, *(stop for _, stop in chunks[:-1])]
        assert chunks[-1][1] == len(video)
        assert max(stop - start for start, stop in chunks) <= 10
        for start, stop in chunks[::-1]:
            got = [fingerprint(frame) for _, frame in video.read(start, stop)]
            assert got == expected[start:stop]


def test_frames_are_decoded_for_the_index_only_where_demuxing_tells_too_little(
    clip: Path, kind: Kind, monkeypatch: pytest.MonkeyPatch
):
    calls: list[str] = []
    decode = scan._decoded_order

    def counted(file: Any, url: str, packets: Any) -> np.ndarray:
        calls.append(url)
        return decode(file, url, packets)

    monkeypatch.setattr(scan, "_decoded_order", counted)
    with open_video(clip):
        assert bool(calls) == kind.decoded_for_index


def test_frames_that_an_edit_list_hides_are_not_counted(tmp_path: Path):
    source = make_clip(tmp_path / "source.mp4", b_frames=2)
    # Time zero falls on the 16th frame: those before are stored for decoding only.
    clip = remux(source, tmp_path / "edited.mp4", shift=-15 * 512)
    plain = plain_pictures(clip)
    with open_video(clip) as video:
        assert len(video) == len(plain)
        numbers = [number_of(frame) for frame in video]
        assert numbers == [number_of(picture) for picture in plain]
        assert [number_of(video[i]) for i in (len(video) - 1, 3, 0)] == [
            numbers[-1],
            numbers[3],
            numbers[0],
        ]
        assert video.times[0] == 0
    assert numbers[-1] == 39
    assert len(numbers) < 40


def test_a_recording_that_starts_late_starts_at_zero(tmp_path: Path):
    source = make_clip(tmp_path / "source.mp4", b_frames=2)
    clip = remux(source, tmp_path / "late.mkv", shift=10 * 12800)
    with open_video(clip) as video:
        assert video.times[0] == 0
        assert [number_of(video[i]) for i in (39, 0, 17)] == [39, 0, 17]


def test_sound_beside_the_pictures_does_not_matter(tmp_path: Path):
    clip = tmp_path / "talking.mp4"
    with av.open(str(clip), "w") as container:
        sound = container.add_stream("aac", rate=44100)
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for number in range(40):
            frame = av.VideoFrame.from_ndarray(numbered_picture(number), format="rgb24")
            container.mux(stream.encode(frame))
            noise = np.zeros((1, 1470), np.float32)
            samples = av.AudioFrame.from_ndarray(noise, format="fltp", layout="mono")
            samples.sample_rate = 44100
            container.mux(sound.encode(samples))
        container.mux(stream.encode(None))
        container.mux(sound.encode(None))
    with open_video(clip) as video:
        assert [number_of(video[i]) for i in (39, 0, 22)] == [39, 0, 22]
        assert len(video) == 40
