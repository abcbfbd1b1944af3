"""Notes that widgets keep: by several people, on any storage, and without harm if they fail."""

import json
import os
import stat
import threading
import time

import pytest

from posenb import storage
from posenb.errors import StorageError
from posenb.widgets.notes import Notes


@pytest.fixture
def url(tmp_path):
    return str(tmp_path / "project/notes/picked.json")


def kept(url):
    return json.loads(storage.read_bytes(url))


def wait_for(what):
    until = time.monotonic() + 10
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def refuse(*_, **__):
    raise StorageError("the bucket is away")


def test_what_is_kept_is_read_the_next_time(url):
    notes = Notes(url)
    assert notes.found == {}
    notes.change({"a/1": "taken"})
    notes.change({"\u00e4/2": "dropped", "bad\udcff/3": "taken"})
    notes.close()
    assert Notes(url).found == {"a/1": "taken", "\u00e4/2": "dropped", "bad\udcff/3": "taken"}


def test_nothing_is_written_where_nothing_is_noted(url):
    notes = Notes(url)
    notes.change({})
    notes.change({"a/1": None})
    notes.close()
    assert not storage.exists(url)


def test_two_people_keep_notes_in_one_file(url):
    one, other = Notes(url), Notes(url)
    one.change({"a/1": "taken", "a/2": "taken"})
    wait_for(lambda: storage.exists(url))
    other.change({"b/7": "dropped", "a/1": None})
    other.close()
    one.change({"a/2": "dropped"})
    one.close()
    assert kept(url) == {"a/2": "dropped", "b/7": "dropped"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a/1": 3}', b"\xff\xfe", b"[" * 10**5])
def test_a_damaged_file_counts_as_empty_and_is_replaced(url, content):
    storage.write_bytes(url, content)
    notes = Notes(url)
    assert notes.found == {}
    notes.change({"a/1": "taken"})
    notes.close()
    assert kept(url) == {"a/1": "taken"}
    assert notes.fault == ""


def test_what_could_not_be_written_is_told_and_tried_again(url, monkeypatch):
    told = threading.Event()
    notes = Notes(url, told.set, retry=0.05)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "update_bytes", refuse)
        notes.change({"a/1": "taken"})
        assert told.wait(10)
        notes.change({"a/2": "taken"})
        assert "forgotten when you close it: the bucket is away" in notes.fault
    wait_for(lambda: not notes.fault)
    assert kept(url) == {"a/1": "taken", "a/2": "taken"}
    notes.close()


@pytest.mark.parametrize("error", [StorageError("away"), RuntimeError("no thread left"), OSError()])
def test_the_end_tries_once_more_whatever_went_wrong_before(url, monkeypatch, error):
    def fail(*_, **__):
        raise error

    notes = Notes(url)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "update_bytes", fail)
        notes.change({"a/1": "taken"})
        wait_for(lambda: notes.fault)
    notes.close()
    assert kept(url) == {"a/1": "taken"}


def test_after_the_end_nothing_is_written_and_nothing_breaks(url):
    notes = Notes(url)
    notes.close()
    notes.change({"a/1": "taken"})
    notes.close()
    assert not storage.exists(url)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_nobody_may_write_to_is_told(url, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project").chmod(stat.S_IRUSR | stat.S_IXUSR)
    notes = Notes(url)
    notes.change({"a/1": "taken"})
    notes.close()
    assert "picked.json" in notes.fault


def test_a_file_that_cannot_be_fetched_is_told(url, monkeypatch):
    monkeypatch.setattr(storage, "exists", refuse)
    notes = Notes(url)
    assert notes.found == {}
    assert notes.fault == "What was decided here earlier is not shown: the bucket is away"
