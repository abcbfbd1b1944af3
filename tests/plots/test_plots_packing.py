"""Poses as few bytes: what is unpacked is what was packed, to the promised exactness."""

import numpy as np
import pytest

from posenb.core import Poses, Skeleton
from posenb.plots.packing import PER, pack_poses


def poses_of(positions, likelihoods=None, frames=None) -> Poses:
    positions = np.asarray(positions, float)
    if likelihoods is None:
        likelihoods = np.ones(positions.shape[:3])
    names = tuple(f"k{k}" for k in range(positions.shape[2]))
    animals = tuple(f"a{i}" for i in range(positions.shape[1]))
    return Poses(positions, likelihoods, Skeleton(names), frames, animals)


def wholes(data: bytes, width: int, lines: int, count: int) -> tuple[np.ndarray, bytes]:
    """Undo the planes and differences of one channel; return the numbers and what follows."""
    size = lines * count
    planes = np.frombuffer(data[: width * size], np.uint8).reshape(width, size)
    kind = np.int16 if width == 2 else np.int32
    steps = np.ascontiguousarray(planes.T).view(kind).reshape(lines, count)
    return np.cumsum(steps, axis=1, dtype=kind), data[width * size :]


def unpacked(poses: Poses) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Values of x, y and likelihood, shape (T, I, K), and frame indices."""
    facts, data = pack_poses(poses)
    count, animals, keypoints = poses.likelihoods.shape
    values = {}
    for name in ("x", "y", "likelihood"):
        told = facts[name]
        numbers, data = wholes(data, told["width"], animals * keypoints, count)
        known = np.where(
            numbers == told["missing"], np.nan, told["origin"] + told["step"] * numbers
        )
        values[name] = known.reshape(animals, keypoints, count).transpose(2, 0, 1)
    frames = np.arange(count) + (poses.frames[0] if count else 0)
    if facts["frames"]:
        numbers, data = wholes(data, 4, 1, count)
        frames = numbers[0]
    assert data == b""
    return values, frames


@pytest.fixture
def some() -> Poses:
    rng = np.random.default_rng(0)
    positions = rng.uniform(-20, 2000, (50, 2, 3, 2))
    positions[rng.uniform(size=(50, 2, 3)) < 0.2] = np.nan
    return poses_of(positions, rng.uniform(size=(50, 2, 3)))


def test_positions_keep_to_a_thirty_second_of_a_pixel(some):
    values, _ = unpacked(some)
    for axis, name in enumerate("xy"):
        assert np.nanmax(np.abs(values[name] - some.positions[..., axis])) <= 1 / 32


def test_gaps_stay_gaps(some):
    values, _ = unpacked(some)
    np.testing.assert_array_equal(np.isnan(values["x"]), np.isnan(some.positions[..., 0]))


def test_a_position_of_which_half_is_missing_is_missing():
    values, _ = unpacked(poses_of([[[[1.0, np.nan]]], [[[2.0, 3.0]]], [[[np.inf, 3.0]]]]))
    assert np.isnan(values["y"][:, 0, 0]).tolist() == [True, False, True]


def test_a_likelihood_is_never_rounded_over_a_cutoff():
    likelihoods = np.array([0.5999999, 0.6, 0.6 + 1e-9, 0.29, 0.0, 1.0, np.nan])[:, None, None]
    values, _ = unpacked(poses_of(np.zeros((7, 1, 1, 2)), likelihoods))
    found = values["likelihood"][:, 0, 0]
    np.testing.assert_allclose(found, [0.599, 0.6, 0.6, 0.29, 0, 1, np.nan])


@pytest.mark.parametrize("cutoff", np.round(np.arange(0, 1.01, 0.01), 2))
def test_cutoffs_in_the_page_divide_as_they_do_in_python(cutoff):
    likelihoods = np.concatenate([np.round(np.arange(0, 1.001, 0.01), 2), [cutoff - 1e-4]])
    likelihoods = np.clip(likelihoods, 0, 1)[:, None, None]
    _, data = pack_poses(poses_of(np.zeros((len(likelihoods), 1, 1, 2)), likelihoods))
    numbers, _ = wholes(data[4 * len(likelihoods) :], 2, 1, len(likelihoods))
    np.testing.assert_array_equal(numbers[0] >= round(cutoff * PER), likelihoods[:, 0, 0] >= cutoff)


def test_numbers_too_great_for_two_bytes_take_four():
    positions = np.zeros((3, 1, 1, 2))
    positions[1] = 123456.0625, -5e6
    facts, _ = pack_poses(poses_of(positions))
    assert (facts["x"]["width"], facts["y"]["width"]) == (4, 4)
    values, _ = unpacked(poses_of(positions))
    np.testing.assert_allclose(values["x"][:, 0, 0], [0, 123456.0625, 0])


def test_even_absurd_numbers_are_packed():
    positions = np.zeros((2, 1, 1, 2))
    positions[1] = 1e15, -1e15
    values, _ = unpacked(poses_of(positions))
    np.testing.assert_allclose(values["x"][1, 0, 0], 1e15, rtol=1e-6)


def test_frames_that_follow_each_other_take_no_bytes():
    facts, _ = pack_poses(poses_of(np.zeros((4, 1, 1, 2)), frames=np.arange(7, 11)))
    assert facts["frames"] is False


def test_frames_with_gaps_are_kept():
    some = poses_of(np.zeros((4, 1, 1, 2)), frames=np.array([3, 4, 90, 100_000]))
    assert unpacked(some)[1].tolist() == [3, 4, 90, 100_000]


@pytest.mark.parametrize("count", [0, 1])
def test_no_frame_and_one_frame_are_packed(count):
    values, _ = unpacked(poses_of(np.full((count, 1, 2, 2), 5.0)))
    assert values["x"].shape == (count, 1, 2)


def test_nothing_found_is_packed():
    values, _ = unpacked(poses_of(np.full((4, 1, 2, 2), np.nan), np.full((4, 1, 2), np.nan)))
    assert all(np.isnan(each).all() for each in values.values())


def test_a_smooth_recording_takes_few_bytes():
    import zlib

    times = np.linspace(0, 40, 5000)
    way = np.stack([300 + 200 * np.sin(times), 200 + 100 * np.cos(times)], axis=-1)
    _, data = pack_poses(poses_of(way[:, None, None]))
    assert len(zlib.compress(data)) < 5000 * 3
