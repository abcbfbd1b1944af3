"""Targets and losses."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from posenb.models import OFFSET_SCALE, cell_centres, pose_loss, scoremap_targets

STRIDE, RADIUS, SIDE = 4, 12.0, 64
CELLS = SIDE // STRIDE


def numpy_of(tensor: object) -> np.ndarray:
    return np.asarray(ops.convert_to_numpy(tensor))


def perfect(keypoints: np.ndarray, present: np.ndarray, early: bool = False) -> dict[str, object]:
    maps: dict[str, object] = {}
    for name, stride in (("logits", STRIDE), *((("early_logits", 16),) if early else ())):
        centres = cell_centres(SIDE // stride, SIDE // stride, stride)
        reach = max(RADIUS, stride) if name == "early_logits" else RADIUS
        scores, offsets = scoremap_targets(keypoints, present, centres, reach)
        safe = np.clip(numpy_of(scores), 1e-7, 1 - 1e-7)
        maps[name] = ops.convert_to_tensor(np.log(safe / (1 - safe)).astype(np.float32))
        if name == "logits":
            flat = numpy_of(offsets).reshape(len(keypoints), CELLS, CELLS, -1)
            maps["offsets"] = ops.convert_to_tensor(flat)
    return maps


def poor(keypoints: np.ndarray, early: bool = False) -> dict[str, object]:
    count, kinds = keypoints.shape[:2]
    maps = {
        "logits": ops.zeros((count, CELLS, CELLS, kinds)),
        "offsets": ops.zeros((count, CELLS, CELLS, 2 * kinds)),
    }
    return maps | ({"early_logits": ops.zeros((count, 4, 4, kinds))} if early else {})


def loss_of(maps: dict[str, object], keypoints: np.ndarray, present: np.ndarray) -> float:
    return float(numpy_of(pose_loss(maps, keypoints, present, STRIDE, RADIUS)))


@pytest.fixture
def keypoints() -> np.ndarray:
    return np.random.default_rng(1).uniform(5, 58, (2, 3, 2)).astype(np.float32)


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_cells_lie_where_the_pixel_convention_says(stride: int) -> None:
    centres = numpy_of(cell_centres(3, 5, stride))
    assert centres.shape == (3, 5, 2)
    for row in range(3):
        for column in range(5):
            block = np.arange(stride)
            x, y = (column * stride + block).mean(), (row * stride + block).mean()
            np.testing.assert_allclose(centres[row, column], [x, y])


def test_a_target_is_one_on_its_keypoint_and_falls_with_distance() -> None:
    centres = cell_centres(CELLS, CELLS, STRIDE)
    on_a_cell = np.array([[[5 * 4 + 1.5, 7 * 4 + 1.5]]], np.float32)
    scores, offsets = scoremap_targets(on_a_cell, np.ones((1, 1), np.float32), centres, RADIUS)
    scores = numpy_of(scores)[0, ..., 0]
    assert scores[7, 5] == pytest.approx(1)
    assert np.unravel_index(scores.argmax(), scores.shape) == (7, 5)
    distance = np.linalg.norm(numpy_of(centres) - on_a_cell[0, 0], axis=-1)
    order = np.argsort(distance.ravel(), kind="stable")
    assert (np.diff(scores.ravel()[order]) <= 1e-6).all()
    np.testing.assert_allclose(scores, np.exp(-(distance**2) / (2 * 8.0**2)), atol=1e-6)
    np.testing.assert_allclose(
        numpy_of(offsets)[0, ..., 0, :] * OFFSET_SCALE, on_a_cell[0, 0] - centres, atol=1e-4
    )


def test_an_absent_keypoint_has_an_empty_target() -> None:
    centres = cell_centres(4, 4, STRIDE)
    keypoints = np.full((1, 2, 2), 8, np.float32)
    scores, _ = scoremap_targets(keypoints, np.array([[1, 0]], np.float32), centres, RADIUS)
    assert numpy_of(scores)[..., 0].max() > 0.5
    assert numpy_of(scores)[..., 1].max() == 0


@pytest.mark.parametrize("early", [False, True])
def test_the_loss_of_perfect_maps_is_almost_nothing(keypoints: np.ndarray, early: bool) -> None:
    present = np.ones(keypoints.shape[:2], np.float32)
    best = loss_of(perfect(keypoints, present, early), keypoints, present)
    worst = loss_of(poor(keypoints, early), keypoints, present)
    assert best < 1e-3 < worst
    assert best >= -1e-4


def test_both_heads_are_scored(keypoints: np.ndarray) -> None:
    present = np.ones(keypoints.shape[:2], np.float32)
    maps = perfect(keypoints, present, early=True)
    best = loss_of(maps, keypoints, present)
    for name in maps:
        spoilt = {**maps, name: maps[name] + 1.0}  # type: ignore[operator]
        assert loss_of(spoilt, keypoints, present) > best + 1e-3, name


def test_offsets_far_from_every_keypoint_do_not_count(keypoints: np.ndarray) -> None:
    present = np.ones(keypoints.shape[:2], np.float32)
    maps = perfect(keypoints, present)
    centres = numpy_of(cell_centres(CELLS, CELLS, STRIDE))
    distance = np.linalg.norm(centres[None, :, :, None] - keypoints[:, None, None], axis=-1)
    far = np.repeat(distance > RADIUS + 0.01, 2, axis=-1)
    wild = np.where(far, 1000.0, numpy_of(maps["offsets"]))
    assert loss_of({**maps, "offsets": ops.convert_to_tensor(wild)}, keypoints, present) < 1e-3


def test_where_an_absent_keypoint_is_said_to_lie_does_not_matter(keypoints: np.ndarray) -> None:
    present = np.ones(keypoints.shape[:2], np.float32)
    present[0, 1] = 0
    moved = keypoints.copy()
    moved[0, 1] = 1e4
    maps = poor(keypoints, early=True)
    assert loss_of(maps, keypoints, present) == pytest.approx(loss_of(maps, moved, present))


def masked_loss(
    maps: dict[str, object], keypoints: np.ndarray, present: np.ndarray, known: np.ndarray
) -> float:
    return float(numpy_of(pose_loss(maps, keypoints, present, STRIDE, RADIUS, known)))


def test_of_a_keypoint_that_is_not_known_nothing_counts(keypoints: np.ndarray) -> None:
    present = np.ones(keypoints.shape[:2], np.float32)
    present[0, 1] = 0
    maps = perfect(keypoints, np.ones_like(present), early=True)  # it is found all the same
    assert loss_of(maps, keypoints, present) > 0.1
    assert masked_loss(maps, keypoints, present, known=present) < 1e-3
    spoilt = {name: numpy_of(values).copy() for name, values in maps.items()}
    for name in ("logits", "early_logits"):
        spoilt[name][0, ..., 1] -= 7.0
    assert masked_loss(spoilt, keypoints, present, known=present) < 1e-3
    spoilt["logits"][0, ..., 2] -= 7.0
    assert masked_loss(spoilt, keypoints, present, known=present) > 0.1


def test_where_all_is_known_the_loss_is_the_plain_one(keypoints: np.ndarray) -> None:
    present = np.ones(keypoints.shape[:2], np.float32)
    present[1, 0] = 0
    maps = poor(keypoints, early=True)
    whole = masked_loss(maps, keypoints, present, known=np.ones_like(present))
    assert whole == loss_of(maps, keypoints, present)


@given(st.lists(st.booleans(), min_size=6, max_size=6), st.floats(-60, 60))
@settings(max_examples=25, deadline=None)
def test_loss_and_gradient_are_finite_whatever_is_absent(seen: list[bool], level: float) -> None:
    keypoints = np.random.default_rng(2).uniform(-20, 90, (2, 3, 2)).astype(np.float32)
    present = np.array(seen, np.float32).reshape(2, 3)
    loss, gradients = _gradients(keypoints, present, level)
    assert np.isfinite(loss)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_with_all_keypoints_absent_the_loss_only_pushes_scores_down() -> None:
    keypoints = np.zeros((1, 2, 2), np.float32)
    _, (logits, offsets) = _gradients(keypoints, np.zeros((1, 2), np.float32), 0.0)
    assert (logits > 0).all()
    assert not offsets.any()


def _gradients(
    keypoints: np.ndarray, present: np.ndarray, level: float
) -> tuple[float, list[np.ndarray]]:
    count, kinds = present.shape
    if keras.backend.backend() != "tensorflow":
        pytest.skip("gradients are taken with TensorFlow's tape here")
    import tensorflow as tf

    logits = tf.fill((count, CELLS, CELLS, kinds), level)
    offsets = tf.fill((count, CELLS, CELLS, 2 * kinds), level)
    with tf.GradientTape() as tape:
        tape.watch([logits, offsets])
        loss = pose_loss({"logits": logits, "offsets": offsets}, keypoints, present, 4, RADIUS)
    return float(loss), [gradient.numpy() for gradient in tape.gradient(loss, [logits, offsets])]
