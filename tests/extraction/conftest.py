"""Clips of a square that walks about, and projects that hold them."""

from pathlib import Path

import numpy as np
import pytest
from walking_clips import walking

from posenb.project import Project, add_videos, create_project
from posenb.video import write_video


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def clip(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "walk.mp4"
    write_video(path, walking(), fps=25)
    return path


@pytest.fixture
def project(tmp_path, clip) -> Project:
    return add_videos(create_project(tmp_path / "reach", keypoints=["snout"]), clip)


@pytest.fixture
def make(tmp_path):
    """Make a project of videos that are given as paths, or as frames by name."""

    def build(*paths: Path, **clips: np.ndarray) -> Project:
        made = []
        for name, frames in clips.items():
            made.append(tmp_path / "raw" / f"{name}.mp4")
            write_video(made[-1], frames, fps=25)
        return add_videos(create_project(tmp_path / "reach", keypoints=["snout"]), [*paths, *made])

    return build
