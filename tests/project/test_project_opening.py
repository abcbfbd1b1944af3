import os
import shutil
import stat

import numpy as np
import pandas as pd
import pytest
import yaml
from label_samples import one_animal

from posenb import storage
from posenb.errors import ConfigError, InvalidInputError, LabelError, ProjectError, UnknownNameError
from posenb.labels import write_labels
from posenb.project import create_project, open_project
from posenb.project.manifest import add_entries, make_video

KEYPOINTS = ["snout", "left ear", "tail"]


def all_files(folder):
    return sorted((path, path.stat().st_mtime_ns) for path in folder.rglob("*"))


def test_a_created_project_is_opened_as_it_was(tmp_path):
    made = create_project(
        tmp_path / "reach",
        keypoints=["snout", "tail"],
        skeleton=[("snout", "tail")],
        individuals=["ann", "bob"],
        unique_keypoints=["corner"],
        scorer="me",
        name="Reaching",
    )
    assert open_project(tmp_path / "reach") == made
    assert open_project(tmp_path / "reach" / "posenb.yaml") == made
    assert made.skeleton.keypoints == ("snout", "tail", "corner")
    assert made.skeleton.edge_names == (("snout", "tail"),)
    assert (made.name, made.scorer, made.individuals) == ("Reaching", "me", ("ann", "bob"))


def test_names_are_chosen_where_none_are_given(tmp_path):
    project = create_project(tmp_path / "reach", keypoints=["a"])
    assert (project.name, project.scorer) == ("reach", "posenb")
    assert project.individuals == ("",)


def test_a_project_is_one_small_file(tmp_path):
    create_project(tmp_path / "reach", keypoints=["a"])
    found = [path.name for path in (tmp_path / "reach").iterdir()]
    assert [name for name in found if not name.startswith(".posenb-")] == ["posenb.yaml"]


def test_a_moved_project_is_opened_all_the_same(tmp_path):
    create_project(tmp_path / "reach", keypoints=KEYPOINTS, scorer="ann").save_labels(one_animal())
    shutil.move(tmp_path / "reach", tmp_path / "moved")
    project = open_project(tmp_path / "moved")
    assert len(project.labels()) == 2
    assert project.url == str(tmp_path / "moved")


def test_a_project_in_the_cloud_is_created_and_opened(gs_bucket):
    url = storage.join(gs_bucket, "reach")
    made = create_project(url, keypoints=["a"])
    assert open_project(url) == made == create_project(url, keypoints=["a"])
    with pytest.raises(ProjectError, match="Open it with open_project"):
        create_project(url, keypoints=["b"])


def test_created_again_it_is_the_same_project_with_what_was_added_meanwhile(tmp_path):
    facts = {"keypoints": ["a", "b"], "skeleton": [("a", "b")], "scorer": "ann"}
    made = create_project(tmp_path / "reach", **facts)
    add_entries(
        f"{made.url}/posenb.yaml", "posenb", {"clip": make_video(path="clip.mp4", crop=None)}, {}
    )
    again = create_project(tmp_path / "reach", **facts)
    assert again == made.reload() != made
    assert set(again.videos) == {"clip"}


@pytest.mark.parametrize(
    "other",
    [{"keypoints": ["b", "a"]}, {"skeleton": []}, {"scorer": "ben"}, {"individuals": ["x", "y"]}],
)
def test_created_again_with_other_facts_it_is_refused_and_left_alone(tmp_path, other):
    facts = {"keypoints": ["a", "b"], "skeleton": [("a", "b")], "scorer": "ann"}
    made = create_project(tmp_path / "reach", **facts)
    with pytest.raises(ProjectError, match="made with other facts"):
        create_project(tmp_path / "reach", **{**facts, **other})
    assert made.reload() == made


@pytest.mark.parametrize(
    ("facts", "error", "message"),
    [
        ({"keypoints": []}, InvalidInputError, "at least one keypoint"),
        ({"keypoints": ["a", "a"]}, InvalidInputError, "repeated: a"),
        ({"keypoints": ["a"], "skeleton": [("a", "b")]}, UnknownNameError, "No keypoint 'b'"),
        ({"keypoints": ["a"], "individuals": ["x", "x"]}, InvalidInputError, "unique"),
        ({"keypoints": ["a"], "individuals": []}, InvalidInputError, "Individuals"),
        ({"keypoints": ["a"], "scorer": "a/b"}, ConfigError, "scorer"),
    ],
)
def test_facts_that_break_a_rule_are_refused_and_nothing_is_written(
    tmp_path, facts, error, message
):
    with pytest.raises(error, match=message):
        create_project(tmp_path / "reach", **facts)
    assert not (tmp_path / "reach").exists()


def test_a_folder_with_a_project_is_not_overwritten(tmp_path, dlc):
    create_project(tmp_path / "reach", keypoints=["a"])
    with pytest.raises(ProjectError, match="Open it with open_project"):
        create_project(tmp_path / "reach", keypoints=["b"])
    with pytest.raises(ProjectError, match="one of another program"):
        create_project(dlc(), keypoints=["b"])


def test_where_there_is_no_project_the_error_says_what_was_looked_for(tmp_path):
    with pytest.raises(ProjectError, match=r"posenb\.yaml, a config\.yaml .*CollectedData\.csv"):
        open_project(tmp_path)
    with pytest.raises(ProjectError, match="create_project"):
        open_project(tmp_path / "absent")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"keypoints": ["a", "a"]}, "repeated: a"),
        ({"skeleton": [["a", "b"]]}, "No keypoint 'b'"),
        ({"individuals": ["x", "x"]}, "unique"),
    ],
)
def test_a_manifest_edited_wrongly_is_refused_with_its_name(tmp_path, change, message):
    facts = {"version": 1, "name": "n", "scorer": "s", "keypoints": ["a"]}
    (tmp_path / "posenb.yaml").write_text(yaml.safe_dump({**facts, **change}))
    with pytest.raises(ProjectError, match=rf"posenb\.yaml.*{message}"):
        open_project(tmp_path)


# DeepLabCut ----------------------------------------------------------------------------------


@pytest.fixture
def dlc(tmp_path):
    """Makes a DeepLabCut folder with some keys of its config changed."""

    def make(videos=(), **changes):
        folder = tmp_path / "openfield-ann-2018-10-30"
        (folder / "videos").mkdir(parents=True, exist_ok=True)
        for name in videos:
            (folder / "videos" / name).touch()
        config = {
            "Task": "openfield",
            "scorer": "ann",
            "date": "Oct30",
            "multianimalproject": None,
            "project_path": "/nowhere/on/this/machine",
            "video_sets": {"C:\\Users\\ann\\videos\\m1.avi": {"crop": "0, 640, 0, 480"}},
            "bodyparts": KEYPOINTS,
            "skeleton": [["bodypart1", "bodypart2"], ["snout", "tail"]],
            "cropping": False,
            **changes,
        }
        (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
        return folder

    return make


def test_the_project_path_of_deeplabcut_is_of_no_account(dlc):
    folder = dlc(["m1.avi"])
    project = open_project(folder)
    assert project.kind == "deeplabcut"
    assert (project.name, project.scorer) == ("openfield", "ann")
    assert project.video_url("m1") == str(folder / "videos" / "m1.avi")
    assert open_project(folder / "config.yaml") == project


def test_edges_of_deeplabcuts_template_are_left_out(dlc):
    assert open_project(dlc()).skeleton.edge_names == (("snout", "tail"),)


def test_a_video_that_is_nowhere_keeps_its_entry_and_its_labels(dlc):
    folder = dlc()
    write_labels(folder / "labeled-data" / "m1", one_animal())
    project = open_project(folder)
    assert project.video_url("m1") == "C:\\Users\\ann\\videos\\m1.avi"
    assert len(project.labels()) == 2


def test_a_video_outside_the_folder_is_found_where_the_config_says(dlc, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "m2.mp4").touch()
    folder = dlc(video_sets={str(tmp_path / "raw" / "m2.mp4"): None})
    assert open_project(folder).videos == {"m2": str(tmp_path / "raw" / "m2.mp4")}


def test_a_video_within_the_folder_is_stored_relative_to_it(dlc, tmp_path):
    folder = dlc(["m1.avi"])
    (folder / "other").mkdir()
    (folder / "other" / "m2.mp4").touch()
    dlc(video_sets={str(folder / "other" / "m2.mp4"): None, "videos/m1.avi": None})
    assert open_project(folder).videos == {"m2": "other/m2.mp4", "m1": "videos/m1.avi"}


def test_videos_made_by_deeplabcut_itself_do_not_count(dlc):
    folder = dlc(["m1.avi", "m1DLC_labeled.mp4", "notes.txt"])
    assert open_project(folder).videos == {"m1": "videos/m1.avi"}


@pytest.mark.parametrize("sets", [None, {}, {"WILL BE AUTOMATICALLY UPDATED BY DEMO CODE": {}}])
def test_without_usable_entries_the_videos_folder_counts(dlc, sets):
    folder = dlc(["m1.avi", "m2.MP4", "notes.txt"], video_sets=sets)
    assert open_project(folder).videos == {"m1": "videos/m1.avi", "m2": "videos/m2.MP4"}


@pytest.mark.parametrize(
    ("cropping", "crop", "expected"),
    [
        (True, "10, 20, 30, 40", {"m1": (10, 20, 30, 40)}),
        (False, "10, 20, 30, 40", {}),
        (True, "all", {}),
    ],
)
def test_crops_count_where_cropping_is_on(dlc, cropping, crop, expected):
    folder = dlc(["m1.avi"], cropping=cropping, video_sets={"m1.avi": {"crop": crop}})
    assert open_project(folder).crops == expected


def test_a_project_of_several_animals_is_opened(dlc):
    project = open_project(
        dlc(
            multianimalproject=True,
            bodyparts="MULTI!",
            individuals=["rat 1", 2],
            uniquebodyparts=["corner"],
            multianimalbodyparts=["snout", "tail"],
        )
    )
    assert project.individuals == ("rat 1", "2")
    assert project.skeleton.keypoints == ("snout", "tail", "corner")
    assert project.skeleton.unique == ("corner",)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bodyparts": []}, "at least one keypoint"),
        ({"bodyparts": ["a", "a"]}, "repeated: a"),
        ({"bodyparts": "snout"}, "are lists; got 'snout'"),
        ({"bodyparts": 3}, "not as DeepLabCut writes it"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused_with_its_name(dlc, changes, message):
    with pytest.raises(ProjectError, match=rf"config\.yaml.*{message}"):
        open_project(dlc(**changes))


def test_a_config_of_another_program_is_no_deeplabcut_project(tmp_path):
    (tmp_path / "config.yaml").write_text("theme: dark")
    with pytest.raises(ProjectError, match="No project"):
        open_project(tmp_path)
    (tmp_path / "config.yaml").write_text("a: [")
    with pytest.raises(ProjectError, match="no readable YAML"):
        open_project(tmp_path)


def test_labels_go_back_into_deeplabcuts_files(dlc):
    folder = dlc(["m1.avi"])
    before = (folder / "config.yaml").read_bytes()
    write_labels(folder / "labeled-data" / "m1", one_animal())
    open_project(folder).save_labels(one_animal("img9.png", start=50))
    table = pd.read_hdf(folder / "labeled-data" / "m1" / "CollectedData_ann.h5")
    assert [row[2] for row in table.index] == ["img1.png", "img2.png", "img9.png"]
    assert (folder / "config.yaml").read_bytes() == before


def test_the_real_openfield_project_is_opened_as_it_is(shared_data):
    folder = shared_data / "openfield"
    before = all_files(folder)
    project = open_project(folder)
    labels = project.labels()
    assert (project.name, project.scorer) == ("openfield", "Pranav")
    assert labels.positions.shape == (116, 1, 4, 2)
    assert project.videos == {"m3v1mp4": "videos/m3v1mp4.mp4"}
    assert project.crops == {}
    assert storage.exists(project.video_url("m3v1mp4"))
    assert all(storage.exists(project.image_url(frame)) for frame in labels.frames)
    assert all_files(folder) == before


# Lightning Pose ------------------------------------------------------------------------------


def test_the_real_mirror_mouse_folder_is_opened_as_it_is(shared_data):
    folder = shared_data / "mirror-mouse"
    before = all_files(folder)
    project = open_project(folder)
    labels = project.labels()
    assert (project.kind, project.scorer) == ("lightning-pose", "rick")
    assert labels.positions.shape == (90, 1, 17, 2)
    assert project.videos == {"test_vid": "videos/test_vid.mp4"}
    assert all(storage.exists(project.image_url(frame)) for frame in labels.frames)
    assert all_files(folder) == before


def test_labels_go_back_into_lightning_poses_file(shared_data, tmp_path):
    shutil.copyfile(
        shared_data / "mirror-mouse" / "CollectedData.csv", tmp_path / "CollectedData.csv"
    )
    project = open_project(tmp_path)
    before = project.labels()
    moved = before.select([0])
    project.save_labels(
        type(moved)(moved.frames, moved.positions + 1, moved.skeleton, scorer=moved.scorer)
    )
    after = open_project(tmp_path).labels()
    assert after.frames == before.frames
    np.testing.assert_array_equal(after.positions[0], before.positions[0] + 1)
    np.testing.assert_array_equal(after.positions[1:], before.positions[1:])
    assert not list(tmp_path.rglob("*.h5"))
    with_pandas = pd.read_csv(tmp_path / "CollectedData.csv", header=[0, 1, 2], index_col=0)
    assert with_pandas.index[0] == "labeled-data/img01.png"


def test_a_damaged_lightning_pose_table_is_reported(tmp_path):
    (tmp_path / "CollectedData.csv").write_text("a,b\n")
    with pytest.raises(LabelError, match="the header has the rows"):
        open_project(tmp_path)


# Read-only folders ---------------------------------------------------------------------------


@pytest.fixture
def read_only():
    """Takes the right to write from a folder and all in it, and gives it back."""
    taken = []

    def take(folder):
        taken.extend((path, path.stat().st_mode) for path in [folder, *folder.rglob("*")])
        for path, mode in taken:
            path.chmod(mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))
        return folder

    yield take
    for path, mode in taken:
        path.chmod(mode)


def test_a_read_only_project_is_opened_and_read(tmp_path, read_only, dlc):
    create_project(tmp_path / "own", keypoints=KEYPOINTS, scorer="ann").save_labels(one_animal())
    write_labels(dlc() / "labeled-data" / "m1", one_animal())
    for folder in (tmp_path / "own", dlc()):
        before = all_files(folder)
        project = open_project(read_only(folder))
        assert len(project.labels()) == 2
        assert all_files(folder) == before


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root writes anywhere")
def test_saving_into_a_read_only_project_says_why_it_fails(tmp_path, read_only):
    project = create_project(tmp_path / "own", keypoints=KEYPOINTS, scorer="ann")
    read_only(tmp_path / "own")
    with pytest.raises(OSError, match="Ask its owner"):
        project.save_labels(one_animal())
