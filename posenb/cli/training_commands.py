"""Commands for trainings that go on somewhere else: watch and stop."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from posenb import storage
from posenb.cli.arguments import RunOption
from posenb.cli.runs import choose_training
from posenb.errors import TrainingError
from posenb.jobs import stop_training

__all__ = ["stop", "watch"]

_LOCAL, _REMOTE = 2.0, 6.0  # seconds between two looks

TrainingArgument = Annotated[
    str,
    typer.Argument(metavar="RUN|PROJECT", help="A run, or a project with one unfinished run."),
]


def watch(
    run: TrainingArgument,
    name: RunOption = None,
    once: Annotated[bool, typer.Option("--once", help="Look once and return.")] = False,
) -> None:
    """Show how a training goes until it ends; to leave it ends nothing."""
    from posenb.widgets import watch as watch_verb

    view = watch_verb(choose_training(run, name))
    told = ""
    while True:
        if (text := repr(view)) != told:
            typer.echo(text)
            told = text
        if once or not view.seen.goes_on:
            break
        time.sleep(_LOCAL if storage.is_local(view.run.url) else _REMOTE)
        view.look()
    if view.seen.phase in ("failed", "died"):
        raise TrainingError(
            f"The training of {view.run.name!r} did not end well. To go on from its last "
            f"checkpoint: posenb train {view.run.project_url} --name {view.run.name}"
        )


def stop(run: TrainingArgument, name: RunOption = None) -> None:
    """Ask a training to stop after its next validation, with a checkpoint."""
    chosen = choose_training(run, name)
    stop_training(chosen)
    typer.echo(f"asked; to go on: posenb train {chosen.project_url} --name {chosen.name}")
