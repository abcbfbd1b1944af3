"""A tiny labelled project, a run trained on it, and the program called within the test."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from posenb import storage
from posenb.cli import app
from posenb.core import FrameName, Labels
from posenb.project import Project, Run, add_videos, create_project, open_run
from posenb.video import write_video

SMALL = (
    *("--backbone", "mobilenet_v2_035", "--weights", "none", "--width", "8"),
    *("--steps", "2", "--batch-size", "2", "--window", "64", "--scale", "1"),
)


@pytest.fixture(scope="session")
def small() -> tuple[str, ...]:
    """Options of a training that takes no time."""
    return SMALL


@pytest.fixture(scope="session")
def posenb():
    """Call the program: ``posenb("open", folder)``."""

    def call(*arguments: object):
        return CliRunner().invoke(app, [str(each) for each in arguments])

    return call


def make_project(folder: Path) -> Project:
    """Eight labelled frames of noise and the clip that they are from."""
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 255, (8, 64, 64, 3), np.uint8)
    write_video(folder / "videos" / "clip.mp4", frames, fps=25)
    project = create_project(folder, keypoints=["snout", "tail-base"])
    project = add_videos(project, folder / "videos" / "clip.mp4")
    names = tuple(FrameName("clip", f"img{n:03d}.png") for n in range(8))
    for name, frame in zip(names, frames, strict=True):
        with storage.writing(project.image_url(name)) as path:
            Image.fromarray(frame).save(path, format="png")
    positions = generator.uniform(8, 56, (8, 1, 2, 2))
    project.save_labels(Labels(names, positions, project.skeleton))
    return project


@pytest.fixture
def project(tmp_path) -> Project:
    return make_project(tmp_path / "reach")


@pytest.fixture(scope="session")
def trained_once(posenb, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trained") / "reach"
    make_project(folder)
    done = posenb("train", folder, "--name", "first", "--quiet", *SMALL)
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def run(trained_once, tmp_path) -> Run:
    """A finished run of a project of one's own."""
    folder = shutil.copytree(trained_once, tmp_path / "reach")
    return open_run(folder / "runs" / "first")
