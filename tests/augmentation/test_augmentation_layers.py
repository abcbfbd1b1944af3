"""Variation applied on the device: pixels and keypoints move together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from scipy.ndimage import affine_transform
from still_variations import still_variation

from posenb.augmentation import Habits, draw_variation
from posenb.augmentation.layers import VaryFrames, vary_keypoints, warp_frames
from posenb.core import AugmentationConfig

RNG = np.random.default_rng(0)


def numpy_of(tensor: object) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))


def warp(frames: np.ndarray, matrix: object, window: int, sizes: object = None) -> np.ndarray:
    if sizes is None:
        sizes = np.tile(np.array([frames.shape[1:3]], np.int32), (len(frames), 1))
    whole = np.broadcast_to(np.asarray(matrix, np.float32), (len(frames), 2, 3))
    return numpy_of(warp_frames(frames, np.asarray(sizes, np.int32), whole, window))


# Pixels


def test_the_identity_leaves_pixels_and_is_grey_outside() -> None:
    frames = RNG.integers(0, 256, (2, 20, 30, 3), np.uint8)
    found = warp(frames, np.eye(2, 3), 40)
    np.testing.assert_array_equal(found[:, :20, :30], frames)
    assert (found[:, 20:] == 127.5).all()
    assert (found[:, :, 30:] == 127.5).all()


def test_a_shift_by_whole_pixels_moves_them() -> None:
    frames = RNG.integers(0, 256, (1, 20, 30, 3), np.uint8)
    found = warp(frames, [[1, 0, 5], [0, 1, 3]], 12)
    np.testing.assert_array_equal(found[0], frames[0, 3:15, 5:17])


def test_a_flip_mirrors_columns() -> None:
    frames = RNG.integers(0, 256, (1, 16, 16, 3), np.uint8)
    found = warp(frames, [[-1, 0, 15], [0, 1, 0]], 16)
    np.testing.assert_array_equal(found[0], frames[0, :, ::-1])


def test_a_quarter_turn_equals_numpys() -> None:
    frames = RNG.integers(0, 256, (1, 16, 16, 3), np.uint8)
    found = warp(frames, [[0, -1, 15], [1, 0, 0]], 16)
    np.testing.assert_allclose(found[0], np.rot90(frames[0]), atol=1e-3)


def test_a_zoom_by_two_interpolates_between_pixels() -> None:
    ramp = np.broadcast_to(np.arange(16, dtype=np.uint8)[None, None, :, None] * 10, (1, 16, 16, 3))
    found = warp(ramp, [[0.5, 0, 4], [0, 0.5, 4]], 16)
    np.testing.assert_allclose(found[0, :, :, 0], np.tile(40 + 5.0 * np.arange(16), (16, 1)))


@given(
    angle=st.floats(-180, 180),
    zoom=st.floats(0.6, 1.6),
    mirror=st.booleans(),
    x=st.floats(-10, 40),
    y=st.floats(-10, 40),
)
@settings(max_examples=20, deadline=None)
def test_any_warp_equals_scipys(
    angle: float, zoom: float, mirror: bool, x: float, y: float
) -> None:
    frame = np.random.default_rng(1).integers(0, 256, (32, 32, 3), np.uint8)
    cosine, sine = np.cos(np.deg2rad(angle)) / zoom, np.sin(np.deg2rad(angle)) / zoom
    side = -1 if mirror else 1
    matrix = np.array([[cosine * side, -sine, x], [sine * side, cosine, y]])
    found = warp(frame[None], matrix, 24)[0, ..., 0]
    swap = matrix[::-1, [1, 0]]  # scipy counts rows before columns
    expected = affine_transform(
        frame[..., 0].astype(float),
        swap,
        offset=matrix[::-1, 2],
        output_shape=(24, 24),
        order=1,
        mode="nearest",
    )
    rows, columns = np.mgrid[:24, :24]
    place = np.einsum("ij,jrc->irc", matrix[:, :2], np.stack([columns, rows])) + matrix[:, 2:, None]
    inside = ((place > -0.49) & (place < 31.49)).all(axis=0)
    outside = ((place < -0.51) | (place > 31.51)).any(axis=0)
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.05)
    assert (found[outside] == 127.5).all()


def test_what_fills_up_a_smaller_frame_is_never_shown() -> None:
    frames = np.full((1, 30, 30, 3), 255, np.uint8)  # white stands for the filling
    frames[:, :12, :20] = 50
    found = warp(frames, np.eye(2, 3), 30, sizes=[[12, 20]])
    assert set(np.unique(found).tolist()) == {50.0, 127.5}
    between = warp(frames, [[1, 0, 0.4], [0, 1, 0.4]], 30, sizes=[[12, 20]])
    assert set(np.unique(np.round(between, 3)).tolist()) == {50.0, 127.5}


def test_each_frame_of_a_batch_is_warped_by_its_own_matrix() -> None:
    frames = RNG.integers(0, 256, (3, 20, 20, 3), np.uint8)
    matrices = np.array([[[1, 0, i], [0, 1, 2 * i]] for i in range(3)], np.float32)
    found = warp(frames, matrices, 10)
    for i in range(3):
        np.testing.assert_array_equal(found[i], frames[i, 2 * i : 2 * i + 10, i : i + 10])


# Keypoints


@given(
    seed=st.integers(0, 10_000),
    x=st.floats(12, 83),
    y=st.floats(12, 67),
)
@settings(max_examples=25, deadline=None)
def test_keypoints_follow_the_pixels(seed: int, x: float, y: float) -> None:
    rows, columns = np.mgrid[:80, :96]
    spot = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 2.5**2))
    frames = np.repeat(np.round(255 * spot)[None, ..., None], 3, axis=-1).astype(np.uint8)
    keypoints, sizes = np.array([[[x, y]]], np.float32), np.array([[80, 96]], np.int32)
    variation = draw_variation(
        keypoints, sizes, 64, AugmentationConfig(), Habits(180.0, True), np.random.default_rng(seed)
    )
    window = warp(frames, variation.matrix, 64, sizes)[0, ..., 0]
    moved, present = vary_keypoints(
        keypoints, np.ones((1, 1), np.float32), variation.matrix, variation.mirrored, [0], 64
    )
    found_x, found_y = numpy_of(moved)[0, 0]
    if not (10 <= found_x <= 53 and 10 <= found_y <= 53):
        return  # the dot is cut off, so it cannot be found by its centre of mass
    assert numpy_of(present)[0, 0] == 1
    window_rows, window_columns = np.mgrid[:64, :64]
    mass = np.where(window == 127.5, 0, window)
    mass *= (window_columns - found_x) ** 2 + (window_rows - found_y) ** 2 < 10**2
    centre = (mass * window_columns).sum() / mass.sum(), (mass * window_rows).sum() / mass.sum()
    np.testing.assert_allclose(centre, [found_x, found_y], atol=0.15)


def test_keypoints_outside_the_window_are_absent() -> None:
    keypoints = np.array([[[5, 5], [-0.4, 15.4], [-0.6, 5], [5, 15.6]]], np.float32)
    _, present = vary_keypoints(
        keypoints,
        np.ones((1, 4), np.float32),
        np.eye(2, 3, dtype=np.float32)[None],
        np.zeros(1, np.float32),
        [0, 1, 2, 3],
        16,
    )
    np.testing.assert_array_equal(numpy_of(present), [[1, 1, 0, 0]])


def test_absent_keypoints_stay_absent() -> None:
    _, present = vary_keypoints(
        np.zeros((1, 2, 2), np.float32),
        np.array([[0, 1]], np.float32),
        np.eye(2, 3, dtype=np.float32)[None],
        np.zeros(1, np.float32),
        [0, 1],
        16,
    )
    np.testing.assert_array_equal(numpy_of(present), [[0, 1]])


def test_mirrored_windows_trade_left_for_right() -> None:
    keypoints = np.tile(np.array([[2, 3], [11, 4], [7, 9]], np.float32), (2, 1, 1))
    seen = np.tile(np.array([1, 0, 1], np.float32), (2, 1))
    plain, flip = np.eye(2, 3), np.array([[-1, 0, 15], [0, 1, 0]])
    matrix = np.stack([plain, flip]).astype(np.float32)
    moved, present = vary_keypoints(
        keypoints, seen, matrix, np.array([0, 1], np.float32), [1, 0, 2], 16
    )
    np.testing.assert_allclose(numpy_of(moved)[0], keypoints[0])
    # The animal's left ear, seen mirrored at 15 - 2, is called its right ear from now on.
    np.testing.assert_allclose(numpy_of(moved)[1], [[4, 4], [13, 3], [8, 9]])
    np.testing.assert_array_equal(numpy_of(present), [[1, 0, 1], [0, 1, 1]])


# The layer


@pytest.fixture
def frames() -> np.ndarray:
    return np.random.default_rng(3).integers(60, 190, (2, 32, 32, 3), np.uint8)


SIZES = np.array([[32, 32], [32, 32]], np.int32)


def vary(frames: np.ndarray, seed: int = 0, **changes: object) -> np.ndarray:
    variation = still_variation(SIZES)._replace(**changes)
    tensors = type(variation)(*(ops.convert_to_tensor(array) for array in variation))
    return numpy_of(VaryFrames(32, seed=seed)(frames, SIZES, tensors))


def test_a_still_variation_leaves_frames_as_they_are(frames: np.ndarray) -> None:
    np.testing.assert_array_equal(vary(frames), frames)


def test_gain_turns_about_grey_and_shift_adds(frames: np.ndarray) -> None:
    both = np.ones(2, np.float32)
    np.testing.assert_allclose(
        vary(frames, gain=both * 0.5), (frames - 127.5) * 0.5 + 127.5, atol=1e-3
    )
    np.testing.assert_allclose(vary(frames, shift=both * 20), frames + 20.0, atol=1e-3)


def test_pixels_stay_between_0_and_255(frames: np.ndarray) -> None:
    both = np.ones(2, np.float32)
    assert vary(frames, shift=both * 500).max() == 255
    assert vary(frames, shift=both * -500).min() == 0


def test_blur_smooths_the_windows_it_is_asked_for(frames: np.ndarray) -> None:
    found = vary(frames, blur=np.array([1, 0], np.float32))
    np.testing.assert_array_equal(found[1], frames[1])
    assert found[0].std() < 0.7 * frames[0].std()
    assert found[0].mean() == pytest.approx(frames[0].mean(), abs=2)


def test_noise_has_the_deviation_asked_for_and_is_grey(frames: np.ndarray) -> None:
    grain = vary(frames, noise=np.array([5, 0], np.float32)) - frames
    assert not grain[1].any()
    assert grain[0].std() == pytest.approx(5, rel=0.15)
    np.testing.assert_allclose(grain[0, ..., 0], grain[0, ..., 2], atol=1e-3)


def test_noise_is_decided_by_the_seed(frames: np.ndarray) -> None:
    noise = np.full(2, 5, np.float32)
    np.testing.assert_array_equal(vary(frames, 1, noise=noise), vary(frames, 1, noise=noise))
    assert (vary(frames, 1, noise=noise) != vary(frames, 2, noise=noise)).any()


def test_a_patch_hides_exactly_its_rectangle(frames: np.ndarray) -> None:
    patches = np.zeros((2, 2, 5), np.float32)
    patches[0, 0] = 4, 6, 14, 10, 33
    found = vary(frames, patches=patches)
    assert (found[0, 6:10, 4:14] == 33).all()
    rest = np.ones((32, 32), bool)
    rest[6:10, 4:14] = False
    np.testing.assert_array_equal(found[0][rest], frames[0][rest])
    np.testing.assert_array_equal(found[1], frames[1])
