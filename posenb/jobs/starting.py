"""Training in a process of its own, which outlives the one that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from posenb import storage
from posenb._optional import require_backend
from posenb.errors import TrainingError
from posenb.jobs.attending import alone
from posenb.jobs.record import Record, own_record, read_record, write_record
from posenb.project import Run

__all__ = ["check_reach", "launch", "resume", "still_starting"]

# A process that was started holds its run as soon as Keras is loaded. Until then its own
# machine can tell whether it lives; others believe for this long that it does.
_BELIEVED = 180.0
_AT_MOST = 900.0

# Kept so that the system does not count them as alive after they have ended.
_children: dict[int, subprocess.Popen[bytes]] = {}


def resume(run: Run) -> None:
    """Let a run that was begun go on in a process of its own, on this machine.

    Parameters
    ----------
    run : Run

    Raises
    ------
    TrainingError
        If it is finished or trained already, or lies where no other process reaches it.
    MissingBackendError
        If neither TensorFlow nor JAX is installed here.
    """
    check_reach(run)
    with alone(run):
        if run.finished:
            raise TrainingError(
                f"A run is trained once; {run.name!r} is finished. Train under another name, or "
                f"delete {run.url}."
            )
        launch(run)


def check_reach(run: Run) -> None:
    """Check that other processes see the run too.

    Raises
    ------
    TrainingError
        If it lies in the memory of this process.
    """
    if storage.resolve(run.url).startswith("memory://"):
        raise TrainingError(
            "Training in the background needs a project that another process can reach; "
            f"{run.url} is in the memory of this one. Choose a folder or a bucket, or train "
            "without background."
        )


def launch(run: Run) -> None:
    """Start ``posenb train`` on a run that was begun; the run must be held (`alone`).

    Parameters
    ----------
    run : Run

    Raises
    ------
    TrainingError
        If it has been started and has not got as far as holding the run.
    MissingBackendError
        If neither TensorFlow nor JAX is installed.
    """
    require_backend()
    before = read_record(run)
    if before is not None and still_starting(before):
        raise TrainingError(
            f"A run is trained by one process at a time; {run.name!r} is being started by process "
            f"{before.pid} on {before.host}. Watch it, or stop it first."
        )
    log = _log_of(run)
    code = "from posenb.cli import main; main()"
    command = [sys.executable, "-c", code, "train", run.project_url, "--name", run.name]
    storage.remove(run.stop_url)  # it was meant for the process before
    with open(log, "wb") as stream:  # noqa: PTH123 (URLs are texts here)
        child = subprocess.Popen(  # noqa: S603 (our own program)
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, **_apart()
        )
    _children[child.pid] = child
    write_record(run, own_record("starting", log=log).replace(pid=child.pid))


def still_starting(record: Record) -> bool:
    """Tell whether a process that does not hold its run yet may still come to it."""
    age = time.time() - record.since
    if record.state != "starting" or age > _AT_MOST:
        return False
    return _alive(record.pid) if record.here else age < _BELIEVED


def _alive(pid: int) -> bool:
    if pid in _children:
        return _children[pid].poll() is None
    if os.name == "nt":  # where a signal of 0 would end the process
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _log_of(run: Run) -> str:
    """Return the local file for what the process prints: beside the run if that is local."""
    if storage.is_local(run.url):
        return storage.join(run.url, "training.log")
    folder = storage.cache_folder() / "training-logs"
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder / f"{run.name}.log")


def _apart() -> dict[str, Any]:
    """Return what keeps a process from the signals that end or interrupt this one."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW}
    return {"start_new_session": True}
