"""Indexes: the bundled one, further ones, and those that are not to be trusted."""

import http.server
import json
import threading
from functools import partial

import pytest

from posenb import storage
from posenb import zoo as the_zoo
from posenb.errors import InvalidInputError, StorageError, ZooError
from posenb.zoo import add_index, show
from posenb.zoo.index import VARIABLE, bundled_index, indexes, parse_index

SHA = "0" * 64


def names() -> list[str]:
    return [card.name for card in the_zoo.list()]


def index_with(folder: str) -> bytes:
    models = {"spots": {"folder": folder, "card_sha256": SHA}}
    return json.dumps({"version": 1, "models": models}).encode()


def test_the_bundled_models_are_there_without_a_network(monkeypatch):
    monkeypatch.setenv("no_proxy", "")
    assert {"mouse_openfield", "mouse_mirror", "fly_above"} <= set(names())


@pytest.mark.slow
def test_every_bundled_model_is_what_its_card_says_and_small():
    for card in the_zoo.verify():
        assert card.size <= 10_000_000
        assert {row.size for row in card.accuracy} == {0.5, 1.0, 2.0}


def test_an_index_is_added_once(zoo):
    add_index(zoo)
    add_index(zoo / "index.json")
    assert indexes() == (bundled_index(), str(zoo / "index.json"))
    assert "spots" in names()


def test_an_index_whose_path_holds_a_blank_is_added(zoo):
    moved = zoo.rename(zoo.parent / "our zoo")
    add_index(moved)
    assert "spots" in names()


def test_indexes_are_told_by_the_environment(zoo, distant, monkeypatch):
    monkeypatch.setenv(VARIABLE, f"{distant}  {zoo}")
    assert indexes()[1:] == (f"{distant}/index.json", str(zoo / "index.json"))
    assert names().count("spots") == 1


def test_of_two_models_of_one_name_the_first_counts(zoo, tmp_path):
    add_index(zoo)
    other = tmp_path / "other"
    storage.copy_folder(zoo, other)
    add_index(other)
    storage.remove(other / "spots", recursive=True)
    assert show("spots").name == "spots"


def test_an_index_served_over_http_works(published):
    pytest.importorskip("aiohttp")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(published))
    handler.log_message = lambda *_: None  # type: ignore[attr-defined]
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        add_index(f"http://127.0.0.1:{server.server_port}")
        folder = the_zoo.fetch("spots")
        server.shutdown()
    assert (folder / "model.onnx").read_bytes() == (published / "spots/model.onnx").read_bytes()


@pytest.mark.parametrize(
    "folder",
    [
        "../spots",
        "a/../../spots",
        "/etc",
        "..",
        "gs://bucket/x",
        "C:\\models",
        "a\\..\\b",
        "",
        ".x",
    ],
)
def test_an_index_that_points_outside_its_folder_is_refused(folder, tmp_path):
    (tmp_path / "index.json").write_bytes(index_with(folder))
    with pytest.raises(ZooError, match="below its own"):
        add_index(tmp_path)
    assert indexes() == (bundled_index(),)


@pytest.mark.parametrize("folder", ["spots", "mice/spots", "spots.2026", "a_b-c"])
def test_folders_below_are_fine(folder):
    assert parse_index(index_with(folder), "index.json").models["spots"].folder == folder


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"<html>", b'{"version": 9}', b'{"version": 1, "code": "x"}']
)
def test_what_is_no_index_is_not_added(content, tmp_path):
    (tmp_path / "index.json").write_bytes(content)
    with pytest.raises(ZooError, match="layout 1"):
        add_index(tmp_path)


def test_an_index_that_is_not_there_is_not_added(tmp_path):
    with pytest.raises(StorageError, match=r"index\.json"):
        add_index(tmp_path / "nowhere")


def test_a_strange_name_in_an_index_is_refused(tmp_path):
    models = {"../../evil": {"folder": "x", "card_sha256": SHA}}
    (tmp_path / "index.json").write_text(json.dumps({"models": models}))
    with pytest.raises(ZooError, match="evil"):
        add_index(tmp_path)


def test_an_index_that_cannot_be_read_leaves_the_others_usable(zoo, monkeypatch):
    add_index(zoo)
    monkeypatch.setenv(VARIABLE, f"memory://gone {zoo}")
    with pytest.warns(UserWarning, match=r"Models of memory://gone/index\.json are left out"):
        assert "spots" in names()


def test_a_bundled_model_is_found_though_a_further_index_is_gone(monkeypatch):
    monkeypatch.setenv(VARIABLE, "memory://gone")
    assert show("mouse_openfield").name == "mouse_openfield"


def test_a_card_of_another_name_is_refused(zoo):
    add_index(zoo)
    index = json.loads((zoo / "index.json").read_text())
    index["models"] = {"dots": index["models"]["spots"]}
    (zoo / "index.json").write_text(json.dumps(index))
    with pytest.raises(ZooError, match="about 'spots'"):
        show("dots")


def test_the_folder_of_a_model_may_be_given_instead_of_its_name(zoo, distant):
    assert show(zoo / "spots").name == show(f"{distant}/spots").name == "spots"


def test_a_folder_without_a_card_is_an_error(tmp_path):
    with pytest.raises(StorageError, match=r"card\.json"):
        show(tmp_path / "nothing")


def test_a_url_that_climbs_is_refused(zoo):
    with pytest.raises(InvalidInputError, match=r"'\.\.'"):
        show("memory://zoo/../secret")
