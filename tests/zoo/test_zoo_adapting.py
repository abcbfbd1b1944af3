"""A model that teaches itself on a video without labels."""

import json
from functools import partial
from importlib import import_module
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner
from zoo_models import KEYPOINTS, spot_at, spot_network, write_spots

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.cli import app
from posenb.errors import (
    ConfigError,
    InvalidInputError,
    MissingBackendError,
    UnknownNameError,
)
from posenb.inference import analyze as analyze_plainly
from posenb.project import create_project, open_project
from posenb.video import write_video
from posenb.zoo import adapt, analyze
from posenb.zoo.adaptation import Check
from posenb.zoo.adapting import _choose
from posenb.zoo.sizing import Size

adapting = import_module("posenb.zoo.adapting")
training = import_module("posenb.training.train")  # the module, whose name the verb has taken
COUNT = 90


@pytest.fixture(autouse=True, scope="module")
def small(tmp_path_factory):
    """Let the network be that of the spots, uncompiled, which saves most of the time."""
    compile_model = keras.Model.compile

    def compile_eagerly(self, *args, **options):
        compile_model(self, *args, **{**options, "run_eagerly": True})

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("POSENB_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setattr(keras.Model, "compile", compile_eagerly)
        patch.setattr("posenb.models.files.build_network", spot_network)
        patch.setattr(training, "build_network", spot_network)
        yield


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    return write_spots(tmp_path_factory.mktemp("film") / "film.mp4", COUNT)


@pytest.fixture(scope="module")
def call(published, film):
    """Adapt the model to the film, in a few steps."""

    def adapted(output, **options):
        options = {"size": 1.0, "steps": 2, "progress": silent_progress, **options}
        return adapt(film, published / "spots", output=output, **options)

    return adapted


@pytest.fixture(scope="module")
def finished(call, tmp_path_factory):
    """An adaptation that was not kept, and its folder, not to be changed."""
    folder = tmp_path_factory.mktemp("finished") / "mine"
    return call(folder), folder


@pytest.fixture
def adapted(call, tmp_path):
    """Adapt it in a folder of the test's."""
    return partial(call, tmp_path / "mine")


@pytest.fixture
def lenient(monkeypatch):
    """Let every adapted model pass."""
    checks = (Check("likes it", "no", "yes", "yes", passed=True),)
    monkeypatch.setattr(adapting, "compare", lambda *_, **__: checks)


# Which frames


@pytest.mark.parametrize("count", [80, 81, 128, 2330, 100_000])
def test_the_held_out_block_lies_in_the_midst_and_apart_from_what_trains(count):
    taught, held = _choose(count)
    assert len(held) >= 16
    assert len(taught) >= 40
    assert min(taught) == 1
    assert max(taught) == count - 2
    gap = min(abs(a - b) for a in taught for b in held)
    assert gap >= 0.04 * count
    assert not [each for each in taught if min(held) < each < max(held)]


def test_a_video_too_short_to_hold_a_part_out_is_refused():
    with pytest.raises(InvalidInputError, match="takes 80 frames; it has 79"):
        _choose(79)


# The whole


def test_a_model_that_is_no_better_stays_as_it_was_and_the_figures_say_why(
    finished, published, film
):
    result, folder = finished
    assert not result.kept
    assert result.model == str(published / "spots")
    assert "spots stays as it was" in result.reason
    for check in result.checks:
        assert (check.measure.partition(",")[0] in result.reason) == (not check.passed)
    assert result.before.found == 1
    assert result.taught >= 30
    assert not (folder / "zoo").exists()


def test_it_learned_from_what_it_was_sure_of_and_not_in_the_held_out_block(finished):
    result, folder = finished
    labels = open_project(folder).labels()
    numbers = [frame.number for frame in labels.frames]
    assert len(numbers) == result.taught
    assert not [n for n in numbers if 0.35 * COUNT < n < 0.65 * COUNT]
    for number, points in zip(numbers, labels.positions[:, 0], strict=True):
        known = points[~np.isnan(points[:, 0])]
        np.testing.assert_allclose(known, np.tile(spot_at(number), (len(known), 1)), atol=1)
    config = result.run.config()
    assert (config.unlabelled, config.steps) == ("unknown", 2)
    assert config.learning_rate < 1e-3
    assert config.start_keypoints == {name: name for name in KEYPOINTS}
    assert result.run.split().train == labels.frames


def test_the_run_is_one_to_analyze_with(finished, film, tmp_path):
    poses = analyze_plainly(
        finished[0].run, film, stop=3, output=tmp_path / "poses", progress=silent_progress
    )
    np.testing.assert_allclose(poses.positions[:, 0, 0], [spot_at(n) for n in range(3)], atol=1.5)


def test_a_kept_model_is_one_of_the_zoo_and_tells_of_what_it_came(adapted, lenient, film, tmp_path):
    result = adapted()
    assert result.kept
    assert result.model == str(tmp_path / "mine" / "zoo" / "spots_adapted")
    assert result.model in result.reason
    card = pn.zoo.show(result.model)
    assert card.title == "A bright spot, adapted to one video"
    assert card.data[-1].used == f"{result.taught} frames"
    assert "its error is not known" in card.limits[-1]
    assert card.accuracy == ()
    poses = analyze(
        film, result.model, size=1.0, stop=3, output=tmp_path / "poses", progress=silent_progress
    )
    np.testing.assert_allclose(poses.positions[:, 0, 0], [spot_at(n) for n in range(3)], atol=1.5)


class _StopAt:
    """A progress that ends everything where some work begins."""

    def __init__(self, work, times=1):
        self.work, self.times = work, times

    def __call__(self, total, description, unit="it", initial=0):
        self.times -= description == self.work
        if self.times == 0:
            raise KeyboardInterrupt
        return silent_progress(total, description, unit, initial)


@pytest.mark.parametrize(
    ("work", "times"),
    [("Looking at the video", 1), ("Training", 1), ("Looking at the video", 3)],
    ids=["before", "in training", "after"],
)
def test_stopped_and_called_again_it_ends_the_same(work, times, adapted, finished):
    with pytest.raises(KeyboardInterrupt):
        adapted(progress=_StopAt(work, times))
    again, whole = adapted(), finished[0]
    assert (again.checks, again.before, again.after) == (whole.checks, whole.before, whole.after)


def test_a_finished_one_is_not_trained_again(finished, call, monkeypatch):
    result, folder = finished
    monkeypatch.setattr(training, "_train", None)
    assert call(folder) == result


def test_the_size_is_found_once(finished, adapted, monkeypatch, tmp_path):
    def only_once(*_):
        monkeypatch.setattr(adapting, "measure", None)
        return Size(1.0, 0.9)

    monkeypatch.setattr(adapting, "measure", only_once)
    with pytest.raises(KeyboardInterrupt):
        adapted(size=None, progress=_StopAt("Looking at the video"))
    with pytest.raises(KeyboardInterrupt):
        adapted(size=None, progress=_StopAt("Looking at the video"))
    told = json.loads((tmp_path / "mine" / "adapting.json").read_text())
    assert (told["size"], told["found"]) == (None, 1.0)


def test_without_an_animal_it_learns_nothing_and_says_so(published, tmp_path):
    dark = tmp_path / "dark.mp4"
    write_video(dark, np.zeros((COUNT, 64, 96, 3), np.uint8), fps=25)
    result = adapt(dark, published / "spots", size=1.0, progress=silent_progress)
    assert not result.kept
    assert result.run is None
    assert result.after is None
    assert "in 0 of 48 frames it is sure" in result.reason
    assert (tmp_path / "dark_adapted").is_dir()


# What is refused


def test_a_folder_holds_one_adaptation(finished, call):
    with pytest.raises(InvalidInputError, match="differs in steps, seed"):
        call(finished[1], steps=3, seed=1)


def test_a_folder_with_something_else_is_left_alone(adapted, tmp_path):
    create_project(tmp_path / "mine", keypoints=KEYPOINTS)
    before = sorted((tmp_path / "mine").iterdir())
    with pytest.raises(InvalidInputError, match="holds something else"):
        adapted()
    assert sorted((tmp_path / "mine").iterdir()) == before


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"size": 5.0}, InvalidInputError, "0.25 to 4 times"),
        ({"steps": 0}, ConfigError, "steps"),
        ({"seed": -1}, ConfigError, "seed"),
    ],
)
def test_options_out_of_range_are_refused_before_anything_is_written(
    options, error, message, adapted, tmp_path
):
    with pytest.raises(error, match=message):
        adapted(**options)
    assert not (tmp_path / "mine").exists()


def test_an_unknown_model_is_refused_and_the_known_ones_named(film):
    with pytest.raises(UnknownNameError, match="mouse_openfield"):
        adapt(film, "mouse_openfeld")


def test_without_a_backend_it_says_what_to_install(film, monkeypatch):
    monkeypatch.setattr("posenb._optional.find_spec", lambda name: None)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(MissingBackendError, match="neither is installed"):
        adapt(film, "mouse_openfield")
    assert not storage.exists(film.with_name("film_adapted"))


def test_the_command_prints_the_table_and_the_verdict(finished, published, film, tmp_path):
    result, folder = finished
    words = ["zoo", "adapt", str(published / "spots"), str(film), "--output", str(folder)]
    done = CliRunner().invoke(app, [*words, "--size", "1", "--steps", "2", "--quiet"])
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{result!r}\n"
    assert "views of a frame apart, px" in done.stdout
    assert "measured on 18 others" in done.stdout
    assert "spots stays as it was" in done.stdout
