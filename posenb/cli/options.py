"""Options of commands, made from the configs and verbs of the Python side.

Name, type, default and help of an option are read from where Python keeps them, so the
two cannot drift apart. An option that is not given is not passed on: its default is
that of the verb.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import takewhile
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer
from pydantic import TypeAdapter, ValidationError

from posenb.core import Config

__all__ = ["Spec", "described", "of_config", "of_function", "takes"]

_NONE = "none"
_WORDS = {str: "text", bool: "true|false", type(None): _NONE}


@dataclass(frozen=True, slots=True)
class _Given:
    """The value of an option that stands on the command line, None included."""

    value: Any


@dataclass(frozen=True, slots=True)
class Spec:
    """One option of a verb.

    Parameters
    ----------
    name : str
        As in Python.
    kind : type
        Its annotation, with the limits of the value.
    default : object
    help : str
        What it means, from the docstring.
    panel : str
        Heading under which the command's help lists it.
    """

    name: str
    kind: Any
    default: Any
    help: str
    panel: str


def of_config(config: type[Config], panel: str, *, without: Iterable[str] = ()) -> list[Spec]:
    """Return the options of a config, which its docstring describes under Attributes."""
    helps = described(config, "Attributes")
    specs = []
    for name, field in config.model_fields.items():
        if name not in without:
            kind = (
                Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
            )
            specs.append(Spec(name, kind, field.default, helps.get(name, ""), panel))
    return specs


def of_function(
    function: Callable[..., Any], names: Iterable[str], panel: str = "Options"
) -> list[Spec]:
    """Return some parameters of a function, which its docstring describes, as options."""
    helps, kinds = described(function, "Parameters"), get_type_hints(function, include_extras=True)
    parameters = inspect.signature(function).parameters
    return [
        Spec(name, kinds[name], parameters[name].default, helps.get(name, ""), panel)
        for name in names
    ]


def described(thing: Any, section: str) -> dict[str, str]:
    """Return what a numpydoc section says of each name, on one line.

    A description that goes on after a blank line is taken up to there.
    """
    lines = iter((inspect.getdoc(thing) or "").splitlines())
    for line in lines:
        if line == section:
            next(lines)
            break
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for line in takewhile(str.strip, lines):
        if line.startswith(" "):
            for name in names:
                found[name].append(line.strip())
        else:
            names = line.partition(" : ")[0].split(", ")
            found.update((name, []) for name in names)
    return {name: " ".join(text).replace("`", "") for name, text in found.items()}


def takes(specs: Sequence[Spec]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options `specs`; those that are given reach its ``**options``."""

    def dress(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def dressed(**values: Any) -> None:
            command(
                **{k: v.value for k, v in values.items() if isinstance(v, _Given)},
                **{k: v for k, v in values.items() if k not in own},
            )

        own = {spec.name for spec in specs}
        signature = inspect.signature(command, eval_str=True)
        named = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
        made = [
            inspect.Parameter(
                spec.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_option(spec)
            )
            for spec in specs
        ]
        parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in named] + made
        dressed.__annotations__ = {p.name: p.annotation for p in parameters}
        dressed.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        return dressed

    return dress


def _option(spec: Spec) -> Any:
    flag = f"--{spec.name.replace('_', '-')}"
    option = typer.Option(
        flag,
        parser=_parser(spec),
        metavar="|".join(_words(spec.kind)),
        help=f"{spec.help} Default: {_shown(spec.default)}.".strip(),
        show_default=False,
        rich_help_panel=spec.panel,
    )
    return Annotated[str | None, option]


def _shown(value: Any) -> str:
    if value is None:
        return _NONE
    if value == {}:
        return _NONE
    if isinstance(value, tuple | list):
        return ",".join(f"{each:g}" for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _parser(spec: Spec) -> Callable[[str], _Given]:
    """Return what turns the text of an option into the value that Python would take."""
    adapter = TypeAdapter(spec.kind)
    choices = {str(choice): choice for choice in _choices(spec.kind)}
    nullable = type(None) in _alternatives(spec.kind)
    several = any(get_origin(each) in (tuple, Sequence) for each in _alternatives(spec.kind))
    pairs = any(get_origin(each) is dict for each in _alternatives(spec.kind))

    def parse(text: str) -> _Given:
        if nullable and text.lower() == _NONE:
            return _Given(None)
        if text in choices:
            return _Given(choices[text])
        try:
            value = text.split(",") if several else _pairs(text) if pairs else text
            return _Given(adapter.validate_python(value))
        except ValidationError as error:
            problems = [problem["msg"] for problem in error.errors()]
            raise typer.BadParameter(f"{text!r}: {'; or '.join(dict.fromkeys(problems))}") from None

    return parse


def _pairs(text: str) -> dict[str, str]:
    """Return what ``a=b,c=d`` says."""
    parts = [part.partition("=") for part in text.split(",")]
    wrong = [name for name, sign, value in parts if not (name.strip() and sign and value.strip())]
    if wrong:
        raise typer.BadParameter(f"{text!r}: pairs are written a=b,c=d")
    return {name.strip(): value.strip() for name, _, value in parts}


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """Return the types that a value may have, without their limits."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _alternatives(get_args(kind)[0])
    if origin in (Union, types.UnionType):
        return tuple(each for part in get_args(kind) for each in _alternatives(part))
    return (kind,)


def _choices(kind: Any) -> list[Any]:
    parts = (part for part in _alternatives(kind) if get_origin(part) is Literal)
    return [choice for part in parts for choice in get_args(part)]


def _words(kind: Any) -> list[str]:
    """Return how the help writes each kind of value."""
    words = []
    for part in _alternatives(kind):
        if get_origin(part) is Literal:
            words += [str(choice) for choice in get_args(part)]
        elif get_origin(part) is Sequence or Ellipsis in get_args(part):
            words.append(f"{_alternatives(get_args(part)[0])[0].__name__},...")
        elif get_origin(part) is dict:
            words.append("a=b,...")
        elif get_origin(part) is tuple:
            words.append(",".join(each.__name__ for each in get_args(part)))
        else:
            words.append(_WORDS.get(part) or part.__name__)
    return words
