"""Every public docstring of posenb, read by numpydoc from the living object.

numpydoc's own lint reads the source alone and so takes the fields of a dataclass for
parameters that do not exist. Its checks are those of [tool.numpydoc_validation].
Four rules of the house are put on top:

- a short function (up to three parameters) may say it all in its first line; one with
  more lists them, and whoever lists any lists all,
- a command's docstring is its help, where Typer lists the parameters,
- a method that replaces one of another package's class is described there,
- a class that lists any fields under Attributes, as configs do, lists all.
"""

import importlib
import inspect
import pkgutil
import tomllib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import posenb

ROOT = Path(__file__).parents[1]
CHECKS = set(
    tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["numpydoc_validation"]["checks"]
)
FEW = 3


def public_modules() -> list[str]:
    found = pkgutil.walk_packages(posenb.__path__, "posenb.")
    return ["posenb", *(m.name for m in found if not any(p[0] == "_" for p in m.name.split(".")))]


def public_objects(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Import path and object of the module's own functions and classes and their methods."""
    for name, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__
        if name.startswith("_") or not own:
            continue
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            continue
        yield f"{module.__name__}.{name}", value
        if inspect.isclass(value):
            for member, attribute in vars(value).items():
                kind = staticmethod | classmethod | property
                if member.startswith("_") or described_elsewhere(value, member):
                    continue
                if isinstance(attribute, kind) or inspect.isfunction(attribute):
                    yield f"{module.__name__}.{name}.{member}", getattr(value, member)


def described_elsewhere(kind: type, member: str) -> bool:
    """Tell whether a base class of another package has the same member."""
    bases = [base for base in kind.__mro__[1:] if not base.__module__.startswith("posenb")]
    return any(member in vars(base) for base in bases)


def parameter_count(value: object) -> int:
    if not callable(value) or (inspect.isclass(value) and issubclass(value, BaseException | Enum)):
        return 0
    return len([n for n in inspect.signature(value).parameters if n not in {"self", "cls"}])


def complaints(path: str, value: object) -> list[str]:
    """What numpydoc's checks and the rules of the house find at `path`."""
    sections = NumpyDocString(inspect.cleandoc(getattr(value, "__doc__", None) or ""))
    listed = {n.strip() for entry in sections["Attributes"] for n in entry.name.split(",")}
    command = path.startswith("posenb.cli.")
    few = command or listed or parameter_count(value) <= FEW
    brief = few and not sections["Parameters"]
    found = []
    for code, text in validate(path)["errors"]:
        if code == "PR01" and brief:
            continue
        if code in CHECKS:
            found.append(f"{path}: {code} {text}")
    if listed and "__annotations__" in vars(value):
        fields = {n for n in vars(value)["__annotations__"] if n[0] != "_"}
        found += [f"{path}: Attributes lack {name}" for name in sorted(fields - listed)]
        unknown = {name for name in listed if name not in fields and not hasattr(value, name)}
        found += [f"{path}: Attributes name unknown {name}" for name in sorted(unknown)]
    return found


@pytest.mark.parametrize("module", public_modules())
def test_public_docstrings_are_whole(module):
    loaded = importlib.import_module(module)
    assert loaded.__doc__
    objects = public_objects(loaded)
    assert not [complaint for path, value in objects for complaint in complaints(path, value)]


@pytest.fixture
def thing(monkeypatch, tmp_path):
    """Import a module of one's own making and return what it is blamed for."""

    def blame(source: str) -> list[str]:
        (tmp_path / "thing.py").write_text(source)
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(importlib.sys.modules, "thing", raising=False)
        module = importlib.import_module("thing")
        return [c for path, value in public_objects(module) for c in complaints(path, value)]

    return blame


def test_a_missing_docstring_is_found(thing):
    assert "thing.f: GL08" in thing('"""Module."""\n\ndef f():\n    pass\n')[0]


def test_a_short_function_may_say_it_all_in_one_line(thing):
    assert thing('"""Module."""\n\ndef f(a, b, c):\n    """Add `a`, `b` and `c`."""\n') == []


def test_a_function_of_many_parameters_lists_them(thing):
    assert "PR01" in thing('"""Module."""\n\ndef f(a, b, c, d):\n    """Add."""\n')[0]


def test_who_lists_one_parameter_lists_all(thing):
    source = (
        '"""Module."""\n\ndef f(a, b):\n    """Add.\n\n'
        '    Parameters\n    ----------\n    a : int\n        First.\n    """\n'
    )
    assert "PR01 Parameters {'b'} not documented" in thing(source)[0]


def test_a_method_of_kerass_is_described_by_keras(thing):
    source = (
        '"""Module."""\nimport keras\n\n\nclass Twice(keras.layers.Layer):\n    """Doubles."""\n\n'
        "    def call(self, a, b, c, d):\n        return a\n\n    def own(self):\n        pass\n"
    )
    assert [complaint.partition(":")[0] for complaint in thing(source)] == ["thing.Twice.own"]


def test_a_parameter_that_does_not_exist_is_found(thing):
    source = (
        '"""Module."""\n\ndef f(a):\n    """Add.\n\n'
        '    Parameters\n    ----------\n    b : int\n        First.\n    """\n'
    )
    assert any("PR02" in complaint for complaint in thing(source))


def test_an_option_missing_from_a_configs_docstring_is_found(thing):
    source = (
        '"""Module."""\nfrom posenb.core import Config\n\n\nclass C(Config):\n    """Options.\n\n'
        '    Attributes\n    ----------\n    b : int\n        First.\n    """\n\n    a: int = 1\n'
    )
    assert thing(source) == [
        "thing.C: Attributes lack a",
        "thing.C: Attributes name unknown b",
    ]
