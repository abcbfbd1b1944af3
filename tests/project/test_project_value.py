import dataclasses

import numpy as np
import pytest
from label_samples import MOUSE, SCENE, assert_same_labels, changed, one_animal, two_animals

from posenb.core import FrameName, Labels, Skeleton
from posenb.errors import LabelError, UnknownNameError
from posenb.labels import join_labels, write_labels
from posenb.project import Project, create_project

KEYPOINTS = ["snout", "left ear", "tail"]


@pytest.fixture
def project(tmp_path):
    return create_project(
        tmp_path / "reach", keypoints=KEYPOINTS, skeleton=[("snout", "tail")], scorer="ann"
    )


def both_videos(start=0.0):
    return join_labels([one_animal(video="m1", start=start), one_animal(video="m2", start=start)])


def test_everything_has_its_place_below_the_project():
    project = Project("gs://lab/reach", "posenb", "reach", "ann", MOUSE)
    assert project.runs_url == "gs://lab/reach/runs"
    assert project.poses_url("m1", "run 1") == "gs://lab/reach/poses/m1/run 1"
    assert project.image_url(FrameName("m1", "i.png")) == "gs://lab/reach/labeled-data/m1/i.png"
    assert project.image_url(FrameName("", "i.png")) == "gs://lab/reach/labeled-data/i.png"
    assert project.labels_url("m1") == "gs://lab/reach/labeled-data/m1/CollectedData_ann"


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("videos/m1.mp4", "gs://lab/reach/videos/m1.mp4"),
        ("gs://raw/m1.mp4", "gs://raw/m1.mp4"),
        ("https://lab.org/m1.mp4", "https://lab.org/m1.mp4"),
        ("/data/m1.mp4", "/data/m1.mp4"),
        ("C:\\data\\m1.mp4", "C:\\data\\m1.mp4"),
    ],
)
def test_a_video_lies_below_the_project_or_where_its_url_says(path, url):
    project = Project("gs://lab/reach", "posenb", "reach", "ann", MOUSE, videos={"m1": path})
    assert project.video_url("m1") == url


def test_an_unknown_video_is_answered_with_the_known_ones(project):
    with pytest.raises(UnknownNameError, match=r"No video 'm1'\. Known: none"):
        project.video_url("m1")


def test_a_project_is_a_value(project):
    assert project == project.reload()
    with pytest.raises(dataclasses.FrozenInstanceError):
        project.name = "other"
    with pytest.raises(TypeError):
        project.videos["m1"] = "m1.mp4"


def test_without_labels_the_error_says_what_to_do(project):
    assert not project.has_labels()
    with pytest.raises(LabelError, match="Extract frames and label them"):
        project.labels()


def test_labels_by_another_scorer_are_pointed_out(project, tmp_path):
    write_labels(tmp_path / "reach" / "labeled-data" / "m1", one_animal(scorer="bob"))
    with pytest.raises(LabelError, match=r"by the project's scorer 'ann' .* labels by bob"):
        project.labels()


def test_labels_of_all_videos_are_saved_and_read_together(project, tmp_path):
    project.save_labels(both_videos())
    labels = project.labels()
    assert_same_labels(labels, both_videos())
    assert labels.skeleton == project.skeleton  # with its edges
    tables = (tmp_path / "reach" / "labeled-data").glob("*/CollectedData_ann.h5")
    assert sorted(path.parent.name for path in tables) == ["m1", "m2"]
    assert project.has_labels()


def test_labels_are_saved_under_the_projects_scorer(project):
    project.save_labels(one_animal(scorer="bob"))
    assert project.labels().scorer == "ann"


def test_labels_are_erased_through_a_base(project):
    project.save_labels(both_videos())
    fewer = changed(both_videos(), {(0, 0, 0): (0,), (3, 0, 2): (0,)})
    project.save_labels(fewer)
    assert_same_labels(project.labels(), both_videos())
    project.save_labels(fewer, base=both_videos())
    assert_same_labels(project.labels(), fewer)


def test_labels_of_several_animals_and_the_scene(tmp_path):
    project = create_project(
        tmp_path,
        keypoints=["snout", "tail"],
        unique_keypoints=["corner"],
        individuals=["rat 1", "rat 2"],
        scorer="ann",
    )
    assert project.skeleton.unique == ("corner",)
    project.save_labels(two_animals())
    assert_same_labels(project.labels(), two_animals())


def test_a_video_labelled_in_part_has_all_keypoints_and_animals(tmp_path):
    project = create_project(
        tmp_path,
        keypoints=SCENE.keypoints,
        unique_keypoints=["corner"],
        individuals=["rat 1", "rat 2", "rat 3"],
        scorer="ann",
    )
    only = Labels((("m1", "i.png"),), np.ones((1, 1, 1, 2)), Skeleton(("tail",)), ("rat 3",))
    project.save_labels(only)
    labels = project.labels()
    assert labels.positions.shape == (1, 3, 3, 2)
    assert np.argwhere(labels.visibility).tolist() == [[0, 2, 1]]


def test_keypoints_and_animals_that_the_project_lacks_are_refused(project):
    strange = Labels((("m1", "i.png"),), np.ones((1, 1, 1, 2)), Skeleton(("paw",)))
    with pytest.raises(LabelError, match="got 'paw' too"):
        project.save_labels(strange)
    with pytest.raises(LabelError, match="'rat 1', 'rat 2' too"):
        project.save_labels(two_animals())
    assert not project.has_labels()


def test_frames_without_a_video_are_refused(project):
    with pytest.raises(LabelError, match="Name it in FrameName"):
        project.save_labels(one_animal(video=""))


def test_a_project_in_the_cloud_works_alike():
    project = create_project("memory://lab/reach-value", keypoints=KEYPOINTS, scorer="ann")
    project.save_labels(both_videos())
    assert_same_labels(project.labels(), both_videos())
