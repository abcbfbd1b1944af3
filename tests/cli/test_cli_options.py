"""Options are Python's: same names, same defaults, same words, same limits."""

import inspect
from typing import Annotated, Literal

import pytest
import typer
from pydantic import Field
from typer.testing import CliRunner

import posenb as pn
from posenb.cli.app import app
from posenb.cli.options import described, of_config, of_function, takes
from posenb.core import (
    AnalyzeConfig,
    AugmentationConfig,
    Config,
    ModelConfig,
    SplitConfig,
    TrainConfig,
)
from posenb.demonstration import demo_training
from posenb.inference import EvaluateConfig, quantise
from posenb.live import LiveConfig
from posenb.project import add_videos, create_project
from posenb.reports import report

COMMANDS = typer.main.get_command(app).commands


def options_of(command: str) -> dict[str, object]:
    """Options of a command by their Python names, --quiet and --help left out."""
    options = (each for each in COMMANDS[command].params if each.param_type_name == "option")
    named = {each.opts[0].removeprefix("--").replace("-", "_"): each for each in options}
    return {name: each for name, each in named.items() if name not in {"quiet", "help"}}


def fields(*configs: type[Config]) -> dict[str, object]:
    return {
        name: field.default
        for config in configs
        for name, field in config.model_fields.items()
        if not isinstance(field.default, Config)
    }


def parameters(function, *, without: set[str]) -> dict[str, object]:
    found = inspect.signature(function).parameters.values()
    return {p.name: p.default for p in found if p.name not in without and p.kind != p.VAR_KEYWORD}


TRAIN = fields(SplitConfig, ModelConfig, AugmentationConfig, TrainConfig)
ANALYZE = fields(AnalyzeConfig)
LIVE = {name: default for name, default in fields(LiveConfig).items() if name != "on_error"}
EVALUATE = fields(EvaluateConfig)
DEMO = parameters(demo_training, without={"folder", "progress"})


@pytest.mark.parametrize(
    ("command", "python", "beside"),
    [
        ("create", parameters(create_project, without={"url"}), set()),
        ("add-videos", parameters(add_videos, without={"project", "urls", "progress"}), set()),
        ("train", TRAIN, {"name", "background", "split_file"}),
        ("analyze", ANALYZE, {"run", "with", "output"}),
        ("evaluate", EVALUATE, {"run"}),
        ("live", LIVE, {"run", "output"}),
        ("quantise", parameters(quantise, without={"run", "progress"}), {"run"}),
        ("report", parameters(report, without={"source", "progress"}), {"open"}),
        ("demo", DEMO, {"open", "train"}),
    ],
)
def test_a_command_has_the_options_of_its_verb_and_no_others(command, python, beside):
    assert options_of(command).keys() == python.keys() | beside


@pytest.mark.parametrize(
    ("command", "python"),
    [
        ("train", TRAIN),
        ("analyze", ANALYZE),
        ("evaluate", EVALUATE),
        ("live", LIVE),
        ("demo", DEMO),
    ],
)
def test_help_shows_pythons_defaults(command, python):
    options = options_of(command)
    for name, default in python.items():
        if isinstance(default, tuple):
            shown = ",".join(f"{each:g}" for each in default)
        else:
            shown = "none" if default in (None, {}) else str(default)
        expected = shown.lower() if isinstance(default, bool) else shown
        assert options[name].help.endswith(f"Default: {expected}."), name


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_says_what_it_means(command):
    for name, option in options_of(command).items():
        text = option.help.partition("Default:")[0]
        assert len(text) > 5, name
        assert "[" not in text, f"Typer would take it for markup: {name}"


def test_an_option_is_written_with_hyphens_and_reaches_python_with_underscores():
    (option,) = (each for name, each in options_of("train").items() if name == "test_fraction")
    assert option.opts == ["--test-fraction"]


@pytest.mark.parametrize("name", ["train", "analyze", "evaluate", "quantise", "demo", "add_videos"])
def test_a_command_is_named_after_its_verb(name):
    assert hasattr(pn, name)
    assert name.replace("_", "-") in COMMANDS


# --- from text to values -------------------------------------------------------------


class Sample(Config):
    """Options of all kinds.

    Attributes
    ----------
    whole, part : int or float
        Two numbers,
        limited.
    side : float or "auto"
        Either.
    grid : {4, 8}
        One of two.
    swift : bool
        Yes or no.
    half : bool or "auto"
        Yes, no or whatever.
    name : str or None
        Text.
    box : (int, int) or None
        Two numbers.
    renamed : dict of str to str
        Pairs.
    """

    whole: int = 1
    part: float = Field(default=0.5, ge=0, lt=1)
    side: Annotated[float, Field(gt=0)] | Literal["auto"] = "auto"
    grid: Literal[4, 8] = 4
    swift: bool = True
    half: bool | Literal["auto"] = "auto"
    name: str | None = "x"
    box: tuple[int, int] | None = None
    renamed: dict[str, str] = Field(default={})


@pytest.fixture
def given():
    """Call a command with the options of `Sample`; return what reached it."""

    def call(*arguments: str) -> dict[str, object]:
        seen: dict[str, object] = {}
        program = typer.Typer()

        @program.command()
        @takes(of_config(Sample, "Options"))
        def command(**options: object) -> None:
            seen.update(options)

        result = CliRunner().invoke(program, list(arguments))
        assert result.exit_code in (0, 2), result.exception
        return {"failed": result.output} if result.exit_code else seen

    return call


@pytest.mark.parametrize(
    ("arguments", "value"),
    [
        (("--whole", "3"), {"whole": 3}),
        (("--whole=-3",), {"whole": -3}),
        (("--part", "0.25"), {"part": 0.25}),
        (("--side", "auto"), {"side": "auto"}),
        (("--side", "2"), {"side": 2.0}),
        (("--grid", "8"), {"grid": 8}),
        (("--swift", "false"), {"swift": False}),
        (("--half", "true"), {"half": True}),
        (("--half", "auto"), {"half": "auto"}),
        (("--name", "none"), {"name": None}),
        (("--name", "some,thing"), {"name": "some,thing"}),
        (("--box", "1,2"), {"box": (1, 2)}),
        (("--box", "none"), {"box": None}),
        (("--renamed", "a=b, c d=e=f"), {"renamed": {"a": "b", "c d": "e=f"}}),
    ],
)
def test_text_becomes_the_value_that_python_takes(given, arguments, value):
    assert given(*arguments) == value


def test_what_is_not_given_is_left_to_python(given):
    assert given() == {}


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--whole", "many"), "valid integer"),
        (("--whole", "none"), "valid integer"),
        (("--part", "1"), "less than 1"),
        (("--side", "-1"), "greater than 0"),
        (("--side", "wide"), "'auto'"),
        (("--grid", "5"), "4 or 8"),
        (("--box", "1,2,3"), "at most 2"),
        (("--renamed", "a=b,c"), "pairs are written a=b,c=d"),
        (("--renamed", "=b"), "pairs are written a=b,c=d"),
        (("--unknown", "1"), "--unknown"),
    ],
)
def test_a_wrong_value_is_a_usage_error_that_says_why(given, arguments, complaint):
    assert complaint in " ".join(given(*arguments)["failed"].replace("│", " ").split())


def test_a_docstring_tells_of_names_that_share_a_line():
    texts = described(Sample, "Attributes")
    assert texts["whole"] == texts["part"] == "Two numbers, limited."
    assert texts.keys() == Sample.model_fields.keys()


def test_a_section_ends_where_the_next_begins():
    def verb(one, two):
        """Do.

        Parameters
        ----------
        one : int
            First, with `code`.
        two
            Second.

        Returns
        -------
        three
            Third.
        """

    assert described(verb, "Parameters") == {"one": "First, with code.", "two": "Second."}
    assert described(verb, "Raises") == {}


def test_parameters_of_a_function_become_options():
    (spec,) = of_function(quantise, ["frames"])
    assert (spec.name, spec.kind, spec.default) == ("frames", int, 16)
    assert spec.help == "Training frames to look at."
