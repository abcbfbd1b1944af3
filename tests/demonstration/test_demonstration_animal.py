"""The made mouse: where it is said to be, it is seen."""

import numpy as np
import pytest

from posenb.demonstration import animal
from posenb.demonstration.animal import SIZE, SKELETON, draw_frames, true_poses, walk

COUNT = 60


@pytest.fixture(scope="module")
def motion():
    return walk(COUNT, seed=0)


@pytest.fixture(scope="module")
def positions(motion):
    return true_poses(motion, fps=30.0).positions[:, 0]


@pytest.fixture(scope="module")
def frames(motion):
    return np.stack(list(draw_frames(motion, seed=0)))


def test_the_same_seed_makes_the_same_walk_and_the_same_frames(motion, frames):
    again = walk(COUNT, seed=0)
    np.testing.assert_array_equal(again.centre, motion.centre)
    np.testing.assert_array_equal(next(iter(draw_frames(again, seed=0))), frames[0])


def test_another_seed_makes_another_walk(motion):
    assert np.abs(walk(COUNT, seed=1).centre - motion.centre).max() > 10


def test_frames_are_pictures_of_one_size(frames):
    assert frames.shape == (COUNT, SIZE[1], SIZE[0], 3)
    assert frames.dtype == np.uint8


@pytest.mark.parametrize("seed", range(20))
def test_the_whole_mouse_stays_in_the_picture(seed):
    points = true_poses(walk(180, seed), fps=30.0).positions
    assert np.isfinite(points).all()
    assert points.min() > 2
    assert (points.max(axis=(0, 1, 2)) < np.array(SIZE) - 3).all()


@pytest.mark.parametrize("seed", range(5))
def test_no_keypoint_jumps(seed):
    points = true_poses(walk(180, seed), fps=30.0).positions
    assert np.linalg.norm(np.diff(points, axis=0), axis=-1).max() < 15


def test_the_mouse_gets_around(positions):
    assert np.ptp(positions[:, SKELETON.index("centre")], axis=0).max() > 40


def test_the_body_keeps_its_lengths(positions):
    def distance(a: str, b: str) -> np.ndarray:
        return np.linalg.norm(
            positions[:, SKELETON.index(a)] - positions[:, SKELETON.index(b)], axis=-1
        )

    for a, b in (("snout", "centre"), ("leftear", "centre"), ("centre", "tailbase")):
        assert np.ptp(distance(a, b)) < 1e-9
    assert distance("tailbase", "tailtip").max() <= animal._TAIL + 1e-9


def test_the_tail_bends_at_a_wall_instead_of_leaving(motion):
    points = true_poses(walk(180, seed=3), fps=30.0).positions
    assert points.min() >= animal._WALL


def mean_colour(frames: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Mean colour of the pixels that are nearest to the points, one a frame."""
    x, y = np.round(points).astype(int).T
    return frames[np.arange(len(frames)), y, x].mean(axis=0)


@pytest.mark.parametrize("name", ["leftear", "rightear"])
def test_an_ear_is_seen_where_it_is_said_to_be(frames, positions, name):
    colour = mean_colour(frames, positions[:, SKELETON.index(name)])
    np.testing.assert_allclose(colour, animal._SKIN, atol=4)


def test_the_mouse_is_dark_where_its_middle_is_said_to_be(frames, positions):
    colour = mean_colour(frames, positions[:, SKELETON.index("centre")])
    assert colour.max() < 110


def test_a_disc_is_painted_to_a_fraction_of_a_pixel():
    image = np.zeros((40, 50, 3))
    centre = np.array([20.3, 15.8])
    animal._stroke(image, centre, centre, (5.0, 5.0), np.full(3, 100.0))
    y, x = np.mgrid[:40, :50]
    weight = image[..., 0]
    found = np.array([(x * weight).sum(), (y * weight).sum()]) / weight.sum()
    np.testing.assert_allclose(found, centre, atol=0.02)


def test_a_stroke_at_the_edge_is_cut_off():
    image = np.zeros((20, 20, 3))
    animal._stroke(image, np.array([-3.0, 5.0]), np.array([3.0, 5.0]), (2.0, 2.0), np.ones(3))
    assert image[5, 0].all()
    assert not image[5, 10:].any()


def test_left_is_left_of_where_the_mouse_looks(positions):
    forward = positions[:, SKELETON.index("snout")] - positions[:, SKELETON.index("centre")]
    ear = positions[:, SKELETON.index("leftear")] - positions[:, SKELETON.index("centre")]
    # y points down, so what lies to the left is reached by turning against the x-y sense
    assert (forward[:, 0] * ear[:, 1] - forward[:, 1] * ear[:, 0] < 0).all()


def test_truth_is_sure_of_itself(motion):
    truth = true_poses(motion, fps=30.0)
    assert (truth.likelihoods == 1).all()
    assert truth.times[-1] == pytest.approx((COUNT - 1) / 30)
