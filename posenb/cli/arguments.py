"""Arguments and options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from posenb._progress import Progress, silent_progress, tqdm_progress
from posenb.cli.recordings import Recording
from posenb.errors import InvalidInputError

__all__ = [
    "Open",
    "PosesArgument",
    "ProjectArgument",
    "Quiet",
    "RunArgument",
    "RunOption",
    "VideoOption",
    "VideosOption",
    "check_alone",
    "progress_of",
    "split",
]

ProjectArgument = Annotated[
    str, typer.Argument(metavar="PROJECT", help="Folder or URL of the project.")
]
RunArgument = Annotated[
    str,
    typer.Argument(metavar="RUN|PROJECT", help="A run, or a project with one finished run."),
]
RunOption = Annotated[
    str | None, typer.Option("--run", metavar="name", help="Which run of the project.")
]
VideosOption = Annotated[
    list[str] | None,
    typer.Option(
        *("--videos", "--video"), metavar="a,b,...", help="Names of videos; all by default."
    ),
]
PosesArgument = Annotated[
    list[str],
    typer.Argument(metavar="POSES|VIDEO|RUN", help="Folders of poses, analyzed videos, or runs."),
]
VideoOption = Annotated[str | None, typer.Option(metavar="url", help="The video, if it has moved.")]
Open = Annotated[
    bool | None,
    typer.Option(
        "--open/--no-open",
        help="Show it in a browser; by default at a terminal with a screen.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


def progress_of(quiet: bool) -> Progress:
    """Return what makes progress bars."""
    return silent_progress if quiet else tqdm_progress


def split(texts: Sequence[str] | None) -> list[str]:
    """Return the parts of lists written with commas."""
    return [part.strip() for text in texts or () for part in text.split(",")]


def check_alone(
    found: Sequence[Recording], video: str | None, output: str | None, kind: str = "--output"
) -> None:
    """Refuse a video or an output of its own for several recordings at once.

    Parameters
    ----------
    found : sequence of Recording
    video, output : str or None
        None if not given.
    kind : str, optional
        What the output is called.

    Raises
    ------
    InvalidInputError
        If several are found and one of both is given.
    """
    if len(found) > 1 and (video, output) != (None, None):
        raise InvalidInputError(
            f"One --video and one {kind} go with the poses of one video; got {len(found)}. Name "
            "them one by one, or leave these options out."
        )
