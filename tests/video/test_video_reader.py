"""What a reader promises besides the right frames."""

import gc
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest
from made_clips import make_clip, number_of

from posenb.errors import InvalidInputError, PosenbError, VideoError, VideoWarning
from posenb.video import FrameIndexError, VideoInfo, VideoReader, open_video, probe


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", b_frames=2)


@pytest.fixture
def video(clip: Path) -> VideoReader:
    with open_video(clip) as reader:
        yield reader


def test_a_frame_is_an_array_of_its_own(video: VideoReader):
    frame = video[3]
    assert frame.dtype == np.uint8
    assert frame.flags.c_contiguous
    frame[:] = 0
    assert number_of(video[3]) == 3


@pytest.mark.parametrize("index", [40, -41, 1000])
def test_an_index_outside_the_video_is_told_as_by_a_list(video: VideoReader, index: int):
    with pytest.raises(IndexError, match=rf"between -40 and 39 .*; got {index}"):
        video[index]
    with pytest.raises(FrameIndexError) as caught:
        video[index]
    assert isinstance(caught.value, VideoError)
    assert isinstance(caught.value, PosenbError)


def test_integers_of_numpy_are_indices_and_fractions_are_not(video: VideoReader):
    assert number_of(video[np.int32(7)]) == 7
    with pytest.raises(TypeError):
        video[1.5]  # type: ignore[index]


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ((), range(40)),
        ((10,), range(10, 40)),
        ((5, 9), range(5, 9)),
        ((0, None, 15), range(0, 40, 15)),
        ((38, 100), range(38, 40)),
        ((-3,), range(37, 40)),
        ((9, 5), range(0)),
    ],
)
def test_a_range_is_read_as_a_slice_would_be(
    video: VideoReader, arguments: tuple[int, ...], numbers: range
):
    read = list(video.read(*arguments))
    assert [index for index, _ in read] == list(numbers)
    assert [number_of(frame) for _, frame in read] == list(numbers)


@pytest.mark.parametrize("step", [0, -1])
def test_a_step_must_go_forward(video: VideoReader, step: int):
    with pytest.raises(InvalidInputError, match=rf"step must be at least 1; got {step}"):
        video.read(0, 10, step)


def test_batches_are_full_but_the_last(video: VideoReader):
    batches = list(video.batches(16, start=3))
    assert [len(indices) for indices, _ in batches] == [16, 16, 5]
    assert [frames.shape for _, frames in batches] == [
        (16, 64, 96, 3),
        (16, 64, 96, 3),
        (5, 64, 96, 3),
    ]
    for indices, frames in batches:
        assert indices.dtype == np.int64
        assert frames.dtype == np.uint8
        assert [number_of(frame) for frame in frames] == indices.tolist()


def test_a_batch_is_not_overwritten_by_the_next(video: VideoReader):
    batches = list(video.batches(10))
    assert [number_of(frames[0]) for _, frames in batches] == [0, 10, 20, 30]


@pytest.mark.parametrize("size", [0, -4])
def test_sizes_must_be_positive(video: VideoReader, size: int):
    with pytest.raises(InvalidInputError, match="size must be at least 1"):
        video.batches(size)
    with pytest.raises(InvalidInputError, match="size must be at least 1"):
        video.chunks(size)


@pytest.mark.parametrize(
    ("size", "borders"),
    [
        (1, list(range(40))),
        (3, [0, 2, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 30, 32, 35, 37]),
        (9, [0, 5, 10, 15, 20, 25, 30, 35]),
        (10, [0, 10, 20, 30]),
        (19, [0, 10, 20, 30]),
        (20, [0, 20]),
        (39, [0, 30]),
        (40, [0]),
        (1000, [0]),
    ],
)
def test_chunks_begin_at_keyframes_and_are_no_longer_than_asked_for(
    video: VideoReader, size: int, borders: list[int]
):
    assert video.keyframes.tolist() == [0, 10, 20, 30]
    assert video.chunks(size) == list(zip(borders, [*borders[1:], 40], strict=True))


@pytest.mark.parametrize(
    ("size", "start", "stop", "chunks"),
    [
        (10, 5, 33, [(5, 10), (10, 20), (20, 30), (30, 33)]),
        (10, 10, 15, [(10, 15)]),
        (4, 11, 15, [(11, 15)]),
        (4, 11, 16, [(11, 13), (13, 16)]),
        (100, 39, 40, [(39, 40)]),
        (100, 7, 7, []),
    ],
)
def test_chunks_of_a_range_stay_within_it(
    video: VideoReader, size: int, start: int, stop: int, chunks: list[tuple[int, int]]
):
    assert video.chunks(size, start, stop) == chunks


def test_two_iterations_at_once_do_not_disturb_each_other(video: VideoReader):
    pairs = zip(video.read(0, 20), video.read(20, 40), strict=True)
    assert [(number_of(a), number_of(b)) for (_, a), (_, b) in pairs] == [
        (i, i + 20) for i in range(20)
    ]


def test_threads_may_share_a_reader(video: VideoReader):
    order = np.random.default_rng(4).permutation(np.repeat(np.arange(40), 3)).tolist()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda i: number_of(video[i]), order)) == order


def test_readers_of_one_file_are_independent(clip: Path):
    with open_video(clip) as first, open_video(clip) as second:
        assert number_of(first[30]) == 30
        assert number_of(second[2]) == 2
        assert number_of(first[31]) == 31
    with open_video(clip) as third:
        assert number_of(third[5]) == 5


def test_asking_twice_for_a_frame_gives_it_twice(video: VideoReader):
    assert [number_of(video[i]) for i in (8, 8, 9, 8, 39, 39, 0, 0)] == [8, 8, 9, 8, 39, 39, 0, 0]


def test_a_closed_reader_keeps_its_facts_and_gives_no_frames(clip: Path):
    video = open_video(clip)
    frames = video.read()
    next(frames)
    video.close()
    video.close()
    assert len(video) == 40
    for ask in (lambda: video[0], lambda: next(frames), lambda: list(video.read())):
        with pytest.raises(VideoError, match="was closed"):
            ask()


def test_the_file_is_released_when_opening_fails(tmp_path: Path):
    path = tmp_path / "notes.mp4"
    path.write_text("no video " * 50)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        with pytest.raises(VideoError):
            open_video(path)
        gc.collect()


def test_the_facts_can_not_be_changed(video: VideoReader):
    assert isinstance(video.info, VideoInfo)
    with pytest.raises(FrozenInstanceError):
        video.info.fps = 1.0  # type: ignore[misc]
    for array in (video.times, video.keyframes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 5


def test_probe_tells_what_the_reader_tells(video: VideoReader, clip: Path):
    info = probe(clip)
    for name in (
        *("url", "frame_count", "fps", "width", "height", "rotation", "duration", "codec"),
        *("pixel_format", "missing_frames"),
    ):
        assert getattr(info, name) == getattr(video, name)
    assert np.array_equal(info.times, video.times)
    assert np.array_equal(info.keyframes, video.keyframes)


def test_paths_and_urls_of_one_file_are_one_video(clip: Path):
    infos = [probe(form) for form in (clip, str(clip), clip.as_uri())]
    assert {info.url for info in infos} == {str(clip)}


def test_warnings_point_to_the_caller(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mp4", container_options={"movflags": "faststart"})
    clip.write_bytes(clip.read_bytes()[:-500])
    with pytest.warns(VideoWarning) as caught:
        video = open_video(clip)
    video.close()
    assert [each.filename for each in caught] == [__file__]


def test_a_reader_left_in_the_middle_of_an_iteration_can_go_on(video: VideoReader):
    for index, _ in video.read():
        if index == 12:
            break
    assert number_of(video[13]) == 13
    assert [number_of(frame) for _, frame in video.read(11, 15)] == [11, 12, 13, 14]


def test_no_thread_is_left_behind(clip: Path):
    before = threading.active_count()
    with open_video(clip) as video:
        assert number_of(video[20]) == 20
    assert threading.active_count() == before
