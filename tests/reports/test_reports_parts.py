"""The parts of a report: the rule for its clip, what was found, tables."""

from fractions import Fraction

import numpy as np
import pytest
from made_analyses import FPS, made_poses

from posenb._progress import silent_progress
from posenb.core import Poses, Skeleton
from posenb.reports import clip as clip_module
from posenb.reports.clip import bitrate, clock, make_clip
from posenb.reports.found import Moment, summarise_found
from posenb.reports.tables import definitions, flat, number, percent, plural, table
from posenb.video import probe, write_video


def clip_of(video, poses, span=(None, None), share=1.0):
    return make_clip(poses, str(video), span, cutoff=0.6, share=share, progress=silent_progress)


@pytest.mark.parametrize(
    ("size", "made"), [((96, 64), (480, 320)), ((600, 400), (600, 400)), ((960, 480), (720, 360))]
)
def test_the_longer_side_of_a_clip_has_480_to_720_pixels(tmp_path, size, made):
    video = tmp_path / "clip.mp4"
    write_video(video, np.zeros((3, size[1], size[0], 3), np.uint8), FPS)
    clip = clip_of(video, made_poses(frames=3))
    (tmp_path / "made.mp4").write_bytes(clip.data)
    info = probe(tmp_path / "made.mp4")
    assert (info.width, info.height) == made
    assert clip.size == size


def test_a_clip_that_hardly_compresses_keeps_within_its_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(clip_module, "_BYTES", 1.5e5)
    rng = np.random.default_rng(0)
    frames = rng.integers(0, 255, (80, 64, 96, 3), np.uint8)
    video = tmp_path / "noise.mp4"
    write_video(video, frames, FPS)
    assert len(clip_of(video, made_poses(frames=80)).data) < 1.5e5


def test_a_minute_has_the_bits_that_leave_a_file_below_ten_megabytes():
    letters = bitrate(60, 1.0) * 1000 / 8 * 62 * 4 / 3
    assert letters + 2.1e6 < 8.5e6


def test_several_clips_share_the_bits_and_each_can_be_seen():
    assert bitrate(15, 0.25) == pytest.approx(bitrate(60, 1.0), rel=0.15)
    assert bitrate(3600, 1.0) == 100


def test_a_slow_camera_keeps_its_time_and_a_fast_one_leaves_out_frames(tmp_path):
    for fps, pictures, frames in ((5, 40, [0, 0, 1, 1]), (120, 10, [0, 2, 4, 6])):
        video = tmp_path / f"{fps}.mp4"
        write_video(video, np.zeros((20, 64, 96, 3), np.uint8), Fraction(fps))
        clip = clip_of(video, made_poses(frames=20))
        assert clip.frames.tolist()[:4] == frames
        assert len(clip.frames) == pictures
        assert len(clip.frames) / clip.fps == pytest.approx(20 / fps)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (67.5, "1:07.5"), (3600, "60:00.0")]
)
def test_times_are_minutes_and_seconds(seconds, text):
    assert clock(seconds) == text


# --- what was found ------------------------------------------------------------------


def test_gaps_and_jumps_are_found_with_their_moments():
    snout, ear, tail = summarise_found(made_poses(), 0.6)
    assert (snout.share, snout.gap) == (1.0, None)
    assert ear.jump == Moment(35, pytest.approx(np.hypot(12, 0.5)))
    assert tail.share == pytest.approx(15 / 40)
    assert tail.gap == Moment(5, 25.0)


def test_what_has_no_likelihood_counts_as_found():
    poses = made_poses()
    unknown = Poses(poses.positions, np.full((40, 1, 3), np.nan), poses.skeleton, fps=FPS)
    assert [found.share for found in summarise_found(unknown, 0.6)] == [1.0, 1.0, 1.0]


def test_where_frames_are_left_out_nothing_jumps():
    positions = np.zeros((3, 1, 1, 2))
    positions[2] = 50
    poses = Poses(positions, np.ones((3, 1, 1)), Skeleton(("snout",)), np.array([0, 1, 9]))
    (found,) = summarise_found(poses, 0.6)
    assert found.jump == Moment(1, 0.0)


def test_a_keypoint_that_exists_once_is_missed_of_no_other_individual():
    positions = np.zeros((4, 2, 2, 2))
    positions[:, 1, 1] = np.nan
    skeleton = Skeleton.from_names(["snout", "corner"], [], ["corner"])
    poses = Poses(positions, np.ones((4, 2, 2)), skeleton, individuals=("a", "b"))
    assert [found.share for found in summarise_found(poses, 0.6)] == [1.0, 1.0]


def test_nothing_found_and_no_frames_are_no_moments():
    poses = made_poses(likelihood=0.0)
    for found in summarise_found(poses, 0.6):
        assert (found.share, found.gap, found.jump) == (0.0, Moment(0, 40.0), None)
    empty = Poses(np.zeros((0, 1, 3, 2)), np.zeros((0, 1, 3)), poses.skeleton)
    for found in summarise_found(empty, 0.6):
        assert np.isnan(found.share)
        assert found.gap is found.jump is None


# --- tables --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (0.0001, "0.1 %"), (0.5, "50 %"), (0.9999, "99.9 %"), (1, "100 %"), (np.nan, "–")],
)
def test_a_share_is_all_or_none_only_if_it_is(share, text):
    assert percent(share) == text


def test_what_is_no_number_is_a_dash():
    assert [number(each) for each in (1.25, np.nan, np.inf)] == ["1.2", "–", "–"]


def test_one_is_singular():
    assert [plural(count, "frame") for count in (1, 0, 1200)] == [
        "1 frame",
        "0 frames",
        "1,200 frames",
    ]


def test_nested_settings_are_named_by_their_path():
    values = {
        "model": {"backbone": "x", "weights": None},
        "flip": True,
        "crop": [1, 2],
        "rate": 0.1,
    }
    assert flat(values) == {
        "model.backbone": "x",
        "model.weights": "none",
        "flip": "yes",
        "crop": "1, 2",
        "rate": "0.1",
    }


def test_names_in_lists_and_heads_are_text():
    assert "&lt;b&gt;" in definitions({"<b>": "<i>"})
    assert "<b>" not in table(["<b>"], [["x"]])
