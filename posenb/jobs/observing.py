"""How a training goes, read from the files of its run by anyone who can reach them."""

from __future__ import annotations

import csv
import io
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from posenb import storage
from posenb.core import TrainConfig
from posenb.errors import TrainingError
from posenb.jobs.record import Record, read_record
from posenb.jobs.starting import still_starting
from posenb.project import Run, open_run

__all__ = ["Observation", "Phase", "Row", "observe", "stop_training"]

Phase = Literal["starting", "training", "stopping", "stopped", "failed", "died", "finished"]

_GOES_ON: tuple[Phase, ...] = ("starting", "training", "stopping")
_SILENCE = 25.0  # seconds without a sign after which a remote holder is dead; it beats every 5
_LINES = 8
_TAIL = 16_384  # bytes


class Row(NamedTuple):
    """One validation.

    Parameters
    ----------
    step : int
        Steps of training so far.
    seconds : float
        Time of training so far.
    loss : float
        Mean over the steps since the validation before.
    validation_error : float
        Mean error, pixels; NaN without validation frames.
    """

    step: int
    seconds: float
    loss: float
    validation_error: float


@dataclass(frozen=True, slots=True)
class Observation:
    """How a training goes.

    Parameters
    ----------
    run : Run
    config : TrainConfig
    phase : str
        "starting", "training", "stopping" (asked to, and at it until the next
        validation), "stopped", "failed" (with an error), "died" (without a word) or
        "finished".
    rows : tuple of Row
        The learning curve so far.
    record : Record or None
        What the training last said.
    log : tuple of str
        The last lines that it printed, where it failed or died on this machine.
    at : float
        When this was seen, seconds.
    row_at : float
        When the last row was first seen.
    sign : str or None
        Of the process that holds the run.
    sign_at : float
        When that sign was first seen.
    """

    run: Run
    config: TrainConfig
    phase: Phase
    rows: tuple[Row, ...]
    record: Record | None
    log: tuple[str, ...]
    at: float
    row_at: float
    sign: str | None
    sign_at: float

    @property
    def goes_on(self) -> bool:
        """Whether a process is at it."""
        return self.phase in _GOES_ON


def observe(
    run: Run | storage.Url, before: Observation | None = None, *, now: float | None = None
) -> Observation:
    """See how a training goes.

    Parameters
    ----------
    run : Run, str or PathLike
    before : Observation, optional
        The last one. A process that was killed while it trained in a bucket is known for
        dead only when it has shown no sign for a while.
    now : float, optional
        Seconds, of the same clock each time; by default since 1970.

    Returns
    -------
    Observation

    Raises
    ------
    ProjectError
        If the folder holds no run.
    StorageError
        If its files cannot be read.
    """
    opened = open_run(run.url if isinstance(run, Run) else run)
    now = time.time() if now is None else now
    # The record is read last: a process that ends says so before it lets go of the run.
    finished = opened.finished
    sign = None if finished else storage.lock_sign(opened.lock_url)
    rows = _rows(opened)
    record = read_record(opened)
    sign_at = before.sign_at if before is not None and before.sign == sign else now
    held = sign is not None and (storage.is_local(opened.url) or now - sign_at < _SILENCE)
    phase: Phase = "finished" if finished else _phase(opened, record, held)
    return Observation(
        run=opened,
        config=opened.config() if before is None else before.config,
        phase=phase,
        rows=rows,
        record=record,
        log=_last_lines(record) if phase in ("failed", "died") else (),
        at=now,
        row_at=before.row_at if before is not None and before.rows == rows else now,
        sign=sign,
        sign_at=sign_at,
    )


def stop_training(run: Run | storage.Url) -> None:
    """Ask a training to stop, from anywhere that reaches its run.

    It stops after its next validation, with a checkpoint, and goes on from there when it
    is trained again under the same name, as if it had never stopped.

    Parameters
    ----------
    run : Run, str or PathLike

    Raises
    ------
    TrainingError
        If nothing trains it.
    """
    seen = observe(run)
    if not seen.goes_on or seen.record is None:
        raise TrainingError(
            f"Only a training that goes on can be stopped; {seen.run.name!r} is "
            f"{'not being trained' if seen.phase == 'died' else seen.phase}. Nothing is to be done."
        )
    storage.write_text(seen.run.stop_url, seen.record.who)


def _phase(run: Run, record: Record | None, held: bool) -> Phase:
    if record is None:
        return "starting" if held else "stopped"
    if record.state == "finished":  # just now, or its model was removed since
        return "finished" if run.finished else "stopped"
    if record.state in ("stopped", "failed"):
        return record.state
    if not held and not still_starting(record):
        return "died"
    asked = storage.exists(run.stop_url) and storage.read_text(run.stop_url) == record.who
    return "stopping" if asked else record.state


def _rows(run: Run) -> tuple[Row, ...]:
    if not storage.exists(run.history_url):
        return ()
    table = csv.DictReader(io.StringIO(storage.read_text(run.history_url)))
    return tuple(
        Row(
            int(row["step"]),
            float(row["seconds"]),
            float(row["loss"]),
            float(row["validation_error"]),
        )
        for row in table
    )


def _last_lines(record: Record | None) -> tuple[str, ...]:
    if record is None or record.log is None or not record.here:
        return ()
    path = Path(record.log)
    if not path.is_file():
        return ()
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - _TAIL))
        text = stream.read().decode(errors="replace")
    # A progress bar writes each of its states over the one before.
    lines = [line.strip().rpartition("\r")[2] for line in re.split(r"\r?\n", text)]
    return tuple(line for line in lines if line)[-_LINES:]
