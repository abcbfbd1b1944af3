"""The training step as a whole, and its optimizer."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from made_projects import dot_picture, small_network
from still_variations import still_variation

from posenb.core import Skeleton, TrainConfig
from posenb.training.device import policy
from posenb.training.learner import Learner, mirror_order
from posenb.training.loop import make_optimizer

SKELETON = Skeleton(("snout", "leftear", "rightear", "hip_L", "hip_R"))
CONFIG = TrainConfig.from_options(weights=None, backbone="mobilenet_v2_035")


def batch_of(places: np.ndarray, present: np.ndarray | None = None) -> dict[str, Any]:
    count, kinds = places.shape[:2]
    frames = np.stack([dot_picture(*points[0], 64, 64, seed=i) for i, points in enumerate(places)])
    sizes = np.full((count, 2), 64, np.int32)
    return {
        "frames": frames,
        "sizes": sizes,
        "keypoints": places.astype(np.float32),
        "present": np.ones((count, kinds), np.float32) if present is None else present,
        **still_variation(sizes)._asdict(),
    }


def learner_of(skeleton: Skeleton = SKELETON) -> Learner:
    return Learner(small_network(None, len(skeleton)), CONFIG, skeleton, window=64, radius=8.0)


def test_mirrored_channels_trade_places_and_the_others_stay() -> None:
    assert mirror_order(SKELETON) == [0, 2, 1, 4, 3]
    order = mirror_order(SKELETON)
    assert [order[i] for i in order] == list(range(5))


def test_a_step_returns_maps_with_the_keypoints_they_should_show() -> None:
    places = np.random.default_rng(0).uniform(10, 50, (2, 5, 2))
    shown = learner_of()(batch_of(places))
    assert set(shown) == {"logits", "offsets", "early_logits", "keypoints", "present"}
    np.testing.assert_allclose(shown["keypoints"], places, rtol=1e-5)
    assert tuple(shown["logits"].shape) == (2, 16, 16, 5)


@pytest.mark.parametrize("half", ["mixed_float16", "mixed_bfloat16"])
def test_half_precision_moves_no_keypoint_and_blurs_no_pixel(half: str) -> None:
    with policy(half):
        learner = learner_of(Skeleton(("dot",)))
    places = np.array([[[931.3, 20.3]]])
    batch = batch_of(places - (900, 0))
    matrix = np.array([[[1, 0, 900], [0, 1, 0]]], np.float32)
    wide = np.zeros((1, 64, 1000, 3), np.uint8)
    wide[:, :, 900:964] = batch["frames"]
    batch |= {"frames": wide, "sizes": np.array([[64, 1000]]), "matrix": matrix}
    shown = learner({**batch, "keypoints": places.astype(np.float32)})
    np.testing.assert_allclose(shown["keypoints"], places - (900, 0), atol=1e-3)
    assert keras.backend.standardize_dtype(shown["present"].dtype) == "float32"
    levels = np.array([[[[199.0, 200.0, 201.0]]]], np.float32)
    steps = np.diff(keras.ops.convert_to_numpy(learner.normalise(levels)).ravel())
    np.testing.assert_allclose(steps, 1 / 127.5, rtol=1e-4)


def test_the_loss_is_a_finite_number_even_without_a_keypoint() -> None:
    learner = learner_of()
    places = np.zeros((2, 5, 2)) + 20
    shown = learner(batch_of(places, np.zeros((2, 5), np.float32)))
    assert np.isfinite(float(learner.compute_loss(None, None, shown)))


def test_of_a_keypoint_without_a_label_the_step_learns_absence_or_nothing() -> None:
    places = np.random.default_rng(0).uniform(10, 50, (2, 5, 2))
    labelled = np.ones((2, 5), np.float32)
    labelled[0, 2] = 0
    batch = batch_of(places, labelled)
    losses = []
    for meaning in ("absent", "unknown"):
        config = CONFIG.replace(unlabelled=meaning)
        learner = Learner(learner_of().network, config, SKELETON, window=64, radius=8.0)
        shown = learner(batch)
        assert ("known" in shown) == (meaning == "unknown")
        by_background = []
        for level in (-5.0, 5.0):  # how sure it is of the keypoint, everywhere
            logits = np.zeros(shown["logits"].shape, np.float32)
            logits[0, ..., 2] = level
            by_background.append(
                float(learner.compute_loss(None, None, {**shown, "logits": logits}))
            )
        losses.append(by_background)
    (unsure, sure), (unsure_unknown, sure_unknown) = losses
    assert sure > unsure + 0.1
    assert sure_unknown == pytest.approx(unsure_unknown)


def test_what_is_known_is_mirrored_and_holds_outside_of_the_window() -> None:
    places = np.random.default_rng(0).uniform(10, 50, (2, 5, 2))
    labelled = np.ones((2, 5), np.float32)
    labelled[:, 1] = 0  # the left ear
    places[:, 3] = 500
    batch = batch_of(places, labelled) | {"mirrored": np.array([0, 1], np.float32)}
    config = CONFIG.replace(unlabelled="unknown")
    shown = Learner(learner_of().network, config, SKELETON, window=64, radius=8.0)(batch)
    np.testing.assert_array_equal(shown["known"], [[1, 0, 1, 1, 1], [1, 1, 0, 1, 1]])
    np.testing.assert_array_equal(shown["present"], [[1, 0, 1, 0, 1], [1, 1, 0, 1, 0]])


def test_one_batch_is_learnt_by_heart() -> None:
    dot = Skeleton(("dot",))
    learner = learner_of(dot)
    learner.compile(optimizer=keras.optimizers.Adam(1e-2), jit_compile=False)
    batch = batch_of(np.random.default_rng(0).uniform(12, 50, (4, 1, 2)))
    losses = [
        learner.fit(
            ((batch,) for _ in range(10)), steps_per_epoch=10, verbose=0, shuffle=False
        ).history["loss"][0]
        for _ in range(4)
    ]
    assert losses[-1] < 0.6 * losses[0]


# The optimizer


@pytest.mark.parametrize("warmup", [0.0, 0.1, 0.5])
def test_the_rate_climbs_to_its_peak_and_falls_to_zero(warmup: float) -> None:
    config = TrainConfig(steps=100, learning_rate=0.01, warmup=warmup)
    schedule = make_optimizer(config)._learning_rate
    rates = np.array([float(schedule(step)) for step in range(101)])
    peak = int(rates.argmax())
    assert peak == round(100 * warmup)
    assert rates[peak] == pytest.approx(0.01)
    assert (np.diff(rates[: peak + 1]) > 0).all()
    assert (np.diff(rates[peak:]) <= 1e-9).all()
    assert rates[-1] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_even_the_shortest_training_has_a_schedule(steps: int) -> None:
    schedule = make_optimizer(TrainConfig(steps=steps))._learning_rate
    rates = [float(schedule(step)) for step in range(steps)]
    assert all(np.isfinite(rates))
    assert max(rates) > 0
