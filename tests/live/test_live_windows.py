"""Which part of a frame is looked at, and its bytes."""

import numpy as np
import pytest

from posenb.core import FrameFormat
from posenb.errors import InvalidInputError
from posenb.live.windows import cut_out, place_window, window_format, window_sides

VGA = FrameFormat("rgb", 480, 640)
SIDES = (160, 256, 352)


def test_there_are_few_sizes_and_they_fit_the_networks_cells():
    assert window_sides(VGA) == SIDES
    assert window_sides(FrameFormat("rgb", 256, 256)) == (64, 96, 128)
    assert all(side % 32 == 0 for side in SIDES)


def test_no_size_is_larger_than_the_frame():
    assert window_sides(FrameFormat("rgb", 40, 640)) == ()
    with pytest.raises(InvalidInputError, match=r"640 x 480 pixels; got a side of 512"):
        window_sides(VGA, (512,))


def test_sizes_asked_for_are_put_in_order():
    assert window_sides(VGA, (256, 64, 256)) == (64, 256)


@pytest.mark.parametrize("seed", range(20))
def test_the_points_lie_in_the_window_with_their_margin_and_it_in_the_frame(seed):
    rng = np.random.default_rng(seed)
    points = rng.uniform((0, 0), (639, 479), (1, 2)) + rng.uniform(-60, 60, (5, 2))
    points = np.clip(points, 0, (639, 479))
    window = place_window(points, 20, SIDES, VGA)
    assert window is not None
    x1, x2, y1, y2 = window
    assert 0 <= x1 < x2 <= 640
    assert 0 <= y1 < y2 <= 480
    assert (x2 - x1, x1 % 8, y1 % 8) == (y2 - y1, 0, 0)
    assert (np.maximum(points.min(axis=0) - 20, 0) >= (x1, y1)).all()
    assert (np.minimum(points.max(axis=0) + 20, (639, 479)) <= (x2 - 1, y2 - 1)).all()


def test_the_smallest_that_suffices_is_taken():
    close, apart = np.array([[300.0, 200], [350, 220]]), np.array([[200.0, 200], [400, 220]])
    x1, x2, _, _ = place_window(close, 20, SIDES, VGA)
    assert x2 - x1 == 160
    x1, x2, _, _ = place_window(apart, 20, SIDES, VGA)
    assert x2 - x1 == 256


def test_there_is_none_for_points_too_far_apart_or_no_points():
    assert place_window(np.array([[0.0, 0], [600, 0]]), 20, SIDES, VGA) is None
    assert place_window(np.empty((0, 2)), 20, SIDES, VGA) is None


@pytest.mark.parametrize("kind", ["rgb", "grey", "yuv420", "yuv422", "yuv444"])
def test_the_bytes_cut_out_are_those_of_the_part(kind):
    frames = FrameFormat(kind, 96, 128)
    raw = np.random.default_rng(0).integers(0, 256, frames.nbytes, np.uint8)
    window = (34, 66, 2, 34)
    part = window_format(frames, 32)
    cut = cut_out(raw, frames, window)
    assert cut.shape == (part.nbytes,)
    np.testing.assert_array_equal(as_rgb(cut, part), as_rgb(raw, frames)[2:34, 34:66])


def as_rgb(raw, frames):
    """Convert by the formula of `FrameFormat`, each pixel with its own chroma."""
    if frames.kind == "rgb":
        return raw.reshape(frames.height, frames.width, 3).astype(float)
    down, across = frames.shared
    planes, start = [], 0
    for number, (height, width) in enumerate(frames.planes):
        plane = raw[start : start + height * width].reshape(height, width)
        start += height * width
        if number:
            plane = plane.repeat(down, axis=0).repeat(across, axis=1)
        planes.append(plane[: frames.height, : frames.width].astype(float))
    if frames.kind == "grey":
        planes += [np.full_like(planes[0], 128)] * 2
    rows = [y * planes[0] + u * planes[1] + v * planes[2] + c for y, u, v, c in frames.to_rgb]
    return np.stack(rows, axis=-1)
