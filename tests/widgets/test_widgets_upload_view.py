"""The widget is a thin shell: what the page says reaches the desk, and its answers the page."""

import sys
from types import SimpleNamespace

import pytest

from posenb import storage
from posenb.errors import PosenbError, ProjectError
from posenb.project import create_project
from posenb.widgets import Uploader, environment, upload
from posenb.widgets.upload_beginnings import Beginning, find_beginnings, forget, keep
from posenb.widgets.upload_places import find_videos


@pytest.fixture
def project(tmp_path):
    return create_project(tmp_path / "reach", keypoints=["nose"])


# --- the widget -----------------------------------------------------------------------------


def test_it_takes_a_project_or_its_url(project):
    for given in (project, project.url):
        uploader = upload(given)
        assert isinstance(uploader, Uploader)
        assert uploader.project == project
        assert uploader.view["rows"] == []
        assert uploader.view["place"] == "reach/videos"
        assert uploader.view["folder"] == storage.join(project.url, "videos")


def test_a_folder_without_a_project_is_refused(tmp_path):
    with pytest.raises(PosenbError):
        upload(tmp_path / "nowhere")


def test_messages_go_to_the_desk_and_answers_to_the_page(project, monkeypatch):
    uploader = upload(project)
    sent = []
    monkeypatch.setattr(uploader, "send", sent.append)
    file = {"key": "p:0", "name": "m.mp4", "size": 3, "modified": 5, "type": "video/mp4"}
    uploader._handle_custom_msg({"do": "pick", "origin": "http://x", "files": [file]}, [])
    assert sent == [{"ask": "pieces", "key": "p:0", "spans": ((0, 3),)}]
    assert uploader.view["rows"][0]["phase"] == "sending"


def test_the_page_is_told_of_pieces_only_now_and_then(project, monkeypatch):
    uploader = upload(project)
    monkeypatch.setattr(uploader, "send", lambda message: None)
    pictures = []
    uploader.observe(lambda change: pictures.append(change.new), "view")
    monkeypatch.setattr(uploader._desk, "view", lambda: {"rows": [], "turn": len(pictures)})
    for _ in range(50):
        uploader._handle_custom_msg({"do": "put", "key": "nobody"}, [])
    assert len(pictures) < 5
    before = len(pictures)
    uploader._handle_custom_msg({"do": "tick", "agent": "p", "keys": [], "jobs": []}, [])
    assert len(pictures) == before + 1


# --- where it is shown -----------------------------------------------------------------------


def test_colab_is_told_once_to_show_custom_widgets(monkeypatch):
    calls = []
    output = SimpleNamespace(enable_custom_widget_manager=lambda: calls.append("on"))
    monkeypatch.setitem(sys.modules, "google.colab", SimpleNamespace(output=output))
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    environment.enable_widgets.cache_clear()
    assert environment.in_colab()
    environment.enable_widgets()
    environment.enable_widgets()
    assert calls == ["on"]
    environment.enable_widgets.cache_clear()


def test_elsewhere_nothing_is_done():
    assert not environment.in_colab()
    environment.enable_widgets()


# --- notes of what has begun -------------------------------------------------------------------


def note(**more) -> Beginning:
    known = {"name": "m.mp4", "size": 9, "modified": 1, "target": "m.mp4", "ticket": "t"}
    return Beginning(**known | more)


def test_a_note_is_kept_found_and_forgotten(project):
    keep(project.url, note())
    keep(project.url, note(position=8, chain="a" * 64))
    assert find_beginnings(project.url) == [note(position=8, chain="a" * 64)]
    assert storage.list_files(project.url, recursive=True) == [f"{project.url}/posenb.yaml"]
    forget(project.url, note())
    assert find_beginnings(project.url) == []


def test_files_that_differ_have_notes_of_their_own():
    keys = {note(**more).key for more in ({}, {"size": 8}, {"modified": 2}, {"name": "n.mp4"})}
    assert len(keys) == 4


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "{}",
        note().model_dump_json().replace('"target":"m.mp4"', '"target":"../m.mp4"'),
    ],
)
def test_a_note_that_somebody_broke_counts_as_none(project, content):
    storage.write_text(storage.join(project.url, ".posenb-uploads", "x.json"), content)
    assert find_beginnings(project.url) == []


# --- what lies elsewhere -------------------------------------------------------------------------


@pytest.fixture
def raw(tmp_path):
    for name in ("a.mp4", "B.MOV", "notes.txt", "deep/c.mp4"):
        storage.write_bytes(tmp_path / "raw" / name, b"x")
    return str(tmp_path / "raw")


@pytest.mark.parametrize(
    ("below", "names"),
    [
        ("", ["B.MOV", "a.mp4"]),
        ("/", ["B.MOV", "a.mp4"]),
        ("/*", ["B.MOV", "a.mp4", "notes.txt"]),
        ("/**/*.mp4", ["a.mp4", "c.mp4"]),
        ("/deep/c.mp4", ["c.mp4"]),
    ],
)
def test_folders_patterns_and_files_are_understood(raw, below, names):
    assert [storage.name(url) for url in find_videos(f'"{raw}{below}"')] == names


def test_videos_in_a_bucket_are_found():
    storage.write_bytes("memory://found-raw/a.mp4", b"x")
    assert find_videos("memory://found-raw") == ["memory://found-raw/a.mp4"]


def test_an_address_is_taken_at_its_word_until_it_is_added(raw):
    with pytest.raises(ProjectError, match="Nothing is at"):
        find_videos(f"{raw}/absent.mp4")
    storage.write_bytes(f"{raw}/texts/a.txt", b"x")
    with pytest.raises(ProjectError, match=r"No video lies right in .*Write .*/\*\*/\*\.mp4"):
        find_videos(f"{raw}/texts")


# --- words ----------------------------------------------------------------------
