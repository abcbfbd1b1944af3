"""`posenb app`: what it asks for, what it keeps closed, what it does without."""

import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from posenb.app import serving
from posenb.app.serving import serve
from posenb.cli.app import app
from posenb.errors import InvalidInputError, MissingPackageError

FORBID = """
import importlib.util, sys

ABSENT = ("tensorflow", "jax", "keras", "torch")

class Forbidden:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ImportError(f"{name} is forbidden here")

sys.meta_path.insert(0, Forbidden())
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name in ABSENT else find(name, *more)
"""
WALK = """
import sys
from pathlib import Path
from posenb._progress import silent_progress
from posenb.app import engine, show
from posenb.app.state import Options
from posenb.app.work import Worker
from posenb.app.visit import Visit

app = show()
visit = Visit()
worker = Worker(visit)
_, run = worker.run(Path(sys.argv[1]), "m.mp4", "mouse_openfield", Options(size=1.0))
found, folder = run.result()
print(found.frames, sorted(set(sys.modules) & {"tensorflow", "jax", "keras", "torch"}))
app.close()
"""


@pytest.mark.slow
def test_the_app_needs_neither_tensorflow_nor_jax_nor_keras(empty_clip):
    pytest.importorskip("openvino", reason="the extra cpu is not installed")
    done = subprocess.run(
        [sys.executable, "-c", FORBID + WALK, str(empty_clip)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "8 []", done.stderr[-2000:]


def test_it_serves_this_machine_alone_unless_told_otherwise():
    settings = serving._settings("localhost", 8866)
    assert settings.Voila.ip == "localhost"
    assert list(settings.Voila.tornado_settings) == ["disable_check_xsrf"]
    assert settings.VoilaConfiguration.file_denylist == [".*"]
    assert settings.VoilaConfiguration.allow_template_override == "NO"


@pytest.mark.parametrize("anywhere", ["0.0.0.0", "[::]"])
def test_where_everybody_may_come_the_address_is_one_that_browsers_can_open(anywhere):
    said = serving._reachable(f"http://{anywhere}:8866/")
    assert re.fullmatch(r"http://(?!0\.0\.0\.0)[\w.]+:8866/", said), said
    assert serving._reachable("http://localhost:8866/") == "http://localhost:8866/"


def test_a_limit_that_is_none_is_refused():
    with pytest.raises(InvalidInputError, match="needs some room; got 0 GB"):
        serve(limit=0)


@pytest.mark.parametrize("lacking", ["voila.app", "ipykernel"])
def test_without_voila_or_a_kernel_it_says_how_to_get_them(monkeypatch, lacking):
    monkeypatch.setitem(sys.modules, lacking, None)
    with pytest.raises(MissingPackageError, match=r'pip install "posenb\[app\]"'):
        serve()


def test_the_command_passes_on_what_is_typed_and_says_where_the_app_is(monkeypatch):
    given = {}

    def stand_in(*, on_ready, **options):
        given.update(options)
        on_ready("http://localhost:9000/")

    monkeypatch.setattr("posenb.cli.app_command.serve", stand_in)
    monkeypatch.setattr("webbrowser.open", lambda url: given.update(opened=url))
    done = CliRunner().invoke(app, ["app", "--port", "9000", "--limit", "2.5", "--open"])
    assert done.exit_code == 0, done.output
    assert "The app is at http://localhost:9000/" in done.output
    assert given == {"port": 9000, "limit": 2.5, "opened": "http://localhost:9000/"}


def test_the_help_has_the_defaults_of_the_verb():
    done = CliRunner().invoke(app, ["app", "--help"], env={"COLUMNS": "200"})
    for words in ("Default: localhost", "Default: 8866", "Default: 4.0"):
        assert words in done.output
