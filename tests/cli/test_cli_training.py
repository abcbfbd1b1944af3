"""Commands for trainings that go on somewhere else."""

import os
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from posenb import storage
from posenb.cli.runs import choose_training
from posenb.core import TrainConfig
from posenb.errors import ProjectError, TrainingStoppedError, UnknownNameError
from posenb.jobs import alone, attended, starting
from posenb.jobs.record import own_record, write_record
from posenb.project import Run, create_project

ROW = {"step": 100, "seconds": 30.0, "loss": 0.25, "validation_error": 4.5}


@pytest.fixture
def begun(tmp_path) -> Run:
    """A run that was begun, of a project of its own."""
    project = create_project(tmp_path / "a", keypoints=["snout"])
    return begin(project.url, "first")


def begin(project: str, name: str) -> Run:
    run = Run(storage.join(project, "runs", name))
    storage.write_text(run.config_url, TrainConfig(steps=1000).model_dump_json())
    return run


def test_watch_shows_how_a_training_goes_and_ends_with_it(posenb, begun):
    with suppress(TrainingStoppedError), alone(begun), attended(begun) as attendance:
        attendance.tell([ROW])
        once = posenb("watch", begun.project_url, "--once")
        raise TrainingStoppedError("Stopped after 100 of 1000 steps.")
    assert once.exit_code == 0, once.output
    assert once.stdout.splitlines()[0].startswith("first: training · step 100 of 1000 · at most ")
    assert "validation error 4.50 px (best 4.50 px at step 100)" in once.stdout
    ended = posenb("watch", begun.url)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.startswith("first: stopped · step 100 of 1000")


def test_watch_of_a_dead_training_fails_and_says_how_to_go_on(posenb, begun):
    write_record(begun, own_record("training"))
    done = posenb("watch", begun.url)
    assert done.exit_code == 1
    assert "first: died" in done.stdout
    assert f"posenb train {begun.project_url} --name first" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child alone")
def test_to_leave_the_watching_ends_nothing(begun):
    program = "from posenb.cli import main; main()"
    with alone(begun), attended(begun) as attendance:
        attendance.tell([ROW])
        child = subprocess.Popen(
            [sys.executable, "-c", program, "watch", begun.url], stdout=subprocess.PIPE, text=True
        )
        assert "step 100" in child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.communicate(timeout=60)
        assert child.returncode == 130
        assert attendance.tell([ROW]) is False


def test_stop_training_asks_it_to_stop(posenb, begun):
    with alone(begun), attended(begun) as attendance:
        assert attendance.tell([]) is False
        done = posenb("stop-training", begun.project_url)
        assert done.exit_code == 0, done.output
        assert f"posenb train {begun.project_url} --name first" in done.stdout
        assert attendance.tell([ROW]) is True


def test_what_does_not_train_cannot_be_stopped(posenb, begun):
    done = posenb("stop-training", begun.url)
    assert done.exit_code == 1
    assert "'first' is stopped" in done.stderr


def test_train_in_the_background_starts_itself_and_returns(posenb, project, monkeypatch):
    commands = []

    class Child:
        pid = 2**22 + 5

        def __init__(self, command, **_):
            commands.append(command)

        def poll(self):
            return None

    monkeypatch.setattr(starting.subprocess, "Popen", Child)
    monkeypatch.setattr(starting, "_children", {})
    done = posenb("train", project.url, "--name", "first", "--background", "--weights", "none")
    assert done.exit_code == 0, done.output
    assert done.stdout.strip().endswith("runs/first")
    assert commands[0][-4:] == ["train", project.url, "--name", "first"]


def test_the_unfinished_run_of_a_project_is_meant(begun):
    assert choose_training(begun.project_url) == begun
    assert choose_training(begun.url) == begun
    done = begin(begun.project_url, "done")
    storage.write_bytes(done.model_url, b"the model")
    assert choose_training(begun.project_url) == begun
    assert choose_training(begun.project_url, "done") == done
    begin(begun.project_url, "second")
    with pytest.raises(ProjectError, match=r"has first, second\. Choose with --run"):
        choose_training(begun.project_url)


def test_a_run_that_is_not_there_is_named(tmp_path, begun):
    with pytest.raises(UnknownNameError, match="first"):
        choose_training(begun.project_url, "frist")
    empty = create_project(tmp_path / "b", keypoints=["snout"])
    with pytest.raises(ProjectError, match=r"has none\. Train first"):
        choose_training(empty.url)
