"""Commands that train networks and let them work."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from posenb.cli.arguments import ProjectArgument, Quiet, RunArgument, RunOption, progress_of, split
from posenb.cli.options import of_config, of_function, takes
from posenb.cli.runs import choose_run, choose_runs
from posenb.core import AnalyzeConfig, AugmentationConfig, ModelConfig, SplitConfig, TrainConfig
from posenb.errors import InvalidInputError
from posenb.inference import EvaluateConfig
from posenb.inference import analyze as analyze_verb
from posenb.inference import evaluate as evaluate_verb
from posenb.inference import quantise as quantise_verb
from posenb.inference.ensemble import find_models
from posenb.inference.target import find_targets
from posenb.labels import read_split

__all__ = ["analyze", "evaluate", "quantise", "train"]


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
    background: Annotated[
        bool,
        typer.Option("--background", help="Train in a process of its own and return at once."),
    ] = False,
    split_file: Annotated[
        str | None,
        typer.Option(
            metavar="url",
            help="Which frames train, validate and test, instead of the shares below: a "
            "split.json as in the folder of a run.",
        ),
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Train a network on the labelled frames; stopped and run again, it goes on."""
    from posenb.training import train as train_verb

    if split_file is not None:
        shares = [key for key in options if key in SplitConfig.model_fields and key != "seed"]
        if shares:
            raise InvalidInputError(
                "--split-file names the frames of every part, so there are no shares to be drawn; "
                f"got --{shares[0].replace('_', '-')} too. Give one of the two."
            )
        options["split"] = read_split(split_file)
    progress = progress_of(quiet)
    run = train_verb(project, name=name, background=background, progress=progress, **options)
    config = run.config()
    if config.start is not None:
        pairs = (a if a == b else f"{a} (its {b})" for a, b in config.start_keypoints.items())
        typer.echo(f"from {config.start}: {', '.join(pairs) or 'no keypoint'}", err=True)
    typer.echo(run.url)


@takes(of_config(EvaluateConfig, "Options"))
def evaluate(
    run: RunArgument,
    name: RunOption = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Compare a run's predictions with the labels, in pixels."""
    chosen = choose_run(run, name)
    evaluation = evaluate_verb(chosen, progress=progress_of(quiet), **options)
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
    made = quantise_verb(choose_run(run, name), progress=progress_of(quiet), **options)
    typer.echo(made.quantised_url)


@takes(of_config(AnalyzeConfig, "Options"))
def analyze(
    run: RunArgument,
    video: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO", help="Names of videos in the project, paths or URLs."),
    ],
    name: RunOption = None,
    further: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="run,...",
            help="Further runs, for an ensemble: names in the same project, paths or URLs.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(metavar="folder", help="Where the files go, instead of into the project."),
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Find the keypoints in every frame of videos; stopped and run again, it goes on."""
    chosen = choose_runs(run, name, split(further))
    several = len(video) > 1
    targets = find_targets(find_models(chosen), video, output, several=several)
    videos = video if several else video[0]
    analyze_verb(chosen, videos, output=output, progress=progress_of(quiet), **options)
    for target in targets:
        typer.echo(target.output)
