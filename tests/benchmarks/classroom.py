"""How much time and memory a class takes that runs a notebook at once.

    python tests/benchmarks/classroom.py [--pupils 10] [--notebook notebooks/zoo.ipynb]

A real JupyterHub with the classroom's configuration, its proxy, and for each pupil a server and
a kernel of their own; each follows a link of nbgitpuller's and runs all cells. PSS counts memory
that several processes share once, in equal parts; RSS counts it for each. The highest of what
was read twice a second is told.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "classroom"))

from classroom_hub import (  # noqa: E402
    Hub,
    MemoryWatch,
    Pupil,
    classroom,
    make_repository,
    read_only_mount,
)

MB = 1e6


@dataclass(frozen=True)
class Lesson:
    """How one pupil fared, seconds; `failure` is empty if all cells ran."""

    name: str
    started: float
    pulled: float
    ran: float
    processor: float
    failure: str = ""


def learn(hub: Hub, name: str, link: str, cells: list[str]) -> Lesson:
    """Let one pupil come in and run all cells."""
    pupil, begun = Pupil(hub, name), time.monotonic()
    try:
        pupil.log_in()
        pupil.start(seconds=600)
        started = time.monotonic()
        pupil.pull(link)
        pulled = time.monotonic()
        pupil.run(cells, folder="lesson", seconds=1800)
    except (AssertionError, OSError, RuntimeError, StopIteration) as error:
        return Lesson(name, 0, 0, 0, 0, str(error)[-500:])
    times = (started - begun, pulled - started, time.monotonic() - pulled)
    return Lesson(name, *times, processor_time(hub, name))


def processor_time(hub: Hub, name: str) -> float:
    """Return the seconds that a pupil's server and kernels have computed."""
    server = hub.server(name)
    family = [] if server is None else [server, *server.children(recursive=True)]
    return sum(sum(each.cpu_times()[:2]) for each in family)


def table(lessons: list[Lesson], memory: MemoryWatch) -> Iterator[str]:
    """Yield the lines of a table, one row a pupil."""
    columns = ("pupil", "server up, s", "lesson fetched, s", "cells run, s", "processor, s")
    yield f"| {' | '.join(columns)} | PSS at most, MB | RSS at most, MB |"
    yield "|---" * (len(columns) + 2) + "|"
    for each in lessons:
        numbers = [each.started, each.pulled, each.ran, each.processor]
        numbers += [kept.get(each.name, 0) / MB for kept in (memory.pss, memory.rss)]
        cells = " | ".join(f"{number:.0f}" for number in numbers)
        yield f"| {each.name} | {cells} | {each.failure}".rstrip()


def main() -> int:
    """Run the lesson and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=10)
    parser.add_argument("--notebook", type=Path, default=ROOT / "notebooks" / "zoo.ipynb")
    options = parser.parse_args()
    names = [f"pupil-{number}" for number in range(1, options.pupils + 1)]
    content = options.notebook.read_bytes()
    cells = [
        "".join(cell["source"])
        for cell in json.loads(content)["cells"]
        if cell["cell_type"] == "code"
    ]
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place, "class")
        (folder / "cache").mkdir(parents=True)
        link = make_repository(Path(place, "lesson"), {options.notebook.name: content})
        with classroom(folder, {}, read_only_mount(folder / "cache")) as hub:
            memory = MemoryWatch(hub, names)
            memory.start()
            begun = time.monotonic()
            with ThreadPoolExecutor(len(names)) as pool:
                lessons = list(pool.map(lambda name: learn(hub, name, link, cells), names))
            whole = time.monotonic() - begun
            memory.stop()
            own = sum(
                each.memory_full_info().pss
                for each in psutil.Process(hub.process.pid).children()
                if "jupyterhub-singleuser" not in " ".join(each.cmdline())
            )
            own += psutil.Process(hub.process.pid).memory_full_info().pss
    for line in table(lessons, memory):
        sys.stdout.write(f"{line}\n")
    finished = sum(not each.failure for each in lessons)
    sys.stdout.write(
        f"\n{finished} of {len(lessons)} finished, the last after {whole:.0f} s. All servers and "
        f"kernels together: {memory.all / MB:.0f} MB of PSS at most; hub and proxy {own / MB:.0f} "
        f"MB. {os.cpu_count()} cores, load average before {load:.1f}.\n"
    )
    return int(finished < len(lessons))


if __name__ == "__main__":
    sys.exit(main())
