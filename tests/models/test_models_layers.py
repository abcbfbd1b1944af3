"""Layers between frames and network, and between maps and poses."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from posenb.models import (
    OFFSET_SCALE,
    DecodePeaks,
    Normalise,
    PadToMultiple,
    Resize,
    ToSource,
    cell_centres,
    scoremap_targets,
)

RNG = np.random.default_rng(0)


def numpy_of(tensor: object) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))


def logit(score: np.ndarray) -> np.ndarray:
    safe = np.clip(score, 1e-6, 1 - 1e-6)
    return np.log(safe / (1 - safe))


def perfect_maps(
    keypoints: np.ndarray, height: int, width: int, stride: int, radius: float = 12.0
) -> tuple[np.ndarray, np.ndarray]:
    """Scoremap logits and offsets that a perfect network would return."""
    present = np.ones(keypoints.shape[:2], np.float32)
    centres = cell_centres(height, width, stride)
    scores, offsets = scoremap_targets(keypoints.astype(np.float32), present, centres, radius)
    flat = numpy_of(offsets).reshape(len(keypoints), height, width, -1)
    return logit(numpy_of(scores)).astype(np.float32), flat


# Resize


@pytest.mark.parametrize(("height", "width", "whole"), [(12, 20, 2), (12, 24, 4), (9, 15, 3)])
def test_shrinking_by_a_whole_number_averages_blocks(height: int, width: int, whole: int) -> None:
    frames = RNG.integers(0, 256, (2, height, width, 3), np.uint8)
    found = numpy_of(Resize(1 / whole)(frames))
    blocks = frames.reshape(2, height // whole, whole, width // whole, whole, 3)
    np.testing.assert_allclose(found, blocks.mean(axis=(2, 4)), atol=1e-3)


@pytest.mark.parametrize(("height", "width", "whole"), [(12, 20, 2), (24, 12, 4), (9, 15, 3)])
def test_the_product_form_equals_average_pooling(height: int, width: int, whole: int) -> None:
    frames = RNG.integers(0, 256, (2, height, width, 3), np.uint8)
    unknown = keras.Input((None, None, 3), dtype="uint8")
    dynamic = keras.Model(unknown, Resize(1 / whole)(unknown))
    pooled = numpy_of(ops.average_pool(frames.astype(np.float32), whole, strides=whole))
    np.testing.assert_allclose(dynamic.predict_on_batch(frames), pooled, atol=1e-3)
    layer = Resize(1 / whole)
    down, across = layer._weights(height, height // whole), layer._weights(width, width // whole)
    product = np.einsum("ih,bhwc,jw->bijc", numpy_of(down), frames.astype(np.float32), across)
    np.testing.assert_allclose(product, pooled, atol=1e-3)


@given(
    length=st.integers(1, 400),
    scale=st.floats(0.05, 3.0, allow_nan=False),
)
@settings(max_examples=60, deadline=None)
def test_every_scaled_pixel_is_an_average_of_old_ones(length: int, scale: float) -> None:
    layer = Resize(scale)
    new_length = layer.compute_output_shape((1, length, length, 3))[1]
    shares = numpy_of(layer._weights(length, new_length))
    assert shares.shape == (new_length, length)
    assert (shares >= 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("scale", [0.37, 0.5, 1.0, 1.5])
@pytest.mark.parametrize("side", [51, 64])
def test_a_straight_ramp_stays_straight_under_the_pixel_convention(scale: float, side: int) -> None:
    x = np.arange(side, dtype=np.float32)
    frames = np.broadcast_to(x[None, None, :, None], (1, 8, side, 3))
    found = numpy_of(Resize(scale)(frames))[0, 0, :, 0]
    true_scale = len(found) / side
    expected = (np.arange(len(found)) + 0.5) / true_scale - 0.5
    # Pixels cut in two by an average, and the border repeated when enlarging, shift it a little.
    exact = scale >= 1 or side * scale == round(side * scale)
    np.testing.assert_allclose(found, np.clip(expected, 0, side - 1), atol=2e-3 if exact else 0.1)


def test_scale_one_leaves_pixels_as_they_are() -> None:
    frames = RNG.integers(0, 256, (1, 7, 5, 3), np.uint8)
    np.testing.assert_array_equal(numpy_of(Resize(1)(frames)), frames.astype(np.float32))


def test_a_tiny_frame_keeps_at_least_one_pixel() -> None:
    assert numpy_of(Resize(0.1)(np.zeros((1, 3, 2, 3), np.uint8))).shape == (1, 1, 1, 3)


@pytest.mark.parametrize("scale", [0.125, 0.37, 0.5, 1.0, 1.5])
@pytest.mark.parametrize(("height", "width"), [(33, 47), (64, 32)])
def test_known_and_unknown_sizes_resize_alike(scale: float, height: int, width: int) -> None:
    frames = RNG.integers(0, 256, (1, height, width, 3), np.uint8)
    unknown = keras.Input((None, None, 3), dtype="uint8")
    dynamic = keras.Model(unknown, Resize(scale)(unknown))
    known = numpy_of(Resize(scale)(frames))
    assert known.shape == Resize(scale).compute_output_shape(frames.shape)
    np.testing.assert_allclose(dynamic.predict_on_batch(frames), known, atol=1e-3)


# Normalise


def test_pixels_are_scaled_shifted_and_reversed_by_channel() -> None:
    frames = RNG.integers(0, 256, (1, 4, 6, 3), np.uint8)
    layer = Normalise([0.5, 1.0, 2.0], [1.0, 0.0, -1.0], reverse=True)
    expected = frames[..., ::-1] * np.array([0.5, 1, 2]) + np.array([1.0, 0, -1])
    np.testing.assert_allclose(numpy_of(layer(frames)), expected, rtol=1e-6)


def test_normalising_in_half_precision_scales_before_rounding() -> None:
    frames = np.full((1, 1, 1, 3), 255, np.uint8)
    layer = Normalise([1 / 127.5] * 3, [-1.0] * 3, dtype="mixed_bfloat16")
    found = layer(frames)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    np.testing.assert_allclose(numpy_of(ops.cast(found, "float32")), 1.0, atol=1e-2)


# PadToMultiple


@pytest.mark.parametrize(("height", "width"), [(1, 1), (31, 33), (32, 64), (65, 95)])
def test_padding_adds_zeros_at_the_right_and_the_bottom_only(height: int, width: int) -> None:
    frames = RNG.normal(size=(2, height, width, 3)).astype(np.float32)
    unknown = keras.Input((None, None, 3))
    dynamic = keras.Model(unknown, PadToMultiple(32)(unknown))
    for found in (numpy_of(PadToMultiple(32)(frames)), dynamic.predict_on_batch(frames)):
        assert found.shape[1] % 32 == found.shape[2] % 32 == 0
        assert found.shape[1] - height < 32
        assert found.shape[2] - width < 32
        np.testing.assert_array_equal(found[:, :height, :width], frames)
        assert not found[:, height:].any()
        assert not found[:, :, width:].any()


# DecodePeaks


@pytest.mark.parametrize("stride", [4, 8])
def test_a_peak_lands_on_the_centre_of_its_cell(stride: int) -> None:
    logits = np.full((1, 6, 9, 1), -20.0, np.float32)
    logits[0, 2, 5, 0] = 5.0
    offsets = np.zeros((1, 6, 9, 2), np.float32)
    x, y, score = numpy_of(DecodePeaks(stride)(logits, offsets))[0, 0]
    assert x == pytest.approx(5 * stride + (stride - 1) / 2, abs=1e-3)
    assert y == pytest.approx(2 * stride + (stride - 1) / 2, abs=1e-3)
    assert score == pytest.approx(1 / (1 + np.exp(-5)), abs=1e-5)


def test_location_refinement_moves_the_peak_in_its_own_unit() -> None:
    logits = np.full((1, 4, 4, 2), -20.0, np.float32)
    logits[0, 1, 1, :] = 5.0
    offsets = np.zeros((1, 4, 4, 4), np.float32)
    offsets[..., 0], offsets[..., 1] = 0.5, -0.25  # x and y of the first keypoint
    first, second = numpy_of(DecodePeaks(4)(logits, offsets))[0]
    np.testing.assert_allclose(
        first[:2], [5.5 + OFFSET_SCALE * 0.5, 5.5 - OFFSET_SCALE * 0.25], atol=1e-3
    )
    np.testing.assert_allclose(second[:2], [5.5, 5.5], atol=1e-3)


@given(
    x=st.floats(-0.5, 63.5),
    y=st.floats(-0.5, 47.5),
    stride=st.sampled_from([4, 8]),
)
@settings(max_examples=20, deadline=None)
def test_perfect_maps_decode_to_the_sub_pixel_position_anywhere(
    x: float, y: float, stride: int
) -> None:
    logits, offsets = perfect_maps(np.array([[[x, y]]]), 48 // stride, 64 // stride, stride)
    found = numpy_of(DecodePeaks(stride)(logits, offsets))[0, 0]
    np.testing.assert_allclose(found[:2], [x, y], atol=2e-3)
    assert found[2] > 0.5


def test_each_keypoint_of_each_frame_is_decoded_on_its_own() -> None:
    keypoints = RNG.uniform(0, 60, (3, 5, 2))
    logits, offsets = perfect_maps(keypoints, 16, 16, 4)
    found = numpy_of(DecodePeaks(4)(logits, offsets))
    assert found.shape == (3, 5, 3)
    np.testing.assert_allclose(found[..., :2], keypoints, atol=2e-3)


@pytest.mark.parametrize("floor", [-30.0, -90.0, -200.0])
def test_even_a_hopeless_score_has_a_position_near_its_peak(floor: float) -> None:
    logits = np.full((1, 8, 8, 1), floor - 5, np.float32)
    logits[0, 6, 3, 0] = floor
    found = numpy_of(DecodePeaks(4)(logits, np.zeros((1, 8, 8, 2), np.float32)))[0, 0]
    np.testing.assert_allclose(found[:2], [3 * 4 + 1.5, 6 * 4 + 1.5], atol=0.5)
    assert found[2] < 1e-9


def test_flat_maps_decode_to_finite_numbers_inside_the_image() -> None:
    found = numpy_of(DecodePeaks(4)(np.zeros((1, 3, 3, 1)), np.zeros((1, 3, 3, 2))))
    assert np.isfinite(found).all()
    assert (found[..., :2] >= 0).all()
    assert (found[..., :2] <= 12).all()


# ToSource


@pytest.mark.parametrize("scale", [0.37, 0.5, 1.0, 1.5])
@pytest.mark.parametrize(("height", "width"), [(64, 96), (63, 97), (101, 55)])
def test_to_source_undoes_resize_for_every_size(scale: float, height: int, width: int) -> None:
    frames = np.zeros((1, height, width, 3), np.uint8)
    scaled = numpy_of(Resize(scale)(frames)).shape
    wanted = np.array([[0.0, 0.0], [width - 1, height - 1], [17.25, 31.5]])
    true_scale = np.array([scaled[2] / width, scaled[1] / height])
    poses = np.concatenate([(wanted + 0.5) * true_scale - 0.5, np.full((3, 1), 0.7)], axis=1)
    found = numpy_of(ToSource(scale)(poses[None].astype(np.float32), frames))[0]
    np.testing.assert_allclose(found[:, :2], wanted, atol=1e-3)
    np.testing.assert_allclose(found[:, 2], 0.7, rtol=1e-6)


def test_positions_in_the_padding_come_back_inside_the_image() -> None:
    frames = np.zeros((1, 20, 30, 3), np.uint8)
    poses = np.array([[[500.0, -40.0, 0.1]]], np.float32)
    np.testing.assert_allclose(numpy_of(ToSource(1)(poses, frames))[0, 0, :2], [29.5, -0.5])


# All layers


@pytest.mark.parametrize(
    "layer",
    [
        Resize(0.3),
        Normalise([1.0, 2.0, 3.0], [0.0, 1.0, 2.0], True),
        PadToMultiple(64),
        DecodePeaks(8, reach=2),
        ToSource(0.3),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_layer_is_rebuilt_from_its_config(layer: keras.layers.Layer) -> None:
    config = layer.get_config()
    assert type(layer).from_config(config).get_config() == config
    registered = keras.saving.get_registered_name(type(layer))
    assert registered == f"posenb>{type(layer).__name__}"
