"""Recordings from laboratories: every way to a frame leads to the same picture."""

import random
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from made_clips import fingerprint

from posenb.video import VideoReader, open_video

CLIPS = {
    "openfield/videos/m3v1mp4.mp4": (2330, 640, 480, 1_000_000 / 33_333, "yuv444p"),
    "mirror-mouse/videos/test_vid.mp4": (994, 396, 406, 250, "yuv420p"),
    "flies/clip.mp4": (1500, 1024, 1024, 25, "yuv420p"),
    "flies/demo-flies13-preds.mp4": (1350, 1024, 1024, 25, "yuv420p"),
    "flies/single_fly.mp4": (128, 1024, 1024, 25, "yuv420p"),
    "flies/two_flies.mp4": (128, 1024, 1024, 25, "yuv420p"),
}
LONG = "openfield/videos/m3v1mp4.mp4"


@cache
def sequential(path: Path) -> list[bytes]:
    """Fingerprints of all frames as PyAV decodes them from start to end."""
    with av.open(str(path)) as container:
        container.streams.video[0].thread_type = "AUTO"
        return [
            fingerprint(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)
        ]


def borders(video: VideoReader) -> list[int]:
    """The frames at and beside keyframes, and at both ends."""
    near = {int(key) + step for key in video.keyframes for step in (-2, -1, 0, 1, 2)}
    return sorted(i for i in near | {0, len(video) - 1} if 0 <= i < len(video))


@pytest.mark.parametrize("name", CLIPS)
def test_the_facts_of_a_real_clip_are_right(shared_data: Path, name: str):
    count, width, height, fps, pixel_format = CLIPS[name]
    with open_video(shared_data / name) as video:
        assert len(video) == video.frame_count == count
        assert (video.width, video.height, video.rotation) == (width, height, 0)
        assert video.fps == pytest.approx(fps)
        assert video.duration == pytest.approx(count / fps, rel=1e-6)
        assert video.times == pytest.approx(np.arange(count) / fps, abs=1e-6)
        assert (video.codec, video.pixel_format) == ("h264", pixel_format)
        assert video.missing_frames == 0
        assert video.keyframes[0] == 0


@pytest.mark.parametrize("name", [LONG, "mirror-mouse/videos/test_vid.mp4", "flies/single_fly.mp4"])
def test_a_sample_in_shuffled_order_equals_sequential_decoding(shared_data: Path, name: str):
    expected = sequential(shared_data / name)
    rng = random.Random(20)
    with open_video(shared_data / name) as video:
        assert len(video) == len(expected)
        wanted = borders(video) + rng.sample(range(len(video)), 200 if name == LONG else 30)
        rng.shuffle(wanted)
        wrong = [i for i in wanted if fingerprint(video[i]) != expected[i]]
    assert wrong == []


def test_batches_of_a_real_clip_equal_sequential_decoding(shared_data: Path):
    path = shared_data / "mirror-mouse/videos/test_vid.mp4"
    expected = sequential(path)
    seen: list[int] = []
    with open_video(path) as video:
        for indices, frames in video.batches(64):
            assert frames.shape == (len(indices), 406, 396, 3)
            assert [fingerprint(frame) for frame in frames] == [expected[i] for i in indices]
            seen.extend(indices.tolist())
    assert seen == list(range(994))


def test_chunks_of_a_real_clip_decode_independently(shared_data: Path):
    path = shared_data / "mirror-mouse/videos/test_vid.mp4"
    expected = sequential(path)
    with open_video(path) as video:
        chunks = video.chunks(250)
    assert chunks == [(0, 192), (192, 432), (432, 682), (682, 932), (932, 994)]
    for start, stop in reversed(chunks):
        with open_video(path) as video:
            got = {i: fingerprint(frame) for i, frame in video.read(start, stop)}
        assert got == {i: expected[i] for i in range(start, stop)}


@pytest.mark.slow
@pytest.mark.parametrize("name", CLIPS)
def test_every_frame_of_every_clip_in_shuffled_runs(shared_data: Path, name: str):
    expected = sequential(shared_data / name)
    runs = [range(i, min(i + 10, len(expected))) for i in range(0, len(expected), 10)]
    random.Random(22).shuffle(runs)
    with open_video(shared_data / name) as video:
        wrong = [i for run in runs for i in run if fingerprint(video[i]) != expected[i]]
        wrong += [i for i, frame in video.read() if fingerprint(frame) != expected[i]]
    assert wrong == []
