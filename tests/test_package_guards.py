"""The machines that guard the house really do object."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
CONTRACTS = {c["name"]: c for c in SETTINGS["importlinter"]["contracts"]}


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


# --- the map of rooms ----------------------------------------------------------------


@pytest.fixture
def copy(tmp_path):
    """A copy of the package to break."""
    shutil.copytree(ROOT / "posenb", tmp_path / "posenb", ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def broken_contracts(folder: Path) -> list[str]:
    tool = Path(sys.executable).with_name("lint-imports")
    done = run(str(tool), "--no-cache", cwd=folder)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)  # some versions colour even a file
    broken = re.findall(r"^(.+) BROKEN\b", plain, re.MULTILINE)
    assert (done.returncode != 0) == bool(broken), done.stdout + done.stderr
    return broken


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("core/split.py", "import posenb.labels", "A room imports only rooms below it"),
        ("models/__init__.py", "import posenb.plots", "A room imports only rooms below it"),
        ("training/__init__.py", "import posenb.inference", "A room imports only rooms below it"),
        ("hall/__init__.py", "", "A room imports only rooms below it"),
        (
            "evaluation/__init__.py",
            "import posenb.video",
            "The compute half of floor 2 never imports the I/O half",
        ),
        ("project/__init__.py", "import fsspec", "Only storage imports fsspec"),
        ("evaluation/__init__.py", "def f():\n    import av", "Only video imports PyAV"),
    ],
)
def test_a_breach_of_the_map_is_found(copy, file, line, contract):
    target = copy / "posenb" / file
    target.parent.mkdir(exist_ok=True)
    with target.open("a") as module:
        module.write(f"\n{line}\n")
    assert contract in broken_contracts(copy)


def test_storage_may_import_fsspec_and_video_pyav(copy):
    for file, line in (
        ("storage/__init__.py", "import fsspec"),
        ("video/__init__.py", "import av"),
    ):
        with (copy / "posenb" / file).open("a") as module:
            module.write(f"\n{line}\n")
    assert broken_contracts(copy) == []


def test_every_compute_room_is_kept_from_the_io_rooms():
    floors = CONTRACTS["A room imports only rooms below it"]["layers"]
    names = next({n.strip(" ()") for n in f.split("|")} for f in floors if "sampling" in f)
    here = [name for name in names if (ROOT / "posenb" / name / "__init__.py").is_file()]
    existing = {f"posenb.{name}" for name in here}
    contract = CONTRACTS["The compute half of floor 2 never imports the I/O half"]
    assert set(contract["source_modules"]) == existing - {"posenb.project"}


# --- style and types -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("def f() -> None:\n    print('x')\n", "T201"),
        ("try:\n    f()\nexcept Exception:\n    x = 1\n", "BLE001"),
        ("def f(a, b, c, d, e, f, g, h, i):\n    return a\n", "PLR0913"),
        ("def f():\n" + "    x = 1\n" * 51, "PLR0915"),
        ("def f(x):\n    return x\n", "D103"),
        ("import numpy as np\nnp.random.seed(0)\n", "NPY002"),
        ("import pickle\npickle.loads(b'')\n", "S301"),
    ],
)
def test_a_breach_of_style_is_found(code, rule):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "concise"),
            *("--stdin-filename", "posenb/thing.py", "-"),
        ],
        cwd=ROOT,
        input=code,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert rule in done.stdout


@pytest.mark.slow
def test_a_breach_of_types_is_found(tmp_path):
    (tmp_path / "thing.py").write_text("def f(x):\n    return x\n\n\ny: int = 'one'\n")
    done = run(
        *(sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml")),
        str(tmp_path / "thing.py"),
        cwd=ROOT,
    )
    assert done.returncode == 1, done.stderr
    assert "[no-untyped-def]" in done.stdout
    assert "[assignment]" in done.stdout
