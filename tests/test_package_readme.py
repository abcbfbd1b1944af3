"""The README promises nothing that is not there."""

import ast
import inspect
import re
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

import posenb as pn
from posenb.cli import app
from posenb.core import TrainConfig
from posenb.models import backbone_names

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT, TOOL = SETTINGS["project"], SETTINGS["tool"]
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
CALLS = [
    node
    for block in BLOCKS
    for node in ast.walk(ast.parse(block))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
]
OPTIONS = {
    *TrainConfig.model_fields,
    *pn.ModelConfig.model_fields,
    *pn.AugmentationConfig.model_fields,
    *pn.SplitConfig.model_fields,
}


def verb(call: ast.Call) -> str | None:
    """Name of the posenb verb that is called, if it is one."""
    assert isinstance(call.func, ast.Attribute)
    owner = call.func.value
    return call.func.attr if isinstance(owner, ast.Name) and owner.id == "pn" else None


def test_there_are_examples():
    assert len(BLOCKS) >= 2


@pytest.mark.parametrize("call", CALLS, ids=ast.unparse)
def test_every_verb_in_an_example_exists_and_takes_what_it_is_given(call):
    name = verb(call)
    if name is None:
        assert isinstance(call.func, ast.Attribute)
        assert any(hasattr(value, call.func.attr) for value in (pn.Poses, pn.Run))
        return
    parameters = inspect.signature(getattr(pn, name)).parameters
    free = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    for keyword in call.keywords:
        assert keyword.arg in parameters or (free and keyword.arg in OPTIONS)
    places = [p for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert len(call.args) <= len(places)


def test_every_backbone_in_an_example_exists():
    named = re.findall(r'backbone="(\w+)"', TEXT)
    assert named
    assert set(named) <= set(backbone_names())


def test_the_table_of_extras_is_that_of_the_package():
    section = TEXT[TEXT.index("| extra |") :].split("\n\n")[0]
    named = re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in section.splitlines()))
    assert set(named) == PROJECT["optional-dependencies"].keys()


def test_every_room_is_on_the_map():
    section = TEXT[TEXT.index("| floor |") :].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", section))
    rooms = {init.parent.name for init in (ROOT / "posenb").glob("*/__init__.py")}
    contract = TOOL["importlinter"]["contracts"][0]["layers"]
    planned = {name for floor in contract for name in re.findall(r"\w+", floor)}
    assert rooms <= named <= planned


def test_every_linked_file_exists():
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", TEXT)
    assert linked
    assert [link for link in linked if not (ROOT / link).exists()] == []


def test_every_command_exists():
    named = set(re.findall(r"(?:`|bin/)posenb ([a-z][a-z-]+)", TEXT))
    assert "demo" in named
    assert named <= set(get_command(app).commands)


def test_the_command_that_runs_the_suite_is_the_one_ci_calls():
    assert "bash tests/run" in TEXT
    assert (ROOT / "tests" / "run").is_file()
    assert "tests/run" in (ROOT / ".ci" / "run").read_text()
