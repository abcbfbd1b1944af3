"""The verb `wait_for_training`: for those who want the trained run and nothing before it."""

from __future__ import annotations

import time

from posenb import storage
from posenb._progress import Progress, ProgressBar, tqdm_progress
from posenb.errors import TrainingError
from posenb.jobs.observing import Observation, observe
from posenb.project import Run

__all__ = ["wait_for_training"]

_LOCAL, _REMOTE = 1.0, 6.0  # seconds between two looks


def wait_for_training(run: Run | storage.Url, *, progress: Progress = tqdm_progress) -> Run:
    """Wait until a run is trained, wherever that goes on.

    To interrupt it stops the waiting, not the training. A notebook takes no other cell
    meanwhile, and its widgets stand still.

    Parameters
    ----------
    run : Run, str or PathLike
    progress : callable, optional
        Makes the progress bar; it counts steps, at each validation.

    Returns
    -------
    Run
        The finished run.

    Raises
    ------
    TrainingError
        If it was stopped, has failed or died.
    ProjectError
        If the folder holds no run.

    Examples
    --------
    >>> run = pn.train(project, background=True)  # doctest: +SKIP
    >>> pn.evaluate(pn.wait_for_training(run))  # doctest: +SKIP
    """
    seen = observe(run)
    if seen.phase == "finished":
        return seen.run
    pause = _LOCAL if storage.is_local(seen.run.url) else _REMOTE
    told = seen.rows[-1].step if seen.rows else 0
    with progress(seen.config.steps, f"Training {seen.run.name}", "step", told) as bar:
        if told:
            bar.advance(0, error=_error(seen))
        while seen.goes_on:
            time.sleep(pause)
            seen = observe(seen.run, seen)
            told = _tell(seen, told, bar)
    if seen.phase != "finished":
        raise TrainingError(_reason(seen))
    return seen.run


def _tell(seen: Observation, told: int, bar: ProgressBar) -> int:
    """Move the bar on to the last validation; return its step."""
    if not seen.rows or seen.rows[-1].step == told:
        return told
    bar.advance(seen.rows[-1].step - told, error=_error(seen))
    return seen.rows[-1].step


def _error(seen: Observation) -> str:
    return f"{seen.rows[-1].validation_error:.2f} px"


def _reason(seen: Observation) -> str:
    run, said = seen.run, ""
    if seen.phase == "failed" and seen.record is not None:
        said = f"{seen.record.message} "
    return (
        f"A run that is waited for must be trained by someone; {run.name!r} has {seen.phase}. "
        f"{said}It goes on from its last checkpoint with "
        f"train({run.project_url!r}, name={run.name!r})."
    )
