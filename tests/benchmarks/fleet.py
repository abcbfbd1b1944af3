"""What a Dask cluster costs and brings: one against two workers, and 10,000 tasks of no work.

    python tests/benchmarks/fleet.py MODEL VIDEO --stop 600 --json figures.json

The workers are processes of one thread, each bound to a core of its own where the system
allows that. One and two of them take turns within one run, on the same frames, after the
model was loaded and compiled by each. Where other work runs on the machine, processor time
tells more than rates: what a frame costs two workers beyond what it costs one is lost.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster

from posenb._progress import silent_progress
from posenb.core import AnalyzeConfig
from posenb.inference import analyze
from posenb.inference.fleet import spread
from posenb.inference.model import find_model
from posenb.inference.plan import make_plan
from posenb.inference.target import find_targets


def bind(cores: list[int], dask_worker: Any = None) -> int:
    """Give a worker a core of its own; return how many it may use."""
    if not hasattr(os, "sched_setaffinity"):
        return len(cores)
    core = cores[int(dask_worker.name) % len(cores)]
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})
    return len(os.sched_getaffinity(0))


def spent(client: Client) -> float:
    """Return the seconds of processor time that the workers have used."""
    return float(sum(client.run(time.process_time).values()))


def nothing(*_: object) -> None:
    """Do no work."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", help=".keras file or folder of a run")
    parser.add_argument("video")
    parser.add_argument("--stop", type=int, default=600, help="use so many frames")
    parser.add_argument("--chunk-size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tasks", type=int, default=10_000, help="of no work")
    parser.add_argument("--json", type=Path, help="file for the figures")
    given = parser.parse_args()
    config = AnalyzeConfig(batch_size=16, chunk_size=given.chunk_size, stop=given.stop)
    rates: dict[int, list[float]] = {1: [], 2: []}
    costs: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        clusters = [
            LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                dashboard_address=":0",
                local_directory=f"{folder}/{count}",
            )
            for count in rates
        ]
        clients = {len(cluster.workers): Client(cluster) for cluster in clusters}
        for client in clients.values():
            client.run(bind, sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else [0])
        for turn in range(-1, given.rounds):  # the first one loads and compiles
            for count, client in clients.items():
                begin, used = time.perf_counter(), spent(client)
                analyze(
                    given.model,
                    given.video,
                    config=config,
                    output=f"{folder}/{count}-{turn}",
                    client=client,
                    progress=silent_progress,
                )
                if turn >= 0:
                    rates[count].append(given.stop / (time.perf_counter() - begin))
                    costs[count].append(1000 * (spent(client) - used) / given.stop)
        model = find_model(given.model)
        (target,) = find_targets(model, [given.video], f"{folder}/none", several=False)
        plan = make_plan(model, target, config)
        tasks = [(plan.job, plan.missing()[0])] * given.tasks
        begin, used = time.perf_counter(), time.process_time() + spent(clients[2])
        for _ in spread(clients[2], nothing, tasks):
            pass
        overhead = 1000 * (time.perf_counter() - begin) / given.tasks
        processing = 1000 * (time.process_time() + spent(clients[2]) - used) / given.tasks
        for client, cluster in zip(clients.values(), clusters, strict=True):
            client.close()
            cluster.close()
    ratios = [two / one for one, two in zip(rates[1], rates[2], strict=True)]
    figures = {
        "one worker, frames/s": rates[1],
        "two workers, frames/s": rates[2],
        "two against one": ratios,
        "one worker, CPU ms a frame": costs[1],
        "two workers, CPU ms a frame": costs[2],
        f"a task of no work, of {given.tasks}, ms": [overhead],
        "of that CPU, all processes, ms": [processing],
    }
    for name, values in figures.items():
        spread_out = "  ".join(f"{value:.2f}" for value in values)
        sys.stdout.write(f"{name:<38} {statistics.median(values):>8.2f}   {spread_out}\n")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
