"""The program as a whole: help, exit codes, and what reaches the terminal."""

import os
import signal
import subprocess
import sys
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import pytest

from posenb.cli import noise
from posenb.errors import LabelWarning

PROGRAM = str(Path(sys.executable).with_name("posenb"))
LOOP = ("create", "open", "add-videos", "train", "evaluate", "analyze", "demo")


def run_program(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "100", **environment},
    )


def test_help_shows_the_loop(posenb):
    done = posenb("--help")
    assert done.exit_code == 0
    places = [done.stdout.rindex(f" {command} ") for command in LOOP]
    assert places == sorted(places)


@pytest.mark.parametrize("command", LOOP)
def test_every_command_has_help(posenb, command):
    for flag in ("--help", "-h"):
        done = posenb(command, flag)
        assert done.exit_code == 0
        assert f" {command} [OPTIONS]" in done.stdout


def test_without_a_command_the_help_is_shown(posenb):
    assert "create" in posenb().output


@pytest.mark.parametrize(
    "arguments",
    [("fly",), ("train",), ("train", "a", "--steps", "many"), ("train", "a", "b"), ("--fly",)],
)
def test_wrong_usage_exits_with_2(posenb, arguments):
    done = posenb(*arguments)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert "Usage" in done.stderr


def test_the_version_is_that_of_the_package(posenb):
    done = posenb("--version")
    assert (done.exit_code, done.stdout.strip()) == (0, f"posenb {version('posenb')}")


def test_an_error_is_one_line_on_stderr(tmp_path):
    done = run_program("open", tmp_path / "nowhere")
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("posenb: error: No project at ")


def test_debugging_shows_the_traceback_of_an_error(tmp_path):
    done = run_program("open", tmp_path / "nowhere", POSENB_DEBUG="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ProjectError" in done.stderr


UNEXPECTED = (
    "import sys, posenb.cli.project_commands as commands\n"
    "def fail(*_, **__): raise ZeroDivisionError('by nought\\nand more')\n"
    "commands.open_project = fail\n"
    "sys.argv = ['posenb', 'open', 'x']\n"
    "from posenb.cli import main\n"
    "main()\n"
)


@pytest.mark.parametrize("debug", ["", "0", "1"])
def test_an_unexpected_error_is_one_line_unless_debugging(debug):
    done = subprocess.run(
        [sys.executable, "-c", UNEXPECTED],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "POSENB_DEBUG": debug},
    )
    assert done.returncode == 1
    if debug == "1":
        assert "Traceback" in done.stderr
    else:
        (line,) = done.stderr.splitlines()
        assert line == (
            "posenb: unexpected error: ZeroDivisionError: by nought and more "
            "(POSENB_DEBUG=1 shows where)"
        )


def test_an_interrupt_exits_with_130_and_says_how_to_go_on(posenb, monkeypatch):
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("posenb.cli.project_commands.open_project", interrupt)
    done = posenb("open", "x")
    assert done.exit_code == 130
    assert "run the same command to go on" in done.stderr
    assert len(done.stderr.splitlines()) == 1


NOISY = (
    "import os, sys, warnings, posenb.cli.project_commands as commands\n"
    "from posenb.errors import VideoWarning\n"
    "def make(*_, **__):\n"
    "    os.write(2, b'I0000 native noise')\n"
    "    warnings.warn('keras noise', UserWarning)\n"
    "    warnings.warn('frames\\nare missing', VideoWarning)\n"
    "    sys.stderr.write('progress\\n')\n"
    "    sys.exit(0)\n"
    "commands.open_project = make\n"
    "sys.argv = ['posenb', 'open', 'x']\n"
    "from posenb.cli import main\n"
    "main()\n"
)


def test_only_own_words_reach_the_terminal():
    done = subprocess.run([sys.executable, "-c", NOISY], capture_output=True, text=True, check=True)
    assert done.stderr == "posenb: warning: frames are missing\nprogress\n"


def test_debugging_lets_everything_through():
    done = subprocess.run(
        [sys.executable, "-c", NOISY],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "POSENB_DEBUG": "1"},
    )
    for words in ("native noise", "keras noise", "are missing", "progress"):
        assert words in done.stderr


def test_a_warning_is_one_line(capsys):
    with warnings.catch_warnings():
        warnings.showwarning = noise._show_warning
        warnings.simplefilter("always")
        warnings.warn("a\nb", LabelWarning, stacklevel=1)
    assert capsys.readouterr().err == "posenb: warning: a b\n"


def test_help_needs_neither_keras_nor_pandas_nor_matplotlib():
    script = (
        "import sys\nfrom posenb.cli import app\n"
        "try: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'keras', 'tensorflow', 'jax', 'pandas', 'matplotlib', 'plotly', 'h5py'}\n"
        "sys.exit(sorted(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_training_says_nothing_but_its_progress(project):
    options = ("--backbone", "mobilenet_v2_035", "--weights", "none", "--width", "8")
    sizes = ("--steps", "2", "--batch-size", "2", "--window", "64", "--scale", "1")
    done = run_program("train", project.url, "--seed", "3", *options, *sizes)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    states = [line for line in done.stderr.replace("\r", "\n").splitlines() if line.strip()]
    assert {state.partition(":")[0] for state in states} == {
        "Reading labelled frames",
        "Training",
    }
    quiet = run_program("train", project.url, "--seed", "4", "--quiet", *options, *sizes)
    assert (quiet.returncode, quiet.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child alone")
def test_training_stops_at_ctrl_c_and_goes_on_afterwards(project):
    options = ("--backbone", "mobilenet_v2_035", "--weights", "none", "--width", "8")
    sizes = ("--batch-size", "2", "--window", "64", "--scale", "1", "--validate-every", "1")
    arguments = [PROGRAM, "train", project.url, "--name", "r", *options, *sizes]
    child = subprocess.Popen(
        [*arguments, "--steps", "100000"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    checkpoint = Path(project.url) / "runs" / "r" / "checkpoint.npz"
    deadline = time.monotonic() + 240
    while not checkpoint.exists() and child.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130, said
    assert "posenb: stopped: what is finished is kept" in said
    assert "Traceback" not in said
    assert checkpoint.exists()
