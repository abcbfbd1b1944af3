"""What takes long, done by a thread of its own, watched from outside and stopped at will."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from posenb._progress import Progress
from posenb.app import engine, runner
from posenb.app.state import Clip, Found, Options, Trial
from posenb.app.visit import Visit
from posenb.errors import AnalysisError

__all__ = ["Job", "StoppedError", "Worker"]


class StoppedError(AnalysisError):
    """The visitor has stopped the work."""


@dataclass(slots=True)
class Job:
    """How far a run is; written by its thread, read by whoever watches.

    Parameters
    ----------
    stage : int
        Place in `STAGES`.
    done : int
        Units of the stage that are done.
    total : int or None
        All units of the stage, where they are known.
    began : float
        When the stage began, on a steady clock.
    unit : str
        What is counted.
    """

    stage: int = 0
    done: int = 0
    total: int | None = None
    began: float = 0.0
    unit: str = ""

    @property
    def share(self) -> float | None:
        """How much of the stage is done, 0 to 1, where that is known."""
        return min(1.0, self.done / self.total) if self.total else None

    def seconds_left(self, now: float) -> float | None:
        """Return how long the rest of the stage will take at the pace so far."""
        share = self.share
        if share is None or share < 0.02 or now - self.began < 2:
            return None
        return (now - self.began) * (1 - share) / share


class _Bar:
    """A bar that counts for a job, and ends the work when it shall stop."""

    def __init__(self, job: Job, total: int | None, initial: int, stop: threading.Event) -> None:
        self._job, self._stop = job, stop
        job.done, job.total, job.began = initial, total, time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Nothing is to be closed."""

    def advance(self, count: int = 1, **_figures: str) -> None:
        self._job.done += count
        _check(self._stop)


class Worker:
    """One thread that does what takes long for one visitor, one thing after the other.

    Parameters
    ----------
    visit : Visit
    """

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="posenb-app")
        self._stop = threading.Event()

    def look_at(self, path: Path, name: str) -> Future[tuple[Clip, str]]:
        """Begin to look at a video."""
        return self._pool.submit(engine.look_at_clip, path, name)

    def try_out(self, path: Path, model: str, options: Options) -> Future[tuple[Trial, str]]:
        """Begin to try a model on a few frames."""
        return self._pool.submit(engine.try_model, path, model, options)

    def run(
        self, path: Path, name: str, model: str, options: Options
    ) -> tuple[Job, Future[tuple[Found, Path]]]:
        """Begin the whole work; the future has what came out and the folder of its files.

        Parameters
        ----------
        path : Path
            The video.
        name : str
            As its owner calls it.
        model : str
        options : Options
        """
        self._stop = threading.Event()
        job = Job(began=time.monotonic())
        return job, self._pool.submit(self._run, job, self._stop, (path, name, model, options))

    def stop(self) -> None:
        """End the run that is under way, at the next frame."""
        self._stop.set()

    def close(self) -> None:
        """End whatever is under way."""
        self.stop()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(
        self, job: Job, stop: threading.Event, given: tuple[Path, str, str, Options]
    ) -> tuple[Found, Path]:
        path, name, model, options = given
        folder = self._visit.place("run")
        if options.size is None:
            trial, _ = engine.try_model(path, model, options)
            options = options.replace(size=trial.size)

        def bars(stage: int) -> Progress:
            """Return what makes the bars of a stage."""
            _check(stop)

            def bar(
                total: int | None, description: str, unit: str = "it", initial: int = 0
            ) -> _Bar:
                del description  # the stages have names of their own
                job.stage, job.unit = stage, unit
                return _Bar(job, total, initial, stop)

            return bar

        order = runner.Order(str(path), model, options, name, further={"output": folder})
        return runner.run(order, bars, self._visit).found, folder


def _check(stop: threading.Event) -> None:
    # A process that ends waits for this thread.
    if stop.is_set() or not threading.main_thread().is_alive():
        raise StoppedError("Stopped. Change what you like and start again.")
