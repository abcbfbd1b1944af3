"""Distances between predictions and labels."""

import numpy as np
import pytest

from posenb.errors import InvalidInputError
from posenb.evaluation import pixel_errors, worst_frames


def poses(*points) -> np.ndarray:
    """One frame, one animal."""
    return np.array(points, dtype=float)[None, None]


def test_an_error_is_the_euclidean_distance():
    errors = pixel_errors(poses((3, 4), (10, 10)), poses((0, 0), (10, 10)))
    np.testing.assert_allclose(errors, [[[5, 0]]])


def test_what_is_not_labelled_has_no_error():
    errors = pixel_errors(poses((3, 4)), poses((np.nan, np.nan)))
    assert np.isnan(errors).all()


def test_half_a_label_is_no_label():
    assert np.isnan(pixel_errors(poses((3, 4)), poses((3, np.nan)))).all()


def test_what_was_not_found_is_infinitely_far():
    errors = pixel_errors(poses((np.nan, np.nan)), poses((3, 4)))
    assert np.isposinf(errors).all()


def test_what_is_neither_labelled_nor_found_has_no_error():
    nothing = poses((np.nan, np.nan))
    assert np.isnan(pixel_errors(nothing, nothing)).all()


def test_an_infinite_prediction_counts_as_not_found():
    assert np.isposinf(pixel_errors(poses((np.inf, 0)), poses((3, 4)))).all()


def test_frames_individuals_and_keypoints_stay_apart():
    labelled = np.arange(2 * 3 * 4 * 2, dtype=float).reshape(2, 3, 4, 2)
    predicted = labelled.copy()
    predicted[1, 2, 3] += (0, 7)
    errors = pixel_errors(predicted, labelled)
    assert errors.shape == (2, 3, 4)
    assert np.argwhere(errors).tolist() == [[1, 2, 3]]
    assert errors[1, 2, 3] == 7


def test_arguments_are_left_as_they_are():
    predicted, labelled = poses((1, 2)), poses((np.nan, 2))
    kept = predicted.copy(), labelled.copy()
    pixel_errors(predicted, labelled)
    np.testing.assert_array_equal(predicted, kept[0])
    np.testing.assert_array_equal(labelled, kept[1])


@pytest.mark.parametrize("shape", [(1, 1, 2, 2), (1, 2, 2), (1, 1, 1, 3)])
def test_shapes_must_agree(shape):
    with pytest.raises(InvalidInputError, match=r"\(frames, individuals, keypoints, 2\)"):
        pixel_errors(np.zeros(shape), np.zeros((1, 1, 1, 2)))


def test_three_coordinates_are_refused():
    with pytest.raises(InvalidInputError, match="keypoints, 2"):
        pixel_errors(np.zeros((1, 1, 1, 3)), np.zeros((1, 1, 1, 3)))


# --- the worst frames ----------------------------------------------------------------


def frames(*means) -> np.ndarray:
    return np.array(means, dtype=float)[:, None, None]


def test_the_worst_frame_comes_first():
    assert worst_frames(frames(1, 5, 3), 2).tolist() == [1, 2]


def test_a_frame_is_judged_by_the_mean_of_what_is_labelled():
    errors = np.array([[[9, np.nan]], [[10, 2]]])
    assert worst_frames(errors, 2).tolist() == [0, 1]


def test_frames_without_labels_are_never_the_worst():
    assert worst_frames(frames(np.nan, 1), 5).tolist() == [1]


def test_a_frame_with_a_missed_keypoint_is_worse_than_any_other():
    assert worst_frames(frames(1e9, np.inf), 1).tolist() == [1]


def test_equally_bad_frames_keep_their_order():
    assert worst_frames(frames(2, 2, 2), 3).tolist() == [0, 1, 2]


def test_none_are_asked_for_and_none_given():
    assert worst_frames(frames(1, 2), 0).tolist() == []
    assert worst_frames(np.zeros((0, 1, 1)), 3).tolist() == []
