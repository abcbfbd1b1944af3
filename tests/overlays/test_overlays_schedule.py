"""Which frame is shown when: speed, uneven times, ranges."""

from dataclasses import replace

import numpy as np
import pytest

from posenb.errors import InvalidInputError
from posenb.overlays.schedule import frame_range, make_schedule
from posenb.video import VideoInfo

INFO = VideoInfo(
    url="clip.mp4",
    frame_count=100,
    fps=25.0,
    width=64,
    height=48,
    rotation=0,
    duration=4.0,
    times=np.arange(100) / 25,
    codec="h264",
    pixel_format="yuv420p",
    keyframes=np.array([0]),
    missing_frames=0,
)


def schedule(fps, count=100, speed=1.0, start=0, stop=None, times=None):
    moments = np.arange(count) / fps if times is None else times
    return make_schedule(moments, fps, start, stop or count, speed)


@pytest.mark.parametrize("fps", [10, 23.976, 25, 29.97, 30, 50, 59.94, 60])
def test_at_its_own_speed_each_frame_is_shown_once(fps):
    plan = schedule(fps)
    assert plan.fps == pytest.approx(fps)
    assert plan.indices.tolist() == list(range(100))


@pytest.mark.parametrize(
    ("fps", "speed", "rate", "step"),
    [(30, 2, 60, 1), (30, 4, 60, 2), (30, 10, 60, 5), (250, 1, 50, 5), (25, 10, 50, 5)],
)
def test_fast_playing_leaves_frames_out_evenly(fps, speed, rate, step):
    plan = schedule(fps, speed=speed)
    assert plan.fps == pytest.approx(rate)
    assert plan.indices.tolist() == list(range(0, 100, step))


@pytest.mark.parametrize(
    ("fps", "speed", "rate", "times"),
    [(30, 0.5, 15, 1), (30, 0.1, 12, 4), (250, 0.1, 25, 1), (1, 1, 10, 10)],
)
def test_slow_playing_repeats_frames_evenly(fps, speed, rate, times):
    plan = schedule(fps, speed=speed)
    assert plan.fps == pytest.approx(rate)
    assert plan.indices.tolist() == np.repeat(np.arange(100), times).tolist()


@pytest.mark.parametrize("speed", [0.1, 0.3, 0.7, 1, 1.5, 3.3, 10])
@pytest.mark.parametrize("fps", [0.5, 7, 29.97, 120, 1000])
def test_every_speed_gives_a_rate_that_players_show_and_the_right_duration(fps, speed):
    plan = schedule(fps, count=500, speed=speed)
    assert 9.99 <= plan.fps <= 60.01
    assert len(plan.indices) / plan.fps == pytest.approx(500 / fps / speed, abs=1 / plan.fps)
    assert (np.diff(plan.indices) >= 0).all()
    assert plan.indices.min() >= 0
    assert plan.indices.max() < 500


def test_times_that_tremble_or_are_rounded_change_nothing():
    rng = np.random.default_rng(0)
    rounded = np.floor(np.arange(200) / 29.97 * 1000) / 1000
    assert schedule(29.97, 200, times=rounded).indices.tolist() == list(range(200))
    trembling = np.arange(200) / 30 + rng.uniform(-0.4, 0.4, 200) / 30
    trembling -= trembling[0]
    shown = schedule(30, 200, times=trembling).indices
    assert np.abs(shown - np.arange(len(shown))).max() <= 1


def test_a_frame_stays_as_long_as_the_source_showed_it():
    times = np.concatenate([np.arange(10), np.arange(20, 30)]) / 10  # ten frames were dropped
    shown = make_schedule(times, 10, 0, 20, 1).indices
    assert shown.tolist() == [*range(10), *[9] * 10, *range(10, 20)]


def test_a_range_begins_and_ends_with_its_frames():
    plan = schedule(30, start=20, stop=50)
    assert plan.indices.tolist() == list(range(20, 50))
    assert schedule(30, start=99).indices.tolist() == [99]


def test_a_range_may_be_given_in_frames_or_seconds():
    assert frame_range(None, None, (5, 90), INFO) == (5, 90)
    assert frame_range(10, 20, (5, 90), INFO) == (10, 20)
    assert frame_range("1s", "2.04s", (5, 90), INFO) == (25, 51)
    assert frame_range("0s", "4s", (5, 90), INFO) == (0, 100)
    assert frame_range(0, None, (5, 90), INFO) == (0, 90)


def test_seconds_find_the_frame_of_uneven_times():
    uneven = replace(INFO, times=INFO.times**2)
    assert frame_range("1s", "4s", (0, 100), uneven) == (25, 50)


def test_poses_of_frames_that_are_cut_off_end_with_the_video():
    assert frame_range(None, None, (0, 120), INFO) == (0, 100)


@pytest.mark.parametrize(
    ("start", "stop"), [(20, 20), (30, 20), (0, 101), (100, None), ("5s", None), (None, "7s")]
)
def test_a_range_outside_the_video_is_refused(start, stop):
    with pytest.raises(InvalidInputError, match=r"0 <= start < stop.*100 \(4.00 s\).*another"):
        frame_range(start, stop, (0, 100), INFO)
