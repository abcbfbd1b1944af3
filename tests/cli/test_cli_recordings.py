"""Poses named by their folder, their video or their run, and the labelled video made of them."""

import numpy as np
import pytest

from posenb.cli.recordings import find_recordings
from posenb.core import Poses, Skeleton
from posenb.errors import AnalysisError
from posenb.labels import write_poses
from posenb.video import probe, write_video


@pytest.fixture
def clip(tmp_path):
    path = tmp_path / "reach" / "videos" / "clip.mp4"
    write_video(path, np.full((12, 48, 64, 3), 90, np.uint8), fps=25)
    return path


def analyzed(folder):
    rng = np.random.default_rng(0)
    poses = Poses(rng.uniform(5, 40, (12, 1, 2, 2)), np.ones((12, 1, 2)), Skeleton(("a", "b")))
    write_poses(f"{folder}/", poses)
    return str(folder)


@pytest.fixture
def own(clip):
    """Poses in the project, of the run ``first``."""
    run = clip.parents[1] / "runs" / "first"
    run.mkdir(parents=True)
    (run / "config.json").write_text("{}")
    return analyzed(clip.parents[1] / "poses" / "clip" / "first")


def test_poses_stand_for_themselves(own):
    assert find_recordings([own]) == [(own, None)]
    assert find_recordings([f"{own}/poses.h5"]) == [(f"{own}/poses.h5", None)]


def test_a_video_stands_for_its_poses_in_the_project(own, clip):
    assert find_recordings([str(clip)]) == [(own, str(clip))]


def test_a_video_stands_for_the_poses_beside_it(clip):
    beside = analyzed(clip.parent / "clip_poses")
    assert find_recordings([str(clip)]) == [(beside, str(clip))]


def test_a_run_stands_for_all_that_it_found(own, clip):
    other = analyzed(clip.parents[1] / "poses" / "another" / "first")
    analyzed(clip.parents[1] / "poses" / "clip" / "second")
    run = str(clip.parents[1] / "runs" / "first")
    assert find_recordings([run]) == [(other, None), (own, None)]


def test_of_several_analyses_of_a_video_one_must_be_named(own, clip):
    analyzed(clip.parents[1] / "poses" / "clip" / "second")
    with pytest.raises(AnalysisError, match=r"several: .*first, .*second.*--video"):
        find_recordings([str(clip)])


def test_what_was_never_analyzed_is_refused(clip):
    with pytest.raises(AnalysisError, match="none beside it or in its project"):
        find_recordings([str(clip)])
    run = clip.parents[1] / "runs" / "first"
    run.mkdir(parents=True)
    (run / "config.json").write_text("{}")
    with pytest.raises(AnalysisError, match="posenb analyze"):
        find_recordings([str(run)])


@pytest.mark.parametrize("name", ["nothing", "reach"])
def test_what_is_neither_is_refused(clip, tmp_path, name):
    with pytest.raises(AnalysisError, match="Poses are named by"):
        find_recordings([str(tmp_path / name)])


def test_a_labelled_video_is_made_and_its_place_shown(posenb, own, clip, tmp_path):
    options = ("--start", "2", "--stop", "0.4s", "--scale", "2", "--keypoints", "a")
    done = posenb("labelled-video", clip, "--quiet", *options)
    assert done.exit_code == 0, done.output
    made = f"{own}/labelled.mp4"
    assert done.output.strip() == made
    assert (probe(made).frame_count, probe(made).width) == (8, 128)
    done = posenb("labelled-video", own, "--video", clip, "--output", f"{tmp_path}/", "--quiet")
    assert done.output.strip() == str(tmp_path / "clip_labelled.mp4")


def test_one_output_cannot_hold_several_videos(posenb, own, clip):
    done = posenb("labelled-video", own, own, "--output", "a.mp4")
    assert done.exit_code == 1
    assert "One --video and one .mp4" in done.output


def test_a_start_that_is_no_time_is_a_usage_error(posenb, own):
    done = posenb("labelled-video", own, "--start", "soon")
    assert done.exit_code == 2
    assert "--start" in done.output


def test_plots_are_written_and_their_folder_shown(posenb, own, clip, tmp_path):
    seen = tmp_path / "seen"
    done = posenb("plot", clip, "--keypoints", "a", "--format", "png", "--output", seen)
    assert done.output.strip() == str(seen)
    figures = {path.name for path in seen.glob("*.png")}
    assert figures == {"likelihood.png", "paths.png", "positions.png", "steps.png"}
    assert '"keypoints": ["a"]' in (seen / "trajectories.html").read_text("utf-8")


def test_one_folder_goes_with_the_poses_of_one_video(posenb, own):
    done = posenb("plot", own, own, "--output", "somewhere")
    assert done.exit_code == 1
    assert "one by one" in done.output
