"""Which frames a step sees, and the thread that makes batches ahead."""

from __future__ import annotations

import threading
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.augmentation import Habits, Variation
from posenb.core import AugmentationConfig, FrameName, TrainConfig
from posenb.training.batches import batch_at, frames_of_step, prefetch
from posenb.training.frames import Frames

HABITS = Habits(180.0, True)


def some_frames(count: int = 5) -> Frames:
    rng = np.random.default_rng(0)
    keypoints = rng.uniform(0, 30, (count, 3, 2))
    keypoints[0, 1] = np.nan
    return Frames(
        tuple(FrameName("clip", f"{i}.png") for i in range(count)),
        rng.integers(0, 256, (count, 32, 40, 3), np.uint8),
        np.tile(np.array([[30, 35]], np.int32), (count, 1)),
        np.ones((count, 2)),
        keypoints,
    )


# Order


@given(
    count=st.integers(1, 30),
    size=st.integers(1, 12),
    seed=st.integers(0, 2**31),
    rounds=st.integers(1, 4),
)
def test_every_frame_is_seen_once_a_round(count: int, size: int, seed: int, rounds: int) -> None:
    steps = -(-count * rounds // size)
    seen = np.concatenate([frames_of_step(step, count, size, seed) for step in range(steps)])
    assert len(seen) == steps * size
    for i in range(rounds):
        assert sorted(seen[i * count : (i + 1) * count]) == list(range(count))


def test_rounds_and_seeds_differ_in_their_order() -> None:
    first = frames_of_step(0, 50, 50, seed=1)
    assert (first != frames_of_step(1, 50, 50, seed=1)).any()
    assert (first != frames_of_step(0, 50, 50, seed=2)).any()


def test_a_step_is_the_same_whenever_it_is_asked_for() -> None:
    late = frames_of_step(1000, 17, 8, seed=3)
    for step in range(5):
        frames_of_step(step, 17, 8, seed=3)
    np.testing.assert_array_equal(frames_of_step(1000, 17, 8, seed=3), late)


def test_a_batch_larger_than_the_project_repeats_frames() -> None:
    assert Counter(frames_of_step(0, 3, 9, seed=0).tolist()) == {0: 3, 1: 3, 2: 3}


# Batches


def test_a_batch_is_decided_by_seed_and_step_alone() -> None:
    frames, config = some_frames(), TrainConfig(batch_size=4)
    one, again = (batch_at(7, frames, 64, config, HABITS) for _ in range(2))
    other_step = batch_at(8, frames, 64, config, HABITS)
    other_seed = batch_at(7, frames, 64, config.replace(seed=1), HABITS)
    for name, array in one.items():
        np.testing.assert_array_equal(array, again[name])
    assert (one["matrix"] != other_step["matrix"]).any()
    assert (one["matrix"] != other_seed["matrix"]).any()


def test_a_batch_holds_what_the_compiled_step_needs() -> None:
    frames, config = some_frames(), TrainConfig(batch_size=4)
    batch = batch_at(0, frames, 64, config, HABITS)
    assert set(batch) == {"frames", "sizes", "keypoints", "present", *Variation._fields}
    assert batch["frames"].dtype == np.uint8
    assert batch["frames"].shape == (4, 32, 40, 3)
    assert {array.shape[0] for array in batch.values()} == {4}
    floats = {array.dtype for name, array in batch.items() if name not in ("frames", "sizes")}
    assert floats == {np.dtype(np.float32)}


def test_absent_keypoints_are_marked_and_never_nan() -> None:
    frames = some_frames()
    batch = batch_at(0, frames, 64, TrainConfig(batch_size=5), HABITS)
    chosen = frames_of_step(0, 5, 5, seed=0)
    assert np.isfinite(batch["keypoints"]).all()
    np.testing.assert_array_equal(
        batch["present"] == 1, ~np.isnan(frames.keypoints[chosen][..., 0])
    )
    assert (batch["present"] == 0).sum() == 1


def test_making_a_batch_changes_no_frame() -> None:
    frames = some_frames()
    before = frames.images.copy()
    batch = batch_at(0, frames, 64, TrainConfig(batch_size=5), HABITS)
    batch["frames"][:] = 0
    np.testing.assert_array_equal(frames.images, before)


def test_variation_that_is_switched_off_leaves_light_and_grain_alone() -> None:
    calm = AugmentationConfig(
        brightness=0, contrast=0, blur=0, noise=0, occlusion=0, rotation=0, zoom=0, flip="none"
    )
    batch = batch_at(
        3, some_frames(), 64, TrainConfig(batch_size=5, augmentation=calm), Habits(0.0, False)
    )
    assert not batch["shift"].any()
    assert not batch["noise"].any()
    assert not batch["blur"].any()
    assert not batch["mirrored"].any()
    assert (batch["gain"] == 1).all()
    np.testing.assert_allclose(
        batch["matrix"][:, :, :2], np.broadcast_to(np.eye(2), (5, 2, 2)), atol=1e-6
    )


# Prefetch


@given(start=st.integers(0, 20), length=st.integers(0, 15))
def test_batches_come_in_the_order_of_their_steps(start: int, length: int) -> None:
    got = [
        int(batch["step"][0])
        for (batch,) in prefetch(lambda step: {"step": np.array([step])}, start, start + length)
    ]
    assert got == list(range(start, start + length))


def test_only_a_few_batches_are_made_ahead() -> None:
    made: list[int] = []
    enough = threading.Event()

    def make(step: int) -> dict[str, np.ndarray]:
        made.append(step)
        if step == 4:
            enough.set()
        return {"step": np.array([step])}

    batches = prefetch(make, 0, 1000)
    next(batches)
    assert enough.wait(10)
    batches.close()  # type: ignore[attr-defined]
    assert 4 <= max(made) < 20


def test_batches_are_made_in_another_thread() -> None:
    threads = set()

    def make(step: int) -> dict[str, np.ndarray]:
        threads.add(threading.get_ident())
        return {}

    list(prefetch(make, 0, 3))
    assert threads
    assert threading.get_ident() not in threads


def test_a_failure_in_the_thread_is_raised_at_its_step() -> None:
    def make(step: int) -> dict[str, np.ndarray]:
        if step == 2:
            raise OSError("the disk is gone")
        return {"step": np.array([step])}

    batches = prefetch(make, 0, 6)
    assert int(next(batches)[0]["step"][0]) == 0
    assert int(next(batches)[0]["step"][0]) == 1
    with pytest.raises(OSError, match="the disk is gone"):
        next(batches)


def test_no_thread_is_left_when_the_reader_stops_early() -> None:
    before = threading.active_count()
    batches = prefetch(lambda step: {}, 0, 100)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
