"""From nothing to a first labelled video: what `posenb[cpu]` weighs and how long it takes.

    python tests/benchmarks/fresh.py VIDEO
    python tests/benchmarks/fresh.py VIDEO --stop 300 --json fresh.json

An empty environment is made, `posenb[cpu]` of this checkout installed into it (what is downloaded
depends on the network and on pip's cache, so its time tells little), and `posenb zoo run` finds
the animal of MODEL in VIDEO and draws it: neither TensorFlow nor JAX is there. The whole is timed
as its user waits for it, from the start of the command on; of `--without video` for the poses
alone. The first run of an environment also compiles Python's files, so a warm one follows.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def say(text: str) -> None:
    """Write a line at once, so that a long benchmark can be followed."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def weight(folder: Path) -> float:
    """Return the size of all files below `folder`, MB."""
    return sum(each.lstat().st_size for each in folder.rglob("*") if not each.is_dir()) / 1e6


def timed(*command: str | Path) -> float:
    """Run a command to its end and return the seconds it took."""
    begun = time.perf_counter()
    subprocess.run([str(each) for each in command], check=True, capture_output=True, text=True)
    return time.perf_counter() - begun


def measure(folder: Path, video: Path, model: str, stop: int | None) -> dict[str, Any]:
    """Install posenb into `folder`, run it on a copy of the video, and return the figures."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    empty = weight(environment)
    python, posenb = environment / "bin" / "python", environment / "bin" / "posenb"
    install = timed(python, "-m", "pip", "install", "-q", f"{ROOT}[cpu]")
    clip = Path(shutil.copy(video, folder))
    part = [] if stop is None else ["--stop", str(stop)]
    figures: dict[str, Any] = {"install_s": install, "installed_mb": weight(environment) - empty}
    for run, without in (("cold", "zip,report,table"), ("warm", "zip,report,table")):
        shutil.rmtree(folder / "out", ignore_errors=True)
        command = (posenb, "zoo", "run", model, clip, "--output", folder / "out", "-q", *part)
        figures[f"{run}_poses_s"] = timed(*command, "--without", f"video,{without}")
        figures[f"{run}_labelled_s"] = timed(*command, "--without", without)
    return figures


def main() -> None:
    """Measure, print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video", type=Path)
    parser.add_argument("--model", default="mouse_openfield")
    parser.add_argument("--stop", type=int, help="the frame after the last; by default all")
    parser.add_argument("--json", type=Path, help="file for the figures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), given.video, given.model, given.stop)
    say(f"installed      {figures['installed_mb']:8.0f} MB   in {figures['install_s']:.0f} s")
    for run in ("cold", "warm"):
        poses, labelled = figures[f"{run}_poses_s"], figures[f"{run}_labelled_s"]
        say(f"{run:14} {poses:8.1f} s to the poses, {labelled:.1f} s more to the labelled video")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
