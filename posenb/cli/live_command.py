"""The command that analyzes frames while they come."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Any

import typer

from posenb._progress import silent_progress
from posenb.cli.arguments import Quiet, RunArgument, RunOption, progress_of
from posenb.cli.options import of_config, takes
from posenb.cli.runs import choose_run
from posenb.errors import StorageError
from posenb.inference.model import find_model
from posenb.live import LiveConfig, LivePose, PoseLines, analyze_live

__all__ = ["live"]


@takes(of_config(LiveConfig, "Options", without=("on_error",)))
def live(
    run: RunArgument,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="Number or device of a camera (0, /dev/video0), a stream (rtsp://...) or a file.",
        ),
    ],
    name: RunOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            *("--output", "--out"),
            metavar="x.csv|folder",
            help="A new table to which each pose is added at once, or a folder for the files of "
            "an analysis, written at the end. Without it, poses are shown.",
        ),
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Find the keypoints in frames while they come; Ctrl-C ends it and keeps what was found."""
    chosen = choose_run(run, name)
    if output is None:
        show = _Shown(PoseLines(find_model(chosen).description))
        recording = analyze_live(chosen, source, show, progress=silent_progress, **options)
        show.check()
    else:
        recording = analyze_live(
            chosen, source, output=output, progress=progress_of(quiet), **options
        )
        typer.echo(output)
    typer.echo(repr(recording), err=True)


class _Shown:
    """Writes poses to standard output, as lines of a CSV file."""

    def __init__(self, lines: PoseLines) -> None:
        self._lines, self._begun = lines, False
        self._problem: OSError | None = None

    def __call__(self, found: LivePose) -> None:
        try:
            if not self._begun:
                sys.stdout.write(self._lines.header)
                self._begun = True
            sys.stdout.write(self._lines(found))
            sys.stdout.flush()
        except OSError as error:
            # Whoever read has seen enough (`| head`) or there is no room: as good as Ctrl-C. What
            # could not be written must not be tried again at the end of the program.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            self._problem = error
            raise KeyboardInterrupt from None

    def check(self) -> None:
        """Raise what ended it, if that was more than a reader who had enough."""
        if self._problem is not None and not isinstance(self._problem, BrokenPipeError):
            raise StorageError(
                f"Poses are written to standard output as they come, which failed "
                f"({self._problem}). Make room, or name a table: --output poses.csv."
            ) from self._problem
