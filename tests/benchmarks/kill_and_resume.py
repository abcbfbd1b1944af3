"""Kill an analysis with SIGKILL at random moments, resume it, compare the final files.

    python tests/benchmarks/kill_and_resume.py MODEL VIDEO --kills 10 --workers 2

analyzes the video once without interruption, then again while killing the process at
random moments, and prints a table. It ends with 1 if a final file differs by one byte
from that of the uninterrupted run, or if finished chunks were lost or computed again.

With workers, the runs that are killed go over a Dask cluster of so many processes: first
one of them is killed, which its cluster must bear, and some time later the cluster with
all that belongs to it. The uninterrupted run goes without a cluster.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# The worker says when its first frames are done, as starting up takes its time.
WORKER = """
import json, os, sys
from contextlib import ExitStack
from posenb._progress import silent_progress
from posenb.inference import analyze

def main():
    options = json.loads(sys.argv[4])
    workers = options.pop("workers")
    said = []

    def progress(*about):
        bar = silent_progress(*about)
        bar.advance = lambda count: said or said.append(print("working", *pids, flush=True))
        return bar

    with ExitStack() as stack:
        pids = []
        if workers:
            from distributed import Client, LocalCluster
            cluster = LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address=":0",
                local_directory=sys.argv[3] + "-dask",
            )
            options["client"] = stack.enter_context(Client(stack.enter_context(cluster)))
            pids = options["client"].run(os.getpid).values()
        analyze(sys.argv[1], sys.argv[2], output=sys.argv[3], progress=progress, **options)

if __name__ == "__main__":
    main()
"""
STARTUPS = 0.2  # share of the kills that fall into the start, before any frame is done
FILES = ("poses.h5", "poses.csv", "meta.json")


@dataclass(frozen=True)
class Killed:
    """One process and how it ended."""

    seconds: float
    chunks: int
    survived: bool
    finished: bool


def main() -> int:
    """Run the benchmark; return the exit code."""
    arguments = _arguments()
    random.seed(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="kill-and-resume-") as scratch:
        whole, killed = Path(scratch, "whole"), Path(scratch, "killed")
        options = _options(arguments, 0)
        first, total = _uninterrupted(arguments, options, whole)
        _say(f"uninterrupted: {total:.1f} s, first chunk after {first:.1f} s\n")
        _say(f"{'run':>5} {'killed after':>13} {'chunks kept':>12}  earlier ones untouched")
        options = _options(arguments, arguments.workers)
        rows = []
        for number in range(1, arguments.kills + 1):
            early = random.random() < STARTUPS
            # On average so much later that the kills spread over the whole of the work.
            latest = first if early else 1.3 * (total - first) / arguments.kills
            wait = random.uniform(0, latest)
            row = _run_and_kill(arguments, options, killed, wait, early=early)
            rows.append(row)
            end = "(finished before)" if row.finished else "yes" if row.survived else "NO"
            _say(f"{number:>5} {row.seconds:>11.1f} s {row.chunks:>12}  {end}")
            if row.finished:
                break
        _start(arguments, options, killed).communicate()
        same = [_report(name, whole / name, killed / name) for name in FILES]
        left = sorted(path.name for path in killed.iterdir() if not _expected(path.name))
        kills = sum(not row.finished for row in rows)
        _say(f"\n{kills} kills; left beside the files: {', '.join(left) or 'nothing'}")
        return 0 if all(same) and all(row.survived for row in rows) else 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Kill an analysis and resume it.")
    parser.add_argument("model", help=".keras file or folder of a run")
    parser.add_argument("video")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--chunk-size", type=int, default=50)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--workers", type=int, default=0, help="processes of a Dask cluster")
    parser.add_argument("--stop", type=int, default=None, help="analyze so many frames only")
    return parser.parse_args()


def _options(arguments: argparse.Namespace, workers: int) -> str:
    names = ("chunk_size", "batch_size", "stop")
    return json.dumps({name: getattr(arguments, name) for name in names} | {"workers": workers})


def _start(arguments: argparse.Namespace, options: str, output: Path) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-c", WORKER, arguments.model, arguments.video, str(output), options)
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )


def _uninterrupted(
    arguments: argparse.Namespace, options: str, output: Path
) -> tuple[float, float]:
    """Return the seconds to the first chunk and to the end."""
    begin = time.monotonic()
    process = _start(arguments, options, output)
    first = 0.0
    while process.poll() is None:
        if not first and _chunks(output):
            first = time.monotonic() - begin
        time.sleep(0.02)
    if process.returncode:
        raise SystemExit("The uninterrupted analysis failed; run it by hand to see why.")
    total = time.monotonic() - begin
    return first or total, total


def _run_and_kill(
    arguments: argparse.Namespace, options: str, output: Path, wait: float, *, early: bool
) -> Killed:
    """Kill a worker `wait` seconds after its start or after its first frames."""
    before = _chunks(output)
    begin = time.monotonic()
    process = _start(arguments, options, output)
    assert process.stdout is not None
    workers = [] if early else process.stdout.readline().split()[1:]
    if workers:
        time.sleep(wait / 2)
        _kill(os.kill, int(random.choice(workers)))
        time.sleep(wait / 2)
    else:
        time.sleep(wait)
    finished = process.poll() == 0
    _kill(os.killpg, process.pid)
    process.communicate()
    after = _chunks(output)
    # with meta.json all is done, and the chunks may go
    survived = (output / "meta.json").exists() or before.items() <= after.items()
    return Killed(time.monotonic() - begin, len(after), survived, finished)


def _kill(kill: Callable[[int, int], None], number: int) -> None:
    with suppress(ProcessLookupError):  # it has ended by itself
        kill(number, signal.SIGKILL)


def _expected(name: str) -> bool:
    """Tell final files, and hidden folders of killed writers, which go when a day old."""
    return name in FILES or name.startswith(".posenb-tmp-")


def _chunks(output: Path) -> dict[str, int]:
    """Return the finished chunks and when each was written."""
    return {path.name: path.stat().st_mtime_ns for path in output.glob("chunks/*.npz")}


def _report(name: str, whole: Path, killed: Path) -> bool:
    digests = [
        hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "absent"
        for path in (whole, killed)
    ]
    same = digests[0] == digests[1] != "absent"
    _say(f"{name:>10}  {digests[0][:16]}  {digests[1][:16]}  {'same' if same else 'DIFFERENT'}")
    return same


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
