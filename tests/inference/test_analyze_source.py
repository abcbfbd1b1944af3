"""From poses back to their video."""

import numpy as np
import pytest

from posenb import storage
from posenb.core import Poses, Skeleton
from posenb.inference import source_video


@pytest.fixture(params=["local", "memory"])
def project(request, tmp_path):
    url = str(tmp_path / "reach") if request.param == "local" else f"memory://{tmp_path.name}"
    yield url
    storage.remove(url, recursive=True)


def poses_of(video, url=None):
    told = {} if video is None else {"video": {"url": video}}
    return Poses(
        np.zeros((1, 1, 1, 2)), np.ones((1, 1, 1)), Skeleton(("a",)), provenance=told, url=url
    )


def test_a_video_of_the_project_is_found_from_the_folder_of_its_poses(project):
    video = storage.join(project, "videos/clip.mp4")
    storage.write_bytes(video, b"x")
    table = storage.join(project, "poses/clip/first/poses.h5")
    assert source_video(poses_of("videos/clip.mp4", table)) == video


def test_a_video_elsewhere_is_found_by_its_url(project):
    video = storage.join(project, "clip.mp4")
    storage.write_bytes(video, b"x")
    assert source_video(poses_of(video)) == video


def test_a_video_that_is_gone_is_not_found(project):
    table = storage.join(project, "poses/clip/first/poses.h5")
    assert source_video(poses_of("videos/clip.mp4", table)) is None
    assert source_video(poses_of(storage.join(project, "clip.mp4"), table)) is None


def test_a_video_of_a_project_is_not_guessed_without_the_place_of_the_poses(tmp_path, monkeypatch):
    (tmp_path / "clip.mp4").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert source_video(poses_of("clip.mp4")) is None


def test_poses_from_elsewhere_tell_no_video():
    assert source_video(poses_of(None, "/somewhere/poses.h5")) is None
