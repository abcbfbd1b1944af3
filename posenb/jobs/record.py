"""What a training last said of itself, as a small file of its run."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import Literal

from posenb import storage
from posenb.core import Config
from posenb.project import Run

__all__ = ["Record", "own_record", "read_record", "write_record"]

State = Literal["starting", "training", "stopped", "failed", "finished"]


class Record(Config):
    """What a training last said of itself; it is written whenever that changes.

    Attributes
    ----------
    state : {"starting", "training", "stopped", "failed", "finished"}
        "starting" up to the first step.
    host : str
        Name of the machine.
    pid : int
        Number of the process there.
    since : float
        When it was written, seconds since 1970 by the clock of that machine.
    log : str or None
        What the process prints, a file on that machine; None where it has a terminal.
    message : str
        Why it stopped or failed.
    """

    state: State
    host: str
    pid: int
    since: float
    log: str | None = None
    message: str = ""

    @property
    def here(self) -> bool:
        """Whether the process belongs to this machine."""
        return self.host == socket.gethostname()

    @property
    def who(self) -> str:
        """What tells this process from others."""
        return f"{self.pid} {self.host}"


def own_record(state: State, *, log: str | None = None, message: str = "") -> Record:
    """Return what this process says of itself now."""
    host, pid = socket.gethostname(), os.getpid()
    return Record(
        state=state, host=host, pid=pid, since=round(time.time(), 1), log=log, message=message
    )


def write_record(run: Run, record: Record) -> None:
    """Write what is said of a run."""
    storage.write_text(run.record_url, record.model_dump_json(indent=1))


def read_record(run: Run) -> Record | None:
    """Read what was last said of a run; None where nothing ever was.

    Raises
    ------
    ConfigError
        If the file is not as posenb writes it.
    """
    if not storage.exists(run.record_url):
        return None
    return Record(**json.loads(storage.read_text(run.record_url)))
