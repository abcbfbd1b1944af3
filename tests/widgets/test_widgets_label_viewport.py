"""The map between image and canvas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb.widgets.label_viewport import fit, pan, resize, zoom

SIDES = st.integers(1, 4000)
ROOM = st.floats(120, 2000)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("zoom"), st.floats(0.2, 5), st.floats(0, 1), st.floats(0, 1)),
        st.tuples(st.just("pan"), st.just(0.0), st.floats(-500, 500), st.floats(-500, 500)),
    ),
    max_size=12,
)


def walk(viewport, steps):
    for kind, factor, a, b in steps:
        if kind == "zoom":
            viewport = zoom(viewport, factor, a * viewport.canvas[0], b * viewport.canvas[1])
        else:
            viewport = pan(viewport, a, b)
    return viewport


def test_at_fit_the_whole_image_lies_in_the_middle():
    viewport = fit((640, 480), (800.0, 480.0))
    assert viewport.scale == 1
    assert viewport.to_canvas(-0.5, -0.5) == (80, 0)
    assert viewport.to_canvas(639.5, 479.5) == (720, 480)


def test_a_browser_click_becomes_image_pixels():
    viewport = fit((640, 480), (1280.0, 960.0))
    assert viewport.to_image(1.0, 1.0) == (0.0, 0.0)  # the centre of the first pixel
    assert viewport.to_image(1279.0, 959.0) == (639.0, 479.0)


@given(SIDES, SIDES, ROOM, ROOM, STEPS, st.floats(0, 1), st.floats(0, 1))
def test_coordinates_survive_the_way_to_the_canvas_and_back(w, h, cw, ch, steps, a, b):
    viewport = walk(fit((w, h), (cw, ch)), steps)
    x, y = a * w - 0.5, b * h - 0.5
    assert viewport.to_image(*viewport.to_canvas(x, y)) == pytest.approx((x, y), abs=1e-6)


@given(SIDES, SIDES, STEPS, st.floats(1, 4), st.floats(0, 1), st.floats(0, 1))
def test_zooming_in_keeps_what_lies_under_the_cursor(w, h, steps, factor, a, b):
    before = walk(fit((w, h), (700.0, 500.0)), steps)
    x, y = a * w - 0.5, b * h - 0.5
    u, v = before.to_canvas(x, y)
    after = zoom(before, factor, u, v)
    if 0 <= u <= 700 and 0 <= v <= 500 and after.magnification > 1.0001:
        centre = after.to_image(350, 250)
        inside = -0.5 < centre[0] < w - 0.5 and -0.5 < centre[1] < h - 0.5
        if inside:  # else the image would have left the canvas
            assert after.to_canvas(x, y) == pytest.approx((u, v), abs=1.0 if w * h < 9 else 1e-5)


@given(SIDES, SIDES, ROOM, ROOM, STEPS)
def test_the_image_never_leaves_the_canvas_and_is_never_smaller_than_at_fit(w, h, cw, ch, steps):
    viewport = walk(fit((w, h), (cw, ch)), steps)
    x, y = viewport.to_image(cw / 2, ch / 2)
    assert -0.5 - 1e-6 <= x <= w - 0.5 + 1e-6
    assert -0.5 - 1e-6 <= y <= h - 0.5 + 1e-6
    assert viewport.magnification >= 1 - 1e-9


def test_zooming_out_ends_at_fit():
    start = fit((640, 480), (700.0, 500.0))
    near = pan(zoom(start, 8, 100, 100), 40, 30)
    assert zoom(near, 0.01, 600, 400) == start


def test_a_pixel_grows_to_64_screen_pixels_and_no_further():
    viewport = zoom(fit((640, 480), (640.0, 480.0)), 1e9, 10, 10)
    assert viewport.scale == 64


def test_a_tiny_image_may_fill_the_canvas():
    assert fit((4, 3), (640.0, 480.0)).scale == 160


def test_a_canvas_of_another_size_shows_the_whole_image_again():
    assert resize(fit((640, 480), (640.0, 480.0)), (320.0, 400.0)) == fit(
        (640, 480), (320.0, 400.0)
    )


def test_a_canvas_of_another_size_keeps_its_middle_and_its_magnification():
    before = pan(zoom(fit((640, 480), (640.0, 480.0)), 6, 100, 100), -30, 12)
    after = resize(before, (900.0, 500.0))
    assert after.magnification == pytest.approx(6)
    assert after.to_image(450, 250) == pytest.approx(before.to_image(320, 240))


def test_a_canvas_of_the_same_size_changes_nothing():
    before = zoom(fit((640, 480), (640.0, 480.0)), 3, 1, 2)
    assert resize(before, (640.0, 480.0)) is before
