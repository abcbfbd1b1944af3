import csv
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from label_samples import assert_same_labels, changed, one_animal, two_animals
from PIL import Image

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import FrameName
from posenb.errors import ProjectError, StorageError
from posenb.labels import join_labels
from posenb.project import add_videos, create_project, open_project, to_dlc
from posenb.video import write_video

# Keys of reference/formats.md that DeepLabCut writes and reads for one animal.
KEYS = (
    {"Task", "scorer", "date", "multianimalproject", "identity", "project_path", "engine"}
    | {"video_sets", "bodyparts", "start", "stop", "numframes2pick"}
    | {"skeleton", "skeleton_color", "pcutoff", "dotsize", "alphavalue", "colormap"}
    | {"TrainingFraction", "iteration", "default_net_type", "default_augmenter"}
    | {"default_track_method", "snapshotindex", "batch_size"}
    | {"cropping", "x1", "x2", "y1", "y2", "corner2move2", "move2corner"}
)


@pytest.fixture
def project(tmp_path):
    """A project with two labelled videos, of which one is there."""
    write_video(tmp_path / "raw" / "m1.mp4", np.zeros((3, 48, 64, 3), np.uint8), fps=10)
    made = create_project(
        tmp_path / "reach",
        keypoints=["snout", "left ear", "tail"],
        skeleton=[("snout", "tail")],
        scorer="ann",
    )
    made = add_videos(made, tmp_path / "raw" / "m1.mp4", progress=silent_progress)
    labels = join_labels([one_animal(video="m1"), one_animal(video="m2", start=30)])
    made.save_labels(changed(labels, {(0, 0, 0): (1,), (1, 0, 1): (0,)}))
    with_images(made)
    return made


def with_images(project, *extra):
    for frame in (*project.labels().frames, *extra):
        path = Path(project.image_url(frame))
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 48)).save(path)


def export(project, folder, **options):
    return to_dlc(project, folder, progress=silent_progress, **options)


def config_of(folder):
    return yaml.safe_load((folder / "config.yaml").read_text())


def read_as_deeplabcut(folder):
    """Gather the labels as DeepLabCut's create_training_dataset does."""
    config = config_of(folder)
    tables = []
    for video in config["video_sets"]:
        table = folder / "labeled-data" / Path(video).stem / f"CollectedData_{config['scorer']}.h5"
        if table.is_file():
            tables.append(pd.read_hdf(table))
    merged = pd.concat(tables)
    assert all((folder / Path(*row)).is_file() for row in merged.index)
    return merged


def test_deeplabcut_finds_every_key_that_it_writes_itself(project, tmp_path):
    config_url = export(project, tmp_path / "dlc")
    assert config_url == str(tmp_path / "dlc" / "config.yaml")
    config = config_of(tmp_path / "dlc")
    assert not KEYS - config.keys()
    assert config["project_path"] == str((tmp_path / "dlc").resolve())
    assert (config["Task"], config["scorer"]) == ("reach", "ann")
    assert config["bodyparts"] == ["snout", "left ear", "tail"]
    assert config["skeleton"] == [["snout", "tail"]]
    assert config["multianimalproject"] is False
    assert config["TrainingFraction"] == [0.95]
    assert config["date"].endswith(str(date.today().day))
    assert len(config["date"].rstrip("0123456789")) == 3


def test_deeplabcut_gathers_all_labels(project, tmp_path):
    export(project, tmp_path / "dlc")
    table = read_as_deeplabcut(tmp_path / "dlc")
    assert len(table) == 4
    expected = project.labels().positions.reshape(4, 6)
    np.testing.assert_array_equal(table.to_numpy(), expected)
    rows = list(csv.reader((tmp_path / "dlc/labeled-data/m1/CollectedData_ann.csv").open()))
    assert rows[3][:3] == ["labeled-data", "m1", "img1.png"]


def test_a_labelled_video_that_is_nowhere_still_has_its_entry(project, tmp_path):
    export(project, tmp_path / "dlc")
    folder = (tmp_path / "dlc").resolve()
    assert config_of(tmp_path / "dlc")["video_sets"] == {
        str(folder / "videos" / "m1.mp4"): {"crop": "0, 64, 0, 48"},
        str(folder / "videos" / "m2.mp4"): {"crop": "0, 64, 0, 48"},
    }


def test_what_was_exported_opens_as_the_same_project(project, tmp_path):
    export(project, tmp_path / "dlc", videos="copy")
    opened = open_project(tmp_path / "dlc")
    assert opened.kind == "deeplabcut"
    assert opened.skeleton == project.skeleton
    assert opened.videos["m1"] == "videos/m1.mp4"
    assert_same_labels(opened.labels(), project.labels())


def test_several_animals_and_the_scene_are_exported(tmp_path):
    project = create_project(
        tmp_path / "rats",
        keypoints=["snout", "tail"],
        unique_keypoints=["corner"],
        individuals=["rat 1", "rat 2"],
        scorer="ann",
    )
    project.save_labels(two_animals())
    with_images(project)
    export(project, tmp_path / "dlc")
    config = config_of(tmp_path / "dlc")
    assert config["multianimalproject"] is True
    assert config["bodyparts"] == "MULTI!"
    assert config["multianimalbodyparts"] == ["snout", "tail"]
    assert config["uniquebodyparts"] == ["corner"]
    assert config["individuals"] == ["rat 1", "rat 2"]
    table = read_as_deeplabcut(tmp_path / "dlc")
    assert table.columns[-1] == ("ann", "single", "corner", "y")
    assert_same_labels(open_project(tmp_path / "dlc").labels(), two_animals())


@pytest.mark.parametrize("how", ["link", "copy"])
def test_videos_are_linked_or_copied_as_asked(project, tmp_path, how):
    export(project, tmp_path / "dlc", videos=how)
    video = tmp_path / "dlc" / "videos" / "m1.mp4"
    assert video.is_symlink() == (how == "link")
    assert video.read_bytes() == (tmp_path / "raw" / "m1.mp4").read_bytes()


def test_where_links_are_not_allowed_copies_are_proposed(project, tmp_path, monkeypatch):
    def refuse(self, target):
        raise OSError("a required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(ProjectError, match=r'privilege.*Pass videos="copy"'):
        export(project, tmp_path / "dlc")


def test_videos_in_the_cloud_are_copied_never_linked(tmp_path):
    write_video("memory://raw-export/m1.mp4", np.zeros((3, 48, 64, 3), np.uint8), fps=10)
    project = create_project(tmp_path / "reach", keypoints=["snout"])
    project = add_videos(project, "memory://raw-export/m1.mp4", progress=silent_progress)
    with pytest.raises(ProjectError, match='Pass videos="copy"'):
        export(project, tmp_path / "dlc")
    assert not (tmp_path / "dlc" / "config.yaml").exists()
    export(project, tmp_path / "dlc", videos="copy")
    entry = config_of(tmp_path / "dlc")["video_sets"]
    assert entry == {str((tmp_path / "dlc").resolve() / "videos/m1.mp4"): {"crop": "0, 64, 0, 48"}}


def test_frames_that_are_not_labelled_yet_come_along(project, tmp_path):
    with_images(project, FrameName("m1", "img7.png"))
    export(project, tmp_path / "dlc")
    images = sorted(path.name for path in (tmp_path / "dlc/labeled-data/m1").glob("*.png"))
    assert images == ["img1.png", "img2.png", "img7.png"]


def test_a_project_without_labels_is_exported(tmp_path):
    project = create_project(tmp_path / "reach", keypoints=["snout"])
    export(project, tmp_path / "dlc")
    assert open_project(tmp_path / "dlc").skeleton.keypoints == ("snout",)


def test_a_crop_becomes_deeplabcuts(project, tmp_path):
    cropped = add_videos(
        project, project.video_url("m1"), crop=(2, 40, 4, 30), progress=silent_progress
    )
    export(cropped, tmp_path / "dlc")
    entries = list(config_of(tmp_path / "dlc")["video_sets"].values())
    assert entries[0] == {"crop": "2, 40, 4, 30"}


def test_a_folder_with_a_config_is_refused(project, tmp_path):
    export(project, tmp_path / "dlc")
    with pytest.raises(ProjectError, match="Choose another folder"):
        export(project, tmp_path / "dlc")


def test_a_folder_in_the_cloud_is_refused(project):
    with pytest.raises(ProjectError, match="Export to a local one"):
        export(project, "memory://dlc")


def test_cut_off_the_export_is_run_again(project, tmp_path, monkeypatch):
    real = storage.copy

    def cut(source, target):
        if source.endswith("m2/img2.png"):
            raise StorageError("full")
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(storage, "copy", cut)
        with pytest.raises(StorageError, match="full"):
            export(project, tmp_path / "dlc")
    assert not (tmp_path / "dlc" / "config.yaml").exists()
    export(project, tmp_path / "dlc")
    assert len(read_as_deeplabcut(tmp_path / "dlc")) == 4


def test_the_real_openfield_project_survives_the_export(shared_data, tmp_path):
    project = open_project(shared_data / "openfield")
    export(project, tmp_path / "dlc")
    opened = open_project(tmp_path / "dlc")
    assert_same_labels(opened.labels(), project.labels())
    assert len(read_as_deeplabcut(tmp_path / "dlc")) == 116
    assert (
        Path(opened.video_url("m3v1mp4")).resolve() == Path(project.video_url("m3v1mp4")).resolve()
    )


def test_the_real_mirror_mouse_folder_becomes_a_deeplabcut_project(shared_data, tmp_path):
    project = open_project(shared_data / "mirror-mouse")
    export(project, tmp_path / "dlc")
    table = read_as_deeplabcut(tmp_path / "dlc")
    assert len(table) == 90
    assert {row[1] for row in table.index} == {"mirror-mouse"}
    expected = project.labels()
    found = open_project(tmp_path / "dlc").labels()
    np.testing.assert_array_equal(found.positions, expected.positions)
    assert [frame.image for frame in found.frames] == [frame.image for frame in expected.frames]
