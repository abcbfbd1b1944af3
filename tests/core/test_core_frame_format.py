"""Layout and colours of raw frames."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from posenb.core import FrameFormat
from posenb.errors import InvalidInputError, UnknownNameError

EXACT = {
    ("bt601", "red"): (81.48, 90.20, 240.0),
    ("bt709", "red"): (62.56, 102.34, 240.0),
    ("bt2020", "red"): (73.53, 96.72, 240.0),
    ("bt601", "white"): (235.0, 128.0, 128.0),
}
COLOURS = {"red": (255, 0, 0), "white": (255, 255, 255)}


@pytest.mark.parametrize(
    ("kind", "height", "width", "nbytes"),
    [
        ("rgb", 4, 6, 72),
        ("grey", 4, 6, 24),
        ("yuv420", 4, 6, 36),
        ("yuv420", 5, 7, 35 + 2 * 3 * 4),
        ("yuv422", 5, 7, 35 + 2 * 5 * 4),
        ("yuv444", 5, 7, 105),
    ],
)
def test_a_frame_has_as_many_bytes_as_its_planes(kind, height, width, nbytes):
    assert FrameFormat(kind, height, width).nbytes == nbytes


def test_planes_come_in_the_order_of_the_bytes():
    assert FrameFormat("yuv420", 5, 7).planes == ((5, 7), (3, 4), (3, 4))
    assert FrameFormat("rgb", 5, 7).planes == ((5, 21),)


@pytest.mark.parametrize(("matrix", "colour"), EXACT)
def test_the_values_that_a_standard_gives_a_colour_become_that_colour(matrix, colour):
    rows = np.array(FrameFormat("yuv420", 2, 2, matrix).to_rgb)
    found = rows @ (*EXACT[matrix, colour], 1.0)
    np.testing.assert_allclose(found, COLOURS[colour], atol=0.05)


@pytest.mark.parametrize("kind", ["grey", "yuv444"])
@pytest.mark.parametrize(("full_range", "black", "white"), [(False, 16, 235), (True, 0, 255)])
def test_black_and_white_fill_the_range(kind, full_range, black, white):
    rows = np.array(FrameFormat(kind, 2, 2, full_range=full_range).to_rgb)
    np.testing.assert_allclose(rows @ (black, 128, 128, 1), 0, atol=1e-9)
    np.testing.assert_allclose(rows @ (white, 128, 128, 1), 255, atol=1e-9)


@pytest.mark.parametrize("full_range", [False, True])
def test_without_chroma_everything_is_grey(full_range):
    rows = np.array(FrameFormat("yuv420", 2, 2, "bt709", full_range).to_rgb)
    red, green, blue = rows @ (100, 128, 128, 1)
    assert red == pytest.approx(green) == pytest.approx(blue)


def test_rgb_stays_as_it_is():
    rows = np.array(FrameFormat("rgb", 2, 2).to_rgb)
    np.testing.assert_array_equal(rows @ (1, 2, 3, 1), [1, 2, 3])


def test_a_misspelt_kind_is_met_with_the_known_ones():
    with pytest.raises(UnknownNameError, match="Did you mean 'yuv444'"):
        FrameFormat("yuv44", 2, 2)
    with pytest.raises(UnknownNameError, match="Did you mean 'bt709'"):
        FrameFormat("yuv420", 2, 2, "bt70")


@pytest.mark.parametrize("size", [(0, 4), (4, -1)])
def test_a_frame_without_pixels_is_refused(size):
    with pytest.raises(InvalidInputError, match="at least one pixel"):
        FrameFormat("rgb", *size)


def test_a_format_is_a_value():
    made = FrameFormat("yuv420", 4, 6)
    assert made == FrameFormat("yuv420", 4, 6)
    assert {made: 1}[FrameFormat("yuv420", 4, 6)] == 1
    with pytest.raises(FrozenInstanceError):
        made.height = 5
