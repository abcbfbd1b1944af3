"""The verbs as commands: they read what was typed, call Python's verb and show the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import typer

from posenb._progress import Progress, silent_progress, tqdm_progress
from posenb.cli.browsing import show_page
from posenb.cli.options import of_config, of_function, takes
from posenb.cli.recordings import find_recordings, find_subjects
from posenb.cli.runs import choose_run
from posenb.cli.summary import summarise
from posenb.core import AnalyzeConfig, AugmentationConfig, ModelConfig, SplitConfig, TrainConfig
from posenb.demonstration import demo as demo_verb
from posenb.errors import InvalidInputError
from posenb.extraction import ExtractConfig, extract_frames
from posenb.inference import analyze as analyze_verb
from posenb.inference import evaluate as evaluate_verb
from posenb.inference import quantise as quantise_verb
from posenb.inference.model import find_model
from posenb.inference.target import find_targets
from posenb.overlays import LabelledVideoConfig, labelled_video
from posenb.project import add_videos, create_project, open_project
from posenb.reports import report as report_verb

__all__ = ["COMMANDS"]

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
Open = Annotated[
    bool | None,
    typer.Option(
        "--open/--no-open",
        help="Show it in a browser; by default at a terminal with a screen.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]


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
    known = [*_split(keypoints), *_split(unique_keypoints)]
    project = create_project(
        url,
        keypoints=_split(keypoints),
        skeleton=[_pair(text, known) for text in _split(skeleton)],
        individuals=_split(individuals) or None,
        unique_keypoints=_split(unique_keypoints),
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
    after = add_videos(before, urls, copy=copy, progress=_progress(quiet), **options)
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
        project, videos=_split(videos) or None, progress=_progress(quiet), **options
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
    """Draw the labels over their frames, and make a page to flip through them."""
    from posenb.views import check_labels as check_labels_verb

    chosen = _split(videos) or None
    check = check_labels_verb(
        project, videos=chosen, output=output, zoom=zoom, progress=_progress(quiet)
    )
    typer.echo(check.page)


@takes(
    [
        *of_config(TrainConfig, "Training", without=("model", "augmentation", "split")),
        *of_config(ModelConfig, "Network"),
        *of_config(SplitConfig, "Split of the labelled frames", without=("seed",)),
        *of_config(AugmentationConfig, "Augmentation"),
    ]
)
def train(
    project: ProjectArgument,
    name: Annotated[
        str | None,
        typer.Option(metavar="name", help="Name of the run; by default made of its options."),
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Train a network on the labelled frames; stopped and run again, it goes on."""
    from posenb.training import train as train_verb

    run = train_verb(project, name=name, progress=_progress(quiet), **options)
    typer.echo(run.url)


@takes(of_function(evaluate_verb, ["cutoff", "pck", "worst", "figures", "runtime", "precision"]))
def evaluate(
    run: RunArgument,
    name: RunOption = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Compare a run's predictions with the labels, in pixels."""
    chosen = choose_run(run, name)
    evaluation = evaluate_verb(chosen, progress=_progress(quiet), **options)
    typer.echo(repr(evaluation))
    typer.echo(evaluation.url)


@takes(of_function(quantise_verb, ["frames"]))
def quantise(
    run: RunArgument,
    name: RunOption = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Make a model of whole numbers, faster on CPUs and less exact, of a run's."""
    made = quantise_verb(choose_run(run, name), progress=_progress(quiet), **options)
    typer.echo(made.quantised_url)


@takes(of_config(AnalyzeConfig, "Options"))
def analyze(
    run: RunArgument,
    video: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO", help="Names of videos in the project, paths or URLs."),
    ],
    name: RunOption = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="folder", help="Where the files go, instead of into the project."),
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Find the keypoints in every frame of videos; stopped and run again, it goes on."""
    chosen = choose_run(run, name)
    several = len(video) > 1
    targets = find_targets(find_model(chosen), video, output, several=several)
    videos = video if several else video[0]
    analyze_verb(chosen, videos, output=output, progress=_progress(quiet), **options)
    for target in targets:
        typer.echo(target.output)


@takes(of_config(LabelledVideoConfig, "Options"))
def label_video(
    poses: Annotated[
        list[str],
        typer.Argument(
            metavar="POSES|VIDEO|RUN", help="Folders of poses, analyzed videos, or runs."
        ),
    ],
    video: Annotated[
        str | None, typer.Option(metavar="url", help="The video, if it has moved.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="url", help="An .mp4, or a folder that ends in a slash.")
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Draw what was found over every frame of a video."""
    found = find_recordings(poses)
    if len(found) > 1 and (video is not None or (output or "").endswith(".mp4")):
        raise InvalidInputError(
            f"One --video and one .mp4 go with the poses of one video; got {len(found)}. Draw them "
            "one by one, or give --output a folder."
        )
    for url, named in found:
        made = labelled_video(
            url, video or named, output=output, progress=_progress(quiet), **options
        )
        typer.echo(made)


def plot(
    poses: Annotated[
        list[str],
        typer.Argument(
            metavar="POSES|VIDEO|RUN", help="Folders of poses, analyzed videos, or runs."
        ),
    ],
    video: Annotated[
        str | None, typer.Option(metavar="url", help="The video, if it has moved.")
    ] = None,
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
    if len(found) > 1 and (video is not None or output is not None):
        raise InvalidInputError(
            f"One --video and one --output go with the poses of one video; got {len(found)}. Plot "
            "them one by one."
        )
    for url, named in found:
        folder = plot_verb(
            url,
            video=video or named,
            output=output,
            cutoff=cutoff,
            keypoints=_split(keypoints) or None,
            formats=_split(formats),
            theme=theme,
        )
        typer.echo(folder)


@takes(of_function(report_verb, ["start", "stop", "cutoff", "theme"]))
def report(
    source: Annotated[
        list[str],
        typer.Argument(
            metavar="POSES|VIDEO|RUN", help="Folders of poses, analyzed videos, or runs."
        ),
    ],
    video: Annotated[
        str | None, typer.Option(metavar="url", help="The video, if it has moved.")
    ] = None,
    output: Annotated[
        str | None, typer.Option(metavar="url", help="The .html to write, instead of beside.")
    ] = None,
    show: Open = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Write one page with all there is of poses or a run, to mail or to keep."""
    found = find_subjects(source)
    if len(found) > 1 and (video is not None or output is not None):
        raise InvalidInputError(
            f"One --video and one --output go with one report; got {len(found)}. Make "
            "them one by one."
        )
    for url, named in found:
        made = report_verb(
            url, output=output, video=video or named, progress=_progress(quiet), **options
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
    found = demo_verb(folder, progress=_progress(quiet), **options)
    typer.echo(repr(found))
    show_page(found.page_url, show)


def _progress(quiet: bool) -> Progress:
    return silent_progress if quiet else tqdm_progress


def _split(texts: Sequence[str] | None) -> list[str]:
    return [part.strip() for text in texts or () for part in text.split(",")]


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


COMMANDS: dict[str, Callable[..., None]] = {
    "create": create,
    "open": open_,
    "add-videos": add,
    "extract-frames": extract,
    "check-labels": check_labels,
    "train": train,
    "evaluate": evaluate,
    "quantise": quantise,
    "analyze": analyze,
    "plot": plot,
    "labelled-video": label_video,
    "report": report,
    "demo": demo,
}
