"""Commands that show what was found."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from posenb.cli.arguments import (
    Open,
    PosesArgument,
    Quiet,
    VideoOption,
    check_alone,
    progress_of,
    split,
)
from posenb.cli.browsing import show_page
from posenb.cli.options import of_config, of_function, takes
from posenb.cli.recordings import find_recordings, find_subjects
from posenb.demonstration import demo as demo_verb
from posenb.demonstration import demo_training as demo_training_verb
from posenb.errors import InvalidInputError
from posenb.overlays import LabelledVideoConfig, labelled_video
from posenb.reports import report as report_verb

__all__ = ["demo", "label_video", "plot", "report"]


@takes(of_config(LabelledVideoConfig, "Options"))
def label_video(
    poses: PosesArgument,
    video: VideoOption = None,
    output: Annotated[
        str | None, typer.Option(metavar="url", help="An .mp4, or a folder that ends in a slash.")
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Draw what was found over every frame of a video."""
    found = find_recordings(poses)
    whole = output if output is not None and output.endswith(".mp4") else None
    check_alone(found, video, whole, ".mp4")
    for url, named in found:
        made = labelled_video(
            url, video or named, output=output, progress=progress_of(quiet), **options
        )
        typer.echo(made)


def plot(
    poses: PosesArgument,
    video: VideoOption = None,
    output: Annotated[
        str | None, typer.Option(metavar="folder", help="Where the files go, instead of beside.")
    ] = None,
    keypoints: Annotated[
        list[str] | None,
        typer.Option(
            *("--keypoints", "--keypoint", "-k"), metavar="a,b,...", help="Those to show."
        ),
    ] = None,
    formats: Annotated[
        list[str],
        typer.Option(*("--formats", "--format"), metavar="png,svg,pdf", help="Of the figures."),
    ] = ["png,pdf"],  # noqa: B006
    cutoff: Annotated[
        float, typer.Option(help="Points of a smaller likelihood are not shown.")
    ] = 0.6,
    theme: Annotated[Literal["light", "dark"], typer.Option(help="The colours.")] = "light",
) -> None:
    """Write a page of trajectories and the usual figures of poses."""
    from posenb.views import plot as plot_verb

    found = find_recordings(poses)
    check_alone(found, video, output)
    for url, named in found:
        folder = plot_verb(
            url,
            video=video or named,
            output=output,
            cutoff=cutoff,
            keypoints=split(keypoints) or None,
            formats=split(formats),
            theme=theme,
        )
        typer.echo(folder)


@takes(of_function(report_verb, ["start", "stop", "cutoff", "theme"]))
def report(
    source: PosesArgument,
    video: VideoOption = None,
    output: Annotated[
        str | None, typer.Option(metavar="url", help="The .html to write, instead of beside.")
    ] = None,
    show: Open = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Write one page with all there is of poses or a run, to mail or to keep."""
    found = find_subjects(source)
    check_alone(found, video, output)
    for url, named in found:
        made = report_verb(
            url, output=output, video=video or named, progress=progress_of(quiet), **options
        )
        typer.echo(made)
        show_page(made, show)


@takes(of_function(demo_training_verb, ["seed", "steps"], "With --train"))
def demo(
    folder: Annotated[
        str | None,
        typer.Argument(
            metavar="FOLDER", help="Where the files go; posenb-demo or posenb-demo-training."
        ),
    ] = None,
    train: Annotated[
        bool,
        typer.Option("--train", help="Label and train on it instead, in about three minutes."),
    ] = False,
    show: Open = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Find a made mouse with a model of the zoo: offline, nothing to prepare, within a minute.

    With --train it walks the whole loop instead: labels, a network trained on them, its errors.
    """
    if options and not train:
        names = ", ".join(f"--{name}" for name in options)
        raise InvalidInputError(f"{names}: only training has this. Add --train, or leave it out.")
    given: dict[str, Any] = options if folder is None else {**options, "folder": folder}
    verb = demo_training_verb if train else demo_verb
    found = verb(**given, progress=progress_of(quiet))
    typer.echo(repr(found))
    show_page(found.page_url, show)
