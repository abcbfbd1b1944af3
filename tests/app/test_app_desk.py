"""The desk: files come in pieces, models look at them, results go out in pieces."""

import csv
import io
import json
import os
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from posenb.app import engine, results
from posenb.app.results import TAKEN_HOME
from posenb.app.state import Found, Step, Trial
from posenb.errors import AnalysisError
from posenb.labels import read_poses
from posenb.video import probe


def files_of(visit) -> list[Path]:
    return [path for path in visit.folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


def bring(desk, what: str) -> bytes:
    """Fetch a file as the page does."""
    whole, size = b"", 1
    while len(whole) < size:
        ((answer, data),) = desk.handle({"do": "give", "what": what, "start": len(whole)})
        assert (answer["ask"], answer["start"]) == ("take", len(whole))
        whole, size = whole + data, answer["size"]
    return whole


@pytest.fixture
def quick(monkeypatch):
    """Let a model see and find without computing."""
    monkeypatch.setattr(
        engine, "try_model", lambda *_: (Trial(2.0, 0.8, 0.1, 0.01), "data:image/jpeg;base64,")
    )
    given = []

    def analyze(path, model, options, progress, output):
        given.append((model, options))
        with progress(4, "Analyzing", "frame") as bar:
            for _ in range(4):
                bar.advance()
        return SimpleNamespace(url=f"{output}/poses.h5")

    def write(poses, name, model, folder):
        Path(folder, "posenb-results.zip").write_bytes(b"PK")

    monkeypatch.setattr(engine, "analyze_clip", analyze)
    monkeypatch.setattr(results, "is_packed", lambda *_: False)
    monkeypatch.setattr(
        results, "draw_clip", lambda poses, path, folder, *_: Path(folder, "labelled.mp4").touch()
    )
    monkeypatch.setattr(results, "write_page", lambda *_: None)
    monkeypatch.setattr(results, "write_table", lambda *_: None)
    monkeypatch.setattr(results, "pack", write)
    files = dict.fromkeys(TAKEN_HOME, 1)
    monkeypatch.setattr(results, "found_in", lambda *_: Found(4, {"snout": 1.0}, 0.9, 2.0, files))
    return given


def arrive(desk, send, wait, clip: Path, name: str = "clip.mp4") -> None:
    send(clip.read_bytes(), name)
    assert wait(lambda view: view["looking"] is None)["step"] == "model"


# --- arriving ------------------------------------------------------------------------


def test_a_video_arrives_whole_and_leads_to_the_models(desk, visit, send, wait, empty_clip):
    arrive(desk, send, wait, empty_clip, "my arena.mp4")
    view = desk.view()
    assert view["clip"]["name"] == "my arena.mp4"
    assert view["clip"]["facts"].startswith("0.8 s · 8 frames · 10 frames/s · 160 × 120")
    assert desk.pictures["clip"].startswith("data:image/jpeg;base64,")
    (path,) = files_of(visit)
    assert path.read_bytes() == empty_clip.read_bytes()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.mp4", "C:\\Users\\me\\m.mp4", "/root/.ssh/m.mp4", "a\x00\u202eb.mp4"]
)
def test_names_from_the_browser_never_become_paths(desk, visit, send, wait, empty_clip, name):
    arrive(desk, send, wait, empty_clip, name)
    assert [path.relative_to(visit.folder).as_posix() for path in files_of(visit)] == [
        "videos/video-1"
    ]
    assert "/" not in desk.view()["clip"]["name"]
    assert "\\" not in desk.view()["clip"]["name"]


@pytest.mark.parametrize(
    ("data", "name", "kind", "said"),
    [
        (b"", "zero.mp4", "video/mp4", "“zero.mp4” is empty: it has 0 bytes"),
        (b"%PDF-1.7" + bytes(90), "paper.mp4", "video/mp4", "“paper.mp4” is a PDF document"),
        (b"PK", "paper.zip", "application/zip", "“paper.zip” is a ZIP archive"),
        (b"hello\n" * 9, "notes.avi", "video/avi", "“notes.avi” is a text file"),
        (bytes(range(256)) * 9, "noise.mp4", "video/mp4", "save it there as .mp4"),
    ],
)
def test_what_is_no_video_is_refused_in_plain_words_and_not_kept(
    desk, visit, send, wait, data, name, kind, said
):
    send(data, name, kind)
    view = wait(lambda view: view["looking"] is None)
    assert said in view["problem"]
    assert view["step"] == "video"
    assert str(visit.folder) not in view["problem"]
    assert files_of(visit) == []


def test_a_video_that_is_too_large_is_refused_before_a_byte_comes(desk, visit, send, wait):
    visit.limit = 10
    send(bytes(100), "long.mp4")
    assert "Take a shorter video" in desk.view()["problem"]
    assert files_of(visit) == []


def test_of_several_files_the_first_is_taken_and_that_is_said(desk):
    told = [{"key": f"a:{n}", "name": f"{n}.mp4", "size": 9, "modified": 1} for n in range(2)]
    desk.handle({"do": "pick", "origin": "x", "files": told})
    assert desk.view()["arrival"]["name"] == "0.mp4"
    assert "One video at a time" in desk.view()["problem"]


def test_a_page_that_was_closed_takes_its_half_sent_file_with_it(desk, visit):
    told = {"key": "a:0", "name": "m.mp4", "size": 9_000_000, "modified": 1}
    desk.handle({"do": "pick", "origin": "x", "files": [told]})
    desk.handle({"do": "tick", "agent": "b", "keys": [], "jobs": []})
    assert "was closed or loaded again" in desk.view()["problem"]
    assert files_of(visit) == []


def test_a_piece_beyond_the_announced_size_does_not_count(desk, visit):
    told = {"key": "a:0", "name": "m.mp4", "size": 3, "modified": 1}
    desk.handle({"do": "pick", "origin": "x", "files": [told]})
    digest = "3b9c" * 16
    piece = {"do": "piece", "key": "a:0", "start": 0, "digest": digest}
    for _ in range(6):
        desk.handle(piece, [bytes(10_000)])
    assert "damaged" in desk.view()["problem"]
    assert files_of(visit) == []


def test_cancelling_throws_away_what_has_come(desk, visit):
    told = {"key": "a:0", "name": "m.mp4", "size": 9_000_000, "modified": 1}
    desk.handle({"do": "pick", "origin": "x", "files": [told]})
    desk.handle({"do": "cancel"})
    assert desk.view()["arrival"] is None
    assert files_of(visit) == []


def test_of_a_visit_not_even_the_times_of_frames_are_left(desk, visit, send, wait, empty_clip):
    kept = Path(os.environ["POSENB_CACHE"])
    arrive(desk, send, wait, empty_clip, "one.mp4")
    arrive(desk, send, wait, empty_clip, "two.mp4")
    assert len(list(kept.rglob("*.npz"))) == 1
    visit.close()
    assert list(kept.rglob("*.npz")) == []


def test_a_second_video_takes_the_place_of_the_first(desk, visit, send, wait, empty_clip):
    arrive(desk, send, wait, empty_clip, "one.mp4")
    arrive(desk, send, wait, empty_clip, "two.mp4")
    assert desk.view()["clip"]["name"] == "two.mp4"
    assert [path.name for path in files_of(visit)] == ["video-2"]


def test_while_another_video_comes_nothing_else_can_be_begun(desk, send, wait, empty_clip, quick):
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    told = {"key": "a:1", "name": "m.mp4", "size": 9_000_000, "modified": 1}
    desk.handle({"do": "pick", "origin": "x", "files": [told]})
    assert [step["name"] for step in desk.view()["steps"] if step["open"]] == ["video"]
    desk.handle({"do": "go", "step": "options"})
    desk.handle({"do": "start", "options": {}})
    assert desk.view()["step"] == "video"
    assert desk.view()["job"] is None
    desk.handle({"do": "cancel"})
    desk.handle({"do": "go", "step": "options"})
    assert desk.view()["step"] == "options"


def test_what_was_seen_in_the_first_video_is_not_said_of_the_second(
    desk, send, wait, empty_clip, quick
):
    arrive(desk, send, wait, empty_clip, "one.mp4")
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    desk._trying.result()  # and nobody has looked at it yet
    send(empty_clip.read_bytes(), "two.mp4")
    desk._looking.result()
    assert wait(lambda view: view["looking"] is None)["trial"] is None


# --- choosing, running, taking home --------------------------------------------------


def test_models_are_shown_with_pictures_and_limits(desk):
    desk.handle({"do": "pictures"})
    shown = {card["name"]: card for card in desk.view()["models"]}
    assert "mouse_openfield" in shown
    assert desk.pictures["mouse_openfield"].startswith("data:image/png;base64,")
    assert all(card["limits"] and card["keypoints"] for card in shown.values())


def test_the_walk_ends_with_what_was_found(desk, send, wait, empty_clip, quick):
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    view = wait(lambda view: view["trial"] is not None)
    assert view["trial"]["verdict"] == "good"
    assert view["trial"]["size"].startswith("2 times")
    assert view["trial"]["needed"]["normal"] == "a few seconds"
    desk.handle({"do": "start", "options": {"quality": "exact"}})
    assert desk.view()["step"] in ("run", "look")
    view = wait(lambda view: view["step"] == "look")
    assert view["found"]["share"] == "100 %"
    ((model, options),) = quick
    assert model == "mouse_openfield"
    assert (options.quality, options.size) == ("exact", 2.0)  # the size that was measured
    assert bring(desk, "all") == b"PK"


def test_a_size_that_is_given_and_taken_back_is_measured_after_all(
    desk, send, wait, empty_clip, monkeypatch
):
    looked = []

    def look(path, model, options):
        looked.append(options.size)
        return Trial(options.size or 0.5, 0.8, 0.1, 0.01), "data:image/jpeg;base64,"

    monkeypatch.setattr(engine, "try_model", look)
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    for size in (2.0, None):
        wait(lambda view: view["trial"] is not None)
        desk.handle({"do": "set", "options": {"size": size}})
    assert wait(lambda view: view["trial"] is not None)["trial"]["size"].startswith("0.5 times")
    assert looked == [None, 2.0, None]


def test_a_run_can_be_stopped_and_started_again(desk, send, wait, empty_clip, quick, monkeypatch):
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    once = engine.analyze_clip

    def endless(path, model, options, progress, output):
        with progress(None, "Analyzing", "frame") as bar:
            while True:
                bar.advance()

    monkeypatch.setattr(engine, "analyze_clip", endless)
    desk.handle({"do": "start", "options": {}})
    wait(lambda view: view["job"] is not None and view["job"]["stage"] == 1)
    desk.handle({"do": "pick", "origin": "x", "files": [{}]})  # not while it runs
    desk.handle({"do": "stop"})
    view = wait(lambda view: view["step"] != "run")
    assert (view["step"], view["problem"]) == (
        "options",
        "Stopped. Change what you like and start again.",
    )
    monkeypatch.setattr(engine, "analyze_clip", once)
    desk.handle({"do": "start", "options": {}})
    wait(lambda view: view["step"] == "look")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (AnalysisError("The folder is full. Free some space."), "Free some space."),
        (ZeroDivisionError("x"), "nobody had foreseen (ZeroDivisionError: x)"),
    ],
)
def test_whatever_goes_wrong_in_a_run_is_told_and_can_be_tried_again(
    desk, send, wait, empty_clip, quick, monkeypatch, error, said
):
    def fails(*_):
        raise error

    monkeypatch.setattr(results, "draw_clip", fails)
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    desk.handle({"do": "start", "options": {}})
    view = wait(lambda view: view["step"] == "options")
    assert said in view["problem"]


def test_a_part_that_is_none_is_refused_in_plain_words(desk, send, wait, empty_clip, quick):
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    desk.handle({"do": "start", "options": {"start": 9}})
    assert desk.view()["step"] == "options"
    assert "begins before it ends and lies in the video" in desk.view()["problem"]


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"do": "dance"},
        {"do": "go", "step": "moon"},
        {"do": "choose", "model": "../../etc"},
        {"do": "give", "what": "../../etc/passwd", "start": 0},
        {"do": "give", "what": "all", "start": 0},
        {"do": "piece", "key": "x", "start": 0},
        {"do": "find", "text": "/etc"},
        {"do": "add", "url": "/etc/passwd"},
        {"do": "stop"},
    ],
)
def test_messages_that_ask_for_what_is_not_there_change_nothing(desk, message):
    before = desk.walk
    assert desk.handle(message) == []
    assert replace(desk.walk, problem="") == before


def test_many_pixels_are_told_with_what_follows(desk, send, wait, empty_clip, monkeypatch):
    look = engine.look_at_clip

    def sharp(path, name):
        clip, picture = look(path, name)
        return replace(clip, width=3840, height=2160), picture

    monkeypatch.setattr(engine, "look_at_clip", sharp)
    arrive(desk, send, wait, empty_clip)
    (note,) = desk.view()["clip"]["notes"]
    assert "3840 × 2160 pixels are many: it takes longer" in note


def test_a_long_run_is_offered_in_shorter_ways(desk, send, wait, empty_clip, monkeypatch):
    slow = Trial(1.0, 0.9, network=500.0, rest=1.0)
    monkeypatch.setattr(engine, "try_model", lambda *_: (slow, ""))
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    trial = wait(lambda view: view["trial"] is not None)["trial"]
    assert trial["needed"]["normal"] == "about 67 min"
    assert "take a part of the video, or “Fast”" in trial["shorter"]


# --- for real ------------------------------------------------------------------------


@pytest.mark.slow
def test_a_clip_without_an_animal_is_told_so_and_can_be_looked_at(desk, send, wait, empty_clip):
    arrive(desk, send, wait, empty_clip)
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    trial = wait(lambda view: view["trial"] is not None)["trial"]
    assert trial["verdict"] == "poor"
    assert "hardly sees its animal" in trial["says"]
    desk.handle({"do": "start", "options": {}})
    view = wait(lambda view: view["step"] in ("look", "options"))
    assert view["found"]["verdict"] == "poor"
    assert "there is none in this video" in view["found"]["says"]
    archive = zipfile.ZipFile(io.BytesIO(bring(desk, "all")))
    assert {Path(name).parts[0] for name in archive.namelist()} == {"posenb-results"}
    assert archive.testzip() is None
    rows = list(csv.DictReader(io.StringIO(bring(desk, "table").decode())))
    assert len(rows) == 8 * 4
    assert set(rows[0]) == {"frame", "time", "individual", "keypoint", "x", "y", "likelihood"}
    assert b"clip.mp4" in archive.read("posenb-results/README.txt")


@pytest.mark.slow
def test_a_mouse_is_found_and_everything_can_be_taken_home(desk, send, wait, mouse_clip, tmp_path):
    arrive(desk, send, wait, mouse_clip, "m3v1.mp4")
    desk.handle({"do": "choose", "model": "mouse_openfield"})
    assert wait(lambda view: view["trial"] is not None)["trial"]["verdict"] == "good"
    desk.handle({"do": "start", "options": {"stop": 0.5, "quality": "fast"}})
    view = wait(lambda view: view["step"] in ("look", "options"))
    assert view["step"] == Step.LOOK, view["problem"]
    assert view["found"]["frames"] == "15"
    (tmp_path / "results.zip").write_bytes(bring(desk, "all"))
    zipfile.ZipFile(tmp_path / "results.zip").extractall(tmp_path)
    folder = tmp_path / "posenb-results"
    assert probe(folder / "labelled.mp4").frame_count == 15
    poses = read_poses(folder / "poses" / "poses.h5")
    assert poses.likelihoods.mean() > 0.5
    story = json.loads((folder / "poses" / "meta.json").read_text())
    assert story["video"]["url"] == "m3v1.mp4"
    assert (folder / "preview.png").exists()  # model.md shows it
    page = (folder / "report.html").read_text()
    assert "m3v1.mp4" in page
    assert "video-1" not in page
    assert "posenb-visit" not in page
    assert bring(desk, "report").decode() == page
