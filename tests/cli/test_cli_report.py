"""posenb report: what may be named, what comes of it, and when a browser is opened."""

import sys
import webbrowser
from pathlib import Path

import numpy as np
import pytest

from posenb import storage
from posenb.cli import browsing, showing_commands
from posenb.cli.browsing import show_page
from posenb.core import Poses, Skeleton, TrainConfig
from posenb.inference.record import write_analysis
from posenb.video import write_video

KEYPOINTS = ("snout", "tail")


@pytest.fixture(autouse=True)
def shown(monkeypatch, tmp_path):
    """The pages that a browser was asked to show."""
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path / "cache"))
    pages: list[str] = []
    monkeypatch.setattr(webbrowser, "open", pages.append)
    return pages


@pytest.fixture
def project(tmp_path) -> Path:
    """A project with an analyzed clip of ten frames and an unfinished run."""
    folder = tmp_path / "reach"
    frames = np.full((10, 48, 64, 3), 90, np.uint8)
    write_video(folder / "videos" / "clip.mp4", frames, fps=10)
    storage.write_text(
        str(folder / "runs" / "first" / "config.json"), TrainConfig().model_dump_json()
    )
    poses = Poses(np.full((10, 1, 2, 2), 20.0), np.ones((10, 1, 2)), Skeleton(KEYPOINTS), fps=10)
    story = {
        "key": "k",
        "video": {"url": "videos/clip.mp4", "fps": 10},
        "model": {"run": "first", "description": {"keypoints": list(KEYPOINTS), "edges": []}},
    }
    write_analysis(str(folder / "poses" / "clip" / "first"), poses, story)
    return folder


@pytest.fixture
def asked(monkeypatch):
    """What the verb is asked for, without the work."""
    calls: list[tuple[str, dict[str, object]]] = []

    def report(source: str, **options: object) -> str:
        calls.append((source, options))
        return str(source) + "/report.html"

    monkeypatch.setattr(showing_commands, "report_verb", report)
    return calls


def test_a_report_of_poses_is_written_beside_them_and_named(posenb, project):
    folder = project / "poses" / "clip" / "first"
    done = posenb("report", folder, "--quiet")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip() == str(folder / "report.html")
    assert done.stderr == ""
    text = (folder / "report.html").read_text()
    assert "<h1>clip.mp4</h1>" in text
    assert 'id="clip-data"' in text


def test_an_analyzed_video_stands_for_its_poses_and_a_run_for_itself(posenb, project, asked):
    video, run = project / "videos" / "clip.mp4", project / "runs" / "first"
    done = posenb("report", video, run, "--quiet")
    assert done.exit_code == 0, done.output
    assert [source for source, _ in asked] == [str(project / "poses" / "clip" / "first"), str(run)]
    assert [options["video"] for _, options in asked] == [str(video), None]
    assert len(done.stdout.splitlines()) == 2


def test_options_reach_the_verb_as_python_would_give_them(posenb, project, asked):
    options = ("--start", "5", "--stop", "0.9s", "--cutoff", "0.2", "--theme", "dark")
    done = posenb("report", project / "poses" / "clip" / "first", *options, "--output", "a.html")
    assert done.exit_code == 0, done.output
    given = asked[0][1]
    assert (given["start"], given["stop"]) == (5, "0.9s")
    assert (given["cutoff"], given["theme"], given["output"]) == (0.2, "dark", "a.html")


def test_options_that_are_not_given_are_left_to_the_verb(posenb, project, asked):
    posenb("report", project / "poses" / "clip" / "first")
    assert asked[0][1].keys() == {"output", "video", "progress"}


@pytest.mark.parametrize("options", [("--output", "a.html"), ("--video", "b.mp4")])
def test_one_output_does_not_go_with_several_reports(posenb, project, asked, options):
    folder = project / "poses" / "clip" / "first"
    done = posenb("report", folder, folder, *options)
    assert done.exit_code == 1
    assert "one by one" in done.stderr
    assert asked == []


@pytest.mark.parametrize("options", [("--start", "soon"), ("--theme", "drak"), ("--cutoff", "x")])
def test_an_option_that_means_nothing_is_a_usage_error(posenb, project, asked, options):
    done = posenb("report", project / "poses" / "clip" / "first", *options)
    assert done.exit_code == 2
    assert asked == []


def test_where_there_are_no_poses_it_says_so(posenb, tmp_path):
    done = posenb("report", tmp_path)
    assert done.exit_code == 1
    assert "Poses are named by their folder" in done.stderr


# --- the browser ---------------------------------------------------------------------


@pytest.mark.parametrize(("flag", "count"), [("--open", 1), ("--no-open", 0)])
def test_the_browser_is_opened_if_it_is_asked_for(posenb, project, asked, shown, flag, count):
    folder = project / "poses" / "clip" / "first"
    posenb("report", folder, flag)
    assert shown == [(folder / "report.html").as_uri()] * count


def test_the_demo_opens_its_report_if_asked(posenb, monkeypatch, shown, tmp_path):
    class Found:
        page_url = str(tmp_path / "report.html")

    monkeypatch.setattr(showing_commands, "demo_verb", lambda *_, **__: Found())
    posenb("demo", tmp_path, "--open")
    assert shown == [(tmp_path / "report.html").as_uri()]


def test_the_demo_trains_if_asked(posenb, monkeypatch, tmp_path):
    class Found:
        page_url = str(tmp_path / "report.html")

    given = {}
    monkeypatch.setattr(
        showing_commands, "demo_training_verb", lambda **options: given.update(options) or Found()
    )
    posenb("demo", tmp_path, "--train", "--steps", "3")
    assert given.pop("progress")
    assert given == {"folder": str(tmp_path), "steps": 3}


def test_an_option_of_training_wants_training(posenb, tmp_path):
    done = posenb("demo", tmp_path / "d", "--steps", "3")
    assert done.exit_code == 1
    assert "--steps: only training has this. Add --train" in done.stderr
    assert not (tmp_path / "d").exists()


@pytest.mark.parametrize(
    ("terminal", "surroundings", "platform", "opens"),
    [
        (True, {"DISPLAY": ":0"}, "linux", True),
        (True, {"WAYLAND_DISPLAY": "wayland-0"}, "linux", True),
        (True, {}, "darwin", True),
        (True, {}, "win32", True),
        (True, {}, "linux", False),
        (False, {"DISPLAY": ":0"}, "linux", False),
        (True, {"DISPLAY": ":0", "CI": "true"}, "linux", False),
    ],
)
def test_unasked_it_is_opened_at_a_terminal_with_a_screen(
    monkeypatch, shown, tmp_path, terminal, surroundings, platform, opens
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "CI"):
        monkeypatch.delenv(name, raising=False)
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(browsing.sys, "platform", platform)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal, raising=False)
    show_page(str(tmp_path / "a b.html"), None)
    assert shown == ([(tmp_path / "a b.html").as_uri()] if opens else [])


def test_a_page_in_a_bucket_is_not_opened(shown):
    show_page("gs://lab/report.html", True)
    assert shown == []
