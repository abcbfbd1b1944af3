"""The forms: each step shows itself, and says in plain words what went wrong or is missing."""

import base64
import shutil
import sys
from types import ModuleType, SimpleNamespace

import pytest

from posenb import zoo
from posenb.app import Forms, engine, forms, results
from posenb.app.cells import Shown, note
from posenb.app.runner import PARTS, Order
from posenb.app.state import Options, Step, Trial
from posenb.errors import AnalysisError
from posenb.project import add_videos, open_project

PICTURE = "data:image/jpeg;base64,AAAA"


@pytest.fixture
def steps(tmp_path, empty_clip, monkeypatch):
    """Forms whose folder has a video of one's own, and a model that needs no time."""
    seen = Trial(1.0, 0.9, 0.1, 0.01)
    monkeypatch.setattr(engine, "try_model", lambda *_: (seen, PICTURE))
    made = Forms(tmp_path)
    made.video(own=True)
    shutil.copy(empty_clip, tmp_path / "arena.mp4")
    add_videos(open_project(tmp_path / "videos"), tmp_path / "arena.mp4")
    return made


def fails(error):
    def failing(*_, **__):
        raise error

    return failing


def test_nothing_is_asked_of_a_step_before_its_turn(tmp_path):
    made = Forms(tmp_path)
    assert "There is no video yet. Run step 2 first." in repr(made.models("mouse_openfield"))
    assert "There is no video yet" in repr(made.options())
    assert "There is no video yet" in repr(made.find())
    for step in (made.watch, made.trajectories, made.take_home):
        assert "Run step 5, then this step again." in repr(step())


def test_every_model_is_shown_with_its_picture_and_the_chosen_one_is_marked(steps):
    shown = steps.models("mouse_mirror")
    assert shown.html.count("data:image/png;base64,") == len(zoo.list())
    assert "* mouse_mirror" in shown.text
    assert (steps.walk.step, steps.walk.model) == (Step.OPTIONS, "mouse_mirror")


def test_a_model_that_there_is_not_is_told_and_the_others_are_shown(steps):
    shown = steps.models("mouse_openfeld")
    assert "Did you mean 'mouse_openfield'" in shown.text
    assert "Mouse in an open field" in shown.html
    assert "There is no model yet. Run step 3" in repr(steps.options())


def test_an_index_that_cannot_be_reached_is_told_and_the_others_are_shown(steps, tmp_path):
    shown = steps.models("mouse_openfield", str(tmp_path / "nowhere"))
    assert "No models can be read at" in shown.text
    assert "Errno" not in shown.text
    assert "* mouse_openfield" in shown.text


def test_models_of_an_added_index_can_be_chosen_with_their_pictures(steps, tmp_path):
    folder = tmp_path / "index"
    shutil.copytree(zoo.fetch("fly_above"), folder / "fly_above")
    shown = steps.models(str(folder / "fly_above"))
    assert "* fly_above" in shown.text
    assert steps.walk.model == str(folder / "fly_above")


def test_options_are_those_of_the_app_and_zeros_are_left_out(steps):
    steps.models("mouse_openfield")
    shown = steps.options("exact", 0.2, 0, 0)
    assert PICTURE in shown.html
    assert "sees its animal" in shown.text
    options = steps.walk.options
    assert (options.quality, options.start, options.stop, options.size) == (
        "exact",
        0.2,
        None,
        None,
    )
    assert "begins before it ends" in repr(steps.options("exact", 0.5, 0.2))
    assert "best" in repr(steps.options("best"))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "run this step again, and it goes on"),
        (AnalysisError("The folder is full. Free some space."), "Free some space."),
        (OSError(28, "No space left on device"), "is full"),
        (MemoryError(), "not enough memory"),
    ],
)
def test_whatever_stops_a_run_is_told_without_a_traceback_and_it_can_be_tried_again(
    steps, monkeypatch, error, said
):
    steps.models("mouse_openfield")
    monkeypatch.setattr(forms, "run", fails(error))
    assert said in repr(steps.find())
    assert steps.walk.step is Step.OPTIONS
    assert "Nothing has been found yet" in repr(steps.watch())


def test_a_file_that_is_no_video_is_refused_in_plain_words(steps, tmp_path):
    (tmp_path / "arena.mp4").write_bytes(b"%PDF-1.7" + bytes(900))
    assert "is a PDF document" in repr(steps.models("mouse_openfield"))


def test_another_video_takes_the_place_of_what_was_found(steps, tmp_path, empty_clip):
    steps.models("mouse_openfield")
    steps.outcome = SimpleNamespace(files={})
    shutil.copy(empty_clip, tmp_path / "barn.mp4")
    add_videos(open_project(tmp_path / "videos"), tmp_path / "barn.mp4")
    assert "barn.mp4" in repr(steps.models("mouse_openfield"))
    assert steps.outcome is None
    steps.video(own=True, name="arena")
    assert "arena.mp4" in repr(steps.models("mouse_openfield"))


def test_colab_is_handed_the_archive_and_a_notebook_a_link(steps, tmp_path, monkeypatch):
    steps.models("mouse_openfield")
    archive = tmp_path / "my poses" / "posenb-results.zip"
    steps.outcome = SimpleNamespace(files={"all": str(archive)})
    monkeypatch.setattr(forms, "show_walk", lambda *_: {"found": {"files": []}})
    monkeypatch.chdir(tmp_path)
    assert 'href="my%20poses/posenb-results.zip"' in steps.take_home().html
    brought = []
    colab = ModuleType("google.colab.files")
    colab.download = brought.append
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))
    monkeypatch.setitem(sys.modules, "google.colab.files", colab)
    steps.take_home()
    assert brought == [str(archive)]


def test_a_video_too_large_for_a_notebook_is_only_named(steps, tmp_path, monkeypatch):
    (tmp_path / "labelled.mp4").write_bytes(bytes(100))
    steps.outcome = SimpleNamespace(files={"video": str(tmp_path / "labelled.mp4")})
    assert base64.b64encode(bytes(100)).decode() in steps.watch().html
    monkeypatch.setattr(forms, "_LARGEST_SHOWN", 10)
    assert "too much to be shown here" in repr(steps.watch())


def test_words_of_others_never_become_html():
    assert "<b>" not in note("<b>").html
    assert "&lt;b&gt;" in Shown("", "")._repr_html_() + note("<b>").html


@pytest.mark.slow
def test_a_run_goes_through_the_same_parts_as_the_app_and_is_not_done_twice(steps, monkeypatch):
    steps.models("mouse_openfield")
    assert "hardly found its animal" in repr(steps.find())
    assert set(steps.outcome.files) == set(PARTS)
    monkeypatch.setattr(results, "draw_clip", None)
    assert "hardly found its animal" in repr(steps.find())


def test_an_order_calls_the_video_as_its_owner_does():
    assert Order("/somewhere/clip.mp4", "m").title == "clip.mp4"
    assert Order("/somewhere/video-1", "m", name="my clip.avi").title == "my clip.avi"


def test_frames_of_many_pixels_are_looked_at_one_by_one(empty_clip, monkeypatch):
    assert engine.config_of(empty_clip, Options()).batch_size == "auto"
    monkeypatch.setattr(engine, "SHARP", 160 * 120 - 1)
    assert engine.config_of(empty_clip, Options()).batch_size == 1
