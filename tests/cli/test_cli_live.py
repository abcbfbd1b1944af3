"""posenb live: what may be named, what is shown, what is left when it is stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from posenb.inference import load_poses
from posenb.project import open_project

PROGRAM = str(Path(sys.executable).with_name("posenb"))
ENDLESS = "lavfi:testsrc=size=64x64:rate=50,realtime"


@pytest.fixture
def clip(run) -> str:
    return open_project(run.project_url).video_url("clip")


def test_poses_are_shown_as_lines_and_the_latency_at_the_end(posenb, run, clip):
    done = posenb("live", run.url, clip)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert [line.partition(",")[0] for line in lines[:3]] == ["scorer", "bodyparts", "coords"]
    assert [line.partition(",")[0] for line in lines[3:]] == list("01234567")
    assert done.stderr.startswith("8 poses in ")
    assert "ms (p99)" in done.stderr


def test_a_table_and_a_folder_may_be_written(posenb, run, clip, tmp_path):
    done = posenb("live", run.project_url, clip, "--out", tmp_path / "poses.csv", "--quiet")
    assert done.stdout.strip() == str(tmp_path / "poses.csv")
    assert len(load_poses(tmp_path / "poses.csv")) == 8
    options = ("--output", tmp_path / "session", "--frames", "3", "--quiet")
    assert posenb("live", run.url, clip, *options).exit_code == 0
    names = sorted(path.name for path in (tmp_path / "session").iterdir())
    assert names == ["live.csv", "meta.json", "poses.csv", "poses.h5"]
    assert len(load_poses(tmp_path / "session")) == 3


def test_a_source_that_is_not_there_is_one_line_and_leaves_nothing(posenb, run, tmp_path):
    done = posenb("live", run.url, tmp_path / "none.mp4", "--out", tmp_path / "poses.csv", "-q")
    assert done.exit_code == 1
    assert "cannot be opened" in done.stderr
    assert list(tmp_path.glob("*.csv")) == []


def started(*arguments: object) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([PROGRAM, *map(str, arguments)], **pipes)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a child alone")
def test_ctrl_c_ends_it_well_and_leaves_the_table_whole(run, tmp_path):
    path = tmp_path / "poses.csv"
    with started("live", run.url, ENDLESS, "--out", path, "--quiet") as program:
        deadline = time.monotonic() + 120
        while not (path.exists() and path.read_text().count("\n") > 8):
            assert program.poll() is None, program.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        program.send_signal(signal.SIGINT)
        shown, told = program.communicate(timeout=60)
    assert program.returncode == 0, told
    assert shown.strip() == str(path)
    assert "poses in" in told
    assert path.read_text().endswith("\n")
    assert len(load_poses(path)) >= 5


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_behind_the_output_is_told(run, clip):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [PROGRAM, "live", run.url, clip],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("posenb: error: Poses are written to standard output")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="pipes break in another way there")
def test_it_ends_when_nobody_reads_any_more(run):
    with started("live", run.url, ENDLESS) as program:
        for _ in range(5):
            assert program.stdout.readline()
        program.stdout.close()
        assert program.wait(timeout=60) == 0
        told = program.stderr.read()
    assert " poses in " in told
    assert "Error" not in told
