import numpy as np
import pytest

from posenb.core import FrameName, Labels, Skeleton, Visibility
from posenb.core.labels import check_individuals
from posenb.errors import InvalidInputError

PAIR = Skeleton(("nose", "tail"))
FRAMES = (FrameName("m1", "img1.png"), FrameName("m2", "img1.png"), FrameName("m1", "img2.png"))
NAN = np.nan


def positions(*points):
    return np.array(points, dtype=float).reshape(1, 1, -1, 2)


def test_a_position_makes_a_keypoint_visible_and_none_leaves_it_unlabelled():
    labels = Labels((("v", "i.png"),), positions((1, 2), (NAN, NAN)), PAIR)
    assert labels.visibility.tolist() == [[[Visibility.VISIBLE, Visibility.UNLABELLED]]]


def test_half_a_position_is_none():
    labels = Labels((("v", "i.png"),), positions((1, NAN), (3, 4)), PAIR)
    assert np.isnan(labels.positions[0, 0, 0]).all()
    assert labels.visibility[0, 0, 0] == Visibility.UNLABELLED


def test_an_occluded_keypoint_may_have_a_position_or_none():
    labels = Labels(
        (("v", "i.png"),), positions((1, 2), (NAN, NAN)), PAIR, visibility=np.array([[[1, 1]]])
    )
    assert (labels.visibility == Visibility.OCCLUDED).all()


@pytest.mark.parametrize(
    ("visibility", "message"),
    [
        ([[[2, 2]]], "A visible keypoint has a position"),
        ([[[0, 0]]], "An unlabelled keypoint has no position"),
        ([[[2, 3]]], r"got \[3\]"),
        ([[2, 0]], r"shape \(1, 1, 2\)"),
    ],
)
def test_visibility_that_contradicts_positions_is_refused(visibility, message):
    with pytest.raises(InvalidInputError, match=message):
        Labels((("v", "i"),), positions((1, 2), (NAN, NAN)), PAIR, visibility=visibility)


def test_infinite_positions_are_refused():
    with pytest.raises(InvalidInputError, match="some are infinite"):
        Labels((("v", "i.png"),), positions((1, 2), (np.inf, 4)), PAIR)


def test_shapes_that_disagree_are_refused_with_the_expected_shape():
    with pytest.raises(InvalidInputError, match=r"\(1, 1, 2, 2\); got \(1, 2, 2\)"):
        Labels((("v", "i.png"),), np.zeros((1, 2, 2)), PAIR)


def test_a_frame_appears_once():
    with pytest.raises(InvalidInputError, match="some repeat"):
        Labels((("v", "i.png"), ("v", "i.png")), np.zeros((2, 1, 2, 2)), PAIR)


@pytest.mark.parametrize(
    "frame", [("v", ""), ("v", "a/b.png"), ("v", "a\\b.png"), ("..", "b.png"), ("v\0", "b.png")]
)
def test_frames_are_named_as_files_are(frame):
    with pytest.raises(InvalidInputError):
        Labels((frame,), np.zeros((1, 1, 2, 2)), PAIR)


def test_images_may_lie_without_a_video_folder_or_in_nested_ones():
    labels = Labels((("", "i.png"), ("day1/cam2", "i.png")), np.zeros((2, 1, 2, 2)), PAIR)
    assert labels.videos == ("", "day1/cam2")


@pytest.mark.parametrize("individuals", [(), ("a", "a"), ("a", ""), ("", "")])
def test_animals_have_names_of_their_own(individuals):
    with pytest.raises(InvalidInputError, match="ndividual"):
        check_individuals(individuals)


def test_keypoints_of_the_scene_stand_with_the_first_animal():
    scene = Skeleton(("nose", "corner"), unique=("corner",))
    points = np.zeros((1, 2, 2, 2))
    with pytest.raises(InvalidInputError, match="corner are labelled for others too"):
        Labels((("v", "i.png"),), points, scene, ("a", "b"))
    points[0, 1, 1] = NAN
    assert Labels((("v", "i.png"),), points, scene, ("a", "b")).visibility[0, 1, 1] == 0


def test_arrays_are_copies_that_nobody_can_change():
    given = np.zeros((3, 1, 2, 2))
    labels = Labels(FRAMES, given, PAIR)
    given[:] = 9
    assert (labels.positions == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        labels.positions[0] = 1
    with pytest.raises(ValueError, match="read-only"):
        labels.visibility[0] = 1


def test_videos_stand_in_order_of_appearance():
    assert Labels(FRAMES, np.zeros((3, 1, 2, 2)), PAIR).videos == ("m1", "m2")


def test_selected_frames_keep_all_that_belongs_to_them():
    points = np.arange(12.0).reshape(3, 1, 2, 2)
    visibility = np.array([[[2, 1]], [[2, 2]], [[1, 2]]])
    labels = Labels(FRAMES, points, PAIR, ("rat",), visibility, "ann").select([2, 0])
    assert labels.frames == (FRAMES[2], FRAMES[0])
    assert labels.positions.tolist() == points[[2, 0]].tolist()
    assert labels.visibility.tolist() == visibility[[2, 0]].tolist()
    assert (labels.individuals, labels.scorer) == (("rat",), "ann")


def test_nothing_may_be_selected():
    labels = Labels(FRAMES, np.zeros((3, 1, 2, 2)), PAIR).select([])
    assert len(labels) == 0
    assert labels.positions.shape == (0, 1, 2, 2)


@pytest.mark.parametrize(
    ("image", "number"),
    [("img0012.png", 12), ("img7.jpg", 7), ("12.png", 12), ("a_3_b.png", None), ("img.png", None)],
)
def test_the_name_of_an_image_ends_in_its_frame_of_the_video(image, number):
    assert FrameName("clip", image).number == number
