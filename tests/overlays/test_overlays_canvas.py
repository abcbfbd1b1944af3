"""Lines and discs: where they land, to a fraction of a pixel, and what they leave alone."""

import numpy as np
import pytest

from posenb.overlays.canvas import Canvas, Discs, Drawing, Lines
from posenb.overlays.view import View, make_view

NO_LINES = Lines([], np.zeros((0, 4)), np.zeros(0))
NO_DISCS = Discs(np.zeros((0, 2)), np.zeros((0, 4)), np.zeros((0, 4)), 3.0, 1.0)
WHITE, BLACK = (1, 1, 1, 1), (0, 0, 0, 1)


def disc(*centres, radius=4.0, fill=WHITE, rim=WHITE):
    fills, rims = (np.array([colour] * len(centres), float) for colour in (fill, rim))
    return Drawing(NO_LINES, Discs(np.array(centres, float), fills, rims, radius, 1.0))


def line(*points, colour=WHITE, width=2.0):
    lines = Lines([np.array(points, float)], np.array([colour], float), np.array([width]))
    return Drawing(lines, NO_DISCS)


def paint(drawings, width=64, height=48, background=0):
    picture = np.full((height, width, 3), background, np.uint8)
    out = np.empty_like(picture)
    Canvas(width, height).draw(picture, drawings, out)
    assert (picture == background).all()
    return out


def centroid(picture):
    """Where the light of a picture lies; integers are pixel centres."""
    light = picture.astype(float).sum(axis=2)
    rows, columns = np.indices(light.shape)
    return (columns * light).sum() / light.sum(), (rows * light).sum() / light.sum()


@pytest.mark.parametrize("x", [20.0, 20.25, 20.5, 20.9, 31.123])
@pytest.mark.parametrize("y", [13.0, 13.5, 30.77])
def test_a_disc_lands_where_it_is_drawn(x, y):
    assert centroid(paint([disc((x, y))])) == pytest.approx((x, y), abs=0.02)


def test_a_disc_on_a_pixel_is_the_same_on_all_sides():
    picture = paint([disc((20, 16))])[..., 0]
    part = picture[8:25, 12:29].astype(int)
    assert abs(part - part[::-1]).max() <= 2
    assert abs(part - part[:, ::-1]).max() <= 2
    assert abs(part - part.T).max() <= 2


def test_a_disc_has_the_size_it_is_given():
    light = paint([disc((30, 24), radius=6)])[..., 0].sum() / 255
    assert light == pytest.approx(np.pi * 6.5**2, rel=0.02)  # half of the rim lies outside


def test_a_line_has_its_width_and_lies_on_its_points():
    picture = paint([line((10, 20.25), (50, 20.25), width=3)])[:, 20:40, 0] / 255
    assert picture.sum(axis=0) == pytest.approx(3, abs=0.05)
    rows = np.arange(48)[:, None]
    assert (picture * rows).sum() / picture.sum() == pytest.approx(20.25, abs=0.02)


def test_a_gap_interrupts_a_line():
    picture = paint([line((5, 20), (20, 20), (np.nan, np.nan), (40, 20), (60, 20))])
    assert picture[20, 10].any()
    assert not picture[20, 25:35].any()
    assert picture[20, 50].any()


def test_opacity_mixes_with_the_picture_below():
    picture = paint([disc((20, 20), fill=(1, 0, 0, 0.5), rim=(0, 0, 0, 0))], background=100)
    assert picture[20, 20].tolist() == pytest.approx([178, 50, 50], abs=1)


def test_nothing_but_the_touched_pixels_changes():
    noise = np.random.default_rng(0).integers(0, 255, (48, 64, 3)).astype(np.uint8)
    out = np.empty_like(noise)
    canvas = Canvas(64, 48)
    canvas.draw(noise, [disc((10, 10)), disc((50, 40))], out)
    far = np.ones((48, 64), bool)
    far[3:18, 3:18] = far[33:48, 43:58] = False
    np.testing.assert_array_equal(out[far], noise[far])
    assert (out[~far] != noise[~far]).any()
    canvas.draw(noise, [], out)
    np.testing.assert_array_equal(out, noise)


def test_the_canvas_keeps_nothing_of_the_picture_before():
    canvas, out = Canvas(64, 48), np.empty((48, 64, 3), np.uint8)
    bright, dark = np.full_like(out, 200), np.zeros_like(out)
    canvas.draw(bright, [disc((20, 20))], out)
    canvas.draw(dark, [disc((24, 20))], out)
    assert not out[:, :17].any()


@pytest.mark.parametrize("where", [(-100, 5), (5, -100), (500, 5), (5, 500)])
def test_what_lies_outside_is_left_out(where):
    assert not paint([disc(where), line(where, np.add(where, 3))]).any()


def test_what_lies_half_outside_is_drawn_up_to_the_edge():
    assert paint([disc((0, 0), radius=6)])[0, 0].all()
    assert paint([disc((63, 47), radius=6)])[47, 63].all()
    crossing = paint([line((-200, 24), (300, 24))])
    assert crossing[24, 0].all()
    assert crossing[24, 63].all()


def test_later_drawings_lie_on_top():
    drawings = [disc((20, 20)), disc((22, 20), fill=BLACK, rim=BLACK)]
    assert not paint(drawings)[20, 22].any()
    assert paint(drawings[::-1])[20, 20].all()


# --- views ---------------------------------------------------------------------------


def square(x, y, size=9, width=96, height=64):
    """A picture with a bright square centred at x, y."""
    picture = np.zeros((height, width, 3), np.uint8)
    half = size // 2
    picture[y - half : y + half + 1, x - half : x + half + 1] = 255
    return picture


@pytest.mark.parametrize("size", [(96, 64), (48, 32), (33, 22), (192, 128), (130, 50), (24, 16)])
def test_what_is_drawn_stays_on_the_picture_at_every_size(size):
    view = View((0, 96, 0, 64), size)
    picture = view.cut(square(40, 30))
    assert picture.shape == (size[1], size[0], 3)
    assert centroid(picture) == pytest.approx(tuple(view.place(np.array([40.0, 30.0]))), abs=0.05)


@pytest.mark.parametrize("size", [(60, 40), (30, 20), (17, 31), (120, 80)])
def test_what_is_drawn_stays_on_the_picture_in_every_crop(size):
    view = View((11, 71, 9, 49), size)
    picture = view.cut(square(40, 30))
    assert centroid(picture) == pytest.approx(tuple(view.place(np.array([40.0, 30.0]))), abs=0.05)


def test_a_crop_alone_moves_and_changes_no_pixel():
    noise = np.random.default_rng(0).integers(0, 255, (64, 96, 3)).astype(np.uint8)
    view = View((11, 71, 9, 49), (60, 40))
    np.testing.assert_array_equal(view.cut(noise), noise[9:49, 11:71])
    assert view.place(np.array([11.0, 9.0])).tolist() == [0, 0]


class Info:
    url, width, height = "clip.mp4", 96, 64


def test_a_view_has_the_size_of_the_crop_times_the_scale():
    assert make_view(None, 1.0, Info()).size == (96, 64)
    assert make_view((0, 40, 10, 50), 2.5, Info()).size == (100, 100)
