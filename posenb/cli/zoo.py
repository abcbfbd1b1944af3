"""The commands ``posenb zoo ...``: models that others have trained."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import yaml

from posenb import storage
from posenb._names import unknown_name
from posenb._progress import silent_progress, tqdm_progress
from posenb.app.results import Part
from posenb.app.runner import Order
from posenb.app.runner import run as run_order
from posenb.app.showing import tell_outcome
from posenb.app.state import Options
from posenb.cli.arguments import split
from posenb.cli.options import of_config, of_function, takes
from posenb.cli.runs import choose_run
from posenb.core import AnalyzeConfig
from posenb.errors import InvalidInputError
from posenb.zoo import Card
from posenb.zoo import adapt as adapt_verb
from posenb.zoo import add_index as add_index_verb
from posenb.zoo import create_project as create_verb
from posenb.zoo import fetch as fetch_verb
from posenb.zoo import list as list_verb
from posenb.zoo import publish as publish_verb
from posenb.zoo import show as show_verb
from posenb.zoo import verify as verify_verb
from posenb.zoo.page import card_page
from posenb.zoo.publishing import lacking_facts

__all__ = ["zoo"]

_PARTS: dict[Part, str] = {"report": "report", "video": "video", "table": "table", "all": "zip"}
_SUMMARY = "summary"
_OWN = Options.model_fields.keys() - AnalyzeConfig.model_fields.keys()

ModelArgument = Annotated[
    str, typer.Argument(metavar="MODEL", help="Name of a model, or the folder of one.")
]
IndexOption = Annotated[
    list[str] | None,
    typer.Option(metavar="url", help="A further index of models; may be repeated."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")]

zoo = typer.Typer(
    no_args_is_help=True,
    help="Trained models to use without labels, or to begin with: list, run, publish your own.",
)


@zoo.command("list")
def list_(index: IndexOption = None) -> None:
    """List the models of all known indexes (POSENB_ZOO names further ones)."""
    _know(index)
    head = ("name", "animal", "model", "keypoints", "size", "licence")
    rows = [head, *(_row(card) for card in list_verb())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


@zoo.command()
def show(model: ModelArgument, index: IndexOption = None) -> None:
    """Show the card of a model: what it is for, how exact it is, its limits."""
    _know(index)
    typer.echo(card_page(show_verb(model)).rstrip())


@zoo.command()
@takes(
    [
        *of_config(Options, "Options", without=("start", "stop")),
        *of_config(AnalyzeConfig, "Options in detail"),
    ]
)
def run(
    model: ModelArgument,
    video: Annotated[list[str], typer.Argument(metavar="VIDEO", help="Paths or URLs.")],
    output: Annotated[
        str | None,
        typer.Option(metavar="folder", help="Where the files go, instead of beside the video."),
    ] = None,
    keypoints: Annotated[
        list[str] | None,
        typer.Option(
            *("--keypoints", "--keypoint", "-k"),
            metavar="a,b=new,...",
            help="Those to keep, under new names if given.",
        ),
    ] = None,
    index: IndexOption = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="video,report,table,zip,summary",
            help="What shall not be made, or printed: by default all of it is.",
        ),
    ] = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Find an animal in videos and show it: no project, no labels, no training.

    Beside the poses lie then a labelled video, a report with the trajectories, a table of
    positions, and everything in one zip. Stopped and run again, it goes on.
    """
    _know(index)
    if len(video) > 1 and output is not None:
        raise InvalidInputError(
            f"One --output goes with one video; got {len(video)}. Analyze them one by one."
        )
    left_out = _left_out(without)
    own = {name: options.pop(name) for name in _OWN & options.keys()}
    further = {**options, "keypoints": _renamed(keypoints), "output": output}
    parts = tuple(part for part, word in _PARTS.items() if word not in left_out)
    progress = silent_progress if quiet else tqdm_progress
    for each in video:
        order = Order(each, model, Options(**own), parts=parts, further=further)
        outcome = run_order(order, lambda _: progress)
        if _SUMMARY not in left_out:
            typer.echo(tell_outcome(outcome))
        typer.echo(outcome.folder)


@zoo.command()
@takes(of_function(adapt_verb, ["size", "steps", "seed"]))
def adapt(
    model: ModelArgument,
    video: Annotated[str, typer.Argument(metavar="VIDEO", help="Path or URL.")],
    output: Annotated[
        str | None,
        typer.Option(metavar="folder", help="Where all goes, instead of beside the video."),
    ] = None,
    index: IndexOption = None,
    quiet: Quiet = False,
    **options: Any,
) -> None:
    """Let a model teach itself on a video without labels; kept only where it gets better."""
    _know(index)
    progress = silent_progress if quiet else tqdm_progress
    typer.echo(str(adapt_verb(video, model, output=output, progress=progress, **options)))


@zoo.command()
def create(
    model: ModelArgument,
    url: Annotated[str, typer.Argument(metavar="URL", help="Folder or URL, which is made.")],
    keypoints: Annotated[
        list[str] | None,
        typer.Option(
            *("--keypoints", "--keypoint", "-k"),
            metavar="a,b,...",
            help="Those to track, instead of all of the model's; some may be new.",
        ),
    ] = None,
    scorer: Annotated[str | None, typer.Option(metavar="name", help="Who labels.")] = None,
    name: Annotated[str | None, typer.Option(metavar="name", help="The task.")] = None,
    index: IndexOption = None,
) -> None:
    """Create a project with the keypoints of a model, to train on from it."""
    _know(index)
    project = create_verb(url, model, keypoints=split(keypoints) or None, scorer=scorer, name=name)
    typer.echo(project.url)


@zoo.command()
def fetch(model: ModelArgument, index: IndexOption = None) -> None:
    """Bring a model here, checked, to be used offline."""
    _know(index)
    typer.echo(str(fetch_verb(model)))


@zoo.command()
def verify(
    model: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="All known ones by default.")
    ] = None,
    index: IndexOption = None,
    quiet: Quiet = False,
) -> None:
    """Check that models are what their cards say, down to the last byte."""
    _know(index)
    for card in verify_verb(model, progress=silent_progress if quiet else tqdm_progress):
        typer.echo(f"{card.name}: {len(card.files)} files as the card says")


@zoo.command()
def publish(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN|PROJECT", help="A run, or a project with one finished run."),
    ],
    url: Annotated[str, typer.Argument(metavar="URL", help="Folder of the index.")],
    name: Annotated[
        str, typer.Option(metavar="name", help="Of the model: small letters, digits, underscores.")
    ],
    facts: Annotated[
        str | None,
        typer.Option(
            metavar="file",
            help="YAML or JSON with title, species, view, licence, data and limits; at a terminal "
            "you are asked for what is missing.",
        ),
    ] = None,
    preview: Annotated[
        str | None, typer.Option(metavar="png", help="A picture, instead of a drawn one.")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a model of that name.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Package a trained run with a card, for others to use."""
    known = {} if facts is None else _read_facts(facts)
    if sys.stdin.isatty():
        known = _asked(known)
    chosen = choose_run(run)
    card = publish_verb(
        chosen,
        url,
        name=name,
        facts=known,
        preview=preview,
        replace=replace,
        progress=silent_progress if quiet else tqdm_progress,
    )
    typer.echo(storage.join(url, card.name))


def _know(index: Sequence[str] | None) -> None:
    for url in index or ():
        add_index_verb(url)


def _row(card: Card) -> tuple[str, ...]:
    return (
        card.name,
        card.species,
        card.title,
        str(len(card.keypoints)),
        f"{card.size / 1e6:.1f} MB",
        card.licence,
    )


def _left_out(without: Sequence[str] | None) -> set[str]:
    known = (*_PARTS.values(), _SUMMARY)
    names = split(without)
    for name in names:
        if name not in known:
            raise unknown_name("part of what a run makes", name, known)
    return set(names)


def _renamed(keypoints: Sequence[str] | None) -> dict[str, str] | None:
    """Return new names by old ones out of ``a,b=new``."""
    parts = [part.strip() for text in keypoints or () for part in text.split(",")]
    pairs = [part.partition("=") for part in parts]
    return {old: new if sign else old for old, sign, new in pairs} or None


def _read_facts(url: str) -> dict[str, Any]:
    text = storage.read_text(url)
    try:
        found = json.loads(text) if url.endswith(".json") else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise InvalidInputError(
            f"Facts are a YAML or JSON file; {url} is none ({error})."
        ) from error
    if not isinstance(found, dict):
        raise InvalidInputError(
            f"Facts are names with values, as in 'species: mouse'; {url} holds something else."
        )
    return found


def _asked(facts: dict[str, Any]) -> dict[str, Any]:
    """Ask for what a card still lacks."""
    answers = dict(facts)
    for name, meaning in lacking_facts(facts).items():
        if name == "data":
            answers[name] = [
                {part: typer.prompt(f"data, {part}") for part in ("name", "licence", "citation")}
            ]
        else:
            answer = typer.prompt(f"{name} ({meaning})")
            answers[name] = [answer] if name == "limits" else answer
    return answers
