import json

import pandas as pd
import pytest
from label_samples import assert_same_labels, changed, one_animal, two_animals

from posenb.core import Visibility
from posenb.errors import LabelError
from posenb.labels import read_labels, write_labels

MARKED = changed(one_animal(), {(0, 0, 0): (1,), (1, 0, 2): (1, 7.25, 8.5)})


def marks_file(tmp_path):
    return tmp_path / "CollectedData_ann.occluded.json"


def rewrite_elsewhere(tmp_path, image, keypoint, x, y):
    """Change a keypoint as another program would."""
    path = tmp_path / "CollectedData_ann.h5"
    frame = pd.read_hdf(path).sort_index(axis=1)
    frame.loc[("labeled-data", "m1", image), ("ann", keypoint)] = [x, y]
    frame.to_hdf(path, key="df_with_missing", mode="w")


def test_without_occluded_keypoints_there_is_no_file(tmp_path):
    write_labels(tmp_path, one_animal())
    assert not marks_file(tmp_path).exists()


def test_deeplabcut_sees_positions_alone(tmp_path):
    write_labels(tmp_path, MARKED)
    table = pd.read_hdf(tmp_path / "CollectedData_ann.h5").sort_index(axis=1)
    assert table.loc[("labeled-data", "m1", "img1.png"), ("ann", "snout")].isna().all()
    assert table.loc[("labeled-data", "m1", "img2.png"), ("ann", "tail")].tolist() == [7.25, 8.5]


def test_the_file_can_be_read_by_people(tmp_path):
    write_labels(tmp_path, MARKED)
    marks = json.loads(marks_file(tmp_path).read_text())["occluded"]
    assert marks[1] == {
        "video": "m1",
        "image": "img2.png",
        "individual": "",
        "keypoint": "tail",
        "position": [7.25, 8.5],
    }
    assert len(marks_file(tmp_path).read_text().splitlines()) == 4


def test_marks_that_no_longer_hold_vanish_with_the_next_writing(tmp_path):
    write_labels(tmp_path, MARKED)
    write_labels(tmp_path, one_animal())
    assert_same_labels(read_labels(tmp_path), one_animal())


@pytest.mark.parametrize(
    ("image", "keypoint", "cell"),
    [("img1.png", "snout", (0, 0, 0)), ("img2.png", "tail", (1, 0, 2))],
)
def test_a_keypoint_that_another_program_placed_is_visible(tmp_path, image, keypoint, cell):
    write_labels(tmp_path, MARKED)
    rewrite_elsewhere(tmp_path, image, keypoint, 100.0, 200.0)
    found = read_labels(tmp_path)
    assert found.visibility[cell] == Visibility.VISIBLE
    assert (found.visibility == Visibility.OCCLUDED).sum() == 1


def test_a_keypoint_that_another_program_deleted_is_unlabelled(tmp_path):
    write_labels(tmp_path, MARKED)
    rewrite_elsewhere(tmp_path, "img2.png", "tail", float("nan"), float("nan"))
    assert read_labels(tmp_path).visibility[1, 0, 2] == Visibility.UNLABELLED


def test_marks_of_frames_and_animals_that_are_gone_are_passed_over(tmp_path):
    write_labels(tmp_path, changed(two_animals(), {(1, 1, 0): (1,)}))
    kept = marks_file(tmp_path).read_text()
    write_labels(tmp_path, two_animals("img1.png"))
    marks_file(tmp_path).write_text(kept)
    assert_same_labels(read_labels(tmp_path), two_animals("img1.png"))
    marks_file(tmp_path).write_text(kept.replace("rat 2", "rat 9").replace("img2", "img1"))
    assert_same_labels(read_labels(tmp_path), two_animals("img1.png"))


@pytest.mark.parametrize(
    "text", ["", "[]", '{"version": 2, "occluded": []}', '{"version": 1, "occluded": [{"a": 1}]}']
)
def test_a_damaged_or_newer_file_is_refused_rather_than_passed_over(tmp_path, text):
    write_labels(tmp_path, MARKED)
    marks_file(tmp_path).write_text(text)
    with pytest.raises(LabelError, match="Upgrade posenb, or move the file away"):
        read_labels(tmp_path)
