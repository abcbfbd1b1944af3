"""Whatever a browser calls a file, here it gets a name that is safe on every system."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from posenb import storage
from posenb.widgets.upload_names import offer_name, safe_name


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("m3v1.mp4", "m3v1.mp4"),
        ("Maus Käfig 3.mov", "Maus Käfig 3.mov"),
        ("マウス.mp4", "マウス.mp4"),
        ("../../etc/passwd", "passwd"),
        ("/abs/olute.mp4", "olute.mp4"),
        ("C:\\videos\\m1.avi", "m1.avi"),
        ("..\\m1.avi", "m1.avi"),
        ("..", "video"),
        ("", "video"),
        ("   ", "video"),
        (".mp4", "mp4"),
        (".posenb-part-1.mp4", "posenb-part-1.mp4"),
        ('a:b?c*d<e>f|g"h.mp4', "a_b_c_d_e_f_g_h.mp4"),
        ("line\nbreak\0.mp4", "line_break_.mp4"),
        ("con.mp4", "_con.mp4"),
        ("LPT1.tar.mp4", "_LPT1.tar.mp4"),
        ("exe\u202e4pm.mp4", "exe4pm.mp4"),
        ("dots... .mp4", "dots.mp4"),
        ("cafe\u0301.mp4", "café.mp4"),
    ],
)
def test_a_name_becomes_one_that_is_safe(given_name, name):
    assert safe_name(given_name) == name


def test_a_very_long_name_keeps_its_beginning_and_its_ending():
    name = safe_name("ü" * 3000 + ".mp4")
    assert name.endswith("ü.mp4")
    assert len(name.encode()) <= 140
    assert len(safe_name("x." + "y" * 3000).encode()) <= 140


@given(st.text(max_size=300))
def test_no_text_leads_out_of_a_folder_or_changes_the_second_time(text):
    name = safe_name(text)
    assert safe_name(name) == name
    url = storage.join("/project/videos", name)
    assert storage.parent(url) == "/project/videos"
    assert storage.name(url) == name
    assert not name.startswith(".")
    assert len(name.encode()) <= 140


@pytest.mark.parametrize(
    ("name", "taken", "offered"),
    [
        ("m.mp4", {"m"}, "m-2.mp4"),
        ("m.mp4", {"m", "M-2", "m-3"}, "m-4.mp4"),
        ("m", set(), "m-2"),
    ],
)
def test_the_next_free_name_is_offered(name, taken, offered):
    assert offer_name(name, taken) == offered
