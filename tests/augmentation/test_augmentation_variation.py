"""What is drawn for each window, from labels, config, seed and step."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from posenb.augmentation import (
    Habits,
    Variation,
    draw_variation,
    find_habits,
)
from posenb.core import AugmentationConfig, FrameName, Labels, Skeleton
from posenb.errors import TrainingWarning
from posenb.labels import read_labels

CALM = AugmentationConfig(
    rotation=0,
    zoom=0,
    translation=0,
    flip="none",
    brightness=0,
    contrast=0,
    blur=0,
    noise=0,
    occlusion=0,
)
STILL = Habits(0.0, False)
FREE = Habits(180.0, True)


def labels_with_headings(
    degrees: np.ndarray, keypoints: tuple[str, str] = ("nose", "tail")
) -> Labels:
    """Animals of two keypoints that face the given ways."""
    radians = np.deg2rad(degrees)
    nose = 50 + 20 * np.stack([np.cos(radians), np.sin(radians)], axis=-1)
    positions = np.stack([nose, np.full_like(nose, 50)], axis=1)[:, None]
    frames = tuple(FrameName("clip", f"{i}.png") for i in range(len(degrees)))
    return Labels(frames, positions, Skeleton(keypoints))


def draw(
    seed: object = 0,
    count: int = 64,
    config: AugmentationConfig | None = None,
    habits: Habits = FREE,
    keypoints: np.ndarray | None = None,
    window: int = 64,
) -> Variation:
    rng = np.random.default_rng(5)
    if keypoints is None:
        keypoints = rng.uniform(20, 80, (count, 3, 2))
    sizes = np.tile(np.array([[100, 120]]), (len(keypoints), 1))
    generator = np.random.default_rng(seed)
    return draw_variation(
        keypoints, sizes, window, config or AugmentationConfig(), habits, generator
    )


def to_frame(variation: Variation, points: np.ndarray) -> np.ndarray:
    """Frame positions of window `points` (P, 2), shape (B, P, 2)."""
    linear, shift = variation.matrix[..., :2], variation.matrix[..., 2]
    moved: np.ndarray = np.einsum("bij,pj->bpi", linear, points) + shift[:, None]
    return moved


# Habits


def test_animals_that_face_everywhere_may_be_turned_and_mirrored() -> None:
    habits = find_habits(labels_with_headings(np.arange(0, 360, 10)), AugmentationConfig())
    assert habits == Habits(180.0, True)


def test_animals_that_all_face_one_way_are_hardly_turned_and_not_mirrored() -> None:
    headings = np.random.default_rng(0).normal(90, 3, 40)
    habits = find_habits(labels_with_headings(headings), AugmentationConfig())
    assert habits.rotation < 30
    assert not habits.flip


@pytest.mark.parametrize(("data", "free"), [("openfield", True), ("mirror-mouse", False)])
def test_real_animals_are_seen_as_what_they_are(shared_data: Path, data: str, free: bool) -> None:
    below = "labeled-data/m4s1" if data == "openfield" else "CollectedData.csv"
    habits = find_habits(read_labels(shared_data / data / below), AugmentationConfig())
    assert habits.flip == free
    assert (habits.rotation > 30) == free


def test_what_the_config_says_counts_before_the_habits() -> None:
    everywhere = labels_with_headings(np.arange(0, 360, 10))
    given = find_habits(everywhere, AugmentationConfig(rotation=7.0, flip="none"))
    assert given == Habits(7.0, False)
    upright = labels_with_headings(np.full(9, 90.0))
    assert find_habits(upright, AugmentationConfig(flip="horizontal")).flip


def test_where_a_side_has_no_partner_nothing_is_mirrored_unless_asked_for() -> None:
    labels = labels_with_headings(np.arange(0, 360, 10), ("earL", "tail"))
    assert find_habits(labels, AugmentationConfig()) == Habits(180.0, False)
    with pytest.warns(TrainingWarning, match="earL seem to name a side and have none"):
        assert find_habits(labels, AugmentationConfig(flip="horizontal")).flip
    pair = labels_with_headings(np.arange(0, 360, 10), ("wingL", "wingR"))
    assert find_habits(pair, AugmentationConfig()).flip


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_labels_mean_caution(count: int) -> None:
    habits = find_habits(labels_with_headings(np.zeros(count)), AugmentationConfig())
    assert habits.rotation < 30
    assert not habits.flip


@pytest.mark.filterwarnings("error")
def test_animals_that_face_exactly_one_way_are_hardly_turned() -> None:
    for degrees in range(360):  # of some of them, rounding makes the mean longer than 1
        habits = find_habits(labels_with_headings(np.full(5, float(degrees))), AugmentationConfig())
        assert habits == Habits(15.0, False)


def test_a_single_keypoint_has_no_heading() -> None:
    frames = tuple(FrameName("clip", f"{i}.png") for i in range(5))
    positions = np.random.default_rng(0).uniform(0, 90, (5, 1, 1, 2))
    habits = find_habits(Labels(frames, positions, Skeleton(("dot",))), AugmentationConfig())
    assert not habits.flip


def test_missing_keypoints_do_not_spoil_the_headings() -> None:
    labels = labels_with_headings(np.arange(0, 360, 10))
    positions = np.array(labels.positions)
    positions[::3, 0, 0] = np.nan
    gappy = Labels(labels.frames, positions, labels.skeleton)
    assert find_habits(gappy, AugmentationConfig()) == Habits(180.0, True)


# Draws


def test_the_same_seed_draws_the_same_variation() -> None:
    for one, other in zip(draw([3, 2, 7]), draw([3, 2, 7]), strict=True):
        np.testing.assert_array_equal(one, other)
    assert (draw([3, 2, 7]).matrix != draw([3, 2, 8]).matrix).any()


def test_everything_drawn_is_float32_with_a_row_for_each_window() -> None:
    for array in draw(count=5):
        assert array.dtype == np.float32
        assert len(array) == 5
        assert np.isfinite(array).all()


@given(seed=st.integers(0, 2**32), zoom=st.floats(0, 1), rotation=st.floats(0, 180))
@settings(max_examples=30, deadline=None)
def test_windows_are_turned_and_zoomed_within_bounds_and_never_sheared(
    seed: int, zoom: float, rotation: float
) -> None:
    habits = Habits(rotation, True)
    linear = draw(seed, config=AugmentationConfig(zoom=zoom), habits=habits).matrix[..., :2]
    determinant = np.linalg.det(linear)
    size = np.sqrt(np.abs(determinant))
    assert (size >= 1 / (1 + zoom) - 1e-4).all()
    assert (size <= 1 + zoom + 1e-4).all()
    gram = np.einsum("bij,bik->bjk", linear, linear)
    np.testing.assert_allclose(gram, np.eye(2) * (size**2)[:, None, None], atol=1e-3)
    upright = linear * np.where(determinant < 0, -1, 1)[:, None, None] ** np.array([1, 0])
    angle = np.rad2deg(np.arctan2(upright[:, 1, 0], upright[:, 0, 0]))
    assert (np.abs(angle) <= rotation + 1e-3).all()


def test_mirrored_windows_are_marked_and_are_half_of_them() -> None:
    variation = draw(count=400)
    mirrored = np.linalg.det(variation.matrix[..., :2]) < 0
    np.testing.assert_array_equal(variation.mirrored == 1, mirrored)
    assert 0.35 < mirrored.mean() < 0.65
    assert not draw(habits=Habits(180.0, False)).mirrored.any()


def test_without_translation_most_windows_are_centred_on_their_animal() -> None:
    keypoints = np.random.default_rng(0).uniform(40, 60, (200, 3, 2))
    variation = draw(config=CALM, habits=STILL, keypoints=keypoints)
    centre = to_frame(variation, np.array([[31.5, 31.5]]))[:, 0]
    middle = (keypoints.min(axis=1) + keypoints.max(axis=1)) / 2
    near = np.linalg.norm(centre - middle, axis=1) < 1e-3
    assert near.mean() > 0.5
    assert not near.all()  # some show the background


def test_parts_of_an_animal_larger_than_the_window_take_turns() -> None:
    corners = np.array([[5.0, 5.0], [110.0, 90.0]])
    keypoints = np.tile(corners, (200, 1, 1))
    variation = draw(config=CALM, habits=STILL, keypoints=keypoints)
    centre = to_frame(variation, np.array([[31.5, 31.5]]))[:, 0]
    for corner in corners:
        assert (np.linalg.norm(centre - corner, axis=1) < 1e-3).mean() > 0.2


def test_frames_without_a_keypoint_still_have_windows() -> None:
    variation = draw(keypoints=np.full((9, 2, 2), np.nan))
    centre = to_frame(variation, np.array([[31.5, 31.5]]))[:, 0]
    assert np.isfinite(centre).all()


def test_light_grain_and_blur_stay_within_the_config() -> None:
    config = AugmentationConfig(brightness=0.1, contrast=0.3, noise=4.0, blur=0.5)
    variation = draw(count=500, config=config)
    assert np.abs(variation.gain - 1).max() <= 0.3 + 1e-6
    assert np.abs(variation.shift).max() <= 12.75 + 1e-4
    assert 0 <= variation.noise.min() <= variation.noise.max() <= 4
    assert set(variation.blur.tolist()) == {0.0, 1.0}
    assert 0.4 < variation.blur.mean() < 0.6


@pytest.mark.parametrize("probability", [0.0, 0.5, 1.0])
def test_patches_appear_as_often_as_asked_for(probability: float) -> None:
    patches = draw(count=300, config=AugmentationConfig(occlusion=probability)).patches
    width, height = patches[..., 2] - patches[..., 0], patches[..., 3] - patches[..., 1]
    assert abs(((width > 0) & (height > 0)).mean() - probability) < 0.08
    assert (patches[..., 4] >= 0).all()
    assert (patches[..., 4] <= 255).all()


def test_with_everything_off_only_the_place_of_the_window_varies() -> None:
    variation = draw(config=CALM, habits=STILL)
    np.testing.assert_allclose(
        variation.matrix[..., :2], np.broadcast_to(np.eye(2), (64, 2, 2)), atol=1e-6
    )
    assert (variation.gain == 1).all()
    assert (
        not variation.patches[..., 0].any()
        or (variation.patches[..., 0] == variation.patches[..., 2]).all()
    )
