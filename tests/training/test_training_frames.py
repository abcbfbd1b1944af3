"""Labelled frames on their way to the device."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import keras
import numpy as np
import pytest
from made_projects import dot_picture, dot_project, png

from posenb import storage
from posenb.core import FrameName, Labels
from posenb.errors import LabelError, StorageError, TrainingError
from posenb.models import Resize
from posenb.project import Project, create_project, read_image
from posenb.training import frames as frames_module
from posenb.training.frames import load_frames


def as_it_is(frames: np.ndarray) -> np.ndarray:
    return frames


def halved(frames: np.ndarray) -> np.ndarray:
    small = keras.ops.convert_to_numpy(Resize(0.5)(frames))
    return np.round(small).astype(np.uint8)


def project_of(url: object, pictures: list[np.ndarray]) -> tuple[Project, Labels]:
    project = create_project(str(url), keypoints=("dot",))
    frames = tuple(FrameName("clip", f"{i:04d}.png") for i in range(len(pictures)))
    for frame, picture in zip(frames, pictures, strict=True):
        storage.write_bytes(project.image_url(frame), png(picture))
    positions = np.full((len(frames), 1, 1, 2), 3.0)
    return project, Labels(frames, positions, project.skeleton)


@pytest.fixture
def pictures() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = [(20, 30), (40, 10), (25, 35), (8, 8), (40, 36)]
    return [rng.integers(0, 256, (*size, 3), np.uint8) for size in sizes]


def test_frames_of_mixed_sizes_keep_their_pixels(
    tmp_path: Path, pictures: list[np.ndarray]
) -> None:
    loaded = load_frames(*project_of(tmp_path, pictures), as_it_is)
    assert len(loaded) == len(pictures)
    assert loaded.images.shape == (5, 40, 36, 3)
    for i, picture in enumerate(pictures):
        height, width = loaded.sizes[i]
        assert (height, width) == picture.shape[:2]
        np.testing.assert_array_equal(loaded.images[i, :height, :width], picture)
        assert not loaded.images[i, height:].any()
        assert not loaded.images[i, :, width:].any()


def test_keypoints_follow_the_scale_under_the_pixel_convention(tmp_path: Path) -> None:
    pictures = [np.zeros((20, 30, 3), np.uint8), np.zeros((21, 31, 3), np.uint8)]
    loaded = load_frames(*project_of(tmp_path, pictures), halved)
    np.testing.assert_allclose(loaded.keypoints[0, 0], [1.25, 1.25])  # (3 + 0.5) / 2 - 0.5
    true = np.array([16 / 31, 11 / 21])  # 15.5 and 10.5 pixels are rounded up
    np.testing.assert_allclose(loaded.ratios[1], true)
    np.testing.assert_allclose(loaded.keypoints[1, 0], 3.5 * true - 0.5)


def test_beyond_the_memory_limit_frames_lie_on_the_disk(
    tmp_path: Path, pictures: list[np.ndarray], cache: Path
) -> None:
    project, labels = project_of(tmp_path, pictures)
    assert not cache.exists()
    in_memory = load_frames(project, labels, as_it_is)
    mapped = load_frames(project, labels, as_it_is, memory=1000)
    assert isinstance(mapped.images, np.memmap)
    assert not isinstance(in_memory.images, np.memmap)
    np.testing.assert_array_equal(mapped.images, in_memory.images)
    assert list(cache.rglob("*")) == []  # the file has no name, so nothing can be left behind


def test_host_memory_stays_bounded_however_many_frames_there_are(tmp_path: Path) -> None:
    one = 100 * 100 * 3
    project, labels = project_of(tmp_path, [np.zeros((100, 100, 3), np.uint8)] * 300)
    load_frames(project, labels.select([0]), as_it_is)  # whatever is imported once
    tracemalloc.start()
    loaded = load_frames(project, labels, as_it_is, memory=one)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert loaded.images.nbytes == 300 * one
    assert peak < 100 * one


def test_a_disk_that_is_full_is_named(
    tmp_path: Path, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(frames_module.np, "memmap", full)
    with pytest.raises(TrainingError, match=r"No space left.*POSENB_CACHE"):
        load_frames(*project_of(tmp_path, pictures), as_it_is, memory=10)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system reserves no space")
def test_the_space_is_taken_before_it_is_written_to(
    tmp_path: Path, pictures: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, start: int, size: int) -> None:
        assert size == 5 * 20 * 30 * 3
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(TrainingError, match=r"No space left.*POSENB_CACHE"):
        load_frames(*project_of(tmp_path, pictures), as_it_is, memory=10)


def test_a_text_file_named_png_is_named(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    project, labels = project_of(tmp_path, pictures)
    url = project.image_url(labels.frames[2])
    storage.write_text(url, "this is no image")
    with pytest.raises(LabelError, match=r"0002\.png is not .*Extract the frame again"):
        load_frames(project, labels, as_it_is)


def test_a_truncated_image_is_named(tmp_path: Path) -> None:
    project, labels = project_of(tmp_path, [dot_picture(20, 20, 64, 64)])
    url = project.image_url(labels.frames[0])
    storage.write_bytes(url, storage.read_bytes(url)[:-700])
    with pytest.raises(LabelError, match=r"0000\.png"):
        load_frames(project, labels, as_it_is)


def test_an_absent_image_is_named(tmp_path: Path, pictures: list[np.ndarray]) -> None:
    project, labels = project_of(tmp_path, pictures)
    storage.remove(project.image_url(labels.frames[1]))
    with pytest.raises(StorageError, match=r"0001\.png"):
        load_frames(project, labels, as_it_is)


@pytest.mark.parametrize("mode", ["L", "RGBA", "P"])
def test_grey_transparent_and_palette_images_become_rgb(tmp_path: Path, mode: str) -> None:
    from PIL import Image

    project, labels = project_of(tmp_path, [np.zeros((4, 4, 3), np.uint8)])
    path = Path(project.image_url(labels.frames[0]))
    Image.fromarray(np.full((5, 6, 3), 102, np.uint8)).convert(mode).save(path)
    found = read_image(project, labels.frames[0])
    assert found.shape == (5, 6, 3)
    assert found.dtype == np.uint8
    assert (found == 102).all()


def test_no_frames_at_all_load_as_nothing(project: Project) -> None:
    loaded = load_frames(project, project.labels().select([]), as_it_is)
    assert len(loaded) == 0
    assert loaded.keypoints.shape == (0, 1, 2)


def test_a_remote_image_is_fetched_once(gs_bucket: str, gs_server: object, cache: Path) -> None:
    project = dot_project(gs_bucket, count=3)
    labels = project.labels()
    first = load_frames(project, labels, as_it_is)
    gs_server.requests.clear()  # type: ignore[attr-defined]
    again = load_frames(project, labels, as_it_is)
    downloads = [path for _, path in gs_server.requests if "alt=media" in path]  # type: ignore[attr-defined]
    assert downloads == []
    np.testing.assert_array_equal(first.images, again.images)
    assert any(cache.rglob("*.png"))


def test_a_remote_image_that_changed_is_fetched_again(gs_bucket: str) -> None:
    project = dot_project(gs_bucket, count=1)
    frame = project.labels().frames[0]
    read_image(project, frame)
    storage.write_bytes(project.image_url(frame), png(np.full((9, 9, 3), 77, np.uint8)))
    assert (read_image(project, frame) == 77).all()
