"""What is drawn where, in which tones, and the pictures as a browser gets them."""

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from label_states import CAGE, FRAMES, made_project, state_of, suggestion
from PIL import Image

from posenb.errors import LabelError, StorageError, UnknownNameError
from posenb.plots.theme import keypoint_colours
from posenb.project import read_image
from posenb.widgets import label_edits as edits
from posenb.widgets import label_moves as moves
from posenb.widgets.label_actions import ACTIONS, do_for_key, help_html
from posenb.widgets.label_drawing import edges, marks, tone_steps
from posenb.widgets.label_images import Pictures, encode_picture
from posenb.widgets.look import ICONS, icon_button, stylesheet

TWO = ("rat 1", "rat 2")


def found(state, **options):
    return {mark.cell: mark for mark in marks(state, **options)}


# Points


def test_a_point_is_drawn_where_it_lies():
    state = edits.place(moves.zoom(state_of(), 3.7, 120, 80), 31.5, 40.25)
    mark = found(state)[0, 0]
    assert (mark.u, mark.v) == state.viewport.to_canvas(31.5, 40.25)
    assert mark.colour == keypoint_colours(3)[0]


def test_what_is_seen_hidden_sure_and_doubtful_looks_different():
    state = state_of(suggestions={0: suggestion([0.9, 0.3, 0.9])})
    state = edits.mark_occluded(moves.choose_cell(edits.place(state, 5, 5), 0))
    assert [mark.kind for mark in marks(state)] == ["hidden", "doubtful", "suggested"]
    assert marks(edits.mark_occluded(state))[0].kind == "seen"


def test_what_is_not_in_the_frame_is_not_drawn():
    assert not marks(edits.mark_absent(state_of()))


def test_the_current_point_alone_is_ringed():
    state = edits.place(edits.place(state_of(), 5, 5), 9, 9)
    assert not any(mark.current for mark in marks(state))
    chosen = marks(moves.choose_cell(state, 1))
    assert [mark.current for mark in chosen] == [False, True]


def test_the_dragged_point_is_drawn_apart_from_the_others():
    state = edits.place(edits.place(state_of(), 5, 5), 9, 9)
    state = edits.drag_to(edits.grab(state, (0, 1)), 60, 70)
    assert list(found(state)) == [(0, 0)]
    (held,) = marks(state, held=True)
    assert (held.u, held.v) == state.viewport.to_canvas(60, 70)
    assert held.name == "ear"


def test_names_are_shown_on_demand():
    state = edits.place(state_of(), 5, 5)
    assert marks(state)[0].name == ""
    assert marks(moves.set_look(state, names=True))[0].name == "snout"


def test_colours_tell_apart_what_they_are_asked_to():
    state = edits.place(state_of(TWO), 5, 5)
    state = edits.place(moves.choose_individual(state, 1), 9, 9)
    by_keypoint = [mark.colour for mark in marks(state)]
    by_animal = [mark.colour for mark in marks(moves.set_look(state, colour_by="individual"))]
    assert by_keypoint[0] == by_keypoint[1]
    assert by_animal[0] != by_animal[1]


def test_edges_join_what_is_there():
    state = edits.place(state_of(skeleton=CAGE), 5, 5)
    assert not edges(state)
    state = edits.place(moves.choose_cell(state, 2), 50, 5)
    (edge,) = edges(state)
    assert edge.start == state.viewport.to_canvas(5, 5)
    assert edge.end == state.viewport.to_canvas(50, 5)
    assert not edges(moves.set_look(state, skeleton=False))
    dragged = edits.grab(state, (0, 0))
    assert not edges(dragged)
    assert len(edges(dragged, held=True)) == 1


# Tones


def painted(tone, steps):
    """What a browser makes of a grey `tone` (0 to 1), by the rules of compositing."""
    for operation, colour in steps:
        over = int(re.findall(r"\d+", colour)[0]) / 255
        tone = {
            "multiply": tone * over,
            "color-dodge": min(1.0, tone / (1 - over)) if over < 1 else float(tone > 0),
            "lighter": min(1.0, tone + over),
            "difference": abs(tone - over),
        }[operation]
    return tone


@pytest.mark.parametrize("brightness", [-0.6, 0.0, 0.3])
@pytest.mark.parametrize("contrast", [-0.8, 0.0, 0.4, 1.0])
@pytest.mark.parametrize("tone", [0.0, 0.2, 0.5, 0.81, 1.0])
def test_brightness_and_contrast_are_those_asked_for(brightness, contrast, tone):
    expected = np.clip(4.0**contrast * (tone - 0.5) + 0.5 + brightness, 0, 1)
    assert painted(tone, tone_steps(brightness, contrast)) == pytest.approx(expected, abs=0.02)


def test_a_frame_as_it_is_costs_nothing():
    assert tone_steps(0.0, 0.0) == []


# Pictures


@pytest.fixture
def project(tmp_path):
    return made_project(tmp_path)


def stored(project, image, frame=FRAMES[0], **options):
    path = Path(project.url) / "labeled-data" / frame.video / frame.image
    image.save(path, **options)
    return path


def pixels(picture):
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"))


def test_a_png_goes_to_the_browser_byte_for_byte(project):
    path = Path(project.url) / "labeled-data" / "m1" / "img0.png"
    picture = encode_picture(project, FRAMES[0])
    assert picture.data == path.read_bytes()
    assert (picture.format, picture.size) == ("png", (200, 100))


NOISE = np.random.default_rng(0).integers(0, 256, (12, 16, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257), {"format": "PNG"}),
        (Image.fromarray(NOISE), {"format": "TIFF"}),
        (Image.fromarray(NOISE), {"format": "BMP"}),
        (Image.fromarray(NOISE[..., 0]), {"format": "PNG"}),
    ],
    ids=["16 bits", "tiff", "bmp", "grey"],
)
def test_whatever_the_file_is_the_browser_sees_its_pixels(project, image, options):
    stored(project, image, **options)
    picture = encode_picture(project, FRAMES[0])
    assert picture.format == "png"
    assert np.array_equal(pixels(picture), read_image(project, FRAMES[0]))


def test_a_turned_photograph_lies_as_its_pixels_do(project):
    exif = Image.Exif()
    exif[0x0112] = 6
    stored(project, Image.fromarray(NOISE), format="JPEG", exif=exif)
    picture = encode_picture(project, FRAMES[0])
    assert picture.format == "png"
    assert np.array_equal(pixels(picture), read_image(project, FRAMES[0]))


def test_a_jpeg_stays_one(project):
    stored(project, Image.fromarray(NOISE), format="JPEG")
    assert encode_picture(project, FRAMES[0]).format == "jpeg"


def test_a_damaged_picture_never_reaches_the_browser(project):
    path = stored(project, Image.fromarray(NOISE), format="PNG")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(LabelError, match=r"img0\.png"):
        encode_picture(project, FRAMES[0])


def test_pictures_are_fetched_once_ahead_and_again_after_a_failure(project):
    pictures = Pictures(project, FRAMES)
    path = Path(project.url) / "labeled-data" / "m1" / "img1.png"
    kept = path.read_bytes()
    path.unlink()
    pictures.prefetch([0, 1, 99, -1])
    assert pictures.get(0) is pictures.get(0)
    assert pictures.ready(0) is pictures.get(0)
    assert pictures.ready(4) is None
    with pytest.raises(StorageError):
        pictures.get(1)
    path.write_bytes(kept)
    assert pictures.get(1).data == kept


# Help and look


def test_no_key_means_two_things():
    keys = [key for action in ACTIONS.values() for key in action.keys]
    assert len(keys) == len(set(keys))
    assert not set("123456789?") & set(keys)


def test_every_action_is_in_the_help_and_has_an_icon():
    text = help_html()
    for action in ACTIONS.values():
        assert action.text in text
        assert action.icon in ICONS


def test_a_key_without_a_meaning_does_nothing():
    assert do_for_key("F7", shift=False, control=False) is None
    assert do_for_key("q", shift=False, control=True) is None


def test_a_number_beyond_the_list_chooses_nothing():
    state = state_of()
    do = do_for_key("7", shift=False, control=False)
    assert do(state) is state


def test_the_style_sheet_touches_nothing_but_posenbs_widgets():
    rules = re.findall(r"([^{}]+)\{[^{}]*\}", stylesheet())
    for rule in rules:
        assert all(".pnb" in part for part in rule.split(",")), rule


def test_an_unknown_icon_is_refused():
    with pytest.raises(UnknownNameError, match="zoom-in"):
        icon_button("zoomin", "Zoom in")


def test_the_look_of_the_state_is_a_value():
    state = state_of()
    assert replace(state, look=replace(state.look, size=9.0)).look.size == 9.0
    assert state.look.size == 5.0
