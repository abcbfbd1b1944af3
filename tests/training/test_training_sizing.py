"""How large the network sees the animals, whatever the constants are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.core import FrameName, Labels, Skeleton, TrainConfig
from posenb.training.sizing import (
    body_length,
    choose_radius,
    choose_scale,
    choose_window,
    keypoint_spacing,
)


def labels_of(positions: np.ndarray) -> Labels:
    frames = tuple(FrameName("clip", f"{i}.png") for i in range(len(positions)))
    names = tuple(f"k{i}" for i in range(positions.shape[1]))
    return Labels(frames, positions[:, None], Skeleton(names))


def animals(length: float, count: int = 9) -> Labels:
    """Three keypoints in a line, `length` pixels from first to last."""
    start = np.random.default_rng(0).uniform(0, 500, (count, 1, 2))
    step = np.array([[0.0, 0.0], [0.3, 0.4], [0.6, 0.8]]) * length
    return labels_of(start + step)


def test_the_length_of_an_animal_is_the_diagonal_of_its_box() -> None:
    assert body_length(animals(80)) == pytest.approx(80)
    assert keypoint_spacing(animals(80)) == pytest.approx(40)


def test_missing_keypoints_do_not_count() -> None:
    positions = np.array(animals(80).positions[:, 0])
    positions[0, 1:] = np.nan  # one keypoint left: no length
    positions[1, 1] = np.nan  # the ends are left: the same length
    assert body_length(labels_of(positions)) == pytest.approx(80)
    assert np.isfinite(keypoint_spacing(labels_of(positions)))


def test_what_cannot_be_measured_is_nan() -> None:
    lonely = labels_of(np.full((3, 1, 2), 5.0))
    assert math.isnan(body_length(lonely))
    assert math.isnan(keypoint_spacing(lonely))


def test_animals_that_cannot_be_measured_are_seen_in_their_own_size() -> None:
    assert choose_scale(labels_of(np.full((3, 1, 2), 5.0)), TrainConfig()) == 1.0


def test_keypoints_that_lie_in_one_place_are_seen_in_their_own_size() -> None:
    assert choose_scale(labels_of(np.full((3, 2, 2), 5.0)), TrainConfig()) == 1.0
    pairs = np.array(animals(500).positions[:, 0]).repeat(2, axis=1)  # each keypoint twice
    assert choose_scale(labels_of(pairs), TrainConfig()) == 1.0


@given(st.floats(2, 5000))
def test_frames_are_never_enlarged_and_never_shrunk_to_nothing(length: float) -> None:
    assert 0.1 <= choose_scale(animals(length), TrainConfig()) <= 1


@given(st.floats(2, 2000), st.floats(1.1, 5))
def test_larger_animals_are_never_seen_larger(length: float, more: float) -> None:
    config = TrainConfig()
    assert choose_scale(animals(length * more), config) <= choose_scale(animals(length), config)


@given(st.floats(2, 2000), st.floats(0.1, 1))
def test_a_window_is_a_multiple_of_32_that_a_network_can_take(length: float, scale: float) -> None:
    window = choose_window(animals(length), scale, TrainConfig())
    assert window % 32 == 0
    assert window >= 64


def test_a_window_shows_a_whole_animal_of_the_usual_size() -> None:
    labels, config = animals(90), TrainConfig()
    scale = choose_scale(labels, config)
    assert choose_window(labels, scale, config) >= 90 * scale


def test_what_the_config_says_counts() -> None:
    config = TrainConfig(scale=0.37, window=96)
    assert choose_scale(animals(500), config) == 0.37
    assert choose_window(animals(500), 0.37, config) == 96


def test_targets_of_large_animals_reach_as_far_as_the_fields_do() -> None:
    assert choose_radius(animals(120), 1.0, TrainConfig()) == 17
    assert choose_radius(animals(240), 0.5, TrainConfig()) == 17


def test_targets_of_small_animals_leave_its_other_keypoints_alone() -> None:
    radius = choose_radius(animals(40), 1.0, TrainConfig())
    assert 4 <= radius < keypoint_spacing(animals(40)) / 2


def test_a_target_never_shrinks_to_nothing_and_needs_no_animal_to_be_measured() -> None:
    assert choose_radius(animals(2), 1.0, TrainConfig()) == 4
    assert choose_radius(labels_of(np.full((3, 1, 2), 5.0)), 1.0, TrainConfig()) == 17


def test_a_given_radius_is_taken_as_it_is() -> None:
    assert choose_radius(animals(40), 1.0, TrainConfig(radius=12)) == 12
