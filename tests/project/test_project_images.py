"""Images of labelled frames, of whatever kind they are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posenb import storage
from posenb.core import FrameName
from posenb.errors import LabelError
from posenb.project import Project, create_project, frames_by_video, read_image

FRAME = FrameName("clip", "img0.png")


@pytest.fixture
def project(tmp_path) -> Project:
    made = create_project(tmp_path / "project", keypoints=["nose"])
    (tmp_path / "project/labeled-data/clip").mkdir(parents=True)
    return made


def save(project: Project, image: Image.Image) -> None:
    image.save(project.image_url(FRAME))


def test_colours_come_as_they_lie_in_the_file(project: Project) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    save(project, Image.fromarray(pixels))
    assert np.array_equal(read_image(project, FRAME), pixels)


def test_grey_becomes_three_equal_channels(project: Project) -> None:
    grey = np.arange(35, dtype=np.uint8).reshape(5, 7)
    save(project, Image.fromarray(grey))
    assert np.array_equal(read_image(project, FRAME), np.repeat(grey[..., None], 3, axis=2))


def test_of_sixteen_bits_the_upper_eight_are_seen(project: Project) -> None:
    deep = np.linspace(0, 65535, 35).astype(np.uint16).reshape(5, 7)
    save(project, Image.fromarray(deep))
    assert np.array_equal(read_image(project, FRAME)[..., 1], deep >> 8)


def test_transparency_is_left_out(project: Project) -> None:
    pixels = np.full((4, 4, 4), 90, dtype=np.uint8)
    save(project, Image.fromarray(pixels))
    assert read_image(project, FRAME).shape == (4, 4, 3)


def test_a_file_that_is_no_image_is_named(project: Project, tmp_path) -> None:
    (tmp_path / "project/labeled-data/clip/img0.png").write_bytes(b"not a picture")
    with pytest.raises(LabelError, match=r"img0\.png"):
        read_image(project, FRAME)


def test_videos_with_frames_come_in_the_order_of_the_manifest_and_frames_by_number(
    tmp_path: Path,
) -> None:
    project = create_project(tmp_path / "reach", keypoints=["snout"])
    project = replace(project, videos={"z": "z.mp4", "empty": "e.mp4"})
    images = {"a": ["img1.png"], "z": ["img10.png", "img9.png"], "z_labeled": ["img9.png"]}
    for video, names in images.items():
        for name in names:
            storage.write_bytes(project.image_url(FrameName(video, name)), b"picture")
    found = frames_by_video(project)
    assert list(found) == ["z", "a"]  # z_labeled holds drawings of z
    assert [frame.image for frame in found["z"]] == ["img9.png", "img10.png"]
