"""What `import posenb` brings in: nothing but itself and the standard library."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "av",
    "dask",
    "fsspec",
    "gcsfs",
    "h5py",
    "ipycanvas",
    "ipywidgets",
    "jax",
    "keras",
    "matplotlib",
    "numpy",
    "pandas",
    "plotly",
    "pydantic",
    "scipy",
    "sklearn",
    "tables",
    "tensorflow",
    "tqdm",
    "typer",
}


def modules_after(code: str) -> set[str]:
    """Top-level modules that `code` loads in a fresh interpreter."""
    script = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        f"{code}\n"
        "print(json.dumps(sorted({n.partition('.')[0] for n in set(sys.modules) - before})))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_posenb_loads_no_other_package():
    foreign = modules_after("import posenb") - set(sys.stdlib_module_names)
    assert foreign == {"posenb"}


def test_importing_posenb_loads_none_of_its_rooms():
    script = "import sys, posenb; print([n for n in sys.modules if n.startswith('posenb.')])"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_posenb_says_nothing():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import posenb"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr) == ("", "")


def test_importing_posenb_leaves_the_choice_of_a_backend_open():
    script = "import os, posenb; print('KERAS_BACKEND' in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={},
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", ["Skeleton", "Poses", "Labels", "Split", "PosenbError"])
def test_a_value_needs_neither_keras_nor_video_nor_widgets(name):
    loaded = modules_after(f"from posenb import {name}")
    assert not loaded & (HEAVY - {"numpy", "pydantic"})


def test_a_config_needs_no_keras():
    assert not modules_after("from posenb import TrainConfig; TrainConfig()") & (
        HEAVY - {"numpy", "pydantic"}
    )


def test_the_loaded_modules_are_really_seen():
    assert "tqdm" in modules_after("import tqdm")
