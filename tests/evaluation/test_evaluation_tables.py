"""The tidy table of every prediction beside its label."""

import numpy as np
import pytest

from posenb.core import FrameName, Labels, Skeleton
from posenb.errors import InvalidInputError
from posenb.evaluation import tabulate_errors

COLUMNS = ["split", "frame", "individual", "keypoint", "x", "y", "label_x", "label_y"]
COLUMNS += ["error", "likelihood", "visibility"]


@pytest.fixture
def labels():
    positions = np.arange(2 * 2 * 3 * 2, dtype=float).reshape(2, 2, 3, 2)
    positions[0, 0, 1] = np.nan
    visibility = np.full((2, 2, 3), 2)
    visibility[0, 0, 1] = 0
    visibility[1, 1, 2] = 1
    frames = (FrameName("clip", "img1.png"), FrameName("", "img2.png"))
    return Labels(frames, positions, Skeleton(("a", "b", "c")), ("m1", "m2"), visibility)


@pytest.fixture
def table(labels):
    predicted = np.nan_to_num(labels.positions) + np.array([3, 4])
    likelihoods = np.linspace(0, 1, 12).reshape(2, 2, 3)
    return tabulate_errors(labels, predicted, likelihoods, ["train", "test"])


def test_there_is_one_row_for_each_frame_individual_and_keypoint(table):
    assert list(table.columns) == COLUMNS
    assert len(table) == 12
    assert not table.duplicated(["frame", "individual", "keypoint"]).any()


def test_rows_run_through_keypoints_first(table):
    assert table["keypoint"].tolist() == ["a", "b", "c"] * 4
    assert table["individual"].tolist() == (["m1"] * 3 + ["m2"] * 3) * 2


def test_frames_are_named_with_their_video_where_they_have_one(table):
    assert table["frame"].unique().tolist() == ["clip/img1.png", "img2.png"]
    assert table["split"].tolist() == ["train"] * 6 + ["test"] * 6


def test_coordinates_stand_with_their_keypoint(table, labels):
    row = table[(table["frame"] == "img2.png") & (table["individual"] == "m2")].iloc[0]
    assert (row["label_x"], row["label_y"]) == tuple(labels.positions[1, 1, 0])
    assert (row["x"], row["y"]) == tuple(labels.positions[1, 1, 0] + np.array([3, 4]))
    assert row["error"] == 5


def test_likelihoods_stand_with_their_keypoint(table):
    np.testing.assert_allclose(table["likelihood"], np.linspace(0, 1, 12))


def test_an_unlabelled_keypoint_has_a_prediction_and_no_error(table):
    row = table.iloc[1]
    assert row["visibility"] == "unlabelled"
    assert (row["x"], row["y"]) == (3, 4)
    assert np.isnan(row["error"])
    assert np.isnan(row["label_x"])


def test_what_people_said_is_kept(table):
    assert table["visibility"].iloc[-1] == "occluded"
    assert (table["visibility"] == "visible").sum() == 10


def test_it_can_be_written_and_read(table, tmp_path):
    import pandas as pd

    table.to_csv(tmp_path / "errors.csv", index=False)
    read = pd.read_csv(tmp_path / "errors.csv")
    pd.testing.assert_frame_equal(read, table, check_dtype=False)


def test_likelihoods_and_parts_must_fit(labels):
    predicted, likelihoods = labels.positions, np.ones((2, 2, 3))
    with pytest.raises(InvalidInputError, match=r"got .* and 1 parts"):
        tabulate_errors(labels, predicted, likelihoods, ["train"])
    with pytest.raises(InvalidInputError, match="Likelihoods have the shape"):
        tabulate_errors(labels, predicted, likelihoods[:1], ["train", "test"])
