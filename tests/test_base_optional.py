import importlib.util
import subprocess
import sys

import pytest

from posenb import _optional
from posenb._optional import import_optional, require_keras
from posenb.errors import MissingBackendError, MissingPackageError


def test_a_package_that_is_there_is_returned():
    import json

    assert import_optional("json", extra="x", purpose="Testing") is json


def test_a_missing_package_is_answered_with_what_to_install():
    expected = r"Reading s3:// URLs needs the package 'no_such'.*pip install \"posenb\[s3\]\""
    with pytest.raises(MissingPackageError, match=expected):
        import_optional("no_such.part", extra="s3", purpose="Reading s3:// URLs")


def without(monkeypatch, *absent):
    real = importlib.util.find_spec
    monkeypatch.setattr(_optional, "find_spec", lambda name: None if name in absent else real(name))


def test_without_any_backend_both_are_named(monkeypatch):
    without(monkeypatch, "tensorflow", "jax")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(MissingBackendError, match=r"posenb\[tensorflow\].*posenb\[jax\]"):
        require_keras()


def test_a_backend_that_was_asked_for_and_is_not_there_is_named(monkeypatch):
    without(monkeypatch, "jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(MissingBackendError, match="KERAS_BACKEND asks for 'jax'"):
        require_keras()


def test_jax_is_chosen_where_tensorflow_is_absent():
    program = (
        "import os, sys, types\n"
        "os.environ.pop('KERAS_BACKEND', None)\n"
        "sys.modules['keras'] = types.ModuleType('keras')\n"
        "from posenb import _optional\n"
        "_optional.find_spec = lambda name: None if name == 'tensorflow' else object()\n"
        "_optional.require_keras()\n"
        "assert os.environ['KERAS_BACKEND'] == 'jax'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.parametrize("level", [None, "1"])  # "1" is what JAX sets when it is imported
def test_keras_is_loaded_without_a_word_and_stderr_is_there_afterwards(level):
    code = (
        "import os, sys\n"
        "os.environ.pop('TF_CPP_MIN_LOG_LEVEL', None)\n"
        f"os.environ.update({ ({'TF_CPP_MIN_LOG_LEVEL': level} if level else {})!r})\n"
        "from posenb._optional import require_keras\n"
        "keras = require_keras()\n"
        "keras.ops.convert_to_numpy(keras.ops.ones(3))\n"
        "os.write(2, b'heard')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "heard"


def test_without_a_stderr_keras_is_loaded_all_the_same():
    code = (
        "import os, sys\n"
        "from posenb._optional import require_keras\n"
        "os.close(2)\n"
        "print(require_keras().__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "keras\n"


def test_where_keras_cannot_be_loaded_what_was_written_is_shown(tmp_path):
    broken = "import os\nos.write(2, b'no such processor')\nraise ImportError('broken')\n"
    (tmp_path / "keras.py").write_text(broken)
    code = (
        f"import sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
        "from posenb._optional import require_keras\n"
        "require_keras()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert "no such processor" in done.stderr
    assert "ImportError: broken" in done.stderr
