"""What can be seen of a training from the files of its run, without training anything."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from posenb import storage
from posenb.core import TrainConfig
from posenb.errors import (
    ConfigError,
    MissingBackendError,
    ProjectError,
    TrainingError,
    TrainingStoppedError,
)
from posenb.jobs import Record, alone, attended, launch, observe, resume, starting, stop_training
from posenb.jobs.record import own_record, read_record, write_record
from posenb.project import Run
from posenb.storage import locks

ROWS = (
    {"step": 100, "seconds": 30.5, "loss": 0.5, "validation_error": 9.25},
    {"step": 200, "seconds": 50.5, "loss": 0.25, "validation_error": float("nan")},
)
HOLD = """
import sys, time
from posenb import jobs
from posenb.project import Run
run = Run(sys.argv[1])
with jobs.alone(run), jobs.attended(run) as attendance:
    attendance.tell([])
    print("ready", flush=True)
    time.sleep(60)
"""


def begun(url: object) -> Run:
    run = Run(storage.join(str(url), "runs", "first"))
    storage.write_text(run.config_url, TrainConfig(steps=1000).model_dump_json())
    return run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return begun(tmp_path / "project")


@pytest.fixture(params=["local", "memory"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> Run:
    url = tmp_path if request.param == "local" else f"memory://{tmp_path.name}-{id(request)}"
    return begun(url)


def other(state: str, **fields: object) -> Record:
    values = {"host": "elsewhere", "pid": 7, "since": time.time(), **fields}
    return Record(state=state, **values)


# How it goes


def test_a_run_that_nothing_trains_is_stopped(anywhere: Run):
    seen = observe(anywhere)
    assert (seen.phase, seen.rows, seen.record, seen.goes_on) == ("stopped", (), None, False)
    assert seen.config.steps == 1000


def test_a_training_is_followed_from_its_start_to_its_end(anywhere: Run):
    with alone(anywhere), attended(anywhere) as attendance:
        assert observe(anywhere).phase == "starting"
        assert attendance.tell([]) is False
        assert observe(anywhere).phase == "training"
        assert attendance.tell(ROWS) is False
        seen = observe(anywhere)
        assert [row.step for row in seen.rows] == [100, 200]
        assert seen.rows[0] == (100, 30.5, 0.5, 9.25)
        assert seen.goes_on
        storage.write_bytes(anywhere.model_url, b"the model")
    assert observe(anywhere).phase == "finished"
    assert read_record(anywhere).state == "finished"


def test_a_finished_run_whose_model_was_removed_is_not_finished(run: Run):
    write_record(run, own_record("finished"))
    assert observe(run).phase == "stopped"


def test_what_goes_wrong_is_told_in_its_own_words(anywhere: Run):
    with pytest.raises(TrainingError), alone(anywhere), attended(anywhere):
        raise TrainingError("The loss must stay a number.")
    seen = observe(anywhere)
    assert (seen.phase, seen.record.message) == ("failed", "The loss must stay a number.")
    with pytest.raises(MemoryError), alone(anywhere), attended(anywhere):
        raise MemoryError("none left")
    assert observe(anywhere).record.message == "MemoryError: none left"


def test_an_interrupted_training_is_a_stopped_one(run: Run):
    with pytest.raises(KeyboardInterrupt), alone(run), attended(run):
        raise KeyboardInterrupt
    assert observe(run).phase == "stopped"


def test_a_killed_training_is_known_for_dead_and_can_be_held_again(run: Run):
    child = subprocess.Popen([sys.executable, "-c", HOLD, run.url], stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"ready\n"
        assert observe(run).phase == "training"
        with pytest.raises(TrainingError, match="'first' is not free"), alone(run):
            pytest.fail("two trained the run")
    finally:
        child.kill()
        child.communicate()
    assert observe(run).phase == "died"
    with alone(run), attended(run):
        assert observe(run).phase == "starting"


def test_a_silent_holder_in_a_bucket_dies_after_a_while(tmp_path: Path):
    run = begun(f"memory://{tmp_path.name}")
    write_record(run, other("training"))
    lease = locks._Lease(locks._lock_url(run.lock_url), 1, "someone")
    assert lease.create()
    seen = observe(run, now=0.0)
    assert seen.phase == "training"
    seen = observe(run, seen, now=20.0)
    assert seen.phase == "training"
    storage.write_bytes(lease.url, lease.content(beat=1))  # it lives
    seen = observe(run, seen, now=40.0)
    assert (seen.phase, seen.sign_at) == ("training", 40.0)
    seen = observe(run, seen, now=66.0)
    assert seen.phase == "died"


def test_a_dead_holders_lock_in_a_bucket_passes_on(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(locks, "_LEASE", 0.5)
    run = begun(f"memory://{tmp_path.name}")
    assert locks._Lease(locks._lock_url(run.lock_url), 1, "someone").create()
    with alone(run), attended(run):
        assert observe(run).phase == "starting"


def test_the_last_lines_of_a_dead_trainings_log_are_shown(run: Run, tmp_path: Path):
    log = tmp_path / "log"
    lines = [f"line {n}" for n in range(20)]
    log.write_bytes("\n".join([*lines, "10 %\r20 %\r30 %", "", "gone\n"]).encode())
    write_record(run, own_record("training", log=str(log)))
    seen = observe(run)
    assert seen.phase == "died"
    assert seen.log[-3:] == ("line 19", "30 %", "gone")
    assert len(seen.log) == 8
    write_record(run, other("training", log=str(log)))
    assert observe(run).log == ()  # a file of that name here is another


def test_the_moment_of_the_last_row_is_kept_until_another_comes(run: Run):
    with alone(run), attended(run) as attendance:
        attendance.tell(ROWS[:1])
        first = observe(run, now=10.0)
        second = observe(run, first, now=15.0)
        assert (second.at, second.row_at) == (15.0, 10.0)
        attendance.tell(ROWS)
        assert observe(run, second, now=20.0).row_at == 20.0


def test_what_is_no_run_is_named(tmp_path: Path):
    with pytest.raises(ProjectError, match="a folder with a config"):
        observe(tmp_path)


def test_a_record_of_another_make_is_refused(run: Run):
    storage.write_text(run.record_url, json.dumps({"state": "dancing"}))
    with pytest.raises(ConfigError, match="Record"):
        observe(run)


# Stopping


def test_a_request_to_stop_reaches_the_training_at_its_next_validation(anywhere: Run):
    with suppress(TrainingStoppedError), alone(anywhere), attended(anywhere) as attendance:
        assert attendance.tell([]) is False
        stop_training(anywhere)
        assert observe(anywhere).phase == "stopping"
        stop_training(anywhere)  # again, as by a second click
        assert attendance.tell(ROWS[:1]) is True
        raise TrainingStoppedError("Stopped after 100 of 1000 steps.")
    seen = observe(anywhere)
    assert (seen.phase, seen.record.message) == ("stopped", "Stopped after 100 of 1000 steps.")
    assert not storage.exists(anywhere.stop_url)


def test_a_request_meant_for_a_process_before_stops_nothing(run: Run):
    storage.write_text(run.stop_url, "7 elsewhere")
    with alone(run), attended(run) as attendance:
        assert attendance.tell([]) is False
        assert observe(run).phase == "training"


@pytest.mark.parametrize(
    ("state", "said"), [("stopped", "is stopped"), ("training", "not being trained")]
)
def test_what_does_not_go_on_cannot_be_stopped(run: Run, state: str, said: str):
    write_record(run, other(state))
    with pytest.raises(TrainingError, match=said):
        stop_training(run.url)
    assert not storage.exists(run.stop_url)


# Starting


class Child:
    """Stands for a process that was started."""

    def __init__(self, command: list[str], **options: object):
        Child.command = command
        self.pid = 2**22 + 5  # no system has a process of this number
        self.ended = None
        options["stdout"].write(b"something went wrong\n")

    def poll(self):
        return self.ended


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> type[Child]:
    monkeypatch.setattr(starting.subprocess, "Popen", Child)
    monkeypatch.setattr(starting, "_children", {})
    return Child


def test_a_run_is_started_as_the_command_line_would(run: Run, child: type[Child]):
    resume(run)
    assert child.command[0] == sys.executable
    assert child.command[-4:] == ["train", run.project_url, "--name", "first"]
    seen = observe(run)
    assert seen.phase == "starting"
    assert (seen.record.host, seen.record.pid) == (socket.gethostname(), 2**22 + 5)


def test_a_run_that_is_being_started_is_not_started_again(run: Run, child: type[Child]):
    resume(run)
    with pytest.raises(TrainingError, match="is being started by process"):
        resume(run)


def test_a_process_that_ends_before_it_holds_the_run_has_died(run: Run, child: type[Child]):
    resume(run)
    next(iter(starting._children.values())).ended = 1
    seen = observe(run)
    assert (seen.phase, seen.log) == ("died", ("something went wrong",))
    resume(run)
    assert observe(run).phase == "starting"


def test_a_process_of_another_machine_is_believed_in_for_some_minutes(run: Run):
    write_record(run, other("starting"))
    assert observe(run).phase == "starting"
    write_record(run, other("starting", since=time.time() - 600))
    assert observe(run).phase == "died"


def test_a_started_process_that_another_one_started_is_looked_up(run: Run, monkeypatch):
    monkeypatch.setattr(starting, "_children", {})
    write_record(run, own_record("starting"))
    assert observe(run).phase == "starting"  # this very process lives
    write_record(run, own_record("starting").replace(pid=2**22 + 5))
    assert observe(run).phase == "died"


def test_a_started_process_keeps_its_log_and_a_request_to_stop(run: Run):
    write_record(run, own_record("starting", log="/somewhere/log"))  # as `launch` leaves it
    stop_training(run)
    with alone(run), attended(run) as attendance:
        assert read_record(run).log == "/somewhere/log"
        assert attendance.tell([]) is True


def test_a_request_to_stop_the_process_before_goes_when_another_starts(
    run: Run, child: type[Child]
):
    storage.write_text(run.stop_url, f"{2**22 + 5} {socket.gethostname()}")
    resume(run)
    assert observe(run).phase == "starting"


def test_what_is_finished_is_not_trained_again(run: Run, child: type[Child]):
    storage.write_bytes(run.model_url, b"the model")
    with pytest.raises(TrainingError, match="'first' is finished"):
        resume(run)


def test_without_a_backend_nothing_starts(run: Run, monkeypatch):
    from posenb import _optional

    monkeypatch.setattr(_optional, "find_spec", lambda name: None)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(MissingBackendError, match=r"posenb\[tensorflow\]"), alone(run):
        launch(run)
    assert read_record(run) is None


def test_a_project_in_memory_cannot_be_trained_by_another_process(tmp_path: Path):
    with pytest.raises(TrainingError, match="in the memory of this one"):
        resume(begun(f"memory://{tmp_path.name}"))


def test_the_log_of_a_run_in_a_bucket_lies_in_the_cache(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("POSENB_CACHE", str(tmp_path / "cache"))
    log = starting._log_of(Run("gs://lab/reach/runs/first"))
    assert Path(log) == tmp_path / "cache" / "training-logs" / "first.log"
    assert Path(log).parent.is_dir()


def test_this_room_loads_no_keras():
    code = "import sys, posenb.jobs; print('keras' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_process_that_this_one_may_not_signal_lives(monkeypatch):
    def forbid(pid: int, number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbid)
    assert starting._alive(1)
