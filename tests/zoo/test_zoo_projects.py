"""A project that begins with a model of the zoo: its keypoints, and its eyes for labelling."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from zoo_models import EDGES, KEYPOINTS, spot_at, spot_picture

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import FrameName
from posenb.errors import InvalidInputError, ProjectError, UnknownNameError
from posenb.project import create_project as create_plain
from posenb.project import open_project
from posenb.widgets.label_opening import open_labels
from posenb.zoo import create_project, suggest

NUMBERS = (2, 11, 7, 40)


def write_frames(project, video, numbers=NUMBERS, cut=(0, 0)):
    """Write pictures of the spot into the project, cut at left and top."""
    left, top = cut
    for number in numbers:
        with storage.writing(project.image_url(FrameName(video, f"img{number:03d}.png"))) as path:
            Image.fromarray(spot_picture(number)[top:, left:]).save(path, format="png")
    return project


def looked(project, published, **options):
    options = {"size": 1.0, "progress": silent_progress, **options}
    return suggest(project, published / "spots", **options)


# The project


def test_a_project_has_keypoints_and_lines_of_the_model(published, tmp_path):
    project = create_project(tmp_path / "mine", published / "spots", scorer="anna", name="task")
    assert project.skeleton.keypoints == KEYPOINTS
    assert project.skeleton.edges == EDGES
    assert (project.scorer, project.name) == ("anna", "task")
    assert open_project(tmp_path / "mine") == project


def test_made_again_it_is_opened_and_another_one_is_refused(published, tmp_path):
    project = create_project(tmp_path / "mine", published / "spots")
    assert create_project(tmp_path / "mine", published / "spots") == project
    with pytest.raises(ProjectError, match="made with other facts"):
        create_project(tmp_path / "mine", published / "spots", keypoints=["snout"])


def test_keypoints_may_be_left_out_added_and_written_differently(published, tmp_path):
    names = ["Tail", "whisker", "Ear"]
    project = create_project(tmp_path / "mine", published / "spots", keypoints=names)
    assert project.skeleton.keypoints == tuple(names)
    assert project.skeleton.edge_names == (("Ear", "Tail"),)


def test_an_unknown_model_is_named_before_anything_is_written(tmp_path):
    with pytest.raises(UnknownNameError, match="mouse_openfield"):
        create_project(tmp_path / "mine", "mouse_openfeld")
    assert not (tmp_path / "mine").exists()


# What the model sees in frames to label


@pytest.fixture
def project(published, tmp_path):
    return write_frames(create_project(tmp_path / "mine", published / "spots"), "clip")


def test_the_labeller_begins_with_what_the_model_sees(project, published):
    state = open_labels(project, predictions=looked(project, published))
    for n, frame in enumerate(state.frames):
        seen = state.suggestions[n].positions[0]
        np.testing.assert_allclose(seen, [spot_at(frame.number)] * len(KEYPOINTS), atol=0.6)
    assert not project.has_labels()  # a suggestion is no label


def test_frames_are_in_the_order_of_the_video_with_their_likelihoods(project, published):
    poses = looked(project, published)["clip"]
    assert poses.frames.tolist() == sorted(NUMBERS)
    assert (poses.likelihoods > 0.9).all()
    assert poses.scorer == "posenb_spots"


def test_positions_are_those_of_the_whole_video_where_images_are_cut_out(project, published):
    cut = replace(project, crops={"cut": (8, 96, 4, 64)})
    write_frames(cut, "cut", cut=(8, 4))
    poses = looked(cut, published)["cut"]
    wanted = [spot_at(number) for number in sorted(NUMBERS)]
    np.testing.assert_allclose(poses.positions[:, 0, 0], wanted, atol=0.6)


def test_images_of_several_sizes_are_looked_at_one_size_at_a_time(project, published):
    write_frames(project, "clip", (12, 13), cut=(4, 0))
    poses = looked(project, published)["clip"]
    for row, number in enumerate(poses.frames):
        left = 4 if number in (12, 13) else 0
        wanted = np.subtract(spot_at(int(number)), (left, 0))
        np.testing.assert_allclose(poses.positions[row, 0, 0], wanted, atol=0.6)


def test_keypoints_come_under_the_names_of_the_project(published, tmp_path):
    names = ("nose", "whisker", "Ear")
    project = write_frames(create_plain(tmp_path / "mine", keypoints=names), "clip")
    poses = looked(project, published, keypoints={"nose": "snout"})["clip"]
    assert poses.skeleton.keypoints == ("nose", "Ear")
    told = poses.provenance["zoo"]
    assert told == {"model": "spots", "keypoints": {"nose": "snout", "Ear": "ear"}}
    json.dumps(told)


def test_some_videos_may_be_chosen_and_must_have_frames(project, published):
    write_frames(project, "other")
    assert looked(project, published, videos=["other"]).keys() == {"other"}
    assert looked(project, published).keys() == {"clip", "other"}
    with pytest.raises(UnknownNameError, match="Did you mean 'clip'"):
        looked(project, published, videos=["clap"])


def test_images_that_tell_no_frame_have_no_suggestion(project, published):
    storage.copy(
        project.image_url(FrameName("clip", "img002.png")),
        project.image_url(FrameName("photos", "anna.png")),
    )
    assert "photos" not in looked(project, published)


def test_the_size_is_found_for_each_video(project, published, monkeypatch):
    from importlib import import_module

    module = import_module("posenb.zoo.projects")
    measured = []

    def measure(file, frames, *rest):
        measured.append(frames.shape)
        return module_measure(file, frames, *rest)

    module_measure = module.measure
    monkeypatch.setattr(module, "measure", measure)
    write_frames(project, "long", range(20))
    looked(project, published, size=None)
    assert measured == [(4, 64, 96, 3), (8, 64, 96, 3)]


def test_a_project_without_a_common_keypoint_is_refused(published, tmp_path):
    project = write_frames(create_plain(tmp_path / "mine", keypoints=["whisker"]), "clip")
    with pytest.raises(InvalidInputError, match="knows none of whisker, but snout, ear, tail"):
        looked(project, published)


def test_a_project_of_several_animals_is_refused(published, tmp_path):
    project = create_plain(tmp_path / "two", keypoints=KEYPOINTS, individuals=["a", "b"])
    with pytest.raises(InvalidInputError, match="sees one animal; the project has 2: a, b"):
        looked(project, published)
