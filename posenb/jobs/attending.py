"""What a training does beside training: hold the run, say how it goes, hear when to stop."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from posenb import storage
from posenb.errors import PosenbError, StorageError, TrainingError, TrainingStoppedError
from posenb.jobs.record import State, own_record, read_record, write_record
from posenb.project import Run

__all__ = ["Attendance", "alone", "attended", "history_table"]

_COLUMNS = ("step", "seconds", "loss", "validation_error")

# A local lock dies with its holder. One in a bucket passes on after 20 s of silence, so
# that whoever comes after a killed process must wait for longer than that.
_LOCAL, _REMOTE = 1.0, 30.0


@contextmanager
def alone(run: Run) -> Iterator[None]:
    """Hold the run against other processes that would train it too.

    Raises
    ------
    TrainingError
        If another process trains it.
    """
    timeout = _LOCAL if storage.is_local(run.url) else _REMOTE
    with ExitStack() as stack:
        try:
            stack.enter_context(storage.lock(run.lock_url, timeout=timeout))
        except StorageError as error:
            raise TrainingError(
                f"A run is trained by one process at a time; {run.name!r} is not free: {error}"
            ) from error
        yield


class Attendance:
    """The record of a training while it goes on; made by `attended`.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        before = read_record(run)
        own = own_record("starting")
        # Whoever started this process has said so already, and where it prints to.
        started = before is not None and before.who == own.who
        self._log = before.log if before is not None and started else None
        self._who = own.who
        self._state: State | None = None
        if not started:
            storage.remove(run.stop_url)  # it was meant for another process
        self.say("starting")

    def say(self, state: State, message: str = "") -> None:
        """Write down in which state the training is."""
        if state != self._state:
            self._state = state
            write_record(self._run, own_record(state, log=self._log, message=message))

    def tell(self, history: Sequence[dict[str, Any]]) -> bool:
        """Write down the learning curve so far, and return whether to stop.

        Parameters
        ----------
        history : sequence of dict
            One row a validation: step, seconds, loss, validation_error.
        """
        storage.write_text(self._run.history_url, history_table(history))
        self.say("training")
        url = self._run.stop_url
        return storage.exists(url) and storage.read_text(url) == self._who


@contextmanager
def attended(run: Run) -> Iterator[Attendance]:
    """Keep the record of a training; the run must be held (`alone`).

    However the body ends, the record tells it; only a process that is killed leaves one
    that says it goes on.
    """
    attendance = Attendance(run)
    try:
        yield attendance
    except TrainingStoppedError as error:
        attendance.say("stopped", str(error))
        storage.remove(run.stop_url)
        raise
    except KeyboardInterrupt:
        with suppress(StorageError):
            attendance.say("stopped", "Interrupted by hand.")
        raise
    except Exception as error:
        text = str(error) if isinstance(error, PosenbError) else f"{type(error).__name__}: {error}"
        with suppress(StorageError):  # else what went wrong first would be hidden
            attendance.say("failed", text)
        raise
    attendance.say("finished")
    storage.remove(run.stop_url)


def history_table(history: Sequence[dict[str, Any]]) -> str:
    """Return a learning curve as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    return text.getvalue()
