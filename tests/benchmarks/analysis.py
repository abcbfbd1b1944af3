"""Measure analysis: frames/s of decoding, of the model and of both together, and memory.

    python tests/benchmarks/analysis.py MODEL VIDEO --rounds 3 --json figures.json

Each round decodes without a model, runs the model without decoding, and analyzes. The
rounds follow each other in one process, so that other work on the machine meets all
alike, and shares are taken within a round. The smaller of the first two rates is what
analysis could reach if the other half cost nothing; on a CPU both take their time from the
same cores. Processor time tells more than rates where other work runs: what analysis takes
beyond its halves is what it wastes.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from posenb.core import AnalyzeConfig
from posenb.inference import analyze
from posenb.inference.model import Model, find_model
from posenb.inference.plan import Plan, make_plan
from posenb.inference.target import find_targets
from posenb.video import open_video


@dataclass(frozen=True)
class Speed:
    """Frames per second, and milliseconds of processor time that a frame took."""

    rate: float
    milliseconds: float


@dataclass(frozen=True)
class Round:
    """One of each, and seconds from the call of `analyze` to its end."""

    decoding: Speed
    rgb: Speed
    model: Speed
    together: Speed
    seconds: float

    @property
    def share(self) -> float:
        """Share of the slower half, %."""
        return 100 * self.together.rate / min(self.decoding.rate, self.model.rate)

    @property
    def useful(self) -> float:
        """Share of the processor time of analysis that its two halves take alone, %."""
        alone = self.decoding.milliseconds + self.model.milliseconds
        return 100 * alone / self.together.milliseconds


class Clock:
    """A progress bar that only notes when how many frames were done."""

    def __init__(self) -> None:
        self.moments: list[tuple[float, float, int]] = []

    def __call__(self, total: int | None, description: str, unit: str = "it") -> Self:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def advance(self, count: int = 1, **figures: str) -> None:
        self.moments.append((time.perf_counter(), time.process_time(), count))

    def speed(self) -> Speed:
        """Tell what came after the first batch, which the model is compiled in."""
        frames = sum(count for _, _, count in self.moments[1:])
        (begin, used, _), (end, spent, _) = self.moments[0], self.moments[-1]
        return Speed(frames / (end - begin), 1000 * (spent - used) / frames)


def main() -> None:
    """Measure and print."""
    given = _arguments()
    options = {
        name: getattr(given, name)
        for name in ("batch_size", "chunk_size", "stop", "runtime", "precision")
    }
    config = AnalyzeConfig(**options)
    model = find_model(given.model, runtime=config.runtime, precision=config.precision)
    (target,) = find_targets(model, [given.video], "memory://benchmark", several=False)
    plan = make_plan(model, target, config)
    before = _peak()
    rounds = [_round(given, plan, model) for _ in range(given.rounds)]
    facts = {
        "machine": f"{_processor()}, {_cores()} cores",
        "computing": str(model.choice),
        "frames": f"{plan.frames.kind} {plan.frames.width} x {plan.frames.height}",
        "batch size": plan.config.batch_size,
        "calls of the model at once": model.predict(plan.frames, plan.job.batch_size).workers,
    }
    figures = {
        "decoding alone, frames/s": [each.decoding.rate for each in rounds],
        "decoding to RGB alone, frames/s": [each.rgb.rate for each in rounds],
        "model alone, frames/s": [each.model.rate for each in rounds],
        "analysis after the first batch, frames/s": [each.together.rate for each in rounds],
        "share of the slower half, %": [each.share for each in rounds],
        "decoding alone, CPU ms a frame": [each.decoding.milliseconds for each in rounds],
        "decoding to RGB alone, CPU ms a frame": [each.rgb.milliseconds for each in rounds],
        "model alone, CPU ms a frame": [each.model.milliseconds for each in rounds],
        "analysis, CPU ms a frame": [each.together.milliseconds for each in rounds],
        "CPU time of the halves in it, %": [each.useful for each in rounds],
        "analysis from start to files, s": [each.seconds for each in rounds],
        "memory before analysis, MiB": [before],
        "peak memory, MiB": [_peak()],
    }
    for name, fact in facts.items():
        sys.stdout.write(f"{name:<42} {fact}\n")
    for name, values in figures.items():
        spread = "  ".join(f"{value:.1f}" for value in values) if len(values) > 1 else ""
        sys.stdout.write(f"{name:<42} {statistics.median(values):>10.1f}   {spread}\n")
    if given.json:
        given.json.write_text(
            json.dumps({**facts, "rounds": [asdict(each) for each in rounds], **figures}, indent=1)
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure analysis.")
    parser.add_argument("model", help=".keras file or folder of a run")
    parser.add_argument("video")
    parser.add_argument("--batch-size", type=_number, default="auto")
    parser.add_argument("--chunk-size", type=int, default=512)
    parser.add_argument("--runtime", default="auto")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--stop", type=int, default=None, help="use so many frames only")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5, help="how long to run the model alone")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


def _number(text: str) -> int | str:
    return text if text == "auto" else int(text)


def _round(given: argparse.Namespace, plan: Plan, model: Model) -> Round:
    decoding, rgb = _decode(plan, raw=True), _decode(plan, raw=False)
    alone = _model(plan, model, given.seconds)
    clock = Clock()
    with tempfile.TemporaryDirectory() as output:
        begin = time.perf_counter()
        analyze(given.model, given.video, config=plan.config, output=output, progress=clock)
        seconds = time.perf_counter() - begin
    return Round(decoding, rgb, alone, clock.speed(), seconds)


def _decode(plan: Plan, *, raw: bool) -> Speed:
    size = plan.job.batch_size
    ring = np.empty((size, plan.frames.nbytes), np.uint8)
    with open_video(plan.target.url) as video:
        begin, used = time.perf_counter(), time.process_time()
        if raw:
            batches = video.raw_batches(size, plan.start, plan.stop, out=lambda: ring)
        else:
            batches = video.batches(size, plan.start, plan.stop)
        count = sum(len(indices) for indices, _ in batches)
        return _speed(count, begin, used)


def _model(plan: Plan, model: Model, seconds: float) -> Speed:
    size = plan.job.batch_size
    predict = model.predict(plan.frames, size, plan.job.crop)
    with open_video(plan.target.url) as video:
        (frames,) = (frames for _, frames in video.raw_batches(size, 0, size))
    predict(frames)
    end = time.perf_counter() + seconds

    def work(_: int) -> int:
        count = 0
        while time.perf_counter() < end:
            predict(frames)
            count += len(frames)
        return count

    begin, used = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(predict.workers) as pool:
        count = sum(pool.map(work, range(predict.workers)))
    return _speed(count, begin, used)


def _speed(count: int, begin: float, used: float) -> Speed:
    seconds, spent = time.perf_counter() - begin, time.process_time() - used
    return Speed(count / seconds, 1000 * spent / count)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else ():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor() or platform.machine()


def _cores() -> int:
    from posenb.inference.limits import usable_cores

    return usable_cores()


def _peak() -> float:
    """Return the most memory this process has held, MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
