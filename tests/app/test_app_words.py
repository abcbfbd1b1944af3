"""What visitors read when something is wrong."""

import errno

import pytest

from posenb.app.words import explain, explain_refusal, say_length, what_it_is
from posenb.errors import StorageError, VideoError


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"%PDF-1.7\n\x00\x01", "a PDF document"),
        (b"PK\x03\x04\x14\x00", "a ZIP archive or an Office document"),
        (b"\x89PNG\r\n\x1a\n\x00", "a PNG picture"),
        (b"\xef\xbb\xbf<!DOCTYPE html>", "a web page"),
        (b"x,y\n1,2\n", "a text file"),
        (b"\x00\x00\x00\x20ftypisom", None),
        (b"", None),
    ],
)
def test_a_file_is_known_by_its_first_bytes_whatever_its_name(head, kind):
    assert what_it_is(head) == kind


def test_a_pdf_that_calls_itself_a_video_is_told_what_it_is(tmp_path):
    (tmp_path / "video-1").write_bytes(b"%PDF-1.7" + bytes(100))
    said = explain_refusal(VideoError("x"), tmp_path / "video-1", "thesis.mp4")
    assert said.startswith("“thesis.mp4” is a PDF document")
    assert "Choose the video itself" in said


def test_a_damaged_video_is_named_as_its_owner_does_with_a_next_step(tmp_path):
    path = tmp_path / "video-1"
    path.write_bytes(bytes(range(256)))
    error = VideoError(f"None of the frames of {path} can ([Errno 1094995529] Bad: '<none>').")
    said = explain_refusal(error, path, "m.avi")
    assert "save it there as .mp4" in said
    assert "None of the frames of m.avi can." in said
    assert str(tmp_path) not in said


def test_paths_of_this_machine_are_not_told():
    error = StorageError("/tmp/posenb-visit-x/run/poses.h5 cannot be written. Free some space.")
    said = explain(error, {"/tmp/posenb-visit-x/": ""})
    assert said == "run/poses.h5 cannot be written. Free some space."


def test_want_of_memory_and_of_disk_have_next_steps():
    assert "shorter part" in explain(MemoryError(), {})
    full = OSError(errno.ENOSPC, "No space left on device")
    assert "ask whoever runs the app to free some space" in explain(full, {})
    wrapped = StorageError("Writing 'report.html' failed.")
    wrapped.__cause__ = full
    assert "is full" in explain(wrapped, {})
    denied = OSError(errno.EACCES, "Permission denied")
    assert "could not be written or read (Permission denied)" in explain(denied, {})


def test_what_nobody_foresaw_is_said_to_be_so():
    said = explain(KeyError("zoo"), {})
    assert "nobody had foreseen (KeyError: 'zoo')" in said
    assert "Try again" in said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.1, "a few seconds"),
        (9, "about 10 s"),
        (33, "about 35 s"),
        (55, "about 1 min"),
        (600, "about 10 min"),
        (7560, "about 2.1 h"),
    ],
)
def test_times_are_said_as_people_say_them(seconds, said):
    assert say_length(seconds) == said
