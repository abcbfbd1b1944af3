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


@takes(of_function(demo_verb, ["seed", "steps"]))
def demo(
    folder: Annotated[
        str, typer.Argument(metavar="FOLDER", help="Where the files go.")
    ] = "posenb-demo",
    show: Open = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Walk the whole loop on a made video, offline, in about three minutes."""
    found = demo_verb(folder, progress=progress_of(quiet), **options)
    typer.echo(repr(found))
    show_page(found.page_url, show)
