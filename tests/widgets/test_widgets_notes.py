"""Notes that widgets keep: by several people, on any storage, and without harm if they fail."""

import json
import os
import stat
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


def test_what_is_kept_is_read_the_next_time(url):
    notes = Notes(url)
    assert notes.read() == {}
    notes.keep({"a/1": "taken"})
    notes.keep({"a/1": "taken", "ä/2": "dropped"})
    notes.close()
    assert Notes(url).read() == {"a/1": "taken", "ä/2": "dropped"}


def test_nothing_is_written_where_nothing_is_noted(url):
    notes = Notes(url)
    notes.keep({})
    notes.close()
    assert not storage.exists(url)


def test_two_people_keep_notes_in_one_file(url):
    one, other = Notes(url), Notes(url)
    one.keep({"a/1": "taken", "a/2": "taken"})
    one.close()
    other.keep({"b/7": "dropped"})
    other.close()
    assert kept(url) == {"a/1": "taken", "a/2": "taken", "b/7": "dropped"}
    again = Notes(url)
    again.keep({"a/2": "dropped", "b/7": "dropped"})
    again.close()
    assert kept(url) == {"a/2": "dropped", "b/7": "dropped"}


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a/1": 3}', b"\xff\xfe"])
def test_a_damaged_file_counts_as_empty_and_is_replaced(url, content):
    storage.write_bytes(url, content)
    notes = Notes(url)
    assert notes.read() == {}
    notes.keep({"a/1": "taken"})
    notes.close()
    assert kept(url) == {"a/1": "taken"}
    assert notes.fault == ""


def test_what_could_not_be_written_is_told_and_written_with_the_next_change(url, monkeypatch):
    calls = []

    def refuse(*_, **__):
        calls.append(1)
        raise StorageError("the bucket is away")

    notes = Notes(url)
    with monkeypatch.context() as patch:
        patch.setattr(storage, "update_bytes", refuse)
        notes.keep({"a/1": "taken"})
        until = time.monotonic() + 10
        while not notes.fault and time.monotonic() < until:
            time.sleep(0.01)
    assert notes.fault == "the bucket is away"
    assert notes.read() == {"a/1": "taken"}
    notes.keep({"a/1": "taken", "a/2": "taken"})
    notes.close()
    assert kept(url) == {"a/1": "taken", "a/2": "taken"}
    assert notes.fault == ""
    assert calls == [1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_nobody_may_write_to_is_told(url, tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "project").chmod(stat.S_IRUSR | stat.S_IXUSR)
    notes = Notes(url)
    notes.keep({"a/1": "taken"})
    notes.close()
    assert "picked.json" in notes.fault


def test_a_file_that_cannot_be_fetched_is_told(url, monkeypatch):
    def refuse(*_):
        raise StorageError("the bucket is away")

    monkeypatch.setattr(storage, "exists", refuse)
    notes = Notes(url)
    assert (notes.read(), notes.fault) == ({}, "the bucket is away")
