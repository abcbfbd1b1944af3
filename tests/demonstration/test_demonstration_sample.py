"""The sample: a project to try everything on, made once."""

from pathlib import Path

import numpy as np
import pytest

from posenb._progress import silent_progress
from posenb.demonstration import sample_project
from posenb.demonstration.animal import draw_frames, true_poses, walk
from posenb.demonstration.sample import draw_clip
from posenb.errors import ProjectError
from posenb.project import create_project, list_frames
from posenb.video import open_video


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return sample_project(tmp_path_factory.mktemp("sample") / "s", progress=silent_progress)


def test_the_sample_has_a_video_and_true_labels(sample):
    with open_video(sample.video_url("walk")) as video:
        assert len(video) == 180
        assert (video.info.width, video.info.height) == (256, 192)
    labels = sample.labels()
    assert len(labels) == 30
    truth = true_poses(walk(180, 0), 30.0).positions[::6]
    np.testing.assert_allclose(labels.positions, truth, atol=1e-9)


def test_made_again_it_is_opened_and_what_was_done_in_it_stays(sample):
    labels = sample.labels()
    positions = labels.positions.copy()
    positions[0, 0, 0] += 3
    sample.save_labels(type(labels)(labels.frames, positions, labels.skeleton))
    stamp = Path(sample.video_url("walk")).stat().st_mtime_ns
    again = sample_project(sample.url, progress=silent_progress)
    assert again == sample
    np.testing.assert_allclose(again.labels().positions, positions)
    assert Path(again.video_url("walk")).stat().st_mtime_ns == stamp


def test_the_clip_shows_the_walk(tmp_path):
    motion = walk(12, 0)
    draw_clip(str(tmp_path / "walk.mp4"), motion, 0, silent_progress)
    drawn = list(draw_frames(motion, 0))
    with open_video(tmp_path / "walk.mp4") as video:
        assert (video.frame_count, video.fps) == (12, 30.0)
        assert np.abs(video[5].astype(int) - drawn[5]).mean() < 4


def test_a_clip_that_is_there_is_not_made_again(tmp_path):
    (tmp_path / "walk.mp4").write_bytes(b"kept")
    draw_clip(str(tmp_path / "walk.mp4"), walk(3, 0), 0, silent_progress)
    assert (tmp_path / "walk.mp4").read_bytes() == b"kept"


def test_without_labels_it_is_a_project_that_was_just_made(sample, tmp_path, monkeypatch):
    from posenb.demonstration import sample as room

    monkeypatch.setattr(room, "FRAMES", 3)
    project = room.sample_project(tmp_path / "s", labelled=False, progress=silent_progress)
    assert tuple(project.videos) == ("walk",)
    assert not project.has_labels()
    assert list_frames(project, "walk") == ()


def test_a_folder_with_another_project_is_left_alone(tmp_path):
    made = create_project(tmp_path / "own", keypoints=["nose"])
    with pytest.raises(ProjectError, match="made with other facts"):
        sample_project(made.url, progress=silent_progress)
    assert made.reload() == made
