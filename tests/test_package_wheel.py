"""What a user downloads: the package and its licence, nothing of the workshop."""

import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def members(wheel) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture(scope="module")
def metadata(members):
    name = next(name for name in members if name.endswith(".dist-info/METADATA"))
    return Parser().parsestr(members[name].decode())


def test_the_wheel_holds_every_module_of_the_package(members):
    listed = subprocess.run(
        ["git", "ls-files", "posenb"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(listed) <= members.keys()


def test_the_wheel_tells_type_checkers_that_it_is_typed(members):
    assert {"posenb/py.typed", "posenb/__init__.pyi"} <= members.keys()


def test_the_wheel_holds_nothing_outside_the_package(members):
    assert {name.partition("/")[0].partition("-")[0] for name in members} == {"posenb"}
    assert not [name for name in members if "/tests/" in name or "__pycache__" in name]


def test_the_wheel_carries_the_models_of_the_zoo_and_not_their_recipes(members):
    bundled = "posenb/zoo/bundled/"
    for card in (ROOT / "model_zoo").glob("*/card.json"):
        for path in card.parent.iterdir():
            assert members[f"{bundled}{card.parent.name}/{path.name}"] == path.read_bytes()
    assert members[f"{bundled}index.json"] == (ROOT / "model_zoo" / "index.json").read_bytes()
    assert not [name for name in members if "recipes" in name]


def test_the_wheel_carries_its_licence(members, metadata):
    licence = next(name for name in members if name.endswith("/licenses/LICENSE"))
    assert members[licence] == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"


def test_the_wheel_suits_python_3_11_to_3_13(wheel, metadata):
    assert wheel.name.endswith("-py3-none-any.whl")
    assert set(metadata["Requires-Python"].split(",")) == {">=3.11", "<3.14"}


def test_no_backend_and_no_tool_is_a_plain_dependency(metadata):
    plain = {
        entry.name
        for entry in map(Requirement, metadata.get_all("Requires-Dist"))
        if entry.marker is None
    }
    assert "keras" in plain
    assert not plain & {"tensorflow", "jax", "gcsfs", "s3fs", "pytest", "ruff"}


def test_no_dependency_has_an_upper_bound(metadata):
    bounded = [
        str(entry)
        for entry in map(Requirement, metadata.get_all("Requires-Dist"))
        if any(rule.operator not in {">=", "!="} for rule in entry.specifier)
    ]
    assert not bounded


def test_the_wheel_works_where_it_is_unpacked(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "import posenb as pn; print(pn.__file__); print(pn.Skeleton(('snout',)).keypoints)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(tmp_path / "posenb" / "__init__.py"), "('snout',)"]
