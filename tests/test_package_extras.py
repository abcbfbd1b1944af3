"""Optional packages: the first use that needs one says what would cure its absence.

Each test runs in an interpreter whose only packages are links to the installed
ones, less those the test is about: to Python they are not installed.
"""

import os
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TENSORFLOW = ("tensorflow", "libtensorflow")
JAX = ("jax",)
ROOMS = sorted(init.parent.name for init in (ROOT / "posenb").glob("*/__init__.py"))


def run_without(absent: tuple[str, ...], folder: Path, code: str, **settings: str) -> str:
    """Run `code` where no package whose name starts with one of `absent` is installed."""
    for entry in Path(sysconfig.get_paths()["purelib"]).iterdir():
        if not entry.name.lower().startswith(absent) and entry.suffix != ".pth":
            (folder / entry.name).symlink_to(entry)
    kept = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={**kept, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]), **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def caught(call: str) -> str:
    """Code that prints the error `call` ends in."""
    return (
        "import posenb as pn\n"
        "from posenb._optional import require_keras\n"
        "from posenb.errors import MissingBackendError\n"
        f"try:\n    {call}\nexcept MissingBackendError as error:\n    print(error)\n"
    )


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "site"
    made.mkdir()
    return made


def test_without_a_backend_the_error_names_both_extras(folder):
    said = run_without(TENSORFLOW + JAX, folder, caught("require_keras()"))
    assert 'pip install "posenb[tensorflow]"' in said
    assert 'pip install "posenb[jax]"' in said


@pytest.mark.parametrize("room", ROOMS)
def test_without_a_backend_a_room_loads_or_says_what_would_cure_it(folder, room):
    said = run_without(TENSORFLOW + JAX, folder, caught(f"import posenb.{room}"))
    assert said == "" or 'pip install "posenb[tensorflow]"' in said


def test_training_without_a_backend_says_what_would_cure_it(folder, tmp_path):
    url = str(tmp_path / "project")
    said = run_without(
        TENSORFLOW + JAX,
        folder,
        f"import posenb as pn; pn.create_project({url!r}, keypoints=['snout'])\n"
        + caught(f"pn.train({url!r})"),
    )
    assert 'pip install "posenb[tensorflow]"' in said
    assert 'pip install "posenb[jax]"' in said


def test_without_a_backend_the_error_is_both_an_import_error_and_one_of_posenbs(folder):
    code = (
        "from posenb._optional import require_keras\n"
        "from posenb.errors import PosenbError\n"
        "for kind in (ImportError, PosenbError):\n"
        "    try:\n        require_keras()\n"
        "    except kind as error:\n        print(type(error).__name__)\n"
    )
    said = run_without(TENSORFLOW + JAX, folder, code)
    assert said.split() == ["MissingBackendError", "MissingBackendError"]


def test_without_a_backend_values_still_work(folder):
    code = "import posenb as pn; print(len(pn.Skeleton(('snout', 'tail')))); pn.TrainConfig()"
    assert run_without(TENSORFLOW + JAX, folder, code) == "2"


def test_a_backend_asked_for_by_name_must_be_there(folder):
    said = run_without(JAX, folder, caught("require_keras()"), KERAS_BACKEND="jax")
    assert "KERAS_BACKEND" in said
    assert 'pip install "posenb[jax]"' in said


def test_with_jax_alone_keras_computes_with_jax(folder):
    code = "from posenb._optional import require_keras; print(require_keras().backend.backend())"
    assert run_without(TENSORFLOW, folder, code).splitlines()[-1] == "jax"


def test_with_jax_alone_the_training_room_loads(folder):
    code = "import posenb as pn; pn.train; import keras; print(keras.backend.backend())"
    assert run_without(TENSORFLOW, folder, code).splitlines()[-1] == "jax"


@pytest.mark.slow
def test_with_tensorflow_alone_keras_computes_with_tensorflow(folder):
    code = "from posenb._optional import require_keras; print(require_keras().backend.backend())"
    assert run_without(JAX, folder, code).splitlines()[-1] == "tensorflow"


def test_with_both_the_one_asked_for_is_taken(folder):
    code = "from posenb._optional import require_keras; print(require_keras().backend.backend())"
    assert run_without(("no-package",), folder, code, KERAS_BACKEND="jax").splitlines()[-1] == "jax"


@pytest.mark.parametrize(
    ("package", "url", "extra"),
    [("gcsfs", "gs://lab/reach", "gcs"), ("s3fs", "s3://lab/reach", "s3")],
)
def test_a_bucket_without_its_client_is_met_with_the_extra_and_the_fsspec_that_stays(
    folder, package, url, extra
):
    code = (
        "from posenb import storage\n"
        "from posenb.errors import MissingPackageError\n"
        f"try:\n    storage.exists({url!r})\n"
        "except MissingPackageError as error:\n    print(error)\n"
    )
    said = run_without((package,), folder, code)
    assert f"Reaching {url[:5]}" in said
    assert f'pip install "posenb[{extra}]" "fsspec=={version("fsspec")}"' in said


def test_without_its_client_a_bucket_is_the_only_thing_out_of_reach(folder):
    code = "from posenb import storage; print(storage.exists('/no/such/file'))"
    assert run_without(("gcsfs", "s3fs"), folder, code) == "False"
