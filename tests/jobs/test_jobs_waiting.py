"""Waiting for a training that goes on elsewhere."""

import threading
from pathlib import Path

import pytest

from posenb import storage
from posenb._progress import silent_progress
from posenb.core import TrainConfig
from posenb.errors import ProjectError, TrainingError
from posenb.jobs import alone, attended, wait_for_training, waiting
from posenb.project import Run

ROWS = (
    {"step": 100, "seconds": 30.5, "loss": 0.5, "validation_error": 9.25},
    {"step": 200, "seconds": 50.5, "loss": 0.25, "validation_error": 4.5},
)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    run = Run(storage.join(str(tmp_path), "runs", "first"))
    storage.write_text(run.config_url, TrainConfig(steps=200).model_dump_json())
    return run


class Bars:
    """A progress that notes what it is told."""

    def __init__(self) -> None:
        self.total = None
        self.told: list[tuple[int, dict[str, str]]] = []

    def __call__(self, total, description, unit="it", initial=0):
        self.total, self.initial = total, initial
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def advance(self, count=1, **figures):
        self.told.append((count, figures))


def test_a_finished_run_is_returned_at_once(run: Run):
    storage.write_bytes(run.model_url, b"the model")
    assert wait_for_training(run.url, progress=None) == run


def test_it_returns_when_the_training_ends_and_tells_of_each_validation(run: Run, monkeypatch):
    monkeypatch.setattr(waiting, "_LOCAL", 0.02)
    bars, first = Bars(), threading.Event()
    begun = threading.Event()

    def train() -> None:
        with alone(run), attended(run) as attendance:
            attendance.tell(ROWS[:1])
            begun.set()
            first.wait(20)
            attendance.tell(ROWS)
            storage.write_bytes(run.model_url, b"the model")

    class Listening(Bars):
        def advance(self, count=1, **figures):
            super().advance(count, **figures)
            first.set()

    bars = Listening()
    worker = threading.Thread(target=train)
    worker.start()
    assert begun.wait(20)
    assert wait_for_training(run, progress=bars) == run
    worker.join()
    assert (bars.total, bars.initial) == (200, 100)  # no speed: it was done before
    assert sum(count for count, _ in bars.told) == 100
    assert bars.told[0] == (0, {"error": "9.25 px"})


def test_a_training_that_failed_is_told_with_its_reason_and_how_it_goes_on(run: Run):
    with pytest.raises(TrainingError), alone(run), attended(run):
        raise TrainingError("The loss must stay a number.")
    with pytest.raises(TrainingError, match=r"failed.*must stay a number.*name='first'"):
        wait_for_training(run, progress=silent_progress)


def test_what_nobody_trains_is_not_waited_for(run: Run):
    with pytest.raises(TrainingError, match="has stopped"):
        wait_for_training(run, progress=silent_progress)


def test_what_is_no_run_is_named(tmp_path: Path):
    with pytest.raises(ProjectError):
        wait_for_training(tmp_path / "nothing", progress=silent_progress)
