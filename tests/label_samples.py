"""Small labels and poses that the tests of several rooms share."""

import numpy as np

from posenb.core import FrameName, Labels, Poses, Skeleton

MOUSE = Skeleton.from_names(["snout", "left ear", "tail"], [("snout", "tail")])
SCENE = Skeleton.from_names(["snout", "tail", "corner"], [("snout", "tail")], ["corner"])


def one_animal(*images, video="m1", start=0.0, skeleton=MOUSE, scorer="ann"):
    """Labels whose positions count upwards from `start`."""
    frames = tuple(FrameName(video, image) for image in images or ("img1.png", "img2.png"))
    shape = (len(frames), 1, len(skeleton), 2)
    positions = start + np.arange(np.prod(shape)).reshape(shape) / 4
    return Labels(frames, positions, skeleton, scorer=scorer)


def two_animals(*images, video="m1", start=0.0):
    """Labels of two animals and the corner of a box."""
    frames = tuple(FrameName(video, image) for image in images or ("img1.png", "img2.png"))
    shape = (len(frames), 2, len(SCENE), 2)
    positions = start + np.arange(np.prod(shape)).reshape(shape) / 4
    positions[:, 1, 2] = np.nan
    return Labels(frames, positions, SCENE, ("rat 1", "rat 2"), scorer="ann")


def changed(labels, cells):
    """`labels` with some keypoints set: ``{(n, i, k): (visibility, x, y)}``."""
    positions, visibility = labels.positions.copy(), labels.visibility.copy()
    for cell, (seen, *point) in cells.items():
        positions[cell] = point or (np.nan, np.nan)
        visibility[cell] = seen
    return Labels(
        labels.frames, positions, labels.skeleton, labels.individuals, visibility, labels.scorer
    )


def poses(count=5, individuals=("",), skeleton=MOUSE, seed=0, scorer="DLC_net"):
    """Poses with some keypoints that were not found."""
    random = np.random.default_rng(seed)
    positions = random.uniform(0, 500, (count, len(individuals), len(skeleton), 2))
    positions[random.random(positions.shape[:-1]) < 0.2] = np.nan
    likelihoods = random.random(positions.shape[:-1])
    for name in skeleton.unique:
        positions[:, 1:, skeleton.index(name)] = np.nan
        likelihoods[:, 1:, skeleton.index(name)] = np.nan
    return Poses(positions, likelihoods, skeleton, individuals=individuals, scorer=scorer)


def assert_same_labels(found, expected):
    """Fail unless all that a table can hold is the same."""
    assert found.frames == expected.frames
    assert found.skeleton.keypoints == expected.skeleton.keypoints
    assert found.skeleton.unique == expected.skeleton.unique
    assert found.individuals == expected.individuals
    assert found.scorer == expected.scorer
    np.testing.assert_array_equal(found.positions, expected.positions)
    np.testing.assert_array_equal(found.visibility, expected.visibility)


def assert_same_poses(found, expected):
    """Fail unless all that a table can hold is the same."""
    np.testing.assert_array_equal(found.positions, expected.positions)
    np.testing.assert_array_equal(found.likelihoods, expected.likelihoods)
    np.testing.assert_array_equal(found.frames, expected.frames)
    assert found.skeleton.keypoints == expected.skeleton.keypoints
    assert found.skeleton.unique == expected.skeleton.unique
    assert found.individuals == expected.individuals
    assert found.scorer == expected.scorer
