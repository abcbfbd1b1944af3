"""The public names: one table in posenb, told again to type checkers by the stub."""

import ast
import subprocess
import sys
from importlib import import_module
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import posenb as pn

ROOT = Path(__file__).parents[1]
STUB = ast.parse(Path(pn.__file__).with_suffix(".pyi").read_text())


def stub_imports() -> dict[str, str]:
    """Public name -> "module:attribute", as the stub tells it."""
    return {
        alias.asname: f"{statement.module}:{alias.name}".replace("posenb:", "posenb.")
        for statement in STUB.body
        if isinstance(statement, ast.ImportFrom)
        for alias in statement.names
        if alias.asname
    }


ROOMS = [name for name, place in pn._PUBLIC.items() if ":" not in place]
NAMES = [name for name in pn.__all__ if name not in ROOMS]


def stub_all() -> list[str]:
    for statement in STUB.body:
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "__all__":
            return ast.literal_eval(statement.value)
    return []


@pytest.mark.parametrize("name", ROOMS)
def test_a_room_among_the_public_names_is_the_room_itself(name):
    assert getattr(pn, name) is import_module(f"posenb.{name}")
    assert all(hasattr(getattr(pn, name), verb) for verb in getattr(pn, name).__all__)


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_resolves_and_belongs_to_posenb(name):
    assert getattr(pn, name).__module__.startswith("posenb.")


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_comes_from_the_front_of_its_room(name):
    module, attribute = pn._PUBLIC[name].split(":")
    assert module.count(".") == 1
    assert attribute in import_module(module).__all__


def test_the_stub_and_the_table_agree():
    assert stub_imports() == pn._PUBLIC


def test_what_a_star_import_brings_is_the_same_in_the_stub():
    assert stub_all() == pn.__all__


@pytest.mark.parametrize("name", NAMES)
def test_no_public_name_is_that_of_a_room_which_would_take_its_place_once_imported(name):
    assert not (ROOT / "posenb" / name).exists()
    assert not (ROOT / "posenb" / f"{name}.py").exists()


def test_names_stand_in_alphabetical_order():
    assert pn.__all__ == sorted(pn.__all__)


def test_a_star_import_brings_the_public_names_and_nothing_else():
    space: dict[str, object] = {}
    exec("from posenb import *", space)
    assert space.keys() - {"__builtins__"} == set(pn.__all__)


def test_an_editor_is_offered_the_public_names():
    assert set(pn.__all__) <= set(dir(pn))
    assert "__version__" in dir(pn)


def test_an_unknown_name_is_missing_as_in_any_module():
    assert not hasattr(pn, "no_such_verb")
    with pytest.raises(AttributeError, match="module 'posenb' has no attribute 'no_such_verb'"):
        _ = pn.no_such_verb


def test_an_unknown_name_cannot_be_imported():
    with pytest.raises(ImportError, match="no_such_verb"):
        exec("from posenb import no_such_verb")


def test_a_misspelt_name_is_met_with_the_likeliest_one():
    done = subprocess.run(
        [sys.executable, "-c", "import posenb; posenb.Skelton"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Did you mean: 'Skeleton'?" in done.stderr


def test_an_error_inside_a_room_is_not_taken_for_a_missing_name(monkeypatch):
    monkeypatch.setitem(pn._PUBLIC, "broken", "posenb.no_such_room:thing")
    with pytest.raises(ModuleNotFoundError, match="no_such_room"):
        _ = pn.broken


def test_the_version_is_that_of_the_installed_package():
    assert version("posenb") == pn.__version__


def test_the_command_posenb_leads_somewhere():
    (command,) = entry_points(group="console_scripts", name="posenb")
    assert callable(command.load())


@pytest.mark.slow
def test_a_type_checker_sees_through_the_lazy_names(tmp_path):
    good = "import posenb as pn\nskeleton = pn.Skeleton(('snout',))\nreveal_type(skeleton)\n"
    bad = "import posenb as pn\npn.Skeleton(keypoints=3)\npn.Skelton\n"
    (tmp_path / "good.py").write_text(good)
    (tmp_path / "bad.py").write_text(bad)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")),
            *(str(tmp_path / "good.py"), str(tmp_path / "bad.py")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert any("good.py:3" in ln and "posenb.core.skeleton.Skeleton" in ln for ln in lines), lines
    assert any("bad.py:2" in ln and "[arg-type]" in ln for ln in lines), lines
    assert any("bad.py:3" in ln and "Skelton" in ln for ln in lines), lines
