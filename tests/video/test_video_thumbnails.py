"""Small pictures of many frames: of the right frames, in the right place, upright."""

from pathlib import Path

import numpy as np
import pytest
from made_clips import make_clip, number_of, turn

from posenb.errors import InvalidInputError
from posenb.video import open_video, read_thumbnails

KINDS = {
    "plain.mp4": {},
    "b_frames.mp4": {"b_frames": 3, "gop": 12},
    "444.mp4": {"pixel_format": "yuv444p", "b_frames": 2},
    "grey.mkv": {"codec": "ffv1", "pixel_format": "gray"},
    "mpeg4.avi": {"codec": "mpeg4"},
    "vp9.webm": {"codec": "libvpx-vp9", "options": {"deadline": "realtime", "cpu-used": "8"}},
}


def shown_number(thumbnail: np.ndarray) -> int:
    return number_of(np.repeat(thumbnail[..., None], 3, axis=2))


@pytest.fixture(params=KINDS)
def clip(request, tmp_path) -> Path:
    return make_clip(tmp_path / request.param, **KINDS[request.param])


@pytest.mark.parametrize("ranks", [range(40), [7, 8, 25], [31], [0, 39], [11, 12, 13, 38]])
def test_each_thumbnail_is_of_the_frame_that_it_names(clip, ranks):
    with open_video(clip) as video:
        found = list(read_thumbnails(video, ranks, width=96))
    assert found
    for index, thumbnail in found:
        assert thumbnail.shape == (64, 96)
        assert shown_number(thumbnail) == index


def test_the_next_frame_that_comes_stands_for_the_wanted_one(clip):
    with open_video(clip) as video:
        for wanted in (3, 17, 30):
            ((index, _),) = read_thumbnails(video, [wanted])
            assert wanted <= index < wanted + 4


def test_no_frame_comes_twice_and_all_ascend(clip):
    with open_video(clip) as video:
        indices = [index for index, _ in read_thumbnails(video, range(40))]
    assert indices == sorted(set(indices))


def test_frames_that_no_other_leans_on_are_left_out(tmp_path):
    path = make_clip(tmp_path / "b.mp4", b_frames=2, options={"b-pyramid": "none"})
    with open_video(path) as video:
        assert len(list(read_thumbnails(video, range(40)))) < 30


def test_reading_the_video_itself_goes_on_undisturbed(clip):
    with open_video(clip) as video:
        frames = video.read()
        first = [next(frames)[0] for _ in range(5)]
        list(read_thumbnails(video, [20, 30]))
        assert [*first, next(frames)[0]] == list(range(6))


def test_a_thumbnail_is_the_mean_of_what_it_stands_for(tmp_path):
    path = make_clip(tmp_path / "grey.mkv", 2, codec="ffv1", pixel_format="gray")
    with open_video(path) as video:
        grey = video[0][..., 0].astype(float)
        ((_, thumbnail),) = read_thumbnails(video, [0], width=24)
    assert thumbnail.shape == (16, 24)
    expected = grey.reshape(16, 4, 24, 4).mean(axis=(1, 3))
    assert np.abs(thumbnail - expected).max() <= 1.5


def test_a_crop_shows_that_part_at_the_wanted_width(tmp_path):
    path = make_clip(tmp_path / "grey.mkv", 2, codec="ffv1", pixel_format="gray")
    with open_video(path) as video:
        grey = video[0][..., 0].astype(float)
        ((_, thumbnail),) = read_thumbnails(video, [0], width=12, crop=(48, 96, 32, 64))
    assert thumbnail.shape == (8, 12)
    expected = grey[32:, 48:].reshape(8, 4, 12, 4).mean(axis=(1, 3))
    assert np.abs(thumbnail - expected).max() <= 1.5


def test_a_turned_video_gives_upright_thumbnails(tmp_path):
    path = turn(make_clip(tmp_path / "turned.mp4", 4), (0, 1, -1, 0))
    with open_video(path) as video:
        assert (video.width, video.height) == (64, 96)
        grey = video[0].mean(axis=2)
        ((_, thumbnail),) = read_thumbnails(video, [0], width=16)
    assert thumbnail.shape == (24, 16)
    expected = grey.reshape(24, 4, 16, 4).mean(axis=(1, 3))
    assert np.corrcoef(expected.ravel(), thumbnail.ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("width", "shape"), [(1, (1, 1)), (2, (1, 2)), (1000, (64, 96))])
def test_any_width_will_do(tmp_path, width, shape):
    with open_video(make_clip(tmp_path / "a.mp4", 2)) as video:
        ((_, thumbnail),) = read_thumbnails(video, [1], width=width)
    assert thumbnail.shape == shape


def test_a_width_of_nothing_is_refused(tmp_path):
    with (
        open_video(make_clip(tmp_path / "a.mp4", 2)) as video,
        pytest.raises(InvalidInputError, match="at least 1"),
    ):
        list(read_thumbnails(video, [0], width=0))


def test_a_real_clip_that_needs_its_first_packet_looks_right_from_anywhere(shared_data):
    # x264 148 in 4:4:4: without the note in its first packet the pictures come out wrong.
    with open_video(shared_data / "openfield" / "videos" / "m3v1mp4.mp4") as video:
        for wanted in (191, 1849):
            ((index, thumbnail),) = read_thumbnails(video, [wanted])
            grey = video[index].mean(axis=2).reshape(24, 20, 32, 20).mean(axis=(1, 3))
            assert np.corrcoef(grey.ravel(), thumbnail.ravel())[0, 1] > 0.999
