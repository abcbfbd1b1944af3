"""Cards: what they must say, and how they look."""

import json
import re
from base64 import b64decode
from pathlib import Path

import pytest

from posenb import zoo as the_zoo
from posenb.errors import ConfigError, ZooError
from posenb.zoo.card import Card, parse_card
from posenb.zoo.page import card_page

ROOT = Path(__file__).parents[2]
FILES = {name: {"sha256": "a" * 64, "size": 1_000_000} for name in ("model.keras", "model.onnx")}
WHOLE = {
    "name": "mouse_side",
    "title": "Mouse from the side",
    "species": "mouse (Mus musculus)",
    "view": "side",
    "licence": "CC-BY-4.0",
    "data": [{"name": "ours", "licence": "CC-BY-4.0", "citation": "Us (2026)."}],
    "limits": ["Day | night."],
    "keypoints": ["nose", "tail"],
    "skeleton": [["nose", "tail"]],
    "files": FILES,
    "made": "2026-11-21",
}


def card(**changes: object) -> Card:
    return parse_card(json.dumps({**WHOLE, **changes}).encode(), "card.json")


def test_a_card_reads_back_as_it_was_written():
    before = card(
        accuracy=[{"size": 0.5, "frames": 3, "mean": 1.5, "median": 1.0, "of_body": 0.01}]
    )
    after = parse_card(before.model_dump_json().encode(), "card.json")
    assert after == before
    assert after.size == 2_000_000
    assert after.pose_skeleton.edges == ((0, 1),)


@pytest.mark.parametrize("fact", ["title", "species", "view", "licence", "data", "limits"])
def test_a_card_without_a_fact_that_people_need_is_none(fact):
    with pytest.raises(ZooError, match=fact):
        parse_card(json.dumps({k: v for k, v in WHOLE.items() if k != fact}).encode(), "card.json")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 2}, "version"),
        ({"colour": "blue"}, "'colour' is not an option"),
        ({"name": "../mouse"}, "name"),
        ({"name": "Mouse"}, "name"),
        ({"limits": []}, "limits"),
        ({"files": {"model.keras": FILES["model.keras"]}}, "model.onnx"),
        ({"files": {**FILES, "../../setup.py": FILES["model.onnx"]}}, "setup.py"),
        ({"files": {**FILES, "preview.png": {"sha256": "short", "size": 1}}}, "sha256"),
        ({"skeleton": [["nose", "wing"]]}, "wing"),
        ({"keypoints": ["nose", "nose"]}, "unique"),
        ({"made": "yesterday"}, "made"),
    ],
)
def test_a_card_that_breaks_a_rule_is_refused_and_the_rule_named(changes, said):
    with pytest.raises(ZooError, match=said):
        card(**changes)


def test_what_is_no_card_at_all_is_refused():
    with pytest.raises(ZooError, match="none"):
        parse_card(b"<html>not found</html>", "https://lab.org/card.json")


def test_a_card_is_frozen():
    with pytest.raises((ConfigError, ValueError)):
        card().title = "Another"


def test_the_page_says_what_people_must_know():
    page = card_page(card(held_out="Ten frames."))
    for part in ("Mouse from the side", "nose, tail", "CC-BY-4.0", "Us (2026).", "Ten frames."):
        assert part in page
    assert 'pn.zoo.analyze("clip.mp4", "mouse_side")' in page
    assert "- Day | night." in page


def test_the_page_has_a_row_for_each_size():
    rows = [{"size": s, "frames": 3, "mean": 2 * s, "median": s, "found": s} for s in (0.5, 1, 2)]
    lines = card_page(card(accuracy=rows)).splitlines()
    assert "| 0.5 × | 0.5 × | 3 | 1.00 | 0.50 |  |" in lines
    assert sum("×" in line for line in lines) == 3


def test_the_page_admits_that_nothing_was_held_out():
    assert "not known" in card_page(card())


def test_a_bar_in_a_fact_does_not_break_the_table():
    assert "CC \\| mine" in card_page(card(licence="CC | mine"))


def test_a_notebook_shows_the_page_with_the_picture_in_it():
    shown = the_zoo.show("mouse_openfield")._repr_markdown_()
    (picture,) = re.findall(r"!\[.*\]\(data:image/png;base64,(.*)\)", shown)
    assert b64decode(picture) == (ROOT / "model_zoo/mouse_openfield/preview.png").read_bytes()
    assert "## How exact it is" in shown


@pytest.mark.parametrize("name", ["nowhere_known", "mouse_openfield"])
def test_a_notebook_shows_no_picture_that_is_not_the_one_of_the_card(name):
    drawn = {**FILES, "preview.png": {"sha256": "0" * 64, "size": 1}}
    shown = card(name=name, files=drawn)._repr_markdown_()
    assert "![" not in shown
    assert "## How exact it is" in shown


def test_a_card_without_a_picture_is_shown_as_it_is():
    assert card()._repr_markdown_() == card_page(card())


def test_the_room_offers_its_verbs():
    assert {"list", "show", "fetch", "publish", "verify", "analyze", "add_index"} <= set(
        the_zoo.__all__
    )
