"""Commands that make projects and fill them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from posenb.cli.arguments import ProjectArgument, Quiet, VideosOption, progress_of, split
from posenb.cli.options import of_config, of_function, takes
from posenb.cli.summary import summarise
from posenb.errors import InvalidInputError
from posenb.extraction import ExtractConfig, extract_frames
from posenb.project import add_videos, create_project, open_project

__all__ = ["add", "check_labels", "create", "extract", "open_"]


def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Folder or URL, which is made.")],
    keypoints: Annotated[
        list[str],
        typer.Option(
            *("--keypoints", "--keypoint", "-k"),
            metavar="a,b,...",
            help="Body parts to track; may be repeated.",
        ),
    ],
    skeleton: Annotated[
        list[str] | None,
        typer.Option(metavar="a-b,...", help="Pairs to join with a line; may be repeated."),
    ] = None,
    individuals: Annotated[
        list[str] | None,
        typer.Option(
            *("--individuals", "--individual"),
            metavar="a,b,...",
            help="Names of the animals if there are several.",
        ),
    ] = None,
    unique_keypoints: Annotated[
        list[str] | None,
        typer.Option(
            *("--unique-keypoints", "--unique-keypoint"),
            metavar="a,b,...",
            help="Keypoints that exist once in the scene, such as corners.",
        ),
    ] = None,
    scorer: Annotated[str | None, typer.Option(metavar="name", help="Who labels.")] = None,
    name: Annotated[str | None, typer.Option(metavar="name", help="The task.")] = None,
) -> None:
    """Create a project."""
    known = [*split(keypoints), *split(unique_keypoints)]
    project = create_project(
        url,
        keypoints=split(keypoints),
        skeleton=[_pair(text, known) for text in split(skeleton)],
        individuals=split(individuals) or None,
        unique_keypoints=split(unique_keypoints),
        scorer=scorer,
        name=name,
    )
    typer.echo(project.url)


def open_(project: ProjectArgument) -> None:
    """Show what a project holds: posenb's own, DeepLabCut's or Lightning Pose's."""
    typer.echo(summarise(open_project(project)))


@takes(of_function(add_videos, ["crop"]))
def add(
    project: ProjectArgument,
    urls: Annotated[
        list[str], typer.Argument(metavar="VIDEO", help="Paths, URLs or patterns in quotes.")
    ],
    copy: Annotated[bool, typer.Option("--copy", help="Copy them into the project.")] = False,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Add videos to a project; they stay where they are."""
    before = open_project(project)
    after = add_videos(before, urls, copy=copy, progress=progress_of(quiet), **options)
    added = len(after.videos) - len(before.videos)
    typer.echo(f"{added} added, {len(after.videos)} in all")


@takes(of_config(ExtractConfig, "Options"))
def extract(
    project: ProjectArgument,
    videos: VideosOption = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Choose frames worth labelling and write them as images; run again, it goes on."""
    added = extract_frames(
        project, videos=split(videos) or None, progress=progress_of(quiet), **options
    )
    typer.echo(f"{len(added)} frame{'' if len(added) == 1 else 's'} added")


def check_labels(
    project: ProjectArgument,
    videos: VideosOption = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="folder", help="Where the files go, instead of into the project."),
    ] = None,
    zoom: Annotated[
        bool, typer.Option(help="Show the part of each frame where the labels lie at large.")
    ] = True,
    quiet: Quiet = False,
) -> None:
    """Tell which labels are doubtful, and draw all over their frames, on a page to flip through."""
    from posenb.widgets import check_labels as check_labels_verb

    progress = progress_of(quiet)
    check = check_labels_verb(project, videos=split(videos) or None, progress=progress)
    for each in check.suspects:
        typer.echo(f"{'/'.join(part for part in each.frame if part)}: {each.reason}", err=True)
    typer.echo(check.save(output, zoom=zoom, progress=progress))


def _pair(text: str, known: Sequence[str]) -> tuple[str, str]:
    """Return the keypoints that "a-b" joins; their names may hold hyphens themselves."""
    parts = text.split("-")
    pairs = [("-".join(parts[:n]), "-".join(parts[n:])) for n in range(1, len(parts))]
    fitting = [pair for pair in pairs if set(pair) <= set(known)] or pairs
    if len(fitting) != 1:
        raise InvalidInputError(
            f"An edge is written a-b with two of the keypoints ({', '.join(known)}); got {text!r}."
        )
    return fitting[0]
