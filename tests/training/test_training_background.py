"""Training in a process of its own: refused here, done there, stopped, killed and resumed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Self

import numpy as np
import pytest
from made_projects import TINY, dot_project

import posenb as pn
from posenb import storage
from posenb._progress import silent_progress
from posenb.core import TrainConfig
from posenb.errors import (
    ConfigError,
    LabelError,
    TrainingError,
    TrainingStoppedError,
    UnknownNameError,
)
from posenb.jobs import Observation, alone, observe, starting
from posenb.models import load_predictor
from posenb.project import Project, Run, create_project, list_runs
from posenb.training import train
from posenb.training.checkpoints import read_checkpoint


def tiny(project: Project, name: str | None = None, **options: Any) -> Run:
    return train(project, name=name, **{"progress": silent_progress, **TINY, **options})


@pytest.fixture
def own_project(tmp_path: Path) -> Project:
    return dot_project(tmp_path / "own")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that would have been started; none is."""
    commands: list[list[str]] = []

    class Child:
        pid = 2**22 + 5

        def __init__(self, command: list[str], **_: object) -> None:
            commands.append(command)

        def poll(self) -> None:
            return None

    monkeypatch.setattr(starting.subprocess, "Popen", Child)
    monkeypatch.setattr(starting, "_children", {})
    return commands


# What is decided before anything starts


def test_background_returns_at_once_and_starts_the_command(
    own_project: Project, started: list[list[str]]
) -> None:
    run = tiny(own_project, "first", background=True)
    assert started[0][-4:] == ["train", own_project.url, "--name", "first"]
    assert run.config() == TrainConfig.from_options(**TINY)
    assert sum(map(len, (run.split().train, run.split().validation, run.split().test))) == 10
    assert observe(run).phase == "starting"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"learning_rat": 1}, ConfigError),
        ({"steps": 0}, ConfigError),
        ({"backbone": "mobilenet_v2_35"}, UnknownNameError),
    ],
)
def test_what_cannot_be_trained_is_refused_here(
    own_project: Project, started: list[list[str]], options: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        tiny(own_project, background=True, **options)
    assert started == []
    assert list_runs(own_project.url) == ()


def test_an_unlabelled_project_is_refused_here(tmp_path: Path, started: list[list[str]]) -> None:
    with pytest.raises(LabelError, match="No labels"):
        tiny(create_project(str(tmp_path / "empty"), keypoints=("dot",)), background=True)
    assert started == []


def test_a_project_in_memory_is_refused_before_a_run_is_begun(
    tmp_path: Path, started: list[list[str]]
) -> None:
    project = dot_project(f"memory://{tmp_path.name}", count=6)
    with pytest.raises(TrainingError, match="in the memory of this one"):
        tiny(project, background=True)
    assert list_runs(project.url) == ()


def test_a_run_that_is_trained_already_is_returned_and_not_started_twice(
    own_project: Project, started: list[list[str]]
) -> None:
    run = tiny(own_project, "busy", background=True)
    assert tiny(own_project, "busy", background=True) == run
    with pytest.raises(TrainingError, match="keeps the config"):
        tiny(own_project, "busy", background=True, seed=7)
    with alone(run), pytest.raises(TrainingError, match="'busy' is not free"):
        tiny(own_project, "busy")
    assert len(started) == 1


def test_a_finished_run_starts_nothing(
    own_project: Project, small: None, started: list[list[str]]
) -> None:
    run = tiny(own_project, "done")
    assert tiny(own_project, "done", background=True) == run
    assert started == []


# Stopped and resumed within this process


def test_a_run_that_was_begun_goes_on_by_its_name_alone(
    own_project: Project, small: None, started: list[list[str]]
) -> None:
    tiny(own_project, "first", background=True, seed=3)  # as if its process had died at once
    run = train(own_project, name="first", progress=silent_progress)
    assert run.finished
    assert run.config() == TrainConfig.from_options(**TINY, seed=3)


class StopAt:
    """A progress that asks for a stop when so many steps are done, as another would."""

    def __init__(self, run: Run, step: int) -> None:
        self._run, self._step, self._done = run, step, 0

    def __call__(
        self, total: int | None, description: str, unit: str = "it", initial: int = 0
    ) -> Self:
        self._counts = description == "Training"
        self._done = initial
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def advance(self, count: int = 1, **_: str) -> None:
        self._done += count * self._counts
        if self._counts and self._done == self._step:
            pn.stop_training(self._run)


def weights_of(run: Run) -> list[np.ndarray]:
    weights: list[np.ndarray] = load_predictor(run.model_url)[0].get_weights()
    return weights


def same_end(one: Run, other: Run) -> bool:
    """Whether two runs have the same weights, bit for bit, and the same curve but for time."""
    curves = [
        [(row.step, row.loss, row.validation_error) for row in observe(run).rows]
        for run in (one, other)
    ]
    same = all(np.array_equal(a, b) for a, b in zip(*map(weights_of, (one, other)), strict=True))
    return same and curves[0] == curves[1]


def test_stopped_a_run_keeps_its_checkpoint_and_ends_as_if_it_had_never_stopped(
    own_project: Project, small: None
) -> None:
    whole = tiny(own_project, "whole")
    run = Run(storage.join(own_project.runs_url, "stopped"))
    # Each validation is a place to stop: before the first step, after steps 2 and 4.
    for asked, kept in ((1, 2), (3, 4)):
        with pytest.raises(TrainingStoppedError, match=rf"after {kept} of 6 steps"):
            tiny(own_project, "stopped", progress=StopAt(run, asked))
        checkpoint = read_checkpoint(run.checkpoint_url)
        assert checkpoint is not None
        assert checkpoint.step == kept
        seen = observe(run)
        assert (seen.phase, seen.rows[-1].step) == ("stopped", kept)
    assert same_end(tiny(own_project, "stopped"), whole)


def test_a_request_that_comes_after_the_last_validation_stops_nothing(
    own_project: Project, small: None
) -> None:
    run = Run(storage.join(own_project.runs_url, "late"))
    assert tiny(own_project, "late", progress=StopAt(run, 6)).finished
    assert not storage.exists(run.stop_url)
    assert observe(run).phase == "finished"


def test_the_curve_is_there_while_a_run_trains(
    own_project: Project, small: None, train_module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(storage.join(own_project.runs_url, "live"))
    seen: list[Observation] = []
    validator = train_module._validator

    def spying(*arguments: Any) -> Callable[[], float]:
        validate = validator(*arguments)

        def look() -> float:
            seen.append(observe(run))
            return float(validate())

        return look

    monkeypatch.setattr(train_module, "_validator", spying)
    tiny(own_project, "live")
    assert [each.phase for each in seen] == ["training"] * 3
    assert [len(each.rows) for each in seen] == [0, 1, 2]
    final = observe(run).rows
    assert final[:2] == seen[2].rows
    assert len(final) == 3


def test_what_goes_wrong_in_training_is_in_its_record(
    tmp_path: Path, small: None, started: list[list[str]]
) -> None:
    project = dot_project(tmp_path / "own")
    for frame in project.labels().frames:
        storage.write_text(project.image_url(frame), "no image")
    with pytest.raises(LabelError):
        tiny(project, "broken")
    seen = observe(Run(storage.join(project.runs_url, "broken")))
    assert seen.phase == "failed"
    assert seen.record is not None
    assert "is not" in seen.record.message


# The real thing: processes, signals, the compiled step

STARTER = """
import os, time
import posenb as pn
pn.train({url!r}, pn.TrainConfig(**{config!r}), name="run", background=True)
print(os.getpid(), flush=True)
time.sleep(600)
"""


def wait_for(run: Run, wanted: Callable[[Observation], bool]) -> Observation:
    """Look at a run until it is as wanted."""
    deadline = time.monotonic() + 240
    seen = observe(run)
    while not wanted(seen):
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)
        seen = observe(run, seen)
    return seen


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_in_the_background_a_run_outlives_its_kernel_and_a_kill_and_ends_bit_for_bit(
    learned_run: Run, tmp_path: Path
) -> None:
    project = dot_project(tmp_path / "own", count=12)  # as that of the run learned
    run = Run(storage.join(project.runs_url, "run"))
    code = STARTER.format(config=learned_run.config().model_dump(), url=project.url)
    kernel = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True
    )
    try:
        assert kernel.stdout is not None
        assert kernel.stdout.readline().strip() == str(kernel.pid).encode()
    finally:
        os.killpg(kernel.pid, signal.SIGKILL)  # as a server ends a kernel, with its group
        kernel.communicate()
    begun = wait_for(run, lambda seen: bool(seen.rows))
    with pytest.raises(TrainingError, match="'run' is not free"):
        train(project, name="run")
    assert train(project, name="run", background=True) == run
    assert begun.record is not None
    os.kill(begun.record.pid, signal.SIGKILL)
    died = wait_for(run, lambda seen: seen.phase == "died")
    assert any(line.startswith("Training") for line in died.log)
    starting.resume(run)
    pn.stop_training(run.url)  # it hears this before its first step
    stopped = wait_for(run, lambda seen: seen.phase == "stopped")
    assert stopped.record is not None
    assert "as was asked for" in stopped.record.message
    assert same_end(train(project, name="run", progress=silent_progress), learned_run)
